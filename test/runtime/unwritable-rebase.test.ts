/** RG3 of src/runtime/rebasing.ts: a state that cannot be written takes nobody's place. */
import { expect, test } from 'vitest';
import { assign, fromPromise, setup, type AnyActorRef } from 'xstate';
import { EventTooLargeError, InvalidArgumentError, memoryLog } from '../../src/index.ts';
import { failureOf, House } from '../support/house.ts';

interface Context {
  readonly text: string;
  readonly messages: number;
  readonly worker: AnyActorRef | undefined;
}

const never = fromPromise(() => new Promise<never>(() => {}));
const hire = assign(({ spawn }: { spawn: (logic: typeof never) => AnyActorRef }) => ({
  worker: spawn(never),
})) as never;

/** A snapshot cannot name what HIRE spawns; what FILL keeps grows. */
const keeper = setup({
  types: {
    context: {} as Context,
    events: {} as { type: 'HIRE' } | { type: 'FILL'; text: string } | { type: 'NOTE' },
  },
}).createMachine({
  context: { text: '', messages: 0, worker: undefined },
  initial: 'open',
  states: {
    open: {
      on: {
        HIRE: { actions: hire },
        FILL: { actions: assign({ text: ({ context, event }) => context.text + event.text }) },
        NOTE: { actions: assign({ messages: ({ context }) => context.messages + 1 }) },
      },
    },
  },
});

async function expectRunning(house: House, runs: { ref: { send(event: { type: 'NOTE' }): Promise<unknown> } }) {
  const before = (await house.events('keeper-1')).length;
  await runs.ref.send({ type: 'NOTE' });
  expect((await house.types('keeper-1')).slice(before)).toEqual(['EventReceived']);
  const fresh = await house.open({ keeper }, { snapshots: false });
  return (await fresh.get('keeper-1')).getSnapshot().context;
}

test('an actor that cannot be described is not taken back, and runs on as it was', async () => {
  const house = new House();
  const runtime = await house.open({ keeper });
  const ref = await runtime.start('keeper', { id: '1' });
  await ref.send({ type: 'HIRE' });
  await ref.send({ type: 'NOTE' });
  expect(await failureOf(runtime.rewind('keeper-1', { to: 1 }))).toBeInstanceOf(InvalidArgumentError);
  expect((await runtime.get('keeper-1')).getSnapshot().context.messages).toBe(1);
  expect((await expectRunning(house, { ref })).messages).toBe(2);
});

test('one whose state is too large is neither taken back nor compacted, and runs on as it was', async () => {
  const house = new House((clock) => memoryLog({ clock, maxEventBytes: 2_000 }));
  const runtime = await house.open({ keeper });
  const ref = await runtime.start('keeper', { id: '1' });
  for (let n = 0; n < 4; n++) await ref.send({ type: 'FILL', text: 'x'.repeat(900) });
  expect(await failureOf(runtime.rewind('keeper-1', { to: 3 }))).toBeInstanceOf(EventTooLargeError);
  expect(await failureOf(runtime.compact('keeper-1'))).toBeInstanceOf(EventTooLargeError);
  expect((await runtime.get('keeper-1')).getSnapshot().context.text.length).toBe(3_600);
  expect((await expectRunning(house, { ref })).messages).toBe(1);
});

test('9: a compaction that cannot be written forgets no message', async () => {
  const house = new House();
  const runtime = await house.open({ keeper });
  const ref = await runtime.start('keeper', { id: '1' });
  await ref.send({ type: 'HIRE' });
  for (let n = 0; n < 1_001; n++) await ref.send({ type: 'NOTE' }, { messageId: `m-${n}` });
  expect(await failureOf(runtime.compact('keeper-1'))).toBeInstanceOf(InvalidArgumentError);
  await ref.send({ type: 'NOTE' }, { messageId: 'm-0' });
  expect(ref.getSnapshot().context.messages).toBe(1_001);
});
