/** The sorted list against an array that is sorted after every change. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/clock.ts';
import { InvariantError } from '../../src/errors.ts';
import { SortedList } from '../../src/log/sorted-list.ts';

const byNumber = (a: number, b: number) => a - b;

describe('a sorted list', () => {
  it.each([1, 2, 3])('answers as a sorted array does, over many chunks (SL1, seed %i)', (seed) => {
    const random = seededRandom(seed);
    const list = new SortedList<number>(byNumber);
    const model = new Set<number>();
    for (let step = 0; step < 12_000; step++) {
      // First it mostly grows, then it mostly shrinks, to nothing at last.
      const value = Math.floor(random() * 4_000);
      const grows = random() < (step < 6_000 ? 0.8 : 0.2);
      if (grows && !model.has(value)) {
        list.add(value);
        model.add(value);
      } else if (!grows && model.has(value)) {
        list.delete(value);
        model.delete(value);
      }
      if (step % 500 !== 0) continue;
      const sorted = [...model].sort(byNumber);
      expect(list.size).toBe(sorted.length);
      expect(list.above(undefined, Infinity)).toEqual(sorted);
      const limit = Math.floor(random() * 1_000);
      expect(list.above(value, limit)).toEqual(sorted.filter((each) => each > value).slice(0, limit));
    }
    for (const value of model) list.delete(value);
    expect(list.above(undefined, 10)).toEqual([]);
    list.add(1);
    expect(list.above(undefined, 10)).toEqual([1]);
  });

  it('refuses to remove what it does not hold', () => {
    const list = new SortedList<number>(byNumber);
    list.add(1);
    expect(() => list.delete(2)).toThrow(InvariantError);
    expect(list.size).toBe(1);
  });
});
