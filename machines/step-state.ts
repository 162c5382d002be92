/**
 * What a step remembers, and how it changes: functions that the chart of step-machine.ts calls by name, deterministic in
 * context, event, now() and random(). Owns the context; knows no state of the chart.
 *
 * SS1  What a rule, `retryIf` or `retryResult` of the user throws ends the step, after the facts that are true anyway.
 */
import { EffectLostError, now, random, type TimeMs } from 'rewake';
import type { Permit } from './breaker-permit.ts';
import { classify, type ErrorVerdict } from './classify.ts';
import { signatureOf, type ErrorSignature } from './error-signature.ts';
import {
  CircuitBreakerOpenError,
  RecoveryExhaustedError,
  ResultRefusedError,
  RetryAfterTooLongError,
  TimeoutError,
} from './recovery-errors.ts';
import { orThrown } from './policy-machine.ts';
import { retryAfterOf } from './retry-after.ts';
import type { RetryGrant } from './retry-budget-gate.ts';
import { concernsBudget, decideRetry, type RetryDecision } from './retry-policy.ts';
import { timeoutMsOf, type Policy } from './step-policy.ts';

/** How many errors of a long series of attempts are kept: the newest ones. */
const errorsMax = 20;

/** The newest failure of a step. */
export interface Failure {
  readonly error: unknown;
  readonly verdict: ErrorVerdict;
  readonly signature: ErrorSignature;
  readonly durationMs: number;
  /** The call returned, but what it returned is as good as a failure. */
  readonly refused: boolean;
  /** There was no call: the breaker did not let it through, or could not be asked. */
  readonly rejected: boolean;
}

/** With what a step ends that does not succeed. */
export interface Ending {
  readonly error: unknown;
  /** The last result was refused, and nothing is left to try: it is returned after all. */
  readonly answers: boolean;
  /** Set when attempts or time ran out. */
  readonly exhausted: 'attempts' | 'deadline' | undefined;
}

/** What a step remembers. */
export interface StepContext {
  readonly input: unknown;
  /** Calls that were made, the running one included. */
  readonly attempt: number;
  readonly startedAt: TimeMs;
  readonly attemptAt: TimeMs;
  readonly permit: Permit | null;
  /** What the budget granted for the newest retry; not there without a budget. */
  readonly grant?: RetryGrant;
  /** What an attempt saved last, for the next one: see `checkpoint` of an effect's options. */
  readonly checkpoint: unknown;
  readonly output: unknown;
  /** How long the call took that succeeded. */
  readonly answeredMs: number;
  readonly failure: Failure | undefined;
  /** Whether the newest attempt failed, or the deadline was missed. */
  readonly failed: boolean;
  readonly errors: readonly unknown[];
  readonly retry: Extract<RetryDecision, { retry: true }> | undefined;
  readonly ending: Ending | undefined;
  /** Failures of one class in a row, the newest included. */
  readonly sameClassInARow: number;
  /** The attempt after which a server restarted the backoff. */
  readonly backoffResets: number;
  /** Refusals in a row by the breaker, and when the first was; undefined once a call was made. */
  readonly rejections: { readonly count: number; readonly since: TimeMs } | undefined;
}

/** A step begins. */
export function stepBegun(input: unknown): StepContext {
  const at = now();
  return {
    input,
    attempt: 0,
    startedAt: at,
    attemptAt: at,
    permit: null,
    checkpoint: undefined,
    output: undefined,
    answeredMs: 0,
    failure: undefined,
    failed: false,
    errors: [],
    retry: undefined,
    ending: undefined,
    sameClassInARow: 0,
    backoffResets: 0,
    rejections: undefined,
  };
}

/** An attempt begins. */
export function attemptBegun({ attempt }: StepContext): Partial<StepContext> {
  return { attempt: attempt + 1, attemptAt: now(), failed: false, rejections: undefined };
}

/** An attempt succeeded. */
export function attemptAnswered({ attemptAt }: StepContext, output: unknown): Partial<StepContext> {
  return { output, answeredMs: now() - attemptAt };
}

/** An attempt ended with an error; also one that was lost (SM2). */
export function attemptFailed(context: StepContext, policy: Policy, error: unknown): Partial<StepContext> {
  const { verdict, ...ended } = judged(error, context.attempt, policy);
  const signature = signatureOf(error, verdict);
  const { failure, errors, sameClassInARow, attemptAt } = context;
  return {
    // A host that closed in order says nothing against the call: the attempt does not count.
    attempt: wasInterrupted(error) ? context.attempt - 1 : context.attempt,
    failure: { error, verdict, signature, durationMs: now() - attemptAt, refused: false, rejected: false },
    failed: true,
    errors: [...errors.slice(1 - errorsMax), error],
    sameClassInARow: failure?.verdict.class === verdict.class ? sameClassInARow + 1 : 1,
    ...ended,
  };
}

/**
 * What an error means to this step. Where a rule or `retryIf` of its user throws, the built-in taxonomy says it, and the
 * step ends with what was thrown (SS1).
 * @param attempt undefined where whether it is retried does not matter: then `retryIf` is not asked
 */
export function judged(
  error: unknown,
  attempt: number | undefined,
  policy: Policy,
): { readonly verdict: ErrorVerdict; readonly ending?: Ending } {
  try {
    return { verdict: verdictOn(error, attempt, policy) };
  } catch (thrown) {
    return { verdict: classify(error), ending: endingWith(thrown) };
  }
}

/** What an error means to this step: its `retryIf` has the last word, but for what was cancelled. */
function verdictOn(error: unknown, attempt: number | undefined, { rules, retry }: Policy): ErrorVerdict {
  const verdict = classify(error, rules);
  if (!retry?.retryIf || attempt === undefined || verdict.class === 'cancelled') return verdict;
  return { ...verdict, retryable: retry.retryIf(error, attempt) };
}

/** An attempt returned what the policy takes for a failure, or cannot judge (SS1). */
export function resultRefused(context: StepContext, policy: Policy, output: unknown): Partial<StepContext> {
  const error = new ResultRefusedError(policy.name, context.attempt);
  const problem = orThrown(error, () => policy.retryResult!(output));
  if (problem !== error) return { ending: endingWith(problem) };
  const verdict: ErrorVerdict = { class: 'unknown', retryable: true, breaker: 'ignored' };
  const durationMs = now() - context.attemptAt;
  return {
    output,
    failure: { error, verdict, signature: signatureOf(error, verdict), durationMs, refused: true, rejected: false },
    errors: [...context.errors.slice(1 - errorsMax), error],
  };
}

/** The running attempt took too long. */
export function attemptTimedOut(context: StepContext, policy: Policy): Partial<StepContext> {
  const timeoutMs = timeoutMsOf(policy.timeout!, context.attempt);
  return attemptFailed(context, policy, new TimeoutError(policy.name, 'attempt', timeoutMs));
}

/** There was no call (SM3). */
export function attemptRejected({ rejections }: StepContext, policy: Policy, error: unknown): Partial<StepContext> {
  const { verdict, ...ended } = judged(error, undefined, policy);
  const { count, since } = rejections ?? { count: 0, since: now() };
  return {
    ...ended,
    failure: {
      error,
      verdict,
      signature: signatureOf(error, verdict),
      durationMs: 0,
      refused: false,
      rejected: true,
    },
    rejections: { count: count + 1, since },
    permit: null,
  };
}

/** The deadline of the whole step is over. */
export function deadlineMissed({ name, deadlineMs }: Policy): Partial<StepContext> {
  const error = new TimeoutError(name, 'deadline', deadlineMs!);
  return { failed: true, ending: { ...endingWith(error), exhausted: 'deadline' } };
}

/** With this error and no other reason the step ends. */
export function endingWith(error: unknown): Ending {
  return { error, exhausted: undefined, answers: false };
}

/** Whether the last result is refused and returned all the same. */
export function hasAnswer({ failure }: StepContext, { retry }: Policy): boolean {
  return failure !== undefined && failure.refused && !retry?.failOnRefusedResult;
}

/** Whether the budget is asked before the retry that was decided on. */
export function asksBudget({ failure }: StepContext, { retry }: Policy): boolean {
  return failure !== undefined && !failure.rejected && concernsBudget(retry!, failure.verdict);
}

/** Whether the step is tried again, and when; or how it ends. */
export function decided(context: StepContext, policy: Policy): Partial<StepContext> {
  const { failure, ending } = context;
  if (ending || !failure) return {};
  const decision = decisionOn(context, policy, failure);
  if (!decision.retry) return { ending: endingOf(context, policy, failure, decision) };
  return { retry: decision, ...(decision.restartsBackoff && { backoffResets: context.attempt }) };
}

function decisionOn(context: StepContext, policy: Policy, failure: Failure): RetryDecision {
  const { retry: retryPolicy, deadlineMs } = policy;
  const { error } = failure;
  const { attempt, startedAt, retry, sameClassInARow, backoffResets, rejections } = context;
  // Its own breaker, or that of a step inside the call.
  const open = error instanceof CircuitBreakerOpenError ? error : undefined;
  const waitMs = policy.breaker?.waitMs;
  // An open breaker is waited for only where something bounds the wait; one that cannot be asked is not waited for.
  const isWaitedFor = open && open.state !== 'isolated' && (waitMs !== undefined || deadlineMs !== undefined);
  if (!retryPolicy || ((open || failure.rejected) && !isWaitedFor)) return { retry: false, reason: 'notRetryable' };
  const decision = decideRetry(retryPolicy, {
    attempt,
    now: now(),
    r: random(),
    sameClassInARow,
    backoffResets,
    verdict: failure.verdict,
    hint: retryAfterOf(error, now()),
    ...(deadlineMs !== undefined && { deadlineAt: startedAt + deadlineMs }),
    ...(retry && { previousDelayMs: retry.delayMs }),
    ...(open && { rejection: { inARow: rejections?.count ?? 0, openForMs: open.timeoutRemaining ?? 0 } }),
  });
  const mayWaitUntil = rejections && waitMs !== undefined ? rejections.since + waitMs : Infinity;
  return decision.retry && decision.dueAt > mayWaitUntil ? { retry: false, reason: 'notRetryable' } : decision;
}

function endingOf(
  context: StepContext,
  policy: Policy,
  { error }: Failure,
  decision: Extract<RetryDecision, { retry: false }>,
): Ending {
  const { attempt, errors } = context;
  const { name, retry } = policy;
  const answers = hasAnswer(context, policy);
  switch (decision.reason) {
    case 'exhausted':
    case 'deadline': {
      const reason = decision.reason === 'deadline' ? 'deadline' : 'attempts';
      if (answers) return { error, exhausted: reason, answers };
      const all = errors.length > 0 ? errors : [error];
      const exhausted = retry ? new RecoveryExhaustedError(name, reason, attempt, all) : error;
      return { error: exhausted, exhausted: reason, answers };
    }
    case 'retryAfterTooLong':
      return endingWith(new RetryAfterTooLongError(name, decision.retryAfterMs ?? 0, error));
    default:
      return { error, exhausted: answers ? 'attempts' : undefined, answers };
  }
}

function wasInterrupted(error: unknown): boolean {
  return error instanceof EffectLostError && error.interrupted;
}

/** Whether an attempt was lost with its host. */
export function isLost(error: unknown): boolean {
  return error instanceof EffectLostError;
}
