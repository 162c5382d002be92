/**
 * What a server said about when to call again. Owns the parsing of its many forms; what is done with it is
 * retry-policy.ts's.
 *
 * RA1  Garbage, negative values and dates that are past say nothing, and hide nothing that does.
 * RA2  The nearest hint counts: of the error, then of what is behind it.
 * RA3  A hint that was kept as a plain field says the same as the headers it came from, with and without them.
 */
import type { TimeMs } from 'rewake';
import { chainOf, headerOf, read, statusOf } from './classify.ts';
import type { RetryHint } from './retry-policy.ts';

/**
 * The hint of an error: `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), `retry-after-ms`,
 * `x-ratelimit-reset-after` (s), the fields `retryAfter` (s) and `retryAfterMs`, and
 * `grpc-retry-pushback-ms` (gRPC A6, also as the field `retryPushbackMs`), which comes before the others: exactly that wait,
 * or none and no call where negative.
 */
export function retryAfterOf(error: unknown, nowMs: TimeMs): RetryHint | undefined {
  for (const each of chainOf(error)) {
    const hint = hintOf(each, nowMs);
    if (hint) return hint;
  }
  return undefined;
}

/**
 * Puts what an error and its headers say on the error itself, and so with its causes, as the plain fields `status`,
 * `retryAfterMs` and `retryPushbackMs`: a log carries these where it cannot carry a `Response`, `Headers` or gRPC's
 * `Metadata` (RA3). What is there already stays.
 */
export function keepHints(error: unknown, nowMs: TimeMs): void {
  for (const each of chainOf(error)) {
    keepField(each, 'status', statusOf(each));
    const hint = hintOf(each, nowMs);
    if (!hint) continue;
    if ('delayMs' in hint) keepField(each, 'retryAfterMs', hint.delayMs);
    else keepField(each, 'retryPushbackMs', 'stop' in hint ? -1 : hint.pushbackMs);
  }
}

function keepField(error: unknown, name: string, value: number | undefined): void {
  if (value === undefined || typeof error !== 'object' || error === null || read(error, name) !== undefined) return;
  try {
    Reflect.set(error, name, value);
  } catch {
    // A proxy that refuses: it is logged as it is.
  }
}

function hintOf(error: unknown, nowMs: TimeMs): RetryHint | undefined {
  const kept = read(error, 'retryPushbackMs');
  const pushbackMs = pushbackOf(typeof kept === 'number' ? `${kept}` : headerOf(error, 'grpc-retry-pushback-ms'));
  if (pushbackMs !== undefined) return pushbackMs < 0 ? { stop: true } : { pushbackMs };
  const delays = [
    msOf(read(error, 'retryAfterMs')),
    delayOf(read(error, 'retryAfter'), nowMs),
    msOf(headerOf(error, 'retry-after-ms')),
    delayOf(headerOf(error, 'retry-after'), nowMs),
    delayOf(headerOf(error, 'x-ratelimit-reset-after'), nowMs),
  ];
  const delayMs = delays.find((each) => each !== undefined);
  return delayMs === undefined ? undefined : { delayMs };
}

function pushbackOf(value: string | undefined): number | undefined {
  if (value === undefined || !/^\s*-?\d+\s*$/.test(value)) return undefined;
  // Beyond that it is no number of ms that anybody meant. The sum makes 0 of -0.
  return Number.isSafeInteger(Number(value)) ? Number(value) + 0 : undefined;
}

/** Of seconds, or of a date. */
function delayOf(value: unknown, nowMs: TimeMs): number | undefined {
  return msOf(value, 1_000) ?? (typeof value === 'string' ? untilOf(value.trim(), nowMs) : undefined);
}

function msOf(value: unknown, unitMs = 1): number | undefined {
  const isDecimal = typeof value === 'number' || (typeof value === 'string' && /^\s*\d+(?:\.\d+)?\s*$/.test(value));
  const ms = isDecimal ? Number(value) * unitMs : NaN;
  return ms >= 0 && ms <= Number.MAX_SAFE_INTEGER ? ms : undefined;
}

/** The three forms of HTTP (RFC 9110, 5.6.7) and ISO 8601: Date.parse alone takes 'garbage 2099' for a date. */
const imfOr850 = /^[a-z]{3,9}, \d{2}[ -][a-z]{3}[ -](?:\d{4}|\d{2}) \d{2}:\d{2}:\d{2} GMT$/i;
const asctime = /^[a-z]{3} [a-z]{3} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/i;
const iso = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:?\d{2})$/i;

function untilOf(date: string, nowMs: TimeMs): number | undefined {
  if (!imfOr850.test(date) && !asctime.test(date) && !iso.test(date)) return undefined;
  // asctime is GMT and does not say so.
  const at = Date.parse(asctime.test(date) ? `${date} GMT` : date);
  return at > nowMs ? at - nowMs : undefined;
}
