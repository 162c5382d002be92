/**
 * now(), random() and uuid() for machine code. Owns the ambient stimulus; does not know actors.
 *
 * D1  While a stimulus is applied, and in the custom actions it caused, now() is the stimulus's time and random() is
 *     seeded by its event id: a fold sees the same values.
 * D2  Anywhere else they are the real ones, so that a machine stays portable to plain XState.
 */
import { hashSeed, realClock, realRandom, seededRandom, type Random, type TimeMs } from '../clock.ts';

/** What machine code may know of the world while a stimulus is applied. */
export interface Ambient {
  readonly at: TimeMs;
  /** Event id of the stimulus. */
  readonly seed: string;
  random?: Random;
}

let ambient: Ambient | undefined;

/** Runs `fn` with the given ambient stimulus and restores the previous one. */
export function withAmbient<T>(next: Ambient, fn: () => T): T {
  const previous = ambient;
  ambient = next;
  try {
    return fn();
  } finally {
    ambient = previous;
  }
}

/** The time of the stimulus being applied, in ms since the Unix epoch; the real time outside of one. */
export function now(): TimeMs {
  return ambient ? ambient.at : realClock.now();
}

/** A number in [0, 1), the same when the stimulus is folded again; a real random number outside of a stimulus. */
export function random(): number {
  return source()();
}

/** A version 4 UUID (RFC 9562) drawn from {@link random}, so that a fold draws the same one. */
export function uuid(): string {
  const draw = source();
  let digits = '';
  for (let i = 0; i < 32; i++) {
    const nibble = Math.floor(draw() * 16);
    digits += (i === 12 ? 4 : i === 16 ? (nibble & 3) | 8 : nibble).toString(16);
  }
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`;
}

function source(): Random {
  if (!ambient) return realRandom;
  return (ambient.random ??= seededRandom(hashSeed(ambient.seed)));
}
