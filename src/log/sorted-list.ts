/**
 * A list that stays sorted while items come and go, in chunks: adding and removing move at most one chunk. Owns the
 * order; knows nothing of what it holds.
 *
 * SL1  Items are strictly ascending by `compare`; no chunk but the only one is empty.
 */
import { invariant } from '../invariant.ts';

const chunkMax = 512;

/** A sorted list; two items that compare equal are the same item. */
export class SortedList<T> {
  readonly #compare: (a: T, b: T) => number;
  #chunks: T[][] = [[]];
  #size = 0;

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#size;
  }

  add(item: T): void {
    const at = this.#chunkFor(item);
    const chunk = this.#chunks[at]!;
    chunk.splice(this.#countBelow(chunk, item, false), 0, item);
    this.#size++;
    if (chunk.length > chunkMax) this.#chunks.splice(at + 1, 0, chunk.splice(chunkMax >>> 1));
  }

  delete(item: T): void {
    const at = this.#chunkFor(item);
    const chunk = this.#chunks[at]!;
    const index = this.#countBelow(chunk, item, false);
    const found = chunk[index];
    invariant(found !== undefined && this.#compare(found, item) === 0, 'an item to remove is in the sorted list');
    chunk.splice(index, 1);
    this.#size--;
    if (chunk.length === 0 && this.#chunks.length > 1) this.#chunks.splice(at, 1);
  }

  /** Up to `limit` items above `bound`, in order; from the first item when there is no bound. */
  above(bound: T | undefined, limit: number): T[] {
    const items: T[] = [];
    let at = bound === undefined ? 0 : this.#chunkFor(bound);
    let from = bound === undefined ? 0 : this.#countBelow(this.#chunks[at]!, bound, true);
    for (; at < this.#chunks.length && items.length < limit; at++, from = 0) {
      const chunk = this.#chunks[at]!;
      const until = Math.min(chunk.length, from + limit - items.length);
      for (let index = from; index < until; index++) items.push(chunk[index]!);
    }
    return items;
  }

  /** The last chunk that begins at or below an item: the only one that can hold it. */
  #chunkFor(item: T): number {
    let low = 0;
    let high = this.#chunks.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.#compare(this.#chunks[middle]![0]!, item) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** How many items of a chunk are below `bound`, or, with `orEqual`, not above it. */
  #countBelow(chunk: readonly T[], bound: T, orEqual: boolean): number {
    let low = 0;
    let high = chunk.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const order = this.#compare(chunk[middle]!, bound);
      if (order < 0 || (orEqual && order === 0)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
