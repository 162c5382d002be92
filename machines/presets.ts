/**
 * Retries with the numbers of systems that people come from. Owns the translation of their options; whether the numbers can
 * work is checked where the retries are used.
 *
 * PR1  What the original counts (calls or retries) is what is counted here.
 * PR2  Each gives the delays of its original, but for its rounding and least values.
 * PR3  An option that the preset does not know is refused: the original's other options have names of their own here.
 */
import { InvalidArgumentError, type Duration } from 'rewake';
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

/**
 * laminar's `Retry(attempts, delay, backoff, jitter)`: delay · backoffⁿ, and up to a tenth more.
 * @throws InvalidArgumentError for an option it does not know
 */
export function laminarRetry(options: LaminarRetry = {}): RetryOptions {
  const { attempts = 1, delay = 0.1, backoff = 2, jitter = 0.1, ...rest } = options;
  requireNoMore('laminarRetry', rest);
  const shape = { initialDelay: delay * 1_000, factor: backoff, maxDelay: unbounded, jitter: { additive: jitter } };
  return { maxAttempts: attempts, backoff: shape };
}

/** Options of ToolWeaver's tutorial: `maxRetries` are its calls in all. */
export interface TutorialRetry {
  /** Calls in all; 3 when omitted. */
  readonly maxRetries?: number;
  /** Seconds; 1 when omitted. The document has 0.1 (timeouts), 0.5 (self-healing), 1 (rate limits) and 2 (receipts). */
  readonly baseDelay?: number;
  /** Whether up to half of a delay is added, as in its pattern "Retry with Jitter". */
  readonly jitter?: boolean;
}

/**
 * ToolWeaver's loop: base · 2ⁿ between so many calls.
 * @throws InvalidArgumentError for an option it does not know
 */
export function tutorialRetry(options: TutorialRetry = {}): RetryOptions {
  const { maxRetries = 3, baseDelay = 1, jitter = false, ...rest } = options;
  requireNoMore('tutorialRetry', rest);
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
  /** Whether delays are spread by full jitter; the document does not say how. */
  readonly jitter?: boolean;
}

/**
 * ComfyUI Launcher's retries: 1, 2, 4, … s up to a minute.
 * @throws InvalidArgumentError for an option it does not know
 */
export function comfyRetry(options: ComfyRetry = {}): RetryOptions {
  const { maxRetries = 3, initialDelay = 1, backoffFactor = 2, maxDelay = 60, jitter = false, ...rest } = options;
  requireNoMore('comfyRetry', rest);
  const backoff = { initialDelay: initialDelay * 1_000, factor: backoffFactor, maxDelay: maxDelay * 1_000 };
  return { maxRetries, backoff: { ...backoff, jitter: jitter ? 'full' : 'none' } };
}

/** PR3. */
function requireNoMore(preset: string, rest: object): void {
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) throw new InvalidArgumentError(`${preset}.${unknown}: there is no such option.`);
}
