/** Machines that the tests of walks, paths and test models share. Owns nothing else. */
import { assign, fromPromise, setup, type AnyStateMachine } from 'xstate';

/** Three attempts at a call, with a pause that grows between them, a deadline, and a way to give up. */
export const retry = setup({
  types: {} as {
    context: { attempts: number; result: number | null };
    events: { type: 'start' } | { type: 'cancel' } | { type: 'again' };
  },
  actors: { call: fromPromise<number>(() => new Promise(() => {})) },
  guards: { hasAttemptsLeft: ({ context }) => context.attempts < 3 },
  delays: { backoff: ({ context }) => 100 * 2 ** context.attempts, deadline: 5_000 },
}).createMachine({
  id: 'retry',
  context: { attempts: 0, result: null },
  initial: 'idle',
  states: {
    idle: { on: { start: 'working' } },
    working: {
      initial: 'calling',
      after: { deadline: 'late' },
      on: { cancel: 'cancelled' },
      states: {
        calling: {
          entry: assign({ attempts: ({ context }) => context.attempts + 1 }),
          invoke: {
            src: 'call',
            id: 'call',
            onDone: { target: '#retry.done', actions: assign({ result: ({ event }) => event.output }) },
            onError: [{ guard: 'hasAttemptsLeft', target: 'pausing' }, { target: '#retry.failed' }],
          },
        },
        pausing: { after: { backoff: 'calling' } },
      },
    },
    done: { type: 'final' },
    late: { on: { again: { target: 'working', actions: assign({ attempts: 0 }) } } },
    failed: { type: 'final' },
    cancelled: { type: 'final' },
  },
});

/** A lock of six digits, each of which is right once in five, or begins anew. */
export const lock: AnyStateMachine = setup({
  types: {} as { events: { type: `press.${number}` } | { type: 'enter' } },
}).createMachine({
  id: 'lock',
  initial: 'digit0',
  states: {
    ...Object.fromEntries(
      [3, 1, 4, 1, 0, 2].map((right, at) => [
        `digit${at}`,
        {
          on: Object.fromEntries(
            [0, 1, 2, 3, 4].map((digit) => [`press.${digit}`, digit === right ? `digit${at + 1}` : 'digit0']),
          ),
        },
      ]),
    ),
    digit6: { on: { enter: 'open' } },
    open: { type: 'final' },
  },
});

/** Two regions, of which one waits for the other. */
export const parallel = setup({
  types: {} as { events: { type: 'pay' } | { type: 'pack' } | { type: 'send' } | { type: 'undo' } },
}).createMachine({
  id: 'parallel',
  initial: 'open',
  states: {
    open: {
      type: 'parallel',
      onDone: 'closed',
      states: {
        money: { initial: 'due', states: { due: { on: { pay: 'paid' } }, paid: { type: 'final' } } },
        goods: {
          initial: 'here',
          states: {
            here: { on: { pack: 'packed' } },
            packed: { on: { send: { guard: ({ context: _ }) => true, target: 'sent' }, undo: 'here' } },
            sent: { type: 'final' },
          },
        },
      },
    },
    closed: {},
  },
});

/** Guards on the context and on what events carry. */
export const account = setup({
  types: {} as {
    context: { balance: number };
    events: { type: 'deposit'; amount: number } | { type: 'withdraw'; amount: number } | { type: 'close' };
  },
  guards: {
    isCovered: ({ context, event }) => event.type === 'withdraw' && event.amount <= context.balance,
    isPositive: ({ event }) => event.type === 'deposit' && event.amount > 0,
    isEmpty: ({ context }) => context.balance === 0,
    isRich: ({ context }) => context.balance >= 100,
  },
}).createMachine({
  id: 'account',
  context: { balance: 0 },
  initial: 'open',
  states: {
    open: {
      on: {
        deposit: {
          guard: 'isPositive',
          actions: assign({ balance: ({ context, event }) => context.balance + event.amount }),
        },
        withdraw: {
          guard: 'isCovered',
          actions: assign({ balance: ({ context, event }) => context.balance - event.amount }),
        },
        close: { guard: 'isEmpty', target: 'closed' },
      },
      always: { guard: 'isRich', target: 'rich' },
    },
    rich: { on: { close: 'closed' } },
    closed: { type: 'final' },
  },
});

/** A number that grows for ever. */
export const counter = setup({
  types: {} as { context: { count: number; name: string }; events: { type: 'increment' } },
}).createMachine({
  id: 'counter',
  context: { count: 0, name: 'ann' },
  initial: 'counting',
  states: {
    counting: { on: { increment: { actions: assign({ count: ({ context }) => context.count + 1 }) } } },
  },
});

/** Writes down in which order it hears of an event, an outcome and a timer. */
export const race = setup({
  types: {} as { context: { heard: string[] }; events: { type: 'note' } },
  actors: { call: fromPromise<number>(() => new Promise(() => {})) },
  actions: { hear: assign({ heard: ({ context, event }) => [...context.heard, event.type] }) },
}).createMachine({
  id: 'race',
  context: { heard: [] },
  initial: 'running',
  states: {
    running: {
      invoke: { src: 'call', id: 'call', onDone: { actions: 'hear' }, onError: { actions: 'hear' } },
      on: { note: { actions: 'hear' } },
      after: { 100: { target: 'running', reenter: true, actions: 'hear' } },
    },
  },
});
