/**
 * The machines that the coverage is tried on: every kind of transition and guard there is, one state that nothing leads to, and
 * a child. Owns their definitions only.
 */
import { and, assign, fromPromise, not, setup, stateIn, type AnyEventObject } from 'xstate';

const packing = setup({
  types: {} as { events: { type: 'PACKED' } | { type: 'BROKEN' } },
}).createMachine({
  id: 'packing',
  initial: 'open',
  states: {
    open: { on: { PACKED: 'closed', BROKEN: 'broken' } },
    closed: { type: 'final' },
    broken: {},
  },
});

/** How an order comes to its end depends on its total; `charge` is answered by the test. */
export const order = (charge: (input: number) => Promise<unknown>) =>
  setup({
    types: {} as { context: { total: number; tries: number }; input: { total: number }; events: AnyEventObject },
    actors: { charge: fromPromise(({ input }: { input: number }) => charge(input)), packing },
    guards: {
      isLarge: ({ context }) => context.total > 100,
      isOver: ({ context }, { limit }: { limit: number }) => context.total > limit,
      hasTries: ({ context }) => context.tries < 2,
    },
  }).createMachine({
    id: 'order',
    context: ({ input }) => ({ total: input.total, tries: 0 }),
    initial: 'received',
    states: {
      received: {
        always: [
          { guard: { type: 'isOver', params: { limit: 1_000 } }, target: 'refused' },
          { guard: ({ context }) => context.total < 0, target: 'refused' },
          { target: 'open' },
        ],
      },
      open: {
        on: {
          PAY: [
            { guard: and(['isLarge', not(({ event }) => event.approved === true)]), target: 'review' },
            { target: 'paying' },
          ],
        },
        after: { 60_000: 'forgotten' },
      },
      review: { on: { APPROVE: 'paying' } },
      paying: {
        invoke: {
          src: 'charge',
          id: 'charge',
          input: ({ context }) => context.total,
          onDone: 'fulfilling',
          onError: [{ guard: 'hasTries', target: 'paused' }, { target: 'refused' }],
        },
      },
      paused: {
        entry: assign({ tries: ({ context }) => context.tries + 1 }),
        after: { 1_000: 'paying' },
      },
      fulfilling: {
        type: 'parallel',
        states: {
          parcel: {
            initial: 'packing',
            states: {
              packing: { invoke: { src: 'packing', id: 'packing', onDone: 'ready', onError: 'ready' } },
              ready: { type: 'final' },
            },
          },
          mail: {
            initial: 'due',
            states: {
              due: { on: { MAIL: { guard: stateIn({ fulfilling: { parcel: 'ready' } }), target: 'sent' } } },
              sent: { type: 'final' },
            },
          },
        },
        on: { PACKED: { actions: ({ self }) => self } },
        onDone: 'done',
      },
      done: { type: 'final' },
      refused: { type: 'final' },
      forgotten: {},
      unreachable: { on: { PAY: 'open' } },
    },
  });
