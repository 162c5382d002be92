/** What a combinator may wrap: actor logic and nothing else, found out when it is given and not when it is called (OP1). */
import { expect, it } from 'vitest';
import { fromPromise, type AnyActorLogic } from 'xstate';
import { InvalidArgumentError } from 'rewake';
import {
  batch,
  schedule,
  withBreaker,
  withBulkhead,
  withCache,
  withCatch,
  withDeadline,
  withFallback,
  withHealing,
  withHedge,
  withRateLimit,
  withRetry,
  withTimeout,
} from '../../machines/index.ts';

const logic = fromPromise(async () => 'done');
const combinators: Record<string, (wrapped: AnyActorLogic) => unknown> = {
  batch: batch(),
  schedule: schedule('nightly', { cron: '0 3 * * *' }),
  withBreaker: withBreaker('api'),
  withBulkhead: withBulkhead('api'),
  withCache: withCache('prices', { key: String, ttl: '1m' }),
  withCatch: withCatch('NoReceiptError'),
  withDeadline: withDeadline('1m'),
  withFallback: withFallback([logic]),
  withHealing: withHealing({ diagnose: logic, remedies: { again: logic } }),
  withHedge: withHedge({ delay: '1s' }),
  withRateLimit: withRateLimit('api', { limit: 1, per: '1s' }),
  withRetry: withRetry(),
  withTimeout: withTimeout('1s'),
};

it.each(Object.entries(combinators))('%s refuses what is no logic', (_, wrap) => {
  expect(() => wrap(logic)).not.toThrow();
  // Undefined is what an import in a circle gives.
  for (const wrong of [undefined, null, async () => 'done', {}, 'logic', 1]) {
    expect(() => wrap(wrong as never)).toThrow(InvalidArgumentError);
    expect(() => wrap(wrong as never)).toThrow(/\(logic\): expected actor logic/);
  }
});
