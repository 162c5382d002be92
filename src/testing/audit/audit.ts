/**
 * The audit of a log: every invariant that can be judged from what is in it. Owns what is read, in which order, and what is
 * given of it; the judging is in the files beside.
 *
 * AU1  Nothing is written, no effect is run, and no violation hides another one.
 * AU2  A log is read stream by stream, then once in its order: memory grows with what is open in one actor, and with nothing
 *      else. Of events that are given one by one every stream is kept: a few words, and what is open in its actor.
 * AU3  What is not given cannot be missed: causes are looked for everywhere only in a log that is whole.
 * AU4  What a runtime removes meanwhile by compacting is no violation.
 */
import { DamagedRecordError, InvalidArgumentError } from '../../errors.ts';
import type { EventLog, ReadStreamOptions, RecordedEvent, StoredStream } from '../../log/event-log.ts';
import { storedStreams } from '../../log/stored-streams.ts';
import { noUpcasters, type Upcasters } from '../../log/upcast.ts';
import { FeatureSet } from '../../runtime/features.ts';
import type { FoldServices } from '../../runtime/fold-history.ts';
import { MachineRegistry, type Machines } from '../../runtime/machines.ts';
import { checkNames } from '../../runtime/runtime-options.ts';
import { auditedInvariants } from './audited-invariants.ts';
import { CauseChain } from './cause-chain.ts';
import { logFaults } from './log-faults.ts';
import { Past, StreamAudit } from './stream-audit.ts';
import { foldStream } from './stream-fold.ts';
import type { Overdue, Violation } from './violation.ts';

/** A log, or events in the order of their log: of whole streams, and of all that caused them or of a single one. */
export type AuditSource = EventLog | Iterable<RecordedEvent> | AsyncIterable<RecordedEvent>;

/** How a log is audited. */
export interface AuditOptions {
  /**
   * The machines of the program, as `createRuntime` takes them: every stream of theirs is folded and compared. Events that are
   * given one by one are kept in memory then.
   */
  readonly machines?: Machines;
  /** Those of the program: every fact has to reach its current version. */
  readonly upcasters?: Upcasters;
  /** Only this stream. Causes in others are not looked for. */
  readonly stream?: string;
  /**
   * Whether the run is over and everything in it had its time: what has not ended by then is a violation, too. Not to be said of a
   * service that goes on.
   */
  readonly ended?: boolean;
  /** Only these, by number; all of {@link auditedInvariants} when omitted. */
  readonly invariants?: readonly number[];
}

/**
 * Looks for violations of the invariants in a log, and gives them all. The log may be in use; what is written meanwhile may be
 * seen in part.
 * @throws InvalidArgumentError for what is no source, or an option that there is not
 * @throws LogClosedError | LogUnavailableError the log cannot be read
 *
 * @example
 * for (const violation of await audit(log)) console.log(describeViolation(violation));
 */
export async function audit(source: AuditSource, options: AuditOptions = {}): Promise<Violation[]> {
  const found: Violation[] = [];
  for await (const each of violationsIn(source, options)) found.push(each);
  return found;
}

/**
 * As {@link audit}, one violation after the other: for a log that may have many.
 *
 * @example
 * for await (const { invariant, stream } of violationsIn(log)) count(invariant, stream);
 */
export function violationsIn(source: AuditSource, options: AuditOptions = {}): AsyncGenerator<Violation, void> {
  const plan = planOf(options);
  if (isLog(source)) return wanted(ofLog(source, plan), plan);
  if (typeof source === 'object' && source !== null && (Symbol.iterator in source || Symbol.asyncIterator in source)) {
    return wanted(ofEvents(source, plan), plan);
  }
  throw InvalidArgumentError.of('audit(source)', 'an EventLog, or an iterable of its events', source);
}

interface Plan {
  readonly stream: string | undefined;
  readonly ended: boolean;
  readonly upcasters: Upcasters | undefined;
  readonly fold: Omit<FoldServices, 'log'> | undefined;
  readonly numbers: ReadonlySet<number>;
}

function planOf(options: AuditOptions): Plan {
  checkNames('audit(source, options)', options, ['machines', 'upcasters', 'stream', 'ended', 'invariants']);
  const all = auditedInvariants.map(({ number }) => number);
  const { machines, upcasters, stream, ended = false, invariants = all } = options;
  const unknown = invariants.find((number) => !all.includes(number));
  if (unknown !== undefined)
    throw InvalidArgumentError.of('audit({ invariants })', `some of ${all.join(', ')}`, unknown);
  const reading = { upcasters: upcasters ?? noUpcasters, features: new FeatureSet() };
  const numbers = new Set(invariants);
  const isFolded = machines && [1, 2, 11, 14, 26, 28, 29].some((number) => numbers.has(number));
  const fold = isFolded ? { ...reading, machines: new MachineRegistry(machines) } : undefined;
  return { stream, ended, upcasters, fold, numbers };
}

function isLog(source: AuditSource): source is EventLog {
  return typeof (source as Partial<EventLog> | undefined)?.readAll === 'function';
}

async function* wanted(found: AsyncIterable<Violation>, { numbers }: Plan): AsyncGenerator<Violation, void> {
  for await (const each of found) if (numbers.has(each.invariant)) yield each;
}

/** AU2. */
async function* ofLog(log: EventLog, plan: Plan): AsyncGenerator<Violation> {
  const { numbers, stream } = plan;
  const needs = (...some: readonly number[]) => some.some((number) => numbers.has(number));
  if (needs(30)) yield* logFaults(log, stream);
  const past = new Past();
  const end = new End(plan);
  for await (const stored of storedStreams(log, stream)) yield* ofStored(log, stored, plan, past, end);
  yield* end.overdue();
  if (needs(8, 24)) yield* ofCauses(log, stream);
}

/** AU4. What a stream violates; begun anew where its beginning was removed while it was read. */
async function* ofStored(
  log: EventLog,
  stored: StoredStream,
  plan: Plan,
  past: Past,
  end: End,
): AsyncGenerator<Violation> {
  const { name, head } = stored;
  const first = head.state === 'truncated' ? head.before : 0;
  const streamAudit = new StreamAudit(past, plan.upcasters, { ...(stored.actor && { isActor: true }), first });
  for await (const found of violationsOfStored(log, stored, plan, streamAudit)) {
    const now = await log.head(name);
    if (now.state === 'truncated' && now.before > first) {
      for await (const again of storedStreams(log, name)) yield* ofStored(log, again, plan, new Past(), end);
      return;
    }
    yield found;
  }
  end.note(streamAudit);
}

async function* violationsOfStored(
  log: EventLog,
  stored: StoredStream,
  plan: Plan,
  streamAudit: StreamAudit,
): AsyncGenerator<Violation> {
  for await (const { revision, events, fault } of stored.records()) {
    if (fault !== undefined) streamAudit.skip(revision);
    for (const event of events) yield* streamAudit.push(event);
  }
  if (!plan.fold || !stored.actor) return;
  const snapshot = await log.snapshots.load(stored.name).catch(() => undefined);
  const { found, waiting } = await foldStream(stored.name, { ...plan.fold, log }, { snapshot, index: log });
  yield* streamAudit.unseen(found);
  if (plan.ended) yield* waiting;
}

/** AU3. Causes across streams, in the order of the log; what is not among the newest is looked for once more. */
async function* ofCauses(log: EventLog, stream: string | undefined): AsyncGenerator<Violation> {
  const chain = new CauseChain();
  const read = () => (stream === undefined ? log.readAll() : log.readStream(stream));
  try {
    for await (const event of read()) yield* chain.push(event);
    if (!chain.isWaiting || stream !== undefined) return;
    for await (const event of read()) {
      yield* chain.find(event);
      if (!chain.isWaiting) return;
    }
    if (await isWhole(log)) yield* chain.orphans();
  } catch (error) {
    // Damage, which is told already, keeps the log from being read in its order.
    if (!(error instanceof DamagedRecordError)) throw error;
  }
}

/** Whether nothing was removed from the beginning of a stream. */
async function isWhole(log: EventLog): Promise<boolean> {
  for await (const { head } of storedStreams(log)) if (head.state === 'truncated') return false;
  return true;
}

async function* ofEvents(
  events: Iterable<RecordedEvent> | AsyncIterable<RecordedEvent>,
  plan: Plan,
): AsyncGenerator<Violation> {
  const past = new Past();
  const chain = new CauseChain();
  const audits = new Map<string, StreamAudit>();
  const kept = new Map<string, RecordedEvent[]>();
  for await (const event of events) {
    const { stream } = event;
    if (plan.stream !== undefined && stream !== plan.stream) continue;
    let streamAudit = audits.get(stream);
    if (!streamAudit) audits.set(stream, (streamAudit = new StreamAudit(past, plan.upcasters)));
    yield* streamAudit.push(event);
    yield* chain.push(event);
    if (!plan.fold) continue;
    const own = kept.get(stream);
    if (own) own.push(event);
    else kept.set(stream, [event]);
  }
  const end = new End(plan);
  for (const [stream, streamAudit] of audits) {
    end.note(streamAudit);
    if (!plan.fold || !streamAudit.isActor) continue;
    const { found, waiting } = await foldStream(
      stream,
      { ...plan.fold, log: { readStream: reading(kept) } },
      undefined,
    );
    yield* streamAudit.unseen(found);
    if (plan.ended) yield* waiting;
  }
  yield* end.overdue();
}

/** Streams in memory, as a log reads them. */
function reading(kept: ReadonlyMap<string, readonly RecordedEvent[]>): EventLog['readStream'] {
  return async function* (stream: string, { from, backwards = false }: ReadStreamOptions = {}) {
    const own = kept.get(stream) ?? [];
    if (backwards) yield* own.filter(({ revision }) => from === undefined || revision <= from).toReversed();
    else yield* own.filter(({ revision }) => from === undefined || revision >= from);
  };
}

/** What ought to have ended by the end of a run: kept until it is known when that was. */
class End {
  readonly #isJudged: boolean;
  readonly #overdue: Overdue[] = [];
  #at = -Infinity;

  constructor({ ended }: Plan) {
    this.#isJudged = ended;
  }

  note(streamAudit: StreamAudit): void {
    if (!this.#isJudged) return;
    this.#at = Math.max(this.#at, streamAudit.newestAt);
    this.#overdue.push(...streamAudit.overdue());
  }

  overdue(): Violation[] {
    return this.#overdue.filter(({ dueAt }) => dueAt <= this.#at).map((each) => each.violation);
  }
}
