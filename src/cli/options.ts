/**
 * Values of options, checked. Owns what is said of one that is not as it should be.
 */
import type { Options } from './command.ts';
import { UsageError } from './usage-error.ts';

/** `notMatch` as it is written: `--not-match`. */
function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

export function textOption(options: Options, name: string): string | undefined {
  return options[name] as string | undefined;
}

export function listOption(options: Options, name: string): readonly string[] {
  const value = options[name];
  return Array.isArray(value) ? (value as readonly string[]) : [];
}

/** @throws UsageError for what is no whole number, or too small */
export function numberOption(
  options: Options,
  name: string,
  { least }: { readonly least: number },
): number | undefined {
  const value = options[name];
  return value === undefined ? undefined : wholeNumber(String(value), flagOf(name), least);
}

/** @throws UsageError */
export function wholeNumber(text: string, where: string, least = 0): number {
  const number = /^\d+$/.test(text) ? Number(text) : NaN;
  if (Number.isSafeInteger(number) && number >= least) return number;
  throw new UsageError(`${where}: expected a whole number from ${least} on, found '${text}'.`);
}

/** @throws UsageError for what is no regular expression */
export function patternOption(options: Options, name: string): RegExp | undefined {
  const text = textOption(options, name);
  if (text === undefined) return undefined;
  try {
    return new RegExp(text, 'u');
  } catch (error) {
    throw new UsageError(`${flagOf(name)}: '${text}' is no regular expression: ${(error as Error).message}.`);
  }
}
