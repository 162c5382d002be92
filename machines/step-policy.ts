/**
 * The options of a step, checked when it is defined and turned into what its chart asks for. Owns the table of options
 * and their defaults; what each does is in the file of its machine.
 *
 * SP1  A wrong option is an InvalidArgumentError that names its path; nothing is found out only when the step runs.
 */
import { InvalidArgumentError, type Duration } from 'rewake';
import { BreakerGate, type BreakerUse } from './breaker-gate.ts';
import type { ErrorRule } from './classify.ts';
import { requireRules } from './error-rules.ts';
import { durationMs, numberWhere, requireFunction, requireKnown, requireName } from './options.ts';
import { retryPolicy, type RetryOptions, type RetryPolicy } from './retry-policy.ts';
import type { StepFact } from './step-facts.ts';

/** How long one attempt may take: the same each time, or growing by `factor` up to `max`. */
export type TimeoutOption =
  | Duration
  | {
      readonly each: Duration;
      /** 2 when omitted: 30 s, 60 s, 120 s. */
      readonly factor?: number;
      /** Four times `each` when omitted. */
      readonly max?: Duration;
    };

/** The options of {@link step}; every one may be left out. */
export interface PolicyOptions {
  /** Per attempt. No bound when omitted. */
  readonly timeout?: TimeoutOption;
  /** For the whole step, waits included. No bound when omitted. */
  readonly deadline?: Duration;
  /** How often and when it is tried again. A number is `maxRetries`. No retries with `false`. */
  readonly retry?: RetryOptions | number | false;
  /** The circuit breaker of the dependency: its key, or key and options. */
  readonly breaker?: string | BreakerUse;
  /** What errors mean, before the built-in taxonomy is asked. */
  readonly classify?: readonly ErrorRule[];
  /**
   * Whether a result is as good as a failure: it is then tried again, and returned when no attempt is left, unless
   * `retry.failOnRefusedResult`.
   */
  readonly retryResult?: (result: unknown) => boolean;
  /**
   * Hears each fact of the step once it is on disk, for metrics and messages to people; not again when it is folded. What it
   * throws is a warning on the console and changes nothing.
   */
  readonly onFact?: (fact: StepFact) => unknown;
}

/** What the chart of a step asks for. */
export interface Policy {
  readonly name: string;
  readonly timeout: { readonly eachMs: number; readonly factor: number; readonly maxMs: number } | undefined;
  readonly deadlineMs: number | undefined;
  readonly retry: RetryPolicy | undefined;
  readonly breaker: BreakerGate | undefined;
  readonly rules: readonly ErrorRule[];
  readonly retryResult: ((result: unknown) => boolean) | undefined;
  readonly onFact: ((fact: StepFact) => unknown) | undefined;
}

/** The options of a step. */
export const policyNames = ['timeout', 'deadline', 'retry', 'breaker', 'classify', 'retryResult', 'onFact'] as const;

/**
 * Checks the options of a step.
 * @throws InvalidArgumentError naming the path of what is wrong, for example `step('charge').retry.maxRetries`
 */
export function policyOf(name: string, options: PolicyOptions, path = `step('${name}')`): Policy {
  requireName(name, 'step(name)');
  requireKnown(options, policyNames, path);
  const { timeout, deadline, retry, breaker, classify = [], retryResult, onFact } = options;
  requireRules(classify, `${path}.classify`);
  requireFunction(retryResult, `${path}.retryResult`);
  requireFunction(onFact, `${path}.onFact`);
  const retries = retry === false || retry === undefined ? undefined : retryOf(retry, `${path}.retry`);
  if (retries?.failOnRefusedResult && !retryResult) {
    throw InvalidArgumentError.of(
      `${path}.retryResult`,
      'a function, because retry.failOnRefusedResult is true',
      retryResult,
    );
  }
  const gate = breaker === undefined ? undefined : new BreakerGate(breaker, `${path}.breaker`);
  if (gate?.waitMs !== undefined && !retries) {
    throw InvalidArgumentError.of(`${path}.retry`, 'retries, because breaker.wait waits between them', retry);
  }
  return Object.freeze({
    name,
    timeout: timeout === undefined ? undefined : timeoutOf(timeout, `${path}.timeout`),
    deadlineMs: deadline === undefined ? undefined : durationMs(deadline, `${path}.deadline`, 1),
    retry: retries,
    breaker: gate,
    rules: classify,
    retryResult,
    onFact,
  });
}

/** How long the n-th attempt may take, in ms, n from 1. */
export function timeoutMsOf({ eachMs, factor, maxMs }: NonNullable<Policy['timeout']>, attempt: number): number {
  return Math.min(eachMs * factor ** (attempt - 1), maxMs);
}

function retryOf(retry: RetryOptions | number, path: string): RetryPolicy {
  return retryPolicy(typeof retry === 'number' ? { maxRetries: retry } : retry, path);
}

function timeoutOf(timeout: TimeoutOption, path: string): NonNullable<Policy['timeout']> {
  if (typeof timeout !== 'object' || timeout === null) {
    const eachMs = durationMs(timeout, path, 1);
    return { eachMs, factor: 1, maxMs: eachMs };
  }
  requireKnown(timeout, ['each', 'factor', 'max'], path);
  const { each, factor = 2, max } = timeout;
  const eachMs = durationMs(each, `${path}.each`, 1);
  numberWhere(factor, `${path}.factor`, 'a number of at least 1', (value) => value >= 1);
  const maxMs = max === undefined ? 4 * eachMs : durationMs(max, `${path}.max`, eachMs);
  return { eachMs, factor, maxMs };
}
