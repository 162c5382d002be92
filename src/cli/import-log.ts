/**
 * An exported file, taken into a log. Owns what is compared before anything is written, and in what order it is written.
 *
 * IM1  The file is read twice: it is whole, and goes with what the log has, before anything is written.
 * IM2  Events keep ids, revisions, metadata and checksums. Positions are given by the log, in the order of the file.
 * IM3  An import that was stopped goes on where it ended: what is there already is not written again.
 * IM4  An actor is in the index of the log once all of its events are: nobody takes up half of one.
 */
import { ActorExistsError, InvalidArgumentError } from '../errors.ts';
import type { ActorRow, AppendOptions, EventLog, NewEvent, RecordedEvent, Revision } from '../log/event-log.ts';
import { isFact } from '../log/runtime-events.ts';
import { expectedAt, fillUp, headOfRow, isFiller } from './exported-log.ts';
import type { ExportItem } from '../replay/export-format.ts';

/** What is in a file, and how much of it a log has. */
export interface ImportPlan {
  readonly payloads: 'full' | 'masked' | 'none';
  readonly streams: number;
  readonly events: number;
  /** Of these there already. */
  readonly present: number;
  /** Streams of which something is to be written. */
  readonly missing: number;
  /** The last revision that the log has, by stream; -1 for none. */
  readonly lasts: ReadonlyMap<string, Revision>;
}

/**
 * Reads a file through and compares it with a log.
 * @param log where it is to go; undefined where there is none yet
 * @throws DamagedExportError | InvalidArgumentError for a file that is not whole
 * @throws ActorExistsError for a stream that is there with other content
 */
export async function planImport(items: AsyncIterable<ExportItem>, log: EventLog | undefined): Promise<ImportPlan> {
  const known = new Map<string, KnownStream>();
  let payloads: ImportPlan['payloads'] = 'full';
  const counts = { events: 0, present: 0 };
  const missing = new Set<string>();
  try {
    for await (const item of items) {
      if (item.type === 'export') payloads = item.payloads;
      if (item.type !== 'event') continue;
      const { stream, revision, event } = item;
      let before = known.get(stream);
      if (!before) known.set(stream, (before = await knownStream(log, stream, revision)));
      counts.events++;
      if (revision > before.last) missing.add(stream);
      else if (await isSame(before, event)) counts.present++;
      else throw otherContent(stream, revision);
    }
  } finally {
    for (const { rest } of known.values()) await rest?.return(undefined);
  }
  const lasts = new Map([...known].map(([stream, { last }]) => [stream, last]));
  return { payloads, streams: known.size, ...counts, missing: missing.size, lasts };
}

/** A stream as the log has it, while it is compared. */
interface KnownStream {
  readonly last: Revision;
  rest: AsyncGenerator<RecordedEvent, undefined> | undefined;
}

async function knownStream(log: EventLog | undefined, stream: string, from: Revision): Promise<KnownStream> {
  const head = (await log?.head(stream)) ?? { state: 'absent' };
  if (head.state === 'absent') return { last: -1, rest: undefined };
  if (head.state === 'deleted') throw otherContent(stream, from, 'it was deleted');
  if (head.state === 'truncated' && head.before > from) throw otherContent(stream, from, 'it was compacted since');
  if (head.revision < from) await requireFillers(log!, stream, head.revision);
  const rest = log!.readStream(stream, { from }) as AsyncGenerator<RecordedEvent, undefined>;
  return { last: head.revision, rest };
}

/** An import that was stopped before the first event of a compacted stream. */
async function requireFillers(log: EventLog, stream: string, last: Revision): Promise<void> {
  for await (const event of log.readStream(stream)) if (!isFiller(event)) throw otherContent(stream, last);
}

async function isSame(known: KnownStream, event: NewEvent): Promise<boolean> {
  const { value: found } = await known.rest!.next();
  return found?.id === event.id && found.checksum === event.checksum;
}

function otherContent(stream: string, revision: Revision, what = 'another event') {
  const difference =
    what === 'another event' ? `another event at revision ${revision} than the file` : `another history: ${what}`;
  return new ActorExistsError(stream, difference, 'Import into another log, or export without this stream.');
}

/** How many appends are under way at once: they are committed together. */
const appendsAtOnce = 512;

/**
 * Writes what a log does not have yet.
 * @param lasts of the plan
 * @returns how many events were written
 */
export async function importInto(
  log: EventLog,
  items: AsyncIterable<ExportItem>,
  lasts: ImportPlan['lasts'],
  onProgress: (events: number) => void = () => {},
): Promise<number> {
  const rows = new Map<string, ActorRow>();
  const begun = new Set<string>();
  const writing: Promise<unknown>[] = [];
  let written = 0;
  let run: Run | undefined;
  const flush = () => {
    if (!run) return;
    const { stream, first, events } = run;
    const row = rows.get(stream);
    // IM4.
    const isLast = row?.revision === first + events.length - 1;
    const options: AppendOptions = row && isLast ? { actor: headOfRow(row) } : {};
    const appended = log.append(stream, expectedAt(first), events, options);
    // It is waited for below; one that fails meanwhile is no surprise to Node.
    appended.catch(() => {});
    writing.push(appended);
    written += events.length;
    run = undefined;
  };
  for await (const item of items) {
    if (item.type === 'actor') rows.set(item.row.stream, item.row);
    if (item.type === 'definition') await log.definitions?.save(item.hash, item.chart);
    if (item.type !== 'event') continue;
    const { stream, revision, event } = item;
    const last = lasts.get(stream) ?? -1;
    const isFirst = !begun.has(stream);
    begun.add(stream);
    if (revision <= last) continue;
    if (isFirst && revision > 0) {
      requireTruncation(log, stream);
      await fillUp(log, stream, last + 1, revision);
    }
    // A stimulus and its facts were one append, and are one again.
    if (!run || run.stream !== stream || !isFact({ meta: event.meta })) flush();
    run ??= { stream, first: revision, events: [] };
    run.events.push(event);
    if (writing.length < appendsAtOnce) continue;
    await Promise.all(writing.splice(0));
    onProgress(written);
  }
  flush();
  await Promise.all(writing);
  return written;
}

interface Run {
  readonly stream: string;
  readonly first: Revision;
  readonly events: NewEvent[];
}

function requireTruncation(log: EventLog, stream: string): void {
  if (log.capabilities.truncate) return;
  throw new InvalidArgumentError(
    `'${stream}' was compacted and does not begin at revision 0, and ${log.name} cannot remove events. Import into a SQLite log.`,
  );
}
