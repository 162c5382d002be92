/** One actor brought to go on after its end. */
import { expect, test } from 'vitest';
import { assign, fromPromise, sendTo, setup } from 'xstate';
import { ActorBlockedError, InvalidArgumentError, NotFoundError, NotResumableError } from '../../src/index.ts';
import { atEveryAppend, TwoLives, type Crash } from '../support/two-lives.ts';
import { failureOf, House, outcomeOf } from '../support/house.ts';

type Events = { type: 'FAILED' } | { type: 'rewake.resume'; from?: string; input?: { amount: number } };

/** Fails as long as the world does; resuming calls again, with another amount where one is given. */
const order = (world: { fails: boolean; amounts: number[] }) =>
  setup({
    types: {
      context: {} as { amount: number; error?: unknown },
      input: {} as { amount: number },
      events: {} as Events,
    },
    actors: {
      charge: fromPromise<string, number>(async ({ input }) => {
        world.amounts.push(input);
        if (input < 0) return new Promise(() => {});
        if (world.fails) throw new Error('card declined');
        return 'ok';
      }),
    },
    actions: {
      keepInput: assign(({ context }, input: { amount: number } | undefined) => input ?? context),
      fail: sendTo(({ self }) => self, { type: 'FAILED' }),
      rethrow: assign(() => {
        throw new Error('order failed');
      }),
    },
    guards: { isKnown: ({ event }) => !('from' in event) || event.from === undefined || event.from === 'charge' },
  }).createMachine({
    context: ({ input }) => input,
    initial: 'charging',
    states: {
      charging: {
        invoke: { src: 'charge', input: ({ context }) => context.amount, onDone: 'charged', onError: 'failing' },
      },
      failing: {
        entry: 'fail',
        on: {
          FAILED: { actions: 'rethrow' },
          'rewake.resume': {
            guard: 'isKnown',
            target: 'charging',
            actions: { type: 'keepInput', params: ({ event }) => event.input },
          },
        },
      },
      charged: { type: 'final' },
    },
  });

async function failed() {
  const house = new House();
  const world = { fails: true, amounts: [] as number[] };
  const runtime = await house.open({ order: order(world) });
  const ref = await runtime.start('order', { id: '1', input: { amount: 5 }, correlationId: 'c-1' });
  expect((await failureOf(ref.output())).message).toBe('order failed');
  world.fails = false;
  return { house, world, runtime };
}

test('one that failed hears that it is resumed, in the state it failed in, and goes on', async () => {
  const { house, world, runtime } = await failed();
  const ref = await runtime.resume('order-1', { input: { amount: 7 } });
  await ref.output();
  expect(world.amounts).toEqual([5, 7]);
  const events = await house.events('order-1');
  expect(events.map(({ type }) => type)).toEqual([
    'ActorStarted',
    'EffectFailed',
    'ActorRebased',
    'EventReceived',
    'EffectSucceeded',
  ]);
  expect(events[2]!.data).toMatchObject({ reason: 'resumed', standing: { machines: [{ actor: '/', to: 'failing' }] } });
  expect(events[3]!.data.event).toEqual({ type: 'rewake.resume', input: { amount: 7 } });
  expect(new Set(events.map(({ meta }) => meta.$correlationId))).toEqual(new Set(['c-1']));
});

test('resuming it twice, or while it runs, appends nothing', async () => {
  const { house, runtime, world } = await failed();
  const both = await Promise.all([runtime.resume('order-1'), runtime.resume('order-1', {})]);
  await both[0].output();
  const { length } = await house.events('order-1');
  expect(length).toBe(5);
  await runtime.resume('order-1');
  expect((await house.events('order-1')).length).toBe(length);
  expect(world.amounts.length).toBe(2);
});

test('a machine that does not take it there, one that was stopped and one that is not there are refused', async () => {
  const { house, runtime } = await failed();
  const before = await house.events('order-1');
  const error = await failureOf(runtime.resume('order-1', { from: 'ship' }));
  expect(error).toBeInstanceOf(NotResumableError);
  expect(error.message).toBe(
    `Actor 'order-1' has ended with status 'error' and cannot be resumed: its machine has no transition for the event 'rewake.resume' with from 'ship' in the state "failing" that it ended in. Nothing was written. Check the name, for a flow that of a step, or resume without it; or go back to before that with runtime.rewind('order-1', { to }), or on under another id with runtime.fork().`,
  );
  expect(await failureOf(runtime.resume('order-2'))).toBeInstanceOf(NotFoundError);
  expect(await failureOf(runtime.resume('order-1', { form: 1 } as never))).toBeInstanceOf(InvalidArgumentError);
  expect(await failureOf(runtime.resume('order-1', { from: 1 } as never))).toBeInstanceOf(InvalidArgumentError);
  expect(await house.events('order-1')).toEqual(before);
  const other = await runtime.start('order', { id: '3', input: { amount: -1 } });
  await other.stop();
  expect(await failureOf(runtime.resume('order-3'))).toBeInstanceOf(NotResumableError);
});

test('a blocked one is tried again, and says why it cannot be', async () => {
  const { house } = await failed();
  const other = await house.open({});
  const error = await failureOf(other.resume('order-1'));
  expect(error).toBeInstanceOf(ActorBlockedError);
  expect(error.cause).toMatchObject({ code: 'REWAKE_UNKNOWN_MACHINE' });
  other.register({ order: order({ fails: false, amounts: [] }) });
  expect(await (await other.resume('order-1')).output()).toBeUndefined();
});

test('an input that cannot be logged, or is too large, changes nothing', async () => {
  const { house, runtime } = await failed();
  const before = await house.events('order-1');
  const error = await failureOf(runtime.resume('order-1', { input: { amount: () => 1 } }));
  expect(error).toMatchObject({ code: 'REWAKE_NOT_SERIALIZABLE' });
  const huge = 'x'.repeat(house.log.capabilities.maxEventBytes);
  expect(await failureOf(runtime.resume('order-1', { input: { amount: huge } }))).toMatchObject({
    code: 'REWAKE_EVENT_TOO_LARGE',
  });
  expect(await house.events('order-1')).toEqual(before);
  await (await runtime.resume('order-1')).output();
});

test('a crash at any append of the resumption leaves an actor that can be resumed, or is', async () => {
  let resumedAgain = 0;
  const live = async (crash: Crash) => {
    const world = { fails: true, amounts: [] as number[] };
    const lives = new TwoLives(crash, () => ({ order: order(world) }));
    const first = await lives.first();
    const ref = first.start('order', { id: '1', input: { amount: 5 } });
    ref.catch(() => {});
    const over = ref.then(async (started) => {
      await outcomeOf(started.output());
      world.fails = false;
      await (await first.resume('order-1')).output();
    });
    over.catch(() => {});
    for (let turn = 0; turn < 60; turn++) await new Promise((resolve) => setImmediate(resolve));
    world.fails = false;
    const second = await lives.second();
    const again = await second.start('order', { id: '1', input: { amount: 5 } });
    let result = await outcomeOf(again.output());
    if (result.error) {
      resumedAgain++;
      result = await outcomeOf((await second.resume('order-1')).output());
    }
    return { crashed: lives.crashed, result };
  };
  await atEveryAppend(live, ({ result }, where) =>
    expect(result, where).toEqual({ output: undefined, error: undefined }),
  );
  expect(resumedAgain).toBeGreaterThan(0);
});
