/**
 * The linter's configuration bites: each rule that the house relies on is seen to fail on a planted file.
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cacheFolder, projectRoot } from './source-tree.ts';

const broken: Record<string, readonly [rule: string, text: string]> = {
  'src/log/floating.ts': ['typescript(no-floating-promises)', 'export const run = () => {\n  Promise.resolve(1);\n};'],
  'src/log/misused.ts': [
    'typescript(no-misused-promises)',
    'export const run = (a: number[]) => a.forEach(async () => {});',
  ],
  'src/log/any.ts': ['typescript(no-explicit-any)', 'export const parse = (text: any) => String(text);'],
  'src/log/default.ts': ['import(no-default-export)', 'export default 1;'],
  'src/log/one.ts': ['import(no-cycle)', "import type { Two } from './two.ts';\nexport type One = Two | 1;"],
  'src/log/two.ts': ['import(no-cycle)', "import type { One } from './one.ts';\nexport type Two = One | 2;"],
  'src/log/now.ts': ['eslint(no-restricted-properties)', 'export const at = Date.now();'],
  'machines/random.ts': ['eslint(no-restricted-properties)', 'export const chance = Math.random();'],
  'src/kernel/timer.ts': ['eslint(no-restricted-globals)', 'export const timer = setTimeout(() => {}, 1);'],
  'src/kernel/hidden-timer.ts': [
    'eslint(no-restricted-globals)',
    'export const timer = globalThis.setInterval(() => {}, 1);',
  ],
  'src/kernel/sleep.ts': [
    'eslint(no-restricted-imports)',
    "export { setTimeout as sleep } from 'node:timers/promises';",
  ],
  'test/sleep.test.ts': [
    'eslint(no-restricted-globals)',
    'await new Promise((done) => setTimeout(done, 1));\nexport {};',
  ],
  'test/only.test.ts': ['vitest(no-focused-tests)', "import { it } from 'vitest';\nit.only('opens', () => {});"],
  'test/skip.test.ts': ['vitest(no-disabled-tests)', "import { it } from 'vitest';\nit.skip('opens', () => {});"],
  'src/fp/bare.ts': ['eslint(no-restricted-imports)', "export { right } from 'fp-ts/Either';"],
};

const kept: Record<string, string> = {
  'src/clock.ts': 'export const at = Date.now();\nsetTimeout(() => {}, 1);',
  'src/runtime/effects.ts': 'export const timer = setTimeout(() => {}, 1);',
  'src/fp/whole.ts': "export { right } from 'fp-ts/lib/Either.js';",
  'some.config.ts': 'export default {};',
};

interface Diagnostic {
  readonly code?: string;
  readonly message: string;
  readonly filename: string;
}

describe('the linter', () => {
  const folder = cacheFolder('lint-');
  let found: Diagnostic[];

  beforeAll(() => {
    const files = [...Object.entries(broken).map(([path, [, text]]) => [path, text] as const), ...Object.entries(kept)];
    for (const [path, text] of files) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), `${text}\n`);
    }
    for (const file of ['.oxlintrc.json', 'tsconfig.json']) cpSync(join(projectRoot, file), join(folder, file));
    const oxlint = join(projectRoot, 'node_modules/oxlint/bin/oxlint');
    const { stdout } = spawnSync(
      process.execPath,
      [oxlint, '--type-aware', '--format=json', ...files.map(([path]) => path)],
      {
        cwd: folder,
        encoding: 'utf8',
      },
    );
    found = (JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics;
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it.for(Object.entries(broken))('finds in %s what is planted there', ([path, [rule]]) => {
    expect(found.filter(({ filename }) => filename === path).map(({ code }) => code)).toContain(rule);
  });

  it.for(Object.keys(kept))('lets %s be', (path) => {
    expect(found.filter(({ filename }) => filename === path)).toEqual([]);
  });
});
