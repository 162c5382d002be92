/**
 * What a store keeps of a projection, as text and back. Owns the format; when it is saved is materialize.ts's.
 *
 * KS1  Whoever reads what is served needs no fold: the result is kept beside the state, as the version gave it that made it.
 * KS2  A text that is not one of these is as if it were not there.
 */
import { decode, DecodeError, encode, type Json, type Position, type ProjectionStore } from 'rewake';
import { requireProjection, requireStore } from './arguments.ts';
import { resultOf, type Projection } from './projection.ts';
import type { Progress, SkippedStream } from './reading.ts';

/** What is served of a projection. */
export interface ServedProjection<Result> {
  /** The version that made it; a lower one than the projection's own while that one is built. */
  readonly version: number;
  /** What this version says. */
  readonly result: Result;
  /** Up to where the log is in it. */
  readonly position: Position | undefined;
  /** Streams that are left out. */
  readonly skipped: readonly SkippedStream[];
}

interface Kept extends Progress<unknown> {
  /** Absent where it is the state. */
  readonly result?: unknown;
}

/** @throws NotSerializableError where state or result hold what the codec cannot carry */
export function textOf<State, Result>(projection: Projection<State, Result>, progress: Progress<State>): string {
  const kept: Kept = projection.result ? { ...progress, result: resultOf(projection, progress.state) } : progress;
  return JSON.stringify(encode(kept, `state of projection '${projection.name}' version ${projection.version}`).json);
}

/** KS2. */
export function progressIn<State>(data: string): Progress<State> | undefined {
  const kept = keptIn(data);
  return kept && { state: kept.state as State, last: kept.last, skipped: kept.skipped };
}

/**
 * What is served of a projection, in any process that has the store; undefined where nothing is.
 *
 * @example
 * const served = await readProjection(executions, log.projections);
 */
export async function readProjection<State, Result>(
  projection: Projection<State, Result>,
  store: ProjectionStore,
): Promise<ServedProjection<Result> | undefined> {
  requireProjection(projection, 'readProjection');
  requireStore(store, 'readProjection');
  const served = await store.served(projection.name);
  const kept = served && keptIn(served.stored.data);
  if (!kept) return undefined;
  const { version, stored } = served;
  const result = ('result' in kept ? kept.result : kept.state) as Result;
  return { version, result, position: stored.position, skipped: kept.skipped };
}

function keptIn(data: string): Kept | undefined {
  let value: unknown;
  try {
    value = decode(JSON.parse(data) as Json);
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof DecodeError) return undefined;
    throw error;
  }
  const isKept =
    typeof value === 'object' && value !== null && 'state' in value && 'last' in value && 'skipped' in value;
  return isKept ? (value as Kept) : undefined;
}
