/** The public surface of 'rewake/testing/vitest': exports only. Needs vitest and @fast-check/vitest. */
export { test, type RecoveryTest, type RecoveryTestOptions } from './recovery-test.ts';
