/** The formulas of backoff and jitter against the numbers of their sources (scenarios R10 to R15, R09). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError, random, seededRandom } from 'rewake';
import { backoff, type BackoffOptions, type Jitter } from '../../machines/backoff.ts';
import { uuidv7Source } from '../../src/clock.ts';
import { withAmbient } from '../../src/kernel/determinism.ts';

function delays(options: BackoffOptions, retries: number, r = 0.5): number[] {
  const policy = backoff(options);
  const list: number[] = [];
  for (let retry = 1; retry <= retries; retry++) {
    list.push(policy.delayMs({ retry, r, ...(list.length > 0 && { previousMs: list.at(-1)! }) }));
  }
  return list;
}

const seconds = (...list: number[]) => list.map((each) => each * 1_000);
const none = { jitter: 'none' } as const;

describe('without jitter', () => {
  it('R10: exponential doubles up to the cap', () => {
    expect(delays(none, 8)).toEqual(seconds(1, 2, 4, 8, 16, 32, 60, 60));
    expect(backoff({ ...none, initialDelay: '2s', factor: 3 }).delayMs({ retry: 4, r: 0 })).toBe(54_000);
  });

  it('R11: linear, fixed, fibonacci, sequence and custom', () => {
    expect(delays({ ...none, strategy: 'linear', initialDelay: '2s' }, 3)).toEqual(seconds(2, 4, 6));
    expect(delays({ ...none, strategy: 'fixed' }, 3)).toEqual(seconds(1, 1, 1));
    expect(delays({ ...none, strategy: 'fibonacci' }, 5)).toEqual(seconds(1, 1, 2, 3, 5));
    expect(delays({ ...none, strategy: { sequence: [10, 20] } }, 3)).toEqual([10, 20, 20]);
    expect(delays({ ...none, strategy: { custom: (n) => `${n * n}s` } }, 3)).toEqual(seconds(1, 4, 9));
  });

  it('R15: a delay of 40 days comes out as such', () => {
    const days = 40 * 86_400_000;
    expect(delays({ ...none, strategy: 'fixed', initialDelay: '40d', maxDelay: '40d' }, 1)).toEqual([days]);
  });
});

describe('with jitter', () => {
  const at = (jitter: Jitter, r: number, options: BackoffOptions = {}, retry = 1) =>
    backoff({ ...options, jitter }).delayMs({ retry, r });

  it('R12: full jitter survives the cap', () => {
    expect(at('full', 0.5, {}, 10)).toBe(30_000);
    expect(at('full', 0, {}, 10)).toBe(0);
  });

  it('R13: equal keeps half, decorrelated goes on from the delay before', () => {
    expect(at('equal', 0, { initialDelay: '4s' })).toBe(2_000);
    expect(at('equal', 0.5, { initialDelay: '4s' })).toBe(3_000);
    expect(delays({ jitter: 'decorrelated' }, 5)).toEqual(seconds(2, 3.5, 5.75, 9.125, 14.1875));
  });

  it('R14: proportional and additive', () => {
    const proportional = { proportional: 0.25 };
    expect([0, 0.4, 0.6, 1].map((r) => at(proportional, r))).toEqual(seconds(0.75, 0.95, 1.05, 1.25));
    const third = (r: number) => at(proportional, r, { strategy: 'linear' }, 3);
    expect([0, 0.4, 0.6, 1].map(third)).toEqual(seconds(2.25, 2.85, 3.15, 3.75));
    expect(at({ additive: 0.1 }, 1, { initialDelay: 400 })).toBeCloseTo(440);
  });

  const anyJitter = fc.oneof(
    fc.constantFrom<Jitter>('none', 'full', 'equal', 'decorrelated'),
    fc.double({ min: 0, max: 1, noNaN: true }).map((proportional) => ({ proportional })),
    fc.double({ min: 0, max: 1, noNaN: true }).map((additive) => ({ additive })),
  );
  const strategy = fc.constantFrom('exponential', 'linear', 'fixed', 'fibonacci');

  it('R15: every delay lies between 0 and the cap, also of the 2,049th retry (BO3)', () => {
    fc.assert(
      fc.property(
        anyJitter,
        strategy,
        fc.integer({ min: 1, max: 3_000 }),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (jitter, name, retry, r) => {
          const policy = backoff({ strategy: name as 'fixed', initialDelay: '2s', maxDelay: '30s', jitter });
          for (const n of [retry, 2_049]) {
            const delay = policy.delayMs({ retry: n, r, previousMs: 30_000 });
            expect(delay).toBeGreaterThanOrEqual(0);
            expect(delay).toBeLessThanOrEqual(30_000);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is never NaN, also without a delay to begin with (BO3)', () => {
    for (const strategy of ['exponential', 'fibonacci', 'linear'] as const) {
      expect(backoff({ strategy, initialDelay: 0 }).delayMs({ retry: 2_049, r: 0.5 })).toBeGreaterThanOrEqual(0);
    }
  });

  it('decorrelated goes on from a delay between base and cap, whatever a server asked for (BO4)', () => {
    const policy = backoff({ jitter: 'decorrelated' });
    expect(policy.delayMs({ retry: 2, r: 0.5, previousMs: 10 })).toBe(2_000);
    expect(policy.delayMs({ retry: 2, r: 0, previousMs: 3_600_000 })).toBe(1_000);
  });

  it('every jitter keeps its bounds beside the delay without jitter', () => {
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    const r = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
    fc.assert(
      fc.property(strategy, fc.integer({ min: 1, max: 40 }), r, share, (name, retry, r, j) => {
        const under = (jitter: Jitter) => at(jitter, r, { strategy: name as 'fixed' }, retry);
        const v = under('none');
        const isWithin = (delay: number, least: number, most: number) => {
          expect(delay).toBeGreaterThanOrEqual(least - 1e-6);
          expect(delay).toBeLessThanOrEqual(Math.min(most, 60_000) + 1e-6);
        };
        isWithin(under('full'), 0, v);
        isWithin(under('equal'), v / 2, v);
        isWithin(under({ proportional: j }), v * (1 - j), v * (1 + j));
        isWithin(under({ additive: j }), v, v * (1 + j));
      }),
      { numRuns: 200 },
    );
  });

  it('decorrelated lies between base and three times the delay before, also after a wait of a server (BO4)', () => {
    const previous = fc.oneof(fc.nat(100_000), fc.nat(86_400_000));
    const r = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });
    fc.assert(
      fc.property(previous, r, (previousMs, r) => {
        const delay = backoff({ jitter: 'decorrelated' }).delayMs({ retry: 2, r, previousMs });
        expect(delay).toBeGreaterThanOrEqual(1_000);
        expect(delay).toBeLessThanOrEqual(Math.min(60_000, 3 * Math.max(1_000, previousMs)));
      }),
      { numRuns: 200 },
    );
    // Not on the cap: an hour that a server asked for does not end the spread.
    const afterAnHour = backoff({ jitter: 'decorrelated' }).delayMs({ retry: 2, r: 0.25, previousMs: 3_600_000 });
    expect(afterAnHour).toBe(45_750);
  });

  /** Pearson's chi-square of how the delays fill 20 parts of equal width up to `most`, against filling them alike. */
  const unevenness = (delays: readonly number[], most: number): number => {
    const parts = Array.from({ length: 20 }, () => 0);
    for (const delay of delays) parts[Math.floor((delay / most) * 20)]!++;
    const expected = delays.length / 20;
    return parts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
  };
  const mean = (delays: readonly number[]) => delays.reduce((sum, each) => sum + each, 0) / delays.length;
  /** With 19 degrees of freedom an even spread stays below it 999 times in 1,000; the samples are fixed. */
  const even = 43.82;

  it('full jitter of drawn r spreads evenly over the delay, also at the cap', () => {
    const draw = seededRandom(1);
    const delays = Array.from({ length: 5_000 }, () => at('full', draw(), {}, 10));
    expect(Math.abs(mean(delays) - 30_000)).toBeLessThan(600);
    expect(unevenness(delays, 60_000)).toBeLessThan(even);
  });

  it('so does it with what a machine draws: r depends on nothing but the id of an event, and ids are much alike', () => {
    const nextId = uuidv7Source(() => 1_767_225_600_000, seededRandom(2));
    const drawn = Array.from({ length: 5_000 }, () => withAmbient({ at: 0, seed: nextId() }, random));
    const delays = drawn.map((r) => at('full', r, {}, 3));
    expect(Math.abs(mean(delays) - 2_000)).toBeLessThan(40);
    expect(unevenness(delays, 4_000)).toBeLessThan(even);
    // Neither does one draw say anything of the next one: their differences, folded into [0, 1), are as even.
    const steps = drawn.slice(1).map((r, index) => (r - drawn[index]! + 1) % 1);
    expect(unevenness(steps, 1)).toBeLessThan(even);
  });

  it('full jitter is uniform: mean, least and greatest of evenly drawn r', () => {
    const draws = Array.from({ length: 1_000 }, (_, i) => at('full', i / 1_000, {}, 3));
    expect(draws.reduce((sum, each) => sum + each, 0) / draws.length).toBeCloseTo(1_998, 0);
    expect([Math.min(...draws), Math.max(...draws)]).toEqual([0, 3_996]);
  });
});

it('is frozen, and says what it found', () => {
  expect(Object.isFrozen(backoff())).toBe(true);
  expect(() => backoff({ initialDelay: NaN }, 'retry.backoff')).toThrow(
    /^retry\.backoff\.initialDelay: .* found NaN\.$/,
  );
  expect(() => backoff({ factor: 0.5 }, 'retry.backoff')).toThrow(/^retry\.backoff\.factor: .* found 0\.5\.$/);
});

it.each<[object, string]>([
  [{ initialDelay: -1 }, 'backoff.initialDelay'],
  [{ initialDelay: NaN }, 'backoff.initialDelay'],
  [{ initialDelay: Infinity }, 'backoff.initialDelay'],
  [{ initialDelay: '2s', maxDelay: '1s' }, 'backoff.maxDelay'],
  [{ factor: 0.5 }, 'backoff.factor'],
  [{ factor: '2' }, 'backoff.factor'],
  [{ strategy: 'cubic' }, 'backoff.strategy'],
  [{ strategy: { sequence: [] } }, 'backoff.strategy'],
  [{ strategy: { sequence: [1], custom: () => 1 } }, 'backoff.strategy'],
  [{ strategy: { sequence: [1, -1] } }, 'backoff.strategy.sequence[1]'],
  [{ jitter: 'some' }, 'backoff.jitter'],
  [{ jitter: { additive: 2 } }, 'backoff.jitter'],
  [{ delay: 1 }, 'backoff.delay'],
])('R09: refuses %j, naming %s', (options, path) => {
  expect(() => backoff(options)).toThrow(InvalidArgumentError);
  expect(() => backoff(options)).toThrow(`${path}:`);
});
