/**
 * What a server said about when to call again. Owns the parsing of its many forms; what is done with it is
 * retry-policy.ts's.
 *
 * RA1  Garbage, negative values and dates that are past say nothing.
 */
import type { TimeMs } from 'rewake';
import { headerOf, read } from './classify.ts';
import type { RetryHint } from './retry-policy.ts';

/**
 * The hint of an error: `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), `retry-after-ms`,
 * `x-ratelimit-reset-after`, the fields `retryAfter` (s) and `retryAfterMs`, and `grpc-retry-pushback-ms` (gRPC A6).
 */
export function retryAfterOf(error: unknown, nowMs: TimeMs): RetryHint | undefined {
  const headers = read(error, 'headers') ?? read(read(error, 'response'), 'headers');
  const pushback =
    headerOf(headers, 'grpc-retry-pushback-ms') ?? headerOf(read(error, 'metadata'), 'grpc-retry-pushback-ms');
  if (pushback !== undefined && /^-?\d+$/.test(pushback)) {
    return Number(pushback) < 0 ? { stop: true } : { pushbackMs: Number(pushback) };
  }
  const inMs = [read(error, 'retryAfterMs'), headerOf(headers, 'retry-after-ms')].map((value) => numberOf(value));
  const inSeconds = [
    read(error, 'retryAfter'),
    headerOf(headers, 'retry-after'),
    headerOf(headers, 'x-ratelimit-reset-after'),
  ];
  const delays = [...inMs, ...inSeconds.map((value) => secondsOf(value, nowMs))];
  const delayMs = delays.find((each) => each !== undefined);
  return delayMs === undefined ? undefined : { delayMs };
}

function secondsOf(value: unknown, nowMs: TimeMs): number | undefined {
  const seconds = numberOf(value);
  if (seconds !== undefined) return seconds * 1_000;
  if (typeof value !== 'string' || !/[a-z]/i.test(value)) return undefined;
  const at = Date.parse(value);
  return at > nowMs ? at - nowMs : undefined;
}

function numberOf(value: unknown): number | undefined {
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && /^\s*\d+(?:\.\d+)?\s*$/.test(value)
        ? Number(value)
        : NaN;
  return Number.isFinite(number) && number >= 0 ? number : undefined;
}
