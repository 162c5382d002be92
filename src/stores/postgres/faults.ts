/**
 * What an error of PostgreSQL, or of the connection to it, means to a user of the log. Owns the mapping to typed errors.
 *
 * PF1  "Nothing was written" is said only where it is certain: the server has answered with an error, or was never reached.
 * PF2  The error of the driver is always kept as `cause`. No password is in a message.
 */
import { LogUnavailableError, OutcomeUnknownError, RewakeError } from '../../errors.ts';

/** SQLSTATE codes that mean something particular here. */
const states = {
  insufficientPrivilege: '42501',
  readOnly: '25006',
  invalidPassword: '28P01',
  invalidAuthorization: '28000',
  noDatabase: '3D000',
  noSchema: '3F000',
  noTable: '42P01',
  tooManyConnections: '53300',
  diskFull: '53100',
} as const;

/** The SQLSTATE of an error that the server has sent; undefined where it is another error. */
function stateOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

/** Whether the transaction was given up for the sake of others, and may simply be tried again. */
export function isContended(error: unknown): boolean {
  const state = stateOf(error);
  return state === '40001' || state === '40P01';
}

/**
 * Whether it is open what became of a statement that failed: the connection broke after it was sent, or the server ended it
 * from outside, perhaps behind the commit.
 */
function isOpen(error: unknown): boolean {
  const state = stateOf(error);
  return state === undefined || state.startsWith('57P') || state.startsWith('08');
}

/** For a statement that changes something. @param subject the stream it is about */
export function writeFault(error: unknown, log: string, subject: string): unknown {
  if (error instanceof RewakeError) return error;
  return isOpen(error) ? new OutcomeUnknownError(subject, { cause: error }) : fault(error, log, `write ${subject}`);
}

/** For a statement that only reads, and for a connection that could not be made. */
export function fault(error: unknown, log: string, doing: string): unknown {
  if (error instanceof RewakeError) return error;
  const failed = `${log} cannot ${doing}`;
  const [why, retryable] = reasonOf(error);
  return new LogUnavailableError(`${failed}: ${why}`, retryable, { cause: error });
}

function reasonOf(error: unknown): readonly [why: string, retryable: boolean] {
  const said = error instanceof Error ? error.message : String(error);
  switch (stateOf(error)) {
    case undefined:
      return [
        `the server cannot be reached: ${said || networkCode(error)}. Check the address, and whether it runs.`,
        true,
      ];
    case states.insufficientPrivilege:
      return [`the role lacks a permission: ${said}. Grant it, or connect as a role that has it.`, false];
    case states.readOnly:
      return ['the server only reads: it is a replica, or set so. Nothing was written. Connect to the primary.', false];
    case states.invalidPassword:
    case states.invalidAuthorization:
      return [
        `the server does not let this role in: ${said}. Check user and password in the connection string.`,
        false,
      ];
    case states.noDatabase:
      return [`${said}. Create it, or name another one in the connection string.`, false];
    case states.noSchema:
    case states.noTable:
      return [`its tables are not there: ${said}. Open it once as a role that may create them.`, false];
    case states.tooManyConnections:
      return [`${said}. Lower the option 'connections', or raise max_connections of the server.`, true];
    case states.diskFull:
      return [`the disk of the server is full: ${said}. Nothing was written. Free some space.`, true];
    default:
      return [
        `PostgreSQL answered with ${stateOf(error)}: ${said}. Nothing was written.`,
        isPassingState(stateOf(error)!),
      ];
  }
}

/** Classes of states that go away by themselves: connections, resources, an operator at work, contention. */
function isPassingState(state: string): boolean {
  return /^(?:08|53|57|40|55P03)/.test(state);
}

function networkCode(error: unknown): string {
  const { code, errors } = error as { readonly code?: unknown; readonly errors?: readonly unknown[] };
  return typeof code === 'string' ? code : errors?.[0] instanceof Error ? errors[0].message : 'no answer';
}
