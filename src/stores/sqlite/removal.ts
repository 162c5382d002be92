/**
 * Takes events out of the log: truncate and delete, inside the write transaction. Owns what else goes with them.
 *
 * RM1  Revisions and positions of removed events are never used again.
 * RM2  With a deleted stream go its events, its actor, its snapshot and its ids; its name stays, marked as deleted.
 * RM3  An append that lies across the first kept revision is cut, not kept whole.
 */
import { NotFoundError, StreamDeletedError } from '../../errors.ts';
import type { Expected, Revision } from '../../log/event-log.ts';
import { conflict, isAsExpected } from '../../log/expected.ts';
import { appendColumns, appendRow, cutRow } from './append-row.ts';
import type { Appender } from './appender.ts';
import type { Database } from './driver.ts';
import type { StreamCache, StreamEntry } from './stream-cache.ts';

export class Removal {
  readonly #cache: StreamCache;
  readonly #appender: Appender;
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: Database, cache: StreamCache, appender: Appender) {
    this.#cache = cache;
    this.#appender = appender;
    this.#sql = statements(db);
  }

  /** See `EventLog.truncate`. */
  truncate(stream: string, before: Revision): void {
    const entry = this.#cache.get(stream);
    if (entry.id === 0) throw new NotFoundError(stream);
    if (entry.deleted) throw new StreamDeletedError(stream);
    const first = Math.min(before, entry.revision + 1);
    if (first > entry.firstRevision) this.#dropBelow(entry, first);
  }

  /** See `EventLog.delete`. */
  delete(stream: string, expected: Expected): void {
    const entry = this.#cache.get(stream);
    if (entry.deleted) return;
    if (!isAsExpected(expected, entry.revision)) throw conflict(stream, expected, entry.revision);
    if (entry.id === 0) throw new NotFoundError(stream);
    this.#dropBelow(entry, entry.revision + 1);
    this.#sql.deleteSnapshot.run(stream);
    entry.deleted = true;
    entry.actor = undefined;
  }

  #dropBelow(entry: StreamEntry, first: Revision): void {
    // Read before anything is written: a damaged row refuses the whole removal.
    const row = this.#sql.rowBelow.get(entry.id, first);
    const below = row && appendRow(row);
    const kept = below && below.revision + below.count > first ? cutRow(entry.name, below, first) : undefined;
    this.#sql.keepNextPosition.run(this.#appender.nextPosition);
    this.#sql.deleteAppends.run(entry.id, first);
    this.#sql.deleteWeakIds.run(entry.id, first);
    if (kept) {
      const { position, revision, count, recordedAt, heads, data } = kept;
      this.#sql.insertAppend.run(position, entry.id, revision, count, recordedAt, heads, data);
    }
    entry.firstRevision = first;
    entry.rewrite = true;
    this.#appender.touch(entry);
  }
}

function statements(db: Database) {
  return {
    rowBelow: db.prepare(
      `SELECT ${appendColumns} FROM appends WHERE stream_id = ? AND revision < ? ORDER BY revision DESC LIMIT 1`,
    ),
    keepNextPosition: db.prepare(
      `INSERT INTO counters (name, value) VALUES ('next_position', ?)
       ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
    ),
    deleteAppends: db.prepare('DELETE FROM appends WHERE stream_id = ? AND revision < ?'),
    deleteWeakIds: db.prepare('DELETE FROM weak_ids WHERE stream_id = ? AND revision < ?'),
    deleteSnapshot: db.prepare('DELETE FROM snapshots WHERE stream = ?'),
    insertAppend: db.prepare(
      'INSERT INTO appends (position, stream_id, revision, count, recorded_at, heads, data) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
  };
}
