/**
 * What an append does inside the write transaction: check, recognise a repeat, write. Owns positions, stream ids and the
 * rows of streams and appends while they are written. The transaction is writer.ts's.
 *
 * AP1  Nothing is written before every check of the append has passed.
 * AP2  Positions are dense and never used twice, also after the newest events were removed.
 * AP3  A stream's row is written once per transaction, with only the columns that changed, because a column that is
 *      written moves the entries of every index it is part of.
 */
import { IdReuseError, InvalidArgumentError, StreamDeletedError } from '../../errors.ts';
import type { ActorHead, AppendResult, Check, Expected, NewEvent } from '../../log/event-log.ts';
import { conflict, isAsExpected } from '../../log/expected.ts';
import { encodeEvents, positionOf, type EncodedEvents } from './append-row.ts';
import type { Database, SqlValue, Statement } from './driver.ts';
import { RepeatFinder } from './repeat-finder.ts';
import type { StreamCache, StreamEntry } from './stream-cache.ts';

/** The number of events of a row; 1 where it cannot be, so that a damaged number spoils no position. */
export const plausibleCount = `CASE WHEN typeof(count) = 'integer' AND count BETWEEN 1 AND 1000000 THEN count ELSE 1 END`;

/** A write whose events are already in the shape of the file. */
export interface PreparedWrite {
  readonly stream: string;
  readonly expected: Expected;
  readonly ids: readonly string[];
  readonly encoded: EncodedEvents;
  readonly actor: ActorHead | undefined;
}

export function prepareWrite(
  stream: string,
  expected: Expected,
  events: readonly NewEvent[],
  actor: ActorHead | undefined,
): PreparedWrite {
  return { stream, expected, ids: events.map((event) => event.id), encoded: encodeEvents(events), actor };
}

export class Appender {
  readonly #cache: StreamCache;
  readonly #repeats: RepeatFinder;
  readonly #db: Database;
  readonly #sql: ReturnType<typeof statements>;
  /** By the columns that they write besides the revision. */
  readonly #updates = new Map<string, Statement>();
  readonly #dirty: StreamEntry[] = [];
  /** The next free position and stream id; 0 while they have to be read. */
  #nextPosition = 0;
  #nextStreamId = 0;
  #nowMs = 0;

  constructor(db: Database, cache: StreamCache) {
    this.#db = db;
    this.#cache = cache;
    this.#repeats = new RepeatFinder(db);
    this.#sql = statements(db);
  }

  /** The position that the next event gets. */
  get nextPosition(): number {
    return this.#nextPosition;
  }

  /** A transaction begins. */
  begin(nowMs: number): void {
    this.#nowMs = nowMs;
    if (this.#nextPosition !== 0) return;
    this.#nextPosition = this.#sql.nextPosition.get()![0] as number;
    this.#nextStreamId = this.#sql.nextStreamId.get()![0] as number;
  }

  /** What was remembered from earlier transactions does not hold any more. */
  forget(): void {
    this.#nextPosition = 0;
    this.#dirty.length = 0;
  }

  /** @throws ConflictError | IdReuseError | StreamDeletedError */
  append(write: PreparedWrite): AppendResult {
    const entry = this.#cache.get(write.stream);
    return this.#repeatOrCheck(entry, write) ?? this.#write(entry, write);
  }

  /** @throws ConflictError | IdReuseError | StreamDeletedError */
  appendMany(writes: readonly PreparedWrite[], checks: readonly Check[]): AppendResult[] {
    const entries = writes.map((write) => this.#cache.get(write.stream));
    const repeats = writes.map((write, index) => this.#repeatOrCheck(entries[index]!, write));
    const fresh = writes.some((write, index) => write.ids.length > 0 && repeats[index] === undefined);
    if (fresh) {
      const half = repeats.findIndex((repeat) => repeat !== undefined);
      if (half >= 0) {
        const { stream, ids } = writes[half]!;
        throw new IdReuseError(stream, ids[0]!, repeats[half]!.revision - ids.length + 1);
      }
    }
    // A repeat is answered although what was checked has moved on since: the check held when it was written.
    if (!repeats.some((repeat) => repeat !== undefined)) for (const check of checks) this.check(check);
    return writes.map((write, index) => repeats[index] ?? this.#write(entries[index]!, write));
  }

  /** The stream, if it is as expected. @throws ConflictError | StreamDeletedError */
  check({ stream, expected }: Check): StreamEntry {
    const entry = this.#cache.get(stream);
    if (entry.deleted) throw new StreamDeletedError(stream);
    if (!isAsExpected(expected, entry.revision)) throw conflict(entry.name, expected, entry.revision);
    return entry;
  }

  /** Gives a stream an id and a row, if it has none. */
  ensureRow(entry: StreamEntry): void {
    if (entry.id === 0) {
      entry.id = this.#nextStreamId++;
      entry.hasRow = false;
    }
    this.touch(entry);
  }

  /** The row of this stream has to be written. */
  touch(entry: StreamEntry): void {
    if (entry.dirty) return;
    entry.dirty = true;
    this.#dirty.push(entry);
  }

  /** Writes the rows of all streams that changed. */
  flush(): void {
    for (const entry of this.#dirty) {
      this.#writeRow(entry);
      entry.dirty = false;
      entry.hasRow = true;
      entry.rewrite = false;
      entry.storedActor = entry.actor;
    }
    this.#dirty.length = 0;
  }

  #repeatOrCheck(entry: StreamEntry, { expected, ids }: PreparedWrite): AppendResult | undefined {
    if (entry.deleted) throw new StreamDeletedError(entry.name);
    if (ids.length > 0) {
      const repeat = this.#repeats.find(entry, expected, ids);
      if (repeat) return repeat;
    }
    if (!isAsExpected(expected, entry.revision)) throw conflict(entry.name, expected, entry.revision);
    return undefined;
  }

  #write(entry: StreamEntry, { expected, ids, encoded, actor }: PreparedWrite): AppendResult {
    if (ids.length === 0) return { revision: entry.revision, position: undefined, deduplicated: false };
    this.ensureRow(entry);
    const first = entry.revision + 1;
    const position = this.#nextPosition;
    this.#sql.insertAppend.run(position, entry.id, first, encoded.count, this.#nowMs, encoded.heads, encoded.data);
    if (isWeak(expected)) this.#repeats.remember(entry, first, ids);
    this.#nextPosition += encoded.count;
    entry.revision += encoded.count;
    if (actor) entry.actor = actor;
    return { revision: entry.revision, position: positionOf(this.#nextPosition - 1), deduplicated: false };
  }

  #writeRow(entry: StreamEntry): void {
    const { id, name, revision, firstRevision, deleted, actor, storedActor } = entry;
    if (!entry.hasRow || entry.rewrite || !sameIdentity(actor, storedActor)) {
      this.#sql.upsert.run(
        id,
        name,
        revision,
        firstRevision,
        deleted ? 1 : 0,
        actor?.machine ?? null,
        actor?.version ?? null,
        actor?.status ?? null,
        actor?.correlationId ?? null,
        actor?.wakeAt ?? null,
        actor?.effects ?? null,
      );
    } else {
      const { columns, values } = changesOf(actor, storedActor);
      this.#updateOf(columns).run(revision, ...values, id);
    }
  }

  /** AP3. */
  #updateOf(columns: string): Statement {
    let update = this.#updates.get(columns);
    if (!update) {
      update = this.#db.prepare(`UPDATE streams SET revision = ?${columns} WHERE id = ?`);
      this.#updates.set(columns, update);
    }
    return update;
  }
}

/** The columns of a head that differ from what is stored, as they stand behind `SET revision = ?`. */
function changesOf(actor: ActorHead | undefined, stored: ActorHead | undefined) {
  let columns = '';
  const values: SqlValue[] = [];
  if (!actor || !stored || actor === stored) return { columns, values };
  if (actor.status !== stored.status) {
    columns += ', status = ?';
    values.push(actor.status);
  }
  if (actor.wakeAt !== stored.wakeAt) {
    columns += ', wake_at = ?';
    values.push(actor.wakeAt);
  }
  if (actor.effects !== stored.effects) {
    columns += ', effects = ?';
    values.push(actor.effects);
  }
  return { columns, values };
}

function statements(db: Database) {
  return {
    nextPosition: db.prepare(
      `SELECT max(
         coalesce((SELECT value FROM counters WHERE name = 'next_position'), 1),
         coalesce((SELECT position + ${plausibleCount} FROM appends ORDER BY position DESC LIMIT 1), 1))`,
    ),
    // Never the id of a stream whose row is lost: its records would come to another stream.
    nextStreamId: db.prepare(
      'SELECT max(coalesce((SELECT max(id) FROM streams), 0), coalesce((SELECT max(stream_id) FROM appends), 0)) + 1',
    ),
    insertAppend: db.prepare(
      'INSERT INTO appends (position, stream_id, revision, count, recorded_at, heads, data) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    upsert: db.prepare(
      `INSERT INTO streams (id, name, revision, first_revision, deleted, machine, version, status, correlation_id, wake_at, effects)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET revision = excluded.revision, first_revision = excluded.first_revision,
         deleted = excluded.deleted, machine = excluded.machine, version = excluded.version, status = excluded.status,
         correlation_id = excluded.correlation_id, wake_at = excluded.wake_at, effects = excluded.effects`,
    ),
  };
}

function sameIdentity(a: ActorHead | undefined, b: ActorHead | undefined): boolean {
  if (a === b) return true;
  return (
    a !== undefined &&
    b !== undefined &&
    a.machine === b.machine &&
    a.version === b.version &&
    a.correlationId === b.correlationId
  );
}

/** Whether an expectation does not say where the events go. */
function isWeak(expected: Expected): boolean {
  return expected === 'any' || expected === 'stream-exists';
}

/** Refuses names that SQLite could not give back as they were. @throws InvalidArgumentError */
export function requireStreamName(name: string): void {
  // With the u flag a surrogate matches only where it has no partner.
  if (name === '' || /[\0\ud800-\udfff]/u.test(name)) {
    throw new InvalidArgumentError(
      `Not a stream name: ${JSON.stringify(name)}. Give text that is not empty, without NUL and without half surrogate pairs.`,
    );
  }
}
