/**
 * The options of a schedule. Owns their checks and defaults; what follows from them is schedule-plan.ts and schedule.ts.
 */
import type { Duration, TimeMs } from 'rewake';
import { cronTimes, type CronTimes } from './cron.ts';
import { durationMs, numberWhere, oneOf, requireKnown, requireName, wholeNumber } from './options.ts';

/** When a schedule runs, and what becomes of runs that could not begin when they were due. */
export interface ScheduleOptions {
  /** Minute, hour, day of the month, month, day of the week; with six fields the first is the second. */
  readonly cron: string;
  /** IANA time zone in which it is read; `'UTC'` when omitted, never the one of the process. */
  readonly timeZone?: string;
  /** What is made of due times that were missed: nothing, one run for all, or one for each; `'once'` when omitted. */
  readonly missed?: 'skip' | 'once' | 'all';
  /** How late a run may begin and still be on time; one minute when omitted. */
  readonly grace?: Duration;
  /** What becomes of a run that is due while another one runs: it is left out, or waits; `'skip'` when omitted. */
  readonly overlap?: 'skip' | 'queue';
  /** How many runs may wait, missed ones and queued ones; 100 when omitted, 1,000 at most. */
  readonly maxQueued?: number;
  /** Last moment at which a run may be due, in ms since the Unix epoch; then the schedule ends. */
  readonly until?: TimeMs;
  /** How many runs are made before the schedule ends, triggered ones included. */
  readonly maxRuns?: number;
}

/** The options, checked and in ms. */
export interface ScheduleRules {
  readonly times: CronTimes;
  readonly missed: 'skip' | 'once' | 'all';
  readonly graceMs: number;
  readonly overlap: 'skip' | 'queue';
  readonly maxQueued: number;
  readonly until: TimeMs;
  readonly maxRuns: number;
}

/** @throws InvalidArgumentError for options that cannot work */
export function scheduleRules(name: string, options: ScheduleOptions): ScheduleRules {
  const path = `schedule(${JSON.stringify(requireName(name, 'schedule(name)'))})`;
  requireKnown(options, ['cron', 'timeZone', 'missed', 'grace', 'overlap', 'maxQueued', 'until', 'maxRuns'], path);
  const { cron, timeZone = 'UTC', missed = 'once', grace = '1m', overlap = 'skip', maxQueued = 100 } = options;
  const { until = Number.MAX_SAFE_INTEGER, maxRuns = Number.MAX_SAFE_INTEGER } = options;
  return {
    times: cronTimes(cron, timeZone, path),
    missed: oneOf(missed, ['skip', 'once', 'all'], `${path}.missed`),
    graceMs: durationMs(grace, `${path}.grace`),
    overlap: oneOf(overlap, ['skip', 'queue'], `${path}.overlap`),
    maxQueued: wholeNumber(maxQueued, `${path}.maxQueued`, 1, 1_000),
    until: numberWhere(until, `${path}.until`, 'a moment in ms since the Unix epoch', (ms) => ms > 0),
    maxRuns: wholeNumber(maxRuns, `${path}.maxRuns`, 1),
  };
}
