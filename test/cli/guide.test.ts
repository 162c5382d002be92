/**
 * What docs/how-to/operate-from-the-command-line.md shows is what happens: its console blocks are typed in, one after the other, in a
 * project with its config. `…` in a line stands for anything in it; alone on a line, for any lines.
 */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { projectRoot } from '../house/source-tree.ts';
import { installation, Running, type Project } from './command-line.ts';

const installed = installation();
const page = readFileSync(`${projectRoot}docs/how-to/operate-from-the-command-line.md`, 'utf8');

interface Typed {
  readonly line: string;
  readonly expected: readonly string[];
}

function blocks(info: string): string[] {
  return [...page.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)]
    .filter(([, found]) => found === info)
    .map(([, , body]) => body!);
}

function typed(): Typed[] {
  return blocks('console').flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [line = '', ...expected] = part.trimEnd().split('\n');
        return { line, expected };
      }),
  );
}

/** Types a line, and Ctrl+C where the page does. */
async function type(project: Project, { line, expected }: Typed): Promise<string> {
  const script = `exec 2>&1; ${line}`;
  const env = { ...process.env, PATH: `${project.path('bin')}:${process.env['PATH']}` };
  const running = new Running(spawn('sh', ['-c', script], { cwd: project.folder, env, detached: true }));
  if (expected.includes('^C')) {
    await running.until(/Ready/);
    process.kill(-running.child.pid!, 'SIGINT');
  }
  const { out } = await running.ended;
  return out;
}

/** The expected lines as a pattern. */
function patternOf(expected: readonly string[]): RegExp {
  const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const lines = expected
    .filter((line) => line !== '^C')
    .map((line) => (line.trim() === '…' ? '(?:.*\n)*?' : `${line.trimEnd().split('…').map(escaped).join('.*')}[ ]*\n`));
  return new RegExp(`^${lines.join('')}$`);
}

it('every line that the page types gives what the page shows', async () => {
  const [config] = blocks('ts file=rewake.config.ts');
  const project = installed.project(config!);
  mkdirSync(project.path('bin'));
  project.write('bin/rewake', `#!/bin/sh\nexec ${process.execPath} ${project.script} "$@"\n`);
  chmodSync(project.path('bin/rewake'), 0o755);
  const lines = typed();
  expect(lines.length).toBeGreaterThan(15);
  for (const each of lines) {
    const said = await type(project, each);
    expect(said, each.line).toMatch(patternOf(each.expected));
  }
}, 120_000);
