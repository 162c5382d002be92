/**
 * The errors of the recovery machines. Owns their classes and codes; when one is raised is the machine's business.
 *
 * RE1  Each survives the log and keeps its class after a fold.
 * RE2  Whatever failed underneath is kept: as `originalError` and `errors`, and as `cause`.
 */
import { registerErrorClass, RewakeError } from 'rewake';

/** Why a step was given up although its last error could have been retried. */
export type GiveUpReason = 'attempts' | 'deadline';

/** Every attempt failed, or there was no time for another one. */
export class RecoveryExhaustedError extends RewakeError {
  readonly code = 'REWAKE_RECOVERY_EXHAUSTED';
  readonly step: string;
  readonly reason: GiveUpReason;
  /** Calls that were made. */
  readonly attempts: number;
  /** What the last attempt failed with. */
  readonly originalError: unknown;
  /** What each attempt failed with, in order; the first ones of a long series are left out. */
  readonly errors: readonly unknown[];

  constructor(step: string, reason: GiveUpReason, attempts: number, errors: readonly unknown[]) {
    const originalError = errors.at(-1);
    const why = reason === 'attempts' ? 'no attempt is left' : 'its deadline would be over before the next attempt';
    super(
      `Step '${step}' failed after ${attempts} attempt${attempts === 1 ? '' : 's'}: ${said(originalError)}. ` +
        `It is not tried again because ${why}. Look at 'errors' for each attempt, and at RetryScheduled facts for the waits.`,
      { cause: originalError },
    );
    this.step = step;
    this.reason = reason;
    this.attempts = attempts;
    this.originalError = originalError;
    this.errors = errors;
  }
}

/** A server asked for a longer wait than the step allows. */
export class RetryAfterTooLongError extends RewakeError {
  readonly code = 'REWAKE_RETRY_AFTER_TOO_LONG';
  readonly step: string;
  /** What the server asked for, in ms. */
  readonly retryAfterMs: number;
  readonly originalError: unknown;

  constructor(step: string, retryAfterMs: number, originalError: unknown) {
    super(
      `Step '${step}' was asked to wait ${retryAfterMs} ms before the next attempt, longer than its retryAfterMax or its ` +
        "deadline allows. It was not tried again. Set 'park: true' to wait that long, or raise 'retryAfterMax'.",
      { cause: originalError },
    );
    this.step = step;
    this.retryAfterMs = retryAfterMs;
    this.originalError = originalError;
  }
}

/** An attempt or a handler took longer than its timeout, or a step longer than its deadline; what ran was aborted. */
export class TimeoutError extends RewakeError {
  readonly code = 'REWAKE_TIMEOUT';
  /** The step, or the handler. */
  readonly step: string;
  /** Whether one attempt, the whole step, or a handler ran out of time. */
  readonly kind: 'attempt' | 'deadline' | 'handler';
  /** In ms. */
  readonly timeout: number;

  constructor(step: string, kind: TimeoutError['kind'], timeoutMs: number) {
    const what = { attempt: 'An attempt of step', deadline: 'Step', handler: 'Handler' }[kind];
    super(
      `${what} '${step}' took longer than ${timeoutMs} ms and was aborted. What it returns later is not used. ` +
        `Raise '${kind === 'deadline' ? 'deadline' : 'timeout'}' if that is too short.`,
    );
    this.step = step;
    this.kind = kind;
    this.timeout = timeoutMs;
  }
}

/** A call returned something that its step takes for a failure. */
export class ResultRefusedError extends RewakeError {
  readonly code = 'REWAKE_RESULT_REFUSED';
  readonly step: string;

  constructor(step: string, attempt: number) {
    super(`Attempt ${attempt} of step '${step}' returned a result that its 'retryResult' takes for a failure.`);
    this.step = step;
  }
}

/** The circuit breaker of a dependency lets no call through. */
export class CircuitBreakerOpenError extends RewakeError {
  readonly code = 'REWAKE_BREAKER_OPEN';
  readonly key: string;
  /** `open`, `halfOpen` with every probe taken, `isolated` by a person, or `quorum`: open on so many other nodes. */
  readonly state: string;
  /** In ms until a call may be tried again; undefined where only a person or a probe decides. */
  readonly timeoutRemaining: number | undefined;
  /** The newest failure the breaker has seen: class, code and message. */
  readonly lastFailure: unknown;

  constructor(key: string, state: string, timeoutRemainingMs: number | undefined, lastFailure: unknown) {
    const when = timeoutRemainingMs === undefined ? 'until that changes' : `for another ${timeoutRemainingMs} ms`;
    super(
      `The circuit breaker '${key}' is ${state === 'quorum' ? 'open on a quorum of nodes' : state} and lets no call through ${when}. ` +
        'The dependency was not called. Wait, use a fallback, or read the stream of the breaker to see why.',
    );
    this.key = key;
    this.state = state;
    this.timeoutRemaining = timeoutRemainingMs;
    this.lastFailure = lastFailure;
  }
}

/** So many calls of a dependency run and wait that no other is taken. */
export class BulkheadFullError extends RewakeError {
  readonly code = 'REWAKE_BULKHEAD_FULL';
  readonly key: string;
  readonly concurrency: number;
  readonly queue: number;

  constructor(key: string, concurrency: number, queue: number) {
    super(
      `The bulkhead '${key}' is full: ${concurrency} calls run and ${queue} wait. The dependency was not called. ` +
        "Try again later, or raise 'concurrency' or 'queue'.",
    );
    this.key = key;
    this.concurrency = concurrency;
    this.queue = queue;
  }
}

/** A dependency was called as often as its rate limit allows. */
export class RateLimitedError extends RewakeError {
  readonly code = 'REWAKE_RATE_LIMITED';
  readonly key: string;
  /** In how many ms a call may be let through, if nobody else is before. A retry waits at least as long. */
  readonly retryAfterMs: number;

  constructor(key: string, retryAfterMs: number) {
    super(
      `The rate limit '${key}' lets no call through for another ${retryAfterMs} ms. The dependency was not called. ` +
        "Try again after that, give the call a 'wait', or raise 'limit' or 'burst'.",
    );
    this.key = key;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Every alternative failed. */
export class FallbackExhaustedError extends RewakeError {
  readonly code = 'REWAKE_FALLBACK_EXHAUSTED';
  readonly step: string;
  /** What each alternative failed with, in order. */
  readonly errors: readonly unknown[];

  constructor(step: string, errors: readonly unknown[]) {
    super(
      `Step '${step}' and its fallbacks failed, ${errors.length} in all: ${errors.map(said).join(' | ')}. ` +
        "Look at 'errors', in the order they were tried.",
      { cause: errors.at(-1) },
    );
    this.step = step;
    this.errors = errors;
  }
}

/** A handler failed, or the fallback it decided on: with what is the cause, and what it was there for is kept. */
export class HandlerFailedError extends RewakeError {
  readonly code = 'REWAKE_HANDLER_FAILED';
  readonly handler: string;
  /** `command`, `step`, `phase` or `workflow`. */
  readonly scope: string;
  /** What the handler stands around. */
  readonly subject: string;
  /** What the handler was there for. */
  readonly originalError: unknown;

  constructor(handler: string, scope: string, subject: string, originalError: unknown, cause: unknown) {
    super(
      `Handler '${handler}' of ${scope} '${subject}' failed: ${said(cause)}. It was there for: ${said(originalError)}. ` +
        "Both go to the next scope out: this one's 'cause' is what the handler failed with, 'originalError' what it handled.",
      { cause },
    );
    this.handler = handler;
    this.scope = scope;
    this.subject = subject;
    this.originalError = originalError;
  }
}

/** How long a chain of causes is followed. */
const causesMax = 10;

/** A copy of an error with one more error behind the last of its causes; what is no error is left as it is. */
export function withCause(error: unknown, last: unknown, causesLeft = causesMax): unknown {
  if (!(error instanceof Error) || causesLeft === 0) return error;
  const copy = Object.defineProperties(new Error(error.message), Object.getOwnPropertyDescriptors(error));
  Object.setPrototypeOf(copy, Object.getPrototypeOf(error) as object);
  const cause = error.cause === undefined ? last : withCause(error.cause, last, causesLeft - 1);
  return Object.defineProperty(copy, 'cause', { value: cause, enumerable: false, writable: true, configurable: true });
}

/** What a thrown value says, without the full stop that follows it here. Anything can be thrown, also what has no text. */
export function said(error: unknown): string {
  try {
    const { message } = Object(error) as { readonly message?: unknown };
    return String(message ?? error).replace(/\.$/, '');
  } catch {
    return typeof error;
  }
}

for (const [type, code] of [
  [RecoveryExhaustedError, 'REWAKE_RECOVERY_EXHAUSTED'],
  [RetryAfterTooLongError, 'REWAKE_RETRY_AFTER_TOO_LONG'],
  [TimeoutError, 'REWAKE_TIMEOUT'],
  [ResultRefusedError, 'REWAKE_RESULT_REFUSED'],
  [CircuitBreakerOpenError, 'REWAKE_BREAKER_OPEN'],
  [BulkheadFullError, 'REWAKE_BULKHEAD_FULL'],
  [RateLimitedError, 'REWAKE_RATE_LIMITED'],
  [FallbackExhaustedError, 'REWAKE_FALLBACK_EXHAUSTED'],
  [HandlerFailedError, 'REWAKE_HANDLER_FAILED'],
] as const) {
  registerErrorClass(type, code);
}
