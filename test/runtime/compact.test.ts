/** A history replaced by its state. */
import { expect, test } from 'vitest';
import { assign, fromCallback, setup } from 'xstate';
import { ActorExistsError, effect, type EffectArguments } from '../../src/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { logPath } from '../stores/sqlite/log-files.ts';
import { failureOf, House } from '../support/house.ts';

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
