/** Which keys the actors have that many share: those that are the id of an actor, found out when a machine is made (OP1). */
import { expect, it } from 'vitest';
import { fromPromise, type AnyStateMachine } from 'xstate';
import { InvalidArgumentError } from 'rewake';
import { withCache } from '../../machines/caching.ts';
import { recoveryMachines } from '../../machines/index.ts';
import { withRateLimit } from '../../machines/rate-limit.ts';
import { step } from '../../machines/step.ts';
import { House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const call = fromPromise(async () => 'done');
const users: Record<string, (key: string) => unknown> = {
  withRateLimit: (key) => withRateLimit(key, { limit: 1, per: '1s' })(call),
  withCache: (key) => withCache(key, { key: () => 'k', ttl: '1s' })(call),
  breaker: (key) => step('work', () => 'done', { breaker: key }),
  retryBudget: (key) => step('work', () => 'done', { retry: { maxRetries: 1, budget: { key } } }),
};

it.each(Object.entries(users))('%s takes the keys that its actor can have', async (_, make) => {
  for (const key of ['/', '%', 'a b', '-', '@', '*', '#a', '__proto__', 'ünï漢字😀', 'x'.repeat(200)]) {
    const runtime = await new House().open({ work: make(key) as AnyStateMachine, ...recoveryMachines });
    const ref = await runtime.start('work', { id: '1' });
    await rest();
    await expect(ref.output()).resolves.toBe('done');
  }
});

it.each(Object.entries(users))('%s refuses the others when it is made', (_, make) => {
  for (const key of ['', 'x'.repeat(201), 'two\nlines', 'nul\0', 'half \ud83d']) {
    expect(() => make(key)).toThrow(InvalidArgumentError);
    expect(() => make(key)).toThrow(/expected a name of 1 to 200 characters without control characters/);
  }
});
