/**
 * One after the other: who comes first is through before the next one begins.
 */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    // A turn that failed is over, too.
    this.#last = turn.catch(() => undefined);
    return turn;
  }
}
