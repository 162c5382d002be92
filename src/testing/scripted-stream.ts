/**
 * Callbacks and observables that tell what a script says. Owns what stands in their place, and when each item is due; what is
 * told when is scripted-world.ts's.
 *
 * SS1  A stream goes on where the log says that it was: what was recorded is not told again, what was not is. It is no more
 *      and no less than what a source does that knows what its listener has.
 * SS2  What a scripted callback is sent, it does not hear.
 */
import { fromCallback, fromEventObservable, fromObservable, type AnyActorLogic, type AnyEventObject } from 'xstate';
import type { PendingEffect } from '../kernel/actor-tree.ts';
import type { StreamItem } from './effect-script.ts';

/** Kinds of effects that tell many things. */
export type StreamKind = Extract<PendingEffect['actor']['kind'], 'callback' | 'observable' | 'eventObservable'>;

/** Which fields an item can have that is told by a stream of this kind. */
export const itemsOf: Readonly<Record<StreamKind, readonly string[]>> = {
  callback: ['event'],
  observable: ['value', 'error', 'complete'],
  eventObservable: ['event', 'error', 'complete'],
};

/** @returns whether an effect of this kind tells many things */
export function isStream(kind: PendingEffect['actor']['kind']): kind is StreamKind {
  return Object.hasOwn(itemsOf, kind);
}

/** Begins a stream: what `tell` is called with is heard. Answers with what ends it. */
export type BeginStream = (input: unknown, tell: (item: StreamItem) => void) => () => void;

/** Logic of a kind that tells what it is made to. @param errorOf makes the error that is told */
export function streamLogic(kind: StreamKind, begin: BeginStream, errorOf: (error: unknown) => unknown): AnyActorLogic {
  if (kind === 'callback') {
    return fromCallback(({ input, sendBack }) =>
      begin(input, (item) => void ('event' in item && sendBack(item.event))),
    );
  }
  const subscribed = (input: unknown, observer: Observing) => {
    const tell = (item: StreamItem) => {
      if ('error' in item) observer.error?.(errorOf(item.error));
      else if ('complete' in item) observer.complete?.();
      else observer.next?.('event' in item ? item.event : item.value);
    };
    return { unsubscribe: begin(input, tell) };
  };
  if (kind === 'observable')
    return fromObservable<unknown, unknown>(({ input }) => ({
      subscribe: (observer: unknown) => subscribed(input, observer as Observing),
    }));
  return fromEventObservable<AnyEventObject, unknown>(({ input }) => ({
    subscribe: (observer: unknown) => subscribed(input, observer as Observing),
  }));
}

interface Observing {
  readonly next?: (value: unknown) => void;
  readonly error?: (error: unknown) => void;
  readonly complete?: () => void;
}

/** When each item is due, in ms since the epoch; each so long after the one before it. */
export function dueTimes(items: readonly StreamItem[], startMs: number): number[] {
  let dueAt = startMs;
  return items.map(({ afterMs = 0 }) => (dueAt += afterMs));
}
