/**
 * Opens the file behind a SQLite log: binding, settings, schema. Owns the order of these steps and the settings that
 * tests may change; the public options are in options.ts.
 *
 * OP1  A file that is refused is closed again and was not written to.
 * OP2  A file that is opened to be read must be there.
 */
import { statSync, type Stats } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { LogUnavailableError } from '../../errors.ts';
import { driverFor, openDatabase, type Database, type DriverName } from './driver.ts';
import { faultOf, primaryCodeOf, sqlite } from './faults.ts';
import { FileIdentity } from './file-identity.ts';
import { settleOptions, type SqliteLogOptions } from './options.ts';
import { prepareSchema, prepareToRead } from './schema.ts';
import { SqliteLog } from './sqlite-log.ts';

/** What only tests set. */
export interface SqliteInternals {
  readonly driver?: DriverName;
  /** Bounds the file, in pages: a disk that is full. */
  readonly pagesMax?: number;
  readonly cachedStreamsMax?: number;
  /** Stands between the log and its connection. */
  readonly intercept?: (db: Database) => Database;
}

export function openSqliteLog(
  path: string,
  name: string,
  options: SqliteLogOptions,
  internals: SqliteInternals = {},
): SqliteLog {
  const { busyMs, ...settled } = settleOptions(options);
  const power = settled.durability === 'power';
  const file = resolve(path);
  let db: Database | undefined;
  const { readOnly } = settled;
  try {
    // OP2.
    if (readOnly && !statOf(file)?.isFile()) throw missing(file, name);
    db = openDatabase(file, internals.driver ?? driverFor(process.versions.node));
    if (internals.intercept) db = internals.intercept(db);
    db.exec(`PRAGMA busy_timeout = ${busyMs}`);
    if (readOnly) prepareToRead(db, name);
    else prepareSchema(db, name);
    db.exec(`PRAGMA synchronous = ${power ? 'FULL' : 'NORMAL'}`);
    // On macOS a plain fsync leaves the data in the drive's cache; elsewhere this changes nothing.
    if (power) db.exec('PRAGMA fullfsync = ON');
    // Negative: in KiB. Enough for the inner pages of every index of a log of some million events.
    db.exec('PRAGMA cache_size = -32768');
    if (internals.pagesMax !== undefined) db.exec(`PRAGMA max_page_count = ${internals.pagesMax}`);
    const sqliteVersion = String(db.prepare('SELECT sqlite_version()').get()![0]);
    const cachedStreamsMax = internals.cachedStreamsMax ?? 10_000;
    const identity = new FileIdentity(file, name);
    return new SqliteLog({ ...settled, db, name, file, identity, sqliteVersion, cachedStreamsMax });
  } catch (error) {
    db?.close();
    if (primaryCodeOf(error) === sqlite.cannotOpen) throw cannotOpen(file, name, error);
    throw faultOf(error, name, 'be opened');
  }
}

function missing(file: string, name: string): LogUnavailableError {
  const obstacle = statOf(file) ? obstacleAt(file) : `there is no file at '${file}'. Check the path.`;
  return new LogUnavailableError(`${name} cannot be opened to be read: ${obstacle}`, false);
}

function cannotOpen(file: string, name: string, cause: unknown): LogUnavailableError {
  return new LogUnavailableError(`${name} cannot be opened at '${file}': ${obstacleAt(file)}`, false, { cause });
}

/** Why a file cannot be opened, as far as its path tells, and what to do. */
function obstacleAt(file: string): string {
  if (statOf(file)?.isDirectory()) return `'${file}' is a directory. Give the path of a file in it.`;
  let missing: string | undefined;
  let folder = dirname(file);
  while (!statOf(folder) && folder !== dirname(folder)) {
    missing = folder;
    folder = dirname(folder);
  }
  if (statOf(folder)?.isDirectory() === false) return `'${folder}' is not a directory. Give another path.`;
  if (missing !== undefined)
    return `the directory '${missing}' does not exist. Create '${dirname(file)}', or give another path.`;
  return `the file cannot be opened or created. Check that this process may read and write it and the directory '${folder}'.`;
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
