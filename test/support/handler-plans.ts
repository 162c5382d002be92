/**
 * Generated error handlers around generated calls: plans as data, and the machine that a plan stands for. Owns what is
 * generated; what must come of a plan is handler-model.ts's, and it reads nothing but the data.
 *
 * HP1  Every call has a name, and its answers come in the order of its calls. A call that is repeated under its key, because
 *      its host died, gets the answer that it got before.
 * HP2  What hangs has a handler with a timeout around it, the longer the further out, so that everything ends.
 */
import fc from 'fast-check';
import type { AnyActorLogic, AnyStateMachine } from 'xstate';
import { effect, registerErrorClass } from 'rewake';
import { withHandlers } from '../../machines/handled.ts';
import { handler, type Handler } from '../../machines/handler.ts';
import type { HandlerMatch, HandlerOutcome } from '../../machines/handler-options.ts';
import {
  abort,
  escalate,
  fallback,
  intervene,
  resumeFrom,
  retry,
  skip,
  type RecoveryAction,
} from '../../machines/recovery-actions.ts';
import { withRetry } from '../../machines/step.ts';

/** What a call comes to: a result, an error, or nothing at all. */
export type Answer = 'ok' | 'busy' | 'denied' | 'odd' | 'hangs';

/** Which errors a handler is for, by each way of saying it. */
export type When =
  'any' | 'server' | 'auth' | 'E_ODD' | 'OddError' | 'HandlerFailedError' | 'class' | 'predicate' | 'place' | 'throws';

export type ActionPlan =
  | { readonly type: 'retry'; readonly delayMs: number; readonly maxAttempts: number }
  | { readonly type: 'fallback'; readonly answers: readonly Answer[] }
  | { readonly type: 'path'; readonly known: boolean }
  | { readonly type: 'skip' | 'escalate' | 'abort' | 'resumeFrom' | 'intervene' };

/** How a handler says what it ends with. */
export type Then =
  | { readonly by: 'action' | 'function'; readonly action: ActionPlan }
  | { readonly by: 'nothing' | 'throwing' | 'nonsense' | 'counting' };

export interface HandlerPlan {
  readonly when: When;
  /** The answers to each thing that it runs. */
  readonly runs: readonly (readonly Answer[])[];
  readonly maxRetries: number | undefined;
  readonly hasTimeout: boolean;
  readonly then: Then;
  readonly handlers: readonly HandlerPlan[];
}

export interface LayerPlan {
  readonly handlers: readonly HandlerPlan[];
  /** Attempts of the step inside this layer, if there is one. */
  readonly attempts: number | undefined;
}

/** Layers from the inside outward. */
export interface Plan {
  readonly answers: readonly Answer[];
  readonly path: readonly Answer[];
  readonly layers: readonly LayerPlan[];
}

export const scopes = ['command', 'step', 'workflow'] as const;
const depthMax = 2;

/** Known to the log, so that it is one after a fold, too. */
class OddError extends Error {
  override readonly name = 'OddError';
  readonly code = 'E_ODD';
}
registerErrorClass(OddError, 'E_ODD');

const failures: fc.Arbitrary<Answer> = fc.constantFrom('busy', 'busy', 'denied', 'odd');
const answer: fc.Arbitrary<Answer> = fc.oneof({ weight: 2, arbitrary: failures }, fc.constant<Answer>('ok'));
const answersOf = (each: fc.Arbitrary<Answer>) => fc.array(each, { minLength: 1, maxLength: 4 });

const again = fc.record({
  ...{ type: fc.constant('retry' as const), delayMs: fc.constantFrom(0, 700) },
  maxAttempts: fc.integer({ min: 1, max: 3 }),
});
const local: fc.Arbitrary<ActionPlan> = fc.oneof(
  { weight: 3, arbitrary: again },
  fc.record({ type: fc.constant('fallback' as const), answers: answersOf(answer) }),
  fc.record({ type: fc.constant('path' as const), known: fc.boolean() }),
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('skip' as const, 'skip' as const, 'escalate' as const) }) },
);
const ofFlows = fc.record({ type: fc.constantFrom('abort' as const, 'resumeFrom' as const, 'intervene' as const) });
const then: fc.Arbitrary<Then> = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.record({
      by: fc.constantFrom('action' as const, 'action' as const, 'function' as const),
      action: fc.oneof({ weight: 5, arbitrary: local }, ofFlows),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      by: fc.constantFrom('nothing' as const, 'throwing' as const, 'nonsense' as const, 'counting' as const),
    }),
  },
);
const when: fc.Arbitrary<When> = fc.constantFrom<When[]>(
  ...(['any', 'any', 'any', 'server', 'server', 'predicate', 'auth', 'E_ODD', 'OddError'] as const),
  ...(['HandlerFailedError', 'class', 'place', 'throws'] as const),
);

function handlersTo(depth: number): fc.Arbitrary<readonly HandlerPlan[]> {
  const plain = fc.record({ when, then, runs: fc.constant([] as Answer[][]) }).map((plan): HandlerPlan => {
    return { ...plan, maxRetries: undefined, hasTimeout: false, handlers: [] };
  });
  const nested = depth < depthMax ? handlersTo(depth + 1) : fc.constant([]);
  const running = fc.boolean().chain((hasTimeout): fc.Arbitrary<HandlerPlan> => {
    const each = hasTimeout ? fc.oneof({ weight: 6, arbitrary: answer }, fc.constant<Answer>('hangs')) : answer;
    return fc.record({
      ...{ when, then, hasTimeout: fc.constant(hasTimeout) },
      runs: fc.array(answersOf(each), { minLength: 1, maxLength: 2 }),
      maxRetries: fc.option(fc.nat(2), { nil: undefined }),
      handlers: fc.oneof(fc.constant([]), { weight: 2, arbitrary: nested }),
    });
  });
  return fc.array(fc.oneof(plain, { weight: 2, arbitrary: running }), { minLength: 1, maxLength: 3 - depth });
}

const layer: fc.Arbitrary<LayerPlan> = fc.record({
  handlers: handlersTo(0),
  attempts: fc.option(fc.integer({ min: 1, max: 2 }), { nil: undefined }),
});

export const plans: fc.Arbitrary<Plan> = fc.record({
  answers: answersOf(fc.oneof({ weight: 4, arbitrary: failures }, fc.constant<Answer>('ok'))),
  path: answersOf(answer),
  layers: fc.array(layer, { minLength: 1, maxLength: 3 }),
});

/** The outside world, over all lives of a run. */
export class PlannedWorld {
  readonly #asked = new Map<string, Answer>();
  readonly calls: string[] = [];

  call(name: string, answers: readonly Answer[]): AnyActorLogic {
    // A promise that says what its loss means keeps that inside a step, so that a crash takes nothing from the script.
    return effect(({ context }) => this.#answer(name, answers, context.idempotencyKey), { onLost: 'rerun' });
  }

  #answer(name: string, answers: readonly Answer[], key: string): Promise<string> | string {
    const asked = this.#asked.get(key) ?? this.#next(name, answers);
    this.#asked.set(key, asked);
    if (asked === 'hangs') return new Promise(() => {});
    if (asked === 'ok') return `${name} ok`;
    throw errorOf(asked);
  }

  #next(name: string, answers: readonly Answer[]): Answer {
    this.calls.push(name);
    return answers[Math.min(this.calls.filter((each) => each === name).length, answers.length) - 1]!;
  }
}

function errorOf(answer: Answer): Error {
  if (answer === 'odd') return new OddError('odd');
  return Object.assign(new Error(answer), { status: answer === 'busy' ? 503 : 403 });
}

const backoff = { initialDelay: 500, jitter: 'none' } as const;

/** The machine that a plan stands for. */
export function machineOf({ answers, path, layers }: Plan, world: PlannedWorld): AnyStateMachine {
  const paths = { known: world.call('path', path) };
  const machine = layers.reduce(
    (inner, { handlers, attempts }, index) => {
      const scope = scopes[index]!;
      const called = attempts === undefined ? inner : withRetry({ maxAttempts: attempts, backoff })(inner);
      return withHandlers(handlersOf(handlers, scope, world), { name: scope, scope, paths })(called);
    },
    world.call('call', answers),
  );
  return machine as AnyStateMachine;
}

/** The id of a handler is its place: `stepAB` is the second one of the first one of the step. */
export function idOf(prefix: string, index: number): string {
  return prefix + 'ABC'[index]!;
}

function handlersOf(handlers: readonly HandlerPlan[], prefix: string, world: PlannedWorld, depth = 0): Handler[] {
  return handlers.map((plan, index) => {
    const id = idOf(prefix, index);
    const { runs, maxRetries, hasTimeout, then: ends } = plan;
    return handler({
      ...{ id, ...(plan.when !== 'any' && { when: matchOf(plan.when) }) },
      ...(runs.length > 0 && { run: runs.map((answers, run) => world.call(`${id} run ${run + 1}`, answers)) }),
      ...(maxRetries !== undefined && { retry: { maxRetries, backoff } }),
      ...(hasTimeout && { timeout: 60_000 * 100 ** (depthMax - depth) }),
      ...(ends.by !== 'nothing' && { then: thenOf(ends, id, world) }),
      ...(plan.handlers.length > 0 && { handlers: handlersOf(plan.handlers, id, world, depth + 1) }),
    });
  });
}

/** What `place` is true of. */
export function isThere(subject: string): boolean {
  return subject.length % 2 === 1;
}

function matchOf(match: Exclude<When, 'any'>): HandlerMatch {
  if (match === 'class') return OddError;
  if (match === 'predicate') return (error) => (error as { status?: number }).status === 503;
  if (match === 'place') return (_, { subject }) => isThere(subject);
  if (match !== 'throws') return match;
  return () => {
    throw new Error('cannot say');
  };
}

function thenOf(
  ends: Then,
  id: string,
  world: PlannedWorld,
): RecoveryAction | ((outcome: HandlerOutcome) => RecoveryAction) {
  if (ends.by === 'throwing') return () => JSON.parse('{') as RecoveryAction;
  if (ends.by === 'nonsense') return () => 'retry' as unknown as RecoveryAction;
  if (ends.by === 'counting') {
    return ({ calls, attempts, outputs }) => (calls < 2 ? retry({ maxAttempts: 9 }) : skip([id, attempts, ...outputs]));
  }
  const action = actionOf((ends as { readonly action: ActionPlan }).action, id, world);
  return ends.by === 'function' ? () => action : action;
}

function actionOf(action: ActionPlan, id: string, world: PlannedWorld): RecoveryAction {
  switch (action.type) {
    case 'retry':
      return retry({ delay: action.delayMs, maxAttempts: action.maxAttempts });
    case 'fallback':
      return fallback(world.call(`${id} fallback`, action.answers));
    case 'path':
      return fallback(action.known ? 'known' : 'unknown');
    case 'skip':
      return skip(`skipped by ${id}`);
    case 'escalate':
      return escalate();
    case 'abort':
      return abort();
    case 'resumeFrom':
      return resumeFrom('before');
    case 'intervene':
      return intervene('What now?', { stop: abort() });
  }
}
