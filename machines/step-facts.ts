/**
 * What a step tells the log besides its transitions. Owns the names and shapes of these facts; they never change once
 * published.
 */
import type { ErrorSignature } from './error-signature.ts';
import type { GiveUpReason } from './recovery-errors.ts';

/** An attempt ended with an error. */
export interface AttemptFailed {
  readonly type: 'AttemptFailed';
  readonly step: string;
  /** Calls made so far, this one included. */
  readonly attempt: number;
  readonly error: ErrorSignature;
  readonly durationMs: number;
}

/** An attempt took longer than its timeout, or the step than its deadline, and was aborted. Of an attempt `AttemptFailed` follows. */
export interface TimedOut {
  readonly type: 'TimedOut';
  readonly step: string;
  readonly attempt: number;
  readonly kind: 'attempt' | 'deadline';
  readonly timeoutMs: number;
}

/** The dependency was not called: its circuit breaker did not let the attempt through, or could not be asked. */
export interface AttemptRejected {
  readonly type: 'AttemptRejected';
  readonly step: string;
  readonly error: ErrorSignature;
}

/** The step will be tried again; on disk before the wait begins. */
export interface RetryScheduled {
  readonly type: 'RetryScheduled';
  readonly step: string;
  /** Calls made so far: 1 for the first retry, 0 where the breaker has let none through yet. */
  readonly attempt: number;
  readonly delayMs: number;
  /** The number in [0, 1) that the jitter was drawn from. */
  readonly r: number;
  /** In ms since the Unix epoch. */
  readonly dueAt: number;
  readonly errorClass: string;
  /** Whether a server's hint is waited for that is longer than retryAfterMax. */
  readonly parked: boolean;
}

/** The step is given up. */
export interface RetryExhausted {
  readonly type: 'RetryExhausted';
  readonly step: string;
  readonly attempts: number;
  readonly reason: GiveUpReason;
}

/** The step is not tried again: its retry budget is used up. It ends with the error of its last attempt as it is. */
export interface RetryRefused {
  readonly type: 'RetryRefused';
  readonly step: string;
  /** Calls made. */
  readonly attempt: number;
  /** Of the budget. */
  readonly key: string;
  /** What is left in it. */
  readonly tokens: number;
  readonly errorClass: string;
}

/** The breaker, or the retry budget, could not be asked; the call is made without it. */
export interface Unavailable {
  readonly type: 'BreakerUnavailable' | 'RetryBudgetUnavailable';
  readonly step: string;
  readonly key: string;
  /** What kept it from answering. */
  readonly problem: string;
}

/** This step tries again what has itself retries inside: their attempts multiply. Told once, when it begins. */
export interface NestedRetryDetected {
  readonly type: 'NestedRetryDetected';
  readonly step: string;
  /** Calls in all that this step may make of what it wraps. */
  readonly maxAttempts: number;
  /** The steps inside it, and how many calls each may make each time. */
  readonly inner: readonly { readonly step: string; readonly maxAttempts: number }[];
}

/** What a step tells the log. */
export type StepFact =
  | AttemptFailed
  | TimedOut
  | AttemptRejected
  | RetryScheduled
  | RetryExhausted
  | RetryRefused
  | Unavailable
  | NestedRetryDetected;
