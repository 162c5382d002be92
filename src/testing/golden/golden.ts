/**
 * Recorded streams as tests: what was written once is folded for ever, to the state it ended in. Owns recording and
 * checking; the files are golden-files.ts's, the state end-state.ts's.
 *
 * GO1  What is recorded is one and the same reading: the state is folded from the very events that are written.
 * GO2  A check folds as a runtime does, writes nothing, and runs no effect.
 */
import { fileURLToPath } from 'node:url';
import { DamagedRecordError, InvalidArgumentError, NotFoundError, RewakeError } from '../../errors.ts';
import { verifyEvent } from '../../log/envelope.ts';
import type { EventLog, ReadStreamOptions, RecordedEvent, Revision } from '../../log/event-log.ts';
import type { Json } from '../../log/json.ts';
import { noUpcasters, type Upcasters } from '../../log/upcast.ts';
import { revisionOf } from '../../runtime/explain/folded-far.ts';
import { FeatureSet } from '../../runtime/features.ts';
import { foldUpTo, type FoldServices } from '../../runtime/fold-history.ts';
import { MachineRegistry, type Machines } from '../../runtime/machines.ts';
import { differencesOf, endOf, type StateDifference } from './end-state.ts';
import { GoldenFileError, nameOf, namesIn, pathsOf, readRecording, writeRecordings } from './golden-files.ts';
import type { GoldenRecording } from './golden-files.ts';

/** With what recorded streams are folded. */
export interface GoldenOptions {
  /** As those of the runtime; older versions beside the current one. */
  readonly machines: Machines;
  readonly upcasters?: Upcasters;
}

/** What of a log is recorded. */
export interface RecordOptions {
  /** Names of streams; those of every actor in the log when omitted. */
  readonly streams?: readonly string[];
  /** Puts all of them into one recording of this name; one for each stream, called after it, when omitted. */
  readonly name?: string;
}

/** One recording, ready for a test runner. */
export interface GoldenCase {
  readonly name: string;
  /** A present-tense fact. */
  readonly title: string;
  /** @throws GoldenMismatchError | GoldenFileError */
  run(): Promise<void>;
}

/** The recordings of a directory. */
export interface Golden {
  /**
   * Writes streams and the states they end in; nothing that is there is overwritten.
   * @returns the files that were written
   * @throws GoldenFileError one of them is there already
   * @throws what folding a stream throws: only what can be folded is recorded
   */
  record(log: EventLog, options?: RecordOptions): Promise<string[]>;
  /** One case for each recording. @throws GoldenFileError there is none */
  cases(): GoldenCase[];
  /** What was recorded under a name. @throws GoldenFileError */
  read(name: string): GoldenRecording;
}

/** A recorded stream is folded to another state than it ended in, or cannot be folded any more. */
export class GoldenMismatchError extends RewakeError {
  readonly code = 'REWAKE_GOLDEN_MISMATCH';
  /** The file with the events. */
  readonly file: string;
  readonly stream: string;
  /** Where the fold stopped, if it did; otherwise the last revision. */
  readonly revision: Revision | undefined;
  /** How the state differs; empty where the fold stopped, which `cause` explains. */
  readonly differences: readonly StateDifference[];

  constructor(
    at: { file: string; stream: string; revision: Revision | undefined; differences: readonly StateDifference[] },
    options?: { cause?: unknown },
  ) {
    const told =
      at.differences.length > 0 ? differing(at.revision, at.differences) : stopped(at.revision, options?.cause);
    super(
      `${at.file}: stream '${at.stream}' ${told} ` +
        'Make the machine agree with what was recorded, or register the older version beside it.',
      options,
    );
    this.file = at.file;
    this.stream = at.stream;
    this.revision = at.revision;
    this.differences = at.differences;
  }
}

/**
 * Recorded streams of your machines as regression tests: each of them is folded with the machines as they are now, and has
 * to end as it did when it was recorded, its context included.
 *
 * @param directory where the recordings are, such as one directory for each release
 * @throws InvalidArgumentError
 *
 * @example
 * const recorded = golden(new URL('./golden/1.4', import.meta.url), { machines: { order } });
 * for (const { title, run } of recorded.cases()) it(title, run);
 */
export function golden(directory: string | URL, options: GoldenOptions): Golden {
  const folder = folderOf(directory);
  const services = servicesOf(options);
  return {
    read: (name) => readRecording(folder, name),
    record: async (log, recording = {}) => writeRecordings(folder, await recordingsOf(log, recording, services)),
    cases: () => {
      const names = namesIn(folder);
      if (names.length === 0) {
        throw new GoldenFileError(folder, 'there is no recording in it', 'Record something into it first.');
      }
      return names.map((name) => ({
        name,
        title: `${name} ends as it was recorded`,
        run: () => check(folder, name, services),
      }));
    },
  };
}

type Services = Omit<FoldServices, 'log'>;

function folderOf(directory: string | URL): string {
  if (directory instanceof URL && directory.protocol === 'file:') return fileURLToPath(directory);
  if (typeof directory === 'string' && directory !== '') return directory;
  throw InvalidArgumentError.of('golden(directory)', 'the path or the file: URL of a directory', directory);
}

function servicesOf({ machines, upcasters = noUpcasters }: GoldenOptions): Services {
  return { machines: new MachineRegistry(machines), upcasters, features: new FeatureSet() };
}

/** GO1. */
async function recordingsOf(
  log: EventLog,
  { streams, name }: RecordOptions,
  services: Services,
): Promise<Map<string, GoldenRecording>> {
  const wanted = new Set(streams ?? (await actorsOf(log)));
  if (wanted.size === 0) throw new InvalidArgumentError(`golden().record(): ${log.name} has no actor to record.`);
  if (name !== undefined) return new Map([[name, await recordingOf(await inOrder(log, wanted), wanted, services)]]);
  const recordings = new Map<string, GoldenRecording>();
  for (const stream of wanted) {
    const events = await all(log.readStream(stream));
    recordings.set(nameOf(stream), await recordingOf(events, [stream], services));
  }
  return recordings;
}

async function recordingOf(
  events: readonly RecordedEvent[],
  streams: Iterable<string>,
  services: Services,
): Promise<GoldenRecording> {
  const ends: [string, Json][] = [];
  for (const stream of streams) ends.push([stream, (await folded(stream, events, services)).end]);
  return { events, ends: Object.fromEntries(ends) };
}

async function actorsOf(log: EventLog): Promise<string[]> {
  return (await all(log.actors())).map(({ stream }) => stream);
}

/** The events of some streams as they follow each other in the log. */
async function inOrder(log: EventLog, streams: ReadonlySet<string>): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const event of log.readAll()) if (streams.has(event.stream)) events.push(event);
  return events;
}

async function all<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = [];
  for await (const item of iterable) items.push(item);
  return items;
}

/** GO2. */
async function check(folder: string, name: string, services: Services): Promise<void> {
  const { events, ends } = readRecording(folder, name);
  const file = pathsOf(folder, name).events;
  const streams = new Set([...Object.keys(ends), ...events.map(({ stream }) => stream)]);
  for (const stream of streams) {
    const { end, revision } = await folded(stream, events, services).catch((cause: unknown) => {
      throw stoppedBy(cause, file, stream);
    });
    const differences = differencesOf(ends[stream], end);
    if (differences.length > 0) throw new GoldenMismatchError({ file, stream, revision, differences });
  }
}

/** A recording is as it was written, so damage is not the machine's. */
function stoppedBy(cause: unknown, file: string, stream: string): RewakeError {
  if (cause instanceof NotFoundError || cause instanceof DamagedRecordError) {
    const what =
      cause instanceof NotFoundError ? 'its events are missing' : `at revision ${cause.revision}: ${cause.detail}`;
    const detail = `stream '${stream}' is not as it was recorded, ${what}`;
    return new GoldenFileError(file, detail, 'Restore the file from version control.', { cause });
  }
  return new GoldenMismatchError({ file, stream, revision: revisionOf(cause), differences: [] }, { cause });
}

/** A stream, of which all events are among these. */
async function folded(
  stream: string,
  events: readonly RecordedEvent[],
  services: Services,
): Promise<{ readonly end: Json; readonly revision: Revision }> {
  const own = events.filter((event) => event.stream === stream);
  for (const event of own) verifyEvent(event);
  const { tree, revision } = await foldUpTo(stream, Infinity, { ...services, log: logOf(own) });
  return { end: endOf(tree), revision };
}

/** The events of one stream, to be read as those of a log. */
function logOf(events: readonly RecordedEvent[]): FoldServices['log'] {
  return {
    async *readStream(_stream: string, { from, backwards = false }: ReadStreamOptions = {}) {
      const isWanted = ({ revision }: RecordedEvent) =>
        from === undefined || (backwards ? revision <= from : revision >= from);
      const wanted = events.filter(isWanted);
      yield* backwards ? wanted.toReversed() : wanted;
    },
  };
}

/** So many differences are told in a message; the error has all of them. */
const toldMax = 5;

function differing(revision: Revision | undefined, differences: readonly StateDifference[]): string {
  const told = differences
    .slice(0, toldMax)
    .map(({ path, expected, found }) => `${path || 'the state'} was ${shown(expected)} and is ${shown(found)}`);
  const more = differences.length > toldMax ? `; and ${differences.length - toldMax} places more` : '';
  return `ends at revision ${revision}, otherwise than it was recorded: ${told.join('; ')}${more}.`;
}

function shown(value: Json | undefined): string {
  return value === undefined ? 'not there' : JSON.stringify(value);
}

function stopped(revision: Revision | undefined, cause: unknown): string {
  const where = revision === undefined ? '' : ` beyond revision ${revision}`;
  return `cannot be folded any more${where}: ${cause instanceof Error ? cause.message : String(cause)}`;
}
