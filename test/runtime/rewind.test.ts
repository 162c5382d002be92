/** Going back: RB1 to RB3 of src/runtime/rebases.ts. */
import { expect, expectTypeOf, test } from 'vitest';
import { assign, emit, fromPromise, setup } from 'xstate';
import {
  ActorBlockedError,
  effect,
  InvalidArgumentError,
  LogUnavailableError,
  NotFoundError,
  type ActorRef,
  type EffectArguments,
} from '../../src/index.ts';
import { atEveryAppend, TwoLives, type Crash } from '../support/two-lives.ts';
import { failureOf, House } from '../support/house.ts';

const counter = setup({
  types: { context: {} as { sum: number }, events: {} as { type: 'ADD'; n: number } | { type: 'FAIL' | 'END' } },
}).createMachine({
  context: { sum: 0 },
  initial: 'counting',
  states: {
    counting: {
      on: {
        ADD: { actions: assign({ sum: ({ context, event }) => context.sum + event.n }) },
        FAIL: {
          actions: () => {
            throw new Error('broken');
          },
        },
        END: 'ended',
      },
    },
    ended: { type: 'final' },
  },
});

const add = (n: number) => ({ type: 'ADD', n }) as const;

async function counted(house = new House()) {
  const runtime = await house.open({ counter });
  const ref = await runtime.start('counter', { id: '1', correlationId: 'c-1' });
  for (const n of [1, 10, 100]) await ref.send(add(n));
  return { house, runtime, ref };
}

test('RB1: a rewound actor goes on from where it was, and nothing of its stream is gone', async () => {
  const { house, runtime, ref } = await counted();
  const before = await house.events('counter-1');
  const back = await runtime.rewind('counter-1', { to: 1 });
  expect(back.getSnapshot().context).toEqual({ sum: 1 });
  expectTypeOf(back).toEqualTypeOf<ActorRef<typeof counter>>();
  expect(ref.getSnapshot().context).toEqual({ sum: 1 });
  await ref.send(add(5));
  expect(ref.getSnapshot().context).toEqual({ sum: 6 });
  const after = await house.events('counter-1');
  expect(after.slice(0, 4)).toEqual(before);
  expect(after.slice(4).map(({ type }) => type)).toEqual(['ActorRebased', 'EventReceived']);
  expect(after[4]!.data).toMatchObject({
    reason: 'rewound',
    to: 1,
    standing: { status: 'active', machines: [{ actor: '/', to: 'counting' }], effects: [], timers: [] },
  });
  expect(new Set(after.map(({ meta }) => meta.$correlationId))).toEqual(new Set(['c-1']));
});

test('another host folds a rewound stream to the same state', async () => {
  const { house, runtime } = await counted();
  await runtime.rewind('counter-1', { to: 2 });
  await runtime.send('counter-1', add(7));
  const other = await house.open({ counter });
  expect((await other.get('counter-1')).getSnapshot().context).toEqual({ sum: 18 });
});

test('one that ended goes on, however it ended', async () => {
  for (const last of ['FAIL', 'END', 'stop'] as const) {
    const { house, runtime, ref } = await counted();
    await (last === 'stop' ? ref.stop() : ref.send({ type: last }));
    await runtime.idle();
    const ended = (await house.events('counter-1')).length - 1;
    const back = await runtime.rewind('counter-1', { to: 3 });
    expect(back.getSnapshot()).toMatchObject({ status: 'active', context: { sum: 111 } });
    await back.send(add(1000));
    expect(back.getSnapshot().context).toEqual({ sum: 1111 });
    expect(await failureOf(runtime.rewind('counter-1', { to: ended }))).toBeInstanceOf(InvalidArgumentError);
  }
});

test('one whose history this code does not agree with goes on from before the difference', async () => {
  const { house } = await counted();
  const other = setup({
    types: { context: {} as { sum: number }, events: {} as { type: 'ADD'; n: number } },
  }).createMachine({
    context: { sum: 0 },
    initial: 'counting',
    states: {
      counting: {
        on: {
          ADD: [
            { guard: ({ event }) => event.n > 50, target: 'large' },
            { actions: assign({ sum: ({ context, event }) => context.sum + event.n }) },
          ],
        },
      },
      large: {},
    },
  });
  const runtime = await house.open({ counter: other });
  expect(await failureOf(runtime.get('counter-1'))).toBeInstanceOf(ActorBlockedError);
  const back = await runtime.rewind('counter-1', { to: 2 });
  await back.send(add(100));
  expect(back.getSnapshot()).toMatchObject({ value: 'large', context: { sum: 11 } });
  const next = await house.open({ counter: other });
  expect((await next.get('counter-1')).getSnapshot()).toMatchObject({ value: 'large', context: { sum: 11 } });
});

test('a revision that is not there, or no revision, is refused and nothing is written', async () => {
  const { house, runtime } = await counted();
  const before = await house.events('counter-1');
  for (const to of [4, -1, 1.5, 'x' as never]) {
    const error = await failureOf(runtime.rewind('counter-1', { to }));
    expect(error.message).toMatch(/a revision of the stream, from 0 to 3, found/);
  }
  expect(await failureOf(runtime.rewind('counter-2', { to: 0 }))).toBeInstanceOf(NotFoundError);
  expect(await failureOf(runtime.rewind('counter-1', { at: 1 } as never))).toBeInstanceOf(InvalidArgumentError);
  expect(await house.events('counter-1')).toEqual(before);
});

const paying = (calls: string[]) =>
  setup({
    actors: {
      pay: effect(({ context }: EffectArguments<unknown>) => {
        calls.push(context.idempotencyKey);
        return new Promise<string>(() => {});
      }),
      later: fromPromise(async () => 'x'),
    },
  }).createMachine({
    initial: 'idle',
    states: {
      idle: { on: { PAY: 'paying' } },
      paying: { invoke: { src: 'pay', onDone: 'paid' }, on: { CANCEL: 'idle' }, after: { 1_000: 'late' } },
      paid: {},
      late: {},
    },
  });

test('an effect that had no outcome then is run again under its key, and one that runs now is aborted', async () => {
  const house = new House();
  const calls: string[] = [];
  const runtime = await house.open({ order: paying(calls) });
  const ref = await runtime.start('order', { id: '1' });
  await ref.send({ type: 'PAY' });
  await ref.send({ type: 'CANCEL' });
  await ref.send({ type: 'PAY' });
  await runtime.rewind('order-1', { to: 1 });
  await house.rest();
  expect(calls.length).toBe(3);
  expect(calls[2]).toBe(calls[0]);
  expect(calls[1]).not.toBe(calls[0]);
});

test('RB2: what begins after a rewind has an address and a timer number of its own', async () => {
  const house = new House();
  const runtime = await house.open({ order: paying([]) });
  const ref = await runtime.start('order', { id: '1' });
  await ref.send({ type: 'PAY' });
  await ref.send({ type: 'CANCEL' });
  await runtime.rewind('order-1', { to: 0 });
  await ref.send({ type: 'PAY' });
  const begun = await begunIn(house);
  expect(begun.length).toBe(4);
  expect(new Set(begun).size).toBe(4);
});

/** Addresses and numbers of timers, as the runtime's events name them. */
async function begunIn(house: House) {
  const stimuli = (await house.events('order-1')).filter(({ meta }) => meta.actor === undefined);
  return stimuli.flatMap(({ data }) => [
    ...((data.intents ?? []) as { actor: string }[]).map(({ actor }) => actor),
    ...((data.armed ?? []) as { timer: number }[]).map(({ timer }) => timer),
  ]);
}

test('RB2: so it has whatever facts hold', async () => {
  const house = new House();
  const telling = setup({
    types: { emitted: {} as { type: 'Told'; transitions: number; armed: object[] } },
    actors: { pay: fromPromise(() => new Promise(() => {})) },
  }).createMachine({
    initial: 'idle',
    states: {
      idle: {
        on: { PAY: 'paying', TELL: { actions: emit({ type: 'Told', transitions: 3, armed: [{ timer: 1e9 }] }) } },
      },
      paying: { invoke: { src: 'pay' }, on: { CANCEL: 'idle' }, after: { 1_000: 'idle' } },
    },
  });
  const runtime = await house.open({ order: telling });
  const ref = await runtime.start('order', { id: '1' });
  await ref.send({ type: 'TELL' });
  await ref.send({ type: 'PAY' });
  await ref.send({ type: 'CANCEL' });
  await runtime.rewind('order-1', { to: 0 });
  await ref.send({ type: 'PAY' });
  expect(await begunIn(house)).toEqual([expect.stringMatching(/:1$/), 0, expect.stringMatching(/:2$/), 1]);
});

test('RB2: where the log cannot say what was numbered, nothing is written', async () => {
  const house = new House();
  const log = house.faulty();
  const runtime = await house.open({ order: paying([]) }, { log });
  const ref = await runtime.start('order', { id: '1' });
  await ref.send({ type: 'PAY' });
  await ref.send({ type: 'CANCEL' });
  log.readErrorsFrom.set(1, new LogUnavailableError('The log is away for a while.', true));
  expect(await failureOf(runtime.rewind('order-1', { to: 0 }))).toBeInstanceOf(LogUnavailableError);
  expect(await house.types('order-1')).not.toContain('ActorRebased');
});

test('RB3: a timer that was due since is due at once, and no earlier', async () => {
  const house = new House();
  const runtime = await house.open({ order: paying([]) });
  const ref = await runtime.start('order', { id: '1' });
  await ref.send({ type: 'PAY' });
  await house.advance(400);
  await ref.send({ type: 'CANCEL' });
  await house.advance(300);
  await runtime.rewind('order-1', { to: 1 });
  expect(ref.getSnapshot().value).toBe('paying');
  await house.advance(299);
  expect(ref.getSnapshot().value).toBe('paying');
  await house.advance(1);
  expect(ref.getSnapshot().value).toBe('late');
  await runtime.rewind('order-1', { to: 1 });
  await house.rest();
  expect(ref.getSnapshot().value).toBe('late');
});

test('watchers hear of the state that an actor goes back to', async () => {
  const { runtime, ref } = await counted();
  const sums: number[] = [];
  ref.subscribe(({ context }) => void sums.push(context.sum));
  await runtime.rewind('counter-1', { to: 1 });
  await ref.send(add(2));
  expect(sums).toEqual([1, 3]);
});

test('what is sent while an actor is taken back is applied before or after, and never lost', async () => {
  const { house, runtime, ref } = await counted();
  const rewinding = runtime.rewind('counter-1', { to: 0 });
  const sent = Promise.all([ref.send(add(2)), ref.send(add(3))]);
  await Promise.all([rewinding, sent]);
  const events = await house.events('counter-1');
  const rebased = events.findIndex(({ type }) => type === 'ActorRebased');
  const after = events.slice(rebased + 1).map(({ data }) => (data.event as { n: number }).n);
  expect(events.filter(({ type }) => type === 'EventReceived').length).toBe(5);
  expect(ref.getSnapshot().context.sum).toBe(after.reduce((sum, n) => sum + n, 0));
});

test('a crash at any append leaves an actor where it was, or where it was taken back to', async () => {
  const live = async (crash: Crash) => {
    const lives = new TwoLives(crash, () => ({ counter }));
    const first = await lives.first();
    const go = async () => {
      const ref = await first.start('counter', { id: '1' });
      for (const n of [1, 10, 100]) await ref.send(add(n));
      await first.rewind('counter-1', { to: 1 });
      await ref.send(add(5));
    };
    let done = false;
    void go().then(
      () => (done = true),
      () => {},
    );
    for (let turn = 0; turn < 40 && !done; turn++) await new Promise((resolve) => setImmediate(resolve));
    const second = await lives.second();
    const sum = await second.get('counter-1').then(
      (ref) => ref.getSnapshot().context.sum,
      () => undefined,
    );
    return { crashed: lives.crashed, sum };
  };
  const sums = new Set<number | undefined>();
  await atEveryAppend(live, ({ sum }) => void sums.add(sum));
  expect(sums).toEqual(new Set([undefined, 0, 1, 11, 111, 6]));
});
