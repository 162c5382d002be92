/**
 * The options of a step, checked when it is defined and turned into what its chart asks for. Owns the table of options
 * and their defaults; what each does is in the file of its machine.
 *
 * SP1  A wrong option is an InvalidArgumentError that names its path; nothing is found out only when the step runs.
 */
import { InvalidArgumentError, toMs, type Duration } from 'rewake';
import { BreakerGate, type BreakerUse } from './breaker-gate.ts';
import type { ErrorRule } from './classify.ts';
import { retryPolicy, type RetryOptions, type RetryPolicy } from './retry-policy.ts';

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
  /** Whether a result is as good as a failure: it is then tried again, and returned when no attempt is left. */
  readonly retryResult?: (result: unknown) => boolean;
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
}

const optionNames = ['timeout', 'deadline', 'retry', 'breaker', 'classify', 'retryResult'];

/**
 * Checks the options of a step.
 * @throws InvalidArgumentError naming the path of what is wrong, for example `step('charge').retry.maxRetries`
 */
export function policyOf(name: string, options: PolicyOptions, path = `step('${name}')`): Policy {
  if (typeof name !== 'string' || name === '') {
    throw new InvalidArgumentError(`step: expected a name as the first argument, found ${JSON.stringify(name)}.`);
  }
  requireKnown(options, optionNames, path);
  const { timeout, deadline, retry, breaker, classify = [], retryResult } = options;
  return Object.freeze({
    name,
    timeout: timeout === undefined ? undefined : timeoutOf(timeout, `${path}.timeout`),
    deadlineMs: deadline === undefined ? undefined : duration(deadline, `${path}.deadline`),
    retry: retry === false || retry === undefined ? undefined : retryOf(retry, `${path}.retry`),
    breaker: breaker === undefined ? undefined : new BreakerGate(breaker, `${path}.breaker`),
    rules: classify,
    retryResult,
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
    const eachMs = duration(timeout, path);
    return { eachMs, factor: 1, maxMs: eachMs };
  }
  requireKnown(timeout, ['each', 'factor', 'max'], path);
  const { each, factor = 2, max } = timeout;
  const eachMs = duration(each, `${path}.each`);
  if (!(Number.isFinite(factor) && factor >= 1)) {
    throw new InvalidArgumentError(`${path}.factor: expected a number of at least 1, found ${String(factor)}.`);
  }
  const maxMs = max === undefined ? 4 * eachMs : duration(max, `${path}.max`);
  if (maxMs < eachMs) {
    throw new InvalidArgumentError(`${path}.max: expected at least 'each' (${eachMs} ms), found ${maxMs} ms.`);
  }
  return { eachMs, factor, maxMs };
}

function duration(value: Duration, path: string): number {
  let ms: number;
  try {
    ms = toMs(value);
  } catch (cause) {
    throw new InvalidArgumentError(`${path}: expected a duration such as '30s', found ${JSON.stringify(value)}.`, {
      cause,
    });
  }
  if (ms > 0 && Number.isFinite(ms)) return ms;
  throw new InvalidArgumentError(`${path}: expected a duration above 0, found ${String(value)}.`);
}

function requireKnown(options: object, names: readonly string[], path: string): void {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidArgumentError(`${path}: expected an object of options, found ${JSON.stringify(options)}.`);
  }
  for (const key of Object.keys(options)) {
    if (names.includes(key)) continue;
    throw new InvalidArgumentError(`${path}.${key}: there is no such option; expected one of ${names.join(', ')}.`);
  }
}
