/**
 * A call at the gate of a rate limiter. Owns the order of asking; the rules are rate-limiter.ts's, and what happens when
 * the limiter cannot be reached keyed-gate.ts's.
 *
 * RG1  A refusal is not sent to the limiter: a dependency that is asked too often does not fill the log.
 * RG2  Asking is safe to repeat: a run of the effect that asks again has the same id, and gets the same turn (RL3).
 */
import type { Duration, EffectContext } from 'rewake';
import { KeyedGate, requireOnStoreError, unlessUnreachable, type OnStoreError } from './keyed-gate.ts';
import { durationMs, requireKnown, requireName } from './options.ts';
import { rateLimitNames, rateLimitSettings, type RateLimit } from './rate-limit-options.ts';
import {
  answerOf,
  answerWithoutRecord,
  needsConfiguring,
  rateLimiter,
  type RateLimitAnswer,
  type RateLimiterEvent,
  type RateLimiterSnapshot,
} from './rate-limiter.ts';

/** A rate limit, and what becomes of a call for which there is no token. */
export interface RateLimitOptions extends RateLimit {
  /** How long a call may wait for its turn; `false`, the default, refuses it at once. */
  readonly wait?: Duration | false;
  /**
   * When the log of the limiter cannot be read or written: `allow` the call without the limiter having seen it (the
   * default), or let it `fail`.
   */
  readonly onStoreError?: OnStoreError;
}

/** The limiter of a dependency, as one of its callers uses it. */
export class RateLimitGate {
  readonly key: string;
  /** How long a call may wait for its turn, in ms. */
  readonly waitMs: number;
  readonly #limiter: KeyedGate<RateLimiterSnapshot>;
  readonly #onStoreError: OnStoreError;

  /** @throws InvalidArgumentError naming the path of what is wrong */
  constructor(key: string, options: RateLimitOptions, path: string) {
    this.key = requireName(key, `${path}.key`);
    requireKnown(options, [...rateLimitNames, 'wait', 'onStoreError'], path);
    const { wait = false, onStoreError = 'allow', ...limit } = options;
    this.waitMs = wait === false ? 0 : durationMs(wait, `${path}.wait`);
    this.#onStoreError = requireOnStoreError(onStoreError, `${path}.onStoreError`);
    rateLimitSettings(limit, path);
    this.#limiter = new KeyedGate(
      { machine: 'rateLimiter', logic: rateLimiter, id: key, input: { key, options: limit } },
      {
        isNew: (snapshot) => needsConfiguring(snapshot, limit),
        event: { type: 'rateLimiter.configured', options: limit } satisfies RateLimiterEvent,
      },
    );
  }

  /** Asks for a turn; null when the limiter cannot be reached and that is allowed. */
  async ask(context: EffectContext): Promise<RateLimitAnswer | null> {
    const asked = { type: 'turn.asked', id: context.idempotencyKey, waitMs: this.waitMs } as const;
    return unlessUnreachable(this.#onStoreError, async () => {
      const known = answerWithoutRecord(await this.#limiter.look(context), asked, context.now());
      return known ?? answerOf(await this.#limiter.tell(asked, undefined, context), asked.id, context.now());
    });
  }
}
