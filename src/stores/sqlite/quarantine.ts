/**
 * Moves damaged records aside: inside the write transaction, row by row as they are. Owns what else is set right with
 * them: the end, the beginning and the actor of the stream.
 *
 * QU1  A row is moved, never changed and never deleted: what was in `appends` is in `quarantined` afterwards.
 * QU2  Positions of rows that were moved are never used again.
 * QU3  Nothing in a row has to be readable for it to be moved.
 */
import { NotFoundError } from '../../errors.ts';
import type { QuarantineOptions, QuarantineResult, Revision } from '../../log/event-log.ts';
import { plausibleCount, type Appender } from './appender.ts';
import type { Database, SqlValue } from './driver.ts';
import { lostStreamId } from './stored-reader.ts';
import type { StreamCache } from './stream-cache.ts';

export class Quarantine {
  readonly #cache: StreamCache;
  readonly #appender: Appender;
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: Database, cache: StreamCache, appender: Appender) {
    this.#cache = cache;
    this.#appender = appender;
    this.#sql = statements(db);
  }

  /** See `EventLog.quarantine`. */
  apply(stream: string, from: Revision, { reason, actor }: QuarantineOptions, nowMs: number): QuarantineResult {
    const entry = this.#cache.get(stream);
    const lostId = entry.id === 0 ? lostStreamId(stream) : undefined;
    if (entry.id === 0 && (lostId === undefined || !this.#sql.anyOf.get(lostId))) throw new NotFoundError(stream);
    const id = lostId ?? entry.id;
    // The append that `from` is in goes as a whole: a stimulus without its facts is none.
    const around = this.#sql.rowAround.get(id, from, from)?.[0] as number | undefined;
    const start = lostId === undefined ? Math.min(around ?? from, from) : 0;
    const records = this.#move(id, stream, start, reason, nowMs);
    if (lostId !== undefined) return { revision: -1, records };
    const first = this.#sql.firstRevision.get(id)![0] as number | null;
    entry.revision = start - 1;
    entry.firstRevision = first ?? Math.min(entry.firstRevision, start);
    // Of a stream that was deleted nothing is left: this one was not.
    if (first !== null || records > 0) entry.deleted = false;
    entry.actor = actor;
    entry.rewrite = true;
    this.#appender.touch(entry);
    return { revision: entry.revision, records };
  }

  #move(id: SqlValue, stream: string, start: Revision, reason: string, nowMs: number): number {
    const records = this.#sql.countFrom.get(id, start)![0] as number;
    if (records === 0) return 0;
    const next = this.#sql.behindMoved.get(id, start)![0] as number;
    this.#sql.keepNextPosition.run(Math.max(next, this.#appender.nextPosition));
    this.#sql.copy.run(stream, reason, nowMs, id, start);
    this.#sql.remove.run(id, start);
    this.#sql.deleteWeakIds.run(id, start);
    this.#sql.deleteSnapshot.run(stream, start);
    return records;
  }
}

function statements(db: Database) {
  // Rows whose revision is none belong to no place that could be kept.
  const moved = `stream_id IS ? AND NOT (typeof(revision) = 'integer' AND revision >= 0 AND revision < ?)`;
  return {
    anyOf: db.prepare('SELECT 1 FROM appends WHERE stream_id = ? LIMIT 1'),
    rowAround: db.prepare(
      `SELECT revision FROM appends WHERE stream_id = ? AND revision >= 0 AND revision <= ? AND revision + ${plausibleCount} > ?
       ORDER BY revision LIMIT 1`,
    ),
    countFrom: db.prepare(`SELECT count(*) FROM appends WHERE ${moved}`),
    behindMoved: db.prepare(`SELECT max(position + ${plausibleCount}) FROM appends WHERE ${moved}`),
    keepNextPosition: db.prepare(
      `INSERT INTO counters (name, value) VALUES ('next_position', ?)
       ON CONFLICT (name) DO UPDATE SET value = max(value, excluded.value)`,
    ),
    copy: db.prepare(
      `INSERT INTO quarantined (stream, reason, quarantined_at, position, stream_id, revision, count, recorded_at, heads, data)
       SELECT ?, ?, ?, position, stream_id, revision, count, recorded_at, heads, data FROM appends
       WHERE ${moved} ORDER BY revision, position`,
    ),
    remove: db.prepare(`DELETE FROM appends WHERE ${moved}`),
    deleteWeakIds: db.prepare('DELETE FROM weak_ids WHERE stream_id = ? AND revision >= ?'),
    deleteSnapshot: db.prepare('DELETE FROM snapshots WHERE stream = ? AND revision >= ?'),
    firstRevision: db.prepare('SELECT min(revision) FROM appends WHERE stream_id = ?'),
  };
}
