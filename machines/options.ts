/**
 * The checks that options of every machine have in common. Owns their messages: the path of the option, what was expected
 * and what was found; which options there are is each machine's own.
 *
 * OP1  A wrong option is an InvalidArgumentError when a machine is made, never when it runs.
 */
import { InvalidArgumentError, toMs, type Duration } from 'rewake';

/** @throws InvalidArgumentError unless the options are an object with none but these names */
export function requireKnown(options: unknown, names: readonly string[], path: string): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw InvalidArgumentError.of(path, 'an object of options', options);
  }
  for (const name of Object.keys(options)) {
    if (names.includes(name)) continue;
    throw new InvalidArgumentError(
      `${path}.${name}: expected one of the options ${names.join(', ')}; there is no '${name}'.`,
    );
  }
}

/** A text that is not empty. */
export function requireName(value: string, path: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw InvalidArgumentError.of(path, 'a name', value);
}

/**
 * A name that becomes part of a chart. XState takes a dot in it for a way through states, a number sign at its beginning for
 * an id, and a star for every event.
 */
export function requireChartName(value: string, path: string): string {
  const name = requireName(value, path);
  if (!/\.|^#|^\*$|^__proto__$/.test(name)) return name;
  throw InvalidArgumentError.of(
    path,
    "a name without a dot that does not begin with '#' and is not '*' or '__proto__'",
    value,
  );
}

const actorIdLengthMax = 200;
// Control characters, and halves of surrogate pairs.
const unstorable = /[\p{Cc}\p{Cs}]/u;

/** A name that can be the id of an actor, as that of an actor which many share must be. */
export function requireKey(value: string, path: string): string {
  const isId = typeof value === 'string' && value !== '' && value.length <= actorIdLengthMax && !unstorable.test(value);
  if (isId) return value;
  const expected = `a name of 1 to ${actorIdLengthMax} characters without control characters`;
  throw InvalidArgumentError.of(path, expected, value);
}

/** A function, where one is given. */
export function requireFunction(value: unknown, path: string): void {
  if (value !== undefined && typeof value !== 'function') throw InvalidArgumentError.of(path, 'a function', value);
}

/** Something that can be run as an actor. */
export function requireLogic(value: unknown, path: string): void {
  const transition =
    typeof value === 'object' && value !== null && 'transition' in value ? value.transition : undefined;
  if (typeof transition === 'function') return;
  const { message } = InvalidArgumentError.of(path, 'actor logic, such as a step or fromPromise(…)', value);
  const hint = typeof value === 'function' ? ' Wrap it with step(name, fn) or effect(fn).' : '';
  throw new InvalidArgumentError(message + hint);
}

/** True or false. */
export function requireBoolean(value: boolean, path: string): boolean {
  if (typeof value === 'boolean') return value;
  throw InvalidArgumentError.of(path, 'true or false', value);
}

/** One of a few words. */
export function oneOf<Word extends string>(value: Word, words: readonly Word[], path: string): Word {
  if (words.includes(value)) return value;
  const [last, ...others] = words.map((word) => `'${word}'`).toReversed();
  throw InvalidArgumentError.of(path, `${others.toReversed().join(', ')} or ${last}`, value);
}

/** A finite number for which something holds. */
export function numberWhere(value: number, path: string, expected: string, holds: (value: number) => boolean): number {
  if (typeof value === 'number' && Number.isFinite(value) && holds(value)) return value;
  throw InvalidArgumentError.of(path, expected, value);
}

/** A whole number between two bounds. */
export function wholeNumber(value: number, path: string, least: number, most = Number.MAX_SAFE_INTEGER): number {
  const bound = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
  return numberWhere(value, path, `a whole number ${bound}`, (n) => Number.isInteger(n) && n >= least && n <= most);
}

/** What one timer of Node, and so one of plain XState, can hold, in ms: some 24.8 days. A longer one fires at once. */
export const timerMsMax = 2 ** 31 - 1;

/** A finite duration in ms. */
export function durationMs(value: Duration, path: string, leastMs = 0, mostMs = Number.MAX_VALUE): number {
  const most = mostMs === Number.MAX_VALUE ? '' : ` and at most ${mostMs} ms`;
  const expected = `a duration of at least ${leastMs} ms${most}, such as 250 or '30s'`;
  try {
    const ms = toMs(value);
    if (ms >= leastMs && ms <= mostMs) return ms;
  } catch (cause) {
    throw InvalidArgumentError.of(path, expected, value, cause);
  }
  throw InvalidArgumentError.of(path, expected, value);
}
