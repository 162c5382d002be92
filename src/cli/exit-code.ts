/**
 * The exit codes, and which error ends with which one. Owns the table; docs/reference/cli.md says it to people.
 */
import {
  ActorBlockedError,
  ActorExistsError,
  ActorFinishedError,
  ActorStoppedError,
  ConflictError,
  DamagedRecordError,
  InvalidArgumentError,
  InvalidEventError,
  LogOwnedError,
  NotFoundError,
  NotResumableError,
  ReplayDivergedError,
  StreamDeletedError,
} from '../errors.ts';
import { DamagedExportError } from '../replay/damaged-export.ts';
import { ConfigError, UsageError } from './usage-error.ts';

export const exitCodes = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  /** A divergence, a damage or a violation was found: what stops a deploy. */
  found: 4,
  /** A change is refused: the log has another owner, the stream was written to meanwhile, the actor has ended. */
  conflict: 5,
  interrupted: 130,
  terminated: 143,
} as const;

const byError = [
  [[UsageError, ConfigError, InvalidArgumentError, InvalidEventError], exitCodes.usage],
  [[NotFoundError, StreamDeletedError], exitCodes.notFound],
  [[ReplayDivergedError, DamagedRecordError, DamagedExportError, ActorBlockedError], exitCodes.found],
  [
    [ConflictError, LogOwnedError, ActorExistsError, ActorFinishedError, ActorStoppedError, NotResumableError],
    exitCodes.conflict,
  ],
] as const;

/** What a process ends with that failed so. */
export function exitCodeOf(error: unknown): number {
  return byError.find(([classes]) => classes.some((each) => error instanceof each))?.[1] ?? exitCodes.failure;
}
