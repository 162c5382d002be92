/**
 * How the inspector is tested in a browser: the built command and the built page, so `npm run build` goes before. Owns which files
 * those are; what else holds of tests is vitest.config.ts's.
 */
import { mergeConfig } from 'vitest/config';
import config from './vitest.config.ts';

export default mergeConfig(
  { ...config, test: { ...config.test, include: [], exclude: [] } },
  {
    test: {
      include: ['test/e2e/*.test.ts'],
      globalSetup: 'test/e2e/write-logs.ts',
      fileParallelism: false,
      testTimeout: 60_000,
    },
  },
);
