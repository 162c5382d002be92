/**
 * Knows when the file has grown, whoever wrote: this log, another log of this process, another process. Owns the waking
 * and the polling; subscriptions themselves are log/feed.ts.
 *
 * CW1  A commit through any log of this process wakes all its logs on that file at once.
 * CW2  Commits of other processes are noticed by `PRAGMA data_version`, which is polled only while a subscriber waits.
 * CW3  A change is reported once: whoever sees a new version first, the poll or a write transaction, wakes everybody.
 * CW4  The poll also looks whether the file is still there, so that who waits is not left waiting for a lost one.
 */
import type { Clock } from '../../clock.ts';
import { WakeUp } from '../../log/feed.ts';
import type { FileIdentity } from './file-identity.ts';

/** The logs that are open in this process, by file. */
const wakeUpsByFile = new Map<string, Set<WakeUp>>();

export interface CommitWatchOptions {
  /** Identifies the file within this process. */
  readonly file: string;
  readonly identity: FileIdentity;
  readonly clock: Clock;
  readonly pollMs: number;
  /** Reads `PRAGMA data_version`. */
  readonly readVersion: () => number;
}

export class CommitWatch {
  readonly wakeUp = new WakeUp();
  readonly #options: CommitWatchOptions;
  #seenVersion: number;
  #waiting = 0;
  #cancelPoll: (() => void) | undefined;

  constructor(options: CommitWatchOptions) {
    this.#options = options;
    this.#seenVersion = options.readVersion();
    const all = wakeUpsByFile.get(options.file) ?? new Set();
    wakeUpsByFile.set(options.file, all.add(this.wakeUp));
  }

  /** This log has committed. */
  committed(): void {
    for (const wakeUp of wakeUpsByFile.get(this.#options.file) ?? []) wakeUp.notify();
  }

  /** Whether another connection has committed since the last look; wakes everybody if so. */
  look(): boolean {
    const version = this.#options.readVersion();
    if (version === this.#seenVersion) return false;
    this.#seenVersion = version;
    this.wakeUp.notify();
    return true;
  }

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
    const all = wakeUpsByFile.get(this.#options.file);
    all?.delete(this.wakeUp);
    if (all?.size === 0) wakeUpsByFile.delete(this.#options.file);
    this.wakeUp.close();
  }

  #arm(): void {
    if (this.#cancelPoll || this.wakeUp.closed) return;
    const { clock, identity, pollMs } = this.#options;
    this.#cancelPoll = clock.setTimer(clock.now() + pollMs, () => {
      this.#cancelPoll = undefined;
      if (this.#waiting === 0) return;
      try {
        this.look();
        identity.compare();
      } catch {
        // Whoever waits is woken to read, and gets the error from there.
        this.wakeUp.notify();
      }
      this.#arm();
    });
  }
}
