/**
 * What a writer believes about a stream, compared with what is there. Owns the one reading of `Expected` that all
 * adapters share; what follows from a mismatch is theirs.
 */
import { ConflictError } from '../errors.ts';
import type { Expected, Revision } from './event-log.ts';

/** Whether a stream whose last revision is `last`, -1 when it does not exist, is as a writer expects it. */
export function isAsExpected(expected: Expected, last: Revision): boolean {
  if (expected === 'any') return true;
  if (expected === 'no-stream') return last === -1;
  if (expected === 'stream-exists') return last !== -1;
  return expected === last;
}

/** The error for a stream that is not as a writer expected it. */
export function conflict(stream: string, expected: Expected, last: Revision): ConflictError {
  const belief = typeof expected === 'number' ? `revision ${expected}` : `'${expected}'`;
  return new ConflictError(stream, belief, last === -1 ? undefined : last);
}
