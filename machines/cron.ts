/**
 * When a cron expression comes due. Owns the only use of croner, which parses the expression and knows the time zones by
 * way of `Intl`; which of the due times are run is schedule-plan.ts.
 *
 * CR1  What it answers depends on the time zone rules of this Node: ask it in effects, whose answers are recorded, never
 *      in a machine.
 */
import { Cron } from 'croner';
import { InvalidArgumentError, type TimeMs } from 'rewake';
import { requireName } from './options.ts';

/** The due times of one expression in one time zone. */
export interface CronTimes {
  /** The first due time after a moment; null when there is none any more. */
  next(after: TimeMs): TimeMs | null;
  /** The last due times before a moment, at most so many, oldest first. */
  before(moment: TimeMs, count: number): TimeMs[];
}

/** @throws InvalidArgumentError for what is no cron expression, never comes due, or is in no time zone known here */
export function cronTimes(expression: string, timeZone: string, path: string): CronTimes {
  requireName(timeZone, `${path}.timeZone`);
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch (cause) {
    throw InvalidArgumentError.of(`${path}.timeZone`, "an IANA time zone such as 'Europe/Berlin'", timeZone, cause);
  }
  const refused = (cause?: unknown) => {
    const expected = "a cron expression that comes due, such as '0 6 * * 1-5' (minute hour day month weekday)";
    return InvalidArgumentError.of(`${path}.cron`, expected, expression, cause);
  };
  // croner takes a date for an expression too; a single moment is no schedule.
  if (typeof expression !== 'string' || expression.includes(':')) throw refused();
  let cron: Cron;
  try {
    cron = new Cron(expression, { timezone: timeZone });
  } catch (cause) {
    throw refused(cause);
  }
  const next = (after: TimeMs) => cron.nextRun(new Date(after))?.getTime() ?? null;
  const before = (moment: TimeMs, count: number) =>
    cron
      .previousRuns(count, new Date(moment))
      .map((date) => date.getTime())
      .reverse();
  if (next(0) === null) throw refused();
  return { next, before };
}
