/** Callbacks and observables under the kit, answered from a script or live. Numbers are those of docs/explanation/invariants.md. */
import {
  assign,
  emit,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  setup,
  type AnyEventObject,
} from 'xstate';
import { expect } from 'vitest';
import { random, type Clock } from 'rewake';
import { defineScenario, fuzz, RecoveryFailureError, replay, sweep } from 'rewake/testing';
import { test } from 'rewake/testing/vitest';

const nothing = { subscribe: () => ({ unsubscribe() {} }) };
const shop = setup({
  types: {
    context: {} as { prices: number[]; draws: number[]; seen: number[] },
    events: {} as { type: 'PRICE'; price: number } | { type: 'TICK' },
  },
  actors: {
    prices: fromCallback(() => {}),
    ticks: fromEventObservable(() => nothing),
    stock: fromObservable<number, undefined>(() => nothing),
    buy: fromPromise<string>(() => Promise.resolve('real')),
  },
  actions: {
    price: assign({
      prices: ({ context, event }) => [...context.prices, event.type === 'PRICE' ? event.price : 0],
      draws: ({ context }) => [...context.draws, random()],
    }),
  },
}).createMachine({
  id: 'shop',
  context: { prices: [], draws: [], seen: [] },
  initial: 'watching',
  states: {
    watching: {
      invoke: [
        { src: 'prices' },
        { src: 'ticks' },
        {
          src: 'stock',
          onSnapshot: {
            guard: ({ event }) => event.snapshot.context !== undefined,
            actions: assign({ seen: ({ context, event }) => [...context.seen, event.snapshot.context ?? 0] }),
          },
          onDone: 'buying',
        },
      ],
      on: { PRICE: { actions: 'price' }, TICK: { actions: emit({ type: 'Ticked' }) } },
    },
    buying: { invoke: { src: 'buy', onDone: 'bought' } },
    bought: { type: 'final' },
  },
});

const watching = defineScenario({
  machines: { shop },
  effects: {
    prices: { tells: [10, 11, 12].map((price) => ({ event: { type: 'PRICE', price }, afterMs: 100 })) },
    ticks: { tells: [{ event: { type: 'TICK' } }, { event: { type: 'TICK' }, afterMs: 150 }] },
    stock: {
      tells: [
        { value: 3, afterMs: 100 },
        { value: 2, afterMs: 50 },
        { complete: true, afterMs: 250 },
      ],
    },
    buy: { output: 'bought', afterMs: 10 },
  },
});

test('streams tell what their script says, when it says so', async () => {
  const { ends, facts, calls } = await replay(watching);
  expect(ends['shop-1']).toMatchObject({ value: 'bought', context: { prices: [10, 11, 12], seen: [3, 2] } });
  expect(facts['shop-1']!.map(({ at }) => at)).toEqual([0, 150]);
  expect(calls.map(({ name, at }) => [name, at])).toEqual([
    ['prices', 0],
    ['ticks', 0],
    ['stock', 0],
    ['buy', 400],
  ]);
});

test('4, 6: streams go on after a crash where the log says that they were', async () => {
  const { phases } = await sweep(watching);
  expect(phases.afterAppend).toBeGreaterThan(8);
});

test('3, 4, 25: streams go on under any faults', async () => {
  await fuzz(watching, { numRuns: 600, seed: 3 });
});

test('an observable fails as its script says', async () => {
  const failing = {
    ...watching,
    effects: { ...watching.effects!, stock: { tells: [{ error: () => new Error('closed') }] } },
  };
  const { ends } = await replay(failing, { faults: [{ fault: 'crash', append: 1, phase: 'afterAppend' }] });
  expect(ends['shop-1']).toMatchObject({ status: 'error', error: { name: 'Error', message: 'closed' } });
});

/** Tells the time once a minute; each life of it begins anew, with the minute. */
const alarm = (clock: Clock, minutes: number) =>
  fromCallback<AnyEventObject>(
    ({ sendBack }) => void clock.setTimer(clock.now() + minutes * 60_000, () => sendBack({ type: 'RING' })),
  );
const sleeper = (clock: Clock) =>
  setup({ actors: { alarm: alarm(clock, 1) } }).createMachine({
    id: 'sleeper',
    initial: 'asleep',
    states: {
      asleep: {
        invoke: { src: 'alarm' },
        on: { RING: { target: 'awake', actions: emit({ type: 'Rang' }) }, TURN: {} },
      },
      awake: { type: 'final' },
    },
  });

test('4: a live callback that holds a timer rings later after a crash, and that is found', async () => {
  const sleeping = defineScenario({
    machines: (_, clock) => ({ sleeper: sleeper(clock) }),
    effects: { alarm: 'live' },
    events: [[30_000, { type: 'TURN' }]],
  });
  expect((await replay(sleeping)).ends['sleeper-1']!.value).toBe('awake');
  const error = await sweep(sleeping).catch((failure: unknown) => failure);
  expect(error).toBeInstanceOf(RecoveryFailureError);
  expect((error as Error).message).toContain('at /sleeper-1/0/at expected 60000, found 90000');
});
