/** Sequences of events that a machine accepts: validity, reach and shrinking (EF1 to EF3, ES1 to ES3). */
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';
import { fromPromise, type AnyEventObject, type AnyStateMachine } from 'xstate';
import { approval } from '../../machines/approval.ts';
import { InvalidArgumentError } from '../../src/errors.ts';
import { ActorTree } from '../../src/kernel/actor-tree.ts';
import { Folder } from '../../src/kernel/fold.ts';
import { canTake } from '../../src/kernel/xstate-internals.ts';
import type { RecordedEvent } from '../../src/log/event-log.ts';
import { noUpcasters } from '../../src/log/upcast.ts';
import { FeatureSet } from '../../src/runtime/features.ts';
import { readableEvent } from '../../src/runtime/readable-event.ts';
import { eventsFor, scriptsFor, type EventsOptions } from '../../src/testing/events-for.ts';
import type { Answer } from '../../src/testing/effect-script.ts';
import { fuzz } from '../../src/testing/fuzz.ts';
import type { ModelEffects } from '../../src/testing/model-outcomes.ts';
import type { AnyPayloads } from '../../src/testing/model-payloads.ts';
import type { ModelScript } from '../../src/testing/model-step.ts';
import type { TakenTransition } from '../../src/testing/model-tree.ts';
import { ModelWalk } from '../../src/testing/model-walk.ts';
import { viewOf } from '../../src/testing/outcome.ts';
import { play } from '../../src/testing/play.ts';
import type { Run } from '../../src/testing/run.ts';
import { defineScenario, timed, type ScenarioEvent } from '../../src/testing/scenario.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { account, lock, parallel, race, retry } from './model-machines.ts';

const refund = approval('refund', {
  ...{ timeout: '3d', onTimeout: 'reject', escalation: [{ after: '1d', to: 'head' }], quorum: 2 },
  ...{ approvers: ['ann', 'bob', 'cy'], notify: fromPromise(() => new Promise(() => {})) },
});

interface Case {
  readonly machine: AnyStateMachine;
  readonly payloads?: AnyPayloads;
  readonly input?: unknown;
  readonly effects?: ModelEffects;
}

const cases: Record<string, Case> = {
  retry: { machine: retry },
  lock: { machine: lock },
  parallel: { machine: parallel },
  race: { machine: race },
  'race whose call takes as long as its timer': { machine: race, effects: { call: { output: 1, afterMs: 100 } } },
  account: {
    machine: account,
    payloads: { deposit: fc.record({ amount: fc.nat(40) }), withdraw: fc.record({ amount: fc.nat(40) }) },
  },
  approval: {
    machine: refund as unknown as AnyStateMachine,
    payloads: {
      'approval.granted': fc.record({ by: fc.constantFrom('ann', 'bob', 'eve') }),
      'approval.rejected': { by: 'cy' },
    },
    input: { title: 'Refund 90 EUR?' },
  },
};

const scripts = ({ machine, payloads = {}, input, effects = {} }: Case, options: EventsOptions = {}) =>
  scriptsFor(machine, payloads as never, { input, effects, ...options });

const eventOf = (event: ScenarioEvent): AnyEventObject => timed(event)[1];
const typesOf = (events: readonly ScenarioEvent[]) => events.map((event) => eventOf(event).type as string);

/** Walks as a script says, to its end. */
function follow({ machine, input }: Case, { events, effects, until }: ModelScript) {
  const walk = new ModelWalk(machine, { input, effects: effects as ModelEffects });
  const taken = new Set<TakenTransition>();
  let passed = 0;
  const pass = (ms: number) => {
    passed += ms;
    for (let left = ms; walk.nextDueMs !== undefined && walk.nextDueMs <= left;) {
      left -= walk.nextDueMs;
      walk.take({ kind: 'delay', ms: 0 })!.forEach((each) => taken.add(each));
    }
  };
  for (const each of events) {
    const [afterMs, event] = timed(each);
    pass(afterMs);
    walk.take({ kind: 'event', event })!.forEach((transition) => taken.add(transition));
  }
  pass(until - passed);
  return { walk, taken };
}

/** Events for which no state had a transition when they came. */
function refusedIn(machine: AnyStateMachine, events: readonly RecordedEvent[]): string[] {
  const folder = new Folder(new ActorTree(machine, '1'), 'the same');
  return events.flatMap((event) => {
    const { event: sent } = JSON.parse(event.data) as { event?: AnyEventObject };
    const isRefused = event.type === 'EventReceived' && !canTake(folder.tree.rootActor.getSnapshot(), sent!);
    folder.push(readableEvent(event, { upcasters: noUpcasters, features: new FeatureSet() }));
    return isRefused ? [event.data] : [];
  });
}

interface Node {
  readonly states: Readonly<Record<string, Node>>;
  readonly transitions: ReadonlyMap<string, readonly TakenTransition[]>;
  readonly always?: readonly TakenTransition[];
}

function transitionsIn(node: Node): TakenTransition[] {
  const own = [...[...node.transitions.values()].flat(), ...(node.always ?? [])];
  return [...own, ...Object.values(node.states).flatMap(transitionsIn)];
}

/** How many transitions so many sequences reach, and how many there are. */
function reached(some: Case, options: EventsOptions, seed: number): string {
  const all = transitionsIn(some.machine.root as unknown as Node);
  const taken = new Set<TakenTransition>();
  for (const script of fc.sample(scripts(some, options), { seed, numRuns: 100 })) {
    follow(some, script).taken.forEach((each) => taken.add(each));
  }
  return `${all.filter((each) => taken.has(each)).length} of ${all.length}`;
}

describe('every event of a sequence', () => {
  it.each(Object.entries(cases))('is accepted by a durable %s, which ends where the walk does', async (_, some) => {
    const { machine, input } = some;
    await fc.assert(
      fc.asyncProperty(scripts(some, { maxLength: 12 }), async (script) => {
        const { ends, events, failure } = await play({ machines: { [machine.id]: machine }, input, ...script });
        expect(failure).toBeUndefined();
        expect(refusedIn(machine, events)).toEqual([]);
        expect(ends).toEqual({ [`${machine.id}-1`]: viewOf(follow(some, script).walk.snapshot) });
      }),
      propertyRuns(60),
    );
  });

  it('is accepted after shrinking, too', () => {
    const found: ModelScript[] = [];
    const property = fc.property(scripts(cases.account!), (script) => {
      found.push(script);
      return follow(cases.account!, script).walk.snapshot.value !== 'closed';
    });
    expect(fc.check(property, { seed: 4 }).failed).toBe(true);
    // follow() fails on one that is not.
    expect(found.length).toBeGreaterThan(10);
  });
});

describe('a hundred sequences', () => {
  it.each([
    ['retry', '8 of 8'],
    ['lock', '31 of 31'],
    ['parallel', '5 of 5'],
    ['account', '5 of 5'],
    // One that decides by time never fails.
    ['approval', '8 of 9'],
  ])('reach all transitions of %s', (name, all) => {
    expect([1, 2, 3].map((seed) => reached(cases[name]!, {}, seed))).toEqual([all, all, all]);
  });

  it('reach a third less of a lock where every step is equally likely', () => {
    const counts = [1, 2, 3].map((seed) => Number.parseInt(reached(cases.lock!, { weighted: false }, seed), 10));
    expect(Math.max(...counts)).toBeLessThan(23);
  });
});

describe('a sequence that fails', () => {
  const smallest = (some: Case, fails: (script: ModelScript) => boolean, seed = 1, options: EventsOptions = {}) => {
    const property = fc.property(scripts(some, options), (script) => !fails(script));
    const { counterexample } = fc.check(property, { seed, numRuns: 300 });
    return counterexample![0];
  };

  it('shrinks to the only way into a deep state', () => {
    const opens = (script: ModelScript) => follow(cases.lock!, script).walk.snapshot.value === 'open';
    for (const seed of [1, 2, 3]) {
      const { events } = smallest(cases.lock!, opens, seed);
      expect(typesOf(events)).toEqual(['press.3', 'press.1', 'press.4', 'press.1', 'press.0', 'press.2', 'enter']);
    }
  });

  it('shrinks what events carry by their own arbitrary', () => {
    const some = { ...cases.account!, payloads: { deposit: fc.record({ amount: fc.nat(500) }) } };
    const isRich = (script: ModelScript) =>
      (follow(some, script).walk.snapshot.context as { balance: number }).balance >= 100;
    for (const seed of [1, 2, 3])
      expect(smallest(some, isRich, seed).events).toEqual([{ type: 'deposit', amount: 100 }]);
  });

  it('keeps the delays and outcomes that it needs, and no more', () => {
    const failsLate = (script: ModelScript) =>
      follow(cases.retry!, script).walk.snapshot.value === 'failed' && typesOf(script.events).includes('again');
    const failure = { error: expect.any(Error) as Error };
    for (const seed of [1, 2, 3]) {
      expect(smallest(cases.retry!, failsLate, seed)).toEqual({
        events: [{ type: 'start' }, [5_000, { type: 'again' }]],
        effects: { call: [{ never: true }, failure, failure, failure, { never: true }] },
        until: 5_000 + 200 + 400,
      });
    }
  });

  it('comes again with its seed and path, whatever was drawn before', () => {
    const fails = ({ events }: ModelScript) => typesOf(events).includes('cancel');
    const arbitrary = scripts(cases.retry!);
    const property = (of: fc.Arbitrary<ModelScript>) => fc.property(of, (script) => !fails(script));
    const first = fc.check(property(arbitrary), { seed: 9 });
    const again = { seed: 9, path: first.counterexamplePath!, endOnFailure: true };
    expect(fc.check(property(arbitrary), again).counterexample).toEqual(first.counterexample);
    expect(fc.check(property(scripts(cases.retry!)), again).counterexample).toEqual(first.counterexample);
  });
});

describe('effects', () => {
  it('that have a script answer as it says, one call after the other', () => {
    const down = new Error('down');
    const effects: ModelEffects = { call: [{ error: down }, { error: down, afterMs: 50 }, { output: 7 }] };
    for (const script of fc.sample(scriptsFor(retry, {}, { effects }), { seed: 1, numRuns: 30 })) {
      const answers = script.effects.call?.slice(0, -1) ?? [];
      expect(answers).toEqual((effects.call as Answer[]).slice(0, answers.length));
      expect(typesOf(script.events)).not.toContain('again');
    }
  });

  it('that compute their answer are told the call', () => {
    const calls: unknown[] = [];
    const effects: ModelEffects = { call: (call) => (calls.push(call), { error: new Error(`${call.index}`) }) };
    fc.sample(scriptsFor(retry, {}, { effects, world: () => 'outside' }), { seed: 1, numRuns: 5 });
    expect(calls).toContainEqual(expect.objectContaining({ name: 'call', index: 2, attempt: 1, world: 'outside' }));
  });

  it('come to one of their outcomes', () => {
    const options = { outcomes: { call: [{ output: 1 }, { output: 2 }] } };
    const answers = fc
      .sample(scriptsFor(retry, {}, options), { seed: 1, numRuns: 50 })
      .flatMap(({ effects }) => effects.call ?? []);
    const kinds = new Set(answers.map((answer) => ('never' in answer ? 'never' : 'output' in answer && answer.output)));
    expect(kinds).toEqual(new Set([1, 2, 'never']));
  });

  it('with an answer that is none are refused', () => {
    const options = { effects: { call: { value: 1 } as never } };
    expect(() => fc.sample(scriptsFor(retry, {}, options), 5)).toThrow(
      /effects\['call'\]: expected one of \{ output \}/,
    );
  });
});

describe('payloads', () => {
  it('are drawn from a list, or are the same each time', () => {
    const drawn = fc.sample(eventsFor(account, { deposit: [{ amount: 1 }, { amount: 2 }], withdraw: { amount: 3 } }), {
      ...{ seed: 1, numRuns: 50 },
    });
    const amounts = (type: string) =>
      new Set(
        drawn
          .flat()
          .map(eventOf)
          .filter((event) => event.type === type)
          .map((event) => event.amount as number),
      );
    expect(amounts('deposit')).toEqual(new Set([1, 2]));
    expect(amounts('withdraw')).toEqual(new Set([3]));
  });

  it('for an event that the machine does not know are refused', () => {
    const wrong = { deposti: { amount: 1 } };
    expect(() => eventsFor(account, wrong as never)).toThrow(InvalidArgumentError);
    expect(() => eventsFor(account, wrong as never)).toThrow(/'deposit', 'withdraw', 'close'.*"deposti"/);
  });

  it('have the types of the machine', () => {
    const wrong = () => [
      // @ts-expect-error: an amount is a number
      eventsFor(account, { deposit: { amount: 'much' } }),
      // @ts-expect-error: there is no such event
      eventsFor(account, { steal: {} }),
    ];
    const right = () =>
      eventsFor(account, { deposit: fc.record({ amount: fc.nat() }), withdraw: [{ amount: 1 }], close: {} });
    expectTypeOf(right).returns.toEqualTypeOf<fc.Arbitrary<readonly ScenarioEvent[]>>();
    expect(wrong).toThrow(InvalidArgumentError);
  });
});

it('sequences are events for a fuzz of the scenario that they follow', async () => {
  const scenario = defineScenario({
    machines: { retry },
    effects: { call: ({ index }) => (index % 3 === 2 ? { output: index } : { error: new Error('down'), afterMs: 20 }) },
  });
  const said: string[][] = [];
  const onRun = (run: Run) => void said.push(typesOf(run.said));
  await fuzz(scenario, { events: eventsFor(retry, {}, scenario), seed: 1, numRuns: 10, onRun });
  expect(new Set(said.flat())).toEqual(new Set(['start', 'cancel']));
});

it('a length that is none is refused', () => {
  expect(() => eventsFor(retry, {}, { maxLength: -1 })).toThrow(
    /maxLength: expected a whole number of at least 0, found -1/,
  );
});
