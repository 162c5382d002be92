/**
 * Going on although the log cannot be used for a while. Owns which failures pass by themselves, and how long is waited
 * before the next try; whether what failed may be repeated is for the caller to know.
 */
import { realRandom, sleep, type Clock, type Random } from '../clock.ts';
import { LogUnavailableError, OutcomeUnknownError } from '../errors.ts';
import type { Logger } from './logger.ts';

/** Whether the same call may succeed later without anyone changing anything. An append is repeated with the same ids. */
export function isPassing(error: unknown): boolean {
  return error instanceof OutcomeUnknownError || (error instanceof LogUnavailableError && error.retryable);
}

export class Patience {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #logger: Logger;
  readonly #stopping: () => Error | undefined;
  readonly #pauses: boolean;

  /**
   * @param stopping why nothing more is tried; undefined as long as it is
   * @param pauses false where the next try follows at once
   */
  constructor(
    clock: Clock,
    random: Random | undefined,
    logger: Logger,
    stopping: () => Error | undefined,
    pauses = true,
  ) {
    this.#clock = clock;
    this.#random = random ?? realRandom;
    this.#logger = logger;
    this.#stopping = stopping;
    this.#pauses = pauses;
  }

  /** Does something until no passing failure is in the way. It has to be repeatable. */
  async persist<Result>(work: () => Promise<Result>): Promise<Result> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (!isPassing(error)) throw error;
        await this.pause(attempt, error);
      }
    }
  }

  /**
   * Resolves when it makes sense to try again; rejects when nothing more is tried. Capped exponential backoff with equal
   * jitter: Brooker, "Exponential Backoff And Jitter", AWS 2015.
   */
  async pause(attempt: number, error: unknown): Promise<void> {
    this.#requireGoingOn();
    const ceilingMs = Math.min(5_000, 50 * 2 ** Math.min(attempt, 10));
    const delayMs = !this.#pauses ? 0 : ceilingMs / 2 + (this.#random() * ceilingMs) / 2;
    this.#logger.warn({ err: error, attempt, delayMs }, 'the log could not be used; trying again');
    await sleep(this.#clock, delayMs);
    this.#requireGoingOn();
  }

  #requireGoingOn(): void {
    const reason = this.#stopping();
    if (reason) throw reason;
  }
}
