/**
 * Reads the whole log in order of position, in pages. Owns the queries behind readAll and subscribe.
 *
 * LR1  Pages, each read to its end: no reader stays open between them, so the -wal file can be truncated.
 * LR2  Position order is commit order, because SQLite has one writer at a time: nothing appears behind a reader.
 * LR3  Every event is verified before it is given out. What precedes a damaged record is given out first.
 */
import { DamagedRecordError, InvalidArgumentError } from '../../errors.ts';
import { verifyEvent } from '../../log/envelope.ts';
import type { Filter, Position, ReadAllOptions, RecordedEvent } from '../../log/event-log.ts';
import type { FeedPage } from '../../log/feed.ts';
import { appendRow, decodeRow, positionOf } from './append-row.ts';
import type { Database, SqlRow, Statement } from './driver.ts';
import { faultOf } from './faults.ts';
import { PageWindow } from '../../log/page-window.ts';

export class LogReader {
  readonly #log: string;
  readonly #page: Statement;
  readonly #pageOfPrefix: Statement;
  readonly #rowAt: Statement;
  readonly #nextRow: Statement;
  readonly #lastRow: Statement;

  constructor(db: Database, log: string) {
    this.#log = log;
    // LEFT, so that a row whose stream is lost shows as damage instead of being passed over.
    const page = (heads: string, data: string) =>
      `SELECT a.position, a.revision, a.count, a.recorded_at, ${heads}, ${data}, s.name
       FROM appends a LEFT JOIN streams s ON s.id = a.stream_id
       WHERE a.position >= ? AND a.position < ? ORDER BY a.position`;
    const ifPrefix = (column: string) => `CASE WHEN substr(s.name, 1, length(?)) = ? THEN ${column} END`;
    this.#page = db.prepare(page('a.heads', 'a.data'));
    this.#pageOfPrefix = db.prepare(page(ifPrefix('a.heads'), ifPrefix('a.data')));
    this.#rowAt = db.prepare('SELECT max(position) FROM appends WHERE position <= ?');
    this.#nextRow = db.prepare('SELECT min(position) FROM appends WHERE position >= ?');
    this.#lastRow = db.prepare('SELECT position + count - 1 FROM appends ORDER BY position DESC LIMIT 1');
  }

  /** The events that are there now, verified, page by page; `guard` throws when reading must stop. */
  *pages({ after, filter }: ReadAllOptions, guard: () => void): Generator<readonly RecordedEvent[]> {
    const window = new PageWindow();
    const last = this.#try(() => this.#lastRow.get()?.[0] as number | undefined) ?? 0;
    let place = after;
    while (placeOf(place) < last) {
      guard();
      const { events, scannedTo } = this.page(place, filter, window);
      // What is written while the read goes on is left to the next one.
      const late = events.findIndex((event) => placeOf(event.position) > last);
      yield late < 0 ? events : events.slice(0, late);
      if (scannedTo === undefined) return;
      place = scannedTo;
    }
  }

  /** See `FeedSource.page`. @throws InvalidArgumentError when `after` is no position of this log */
  page(after: Position | undefined, filter: Filter | undefined, window: PageWindow): FeedPage {
    const start = placeOf(after) + 1;
    const rows = this.#try(() => this.#rowsFrom(start, window.events, filter));
    const events: RecordedEvent[] = [];
    let characters = 0;
    let end = start;
    try {
      for (const row of rows) {
        const append = appendRow(row);
        if (append.heads !== null) {
          characters += append.heads.length + append.data.length;
          for (const event of decodeRow(streamNameIn(row), append)) {
            if (placeOf(event.position) < start) continue;
            if (!filter?.types || filter.types.includes(event.type)) {
              verifyEvent(event);
              events.push(event);
            }
            end = placeOf(event.position) + 1;
          }
        }
        end = Math.max(end, append.position + append.count);
      }
    } catch (error) {
      // The page ends before the damage; the next one begins with it.
      if (!(error instanceof DamagedRecordError) || end === start) throw error;
    }
    window.learn(characters);
    return { events, scannedTo: end === start ? undefined : positionOf(end - 1) };
  }

  /** Rows that hold events from `start` on, none only when there are none. */
  #rowsFrom(start: number, span: number, filter: Filter | undefined): SqlRow[] {
    // The row that holds the position to go on from may begin before it.
    const from = (this.#rowAt.get(start)![0] as number | null) ?? start;
    const rows = this.#rows(from, start + span, filter);
    const last = rows.at(-1);
    if (last && (last[0] as number) + (last[2] as number) > start) return rows;
    const next = this.#nextRow.get(start)![0] as number | null;
    return next === null ? [] : this.#rows(next, next + span, filter);
  }

  #rows(from: number, end: number, filter: Filter | undefined): SqlRow[] {
    const prefix = filter?.streamPrefix ?? '';
    return prefix === ''
      ? this.#page.all(from, end)
      : this.#pageOfPrefix.all(prefix, prefix, prefix, prefix, from, end);
  }

  #try<T>(query: () => T): T {
    try {
      return query();
    } catch (error) {
      throw faultOf(error, this.#log, 'read');
    }
  }
}

function streamNameIn(row: SqlRow): string {
  const name = row[6];
  if (typeof name === 'string') return name;
  const [position, revision, count] = row;
  const detail = `the record at position ${position} belongs to no stream`;
  throw new DamagedRecordError('(unknown)', Number(revision), detail, {
    position: positionOf(Number(position) + Number(count) - 1),
  });
}

function placeOf(position: Position | undefined): number {
  if (position === undefined) return 0;
  const place = /^\d{1,16}$/.test(position) ? Number(position) : NaN;
  if (Number.isSafeInteger(place)) return place;
  throw new InvalidArgumentError(
    `Not a position of a SQLite log: expected a whole number, found ${JSON.stringify(position)}. Pass a position that this log gave.`,
  );
}
