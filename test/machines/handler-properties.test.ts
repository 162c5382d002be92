/**
 * Error handlers of any shape around calls that come to anything: nested, conditional, with retries and timeouts, that fail,
 * whose fallbacks fail. What comes of them is what handler-model.ts says, under plain XState, hosted, and wherever the host
 * dies: the end, the calls, and the history of the handlers in its order (HN1, HN2, HG1, HG2, HD1, HD2, HD3, HI1).
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createActor, toPromise, type AnyActor, type AnyEventObject } from 'xstate';
import { VirtualClock } from 'rewake';
import { defineScenario, replay, sweep, type Outcome } from 'rewake/testing';
import { HandlerModel, type Told } from '../support/handler-model.ts';
import { machineOf, plans, PlannedWorld, type Plan } from '../support/handler-plans.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { outcomeOf } from '../support/house.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { count } from '../support/recovery-tally.ts';
import { countTried } from '../support/tried.ts';

/** What is seen of a run, in the words of the model. */
interface Seen {
  readonly end: unknown;
  readonly calls: readonly string[];
  readonly facts: readonly Told[];
}

/** Fields of an error that the model knows, and what stands behind it. */
function failureOf(error: unknown): unknown {
  const { name, message, ...fields } = error as Error & Record<string, unknown>;
  const known = ['handler', 'scope', 'subject', 'action', 'step', 'attempts', 'kind'] as const;
  const told = Object.fromEntries(known.flatMap((key) => (key in fields ? [[key, fields[key]]] : [])));
  const { originalError: original, errors } = fields;
  return {
    ...{ name, ...told },
    ...(['Error', 'OddError'].includes(name) && { message }),
    ...(original !== undefined && { original: failureOf(original), cause: failureOf((error as Error).cause) }),
    ...(errors !== undefined && { errors: (errors as unknown[]).map(failureOf) }),
  };
}

const signatures = new Set(['error', 'original']);
const knownFields = new Set(
  'type step attempt attempts errorClass scope subject handler action reason error original'.split(' '),
);

/** What the model knows of a fact; undefined for one that it knows nothing of. */
function toldOf(fact: Readonly<Record<string, unknown>>): Told[] {
  if (fact.type === 'NestedRetryDetected') return [];
  const fields = Object.entries(fact).filter(([key]) => knownFields.has(key));
  const isExhausted = fact.type === 'RetryExhausted';
  const told = fields.flatMap(([key, value]) => {
    if (isExhausted && key === 'reason') return [];
    const { name, class: errorClass } = value as { name: string; class: string };
    return [[key, signatures.has(key) ? `${name} ${errorClass}` : value] as const];
  });
  return [Object.fromEntries(told)];
}

const endOf = ({ output, error }: { readonly output: unknown; readonly error: unknown }) =>
  error === undefined ? { output } : { failure: failureOf(error) };

/** Until nothing is due any more. */
async function pass(clock: VirtualClock): Promise<void> {
  await rest();
  for (let due = clock.nextDue(); due !== undefined; due = clock.nextDue()) {
    await clock.advance(Math.max(0, due - clock.now()), rest);
  }
}

async function runPlain(plan: Plan): Promise<Seen> {
  const world = new PlannedWorld();
  const clock = new VirtualClock();
  const facts: Told[] = [];
  const actor = createActor(machineOf(plan, world), {
    inspect: ({ type, actorRef }) => {
      if (type !== '@xstate.actor') return;
      (actorRef as AnyActor).on('*', (fact: AnyEventObject) => void facts.push(...toldOf(fact)));
    },
    clock: {
      setTimeout: (fn: () => void, ms: number) => clock.setTimer(clock.now() + ms, fn),
      clearTimeout: (cancel: () => void) => cancel(),
    },
  });
  const ended = outcomeOf(toPromise(actor) as Promise<unknown>);
  actor.start();
  await pass(clock);
  return { end: endOf(await ended), calls: world.calls, facts };
}

/** The same hosted; what its functions do is scripted by themselves. */
const scenarioOf = (plan: Plan) =>
  defineScenario({
    name: 'generated handlers',
    world: () => new PlannedWorld(),
    machines: (world) => ({ work: machineOf(plan, world) }),
    effects: { work: 'live' },
    check: (run) => expect(seenOf(run)).toEqual(expected(plan)),
  });

function seenOf({ ends, facts, world }: Outcome<PlannedWorld>): Seen {
  const { output, error } = ends['work-1']!;
  const told = (facts['work-1'] ?? []).flatMap(({ fact }) => toldOf(fact as Readonly<Record<string, unknown>>));
  return { end: endOf({ output, error }), calls: world.calls, facts: told };
}

function expected(plan: Plan): Seen {
  const model = new HandlerModel(plan);
  const end = model.play();
  return { end, calls: model.calls, facts: model.facts };
}

const isLocal = (action: unknown) => ['retry', 'fallback', 'skip', 'escalate'].includes(action as string);

/** Without the few whose retries multiply into hours: they say nothing that smaller ones do not. */
const moderate = plans.filter((plan) => expected(plan).calls.length <= 25);

/** What happens in the runs of a property, so that it is seen to be about something. */
function noteFacts(seen: Set<string>, { facts, end }: Seen): void {
  for (const { type, action, reason } of facts) {
    if (type === 'HandlerCompleted') seen.add(isLocal(action) ? String(action) : 'of a flow');
    if (type === 'ErrorEscalated') seen.add(String(reason));
  }
  const text = JSON.stringify(end);
  for (const name of ['TimeoutError', 'OddError', 'RecoveryDirective', 'RecoveryExhaustedError']) {
    if (text.includes(name)) seen.add(name);
  }
}

const everything = [
  ...['OddError', 'RecoveryDirective', 'RecoveryExhaustedError', 'TimeoutError', 'escalate', 'fallback'],
  ...['handlerEscalated', 'handlerFailed', 'noHandler', 'of a flow', 'retriesExhausted', 'retry', 'skip'],
];

it('handlers do what the model says, under plain XState and hosted', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(moderate, async (plan) => {
      const model = expected(plan);
      expect(await runPlain(plan), 'plain').toEqual(model);
      await replay(scenarioOf(plan));
      noteFacts(seen, model);
    }),
    propertyRuns(200),
  );
  expect([...seen].sort()).toEqual(everything);
}, 60_000);

it('4, 7, 8, 13, 15: their end, their calls and their history in its order are the same wherever the host dies', async () => {
  const seen = new Set<string>();
  let crashes = 0;
  await fc.assert(
    fc.asyncProperty(moderate, async (plan) => {
      const tried = await sweep(scenarioOf(plan), {
        phases: ['beforeAppend', 'beforeResult', 'afterAppend', 'ackLost'],
      });
      crashes += tried.crashes;
      count('generated machines');
      countTried(tried);
      noteFacts(seen, expected(plan));
    }),
    propertyRuns(15),
  );
  expect(crashes).toBeGreaterThan(60);
  expect(seen.size).toBeGreaterThan(5);
}, 60_000);
