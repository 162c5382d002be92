/**
 * An order in five states that goes round: small enough for an idle actor to be mostly the host's, with a guard and an
 * assignment on its way as real ones have.
 *
 * B1  The events of {@link orderEvents} always move it.
 */
import { assign, setup } from 'xstate';

interface Context {
  readonly customer: string;
  readonly total: number;
  readonly rounds: number;
  readonly lastNote: string;
}

type Event =
  | { readonly type: 'SUBMIT'; readonly note: string }
  | { readonly type: 'APPROVE'; readonly by: string; readonly amount: number }
  | { readonly type: 'SHIP'; readonly parcel: string }
  | { readonly type: 'DELIVER'; readonly at: string }
  | { readonly type: 'REOPEN'; readonly note: string };

export const order = setup({
  types: { context: {} as Context, events: {} as Event, input: {} as { customer: string } },
  guards: { isWithinLimit: ({ event }) => event.type === 'APPROVE' && event.amount < 10_000 },
  actions: {
    noteText: assign({ lastNote: ({ event }) => ('note' in event ? event.note : '') }),
    addAmount: assign({
      total: ({ context, event }) => context.total + (event.type === 'APPROVE' ? event.amount : 0),
    }),
    countRound: assign({ rounds: ({ context }) => context.rounds + 1 }),
  },
}).createMachine({
  context: ({ input }) => ({ customer: input.customer, total: 0, rounds: 0, lastNote: '' }),
  initial: 'open',
  states: {
    open: { on: { SUBMIT: { target: 'submitted', actions: 'noteText' } } },
    submitted: { on: { APPROVE: { target: 'approved', guard: 'isWithinLimit', actions: 'addAmount' } } },
    approved: { on: { SHIP: 'shipped' } },
    shipped: { on: { DELIVER: { target: 'delivered', actions: 'countRound' } } },
    delivered: { on: { REOPEN: { target: 'open', actions: 'noteText' } } },
  },
});

export const orderInput = { customer: 'c-1042' };

/** The next `count` events of an order that has had a multiple of five. */
export function orderEvents(count: number): Event[] {
  return Array.from({ length: count }, (_, index) => round(index)[index % 5]!);
}

function round(index: number): readonly Event[] {
  return [
    { type: 'SUBMIT', note: `please deliver to the back door, order ${index}` },
    { type: 'APPROVE', by: 'accounts@example.org', amount: 10 + (index % 90) },
    { type: 'SHIP', parcel: `parcel-${index}` },
    { type: 'DELIVER', at: '2026-05-04T10:30:00Z' },
    { type: 'REOPEN', note: 'one item came back' },
  ];
}
