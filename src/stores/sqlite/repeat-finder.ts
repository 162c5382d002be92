/**
 * Finds out whether an append is a repeat of one that was written. Owns the look-ups and the table of weak ids.
 *
 * RF1  With an explicit place (a revision or 'no-stream') the ids at exactly that place are compared; no index on ids.
 * RF2  'any' and 'stream-exists' say no place, so the ids written under them are kept in a table of their own.
 */
import { IdReuseError } from '../../errors.ts';
import type { AppendResult, Expected } from '../../log/event-log.ts';
import { appendColumns, appendRow, idsOfRow, positionOf } from './append-row.ts';
import type { Database, Statement } from './driver.ts';
import type { StreamEntry } from './stream-cache.ts';

interface Found {
  readonly id: string;
  readonly position: number;
}

export class RepeatFinder {
  readonly #rowsAround: Statement;
  readonly #weakRevision: Statement;
  readonly #insertWeak: Statement;

  constructor(db: Database) {
    this.#rowsAround = db.prepare(
      `SELECT ${appendColumns} FROM appends WHERE stream_id = ? AND revision <= ? AND revision + count > ?
       AND revision >= coalesce((SELECT max(revision) FROM appends WHERE stream_id = ? AND revision <= ?), 0)
       ORDER BY revision`,
    );
    this.#weakRevision = db.prepare('SELECT revision FROM weak_ids WHERE id = ? AND stream_id = ?');
    this.#insertWeak = db.prepare('INSERT OR IGNORE INTO weak_ids (id, stream_id, revision) VALUES (?, ?, ?)');
  }

  /**
   * The first result when these ids were written by the same append before, undefined when none of them is there.
   * @throws IdReuseError when only some are
   */
  find(entry: StreamEntry, expected: Expected, ids: readonly string[]): AppendResult | undefined {
    if (entry.id === 0) return undefined;
    if (typeof expected !== 'number' && expected !== 'no-stream') return this.#findWeak(entry, ids);
    const first = expected === 'no-stream' ? 0 : expected + 1;
    return first > entry.revision ? undefined : this.#compare(entry, first, ids);
  }

  /** Keeps the ids of an append that named no place. */
  remember(entry: StreamEntry, firstRevision: number, ids: readonly string[]): void {
    for (const [index, id] of ids.entries()) this.#insertWeak.run(id, entry.id, firstRevision + index);
  }

  #findWeak(entry: StreamEntry, ids: readonly string[]): AppendResult | undefined {
    const revisions = ids.map((id) => this.#weakRevision.get(id, entry.id)?.[0] as number | undefined);
    const known = revisions.findIndex((revision) => revision !== undefined);
    if (known < 0) return undefined;
    const first = revisions[known]! - known;
    const repeat = first < 0 ? undefined : this.#compare(entry, first, ids);
    if (repeat) return repeat;
    throw new IdReuseError(entry.name, ids[known]!, revisions[known]!);
  }

  #compare(entry: StreamEntry, first: number, ids: readonly string[]): AppendResult | undefined {
    const found = this.#eventsAt(entry, first, ids.length);
    const same = ids.findIndex((id, index) => found[index]?.id === id);
    if (same < 0) return undefined;
    const different = ids.some((id, index) => found[index]?.id !== id);
    if (different) throw new IdReuseError(entry.name, ids[same]!, first + same);
    return {
      revision: first + ids.length - 1,
      position: positionOf(found[ids.length - 1]!.position),
      deduplicated: true,
    };
  }

  /** Id and position of the events at these revisions, by their distance from `first`; holes where none is. */
  #eventsAt(entry: StreamEntry, first: number, count: number): (Found | undefined)[] {
    const found: (Found | undefined)[] = [];
    for (const each of this.#rowsAround.all(entry.id, first + count - 1, first, entry.id, first)) {
      const row = appendRow(each);
      for (const [index, id] of idsOfRow(entry.name, row).entries()) {
        const at = row.revision + index - first;
        if (at >= 0) found[at] = { id, position: row.position + index };
      }
    }
    return found;
  }
}
