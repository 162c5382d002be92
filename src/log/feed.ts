/**
 * Subscriptions over any log: catch up by pages, then follow at every wake-up. Owns the order of items and the ending of
 * a subscription; what a page holds and when the log has grown is the adapter's.
 *
 * F1  Pull only: at most one page per subscription is in memory, whatever the consumer's pace.
 * F2  A wake-up between the reading of a page and the waiting for the next is not lost.
 * F3  A subscription that waits ends at once when it is returned, its signal aborts or its log closes.
 */
import type { Filter, Position, RecordedEvent, SubscribeOptions, SubscriptionItem } from './event-log.ts';

/** A bounded stretch of the log, without what the filter rejects. */
export interface FeedPage {
  readonly events: readonly RecordedEvent[];
  /** Up to where the log was looked through, rejected events included; undefined when nothing came after `after`. */
  readonly scannedTo: Position | undefined;
}

/** What a subscription needs to know of a log. */
export interface FeedSource {
  readonly wakeUp: WakeUp;
  page(after: Position | undefined, filter: Filter | undefined): FeedPage | Promise<FeedPage>;
}

/** Tells waiting subscriptions that the log has grown or closed. */
export class WakeUp {
  #version = 0;
  #closed = false;
  readonly #waiting = new Set<() => void>();

  /** Grows with every notification. */
  get version(): number {
    return this.#version;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** To be called after every append that became visible. */
  notify(): void {
    this.#version++;
    if (this.#waiting.size === 0) return;
    for (const wake of this.#waiting) wake();
  }

  /** Ends every subscription. */
  close(): void {
    this.#closed = true;
    this.notify();
  }

  /** Resolves when the version is not `seen` any more or the ending has begun; at once if that is so already. */
  changed(seen: number, ending: Ending): Promise<void> {
    if (this.#version !== seen || ending.begun) return Promise.resolve();
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      ending.interrupt = wake;
    });
  }
}

/** The end of one subscription, asked for from outside. */
class Ending {
  begun = false;
  interrupt: () => void = () => {};

  readonly begin = (): void => {
    this.begun = true;
    this.interrupt();
  };
}

/** A subscription as the port wants it; each iterator of it starts anew. */
export function feed(source: FeedSource, options: SubscribeOptions = {}): AsyncIterable<SubscriptionItem> {
  return {
    [Symbol.asyncIterator](): AsyncIterableIterator<SubscriptionItem> {
      const ending = new Ending();
      const items = follow(source, options, ending);
      return {
        next: () => items.next(),
        return: () => {
          // A generator takes its return() only after the next() it is in: that one must not wait for an append.
          ending.begin();
          return items.return(undefined);
        },
        [Symbol.asyncIterator]() {
          return this;
        },
      };
    },
  };
}

async function* follow(
  source: FeedSource,
  { after, filter, signal }: SubscribeOptions,
  ending: Ending,
): AsyncGenerator<SubscriptionItem, undefined> {
  if (signal?.aborted) return;
  signal?.addEventListener('abort', ending.begin, { once: true });
  try {
    let position = after;
    let caughtUp = false;
    for (let turn = 0; ; turn++) {
      const seen = source.wakeUp.version;
      // A log that was closed before its subscription began refuses the first page; later its closing is the end.
      const page = await pageUnlessEnded(source, position, filter, () => turn > 0 && hasEnded(source, ending));
      for (const event of page?.events ?? []) {
        if (hasEnded(source, ending)) return;
        yield { type: 'event', event };
      }
      if (!page || hasEnded(source, ending)) return;
      if (page.scannedTo !== undefined) {
        position = page.scannedTo;
        if (page.events.at(-1)?.position !== position) yield { type: 'checkpoint', position };
      } else if (!caughtUp) {
        caughtUp = true;
        yield { type: 'caughtUp' };
      } else {
        await source.wakeUp.changed(seen, ending);
      }
    }
  } finally {
    signal?.removeEventListener('abort', ending.begin);
  }
}

function hasEnded(source: FeedSource, ending: Ending): boolean {
  return ending.begun || source.wakeUp.closed;
}

/** A page, or undefined when there is none to be had any more because the subscription has ended. */
async function pageUnlessEnded(
  source: FeedSource,
  after: Position | undefined,
  filter: Filter | undefined,
  ended: () => boolean,
): Promise<FeedPage | undefined> {
  if (ended()) return undefined;
  try {
    return await source.page(after, filter);
  } catch (error) {
    if (ended()) return undefined;
    throw error;
  }
}
