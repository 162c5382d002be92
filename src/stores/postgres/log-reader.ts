/**
 * Reads the whole log in order of position, in pages. Owns the queries behind readAll and subscribe.
 *
 * LR1  Only what lies below every transaction that still runs is read: nothing can come to stand before it any more, so who
 *      reads on from a position misses nothing.
 * LR2  Every event is verified before it is given out. What precedes a damaged record is given out first.
 */
import { DamagedRecordError } from '../../errors.ts';
import { decodeRecord } from '../../log/append-record.ts';
import { verifyEvent } from '../../log/envelope.ts';
import type { Filter, Position, ReadAllOptions, RecordedEvent } from '../../log/event-log.ts';
import type { FeedPage } from '../../log/feed.ts';
import { PageWindow } from '../../log/page-window.ts';
import type { Query } from './connections.ts';
import { fault } from './faults.ts';
import { placeOf, positionOf, type Place } from './place.ts';
import { recordOf } from './record.ts';

export class LogReader {
  readonly #log: string;
  readonly #schema: string;
  readonly #query: Query;
  readonly #page: string;

  constructor(log: string, schema: string, query: Query) {
    this.#log = log;
    this.#schema = schema;
    this.#query = query;
    const ifWanted = (column: string) => `CASE WHEN starts_with(s.name, $5) THEN ${column} END`;
    // LEFT, so that a row whose stream is lost shows as damage instead of being passed over.
    const span = `SELECT * FROM "${schema}".appends
      WHERE (tx, place) >= ($1, $2) AND tx < least($3, "${schema}".horizon()) ORDER BY tx, place LIMIT $4`;
    this.#page = `SELECT a.tx, a.place, a.skipped, a.revision, a.count, a.recorded_at, ${ifWanted('a.heads')}, ${ifWanted('a.data')}, s.name
      FROM (SELECT *, sum(count) OVER (ORDER BY tx, place) - count AS before FROM (${span}) span) a
      LEFT JOIN "${schema}".streams s ON s.id = a.stream_id WHERE a.before < $4 ORDER BY a.tx, a.place`;
  }

  /** Everything below this can be read. */
  async horizon(): Promise<number> {
    const [row] = await this.#ask(`SELECT "${this.#schema}".horizon()`, []);
    return Number(row?.[0]);
  }

  /** The events that are there now, verified, page by page; `guard` throws when reading must stop. */
  async *pages({ after, filter }: ReadAllOptions, guard: () => void): AsyncGenerator<readonly RecordedEvent[]> {
    placeOf(after);
    const window = new PageWindow();
    // What is written while the read goes on is left to the next one.
    const end = await this.horizon();
    let position = after;
    for (;;) {
      guard();
      const { events, scannedTo } = await this.page(position, filter, window, end);
      yield events;
      if (scannedTo === undefined) return;
      position = scannedTo;
    }
  }

  /** See `FeedSource.page`. @throws InvalidArgumentError when `after` is no position of this log */
  async page(
    after: Position | undefined,
    filter: Filter | undefined,
    window: PageWindow,
    end = Number.MAX_SAFE_INTEGER,
  ): Promise<FeedPage> {
    const from = placeOf(after);
    const start = after === undefined ? 0 : from.index + 1;
    const prefix = filter?.streamPrefix ?? '';
    const rows = await this.#ask(this.#page, [from.tx, from.place, end, window.events + start, prefix]);
    const events: RecordedEvent[] = [];
    let characters = 0;
    let scannedTo: Place | undefined;
    let left = window.events;
    try {
      for (const row of rows) {
        if (left <= 0) break;
        const { record, positionAt, tx, place, skipped } = recordOf(row);
        const first = tx === from.tx && place === from.place ? start - skipped : 0;
        if (first >= record.count) continue;
        if (record.heads !== null) {
          characters += record.heads.length + record.data.length;
          for (const [index, event] of decodeRecord(streamIn(row, positionAt(0)), record, positionAt).entries()) {
            if (index < first) continue;
            if (left-- === 0) break;
            if (!filter?.types || filter.types.includes(event.type)) {
              verifyEvent(event);
              events.push(event);
            }
            scannedTo = { tx, place, index: skipped + index };
          }
        } else {
          left -= record.count - first;
          scannedTo = { tx, place, index: skipped + record.count - 1 };
        }
      }
    } catch (error) {
      // The page ends before the damage; the next one begins with it.
      if (!(error instanceof DamagedRecordError) || scannedTo === undefined) throw error;
    }
    window.learn(characters);
    return { events, scannedTo: scannedTo && positionOf(scannedTo) };
  }

  async #ask(sql: string, values: readonly unknown[]) {
    try {
      return await this.#query(sql, values);
    } catch (error) {
      throw fault(error, this.#log, 'be read');
    }
  }
}

function streamIn(row: readonly unknown[], position: Position): string {
  const name = row[8];
  if (typeof name === 'string') return name;
  throw new DamagedRecordError('(unknown)', Number(row[3]), 'the record belongs to no stream', { position });
}
