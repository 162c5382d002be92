/**
 * The house rules: each holds for this project, and each is seen to fail on a planted file.
 */
import { describe, expect, it } from 'vitest';
import { wrongImports } from './room-rules.ts';
import * as rules from './rules.ts';
import { projectFiles, type SourceFile, type Violation } from './source-tree.ts';

const files = projectFiles();
const hope = 'should';
const header = '/**\n * Owns one thing.\n */\n';

type Rule = (files: readonly SourceFile[]) => Violation[];
type Planted = readonly [path: string, text: string];

/** Each rule holds for the project (first), and each planted file breaks it (then). */
const cases: readonly (readonly [fact: string, rule: Rule, broken: readonly Planted[], kept: readonly Planted[]])[] = [
  [
    'file names are kebab-case and name one concept',
    rules.badNames,
    [
      ['src/log/memoryLog.ts', ''],
      ['src/log/log-utils.ts', ''],
      ['test/helpers.ts', ''],
      ['docs/how-to/Embed It.md', ''],
    ],
    [
      ['src/log/memory-log.ts', ''],
      ['test/log/memory-log.test.ts', ''],
      ['docs/decisions/0001-take-the-kernel.md', ''],
      ['docs/decisions/README.md', ''],
    ],
  ],
  [
    'files that ship open with a header',
    rules.missingHeaders,
    [
      ['src/log/x.ts', 'export const x = 1;\n'],
      ['machines/retry.ts', '// retries\n'],
    ],
    [
      ['src/log/x.ts', header],
      ['src/cli/main.ts', `#!/usr/bin/env node\n${header}`],
    ],
  ],
  [
    'no file names a path of the machine it was written on',
    rules.machinePaths,
    ['work', 'tmp', 'root'].map((folder) => ['docs/x.md', `see /${folder}/x.md`] as const),
    [
      ['docs/x.md', 'https://example.com/work/x and docs/work/x.md'],
      ['src/x.ts', "address === '/root'"],
    ],
  ],
  [
    'nothing that ships reads the clock through Date()',
    rules.hiddenClockReads,
    [
      ['src/log/x.ts', 'const at = new Date();'],
      ['machines/x.ts', 'const at = Date();'],
    ],
    [
      ['src/log/x.ts', 'const at = new Date(clock.now());'],
      ['src/clock.ts', 'new Date()'],
      ['src/kernel/x.ts', "/** No `new Date()` here. */\nreport('new Date()');"],
    ],
  ],
  [
    'test titles state facts',
    rules.hopefulTitles,
    [
      ['test/x.test.ts', `it('${hope} open', () => {});`],
      ['test/x.test.ts', `it.each([1])("it ${hope} open %s", () => {});`],
    ],
    [['test/x.test.ts', "it('opens', () => {});"]],
  ],
  [
    'the invariants of a machine have letters of their own',
    (some) => rules.sharedInvariants([{ path: 'machines/x.ts', text: '/**\n * X1  One.\n */\n' }, ...some]),
    [['machines/y.ts', '/**\n * Owns y.\n *\n * X1  Another.\n * X2  And another.\n */\n']],
    [
      ['machines/y.ts', '/**\n * Y1  Not as X1  is.\n */\n'],
      ['src/y.ts', '/**\n * X1  Elsewhere.\n */\n'],
    ],
  ],
  [
    'the reference names what the machines export and tell',
    (some) => rules.missingInReference([{ path: 'docs/reference/x.md', text: '`call`, `on(fn)`, `Told`' }, ...some]),
    [
      ['machines/index.ts', "export { call, type Other } from './x.ts';"],
      ['machines/index.ts', "export {\n  a as other,\n  on,\n} from './x.ts';"],
      ['machines/x.ts', "readonly type: 'Told' | 'Hidden';"],
    ],
    [
      ['machines/index.ts', "export { inner as call, type on } from './x.ts';"],
      ['machines/x.ts', "readonly type: 'Told'; type: 'dotted.message'"],
      ['src/index.ts', "export { other } from './x.ts';"],
    ],
  ],
  ['the README is short', rules.longReadme, [['README.md', 'x\n'.repeat(151)]], [['README.md', 'x\n'.repeat(150)]]],
  [
    'every page is on the list of pages',
    rules.unlistedPages,
    [['docs/how-to/x.md', '# X']],
    [
      ['docs/decisions/0001-x.md', '# X'],
      ['docs/README.md', 'See [it](how-to/x.md).'],
    ],
  ],
  [
    'links lead somewhere',
    rules.deadLinks,
    [
      ['docs/how-to/x.md', 'See [it](../reference/gone.md).'],
      ['docs/how-to/x.md', '# Here\n\nSee [it](#there).'],
      ['docs/how-to/x.md', '```sh\n# there\n```\n\nSee [it](x.md#there).'],
    ],
    [
      ['docs/how-to/x.md', '# A `call(name, options)`, once more\n\nSee [it](#a-callname-options-once-more).'],
      ['docs/how-to/x.md', '[site](https://example.com/a#b)\n\n```ts\n[a](b);\n```\n'],
    ],
  ],
  [
    'the lock file pins no addresses',
    rules.pinnedAddresses,
    [['package-lock.json', '{"packages":{"node_modules/x":{"resolved":"https://r.example/x.tgz"}}}']],
    [['package-lock.json', '{"packages":{"node_modules/x":{"version":"1.0.0"}}}']],
  ],
  [
    'the lock file knows every platform',
    rules.missingPlatforms,
    [['package-lock.json', '{"packages":{"node_modules/x":{"optionalDependencies":{"@x/win32":"1.0.0"}}}}']],
    [
      [
        'package-lock.json',
        '{"packages":{"node_modules/x":{"optionalDependencies":{"@x/win32":"1.0.0"}},"node_modules/@x/win32":{}}}',
      ],
    ],
  ],
  [
    'imports point one way',
    wrongImports,
    [
      ['src/errors.ts', "import { VirtualClock } from './clock.ts';"],
      ['src/log/x.ts', "import type { Tree } from '../kernel/tree.ts';"],
      ['src/kernel/x.ts', "import {\n  Mailbox,\n} from '../runtime/mailbox.ts';"],
      ['src/kernel/x.ts', "import { readFileSync } from 'node:fs';"],
      ['src/runtime/x.ts', "export { sqliteLog } from '../stores/sqlite/index.ts';"],
      ['src/runtime/x.ts', "await import('../../machines/retry.ts');"],
      ['src/stores/sqlite/x.ts', "import { createRuntime } from '../../runtime/runtime.ts';"],
      ['src/stores/sqlite/x.ts', "import { x } from '../postgres/x.ts';"],
      ['machines/retry.ts', "import { now } from '../src/index.ts';"],
      ['machines/retry.ts', "import '../test/house/rules.ts';"],
      ['projections/x.ts', "import { createActor } from 'xstate';"],
      ['examples/x.ts', "import { createRuntime } from '../src/index.ts';"],
      ['src/elsewhere/x.ts', ''],
    ],
    [
      ['src/log/x.ts', "import { toMs } from '../clock.ts';\nimport { parse } from 'devalue';"],
      ['src/runtime/x.ts', "import type { EventLog } from '../log/event-log.ts';"],
      ['src/kernel/x.ts', "/**\n * import { x } from '../runtime/x.ts';\n */\n// import '../runtime/x.ts'"],
      ['src/cli/x.ts', "import { retry } from '../../machines/retry.ts';"],
      ['machines/retry.ts', "import { setup } from 'xstate';\nimport { now } from 'rewake';\nimport './backoff.ts';"],
    ],
  ],
];

const manifest = { path: 'package.json', text: '{"exports":{".":{"default":"./dist/src/index.js"}}}' };

describe('house rule: every export of an entry point is documented', () => {
  const index = (text: string) => ({ path: 'src/index.ts', text });
  const clock = { path: 'src/clock.ts', text: '/** The time. */\nexport const a = 1;\nexport interface B {}\n' };

  it('holds for this project', () => {
    expect(rules.undocumentedExports(files)).toEqual([]);
  });

  it.each(["export { a, type B as C } from './clock.ts';", "export * from './clock.ts';", 'export class B {}'])(
    'is broken by %j',
    (text) => {
      expect(rules.undocumentedExports([manifest, index(text), clock])).toHaveLength(1);
    },
  );

  it.each(["export { a } from './clock.ts';", '/** One. */\nexport class B {}'])('is kept by %j', (text) => {
    expect(rules.undocumentedExports([manifest, index(text), clock])).toEqual([]);
  });
});

describe.each(cases)('house rule: %s', (_fact, rule, broken, kept) => {
  it('holds for this project', () => {
    expect(rule(files)).toEqual([]);
  });

  it.each(broken)('is broken by %s: %j', (path, text) => {
    expect(rule([{ path, text }])).toHaveLength(1);
  });

  it.each(kept)('is kept by %s: %j', (path, text) => {
    expect(rule([{ path, text }])).toEqual([]);
  });
});

it('the house tests see the project', () => {
  expect(files.map((file) => file.path)).toEqual(
    expect.arrayContaining(['package.json', 'package-lock.json', '.ci/run', 'src/errors.ts']),
  );
});
