/**
 * Waiting for the end of another root actor, for an effect. Owns when the wait is over and that nothing of it stays behind;
 * where the end is learned of is the runtime's: it tells of what it hosts, and can look where others write.
 *
 * OW1  It watches first and looks then, so that no end falls between the two.
 * OW2  However it settles, it watches nothing and sets no timer any more.
 */
import type { Clock } from '../clock.ts';
import { ActorStoppedError } from '../errors.ts';
import type { AnySnapshot } from '../kernel/xstate-internals.ts';
import { isPassing } from './patience.ts';
import type { Watcher } from './watchers.ts';

/** How often an actor is looked for where others may write to it and nobody tells of it. */
const lookEveryMs = 1_000;

/** What a wait needs of the runtime. */
export interface WaitServices {
  readonly clock: Clock;
  watch(stream: string, watcher: Watcher): () => void;
  /** The state of an actor; undefined while it may go on in another process, so that it has to be looked for again. */
  look(stream: string): Promise<AnySnapshot | undefined>;
}

/**
 * Resolves with the output of an actor once that is durable; rejects with its error, and with the reason of the signal.
 * @param signal not aborted yet
 * @throws ActorStoppedError | NotFoundError | ActorBlockedError
 */
export function outputOf(stream: string, signal: AbortSignal, services: WaitServices): Promise<unknown> {
  const { clock } = services;
  let unwatch = () => {};
  let cancelLook = () => {};
  let abort = () => {};
  let over = false;
  const waited = new Promise<unknown>((resolve, reject) => {
    const check = (snapshot: AnySnapshot) => {
      if (snapshot.status === 'done') resolve(snapshot.output);
      else if (snapshot.status === 'error') reject(snapshot.error as Error);
      else if (snapshot.status === 'stopped') reject(new ActorStoppedError(stream));
    };
    const look = async () => {
      try {
        const found = await services.look(stream);
        if (found) return check(found);
      } catch (error) {
        if (!isPassing(error)) return reject(error as Error);
      }
      if (!over) cancelLook = clock.setTimer(clock.now() + lookEveryMs, () => void look());
    };
    abort = () => reject(signal.reason as Error);
    signal.addEventListener('abort', abort);
    unwatch = services.watch(stream, { next: check, error: reject, failed: reject });
    void look();
  });
  return waited.finally(() => {
    over = true;
    unwatch();
    cancelLook();
    signal.removeEventListener('abort', abort);
  });
}
