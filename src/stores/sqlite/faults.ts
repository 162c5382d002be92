/**
 * What an error of SQLite means to a user of the log. Owns the mapping from result codes to the typed errors.
 *
 * F1  LogUnavailableError is given only where it is certain that nothing was written; the caller says where it is not.
 * F2  The error of the binding is always kept as `cause`.
 */
import { LogIncompatibleError, LogUnavailableError, RewakeError } from '../../errors.ts';
import { resultCodeOf } from './driver.ts';

/** Primary result codes of SQLite that mean something particular here. */
export const sqlite = {
  error: 1,
  busy: 5,
  locked: 6,
  noMemory: 7,
  readOnly: 8,
  ioError: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  tooBig: 18,
  notDatabase: 26,
} as const;

/** The primary result code of an error, without the extension in its upper bits. */
export function primaryCodeOf(error: unknown): number | undefined {
  const code = resultCodeOf(error);
  return code === undefined ? undefined : code & 0xff;
}

/** Whether stored bytes cannot be what was written. */
export function isCorruption(error: unknown): boolean {
  const code = primaryCodeOf(error);
  return code === sqlite.corrupt || code === sqlite.notDatabase;
}

/**
 * The typed error for something SQLite refused before it wrote anything.
 * Errors that are typed already, and errors that SQLite did not raise, come back as they are.
 */
export function faultOf(error: unknown, log: string, doing: string): unknown {
  if (error instanceof RewakeError) return error;
  const code = resultCodeOf(error);
  if (code === undefined && (error as { code?: unknown } | undefined)?.code === 'ERR_OUT_OF_RANGE') {
    // So says node:sqlite of an integer that JavaScript cannot hold: nothing that was written is one.
    return new LogIncompatibleError(
      `${log} cannot ${doing}: the file holds a number that was never written, so it is damaged. verifyLog(log) says where.`,
      { cause: error },
    );
  }
  if (code === undefined) return error;
  const cause = { cause: error };
  const failed = `${log} cannot ${doing}`;
  switch (code & 0xff) {
    case sqlite.busy:
    case sqlite.locked:
      return new LogUnavailableError(
        `${failed}: another process has held the write lock longer than the busy timeout. Nothing was written. Try again; if it goes on, look for a process that is stopped in a transaction.`,
        true,
        cause,
      );
    case sqlite.full:
      return new LogUnavailableError(
        `${failed}: the disk (or a size limit on the file) is full. Nothing was written and what was there can be read. Free some space and try again.`,
        true,
        cause,
      );
    case sqlite.readOnly:
      return new LogUnavailableError(
        `${failed}: the file or its directory is read-only. Nothing was written. Give this process write access to the file, its directory and the -wal and -shm files beside it.`,
        false,
        cause,
      );
    case sqlite.cannotOpen:
      return new LogUnavailableError(
        `${failed}: the file cannot be opened. Check that its directory exists and that this process may read and write there.`,
        false,
        cause,
      );
    case sqlite.ioError:
      return new LogUnavailableError(
        `${failed}: the operating system reported an I/O error (SQLite code ${code}). Nothing was written. Check the disk, then try again.`,
        true,
        cause,
      );
    case sqlite.corrupt:
    case sqlite.notDatabase:
      return new LogIncompatibleError(
        `${failed}: the file is damaged or not a SQLite database (SQLite code ${code}). Stop writing to it, keep a copy, and restore a backup; verifyLog(log), or 'PRAGMA integrity_check', says where the damage is.`,
        cause,
      );
    case sqlite.noMemory:
      return new LogUnavailableError(`${failed}: SQLite is out of memory. Nothing was written.`, true, cause);
    case sqlite.tooBig:
      return new LogUnavailableError(
        `${failed}: the append is larger than a SQLite row can be. Nothing was written. Append fewer events at once.`,
        false,
        cause,
      );
    default:
      return new LogUnavailableError(
        `${failed}: SQLite answered with code ${code}: ${error instanceof Error ? error.message : String(error)}. Nothing was written.`,
        false,
        cause,
      );
  }
}
