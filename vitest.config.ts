/**
 * How the tests run. Owns the test globs and how `rewake` resolves in them.
 *
 * V1  `rewake` and its subpaths mean the sources: the aliases follow `exports` of package.json, so there is no second list.
 * V2  A forgotten `.only` fails the run.
 * V3  Every core runs tests: much of their time they wait for processes of theirs.
 * V4  The longest files begin first, so that at the end no core waits for one of them.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const root = fileURLToPath(new URL('.', import.meta.url));
const { exports } = JSON.parse(readFileSync(`${root}package.json`, 'utf8')) as {
  exports: Record<string, string | { default: string }>;
};

const alias = Object.entries(exports).flatMap(([subpath, target]) => {
  if (typeof target === 'string') return [];
  const source = target.default.replace(/^\.\/dist\//, root).replace(/\.js$/, '.ts');
  return [{ find: new RegExp(`^rewake${subpath.slice(1)}$`), replacement: source }];
});

/** V4. A fresh checkout does not know how long a file took. */
const longest = ['machines/crash-sweep', 'house/docs', 'machines/handler-properties', 'testing/play'];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = longest.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return at === -1 ? longest.length : at;
    };
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  resolve: { alias },
  test: {
    include: ['test/**/*.test.ts'],
    // They need a browser and a build: `npm run test:e2e`.
    exclude: ['test/e2e/**'],
    maxWorkers: availableParallelism(),
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    allowOnly: false,
  },
});
