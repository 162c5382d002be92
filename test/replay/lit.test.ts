/**
 * What is lit in a chart: for machines that are played, the states that XState has, and the arrows that it took.
 */
import { describe, expect, it } from 'vitest';
import { createActor, createMachine, type AnyEventObject, type StateValue } from 'xstate';
import { chartOf } from '../../src/kernel/chart.ts';
import type { ChartState } from '../../src/kernel/chart.ts';
import { litIn, litOf, type Frame } from '../../src/replay/index.ts';
import { statesOf } from '../../src/replay/chart-states.ts';

const machine = createMachine({
  id: 'm',
  initial: 'idle',
  on: { RESET: '.idle', 'log.*': {} },
  states: {
    idle: { on: { GO: [{ guard: () => false, target: 'paid' }, { target: 'paying' }], SKIP: 'checked', PING: {} } },
    checked: { always: [{ guard: () => false, target: 'idle' }, { target: 'routed' }] },
    routed: { always: 'paid' },
    paying: {
      initial: 'card',
      after: { 1000: 'idle' },
      states: {
        card: { on: { NEXT: 'signed', RESET: '#m.paid' } },
        signed: { type: 'final' },
      },
      onDone: 'paid',
      on: { '*': 'split' },
    },
    paid: { on: { SPLIT: 'split' } },
    split: {
      type: 'parallel',
      on: { BOTH: '.left.l2' },
      states: {
        left: { initial: 'l1', states: { l1: { on: { BOTH: 'l2', LEFT: 'l2' } }, l2: {} } },
        right: { initial: 'r1', states: { r1: { on: { BOTH: 'r2' } }, r2: {} } },
      },
    },
  },
});

const chart = chartOf(machine);
const arrows = statesOf(chart.root).flatMap((state: ChartState) =>
  state.transitions.map((arrow) => [arrow.id, `${state.key} ${arrow.event} ${arrow.targets.join()}`] as const),
);
const nameOf = new Map(arrows);

/** Sends events, and gives what is lit after the last of them. */
function after(...events: string[]) {
  const actor = createActor(machine, { clock: { setTimeout: () => 0, clearTimeout: () => {} } }).start();
  let before: StateValue = actor.getSnapshot().value;
  for (const event of events) {
    before = actor.getSnapshot().value;
    actor.send({ type: event } as AnyEventObject);
  }
  const snapshot = actor.getSnapshot();
  const moves = [{ actor: '/', event: events.at(-1)!, to: snapshot.value }];
  const lit = litOf(chart, { value: snapshot.value as never }, moves, before);
  expect([...lit.states].sort()).toEqual(snapshot._nodes.map(({ id }) => id).sort());
  return lit.arrows.map((id) => nameOf.get(id));
}

describe('the arrow that was taken', () => {
  it('has the event, the source and the target of the move', () => {
    expect(after('GO')).toEqual(['idle GO m.paying']);
  });

  it('is the innermost one', () => {
    expect(after('GO', 'RESET')).toEqual(['card RESET m.paid']);
    expect(after('SKIP', 'RESET')).toEqual(['m RESET m.idle']);
  });

  it('leads on through arrows that need no event', () => {
    expect(after('SKIP')).toEqual(['idle SKIP m.checked', 'checked  m.routed', 'routed  m.paid']);
  });

  it('leads on through the end of a compound state', () => {
    expect(after('GO', 'NEXT')).toEqual(['card NEXT m.paying.signed', 'paying xstate.done.state.m.paying m.paid']);
  });

  it('may be a delay, a wildcard, a part of a name, or lead nowhere', () => {
    expect(after('GO', 'xstate.after.1000.m.paying')).toEqual(['paying xstate.after.1000.m.paying m.idle']);
    expect(after('GO', 'UNKNOWN')).toEqual(['paying * m.split']);
    expect(after('log.line')).toEqual(['m log.* ']);
    expect(after('PING')).toEqual(['idle PING ']);
  });

  it('is one in each region, and then none around them', () => {
    expect(after('SKIP', 'SPLIT', 'BOTH')).toEqual(['l1 BOTH m.split.left.l2', 'r1 BOTH m.split.right.r2']);
    expect(after('SKIP', 'SPLIT', 'LEFT')).toEqual(['l1 LEFT m.split.left.l2']);
    expect(after('SKIP', 'SPLIT', 'LEFT', 'BOTH')).toEqual(['r1 BOTH m.split.right.r2']);
  });

  it('is none where nothing explains the move', () => {
    expect(litOf(chart, { value: 'paid' }, [{ actor: '/', event: 'GO', to: 'paid' }], 'routed').arrows).toEqual([]);
    expect(litOf(chart, { value: null }, [], undefined)).toEqual({ states: [], arrows: [] });
  });

  it('is found without the state before where only one can be meant', () => {
    const move = (event: string, to: StateValue) =>
      litOf(chart, { value: to as never }, [{ actor: '/', event, to }]).arrows;
    expect(move('GO', { paying: 'card' }).map((id) => nameOf.get(id))).toEqual(['idle GO m.paying']);
    expect(move('RESET', 'idle').map((id) => nameOf.get(id))).toEqual(['m RESET m.idle']);
  });
});

it('is given for every machine of a frame by its address', () => {
  const actor = (address: string, value: unknown, kind = 'machine') => ({ address, value, kind });
  const previous = { actors: [actor('/', 'idle'), actor('/child:1', 'idle')] };
  const frame = {
    actors: [actor('/', { paying: 'card' }), actor('/child:1', 'idle'), actor('/pay:2', null, 'effect')],
    transitions: [{ actor: '/', event: 'GO', to: { paying: 'card' } }],
  };
  const lit = litIn(frame as unknown as Frame, previous as unknown as Frame, () => chart);
  expect(Object.keys(lit)).toEqual(['/', '/child:1']);
  expect(lit['/']!.arrows.map((id) => nameOf.get(id))).toEqual(['idle GO m.paying']);
  expect(lit['/child:1']).toEqual({ states: ['m', 'm.idle'], arrows: [] });
});
