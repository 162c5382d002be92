/**
 * A token bucket: pure functions of a bucket, settings and time. Owns when a token is there; who may have it is
 * rate-limiter.ts's.
 *
 * TB1  A bucket is a time and a count, never a number of tokens that was added up: for whole milliseconds all is exact.
 * TB2  It holds `burst` tokens at most, and gets `limit` in each `perMs`, evenly.
 * TB3  A clock that goes back finds the tokens that were there when a token was taken last: none is minted, none is lost.
 * TB4  Tokens may be taken ahead of time. Whoever does has to wait for the time of that token; nobody gets it twice.
 */
import type { TimeMs } from 'rewake';
import type { RateLimitSettings } from './rate-limit-options.ts';

/** Plain JSON. */
export interface Bucket {
  /** It was, or will be, full at this time but for the tokens `taken`; in ms since the Unix epoch. */
  readonly since: TimeMs;
  readonly taken: number;
  /** When the newest token was taken. */
  readonly at: TimeMs;
}

/** A bucket that is full. */
export function fullBucket(nowMs: TimeMs): Bucket {
  return { since: nowMs, taken: 0, at: nowMs };
}

/** When the next token is there: now or earlier where one is. In whole ms after `since`. */
export function nextTokenAt(bucket: Bucket, settings: RateLimitSettings, nowMs: TimeMs): TimeMs {
  const { since, taken } = seenAt(bucket, nowMs);
  return since + msForTokens(taken + 1 - settings.burst, settings);
}

/** A bucket with one more token taken. */
export function withTokenTaken(bucket: Bucket, settings: RateLimitSettings, nowMs: TimeMs): Bucket {
  const { since, taken } = seenAt(bucket, nowMs);
  const isFull = since + msForTokens(taken, settings) <= nowMs;
  return wound(isFull ? { since: nowMs, taken: 1, at: nowMs } : { since, taken: taken + 1, at: nowMs }, settings);
}

/** How many tokens a bucket lacks to be full, those that were taken ahead of time included. */
export function tokensMissing(bucket: Bucket, { limit, perMs }: RateLimitSettings, nowMs: TimeMs): number {
  const { since, taken } = seenAt(bucket, nowMs);
  return Math.max(0, taken - Math.floor(((nowMs - since) * limit) / perMs));
}

/** The bucket for other settings: it lacks as many tokens as before, but never more than there are. */
export function withSettings(
  bucket: Bucket,
  before: RateLimitSettings,
  after: RateLimitSettings,
  nowMs: TimeMs,
): Bucket {
  const taken = Math.min(tokensMissing(bucket, before, nowMs), after.burst);
  return wound({ since: nowMs, taken, at: nowMs }, after);
}

/** How long so many tokens take, rounded up to whole ms. */
function msForTokens(tokens: number, { limit, perMs }: RateLimitSettings): number {
  return Math.ceil((tokens * perMs) / limit);
}

/** TB3. */
function seenAt(bucket: Bucket, nowMs: TimeMs): Bucket {
  return nowMs < bucket.at ? { ...bucket, since: bucket.since - (bucket.at - nowMs) } : bucket;
}

/** TB1: the same bucket with less than `limit` taken, so that its numbers stay small. */
function wound({ since, taken, at }: Bucket, { limit, perMs }: RateLimitSettings): Bucket {
  const turns = Math.floor(taken / limit);
  return { since: since + turns * perMs, taken: taken - turns * limit, at };
}
