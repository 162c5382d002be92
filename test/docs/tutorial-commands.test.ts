/**
 * The tutorial about a failed receipt is true: its commands are run in order, in a folder as the reader has it, and print what it
 * shows.
 */
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackage } from '../house/doc-blocks.ts';
import { cacheFolder, projectFiles, projectRoot } from '../house/source-tree.ts';
import { actsOf, isShownBy, perform } from './shell-blocks.ts';

const path = 'docs/tutorials/debug-a-failed-receipt.md';
const page = projectFiles('docs/tutorials').find((file) => file.path === path)!;

describe('the tutorial about a failed receipt', () => {
  const root = cacheFolder('tutorial-');
  // Outside the checkout, whose settings of vitest would hold for it.
  const folder = mkdtempSync(join(tmpdir(), 'books-'));

  beforeAll(async () => {
    await installPackage(root);
    const installed = join(root, 'node_modules/rewake');
    cpSync(join(projectRoot, 'examples'), join(installed, 'examples'), { recursive: true });
    // What `npm install` makes runnable and links.
    chmodSync(join(installed, 'dist/src/cli/main.js'), 0o755);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n');
    const modules = join(folder, 'node_modules');
    mkdirSync(join(modules, '.bin'), { recursive: true });
    symlinkSync(installed, join(modules, 'rewake'));
    for (const name of ['xstate', 'vitest', 'jiti'])
      symlinkSync(join(projectRoot, 'node_modules', name), join(modules, name));
    const commands = { rewake: 'dist/src/cli/main.js', vitest: 'vitest.mjs', jiti: 'lib/jiti-cli.mjs' };
    for (const [name, file] of Object.entries(commands))
      symlinkSync(join('..', name, file), join(modules, '.bin', name));
  }, 120_000);

  afterAll(() => {
    for (const each of [root, folder]) rmSync(each, { recursive: true });
  });

  for (const act of actsOf(page.text)) {
    const what = act.act === 'run' ? act.command : `writes ${act.file}`;
    it(`line ${act.line}: ${what}`, async () => {
      const { code, output } = await perform(act, folder);
      if (act.act === 'run' && act.shows !== undefined) {
        expect(isShownBy(act.shows, output), `printed with ${code}:\n${output}`).toBe(true);
      } else expect(code, output).toBe(0);
    }, 90_000);
  }
});

describe('what a page shows', () => {
  it('is what was printed, line by line, but for what it leaves open', () => {
    expect(isShownBy('a\nb\n', 'a\nb\n')).toBe(true);
    expect(isShownBy('a\nb\n', 'a\nc\n')).toBe(false);
    expect(isShownBy('a\n', 'a\nb\n')).toBe(false);
    expect(isShownBy('a … ago\n', 'a 3 d ago\n')).toBe(true);
    expect(isShownBy('a … ago\n', 'a 3 d later\n')).toBe(false);
    expect(isShownBy('…\nc\n', 'a\nb\nc\n')).toBe(true);
    expect(isShownBy('a.c\n', 'abc\n')).toBe(false);
  });

  it('is read with the command above it', () => {
    const block = (info: string, text: string) => `\`\`\`${info}\n${text}\`\`\`\n`;
    const acts = actsOf(
      [
        block('sh', 'one\ntwo \\\n  three\n'),
        block('text', 'out\n'),
        block('sh no-run', 'no\n'),
        block('ts file=a.ts', 'x;\n'),
      ].join('\n'),
    );
    expect(acts).toMatchObject([
      { command: 'one', shows: undefined },
      { command: 'two three', shows: 'out\n' },
      { act: 'write', file: 'a.ts', text: 'x;\n' },
    ]);
  });
});
