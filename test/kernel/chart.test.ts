import { describe, expect, it } from 'vitest';
import { assign, createMachine, fromPromise, raise, setup, type AnyStateMachine } from 'xstate';
import { flow, step, withRetry } from '../../machines/index.ts';
import { chartOf, type ChartState, type MachineChart } from '../../src/kernel/chart.ts';

const label = createMachine({ id: 'label', initial: 'printing', states: { printing: { type: 'final' } } });

const order = setup({
  actors: { charge: fromPromise(async () => 'paid'), label },
  guards: { isPaid: () => true },
  actions: { note: () => {} },
  delays: { patience: 5_000 },
}).createMachine({
  id: 'order',
  version: '2',
  description: 'What becomes of an order',
  initial: 'open',
  on: { CANCEL: '.cancelled', '*': { actions: 'note' } },
  states: {
    open: {
      entry: 'note',
      exit: [raise({ type: 'LEFT' })],
      tags: 'waiting',
      always: { guard: 'isPaid', target: 'paying' },
      on: {
        PAY: [
          { guard: 'isPaid', target: 'paying', actions: ['note', assign({})] },
          { target: 'open', reenter: true },
        ],
      },
      after: { patience: 'cancelled', 90_000: 'cancelled', 1500: { actions: 'note' } },
    },
    paying: {
      type: 'parallel',
      meta: { owner: 'billing' },
      states: {
        card: {
          initial: 'charging',
          states: {
            charging: { invoke: { src: 'charge', id: 'charge', onDone: 'charged', onError: '#order.cancelled' } },
            charged: { type: 'final' },
          },
        },
        parcel: {
          initial: 'packing',
          states: {
            packing: { invoke: { src: 'label', onDone: 'packed' } },
            packed: { type: 'final' },
            last: { type: 'history', history: 'deep' },
          },
        },
      },
      onDone: 'shipped',
    },
    shipped: { type: 'final' },
    cancelled: { type: 'final' },
  },
});

function statesOf({ root }: MachineChart): Map<string, ChartState> {
  const found = new Map<string, ChartState>();
  const visit = (state: ChartState): void => {
    found.set(state.id, state);
    state.states.forEach(visit);
  };
  visit(root);
  return found;
}

describe('the chart of a machine', () => {
  const chart = chartOf(order as AnyStateMachine);
  const states = statesOf(chart);

  it('has each state with its type, its parent and what it starts in', () => {
    expect([...states.values()].map(({ id, type }) => `${id} ${type}`)).toEqual([
      'order compound',
      'order.open atomic',
      'order.paying parallel',
      'order.paying.card compound',
      'order.paying.card.charging atomic',
      'order.paying.card.charged final',
      'order.paying.parcel compound',
      'order.paying.parcel.packing atomic',
      'order.paying.parcel.packed final',
      'order.paying.parcel.last history',
      'order.shipped final',
      'order.cancelled final',
    ]);
    expect(chart.root.initial).toEqual(['order.open']);
    expect(states.get('order.paying')!.initial).toEqual([]);
    expect(states.get('order.paying.parcel.last')!.history).toBe('deep');
  });

  it('says what a state does, and what is told of it', () => {
    expect(states.get('order.open')).toMatchObject({ entry: ['note'], exit: ['raise'], tags: ['waiting'] });
    expect(states.get('order.paying')!.meta).toEqual({ owner: 'billing' });
    expect(states.get('order.paying.card.charging')!.invoke).toEqual([{ id: 'charge', src: 'charge' }]);
    expect(chart).toMatchObject({ form: 1, id: 'order', version: '2', description: 'What becomes of an order' });
  });

  it('has every arrow once, in words', () => {
    const words = [...states.values()].flatMap(({ transitions }) =>
      transitions.map(({ id, kind, label: text, guard, targets, actions, reenter }) =>
        [
          `${id} ${kind}:`,
          text,
          guard && `[${guard}]`,
          ...actions.map((action) => `/${action}`),
          reenter && '(anew)',
          '→',
          ...targets,
        ]
          .filter(Boolean)
          .join(' '),
      ),
    );
    expect(words).toEqual([
      'order#0 event: CANCEL → order.cancelled',
      'order#1 wildcard: any event /note →',
      'order.open#0 event: PAY [isPaid] /note /assign → order.paying',
      'order.open#1 event: PAY (anew) → order.open',
      'order.open#2 after: after 1500ms /note →',
      'order.open#3 after: after 90s → order.cancelled',
      'order.open#4 after: after patience → order.cancelled',
      'order.open#5 always: always [isPaid] → order.paying',
      'order.paying#0 done: done → order.shipped',
      'order.paying.card.charging#0 done: charge done → order.paying.card.charged',
      'order.paying.card.charging#1 error: charge failed → order.cancelled',
      'order.paying.parcel.packing#0 done: label done → order.paying.parcel.packed',
    ]);
  });

  it('holds the charts of the machines that it runs by name, but not itself again', () => {
    expect(Object.keys(chart.actors)).toEqual(['label']);
    expect(chart.actors.label!.root.initial).toEqual(['label.printing']);
    const actors: Record<string, AnyStateMachine> = {};
    const inner = setup({ actors }).createMachine({ id: 'inner' });
    actors.inner = inner;
    expect(chartOf(inner.provide({ actors: { inner } }))).toMatchObject({ actors: { inner: { actors: {} } } });
  });

  it('is JSON, for the machines of rewake too', () => {
    const call = fromPromise(async () => 'done');
    const machines = [
      step('call', () => 'done', { retry: 3, breaker: 'api', timeout: '30s' }),
      withRetry()(call),
      flow('order', { steps: { a: { run: call }, b: { run: call, needs: ['a'] } } }),
      order,
    ];
    for (const machine of machines) {
      const drawn = chartOf(machine as unknown as AnyStateMachine);
      expect(JSON.parse(JSON.stringify(drawn))).toEqual(drawn);
    }
  });
});
