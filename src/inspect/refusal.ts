/**
 * What the server answers where it does not do as it was asked. Owns the class, and which status an error has.
 */
import {
  ActorExistsError,
  ConflictError,
  DamagedRecordError,
  InvalidArgumentError,
  InvalidEventError,
  LogOwnedError,
  LogReadOnlyError,
  NotFoundError,
  RewakeError,
  StreamDeletedError,
  UnknownMachineError,
} from '../errors.ts';
import type { PayloadMode } from '../replay/mask.ts';
import type { ApiError } from './api.ts';

/** A request that is refused. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const statuses = [
  [400, [InvalidArgumentError, InvalidEventError, UnknownMachineError]],
  [403, [LogReadOnlyError]],
  [404, [NotFoundError, StreamDeletedError]],
  [409, [ConflictError, LogOwnedError, ActorExistsError, DamagedRecordError]],
] as const;

/** An error as it is told to the page. Of what code of the person's has thrown, payloads may be in the message. */
export function answerTo(error: unknown, payloads: PayloadMode): { readonly status: number; readonly body: ApiError } {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof Refusal) return { status: error.status, body: { error: { code: error.code, message } } };
  const status = statuses.find(([, classes]) => classes.some((each) => error instanceof each))?.[0] ?? 500;
  const code = error instanceof RewakeError ? error.code : 'REWAKE_INSPECTOR';
  const isHidden = status === 500 && payloads !== 'full';
  const told = isHidden
    ? 'Payloads are hidden, and what went wrong may quote them. Start the inspector with --payloads full.'
    : message;
  return { status, body: { error: { code, message: told } } };
}
