/**
 * What a rate limit can be told. Owns the options, their defaults and their check; what they mean for a call is in
 * token-bucket.ts.
 *
 * RLO1  Settings are complete plain JSON: every default filled in, every duration in ms.
 * RLO2  They are small enough to reckon with: no bucket becomes infinite, or not a number, for ever.
 */
import type { Duration } from 'rewake';
import { durationMs, requireKnown, wholeNumber } from './options.ts';

/** How many calls are let through; plain JSON. */
export interface RateLimit {
  /** Calls per `per` in the long run, from 1 to 1,000,000,000. */
  readonly limit: number;
  /** From 1 ms to 10,000 days. */
  readonly per: Duration;
  /** Calls that may be made at once after a rest, from 1 to 1,000,000,000; `limit` when omitted. */
  readonly burst?: number;
}

/** A rate limit with its default filled in (RLO1). */
export interface RateLimitSettings {
  readonly limit: number;
  readonly perMs: number;
  readonly burst: number;
}

/** The names of the options of a rate limit. */
export const rateLimitNames: readonly (keyof RateLimit)[] = ['limit', 'per', 'burst'];

const callsMax = 1_000_000_000;
const perMsMax = 10_000 * 86_400_000;

/**
 * Checks a rate limit and fills in its default.
 * @param path how the message names the options, for example `withRateLimit("model")`
 * @throws InvalidArgumentError naming the option, what was expected and what was found
 */
export function rateLimitSettings(options: RateLimit, path = 'rateLimiter'): RateLimitSettings {
  requireKnown(options, rateLimitNames, path);
  const limit = wholeNumber(options.limit, `${path}.limit`, 1, callsMax);
  const perMs = durationMs(options.per, `${path}.per`, 1, perMsMax);
  return { limit, perMs, burst: wholeNumber(options.burst ?? limit, `${path}.burst`, 1, callsMax) };
}
