/**
 * What a projection is: a pure fold over events that answers a question. Owns its shape, and how one is made that
 * can be carried to another engine; how it is run is in project.ts, follow.ts and materialize.ts.
 *
 * PJ1  A fold depends on nothing but its events: no clock, no chance, no program of the actors. The same events give the
 *      same state.
 * PJ2  A state that was given out never changes: `apply` copies what it changes, and gives the same state back where an
 *      event means nothing to it.
 * PJ3  A portable projection is a function without a name from outside: its source text is all of it.
 */
import { foldKit, type FoldKit } from './fold-kit.ts';
import type { ProjectedEvent } from './projected-event.ts';

/** A pure fold over the log that answers a question. */
export interface Projection<State, Result = State> {
  /** Names it in a store. */
  readonly name: string;
  /** A whole number, raised whenever its fold changes: the new one is then built beside the old one. */
  readonly version: number;
  readonly initial: State;
  /** The state after one more event; the same state where the event means nothing to it. Changes nothing it is given. */
  apply(state: State, event: ProjectedEvent): State;
  /** What the state says, for those who read it; the state itself when omitted. */
  result?(state: State): Result;
}

/** Something that merges: the interface of `Monoid` in fp-ts. */
export interface Monoid<Value> {
  readonly empty: Value;
  concat(x: Value, y: Value): Value;
}

/** A projection whose states merge: what was folded of some streams, and of the others, is what is folded of all. */
export interface MergingProjection<State, Result = State> extends Projection<State, Result>, Monoid<State> {}

/** The pure functions of a portable projection. */
export interface Fold<State, Result> {
  readonly initial: State;
  apply(state: State, event: ProjectedEvent): State;
  result(state: State): Result;
}

/**
 * Makes a fold, given the kit and the parameters. Its source text is carried to where it runs: it may use what it is given
 * and what is in it, nothing else.
 */
export type FoldMaker<State, Result, Params> = (kit: FoldKit, params: Params) => Fold<State, Result>;

/** Where the source text of a projection comes from. */
export interface PortableSource {
  readonly make: (...args: never[]) => unknown;
  /** What it is made with, as JSON. */
  readonly params: string;
}

/** A projection that can run in another engine, such as KurrentDB. */
export interface PortableProjection<State, Result = State> extends Projection<State, Result> {
  readonly portable: PortableSource;
  result(state: State): Result;
}

/**
 * Makes a projection that can be carried to KurrentDB with `toKurrentSource`. `make` must stand on its own: it may use the
 * kit and its parameters, which are plain JSON, and no name from outside.
 *
 * @example
 * const counts = portableProjection('counts', 1, () => ({
 *   initial: { events: 0 },
 *   apply: (state) => ({ events: state.events + 1 }),
 *   result: (state) => state.events,
 * }));
 */
export function portableProjection<State, Result, Params = null>(
  name: string,
  version: number,
  make: FoldMaker<State, Result, Params>,
  ...[params]: null extends Params ? [params?: Params] : [params: Params]
): PortableProjection<State, Result> {
  const json = JSON.stringify(params ?? null);
  const { initial, apply, result } = make(foldKit(), JSON.parse(json) as Params);
  return { name, version, initial, apply, result, portable: { make, params: json } };
}

/** What a state says. */
export function resultOf<State, Result>(projection: Projection<State, Result>, state: State): Result {
  // Without `result` the two types are the same: Result is State by default.
  return projection.result ? projection.result(state) : (state as unknown as Result);
}
