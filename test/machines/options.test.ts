/** What machines refuse when they are made, and how they say it (OP1). */
import { describe, expect, it } from 'vitest';
import { fromPromise, type AnyActorLogic } from 'xstate';
import { InvalidArgumentError } from 'rewake';
import { batch } from '../../machines/batch.ts';
import { withBulkhead } from '../../machines/bulkhead.ts';
import { withCache } from '../../machines/caching.ts';
import { withCatch } from '../../machines/catch.ts';
import { withFallback } from '../../machines/fallback.ts';
import { withHealing } from '../../machines/healing.ts';
import { withHedge } from '../../machines/hedge.ts';
import { withRateLimit } from '../../machines/rate-limit.ts';
import { schedule } from '../../machines/schedule.ts';
import { step, withBreaker, withDeadline, withRetry, withTimeout } from '../../machines/step.ts';
import type { PolicyOptions } from '../../machines/step-policy.ts';

const logic = fromPromise(async () => {});

/** The message of what is thrown; also checks its class. */
function refusalOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidArgumentError);
    return (error as Error).message;
  }
  throw new Error('It was not refused.');
}

describe('a combinator', () => {
  const combinators: [name: string, wrap: (logic: AnyActorLogic) => unknown][] = [
    ['withRetry(…)(logic)', withRetry(3)],
    ['withTimeout(…)(logic)', withTimeout('5s')],
    ['withDeadline(…)(logic)', withDeadline('5s')],
    ['withBreaker(…)(logic)', withBreaker('model')],
    ['withFallback(…)(logic)', withFallback([logic])],
    ['withCatch(…)(logic)', withCatch('TypeError')],
    ['withBulkhead("model")(logic)', withBulkhead('model')],
    ['withRateLimit("model")(logic)', withRateLimit('model', { limit: 1, per: '1s' })],
    ['withCache("model")(logic)', withCache('model', { key: String, ttl: '1s' })],
    ['withHedge(options)(logic)', withHedge({ delay: '1s' })],
    ['withHealing(options)(logic)', withHealing({ diagnose: logic, remedies: { restart: logic } })],
    ['batch(options)(logic)', batch()],
    ['schedule("nightly")(logic)', schedule('nightly', { cron: '0 3 * * *' })],
  ];

  it.each(combinators)('%s refuses a plain function, and says what to wrap it in', (name, wrap) => {
    expect(refusalOf(() => wrap((async () => {}) as never))).toBe(
      `${name}: expected actor logic, such as a step or fromPromise(…), found a function. Wrap it with step(name, fn) or effect(fn).`,
    );
  });

  it.each(combinators)('%s refuses what cannot be run', (name, wrap) => {
    expect(() => wrap(logic)).not.toThrow();
    // Undefined is what an import in a circle gives.
    for (const wrong of [undefined, null, {}, 'logic', 1]) {
      expect(refusalOf(() => wrap(wrong as never))).toContain(
        `${name}: expected actor logic, such as a step or fromPromise(…), found `,
      );
    }
  });
});

describe('an unknown option', () => {
  const refusedBy = (options: object) => refusalOf(() => step('a', async () => {}, options as PolicyOptions));

  it('of a breaker is answered with all that a step can say of one', () => {
    for (const use of [{ key: 'model', threshold: 5 }, { threshold: 5 }]) {
      expect(refusedBy({ breaker: use })).toBe(
        "step('a').breaker.threshold: expected one of the options key, consecutive, window, slowCall, openFor, growth, openMax, " +
          "hintMax, halfOpen, autoHalfOpen, mode, scope, wait, onStoreError; there is no 'threshold'.",
      );
    }
  });

  it('of a budget is answered with all that a step can say of one', () => {
    expect(refusedBy({ retry: { budget: { key: 'model', size: 5 } } })).toBe(
      "step('a').retry.budget.size: expected one of the options key, tokens, cost, throttleCost, failureCost, refund, minimum, " +
        "onStoreError; there is no 'size'.",
    );
  });
});
