/**
 * Reads one stream, forwards or backwards. Owns the queries of readStream and head, and the checks that no record of a
 * stream is missing.
 *
 * SR1  Pages, each read to its end: no reader stays open between them, so the -wal file can be truncated.
 * SR2  A read that ends without an error has read everything: what is missing, deleted or cut short is an error.
 * SR3  Every event is verified against its checksum before it is given out.
 */
import { DamagedRecordError, StreamDeletedError } from '../../errors.ts';
import { verifyEvent } from '../../log/envelope.ts';
import type { ReadStreamOptions, RecordedEvent, StreamHead } from '../../log/event-log.ts';
import { appendColumns, appendRow, decodeRow, type AppendRow } from './append-row.ts';
import type { Database, Statement } from './driver.ts';
import { faultOf, isCorruption } from './faults.ts';
import { PageWindow } from './page-window.ts';

interface StreamPlace {
  readonly id: number;
  readonly revision: number;
  readonly firstRevision: number;
}

export class StreamReader {
  readonly #log: string;
  readonly #place: Statement;
  readonly #forwards: Statement;
  readonly #backwards: Statement;

  constructor(db: Database, log: string) {
    this.#log = log;
    this.#place = db.prepare('SELECT id, revision, first_revision, deleted FROM streams WHERE name = ?');
    // The row that holds a revision may begin before it.
    this.#forwards = db.prepare(
      `SELECT ${appendColumns} FROM appends WHERE stream_id = ? AND revision < ?
       AND revision >= coalesce((SELECT max(revision) FROM appends WHERE stream_id = ? AND revision <= ?), 0)
       ORDER BY revision`,
    );
    this.#backwards = db.prepare(
      `SELECT ${appendColumns} FROM appends WHERE stream_id = ? AND revision <= ?
       AND revision >= coalesce((SELECT max(revision) FROM appends WHERE stream_id = ? AND revision <= ?), 0)
       ORDER BY revision DESC`,
    );
  }

  head(stream: string): StreamHead {
    const row = this.#place.get(stream);
    if (!row) return { state: 'absent' };
    const [, revision, before, deleted] = row as [number, number, number, number];
    if (deleted) return { state: 'deleted' };
    return before > 0 ? { state: 'truncated', revision, before } : { state: 'live', revision };
  }

  /** Events in the order asked for; `guard` throws when reading must stop. */
  async *read(
    stream: string,
    { from, backwards = false, limit = Infinity }: ReadStreamOptions,
    guard: () => void,
  ): AsyncGenerator<RecordedEvent, void> {
    let left = limit;
    for (const page of backwards ? this.#pagesDown(stream, from, guard) : this.#pagesUp(stream, from, guard)) {
      for (const event of page) {
        if (left-- <= 0) return;
        verifyEvent(event);
        yield event;
        guard();
      }
      if (left <= 0) return;
    }
  }

  *#pagesUp(stream: string, from = 0, guard: () => void): Generator<RecordedEvent[]> {
    const window = new PageWindow();
    let next = from;
    let last = Infinity;
    for (;;) {
      guard();
      // Looked up anew for every page: the stream may be truncated or deleted while it is read.
      const place = this.#placeOf(stream);
      if (!place) return;
      // What is written while the read goes on is left to the next one.
      last = Math.min(last, place.revision);
      next = Math.max(next, place.firstRevision);
      if (next > last) return;
      const end = Math.min(next + window.events, last + 1);
      const rows = this.#query(stream, next, () => this.#forwards.all(place.id, end, place.id, next));
      const events: RecordedEvent[] = [];
      for (const row of rows) {
        if (row.revision > next) throw missing(stream, next, row.revision);
        for (const event of decodeRow(stream, row)) {
          if (event.revision >= next && event.revision <= last) events.push(event);
        }
        next = Math.max(next, row.revision + row.count);
      }
      if (next < end) throw missing(stream, next, end);
      window.learn(charactersIn(rows));
      yield events;
    }
  }

  *#pagesDown(stream: string, from = Infinity, guard: () => void): Generator<RecordedEvent[]> {
    const window = new PageWindow();
    let next = from;
    for (;;) {
      guard();
      const place = this.#placeOf(stream);
      if (!place) return;
      next = Math.min(next, place.revision);
      if (next < place.firstRevision) return;
      const end = Math.max(next - window.events + 1, place.firstRevision);
      const rows = this.#query(stream, next, () => this.#backwards.all(place.id, next, place.id, end));
      const events: RecordedEvent[] = [];
      for (const row of rows) {
        if (row.revision + row.count - 1 < next) throw missing(stream, row.revision + row.count, next + 1);
        const own = decodeRow(stream, row).filter((event) => event.revision <= next && event.revision >= end);
        events.push(...own.reverse());
        next = Math.min(next, Math.max(row.revision, end) - 1);
      }
      if (next >= end) throw missing(stream, end, next + 1);
      window.learn(charactersIn(rows));
      yield events;
    }
  }

  #placeOf(stream: string): StreamPlace | undefined {
    const row = this.#place.get(stream);
    if (!row) return undefined;
    const [id, revision, firstRevision, deleted] = row as [number, number, number, number];
    if (deleted) throw new StreamDeletedError(stream);
    return { id, revision, firstRevision };
  }

  #query(stream: string, revision: number, all: () => (readonly unknown[])[]): AppendRow[] {
    try {
      return all().map((row) => appendRow(row as Parameters<typeof appendRow>[0]));
    } catch (error) {
      if (isCorruption(error)) {
        throw new DamagedRecordError(stream, revision, 'SQLite cannot read the page it is on', { cause: error });
      }
      throw faultOf(error, this.#log, `read stream '${stream}'`);
    }
  }
}

function charactersIn(rows: readonly AppendRow[]): number {
  return rows.reduce((sum, row) => sum + row.heads.length + row.data.length, 0);
}

function missing(stream: string, first: number, end: number): DamagedRecordError {
  const detail =
    end - first === 1 ? 'the record is missing' : `the records of revisions ${first} to ${end - 1} are missing`;
  return new DamagedRecordError(stream, first, detail);
}
