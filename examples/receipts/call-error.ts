/**
 * How a call to the outside fails, as plain data that survives a log. Owns the reasons and which of them are worth
 * another attempt; who retries, when and how often is the machine's business.
 *
 * F1  Retryable or final is decided here once, by reason.
 */

/** Reasons that may pass: the same call can succeed later. */
export type TransientReason = 'timeout' | 'reset' | 'throttled' | 'unavailable' | 'broken';

export interface CallFailure {
  /** `refused` is final: the other side has understood the request and will never do it. */
  readonly reason: TransientReason | 'refused';
  readonly detail: string;
  /** For a refusal: what the other side calls it. */
  readonly code?: string;
  /** How long the other side asked us to wait, in milliseconds. */
  readonly retryAfterMs?: number;
}

/** Thrown by the effects of the pipeline. What matters is `failure`, an own property, so that it is logged. */
export class CallError extends Error {
  readonly failure: CallFailure;

  constructor(failure: CallFailure) {
    super(`${failure.reason}: ${failure.detail}`);
    this.name = 'CallError';
    this.failure = failure;
  }
}

/** What went wrong, from whatever an effect threw. An error read back from a log is not an instance of its class. */
export function failureOf(error: unknown): CallFailure {
  if (error instanceof Error && 'failure' in error) return error.failure as CallFailure;
  return { reason: 'broken', detail: error instanceof Error ? error.message : String(error) };
}
