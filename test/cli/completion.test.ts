/** Completion in shells: what bash itself makes of the script, and that every script knows every command (CP1). */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { allCommands, commandsFor, isCommand } from '../../src/cli/commands/index.ts';
import { completionScript, shells } from '../../src/cli/completion-scripts.ts';
import { call, emptyFolder } from './command-line.ts';

const commands = await allCommands();

it('is about every command; of these a line loads its own alone (LD1)', async () => {
  const names = commands.map(({ name }) => name);
  expect(names.every(isCommand)).toBe(true);
  for (const name of names.slice(0, -1)) expect(await commandsFor(name)).toEqual([commands[names.indexOf(name)]]);
  for (const word of [undefined, 'help', 'completion', '--json', 'shwo', 'toString']) {
    expect((await commandsFor(word)).map(({ name }) => name)).toEqual(names);
  }
});

const hasShell = (name: string) => spawnSync(name, ['-c', 'true']).status === 0;

describe.runIf(hasShell('bash'))('in bash', () => {
  /** What it offers for the last of these words. */
  function offered(folder: string, ...words: string[]): string[] {
    const bin = join(folder, 'bin');
    mkdirSync(bin, { recursive: true });
    // Names of streams are asked of the command itself.
    writeFileSync(
      join(bin, 'rewake'),
      `#!/bin/sh\ntest "$*" = 'ls app.db --json' && printf '%s\\n' '{"v":1,"type":"actor","stream":"order-42","machine":"order"}'\n`,
    );
    chmodSync(join(bin, 'rewake'), 0o755);
    const script = `${completionScript('bash', commands)}
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length - 1}
_rewake
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}` };
    return execFileSync('bash', ['-c', script], { cwd: folder, encoding: 'utf8', env }).trim().split('\n');
  }

  it('offers commands, options, their values, files and streams', () => {
    const folder = emptyFolder();
    writeFileSync(join(folder, 'app.db'), '');
    expect(offered(folder, 'rewake', 're')).toEqual(expect.arrayContaining(['resume', 'rewind', 'repair']));
    expect(offered(folder, 'rewake', 'send', 'app.db', 'order-1', '--me')).toEqual(['--message-id']);
    expect(offered(folder, 'rewake', 'export', '--payloads', 'm')).toEqual(['masked']);
    expect(offered(folder, 'rewake', 'send', 'ap')).toEqual(['app.db']);
    expect(offered(folder, 'rewake', 'send', 'app.db', 'ord')).toEqual(['order-42']);
    expect(offered(folder, 'rewake', 'help', 'doc')).toEqual(['doctor']);
  });
});

it.each(shells)('the script for %s names every command and every option', async (shell) => {
  const folder = emptyFolder();
  const { code, out } = await call(folder, ['completion', shell]);
  expect(code).toBe(0);
  for (const { name, options } of commands) {
    expect(out).toContain(name);
    for (const { flags } of options) expect(out).toContain(/--([\w-]+)/.exec(flags)![1]);
  }
  // From a file: fish reads none from a pipe.
  writeFileSync(join(folder, 'script'), out);
  if (hasShell(shell)) execFileSync(shell, ['-n', join(folder, 'script')]);
});

it('there is no script for another shell', async () => {
  expect(await call(emptyFolder(), ['completion', 'tcsh'])).toEqual({
    ...{ code: 2, out: '' },
    err: "rewake: completion: expected one of bash, zsh, fish, found 'tcsh'.\n",
  });
});
