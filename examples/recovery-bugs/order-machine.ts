/**
 * An order: it waits to be paid, reminds the customer, charges, and is shipped. Owns the chart and what is right; what people
 * get wrong about it is in the files beside this one, each of which puts one part in the place of a right one.
 */
import { assign, emit, raise, setup } from 'xstate';
import { effect, now, type EffectArguments } from 'rewake';
import type { Bank } from './bank.ts';

const dayMs = 86_400_000;
/** When a customer who has not paid is reminded. */
export const remindAfterMs = 3 * dayMs;
/** How long the price of an order holds. */
export const validMs = 14 * dayMs;

export interface OrderContext {
  readonly orderedAt: number;
  readonly items: number;
  readonly receipt?: string;
}

export type OrderEvent =
  | { readonly type: 'ADD'; readonly items: number }
  | { readonly type: 'PAY' }
  | { readonly type: 'REMIND' }
  | { readonly type: 'CANCEL' }
  | { readonly type: 'SHIP' };

export type OrderFact =
  | { readonly type: 'CustomerReminded' }
  | { readonly type: 'OrderPaid'; readonly receipt: string }
  | { readonly type: 'OrderExpired' };

/** Charges with the key of its effect, so that the bank knows a call that is repeated. */
function chargeOnce(bank: Bank) {
  return effect(({ input, context }: EffectArguments<{ amount: number }>) =>
    bank.charge(input.amount, context.idempotencyKey),
  );
}

/** The order as it is right, for one bank. */
export function orderMachine(bank: Bank) {
  return setup({
    types: {
      context: {} as OrderContext,
      events: {} as OrderEvent,
      emitted: {} as OrderFact,
    },
    actors: { charge: chargeOnce(bank) },
    guards: {
      isExpired: ({ context }) => now() > context.orderedAt + validMs,
    },
    actions: {
      addItems: assign({ items: ({ context, event }) => context.items + (event.type === 'ADD' ? event.items : 0) }),
      remindLater: raise({ type: 'REMIND' }, { delay: remindAfterMs, id: 'reminder' }),
      remind: emit({ type: 'CustomerReminded' }),
    },
  }).createMachine({
    id: 'order',
    context: () => ({ orderedAt: now(), items: 1 }),
    entry: 'remindLater',
    initial: 'unpaid',
    states: {
      unpaid: {
        on: {
          ADD: { actions: 'addItems' },
          REMIND: { actions: 'remind' },
          PAY: [{ guard: 'isExpired', target: 'expired' }, { target: 'charging' }],
          CANCEL: 'cancelled',
        },
      },
      charging: {
        invoke: {
          id: 'charge',
          src: 'charge',
          input: ({ context }) => ({ amount: context.items * 12 }),
          onDone: {
            target: 'paid',
            actions: [
              assign({ receipt: ({ event }) => event.output }),
              emit(({ event }) => ({ type: 'OrderPaid', receipt: event.output })),
            ],
          },
          onError: 'unpaid',
        },
      },
      paid: { on: { SHIP: 'shipped' } },
      shipped: { type: 'final' },
      cancelled: { type: 'final' },
      expired: { type: 'final', entry: emit({ type: 'OrderExpired' }) },
    },
  });
}
