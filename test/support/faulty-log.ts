/**
 * A real event log whose answers a test spoils. Owns the script of faults and the list of append attempts; everything
 * that is not spoiled is answered by the log inside. It is no fake: what it says was written is in that log.
 *
 * F1  A fault says what happened to the append it met: whether it was written, and what its caller was told.
 * F2  Once silent, a log never answers again and writes nothing: to its runtime the process is dead.
 */
import { LogUnavailableError, OutcomeUnknownError } from '../../src/errors.ts';
import type {
  ActorQuery,
  ActorRow,
  AppendOptions,
  AppendResult,
  Capabilities,
  Check,
  Checkpoints,
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
} from '../../src/log/event-log.ts';

/**
 * What happens to one append: it passes; it is refused for a while, or for good (a full disk), and not written; its
 * answer is lost although it was written, or together with it.
 */
export type AppendFault = 'pass' | 'unavailable' | 'full' | 'answerLost' | 'bothLost';

export interface Attempt {
  readonly stream: string;
  readonly expected: Expected;
  readonly ids: readonly string[];
}

const never = new Promise<never>(() => {});

export class FaultyLog implements EventLog {
  readonly #inner: EventLog;
  /** One fault for each of the next appends; afterwards they pass. */
  readonly faults: AppendFault[] = [];
  /** Every append that was asked for, in order. */
  readonly attempts: Attempt[] = [];
  /** Errors that the next reads of a stream end with, one each. */
  readonly readErrors: Error[] = [];
  /** Errors that the next read from a revision ends with. */
  readonly readErrorsFrom = new Map<Revision, Error>();
  /** Errors that the next queries of the actor index end with, one each. */
  readonly indexErrors: Error[] = [];
  /** Errors that the next looks at one entry of the actor index end with, one each. */
  readonly rowErrors: Error[] = [];
  /** Streams that the actor index has no answer for. */
  unreachable: (stream: string) => boolean = () => false;
  /** Happens before a stream is read from a revision. */
  beforeRead: (from: Revision) => Promise<void> | undefined = () => undefined;
  /** Changes events as they are read; undefined leaves one out. */
  damage: (event: RecordedEvent) => RecordedEvent | undefined = (event) => event;
  #silent = false;
  #gate: { readonly opened: Promise<void>; readonly open: () => void } | undefined;
  #indexGate: Promise<void> | undefined;
  #wakesGate: Promise<void> | undefined;

  constructor(inner: EventLog) {
    this.#inner = inner;
  }

  /** F2. */
  silence(): void {
    this.#silent = true;
  }

  /** Appends wait, unwritten, until the returned function is called. */
  hold(): () => void {
    let open = () => {};
    const opened = new Promise<void>((resolve) => (open = resolve));
    this.#gate = { opened, open };
    return () => {
      this.#gate = undefined;
      open();
    };
  }

  /** Queries of the actor index give what they find and do not end until the returned function is called. */
  holdIndex(): () => void {
    let open = () => {};
    this.#indexGate = new Promise<void>((resolve) => (open = resolve));
    return () => {
      this.#indexGate = undefined;
      open();
    };
  }

  /** Queries for wake-ups find what is there, and give it only when the returned function is called. */
  holdWakes(): () => void {
    let open = () => {};
    this.#wakesGate = new Promise<void>((resolve) => (open = resolve));
    return () => {
      this.#wakesGate = undefined;
      open();
    };
  }

  get name(): string {
    return this.#inner.name;
  }

  get capabilities(): Capabilities {
    return this.#inner.capabilities;
  }

  get snapshots(): Snapshots {
    return this.#inner.snapshots;
  }

  get checkpoints(): Checkpoints {
    return this.#inner.checkpoints;
  }

  async append(
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<AppendResult> {
    this.attempts.push({ stream, expected, ids: events.map(({ id }) => id) });
    const fault = this.faults.shift() ?? 'pass';
    await this.#gate?.opened;
    await this.#answering();
    if (fault === 'unavailable') throw new LogUnavailableError('The log is away for a while.', true);
    if (fault === 'full') throw new LogUnavailableError('The disk is full.', false);
    if (fault === 'bothLost') throw new OutcomeUnknownError(stream);
    const result = await this.#inner.append(stream, expected, events, options);
    if (fault === 'answerLost') throw new OutcomeUnknownError(stream);
    return result;
  }

  async appendMany(writes: readonly Write[], checks?: readonly Check[]): Promise<AppendResult[]> {
    await this.#answering();
    return this.#inner.appendMany(writes, checks);
  }

  async *readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent> {
    await this.#answering();
    const from = options?.from ?? 0;
    await this.beforeRead(from);
    const error = this.readErrors.shift() ?? this.readErrorsFrom.get(from);
    if (error) this.readErrorsFrom.delete(from);
    if (error) throw error;
    for await (const event of this.#inner.readStream(stream, options)) {
      const read = this.damage(event);
      if (read) yield read;
    }
  }

  async *readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent> {
    await this.#answering();
    yield* this.#inner.readAll(options);
  }

  async head(stream: string): Promise<StreamHead> {
    await this.#answering();
    return this.#inner.head(stream);
  }

  subscribe(options?: SubscribeOptions): AsyncIterable<SubscriptionItem> {
    return this.#inner.subscribe(options);
  }

  async *actors(query?: ActorQuery): AsyncIterable<ActorRow> {
    await this.#answering();
    const error = this.indexErrors.shift();
    if (error) throw error;
    const gate = query?.wakes && this.#wakesGate;
    if (gate) {
      const found: ActorRow[] = [];
      for await (const row of this.#inner.actors(query)) found.push(row);
      await gate;
      yield* found;
    } else {
      yield* this.#inner.actors(query);
    }
    await this.#indexGate;
  }

  async actor(stream: string): Promise<ActorRow | undefined> {
    if (this.unreachable(stream)) throw new LogUnavailableError('gone', false);
    await this.#answering();
    const error = this.rowErrors.shift();
    if (error) throw error;
    const row = await this.#inner.actor(stream);
    await this.#indexGate;
    return row;
  }

  async lease(id: string, options: LeaseOptions): Promise<Lease | null> {
    await this.#answering();
    return this.#inner.lease(id, options);
  }

  async leaseHolder(id: string): Promise<LeaseHolder | undefined> {
    await this.#answering();
    return this.#inner.leaseHolder(id);
  }

  async truncate(stream: string, before: Revision): Promise<void> {
    return this.#inner.truncate(stream, before);
  }

  async delete(stream: string, expected: Expected): Promise<void> {
    return this.#inner.delete(stream, expected);
  }

  async close(): Promise<void> {
    return this.#inner.close();
  }

  async #answering(): Promise<void> {
    if (this.#silent) await never;
  }
}
