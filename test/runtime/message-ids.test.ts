/** Repeated messages: what a client hears that asks again. Numbers in titles are those of the invariants. */
import { expect, it } from 'vitest';
import { assign, setup } from 'xstate';
import { ActorFinishedError, createRuntime, memoryLog } from '../../src/index.ts';

const till = setup({
  types: { context: {} as { coins: number }, events: {} as { type: 'coin' } | { type: 'close' } },
  actions: { count: assign({ coins: ({ context }) => context.coins + 1 }) },
}).createMachine({
  context: { coins: 0 },
  initial: 'open',
  states: { open: { on: { coin: { actions: 'count' }, close: 'closed' } }, closed: { type: 'final' } },
});

it('8, 9: acknowledges a repeat after the actor has ended, the message that ended it included', async () => {
  const log = memoryLog();
  const options = { log, machines: { till }, keepLogOpen: true };
  const runtime = await createRuntime(options);
  const ref = await runtime.start('till', { id: '1' });
  await ref.send({ type: 'coin' }, { messageId: 'a' });
  const closing = [1, 2].map(() => ref.send({ type: 'close' }, { messageId: 'b' }));
  await Promise.all(closing);
  await ref.send({ type: 'coin' }, { messageId: 'a' });
  await runtime.close();

  await using second = await createRuntime(options);
  await second.send('till-1', { type: 'close' }, { messageId: 'b' });
  await expect(second.send('till-1', { type: 'close' }, { messageId: 'c' })).rejects.toThrow(ActorFinishedError);
  expect(await log.head('till-1')).toEqual({ state: 'live', revision: 2 });
});
