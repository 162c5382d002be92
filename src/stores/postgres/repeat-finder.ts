/**
 * Finds out whether an append that was refused is a repeat of one that was written. Owns the look-ups.
 *
 * RP1  With an explicit place the ids at exactly that place are compared, also after the stream has moved on.
 * RP2  'any' and 'stream-exists' say no place, so the ids that were written under them are kept in a table of their own.
 */
import { IdReuseError } from '../../errors.ts';
import { idsOfRecord } from '../../log/append-record.ts';
import type { AppendResult, Expected } from '../../log/event-log.ts';
import type { Query } from './connections.ts';
import { fault } from './faults.ts';
import { positionOf, type Place } from './place.ts';
import { recordColumns, recordOf } from './record.ts';

export class RepeatFinder {
  readonly #log: string;
  readonly #schema: string;
  readonly #query: Query;

  constructor(log: string, schema: string, query: Query) {
    this.#log = log;
    this.#schema = schema;
    this.#query = query;
  }

  /**
   * The first result when these ids were written by the same append before, undefined when none of them is there.
   * @throws IdReuseError when only some are
   */
  async find(stream: string, expected: Expected, ids: readonly string[]): Promise<AppendResult | undefined> {
    if (ids.length === 0) return undefined;
    try {
      if (typeof expected === 'number') return await this.#compare(stream, expected + 1, ids);
      return expected === 'no-stream' ? await this.#compare(stream, 0, ids) : await this.#findWeak(stream, ids);
    } catch (error) {
      throw fault(error, this.#log, `look for a repeat in stream '${stream}'`);
    }
  }

  async #findWeak(stream: string, ids: readonly string[]): Promise<AppendResult | undefined> {
    const rows = await this.#query(
      `SELECT w.id, w.revision FROM "${this.#schema}".weak_ids w JOIN "${this.#schema}".streams s ON s.id = w.stream_id
       WHERE s.name = $1 AND w.id = ANY($2)`,
      [stream, ids],
    );
    const revisions = new Map(rows.map(([id, revision]) => [id as string, Number(revision)]));
    const known = ids.findIndex((id) => revisions.has(id));
    if (known < 0) return undefined;
    const revision = revisions.get(ids[known]!)!;
    const first = revision - known;
    const repeat = first < 0 ? undefined : await this.#compare(stream, first, ids);
    if (repeat) return repeat;
    throw new IdReuseError(stream, ids[known]!, revision);
  }

  async #compare(stream: string, first: number, ids: readonly string[]): Promise<AppendResult | undefined> {
    const rows = await this.#query(
      `SELECT ${recordColumns} FROM "${this.#schema}".appends a JOIN "${this.#schema}".streams s ON s.id = a.stream_id
       WHERE s.name = $1 AND a.revision <= $2 AND a.revision + a.count > $3 ORDER BY a.revision`,
      [stream, first + ids.length - 1, first],
    );
    const found: ((Place & { readonly id: string }) | undefined)[] = [];
    for (const row of rows) {
      const { record, positionAt, tx, place, skipped } = recordOf(row);
      for (const [index, id] of idsOfRecord(stream, record, positionAt).entries()) {
        const at = record.revision + index - first;
        if (at >= 0) found[at] = { id, tx, place, index: skipped + index };
      }
    }
    const same = ids.findIndex((id, index) => found[index]?.id === id);
    if (same < 0) return undefined;
    if (ids.some((id, index) => found[index]?.id !== id)) throw new IdReuseError(stream, ids[same]!, first + same);
    const last = found[ids.length - 1]!;
    return { revision: first + ids.length - 1, position: positionOf(last), deduplicated: true };
  }
}
