/**
 * The event log in memory: the reference for every other adapter, and the log of a runtime that keeps nothing. Owns the
 * streams and the order of the whole; leases, the actor index and subscriptions are in leases.ts, actor-index.ts and
 * feed.ts.
 *
 * M1  A method changes the log in one synchronous step or not at all: nothing can come between check and write.
 * M2  A position is the event's index in the whole log, written in decimal; indices are never used again.
 * M3  `#all[index]` is the event at that position, undefined when it was truncated or deleted.
 */
import type { Clock } from '../clock.ts';
import { realClock } from '../clock.ts';
import { IdReuseError, InvalidArgumentError, LogClosedError, NotFoundError, StreamDeletedError } from '../errors.ts';
import { ActorIndex, rowOf } from './actor-index.ts';
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
  Filter,
  Lease,
  LeaseHolder,
  LeaseOptions,
  NewEvent,
  Position,
  QuarantinedRecord,
  QuarantineOptions,
  QuarantineResult,
  ReadAllOptions,
  ReadStreamOptions,
  RecordedEvent,
  Revision,
  Snapshots,
  StoredSnapshot,
  StreamHead,
  SubscribeOptions,
  SubscriptionItem,
  Write,
} from './event-log.ts';
import { requireSizes } from './event-size.ts';
import { conflict, isAsExpected } from './expected.ts';
import { feed, WakeUp, type FeedPage, type FeedSource } from './feed.ts';
import { MemoryLeases } from './leases.ts';
import { MemoryStream, repeatAnywhere, repeatAt } from './memory-stream.ts';

/** How a memory log keeps time and what it accepts. */
export interface MemoryLogOptions {
  /** What leases and `recordedAt` are measured with; the real clock when omitted. */
  readonly clock?: Clock;
  /** Largest accepted event in bytes of its data in UTF-8; 16 MiB when omitted. */
  readonly maxEventBytes?: number;
}

/**
 * Opens an empty event log in memory. It is gone with the process: for tests, trials and machines that may start anew.
 *
 * @example
 * const log = memoryLog();
 * await log.append('order-1', 'no-stream', [event]);
 */
export function memoryLog(options: MemoryLogOptions = {}): EventLog {
  return new MemoryLog(options.clock ?? realClock, options.maxEventBytes ?? 16 * 2 ** 20);
}

const pageSize = 128;
/** How many filtered-out events a subscription walks past before it reports where it is. */
const scanSize = 1_024;

class MemoryLog implements EventLog, FeedSource, Snapshots {
  readonly name = 'memory log';
  readonly capabilities: Capabilities;
  readonly snapshots: Snapshots = this;
  readonly checkpoints: Checkpoints;
  readonly definitions: Definitions = {
    load: async (hash) => {
      this.#ensureOpen();
      return this.#definitions.get(hash);
    },
    save: async (hash, chart) => {
      this.#ensureOpen();
      if (!this.#definitions.has(hash)) this.#definitions.set(hash, chart);
    },
  };
  readonly wakeUp = new WakeUp();
  readonly #clock: Clock;
  readonly #maxEventBytes: number;
  readonly #leases: MemoryLeases;
  readonly #streams = new Map<string, MemoryStream>();
  readonly #all: (RecordedEvent | undefined)[] = [];
  readonly #index = new ActorIndex();
  readonly #snapshots = new Map<string, StoredSnapshot>();
  readonly #definitions = new Map<string, string>();
  readonly #quarantined: QuarantinedRecord[] = [];
  #closed = false;

  constructor(clock: Clock, maxEventBytes: number) {
    this.#clock = clock;
    this.#maxEventBytes = maxEventBytes;
    this.capabilities = { atomicMultiStream: true, checks: true, durable: 'none', truncate: true, maxEventBytes };
    this.#leases = new MemoryLeases(clock, () => this.#ensureOpen());
    this.checkpoints = this.#leases;
  }

  async append(
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<AppendResult> {
    this.#ensureOpen();
    requireSizes(stream, events, this.#maxEventBytes);
    return this.#answerWithoutWriting(stream, expected, events) ?? this.#write(stream, events, options?.actor);
  }

  async appendMany(writes: readonly Write[], checks: readonly Check[] = []): Promise<AppendResult[]> {
    this.#ensureOpen();
    ensureOnce([...writes, ...checks]);
    for (const { stream, events } of writes) requireSizes(stream, events, this.#maxEventBytes);
    const answers = writes.map(({ stream, expected, events }) => this.#answerWithoutWriting(stream, expected, events));
    // A repeat is answered before the checks are looked at: they held when it was written.
    const repeat = answers.findIndex((answer) => answer?.deduplicated);
    if (repeat >= 0) return wholeRepeat(writes, answers, repeat);
    for (const { stream, expected } of checks) this.#answerWithoutWriting(stream, expected, []);
    return writes.map(({ stream, events, actor }, index) => answers[index] ?? this.#write(stream, events, actor));
  }

  /** The answer to an append that writes nothing, because it is empty or a repeat; undefined when it is to be written. */
  #answerWithoutWriting(name: string, expected: Expected, events: readonly NewEvent[]): AppendResult | undefined {
    const stream = this.#streams.get(name);
    const last = stream === undefined ? -1 : stream.last;
    if (stream?.deleted) throw new StreamDeletedError(name);
    if (events.length === 0) {
      if (!isAsExpected(expected, last)) throw conflict(name, expected, last);
      return { revision: last, position: undefined, deduplicated: false };
    }
    if (expected === 'any' || expected === 'stream-exists') {
      if (stream === undefined && expected === 'any') return undefined;
      if (stream === undefined) throw conflict(name, expected, last);
      return repeatAnywhere(stream, events);
    }
    const before = expected === 'no-stream' ? -1 : expected;
    if (before === last) return undefined;
    const repeated = stream && repeatAt(stream, before + 1, events);
    if (!repeated) throw conflict(name, expected, last);
    return repeated;
  }

  #write(name: string, events: readonly NewEvent[], head: ActorHead | undefined): AppendResult {
    let stream = this.#streams.get(name);
    if (stream === undefined) this.#streams.set(name, (stream = new MemoryStream(name)));
    const recordedAt = this.#clock.now();
    let position = '' as Position;
    for (const { id, type, schemaVersion, data, meta, checksum } of events) {
      position = String(this.#all.length) as Position;
      const revision = ++stream.last;
      const event = { id, type, schemaVersion, data, meta, checksum, stream: name, revision, position, recordedAt };
      stream.events.push(event);
      this.#all.push(event);
      stream.revisionById?.set(id, revision);
    }
    if (head) this.#index.put(stream, head);
    this.wakeUp.notify();
    return { revision: stream.last, position, deduplicated: false };
  }

  async *readStream(name: string, options: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent, undefined> {
    const { from, backwards = false, limit = Infinity, signal } = options;
    this.#ensureReadable(signal);
    const stream = this.#streams.get(name);
    if (stream === undefined) return;
    const last = stream.last;
    const step = backwards ? -1 : 1;
    let revision = backwards ? Math.min(from ?? last, last) : (from ?? 0);
    for (let left = limit; left > 0; revision += step) {
      this.#ensureReadable(signal);
      if (stream.deleted) throw new StreamDeletedError(name);
      // Truncated meanwhile: going on behind the hole shows the reader that there is one.
      if (!backwards) revision = Math.max(revision, stream.first);
      if (revision > last || revision < stream.first) return;
      yield stream.events[revision - stream.first]!;
      left--;
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent, undefined> {
    const { after, filter, limit = Infinity, signal } = options;
    this.#ensureReadable(signal);
    // What is written while the read goes on is left to the next one: a read ends also on a log that never rests.
    const end = this.#all.length;
    let left = limit;
    for (let index = indexAfter(after); index < end && left > 0; index++) {
      const event = this.#all[index];
      if (event === undefined || !passes(event, filter)) continue;
      this.#ensureReadable(signal);
      yield event;
      left--;
    }
  }

  async head(name: string): Promise<StreamHead> {
    this.#ensureOpen();
    const stream = this.#streams.get(name);
    if (stream === undefined) return { state: 'absent' };
    if (stream.deleted) return { state: 'deleted' };
    if (stream.first > 0) return { state: 'truncated', revision: stream.last, before: stream.first };
    return { state: 'live', revision: stream.last };
  }

  subscribe(options?: SubscribeOptions): AsyncIterable<SubscriptionItem> {
    return feed(this, options);
  }

  /** See {@link FeedSource}. */
  page(after: Position | undefined, filter: Filter | undefined): FeedPage {
    this.#ensureOpen();
    const start = indexAfter(after);
    const end = Math.min(this.#all.length, start + scanSize);
    const events: RecordedEvent[] = [];
    let index = start;
    for (; index < end && events.length < pageSize; index++) {
      const event = this.#all[index];
      if (event !== undefined && passes(event, filter)) events.push(event);
    }
    return { events, scannedTo: index > start ? (String(index - 1) as Position) : undefined };
  }

  async *actors(query: ActorQuery = {}): AsyncGenerator<ActorRow, undefined> {
    this.#ensureOpen();
    for (const row of this.#index.rows(query)) {
      yield row;
      this.#ensureOpen();
    }
  }

  async actor(name: string): Promise<ActorRow | undefined> {
    this.#ensureOpen();
    const stream = this.#streams.get(name);
    return stream && rowOf(stream);
  }

  async load(stream: string): Promise<StoredSnapshot | undefined> {
    this.#ensureOpen();
    return this.#snapshots.get(stream);
  }

  async save(stream: string, snapshot: StoredSnapshot): Promise<void> {
    this.#ensureOpen();
    // A host that is late must not bring back what was erased.
    if (this.#streams.get(stream)?.deleted) throw new StreamDeletedError(stream);
    this.#snapshots.set(stream, snapshot);
  }

  async lease(id: string, options: LeaseOptions): Promise<Lease | null> {
    return this.#leases.acquire(id, options);
  }

  async leaseHolder(id: string): Promise<LeaseHolder | undefined> {
    return this.#leases.holder(id);
  }

  async truncate(name: string, before: Revision): Promise<void> {
    this.#ensureOpen();
    const stream = this.#streams.get(name);
    if (stream === undefined) throw new NotFoundError(name);
    if (stream.deleted) throw new StreamDeletedError(name);
    const first = Math.min(before, stream.last + 1);
    if (first > stream.first) this.#drop(stream, first);
  }

  async delete(name: string, expected: Expected): Promise<void> {
    this.#ensureOpen();
    const stream = this.#streams.get(name);
    const last = stream === undefined ? -1 : stream.last;
    if (stream?.deleted) return;
    if (!isAsExpected(expected, last)) throw conflict(name, expected, last);
    if (stream === undefined) throw new NotFoundError(name);
    this.#drop(stream, stream.last + 1);
    this.#index.remove(stream);
    this.#snapshots.delete(name);
    stream.deleted = true;
  }

  async quarantine(name: string, from: Revision, options: QuarantineOptions): Promise<QuarantineResult> {
    this.#ensureOpen();
    const stream = this.#streams.get(name);
    if (stream === undefined || stream.deleted) throw new NotFoundError(name);
    const moved = stream.events.splice(Math.max(0, from - stream.first));
    const quarantinedAt = this.#clock.now();
    for (const event of moved) {
      const { revision, position, id, type, data, checksum } = event;
      const raw = { id, type, data, meta: JSON.stringify(event.meta), checksum };
      const { reason } = options;
      this.#quarantined.push({ stream: name, revision, position, events: [event], reason, quarantinedAt, raw });
      this.#all[Number(position)] = undefined;
    }
    stream.last -= moved.length;
    stream.revisionById = undefined;
    if ((this.#snapshots.get(name)?.revision ?? -1) > stream.last) this.#snapshots.delete(name);
    if (options.actor) this.#index.put(stream, options.actor);
    else this.#index.remove(stream);
    if (stream.last < 0) this.#streams.delete(name);
    return { revision: stream.last, records: moved.length };
  }

  async *quarantined(stream?: string): AsyncGenerator<QuarantinedRecord, undefined> {
    this.#ensureOpen();
    for (const record of this.#quarantined) if (stream === undefined || record.stream === stream) yield record;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.wakeUp.close();
  }

  #drop(stream: MemoryStream, first: Revision): void {
    const dropped = stream.events.splice(0, first - stream.first);
    for (const event of dropped) this.#all[Number(event.position)] = undefined;
    stream.first = first;
    stream.revisionById = undefined;
  }

  #ensureOpen(): void {
    if (this.#closed) throw new LogClosedError(this.name);
  }

  #ensureReadable(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    this.#ensureOpen();
  }
}

/** The first results of a repeated appendMany. One that is there only in part was never written as one. */
function wholeRepeat(
  writes: readonly Write[],
  answers: readonly (AppendResult | undefined)[],
  repeat: number,
): AppendResult[] {
  return answers.map((answer) => {
    if (answer) return answer;
    const { stream, events } = writes[repeat]!;
    throw new IdReuseError(stream, events[0]!.id, answers[repeat]!.revision - events.length + 1);
  });
}

function ensureOnce(parts: readonly { readonly stream: string }[]): void {
  const seen = new Set<string>();
  for (const { stream } of parts) {
    if (seen.has(stream)) {
      throw new InvalidArgumentError(
        `Append to several streams refused: expected each stream once among writes and checks, found '${stream}' twice. Nothing was written. Put its events into one write.`,
      );
    }
    seen.add(stream);
  }
}

function indexAfter(after: Position | undefined): number {
  if (after === undefined) return 0;
  const index = Number(after);
  if (!Number.isSafeInteger(index) || index < 0 || String(index) !== after) {
    throw new InvalidArgumentError(
      `Not a position of a memory log: expected a whole number, found ${JSON.stringify(after)}. Pass a position that this log gave.`,
    );
  }
  return index + 1;
}

function passes(event: RecordedEvent, filter: Filter | undefined): boolean {
  if (filter === undefined) return true;
  if (filter.streamPrefix !== undefined && !event.stream.startsWith(filter.streamPrefix)) return false;
  return filter.types === undefined || filter.types.includes(event.type);
}
