/**
 * How the mutants are tried out. Owns which file that is; what else holds of tests is vitest.config.ts's.
 */
import { mergeConfig } from 'vitest/config';
import config from './vitest.config.ts';

export default mergeConfig(
  { ...config, test: { ...config.test, include: [] } },
  { test: { include: ['test/mutants/run-mutants.ts'], maxConcurrency: 2 } },
);
