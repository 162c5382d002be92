/**
 * The error of an exported file that is not whole. Owns its class.
 */
import { RewakeError } from '../errors.ts';

/** An exported file that was cut or changed. */
export class DamagedExportError extends RewakeError {
  readonly code = 'REWAKE_DAMAGED_EXPORT';
}
