/**
 * What was finished of something that failed, so that it is not done again when it is called again. Owns how that travels:
 * outward on an error, and inward in the place of the input.
 *
 * PG1  Only a logic that says so is given progress, and what passes its input on unchanged to such a logic says so, too.
 * PG2  Progress is plain data; whoever made it is the only one who reads it.
 */
import type { AnyActorLogic } from 'xstate';
import { read } from './classify.ts';

const takers = new WeakSet<object>();

/** Notes that a logic goes on from progress that it is given in the place of its input. */
export function noteProgress(logic: AnyActorLogic): void {
  takers.add(logic);
}

/** Whether a logic goes on from progress. */
export function takesProgress(logic: AnyActorLogic): boolean {
  return takers.has(logic);
}

const key = 'rewake.progress';

interface Envelope {
  readonly [key]: unknown;
  readonly input: unknown;
}

/** What a logic is called again with after it failed with this error. */
export function inputAgain(logic: AnyActorLogic, input: unknown, error: unknown): unknown {
  return takesProgress(logic) ? withProgress(input, progressOf(error)) : input;
}

/** An input with progress in it; as it is where there is none. */
export function withProgress(input: unknown, progress: unknown): unknown {
  if (progress === undefined) return input;
  return { [key]: progress, input: openedProgress(input).input } satisfies Envelope;
}

/** An input without the progress in it, and that. */
export function openedProgress(given: unknown): { readonly input: unknown; readonly progress: unknown } {
  const isEnvelope = typeof given === 'object' && given !== null && key in given;
  return isEnvelope
    ? { input: (given as Envelope).input, progress: (given as Envelope)[key] }
    : { input: given, progress: undefined };
}

/** What was finished before this error, also where a handler or a retry gave up with it; undefined where it does not say. */
export function progressOf(error: unknown): unknown {
  let each = error;
  for (let depth = 0; depth < 10 && each instanceof Error; depth++) {
    const progress = read(each, 'progress');
    if (progress !== undefined) return progress;
    each = read(each, 'originalError') ?? each.cause;
  }
  return undefined;
}
