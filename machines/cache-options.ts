/**
 * What a cache can be told. Owns the options, their defaults and their check, and the key of a call; what they mean is in
 * cache.ts and caching.ts.
 */
import { InvalidArgumentError, type Duration } from 'rewake';
import { durationMs, requireFunction, requireKnown, timerMsMax, wholeNumber } from './options.ts';

/** What is the same call, and how long its result is good. */
export interface CacheOptions<Input> {
  /** What tells calls apart, from the input; must be pure: a fold asks it again. */
  readonly key: (input: Input) => string;
  /** How long a result is fresh, at least 1 ms. */
  readonly ttl: Duration;
  /** Results that are kept; the ones stored first go first. 100 when omitted. */
  readonly max?: number;
  /**
   * How long a caller waits for the same call of another before it calls itself, at most 24 days; '30s' when
   * omitted.
   */
  readonly patience?: Duration;
}

/**
 * Checks options and fills in their defaults.
 * @throws InvalidArgumentError naming the option, what was expected and what was found
 */
export function cacheSettings<Input>(options: CacheOptions<Input>, path: string) {
  requireKnown(options, ['key', 'ttl', 'max', 'patience'], path);
  const { key, ttl, max = 100, patience = '30s' } = options;
  if (key === undefined) throw InvalidArgumentError.of(`${path}.key`, 'a function', key);
  requireFunction(key, `${path}.key`);
  return {
    ttlMs: durationMs(ttl, `${path}.ttl`, 1),
    max: wholeNumber(max, `${path}.max`, 1),
    patienceMs: durationMs(patience, `${path}.patience`, 1, timerMsMax),
  };
}

/**
 * The key of a call.
 * @throws InvalidArgumentError unless it is a text, and what `key` throws
 */
export function keyOf<Input>(options: CacheOptions<Input>, input: Input, path: string): string {
  const key: unknown = options.key(input);
  if (typeof key === 'string') return key;
  throw InvalidArgumentError.of(`${path}.key(input)`, 'a string', key);
}
