/**
 * The event log in a SQLite file. Owns opening, closing and the way of a call to the part that answers it; the parts own
 * the rest: writer.ts the transaction, appender.ts what is written, the readers what is read.
 *
 * SL1  Everything that writes goes through the writer's queue; everything that reads runs at once, outside transactions.
 * SL2  After close() every call is a LogClosedError, and what was submitted before it has been committed.
 * SL3  Several logs may be open on one file, in this process or others: nothing remembered here is used before the
 *      transaction has seen that nobody else wrote.
 * SL4  Once the file was found deleted or replaced nothing is committed any more, not even what waited beside the
 *      work that found it.
 */
import type { Clock } from '../../clock.ts';
import { InvalidArgumentError, LogClosedError } from '../../errors.ts';
import type {
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
  QuarantinedRecord,
  QuarantineOptions,
  QuarantineResult,
  ReadAllOptions,
  ReadStreamOptions,
  RecordedEvent,
  Revision,
  Snapshots,
  StoredStream,
  StreamHead,
  SubscribeOptions,
  SubscriptionItem,
  Write,
} from '../../log/event-log.ts';
import { verifyEvent } from '../../log/envelope.ts';
import { requireSizes } from '../../log/event-size.ts';
import { feed } from '../../log/feed.ts';
import type { ProjectionStore } from '../../log/projection-store.ts';
import { ActorReader } from './actor-reader.ts';
import { Appender, prepareWrite, requireStreamName } from './appender.ts';
import { CommitWatch } from './commit-watch.ts';
import type { Database } from './driver.ts';
import { faultOf } from './faults.ts';
import type { FileIdentity } from './file-identity.ts';
import { LeaseTable } from './lease-table.ts';
import { LogReader } from './log-reader.ts';
import { PageWindow } from '../../log/page-window.ts';
import { Quarantine } from './quarantine.ts';
import { ProjectionTable } from './projection-table.ts';
import { Removal } from './removal.ts';
import { SnapshotTable } from './snapshot-table.ts';
import { StoredReader } from './stored-reader.ts';
import { DefinitionTable } from './definition-table.ts';
import { StreamCache } from './stream-cache.ts';
import { StreamReader } from './stream-reader.ts';
import { Writer } from './writer.ts';

/** Everything that a log is made of, settled by `sqliteLog`. */
export interface SqliteLogParts {
  readonly db: Database;
  readonly name: string;
  /** Absolute path. */
  readonly file: string;
  readonly identity: FileIdentity;
  readonly sqliteVersion: string;
  readonly clock: Clock;
  readonly durability: 'power' | 'process';
  readonly maxEventBytes: number;
  readonly pollMs: number;
  readonly cachedStreamsMax: number;
  readonly readOnly: boolean;
}

export class SqliteLog implements EventLog, AsyncDisposable {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly sqliteVersion: string;
  readonly snapshots: Snapshots;
  readonly checkpoints: Checkpoints;
  readonly definitions: Definitions;
  readonly projections: ProjectionStore;
  readonly #parts: SqliteLogParts;
  readonly #cache: StreamCache;
  readonly #appender: Appender;
  readonly #removal: Removal;
  readonly #quarantine: Quarantine;
  readonly #leases: LeaseTable;
  readonly #writer: Writer;
  readonly #watch: CommitWatch;
  readonly #streamReader: StreamReader;
  readonly #logReader: LogReader;
  readonly #actorReader: ActorReader;
  readonly #storedReader: StoredReader;
  #closed = false;

  constructor(parts: SqliteLogParts) {
    const { db, name, file, identity, clock, durability, maxEventBytes, pollMs, readOnly } = parts;
    this.#parts = parts;
    this.name = name;
    this.sqliteVersion = parts.sqliteVersion;
    this.capabilities = { atomicMultiStream: true, checks: true, durable: durability, truncate: true, maxEventBytes };
    const dataVersion = db.prepare('PRAGMA data_version');
    const readVersion = () => dataVersion.get()![0] as number;
    this.#watch = new CommitWatch({ file, identity, clock, pollMs, readVersion });
    this.#cache = new StreamCache(db, parts.cachedStreamsMax);
    this.#appender = new Appender(db, this.#cache);
    this.#removal = new Removal(db, this.#cache, this.#appender);
    this.#quarantine = new Quarantine(db, this.#cache, this.#appender);
    this.#writer = new Writer(db, name, this.#transactionHooks(), readOnly);
    const host = {
      clock,
      identity,
      ensureOpen: () => this.#ensureOpen(),
      submit: <T>(work: Parameters<Writer['submit']>[0] & { apply(): T }) => this.#writer.submit<T>(work),
      query: <T>(doing: string, run: () => T) => this.#query(doing, run),
    };
    this.#leases = new LeaseTable(db, host);
    this.checkpoints = this.#leases;
    this.snapshots = new SnapshotTable(db, this.#cache, host);
    this.definitions = new DefinitionTable(db, host);
    this.projections = new ProjectionTable(db, host);
    this.#streamReader = new StreamReader(db, name);
    this.#logReader = new LogReader(db, name);
    this.#actorReader = new ActorReader(db, name);
    this.#storedReader = new StoredReader(db, name);
  }

  async append(
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<AppendResult> {
    this.#ensureOpen();
    const write = this.#prepared({ stream, expected, events, ...(options?.actor && { actor: options.actor }) });
    return this.#writer.submit({ subject: stream, streams: [stream], apply: () => this.#appender.append(write) });
  }

  async appendMany(writes: readonly Write[], checks: readonly Check[] = []): Promise<AppendResult[]> {
    this.#ensureOpen();
    const streams = [...writes, ...checks].map(({ stream }) => stream);
    ensureOnce(streams);
    if (streams.length === 0) return [];
    const prepared = writes.map((write) => this.#prepared(write));
    const apply = () => this.#appender.appendMany(prepared, checks);
    return this.#writer.submit({ subject: streams.join("', '"), streams, apply });
  }

  async *readStream(stream: string, options: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent, undefined> {
    const guard = this.#guard(options.signal);
    guard();
    for (const page of this.#streamReader.pages(stream, options, guard)) {
      for (const event of page) {
        verifyEvent(event);
        yield event;
        guard();
      }
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent, undefined> {
    const guard = this.#guard(options.signal);
    guard();
    let left = options.limit ?? Infinity;
    if (left <= 0) return;
    for (const page of this.#logReader.pages(options, guard)) {
      for (const event of page) {
        yield event;
        if (--left === 0) return;
        guard();
      }
    }
  }

  async head(stream: string): Promise<StreamHead> {
    this.#ensureOpen();
    return this.#streamReader.head(stream);
  }

  subscribe(options?: SubscribeOptions): AsyncIterable<SubscriptionItem> {
    const window = new PageWindow();
    const source: Parameters<typeof feed>[0] = {
      wakeUp: this.#watch.wakeUp,
      page: (after, filter) => {
        this.#ensureOpen();
        this.#parts.identity.ensureKept();
        return this.#logReader.page(after, filter, window);
      },
    };
    return this.#watch.watching(feed(source, options));
  }

  async *actors(query: ActorQuery = {}): AsyncGenerator<ActorRow, undefined> {
    const guard = () => this.#ensureOpen();
    guard();
    for (const page of this.#actorReader.pages(query, guard)) {
      for (const row of page) {
        yield row;
        guard();
      }
    }
  }

  async actor(stream: string): Promise<ActorRow | undefined> {
    this.#ensureOpen();
    return this.#actorReader.one(stream);
  }

  async lease(id: string, options: LeaseOptions): Promise<Lease | null> {
    this.#ensureOpen();
    return this.#leases.acquire(id, options);
  }

  async leaseHolder(id: string): Promise<LeaseHolder | undefined> {
    this.#ensureOpen();
    return this.#leases.holder(id);
  }

  truncate(stream: string, before: Revision): Promise<void> {
    const apply = () => this.#removal.truncate(stream, before);
    return this.#writer.submit({ subject: stream, streams: [stream], apply });
  }

  delete(stream: string, expected: Expected): Promise<void> {
    const apply = () => this.#removal.delete(stream, expected);
    return this.#writer.submit({ subject: stream, streams: [stream], apply });
  }

  async *selfCheck(): AsyncGenerator<string, undefined> {
    this.#ensureOpen();
    yield* this.#storedReader.selfCheck();
  }

  async *stored(stream?: string): AsyncGenerator<StoredStream, undefined> {
    const guard = () => this.#ensureOpen();
    guard();
    yield* this.#storedReader.streams(stream, guard);
  }

  quarantine(stream: string, from: Revision, options: QuarantineOptions): Promise<QuarantineResult> {
    const apply = () => this.#quarantine.apply(stream, from, options, this.#parts.clock.now());
    return this.#writer.submit({ subject: stream, streams: [stream], apply });
  }

  async *quarantined(stream?: string): AsyncGenerator<QuarantinedRecord, undefined> {
    const guard = () => this.#ensureOpen();
    guard();
    yield* this.#storedReader.quarantined(stream, guard);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#writer.close();
    this.#closed = true;
    this.#watch.close();
    const { db } = this.#parts;
    try {
      if (!this.#parts.readOnly) db.exec('PRAGMA wal_checkpoint(PASSIVE)');
    } catch {
      // A checkpoint only moves what is durable already; the next one to open the file does it.
    }
    db.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #transactionHooks() {
    const { identity } = this.#parts;
    return {
      begun: (streams: readonly string[]) => {
        identity.compare();
        if (this.#watch.look()) this.#forget();
        this.#appender.begin(this.#parts.clock.now());
        this.#cache.load(streams);
      },
      ending: () => {
        identity.ensureKept();
        this.#appender.flush();
      },
      committed: () => {
        this.#cache.trim();
        this.#watch.committed();
      },
      undone: () => this.#forget(),
    };
  }

  #forget(): void {
    this.#cache.clear();
    this.#appender.forget();
  }

  #prepared({ stream, expected, events, actor }: Write) {
    requireStreamName(stream);
    requireSizes(stream, events, this.#parts.maxEventBytes);
    return prepareWrite(stream, expected, events, actor);
  }

  #guard(signal: AbortSignal | undefined): () => void {
    return () => {
      signal?.throwIfAborted();
      this.#ensureOpen();
    };
  }

  #query<T>(doing: string, run: () => T): T {
    try {
      return run();
    } catch (error) {
      throw faultOf(error, this.name, doing);
    }
  }

  #ensureOpen(): void {
    if (this.#closed) throw new LogClosedError(this.name);
  }
}

function ensureOnce(streams: readonly string[]): void {
  const seen = new Set<string>();
  for (const stream of streams) {
    if (seen.has(stream)) {
      throw new InvalidArgumentError(
        `Append to several streams refused: expected each stream once among writes and checks, found '${stream}' twice. Nothing was written. Put its events into one write.`,
      );
    }
    seen.add(stream);
  }
}
