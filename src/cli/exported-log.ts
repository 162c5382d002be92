/**
 * An exported file as a log. Owns what of it is kept in memory, and what stands for what a compaction had removed.
 *
 * EL1  The log has the events of the file at their revisions, with their ids, checksums and times; it is only read.
 */
import { LogReadOnlyError } from '../errors.ts';
import { sealEvent } from '../log/envelope.ts';
import type { ActorHead, ActorRow, EventLog, NewEvent, Revision } from '../log/event-log.ts';
import { memoryLog } from '../log/memory-log.ts';
import { exportItems } from '../replay/export-format.ts';
import { withCalls } from './noted-log.ts';

/**
 * Reads an exported file.
 * @param name of the file, for messages
 * @throws DamagedExportError | InvalidArgumentError naming the line that is not as it should be
 */
export async function readExport(lines: AsyncIterable<string>, name: string): Promise<EventLog> {
  let now = 0;
  const log = memoryLog({
    clock: { now: () => now, setTimer: () => () => {} },
    maxEventBytes: Number.MAX_SAFE_INTEGER,
  });
  const heads = new Map<string, ActorHead>();
  const begun = new Set<string>();
  for await (const item of exportItems(lines, name)) {
    if (item.type === 'actor') heads.set(item.row.stream, headOfRow(item.row));
    if (item.type === 'definition') await log.definitions!.save(item.hash, item.chart);
    if (item.type !== 'event') continue;
    const { stream, revision, event, recordedAt } = item;
    now = recordedAt;
    if (!begun.has(stream) && revision > 0) await fillUp(log, stream, 0, revision);
    begun.add(stream);
    const head = heads.get(stream);
    await log.append(stream, expectedAt(revision), [event], head ? { actor: head } : {});
  }
  return readOnly(log, `exported file '${name}'`);
}

/** What a writer of this revision believes. */
export function expectedAt(revision: Revision): Revision | 'no-stream' {
  return revision === 0 ? 'no-stream' : revision - 1;
}

/** What an actor index keeps, of an entry in a file. */
export function headOfRow({ machine, version, status, correlationId, wakeAt, effects }: ActorRow): ActorHead {
  return { machine, version: version ?? null, status, correlationId, wakeAt: wakeAt ?? null, effects: effects ?? 0 };
}

const fillersAtOnce = 1_024;

/** A stream that was compacted begins later than at 0: what stands before is put there, and removed again. */
export async function fillUp(log: EventLog, stream: string, from: Revision, before: Revision): Promise<void> {
  for (let first = from; first < before; first += fillersAtOnce) {
    const count = Math.min(fillersAtOnce, before - first);
    const events = Array.from({ length: count }, (_, index) => filler(stream, first + index));
    await log.append(stream, expectedAt(first), events);
  }
  await log.truncate(stream, before);
}

/** Whether an event is what stands for one that was removed. */
export function isFiller({ id, type }: Pick<NewEvent, 'id' | 'type'>): boolean {
  return type === 'Removed' && id.startsWith('removed/');
}

function filler(stream: string, revision: Revision): NewEvent {
  const id = `removed/${stream}/${revision}`;
  return sealEvent({ id, type: 'Removed', schemaVersion: 1, data: '{}', meta: {} }, { stream, revision });
}

/** EL1. */
function readOnly(log: EventLog, name: string): EventLog {
  const refused = () => Promise.reject(new LogReadOnlyError(name, 'it'));
  const writes = ['append', 'appendMany', 'lease', 'truncate', 'delete', 'quarantine'] as const;
  return withCalls(log, { name, ...Object.fromEntries(writes.map((call) => [call, refused])) });
}
