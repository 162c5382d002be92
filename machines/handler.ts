/**
 * `handler`: what is done about an error, as a definition. Owns how it is checked and which errors it is for; the chart that
 * runs it is handling-chart.ts.
 *
 * HN1  Handlers are asked in order, and the first one that is for an error handles it.
 * HN2  A handler is for an error also by what that error stands for: the `originalError` of an error of rewake.
 */
import { InvalidArgumentError, RewakeError } from 'rewake';
import { classify, isErrorClass, matches, nameOf, read, type ErrorRule } from './classify.ts';
import {
  checkHandler,
  logicsToRun,
  type Handler,
  type HandlerMatch,
  type HandlerOptions,
  type HandlerPlace,
} from './handler-options.ts';
import { durationMs } from './options.ts';
import { escalate, named, type EscalateAction, type RecoveryAction } from './recovery-actions.ts';
import { stepAround } from './step.ts';
import { policyOf } from './step-policy.ts';

export type { Handler } from './handler-options.ts';

/**
 * Says what is done about an error: for which, what runs, and how it ends.
 *
 * @example
 * const reconnecting = handler({ id: 'reconnect', when: 'transient', run: reconnect, retry: 2, then: retry({ delay: '5s' }) });
 * const charge = withHandlers([reconnecting, handler({ id: 'later', then: skip('unpaid') })])(pay);
 * @throws InvalidArgumentError for options that cannot work, naming their path
 */
export function handler<const Action extends RecoveryAction = EscalateAction>(
  options: HandlerOptions<Action>,
): Handler<Action> {
  checkHandler(options);
  const { id, when, run, retry, timeout, then = escalate() as Action, handlers = [] } = options;
  const path = `handler('${id}')`;
  requireHandlers(handlers, `${path}.handlers`);
  const logics = logicsToRun(run);
  const runs = logics.map((logic, index) => {
    if (retry === undefined) return logic;
    return stepAround(logic, policyOf(logics.length === 1 ? id : `${id} ${index + 1}`, { retry }, path));
  });
  const { data, logics: actionLogics } = typeof then === 'function' ? { data: undefined, logics: {} } : named(then, id);
  return Object.freeze({
    ...{
      id,
      when: when === undefined ? undefined : ([when].flat() as HandlerMatch[]),
      runs,
      retries: retry !== undefined,
    },
    timeoutMs: timeout === undefined ? undefined : durationMs(timeout, `${path}.timeout`, 1),
    ...{ then, action: data, logics: actionLogics, handlers },
  });
}

/** @throws InvalidArgumentError unless it is a list of handlers, each with an id of its own */
export function requireHandlers(handlers: readonly Handler[], path: string): void {
  if (!Array.isArray(handlers)) throw InvalidArgumentError.of(path, 'a list of handlers', handlers);
  const seen = new Set<string>();
  for (const [index, each] of (handlers as readonly (Partial<Handler> | null)[]).entries()) {
    if (!Array.isArray(each?.runs))
      throw InvalidArgumentError.of(`${path}[${index}]`, 'a handler, made by handler({ … })', each);
    if (seen.has(each.id!)) throw InvalidArgumentError.of(`${path}[${index}].id`, 'an id of its own', each.id);
    seen.add(each.id!);
  }
}

/** Which handler an error goes to, if to any; `problem` where the predicate of that one threw. */
export interface HandlerChoice {
  readonly handler: string | null;
  readonly problem?: { readonly error: unknown };
}

/** The first handler that is for the error (HN1). Where its predicate throws nobody can say, and no other is asked. */
export function chooseHandler(
  handlers: readonly Handler[],
  error: unknown,
  place: HandlerPlace,
  rules: readonly ErrorRule[],
): HandlerChoice {
  for (const { id, when } of handlers) {
    try {
      if (when === undefined || when.some((match) => isFor(error, match, place, rules))) return { handler: id };
    } catch (thrown) {
      return { handler: id, problem: { error: thrown } };
    }
  }
  return { handler: null };
}

function isFor(error: unknown, match: HandlerMatch, place: HandlerPlace, rules: readonly ErrorRule[]): boolean {
  return standsFor(error).some((each) => {
    if (typeof match === 'string') return isCalled(each, match, rules);
    if (isErrorClass(match)) return matches(each, match);
    return Boolean((match as (error: unknown, place: HandlerPlace) => unknown)(each, place));
  });
}

function isCalled(error: unknown, text: string, rules: readonly ErrorRule[]): boolean {
  const verdict = classify(error, rules);
  return verdict.class === text || verdict.code === text || nameOf(error) === text;
}

/** How many errors deep it is looked for what an error stands for. */
const depthMax = 10;

/** An error and what it stands for, one after the other (HN2). */
function standsFor(error: unknown): readonly unknown[] {
  const errors = [error];
  while (errors.length < depthMax) {
    const original = errors.at(-1) instanceof RewakeError ? read(errors.at(-1), 'originalError') : undefined;
    if (original === undefined || errors.includes(original)) break;
    errors.push(original);
  }
  return errors;
}
