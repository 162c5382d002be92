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
import { fileURLToPath, pathToFileURL } from 'node:url';
import { LogUnavailableError } from '../errors.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Io } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** How a log is opened; one that is created may be there already. */
export type Access = 'read' | 'write' | 'create';

/**
 * Opens what a command line names: a path, a `file:` or `postgres:` URL, or `-` for an export on stdin.
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
  if (scheme === 'postgres' || scheme === 'postgresql') {
    const { postgresLog } = await import('../stores/postgres/index.ts');
    return postgresLog(place, { readOnly: access === 'read', migrate: access === 'create' });
  }
  if (scheme !== undefined && scheme !== 'file') {
    throw new UsageError(
      `There is no log store for '${scheme}:' in this version. Give the path of a SQLite log or of an exported file, or a URL that begins with 'postgres:'.`,
    );
  }
  const file = scheme === 'file' ? pathOf(place, cwd) : resolve(cwd, place);
  const begins = await beginningOf(file);
  if (isExportBeginning(begins, file)) return exported(createReadStream(file), file, access);
  requireLogBeginning(begins, place);
  if (access === 'write' && !existsSync(file)) {
    throw new LogUnavailableError(`There is no log at '${file}'. Check the path; 'rewake run' makes a new one.`, false);
  }
  const { sqliteLog } = await import('../stores/sqlite/index.ts');
  return sqliteLog(file, { readOnly: access === 'read' });
}

/** A log to be read, if there is one yet. @throws as {@link openLog} does for one that is there and cannot be opened */
export async function openIfThere(place: string, io: Pick<Io, 'cwd' | 'stdin'>): Promise<EventLog | undefined> {
  if (!/^postgres(?:ql)?:/i.test(place)) {
    return existsSync(resolve(io.cwd, place)) ? openLog(place, 'read', io) : undefined;
  }
  const { isPostgresLogThere } = await import('../stores/postgres/open.ts');
  return (await isPostgresLogThere(place)) ? openLog(place, 'read', io) : undefined;
}

/** A relative one is taken from the folder the command is called in, as a path is. @throws UsageError */
function pathOf(url: string, cwd: string): string {
  try {
    return fileURLToPath(new URL(url, pathToFileURL(`${cwd}/`)));
  } catch {
    throw new UsageError(`'${url}' names no file of this machine. Give a path, or a URL such as 'file:///var/app.db'.`);
  }
}

const sqliteHeader = 'SQLite format 3\0';

/** The first bytes of a file; undefined where there is no file. */
async function beginningOf(file: string): Promise<string | undefined> {
  if (!existsSync(file) || !statSync(file).isFile()) return undefined;
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(sqliteHeader.length), 0, sqliteHeader.length, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

export async function isExport(file: string): Promise<boolean> {
  return isExportBeginning(await beginningOf(file), file);
}

/** By its first byte: no SQLite file begins with a brace. */
function isExportBeginning(begins: string | undefined, file: string): boolean {
  return begins === '' ? file.endsWith('.jsonl') : begins?.startsWith('{') === true;
}

/** Of an empty file the store says more. @throws LogUnavailableError */
function requireLogBeginning(begins: string | undefined, place: string): void {
  if (begins === undefined || begins === '' || begins === sqliteHeader) return;
  const next = begins.startsWith('\u001F\u008B')
    ? `It is compressed: 'gunzip -c ${place} | rewake ls -' reads an exported file.`
    : 'Check the path. If it was a log, its beginning is damaged: restore a backup.';
  throw new LogUnavailableError(`'${place}' is neither a SQLite log nor an exported file. ${next}`, false);
}

/** OL2. */
async function exported(input: Readable, name: string, access: Access): Promise<EventLog> {
  if (access !== 'read') {
    throw new UsageError(`'${name}' is an exported file, which is only read. 'rewake import' makes a log of it.`);
  }
  const { readExport } = await import('./exported-log.ts');
  return readExport(createInterface({ input, crlfDelay: Infinity }), name);
}

/** Whether a word on the command line is a log, and not a stream or a value. */
export function looksLikeLog(word: string, cwd: string): boolean {
  if (word === '-' || /^[a-z][a-z+]+:\/\//i.test(word) || /\.(?:db|sqlite3?|jsonl)$/i.test(word)) return true;
  return existsSync(resolve(cwd, word)) && statSync(resolve(cwd, word)).isFile();
}
