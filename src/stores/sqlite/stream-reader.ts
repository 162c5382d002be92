/**
 * Reads one stream, forwards or backwards. Owns the queries of readStream and head, and the checks that no record of a
 * stream is missing.
 *
 * SR1  Pages, each read to its end: no reader stays open between them, so the -wal file can be truncated.
 * SR2  A read that ends without an error has read everything: what is missing, deleted or cut short is an error, and so
 *      is a record beyond the end that the stream's row states.
 * SR3  Forwards, what precedes a damaged record is given out before the error.
 */
import { DamagedRecordError, StreamDeletedError } from '../../errors.ts';
import type { ReadStreamOptions, RecordedEvent, Revision, StreamHead } from '../../log/event-log.ts';
import { appendColumns, appendRow, decodeRow, type AppendRow } from './append-row.ts';
import type { Database, Statement } from './driver.ts';
import { faultOf, isCorruption } from './faults.ts';
import { PageWindow } from '../../log/page-window.ts';

interface StreamPlace {
  readonly id: number;
  readonly last: Revision;
  readonly first: Revision;
  /** Last revision of the newest record; undefined when there is none. */
  readonly tail: Revision | undefined;
}

/** Revisions, both inclusive. */
interface Range {
  readonly low: Revision;
  readonly high: Revision;
}

interface StreamPage {
  /** Ascending, from the range's low on; all of it unless there is damage. */
  readonly events: RecordedEvent[];
  readonly damage?: DamagedRecordError;
}

export class StreamReader {
  readonly #log: string;
  readonly #place: Statement;
  readonly #head: Statement;
  readonly #rows: Statement;

  constructor(db: Database, log: string) {
    this.#log = log;
    const place = 'SELECT id, revision, first_revision, deleted';
    this.#head = db.prepare(`${place} FROM streams WHERE name = ?`);
    // One statement, so that what is written meanwhile is in both or in neither.
    this.#place = db.prepare(
      `${place}, (SELECT a.revision + a.count - 1 FROM appends a WHERE a.stream_id = s.id ORDER BY a.revision DESC LIMIT 1)
       FROM streams s WHERE name = ?`,
    );
    // The row that holds the lowest revision may begin before it.
    this.#rows = db.prepare(
      `SELECT ${appendColumns} FROM appends WHERE stream_id = ? AND revision <= ?
       AND revision >= coalesce((SELECT max(revision) FROM appends WHERE stream_id = ? AND revision <= ?), 0)
       ORDER BY revision`,
    );
  }

  head(stream: string): StreamHead {
    const row = this.#rowOf(this.#head, stream);
    // A stream of which everything was moved aside is as one that never was.
    if (!row || row[1]! < 0) return { state: 'absent' };
    const [, revision, before, deleted] = row as readonly [number, number, number, number];
    if (deleted) return { state: 'deleted' };
    return before > 0 ? { state: 'truncated', revision, before } : { state: 'live', revision };
  }

  /** Events in the order asked for, page by page, not yet verified; `guard` throws when reading must stop. */
  *pages(stream: string, options: ReadStreamOptions, guard: () => void): Generator<readonly RecordedEvent[]> {
    const { backwards = false, limit = Infinity } = options;
    const window = new PageWindow();
    let from = options.from ?? (backwards ? Infinity : 0);
    let last = Infinity;
    let spanMax = Infinity;
    for (let left = limit; left > 0;) {
      guard();
      // Looked up anew for every page: the stream may be truncated or deleted while it is read.
      const place = this.#placeOf(stream);
      if (!place) return;
      if (backwards && from === Infinity) ensureEnd(stream, place, place.last);
      // What is written while the read goes on is left to the next one.
      last = Math.min(last, place.last);
      const span = Math.min(window.events, left, spanMax);
      const range = backwards ? rangeBelow(from, span, place.first, last) : rangeAbove(from, span, place.first, last);
      if (range.low > range.high) return ensureEnd(stream, place, last);
      const page = this.#page(stream, place, range, window);
      if (!page) continue;
      if (page.damage && backwards) {
        if (range.low === range.high) throw page.damage;
        // What stands behind the damage comes first: look at less of it, until it is apart.
        spanMax = Math.ceil((range.high - range.low + 1) / 2);
        continue;
      }
      yield backwards ? page.events.reverse() : page.events;
      if (page.damage) throw page.damage;
      if (backwards ? range.low === place.first : range.high === last) return ensureEnd(stream, place, last);
      left -= page.events.length;
      from = backwards ? range.low - 1 : range.high + 1;
    }
  }

  /** The events of a range; undefined when it was truncated between the look-up of the stream and this. */
  #page(stream: string, place: StreamPlace, range: Range, window: PageWindow): StreamPage | undefined {
    const { low, high } = range;
    const rows = this.#rowsOf(stream, place, range);
    const events: RecordedEvent[] = [];
    let next = low;
    let characters = 0;
    try {
      for (const row of rows) {
        if (row.revision > next) break;
        const before = events.length;
        for (const event of decodeRow(stream, row)) {
          if (event.revision >= next && event.revision <= high) events.push(event);
        }
        next = Math.max(next, row.revision + row.count);
        // Of a long row its share: fetched for a few of its events, it would make the next page shorter still.
        characters += ((row.heads.length + row.data.length) * (events.length - before)) / row.count;
      }
    } catch (error) {
      if (!(error instanceof DamagedRecordError)) throw error;
      return { events, damage: error };
    }
    window.learn(characters);
    if (next > high) return { events };
    if (this.#placeOf(stream)?.first !== place.first) return undefined;
    return { events, damage: new DamagedRecordError(stream, next, 'the record is missing') };
  }

  #rowsOf(stream: string, { id }: StreamPlace, { low, high }: Range): AppendRow[] {
    try {
      return this.#rows.all(id, high, id, low).map(appendRow);
    } catch (error) {
      if (isCorruption(error)) {
        throw new DamagedRecordError(stream, low, 'SQLite cannot read the page it is on', { cause: error });
      }
      throw faultOf(error, this.#log, `read stream '${stream}'`);
    }
  }

  #placeOf(stream: string): StreamPlace | undefined {
    const row = this.#rowOf(this.#place, stream);
    if (!row) return undefined;
    const [id, last, first, deleted, tail] = row as readonly [number, number, number, number, number | null];
    if (deleted) throw new StreamDeletedError(stream);
    return { id, last, first, tail: tail ?? undefined };
  }

  #rowOf(statement: Statement, stream: string): readonly (number | null)[] | undefined {
    try {
      return statement.get(stream) as readonly (number | null)[] | undefined;
    } catch (error) {
      throw faultOf(error, this.#log, `read stream '${stream}'`);
    }
  }
}

/** SR2. `last` is where the read ends: before the end of the stream if that has moved on meanwhile. */
function ensureEnd(stream: string, place: StreamPlace, last: Revision): void {
  const { tail } = place;
  if (last !== place.last || tail === undefined || tail === last) return;
  const detail = `the stream is said to end at revision ${last}, but its newest record ends at ${tail}`;
  throw new DamagedRecordError(stream, Math.min(last, tail) + 1, detail);
}

function rangeAbove(from: Revision, span: number, first: Revision, last: Revision): Range {
  const low = Math.max(from, first);
  return { low, high: Math.min(low + span - 1, last) };
}

function rangeBelow(from: Revision, span: number, first: Revision, last: Revision): Range {
  const high = Math.min(from, last);
  return { low: Math.max(high - span + 1, first), high };
}
