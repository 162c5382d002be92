/**
 * What all combinators have in common: the type of the machine, how the events of an invoked logic become parameters, what
 * an actor sees of the machine around it and of the one inside, and how a machine fails.
 *
 * PM1  A machine fails in a step of its own, after the one that told why: what it emits in the step in which it throws is
 *      lost, under plain XState too.
 * PM2  What a user's predicate throws is what the machine fails with, as it is: a guard that throws hides it behind a text of
 *      XState's. So the guard says no, and the action that keeps the failure asks the predicate again.
 */
import type {
  EventObject,
  MetaObject,
  ParameterizedObject,
  ProvidedActor,
  StateMachine,
  StateSchema,
  StateValue,
} from 'xstate';
import type { CheckpointSaved } from 'rewake';

/** A machine with the input and output of what it wraps, its context, the facts it tells, and the events it takes. */
export type PolicyMachine<
  Context extends object,
  Input,
  Output,
  Fact extends EventObject,
  Event extends EventObject = EventObject,
> = StateMachine<
  Context,
  Event,
  Record<string, never>,
  ProvidedActor,
  ParameterizedObject,
  ParameterizedObject,
  string,
  StateValue,
  string,
  Input,
  Output,
  Fact,
  MetaObject,
  StateSchema
>;

export interface Ended {
  readonly output: unknown;
}

export interface Failed {
  readonly error: unknown;
}

/** The output of the invoked logic, from its done event. */
export function outputOf({ event }: { event: unknown }): Ended {
  return { output: (event as Ended).output };
}

/** What the invoked logic failed with, from its error event. */
export function errorOf({ event }: { event: unknown }): Failed {
  return { error: (event as Failed).error };
}

/** What a call saved for the machine around it. */
export type Saved = Pick<CheckpointSaved, 'value'>;

/** The same, from the event that this machine hears. */
export function savedOf({ event }: { event: unknown }): Saved {
  return { value: (event as CheckpointSaved).value };
}

/** What an actor is seen by. */
export interface Snapshots {
  getSnapshot(): unknown;
}

/** The actor that was invoked as `call`, also when it has just ended. */
export function callOf(self: Snapshots): Snapshots | undefined {
  return (self.getSnapshot() as { children: Record<string, Snapshots | undefined> }).children.call;
}

/** What the machine that was invoked as `call` remembers, also when it has just ended; undefined for other logic. */
export function contextOfCall(self: Snapshots): unknown {
  return (callOf(self)?.getSnapshot() as { context?: unknown } | undefined)?.context;
}

/** Whether the machine that invokes an actor is in one of these states already when it starts: it was, in an earlier life. */
export function isResumed(
  { _parent: parent }: { readonly _parent?: Snapshots | undefined },
  ...states: StateValue[]
): boolean {
  const snapshot = parent?.getSnapshot() as { matches?(value: StateValue): boolean } | undefined;
  return states.some((state) => snapshot?.matches?.(state) ?? false);
}

/** What a machine sends itself when it has told why it fails; its action `fail` sends it. */
export const toldWhy = { type: 'machine.failed' } as const;

/** The state in which a machine fails (PM1): it needs the actions `fail` and `throwFailure`. */
export const failing = { entry: 'fail', on: { [toldWhy.type]: { actions: 'throwFailure' } } } as const;

/** What a guard says for a user's predicate: false where it throws (PM2). */
export function holds(predicate: () => boolean): boolean {
  try {
    return predicate();
  } catch {
    return false;
  }
}

/** The error, unless the predicate throws when it is asked about it: then what that throws (PM2). */
export function orThrown(error: unknown, predicate: () => unknown): unknown {
  try {
    predicate();
    return error;
  } catch (thrown) {
    return thrown;
  }
}
