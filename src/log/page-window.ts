/**
 * How much a reader fetches at once. Owns the size of the next page; fetches nothing.
 *
 * PW1  A page spans at most `eventsMax` revisions or positions, so a reader is never far ahead of its consumer.
 * PW2  Large events make pages short: a page aims at `bytesAim`, because fetching one blocks the thread.
 */
const eventsMin = 16;
const eventsMax = 512;
const bytesAim = 256 * 1024;

export class PageWindow {
  #events = 64;

  /** The span of the next page. */
  get events(): number {
    return this.#events;
  }

  /** What the last page turned out to be. */
  learn(characters: number): void {
    if (characters > bytesAim) this.#events = Math.max(1, this.#events >> 1);
    else if (characters < bytesAim / 2) this.#events = Math.min(eventsMax, Math.max(eventsMin, this.#events * 2));
  }
}
