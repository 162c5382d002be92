/**
 * Waking actors on time. Owns the heap of wake-ups, the one clock timer in front of it, and the window of dormant actors
 * that is read from the log's index; what a wake-up does is the runtime's.
 *
 * W3  A dormant actor costs nothing until its wake-up comes into the window: the index keeps it.
 * W4  Every actor of the index with a wake-up at or before the horizon is in the heap.
 * W5  An actor that was in memory keeps its wake-up when it leaves, also where the index is not read at all.
 * W6  What a loaded actor says of its wake-up while the index is being read is newer than what is read of it.
 */
import type { Clock, TimeMs } from '../clock.ts';
import type { EventLog } from '../log/event-log.ts';
import { WakeHeap } from './wake-heap.ts';

/** When a failed reading of the index is tried again. */
const retryMs = 1_000;
/** How many dormant actors are read into the heap at a time. */
const windowSize = 1_000;

/** Up to where the index has been read. */
interface Cursor {
  readonly wakeAt: TimeMs;
  readonly stream: string;
}

export class Wakes {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #wake: (stream: string) => void;
  readonly #onError: (error: unknown) => void;
  readonly #heap = new WakeHeap();
  /** Nothing of the index is in the heap yet. */
  #horizon = -Infinity;
  /** Where the next window begins; undefined when no other will be read. */
  #cursor: Cursor | undefined;
  #filling: Promise<void> | undefined;
  /** W6. Actors that spoke of their wake-up since the reading began. */
  readonly #spoken = new Set<string>();
  #timer: { at: TimeMs; cancel: () => void } | undefined;
  #closed = false;

  constructor(log: EventLog, clock: Clock, wake: (stream: string) => void, onError: (error: unknown) => void) {
    this.#log = log;
    this.#clock = clock;
    this.#wake = wake;
    this.#onError = onError;
  }

  /** The index is being read; resolves when what it says is in the heap. */
  get reading(): Promise<void> | undefined {
    return this.#filling;
  }

  /** A loaded actor's wake-up changed. */
  set(stream: string, at: TimeMs | undefined): void {
    if (this.#filling) this.#spoken.add(stream);
    if (at === undefined) this.#heap.delete(stream);
    else this.#heap.set(stream, at);
    this.#arm();
  }

  /** W5. An actor left memory: it is in the heap, or in a part of the index that is still to be read. */
  passivate(stream: string, at: TimeMs | undefined): void {
    const isReadLater = at !== undefined && this.#cursor && !this.#filling && at > this.#horizon;
    if (at === undefined || isReadLater) this.#heap.delete(stream);
  }

  /** Reads the first window of dormant actors. */
  async open(): Promise<void> {
    while (this.#filling) await this.#filling;
    await this.#fill(undefined);
    this.#arm();
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  #arm(): void {
    if (this.#closed) return;
    const next = this.#heap.peek()?.at ?? Infinity;
    const at = Math.min(next, this.#cursor ? this.#horizon : Infinity);
    if (at === this.#timer?.at) return;
    this.#timer?.cancel();
    this.#timer = at === Infinity ? undefined : { at, cancel: this.#clock.setTimer(at, () => this.#ring()) };
  }

  #ring(): void {
    this.#timer = undefined;
    if (this.#closed) return;
    const now = this.#clock.now();
    for (let top = this.#heap.peek(); top && top.at <= now; top = this.#heap.peek()) {
      this.#heap.delete(top.stream);
      this.#wake(top.stream);
    }
    if (this.#cursor && this.#horizon <= now) this.#refill();
    else this.#arm();
  }

  #refill(): void {
    if (this.#filling) return;
    this.#fill(this.#cursor)
      .catch((error: unknown) => {
        this.#onError(error);
        this.#horizon = this.#clock.now() + retryMs;
      })
      .finally(() => this.#arm());
  }

  #fill(after: Cursor | undefined): Promise<void> {
    const reading = this.#read(after).finally(() => {
      this.#filling = undefined;
      this.#spoken.clear();
    });
    this.#filling = reading.catch(() => {});
    return reading;
  }

  async #read(after: Cursor | undefined): Promise<void> {
    let cursor = after;
    let rows = 0;
    const wakes = after ? { after } : {};
    for await (const row of this.#log.actors({ status: 'active', wakes, limit: windowSize })) {
      rows++;
      // A damaged index must not stop the wake-ups of the others.
      if (!Number.isFinite(row.wakeAt)) continue;
      cursor = { wakeAt: row.wakeAt!, stream: row.stream };
      if (!this.#spoken.has(row.stream)) this.#heap.set(row.stream, row.wakeAt!);
    }
    this.#cursor = rows < windowSize ? undefined : cursor;
    this.#horizon = this.#cursor?.wakeAt ?? Infinity;
  }
}
