/**
 * Which states, transitions, guard outcomes and error handlers histories went through, and at which transitions crashes
 * struck. Owns how streams are folded for that; the counting is coverage-tally.ts's, the shapes are coverage-report.ts's.
 *
 * CO1  Streams are only read: no effect runs, nothing is appended, and a log is left as it was.
 * CO2  A stream counts when the whole of it folds; one that does not is named with the reason, and disturbs no other.
 * CO3  The order in which streams, reports and crashes are added changes no number.
 */
import { InvalidArgumentError, LogClosedError, LogUnavailableError, RewakeError } from '../errors.ts';
import type { EventLog, RecordedEvent } from '../log/event-log.ts';
import { noUpcasters, type Upcasters } from '../log/upcast.ts';
import { FeatureSet } from '../runtime/features.ts';
import { foldUpTo, type FoldServices } from '../runtime/fold-history.ts';
import { loadActor } from '../runtime/load.ts';
import { MachineRegistry, type Machines, type RegisteredMachine } from '../runtime/machines.ts';
import { StreamPass } from './coverage-pass.ts';
import type { CoverageReport, CrashMark, NotFolded } from './coverage-report.ts';
import { Tallies } from './coverage-tally.ts';
import { phases } from './phases.ts';

/** How a coverage is counted. */
export interface CoverageOptions {
  /** As those of the runtime that wrote the events. */
  readonly upcasters?: Upcasters;
  /** Crash phases that the run tries: where crashes are told of, each is a column, struck or not. Those of a sweep when omitted. */
  readonly phases?: readonly string[];
}

/** How the coverage of a log is counted. */
export interface LogCoverageOptions extends CoverageOptions {
  /** Ends it between two streams: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A log with millions of actors of other machines is told of in a few lines, too. */
const listedMax = 100;

type Seen = (event: RecordedEvent) => void;

/**
 * Counts what histories reach of their machines.
 *
 * @example
 * const coverage = new Coverage({ order });
 * await coverage.add(log.readAll(), [{ stream: 'order-1', revision: 3, phase: 'afterAppend' }]);
 * console.log(formatCoverage(coverage.report()));
 */
export class Coverage {
  readonly #registry: MachineRegistry;
  readonly #services: Omit<FoldServices, 'log'>;
  readonly #phases: readonly string[];
  readonly #tallies = new Tallies(true);
  readonly #notFolded: NotFolded[] = [];
  #unlisted = 0;
  readonly #unplaced: CrashMark[] = [];
  #streams = 0;
  #events = 0;
  #hasCrashes = false;

  /**
   * @param machines by durable name; of several versions the older ones are counted once an actor of theirs is met
   * @throws InvalidArgumentError for something that is no machine
   */
  constructor(machines: Machines, options: CoverageOptions = {}) {
    const { upcasters = noUpcasters, phases: columns = phases } = options;
    this.#registry = new MachineRegistry(machines);
    this.#services = { machines: this.#registry, upcasters, features: new FeatureSet() };
    this.#phases = columns;
    for (const name of this.#registry.names) this.#declare(this.#registry.current(name));
  }

  /**
   * Folds streams, each from its beginning. They may be mixed, as `readAll` gives them; they are held in memory.
   * @param crashes where this run crashed
   * @throws InvalidArgumentError for a crash without stream, revision or phase
   */
  async add(
    events: AsyncIterable<RecordedEvent> | Iterable<RecordedEvent>,
    crashes: readonly CrashMark[] = [],
  ): Promise<void> {
    crashes.forEach(requireMark);
    const streams = new Map<string, RecordedEvent[]>();
    for await (const event of events) {
      const own = streams.get(event.stream);
      if (own) own.push(event);
      else streams.set(event.stream, [event]);
    }
    this.#hasCrashes ||= crashes.length > 0;
    for (const [stream, own] of streams) {
      const log = readerOf(own);
      const marks = crashes.filter((mark) => mark.stream === stream);
      await this.#fold(stream, marks, (services, seen) => foldUpTo(stream, Infinity, { ...services, log }, seen));
    }
    this.#unplaced.push(...crashes.filter((mark) => !streams.has(mark.stream)));
  }

  /**
   * Folds every actor of a log, one at a time and without holding its events.
   * @throws LogUnavailableError | LogClosedError | what the signal says
   */
  async addLog(log: EventLog, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    const quiet = { debug() {}, info() {}, warn() {}, error() {} };
    for await (const { stream } of log.actors()) {
      signal?.throwIfAborted();
      await this.#fold(stream, [], (services, seen) =>
        loadActor(stream, { ...services, log, logger: quiet, snapshotEvery: undefined }, undefined, seen),
      );
      // Whoever else waits for the thread has its turn.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
  }

  /** Adds what another coverage counted, in another run, process or log. */
  merge(report: CoverageReport): void {
    const { machines, streams, events, notFolded, unlisted, unplaced } = report;
    for (const each of machines) {
      const { machine, version, definition } = each;
      this.#tallies.of({ machine, version, definition }, undefined).addReport(each);
    }
    this.#hasCrashes ||= machines.some(({ matrix }) => Object.keys(matrix).length > 0);
    this.#streams += streams;
    this.#events += events;
    for (const each of notFolded) this.#passOver(each);
    this.#unlisted += unlisted;
    this.#unplaced.push(...unplaced);
  }

  /** What was reached so far, and what was not. */
  report(): CoverageReport {
    return {
      streams: this.#streams,
      events: this.#events,
      machines: this.#tallies.report(this.#hasCrashes ? this.#phases : []),
      notFolded: [...this.#notFolded],
      unlisted: this.#unlisted,
      unplaced: [...this.#unplaced],
    };
  }

  #passOver(stream: NotFolded): void {
    if (this.#notFolded.length < listedMax) this.#notFolded.push(stream);
    else this.#unlisted++;
  }

  #declare({ machine, version, definition, logic }: RegisteredMachine): void {
    this.#tallies.declareTree({ machine, version, definition }, logic);
  }

  /** CO2. */
  async #fold(
    stream: string,
    marks: readonly CrashMark[],
    fold: (services: Omit<FoldServices, 'log'>, seen: Seen) => Promise<unknown>,
  ): Promise<void> {
    const pass = new StreamPass(marks);
    try {
      await fold({ ...this.#services, newTree: (machine, rootId) => pass.begin(machine, rootId) }, pass.seen);
    } catch (error) {
      if (!(error instanceof RewakeError) || error instanceof LogUnavailableError || error instanceof LogClosedError)
        throw error;
      this.#passOver({ stream, code: error.code, reason: error.message });
      this.#unplaced.push(...marks);
      return;
    }
    for (const machine of pass.machines) this.#declare(machine);
    this.#tallies.add(pass.tallies);
    this.#streams++;
    this.#events += pass.events;
    this.#unplaced.push(...marks.filter(({ revision }) => !pass.isSeen(revision)));
  }
}

/**
 * What all actors of a log reached of their machines. Reads only, also beside the host that writes the log; a stream that
 * cannot be folded is named in the report.
 *
 * @param machines as those of the runtime
 * @throws InvalidArgumentError | LogUnavailableError | LogClosedError | what the signal says
 *
 * @example
 * const { machines } = await coverageOfLog(sqliteLog('orders.db'), { order });
 * console.log(machines[0]?.transitions.neverReached);
 */
export async function coverageOfLog(
  log: EventLog,
  machines: Machines,
  options: LogCoverageOptions = {},
): Promise<CoverageReport> {
  const coverage = new Coverage(machines, options);
  await coverage.addLog(log, options);
  return coverage.report();
}

function readerOf(events: readonly RecordedEvent[]): Pick<EventLog, 'readStream'> {
  return {
    async *readStream(_stream, { backwards = false, from = backwards ? Infinity : 0 } = {}) {
      const some = events.filter(({ revision }) => (backwards ? revision <= from : revision >= from));
      yield* backwards ? some.toReversed() : some;
    },
  };
}

function requireMark({ stream, revision, phase }: CrashMark, index: number): void {
  if (typeof stream !== 'string' || typeof phase !== 'string' || !Number.isInteger(revision)) {
    const expected = "{ stream, revision, phase }, such as { stream: 'order-1', revision: 3, phase: 'afterAppend' }";
    throw InvalidArgumentError.of(`Coverage.add crashes[${index}]`, expected, { stream, revision, phase });
  }
}
