/** The presets beside the numbers of their documents. */
import { expect, it } from 'vitest';
import { comfyRetry, laminarRetry, tutorialRetry, tutorialTimeout } from '../../machines/presets.ts';
import { retryPolicy, type RetryOptions } from '../../machines/retry-policy.ts';
import { policyOf, timeoutMsOf } from '../../machines/step-policy.ts';

function delays(options: RetryOptions, r = 0): number[] {
  const { maxAttempts, backoff } = retryPolicy(options);
  return Array.from({ length: maxAttempts - 1 }, (_, index) => backoff.delayMs({ retry: index + 1, r }) / 1_000);
}

it('laminar: Retry(attempts=3, delay=0.1, backoff=2, jitter=0.1) makes three calls, one when nothing is said', () => {
  expect(delays(laminarRetry({ attempts: 4 }))).toEqual([0.1, 0.2, 0.4]);
  expect(delays(laminarRetry({ attempts: 4 }), 1)[2]).toBeCloseTo(0.44);
  expect(delays(laminarRetry())).toEqual([]);
});

it('ToolWeaver: scenario 1, scenario 2, the receipt pipeline and the pattern with jitter', () => {
  expect(delays(tutorialRetry({ baseDelay: 0.1 }))).toEqual([0.1, 0.2]);
  expect(delays(tutorialRetry({ maxRetries: 5 }))).toEqual([1, 2, 4, 8]);
  expect(delays(tutorialRetry({ maxRetries: 4, baseDelay: 2 }))).toEqual([2, 4, 8]);
  expect(delays(tutorialRetry({ jitter: true }), 1)).toEqual([1.5, 3]);
  const { timeout } = policyOf('call', { timeout: tutorialTimeout });
  expect([1, 2, 3].map((attempt) => timeoutMsOf(timeout!, attempt) / 1_000)).toEqual([30, 60, 120]);
});

it('ComfyUI Launcher: three retries after 1, 2 and 4 s, never more than a minute', () => {
  expect(delays(comfyRetry())).toEqual([1, 2, 4]);
  expect(delays(comfyRetry({ maxRetries: 8 }))).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
  expect(delays(comfyRetry({ initialDelay: 0.5, backoffFactor: 3, maxDelay: 30, maxRetries: 5 }))).toEqual([
    0.5, 1.5, 4.5, 13.5, 30,
  ]);
  expect(delays(comfyRetry({ jitter: true }), 0.5)).toEqual([0.5, 1, 2]);
});
