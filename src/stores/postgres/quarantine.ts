/**
 * Moves damaged records aside, in one transaction, row by row as they are, and shows what was moved. Owns what else is set right
 * with them: the end, the beginning and the actor of the stream.
 *
 * QU1  A row is moved, never changed and never deleted: what was in `appends` is in `quarantined` afterwards.
 * QU2  Positions of rows that were moved are never used again.
 */
import { DamagedRecordError, NotFoundError } from '../../errors.ts';
import { decodeRecord } from '../../log/append-record.ts';
import type {
  QuarantinedRecord,
  QuarantineOptions,
  QuarantineResult,
  RecordedEvent,
  Revision,
} from '../../log/event-log.ts';
import type { Connections, Query } from './connections.ts';
import { fault, writeFault } from './faults.ts';
import { recordColumns, recordOf } from './record.ts';

const columns = 'tx, place, skipped, revision, count, recorded_at, heads, data';
const pageSize = 100;

export class Quarantine {
  readonly #log: string;
  readonly #schema: string;
  readonly #connections: Connections;

  constructor(log: string, schema: string, connections: Connections) {
    this.#log = log;
    this.#schema = schema;
    this.#connections = connections;
  }

  /** See `EventLog.quarantine`. @param atMs the time of the log where it is not the server's */
  async apply(
    stream: string,
    from: Revision,
    options: QuarantineOptions,
    atMs: number | null,
  ): Promise<QuarantineResult> {
    this.#connections.ensureWritable(stream);
    try {
      return await this.#connections.transaction((query) => this.#move(query, stream, from, options, atMs));
    } catch (error) {
      throw writeFault(error, this.#log, stream);
    }
  }

  /** What was moved aside, in its order, page by page. */
  async *pages(stream: string | undefined): AsyncGenerator<readonly QuarantinedRecord[]> {
    for (let after = 0; ;) {
      const rows = await this.#ask(stream, after);
      yield rows.map(quarantinedOf);
      if (rows.length < pageSize) return;
      after = Number(rows.at(-1)![0]);
    }
  }

  async #ask(stream: string | undefined, after: number) {
    try {
      return await this.#connections.query(
        `SELECT a.id, a.stream, a.reason, a.quarantined_at, a.stream_id, ${recordColumns} FROM "${this.#schema}".quarantined a
         WHERE a.id > $1 AND ($2::text IS NULL OR a.stream = $2) ORDER BY a.id LIMIT ${pageSize}`,
        [after, stream ?? null],
      );
    } catch (error) {
      throw fault(error, this.#log, 'read what was moved aside');
    }
  }

  async #move(
    query: Query,
    stream: string,
    from: Revision,
    { reason, actor }: QuarantineOptions,
    atMs: number | null,
  ): Promise<QuarantineResult> {
    const schema = this.#schema;
    await query(`SELECT "${schema}".lock_streams($1)`, [[stream]]);
    const [row] = await query(
      `SELECT s.id, s.first_revision, (SELECT min(a.revision) FROM "${schema}".appends a
         WHERE a.stream_id = s.id AND a.revision <= $2 AND a.revision + a.count > $2)
       FROM "${schema}".streams s WHERE s.name = $1 AND NOT s.deleted`,
      [stream, from],
    );
    if (!row) throw new NotFoundError(stream);
    const id = Number(row[0]);
    // The append that `from` is in goes as a whole: a stimulus without its facts is none.
    const start = row[2] === null ? from : Number(row[2]);
    const moved = await query(
      `WITH moved AS (DELETE FROM "${schema}".appends WHERE stream_id = $1 AND revision >= $2 RETURNING *)
       INSERT INTO "${schema}".quarantined (stream, reason, quarantined_at, stream_id, ${columns})
       SELECT $3, $4, coalesce($5::bigint, "${schema}".now_ms()), stream_id, ${columns} FROM moved ORDER BY revision RETURNING id`,
      [id, start, stream, reason, atMs],
    );
    if (moved.length > 0) {
      await query(`DELETE FROM "${schema}".weak_ids WHERE stream_id = $1 AND revision >= $2`, [id, start]);
      await query(`DELETE FROM "${schema}".snapshots WHERE stream = $1 AND revision >= $2`, [stream, start]);
    }
    await query(
      `UPDATE "${schema}".streams SET revision = $2, first_revision = coalesce(
         (SELECT min(a.revision) FROM "${schema}".appends a WHERE a.stream_id = $1), least(first_revision, $3)),
         machine = $4, version = $5, status = $6, correlation_id = $7, wake_at = $8, effects = $9 WHERE id = $1`,
      [
        ...[id, start - 1, start, actor?.machine ?? null, actor?.version ?? null, actor?.status ?? null],
        ...[actor?.correlationId ?? null, actor?.wakeAt ?? null, actor?.effects ?? null],
      ],
    );
    return { revision: start - 1, records: moved.length };
  }
}

function quarantinedOf(row: readonly unknown[]): QuarantinedRecord {
  const [, stream, reason, quarantinedAt, streamId] = row as [unknown, string, string, unknown, unknown];
  const { record, positionAt, tx, place, skipped } = recordOf(row.slice(5));
  const { revision, count, recordedAt, heads, data } = record;
  let events: readonly RecordedEvent[] = [];
  let damage: string | undefined;
  try {
    events = decodeRecord(stream, record, positionAt);
  } catch (error) {
    if (!(error instanceof DamagedRecordError)) throw error;
    damage = error.detail;
  }
  return {
    ...{ stream, reason, revision, events, position: positionAt(0), quarantinedAt: Number(quarantinedAt) },
    ...(damage !== undefined && { fault: damage }),
    raw: { stream_id: Number(streamId), tx, place, skipped, revision, count, recorded_at: recordedAt, heads, data },
  };
}
