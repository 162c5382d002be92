/**
 * A real log that fails where it is told to. Owns the faults of a log, where each strikes, and the death of whoever uses it;
 * everything else is answered by the log inside: what it says was written is there.
 *
 * FL1  Appends, snapshots and operations are counted from 0 over all lives, so that one plan tells of several processes.
 * FL2  Once it has died nobody is answered any more and nothing is written; the next process opens it anew.
 * FL3  A fault says what became of the append it met: whether it was written, and what its caller was told.
 * FL4  Of several users, at a time or one after the other, each takes for its own only what it wrote itself.
 */
import { ConflictError, IdReuseError, LogUnavailableError, OutcomeUnknownError } from '../errors.ts';
import type {
  ActorHead,
  ActorQuery,
  ActorRow,
  AppendOptions,
  AppendResult,
  Capabilities,
  Check,
  Checkpoints,
  Definitions,
  EventLog,
  Expected,
  Lease,
  LeaseHolder,
  LeaseOptions,
  NewEvent,
  ReadAllOptions,
  ReadStreamOptions,
  RecordedEvent,
  Revision,
  Snapshots,
  StreamHead,
  SubscribeOptions,
  SubscriptionItem,
  Write,
} from '../log/event-log.ts';
import { requireFault, requirePossible } from './fault-check.ts';

/** Where a process dies in an append: before it is written; or when it is durable, before anyone hears of it. */
export type AppendPhase = 'beforeAppend' | 'afterAppend';
/** Where a process dies while a snapshot is stored. */
export type SnapshotPhase = 'beforeSnapshot' | 'afterSnapshot';

/** What a log does to those who use it. Numbers count from 0, over all lives together. */
export type LogFault =
  /** The process dies at this append. */
  | { readonly fault: 'crash'; readonly append: number; readonly phase: AppendPhase }
  /** The process dies at this write of a snapshot. */
  | { readonly fault: 'crash'; readonly snapshot: number; readonly phase: SnapshotPhase }
  /** The process dies before this call of the log of any kind. */
  | { readonly fault: 'crash'; readonly operation: number }
  /** The process dies in this append: of its events only so many were written, and of the last of them one half. */
  | { readonly fault: 'tornTail'; readonly append: number; readonly events: number }
  /** The process dies after this append, and the newest so many appends of the log are lost with it. */
  | { readonly fault: 'lostTail'; readonly append: number; readonly appends: number }
  /** The append is written, and its answer is lost. */
  | { readonly fault: 'ackLost'; readonly append: number }
  /** So many tries of the append are refused before one passes, and nothing is written. */
  | { readonly fault: 'storeError'; readonly append: number; readonly times: number }
  /** From this read of a stream on so many are refused. */
  | { readonly fault: 'storeError'; readonly read: number; readonly times: number };

/** No answer, to whoever awaits it and to whoever iterates over it. */
function unanswered<T>(): Promise<T> {
  return new Promise<T>(() => {});
}

/** A fault that struck, and what was being written when it did. */
export interface Strike {
  readonly fault: LogFault;
  /** Id of the newest event that was written by then; undefined where nothing was. */
  readonly after: string | undefined;
  /** The stream that was appended to or snapshotted; undefined where it struck elsewhere. */
  readonly stream?: string;
  /** The events of the append, written or not. */
  readonly events: readonly NewEvent[];
}

type What = Omit<Strike, 'fault' | 'after'>;

/** An append that was written: what it takes to undo it. */
interface Written {
  readonly stream: string;
  readonly from: number;
  readonly before: ActorHead | undefined;
}

/** What all lives of one log count together (FL1). */
class Counts {
  appends = 0;
  snapshots = 0;
  operations = 0;
  reads = 0;
  /** Tries of the present append that were refused. */
  refused = 0;
  newest: string | undefined;
  isCalm = false;
  /** Whether more than one process has opened the log. */
  isShared = false;
  readonly strikes: Strike[] = [];
  readonly written: Written[] = [];
}

/**
 * Wraps a log, and has it fail as the plan says. When it died, {@link FaultyLog.reborn} is the log as the next process opens it.
 *
 * @example
 * const log = new FaultyLog(memoryLog({ clock }), [{ fault: 'crash', append: 2, phase: 'afterAppend' }]);
 */
export class FaultyLog implements EventLog {
  readonly #inner: EventLog;
  readonly #plan: readonly LogFault[];
  readonly #counts: Counts;
  readonly #keepsWritten: boolean;
  readonly snapshots: Snapshots;
  readonly checkpoints: Checkpoints;
  readonly definitions?: Definitions;
  readonly stored?: NonNullable<EventLog['stored']>;
  readonly quarantine?: NonNullable<EventLog['quarantine']>;
  readonly quarantined?: NonNullable<EventLog['quarantined']>;
  readonly selfCheck?: NonNullable<EventLog['selfCheck']>;
  /** First ids of appends of which it does not know what became. */
  readonly #doubtful = new Set<string>();
  #open = 0;
  #endsOnConflict = false;
  #conflict: string | undefined;
  #death: Strike | undefined;
  #lastWrite: Promise<void> = Promise.resolve();
  /** Appends that the log inside has not answered yet. */
  readonly #writing = new Set<Promise<unknown>>();

  /** @throws InvalidArgumentError for a fault that this log cannot have, or that there is not */
  constructor(inner: EventLog, plan: readonly LogFault[] = [], counts: unknown = new Counts()) {
    this.#inner = inner;
    this.#plan = plan;
    this.#counts = counts as Counts;
    this.#keepsWritten = plan.some(({ fault }) => fault === 'lostTail');
    for (const [index, fault] of plan.entries()) {
      requireFault(fault, `plan[${index}]`);
      requirePossible(fault, inner, `plan[${index}]`);
    }
    const { snapshots, checkpoints, definitions } = inner;
    this.snapshots = {
      load: (stream) => this.#ask(() => snapshots.load(stream)),
      save: (stream, snapshot) => this.#save(stream, () => snapshots.save(stream, snapshot)),
    };
    this.checkpoints = {
      load: (id) => this.#ask(() => checkpoints.load(id)),
      store: (id, position, lease) => this.#ask(() => checkpoints.store(id, position, lease)),
    };
    if (definitions) {
      this.definitions = {
        load: (hash) => this.#ask(() => definitions.load(hash)),
        save: (hash, chart) => this.#ask(() => definitions.save(hash, chart)),
      };
    }
    if (inner.stored) this.stored = (stream) => this.#read(() => inner.stored!(stream));
    if (inner.quarantined) this.quarantined = (stream) => this.#read(() => inner.quarantined!(stream));
    if (inner.selfCheck) this.selfCheck = () => this.#read(() => inner.selfCheck!());
    if (inner.quarantine) this.quarantine = (...args) => this.#ask(() => inner.quarantine!(...args));
  }

  /** Appends that were begun so far, over all lives; tries of one append count once. */
  get appends(): number {
    return this.#counts.appends;
  }

  /** Snapshots that were begun so far, over all lives. */
  get snapshotsBegun(): number {
    return this.#counts.snapshots;
  }

  /** Calls of any kind so far, over all lives. */
  get operations(): number {
    return this.#counts.operations;
  }

  /** The stream by which its user noticed that another one took over; undefined as long as it did not. */
  get conflict(): string | undefined {
    return this.#conflict;
  }

  /** Whether a call of this life has no answer yet. */
  get isBusy(): boolean {
    return this.#open > 0;
  }

  /** How this life ended; undefined while it lasts. */
  get death(): Strike | undefined {
    return this.#death;
  }

  /** Resolves when what was being written as it died is written: the next process may begin. */
  get lastWrite(): Promise<void> {
    return Promise.allSettled([this.#lastWrite, ...this.#writing]).then(() => {});
  }

  /** Every fault that struck so far, in order, over all lives. */
  get strikes(): readonly Strike[] {
    return this.#counts.strikes;
  }

  /** Id of the newest event that was written; undefined before the first. */
  get newest(): string | undefined {
    return this.#counts.newest;
  }

  /** The same log as another process opens it. The one before it falls silent. */
  reborn(): FaultyLog {
    this.silence();
    return this.beside();
  }

  /** The same log as another process sees it that runs at the same time. */
  beside(): FaultyLog {
    this.#counts.isShared = true;
    return new FaultyLog(this.#inner, this.#plan, this.#counts);
  }

  /** FL2. Ends this life without any fault of the plan. */
  silence(): void {
    this.#death ??= { fault: { fault: 'crash', operation: this.#counts.operations }, after: this.newest, events: [] };
  }

  /**
   * Its user does not know that another one took over: the first conflict is the last answer that it gets, and no fault strikes
   * it any more.
   */
  endOnConflict(): void {
    this.#endsOnConflict = true;
  }

  /** No fault strikes any more, in this life and in others. */
  calm(): void {
    this.#counts.isCalm = true;
  }

  get name(): string {
    return this.#inner.name;
  }

  get capabilities(): Capabilities {
    return this.#inner.capabilities;
  }

  append(
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<AppendResult> {
    if (this.#isOver() || this.#diesNow({ stream, events })) return unanswered();
    if (events.length === 0) return this.#inner.append(stream, expected, events, options);
    const number = this.#counts.appends;
    const fault = this.#find((each) => 'append' in each && each.append === number);
    if (fault?.fault === 'storeError' && 'append' in fault && this.#counts.refused < fault.times) {
      this.#counts.refused++;
      this.#note(fault, { stream, events });
      return Promise.reject(this.#away());
    }
    this.#counts.appends++;
    this.#counts.refused = 0;
    return this.#answered(() =>
      fault ? this.#strike(fault, stream, expected, events, options) : this.#write(stream, expected, events, options),
    );
  }

  /** FL2. An append that was under way when it died is written, and nobody hears of it. */
  async #answered<T>(append: () => Promise<T>): Promise<T> {
    try {
      const result = await this.#counted(append);
      return this.#isOver() ? await unanswered<T>() : result;
    } catch (error) {
      // A conflict is the last answer that one gets whose actors another one took.
      if (this.#isOver() && !(error instanceof ConflictError)) return await unanswered<T>();
      throw error;
    }
  }

  async #strike(
    fault: LogFault,
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
    options: AppendOptions | undefined,
  ): Promise<AppendResult> {
    if (fault.fault === 'storeError') return this.#write(stream, expected, events, options);
    if (fault.fault === 'ackLost') {
      await this.#write(stream, expected, events, options);
      this.#note(fault, { stream, events });
      this.#doubtful.add(events[0]!.id);
      throw new OutcomeUnknownError(stream);
    }
    this.#end(fault, { stream, events });
    this.#lastWrite = this.#writeDying(fault, stream, expected, events, options);
    return unanswered();
  }

  /** Nobody hears of what becomes of it, also where it is refused. */
  async #writeDying(
    fault: LogFault,
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
    options: AppendOptions | undefined,
  ): Promise<void> {
    const write = (part: readonly NewEvent[]) => this.#write(stream, expected, part, options).catch(() => {});
    if (fault.fault === 'tornTail') {
      await this.#inner.append(stream, expected, torn(events, fault.events)).catch(() => {});
    } else if (fault.fault === 'lostTail') {
      await write(events);
      await this.#lose(fault.appends);
    } else if ('phase' in fault && fault.phase === 'afterAppend') {
      await write(events);
    }
  }

  async #write(
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
    options: AppendOptions | undefined,
  ): Promise<AppendResult> {
    const before = this.#keepsWritten ? headOf(await this.#inner.actor(stream)) : undefined;
    const writing = this.#asOwner(stream, expected, events, options);
    this.#writing.add(writing);
    const answered = writing.catch((error: unknown) => {
      if (this.#endsOnConflict && error instanceof ConflictError) {
        this.#conflict = stream;
        this.silence();
      }
      throw error;
    });
    const result = await answered.finally(() => this.#writing.delete(writing));
    if (this.#keepsWritten && !result.deduplicated) {
      this.#counts.written.push({ stream, from: result.revision - events.length + 1, before });
    }
    this.#counts.newest = events.at(-1)?.id;
    return result;
  }

  /**
   * FL4. What another process wrote first is a conflict, also where both give what they write the same ids, as all hosts of
   * one scenario do: a repeat is only what this one has tried itself.
   */
  async #asOwner(
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
    options: AppendOptions | undefined,
  ): Promise<AppendResult> {
    const id = events[0]!.id;
    if (!this.#counts.isShared || this.#doubtful.has(id)) return this.#inner.append(stream, expected, events, options);
    const conflict = async () => {
      const head = await this.#inner.head(stream);
      return new ConflictError(stream, String(expected), 'revision' in head ? head.revision : undefined);
    };
    const result = await this.#inner.append(stream, expected, events, options).catch(async (error: unknown) => {
      if (error instanceof OutcomeUnknownError) this.#doubtful.add(id);
      throw error instanceof IdReuseError ? await conflict() : error;
    });
    if (result.deduplicated) throw await conflict();
    return result;
  }

  /** The newest appends are gone, as if a disk had only said that it wrote them. */
  async #lose(appends: number): Promise<void> {
    for (const { stream, from, before } of this.#counts.written.splice(-appends).toReversed()) {
      await this.#inner.quarantine!(stream, from, { reason: 'lost with the process, as the plan says', actor: before });
    }
  }

  appendMany(writes: readonly Write[], checks?: readonly Check[]): Promise<AppendResult[]> {
    return this.#ask(() => this.#inner.appendMany(writes, checks));
  }

  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent> {
    return this.#read(() => {
      const number = this.#counts.reads++;
      const fault = this.#find((each) => 'read' in each && each.read <= number && number < each.read + each.times);
      if (!fault) return this.#inner.readStream(stream, options);
      this.#note(fault, { stream, events: [] });
      throw this.#away();
    });
  }

  readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent> {
    return this.#read(() => this.#inner.readAll(options));
  }

  head(stream: string): Promise<StreamHead> {
    return this.#ask(() => this.#inner.head(stream));
  }

  subscribe(options?: SubscribeOptions): AsyncIterable<SubscriptionItem> {
    return this.#read(() => this.#inner.subscribe(options));
  }

  actors(query?: ActorQuery): AsyncIterable<ActorRow> {
    return this.#read(() => this.#inner.actors(query));
  }

  actor(stream: string): Promise<ActorRow | undefined> {
    return this.#ask(() => this.#inner.actor(stream));
  }

  lease(id: string, options: LeaseOptions): Promise<Lease | null> {
    return this.#ask(() => this.#inner.lease(id, options));
  }

  leaseHolder(id: string): Promise<LeaseHolder | undefined> {
    return this.#ask(() => this.#inner.leaseHolder(id));
  }

  truncate(stream: string, before: Revision): Promise<void> {
    return this.#ask(() => this.#inner.truncate(stream, before));
  }

  delete(stream: string, expected: Expected): Promise<void> {
    return this.#ask(() => this.#inner.delete(stream, expected));
  }

  /** Closes the log inside, for all lives. */
  async close(): Promise<void> {
    if (!this.#death) await this.#inner.close();
  }

  #isOver(): boolean {
    return this.#death !== undefined;
  }

  /** Counts one more call; whether the process dies before it. */
  #diesNow(what: What): boolean {
    const number = this.#counts.operations++;
    const fault = this.#find((each) => 'operation' in each && each.operation === number);
    if (fault) this.#end(fault, what);
    return fault !== undefined;
  }

  #find(strikes: (fault: LogFault) => boolean): LogFault | undefined {
    return this.#counts.isCalm || this.#endsOnConflict ? undefined : this.#plan.find(strikes);
  }

  #away(): LogUnavailableError {
    return new LogUnavailableError(`${this.name} is away for a while, as the plan says.`, true);
  }

  #end(fault: LogFault, what: What): void {
    this.#death ??= this.#note(fault, what);
  }

  #note(fault: LogFault, what: What): Strike {
    const strike = { fault, after: this.newest, ...what };
    this.#counts.strikes.push(strike);
    return strike;
  }

  /** An answer of the log inside, unless it dies before it is given. */
  async #ask<T>(question: () => Promise<T>): Promise<T> {
    if (this.#isOver() || this.#diesNow({ events: [] })) return unanswered();
    const answer = await this.#counted(question);
    return this.#isOver() ? unanswered() : answer;
  }

  async #counted<T>(call: () => Promise<T>): Promise<T> {
    this.#open++;
    try {
      return await call();
    } finally {
      this.#open--;
    }
  }

  async *#read<T>(question: () => AsyncIterable<T>): AsyncGenerator<T, undefined> {
    if (this.#isOver() || this.#diesNow({ events: [] })) await unanswered();
    this.#open++;
    try {
      for await (const item of question()) {
        if (this.#isOver()) await unanswered();
        yield item;
      }
    } finally {
      this.#open--;
    }
  }

  async #save(stream: string, save: () => Promise<void>): Promise<void> {
    if (this.#isOver() || this.#diesNow({ stream, events: [] })) return unanswered();
    const number = this.#counts.snapshots++;
    const fault = this.#find((each) => 'snapshot' in each && each.snapshot === number);
    if (!fault) return this.#counted(save);
    this.#end(fault, { stream, events: [] });
    if ('phase' in fault && fault.phase === 'afterSnapshot') this.#lastWrite = save().catch(() => {});
    return unanswered();
  }
}

function torn(events: readonly NewEvent[], count: number): NewEvent[] {
  const kept = events.slice(0, count);
  const last = kept.pop();
  return last ? [...kept, { ...last, data: last.data.slice(0, last.data.length / 2) }] : [];
}

function headOf(row: ActorRow | undefined): ActorHead | undefined {
  if (!row) return undefined;
  const { stream: _, revision: __, ...head } = row;
  return head;
}
