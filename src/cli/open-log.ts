/**
 * From what a person calls a log to the log. Owns which names mean which store.
 *
 * OL1  A log that is read is not created, not brought up to date, and not written to.
 * OL2  An exported file is a log that is only read.
 */
import { createReadStream, existsSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { LogUnavailableError } from '../errors.ts';
import type { EventLog } from '../log/event-log.ts';
import { readExport } from './exported-log.ts';
import type { Io } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** How a log is opened; one that is created may be there already. */
export type Access = 'read' | 'write' | 'create';

/**
 * Opens what a command line names: a path, a `file:` URL, or `-` for an export on stdin.
 * @throws UsageError for a store that there is not
 * @throws LogUnavailableError | LogIncompatibleError as the store does
 */
export async function openLog(
  place: string,
  access: Access,
  { cwd, stdin }: Pick<Io, 'cwd' | 'stdin'>,
): Promise<EventLog> {
  if (place === '-') return exported(stdin, 'stdin', access);
  const scheme = /^([a-z][a-z+]+):/i.exec(place)?.[1]?.toLowerCase();
  if (scheme !== undefined && scheme !== 'file') {
    throw new UsageError(
      `There is no log store for '${scheme}:' in this version. Give the path of a SQLite log or of an exported file.`,
    );
  }
  const file = scheme === 'file' ? fileURLToPath(place) : resolve(cwd, place);
  if (await isExport(file)) return exported(createReadStream(file), file, access);
  if (access === 'write' && !existsSync(file)) {
    throw new LogUnavailableError(`There is no log at '${file}'. Check the path; 'rewake run' makes a new one.`, false);
  }
  const { sqliteLog } = await import('../stores/sqlite/index.ts');
  return sqliteLog(file, { readOnly: access === 'read' });
}

/** By its first byte: no SQLite file begins with a brace. */
export async function isExport(file: string): Promise<boolean> {
  if (!existsSync(file) || !statSync(file).isFile()) return false;
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, 0);
    return bytesRead === 1 ? buffer.toString() === '{' : file.endsWith('.jsonl');
  } finally {
    await handle.close();
  }
}

/** OL2. */
async function exported(input: Readable, name: string, access: Access): Promise<EventLog> {
  if (access !== 'read') {
    throw new UsageError(`'${name}' is an exported file, which is only read. 'rewake import' makes a log of it.`);
  }
  return readExport(createInterface({ input, crlfDelay: Infinity }), name);
}

/** Whether a word on the command line is a log, and not a stream or a value. */
export function looksLikeLog(word: string, cwd: string): boolean {
  if (word === '-' || /^[a-z][a-z+]+:\/\//i.test(word) || /\.(?:db|sqlite3?|jsonl)$/i.test(word)) return true;
  return existsSync(resolve(cwd, word)) && statSync(resolve(cwd, word)).isFile();
}
