import { expect, it } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import { createRuntime, memoryLog, VirtualClock } from '../../src/index.ts';

const order = setup({
  types: {
    context: {} as { n: number; out: string },
    events: {} as { type: 'GO' } | { type: 'NEXT' },
    input: {} as { n: number },
  },
  actors: { pay: fromPromise(async ({ input }: { input: number }) => `paid ${input}`) },
}).createMachine({
  context: ({ input }) => ({ n: input.n, out: '' }),
  initial: 'idle',
  states: {
    idle: { on: { GO: 'paying' } },
    paying: {
      invoke: {
        src: 'pay',
        input: ({ context }) => context.n,
        onDone: { target: 'waiting', actions: assign({ out: ({ event }) => event.output }) },
      },
    },
    waiting: { after: { 1000: 'done' } },
    done: { type: 'final' },
  },
  output: ({ context }) => context.out,
});

it('runs', async () => {
  const clock = new VirtualClock();
  const log = memoryLog({ clock });
  const runtime = await createRuntime({ log, machines: { order }, clock });
  const ref = await runtime.start('order', { id: '1', input: { n: 5 } });
  await ref.send({ type: 'GO' });
  await ref.waitFor((s) => s.matches('waiting'));
  await clock.advance(1000, () => runtime.idle());
  expect(await ref.output()).toBe('paid 5');
  for await (const e of log.readStream('order-1')) console.log(e.revision, e.type, e.data);
  await runtime.close();
});
