/**
 * What is to be run now, and when to look again. Owns which due times were missed and what is made of them; the machine
 * asks in an effect and keeps the answer. Pure, but for the time zone rules of this Node.
 *
 * PL1  Every due time after the last one that was decided is decided here once: run, missed, or still to come. What an
 *      earlier plan promised as the next one is due, also where the expression or the time zone rules have changed.
 * PL2  On time is the newest due time that has come, if it is not older than the grace; what came before it was missed.
 * PL3  A plan is bounded, however long nobody looked: the newest missed ones are listed, and counting ends at 1,000.
 */
import type { TimeMs } from 'rewake';
import type { CronTimes } from './cron.ts';
import type { ScheduleRules } from './schedule-options.ts';

/** A run that is to be made. */
export interface DueRun {
  /** The moment the run is for; of a triggered one, the moment it was asked for. */
  readonly dueAt: TimeMs;
  readonly missed: boolean;
  readonly triggered: boolean;
}

/** Due times that passed while nobody could run them. */
export interface MissedTimes {
  readonly count: number;
  /** Whether there were no more than were counted. */
  readonly exact: boolean;
  readonly from: TimeMs;
  readonly to: TimeMs;
}

/** Where the last plan left off. */
export interface PlanFrom {
  /** Every due time up to here is decided. */
  readonly after: TimeMs;
  /** What is due next; null where nothing was promised. */
  readonly next: TimeMs | null;
}

/** The answer of a planner. */
export interface Plan {
  /** The newest due time that this plan has decided about. */
  readonly after: TimeMs;
  readonly missed: MissedTimes | null;
  /** The missed ones to be made up for, oldest first. */
  readonly makeUp: readonly TimeMs[];
  /** The one that is due now. */
  readonly onTime: TimeMs | null;
  /** The next one to come; null when there is none. */
  readonly next: TimeMs | null;
}

const countMax = 1_000;

/** Decides about all due times that have come by `at`. */
export function planOf(rules: ScheduleRules, { after, next: promised }: PlanFrom, at: TimeMs): Plan {
  const { missed: policy, graceMs, maxQueued, until } = rules;
  const times = promised === null ? rules.times : startingAt(promised, rules.times);
  const end = Math.min(at, until);
  const following = times.next(Math.max(after, end));
  const next = following !== null && following <= until ? following : null;
  const newest = times.before(end + 1, 1).findLast((dueAt) => dueAt > after);
  if (newest === undefined) return { after, missed: null, makeUp: [], onTime: null, next };
  const onTime = newest >= at - graceMs ? newest : null;
  const missed = missedTimes(times, after, onTime === null ? newest + 1 : newest);
  const listMax = { skip: 0, once: onTime === null ? 1 : 0, all: maxQueued }[policy];
  const makeUp = missed && listMax > 0 ? times.before(missed.to + 1, Math.min(listMax, missed.count)) : [];
  return { after: newest, missed, makeUp: makeUp.filter((dueAt) => dueAt > after), onTime, next };
}

/** The due times from one of them on. */
function startingAt(first: TimeMs, times: CronTimes): CronTimes {
  return {
    next: (after) => (after < first ? first : times.next(after)),
    before: (moment, count) => {
      const later = times.before(moment, count).filter((dueAt) => dueAt > first);
      return later.length < count && first < moment ? [first, ...later] : later;
    },
  };
}

/** Those after one moment and before another. */
function missedTimes(times: CronTimes, after: TimeMs, before: TimeMs): MissedTimes | null {
  const from = times.next(after);
  if (from === null || from >= before) return null;
  const to = times.before(before, 1)[0]!;
  let count = 0;
  let dueAt: TimeMs | null = from;
  for (; dueAt !== null && dueAt < before && count < countMax; dueAt = times.next(dueAt)) count++;
  return { count, exact: dueAt === null || dueAt >= before, from, to };
}
