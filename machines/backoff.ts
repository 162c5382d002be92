/**
 * How long to wait before a retry: the formulas. Owns strategies and jitter; whether there is a retry at all is
 * retry-policy.ts's decision.
 *
 * BO1  A delay is a pure function of the retry's number, of one number r in [0, 1) and of the previous delay.
 * BO2  The cap lies inside the jitter where the jitter makes delays shorter, so that it survives the cap: at the cap full
 *      jitter still spreads over the whole of it.
 * BO3  No number of retries gives NaN, Infinity or more than the cap.
 * BO4  Decorrelated jitter goes on from a delay between base and cap, also where the wait before was a server's and was
 *      shorter or longer than that.
 */
import { InvalidArgumentError, type Duration } from 'rewake';
import { durationMs, numberWhere, requireKnown } from './options.ts';

/** How the delay grows from retry to retry, before jitter and cap. */
export type BackoffStrategy =
  | 'exponential'
  | 'linear'
  | 'fixed'
  | 'fibonacci'
  /** The delay of the n-th retry, n from 1. */
  | { readonly custom: (retry: number) => Duration }
  /** The delays in order; the last one again after that. */
  | { readonly sequence: readonly Duration[] };

/** How chance changes a delay v, so that callers who failed together do not come back together. */
export type Jitter =
  | 'none'
  /** r · v: AWS, "Exponential Backoff And Jitter", 2015. */
  | 'full'
  /** v/2 + r · v/2: the same source. */
  | 'equal'
  /** min(cap, base + r · (3 · previous − base)), whatever the strategy: aws-arch-backoff-simulator. */
  | 'decorrelated'
  /** v · (1 + j · (2r − 1)): Polly. */
  | { readonly proportional: number }
  /** v · (1 + j · r): laminar. */
  | { readonly additive: number };

/** How long to wait before a retry. */
export interface BackoffOptions {
  /** `exponential` when omitted. */
  readonly strategy?: BackoffStrategy;
  /** 1 s when omitted. */
  readonly initialDelay?: Duration;
  /** Growth of the exponential strategy; 2 when omitted. */
  readonly factor?: number;
  /** 60 s when omitted. */
  readonly maxDelay?: Duration;
  /** `full` when omitted. */
  readonly jitter?: Jitter;
}

/** What a delay is computed from. */
export interface BackoffFacts {
  /** Number of the retry, from 1. */
  readonly retry: number;
  /** In [0, 1). */
  readonly r: number;
  /** The delay before, in ms, where there was one. */
  readonly previousMs?: number;
}

/** A checked backoff; made by {@link backoff}. */
export interface Backoff {
  readonly jitter: Jitter;
  /** In ms. */
  delayMs(facts: BackoffFacts): number;
}

const optionNames = ['strategy', 'initialDelay', 'factor', 'maxDelay', 'jitter'];

/**
 * Checks the options of a backoff.
 * @throws InvalidArgumentError naming the path of what is wrong, for example `retry.backoff.factor`
 */
export function backoff(options: BackoffOptions = {}, path = 'backoff'): Backoff {
  requireKnown(options, optionNames, path);
  const { strategy = 'exponential', initialDelay = '1s', factor = 2, maxDelay = '60s', jitter = 'full' } = options;
  const baseMs = durationMs(initialDelay, `${path}.initialDelay`);
  const capMs = durationMs(maxDelay, `${path}.maxDelay`, baseMs);
  numberWhere(factor, `${path}.factor`, 'a number of at least 1', (value) => value >= 1);
  checkJitter(jitter, `${path}.jitter`);
  const valueMs = valuesOf(strategy, baseMs, factor, `${path}.strategy`);
  return Object.freeze({
    jitter,
    delayMs: ({ retry, r, previousMs = baseMs }: BackoffFacts) =>
      jitter === 'decorrelated'
        ? Math.min(capMs, baseMs + r * (3 * Math.min(Math.max(previousMs, baseMs), capMs) - baseMs))
        : Math.min(capMs, jittered(Math.min(capMs, valueMs(retry)), jitter, r)),
  });
}

function jittered(valueMs: number, jitter: Exclude<Jitter, 'decorrelated'>, r: number): number {
  if (jitter === 'none') return valueMs;
  if (jitter === 'full') return r * valueMs;
  if (jitter === 'equal') return valueMs / 2 + (r * valueMs) / 2;
  return 'proportional' in jitter
    ? valueMs * (1 + jitter.proportional * (2 * r - 1))
    : valueMs * (1 + jitter.additive * r);
}

/** The delay of the n-th retry before cap and jitter, in ms; may be infinite. */
function valuesOf(strategy: BackoffStrategy, baseMs: number, factor: number, path: string): (retry: number) => number {
  // Bounded, because 0 · Infinity is NaN.
  if (strategy === 'exponential') return (retry) => baseMs * Math.min(factor ** (retry - 1), Number.MAX_VALUE);
  if (strategy === 'linear') return (retry) => baseMs * retry;
  if (strategy === 'fixed') return () => baseMs;
  if (strategy === 'fibonacci') return (retry) => baseMs * fibonacci(retry);
  if (typeof strategy === 'object' && strategy !== null && Object.keys(strategy).length === 1) {
    if ('custom' in strategy && typeof strategy.custom === 'function') {
      return (retry) => durationMs(strategy.custom(retry), `${path}.custom(${retry})`);
    }
    if ('sequence' in strategy && Array.isArray(strategy.sequence) && strategy.sequence.length > 0) {
      const delays = (strategy.sequence as Duration[]).map((each, index) =>
        durationMs(each, `${path}.sequence[${index}]`),
      );
      return (retry) => delays[Math.min(retry, delays.length) - 1]!;
    }
  }
  throw InvalidArgumentError.of(
    path,
    "'exponential', 'linear', 'fixed', 'fibonacci', { custom } or { sequence }",
    strategy,
  );
}

/** 1, 1, 2, 3, 5, … */
function fibonacci(n: number): number {
  let [a, b] = [0, 1];
  for (let i = 0; i < n && Number.isFinite(b); i++) [a, b] = [b, a + b];
  return a;
}

function checkJitter(jitter: Jitter, path: string): void {
  if (['none', 'full', 'equal', 'decorrelated'].includes(jitter as string)) return;
  if (typeof jitter === 'object' && jitter !== null) {
    const [share, ...rest] = Object.entries(jitter) as [string, unknown][];
    const isShare = share?.[0] === 'proportional' || share?.[0] === 'additive';
    const value = share?.[1];
    if (isShare && rest.length === 0 && typeof value === 'number' && value >= 0 && value <= 1) return;
  }
  const expected = "'none', 'full', 'equal', 'decorrelated', { proportional } or { additive } with a share from 0 to 1";
  throw InvalidArgumentError.of(path, expected, jitter);
}
