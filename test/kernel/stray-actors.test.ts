import { expect, test } from 'vitest';
import { fromTransition, setup } from 'xstate';
import { createRuntime } from '../../src/index.ts';

const counter = fromTransition((n: number, event: { type: string }) => (event.type === 'ADD' ? n + 1 : n), 0);

test('an actor that another one has replaced among the children is still reached by its reference', async () => {
  const machine = setup({ actors: { counter } }).createMachine({
    context: ({ spawn }) => ({
      first: spawn('counter', { id: 'same' }),
      second: spawn('counter', { id: 'same' }),
    }),
    on: { GO: { actions: ({ context }) => context.first.send({ type: 'ADD' }) } },
  });
  await using runtime = await createRuntime({ machines: { machine } });
  const ref = await runtime.start('machine', { id: '1' });
  await ref.send({ type: 'GO' });
  await runtime.idle();
  const { first, second } = ref.getSnapshot().context;
  expect([first, second].map((actor) => actor.getSnapshot().context)).toEqual([1, 0]);
});
