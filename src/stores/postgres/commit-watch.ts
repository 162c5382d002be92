/**
 * Knows when the log has grown, whoever wrote: this log, another log of this process, another process. Owns the waking and the
 * polling; subscriptions themselves are log/feed.ts.
 *
 * CW1  An append through any log of this process wakes all its logs of that schema at once.
 * CW2  Appends of others are found by polling, which goes on only while a subscriber waits. Who is woken reads; what is not
 *      complete yet, because an older transaction still runs, is found by the next poll.
 */
import type { Clock } from '../../clock.ts';
import { WakeUp } from '../../log/feed.ts';

/** The logs that are open in this process, by schema and server. */
const wakeUpsByLog = new Map<string, Set<WakeUp>>();

export interface CommitWatchOptions {
  /** Identifies the log within this process. */
  readonly key: string;
  readonly clock: Clock;
  readonly pollMs: number;
}

export class CommitWatch {
  readonly wakeUp = new WakeUp();
  readonly #options: CommitWatchOptions;
  #waiting = 0;
  #cancelPoll: (() => void) | undefined;

  constructor(options: CommitWatchOptions) {
    this.#options = options;
    const all = wakeUpsByLog.get(options.key) ?? new Set();
    wakeUpsByLog.set(options.key, all.add(this.wakeUp));
  }

  /** This log has committed. */
  readonly committed = (): void => {
    for (const wakeUp of wakeUpsByLog.get(this.#options.key) ?? []) wakeUp.notify();
  };

  /** Polls while the iterator's consumer waits for an item. */
  watching<T>(iterable: AsyncIterable<T>): AsyncIterable<T> {
    return {
      [Symbol.asyncIterator]: () => {
        const items = iterable[Symbol.asyncIterator]();
        return {
          next: () => {
            this.#waiting++;
            this.#arm();
            return items.next().finally(() => this.#waiting--);
          },
          return: () => items.return?.() ?? Promise.resolve({ done: true, value: undefined }),
          [Symbol.asyncIterator]() {
            return this;
          },
        };
      },
    };
  }

  /** Ends every subscription. */
  close(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = undefined;
    const all = wakeUpsByLog.get(this.#options.key);
    all?.delete(this.wakeUp);
    if (all?.size === 0) wakeUpsByLog.delete(this.#options.key);
    this.wakeUp.close();
  }

  #arm(): void {
    if (this.#cancelPoll || this.wakeUp.closed) return;
    const { clock, pollMs } = this.#options;
    this.#cancelPoll = clock.setTimer(clock.now() + pollMs, () => {
      this.#cancelPoll = undefined;
      if (this.#waiting === 0) return;
      this.wakeUp.notify();
      this.#arm();
    });
  }
}
