/** now(), random() and uuid(), inside a stimulus and outside, and the watch over impure reads. */
/* eslint-disable eslint/no-restricted-properties -- impure reads are what is watched for */
import { describe, expect, it } from 'vitest';
import { now, random, uuid, withAmbient } from '../../src/kernel/determinism.ts';
import { watchImpurity } from '../../src/kernel/impurity.ts';

const ambient = (seed: string, at = 5) => ({ at, seed });
const draw = () => [now(), random(), random(), uuid(), uuid()];

describe('inside a stimulus', () => {
  it('time and chance are those of the stimulus, each time it is applied (D1)', () => {
    const first = withAmbient(ambient('event 1'), draw);
    expect(withAmbient(ambient('event 1'), draw)).toEqual(first);
    expect(withAmbient(ambient('event 2'), draw)).not.toEqual(first);
    expect(first[0]).toBe(5);
    expect(new Set(first).size).toBe(5);
  });

  it('ids are UUIDs of version 4', () => {
    for (let i = 0; i < 50; i++) {
      expect(withAmbient(ambient(`${i}`), uuid)).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      );
    }
  });

  it('goes on drawing where it was when the same stimulus is taken up again', () => {
    const shared = ambient('event');
    const parts = [withAmbient(shared, random), withAmbient(shared, random)];
    const whole = withAmbient(ambient('event'), () => [random(), random()]);
    expect(parts).toEqual(whole);
  });

  it('nests, and ends also when the code throws', () => {
    const seen = withAmbient(ambient('outer', 1), () => [now(), withAmbient(ambient('inner', 2), now), now()]);
    expect(seen).toEqual([1, 2, 1]);
    expect(() =>
      withAmbient(ambient('x', 1), () => {
        throw new Error('boom');
      }),
    ).toThrow('boom');
    expect(now()).toBeGreaterThan(1_000_000);
  });
});

it('outside of a stimulus time and chance are the real ones (D2)', () => {
  expect(random()).not.toBe(random());
  expect(uuid()).not.toBe(uuid());
  expect(now()).toBeGreaterThan(Date.UTC(2020));
});

describe('the watch over impure reads', () => {
  it('names each read once, with its place, and lets it answer (P2)', () => {
    const found: string[] = [];
    const readers = [
      () => Date.now(),
      () => Math.random(),
      () => performance.now(),
      () => crypto.randomUUID(),
      () => new Date().getTime(),
    ];
    const values = watchImpurity(found, () => [...readers, ...readers].map((read) => read()));
    expect(values.every((value) => typeof value === 'string' || value >= 0)).toBe(true);
    expect(found.map((line) => line.split(' read in ')[0])).toEqual([
      'Date.now()',
      'Math.random()',
      'performance.now()',
      'crypto.randomUUID()',
      'new Date()',
    ]);
    expect(found.every((line) => line.includes('determinism.test.ts:'))).toBe(true);
  });

  it('does not mind dates that are made from something', () => {
    const found: string[] = [];
    const date = watchImpurity(found, () => new Date(5));
    expect([date, date instanceof Date, found]).toEqual([new Date(5), true, []]);
  });

  it('puts everything back, also when the code throws (P1)', () => {
    const { Date: RealDate } = globalThis;
    const before = [RealDate.now, Math.random, performance.now, crypto.randomUUID, crypto.getRandomValues];
    expect(() =>
      watchImpurity([], () => {
        throw new Error('boom');
      }),
    ).toThrow('boom');
    expect(globalThis.Date).toBe(RealDate);
    expect([RealDate.now, Math.random, performance.now, crypto.randomUUID, crypto.getRandomValues]).toEqual(before);
    expect(Object.hasOwn(performance, 'now')).toBe(false);
  });
});
