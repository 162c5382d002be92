/**
 * What is said to a schedule, what its runs are told, and what it tells. Owns the shapes: published, so they only grow.
 */
import type { TimeMs } from 'rewake';
import type { ErrorSignature } from './error-signature.ts';
import type { DueRun, MissedTimes } from './schedule-plan.ts';

/** What each run is told: the whole input of the scheduled logic. */
export interface ScheduledRun<Input = unknown> extends DueRun {
  /** The schedule's own input. */
  readonly input: Input;
}

/** What a person may tell a schedule. */
export type ScheduleEvent =
  | { readonly type: 'schedule.paused'; readonly by?: string }
  | { readonly type: 'schedule.resumed'; readonly by?: string }
  | { readonly type: 'schedule.triggered'; readonly by?: string };

/** What a schedule tells. */
export type ScheduleFact =
  | ({ readonly type: 'RunStarted'; readonly schedule: string } & DueRun)
  | {
      readonly type: 'RunSucceeded';
      readonly schedule: string;
      readonly dueAt: TimeMs;
      readonly durationMs: number;
    }
  | {
      readonly type: 'RunFailed';
      readonly schedule: string;
      readonly dueAt: TimeMs;
      readonly durationMs: number;
      readonly error: ErrorSignature;
    }
  | ({
      readonly type: 'RunsMissed';
      readonly schedule: string;
      readonly policy: 'skip' | 'once' | 'all';
      /** How many of them are made up for. */
      readonly made: number;
    } & MissedTimes)
  | {
      readonly type: 'RunSkipped';
      readonly schedule: string;
      readonly dueAt: TimeMs;
      readonly triggered: boolean;
      readonly reason: 'overlap' | 'queueFull';
    }
  | { readonly type: 'SchedulePaused' | 'ScheduleResumed'; readonly schedule: string; readonly by: string | null };

/** What became of a schedule that ended. */
export interface ScheduleSummary {
  readonly runs: number;
  readonly failures: number;
}
