/**
 * Flows as they come: any order of needs, handlers at all scopes, nested and conditional, steps and handlers that fail. Owns
 * how they are generated; playing them with crashes is crash-run.ts's.
 *
 * Every call takes a time of its own, so that no two things happen at once whose order nobody promised.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { effect } from 'rewake';
import type { AnyStateMachine } from 'xstate';
import { flow } from '../../machines/flow.ts';
import { handler, type Handler } from '../../machines/handler.ts';
import type { HandlerPlace } from '../../machines/handler-options.ts';
import { abort, escalate, fallback, resumeFrom, retry, skip } from '../../machines/recovery-actions.ts';
import { play, type Answer, type CrashScenario, type ScriptedWorld } from '../support/crash-run.ts';
import { propertyRuns } from '../support/property-runs.ts';

/** A work: how many of its calls fail before one succeeds. */
interface Work {
  readonly failures: number;
}

interface HandlerPlan {
  readonly when: 'all' | 'odd' | 'early';
  readonly run: Work | null;
  readonly action: 'retry' | 'wait' | 'fallback' | 'path' | 'resumeFrom' | 'abort' | 'skip' | 'escalate';
  readonly other: Work;
  readonly step: number;
  readonly nested: readonly HandlerPlan[];
}

interface StepPlan {
  readonly kind: 'work' | 'list' | 'flow';
  readonly work: Work;
  /** The second item, or the second step of a sub-flow. */
  readonly second: Work;
  readonly needs: readonly boolean[];
  readonly isWanted: boolean;
  readonly isUndone: boolean;
  readonly isLater: boolean;
  readonly command: readonly HandlerPlan[];
  readonly own: readonly HandlerPlan[];
}

interface Plan {
  readonly steps: readonly StepPlan[];
  readonly phase: readonly HandlerPlan[];
  readonly workflow: readonly HandlerPlan[];
  readonly concurrency: number;
}

const work = fc.record({ failures: fc.integer({ min: 0, max: 3 }) });
const handlerPlan = (depth: number): fc.Arbitrary<HandlerPlan> =>
  fc.record({
    when: fc.constantFrom('all', 'odd', 'early'),
    run: fc.option(work, { nil: null }),
    action: fc.constantFrom('retry', 'wait', 'fallback', 'path', 'resumeFrom', 'abort', 'skip', 'escalate'),
    other: work,
    step: fc.nat(3),
    nested: depth === 0 ? fc.constant([]) : fc.array(handlerPlan(depth - 1), { maxLength: 1 }),
  });
const handlers = fc.array(handlerPlan(1), { maxLength: 2 });
const step: fc.Arbitrary<StepPlan> = fc.record({
  kind: fc.constantFrom('work', 'work', 'list', 'flow'),
  work,
  second: work,
  needs: fc.array(fc.boolean(), { maxLength: 3 }),
  isWanted: fc.boolean(),
  isUndone: fc.boolean(),
  isLater: fc.boolean(),
  command: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: handlers }),
  own: handlers,
});
const plan: fc.Arbitrary<Plan> = fc.record({
  steps: fc.array(step, { minLength: 1, maxLength: 4 }),
  phase: handlers,
  workflow: handlers,
  concurrency: fc.integer({ min: 1, max: 3 }),
});

/** Square roots of primes: sums of them are as good as never the same. */
const primes = Array.from({ length: 300 }, (_, index) => index + 2).filter((n) =>
  Array.from({ length: n - 2 }, (_, index) => index + 2).every((factor) => n % factor !== 0),
);
const callsMax = 300;

function answersOf(place: number, { failures }: Work): Answer[] {
  const afterMs = Math.round(Math.sqrt(primes[place % primes.length]!) * 1_000);
  return Array.from({ length: callsMax }, (_, call) => {
    if (call >= failures) return { output: `${place}.${call}`, afterMs };
    return {
      error: () => Object.assign(new Error(`failure ${call}`), { name: place % 2 === 1 ? 'Odd' : 'Even' }),
      afterMs,
    };
  });
}

/** The scenario of a plan: its works are numbered as they come. */
function scenarioOf({ steps, phase, workflow, concurrency }: Plan): CrashScenario {
  const answers: Record<string, Answer[]> = {};
  const build = (world: ScriptedWorld) => {
    let place = 0;
    const workNamed = (each: Work) => {
      const name = `work ${place}`;
      answers[name] ??= answersOf(place, each);
      place++;
      return name;
    };
    const workOf = (each: Work) => {
      const name = workNamed(each);
      return effect(world.call(() => name));
    };
    const actionOf = (each: HandlerPlan) => {
      switch (each.action) {
        case 'retry':
          return retry({ maxAttempts: 2 });
        case 'wait':
          return retry({ delay: 17 });
        case 'fallback':
          return fallback(workOf(each.other));
        case 'path':
          return () => fallback('path');
        case 'resumeFrom':
          return resumeFrom(`s${each.step % steps.length}`);
        case 'abort':
          return abort({ cleanup: workOf(each.other) });
        case 'skip':
          return skip('skipped');
        case 'escalate':
          return escalate();
      }
    };
    const whens = {
      all: {},
      odd: { when: 'Odd' },
      early: { when: (_: unknown, { results }: HandlerPlace) => Object.keys(results).length < 2 },
    };
    const handlersOf = (plans: readonly HandlerPlan[]): Handler[] =>
      plans.map((each, index) =>
        handler({
          id: `h${index}`,
          ...whens[each.when],
          ...(each.run && { run: workOf(each.run), handlers: handlersOf(each.nested) }),
          then: actionOf(each) as never,
        }),
      );
    const runOf = ({ kind, work: first, second }: StepPlan) => {
      if (kind === 'work') return { run: workOf(first) };
      if (kind === 'flow') {
        const inner = { one: { run: workOf(first) }, two: { run: workOf(second), needs: ['one'] } };
        return { run: flow('inner', { steps: inner } as never) };
      }
      const items = [workNamed(first), workNamed(second)];
      return {
        run: effect(world.call((index: number) => items[index]!)),
        forEach: 'list',
        input: ({ index }: { index: number }) => index,
      };
    };
    const later = steps.map(({ isLater }, index) => isLater && index > 0);
    const phaseOf = (index: number) => later.slice(0, index + 1).filter(Boolean).length;
    const ids = steps.map((_, index) => `s${index}`);
    const machine = flow('work', {
      steps: Object.fromEntries([
        ['list', { run: effect(async () => [0, 1]) }],
        ...steps.map((each, index) => [
          ids[index]!,
          {
            ...runOf(each),
            needs: ids.filter((_, other) => other < index && each.needs[other] === true),
            when: ({ results }: { results: object }) => each.isWanted || Object.keys(results).length === 0,
            onCommandFailure: handlersOf(each.command),
            onFailure: handlersOf(each.own),
            ...(each.isUndone && { undo: workOf({ failures: index % 2 }) }),
          },
        ]),
      ]),
      phases: [...new Set(ids.map((_, index) => phaseOf(index)))].map((number) => ({
        id: `p${number}`,
        steps: [...(number === 0 ? ['list'] : []), ...ids.filter((_, index) => phaseOf(index) === number)],
        onFailure: handlersOf(phase),
      })),
      onFailure: handlersOf(workflow),
      paths: { path: workOf({ failures: 1 }) },
      concurrency,
    } as never);
    return { work: machine as unknown as AnyStateMachine };
  };
  return { name: 'a generated flow', machines: build, answers, tells: [] };
}

it('FC1: a flow that dies after any append of it ends as one that does not, with the same handlers in the same order', async () => {
  const kinds = new Set<string>();
  await fc.assert(
    fc.asyncProperty(plan, fc.nat(), async (each, other) => {
      const scenario = scenarioOf(each);
      const { seen, appends, complaints } = await play(scenario);
      expect(complaints).toEqual([]);
      for (const fact of seen.facts['work-1'] ?? []) kinds.add((fact as { type: string }).type);
      const crashes = [
        ...Array.from({ length: appends }, (_, append) => ({ append, phase: 'after' as const })),
        { append: other % appends, phase: 'before' as const },
      ];
      for (const crash of crashes) {
        const run = await play(scenario, { crashes: [crash] });
        expect(run.seen, `${crash.phase} append ${crash.append}`).toEqual(seen);
        expect([run.deaths, run.complaints, run.twice, run.world.excess]).toEqual([1, [], [], []]);
      }
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
}, 120_000);

it('FS2, FS3: a flow does not begin a step before what it needs is finished, nor what is finished again unless it goes back', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (each) => {
      const { seen } = await play(scenarioOf(each));
      const facts = (seen.facts['work-1'] ?? []) as {
        type: string;
        flow?: string;
        step?: string;
        action?: string;
      }[];
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
      const { end } = seen as { end: { error?: { name: string } } };
      expect(ends.filter(({ flow: of }) => of === 'work').map(({ type }) => `${type}Error`)).toEqual(
        end.error ? [end.error.name] : [],
      );
    }),
    propertyRuns(60),
  );
}, 60_000);
