/**
 * Slots of a bulkhead in this process: so many at once, so many waiting, first come first served. Owns the queue; a slot
 * belongs to a running call, so it ends with its process and nothing of it is on a log.
 *
 * SL1  A slot that is given back is handed to the first who waits, in the same turn.
 * SL2  Nobody overtakes who waits, whatever limits the two were given.
 * SL3  Who stops waiting leaves the queue and holds nobody up.
 */

/** How many calls may run and wait. */
export interface SlotLimits {
  readonly concurrency: number;
  readonly queue: number;
}

/** Somebody who has or wants a slot. */
export interface Claim {
  /** Gives the slot back, or stops waiting for it; once. */
  release(): void;
}

interface Waiter {
  /** With how many others it may run: steps with one key may have limits of their own. */
  readonly concurrency: number;
  readonly granted: () => void;
}

export class Slots {
  #running = 0;
  readonly #waiting: Waiter[] = [];

  /** Calls and waiters at the moment. */
  get usage(): { readonly running: number; readonly waiting: number } {
    return { running: this.#running, waiting: this.#waiting.length };
  }

  /**
   * Claims a slot: `granted` is called when it is there, at once where one is free; undefined when the queue is full.
   * @param resumed the call runs already, since an earlier life of its process: it takes its slot without asking
   */
  claim({ concurrency, queue }: SlotLimits, granted: () => void, resumed = false): Claim | undefined {
    if (resumed || (this.#running < concurrency && this.#waiting.length === 0)) {
      this.#running++;
      granted();
      return { release: once(() => this.#free()) };
    }
    if (this.#waiting.length >= queue) return undefined;
    let release: () => void = () => {
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      // The one behind it may have a wider limit.
      this.#letIn();
    };
    const waiter: Waiter = {
      concurrency,
      granted: () => {
        release = () => this.#free();
        granted();
      },
    };
    this.#waiting.push(waiter);
    return { release: once(() => release()) };
  }

  #free(): void {
    this.#running--;
    this.#letIn();
  }

  #letIn(): void {
    for (let next = this.#waiting[0]; next && this.#running < next.concurrency; next = this.#waiting[0]) {
      this.#waiting.shift();
      this.#running++;
      next.granted();
    }
  }
}

function once(fn: () => void): () => void {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    fn();
  };
}

const byKey = new Map<string, Slots>();

/** Forgets who runs and waits: for tests, in which one process plays several. */
export function forgetSlots(): void {
  byKey.clear();
}

/** The slots of a dependency in this process. */
export function slotsOf(key: string): Slots {
  let slots = byKey.get(key);
  if (!slots) byKey.set(key, (slots = new Slots()));
  return slots;
}
