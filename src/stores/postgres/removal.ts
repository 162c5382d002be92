/**
 * Takes events out of the log: truncate and delete, each in one transaction. Owns what else goes with them.
 *
 * RM1  Revisions and positions of removed events are never used again.
 * RM2  With a deleted stream go its events, its actor, its snapshot and its ids; its name stays, marked as deleted.
 * RM3  An append that lies across the first kept revision is cut, not kept whole.
 */
import { NotFoundError, StreamDeletedError } from '../../errors.ts';
import { cutRecord } from '../../log/append-record.ts';
import type { Expected, Revision } from '../../log/event-log.ts';
import { conflict, isAsExpected } from '../../log/expected.ts';
import type { Connections, Query } from './connections.ts';
import { writeFault } from './faults.ts';
import { recordColumns, recordOf } from './record.ts';

interface StreamRow {
  readonly id: number;
  readonly revision: Revision;
  readonly first: Revision;
  readonly deleted: boolean;
}

export class Removal {
  readonly #log: string;
  readonly #schema: string;
  readonly #connections: Connections;

  constructor(log: string, schema: string, connections: Connections) {
    this.#log = log;
    this.#schema = schema;
    this.#connections = connections;
  }

  /** See `EventLog.truncate`. */
  truncate(stream: string, before: Revision): Promise<void> {
    return this.#change(stream, async (query) => {
      const row = await this.#find(query, stream);
      if (!row) throw new NotFoundError(stream);
      if (row.deleted) throw new StreamDeletedError(stream);
      const first = Math.min(before, row.revision + 1);
      if (first > row.first) await this.#dropBelow(query, stream, row, first);
    });
  }

  /** See `EventLog.delete`. */
  delete(stream: string, expected: Expected): Promise<void> {
    return this.#change(stream, async (query) => {
      const row = await this.#find(query, stream);
      if (row?.deleted) return;
      const last = row?.revision ?? -1;
      if (!isAsExpected(expected, last)) throw conflict(stream, expected, last);
      if (!row) throw new NotFoundError(stream);
      await this.#dropBelow(query, stream, row, row.revision + 1);
      await query(`DELETE FROM "${this.#schema}".snapshots WHERE stream = $1`, [stream]);
      await query(
        `UPDATE "${this.#schema}".streams SET deleted = true, machine = NULL, version = NULL, status = NULL,
         correlation_id = NULL, wake_at = NULL, effects = NULL WHERE id = $1`,
        [row.id],
      );
    });
  }

  async #change(stream: string, work: (query: Query) => Promise<void>): Promise<void> {
    this.#connections.ensureWritable(stream);
    try {
      await this.#connections.transaction(async (query) => {
        await query(`SELECT "${this.#schema}".lock_streams($1)`, [[stream]]);
        await work(query);
      });
    } catch (error) {
      throw writeFault(error, this.#log, stream);
    }
  }

  async #find(query: Query, stream: string): Promise<StreamRow | undefined> {
    const [row] = await query(
      `SELECT id, revision, first_revision, deleted FROM "${this.#schema}".streams WHERE name = $1`,
      [stream],
    );
    // A stream of which everything was moved aside is as one that never was.
    if (!row || Number(row[1]) < 0) return undefined;
    return { id: Number(row[0]), revision: Number(row[1]), first: Number(row[2]), deleted: row[3] === true };
  }

  async #dropBelow(query: Query, stream: string, { id }: StreamRow, first: Revision): Promise<void> {
    const schema = this.#schema;
    const [across] = await query(
      `SELECT ${recordColumns} FROM "${schema}".appends a
       WHERE a.stream_id = $1 AND a.revision < $2 AND a.revision + a.count > $2`,
      [id, first],
    );
    await query(`DELETE FROM "${schema}".appends WHERE stream_id = $1 AND revision < $2`, [id, first]);
    if (across) {
      const { record, positionAt, tx, place, skipped } = recordOf(across);
      const cut = first - record.revision;
      const { revision, count, recordedAt, heads, data } = cutRecord(stream, record, cut, positionAt);
      await query(
        `INSERT INTO "${schema}".appends (stream_id, revision, count, tx, place, skipped, recorded_at, heads, data)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
        [id, revision, count, tx, place, skipped + cut, recordedAt, heads, data],
      );
    }
    await query(`DELETE FROM "${schema}".weak_ids WHERE stream_id = $1 AND revision < $2`, [id, first]);
    await query(`UPDATE "${schema}".streams SET first_revision = $2 WHERE id = $1`, [id, first]);
  }
}
