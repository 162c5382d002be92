/** The public surface of 'rewake/testing/vitest': exports only. Needs vitest and @fast-check/vitest. */
export {};
