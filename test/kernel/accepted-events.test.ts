/** What a machine would take in its present state, and how its guards answer without an event at hand (AE1, AE2). */
import { describe, expect, it } from 'vitest';
import { and, createActor, not, or, setup, stateIn, type AnyMachineSnapshot, type AnyStateMachine } from 'xstate';
import { now, random, uuid } from '../../src/kernel/determinism.ts';
import { acceptedEvents } from '../../src/kernel/accepted-events.ts';
import { createMachine } from '../support/loose-machine.ts';

function accepted(machine: AnyStateMachine, at = 0) {
  return acceptedEvents(createActor(machine).start().getSnapshot() as AnyMachineSnapshot, at);
}

/** What guards say, by the type of their event. */
function answers(machine: AnyStateMachine, at = 0) {
  return Object.fromEntries(accepted(machine, at).map(({ event, guard }) => [event, guard?.gives ?? null]));
}

describe('a machine', () => {
  it('takes what its active states declare, the innermost first', () => {
    const machine = createMachine({
      id: 'm',
      initial: 'a',
      on: { RESET: '.a', NOTE: {} },
      states: {
        a: {
          initial: 'x',
          invoke: { src: 'work', onDone: 'b' },
          on: { OUT: 'b' },
          states: { x: { on: { IN: 'y', BOTH: ['y', '#m'] as never } }, y: {} },
        },
        b: { on: { HIDDEN: 'a' } },
      },
    });
    const work = {
      transition: (state: object) => state,
      getInitialSnapshot: () => ({ status: 'active' }),
      getPersistedSnapshot: (state: object) => state,
    };
    const seen = accepted(machine.provide({ actors: { work: work as never } }));
    expect(seen.map(({ state, event, targets }) => [state, event, ...targets])).toEqual([
      ['a.x', 'IN', 'a.y'],
      ['a.x', 'BOTH', 'a.y'],
      ['a.x', 'BOTH', '(the machine)'],
      ['a', 'OUT', 'b'],
      ['a', 'xstate.done.actor.0.m.a', 'b'],
      ['', 'RESET', 'a'],
      ['', 'NOTE'],
    ]);
  });

  it('in parallel states takes what each of them does', () => {
    const region = (event: string) => ({ initial: 'p', states: { p: { on: { [event]: 'q' } }, q: {} } });
    const machine = createMachine({ type: 'parallel', states: { left: region('L'), right: region('R') } });
    expect(accepted(machine).map(({ state, event }) => [state, event])).toEqual([
      ['left.p', 'L'],
      ['right.p', 'R'],
    ]);
  });
});

describe('a guard', () => {
  it('is told by its name and parameters, or those it is made of', () => {
    function isNamed() {
      return true;
    }
    const machine = setup({
      guards: { isUp: () => true, isAbove: (_, { min }: { min: number }) => min < 5 },
    }).createMachine({
      initial: 'a',
      states: {
        a: {
          on: {
            ONE: { guard: 'isUp' },
            TWO: { guard: { type: 'isAbove', params: { min: 3 } } },
            THREE: { guard: { type: 'isAbove', params: () => ({ min: 7 }) } },
            FOUR: { guard: and(['isUp', not({ type: 'isAbove', params: { min: 9 } })]) },
            FIVE: { guard: or([not('isUp'), stateIn('b')]) },
            SIX: { guard: () => false },
            SEVEN: { guard: isNamed },
          },
        },
        b: {},
      },
    });
    expect(accepted(machine).map(({ guard }) => guard)).toEqual([
      { name: 'isUp', params: null, gives: true },
      { name: 'isAbove', params: { min: 3 }, gives: true },
      { name: 'isAbove', params: null, gives: false },
      { name: 'and(isUp, not(isAbove))', params: null, gives: true },
      { name: 'or(not(isUp), stateIn)', params: null, gives: false },
      { name: '(inline)', params: null, gives: false },
      { name: 'isNamed', params: null, gives: true },
    ]);
  });

  it('AE1: that looks at more of its event than the type, or throws, depends on the event', () => {
    const machine = createMachine({
      on: {
        FIELD: { guard: ({ event }) => event.n === 1 },
        IN: { guard: ({ event }) => 'n' in event },
        KEYS: { guard: ({ event }) => Object.keys(event).length > 1 },
        OWN: { guard: ({ event }) => Object.hasOwn(event, 'n') },
        THROWS: { guard: ({ event }) => (event.list as unknown[]).length > 0 },
        FAILS: { guard: () => JSON.parse('{') as boolean },
        TYPE: { guard: ({ event }) => event.type === 'TYPE' },
        'any.*': { guard: ({ event }) => event.type === 'any.x' },
        '*': { guard: ({ event }) => event.type === 'X' },
        CONTEXT: { guard: ({ context }) => context.n === undefined },
      },
    });
    const depends = 'depends on the event';
    expect(answers(machine)).toEqual({
      ...{ FIELD: depends, IN: depends, KEYS: depends, OWN: depends, THROWS: depends, FAILS: depends },
      ...{ TYPE: true, 'any.*': depends, '*': depends, CONTEXT: true },
    });
  });

  it('AE1: without an implementation is no answer', () => {
    expect(answers(createMachine({ on: { GO: { guard: 'isMissing' } } }))).toEqual({ GO: 'depends on the event' });
  });

  it('AE2: reads the given time; one that draws depends on chance', () => {
    const machine = createMachine({
      on: {
        LATE: { guard: () => now() > 1_000 },
        DRAWS: { guard: () => random() < 2 },
        NAMES: { guard: () => uuid() !== '' },
      },
    });
    expect(answers(machine, 1_001)).toEqual({ LATE: true, DRAWS: 'depends on chance', NAMES: 'depends on chance' });
    expect(answers(machine, 1_000).LATE).toBe(false);
  });

  it('of a transition that needs no event is asked like any other', () => {
    const machine = createMachine({
      context: { n: 0 },
      initial: 'a',
      states: { a: { always: { guard: ({ context }) => context.n === 1, target: 'b' } }, b: {} },
    });
    expect(accepted(machine)).toEqual([
      { state: 'a', event: '', targets: ['b'], guard: { name: '(inline)', params: null, gives: false } },
    ]);
  });
});
