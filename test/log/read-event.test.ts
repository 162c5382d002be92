/** What readEvent gives is what was sent, emitted and thrown. */
import { expect, it } from 'vitest';
import { assign, emit, fromPromise, setup } from 'xstate';
import { DecodeError } from '../../src/errors.ts';
import { createRuntime, memoryLog, readEvent } from '../../src/index.ts';

const due = new Date(86_400_000);

it('gives the values of facts and of the events of the runtime as they were', async () => {
  const order = setup({
    types: {} as { context: { due: Date | null }; events: { type: 'PAY'; due: Date }; emitted: { type: string } },
    actors: { charge: fromPromise<void>(() => Promise.reject(new RangeError('too much'))) },
  }).createMachine({
    context: { due: null },
    initial: 'open',
    states: {
      open: { on: { PAY: { target: 'charging', actions: assign({ due: ({ event }) => event.due }) } } },
      charging: {
        entry: [emit(({ context }) => ({ type: 'Due', at: context.due })), emit({ type: 'Charged' })],
        invoke: { id: 'charge', src: 'charge', onError: 'failed' },
      },
      failed: { type: 'final' },
    },
  });
  const log = memoryLog();
  const runtime = await createRuntime({ log, machines: { order }, keepLogOpen: true });
  const ref = await runtime.start('order', { id: '42' });
  await ref.send({ type: 'PAY', due });
  await ref.output();
  await runtime.close();

  const contents = new Map<string, unknown>();
  for await (const event of log.readStream('order-42')) contents.set(event.type, readEvent(event));
  expect(Object.fromEntries(contents)).toMatchObject({
    ActorStarted: { machine: 'order', transitions: [{ actor: '/', to: 'open' }] },
    EventReceived: { to: '/', event: { type: 'PAY', due }, intents: [{ actor: '/charge:1', src: 'charge' }] },
    Due: { type: 'Due', at: due },
    Charged: { type: 'Charged' },
    EffectFailed: { actor: '/charge:1', error: new RangeError('too much') },
  });
  expect((contents.get('EffectFailed') as { error: unknown }).error).toBeInstanceOf(RangeError);
});

it('refuses what the codec has not made', () => {
  const data = '{"value":{"$devalue":[[]],"more":1}}';
  expect(() => readEvent({ data, meta: {} })).toThrow(DecodeError);
});
