/**
 * What a handler may end with. Owns the actions, how they are checked, and their form as data; carrying them out is the
 * business of what the handler stands around: handled-chart.ts, or a flow.
 *
 * AC1  An action is plain data but for the logics in it, and a decision names these: it can be logged and read.
 * AC2  A logic in an action is known when the handler is defined, for a machine cannot find it later.
 */
import { InvalidArgumentError, type Duration } from 'rewake';
import type { AnyActorLogic, OutputFrom } from 'xstate';
import { durationMs, requireKnown, requireLogic, requireName, wholeNumber } from './options.ts';

/** The subject is called again, unless it was called `maxAttempts` times by then. */
export interface RetryAction {
  readonly type: 'retry';
  readonly delayMs: number;
  /** Calls of the subject in all. */
  readonly maxAttempts: number;
}

/** Another logic, or the path of this name, does what the subject did not. */
export interface FallbackAction<To> {
  readonly type: 'fallback';
  readonly to: To;
}

/** The flow goes on at this step; what depends on it is done again. */
export interface ResumeFromAction {
  readonly type: 'resumeFrom';
  readonly step: string;
}

/** A person chooses what happens. */
export interface InterveneAction<Chosen> {
  readonly type: 'intervene';
  readonly message: string;
  /** What follows, by the name of the answer. */
  readonly choices: Readonly<Record<string, Chosen>>;
}

/** Nothing more is done: what `cleanup` names runs in order, what can be undone is, and the flow ends aborted. */
export interface AbortAction<Cleanup> {
  readonly type: 'abort';
  readonly cleanup: readonly Cleanup[];
}

/** The subject counts as done, with this value for what it did not give. */
export interface SkipAction<Value> {
  readonly type: 'skip';
  readonly value: Value;
}

/** The error goes on to the next scope out. */
export interface EscalateAction {
  readonly type: 'escalate';
}

type ActionOf<Logic, Chosen> =
  | RetryAction
  | FallbackAction<Logic | string>
  | ResumeFromAction
  | InterveneAction<Chosen>
  | AbortAction<Logic>
  | SkipAction<unknown>
  | EscalateAction;

/** What a handler ends with; made by `retry`, `fallback`, `resumeFrom`, `intervene`, `abort`, `skip` and `escalate`. */
export type RecoveryAction = ActionOf<AnyActorLogic, unknown>;

/** Stands in a decision for a logic: its name among those of the handlers. */
export interface LogicName {
  readonly logic: string;
}

/** An action as a decision has it: plain data. */
export type RecoveryActionData = ActionOf<LogicName, ActionOf<LogicName, never>>;

/** What the subject gives when this action has recovered it where it stands. */
export type RecoveredBy<Action> =
  Action extends SkipAction<infer Value>
    ? Value
    : Action extends FallbackAction<infer To>
      ? To extends AnyActorLogic
        ? OutputFrom<To>
        : unknown
      : never;

/** How often and how soon the subject is called again. */
export interface RetryActionOptions {
  /** Before the next call; none when omitted. */
  readonly delay?: Duration;
  /** Calls of the subject in all, the first one included; 3 when omitted. */
  readonly maxAttempts?: number;
}

/**
 * Ends a handler with another call of what failed. Calls are counted by handler; when none is left the error goes on outward.
 *
 * @example
 * handler({ id: 'reconnect', when: 'transient', run: reconnect, then: retry({ delay: '5s', maxAttempts: 5 }) });
 * @throws InvalidArgumentError for options that cannot be
 */
export function retry(options: RetryActionOptions = {}): RetryAction {
  requireKnown(options, ['delay', 'maxAttempts'], 'retry');
  const { delay = 0, maxAttempts = 3 } = options;
  return Object.freeze({
    type: 'retry',
    delayMs: durationMs(delay, 'retry.delay'),
    maxAttempts: wholeNumber(maxAttempts, 'retry.maxAttempts', 1),
  });
}

/**
 * Ends a handler with another way to the result: a logic that is given what the subject was given, or the name of a path.
 * @throws InvalidArgumentError for anything else
 */
export function fallback<To extends AnyActorLogic | string>(to: To): FallbackAction<To> {
  if (typeof to === 'string') requireName(to, 'fallback(path)');
  else requireLogic(to, 'fallback(logic)');
  return Object.freeze({ type: 'fallback', to });
}

/**
 * Ends a handler with the flow going on at a step: that one and all that depends on it are done again.
 * @throws InvalidArgumentError unless it is a name
 */
export function resumeFrom(step: string): ResumeFromAction {
  return Object.freeze({ type: 'resumeFrom', step: requireName(step, 'resumeFrom(step)') });
}

/**
 * Ends a handler with a question: the flow waits until a person has chosen one of the answers, and does what it stands for.
 *
 * @example
 * intervene('The address is unknown. What now?', { again: retry(), without: skip(null), stop: abort() });
 * @throws InvalidArgumentError without choices, or where one asks again
 */
export function intervene<Chosen extends RecoveryAction>(
  message: string,
  choices: Readonly<Record<string, Chosen>>,
): InterveneAction<Chosen> {
  requireName(message, 'intervene(message)');
  const isRecord = typeof choices === 'object' && choices !== null && !Array.isArray(choices);
  if (!isRecord || Object.keys(choices).length === 0) {
    throw InvalidArgumentError.of(
      'intervene(message, choices)',
      'at least one action by the name of its answer',
      choices,
    );
  }
  for (const [name, action] of Object.entries(choices)) {
    requireName(name, 'intervene(message, choices)');
    const path = `intervene(message, choices).${name}`;
    if (requireAction(action, path).type !== 'intervene') continue;
    throw new InvalidArgumentError(`${path}: expected an action that follows an answer; this one asks again.`);
  }
  return Object.freeze({ type: 'intervene', message, choices: Object.freeze({ ...choices }) });
}

/**
 * Ends a handler with the end of the flow: cleanup runs in order, steps that are done are undone, the original error is kept.
 * @throws InvalidArgumentError for a cleanup that is no logic
 */
export function abort(
  options: { readonly cleanup?: AnyActorLogic | readonly AnyActorLogic[] } = {},
): AbortAction<AnyActorLogic> {
  requireKnown(options, ['cleanup'], 'abort');
  const cleanup = [options.cleanup ?? []].flat() as readonly AnyActorLogic[];
  cleanup.forEach((logic, index) => requireLogic(logic, `abort.cleanup[${index}]`));
  return Object.freeze({ type: 'abort', cleanup: Object.freeze([...cleanup]) });
}

/** Ends a handler with a value for what the subject did not give; undefined when omitted. */
export function skip(): SkipAction<undefined>;
export function skip<const Value>(value: Value): SkipAction<Value>;
export function skip(value?: unknown): SkipAction<unknown> {
  return Object.freeze({ type: 'skip', value });
}

/** Ends a handler without a recovery: the error goes on to the next scope out. What a handler without `then` does. */
export function escalate(): EscalateAction {
  return Object.freeze({ type: 'escalate' });
}

/**
 * The action, checked again: it may have been written by hand.
 * @throws InvalidArgumentError naming the path
 */
export function requireAction(action: unknown, path: string): RecoveryAction {
  const found = action as RecoveryAction;
  switch (typeof action === 'object' && action !== null ? found.type : undefined) {
    case 'retry': {
      const { delayMs, maxAttempts } = found as RetryAction;
      return retry({ delay: delayMs, maxAttempts });
    }
    case 'fallback':
      return fallback((found as FallbackAction<string>).to);
    case 'resumeFrom':
      return resumeFrom((found as ResumeFromAction).step);
    case 'intervene': {
      const { message, choices } = found as InterveneAction<RecoveryAction>;
      return intervene(message, choices);
    }
    case 'abort':
      return abort({ cleanup: (found as AbortAction<AnyActorLogic>).cleanup });
    case 'skip':
    case 'escalate':
      return found;
    default:
      throw InvalidArgumentError.of(
        path,
        'a recovery action: retry(), fallback(…), resumeFrom(…), intervene(…), abort(), skip() or escalate()',
        action,
      );
  }
}

/** An action as data, and the logics that were in it, by the names it has for them (AC1). */
export interface NamedAction {
  readonly data: RecoveryActionData;
  readonly logics: Readonly<Record<string, AnyActorLogic>>;
}

/** Gives the logics of an action names that begin with this text. */
export function named(action: RecoveryAction, prefix: string): NamedAction {
  const logics: Record<string, AnyActorLogic> = {};
  const put = (name: string, logic: AnyActorLogic): LogicName => {
    logics[name] = logic;
    return { logic: name };
  };
  return { data: dataOf(action, prefix, put) as RecoveryActionData, logics };
}

/**
 * An action without logics as data.
 * @throws InvalidArgumentError for one that has a logic in it (AC2)
 */
export function unnamed(action: RecoveryAction, path: string): RecoveryActionData {
  return dataOf(action, path, () => {
    throw new InvalidArgumentError(
      `${path}: a function may only return actions without a logic in them. Name a path in the place of the logic, as in ` +
        "fallback('path'), or give the action itself to 'then'.",
    );
  }) as RecoveryActionData;
}

/** The same data, with each name of a logic changed. */
export function renamed(data: RecoveryActionData, rename: (logic: string) => string): RecoveryActionData {
  return dataOf(data, '', (_, { logic }) => ({ logic: rename(logic) })) as RecoveryActionData;
}

/** Walks an action: what stands for a logic in it is replaced. */
function dataOf<Logic extends object>(
  action: ActionOf<Logic, unknown>,
  prefix: string,
  put: (name: string, logic: Logic) => LogicName,
): ActionOf<LogicName, unknown> {
  switch (action.type) {
    case 'fallback':
      return typeof action.to === 'string'
        ? { type: 'fallback', to: action.to }
        : { type: 'fallback', to: put(`${prefix}: fallback`, action.to) };
    case 'abort':
      return {
        type: 'abort',
        cleanup: action.cleanup.map((logic, index) => put(`${prefix}: cleanup ${index + 1}`, logic)),
      };
    case 'intervene': {
      const choices = Object.entries(action.choices as Readonly<Record<string, ActionOf<Logic, unknown>>>);
      const data = choices.map(([name, chosen]) => [name, dataOf(chosen, `${prefix}: ${name}`, put)] as const);
      return { type: 'intervene', message: action.message, choices: Object.fromEntries(data) };
    }
    default:
      return { ...action };
  }
}
