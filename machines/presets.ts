/**
 * Retries with the numbers of systems that people come from. Owns the translation of their options; each reproduces the
 * delays of its original exactly.
 *
 * PR1  What the original counts (calls or retries) is what is counted here.
 */
import type { Duration } from 'rewake';
import type { RetryOptions } from './retry-policy.ts';
import type { TimeoutOption } from './step-policy.ts';

/** Waits that grow without a bound of their own, as the originals' do. */
const unbounded: Duration = '3650d';

/** Options of laminar's `Retry`: delays in seconds. */
export interface LaminarRetry {
  /** Calls in all; 1 when omitted. */
  readonly attempts?: number;
  /** Seconds; 0.1 when omitted. */
  readonly delay?: number;
  /** 2 when omitted. */
  readonly backoff?: number;
  /** Largest share that is added; 0.1 when omitted. */
  readonly jitter?: number;
}

/** laminar's `Retry(attempts, delay, backoff, jitter)`: delay · backoffⁿ, and up to a tenth more. */
export function laminarRetry({
  attempts = 1,
  delay = 0.1,
  backoff = 2,
  jitter = 0.1,
}: LaminarRetry = {}): RetryOptions {
  const shape = { initialDelay: delay * 1_000, factor: backoff, maxDelay: unbounded, jitter: { additive: jitter } };
  return { maxAttempts: attempts, backoff: shape };
}

/** Options of ToolWeaver's tutorial: `maxRetries` are its calls in all. */
export interface TutorialRetry {
  /** Calls in all; 3 when omitted. */
  readonly maxRetries?: number;
  /** Seconds; 1 when omitted, 0.1 in its first scenario. */
  readonly baseDelay?: number;
  /** Whether up to half of a delay is added, as in its pattern "Retry with Jitter". */
  readonly jitter?: boolean;
}

/** ToolWeaver's loop: base · 2ⁿ between so many calls. */
export function tutorialRetry({ maxRetries = 3, baseDelay = 1, jitter = false }: TutorialRetry = {}): RetryOptions {
  const spread = jitter ? ({ additive: 0.5 } as const) : 'none';
  return { maxAttempts: maxRetries, backoff: { initialDelay: baseDelay * 1_000, maxDelay: unbounded, jitter: spread } };
}

/** ToolWeaver's timeouts: 30, 60, 120 s. */
export const tutorialTimeout: TimeoutOption = { each: '30s', factor: 2, max: unbounded };

/** Options of ComfyUI Launcher's `recoverable`: delays in seconds. */
export interface ComfyRetry {
  /** Calls after the first; 3 when omitted. */
  readonly maxRetries?: number;
  /** Seconds; 1 when omitted. */
  readonly initialDelay?: number;
  /** 2 when omitted. */
  readonly backoffFactor?: number;
  /** Seconds; 60 when omitted. */
  readonly maxDelay?: number;
  readonly jitter?: boolean;
}

/** ComfyUI Launcher's retries: 1, 2, 4, … s up to a minute. */
export function comfyRetry(options: ComfyRetry = {}): RetryOptions {
  const { maxRetries = 3, initialDelay = 1, backoffFactor = 2, maxDelay = 60, jitter = false } = options;
  const backoff = { initialDelay: initialDelay * 1_000, factor: backoffFactor, maxDelay: maxDelay * 1_000 };
  return { maxRetries, backoff: { ...backoff, jitter: jitter ? 'full' : 'none' } };
}
