/** Time in the page. Owns the only place where the page reads a clock or sets a timer; everything else is given one. */
export interface PageClock {
  /** Ms since the epoch. */
  now(): number;
  /** Runs once, `delayMs` from now. @returns what calls it off */
  after(delayMs: number, run: () => void): () => void;
}

export const pageClock: PageClock = {
  now: () => Date.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};
