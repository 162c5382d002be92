/**
 * Who watches which actor. Owns subscriptions by stream name, so that they outlive the tree in memory; calls nobody
 * before something is durable.
 */
import type { AnyEventObject } from 'xstate';
import type { AnySnapshot } from '../kernel/xstate-internals.ts';
import type { Logger } from './logger.ts';

export interface Watcher {
  readonly next?: ((snapshot: AnySnapshot) => void) | undefined;
  readonly error?: ((error: unknown) => void) | undefined;
  readonly complete?: (() => void) | undefined;
  /** Called with facts of the root of this type, or of every type with '*'. */
  readonly fact?: { readonly type: string; readonly handler: (event: AnyEventObject) => void };
  /** The actor cannot go on in this runtime: blocked, or the runtime closes. */
  readonly failed?: ((error: unknown) => void) | undefined;
}

export class Watchers {
  readonly #byStream = new Map<string, Set<Watcher>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  add(stream: string, watcher: Watcher): () => void {
    let watchers = this.#byStream.get(stream);
    if (!watchers) this.#byStream.set(stream, (watchers = new Set()));
    watchers.add(watcher);
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0 && this.#byStream.get(stream) === watchers) this.#byStream.delete(stream);
    };
  }

  has(stream: string): boolean {
    return this.#byStream.has(stream);
  }

  /** Tells the watchers of a stream about one durable step. The ones of an actor that ended are let go. */
  tell(stream: string, snapshot: AnySnapshot, moved: boolean, facts: readonly AnyEventObject[]): void {
    const watchers = this.#byStream.get(stream);
    if (!watchers) return;
    for (const watcher of [...watchers]) {
      const { fact } = watcher;
      // Whoever is called may let go of it, or of others.
      const call = (fn: () => void) => watchers.has(watcher) && this.#call(stream, fn);
      if (fact)
        for (const event of facts) if (fact.type === '*' || fact.type === event.type) call(() => fact.handler(event));
      if (!moved) continue;
      if (snapshot.status !== 'error') call(() => watcher.next?.(snapshot));
      if (snapshot.status === 'error') call(() => watcher.error?.(snapshot.error));
      else if (snapshot.status !== 'active') call(() => watcher.complete?.());
    }
    if (snapshot.status !== 'active') this.#byStream.delete(stream);
  }

  /** Tells everyone who waits for something of this stream, or of any stream, that it will not come. */
  fail(stream: string | undefined, error: unknown): void {
    const streams = stream === undefined ? [...this.#byStream.keys()] : [stream];
    for (const name of streams) {
      for (const watcher of [...(this.#byStream.get(name) ?? [])]) this.#call(name, () => watcher.failed?.(error));
    }
  }

  #call(stream: string, fn: () => void): void {
    try {
      fn();
    } catch (error) {
      this.#logger.error({ stream, err: error }, 'an observer threw; the actor is not affected');
    }
  }
}
