/** What is used wrongly is told so, in words that say what to do. Numbers are those of docs/explanation/invariants.md. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assign, createMachine, fromCallback, fromPromise, setup } from 'xstate';
import { memoryLog, type EventLog, type VirtualClock } from 'rewake';
import {
  EffectNotScriptedError,
  EndlessScenarioError,
  faults,
  FaultyLog,
  fuzz,
  NotDeterministicError,
  paths,
  RecoveryFailureError,
  replay,
  sweep,
  UnboundedModelError,
  type Answer,
} from 'rewake/testing';

const order = setup({
  types: { context: {} as { at: number; polls: string[] } },
  actors: { charge: fromPromise(() => Promise.resolve(1)), feed: fromCallback(() => {}) },
  guards: { isLate: () => new Date().getFullYear() > 2000 },
  actions: {
    // oxlint-disable-next-line eslint/no-restricted-properties -- what is caught
    stamp: assign({ at: () => Math.random() }),
    grow: assign({ polls: ({ context }) => [...context.polls, 'poll'] }),
  },
}).createMachine({
  id: 'order',
  context: { at: 0, polls: [] },
  initial: 'new',
  states: {
    new: {
      on: {
        PAY: 'charging',
        LISTEN: 'listening',
        POLL: 'polling',
        LATE: { guard: 'isLate', target: 'done' },
        STAMP: { actions: 'stamp' },
      },
    },
    charging: { invoke: { src: 'charge', onDone: 'new' } },
    listening: { invoke: { src: 'feed' } },
    polling: { entry: 'grow', after: { 1000: { target: 'polling', reenter: true } } },
    done: { type: 'final' },
  },
});
const paying = { machines: { order }, effects: { charge: { output: 1 } }, events: [{ type: 'PAY' }] };
const charging = (charge: unknown) => ({ ...paying, effects: { charge: charge as Answer } });
const listening = (feed: unknown) => ({
  ...{ machines: { order }, effects: { feed: feed as Answer } },
  events: [{ type: 'LISTEN' }],
});

/** A log of somebody else, which cannot take events back. */
function cloudLog(clock: VirtualClock): EventLog {
  return new Proxy<EventLog>(memoryLog({ clock }), {
    get(log, key) {
      if (key === 'name') return 'cloud';
      const member: unknown = key === 'quarantine' ? undefined : Reflect.get(log, key, log);
      return typeof member === 'function' ? (member.bind(log) as unknown) : member;
    },
  });
}

type Case = readonly [title: string, run: () => unknown, message: string];

function tell(cases: readonly Case[]): void {
  it.for(cases)('%s', async ([, run, message]) => {
    const error: unknown = await Promise.resolve()
      .then(run)
      .catch((failure: unknown) => failure);
    expect(error instanceof Error ? error.message : error).toBe(message);
  });
}

describe('a scenario whose effects are not scripted', () => {
  const began = "Effect /0.order.charging:1 of 'order-1' began, and the scenario has";
  const listens = "Effect /0.order.listening:1 of 'order-1' began, and the scenario has";
  const forms = 'one of { output }, { error }, { tells }, { never: true }, with { afterMs } if it takes time';
  tell([
    [
      'has no answer',
      () => sweep({ machines: { order }, events: [{ type: 'PAY' }] }),
      `${began} no answer for it. Expected one under 'charge' or 'order'. Add effects: { charge: { output: … } }; or a list of ` +
        "answers, one for each call; a function of the call; or 'live', to run the effect itself.",
    ],
    [
      'has no answer for a callback',
      () => sweep({ machines: { order }, events: [{ type: 'LISTEN' }] }),
      `${listens} no answer for it. Expected one under 'feed' or 'order'. Add effects: { feed: { tells: [{ event: … }] } }; or ` +
        "a list of answers, one for each call; a function of the call; or 'live', to run the effect itself.",
    ],
    [
      'has too few answers',
      () => sweep({ ...charging([{ output: 1 }]), events: [{ type: 'PAY' }, { type: 'PAY' }] }),
      "Effect /0.order.charging:2 of 'order-1' began, and the scenario has one answer for 'charge', and this is call 2. Add an " +
        'answer to the list; or give one answer for all calls, without a list; or a function of the call.',
    ],
    [
      'answers a callback as a promise',
      () => sweep(listening({ output: 1 })),
      `${listens} { output } for 'feed', and this is a callback, which tells { event }. Expected effects: { feed: { tells: ` +
        "[{ event: … }] } }; or 'live', to run the effect itself.",
    ],
    [
      'answers a callback as an observable',
      () => sweep(listening({ tells: [{ value: 1 }] })),
      `${listens} { tells: [{ value }] } for 'feed', and this is a callback, which tells { event }. Expected effects: { feed: ` +
        "{ tells: [{ event: … }] } }; or 'live', to run the effect itself.",
    ],
    [
      'answers a promise as a callback',
      () => sweep(charging({ tells: [] })),
      `${began} { tells } for 'charge', and this is a promise, which comes to one thing. Expected effects: { charge: ` +
        "{ output: … } }; or 'live', to run the effect itself.",
    ],
    [
      'names something that nothing in the machines has',
      () => sweep({ ...paying, effects: { charge: { output: 1 }, chrage: { output: 1 } } }),
      'scenario.effects.chrage: expected a name that something in the machines has: one of charge, feed, order, found "chrage".',
    ],
    [
      'has an answer that is none',
      () => sweep(charging({ ouput: 1 })),
      `scenario.effects.charge: expected ${forms}, found "{ ouput }".`,
    ],
    [
      'has an answer that is two',
      () => sweep(charging([{ output: 1 }, { output: 1, error: 2 }])),
      `scenario.effects.charge[1]: expected ${forms}, found "{ output, error }".`,
    ],
    [
      'has an answer that comes before its call',
      () => sweep(charging({ output: 1, afterMs: -3 })),
      'scenario.effects.charge.afterMs: expected ms, at least 0, found -3.',
    ],
    [
      'tells what is no event, value, error or end',
      () => sweep(listening({ tells: [{ type: 'PRICE' }] })),
      'scenario.effects.feed.tells[0]: expected one of { event }, { value }, { error }, { complete: true }, with { afterMs } ' +
        'if it takes time, found "{ type }".',
    ],
    [
      'has a function that gives no answer',
      () => sweep(charging(() => 'paid')),
      `scenario.effects.charge, call 1: expected ${forms}, found "paid".`,
    ],
    [
      'has a function that throws',
      () =>
        sweep(
          charging(() => {
            throw new Error('no such customer');
          }),
        ),
      'no such customer',
    ],
  ]);

  it('is told by its class', async () => {
    await expect(sweep({ ...paying, effects: {} })).rejects.toThrow(EffectNotScriptedError);
  });
});

describe('a machine that is not deterministic', () => {
  const expected =
    "Expected guards, assigns, delays and inputs that take what they need from the event, the context, or now(), random() and uuid() of 'rewake', " +
    'which a replay gives the same values.';

  it.for([
    ['guard', 'LATE', 'new Date() read in isLate'],
    ['assign', 'STAMP', 'Math.random() read in at'],
  ] as const)('3: is told with the %s that reads', async ([, type, read]) => {
    for (const tried of [
      sweep({ ...paying, events: [{ type }] }),
      replay({ ...paying, events: [{ type }] }),
      fuzz(paying, { events: fc.constant([{ type }]), numRuns: 1 }),
    ]) {
      const failure: unknown = await tried.catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(RecoveryFailureError);
      const { cause, breaches } = failure as RecoveryFailureError;
      expect(cause).toBeInstanceOf(NotDeterministicError);
      const message = (cause as Error).message.replace(/:\d+\)/, ':1)');
      expect(message).toBe(
        `The machine of 'order-1' is not deterministic: ${read} (bad-use.test.ts:1), with EventReceived ${type} at revision 1. ${expected}`,
      );
      expect(breaches).toEqual([{ invariant: 3, name: 'determinism', message: (cause as Error).message, cause }]);
    }
  });

  it('1: diverges where it reads a variable that a replay does not set back', async () => {
    let calls = 0;
    const counting = createMachine({
      id: 'counting',
      initial: 'even',
      states: { even: { on: { NEXT: [{ guard: () => ++calls === 1, target: 'odd' }] } }, odd: {} },
    });
    const failure: unknown = await sweep({ machines: { counting }, events: [{ type: 'NEXT' }] }).catch(
      (e: unknown) => e,
    );
    expect(failure).toBeInstanceOf(RecoveryFailureError);
    expect((failure as RecoveryFailureError).breaches[0]).toMatchObject({ invariant: 1 });
    expect((failure as Error).message).toContain('counting-1 cannot be folded: ReplayDivergedError');
  });
});

describe('a plan for a log that cannot do it', () => {
  const advice =
    'Leave it out, as faults({ crash: true, … }) does, which tries the kinds that it names; or use another log.';
  const elsewhere = { ...paying, log: cloudLog };
  tell([
    [
      'has a torn tail',
      () => replay(elsewhere, { faults: [{ fault: 'tornTail', append: 1, events: 1 }] }),
      `plan[0]: cloud cannot have a tornTail: it has no quarantine, so an operator cannot move a torn record aside. ${advice}`,
    ],
    [
      'has a lost tail',
      () => fuzz(elsewhere, { faults: faults({ lostTail: true }) }),
      `plan[0]: cloud cannot have a lostTail: it has no quarantine, so events cannot be taken back. ${advice}`,
    ],
  ]);

  it('is not drawn where any fault will do', async () => {
    const { damages, crashes } = await fuzz(elsewhere, { numRuns: 25, seed: 2 });
    expect([damages, crashes > 5]).toEqual([0, true]);
    expect((await fuzz(paying, { numRuns: 25, seed: 2 })).damages).toBeGreaterThan(0);
  });
});

describe('a plan', () => {
  const kinds = 'crash, tornTail, lostTail, ackLost, storeError, duplicate, stealOwner, late, reorder, clockJump';
  const plan = (...some: readonly unknown[]) => replay(paying, { faults: some as never });
  tell([
    [
      'is a list',
      () => replay(paying, { faults: {} as never }),
      'replay({ faults }): expected a list of faults, found an object.',
    ],
    [
      'is of faults',
      () => plan('crash'),
      "replay({ faults })[0]: expected a fault, such as { fault: 'crash', append: 2, phase: 'afterAppend' }, found \"crash\".",
    ],
    [
      'has faults that there are',
      () => plan({ fault: 'crsh' }),
      `replay({ faults })[0].fault: expected one of ${kinds}, found "crsh".`,
    ],
    [
      'has all fields of a fault, and no more',
      () => plan({ fault: 'crash', apend: 1, phase: 'afterAppend' }),
      'replay({ faults })[0], a crash: expected { fault, append, phase } or { fault, snapshot, phase } or { fault, operation }, ' +
        'found "{ fault, apend, phase }".',
    ],
    [
      'has phases that there are',
      () => plan({ fault: 'crash', append: 1, phase: 'after' }),
      "replay({ faults })[0].phase: expected 'beforeAppend' or 'afterAppend', found \"after\".",
    ],
    [
      'counts from 0',
      () => plan({ fault: 'ackLost', append: 0 }, { fault: 'ackLost', append: -1 }),
      'replay({ faults })[1].append: expected a whole number of at least 0, found -1.',
    ],
    [
      'counts in whole numbers, also for a log alone',
      () => new FaultyLog(memoryLog(), [{ fault: 'storeError', append: 1, times: 1.5 }]),
      'plan[0].times: expected a whole number of at least 0, found 1.5.',
    ],
    [
      'lets answers come later',
      () => plan({ fault: 'late', effect: 'charge', index: 0, byMs: -4 }),
      'replay({ faults })[0].byMs: expected ms, at least 0, found -4.',
    ],
    [
      'names effects that the scenario has',
      () => plan({ fault: 'late', effect: 'chrage', index: 0, byMs: 4 }),
      'replay({ faults })[0].effect: expected a name of scenario.effects: one of charge, found "chrage".',
    ],
    [
      'chooses by whole numbers',
      () => plan({ fault: 'reorder', choices: [0.5] }),
      'replay({ faults })[0].choices: expected a list of whole numbers of at least 0, found an array.',
    ],
  ]);
});

describe('kinds of faults', () => {
  const kinds = 'crash, ackLost, storeError, duplicate, late, reorder, clockJump, stealOwner, tornTail, lostTail';
  tell([
    ['are known', () => faults({ crsh: true } as never), `faults(kinds).crsh: expected one of ${kinds}, found "crsh".`],
    [
      'have weights',
      () => faults({ crash: -1 }),
      'faults({ crash }): expected true, false, or how often as a number of at least 0, found -1.',
    ],
    [
      'are at least one',
      () => faults({ crash: false }),
      `faults(kinds): expected at least one of ${kinds}, found "{ crash }".`,
    ],
    [
      'make plans of at least one fault',
      () => faults({ crash: true }, { max: 0 }),
      'faults(kinds, { max }): expected a whole number of at least 1, found 0.',
    ],
  ]);
});

describe('a scenario', () => {
  const known = 'name, world, machines, machine, input, effects, events, until, log, runtime, check, source';
  const until = "expected ms that are not negative, or a duration such as '30s' or '10d', found";
  tell([
    [
      'has no fields besides its own',
      () => sweep({ ...paying, effect: {} } as never),
      `scenario.effect: expected one of ${known}, found "effect".`,
    ],
    [
      'has machines',
      () => sweep({} as never),
      'scenario.machines: expected machines by durable name, found undefined.',
    ],
    [
      'has one machine at least',
      () => sweep({ machines: () => ({}) }),
      'scenario.machines: expected at least one machine, found "none".',
    ],
    [
      'has machines that are machines',
      () => sweep({ machines: { order: {} as never } }),
      'machines.order: expected a machine, a list of its versions, or { versions, migrate }, found an object. Pass what ' +
        'createMachine() or setup().createMachine() returns.',
    ],
    [
      'starts a machine that it has',
      () => sweep({ ...paying, machine: 'oder' }),
      'scenario.machine: expected one of order, found "oder".',
    ],
    [
      'has a list of events',
      () => sweep({ ...paying, events: { type: 'PAY' } as never }),
      'scenario.events: expected a list of events, found an object.',
    ],
    [
      'has events',
      () => sweep({ ...paying, events: ['PAY' as never] }),
      'scenario.events[0]: expected an event such as { type: \'PAY\' }, or a pair [afterMs, event], found "PAY".',
    ],
    [
      'sends events one after the other',
      () => sweep({ ...paying, events: [[-1, { type: 'PAY' }]] }),
      'scenario.events[0][0]: expected ms, at least 0, found -1.',
    ],
    [
      'is watched for a time',
      () => sweep({ ...paying, until: '3 weeks' as never }),
      `scenario.until: ${until} "3 weeks".`,
    ],
    ['is not watched before it begins', () => sweep({ ...paying, until: -1 }), `scenario.until: ${until} -1.`],
    [
      'makes its world',
      () => sweep({ ...paying, world: {} as never }),
      'scenario.world: expected a function, found an object.',
    ],
    [
      'has effects by name',
      () => sweep({ ...paying, effects: [] as never }),
      'scenario.effects: expected answers by the name of an effect, found an array.',
    ],
    [
      'has options that do not break it',
      () => sweep({ ...paying, runtime: { lease: false } as never }),
      'scenario.runtime.lease: expected one of upcasters, features, environment, onEnvironmentChange, snapshots, compaction, found "lease".',
    ],
    [
      'says where it is as a module and an export',
      () => sweep({ ...paying, source: 'orders.ts' as never }),
      'scenario.source: expected { url: import.meta.url, name } of what its file exports, found "orders.ts".',
    ],
    [
      'has an input that can be logged',
      () => sweep({ ...paying, input: { notify: () => {} } }),
      "Cannot log input of 'order': the value at .notify is a function. Nothing was written. Pass plain data (JSON types, undefined, " +
        'BigInt, Date, Map, Set, Uint8Array, Error, cycles).',
    ],
  ]);
});

describe('what is tried', () => {
  const phases = 'beforeAppend, afterAppend, beforeResult, ackLost, snapshot, recovery';
  tell([
    [
      'has phases that there are',
      () => sweep(paying, { phases: ['before'] as never }),
      `sweep({ phases }): expected some of ${phases}, found "before".`,
    ],
    [
      'has a list of phases',
      () => sweep(paying, { phases: 'recovery' as never }),
      'sweep({ phases }): expected a list of phases, found "recovery".',
    ],
    ['has one crash or two', () => sweep(paying, { depth: 3 as never }), 'sweep({ depth }): expected 1 or 2, found 3.'],
    [
      'has events',
      () => sweep(paying, { events: ['PAY'] as never }),
      'sweep({ events })[0]: expected an event such as { type: \'PAY\' }, or a pair [afterMs, event], found "PAY".',
    ],
    [
      'is at least one run',
      () => fuzz(paying, { numRuns: 0 }),
      'fuzz(scenario, { numRuns }): expected a whole number of at least 1, found 0.',
    ],
    [
      'has a seed that is a number',
      () => fuzz(paying, { seed: '7' as never }),
      'fuzz(scenario, { seed }): expected a whole number, found "7".',
    ],
    [
      'has a path with its seed',
      () => fuzz(paying, { path: '3:0' }),
      'fuzz(scenario, { path }): expected the path of a failure, such as \'12:0:1\', with its seed, found "3:0".',
    ],
    [
      'draws events from an arbitrary',
      () => fuzz(paying, { events: [{ type: 'PAY' }] as never }),
      'fuzz(scenario, { events }): expected an arbitrary, such as fc.array(fc.constantFrom(…)), found an array.',
    ],
    [
      'draws lists of events',
      () => fuzz(paying, { events: fc.constant(['PAY'] as never) }),
      'fuzz({ events })[0]: expected an event such as { type: \'PAY\' }, or a pair [afterMs, event], found "PAY".',
    ],
    [
      'draws faults from an arbitrary',
      () => fuzz(paying, { faults: [] as never }),
      'fuzz(scenario, { faults }): expected an arbitrary, such as faults({ crash: true }), found an array.',
    ],
  ]);
});

describe('a context that grows for ever', () => {
  const polling = { ...paying, events: [{ type: 'POLL' }] };

  it('is told with how to end it', async () => {
    const failure: unknown = await sweep(polling).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(EndlessScenarioError);
    expect((failure as Error).message).toBe(
      "Scenario 'order' does not come to an end: 20,000 timers fired, and more are due. Give its machine a final state, or say " +
        "with { until: '1h' } for how long it is watched.",
    );
  });

  it('is told by a search of its paths, with what grows', () => {
    const counter = createMachine({
      id: 'counter',
      context: { count: 0 },
      on: { ADD: { actions: assign({ count: ({ context }: { context: { count: number } }) => context.count + 1 }) } },
    });
    let message = '';
    try {
      paths(counter, { limit: 50 });
    } catch (error) {
      message = error instanceof UnboundedModelError ? error.message : String(error);
    }
    expect(message).toBe(
      'paths(counter): more than 50 steps were tried and there are still new states. What differs most: in state {} `context.count` ' +
        'had 52 values. Bound it: end the search where nothing new is to be learned (`stopWhen`), leave out of a state what does ' +
        'not matter (`serializeState`), give fewer payloads or outcomes, or raise `limit`.',
    );
  });

  it('is watched for as long as it is said', async () => {
    const { ends } = await replay({ ...polling, until: '5s' });
    expect(ends['order-1']!.context).toMatchObject({ polls: Array(6).fill('poll') });
  });
});
