/**
 * Reads what is stored as it is: every stream and every record, damaged or not, and what SQLite says of the file. Owns
 * the queries behind `stored`, `selfCheck` and `quarantined`.
 *
 * SD1  Nothing that a column holds ends the reading: a value of a wrong type is a fault of its record.
 * SD2  Pages by key, each read to its end: memory is bounded by a page, and no reader keeps the -wal file from being
 *      truncated.
 * SD3  Records whose stream has no row, or one by which it cannot be found, are given under a name made for them, see
 *      {@link lostStreamName}.
 */
import { DamagedRecordError } from '../../errors.ts';
import type {
  Position,
  QuarantinedRecord,
  RecordedEvent,
  StoredRecord,
  StoredStream,
  StreamHead,
} from '../../log/event-log.ts';
import { decodeRow, positionOf } from './append-row.ts';
import type { Database, SqlRow, SqlValue, Statement } from './driver.ts';
import { faultOf, isCorruption } from './faults.ts';
import { actorHeadOf } from './stream-cache.ts';

const streamsPage = 256;
const recordsPage = 32;
/** Records of one stream without a place are read at once: there are more only in a file that is ruined. */
const recordsMisplacedMax = 1_000;
/** SQLite stops looking after so many faults. */
const faultsMax = 100;

/** Text as it is; what should be text and is not, as SQL would write it. */
const asText = (column: string) => `CASE typeof(${column}) WHEN 'text' THEN ${column} ELSE quote(${column}) END`;
const isText = (column: string) => `typeof(${column}) = 'text'`;
/** Whether a column holds a number that JavaScript can hold, too. */
const isInteger = (column: string) =>
  `(typeof(${column}) = 'integer' AND ${column} BETWEEN ${Number.MIN_SAFE_INTEGER} AND ${Number.MAX_SAFE_INTEGER})`;
/** Numbers as they are, and nothing in place of what should be a number and is not. */
const asInteger = (column: string) => `CASE WHEN ${isInteger(column)} THEN ${column} END`;
/** Whether a record can be read page by page, in order of revision. */
const isPlaced = `${isInteger('revision')} AND revision >= 0 AND ${isInteger('position')}`;

const recordColumns = `${asInteger('position')}, ${asInteger('revision')}, ${asInteger('count')}, ${asInteger('recorded_at')},
  ${asText('heads')}, ${asText('data')}, ${isText('heads')} AND ${isText('data')}`;

export class StoredReader {
  readonly #db: Database;
  readonly #log: string;
  readonly #sql: ReturnType<typeof statements>;

  constructor(db: Database, log: string) {
    this.#db = db;
    this.#log = log;
    this.#sql = statements(db);
  }

  /** See `EventLog.selfCheck`; `integrity_check` and not `quick_check`, because an index that misses a row hides it. */
  selfCheck(): string[] {
    try {
      const rows = this.#db.prepare(`PRAGMA integrity_check(${faultsMax})`).all();
      return rows.map(([text]) => String(text)).filter((text) => text !== 'ok');
    } catch (error) {
      if (!isCorruption(error)) throw faultOf(error, this.#log, 'check itself');
      return [`SQLite cannot check the file: ${String(error)}`];
    }
  }

  /** See `EventLog.stored`; `guard` throws when reading must stop. */
  *streams(only: string | undefined, guard: () => void): Generator<StoredStream> {
    for (const row of only === undefined ? this.#streamRows(guard) : this.#rows(this.#sql.streamNamed, only)) {
      yield this.#streamOf(row, guard);
    }
    for (const id of this.#lostIds(guard)) {
      if (only === undefined || only === lostStreamName(id)) yield this.#lostStream(id, guard);
    }
  }

  #lostStream(id: SqlValue, guard: () => void): StoredStream {
    const name = lostStreamName(id);
    return { name, head: { state: 'absent' }, actor: undefined, records: () => this.#records(id, name, guard) };
  }

  /** See `EventLog.quarantined`. */
  *quarantined(only: string | undefined, guard: () => void): Generator<QuarantinedRecord> {
    for (let last = 0; ;) {
      guard();
      const page = this.#rows(this.#sql.quarantined, last, only ?? null, only ?? null, recordsPage);
      for (const row of page) yield quarantinedOf(row);
      if (page.length < recordsPage) return;
      last = page.at(-1)![0] as number;
    }
  }

  *#streamRows(guard: () => void): Generator<SqlRow> {
    for (let last = Number.MIN_SAFE_INTEGER; ;) {
      guard();
      const page = this.#rows(this.#sql.streams, last, streamsPage);
      yield* page;
      if (page.length < streamsPage) return;
      last = page.at(-1)![0] as number;
    }
  }

  *#lostIds(guard: () => void): Generator<SqlValue> {
    for (const [id] of this.#rows(this.#sql.lostIds)) {
      guard();
      yield id!;
    }
  }

  #streamOf(row: SqlRow, guard: () => void): StoredStream {
    const [id, name, revision, first, deleted] = row as [number, string, number | null, number | null, number | null];
    // A name that is no text, or no UTF-8, finds no row.
    if (this.#rows(this.#sql.idNamed, name)[0]?.[0] !== id) return this.#lostStream(id, guard);
    const actor = actorHeadOf(row.slice(5));
    const last = revision ?? -1;
    return {
      name,
      head: headOf(last, first ?? 0, deleted !== 0),
      actor: actor && { ...actor, stream: name, revision: last },
      records: () => this.#records(id, name, guard),
    };
  }

  async *#records(id: SqlValue, name: string, guard: () => void): AsyncGenerator<StoredRecord> {
    guard();
    for (const row of this.#rows(this.#sql.misplaced, id, recordsMisplacedMax)) yield recordOf(name, row);
    let [revision, position]: readonly SqlValue[] = [-1, 0];
    for (;;) {
      guard();
      const page = this.#rows(this.#sql.records, id, revision!, position!, recordsPage);
      for (const row of page) yield recordOf(name, row);
      if (page.length < recordsPage) return;
      [position, revision] = page.at(-1)!;
    }
  }

  #rows(statement: Statement, ...values: SqlValue[]): SqlRow[] {
    try {
      return statement.all(...values);
    } catch (error) {
      throw faultOf(error, this.#log, 'read what is stored');
    }
  }
}

/** The name under which the records of a stream are given whose own name is lost. */
function lostStreamName(id: SqlValue): string {
  return `(lost stream ${String(id)})`;
}

/** The id in a name that {@link lostStreamName} made. */
export function lostStreamId(name: string): number | undefined {
  const match = /^\(lost stream (-?\d+)\)$/.exec(name);
  return match ? Number(match[1]) : undefined;
}

function headOf(revision: number, first: number, deleted: boolean): StreamHead {
  if (deleted) return { state: 'deleted' };
  return first > 0 ? { state: 'truncated', revision, before: first } : { state: 'live', revision };
}

function recordOf(stream: string, row: SqlRow): StoredRecord {
  const [position, revision, count, recordedAt, heads, data, readable] = row as [
    number | null,
    number | null,
    number | null,
    number | null,
    string,
    string,
    number,
  ];
  const place: Position | undefined = position === null ? undefined : positionOf(position);
  const at = { revision: revision ?? -1, position: place };
  if (revision === null || position === null || count === null) {
    return { ...at, events: [], fault: 'its revision, position or number of events is no number' };
  }
  if (!readable) return { ...at, events: [], fault: 'its record or its data is no text' };
  try {
    const events: RecordedEvent[] = decodeRow(stream, {
      position,
      revision,
      count,
      recordedAt: recordedAt ?? 0,
      heads,
      data,
    });
    return events.length > 0 ? { ...at, events } : { ...at, events, fault: 'it holds no event' };
  } catch (error) {
    if (!(error instanceof DamagedRecordError)) throw error;
    return { ...at, events: [], fault: error.detail };
  }
}

function quarantinedOf(row: SqlRow): QuarantinedRecord {
  const [, stream, reason, quarantinedAt, streamId] = row as [number, string, string, number, SqlValue];
  const [position, revision, count, recordedAt, heads, data] = row.slice(5);
  const raw = { stream_id: streamId, position, revision, count, recorded_at: recordedAt, heads, data } as Record<
    string,
    SqlValue
  >;
  return { ...recordOf(stream, row.slice(5)), stream, reason, quarantinedAt, raw };
}

function statements(db: Database) {
  const streamColumns = `id, CAST(name AS TEXT), ${asInteger('revision')}, ${asInteger('first_revision')}, ${asInteger('deleted')},
    machine, version, status, correlation_id, wake_at, effects`;
  return {
    // By rowid, through the table itself: an index of names may be what is damaged.
    streams: db.prepare(`SELECT ${streamColumns} FROM streams NOT INDEXED WHERE id > ? ORDER BY id LIMIT ?`),
    streamNamed: db.prepare(`SELECT ${streamColumns} FROM streams WHERE name = ?`),
    idNamed: db.prepare('SELECT id FROM streams WHERE name = ?'),
    lostIds: db.prepare(
      'SELECT DISTINCT stream_id FROM appends a WHERE NOT EXISTS (SELECT 1 FROM streams s WHERE s.id = a.stream_id)',
    ),
    misplaced: db.prepare(`SELECT ${recordColumns} FROM appends WHERE stream_id IS ? AND NOT (${isPlaced}) LIMIT ?`),
    records: db.prepare(
      `SELECT ${recordColumns} FROM appends WHERE stream_id IS ? AND ${isPlaced} AND (revision, position) > (?, ?)
       ORDER BY revision, position LIMIT ?`,
    ),
    quarantined: db.prepare(
      `SELECT id, stream, reason, quarantined_at, stream_id, ${recordColumns} FROM quarantined
       WHERE id > ? AND (? IS NULL OR stream = ?) ORDER BY id LIMIT ?`,
    ),
  };
}
