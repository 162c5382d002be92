/**
 * The scenarios that tell a sound runtime from a broken one: small, and each with what a class of bugs needs to show itself.
 */
import { assign, cancel, emit, fromPromise, raise, setup, type AnyStateMachine } from 'xstate';
import { random } from 'rewake';
import { breaker, step } from 'rewake/machines';
import { breach } from '../../src/testing/judge.ts';
import { defineScenario } from '../../src/testing/scenario.ts';
import { memoryLog } from '../../src/log/memory-log.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import type { StoredSnapshot } from '../../src/log/event-log.ts';
import type { FaultPlan } from '../../src/testing/fault-plan.ts';
import { probeOf } from './probe.ts';

const call = fromPromise(() => Promise.resolve('real'));
const busy = () => Object.assign(new Error('busy'), { status: 503 });

/** An effect that fails once, a wait of a second, one of an hour, a random number. */
const order = setup({
  types: { context: {} as { tries: number; draw: number } },
  actors: { charge: call },
  actions: { count: assign({ tries: ({ context }) => context.tries + 1, draw: () => random() }) },
}).createMachine({
  id: 'order',
  context: { tries: 0, draw: 0 },
  initial: 'new',
  states: {
    new: { on: { PAY: 'charging' } },
    charging: { invoke: { src: 'charge', onDone: 'packing', onError: { target: 'waiting', actions: 'count' } } },
    waiting: { after: { 1000: 'charging' } },
    packing: { after: { 3_600_000: 'done' } },
    done: { type: 'final' },
  },
});

const ordering = defineScenario({
  name: 'order',
  machines: { order },
  effects: { charge: [{ error: new Error('busy') }, { output: 'ok', afterMs: 10 }] },
  events: [{ type: 'PAY' }],
});

/** Two regions, history, timers that are due together, a cancelled one, facts, a set, and an action that counts outside. */
function shelf(world: { told: number }): AnyStateMachine {
  return setup({
    types: {
      context: {} as { list: string[]; set: Set<string>; mark: string },
      events: {} as { type: 'ADD'; id: string } | { type: 'PAUSE' | 'RESUME' | 'NEXT' | 'ARM' | 'DISARM' },
    },
    actions: {
      add: assign({
        list: ({ context, event }) => [...context.list, event.type === 'ADD' ? event.id : event.type],
        set: ({ context, event }) => new Set([event.type === 'ADD' ? event.id : 'z', ...context.set]),
      }),
      tell: () => void world.told++,
      announce: emit(() => ({ type: 'Refused', error: new RangeError('no room') })),
    },
  }).createMachine({
    id: 'shelf',
    context: { list: [], set: new Set(['m']), mark: 'mark-a' },
    type: 'parallel',
    on: {
      ADD: { actions: ['add', 'tell', 'announce'] },
      ARM: {
        actions: [
          raise({ type: 'ADD', id: 'first' }, { delay: 1000, id: 'first' }),
          raise({ type: 'ADD', id: 'second' }, { delay: 1000, id: 'second' }),
          raise({ type: 'ADD', id: 'never' }, { delay: 1500, id: 'never' }),
          raise({ type: 'ADD', id: 'third' }, { delay: 2000, id: 'third' }),
        ],
      },
      DISARM: { actions: cancel('never') },
    },
    states: {
      work: {
        initial: 'on',
        states: {
          on: {
            initial: 'a',
            states: { a: { on: { NEXT: 'b' } }, b: {}, last: { type: 'history' } },
            on: { PAUSE: 'off' },
          },
          off: { on: { RESUME: 'on.last' } },
        },
      },
      clock: { initial: 'running', states: { running: { after: { 60_000: 'over' } }, over: {} } },
    },
  });
}

const shelving = {
  world: () => ({ told: 0 }),
  machines: (world: { told: number }) => ({ shelf: shelf(world) }),
  events: [
    { type: 'ADD', id: 'c' },
    { type: 'ARM' },
    { type: 'NEXT' },
    { type: 'DISARM' },
    { type: 'PAUSE' },
    [1500, { type: 'RESUME' }],
    { type: 'ADD', id: 'a' },
  ] as const,
};
const stacking = defineScenario({ name: 'shelf', ...shelving });
const remembering = defineScenario({ name: 'shelf with snapshots', ...shelving, runtime: { snapshots: { every: 1 } } });
const mistrusting = defineScenario({
  name: 'shelf with damaged snapshots',
  ...shelving,
  runtime: { snapshots: { every: 1 } },
  log: (clock) => withDamagedSnapshots(memoryLog({ clock })),
});

/** A log that gives back other snapshots than it was given: readable, and not what was sealed. */
function withDamagedSnapshots(log: EventLog): EventLog {
  const load = async (stream: string): Promise<StoredSnapshot | undefined> => {
    const stored = await log.snapshots.load(stream);
    return stored && { ...stored, data: stored.data.replace('mark-a', 'mark-b') };
  };
  const snapshots = { load, save: log.snapshots.save.bind(log.snapshots) };
  return new Proxy(log, {
    get(target, name) {
      const member: unknown = name === 'snapshots' ? snapshots : Reflect.get(target, name, target);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

/** A child machine with timers and an effect of its own, left before it is done and begun again. */
const errand = setup({ actors: { fetch: call } }).createMachine({
  id: 'errand',
  initial: 'fetching',
  states: {
    fetching: { invoke: { src: 'fetch', onDone: 'resting' }, after: { 700: 'resting' } },
    resting: { after: { 500: 'done' } },
    done: { type: 'final' },
  },
});
const trip = setup({ actors: { errand } }).createMachine({
  id: 'trip',
  initial: 'out',
  states: {
    out: { invoke: { src: 'errand', onDone: 'home' }, on: { AGAIN: { target: 'out', reenter: true } } },
    home: { type: 'final' },
  },
});
const travelling = defineScenario({
  name: 'trip',
  machines: { trip },
  effects: { fetch: [{ output: 1, afterMs: 400 }, { output: 2, afterMs: 300 }, { never: true }] },
  events: [
    [100, { type: 'AGAIN' }],
    [600, { type: 'AGAIN' }],
  ],
});

/** A step with retries, a timeout and a breaker. */
const charge = step('charge', () => 'real', { retry: 3, timeout: '30s', breaker: 'bank' });
const shop = setup({ actors: { charge } }).createMachine({
  id: 'shop',
  initial: 'charging',
  states: {
    charging: { invoke: { src: 'charge', onDone: 'done', onError: 'failed' } },
    done: { type: 'final' },
    failed: {},
  },
});
const shopping = defineScenario({
  name: 'shop',
  machines: { shop, breaker },
  effects: { charge: [{ error: busy }, { error: busy, afterMs: 100 }, { output: 1 }] },
});

/** An effect without an answer. */
const patience = setup({ actors: { wait: call } }).createMachine({
  id: 'patience',
  initial: 'waiting',
  states: { waiting: { invoke: { src: 'wait' }, after: { 5000: 'bored' } }, bored: { invoke: { src: 'wait' } } },
});
const waiting = defineScenario({
  name: 'patience',
  machines: { patience },
  effects: { wait: { never: true } },
  until: '10s',
});

/** A job in two effects, with time for another host to take it. */
const job = setup({ actors: { first: call, second: call } }).createMachine({
  id: 'job',
  initial: 'first',
  states: {
    first: { invoke: { src: 'first', onDone: 'second' } },
    second: { invoke: { src: 'second', onDone: 'done' } },
    done: { type: 'final' },
  },
});
const working = defineScenario({
  name: 'job',
  machines: { job },
  effects: { first: { output: 1, afterMs: 100 }, second: { output: 2, afterMs: 100 } },
  events: [[50, { type: 'NOTHING' }]],
});

/** Events after the end. */
const ending = defineScenario({
  name: 'ending',
  machines: { order },
  effects: { charge: { output: 'ok' } },
  events: [{ type: 'PAY' }, [7_200_000, { type: 'PAY' }], { type: 'PAY' }],
});

/** No more calls than the policy allows, however often the host dies. */
const bounded = step('bounded', () => 'real', { retry: 1 });
const boundedShop = setup({ actors: { bounded } }).createMachine({
  id: 'boundedShop',
  initial: 'charging',
  states: { charging: { invoke: { src: 'bounded', onDone: 'done', onError: 'failed' } }, done: {}, failed: {} },
});
const bounding = defineScenario({
  name: 'bounded',
  machines: { boundedShop },
  effects: { bounded: () => ({ error: busy(), afterMs: 10 }) },
});

/** A breaker that opens with the first failure, and a probe that its caller gives up. */
const probe = step('probe', () => 'real', {
  breaker: { key: 'bank', consecutive: 1, openFor: '10s', halfOpen: { permits: 1, successes: 1, lease: '20s' } },
});
const caller = setup({ actors: { probe } }).createMachine({
  id: 'caller',
  initial: 'calling',
  states: {
    calling: { invoke: { src: 'probe', onDone: 'served', onError: 'waiting' }, after: { 5000: 'waiting' } },
    waiting: { after: { 15_000: 'calling' } },
    served: { type: 'final' },
  },
});
const probing = defineScenario({
  name: 'breaker',
  machines: { caller, breaker },
  effects: { probe: [{ error: busy }, { never: true }, { output: 1 }] },
  until: '10m',
});

/** Two callers of one breaker: one asks while it is open, and while the other's probe runs. */
const fragile = { key: 'bank', consecutive: 1, openFor: '10s' } as const;
const first = step('first', () => 'real', { breaker: fragile });
const second = step('second', () => 'real', { breaker: fragile });
const pair = setup({ actors: { first, second } }).createMachine({
  id: 'pair',
  type: 'parallel',
  states: {
    one: {
      initial: 'calling',
      states: {
        calling: { invoke: { src: 'first', onDone: 'served', onError: 'waiting' } },
        waiting: { after: { 15_000: 'calling' } },
        served: { type: 'final' },
      },
    },
    other: {
      initial: 'idle',
      states: {
        idle: { after: { 2000: 'calling' } },
        calling: { invoke: { src: 'second', onDone: 'served', onError: 'waiting' } },
        waiting: { after: { 13_000: 'calling' } },
        served: { type: 'final' },
      },
    },
  },
});
const pairing = defineScenario({
  name: 'pair',
  machines: { pair, breaker },
  effects: { first: [{ error: busy }, { output: 1, afterMs: 3000 }], second: { output: 2 } },
});

function crashes(...appends: readonly number[]): FaultPlan {
  return appends.map((append) => ({ fault: 'crash', append, phase: 'afterAppend' }));
}

/** By name: what is tried. */
export const scenarioProbes = {
  order: probeOf(ordering, { depth: 2, plans: [[{ fault: 'ackLost', append: 1 }]] }),
  shelf: probeOf(stacking, { plans: [[{ fault: 'duplicate', event: 0 }]] }),
  snapshots: probeOf(remembering, {
    plans: [
      [
        { fault: 'crash', append: 2, phase: 'afterAppend' },
        { fault: 'duplicate', event: 0 },
      ],
    ],
  }),
  damagedSnapshots: probeOf(mistrusting, { depth: false, plans: [crashes(2), crashes(4), crashes(6)] }),
  trip: probeOf(travelling, { kinds: { crash: 4, late: 2, reorder: 1, clockJump: 1 } }),
  shop: probeOf(shopping),
  patience: probeOf(waiting),
  owners: probeOf(working, {
    plans: [0, 1, 2].map((append) => [{ fault: 'stealOwner' as const, append }]),
    kinds: { stealOwner: 3, ackLost: 1, duplicate: 1 },
  }),
  outages: probeOf(working, {
    plans: [0, 1].flatMap((append) => [
      [
        { fault: 'crash' as const, append: 1 + append, phase: 'afterAppend' as const },
        { fault: 'storeError' as const, read: 0, times: 2 },
      ],
      [{ fault: 'storeError' as const, append: 1 + append, times: 2 }],
    ]),
    kinds: { storeError: 3, ackLost: 1, crash: 1 },
  }),
  ending: probeOf(ending),
  bounded: probeOf(bounding, {
    plans: [1, 2, 3].map((append) => crashes(append, append + 2)),
    check: ({ calls }) => (calls.length > 2 ? [breach(15, `${calls.length} calls, and the policy allows 2`)] : []),
  }),
  pair: probeOf(pairing),
  breaker: probeOf(probing, {
    depth: false,
    isCompared: false,
    plans: [[], ...Array.from({ length: 12 }, (_, append) => crashes(append))],
    kinds: { crash: 1, ackLost: 1 },
    check: ({ ends }) =>
      ends['caller-1']?.status === 'done' ? [] : [breach(18, 'the breaker lets nobody through any more')],
  }),
};
