/**
 * How the tests run. Owns the test globs and how `rewake` resolves in them.
 *
 * V1  `rewake` and its subpaths mean the sources: the aliases follow `exports` of package.json, so there is no second list.
 * V2  A forgotten `.only` fails the run.
 * V3  Every core runs tests: much of their time they wait for processes of theirs.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const root = fileURLToPath(new URL('.', import.meta.url));
const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  exports: Record<string, string | { default: string }>;
};

const alias = Object.entries(exports).flatMap(([subpath, target]) => {
  if (typeof target === 'string') return [];
  const source = target.default.replace(/^\.\/dist\//, root).replace(/\.js$/, '.ts');
  return [{ find: new RegExp(`^rewake${subpath.slice(1)}$`), replacement: source }];
});

export default defineConfig({
  resolve: { alias },
  test: {
    include: ['test/**/*.test.ts'],
    // They need a browser and a build: `npm run test:e2e`.
    exclude: ['test/e2e/**'],
    maxWorkers: availableParallelism(),
    testTimeout: 20_000,
    hookTimeout: 60_000,
    allowOnly: false,
  },
});
