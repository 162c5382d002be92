/** Starting actors: once, again, at the same time, with what cannot work. */
import { expect, it } from 'vitest';
import { assign, fromPromise } from 'xstate';
import {
  ActorExistsError,
  InvalidArgumentError,
  LogUnavailableError,
  NotFoundError,
  NotSerializableError,
  UnknownMachineError,
} from '../../src/errors.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { failureOf, House } from '../support/house.ts';
import { createMachine } from '../support/loose-machine.ts';

const counter = createMachine({
  context: ({ input }) => ({ input: input as unknown, n: 0 }),
  on: { ADD: { actions: assign({ n: ({ context }) => (context.n as number) + 1 }) } },
});

it('attaches to an actor that has the same input', async () => {
  const house = new House();
  const runtime = await house.open({ counter });
  const first = await runtime.start('counter', { id: '1', input: { a: 1, b: [2] } });
  await first.send({ type: 'ADD' });
  const again = await runtime.start('counter', { id: '1', input: { a: 1, b: [2] } });
  expect(again.getSnapshot().context).toMatchObject({ n: 1 });
  expect(await house.types('counter-1')).toEqual(['ActorStarted', 'EventReceived']);
});

it('attaches also when the keys of the input come in another order', async () => {
  const runtime = await new House().open({ counter });
  await runtime.start('counter', { id: '1', input: { a: 1, b: { c: 2, d: 3 } } });
  await runtime.start('counter', { id: '1', input: { b: { d: 3, c: 2 }, a: 1 } });
});

it('attaches to an actor of another host, and to one that has ended', async () => {
  const house = new House();
  const ended = createMachine({ initial: 'end', states: { end: { type: 'final' } }, output: 'done' });
  const first = await house.open({ counter, ended });
  await first.start('counter', { id: '1', input: 1 });
  await first.start('ended', { id: '1' });
  const second = await house.open({ counter, ended });
  await second.start('counter', { id: '1', input: 1 });
  expect(await (await second.start('ended', { id: '1' })).output()).toBe('done');
  expect(await house.types('ended-1')).toEqual(['ActorStarted']);
});

it('starts once when asked for twice at the same time', async () => {
  const house = new House();
  const runtime = await house.open({ counter });
  const refs = await Promise.all([1, 2, 3].map(() => runtime.start('counter', { id: '1', input: 1 })));
  expect(new Set(refs.map(({ stream }) => stream))).toEqual(new Set(['counter-1']));
  expect(await house.types('counter-1')).toEqual(['ActorStarted']);
});

it('starts once when two hosts start at the same time', async () => {
  const house = new House();
  const runtimes = [await house.open({ counter }), await house.open({ counter })];
  const refs = await Promise.all(runtimes.map((runtime) => runtime.start('counter', { id: '1', input: 1 })));
  await Promise.all(refs.map((ref) => ref.send({ type: 'ADD' })));
  expect(await house.types('counter-1')).toEqual(['ActorStarted', 'EventReceived', 'EventReceived']);
});

it('refuses another input under the same id and says both', async () => {
  const house = new House();
  const runtime = await house.open({ counter });
  await runtime.start('counter', { id: '1', input: 1 });
  const failure = await failureOf(runtime.start('counter', { id: '1', input: 2 }));
  expect(failure).toBeInstanceOf(ActorExistsError);
  expect(failure.message).toContain('input 1; this start has input 2');
  expect(await house.types('counter-1')).toEqual(['ActorStarted']);
});

it('starts although someone looks for the actor at the same moment', async () => {
  const runtime = await new House().open({ counter });
  const [looked, started] = await Promise.allSettled([
    runtime.get('counter-1'),
    runtime.start('counter', { id: '1', input: 1 }),
  ]);
  expect(looked).toMatchObject({ status: 'rejected', reason: expect.any(NotFoundError) as unknown });
  expect(started.status).toBe('fulfilled');
});

it('starts at the second try when the disk was full at the first', async () => {
  const house = new House();
  const log = house.faulty();
  const runtime = await house.open({ counter }, { log });
  log.faults.push('full');
  expect(await failureOf(runtime.start('counter', { id: '1', input: 1 }))).toBeInstanceOf(LogUnavailableError);
  await runtime.start('counter', { id: '1', input: 1 });
  expect(await house.types('counter-1')).toEqual(['ActorStarted']);
});

it('refuses a machine that nobody registered, and says which there are', async () => {
  const runtime = await new House().open({ counter });
  const failure = await failureOf(runtime.start('order' as 'counter', { id: '1' }));
  expect(failure).toBeInstanceOf(UnknownMachineError);
  expect(failure.message).toContain('counter');
});

it('refuses an id that cannot be part of a stream name', async () => {
  const runtime = await new House().open({ counter });
  for (const id of ['', 'a\nb', 'x'.repeat(201), 7 as unknown as string, undefined as unknown as string]) {
    expect(await failureOf(runtime.start('counter', { id }))).toBeInstanceOf(InvalidArgumentError);
  }
});

it('takes an id with hyphens, and finds the actor by its stream', async () => {
  const runtime = await new House().open({ counter });
  await runtime.start('counter', { id: 'a-b-c', input: 5 });
  const ref = await runtime.get('counter-a-b-c');
  expect(ref.getSnapshot().context).toMatchObject({ input: 5 });
});

it('refuses input that cannot be logged, with its path, and writes nothing (invariant 27)', async () => {
  const house = new House();
  const runtime = await house.open({ counter });
  const failure = await failureOf(runtime.start('counter', { id: '1', input: { lines: [{ fn: () => {} }] } }));
  expect(failure).toMatchObject({ code: 'REWAKE_NOT_SERIALIZABLE', path: '.lines[0].fn' });
  expect(failure).toBeInstanceOf(NotSerializableError);
  expect(await house.types('counter-1')).toEqual([]);
  await runtime.start('counter', { id: '1', input: 1 });
});

it('gives the machine what a later fold will give it, not the object of the caller', async () => {
  const house = new House();
  const runtime = await house.open({ counter });
  const input = { at: new Date(5), list: [1] };
  const ref = await runtime.start('counter', { id: '1', input });
  input.list.push(2);
  expect(ref.getSnapshot().context).toMatchObject({ input: { at: new Date(5), list: [1] } });
});

it('starts a machine whose first effects and timers are in the same append', async () => {
  const house = new House();
  const busy = createMachine({ invoke: { src: fromPromise(async () => 1) }, after: { 1000: {} } });
  const runtime = await house.open({ busy });
  await runtime.start('busy', { id: '1' });
  const [started] = await house.events('busy-1');
  expect(started!.data).toMatchObject({ intents: [{ actor: '/0.(machine):1' }], armed: [{ timer: 0 }] });
});

it('refuses machines that cannot work', async () => {
  const wrong = {
    'a name with a hyphen': { 'my-machine': counter },
    'no machine': { counter: {} as never },
    'no versions': { counter: [] as never },
    'a version twice': {
      counter: [createMachine({ version: '1' } as never), createMachine({ version: '1' } as never)] as never,
    },
  };
  for (const [what, machines] of Object.entries(wrong)) {
    expect(await failureOf(createRuntime({ machines: machines as never })), what).toBeInstanceOf(InvalidArgumentError);
  }
});
