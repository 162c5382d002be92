/**
 * The EventLog port: what rewake asks of any store. Owns the types; holds no logic. Adapters live in src/stores, the
 * in-memory reference in memory-log.ts, the cases every adapter must pass in src/testing/contract.
 *
 * L1  An append is atomic: all its events at contiguous revisions, together with its actor head, or nothing.
 * L2  An append with an explicit revision or 'no-stream' is idempotent: repeated with the same ids it answers with the
 *     first result, also after the stream has moved on.
 * L3  When append resolves, the events are as durable as `capabilities.durable` says.
 * L4  Positions order the whole log; a reader that pages by position never misses an event and never sees one twice.
 * L5  The actor index is part of the append: it can always be rebuilt from the log and never disagrees with it.
 */

/** Place in one stream: 0 for the first event. */
export type Revision = number;

/** Place in the whole log. Opaque: compare only for equality, order only by reading. */
export type Position = string & { readonly __position: never };

/** String to string, because that is what every store can carry. `$` names are reserved for rewake and the store. */
export type Metadata = Readonly<Record<string, string>>;

/** An event ready to be stored. `data` is JSON text made by the codec. */
export interface NewEvent {
  /** UUIDv7, unique for ever. */
  readonly id: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly data: string;
  readonly meta: Metadata;
  /** CRC-32 over id, type, schemaVersion, data and meta, and the place where the writer knew it; see envelope.ts. */
  readonly checksum: number;
}

/** An event as the log gives it back. */
export interface RecordedEvent extends NewEvent {
  readonly stream: string;
  readonly revision: Revision;
  readonly position: Position;
  /** When the log wrote it: milliseconds since the Unix epoch. For information only; rewake's own time is in `data`. */
  readonly recordedAt: number;
}

/** What a writer believes about a stream: its last revision, or one of three looser beliefs. */
export type Expected = Revision | 'no-stream' | 'stream-exists' | 'any';

/** How an actor stands: it runs, or how it ended. */
export type ActorStatus = 'active' | 'done' | 'error' | 'stopped';

/** What the actor index keeps about one actor; written atomically with every append to its stream. */
export interface ActorHead {
  readonly machine: string;
  readonly version: string | null;
  readonly status: ActorStatus;
  readonly correlationId: string;
  /** Earliest due time of its armed timers, in ms since the epoch; null when none is armed. */
  readonly wakeAt: number | null;
  /** How many effects are started or about to start and have no outcome yet. */
  readonly effects: number;
}

/** An entry of the actor index. */
export interface ActorRow extends ActorHead {
  readonly stream: string;
  /** The stream's last revision. */
  readonly revision: Revision;
}

/** Which entries of the actor index to read; all of them when empty. */
export interface ActorQuery {
  readonly machine?: string;
  readonly status?: ActorStatus;
  readonly correlationId?: string;
  /** Only actors with (true) or without (false) unfinished effects. */
  readonly effects?: boolean;
  /**
   * Only actors with a wake-up later than `after`'s, in order of (wakeAt, stream); without `wakes` rows come in order
   * of stream name. `until` is inclusive.
   */
  readonly wakes?: { readonly after?: { readonly wakeAt: number; readonly stream: string }; readonly until?: number };
  /** Only streams whose name sorts after this one. Not together with `wakes`. */
  readonly afterStream?: string;
  readonly limit?: number;
}

export interface AppendOptions {
  /**
   * The new head of this stream in the actor index; the old one stays when omitted, and when nothing is written because
   * the append is empty or a repeat.
   */
  readonly actor?: ActorHead;
}

/** What an append came to. */
export interface AppendResult {
  /** Revision of the last event of the append; for an empty append the stream's last revision, -1 if it has none. */
  readonly revision: Revision;
  /** Position of the last event of the append; undefined for an empty append. */
  readonly position: Position | undefined;
  /** True when the log already held exactly these events at this place and wrote nothing. */
  readonly deduplicated: boolean;
}

export interface Write {
  readonly stream: string;
  readonly expected: Expected;
  readonly events: readonly NewEvent[];
  readonly actor?: ActorHead;
}

/** A condition on a stream that is not written. */
export interface Check {
  readonly stream: string;
  readonly expected: Expected;
}

export interface Filter {
  readonly streamPrefix?: string;
  readonly types?: readonly string[];
}

export interface ReadOptions {
  /** Ends a subscription; a read rejects with the signal's reason, so that half a stream never looks like all of it. */
  readonly signal?: AbortSignal;
}

export interface ReadStreamOptions extends ReadOptions {
  /** First revision to read, inclusive; the first (or, backwards, the last) when omitted. */
  readonly from?: Revision;
  readonly backwards?: boolean;
  readonly limit?: number;
}

export interface ReadAllOptions extends ReadOptions {
  /** Read what comes after this position, exclusive; from the beginning when omitted. */
  readonly after?: Position;
  readonly limit?: number;
  readonly filter?: Filter;
}

export type StreamHead =
  | { readonly state: 'absent' }
  | { readonly state: 'live'; readonly revision: Revision }
  | { readonly state: 'truncated'; readonly revision: Revision; readonly before: Revision }
  | { readonly state: 'deleted' };

/** What a subscription yields. `caughtUp` comes once, at the seam between history and live events. */
export type SubscriptionItem =
  | { readonly type: 'event'; readonly event: RecordedEvent }
  | { readonly type: 'caughtUp' }
  | { readonly type: 'checkpoint'; readonly position: Position };

export interface SubscribeOptions extends ReadOptions {
  readonly after?: Position;
  readonly filter?: Filter;
}

/** A claim on a name for a limited time. The epoch grows with every change of owner: it is the fencing token. */
export interface Lease {
  readonly id: string;
  readonly owner: string;
  readonly epoch: number;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
  /** Extends the lease by its ttl. @throws LeaseLostError when it is not ours any more. */
  renew(): Promise<void>;
  /** Gives the lease back at once; does nothing when it was lost already. */
  release(): Promise<void>;
}

export interface LeaseOptions {
  readonly owner: string;
  readonly ttlMs: number;
  /** Take the lease although it has not run out, if its epoch is still this one: the caller knows its owner is dead. */
  readonly takeFrom?: number;
}

export interface LeaseHolder {
  readonly owner: string;
  readonly epoch: number;
  readonly expiresAt: number;
}

export interface Checkpoints {
  /** The stored position, or undefined when none was stored under this id. */
  load(id: string): Promise<Position | undefined>;
  /** @throws LeaseLostError when `lease` is not the newest one on its id. */
  store(id: string, position: Position, lease: Lease): Promise<void>;
}

/** A cached fold of one stream. May be lost or damaged at any time without harm. */
export interface StoredSnapshot {
  readonly revision: Revision;
  /** Hash of the machine definition it was folded with. */
  readonly definition: string;
  readonly data: string;
  readonly checksum: number;
}

export interface Snapshots {
  /** The newest stored snapshot of a stream. */
  load(stream: string): Promise<StoredSnapshot | undefined>;
  /** Replaces the stored snapshot of a stream. */
  save(stream: string, snapshot: StoredSnapshot): Promise<void>;
}

/**
 * Machine definitions as data, so that a stream can be drawn without its code. An aid: what is not there is not known, and
 * nothing else depends on it.
 */
export interface Definitions {
  /** The JSON text kept under a definition's hash. */
  load(hash: string): Promise<string | undefined>;
  /** Keeps a text; what is there already under the hash stays. */
  save(hash: string, chart: string): Promise<void>;
}

/** A record as a store keeps it: not verified, and perhaps not readable at all. */
export interface StoredRecord {
  /** Revision of its first event, as far as the store knows. */
  readonly revision: Revision;
  /** Position of its first event. */
  readonly position: Position | undefined;
  /** The events in it, in order, as they are kept. Empty when it cannot be read, and then `fault` says why. */
  readonly events: readonly RecordedEvent[];
  readonly fault?: string;
}

/** A stream as a store keeps it, for those who look for damage. */
export interface StoredStream {
  readonly name: string;
  /** What the store states about the stream; `absent` for records that belong to no stream it knows. */
  readonly head: StreamHead;
  readonly actor: ActorRow | undefined;
  /** Its records in order of revision, then of position. One that is damaged does not end the reading. */
  records(): AsyncIterable<StoredRecord>;
}

/** How a stream goes on after its damaged records were moved aside. */
export interface QuarantineOptions {
  /** Why, in a few words; kept with the records. */
  readonly reason: string;
  /** The new head of the stream in the actor index; undefined when the stream has no actor any more. */
  readonly actor: ActorHead | undefined;
}

/** What {@link EventLog.quarantine} came to. */
export interface QuarantineResult {
  /** The stream's last revision now, -1 when nothing of it is left. */
  readonly revision: Revision;
  /** How many records were moved aside. */
  readonly records: number;
}

/** A record that was moved aside. */
export interface QuarantinedRecord extends StoredRecord {
  readonly stream: string;
  readonly reason: string;
  /** Milliseconds since the epoch. */
  readonly quarantinedAt: number;
  /** What the store kept, by name: text and numbers as they are, anything else as a SQL literal. */
  readonly raw: Readonly<Record<string, string | number | null>>;
}

export interface Capabilities {
  readonly atomicMultiStream: boolean;
  readonly checks: boolean;
  /** What acknowledged events survive: nothing, the death of the process, or a power cut. */
  readonly durable: 'none' | 'process' | 'power';
  readonly truncate: boolean;
  /** Largest accepted event: bytes of `data` in UTF-8. */
  readonly maxEventBytes: number;
}

/** An ordered, append-only store of events: the only truth. */
export interface EventLog {
  /** For messages: which log this is, for example `SQLite log 'orders.db'`. */
  readonly name: string;
  readonly capabilities: Capabilities;

  /**
   * Appends events to one stream, atomically. An empty append only checks: it writes nothing, not even a head.
   * @throws ConflictError the stream is not as expected
   * @throws IdReuseError some of the ids are there already, but not all
   * @throws EventTooLargeError | LogUnavailableError nothing was written
   * @throws OutcomeUnknownError it may or may not have been written: retry with the same arguments
   */
  append(
    stream: string,
    expected: Expected,
    events: readonly NewEvent[],
    options?: AppendOptions,
  ): Promise<AppendResult>;
  /** Appends to several streams, and checks others, all or nothing. A stream may occur once. */
  appendMany(writes: readonly Write[], checks?: readonly Check[]): Promise<AppendResult[]>;

  /** Events of one stream in order. A stream that is not there yields nothing. @throws StreamDeletedError */
  readStream(stream: string, options?: ReadStreamOptions): AsyncIterable<RecordedEvent>;
  /** Events of the whole log in order of position. */
  readAll(options?: ReadAllOptions): AsyncIterable<RecordedEvent>;
  head(stream: string): Promise<StreamHead>;
  /** History, then `caughtUp`, then live events, without gap or repeat. Ends when the log closes or the signal aborts. */
  subscribe(options?: SubscribeOptions): AsyncIterable<SubscriptionItem>;

  /** The actor index. */
  actors(query?: ActorQuery): AsyncIterable<ActorRow>;
  actor(stream: string): Promise<ActorRow | undefined>;

  readonly snapshots: Snapshots;
  /** Not there where a store keeps none. */
  readonly definitions?: Definitions;
  readonly checkpoints: Checkpoints;
  /** Acquires a lease, or extends it when `owner` has it already; null while another owner holds it. */
  lease(id: string, options: LeaseOptions): Promise<Lease | null>;
  /** Who holds a lease now; undefined when nobody does or it ran out. */
  leaseHolder(id: string): Promise<LeaseHolder | undefined>;

  /** Removes events below `before`; revisions go on counting. */
  truncate(stream: string, before: Revision): Promise<void>;
  /** Removes the stream and its actor. The name is not used again: writing to it is a StreamDeletedError. */
  delete(stream: string, expected: Expected): Promise<void>;

  /** What the store itself finds wrong with its files, one sentence each. Not there where it has nothing to look at. */
  selfCheck?(): AsyncIterable<string>;
  /**
   * Every stream, or one, as it is kept, damaged or not. Not there where events are all there is: then those who look for
   * damage read the streams that they can find.
   */
  stored?(stream?: string): AsyncIterable<StoredStream>;
  /**
   * Moves aside the append that `from` is in and all that follow it in the stream, whatever is in them, and ends the
   * stream before them: one atomic step, which removes nothing. With a `from` right behind the last record only what the
   * store states about the stream is set right. Positions are not used again; revisions are.
   * @throws NotFoundError there is neither such a stream nor a record of it
   */
  quarantine?(stream: string, from: Revision, options: QuarantineOptions): Promise<QuarantineResult>;
  /** What was moved aside, in the order in which it was. */
  quarantined?(stream?: string): AsyncIterable<QuarantinedRecord>;

  /**
   * Ends every subscription, and releases the store. A read that was not done, and every later call, rejects with
   * LogClosedError. Closing twice is fine.
   */
  close(): Promise<void>;
}
