/** A logger that keeps nothing. */
import type { Logger } from '../../src/runtime/logger.ts';

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
