/**
 * JSON on the command line, on stdin and in files. Owns what is said of text that is none.
 */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Json } from '../log/json.ts';
import { UsageError } from './usage-error.ts';
import type { Io } from './terminal.ts';

/** @throws UsageError */
export function parseJson(source: string, where: string): Json {
  try {
    return JSON.parse(source) as Json;
  } catch (error) {
    throw new UsageError(
      `${where}: expected JSON, found ${JSON.stringify(source.slice(0, 80))}: ${(error as Error).message}.`,
    );
  }
}

/** What an option says, `-` for what is on stdin. @throws UsageError for what is no JSON object */
export async function jsonObject(
  given: string,
  where: string,
  { stdin }: Io,
): Promise<{ readonly [key: string]: Json }> {
  const value = parseJson(given === '-' ? await text(stdin) : given, where);
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as { readonly [key: string]: Json };
  throw new UsageError(
    `${where}: expected a JSON object such as '{"amount":3}', found ${JSON.stringify(value).slice(0, 80)}.`,
  );
}

/** @throws UsageError for a file that cannot be read, or holds no JSON */
export async function jsonFile(path: string, where: string, { cwd }: Pick<Io, 'cwd'>): Promise<Json> {
  const file = resolve(cwd, path);
  const source = await readFile(file, 'utf8').catch((error: Error) => {
    throw new UsageError(`${where}: '${file}' cannot be read: ${error.message}.`);
  });
  return parseJson(source, `'${file}'`);
}
