/**
 * When which actor wakes next. Owns one indexed binary heap of (time, stream); does not know what a wake-up does.
 *
 * W1  A stream is in the heap at most once; setting it again moves it.
 * W2  The top is the earliest wake-up; equal times come in the order of stream names, so that runs repeat.
 */
import type { TimeMs } from '../clock.ts';

export interface Wake {
  readonly stream: string;
  readonly at: TimeMs;
}

export class WakeHeap {
  #heap: Wake[] = [];
  #places = new Map<string, number>();

  get size(): number {
    return this.#heap.length;
  }

  peek(): Wake | undefined {
    return this.#heap[0];
  }

  set(stream: string, at: TimeMs): void {
    const place = this.#places.get(stream);
    if (place === undefined) {
      this.#heap.push({ stream, at });
      this.#up(this.#heap.length - 1);
    } else if (this.#heap[place]!.at !== at) {
      this.#heap[place] = { stream, at };
      this.#down(this.#up(place));
    }
  }

  delete(stream: string): void {
    const place = this.#places.get(stream);
    if (place === undefined) return;
    this.#places.delete(stream);
    const last = this.#heap.pop()!;
    if (place === this.#heap.length) return;
    this.#heap[place] = last;
    this.#down(this.#up(place));
  }

  #up(start: number): number {
    let place = start;
    const wake = this.#heap[place]!;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (!before(wake, this.#heap[parent]!)) break;
      this.#put(place, this.#heap[parent]!);
      place = parent;
    }
    this.#put(place, wake);
    return place;
  }

  #down(start: number): void {
    let place = start;
    const wake = this.#heap[place]!;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#heap.length) break;
      if (child + 1 < this.#heap.length && before(this.#heap[child + 1]!, this.#heap[child]!)) child++;
      if (!before(this.#heap[child]!, wake)) break;
      this.#put(place, this.#heap[child]!);
      place = child;
    }
    this.#put(place, wake);
  }

  #put(place: number, wake: Wake): void {
    this.#heap[place] = wake;
    this.#places.set(wake.stream, place);
  }
}

function before(a: Wake, b: Wake): boolean {
  return a.at < b.at || (a.at === b.at && a.stream < b.stream);
}
