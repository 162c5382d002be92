/**
 * The errors of the command line itself. Owns their classes.
 */
import { RewakeError } from '../errors.ts';

/** The command line asks for something that it cannot. */
export class UsageError extends RewakeError {
  readonly code = 'REWAKE_USAGE';
}

/** `rewake.config` cannot be used. */
export class ConfigError extends RewakeError {
  readonly code = 'REWAKE_CONFIG';
}
