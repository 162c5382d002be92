/**
 * Two paths beside each other. Owns which frame stands beside which, and where they begin to differ.
 *
 * SS1  Frames of one stimulus of the original stand beside each other, in the order of the fork; what only one path has, or was moved, stands
 *      alone.
 * SS2  Paths differ where states, contexts, facts or what was done differ; addresses are compared without the numbers of lives.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Revision } from '../log/event-log.ts';
import type { Frame } from './frame.ts';
import { placeOf } from './relive.ts';

export type Pair = readonly [original: number, fork: number];

/** @param origins of the frames of the fork, in the original */
export function sideBySide(
  original: readonly Frame[],
  fork: readonly Frame[],
  origins: readonly (Revision | undefined)[],
): { readonly pairs: readonly Pair[]; readonly firstDivergence: number } {
  const indexOf = new Map(original.map(({ revision }, index) => [revision, index]));
  const indices = origins.map((origin) => (origin === undefined ? undefined : indexOf.get(origin)));
  const inOrder = longestRise(indices);
  const pairs: Pair[] = [];
  let next = 0;
  for (const [at, index] of indices.entries()) {
    if (index === undefined || !inOrder.has(at)) {
      pairs.push([-1, at]);
      continue;
    }
    for (; next < index; next++) pairs.push([next, -1]);
    pairs.push([next++, at]);
  }
  for (; next < original.length; next++) pairs.push([next, -1]);
  const firstDivergence = pairs.findIndex(([one, other]) => differ(original[one], fork[other]));
  return { pairs, firstDivergence };
}

/** Places of the longest rising sequence: what was moved stands alone, and the rest beside what it was. */
function longestRise(values: readonly (number | undefined)[]): Set<number> {
  // Patience sorting: the place that ends the best sequence of each length, and what comes before each place.
  const ends: number[] = [];
  const before = new Map<number, number | undefined>();
  for (const [at, value] of values.entries()) {
    if (value === undefined) continue;
    const length = ends.findLastIndex((end) => values[end]! < value) + 1;
    before.set(at, ends[length - 1]);
    ends[length] = at;
  }
  const rise = new Set<number>();
  for (let at = ends.at(-1); at !== undefined; at = before.get(at)) rise.add(at);
  return rise;
}

/** SS2. */
function differ(one: Frame | undefined, other: Frame | undefined): boolean {
  return !one || !other || !isDeepStrictEqual(essence(one), essence(other));
}

function essence({ label, payload, transitions, facts, actors, effects, timers }: Frame): object {
  return {
    label,
    payload,
    transitions: transitions.map(({ actor, event, to, status }) => [placeOf(actor), event, to, status]),
    facts: facts.map(({ actor, data }) => [placeOf(actor), data]),
    actors: actors.map(({ address, status, value, context }) => [placeOf(address), status, value, context]),
    effects: effects.map(({ actor }) => placeOf(actor)),
    timers: timers.map(({ actor, id, dueAt }) => [placeOf(actor), id, dueAt]),
  };
}
