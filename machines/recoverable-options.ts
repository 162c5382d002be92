/**
 * The options of a recoverable function, checked when it is made recoverable and turned into those of a step. Owns their
 * names and defaults, which are ComfyUI Launcher's; what they do is the step's business.
 */
import { InvalidArgumentError, Runtime, type AnyRuntime, type Duration, type EventLog } from 'rewake';
import { backoff, type BackoffOptions } from './backoff.ts';
import type { ErrorRule } from './classify.ts';
import { durationMs, numberWhere, requireFunction, requireKnown, requireName, wholeNumber } from './options.ts';
import { policyOf, type PolicyOptions, type TimeoutOption } from './step-policy.ts';

/** What happens when a function fails; every option may be left out. `KeyArgs` are the arguments that `key` looks at. */
export type RecoverableOptions<KeyArgs extends unknown[] = []> = CallOptions<KeyArgs> & LogOptions<KeyArgs>;

interface CallOptions<KeyArgs extends unknown[]> {
  /** Calls after the first; 3 when omitted. */
  readonly maxRetries?: number;
  /** The wait before the first retry; 1 s when omitted. */
  readonly initialDelay?: Duration;
  /** By how much each wait is longer than the one before; 2 when omitted. */
  readonly backoffFactor?: number;
  /** The longest wait; 60 s when omitted. */
  readonly maxDelay?: Duration;
  /** How long one attempt may take; no bound when omitted. */
  readonly timeout?: TimeoutOption;
  /** How long to wait, instead of the three options above: a backoff, or the wait before the n-th retry, n from 1. */
  readonly strategy?: BackoffOptions | { readonly custom: (retry: number) => Duration };
  /** Failures in a row that open the circuit breaker of the function; 5 when omitted, no breaker with `false`. */
  readonly circuitBreakerThreshold?: number | false;
  /** How long it stays open before a call may try again; 300 s when omitted. */
  readonly circuitBreakerTimeout?: Duration;
  /** What errors mean, before the built-in taxonomy is asked. */
  readonly classify?: readonly ErrorRule[];
  /**
   * Names the function in errors, facts and the log, and its breaker, which functions of one name share; the function's
   * own name when omitted, and then it has a breaker to itself.
   */
  readonly name?: string;
  /** Cancels the calls it is given for: all of them, or each by its arguments. */
  readonly signal?: AbortSignal | ((...args: KeyArgs) => AbortSignal | undefined);
}

interface PersistenceOptions<KeyArgs extends unknown[]> {
  /**
   * Where its calls survive the process: an event log, which is then run by a runtime of its own that all functions on
   * it share; or a runtime. In this process only, when omitted.
   */
  readonly persistence?: EventLog | AnyRuntime | undefined;
  /** Which call it is, from its arguments: needed with `persistence`, where one key is one call for ever. */
  readonly key: (...args: KeyArgs) => string;
}

/** A log needs a key. */
type LogOptions<KeyArgs extends unknown[]> =
  PersistenceOptions<KeyArgs> | { readonly persistence?: undefined; readonly key?: undefined };

/** Checked options. */
export interface RecoverableSettings {
  readonly name: string | undefined;
  readonly persistence: EventLog | Runtime | undefined;
  /** Set where `persistence` is. */
  readonly key: ((...args: unknown[]) => unknown) | undefined;
  signalOf(args: unknown[]): AbortSignal | undefined;
  /** The options of the step, with a breaker of this key. */
  policy(breakerKey: string): PolicyOptions;
  /** How messages call an option. */
  at(option: string): string;
}

const optionNames = [
  ...(['maxRetries', 'initialDelay', 'backoffFactor', 'maxDelay', 'timeout', 'persistence', 'strategy'] as const),
  ...(['circuitBreakerThreshold', 'circuitBreakerTimeout', 'classify', 'name', 'key', 'signal'] as const),
] satisfies (keyof RecoverableOptions)[];

/** @throws InvalidArgumentError naming the path of what is wrong, for example `recoverable('download').maxRetries` */
export function settleRecoverable(options: RecoverableOptions<never>): RecoverableSettings {
  requireKnown(options, optionNames, 'recoverable(options)');
  const { name, persistence, key, signal, timeout, classify, maxRetries = 3 } = options;
  const { circuitBreakerThreshold: threshold = 5, circuitBreakerTimeout = '300s' } = options;
  if (name !== undefined) requireName(name, 'recoverable(options).name');
  const path = name === undefined ? 'recoverable(options)' : `recoverable('${name}')`;
  const at = (option: string) => `${path}.${option}`;
  wholeNumber(maxRetries, at('maxRetries'), 0);
  if (threshold !== false) wholeNumber(threshold, at('circuitBreakerThreshold'), 1);
  durationMs(circuitBreakerTimeout, at('circuitBreakerTimeout'), 1);
  requireFunction(key, at('key'));
  requireSignal(signal, at('signal'));
  const common: PolicyOptions = {
    retry: { maxRetries, backoff: backoffOf(options, at) },
    ...(timeout !== undefined && { timeout }),
    ...(classify !== undefined && { classify }),
  };
  policyOf('recoverable', common, path);
  return {
    name,
    persistence: persistence === undefined ? undefined : persistenceOf(persistence, key, at),
    key: key as ((...args: unknown[]) => unknown) | undefined,
    signalOf: (args) => {
      if (typeof signal !== 'function') return signal;
      const found: unknown = signal(...(args as never)) ?? undefined;
      if (found === undefined || found instanceof AbortSignal) return found;
      throw InvalidArgumentError.of(`${at('signal')}(…)`, 'an AbortSignal, or undefined', found);
    },
    policy: (breakerKey) =>
      threshold === false
        ? common
        : {
            ...common,
            breaker: { key: breakerKey, consecutive: threshold, openFor: circuitBreakerTimeout, growth: 1 },
          },
    at,
  };
}

type Named = (option: string) => string;

function backoffOf(options: RecoverableOptions<never>, at: Named): BackoffOptions {
  const { strategy, initialDelay = '1s', backoffFactor: factor = 2, maxDelay = '60s' } = options;
  if (strategy === undefined) {
    const initialMs = durationMs(initialDelay, at('initialDelay'));
    numberWhere(factor, at('backoffFactor'), 'a number of at least 1', (value) => value >= 1);
    durationMs(maxDelay, at('maxDelay'), initialMs);
    return { initialDelay, factor, maxDelay, jitter: 'none' };
  }
  const replaced = (['initialDelay', 'backoffFactor', 'maxDelay'] as const).find((each) => options[each] !== undefined);
  if (replaced !== undefined) {
    throw new InvalidArgumentError(
      `${at(replaced)}: expected either this or 'strategy', which replaces it, found both.`,
    );
  }
  const isCustom = typeof strategy === 'object' && strategy !== null && 'custom' in strategy;
  const shape: BackoffOptions = isCustom ? { strategy, jitter: 'none' } : strategy;
  backoff(shape, at('strategy'));
  return shape;
}

function persistenceOf(persistence: EventLog | AnyRuntime, key: unknown, at: Named): EventLog | Runtime {
  const isLog = typeof persistence === 'object' && persistence !== null && 'append' in persistence;
  if (!isLog && !(persistence instanceof Runtime)) {
    throw InvalidArgumentError.of(at('persistence'), 'an event log, such as sqliteLog(), or a runtime', persistence);
  }
  if (key === undefined) {
    throw InvalidArgumentError.of(at('key'), 'a function of the arguments, because persistence is given', key);
  }
  return persistence;
}

function requireSignal(signal: unknown, path: string): void {
  if (signal === undefined || typeof signal === 'function' || signal instanceof AbortSignal) return;
  throw InvalidArgumentError.of(path, 'an AbortSignal, or a function of the arguments that gives one', signal);
}
