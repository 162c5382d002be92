/** How a bug of rewake itself comes to light. Owns that one check; not exported from the package. */
import { InvariantError } from './errors.ts';

/** Throws {@link InvariantError} unless `condition` holds. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(`rewake invariant broken: ${message}. This is a bug in rewake.`);
}
