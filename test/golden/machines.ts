/**
 * The machines of the golden logs: what they do covers the vocabulary of the log. Owns their definitions; what happens to
 * them is lives.ts.
 *
 * NEVER CHANGE A MACHINE OF THIS FILE. Logs that were written by released versions are folded with them, and the comparison
 * of the fold is the test. Something else to cover is another machine, under another name.
 *
 * GM1  What an effect does follows from its input alone, or it never ends: nobody has to stand by.
 */
import {
  assign,
  emit,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  raise,
  sendTo,
  setup,
} from 'xstate';
import type { AnyActorLogic, AnyEventObject, AnyStateMachine, EventObject, Subscribable } from 'xstate';
import { effect, random, uuid, type EffectContext } from 'rewake';

const loose = {} as { context: Record<string, unknown>; input: Record<string, unknown>; events: AnyEventObject };
const machineOf = (machine: unknown) => machine as AnyStateMachine;
const never = fromPromise(() => new Promise<unknown>(() => {}));

const charge = effect(async ({ input, context }: { input: { attempt: number }; context: EffectContext }) => {
  await context.progress({ reserved: input.attempt });
  if (input.attempt > 1) return { receipt: `receipt-${input.attempt}` };
  const cause = new RangeError('limit exceeded', { cause: { limit: 100 } });
  throw Object.assign(new TypeError('card declined', { cause }), { code: 'E_DECLINED', status: 402 });
});

const packing = setup({ types: loose, actors: { label: fromPromise(async () => 'label-7') } }).createMachine({
  id: 'packing',
  context: ({ input }) => ({ item: input.item, label: null }),
  initial: 'labelling',
  states: {
    labelling: {
      invoke: {
        id: 'label',
        src: 'label',
        onDone: { target: 'drying', actions: assign({ label: ({ event }) => event.output }) },
      },
    },
    drying: { after: { 5_000: 'packed' } },
    packed: { type: 'final', entry: emit(({ context }) => ({ type: 'Packed', label: context.label })) },
  },
  output: ({ context }) => ({ item: context.item, label: context.label }),
});

/** Nested machines, timers that fire and that are cancelled, retries by hand, parallel states, history, facts of all levels. */
export const order = machineOf(
  setup({ types: loose, actors: { charge, packing } }).createMachine({
    id: 'order',
    context: ({ input }) => ({ total: input.total, attempt: 0, lot: null, key: null, packed: null }),
    initial: 'open',
    on: { ABANDON: '.abandoned', NOTE: { actions: emit(({ event }) => ({ type: 'Noted', text: event.text })) } },
    states: {
      open: {
        entry: assign({ lot: () => Math.floor(random() * 1_000), key: () => uuid() }),
        after: { 3_600_000: 'abandoned' },
        on: { PAY: 'paying' },
      },
      paying: {
        entry: assign({ attempt: ({ context }) => (context.attempt as number) + 1 }),
        invoke: {
          id: 'charge',
          src: 'charge',
          input: ({ context }) => ({ attempt: context.attempt as number }),
          onDone: {
            target: 'fulfilling',
            actions: emit(({ event }) => ({ type: 'Paid', receipt: event.output.receipt })),
          },
          onError: {
            target: 'waiting',
            actions: emit(({ event }) => ({ type: 'PaymentFailed', reason: (event.error as Error).message })),
          },
        },
      },
      waiting: { after: { 60_000: 'paying' } },
      fulfilling: {
        type: 'parallel',
        states: {
          parcel: {
            initial: 'packing',
            states: {
              packing: {
                invoke: {
                  id: 'packing',
                  src: 'packing',
                  input: ({ context }) => ({ item: context.lot }),
                  onDone: { target: 'ready', actions: assign({ packed: ({ event }) => event.output as unknown }) },
                },
              },
              ready: { type: 'final' },
            },
          },
          mail: {
            initial: 'due',
            states: {
              due: {
                entry: [
                  raise({ type: 'MAIL' }, { delay: 2_000 }),
                  raise({ type: 'LATE' }, { delay: 9_000, id: 'late' }),
                ],
                on: { MAIL: 'sent', HOLD: 'held' },
              },
              held: { on: { RELEASE: 'back' } },
              back: { type: 'history' },
              sent: { type: 'final' },
            },
          },
        },
        onDone: 'shipped',
      },
      shipped: { type: 'final', entry: emit(({ context }) => ({ type: 'Shipped', packed: context.packed })) },
      abandoned: {},
    },
    output: ({ context }) => ({ total: context.total, packed: context.packed }),
  }),
);

/** As `fromPromise` but of nobody: a logic that speaks to itself. */
const selfish: AnyActorLogic = {
  transition: (state, event) =>
    event.type === 'finish' ? { ...state, status: 'done', output: event.n as unknown } : state,
  getInitialSnapshot: () => ({ status: 'active', output: undefined, error: undefined }),
  getPersistedSnapshot: (state) => state,
  start: (_state, { self, system }) =>
    (system as unknown as { _relay(...args: unknown[]): void })._relay(self, self, { type: 'finish', n: 4 }),
};

/** Gives its values at once and ends, where it ends. */
const series = <T>(values: readonly T[], ends: boolean) => {
  const subscribe = (observer: { next: (value: T) => void; complete: () => void }) => {
    for (const value of values) observer.next(value);
    if (ends) observer.complete();
    return { unsubscribe() {} };
  };
  return { subscribe } as unknown as Subscribable<T>;
};

/** Every channel of an effect: values, events for the parent and for itself, facts, checkpoints, interruptions. */
export const feed = machineOf(
  setup({
    types: loose,
    actors: {
      numbers: fromObservable(() => series([1, 2, 3], true)),
      clicks: fromEventObservable(() => series([{ type: 'CLICK', n: 1 }], false)),
      echo: fromCallback<EventObject & { text?: string }>(({ sendBack, receive, emit: tell }) => {
        receive(({ text }) => {
          tell({ type: 'Echoed', text } as never);
          sendBack({ type: 'HEARD', text });
        });
      }),
      selfish,
      saving: effect(async ({ context }) => {
        await context.progress({ page: 3 });
        return new Promise<unknown>(() => {});
      }),
      standing: effect(
        ({ context }) => {
          context.standby();
          return new Promise<unknown>(() => {});
        },
        { onLost: 'fail' },
      ),
    },
  }).createMachine({
    id: 'feed',
    context: { numbers: [], clicks: 0, heard: [], own: null },
    type: 'parallel',
    invoke: [
      {
        id: 'numbers',
        src: 'numbers',
        onSnapshot: {
          actions: assign({
            numbers: ({ context, event }) => [...(context.numbers as unknown[]), event.snapshot.context],
          }),
        },
      },
      { id: 'clicks', src: 'clicks' },
      { id: 'echo', src: 'echo' },
      { id: 'selfish', src: 'selfish', onDone: { actions: assign({ own: ({ event }) => event.output as unknown }) } },
      { id: 'saving', src: 'saving' },
      { id: 'standing', src: 'standing' },
    ],
    on: {
      CLICK: { actions: assign({ clicks: ({ context }) => (context.clicks as number) + 1 }) },
      SAY: { actions: sendTo('echo', ({ event }) => ({ type: 'SAY', text: event.text as string })) },
      HEARD: { actions: assign({ heard: ({ context, event }) => [...(context.heard as unknown[]), event.text] }) },
    },
    states: {},
  }),
);

/** Effects that a dead host leaves behind, one of each kind. */
export const job = machineOf(
  setup({
    types: loose,
    actors: {
      again: never,
      failing: effect(() => new Promise<unknown>(() => {}), { onLost: 'fail' }),
      asking: effect(() => new Promise<unknown>(() => {}), { onLost: 'ask' }),
    },
  }).createMachine({
    id: 'job',
    context: { answer: null, lost: null },
    invoke: [
      { id: 'again', src: 'again' },
      { id: 'failing', src: 'failing', onError: { actions: assign({ lost: ({ event }) => event.error }) } },
      { id: 'asking', src: 'asking', onDone: { actions: assign({ answer: ({ event }) => event.output }) } },
    ],
  }),
);

/** Keeps what it is given and tells it. */
export const keeper = machineOf(
  setup({
    types: loose,
    actors: { same: fromPromise<unknown, unknown>(async ({ input }) => input) },
    actions: {
      fail: () => {
        throw new Error('this action fails');
      },
    },
  }).createMachine({
    id: 'keeper',
    context: ({ input }) => ({ given: input, received: null, returned: null }),
    initial: 'idle',
    on: {
      KEEP: {
        target: '.working',
        actions: [
          assign({ received: ({ event }) => event.value as unknown }),
          emit(({ event }) => ({ type: 'Kept', value: event.value as unknown })),
        ],
      },
      FAIL: { actions: 'fail' },
      THROW: {
        actions: assign(() => {
          throw new RangeError('this assign fails', { cause: 'on purpose' });
        }),
      },
    },
    states: {
      idle: {},
      working: {
        invoke: {
          id: 'same',
          src: 'same',
          input: ({ context }: { context: Record<string, unknown> }) => context.received,
          onDone: { target: 'idle', actions: assign({ returned: ({ event }) => event.output }) },
        },
      },
    },
  }),
);

const ticket = setup({ types: loose, actors: { watch: never } });
/** A machine before and after a change of its definition that agrees with every history, ... */
export const ticketBefore = machineOf(
  ticket.createMachine({
    id: 'ticket',
    context: { notes: 0 },
    initial: 'open',
    states: { open: { on: { CLOSE: 'closed' } }, closed: {} },
  }),
);
export const ticketAfter = machineOf(
  ticket.createMachine({
    id: 'ticket',
    context: { notes: 0 },
    initial: 'open',
    states: { open: { on: { CLOSE: 'closed', HOLD: 'held' } }, held: {}, closed: {} },
  }),
);

/** ... and one before and after a migration. */
export const contractBefore = machineOf(
  ticket.createMachine({
    id: 'contract',
    version: '1',
    context: { cents: 1_250 },
    initial: 'drafted',
    invoke: { id: 'watch', src: 'watch' },
    states: { drafted: { after: { 60_000: 'expired' } }, expired: {} },
  }),
);
export const contractAfter = machineOf(
  ticket.createMachine({
    id: 'contract',
    version: '2',
    context: { euros: 0 },
    initial: 'written',
    invoke: { id: 'watch', src: 'watch' },
    states: { written: { after: { 30_000: 'expired' }, on: { SIGN: 'signed' } }, signed: {}, expired: {} },
  }),
);

/** Fails as often as it is told to, and goes on when it is resumed. */
export const parcel = machineOf(
  setup({
    types: loose,
    actors: {
      carry: fromPromise<unknown, { failures: number }>(async ({ input }) => {
        if (input.failures > 0) throw new Error('lost on the way');
        return 'delivered';
      }),
    },
  }).createMachine({
    id: 'parcel',
    context: ({ input }) => ({ failures: input.failures, draws: [] as number[], error: null }),
    initial: 'packed',
    states: {
      packed: {
        on: {
          DRAW: { actions: assign({ draws: ({ context }) => [...(context.draws as number[]), random()] }) },
          SEND: 'sent',
        },
        after: { 86_400_000: 'forgotten' },
      },
      sent: {
        invoke: {
          id: 'carry',
          src: 'carry',
          input: ({ context }: { context: Record<string, unknown> }) => ({ failures: Number(context.failures) }),
          onDone: 'delivered',
          onError: { target: 'lost', actions: assign({ error: ({ event }) => event.error }) },
        },
      },
      lost: {
        entry: sendTo(({ self }) => self, { type: 'TOLD' }),
        on: {
          TOLD: {
            actions: assign(({ context }) => {
              throw context.error;
            }),
          },
          'rewake.resume': { target: 'sent', actions: assign({ failures: 0 }) },
        },
      },
      delivered: { type: 'final' },
      forgotten: {},
    },
  }),
);
