/** A history replaced by its state. */
import { expect, test } from 'vitest';
import { assign, emit, fromCallback, sendTo, setup } from 'xstate';
import { ActorExistsError, effect, InvalidArgumentError, type EffectArguments } from '../../src/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { logPath } from '../stores/sqlite/log-files.ts';
import { failureOf, House, outcomeOf } from '../support/house.ts';

type Events = { type: 'ADD'; n: number } | { type: 'PAID' };

const account = (keys: string[] = []) =>
  setup({
    types: { context: {} as { sum: number }, input: {} as { sum: number }, events: {} as Events },
    actors: {
      audit: effect(({ context }: EffectArguments<unknown>) => {
        keys.push(context.idempotencyKey);
        return new Promise<void>(() => {});
      }),
      tick: fromCallback(() => {}),
    },
  }).createMachine({
    context: ({ input }) => ({ sum: input.sum }),
    invoke: [{ src: 'audit' }, { src: 'tick' }],
    initial: 'open',
    states: {
      open: {
        on: { ADD: { actions: assign({ sum: ({ context, event }) => context.sum + event.n }) }, PAID: 'closed' },
        after: { 60_000: 'idle' },
      },
      idle: {},
      closed: { type: 'final' },
    },
  });

async function used(house = new House()) {
  const keys: string[] = [];
  const runtime = await house.open({ account: account(keys) });
  const ref = await runtime.start('account', { id: '1', input: { sum: 1 }, correlationId: 'c-1' });
  for (let n = 0; n < 50; n++) await ref.send({ type: 'ADD', n }, { messageId: `m-${n}` });
  return { house, runtime, ref, keys };
}

test('a compacted actor has a short stream, the same state, timers and correlation, and what runs goes on', async () => {
  const { house, runtime, ref, keys } = await used();
  await runtime.compact('account-1');
  const events = await house.events('account-1');
  expect(events.map(({ type, revision }) => [type, revision])).toEqual([['ActorRebased', 51]]);
  expect(events[0]!.data).toMatchObject({
    ...{ reason: 'compacted', input: { sum: 1 } },
    standing: { status: 'active', machines: [{ actor: '/', to: 'open' }] },
  });
  expect((events[0]!.data.standing as { effects: { src: string }[] }).effects.length).toBe(2);
  expect(events[0]!.meta.$correlationId).toBe('c-1');
  expect(keys.length).toBe(1);
  await ref.send({ type: 'ADD', n: 1_000 });
  expect(ref.getSnapshot().context.sum).toBe(2_226);

  const other = await house.open({ account: account(keys) });
  const same = await other.get('account-1');
  expect(same.getSnapshot().context.sum).toBe(2_226);
  await house.rest();
  expect(keys[1]).toBe(keys[0]);
  await house.advance(60_000);
  expect(same.getSnapshot().value).toBe('idle');
});

test('it still knows what it was started with, and the newest messages', async () => {
  const { runtime, ref } = await used();
  await runtime.compact('account-1');
  await runtime.start('account', { id: '1', input: { sum: 1 } });
  expect(await failureOf(runtime.start('account', { id: '1', input: { sum: 2 } }))).toBeInstanceOf(ActorExistsError);
  await ref.send({ type: 'ADD', n: 49 }, { messageId: 'm-49' });
  expect(ref.getSnapshot().context.sum).toBe(1_226);
});

test('compacting again and again keeps the stream short; one that has ended is left as it is', async () => {
  const { house, runtime, ref } = await used(new House((clock) => sqliteLog(logPath(), { clock })));
  for (let round = 0; round < 3; round++) {
    await runtime.compact('account-1');
    await ref.send({ type: 'ADD', n: 1 });
  }
  expect((await house.events('account-1')).length).toBe(2);
  await runtime.rewind('account-1', { to: (await house.events('account-1'))[0]!.revision });
  expect(ref.getSnapshot().context.sum).toBe(1_228);
  await ref.send({ type: 'PAID' });
  const ended = await house.events('account-1');
  await runtime.compact('account-1');
  expect(await house.events('account-1')).toEqual(ended);
});

test('a runtime compacts by itself what grows beyond a number of events', async () => {
  const house = new House();
  const runtime = await house.open({ account: account() }, { compaction: { every: 20 } });
  const ref = await runtime.start('account', { id: '1', input: { sum: 0 } });
  for (let n = 0; n < 100; n++) {
    await ref.send({ type: 'ADD', n: 1 });
    await runtime.idle();
  }
  await house.rest();
  expect((await house.events('account-1')).length).toBeLessThan(25);
  const other = await house.open({ account: account() });
  expect((await other.get('account-1')).getSnapshot().context.sum).toBe(100);
});

test('what a compaction writes is no growth: one after every event comes to rest', async () => {
  const house = new House();
  const runtime = await house.open({ account: account() }, { compaction: { every: 1 } });
  const ref = await runtime.start('account', { id: '1', input: { sum: 0 } });
  for (let n = 0; n < 3; n++) await ref.send({ type: 'ADD', n: 1 });
  await runtime.idle();
  expect(await house.types('account-1')).toEqual(['ActorRebased']);
  expect(await house.log.head('account-1')).toMatchObject({ state: 'truncated', revision: 6 });
});

test('1, 20: a timer that an ended child has left fires after a compaction, and a fresh host agrees', async () => {
  const child = setup({}).createMachine({
    entry: [
      sendTo(({ self }) => self._parent!, { type: 'LATE' }, { id: 't', delay: 100 }),
      sendTo(({ self }) => self._parent!, { type: 'LATE' }, { id: 't', delay: 200 }),
    ],
  });
  const parent = setup({ actors: { child } }).createMachine({
    initial: 'with',
    states: {
      with: { invoke: { id: 'child', src: 'child' }, on: { LEAVE: 'without' } },
      without: { on: { LATE: 'told' } },
      told: {},
    },
  });
  const house = new House();
  const runtime = await house.open({ parent });
  const ref = await runtime.start('parent', { id: '1' });
  await ref.send({ type: 'LEAVE' });
  await runtime.compact('parent-1');
  await house.advance(100);
  expect(ref.getSnapshot().value).toBe('told');
  const other = await house.open({ parent });
  expect((await other.get('parent-1')).getSnapshot().value).toBe('told');
});

/** A host whose first read of an event of the stream makes another host compact it. */
async function besideCompaction() {
  const { house, runtime, ref } = await used();
  const log = house.faulty();
  let compacting: Promise<void> | undefined;
  log.damage = (event) => {
    if (event.revision === 3) compacting ??= runtime.compact('account-1');
    return event;
  };
  const other = await house.open({ account: account() }, { log, resume: false });
  return { house, ref, other, compacted: () => compacting };
}

test('F9: what a compaction removes while it is read is no damage', async () => {
  const { ref, other, compacted } = await besideCompaction();
  const read = await other.get('account-1');
  await compacted();
  expect(read.getSnapshot().context).toEqual(ref.getSnapshot().context);
});

test('F9: a copy, and a way back, to what a compaction removes meanwhile is refused', async () => {
  for (const go of ['fork', 'rewind'] as const) {
    const { house, ref, other, compacted } = await besideCompaction();
    const going = go === 'fork' ? other.fork('account-1', { at: 40, id: '2' }) : other.rewind('account-1', { to: 40 });
    const error = await failureOf(going);
    await compacted();
    expect(error.message).toMatch(/expected a revision of the stream, from 51 to 51, found 40/);
    expect(await house.types('account-2')).toEqual([]);
    expect(ref.getSnapshot().status).toBe('active');
  }
});

test('F9: a copy up to where the facts were removed meanwhile is refused', async () => {
  const house = new House();
  const telling = setup({ types: { emitted: {} as { type: 'Told'; n: number } } }).createMachine({
    on: { TELL: { actions: [1, 2, 3].map((n) => emit({ type: 'Told', n })) } },
  });
  const runtime = await house.open({ teller: telling });
  const ref = await runtime.start('teller', { id: '1' });
  await ref.send({ type: 'TELL' });
  const log = house.faulty();
  // The facts behind a revision are read by themselves.
  log.beforeRead = (from) => (from === 2 ? runtime.compact('teller-1') : undefined);
  const other = await house.open({ teller: telling }, { log, resume: false });
  expect(await failureOf(other.fork('teller-1', { at: 1, id: '2' }))).toBeInstanceOf(InvalidArgumentError);
  expect(await house.types('teller-2')).toEqual([]);
});

test('an actor that is taken back at that very moment is compacted all the same', async () => {
  for (let turns = 0; turns < 60; turns++) {
    const { house, runtime } = await used();
    const rewinding = runtime.rewind('account-1', { to: 3 });
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    // Whichever comes first: what is compacted has nowhere to go back to.
    await Promise.all([outcomeOf(rewinding), runtime.compact('account-1')]);
    expect(await house.log.head('account-1'), `after ${turns} turns`).toMatchObject({ state: 'truncated' });
    await runtime.close();
  }
});
