/**
 * What effects answer, as data or as a function. Owns the words of a script and their check; which answer belongs to which effect
 * is scripted-world.ts's.
 */
import { InvalidArgumentError } from '../errors.ts';

/** What an effect comes to, and how long after it was begun: at once when omitted. */
export type Answer =
  | { readonly output: unknown; readonly afterMs?: number }
  /** An error, or a function that makes one. */
  | { readonly error: unknown; readonly afterMs?: number }
  /** No answer ever comes. */
  | { readonly never: true };

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
  const kinds = ['output', 'error', 'never'].filter((kind) => Object.hasOwn(Object(answer) as object, kind));
  const expected = 'one of { output }, { error }, { never: true }, with { afterMs } if it takes time';
  if (kinds.length !== 1)
    throw InvalidArgumentError.of(where, expected, kinds.length > 1 ? kinds.join(' and ') : answer);
  const { afterMs = 0 } = answer as { afterMs?: number };
  if (!(afterMs >= 0)) throw InvalidArgumentError.of(`${where}.afterMs`, 'ms, at least 0', afterMs);
}
