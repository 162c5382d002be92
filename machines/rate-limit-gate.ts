/**
 * A call at the gate of a rate limiter. Owns the order of asking; the rules are rate-limiter.ts's, and what happens when
 * the limiter cannot be reached keyed-gate.ts's.
 *
 * LG1  A refusal is not sent to the limiter: a dependency that is asked too often does not fill the log. Only who asks in
 *      the same moment as the one who gets the last token is refused by the limiter itself.
 * LG2  Asking is safe to repeat: a run of the effect that asks again has the same id, and gets the same turn (RL3).
 * LG3  A limiter whose mailbox is full is asked too often: that is a refusal, whatever `onStoreError` says. Nothing was asked,
 *      so who has time left may ask again.
 */
import { MailboxFullError, type Duration, type EffectContext } from 'rewake';
import { KeyedGate, letsPass, type OnStoreError } from './keyed-gate.ts';
import { durationMs, oneOf, requireKnown, timerMsMax } from './options.ts';
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
  /** How long a call may wait for its turn, at most 24 days; `false`, the default, refuses it at once. */
  readonly wait?: Duration | false;
  /**
   * When the log of the limiter cannot be read or written: `allow` the call without the limiter having seen it (the
   * default), or let it `fail`.
   */
  readonly onStoreError?: OnStoreError;
}

/** What the limiter says, or that it could not even hear the question (LG3). */
export type GateAnswer = RateLimitAnswer & { readonly isUnheard?: true };

/** The limiter of a dependency, as one of its callers uses it. */
export class RateLimitGate {
  readonly key: string;
  /** How long a call may wait for its turn, in ms. */
  readonly waitMs: number;
  /** Whether a call is made all the same although this kept the limiter from answering. */
  readonly letsPass: (error: unknown) => boolean;
  /** How long it takes until there is another token. */
  readonly #tokenMs: number;
  readonly #limiter: KeyedGate<RateLimiterSnapshot>;

  /** @throws InvalidArgumentError naming the path of what is wrong */
  constructor(key: string, options: RateLimitOptions, path: string) {
    this.key = key;
    requireKnown(options, [...rateLimitNames, 'wait', 'onStoreError'], path);
    const { wait = false, onStoreError = 'allow', ...limit } = options;
    this.waitMs = wait === false ? 0 : durationMs(wait, `${path}.wait`, 0, timerMsMax);
    oneOf(onStoreError, ['allow', 'fail'], `${path}.onStoreError`);
    this.letsPass = (error) => letsPass(onStoreError, error);
    const settings = rateLimitSettings(limit, path);
    this.#tokenMs = Math.ceil(settings.perMs / settings.limit);
    this.#limiter = new KeyedGate(
      { machine: 'rateLimiter', logic: rateLimiter, id: key, input: { key, options: limit } },
      {
        isNew: (snapshot) => needsConfiguring(snapshot, limit),
        event: { type: 'rateLimiter.configured', options: limit } satisfies RateLimiterEvent,
      },
    );
  }

  /**
   * Asks for a turn.
   * @param waitMs how long the call may wait from now on
   */
  async ask(context: EffectContext, waitMs: number): Promise<GateAnswer> {
    try {
      return await this.#answer(context, waitMs);
    } catch (error) {
      if (error instanceof MailboxFullError) return { retryAfterMs: this.#tokenMs, isUnheard: true };
      throw error;
    }
  }

  async #answer(context: EffectContext, waitMs: number): Promise<RateLimitAnswer> {
    const asked = { type: 'turn.asked', id: context.idempotencyKey, waitMs } as const;
    const known = answerWithoutRecord(await this.#limiter.look(context), asked, context.now());
    return known ?? answerOf(await this.#limiter.tell(asked, context), asked.id, context.now());
  }
}
