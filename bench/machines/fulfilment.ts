/**
 * A machine of realistic size: nested and parallel states, guards, assignments, a delay, facts. Used where a long history
 * is folded.
 *
 * B2  The events of {@link fulfilmentEvents} always move it, in rounds of ten.
 */
import { assign, emit, setup } from 'xstate';

interface Line {
  readonly sku: string;
  readonly count: number;
}

interface Context {
  readonly customer: string;
  readonly lines: readonly Line[];
  readonly paid: number;
  readonly attempts: number;
  readonly parcels: number;
  readonly address: string;
}

type Event =
  | { readonly type: 'ADD_LINE'; readonly sku: string; readonly count: number }
  | { readonly type: 'SET_ADDRESS'; readonly address: string }
  | { readonly type: 'CHECK_OUT' }
  | { readonly type: 'PAYMENT_FAILED'; readonly reason: string }
  | { readonly type: 'PAYMENT_RECEIVED'; readonly amount: number }
  | { readonly type: 'PICKED'; readonly shelf: string }
  | { readonly type: 'PACKED'; readonly weightGrams: number }
  | { readonly type: 'HANDED_OVER'; readonly carrier: string }
  | { readonly type: 'DELIVERED' }
  | { readonly type: 'ORDER_AGAIN' };

type Fact = { readonly type: 'PaymentReceived'; readonly amount: number } | { readonly type: 'ParcelDelivered' };

export const fulfilment = setup({
  types: { context: {} as Context, events: {} as Event, emitted: {} as Fact, input: {} as { customer: string } },
  guards: {
    hasLines: ({ context }) => context.lines.length > 0,
    hasAttemptsLeft: ({ context }) => context.attempts < 3,
    isEnough: ({ event }) => event.type === 'PAYMENT_RECEIVED' && event.amount > 0,
  },
  delays: { paymentDeadline: 86_400_000 },
  actions: {
    addLine: assign({
      lines: ({ context, event }) =>
        event.type === 'ADD_LINE' ? [...context.lines, { sku: event.sku, count: event.count }] : context.lines,
    }),
    setAddress: assign({
      address: ({ context, event }) => (event.type === 'SET_ADDRESS' ? event.address : context.address),
    }),
    countAttempt: assign({ attempts: ({ context }) => context.attempts + 1 }),
    addPayment: assign({
      paid: ({ context, event }) => context.paid + (event.type === 'PAYMENT_RECEIVED' ? event.amount : 0),
    }),
    countParcel: assign({ parcels: ({ context }) => context.parcels + 1 }),
    emptyBasket: assign({ lines: [], attempts: 0 }),
    tellPayment: emit(({ event }) => ({
      type: 'PaymentReceived' as const,
      amount: event.type === 'PAYMENT_RECEIVED' ? event.amount : 0,
    })),
    tellDelivery: emit({ type: 'ParcelDelivered' }),
  },
}).createMachine({
  context: ({ input }) => ({ customer: input.customer, lines: [], paid: 0, attempts: 0, parcels: 0, address: '' }),
  initial: 'shopping',
  states: {
    shopping: {
      initial: 'browsing',
      states: {
        browsing: { on: { SET_ADDRESS: { target: 'ready', actions: 'setAddress' } } },
        ready: { on: { CHECK_OUT: { target: '#checkout', guard: 'hasLines' } } },
      },
      on: { ADD_LINE: { actions: 'addLine' } },
    },
    checkout: {
      id: 'checkout',
      type: 'parallel',
      states: {
        payment: {
          initial: 'awaited',
          states: {
            awaited: {
              after: { paymentDeadline: 'overdue' },
              on: {
                PAYMENT_FAILED: { target: 'awaited', reenter: true, guard: 'hasAttemptsLeft', actions: 'countAttempt' },
                PAYMENT_RECEIVED: { target: 'settled', guard: 'isEnough', actions: ['addPayment', 'tellPayment'] },
              },
            },
            overdue: {},
            settled: { type: 'final' },
          },
        },
        parcel: {
          initial: 'picking',
          states: {
            picking: { on: { PICKED: 'packing' } },
            packing: { on: { PACKED: 'packed' } },
            packed: { type: 'final' },
          },
        },
      },
      onDone: 'sending',
    },
    sending: { on: { HANDED_OVER: 'travelling' } },
    travelling: { on: { DELIVERED: { target: 'delivered', actions: ['countParcel', 'tellDelivery'] } } },
    delivered: { on: { ORDER_AGAIN: { target: 'shopping', actions: 'emptyBasket' } } },
  },
});

export const fulfilmentInput = { customer: 'c-1042' };

/** The first `count` events of a history. */
export function fulfilmentEvents(count: number): Event[] {
  return Array.from({ length: count }, (_, index) => round(index)[index % 10]!);
}

function round(index: number): readonly Event[] {
  return [
    { type: 'ADD_LINE', sku: `sku-${index % 997}`, count: 1 + (index % 3) },
    { type: 'SET_ADDRESS', address: '12 Long Lane, Little Town' },
    { type: 'CHECK_OUT' },
    { type: 'PAYMENT_FAILED', reason: 'card declined by the issuer' },
    { type: 'PICKED', shelf: `shelf-${index % 89}` },
    { type: 'PAYMENT_RECEIVED', amount: 10 + (index % 90) },
    { type: 'PACKED', weightGrams: 100 + (index % 900) },
    { type: 'HANDED_OVER', carrier: 'Northern Post' },
    { type: 'DELIVERED' },
    { type: 'ORDER_AGAIN' },
  ];
}
