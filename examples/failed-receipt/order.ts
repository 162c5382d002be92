/**
 * An order: once its goods are set aside, it is paid and shipped at the same time. Owns the chart with its regions and the
 * machine of a parcel, which is a child of it.
 */
import { assign, emit, setup } from 'xstate';
import { effect, type EffectArguments } from 'rewake';
import { step } from 'rewake/machines';
import type { Outside } from './outside.ts';

export interface OrderInput {
  readonly customer: string;
  readonly address: string;
  readonly items: readonly string[];
  readonly amountCents: number;
}

export interface OrderContext extends OrderInput {
  readonly shelf: string | null;
  readonly authorization: string | null;
  readonly declined: number;
}

export type OrderEvent =
  | { readonly type: 'CHANGE_ADDRESS'; readonly address: string }
  | { readonly type: 'HAND_OVER' }
  | { readonly type: 'CANCEL'; readonly reason: string };

export type OrderFact =
  | { readonly type: 'PaymentAuthorized'; readonly authorization: string }
  | { readonly type: 'ParcelHandedOver' }
  | { readonly type: 'OrderCompleted' }
  | { readonly type: 'OrderCancelled' };

/** The way of a parcel, from its label to the door. */
function parcelMachine(outside: Outside) {
  return setup({
    types: {
      input: {} as { address: string },
      context: {} as { address: string; label: string | null },
      output: {} as { label: string },
    },
    actors: {
      orderLabel: effect(({ input, context }: EffectArguments<string>) => outside.orderLabel(input, context.signal)),
    },
    actions: { keepLabel: assign((_, { label }: { label: string }) => ({ label })) },
    delays: { untilSorted: 3 * 3_600_000, untilDelivered: 20 * 3_600_000 },
  }).createMachine({
    id: 'parcel',
    context: ({ input }) => ({ address: input.address, label: null }),
    initial: 'labelling',
    states: {
      labelling: {
        invoke: {
          id: 'label',
          src: 'orderLabel',
          input: ({ context }) => context.address,
          onDone: { target: 'inDepot', actions: { type: 'keepLabel', params: ({ event }) => event.output } },
        },
      },
      inDepot: { after: { untilSorted: 'onTheRoad' } },
      onTheRoad: { after: { untilDelivered: 'delivered' } },
      delivered: { type: 'final' },
    },
    output: ({ context }) => ({ label: context.label! }),
  });
}

/** The machine of an order. */
export function orderMachine(outside: Outside) {
  return setup({
    types: {
      input: {} as OrderInput,
      context: {} as OrderContext,
      events: {} as OrderEvent,
      emitted: {} as OrderFact,
    },
    actors: {
      reserve: effect(({ input, context }: EffectArguments<readonly string[]>) =>
        outside.reserve(input, context.signal),
      ),
      charge: step('charge', ({ input, context }: EffectArguments<number>) => outside.charge(input, context.signal), {
        timeout: '20s',
        retry: { maxRetries: 4, backoff: { initialDelay: '10s', jitter: 'none' } },
        breaker: 'bank',
      }),
      parcel: parcelMachine(outside),
    },
    guards: { isStillThere: ({ context }) => context.shelf !== null },
    actions: {
      keepShelf: assign((_, { shelf }: { shelf: string }) => ({ shelf })),
      keepAuthorization: assign((_, { authorization }: { authorization: string }) => ({ authorization })),
      countDecline: assign({ declined: ({ context }) => context.declined + 1 }),
      changeAddress: assign({
        address: ({ context, event }) => (event.type === 'CHANGE_ADDRESS' ? event.address : context.address),
      }),
      announcePayment: emit(
        ({ context }) => ({ type: 'PaymentAuthorized', authorization: context.authorization! }) as const,
      ),
      announceHandOver: emit({ type: 'ParcelHandedOver' }),
      announceEnd: emit({ type: 'OrderCompleted' }),
      announceCancel: emit({ type: 'OrderCancelled' }),
    },
    delays: { untilBoxed: 4 * 60_000, untilSealed: 2 * 60_000, untilAskedAgain: 3_600_000 },
  }).createMachine({
    id: 'order',
    context: ({ input }) => ({ ...input, shelf: null, authorization: null, declined: 0 }),
    initial: 'reserving',
    on: { CANCEL: '.cancelled' },
    states: {
      reserving: {
        invoke: {
          id: 'reserve',
          src: 'reserve',
          input: ({ context }) => context.items,
          onDone: { target: 'processing', actions: { type: 'keepShelf', params: ({ event }) => event.output } },
        },
      },
      processing: {
        type: 'parallel',
        states: {
          payment: {
            initial: 'authorizing',
            states: {
              authorizing: {
                invoke: {
                  id: 'charge',
                  src: 'charge',
                  input: ({ context }) => context.amountCents,
                  onDone: {
                    target: 'authorized',
                    actions: [{ type: 'keepAuthorization', params: ({ event }) => event.output }, 'announcePayment'],
                  },
                  onError: { target: 'declined', actions: 'countDecline' },
                },
              },
              declined: { after: { untilAskedAgain: 'authorizing' } },
              authorized: { type: 'final' },
            },
          },
          shipping: {
            initial: 'packing',
            states: {
              packing: {
                initial: 'picking',
                on: { CHANGE_ADDRESS: { actions: 'changeAddress' } },
                states: {
                  picking: { after: { untilBoxed: { guard: 'isStillThere', target: 'sealing' } } },
                  sealing: { after: { untilSealed: 'packed' } },
                  packed: { type: 'final' },
                },
                onDone: 'waitingForCarrier',
              },
              waitingForCarrier: { on: { HAND_OVER: { target: 'underWay', actions: 'announceHandOver' } } },
              underWay: {
                invoke: {
                  id: 'parcel',
                  src: 'parcel',
                  input: ({ context }) => ({ address: context.address }),
                  onDone: 'arrived',
                },
              },
              arrived: { type: 'final' },
            },
          },
        },
        onDone: 'completed',
      },
      completed: { type: 'final', entry: 'announceEnd' },
      cancelled: { type: 'final', entry: 'announceCancel' },
    },
  });
}
