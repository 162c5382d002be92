/**
 * The rate limiter by itself: against an exact token bucket, with clocks that go back, and with other options. Letters and
 * numbers are those of the headers of machines/rate-limiter.ts and machines/token-bucket.ts.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { InvalidArgumentError } from 'rewake';
import { rateLimitSettings, type RateLimit } from '../../machines/rate-limit-options.ts';
import {
  answerOf,
  answerWithoutRecord,
  needsConfiguring,
  rateLimiter,
  type RateLimitAnswer,
  type RateLimiterEvent,
  type RateLimiterFact,
} from '../../machines/rate-limiter.ts';
import { withAmbient } from '../../src/kernel/determinism.ts';

const mustBeAlike = (found: unknown, expected: unknown): void => expect(found).toEqual(expected);
const mustDiffer = (found: unknown, other: unknown): void => expect(found).not.toEqual(other);

/** A limiter under plain XState at a time that the test sets. */
class Bench {
  nowMs = 1_767_225_600_000;
  readonly facts: RateLimiterFact[] = [];
  readonly #actor;
  #calls = 0;

  constructor(options: RateLimit) {
    this.#actor = createActor(rateLimiter, { input: { key: 'api', options } });
    this.#actor.on('*', (fact) => void this.facts.push(fact));
    withAmbient({ at: this.nowMs, seed: '' }, () => this.#actor.start());
  }

  get snapshot() {
    return this.#actor.getSnapshot();
  }

  send(event: RateLimiterEvent): void {
    withAmbient({ at: this.nowMs, seed: '' }, () => this.#actor.send(event));
  }

  /** RL4: what is answered without a record changes nothing when it is asked all the same; what is not changes something. */
  ask(waitMs = 0, id = `call-${++this.#calls}`): RateLimitAnswer {
    const known = answerWithoutRecord(this.snapshot, { id, waitMs }, this.nowMs);
    const before = this.snapshot.context;
    this.send({ type: 'turn.asked', id, waitMs });
    const answer = answerOf(this.snapshot, id, this.nowMs);
    if (known) mustBeAlike([this.snapshot.context, answer], [before, known]);
    else mustDiffer(this.snapshot.context, before);
    return answer;
  }

  /** How many calls are let through at once. */
  admitted(calls: number): number {
    return Array.from({ length: calls }, () => this.ask()).filter(({ startAt }) => startAt !== undefined).length;
  }
}

/** A token bucket in whole numbers: a token is `perMs` units, and every ms brings `limit` of them. */
class ExactBucket {
  #units: bigint;
  readonly #settings;

  constructor(options: RateLimit) {
    this.#settings = rateLimitSettings(options);
    this.#units = this.#most;
  }

  get #most(): bigint {
    return BigInt(this.#settings.burst) * BigInt(this.#settings.perMs);
  }

  pass(ms: number): void {
    const units = this.#units + BigInt(ms) * BigInt(this.#settings.limit);
    this.#units = units < this.#most ? units : this.#most;
  }

  take(): boolean {
    const cost = BigInt(this.#settings.perMs);
    if (this.#units < cost) return false;
    this.#units -= cost;
    return true;
  }
}

const limits = fc.record({
  limit: fc.integer({ min: 1, max: 40 }),
  per: fc.integer({ min: 1, max: 5_000 }),
  burst: fc.integer({ min: 1, max: 60 }),
});
/** Pauses that are short against most limits, with a few long ones. */
const pauses = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 0, max: 30 }),
  fc.integer({ min: 0, max: 3_000 }),
  fc.integer({ min: 0, max: 40_000_000 }),
);

/** The most of these times that lie in one window [t, t + per). */
function mostInWindow(times: readonly number[], perMs: number): number {
  const sorted = times.toSorted((a, b) => a - b);
  return Math.max(0, ...sorted.map((from) => sorted.filter((at) => at >= from && at < from + perMs).length));
}

describe('a rate limiter', () => {
  it('RL1: lets exactly those through for whom an exact token bucket has a token', () => {
    fc.assert(
      fc.property(limits, fc.array(pauses, { maxLength: 120 }), (options, steps) => {
        const bench = new Bench(options);
        const exact = new ExactBucket(options);
        for (const pauseMs of steps) {
          bench.nowMs += pauseMs;
          exact.pass(pauseMs);
          const answer = bench.ask();
          expect(answer.startAt !== undefined).toBe(exact.take());
        }
      }),
    );
  });

  it('RL1, RL2: in no window do more than burst + limit turns begin, also those that are waited for; none overtakes', () => {
    const questions = fc.array(fc.tuple(pauses, fc.constantFrom(0, 10, 500, 20_000)), { maxLength: 120 });
    fc.assert(
      fc.property(limits, questions, (options, steps) => {
        const bench = new Bench(options);
        const starts: number[] = [];
        for (const [pauseMs, waitMs] of steps) {
          bench.nowMs += pauseMs;
          const { startAt } = bench.ask(waitMs);
          if (startAt === undefined) continue;
          expect(startAt - bench.nowMs).toBeGreaterThanOrEqual(0);
          expect(startAt - bench.nowMs).toBeLessThanOrEqual(waitMs);
          expect(startAt).toBeGreaterThanOrEqual(starts.at(-1) ?? 0);
          starts.push(startAt);
        }
        expect(mostInWindow(starts, options.per)).toBeLessThanOrEqual(options.burst + options.limit);
      }),
    );
  });

  it('says to the ms when a token is there', () => {
    fc.assert(
      fc.property(limits, fc.array(pauses, { maxLength: 40 }), (options, steps) => {
        const bench = new Bench(options);
        for (const pauseMs of steps) {
          bench.nowMs += pauseMs;
          const { retryAfterMs } = bench.ask();
          if (retryAfterMs === undefined) continue;
          bench.nowMs += retryAfterMs - 1;
          expect(bench.ask().startAt).toBeUndefined();
          bench.nowMs += 1;
          expect(bench.ask().startAt).toBe(bench.nowMs);
        }
      }),
    );
  });

  it('RL5, TB3: a clock that goes back and forth brings no more tokens than it goes forward', () => {
    const moves = fc.array(fc.integer({ min: -5_000, max: 5_000 }), { maxLength: 100 });
    fc.assert(
      fc.property(limits, moves, (options, steps) => {
        const bench = new Bench(options);
        let admitted = 0;
        let forwardMs = 0;
        for (const moveMs of steps) {
          bench.nowMs += moveMs;
          forwardMs += Math.max(0, moveMs);
          admitted += bench.admitted(3);
        }
        expect(admitted).toBeLessThanOrEqual(options.burst + (forwardMs * options.limit) / options.per);
      }),
    );
  });

  it('RL5, TB3: an hour back costs none of the tokens, and the next come as if nothing had happened', () => {
    const bench = new Bench({ limit: 10, per: '1s' });
    expect(bench.admitted(7)).toBe(7);
    bench.nowMs -= 3_600_000;
    expect(bench.admitted(9)).toBe(3);
    bench.nowMs += 99;
    expect(bench.admitted(2)).toBe(0);
    bench.nowMs += 1;
    expect(bench.admitted(2)).toBe(1);
    bench.nowMs -= 50;
    bench.nowMs += 1_050;
    expect(bench.admitted(20)).toBe(10);
  });

  it('RL3: gives the same turn to who asks again, once, and pays once', () => {
    const bench = new Bench({ limit: 1, per: '1s', burst: 2 });
    const first = bench.ask(5_000, 'a');
    expect(bench.ask(5_000, 'a')).toEqual(first);
    const later = [bench.ask(5_000, 'b'), bench.ask(5_000, 'c')];
    expect(later[1]).toEqual({ startAt: bench.nowMs + 1_000 });
    bench.nowMs += 200;
    expect([bench.ask(0, 'a'), bench.ask(0, 'b'), bench.ask(0, 'c')]).toEqual([first, ...later]);
    expect(bench.ask(5_000, 'd')).toEqual({ startAt: bench.nowMs - 200 + 2_000 });
    bench.nowMs += 60_000;
    bench.ask(0, 'e');
    expect(bench.snapshot.context.turns.map(({ id }) => id)).toEqual(['e']);
  });

  it('remembers at most a thousand turns', () => {
    const bench = new Bench({ limit: 2_000, per: '1h' });
    for (let call = 0; call < 1_010; call++) bench.send({ type: 'turn.asked', id: `${call}`, waitMs: 0 });
    const { turns } = bench.snapshot.context;
    expect([turns.length, turns[0]!.id, turns.at(-1)!.id]).toEqual([1_000, '10', '1009']);
  });

  it('keeps its numbers small and its tokens exact after many calls (TB1)', () => {
    const bench = new Bench({ limit: 3, per: 1_000, burst: 1 });
    const began = bench.nowMs;
    for (let call = 0; call < 3_000; call++) {
      const { startAt } = bench.ask(1_000);
      expect(startAt).toBe(began + Math.ceil((call * 1_000) / 3));
      bench.nowMs = startAt!;
    }
    expect(bench.snapshot.context.bucket.taken).toBeLessThan(3);
  });
});

it('RL6: a question that makes no sense takes no token and leaves no trace', () => {
  const bench = new Bench({ limit: 2, per: '1h' });
  const { context } = bench.snapshot;
  const none = [undefined, null, NaN, Infinity, -Infinity, 5n, {}, [], true] as never[];
  for (const id of none) bench.send({ type: 'turn.asked', id, waitMs: 0 });
  for (const waitMs of [...none, '5' as never]) bench.send({ type: 'turn.asked', id: 'call', waitMs });
  expect(bench.snapshot.context).toEqual(context);
  expect(bench.admitted(3)).toBe(2);
});

describe('other options', () => {
  it('change the limit from then on, with as many tokens missing as before, and are told', () => {
    const bench = new Bench({ limit: 10, per: '10s' });
    bench.admitted(4);
    bench.send({ type: 'rateLimiter.configured', options: { limit: 5, per: '1s', burst: 6 } });
    expect(bench.admitted(9)).toBe(2);
    bench.nowMs += 200;
    expect(bench.admitted(9)).toBe(1);
    expect(bench.facts).toEqual([{ type: 'RateLimitChanged', key: 'api', limit: 5, perMs: 1_000, burst: 6 }]);
  });

  it('that are lower leave it empty at worst, not in debt', () => {
    const bench = new Bench({ limit: 100, per: '1s' });
    bench.admitted(100);
    bench.send({ type: 'rateLimiter.configured', options: { limit: 1, per: '1s' } });
    expect(bench.ask()).toEqual({ retryAfterMs: 1_000 });
  });

  it('that are the same are not worth an event, and change nothing when they are sent', () => {
    const bench = new Bench({ limit: 10, per: '10s' });
    bench.admitted(4);
    const { context } = bench.snapshot;
    const same = { limit: 10, per: 10_000, burst: 10 };
    expect(needsConfiguring(bench.snapshot, same)).toBe(false);
    expect(needsConfiguring(bench.snapshot, { ...same, burst: 9 })).toBe(true);
    bench.send({ type: 'rateLimiter.configured', options: same });
    expect([bench.snapshot.context, bench.facts]).toEqual([context, []]);
  });

  it('RLO2: that are as large as may be leave a limiter that says when, and works again when it is given others', () => {
    const largest = { limit: 1e9, per: '10000d', burst: 1e9 } as const;
    const slowest = { limit: 1, per: '10000d', burst: 1 } as const;
    for (const options of [largest, slowest, { ...slowest, burst: 1e9 }]) {
      const bench = new Bench({ limit: 2, per: '1s' });
      bench.send({ type: 'rateLimiter.configured', options });
      for (let call = 0; call < 1_100; call++) {
        const { startAt, retryAfterMs } = bench.ask(1e12);
        expect(Number.isFinite(startAt ?? retryAfterMs)).toBe(true);
      }
      bench.send({ type: 'rateLimiter.configured', options: { limit: 2, per: '1s' } });
      bench.nowMs += 1_000;
      expect(bench.admitted(3)).toBe(2);
    }
  });

  it('that cannot work change nothing and are told', () => {
    const bench = new Bench({ limit: 10, per: '10s' });
    const { context } = bench.snapshot;
    bench.send({ type: 'rateLimiter.configured', options: { limit: 0, per: '10s' } });
    expect(bench.snapshot.context).toEqual(context);
    expect(bench.facts).toEqual([
      { type: 'RateLimitOptionsRefused', key: 'api', problem: expect.stringContaining('rateLimiter.limit') as string },
    ]);
  });
});

it.each([
  [{ per: '1s' }, 'limit'],
  [{ limit: 0, per: '1s' }, 'limit'],
  [{ limit: 1.5, per: '1s' }, 'limit'],
  [{ limit: '3', per: '1s' }, 'limit'],
  [{ limit: 1 }, 'per'],
  [{ limit: 1, per: 0 }, 'per'],
  [{ limit: 1, per: 'soon' }, 'per'],
  [{ limit: 1, per: Infinity }, 'per'],
  [{ limit: 1, per: '10001d' }, 'per'],
  [{ limit: 1e9 + 1, per: '1s' }, 'limit'],
  [{ limit: 1, per: '1s', burst: 1e9 + 1 }, 'burst'],
  [{ limit: 1, per: '1s', burst: 0 }, 'burst'],
  [{ limit: 1, per: '1s', bursts: 2 }, 'bursts'],
])('refuses options %j', (options, path) => {
  expect(() => rateLimitSettings(options as never, 'api')).toThrow(InvalidArgumentError);
  expect(() => rateLimitSettings(options as never, 'api')).toThrow(`api.${path}`);
});
