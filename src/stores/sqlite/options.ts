/**
 * What a user may choose about a SQLite log. Owns the options and their meaning; open.ts applies them.
 */
import type { Clock, Duration } from '../../clock.ts';

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
  /** Largest accepted event in bytes of its data in UTF-8; 8 MiB when omitted. */
  readonly maxEventBytes?: number;
  /** How long a call waits for another process that is writing; 5 s when omitted. The thread waits, too. */
  readonly busyTimeout?: Duration;
  /** How often a subscription looks for events that other processes wrote; 50 ms when omitted. */
  readonly pollInterval?: Duration;
  /** What leases, polling and `recordedAt` are measured with; the real clock when omitted. */
  readonly clock?: Clock;
}
