/**
 * The event log in a PostgreSQL database. Owns closing and the way of a call to the part that answers it; the parts own the rest:
 * writer.ts what is appended, the readers what is read.
 *
 * PL1  After close() every call is a LogClosedError, and what was submitted before it has been answered.
 * PL2  Several logs may be open on one schema, in this process or others: nothing of the log is remembered here.
 */
import { realClock } from '../../clock.ts';
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
  StreamHead,
  SubscribeOptions,
  SubscriptionItem,
  Write,
} from '../../log/event-log.ts';
import { requireSizes } from '../../log/event-size.ts';
import { feed } from '../../log/feed.ts';
import { PageWindow } from '../../log/page-window.ts';
import { ActorReader } from './actor-reader.ts';
import { CommitWatch } from './commit-watch.ts';
import type { Connections } from './connections.ts';
import { LogReader } from './log-reader.ts';
import type { SettledOptions } from './options.ts';
import { Quarantine } from './quarantine.ts';
import { Removal } from './removal.ts';
import { RepeatFinder } from './repeat-finder.ts';
import { DefinitionTable, LeaseTable, SnapshotTable } from './side-tables.ts';
import { StreamReader } from './stream-reader.ts';
import { Writer } from './writer.ts';

/** Everything that a log is made of, settled by `postgresLog`. */
export interface PostgresLogParts extends Omit<SettledOptions, 'connections'> {
  readonly connections: Connections;
  readonly name: string;
  /** Identifies the log within this process. */
  readonly key: string;
  readonly serverVersion: string;
  /** How many statements are on their way at most. */
  readonly lanes: number;
}

export class PostgresLog implements EventLog, AsyncDisposable {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly serverVersion: string;
  readonly snapshots: Snapshots;
  readonly checkpoints: Checkpoints;
  readonly definitions: Definitions;
  readonly #connections: Connections;
  readonly #maxEventBytes: number;
  readonly #leases: LeaseTable;
  readonly #writer: Writer;
  readonly #removal: Removal;
  readonly #quarantine: Quarantine;
  readonly #now: (() => number) | undefined;
  readonly #watch: CommitWatch;
  readonly #streamReader: StreamReader;
  readonly #logReader: LogReader;
  readonly #actorReader: ActorReader;
  #closed = false;

  constructor(parts: PostgresLogParts) {
    const { connections, name, key, schema, clock, maxEventBytes, pollMs } = parts;
    const { query } = connections;
    this.name = name;
    this.serverVersion = parts.serverVersion;
    this.capabilities = { atomicMultiStream: true, checks: true, durable: 'power', truncate: true, maxEventBytes };
    this.#connections = connections;
    this.#maxEventBytes = maxEventBytes;
    this.#watch = new CommitWatch({ key, clock: clock ?? realClock, pollMs });
    const now = clock && (() => clock.now());
    this.#now = now;
    this.#quarantine = new Quarantine(name, schema, connections);
    const repeats = new RepeatFinder(name, schema, query);
    this.#writer = new Writer({
      ...{ log: name, schema, connections, repeats, now },
      lanes: parts.lanes,
      committed: this.#watch.committed,
    });
    this.#removal = new Removal(name, schema, connections);
    const host = { log: name, schema, connections, now };
    this.#leases = new LeaseTable(host);
    this.checkpoints = this.#leases;
    this.snapshots = new SnapshotTable(host);
    this.definitions = new DefinitionTable(host);
    this.#streamReader = new StreamReader(name, schema, query);
    this.#logReader = new LogReader(name, schema, query);
    this.#actorReader = new ActorReader(name, schema, query);
  }

  async append(
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<AppendResult> {
    this.#ensureOpen();
    return this.#writer.append(
      this.#checked({ stream, expected, events, ...(options?.actor && { actor: options.actor }) }),
    );
  }

  async appendMany(writes: readonly Write[], checks: readonly Check[] = []): Promise<AppendResult[]> {
    this.#ensureOpen();
    const streams = [...writes, ...checks].map(({ stream }) => stream);
    ensureOnce(streams);
    if (streams.length === 0) return [];
    return this.#writer.appendMany(
      writes.map((write) => this.#checked(write)),
      checks,
    );
  }

  async *readStream(stream: string, options: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent, undefined> {
    const guard = this.#guard(options.signal);
    guard();
    for await (const page of this.#streamReader.pages(stream, options, guard)) {
      for (const event of page) {
        guard();
        yield event;
      }
    }
  }

  async *readAll(options: ReadAllOptions = {}): AsyncGenerator<RecordedEvent, undefined> {
    const guard = this.#guard(options.signal);
    guard();
    let left = options.limit ?? Infinity;
    if (left <= 0) return;
    for await (const page of this.#logReader.pages(options, guard)) {
      for (const event of page) {
        guard();
        yield event;
        if (--left === 0) return;
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
        return this.#logReader.page(after, filter, window);
      },
    };
    return this.#watch.watching(feed(source, options));
  }

  async *actors(query: ActorQuery = {}): AsyncGenerator<ActorRow, undefined> {
    const guard = () => this.#ensureOpen();
    guard();
    for await (const page of this.#actorReader.pages(query, guard)) {
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

  async truncate(stream: string, before: Revision): Promise<void> {
    this.#ensureOpen();
    await this.#removal.truncate(stream, before);
  }

  async delete(stream: string, expected: Expected): Promise<void> {
    this.#ensureOpen();
    await this.#removal.delete(stream, expected);
  }

  async quarantine(stream: string, from: Revision, options: QuarantineOptions): Promise<QuarantineResult> {
    this.#ensureOpen();
    return this.#quarantine.apply(stream, from, options, this.#now?.() ?? null);
  }

  async *quarantined(stream?: string): AsyncGenerator<QuarantinedRecord, undefined> {
    this.#ensureOpen();
    for await (const page of this.#quarantine.pages(stream)) {
      for (const record of page) {
        this.#ensureOpen();
        yield record;
      }
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return this.#connections.close();
    this.#closed = true;
    this.#watch.close();
    await this.#writer.close();
    await this.#connections.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** @throws InvalidArgumentError | EventTooLargeError */
  #checked(write: Write): Write {
    requireStreamName(write.stream);
    requireSizes(write.stream, write.events, this.#maxEventBytes);
    return write;
  }

  #guard(signal: AbortSignal | undefined): () => void {
    return () => {
      signal?.throwIfAborted();
      this.#ensureOpen();
    };
  }

  #ensureOpen(): void {
    if (this.#closed) throw new LogClosedError(this.name);
  }
}

/** Refuses names that PostgreSQL could not give back as they were. */
function requireStreamName(name: string): void {
  // With the u flag a surrogate matches only where it has no partner.
  if (name === '' || /[\0\ud800-\udfff]/u.test(name)) {
    throw new InvalidArgumentError(
      `Not a stream name: ${JSON.stringify(name)}. Give text that is not empty, without NUL and without half surrogate pairs.`,
    );
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
