/**
 * How an effect ended, as a stimulus. Owns what becomes of an outcome that the log cannot carry: it is described, so that the
 * machine hears of it.
 */
import { effectFailed, effectProgressed, effectSucceeded, type Prepared } from '../kernel/records.ts';

/** An outcome as a stimulus. One that cannot be logged is a failure that says so, so that the machine hears of it. */
export function successOf(address: string, output: unknown): Prepared {
  try {
    return effectSucceeded(address, output);
  } catch (error) {
    return failureOf(address, error);
  }
}

/** Its host closes; whether its work has begun decides with the next host what may become of it. */
export function interrupted(address: string, hasBegun: boolean): Prepared {
  return effectProgressed(address, 'interrupted', hasBegun ? null : 'untouched');
}

/** A failure as a stimulus, described where it cannot be carried as it is. */
export function failureOf(address: string, error: unknown, action = false): Prepared {
  try {
    return effectFailed(address, error, action);
  } catch {
    return describeFailure(address, error, action);
  }
}

/** How deep a chain of causes is described. */
const causesMax = 8;

/**
 * A failure that itself holds something the codec cannot carry (a socket, a request), described: its name, message and
 * causes, and those of its properties that are plain values, such as a code or a status.
 */
export function describeFailure(address: string, error: unknown, action = false): Prepared {
  let described: Error;
  try {
    described = describe(error, causesMax);
  } catch {
    described = new Error('a failure that cannot be described: it throws when it is read');
  }
  return effectFailed(address, described, action);
}

function describe(error: unknown, causesLeft: number): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  const described = new Error(String(error.message));
  described.name = String(error.name === 'Error' ? error.constructor.name : error.name);
  for (const [key, value] of Object.entries(error)) {
    if (['string', 'number', 'boolean'].includes(typeof value)) Object.assign(described, { [key]: value as unknown });
  }
  if (error.cause !== undefined && causesLeft > 0) described.cause = describe(error.cause, causesLeft - 1);
  return described;
}
