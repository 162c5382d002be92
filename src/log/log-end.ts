/**
 * Where a log ends now: for who wants only what comes after it. Owns the way there.
 */
import type { EventLog, Position } from './event-log.ts';

/** No stream has a name that begins so, so that nothing is read on the way. */
const nobody = '\u0001';

/** Position of the newest event; undefined where there is none. */
export async function endOfLog(log: Pick<EventLog, 'subscribe'>, signal?: AbortSignal): Promise<Position | undefined> {
  let end: Position | undefined;
  for await (const item of log.subscribe({ filter: { streamPrefix: nobody }, ...(signal && { signal }) })) {
    if (item.type === 'checkpoint') end = item.position;
    if (item.type === 'caughtUp') break;
  }
  return end;
}
