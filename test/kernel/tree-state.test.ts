/** Trees as text and back (T1, T2): what is restored answers as the original does, and nothing is left out silently. */
import { describe, expect, it } from 'vitest';
import {
  assign,
  createMachine as createXStateMachine,
  raise,
  sendTo,
  spawnChild,
  stopChild,
  type AnyActorRef,
  type AnyEventObject,
  type AnyStateMachine,
} from 'xstate';
import { DecodeError, InvalidArgumentError, NotSerializableError } from '../../src/errors.ts';
import { ActorTree } from '../../src/kernel/actor-tree.ts';
import { describeTree, MachineMisfit, restoreTree } from '../../src/kernel/tree-state.ts';
import { createMachine } from '../support/loose-machine.ts';
import { viewTree } from '../../src/testing/charts/xstate-view.ts';

let count = 0;
const cause = () => ({ eventId: `event ${count++}`, correlationId: 'c' });

function started(machine: AnyStateMachine): ActorTree {
  const tree = new ActorTree(machine, '1');
  tree.apply({ type: 'ActorStarted', input: undefined }, 1_000, cause());
  return tree;
}

function copyOf(tree: ActorTree): ActorTree {
  const copy = new ActorTree(tree.logic, tree.rootId);
  restoreTree(copy, describeTree(tree));
  return copy;
}

const tell = (tree: ActorTree, event: AnyEventObject) =>
  tree.apply({ type: 'EventReceived', to: '/', event }, tree.at + 1, { eventId: 'same', correlationId: 'c' });

/** Sends the same events to a tree and to its copy, and sees that they answer alike. */
function expectAlike(tree: ActorTree, events: readonly AnyEventObject[]) {
  const copy = copyOf(tree);
  expect(describeTree(copy)).toBe(describeTree(tree));
  for (const event of events) {
    expect(tell(copy, event).record).toEqual(tell(tree, event).record);
    expect(viewTree(copy.rootActor.getSnapshot())).toEqual(viewTree(tree.rootActor.getSnapshot()));
    expect(describeTree(copy)).toBe(describeTree(tree));
  }
}

const counter = createMachine({
  context: { n: 0 },
  initial: 'on',
  states: { on: { on: { END: 'end' } }, end: { type: 'final' } },
  on: { ADD: { actions: assign({ n: ({ context }) => (context.n as number) + 1 }) } },
  output: ({ context }) => context.n as number,
});
const spawn = (id: string, more = {}) => spawnChild('counter' as never, { id, ...more } as never);
const withCounter = (config: Parameters<typeof createMachine>[0]) =>
  createMachine(config).provide({ actors: { counter } });
const spawning = ({ spawn }: { spawn: unknown }) =>
  (spawn as (src: string, options: object) => AnyActorRef)('counter', { id: 'same' });

describe('a restored tree', () => {
  it('finds the actors that only a context refers to', () => {
    const machine = withCounter({
      context: {},
      entry: [assign({ first: spawning }), assign({ second: spawning })],
      on: {
        FIRST: { actions: sendTo(({ context }): AnyActorRef => context.first as AnyActorRef, { type: 'ADD' }) },
        SECOND: { actions: sendTo('same', { type: 'ADD' }) },
      },
    });
    const tree = started(machine);
    tell(tree, { type: 'FIRST' });
    expectAlike(tree, [{ type: 'FIRST' }, { type: 'SECOND' }]);
    const context = (copyOf(tree).rootActor.getSnapshot() as unknown as { context: { first: AnyActorRef } }).context;
    expect(context.first.getSnapshot()).toMatchObject({ context: { n: 2 } });
  });

  it('knows how actors ended that its context still refers to', () => {
    const machine = withCounter({
      context: {},
      entry: assign({ ref: spawning }),
      on: {
        END: { actions: sendTo('same', { type: 'END' }) },
        DROP: { actions: stopChild('same') },
        'xstate.done.actor.same': { actions: stopChild('same') },
        ASK: {
          guard: ({ context }) => (context.ref as AnyActorRef).getSnapshot().status === 'done',
          actions: assign({ asked: true }),
        },
      },
    });
    const tree = started(machine);
    tell(tree, { type: 'END' });
    expectAlike(tree, [{ type: 'ASK' }]);
    expect(tree.rootActor.getSnapshot()).toMatchObject({ context: { asked: true } });
  });

  it('cancels its timers in the same order, also where an id was used again', () => {
    const machine = createMachine({
      initial: 'on',
      states: { on: { on: { END: 'end' } }, end: { type: 'final' } },
      entry: [
        raise({ type: 'T' }, { delay: 10, id: 't' }),
        raise({ type: 'U' }, { delay: 10, id: 'u' }),
        raise({ type: 'T' }, { delay: 20, id: 't' }),
      ],
    });
    expectAlike(started(machine), [{ type: 'END' }]);
  });

  it('fires a timer whose id was used before, also when there is none left that can be cancelled', () => {
    const machine = createMachine({
      context: { n: 0 },
      entry: [raise({ type: 'T' }, { delay: 10, id: 't' }), raise({ type: 'T' }, { delay: 20, id: 't' })],
      on: { T: { actions: assign({ n: ({ context }) => (context.n as number) + 1 }) } },
    });
    const tree = started(machine);
    tree.apply({ type: 'TimerFired', timer: 0 }, 1_010, cause());
    const copy = copyOf(tree);
    copy.apply({ type: 'TimerFired', timer: 1 }, 1_020, cause());
    expect(copy.rootActor.getSnapshot()).toMatchObject({ context: { n: 2 } });
  });

  it('keeps system ids, timers that cannot be cancelled any more, and message ids', () => {
    const machine = withCounter({
      entry: [
        spawn('a', { systemId: 'the a' }),
        raise({ type: 'T' }, { delay: 10, id: 't' }),
        raise({ type: 'T' }, { delay: 20, id: 't' }),
      ],
      on: { ADD: { actions: sendTo(({ system }) => system.get('the a') as AnyActorRef, { type: 'ADD' }) } },
    });
    const tree = started(machine);
    tree.apply({ type: 'EventReceived', to: '/', event: { type: 'ADD' }, messageId: 'm' }, 1_001, cause());
    const copy = copyOf(tree);
    expect(copy.accepts({ type: 'EventReceived', to: '/', event: { type: 'ADD' }, messageId: 'm' })).toBe(false);
    expect([...copy.timers!.values()].map(({ seq, dueAt }) => [seq, dueAt])).toEqual([
      [0, 1_010],
      [1, 1_020],
    ]);
    expect(copy.timerKeys!.size).toBe(1);
    expectAlike(tree, [{ type: 'ADD' }]);
  });

  it('gives new sessions the numbers that the original would have given', () => {
    const machine = withCounter({ on: { NEW: { actions: spawn('child') } } });
    const tree = started(machine);
    tell(tree, { type: 'NEW' });
    expectAlike(tree, [{ type: 'NEW' }, { type: 'NEW' }]);
  });

  it('is in the same states, history and order of parallel regions included', () => {
    const region = {
      initial: 'a',
      states: { a: { on: { X: 'b' } }, b: { on: { X: 'a' } }, h: { type: 'history' as const } },
    };
    const machine = createMachine({
      type: 'parallel',
      states: { one: { ...region, on: { GO: '.h', ONE: '.b' } }, two: { ...region, on: { TWO: '.b' } } },
    });
    const tree = started(machine);
    for (const type of ['TWO', 'ONE', 'X']) tell(tree, { type });
    expectAlike(tree, [{ type: 'GO' }, { type: 'X' }, { type: 'ONE' }, { type: 'GO' }]);
  });

  it('of a machine that has ended has ended', () => {
    const tree = started(counter);
    tell(tree, { type: 'ADD' });
    tell(tree, { type: 'END' });
    const copy = copyOf(tree);
    expect([copy.status, copy.rootActor.getSnapshot().output]).toEqual(['done', 1]);
  });
});

describe('a tree that cannot be described says so', () => {
  it('for an actor spawned from an inline logic', () => {
    const machine = createMachine({ entry: spawnChild(counter, { id: 'inline' }) });
    expect(() => describeTree(started(machine))).toThrow(InvalidArgumentError);
    expect(() => describeTree(started(machine))).toThrow('/inline:1');
  });

  it('for a value that the codec cannot carry', () => {
    const machine = createMachine({ context: { fn: () => {} } });
    expect(() => describeTree(started(machine))).toThrow(NotSerializableError);
  });
});

describe('a description that does not fit is refused', () => {
  const tree = () => started(withCounter({ id: 'm', initial: 'a', states: { a: {} }, entry: spawn('child') }));

  it('by a machine without the state', () => {
    const other = createXStateMachine({ id: 'm', initial: 'b', states: { b: {} } });
    expect(() => restoreTree(new ActorTree(other, '1'), describeTree(tree()))).toThrow(MachineMisfit);
    expect(() => restoreTree(new ActorTree(other, '1'), describeTree(tree()))).toThrow("State 'a' does not exist");
  });

  it('by a machine without the actor', () => {
    const other = createMachine({ id: 'm', initial: 'a', states: { a: {} } });
    expect(() => restoreTree(new ActorTree(other, '1'), describeTree(tree()))).toThrow(MachineMisfit);
  });

  it('when it is something else', () => {
    for (const text of ['', '{', '[]', '[1]', '[{"form":1},2]']) {
      expect(() => restoreTree(new ActorTree(counter, '1'), text), text).toThrow(DecodeError);
    }
  });
});

/** A child that arms two timers under one id: as in XState, the first one outlives it and reaches the parent. */
const leavingTimers = () => {
  const child = createMachine({
    entry: [
      sendTo(({ self }) => self._parent!, { type: 'LATE' }, { id: 't', delay: 100 }),
      sendTo(({ self }) => self._parent!, { type: 'LATE' }, { id: 't', delay: 200 }),
    ] as never,
  });
  return createMachine({
    initial: 'with',
    states: {
      with: { invoke: { id: 'child', src: 'child' }, on: { LEAVE: 'without' } },
      without: { on: { LATE: 'told' } },
      told: {},
    },
  }).provide({ actors: { child } });
};

it('T1, 20: a timer that an ended actor has left fires in the copy as it does in the original', () => {
  const tree = started(leavingTimers());
  tell(tree, { type: 'LEAVE' });
  const copy = copyOf(tree);
  expect(describeTree(copy)).toBe(describeTree(tree));
  const fire = (of: ActorTree) => of.apply({ type: 'TimerFired', timer: of.nextTimer()!.seq }, 1_100, cause()).record;
  expect(fire(copy)).toEqual(fire(tree));
  expect(copy.rootActor.getSnapshot()).toMatchObject({ value: 'told' });
});
