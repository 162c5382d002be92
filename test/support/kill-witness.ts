/**
 * What effects did to the world, as the world saw it: a file beside the log that every life of the killed process writes
 * to. Owns writing and reading its lines.
 *
 * KW1  A line is one write() in append mode: once it returned, the line outlives SIGKILL. It need not be synced: a sync
 *      guards against power cuts, which no test makes, and would slow every effect by a disk's turn.
 */
import { existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { realClock } from '../../src/clock.ts';
import type { EffectContext } from '../../src/runtime/effect.ts';

/** One line: an effect began, or ended by itself. */
export interface Sighting {
  readonly phase: 'began' | 'ended';
  readonly key: string;
  readonly stream: string;
  readonly actor: string;
  readonly attempt: number;
  /** Real time, in ms since the epoch. */
  readonly at: number;
}

export type Witness = (phase: Sighting['phase'], context: EffectContext) => void;

/** A witness that writes to a file. */
export function fileWitness(path: string): Witness {
  const file = openSync(path, 'a');
  return (phase, { idempotencyKey: key, stream, actor, attempt }) => {
    const sighting: Sighting = { phase, key, stream, actor, attempt, at: realClock.now() };
    writeSync(file, `${JSON.stringify(sighting)}\n`);
  };
}

/** Everything that was seen, in order. */
export function readSightings(path: string): Sighting[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, 'utf8').split('\n');
  return lines.flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Sighting]));
}
