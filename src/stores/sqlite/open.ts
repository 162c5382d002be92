/**
 * Opens the file behind a SQLite log: binding, settings, schema. Owns the order of these steps and the settings that
 * tests may change; the public options are in options.ts.
 *
 * OP1  A file that is refused is closed again and was not written to.
 */
import { resolve } from 'node:path';
import { realClock, toMs } from '../../clock.ts';
import { InvalidArgumentError } from '../../errors.ts';
import { driverFor, openDatabase, type Database, type DriverName } from './driver.ts';
import { faultOf } from './faults.ts';
import type { SqliteLogOptions } from './options.ts';
import { prepareSchema } from './schema.ts';
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
  const { durability = 'power', maxEventBytes = 8 * 2 ** 20, clock = realClock } = options;
  if (typeof path !== 'string' || path === '' || path === ':memory:') {
    throw new InvalidArgumentError(
      `Not the path of a file: ${JSON.stringify(path)}. Give the path of the log, or use memoryLog() for one that is not kept.`,
    );
  }
  const pollMs = toMs(options.pollInterval ?? 50);
  const busyMs = Math.round(toMs(options.busyTimeout ?? 5_000));
  let db: Database | undefined;
  try {
    db = openDatabase(resolve(path), internals.driver ?? driverFor(process.versions.node));
    if (internals.intercept) db = internals.intercept(db);
    db.exec(`PRAGMA busy_timeout = ${busyMs}`);
    prepareSchema(db, name);
    db.exec(`PRAGMA synchronous = ${durability === 'power' ? 'FULL' : 'NORMAL'}`);
    // On macOS a plain fsync leaves the data in the drive's cache; elsewhere this changes nothing.
    if (durability === 'power') db.exec('PRAGMA fullfsync = ON');
    // Negative: in KiB. Enough for the inner pages of every index of a log of some million events.
    db.exec('PRAGMA cache_size = -32768');
    if (internals.pagesMax !== undefined) db.exec(`PRAGMA max_page_count = ${internals.pagesMax}`);
    const sqliteVersion = String(db.prepare('SELECT sqlite_version()').get()![0]);
    const cachedStreamsMax = internals.cachedStreamsMax ?? 10_000;
    return new SqliteLog({ db, name, path, sqliteVersion, clock, durability, maxEventBytes, pollMs, cachedStreamsMax });
  } catch (error) {
    db?.close();
    throw faultOf(error, name, 'be opened');
  }
}
