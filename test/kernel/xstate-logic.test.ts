/**
 * The private parts of XState's logics that src/kernel/xstate-internals.ts relies on: event types, how each kind is
 * known, and what a started logic does with its scope. The other parts are in xstate-internals.test.ts.
 */
import { describe, expect, it, vi } from 'vitest';
import {
  createActor,
  createMachine,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  fromTransition,
  setup,
  type AnyActorLogic,
  type AnyEventObject,
} from 'xstate';
import { isEffect, isMachine, logicKind } from '../../src/kernel/xstate-internals.ts';
import { rest } from '../support/hosted-and-plain.ts';

/** Logic that does nothing. */
const idle: AnyActorLogic = {
  transition: (state) => state,
  getInitialSnapshot: () => ({ status: 'active', output: undefined, error: undefined }),
  getPersistedSnapshot: (state) => state,
};

describe('event types', () => {
  /** Types of the events that actors of a system get. */
  async function typesOf(logic: AnyActorLogic, act: (root: ReturnType<typeof createActor>) => void = () => {}) {
    const types: string[] = [];
    const machine = setup({ actors: { child: logic } }).createMachine({
      initial: 'on',
      states: {
        on: {
          invoke: { id: 'child', src: 'child', onDone: 'off', onError: 'off', onSnapshot: {} },
          after: { 60_000: 'off' },
          on: { OFF: 'off' },
        },
        off: {},
      },
    });
    const root = createActor(machine, {
      inspect: (event) => {
        if (event.type === '@xstate.event') types.push(event.event.type);
      },
    });
    root.start();
    act(root as never);
    await rest();
    root.stop();
    return types;
  }
  const subscribable = (
    run: (observer: { next(value: unknown): void; error(error: unknown): void; complete(): void }) => void,
  ) => ({
    subscribe: (observer: never) => (run(observer), { unsubscribe() {} }),
  });

  const cases: [string, AnyActorLogic, string[]][] = [
    [
      'of a promise that resolves',
      fromPromise(async () => 1),
      ['xstate.init', 'xstate.promise.resolve', 'xstate.done.actor.child'],
    ],
    [
      'of a promise that rejects',
      fromPromise(() => Promise.reject(new Error('no'))),
      ['xstate.promise.reject', 'xstate.error.actor.child'],
    ],
    [
      'of an observable',
      fromObservable(
        () =>
          subscribable((to) => {
            to.next(1);
            to.complete();
          }) as never,
      ),
      ['xstate.observable.next', 'xstate.observable.complete', 'xstate.snapshot.child'],
    ],
    [
      'of an observable that fails',
      fromObservable(() => subscribable((to) => to.error(1)) as never),
      ['xstate.observable.error', 'xstate.error.actor.child'],
    ],
  ];

  for (const [what, logic, expected] of cases) {
    it(`${what} are ${expected.join(', ')}`, async () => {
      expect(await typesOf(logic)).toEqual(expect.arrayContaining(expected));
    });
  }

  it('of a stop and of a delay are xstate.stop and xstate.after.<delay>.<node>', () => {
    const seen: unknown[] = [];
    const watched: AnyActorLogic = {
      ...idle,
      transition: (state, event: AnyEventObject) => (seen.push(event.type), state),
    };
    createActor(watched).start().stop();
    expect(seen).toEqual(['xstate.stop']);
    const actor = createActor(createMachine({ initial: 'a', states: { a: { after: { 10: 'b' } }, b: {} } })).start();
    const scheduled = Object.values(
      actor.system.getSnapshot()._scheduledEvents as Record<string, { id: string; event: AnyEventObject }>,
    );
    expect(scheduled.map(({ id, event }) => [id, event.type])).toEqual([
      ['xstate.after.10.(machine).a', 'xstate.after.10.(machine).a'],
    ]);
    actor.stop();
  });
});

describe('logic', () => {
  it('of each kind is known by the source text of its transition, which all of the kind share', () => {
    const kinds = {
      promise: [fromPromise(async () => 1), fromPromise(() => Promise.reject(new Error('x')))],
      callback: [fromCallback(() => {}), fromCallback(() => () => {})],
      observable: [fromObservable(() => ({ subscribe: () => ({ unsubscribe() {} }) }))],
      eventObservable: [fromEventObservable(() => ({ subscribe: () => ({ unsubscribe() {} }) }))],
      transition: [fromTransition((state: number) => state, 0)],
      machine: [createMachine({}), setup({}).createMachine({})],
    };
    const texts = new Set<string>();
    for (const [kind, logics] of Object.entries(kinds)) {
      for (const logic of logics as AnyActorLogic[]) {
        expect(logicKind(logic)).toBe(kind);
        expect(isEffect(logicKind(logic))).toBe(kind !== 'machine' && kind !== 'transition');
        if (isEffect(logicKind(logic))) texts.add(logic.transition.toString());
      }
    }
    expect(texts.size).toBe(4);
  });

  it('of a user with a start is custom, and a machine of another copy of xstate is a machine', () => {
    expect(logicKind({ ...idle, start() {} })).toBe('custom');
    expect(isMachine({ __xstatenode: true } as never)).toBe(true);
    expect('__xstatenode' in createMachine({})).toBe(true);
  });

  it('of a fromTransition has no start; machines have one that starts the children of a snapshot', () => {
    expect(fromTransition((state: number) => state, 0)).not.toHaveProperty('start');
    const start = vi.fn<(...args: unknown[]) => void>();
    const children = {
      a: { start, getSnapshot: () => ({ status: 'active' }) },
      b: { start, getSnapshot: () => ({ status: 'done' }) },
    };
    createMachine({}).start({ children } as never);
    expect(start).toHaveBeenCalledTimes(1);
  });
});

describe('an inline invoke', () => {
  it('is called xstate.invoke.<n>.<node id> in src, and found in the config of its node', () => {
    const [first, second] = [fromPromise(async () => 1), fromPromise(async () => 2)];
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      states: { a: { invoke: [{ src: first }, { id: 'own', src: second }] } },
    });
    const node = machine.getStateNodeById('m.a');
    expect(node.invoke.map(({ id, src }) => [id, src])).toEqual([
      ['0.m.a', 'xstate.invoke.0.m.a'],
      ['own', 'xstate.invoke.1.m.a'],
    ]);
    expect((node.config.invoke as { src: unknown }[]).map(({ src }) => src)).toEqual([first, second]);
  });
});

describe('started logic', () => {
  it('of a promise relays to itself only while its snapshot is active, and aborts on xstate.stop', async () => {
    const relayed: unknown[] = [];
    let aborted = false;
    const logic = fromPromise(({ signal }) => {
      signal.addEventListener('abort', () => (aborted = true));
      return Promise.resolve(5);
    });
    const self = { getSnapshot: () => ({ status: 'active' }) };
    const scope = { self, system: { _relay: (...args: unknown[]) => void relayed.push(args) }, emit() {} };
    const state = logic.getInitialSnapshot(scope as never, 1 as never);
    expect(state).toEqual({ status: 'active', output: undefined, error: undefined, input: 1 });
    logic.start!(state as never, scope as never);
    await rest();
    expect(relayed).toEqual([[self, self, { type: 'xstate.promise.resolve', data: 5 }]]);
    logic.start!(state as never, scope as never);
    logic.transition(state as never, { type: 'xstate.stop' } as never, scope as never);
    expect(aborted).toBe(true);
  });

  it('of a callback relays to its parent, and is disposed of on xstate.stop', () => {
    const relayed: unknown[] = [];
    let disposed = 0;
    const logic = fromCallback(({ sendBack }) => (sendBack({ type: 'HI' }), () => void disposed++));
    const parent = {};
    const self = { getSnapshot: () => ({ status: 'active' }), _parent: parent };
    const scope = { self, system: { _relay: (...args: unknown[]) => void relayed.push(args) }, emit() {} };
    const state = logic.getInitialSnapshot(scope as never, undefined as never);
    logic.start!(state, scope as never);
    logic.transition(state, { type: 'xstate.stop' } as never, scope as never);
    expect([relayed, disposed]).toEqual([[[self, parent, { type: 'HI' }]], 1]);
  });

  it('of an observable keeps its subscription in _subscription of the state it was started with', () => {
    const unsubscribe = vi.fn<(...args: unknown[]) => void>();
    const logic = fromObservable(() => ({ subscribe: () => ({ unsubscribe }) }));
    const scope = { self: {}, system: {}, emit() {} };
    const state = logic.getInitialSnapshot(scope as never, undefined as never) as { _subscription?: unknown };
    logic.start!(state as never, scope as never);
    expect(state._subscription).toEqual({ unsubscribe });
    logic.transition(state as never, { type: 'xstate.stop' } as never, scope as never);
    expect(unsubscribe).toHaveBeenCalledTimes(1);
  });
});
