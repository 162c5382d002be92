/**
 * What a handler may be told, and what it is told when it runs. Owns the options and their checks; what follows from them is
 * handler.ts's and the chart's.
 *
 * HO1  A wrong option is an InvalidArgumentError that names its path, when the handler is defined.
 */
import { InvalidArgumentError, type Duration } from 'rewake';
import type { AnyActorLogic } from 'xstate';
import { requireMatches } from './error-rules.ts';
import type { HandlerScope } from './handler-facts.ts';
import { durationMs, requireFunction, requireKnown, requireLogic, requireChartName } from './options.ts';
import { requireAction, type RecoveryAction, type RecoveryActionData } from './recovery-actions.ts';
import type { RetryOptions } from './retry-policy.ts';
import { policyOf } from './step-policy.ts';

/** Where an error happened. */
export interface HandlerPlace {
  readonly scope: HandlerScope;
  /** Name of the step, the phase or the flow; of a nested handler, the handler it belongs to. */
  readonly subject: string;
  /** What the subject was given. */
  readonly input: unknown;
  /** What the steps of the flow gave so far, by name; empty outside a flow. */
  readonly results: Readonly<Record<string, unknown>>;
}

/** What a logic of a handler is given. */
export interface HandlerInput<
  Input = unknown,
  Results extends HandlerPlace['results'] = HandlerPlace['results'],
> extends HandlerPlace {
  readonly error: unknown;
  readonly input: Input;
  readonly results: Results;
  /** What the logics of this handler gave that ran before this one, in order. */
  readonly outputs: readonly unknown[];
}

/** What a handler knows when it decides. */
export interface HandlerOutcome extends HandlerInput {
  /** Calls that were made of what the handler runs, retries included. */
  readonly attempts: number;
  /** Calls of the subject so far, as this handler counts them: 1, and one for each retry that it decided on. */
  readonly calls: number;
}

/**
 * Which errors: an error class, whose subclasses match too; a text, which is a class of the taxonomy such as `throttled`, a
 * code, or the exact name of an error; or a predicate over error and place, which must be pure.
 */
export type HandlerMatch =
  (abstract new (...args: never[]) => unknown) | string | ((error: unknown, place: HandlerPlace) => boolean);

/** What a handler is for, what it runs, and what it ends with. */
export interface HandlerOptions<Action extends RecoveryAction = RecoveryAction> {
  /** Names it in facts and errors. No other handler beside it has the same. */
  readonly id: string;
  /** The errors it is for, any one of a list; every error when omitted. */
  readonly when?: HandlerMatch | readonly HandlerMatch[];
  /** What it does: logics from {@link HandlerInput} to anything, one after the other. */
  readonly run?: AnyActorLogic | readonly AnyActorLogic[];
  /** Of each of these logics; their count survives a restart. A number is `maxRetries`. None when omitted. */
  readonly retry?: RetryOptions | number;
  /** Of the whole of it. No bound when omitted. */
  readonly timeout?: Duration;
  /**
   * What it ends with: an action, or a pure function that gives one. Such a function names paths, it cannot give a logic. The
   * error goes on outward when omitted.
   */
  readonly then?: Action | ((outcome: HandlerOutcome) => Action);
  /** Handlers for what `run` fails with. */
  readonly handlers?: readonly Handler[];
}

/** A handler as it was defined; made by `handler`. */
export interface Handler<Action extends RecoveryAction = RecoveryAction> {
  readonly id: string;
  /** Undefined for every error. */
  readonly when: readonly HandlerMatch[] | undefined;
  /** What it runs, each with its retries. */
  readonly runs: readonly AnyActorLogic[];
  /** Whether these are tried again. */
  readonly retries: boolean;
  readonly timeoutMs: number | undefined;
  readonly then: NonNullable<HandlerOptions<Action>['then']>;
  /** What it ends with, as data; undefined where a function says it. */
  readonly action: RecoveryActionData | undefined;
  /** The logics in what it ends with, by the names that the data has for them. */
  readonly logics: Readonly<Record<string, AnyActorLogic>>;
  readonly handlers: readonly Handler[];
}

/** @throws InvalidArgumentError for options that cannot work */
export function checkHandler(options: HandlerOptions): void {
  const names = ['id', 'when', 'run', 'retry', 'timeout', 'then', 'handlers'];
  requireKnown(options, names, 'handler');
  const { id, when, run, retry, timeout, then, handlers } = options;
  requireChartName(id, 'handler.id');
  const path = `handler('${id}')`;
  if (when !== undefined) requireMatches([when].flat(), `${path}.when`);
  const logics = logicsToRun(run);
  if (Array.isArray(run) && run.length === 0)
    throw InvalidArgumentError.of(`${path}.run`, 'a logic, or a list of at least one', run);
  logics.forEach((logic, index) => requireLogic(logic, Array.isArray(run) ? `${path}.run[${index}]` : `${path}.run`));
  for (const [name, option] of Object.entries({ retry, timeout, handlers })) {
    if (option === undefined || logics.length > 0) continue;
    throw InvalidArgumentError.of(`${path}.run`, `a logic, because '${name}' is about what the handler runs`, run);
  }
  if (retry !== undefined) policyOf(id, { retry }, path);
  if (timeout !== undefined) durationMs(timeout, `${path}.timeout`, 1);
  if (typeof then === 'function') requireFunction(then, `${path}.then`);
  else if (then !== undefined) requireAction(then, `${path}.then`);
}

/** What a handler runs, in order. */
export function logicsToRun(run: HandlerOptions['run']): readonly AnyActorLogic[] {
  return [run ?? []].flat() as readonly AnyActorLogic[];
}
