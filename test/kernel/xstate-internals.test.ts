/**
 * The private parts of XState that src/kernel/xstate-internals.ts relies on, one test each. When an upgrade of xstate
 * breaks one of these, the title says what to adapt; recovery itself would only go wrong silently.
 */
import { describe, expect, it, vi } from 'vitest';
import {
  Actor,
  and,
  assign,
  createActor,
  createMachine,
  emit,
  getNextTransitions,
  not,
  raise,
  sendTo,
  spawnChild,
  stateIn,
  stopChild,
  type ActorScope,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyEventObject,
  type InspectionEvent,
} from 'xstate';

/** An actor as its private side looks. */
interface Inside {
  readonly options: { input?: unknown };
  readonly sessionId: string;
  readonly _parent: unknown;
  readonly _syncSnapshot: unknown;
  readonly _deferred: unknown;
  _snapshot: unknown;
  _processingStatus: number;
  readonly ref: unknown;
  readonly systemId: unknown;
  readonly src: unknown;
  readonly system: Record<string, unknown>;
}

type Scope = ActorScope<never, never> & Record<string, unknown>;

/** Logic that shows the scope it gets, and does nothing. */
function spy(): { logic: AnyActorLogic; scopes: Scope[] } {
  const scopes: Scope[] = [];
  const snapshot = { status: 'active', output: undefined, error: undefined } as const;
  const logic: AnyActorLogic = {
    transition: (state, _event, scope) => (scopes.push(scope as never), state),
    getInitialSnapshot: (scope) => (scopes.push(scope as never), snapshot),
    getPersistedSnapshot: (state) => state,
  };
  return { logic, scopes };
}

/** Runs a machine's transition with a scope of our own, as the kernel does. */
function transition(machine: ReturnType<typeof createMachine>, event: AnyEventObject, system: object = {}) {
  const executed: { type: string; info: unknown; params: unknown; receiver: unknown; exec: unknown }[] = [];
  const deferred: (() => void)[] = [];
  const self: Record<string, unknown> = { id: 'self', sessionId: 'x:0', _processingStatus: 1 };
  const scope = {
    self,
    id: 'self',
    sessionId: 'x:0',
    logger: () => {},
    system: { _sendInspectionEvent() {}, _logger() {}, ...system },
    defer: (fn: () => void) => void deferred.push(fn),
    emit: vi.fn<(...args: unknown[]) => void>(),
    stopChild: vi.fn<(...args: unknown[]) => void>(),
    actionExecutor(this: unknown, action: { type: string; info: unknown; params: unknown; exec: unknown }) {
      executed.push({ ...action, receiver: this });
    },
  };
  self.system = scope.system;
  const initial = machine.getInitialSnapshot(scope as never, undefined);
  executed.length = 0;
  const next = machine.transition(initial as never, event as never, scope as never);
  return { initial, next, executed, deferred, scope, self };
}

describe('the constructor of Actor', () => {
  it("raises '@xstate.actor' on the system before it computes a state", () => {
    const order: string[] = [];
    const { logic } = spy();
    const getInitialSnapshot: AnyActorLogic['getInitialSnapshot'] = (...args) => (
      order.push('state'),
      logic.getInitialSnapshot(...args)
    );
    const inspect = ({ type }: InspectionEvent) => void order.push(type);
    createActor({ ...logic, getInitialSnapshot }, { inspect });
    expect(order.slice(0, 2)).toEqual(['@xstate.actor', 'state']);
  });

  it('has set identity and options by then, and computes the state through _initState of the object', () => {
    const seen: Partial<Inside>[] = [];
    const machine = createMachine({
      entry: spawnChild(spy().logic, { id: 'child', input: 7, systemId: 's', syncSnapshot: true }),
    });
    const root = createActor(machine, {
      inspect: (event) => {
        if (event.type !== '@xstate.actor' || !(event.actorRef as unknown as Inside)._parent) return;
        const { options, sessionId, _parent, _syncSnapshot, _deferred, ref, src, _processingStatus, _snapshot } =
          event.actorRef as unknown as Inside;
        seen.push({ options, sessionId, _parent, _syncSnapshot, _deferred, ref, src, _processingStatus, _snapshot });
        Object.defineProperty(event.actorRef, '_initState', {
          value(this: Inside) {
            this._snapshot = { status: 'active', adopted: true };
          },
        });
      },
    });
    expect(seen.length).toBe(1);
    const [child] = seen;
    expect(child).toMatchObject({ _syncSnapshot: true, _deferred: [], _processingStatus: 0, _snapshot: undefined });
    expect(child!.options!.input).toBe(7);
    expect(child!._parent).toBe(root);
    const { children } = root.getSnapshot() as unknown as { children: Record<string, { getSnapshot(): unknown }> };
    expect(children.child).toBe(child!.ref);
    expect(children.child!.getSnapshot()).toEqual({ status: 'active', adopted: true });
  });

  it('takes the session id from system._bookId, and the id from it when none is given', () => {
    const actors: { id: string; sessionId: string }[] = [];
    const machine = createMachine({ context: ({ spawn }) => ({ ref: spawn(spy().logic) }) });
    const root = createActor(machine, {
      inspect: (event) => {
        if (event.type !== '@xstate.actor') return;
        const { system, id, sessionId } = event.actorRef as unknown as Inside & { id: string };
        actors.push({ id, sessionId });
        system._bookId = () => 'x:booked';
      },
    });
    expect(root.sessionId).toMatch(/^x:\d+$/);
    expect(actors[1]).toEqual({ id: 'x:booked', sessionId: 'x:booked' });
  });

  it('registers a system id through system._set, and takes it back when the actor is not active', () => {
    const calls: string[] = [];
    const done: AnyActorLogic = {
      ...spy().logic,
      getInitialSnapshot: () => ({ status: 'done', output: 1, error: undefined }),
    };
    createActor(
      createMachine({
        entry: [spawnChild(spy().logic, { systemId: 'a' }), spawnChild(done, { systemId: 'b', id: 'b' })],
      }),
      {
        inspect: (event) => {
          if (event.type !== '@xstate.actor') return;
          const { system } = event.actorRef as unknown as Inside;
          system._set = (systemId: string) => void calls.push(`set ${systemId}`);
          system._unregister = (actor: Inside) => void calls.push(`unregister ${String(actor.systemId)}`);
        },
      },
    );
    expect(calls).toEqual(['set a', 'set b', 'unregister b']);
  });

  it('gives every actor its own bound send and a ref to itself', () => {
    const actor = createActor(spy().logic);
    expect(Object.hasOwn(actor, 'send')).toBe(true);
    expect(Object.hasOwn(actor, 'ref')).toBe(true);
    expect((actor as unknown as Inside).ref).toBe(actor);
    expect(actor).toBeInstanceOf(Actor);
  });
});

describe('a transition', () => {
  const machine = createMachine({
    on: {
      GO: {
        actions: [
          function named() {},
          { type: 'configured', params: { n: 1 } },
          raise({ type: 'R' }, { delay: 5, id: 'r' }),
        ],
      },
    },
  });

  it('calls the executor it found on the scope, unbound, with action.info.self', () => {
    const { executed, self } = transition(machine, { type: 'GO' });
    expect(executed.map(({ type }) => type)).toEqual(['named', 'configured', 'xstate.raise']);
    expect(executed.map(({ receiver }) => receiver)).toEqual([undefined, undefined, undefined]);
    for (const { info } of executed) expect((info as { self: unknown }).self).toBe(self);
    expect(executed[1]!.params).toEqual({ n: 1 });
    expect(executed[1]!.exec).toBeUndefined();
  });

  it('reassigns actionExecutor during a microstep and puts it back', () => {
    const assigned: unknown[] = [];
    const { scope } = transition(machine, { type: 'NONE' });
    const original = scope.actionExecutor;
    let current = original;
    Object.defineProperty(scope, 'actionExecutor', {
      get: () => current,
      set: (value: typeof current) => {
        current = value;
        assigned.push(value);
      },
    });
    const { initial } = transition(machine, { type: 'NONE' });
    machine.transition(initial as never, { type: 'GO' } as never, scope as never);
    expect(assigned.length).toBe(2);
    expect(assigned[0]).not.toBe(original);
    expect(current).toBe(original);
  });

  it('raises an inspection event for every microstep, which has to be taken', () => {
    const types: string[] = [];
    transition(
      machine,
      { type: 'GO' },
      { _sendInspectionEvent: ({ type }: { type: string }) => void types.push(type) },
    );
    expect(types).toContain('@xstate.microstep');
  });

  it('throws where user code throws, and keeps the initial one in error status', () => {
    const boom = () => {
      throw new Error('boom');
    };
    const throwing = createMachine({ on: { GO: { actions: assign(boom) } } });
    expect(() => transition(throwing, { type: 'GO' })).toThrow('boom');
    const { scope } = transition(machine, { type: 'NONE' });
    const failing = createMachine({ context: boom });
    expect(failing.getInitialSnapshot(scope as never, undefined)).toMatchObject({
      status: 'error',
      error: { message: 'boom' },
    });
  });

  it('is bounded by options.maxIterations of the machine, which is Infinity by default and may be set', () => {
    const spinning = createMachine({
      initial: 'a',
      states: { a: { on: { GO: 'b' } }, b: { always: 'c' }, c: { always: 'b' } },
    });
    expect(spinning.options?.maxIterations).toBe(Infinity);
    (spinning.options as { maxIterations: number }).maxIterations = 10;
    expect(() => transition(spinning, { type: 'GO' })).toThrow('Infinite loop');
  });
});

describe('built-in actions', () => {
  it('schedule delays through system.scheduler.schedule(source, target, event, delay, id), deferred', () => {
    const schedule = vi.fn<(...args: unknown[]) => void>();
    const machine = createMachine({ on: { GO: { actions: raise({ type: 'R' }, { delay: 5, id: 'r' }) } } });
    const { executed, deferred, self } = transition(machine, { type: 'GO' }, { scheduler: { schedule } });
    (executed[0]!.exec as () => void)();
    expect(schedule).not.toHaveBeenCalled();
    deferred.forEach((fn) => fn());
    expect(schedule.mock.calls).toEqual([[self, self, { type: 'R' }, 5, 'r']]);
  });

  it('cancel through system.scheduler.cancel(source, id), deferred', () => {
    const cancel = vi.fn<(...args: unknown[]) => void>();
    const machine = createMachine({ initial: 'a', states: { a: { after: { 10: 'b' } }, b: {} }, on: { GO: '.b' } });
    const { executed, deferred, self } = transition(machine, { type: 'GO' }, { scheduler: { cancel, schedule() {} } });
    expect(executed.map(({ type }) => type)).toEqual(['xstate.cancel']);
    (executed[0]!.exec as () => void)();
    deferred.forEach((fn) => fn());
    expect(cancel.mock.calls).toEqual([[self, 'xstate.after.10.(machine).a']]);
  });

  it('send through system._relay(self, target, event), deferred', () => {
    const _relay = vi.fn<(...args: unknown[]) => void>();
    const target = { id: 't' };
    const machine = createMachine({
      on: { GO: { actions: sendTo((): AnyActorRef => target as never, { type: 'X' }) } },
    });
    const { executed, deferred, self } = transition(machine, { type: 'GO' }, { _relay });
    (executed[0]!.exec as () => void)();
    deferred.forEach((fn) => fn());
    expect([executed[0]!.type, _relay.mock.calls]).toEqual(['xstate.sendTo', [[self, target, { type: 'X' }]]]);
  });

  it('emit through scope.emit, deferred', () => {
    const machine = createMachine({ on: { GO: { actions: emit({ type: 'E' }) } } });
    const { executed, deferred, scope } = transition(machine, { type: 'GO' });
    (executed[0]!.exec as () => void)();
    expect(scope.emit).not.toHaveBeenCalled();
    deferred.forEach((fn) => fn());
    expect([executed[0]!.type, scope.emit.mock.calls]).toEqual(['xstate.emit', [[{ type: 'E' }]]]);
  });

  it('start a spawned actor, deferred, unless its _processingStatus is 2 by then', () => {
    const machine = createMachine({ on: { GO: { actions: spawnChild(spy().logic, { id: 'child' }) } } });
    for (const [status, starts] of [
      [0, 1],
      [2, 0],
    ] as const) {
      const system = { _bookId: () => 'x:1', _register() {}, _relay() {}, _set() {} };
      const { executed, deferred, next } = transition(machine, { type: 'GO' }, system);
      const child = (next as unknown as { children: Record<string, Inside & { start: () => void }> }).children.child!;
      const start = vi.fn<(...args: unknown[]) => void>();
      Object.assign(child, { start, _processingStatus: status });
      (executed.find(({ type }) => type === 'xstate.spawnChild')!.exec as () => void)();
      deferred.forEach((fn) => fn());
      expect(start).toHaveBeenCalledTimes(starts);
    }
  });

  it('stop a child through scope.stopChild after unregistering it and everything below it at once', () => {
    const _unregister = vi.fn<(...args: unknown[]) => void>();
    const below = { id: 'below', getSnapshot: () => ({}), _processingStatus: 1 };
    const child = { id: 'child', getSnapshot: () => ({ children: { below } }), _processingStatus: 1 };
    const machine = createMachine({ on: { GO: { actions: stopChild(() => child as never) } } });
    const { executed, deferred, scope } = transition(machine, { type: 'GO' }, { _unregister });
    (executed[0]!.exec as () => void)();
    expect(_unregister.mock.calls).toEqual([[below], [child]]);
    expect(scope.stopChild).not.toHaveBeenCalled();
    deferred.forEach((fn) => fn());
    expect([executed[0]!.type, scope.stopChild.mock.calls]).toEqual(['xstate.stopChild', [[child]]]);
  });
});

describe('a machine snapshot', () => {
  const machine = createMachine({
    id: 'm',
    initial: 'a',
    states: {
      a: { initial: 'x', states: { x: { tags: 't' }, h: { type: 'history' } }, on: { GO: 'b' } },
      b: { on: { BACK: 'a.h' } },
    },
  });
  const inside = (snapshot: unknown) =>
    snapshot as { _nodes: { id: string }[]; historyValue: Record<string, { id: string }[]>; machine: unknown };

  it('holds its active state nodes in _nodes and remembered ones in historyValue', () => {
    const { initial, next } = transition(machine, { type: 'GO' });
    expect(inside(initial)._nodes.map(({ id }) => id)).toEqual(['m', 'm.a', 'm.a.x']);
    expect(inside(next).historyValue).toMatchObject({ 'm.a.h': [{ id: 'm.a.x' }] });
    expect(inside(next).machine).toBe(machine);
  });

  it('is made by resolveState from value, context, status and historyValue', () => {
    const historyValue = { 'm.a.h': [machine.getStateNodeById('#m.a.x')] };
    const snapshot = machine.resolveState({
      value: { a: 'x' },
      context: { n: 1 },
      status: 'active',
      historyValue,
    } as never);
    expect(snapshot).toMatchObject({ value: { a: 'x' }, context: { n: 1 }, status: 'active', children: {} });
    expect(inside(snapshot).historyValue).toEqual(historyValue);
    expect(snapshot.hasTag('t')).toBe(true);
  });

  it('finds its state nodes by id in idMap, dots or not', () => {
    const dotted = createMachine({ id: 'a.b', initial: 'c', states: { c: {} } });
    const { idMap } = dotted as unknown as { idMap: Map<string, { id: string }> };
    expect([...idMap.keys()]).toEqual(['a.b', 'a.b.c']);
    expect(() => dotted.getStateNodeById('#a.b.c')).toThrow("'#a' does not exist");
  });
});

describe('a guard that is made of others', () => {
  interface Inside {
    readonly name: string;
    readonly guards?: readonly unknown[];
    check(snapshot: object, args: { context: unknown; event: unknown }, guard: unknown): boolean;
  }
  const inside = (guard: unknown) => guard as Inside;
  const machine = createMachine({ on: { GO: { guard: 'isOdd' } } }).provide({
    guards: { isOdd: ({ context, event }) => context.n === event.n },
  });

  it('has its kind as its name, and in guards what it is made of', () => {
    const guard = () => true;
    expect([inside(and(['a', guard])).name, inside(and(['a', guard])).guards]).toEqual(['and', ['a', guard]]);
    expect([inside(not('a')).name, inside(not('a')).guards]).toEqual(['not', ['a']]);
    expect([inside(stateIn('a')).name, inside(stateIn('a')).guards]).toEqual(['stateIn', undefined]);
  });

  it('evaluates these by check(snapshot, { context, event }, itself), with the implementations of snapshot.machine', () => {
    const { initial } = transition(machine, { type: 'NONE' });
    const whole = inside(and(['isOdd']));
    expect(whole.check(initial, { context: { n: 1 }, event: { type: 'GO', n: 1 } }, whole)).toBe(true);
    expect(whole.check(initial, { context: { n: 1 }, event: { type: 'GO', n: 2 } }, whole)).toBe(false);
    const missing = inside(and(['isMissing']));
    expect(() => missing.check(initial, { context: {}, event: { type: 'GO' } }, missing)).toThrow('is not implemented');
  });

  it('is given as it was written by getNextTransitions, with source and target as state nodes', () => {
    const { initial } = transition(machine, { type: 'NONE' });
    const [go] = getNextTransitions(initial as never);
    expect([go!.eventType, go!.guard, go!.target, (go!.source as { path: string[] }).path]).toEqual([
      'GO',
      'isOdd',
      undefined,
      [],
    ]);
  });
});
