/** Times as a person reads them, and gaps (TW1). */
import { describe, expect, it } from 'vitest';
import { durationWords, exactWords, relativeWords, sinceBefore } from '../../inspector/src/shell/time-words.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

describe('a duration', () => {
  it.each([
    [0, '0 ms'],
    [350, '350 ms'],
    [1000, '1 s'],
    [1240, '1.2 s'],
    [42_000, '42 s'],
    [4 * minute + 5000, '4 min 5 s'],
    [2 * hour, '2 h'],
    [3 * day + 2 * hour + 5 * minute, '3 d 2 h'],
    [412 * day + 5 * hour, '412 d'],
    [-5, '0 ms'],
  ])('of %d ms is %s', (ms, words) => expect(durationWords(ms)).toBe(words));
});

describe('a time relative to now', () => {
  it.each([
    [5 * minute, 'in 5 min'],
    [-2 * hour, '2 h ago'],
    [400, 'now'],
    [-400, 'now'],
  ])('%d ms away is %s', (ahead, words) => expect(relativeWords(1_000_000 + ahead, 1_000_000)).toBe(words));
});

describe('the column of times', () => {
  it('says nothing within one instant, nor where the row before is not known', () => {
    expect(sinceBefore(undefined, 5)).toBeUndefined();
    expect(sinceBefore(5, 5)).toBeUndefined();
  });

  it('says how long it was since the row before', () => {
    expect(sinceBefore(1000, 1350)).toEqual({ text: '+350 ms', isGap: false });
  });

  it('says a gap from a minute on (TW1)', () => {
    expect(sinceBefore(0, minute - 1)).toEqual({ text: '+60 s', isGap: false });
    expect(sinceBefore(0, minute)).toEqual({ text: '1 min later', isGap: true });
    expect(sinceBefore(0, 3 * day + 2 * hour)).toEqual({ text: '3 d 2 h later', isGap: true });
  });
});

it('an exact time has a fixed form, and what is no time is shown as it is', () => {
  expect(exactWords(new Date(2026, 2, 1, 4, 2, 11, 35).getTime())).toBe('2026-03-01 04:02:11.035');
  expect(exactWords(Number.NaN)).toBe('NaN');
});
