/** The presets beside the numbers of their documents. */
import { expect, it } from 'vitest';
import { InvalidArgumentError } from 'rewake';
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
  expect(delays(tutorialRetry({ jitter: true }), 0)).toEqual([1, 2]);
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

it('ToolWeaver: the table of its concepts, self-healing and the metered loop', () => {
  expect(delays(tutorialRetry({ maxRetries: 5, baseDelay: 0.1 }))).toEqual([0.1, 0.2, 0.4, 0.8]);
  expect(delays(tutorialRetry({ baseDelay: 0.5 }))).toEqual([0.5, 1]);
  expect(delays(tutorialRetry({ baseDelay: 2 }))).toEqual([2, 4]);
});

it('PR1: "3" is three calls in laminar and in the tutorial, and three retries in ComfyUI Launcher', () => {
  const calls = (options: RetryOptions) => retryPolicy(options).maxAttempts;
  expect(calls(laminarRetry({ attempts: 3 }))).toBe(3);
  expect(calls(tutorialRetry({ maxRetries: 3 }))).toBe(3);
  expect(calls(comfyRetry({ maxRetries: 3 }))).toBe(4);
  expect([calls(laminarRetry()), calls(tutorialRetry()), calls(comfyRetry())]).toEqual([1, 3, 4]);
});

it.each<[() => RetryOptions, string]>([
  [() => laminarRetry({ maxRetries: 3 } as object), 'laminarRetry.maxRetries'],
  [() => tutorialRetry({ attempts: 3 } as object), 'tutorialRetry.attempts'],
  [() => comfyRetry({ max_retries: 3 } as object), 'comfyRetry.max_retries'],
])('PR3: an option of another preset is refused: %s', (make, path) => {
  expect(make).toThrow(InvalidArgumentError);
  expect(make).toThrow(`${path}:`);
});

it('R09: numbers that cannot work are refused where they are used', () => {
  expect(() => retryPolicy(laminarRetry({ attempts: 0 }))).toThrow('retry.maxAttempts:');
  expect(() => retryPolicy(tutorialRetry({ baseDelay: NaN }))).toThrow('retry.backoff.initialDelay:');
  expect(() => retryPolicy(comfyRetry({ maxDelay: 0.5 }))).toThrow('retry.backoff.maxDelay:');
});
