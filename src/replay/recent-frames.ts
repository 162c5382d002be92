/**
 * The frames that were looked at last. Owns how many are kept, by every revision that is part of one.
 */
import type { Revision } from '../log/event-log.ts';
import type { Frame } from './frame.ts';

export class RecentFrames {
  readonly #frames = new Map<Revision, Frame>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get(revision: Revision): Frame | undefined {
    return this.#frames.get(revision);
  }

  add(frame: Frame): void {
    for (let revision = frame.revision; revision <= frame.lastRevision; revision++) {
      this.#frames.delete(revision);
      this.#frames.set(revision, frame);
    }
    for (const oldest of this.#frames.keys()) {
      if (this.#frames.size <= this.#max) return;
      this.#frames.delete(oldest);
    }
  }

  clear(): void {
    this.#frames.clear();
  }
}
