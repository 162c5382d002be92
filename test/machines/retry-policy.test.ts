/** The decision to retry, as a pure function (resilience.md §1, scenarios R09, R17 to R20). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from 'rewake';
import { decideRetry, retryPolicy, type RetryFacts, type RetryOptions } from '../../machines/retry-policy.ts';
import { retryAfterOf } from '../../machines/retry-after.ts';

const transient = { class: 'transient', retryable: true } as const;
const facts: RetryFacts = {
  attempt: 1,
  now: 1_000_000,
  r: 0.5,
  sameClassInARow: 1,
  verdict: transient,
};
const none = { backoff: { jitter: 'none' } } as const;
const decide = (options: RetryOptions, change: Partial<RetryFacts> = {}) =>
  decideRetry(retryPolicy({ ...none, ...options }), { ...facts, ...change });

describe('attempts', () => {
  it('R01: maxRetries counts the calls after the first, maxAttempts all', () => {
    expect(decide({ maxRetries: 3 }, { attempt: 3 }).retry).toBe(true);
    expect(decide({ maxRetries: 3 }, { attempt: 4 })).toEqual({ retry: false, reason: 'exhausted' });
    expect(decide({ maxAttempts: 3 }, { attempt: 3 })).toEqual({ retry: false, reason: 'exhausted' });
    expect(decide({}, { attempt: 4 })).toEqual({ retry: false, reason: 'exhausted' });
  });

  it('B14: what a breaker did not let through consumes none', () => {
    const refused = {
      attempt: 9,
      verdict: { class: 'policy', retryable: true },
      rejection: { inARow: 0, openForMs: 42_000 },
    } as const;
    expect(decide({ maxRetries: 3 }, refused)).toMatchObject({ retry: true, delayMs: 60_000 });
    expect(decide({ maxRetries: 3 }, { ...refused, attempt: 0 })).toMatchObject({ retry: true, delayMs: 42_000 });
    expect(decide({}, { ...refused, deadlineAt: facts.now + 42_000 })).toEqual({ retry: false, reason: 'deadline' });
  });

  it('B14: the wait for a breaker is the longer one of backoff and opening', () => {
    const after = (attempt: number, openForMs: number) =>
      decide({}, { attempt, rejection: { inARow: 0, openForMs }, verdict: { class: 'policy', retryable: false } });
    expect(after(3, 1_500)).toMatchObject({ delayMs: 4_000 });
    expect(after(3, 4_500)).toMatchObject({ delayMs: 4_500 });
    expect(after(3, 0)).toMatchObject({ delayMs: 4_000, dueAt: facts.now + 4_000 });
  });

  it('R10: the decisions of one policy wait 1, 2, 4, … s', () => {
    const delays = [1, 2, 3, 4, 5, 6, 7, 8].map((attempt) => decide({ maxRetries: 8 }, { attempt }));
    expect(delays).toMatchObject(
      [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000].map((delayMs) => ({
        delayMs,
        dueAt: facts.now + delayMs,
        parked: false,
      })),
    );
  });
});

describe('what an error means', () => {
  it('R07: cancelled is never retried', () => {
    expect(decide({}, { verdict: { class: 'cancelled', retryable: true } })).toEqual({
      retry: false,
      reason: 'cancelled',
    });
  });

  it('a call that may have had an effect is repeated only where that does no harm', () => {
    const server = { verdict: { class: 'server', retryable: 'idempotent' } } as const;
    expect(decide({}, server).retry).toBe(true);
    expect(decide({ idempotent: false }, server)).toEqual({ retry: false, reason: 'notRetryable' });
    expect(decide({ idempotent: false }).retry).toBe(true);
  });

  it('an ambiguous one is retried once in a row', () => {
    const dns = { verdict: { class: 'dns', retryable: 'once' } } as const;
    expect(decide({}, dns).retry).toBe(true);
    expect(decide({}, { ...dns, sameClassInARow: 2 })).toEqual({ retry: false, reason: 'notRetryable' });
  });

  it('a class may ask for a least wait', () => {
    const local = { class: 'local', retryable: true, minDelayMs: 5_000 } as const;
    expect(decide({}, { verdict: local })).toMatchObject({ delayMs: 5_000 });
  });
});

describe('a hint of the server', () => {
  const hinted = (error: object, options: RetryOptions = {}, change: Partial<RetryFacts> = {}) =>
    decide(options, { ...change, hint: retryAfterOf(error, facts.now) });

  it('R17: is waited for, and never shortens the wait', () => {
    expect(hinted({ headers: { 'Retry-After': '5' } })).toMatchObject({ delayMs: 5_000 });
    const date = new Date(Math.ceil(facts.now / 1_000) * 1_000 + 5_000).toUTCString();
    expect(hinted({ headers: new Headers({ 'retry-after': date }) })).toMatchObject({ delayMs: 5_000 });
    expect(hinted({ response: { headers: new Map([['retry-after-ms', '500']]) } })).toMatchObject({ delayMs: 1_000 });
    for (const value of ['soon', '-5', '', 'Thu, 01 Jan 1970 00:00:00 GMT']) {
      expect(hinted({ headers: { 'retry-after': value } })).toMatchObject({ delayMs: 1_000 });
    }
  });

  it('is spread by a tenth where there is jitter, and never shortened', () => {
    const spread = (r: number) => hinted({ retryAfter: 50 }, { backoff: { jitter: 'full' } }, { r });
    expect([spread(0), spread(0.5)]).toMatchObject([{ delayMs: 50_000 }, { delayMs: 52_500 }]);
  });

  it('R18: that is too long ends the step, or is parked as far as the deadline allows', () => {
    const long = { retryAfter: '3600' };
    const tooLong = { retry: false, reason: 'retryAfterTooLong', retryAfterMs: 3_600_000 };
    expect(hinted(long)).toEqual(tooLong);
    expect(hinted(long, { park: true })).toMatchObject({ retry: true, delayMs: 3_600_000, parked: true });
    const deadlineAt = facts.now + 3_599_000;
    expect(hinted(long, { park: true }, { deadlineAt })).toEqual(tooLong);
    expect(hinted({ retryAfter: 60 })).toMatchObject({ retry: true, parked: false });
  });

  it('R19: a pushback of gRPC is exact, restarts the backoff, or forbids a retry', () => {
    const pushback = (ms: string) => ({ metadata: { 'grpc-retry-pushback-ms': ms } });
    expect(hinted(pushback('-1'))).toEqual({ retry: false, reason: 'stopped' });
    expect(hinted(pushback('700'), {}, { attempt: 3 })).toMatchObject({ delayMs: 700, restartsBackoff: true });
    expect(decide({}, { attempt: 3, backoffResets: 2 })).toMatchObject({ delayMs: 1_000 });
    expect(decide({}, { attempt: 3 })).not.toHaveProperty('restartsBackoff');
  });

  it('R19: after a pushback decorrelated jitter begins at the base again', () => {
    const decorrelated = { backoff: { jitter: 'decorrelated' } } as const;
    const after = (backoffResets: number) =>
      decide(decorrelated, { attempt: 3, previousDelayMs: 20_000, backoffResets });
    expect([after(0), after(2)]).toMatchObject([{ delayMs: 30_500 }, { delayMs: 2_000 }]);
  });

  it('R19: a pushback that is too long ends the step as well', () => {
    expect(decide({}, { hint: { pushbackMs: 61_000 } })).toEqual({
      retry: false,
      reason: 'retryAfterTooLong',
      retryAfterMs: 61_000,
    });
  });

  it('shortens no opening of a breaker, and no least wait of a class', () => {
    const verdict = { class: 'local', retryable: true, minDelayMs: 5_000 } as const;
    expect(decide({}, { verdict, hint: { delayMs: 2_000 } })).toMatchObject({ delayMs: 5_000 });
    expect(decide({}, { rejection: { inARow: 0, openForMs: 9_000 }, hint: { delayMs: 2_000 } })).toMatchObject({
      delayMs: 9_000,
    });
  });

  it('does not make an error retryable, nor an attempt more', () => {
    const hint = { delayMs: 2_000 };
    expect(decide({}, { hint, verdict: { class: 'permanent', retryable: false } })).toMatchObject({
      reason: 'notRetryable',
    });
    expect(decide({}, { hint, attempt: 4 })).toMatchObject({ reason: 'exhausted' });
  });
});

it('R20: there is no wait for a call that would come at the deadline or after it', () => {
  expect(decide({}, { deadlineAt: facts.now + 1_001 }).retry).toBe(true);
  expect(decide({}, { deadlineAt: facts.now + 1_000 })).toEqual({ retry: false, reason: 'deadline' });
});

it('15, 16: no plan makes more calls than the policy, or one before it is due', () => {
  const plan = fc.record({
    maxRetries: fc.nat(6),
    hints: fc.array(fc.option(fc.nat(60_000)), { minLength: 10, maxLength: 10 }),
    r: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  });
  fc.assert(
    fc.property(plan, ({ maxRetries, hints, r }) => {
      const policy = retryPolicy({ maxRetries });
      let attempt = 1;
      for (; ; attempt++) {
        const hint = hints[attempt - 1];
        const decision = decideRetry(policy, { ...facts, attempt, r, hint: hint ? { delayMs: hint } : undefined });
        if (!decision.retry) break;
        expect(decision.dueAt - facts.now).toBeGreaterThanOrEqual(hint ?? 0);
        expect(decision.dueAt - facts.now).toBeGreaterThanOrEqual(policy.backoff.delayMs({ retry: attempt, r }));
      }
      expect(attempt).toBe(maxRetries + 1);
    }),
    { numRuns: 200 },
  );
});

it('no plan in which a breaker refuses now and then makes more calls than the policy, or waits past the deadline', () => {
  const plan = fc.record({
    maxAttempts: fc.integer({ min: 1, max: 6 }),
    refusals: fc.array(fc.option(fc.nat(90_000)), { minLength: 30, maxLength: 30 }),
    deadline: fc.integer({ min: 1, max: 600_000 }),
    jitter: fc.constantFrom('none', 'full', 'equal', 'decorrelated'),
    r: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  });
  fc.assert(
    fc.property(plan, ({ maxAttempts, refusals, deadline, jitter, r }) => {
      const policy = retryPolicy({ maxAttempts, backoff: { jitter } });
      const deadlineAt = facts.now + deadline;
      let [attempt, now] = [0, facts.now];
      let inARow = 0;
      for (const openForMs of refusals) {
        if (openForMs === null) attempt++;
        inARow = openForMs === null ? 0 : inARow + 1;
        const refused = openForMs === null ? {} : { rejection: { inARow, openForMs } };
        const decision = decideRetry(policy, { ...facts, attempt, now, r, deadlineAt, ...refused });
        if (!decision.retry) break;
        expect(decision.dueAt).toBe(now + decision.delayMs);
        expect(decision.delayMs).toBeGreaterThanOrEqual(openForMs ?? 0);
        expect(decision.dueAt).toBeLessThan(deadlineAt);
        now = decision.dueAt;
      }
      expect(attempt).toBeLessThanOrEqual(maxAttempts);
    }),
    { numRuns: 200 },
  );
});

it('is frozen, and says what it found', () => {
  expect(Object.isFrozen(retryPolicy())).toBe(true);
  expect(() => retryPolicy({ maxRetries: NaN })).toThrow(/^retry\.maxRetries: .* found NaN\.$/);
});

const cyclic: { self?: object } = {};
cyclic.self = cyclic;

it.each<[string, unknown, RegExp]>([
  ['that contains itself', cyclic, /found an object\.$/],
  ['with a bigint', { n: 5n }, /found an object\.$/],
  ['as long as a book', 'x'.repeat(10_000), /found "x{200}…"\.$/],
])('R09: refuses a value %s with a typed error', (_, value, found) => {
  const options = { maxRetries: value as number };
  expect(() => retryPolicy(options)).toThrow(InvalidArgumentError);
  expect(() => retryPolicy(options)).toThrow(found);
});

it.each<[object, string]>([
  [{ maxRetries: -1 }, 'retry.maxRetries'],
  [{ maxRetries: 1.5 }, 'retry.maxRetries'],
  [{ maxRetries: NaN }, 'retry.maxRetries'],
  [{ maxRetries: '3' }, 'retry.maxRetries'],
  [{ maxAttempts: 0 }, 'retry.maxAttempts'],
  [{ maxRetries: 1, maxAttempts: 2 }, 'retry'],
  [{ backoff: { factor: 0 } }, 'retry.backoff.factor'],
  [{ retryAfterMax: 'long' }, 'retry.retryAfterMax'],
  [{ park: 'yes' }, 'retry.park'],
  [{ retryIf: true }, 'retry.retryIf'],
  [{ retries: 3 }, 'retry.retries'],
])('R09: refuses %j, naming %s', (options, path) => {
  expect(() => retryPolicy(options)).toThrow(InvalidArgumentError);
  expect(() => retryPolicy(options)).toThrow(`${path}:`);
});
