/**
 * State values in one line. Owns the wording.
 */
import type { StateValue } from 'xstate';

/** The paths of the innermost active states: `['paying.card']`; of a parallel state one for each region. */
export function statePaths(value: StateValue): string[] {
  if (typeof value === 'string') return value === '' ? [] : [value];
  return Object.entries(value).flatMap(([key, inner]) => {
    const below = inner === undefined ? [] : statePaths(inner);
    return below.length === 0 ? [key] : below.map((path) => `${key}.${path}`);
  });
}

/** A state value as a person writes it: `paying.card`, `left.a, right.b`; null where a machine has no states. */
export function stateText(value: StateValue): string | null {
  const paths = statePaths(value);
  return paths.length === 0 ? null : paths.join(', ');
}
