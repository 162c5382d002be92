import { describe, expect, it } from 'vitest';
import { interleave, ratios, repeat, summarize } from '../../bench/measure.ts';

describe('a summary', () => {
  it('is the middle of an odd number of samples, with the least and the greatest', () => {
    expect(summarize([9, 1, 5])).toEqual({ median: 5, min: 1, max: 9, runs: 3 });
  });

  it('is halfway between the two in the middle of an even number', () => {
    expect(summarize([4, 1, 3, 100]).median).toBe(3.5);
  });

  it('orders by size and not by text', () => {
    expect(summarize([100, 20, 3])).toMatchObject({ median: 20, min: 3, max: 100 });
  });

  it('is refused without samples, and for a sample that is no number', () => {
    expect(() => summarize([])).toThrow(RangeError);
    expect(() => summarize([1, Number.NaN])).toThrow(RangeError);
  });
});

describe('ratios', () => {
  it('are taken pair by pair', () => {
    expect(ratios([10, 30], [5, 10])).toEqual([2, 3]);
  });

  it('are refused where a pair is incomplete', () => {
    expect(() => ratios([1, 2], [1])).toThrow(RangeError);
  });
});

describe('contestants', () => {
  const named = (turns: string[], name: string) => async () => turns.push(name);

  it('take turns, warm-ups first, and only rounds after them are kept (ME1)', async () => {
    const turns: string[] = [];
    const samples = await interleave({ a: named(turns, 'a'), b: named(turns, 'b') }, { rounds: 2, warmups: 1 });
    expect(turns.join('')).toBe('ababab');
    expect(samples).toEqual({ a: [3, 5], b: [4, 6] });
  });

  it('run alone as often as asked', async () => {
    expect(await repeat(named([], 'a'), 3)).toEqual([1, 2, 3]);
  });
});
