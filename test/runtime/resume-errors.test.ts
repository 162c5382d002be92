/**
 * When resuming an actor fails, its error says what is wrong, where, and what to do, and the other actors run on. Damage is
 * in test/recovery/damage-kinds.test.ts; this is what a program no longer brings along.
 */
import { describe, expect, it } from 'vitest';
import { assign, fromPromise, sendTo, setup, type AnyStateMachine } from 'xstate';
import {
  ActorBlockedError,
  MissingImplementationError,
  ReplayDivergedError,
  RewakeError,
  UnknownMachineError,
  UnknownStateError,
} from '../../src/errors.ts';
import type { Machines } from '../../src/runtime/machines.ts';
import { recoveryMachines, step, toolRegistry } from '../../machines/index.ts';
import { failureOf, House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { createMachine } from '../support/loose-machine.ts';

const bystander = createMachine({ context: { n: 0 }, on: { ADD: { actions: assign({ n: 1 }) } } });

const work = fromPromise(() => new Promise<number>(() => {}));
const full = {
  actors: { work },
  guards: { isReady: () => true },
  delays: { patience: 10 },
};

function order(implementations: Partial<typeof full> = {}, version?: string): AnyStateMachine {
  return setup({ ...full, ...implementations } as never).createMachine({
    id: 'order',
    ...(version === undefined ? {} : { version }),
    initial: 'open',
    states: {
      open: { on: { GO: { guard: 'isReady', target: 'waiting' } } },
      waiting: { after: { patience: 'working' } },
      working: { invoke: { id: 'work', src: 'work' } },
    },
  } as never) as unknown as AnyStateMachine;
}

/** One life with these machines, in which actor order-1 comes to its work; then another one with others. */
async function afterwards(before: Machines, after: Machines, live = orderLife) {
  const house = new House();
  const { runtime, crash } = await house.openToCrash({ bystander, ...before } as Machines);
  await runtime.start('bystander', { id: '1' } as never);
  await live(house, runtime as never);
  crash();
  const next = await house.open({ bystander, ...after } as Machines);
  await rest();
  // The others run on.
  await next.send('bystander-1', { type: 'ADD' });
  return { house, next };
}

interface Life {
  start(machine: string, options: object): Promise<unknown>;
  send(stream: string, event: { type: string }): Promise<unknown>;
}

async function orderLife(house: House, runtime: Life) {
  await runtime.start('order', { id: '1' });
  await runtime.send('order-1', { type: 'GO' });
  await house.advance(10);
}

/** What blocks the actor; sees that nothing was appended to it. */
async function blockage(afterLife: Awaited<ReturnType<typeof afterwards>>, stream = 'order-1'): Promise<RewakeError> {
  const { house, next } = afterLife;
  const before = await house.types(stream);
  const failure = await failureOf(next.get(stream));
  expect(failure).toBeInstanceOf(ActorBlockedError);
  expect(failure.message).toContain(`'${stream}'`);
  expect(await house.types(stream)).toEqual(before);
  expect((failure as ActorBlockedError).cause).toBeInstanceOf(RewakeError);
  return (failure as ActorBlockedError).cause as RewakeError;
}

describe('an actor is blocked for want of', () => {
  it('its machine, and the error names those that there are', async () => {
    const cause = await blockage(await afterwards({ order: order() }, {}));
    expect(cause).toBeInstanceOf(UnknownMachineError);
    expect(cause.message).toBe(
      "No machine 'order' is registered (needed by stream 'order-1'). Registered: bystander. Pass it to createRuntime({ machines }).",
    );
  });

  it.each([
    ["actor 'work'", { actors: {} }, 2],
    ["guard 'isReady'", { guards: {} }, 1],
    ["delay 'patience'", { delays: {} }, 1],
  ])('its %s, and the error names it and the place in the history', async (what, implementations, revision) => {
    const cause = await blockage(await afterwards({ order: order() }, { order: order(implementations as never) }));
    expect(cause).toBeInstanceOf(MissingImplementationError);
    expect(cause).toMatchObject({ stream: 'order-1', revision, machine: 'order', missing: [what] });
    expect(cause.message).toContain('Give it to setup() or provide()');
    expect(cause.cause).toBeInstanceOf(ReplayDivergedError);
  });

  it('an implementation of a machine inside it', async () => {
    const outer = (inner: AnyStateMachine) =>
      setup({ actors: { inner } }).createMachine({
        id: 'outer',
        invoke: { id: 'inner', src: 'inner' },
        on: { GO: { actions: sendTo('inner', { type: 'GO' }) } },
      });
    const machines = (inner: AnyStateMachine) => ({ order: outer(inner) as unknown as AnyStateMachine });
    const cause = await blockage(await afterwards(machines(order()), machines(order({ guards: {} as never }))));
    expect(cause).toMatchObject({ missing: ["guard 'isReady' of machine 'order'"] });
  });

  it('the version that wrote its history, where the one that is registered does otherwise', async () => {
    const changed = createMachine({ id: 'order', version: '2', initial: 'open', states: { open: {} } });
    const cause = await blockage(await afterwards({ order: order({}, '1') }, { order: changed }));
    expect(cause).toBeInstanceOf(ReplayDivergedError);
    expect((cause as ReplayDivergedError).likelyCause).toBe(
      "the history was written by version '1' of 'order', which is not registered, and version '2' does otherwise",
    );
    expect(cause.message).toContain('register the older machine version');
  });

  it.each([
    ['the state', { initial: 'open', states: { open: {} } }, "State 'working' does not exist on 'order'"],
    ['the actor', { initial: 'working', states: { working: {} } }, "the machine has no actor 'work' any more"],
  ])('%s that it goes on from since it was compacted, which is no damage', async (_, chart, detail) => {
    const compacted = async (house: House, runtime: Life) => {
      await orderLife(house, runtime);
      await (runtime as unknown as { compact(stream: string): Promise<void> }).compact('order-1');
    };
    const machine = createMachine({ id: 'order', ...chart });
    const after = await afterwards({ order: order() }, { order: machine }, compacted);
    const cause = await blockage(after);
    expect(cause).toBeInstanceOf(UnknownStateError);
    expect(cause).toMatchObject({ stream: 'order-1', revision: 3, machine: 'order', detail });
    const { next, text } = await after.next.explain('order-1');
    expect(text).not.toContain('repair');
    expect(next[0]).toContain('register the version of order that has the state');
  });

  it('the breaker that its step shares, which is an actor of its own', async () => {
    const call = step('call', () => new Promise<void>(() => {}), { breaker: 'bank' });
    const machine = setup({ actors: { call } }).createMachine({ id: 'order', invoke: { id: 'call', src: 'call' } });
    const before = { order: machine as unknown as AnyStateMachine, ...recoveryMachines };
    const after = await afterwards(before, { order: before.order }, async (house, runtime) => {
      await runtime.start('order', { id: '1' });
      await house.rest();
    });
    const cause = await blockage(after, 'breaker-bank');
    expect(cause).toBeInstanceOf(UnknownMachineError);
    expect(cause.message).toContain("(needed by stream 'breaker-bank')");
    await after.next.get('order-1');
  });

  it('a tool that is not in its registry any more, and the error says which there are', async () => {
    const tools = (names: readonly string[]) => {
      const entries = names.map((name) => [
        name,
        { run: () => new Promise<void>(() => {}), policy: { strategy: 'retry' } },
      ]);
      const { executor } = toolRegistry({ tools: Object.fromEntries(entries) as never });
      return { order: executor as unknown as AnyStateMachine };
    };
    const after = await afterwards(tools(['read', 'write']), tools(['write']), async (house, runtime) => {
      await runtime.start('order', { id: '1', input: { tool: 'read', params: null } });
      await house.rest();
    });
    const cause = await blockage(after);
    expect(cause).toBeInstanceOf(ReplayDivergedError);
    expect((cause as ReplayDivergedError).likelyCause).toContain('There is no tool "read". The registry has write.');
    expect(cause.cause).toMatchObject({ code: 'REWAKE_UNKNOWN_TOOL' });
  });
});

describe('a blocked actor', () => {
  it('goes on when what was missing is there', async () => {
    const { house, next } = await afterwards({ order: order() }, { order: order({ guards: {} as never }) });
    await failureOf(next.get('order-1'));
    await next.close();
    const whole = await house.open({ bystander, order: order() } as Machines);
    expect((await whole.get('order-1')).getSnapshot().value).toBe('working');
  });
});
