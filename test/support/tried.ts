/**
 * What the kit tried in a test, for the tally, and what was told in a run.
 */
import type { Outcome, Tally } from 'rewake/testing';
import { count } from './recovery-tally.ts';

/** Adds what a sweep or a fuzz of a scenario tried. */
export function countTried({ plans, crashes, damages }: Tally): void {
  count('fault plans', plans);
  count('crashes', crashes);
  count('log damages', damages);
}

/** Types of the facts of all streams, each in its order. */
export function typesOf({ facts }: Pick<Outcome, 'facts'>): string[] {
  const streams = Object.keys(facts).sort();
  return streams.flatMap((stream) => facts[stream]!.map(({ fact }) => (fact as { readonly type: string }).type));
}
