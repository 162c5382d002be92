/**
 * What effects answer, as data or as a function. Owns the words of a script and their check; which answer belongs to which effect
 * is scripted-world.ts's.
 */
import type { AnyEventObject } from 'xstate';
import { InvalidArgumentError } from '../errors.ts';

/** What an effect comes to, and how long after it was begun: at once when omitted. */
export type Answer =
  | { readonly output: unknown; readonly afterMs?: number }
  /** An error, or a function that makes one. */
  | { readonly error: unknown; readonly afterMs?: number }
  /** No answer ever comes. */
  | { readonly never: true }
  /** What a callback or an observable tells, one after the other. */
  | { readonly tells: readonly StreamItem[] };

/**
 * One thing that is told, so long after the one before it: an event, by a callback or an event observable; a value, an error or
 * the end, by an observable. A stream that ends otherwise goes on for ever.
 */
export type StreamItem = { readonly afterMs?: number } & (
  | { readonly event: AnyEventObject }
  | { readonly value: unknown }
  /** An error, or a function that makes one. */
  | { readonly error: unknown }
  | { readonly complete: true }
);

/** A call of an effect, as the outside world sees it. */
export interface EffectCall<World = unknown> {
  /** The name by which the script knows it. */
  readonly name: string;
  readonly input: unknown;
  /** The same for every run of one effect: see {@link EffectContext.idempotencyKey}. */
  readonly key: string;
  /** How many effects of this name were begun before this one; one that is run again counts once. */
  readonly index: number;
  /** 1 for the first run of this effect, more where it was lost and is run again. */
  readonly attempt: number;
  readonly world: World;
}

/**
 * What an effect answers: always the same, one after the other, or what a function says; `'live'` runs the effect itself.
 * A list that ends with `{ never: true }` says so of all later calls, too. An effect that is run again gets the answer that it got the first time, unless a function gives another.
 */
export type EffectScript<World = unknown> = Answer | readonly Answer[] | ((call: EffectCall<World>) => Answer) | 'live';

/** @throws InvalidArgumentError */
export function requireScript(script: unknown, where: string): void {
  if (script === 'live' || typeof script === 'function') return;
  const answers: readonly unknown[] = Array.isArray(script) ? script : [script];
  for (const [index, answer] of answers.entries()) {
    requireAnswer(answer, Array.isArray(script) ? `${where}[${index}]` : where);
  }
}

/** @throws InvalidArgumentError */
export function requireAnswer(answer: unknown, where: string): asserts answer is Answer {
  requireOneOf(
    answer,
    where,
    ['output', 'error', 'never', 'tells'],
    '{ output }, { error }, { tells }, { never: true }',
  );
  const { tells } = answer as { tells?: unknown };
  if (tells === undefined) return;
  if (!Array.isArray(tells)) throw InvalidArgumentError.of(`${where}.tells`, 'a list of what is told', tells);
  for (const [index, item] of tells.entries()) {
    const each = `${where}.tells[${index}]`;
    requireOneOf(
      item,
      each,
      ['event', 'value', 'error', 'complete'],
      '{ event }, { value }, { error }, { complete: true }',
    );
  }
}

/** One of several things, and when it comes. */
function requireOneOf(value: unknown, where: string, names: readonly string[], forms: string): void {
  const expected = `one of ${forms}, with { afterMs } if it takes time`;
  const isObject = typeof value === 'object' && value !== null;
  const known = isObject ? names.filter((name) => Object.hasOwn(value, name)) : [];
  const unknown = isObject ? Object.keys(value).filter((name) => name !== 'afterMs' && !names.includes(name)) : [];
  if (known.length !== 1 || unknown.length > 0) {
    const found = isObject && !Array.isArray(value) ? `{ ${Object.keys(value).join(', ')} }` : value;
    throw InvalidArgumentError.of(where, expected, found);
  }
  const { afterMs = 0 } = value as { afterMs?: number };
  if (!(Number.isFinite(afterMs) && afterMs >= 0))
    throw InvalidArgumentError.of(`${where}.afterMs`, 'ms, at least 0', afterMs);
}
