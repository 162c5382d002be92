/**
 * What the handling of one error remembers, and how it changes: pure functions that the chart of handling-chart.ts calls by
 * name. Owns the context and the decision.
 *
 * HS1  The original error is in every decision: as what was handled, as what goes on, or behind a HandlerFailedError.
 * HS2  A handler that has no retry left decides nothing: the error goes on.
 * HS3  What a predicate or `then` of the user throws, or gives wrongly, is a failure of its handler.
 */
import { classify, type ErrorRule } from './classify.ts';
import { signatureOf, type ErrorSignature } from './error-signature.ts';
import { chooseHandler, type Handler } from './handler.ts';
import type { EscalationReason, HandlerFact, HandlerScope } from './handler-facts.ts';
import type { HandlerInput, HandlerOutcome } from './handler-options.ts';
import { RecoveryDirective } from './recovery-directive.ts';
import { renamed, requireAction, unnamed, type RecoveryAction, type RecoveryActionData } from './recovery-actions.ts';
import { HandlerFailedError } from './recovery-errors.ts';

/** An error to be handled, and where it happened. */
export interface HandlingInput {
  readonly error: unknown;
  /** Name of the step, the phase or the flow. */
  readonly subject: string;
  /** What that was given. */
  readonly input: unknown;
  readonly results: Readonly<Record<string, unknown>>;
  /** Calls of the subject so far, by the handler that decided on them; a handler that is not there counts one. */
  readonly calls: Readonly<Record<string, number>>;
}

/** What is to be done about an error. */
export interface Decision {
  /** Whose decision it is; null where no handler is for the error. */
  readonly handler: string | null;
  readonly action: RecoveryActionData;
  /** What goes on outward with `escalate`; what was handled otherwise. */
  readonly error: unknown;
  /** Calls that were made of what the handler runs. */
  readonly attempts: number;
}

/** What the handling of an error remembers. */
export interface HandlingContext extends HandlingInput {
  readonly handler: string | null;
  /** What the logics of the handler gave so far. */
  readonly outputs: readonly unknown[];
  readonly attempts: number;
  /** What the handler failed with. */
  readonly problem: { readonly error: unknown } | undefined;
  readonly reason: EscalationReason | undefined;
  readonly decision: Decision | undefined;
}

/** For whom an error is handled. */
export interface HandlingPlan {
  readonly scope: HandlerScope;
  readonly handlers: readonly Handler[];
  readonly rules: readonly ErrorRule[];
}

/** The handling of an error begins. */
export function handlingBegun(input: HandlingInput): HandlingContext {
  const { error, subject, input: given, results, calls } = input;
  const handled = { error, subject, input: given, results, calls };
  return {
    ...handled,
    handler: null,
    outputs: [],
    attempts: 0,
    problem: undefined,
    reason: undefined,
    decision: undefined,
  };
}

/** Whose error it is. */
export function handlerChosen(
  context: HandlingContext,
  { scope, handlers, rules }: HandlingPlan,
): Partial<HandlingContext> {
  const { error, subject, input, results } = context;
  return chooseHandler(handlers, error, { scope, subject, input, results }, rules);
}

/** What a logic of the handler is given. */
export function handlerInputOf(context: HandlingContext, { scope }: HandlingPlan): HandlerInput {
  const { error, subject, input, results, outputs } = context;
  return { error, scope, subject, input, results, outputs };
}

/** What follows. */
export function decided(context: HandlingContext, plan: HandlingPlan): Partial<HandlingContext> {
  const { error, handler, problem, attempts } = context;
  const goesOn = (reason: EscalationReason, outward: unknown): Partial<HandlingContext> => ({
    reason,
    decision: { handler, action: { type: 'escalate' }, error: outward, attempts },
  });
  const failedWith = (failure: unknown) => ({
    problem: { error: failure },
    ...goesOn('handlerFailed', new HandlerFailedError(handler!, plan.scope, context.subject, error, failure)),
  });
  if (handler === null) return goesOn('noHandler', error);
  const nested = problem && decisionOfNested(problem.error, handler, plan);
  if (problem && !nested) return failedWith(problem.error);
  const action = nested ? { data: nested } : actionOf(context, plan);
  if ('failure' in action) return failedWith(action.failure);
  const { data } = action;
  if (data.type === 'escalate') return goesOn('handlerEscalated', error);
  if (data.type === 'retry' && callsOf(context) >= data.maxAttempts) return goesOn('retriesExhausted', error);
  return { problem: undefined, decision: { handler, action: data, error, attempts } };
}

/** What the handler ends with. */
function actionOf(
  context: HandlingContext,
  plan: HandlingPlan,
): { readonly data: RecoveryActionData } | { readonly failure: unknown } {
  const { id, then, action } = handlerOf(context, plan);
  if (action !== undefined) return { data: action };
  const { attempts } = context;
  const outcome = { ...handlerInputOf(context, plan), attempts, calls: callsOf(context) };
  const path = `handler('${id}').then`;
  try {
    const given = (then as (outcome: HandlerOutcome) => RecoveryAction)(outcome);
    return { data: unnamed(requireAction(given, `${path}(…)`), path) };
  } catch (failure) {
    return { failure };
  }
}

/** What a handler of the handler decided on that concerns the flow: it is taken for the decision of the outer one. */
function decisionOfNested(error: unknown, handler: string, plan: HandlingPlan): RecoveryActionData | undefined {
  if (!(error instanceof RecoveryDirective) || error.subject !== handler || error.action === 'fallback')
    return undefined;
  const { handlers } = plan.handlers.find(({ id }) => id === handler)!;
  if (!handlers.some(({ id }) => id === error.handler)) return undefined;
  return renamed(error.decision, (logic) => nestedName(handler, logic));
}

/** What a logic of a nested handler is called from outside. */
export function nestedName(handler: string, logic: string): string {
  return `${handler}/${logic}`;
}

function callsOf({ calls, handler }: HandlingContext): number {
  return callsBy(calls, handler!);
}

/** Calls of a subject by the count of a handler, whatever that is called. */
export function callsBy(calls: Readonly<Record<string, number>>, handler: string): number {
  return Object.hasOwn(calls, handler) ? calls[handler]! : 1;
}

function handlerOf({ handler }: HandlingContext, { handlers }: HandlingPlan): Handler {
  return handlers.find(({ id }) => id === handler)!;
}

/** A failure in a few words; where a rule of the user throws, without the rules. */
function handlerSignature(error: unknown, rules: readonly ErrorRule[]): ErrorSignature {
  try {
    return signatureOf(error, classify(error, rules));
  } catch {
    return signatureOf(error, classify(error));
  }
}

/** Facts by what is remembered; each is told in the transition that made it true. */
export function handlerFacts({ scope, rules }: Pick<HandlingPlan, 'scope' | 'rules'>) {
  const sign = (error: unknown) => handlerSignature(error, rules);
  return {
    started: ({ handler, subject, error }: HandlingContext): HandlerFact => {
      return { type: 'HandlerStarted', handler: handler!, scope, subject, error: sign(error) };
    },
    completed: ({ handler, subject, decision, attempts }: HandlingContext): HandlerFact => {
      return { type: 'HandlerCompleted', handler: handler!, scope, subject, action: decision!.action.type, attempts };
    },
    failed: (handler: string, subject: string, error: unknown, original: unknown, attempts: number): HandlerFact => {
      return { type: 'HandlerFailed', handler, scope, subject, error: sign(error), original: sign(original), attempts };
    },
    escalated: (subject: string, error: unknown, reason: EscalationReason): HandlerFact => {
      return { type: 'ErrorEscalated', scope, subject, error: sign(error), reason };
    },
  };
}
