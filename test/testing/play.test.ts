/** Machines that are known to recover do so under the kit, with every fault. Numbers are those of docs/explanation/invariants.md. */
import { assign, fromPromise, setup } from 'xstate';
import { expect } from 'vitest';
import { random, type RecordedEvent } from 'rewake';
import { breaker, step } from 'rewake/machines';
import { defineScenario, fuzz, sometimes, sweep, type Outcome } from 'rewake/testing';
import { test } from 'rewake/testing/vitest';

const order = setup({
  types: { context: {} as { tries: number; draw: number } },
  actors: { charge: fromPromise(() => Promise.resolve('real')) },
  actions: { count: assign({ tries: ({ context }) => context.tries + 1, draw: () => random() }) },
}).createMachine({
  id: 'order',
  context: { tries: 0, draw: 0 },
  initial: 'new',
  states: {
    new: { on: { PAY: 'charging' } },
    charging: {
      invoke: { src: 'charge', onDone: 'packing', onError: { target: 'waiting', actions: 'count' } },
    },
    waiting: { after: { 1000: 'charging' } },
    packing: { after: { 3_600_000: 'done' } },
    done: { type: 'final' },
  },
});

const ordering = defineScenario({
  machines: { order },
  effects: { charge: [{ error: new Error('busy') }, { output: 'ok', afterMs: 10 }] },
  events: [{ type: 'PAY' }],
});

const charge = step('charge', () => 'real', { retry: 3, timeout: '30s', breaker: 'bank' });
const shop = setup({ actors: { charge } }).createMachine({
  id: 'shop',
  initial: 'charging',
  states: {
    charging: { invoke: { src: 'charge', onDone: 'done', onError: 'failed' } },
    done: { type: 'final' },
    failed: {},
  },
});
const busy = () => Object.assign(new Error('busy'), { status: 503 });
const shopping = defineScenario({
  machines: { shop, breaker },
  effects: { charge: [{ error: busy }, { error: busy, afterMs: 100 }, { output: 1 }] },
});

test.recovery('an order recovers', ordering);
test.recovery('a step with jitter, a timeout and a breaker recovers', shopping);

test('every append has its crashes, and every recovery', async () => {
  const { phases, crashes } = await sweep(ordering);
  expect(phases).toEqual({
    ...{ beforeAppend: 4, afterAppend: 6, beforeResult: 2, ackLost: 6, snapshot: 10 },
    recovery: expect.any(Number) as number,
  });
  expect(crashes).toBeGreaterThan(4 + 6 + 2 + 10 + phases.recovery);
});

test('a fuzz says what it tried', async () => {
  const { runs, crashes, damages, seed } = await fuzz(ordering, { numRuns: 50, seed: 5 });
  expect(seed).toBe(5);
  expect(runs).toBeGreaterThan(100);
  expect(crashes).toBeGreaterThan(20);
  expect(damages).toBeGreaterThan(1);
});

test('a condition that is never reached fails the whole, and one that is reached once does not', async () => {
  const checking = (met: (deaths: number) => boolean) => ({
    ...ordering,
    check: ({ events }: Outcome) => sometimes('a host came back', met(hostsOf(events))),
  });
  await sweep(checking((hosts) => hosts > 0));
  await expect(sweep(checking((hosts) => hosts > 3))).rejects.toThrow("'a host came back': evaluated");
});

function hostsOf(events: readonly RecordedEvent[]): number {
  return events.filter(({ type }) => type === 'ActorResumed').length;
}
