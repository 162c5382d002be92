/**
 * Reads one stream, forwards or backwards. Owns the queries of readStream and head, and the checks that no record of a stream
 * is missing.
 *
 * SR1  A read that ends without an error has read everything: what is missing, deleted or cut short is an error.
 * SR2  Forwards, what precedes a damaged record is given out before the error.
 */
import { DamagedRecordError, StreamDeletedError } from '../../errors.ts';
import { decodeRecord } from '../../log/append-record.ts';
import { verifyEvent } from '../../log/envelope.ts';
import type { ReadStreamOptions, RecordedEvent, Revision, StreamHead } from '../../log/event-log.ts';
import { PageWindow } from '../../log/page-window.ts';
import type { Query } from './connections.ts';
import { fault } from './faults.ts';
import { recordColumns, recordOf, type StoredAppend } from './record.ts';

/** Revisions, both inclusive. */
interface Range {
  readonly low: Revision;
  readonly high: Revision;
}

interface Look {
  readonly first: Revision;
  readonly last: Revision;
  readonly rows: readonly StoredAppend[];
}

export class StreamReader {
  readonly #log: string;
  readonly #query: Query;
  readonly #head: string;
  readonly #forwards: string;
  readonly #backwards: string;

  constructor(log: string, schema: string, query: Query) {
    this.#log = log;
    this.#query = query;
    this.#head = `SELECT revision, first_revision, deleted FROM "${schema}".streams WHERE name = $1`;
    // One statement, so that what is written meanwhile is in both the stream's row and its records, or in neither.
    const look = (span: string) => `
      SELECT s.first_revision, s.revision, s.deleted, ${recordColumns} FROM "${schema}".streams s
      LEFT JOIN LATERAL (
        SELECT * FROM "${schema}".appends a WHERE a.stream_id = s.id AND ${span}
      ) a ON true WHERE s.name = $1 ORDER BY a.revision`;
    // The record that holds the lowest revision may begin before it.
    this.#forwards = look(`a.revision <= least(greatest($2, s.first_revision) + $3 - 1, s.revision, $4)
      AND a.revision >= coalesce((SELECT max(b.revision) FROM "${schema}".appends b
      WHERE b.stream_id = s.id AND b.revision <= greatest($2, s.first_revision)), 0)`);
    this.#backwards = look(`a.revision <= least($2, s.revision) AND a.revision + a.count > least($2, s.revision) - $3
      AND a.revision >= coalesce((SELECT max(b.revision) FROM "${schema}".appends b WHERE b.stream_id = s.id
      AND b.revision <= greatest(least($2, s.revision) - $3 + 1, s.first_revision)), 0)`);
  }

  async head(stream: string): Promise<StreamHead> {
    const [row] = await this.#ask(stream, this.#head, [stream]);
    // A stream of which everything was moved aside is as one that never was.
    if (!row || Number(row[0]) < 0) return { state: 'absent' };
    const [revision, before] = [Number(row[0]), Number(row[1])];
    if (row[2] === true) return { state: 'deleted' };
    return before > 0 ? { state: 'truncated', revision, before } : { state: 'live', revision };
  }

  /** Events in the order asked for, verified, page by page; `guard` throws when reading must stop. */
  async *pages(
    stream: string,
    options: ReadStreamOptions,
    guard: () => void,
  ): AsyncGenerator<readonly RecordedEvent[]> {
    const { backwards = false, limit = Infinity } = options;
    const window = new PageWindow();
    let from = options.from ?? (backwards ? Number.MAX_SAFE_INTEGER : 0);
    let end: Revision | undefined;
    for (let left = limit; left > 0;) {
      guard();
      // Looked up anew for every page: the stream may be truncated or deleted while it is read.
      const span = Math.min(window.events, left);
      const look = backwards
        ? await this.#lookBelow(stream, from, span)
        : await this.#lookAbove(stream, from, span, end);
      if (!look) return;
      // What is written while the read goes on is left to the next one.
      end ??= look.last;
      const last = Math.min(end, look.last);
      const range: Range = backwards
        ? { high: Math.min(from, last), low: Math.max(Math.min(from, last) - span + 1, look.first) }
        : { low: Math.max(from, look.first), high: Math.min(Math.max(from, look.first) + span - 1, last) };
      if (range.low > range.high) return;
      const { events, damage } = eventsOf(stream, look.rows, range, window);
      if (damage && backwards) throw damage;
      yield backwards ? events.reverse() : events;
      if (damage) throw damage;
      if (backwards ? range.low === look.first : range.high === last) return;
      left -= events.length;
      from = backwards ? range.low - 1 : range.high + 1;
    }
  }

  #lookAbove(stream: string, from: Revision, span: number, end = Number.MAX_SAFE_INTEGER): Promise<Look | undefined> {
    return this.#look(stream, this.#forwards, [stream, from, span, end]);
  }

  #lookBelow(stream: string, from: Revision, span: number): Promise<Look | undefined> {
    return this.#look(stream, this.#backwards, [stream, from, span]);
  }

  async #look(stream: string, sql: string, values: readonly unknown[]): Promise<Look | undefined> {
    const rows = await this.#ask(stream, sql, values);
    const [head] = rows;
    if (!head) return undefined;
    const [first, last, deleted] = head;
    if (deleted === true) throw new StreamDeletedError(stream);
    return {
      first: Number(first),
      last: Number(last),
      rows: rows.filter((row) => row[3] !== null).map((row) => recordOf(row.slice(3))),
    };
  }

  async #ask(stream: string, sql: string, values: readonly unknown[]) {
    try {
      return await this.#query(sql, values);
    } catch (error) {
      throw fault(error, this.#log, `read stream '${stream}'`);
    }
  }
}

/** The events of a range, ascending; all of them unless there is damage. */
function eventsOf(
  stream: string,
  rows: readonly StoredAppend[],
  { low, high }: Range,
  window: PageWindow,
): { readonly events: RecordedEvent[]; readonly damage?: DamagedRecordError } {
  const events: RecordedEvent[] = [];
  let next = low;
  let characters = 0;
  try {
    for (const { record, positionAt } of rows) {
      if (record.revision > next || next > high) break;
      const before = events.length;
      for (const event of decodeRecord(stream, record, positionAt)) {
        if (event.revision < next || event.revision > high) continue;
        verifyEvent(event);
        events.push(event);
      }
      next = Math.max(next, record.revision + record.count);
      characters += ((record.heads.length + record.data.length) * (events.length - before)) / record.count;
    }
  } catch (error) {
    if (!(error instanceof DamagedRecordError)) throw error;
    return { events, damage: error };
  }
  window.learn(characters);
  if (next > high) return { events };
  return { events, damage: new DamagedRecordError(stream, next, 'the record is missing') };
}
