/**
 * The shape of a row of the result table. Owns what a row says of itself and when a goal is met; holds no measurement.
 */
import { ratios, summarize, type Summary } from './measure.ts';

/** What is wanted of the median: of the ratio to the reference where there is one, of the value itself otherwise. */
export interface Goal {
  readonly atMost?: number;
  readonly atLeast?: number;
}

/** Samples of one thing, and of its reference in the same rounds. */
export interface Samples {
  readonly unit: Unit;
  readonly measured: readonly number[];
  readonly reference?: readonly number[] | undefined;
}

export type Unit = 'µs' | 'ms' | 's' | 'executions/s' | 'appends/s' | 'bytes';

/** Something measured along the way that is worth a line of its own. */
export interface Aside extends Samples {
  readonly what: string;
  readonly against: string;
  readonly goal?: Goal;
}

export interface RowResult extends Samples {
  /** Said below the table. */
  readonly note?: string;
  /** What went wrong besides time: with any of these the goal is missed. */
  readonly faults?: readonly string[];
  readonly also?: readonly Aside[];
}

/** One row: what is measured, against what, and what is wanted. */
export interface Row {
  /** The name on the command line. */
  readonly name: string;
  readonly what: string;
  /** What it is measured against, '-' when the goal is absolute. */
  readonly reference: string;
  readonly goal: Goal;
  run(): Promise<RowResult>;
}

/** A line of the table. */
export interface Line {
  readonly what: string;
  readonly against: string;
  readonly unit: Unit;
  readonly measured: Summary;
  readonly reference: Summary | undefined;
  readonly ratio: Summary | undefined;
  readonly goal: Goal | undefined;
  /** Undefined where nothing was asked. */
  readonly met: boolean | undefined;
}

/** The lines of a row: its own first. */
export function linesOf(row: Row, result: RowResult): Line[] {
  const { also = [], faults = [] } = result;
  const own = lineOf({ ...result, what: row.what, against: row.reference, goal: row.goal });
  return [faults.length > 0 ? { ...own, met: false } : own, ...also.map(lineOf)];
}

function lineOf({ what, against, unit, goal, ...samples }: Aside): Line {
  const measured = summarize(samples.measured);
  const reference = samples.reference && summarize(samples.reference);
  const ratio = samples.reference && summarize(ratios(samples.measured, samples.reference));
  // A row whose goals are all for its other lines asks nothing of its own.
  const wanted = goal && Object.keys(goal).length > 0 ? goal : undefined;
  const met = wanted && isMet(wanted, ratio ?? measured);
  return { what, against, unit, measured, reference, ratio, goal: wanted, met };
}

function isMet({ atMost = Infinity, atLeast = -Infinity }: Goal, { median }: Summary): boolean {
  return median <= atMost && median >= atLeast;
}
