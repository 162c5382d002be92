/**
 * `rewake/sqlite`: an event log in a SQLite file. Owns the options and the opening of the file; the log is sqlite-log.ts.
 *
 * SQ1  A log that was opened is usable: the file is ours, at the current schema, in WAL mode.
 * SQ2  What does not fit is refused with a typed error before anything is written to the file.
 */
import { basename } from 'node:path';
import type { EventLog } from '../../log/event-log.ts';
import type { ProjectionStore } from '../../log/projection-store.ts';
import { prepareDefaultFile } from './data-folder.ts';
import { openSqliteLog } from './open.ts';
import { filePathOf, splitAppOptions, type AppLogOptions, type SqliteLogOptions } from './options.ts';

export type { AppLogOptions, SqliteLogOptions } from './options.ts';

type Upkeep = 'selfCheck' | 'stored' | 'quarantine' | 'quarantined';

/** An event log in a SQLite file, open. */
export interface SqliteLog extends Omit<EventLog, Upkeep>, Required<Pick<EventLog, Upkeep>>, AsyncDisposable {
  /** Version of the SQLite library in use, for example `3.53.4`. */
  readonly sqliteVersion: string;
  /** Where projections of this log are kept: a table of the same file. */
  readonly projections: ProjectionStore;
}

/**
 * Opens an event log in a SQLite file; creates the file when it is missing, and brings an older one up to date.
 *
 * Uses `node:sqlite` on Node 22.13 and newer, and the optional package `libsql` before that. Several processes on one
 * machine may open one file; a network file system will not do, because WAL mode needs shared memory.
 *
 * Subscriptions notice the events of other processes by polling; a subscription that waits does not keep the process alive.
 *
 * SQLite before 3.51.3 can damage a file in a rare race when several processes write to it (the WAL-reset bug,
 * https://www.sqlite.org/wal.html#walresetbug). `libsql` is older: share a file between processes only on a Node that has
 * `node:sqlite` with a newer library; `sqliteVersion` says which one is in use.
 *
 * A file that is deleted, moved or replaced while it is open is noticed when a lease is acquired or renewed and when a
 * subscription polls; from then on nothing is appended any more.
 *
 * `path` is a path or a `file:` URL. Without one the file lies in the user's data folder and bears the name of the
 * application, `rewake` unless `app` says otherwise: `$XDG_DATA_HOME/rewake/rewake.db` (`~/.local/share` where that is not
 * set), on macOS `~/Library/Application Support/rewake/rewake.db`, on Windows `%LOCALAPPDATA%\\rewake\\rewake.db`. A folder
 * that is missing is made, for this user alone.
 *
 * @example
 * await using log = sqliteLog('orders.db');
 * await log.append('order-1', 'no-stream', [event]);
 *
 * @throws InvalidArgumentError the path or an option is not one
 * @throws LogUnavailableError the file cannot be opened or written, no SQLite binding is installed, or no path is given and
 *   the user has no home folder
 * @throws LogIncompatibleError the file is not a SQLite database, belongs to another application, or was written by a
 *   newer version of rewake
 */
export function sqliteLog(path: string | URL, options?: SqliteLogOptions): SqliteLog;
export function sqliteLog(options?: AppLogOptions): SqliteLog;
export function sqliteLog(...given: [path?: string | URL | AppLogOptions, options?: SqliteLogOptions]): SqliteLog {
  const [first, second = {}] = given;
  // A path that is undefined is a mistake, such as a variable of the environment that is not set.
  if (given.length === 0 || (given.length === 1 && isOptions(first))) {
    const { app, options } = splitAppOptions((first ?? {}) as AppLogOptions);
    return open(prepareDefaultFile(app), options);
  }
  return open(filePathOf(first as string | URL), second);
}

function open(file: string, options: SqliteLogOptions): SqliteLog {
  return openSqliteLog(file, `SQLite log '${basename(file)}'`, options);
}

function isOptions(given: unknown): boolean {
  return typeof given === 'object' && given !== null && !(given instanceof URL);
}
