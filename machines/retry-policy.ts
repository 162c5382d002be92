/**
 * Whether a failed call is made again, and when. Owns the rules and their order; what an error means is classify.ts's,
 * how long a wait is backoff.ts's.
 *
 * RP1  `maxAttempts` counts all calls, `maxRetries` the ones after the first; giving both is an error.
 * RP2  A server is not called before the time it asked for; too long a time is an end, or a wait that is parked.
 * RP3  Where the next call would come at or after the deadline there is no wait for it.
 * RP4  A call that an open breaker did not let through consumes no attempt.
 * RP5  A retry budget pays for what the dependency did: an attempt that was lost with its host, or that a policy of this
 *      side kept from being sent, is made again without asking it.
 */
import { InvalidArgumentError, type Duration, type TimeMs } from 'rewake';
import type { ErrorVerdict } from './classify.ts';
import { backoff, type Backoff, type BackoffOptions } from './backoff.ts';
import { durationMs, requireBoolean, requireFunction, requireKnown, wholeNumber } from './options.ts';
import { RetryBudgetGate, type RetryBudgetUse } from './retry-budget-gate.ts';

/** How often and when a call is made again. */
export interface RetryOptions {
  /** Calls after the first; 3 when neither is given. */
  readonly maxRetries?: number;
  /** Calls in all. */
  readonly maxAttempts?: number;
  readonly backoff?: BackoffOptions;
  /** Longest wait a server may ask for; 60 s when omitted. */
  readonly retryAfterMax?: Duration;
  /** Wait as long as a server asks, however long, as far as the deadline allows. */
  readonly park?: boolean;
  /** Whether a call that may have had an effect is made again; `true` when omitted: give it an idempotency key. */
  readonly idempotent?: boolean;
  /** Asked about each failure before the taxonomy's answer counts: only what it returns true for is retried. */
  readonly retryIf?: (error: unknown, attempt: number) => boolean;
  /** What all retries of a dependency share, asked before each of them: its key, or key and options. None when omitted. */
  readonly budget?: string | RetryBudgetUse;
  /** Fail when `retryResult` refused the last result too, instead of returning that; `false` when omitted. */
  readonly failOnRefusedResult?: boolean;
}

/** A checked policy; made by {@link retryPolicy}. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly backoff: Backoff;
  readonly retryAfterMaxMs: number;
  readonly park: boolean;
  readonly idempotent: boolean;
  readonly retryIf: ((error: unknown, attempt: number) => boolean) | undefined;
  readonly budget: RetryBudgetGate | undefined;
  readonly failOnRefusedResult: boolean;
}

/** What of a verdict counts here. */
export type RetryVerdict = Pick<ErrorVerdict, 'class' | 'retryable' | 'minDelayMs'>;

/** What a server said about the next call: see retry-after.ts. */
export type RetryHint = { readonly delayMs: number } | { readonly pushbackMs: number } | { readonly stop: true };

export interface RetryFacts {
  /** Calls made so far, from 1; 0 where none was let through yet. One that a breaker refused is none (RP4). */
  readonly attempt: number;
  readonly now: TimeMs;
  readonly deadlineAt?: TimeMs;
  /** In [0, 1). */
  readonly r: number;
  readonly previousDelayMs?: number;
  /** Failures of this class in a row, this one included. */
  readonly sameClassInARow: number;
  readonly verdict: RetryVerdict;
  readonly hint?: RetryHint | undefined;
  /** Set when a breaker did not let the call through: how often in a row, and how long it stays open, in ms. */
  readonly rejection?: { readonly inARow: number; readonly openForMs: number };
  /** The attempt after which a server's pushback restarted the backoff; none when omitted or 0. */
  readonly backoffResets?: number;
}

export type GiveUp = 'exhausted' | 'notRetryable' | 'deadline' | 'retryAfterTooLong' | 'stopped' | 'cancelled';

export type RetryDecision =
  | {
      readonly retry: true;
      readonly delayMs: number;
      readonly dueAt: TimeMs;
      readonly r: number;
      /** The wait is a server's and longer than retryAfterMax. */
      readonly parked: boolean;
      /** A server's pushback: the attempt is the next decisions' `backoffResets`. */
      readonly restartsBackoff?: true;
    }
  | { readonly retry: false; readonly reason: GiveUp; readonly retryAfterMs?: number };

/** What is added to a server's hint when there is jitter, so that one hint does not bring all callers back at once. */
const hintSpread = 0.1;

const optionNames: readonly (keyof RetryOptions)[] = [
  ...(['maxRetries', 'maxAttempts', 'backoff', 'retryAfterMax', 'park', 'idempotent', 'retryIf'] as const),
  ...(['budget', 'failOnRefusedResult'] as const),
];

/**
 * Checks the options of retries.
 * @throws InvalidArgumentError naming the path of what is wrong, for example `retry.maxRetries`
 */
export function retryPolicy(options: RetryOptions = {}, path = 'retry'): RetryPolicy {
  requireKnown(options, optionNames, path);
  const {
    retryAfterMax = '60s',
    park = false,
    idempotent = true,
    retryIf,
    budget,
    failOnRefusedResult = false,
  } = options;
  requireFunction(retryIf, `${path}.retryIf`);
  return Object.freeze({
    maxAttempts: attemptsOf(options, path),
    backoff: backoff(options.backoff, `${path}.backoff`),
    retryAfterMaxMs: durationMs(retryAfterMax, `${path}.retryAfterMax`),
    park: requireBoolean(park, `${path}.park`),
    idempotent: requireBoolean(idempotent, `${path}.idempotent`),
    retryIf,
    budget: budget === undefined ? undefined : new RetryBudgetGate(budget, `${path}.budget`),
    failOnRefusedResult: requireBoolean(failOnRefusedResult, `${path}.failOnRefusedResult`),
  });
}

/** RP1. */
function attemptsOf({ maxRetries, maxAttempts }: RetryOptions, path: string): number {
  if (maxRetries !== undefined && maxAttempts !== undefined) {
    throw new InvalidArgumentError(
      `${path}: expected maxRetries (calls after the first) or maxAttempts (calls in all), found both.`,
    );
  }
  if (maxAttempts !== undefined) return wholeNumber(maxAttempts, `${path}.maxAttempts`, 1);
  return wholeNumber(maxRetries ?? 3, `${path}.maxRetries`, 0) + 1;
}

/**
 * Decides about one failure: a pure function. The order is: cancelled, stopped by the server, not retryable, exhausted, too
 * long a hint, deadline. A hint beyond the deadline is too long, also with `park`. Sources: the wait of max(hint, delay) is
 * AWS's StandardRetryStrategy without its upper bound, pushback is gRPC A6's, giving up before the wait is Temporal's.
 */
export function decideRetry(policy: RetryPolicy, facts: RetryFacts): RetryDecision {
  const { attempt, verdict, hint, rejection, deadlineAt, now } = facts;
  if (verdict.class === 'cancelled') return { retry: false, reason: 'cancelled' };
  if (hint && 'stop' in hint) return { retry: false, reason: 'stopped' };
  if (!rejection && !isRetryable(policy, facts)) return { retry: false, reason: 'notRetryable' };
  if (!rejection && attempt >= policy.maxAttempts) return { retry: false, reason: 'exhausted' };
  const delay = delayOf(policy, facts);
  const isTooLong = delay.hintMs > policy.retryAfterMaxMs;
  if (isTooLong && !policy.park) return { retry: false, reason: 'retryAfterTooLong', retryAfterMs: delay.hintMs };
  // Rounded up: never before the time that was computed or asked for.
  const delayMs = Math.ceil(delay.ms);
  const dueAt = now + delayMs;
  if (deadlineAt !== undefined && dueAt >= deadlineAt) {
    const isHint = delay.hintMs > 0 && now + delay.hintMs >= deadlineAt;
    return isHint
      ? { retry: false, reason: 'retryAfterTooLong', retryAfterMs: delay.hintMs }
      : { retry: false, reason: 'deadline' };
  }
  const decision = { retry: true, delayMs, dueAt, r: facts.r, parked: isTooLong } as const;
  return delay.restarts ? { ...decision, restartsBackoff: true } : decision;
}

function isRetryable(policy: RetryPolicy, { verdict, sameClassInARow }: RetryFacts): boolean {
  return verdict.retryable === 'once' ? sameClassInARow <= 1 : mayBeRetried(policy, verdict);
}

function mayBeRetried({ idempotent }: RetryPolicy, { retryable }: RetryVerdict): boolean {
  return retryable === 'idempotent' ? idempotent : retryable !== false;
}

/** Whether a failure and the retry after it concern the budget (RP5); that a server wants no retry does (gRPC A6). */
export function concernsBudget(policy: RetryPolicy, verdict: RetryVerdict, hint?: RetryHint): boolean {
  if (verdict.class === 'lost' || verdict.class === 'policy') return false;
  return (hint !== undefined && 'stop' in hint) || mayBeRetried(policy, verdict);
}

/** RP2, RP4. */
function delayOf(policy: RetryPolicy, facts: RetryFacts) {
  const { attempt, hint, verdict, rejection, backoffResets = 0, r, previousDelayMs } = facts;
  if (hint && 'pushbackMs' in hint) return { ms: hint.pushbackMs, hintMs: hint.pushbackMs, restarts: true };
  // Refusals make no attempt, and yet each of them in a row is waited for longer.
  const retry = Math.max(1, attempt - backoffResets + (rejection?.inARow ?? 0));
  const computedMs = policy.backoff.delayMs({
    retry,
    r,
    // The first delay of a backoff, also of one that a pushback restarted, goes on from none.
    ...(previousDelayMs !== undefined && retry > 1 && { previousMs: previousDelayMs }),
  });
  const leastMs = Math.max(computedMs, verdict.minDelayMs ?? 0, rejection?.openForMs ?? 0);
  const hintMs = hint && 'delayMs' in hint ? hint.delayMs : 0;
  const spread = policy.backoff.jitter === 'none' ? 0 : hintSpread * r;
  return { ms: Math.max(leastMs, hintMs * (1 + spread)), hintMs, restarts: false };
}
