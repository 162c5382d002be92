/**
 * What the handlers of a flow name: steps to go back to, and paths. Owns that what they name is there; what a function names
 * is known only when it is asked, and is flow-recovery.ts's.
 *
 * FQ1  A handler that names a step or a path which the flow does not have is an InvalidArgumentError when the flow is
 *      defined, and not on the day on which the handler is needed.
 */
import { InvalidArgumentError } from 'rewake';
import type { Handler } from './handler.ts';
import type { RecoveryActionData } from './recovery-actions.ts';

/** What there is to be named. */
export interface Nameable {
  readonly steps: readonly string[];
  readonly paths: readonly string[];
}

/** @throws InvalidArgumentError for a step or a path that is not there (FQ1) */
export function requireReferences(handlers: readonly Handler[], there: Nameable, path: string): void {
  for (const [index, { id, action, handlers: nested }] of handlers.entries()) {
    const at = `${path}[${index}]`;
    if (action) requireThere(action, there, `${at}: handler('${id}').then`);
    requireReferences(nested, there, `${at}.handlers`);
  }
}

function requireThere(action: RecoveryActionData, there: Nameable, path: string): void {
  if (action.type === 'intervene') {
    for (const [choice, chosen] of Object.entries(action.choices)) requireThere(chosen, there, `${path}, '${choice}'`);
  }
  if (action.type === 'resumeFrom') requireOneOf(action.step, there.steps, 'steps', `${path}: resumeFrom(step)`);
  if (action.type === 'fallback' && typeof action.to === 'string')
    requireOneOf(action.to, there.paths, 'paths', `${path}: fallback(path)`);
}

function requireOneOf(name: string, names: readonly string[], what: string, path: string): void {
  if (names.includes(name)) return;
  const expected = `one of the ${what} of the flow (${names.join(', ') || 'there is none'})`;
  throw InvalidArgumentError.of(path, expected, name);
}
