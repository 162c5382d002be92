/**
 * Flows as they come: any order of needs, handlers at all scopes, nested and conditional, steps and handlers that fail. Owns
 * how they are generated; what they recover from is the kit's.
 *
 * Every call takes a time of its own, so that no two things happen at once whose order nobody promised.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { effect } from 'rewake';
import {
  abort,
  escalate,
  fallback,
  flow,
  handler,
  resumeFrom,
  retry,
  skip,
  type Handler,
  type HandlerPlace,
} from 'rewake/machines';
import { defineScenario, fuzz, replay, sweep, type EffectCall, type Run } from 'rewake/testing';
import type { AnyStateMachine } from 'xstate';
import { propertyRuns } from '../support/property-runs.ts';
import { count } from '../support/recovery-tally.ts';
import { countTried, typesOf } from '../support/tried.ts';

interface HandlerPlan {
  readonly when: 'all' | 'odd' | 'early';
  readonly runs: boolean;
  readonly action: 'retry' | 'wait' | 'fallback' | 'path' | 'resumeFrom' | 'abort' | 'skip' | 'escalate';
  readonly step: number;
  readonly nested: readonly HandlerPlan[];
}

interface StepPlan {
  readonly kind: 'work' | 'list' | 'flow';
  readonly needs: readonly boolean[];
  readonly isWanted: boolean;
  readonly isUndone: boolean;
  readonly isLater: boolean;
  readonly command: readonly HandlerPlan[];
  readonly own: readonly HandlerPlan[];
}

interface Plan {
  /** Which calls fail, in the order in which they begin; those after the last one do not. */
  readonly fails: readonly boolean[];
  readonly steps: readonly StepPlan[];
  readonly phase: readonly HandlerPlan[];
  readonly workflow: readonly HandlerPlan[];
  readonly concurrency: number;
}

const handlerPlan = (depth: number): fc.Arbitrary<HandlerPlan> =>
  fc.record({
    when: fc.constantFrom('all', 'odd', 'early'),
    runs: fc.boolean(),
    action: fc.constantFrom('retry', 'wait', 'fallback', 'path', 'resumeFrom', 'abort', 'skip', 'escalate'),
    step: fc.nat(3),
    nested: depth === 0 ? fc.constant([]) : fc.array(handlerPlan(depth - 1), { maxLength: 1 }),
  });
const handlers = fc.array(handlerPlan(1), { maxLength: 2 });
const step: fc.Arbitrary<StepPlan> = fc.record({
  kind: fc.constantFrom('work', 'work', 'list', 'flow'),
  needs: fc.array(fc.boolean(), { maxLength: 3 }),
  isWanted: fc.boolean(),
  isUndone: fc.boolean(),
  isLater: fc.boolean(),
  command: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: handlers }),
  own: handlers,
});
const plan: fc.Arbitrary<Plan> = fc.record({
  fails: fc.array(fc.boolean(), { maxLength: 20, size: 'max' }),
  steps: fc.array(step, { minLength: 1, maxLength: 4 }),
  phase: handlers,
  workflow: handlers,
  concurrency: fc.integer({ min: 1, max: 3 }),
});

/** Square roots of primes: sums of them are as good as never the same. */
const primes = Array.from({ length: 2_000 }, (_, index) => index + 2).filter((n) =>
  Array.from({ length: Math.floor(Math.sqrt(n)) - 1 }, (_, index) => index + 2).every((factor) => n % factor !== 0),
);

function answerOf({ fails }: Plan, { index }: EffectCall) {
  const afterMs = Math.round(Math.sqrt(primes[index % primes.length]!) * 1_000);
  if (!fails[index]) return { output: `result ${index}`, afterMs };
  return { error: Object.assign(new Error(`failure ${index}`), { name: index % 2 === 1 ? 'Odd' : 'Even' }), afterMs };
}

const work = effect<never, unknown>(() => Promise.reject(new Error('This is answered from a script.')));

function actionOf({ action, step: target }: HandlerPlan, steps: number) {
  switch (action) {
    case 'retry':
      return retry({ maxAttempts: 2 });
    case 'wait':
      return retry({ delay: 17 });
    case 'fallback':
      return fallback(work);
    case 'path':
      return () => fallback('path');
    case 'resumeFrom':
      return resumeFrom(`s${target % steps}`);
    case 'abort':
      return abort({ cleanup: work });
    case 'skip':
      return skip('skipped');
    case 'escalate':
      return escalate();
  }
}

const whens = {
  all: {},
  odd: { when: 'Odd' },
  early: { when: (_: unknown, { results }: HandlerPlace) => Object.keys(results).length < 2 },
};

function handlersOf(plans: readonly HandlerPlan[], steps: number): Handler[] {
  return plans.map((each, index) =>
    handler({
      id: `h${index}`,
      ...whens[each.when],
      ...(each.runs && { run: work, handlers: handlersOf(each.nested, steps) }),
      then: actionOf(each, steps) as never,
    }),
  );
}

function runOf({ kind }: StepPlan) {
  if (kind === 'work') return { run: work };
  if (kind === 'list') return { run: work, forEach: 'list' };
  return { run: flow('inner', { steps: { one: { run: work }, two: { run: work, needs: ['one'] } } } as never) };
}

function machineOf({ steps, phase, workflow, concurrency }: Plan): AnyStateMachine {
  const all = (plans: readonly HandlerPlan[]) => handlersOf(plans, steps.length);
  const later = steps.map(({ isLater }, index) => isLater && index > 0);
  const phaseOf = (index: number) => later.slice(0, index + 1).filter(Boolean).length;
  const ids = steps.map((_, index) => `s${index}`);
  return flow('work', {
    steps: Object.fromEntries([
      ['list', { run: work }],
      ...steps.map((each, index) => [
        ids[index]!,
        {
          ...runOf(each),
          needs: ids.filter((_, other) => other < index && each.needs[other] === true),
          when: ({ results }: { results: object }) => each.isWanted || Object.keys(results).length === 0,
          onCommandFailure: all(each.command),
          onFailure: all(each.own),
          ...(each.isUndone && { undo: work }),
        },
      ]),
    ]),
    phases: [...new Set(ids.map((_, index) => phaseOf(index)))].map((number) => ({
      id: `p${number}`,
      steps: [...(number === 0 ? ['list'] : []), ...ids.filter((_, index) => phaseOf(index) === number)],
      onFailure: all(phase),
    })),
    onFailure: all(workflow),
    paths: { path: work },
    concurrency,
  } as never) as unknown as AnyStateMachine;
}

/** The root answers for all that is called in it, but for the list of items. */
const scenarioOf = (each: Plan) =>
  defineScenario({
    name: 'a generated flow',
    machines: { work: machineOf(each) },
    effects: { work: (call) => answerOf(each, call), list: { output: [0, 1] } },
  });

it('1, 4, 7, 8, FC1: a flow that dies anywhere ends as one that does not, with the same handlers in the same order', async () => {
  const kinds = new Set<string>();
  await fc.assert(
    fc.asyncProperty(plan, async (each) => {
      const scenario = scenarioOf(each);
      for (const type of typesOf(await replay(scenario))) kinds.add(type);
      count('generated machines');
      countTried(await sweep(scenario, { phases: ['beforeAppend', 'beforeResult', 'afterAppend', 'ackLost'] }));
      countTried(await fuzz(scenario, { ...propertyRuns(10) }));
    }),
    propertyRuns(12),
  );
  // So that the property is about something.
  expect([...kinds]).toEqual(
    expect.arrayContaining([
      'FlowStepFailed',
      'HandlerStarted',
      'HandlerCompleted',
      'ErrorEscalated',
      'PhaseCompleted',
    ]),
  );
}, 180_000);

interface FlowFacts {
  readonly type: string;
  readonly flow?: string;
  readonly step?: string;
  readonly action?: string;
}

const factsOf = ({ facts }: Run) => (facts['work-1'] ?? []).map(({ fact }) => fact as FlowFacts);

it('FS2, FS3: a flow does not begin a step before what it needs is finished, nor what is finished again unless it goes back', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (each) => {
      const run = await replay(scenarioOf(each));
      const facts = factsOf(run);
      const finished = new Set<string>();
      const goesBack = facts.some(({ action }) => action === 'resumeFrom');
      for (const { type, step: id, flow: of } of goesBack ? [] : facts) {
        if (of === 'inner') continue;
        if (type === 'FlowStepCompleted' || type === 'FlowStepSkipped') finished.add(id!);
        if (type !== 'FlowStepStarted') continue;
        expect(finished).not.toContain(id);
        // What every list is made of; and a sub-flow has steps of its own.
        if (!/^s\d$/.test(id!)) continue;
        const { needs } = each.steps[Number(id!.slice(1))]!;
        for (const [other] of needs.entries()) {
          if (needs[other] && other < Number(id!.slice(1))) expect(finished).toContain(`s${other}`);
        }
      }
      const ends = facts.filter(({ type }) => type === 'FlowFailed' || type === 'FlowAborted');
      const { error } = run.ends['work-1']! as { error?: { name: string } };
      expect(ends.filter(({ flow: of }) => of === 'work').map(({ type }) => `${type}Error`)).toEqual(
        error ? [error.name] : [],
      );
    }),
    propertyRuns(60),
  );
}, 60_000);
