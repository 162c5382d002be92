/**
 * The type that every combinator returns: an XState machine with the input and output of what it wraps. Owns no code but
 * how the events of an invoked logic become parameters.
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

/** A machine with the input and output of what it wraps, its context, and the facts it tells. */
export type PolicyMachine<Context extends object, Input, Output, Fact extends EventObject> = StateMachine<
  Context,
  EventObject,
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
