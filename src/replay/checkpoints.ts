/**
 * The places from which a replay goes on. Owns which are kept.
 *
 * CK1  Every checkpoint stands between two entries: it is what a fold of all before it is.
 * CK2  What they hold as text is bounded: beyond that every other one is given up, and they are kept twice as far apart.
 */
import type { Revision } from '../log/event-log.ts';
import type { DescribedFold } from './code-fold.ts';
import type { LogState } from './log-state.ts';

/**
 * What the code is at: a fold; nothing yet, where the history begins here; or nothing that can be used, where it does not fit the
 * history and only the next rebase helps.
 */
export type CodePlace = DescribedFold | 'unbegun' | 'unfit';

/** CK1. */
export interface Checkpoint {
  /** Revision of the entry that comes next. */
  readonly next: Revision;
  readonly log: LogState;
  /** Undefined where a replay uses no code. */
  readonly code: CodePlace | undefined;
}

const charsMax = 64_000_000;

export class Checkpoints {
  #kept: Checkpoint[] = [];
  #every: number;
  readonly #charsMax: number;
  #chars = 0;

  /** @param charsMax of all texts together */
  constructor(every: number, limit: number = charsMax) {
    this.#every = every;
    this.#charsMax = limit;
  }

  /** Whether one is due before the entry at a revision. */
  isDue(next: Revision): boolean {
    const below = this.below(next);
    return below === undefined || next - below.next >= this.#every;
  }

  /** The nearest one from which a revision can be reached. */
  below(revision: Revision): Checkpoint | undefined {
    return this.#kept[this.#place(revision + 1) - 1];
  }

  keep(checkpoint: Checkpoint): void {
    const place = this.#place(checkpoint.next);
    if (this.#kept[place]?.next === checkpoint.next) return;
    this.#kept.splice(place, 0, checkpoint);
    this.#chars += charsOf(checkpoint);
    // CK2. The first one stays: without it there is nothing to begin from.
    while (this.#chars > this.#charsMax && this.#kept.length > 2) {
      this.#every *= 2;
      this.#kept = this.#kept.filter((_, index) => index % 2 === 0);
      this.#chars = this.#kept.reduce((sum, each) => sum + charsOf(each), 0);
    }
  }

  /** One that cannot be taken up. */
  remove(checkpoint: Checkpoint): void {
    this.#kept = this.#kept.filter((each) => each !== checkpoint);
    this.#chars -= charsOf(checkpoint);
  }

  clear(): void {
    this.#kept = [];
    this.#chars = 0;
  }

  /** Index of the first one that is not below a revision. */
  #place(revision: Revision): number {
    let [low, high] = [0, this.#kept.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#kept[middle]!.next < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function charsOf({ code }: Checkpoint): number {
  return typeof code === 'object' ? code.text.length : 0;
}
