/**
 * All that cannot be read of a stream, from the first of it on. Owns the way past damage.
 */
import { DamagedRecordError } from '../errors.ts';
import type { EventLog, Revision } from '../log/event-log.ts';
import type { DamagedRevision } from './replay.ts';

/** So many records in a row that cannot be read are the end of a stream: where it ends may be damaged, too. */
const faultsMax = 1_000;
const missing = 'the record is missing';

/**
 * The damaged records of a stream in order.
 * @param first the damage that was met
 * @param head the stream's last revision
 */
export async function damageFrom(
  log: Pick<EventLog, 'readStream'>,
  stream: string,
  first: DamagedRecordError,
  head: Revision,
): Promise<DamagedRevision[]> {
  const damaged = [{ revision: first.revision, message: first.detail }];
  let next = first.revision + 1;
  for (let faults = 1; next <= head && faults < faultsMax;) {
    try {
      for await (const { revision } of log.readStream(stream, { from: next })) {
        if (revision > next) damaged.push({ revision: next, message: missing });
        next = revision + 1;
        faults = 0;
      }
      // Of an end that is missing only the beginning is named.
      if (next <= head && next > damaged.at(-1)!.revision + 1) damaged.push({ revision: next, message: missing });
      break;
    } catch (error) {
      if (!(error instanceof DamagedRecordError)) throw error;
      faults++;
      const revision = Math.max(error.revision, next);
      damaged.push({ revision, message: error.detail });
      next = revision + 1;
    }
  }
  return damaged;
}
