/**
 * The streams of a log as they are stored. Owns the way around for a log that gives only events: it is read again behind
 * every record that it refuses.
 *
 * SS1  A record that cannot be read is passed over, not the ones behind it.
 */
import { DamagedRecordError, StreamDeletedError } from '../errors.ts';
import type { EventLog, Revision, StoredRecord, StoredStream } from './event-log.ts';

/** So many records in a row that cannot be read are the end of a stream: a number of its row may be damaged, too. */
const faultsMax = 1_000;

/** Every stream of a log, or one, as far as the log can tell. */
export async function* storedStreams(log: EventLog, only?: string): AsyncGenerator<StoredStream> {
  if (log.stored) return yield* log.stored(only);
  if (only !== undefined) return yield* found(log, only);
  for await (const { stream } of log.actors()) yield* found(log, stream);
  // Streams without an actor are known only by their events, the first of which is not in the index.
  try {
    for await (const { stream, revision } of log.readAll()) {
      if (revision > 0 && (await log.head(stream)).state !== 'truncated') continue;
      if (await log.actor(stream)) continue;
      const head = await log.head(stream);
      if (revision === 0 || (head.state === 'truncated' && head.before === revision)) yield* found(log, stream);
    }
  } catch (error) {
    if (!(error instanceof DamagedRecordError)) throw error;
  }
}

async function* found(log: EventLog, name: string): AsyncGenerator<StoredStream> {
  const head = await log.head(name);
  const actor = await log.actor(name);
  if (head.state === 'absent' && !actor) return;
  // An entry of the index without a stream says that the stream is lost.
  const stated = head.state === 'absent' ? ({ state: 'live', revision: actor!.revision } as const) : head;
  const end = stated.state === 'deleted' ? -1 : Math.max(stated.revision, actor?.revision ?? -1);
  yield {
    name,
    head: stated.state === 'deleted' ? stated : { ...stated, revision: end },
    actor,
    records: () => recordsOf(log, name, end),
  };
}

async function* recordsOf(log: EventLog, stream: string, end: Revision): AsyncGenerator<StoredRecord> {
  let from = 0;
  for (let faults = 0; faults < faultsMax;) {
    try {
      for await (const event of log.readStream(stream, { from })) {
        faults = 0;
        from = event.revision + 1;
        yield { revision: event.revision, position: event.position, events: [event] };
      }
      return;
    } catch (error) {
      if (error instanceof StreamDeletedError) return;
      if (!(error instanceof DamagedRecordError)) throw error;
      faults++;
      const revision = Math.max(error.revision, from);
      yield { revision, position: undefined, events: [], fault: error.detail };
      from = revision + 1;
      if (from > end) return;
    }
  }
}
