/**
 * What a user may choose about a SQLite log. Owns the options, their meaning, defaults and checks; open.ts applies them.
 *
 * OT1  What is not understood is refused, never ignored: a misspelt durability must not weaken a log silently.
 */
import { fileURLToPath } from 'node:url';
import { realClock, toMs, type Clock, type Duration } from '../../clock.ts';
import { InvalidArgumentError } from '../../errors.ts';

/** How a SQLite log is opened. */
export interface SqliteLogOptions {
  /**
   * What acknowledged events survive.
   *
   * - `'power'` (default): a power cut and the end of the operating system. Every commit is synced to the disk
   *   (`synchronous = FULL`).
   * - `'process'`: the end of the process, kill -9 included. A power cut may lose the newest acknowledged events, never
   *   damage older ones (`synchronous = NORMAL`). Commits are several times faster. Choose it only where an effect that
   *   ran and is forgotten does no harm.
   */
  readonly durability?: 'power' | 'process';
  /** Largest accepted event in bytes of its data in UTF-8, a whole number above 0; 8 MiB when omitted. */
  readonly maxEventBytes?: number;
  /** How long a call waits for another process that is writing; 5 s when omitted. The thread waits, too. */
  readonly busyTimeout?: Duration;
  /** How often a subscription looks for events that other processes wrote, above 0; 50 ms when omitted. */
  readonly pollInterval?: Duration;
  /** What leases, polling and `recordedAt` are measured with; the real clock when omitted. */
  readonly clock?: Clock;
  /**
   * Open a file that is there already, to read it: nothing is created, brought up to date or written, and whatever would write
   * is a LogReadOnlyError. A host that runs on it is not disturbed.
   */
  readonly readOnly?: boolean;
}

/** How a SQLite log is opened that is given no path. */
export interface AppLogOptions extends SqliteLogOptions {
  /** Names the folder and the file in the user's data folder: `<data>/<app>/<app>.db`; `rewake` when omitted. */
  readonly app?: string;
}

/** Options that were checked, with every default filled in. */
export interface SettledOptions {
  readonly durability: 'power' | 'process';
  readonly maxEventBytes: number;
  readonly busyMs: number;
  readonly pollMs: number;
  readonly clock: Clock;
  readonly readOnly: boolean;
}

const optionNames: readonly string[] = [
  'durability',
  'maxEventBytes',
  'busyTimeout',
  'pollInterval',
  'clock',
  'readOnly',
] satisfies (keyof SqliteLogOptions)[];

/** SQLite takes the timeout as an int, and reads more than that as 0. */
const busyMsMax = 2 ** 31 - 1;

/** @throws InvalidArgumentError when something else than options was passed, or an option that there is not */
export function settleOptions(options: SqliteLogOptions): SettledOptions {
  requireKnown(options, 'path, ', optionNames);
  const { durability = 'power', maxEventBytes = 8 * 2 ** 20, clock = realClock } = options;
  const { busyTimeout = 5_000, pollInterval = 50, readOnly = false } = options;
  if (typeof readOnly !== 'boolean') throw invalidOption('readOnly', 'true or false', readOnly);
  if (durability !== 'power' && durability !== 'process') {
    throw invalidOption('durability', "'power' or 'process'", durability);
  }
  if (!Number.isSafeInteger(maxEventBytes) || maxEventBytes <= 0) {
    throw invalidOption('maxEventBytes', 'a whole number of bytes above 0', maxEventBytes);
  }
  if (!isObject(clock) || typeof clock.now !== 'function' || typeof clock.setTimer !== 'function') {
    throw invalidOption('clock', 'an object with now() and setTimer()', clock);
  }
  const busyMs = milliseconds(busyTimeout);
  if (busyMs === undefined || busyMs > busyMsMax) {
    throw invalidOption('busyTimeout', `a duration such as '5s', at most ${busyMsMax} ms`, busyTimeout);
  }
  const pollMs = milliseconds(pollInterval);
  if (pollMs === undefined || pollMs === 0) {
    throw invalidOption('pollInterval', "a duration above 0 such as '50ms'", pollInterval);
  }
  return { durability, maxEventBytes, busyMs: Math.round(busyMs), pollMs, clock, readOnly };
}

/**
 * The application and the options of a log that is given no path.
 * @throws InvalidArgumentError as {@link settleOptions} does
 */
export function splitAppOptions(given: AppLogOptions): { app: string; options: SqliteLogOptions } {
  requireKnown(given, '', [...optionNames, 'app']);
  const { app = 'rewake', ...options } = given;
  settleOptions(options);
  return { app, options };
}

function requireKnown(options: object, before: string, names: readonly string[]): void {
  if (!isObject(options))
    throw InvalidArgumentError.of(`sqliteLog(${before}options)`, "an object such as { durability: 'power' }", options);
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw InvalidArgumentError.of(`sqliteLog(${before}{ ${unknown} })`, `one of ${names.join(', ')}`, unknown);
}

const pathExpected =
  "the path of a file such as 'orders.db', or a file: URL (memoryLog() makes a log that is not kept)";

/** The path as SQLite may have it. @throws InvalidArgumentError when it is neither a path nor a file: URL */
export function filePathOf(path: string | URL): string {
  if (path instanceof URL) return pathOfUrl(path);
  // SQLite would take a text that begins with file: for a URI, with options of its own in it.
  if (typeof path !== 'string' || path === '' || path === ':memory:' || /^file:|\0/i.test(path)) {
    throw InvalidArgumentError.of('sqliteLog(path)', pathExpected, path);
  }
  return path;
}

function pathOfUrl(url: URL): string {
  const refused = (cause?: unknown) => InvalidArgumentError.of('sqliteLog(path)', pathExpected, url, cause);
  if (url.protocol !== 'file:' || url.search !== '' || url.hash !== '') throw refused();
  try {
    return filePathOf(fileURLToPath(url));
  } catch (error) {
    throw refused(error);
  }
}

/** Undefined when it is not a duration that ends. */
function milliseconds(duration: unknown): number | undefined {
  if (typeof duration !== 'number' && typeof duration !== 'string') return undefined;
  try {
    const ms = toMs(duration);
    return Number.isFinite(ms) ? ms : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalidOption(name: string, expected: string, found: unknown): InvalidArgumentError {
  return InvalidArgumentError.of(`sqliteLog(path, { ${name} })`, expected, found);
}
