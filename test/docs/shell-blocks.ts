/**
 * A page as somebody at a terminal goes through it. Owns how commands, their shown output and files are read from a page, how
 * the commands are run, and when output is what the page shows.
 *
 * SB1  Every line of a ```sh block is run, in order, in one folder, unless the block says `no-run`.
 * SB2  A ```text block right behind it is what its last command prints; `…` stands for anything in a line, a line `…` for any lines.
 * SB3  A command of a block that says `ctrl-c` is interrupted once it has printed what the page shows; what it says of that is
 *      not looked at.
 * SB4  A block with `file=x.ts` is written into the folder where it stands, as the reader does.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RunAct {
  readonly act: 'run';
  /** Of the page. */
  readonly line: number;
  readonly command: string;
  readonly shows: string | undefined;
  readonly isInterrupted: boolean;
}

export interface WriteAct {
  readonly act: 'write';
  readonly line: number;
  readonly file: string;
  readonly text: string;
}

const fence = /^```(\w+)([^\n]*)\n([\s\S]*?)^```[^\S\n]*$/gm;

/** What the reader of a page does, in order. */
export function actsOf(page: string): (RunAct | WriteAct)[] {
  const acts: (RunAct | WriteAct)[] = [];
  for (const { 1: language, 2: info = '', 3: text = '', index } of page.matchAll(fence)) {
    const line = page.slice(0, index).split('\n').length;
    const words = info.trim().split(/\s+/);
    const file = words.find((word) => word.startsWith('file='))?.slice('file='.length);
    const last = acts.at(-1);
    if (file !== undefined) acts.push({ act: 'write', line, file, text });
    else if (language === 'sh' && !words.includes('no-run'))
      acts.push(...commandsOf(text, line, words.includes('ctrl-c')));
    else if (language === 'text' && last?.act === 'run' && last.shows === undefined)
      acts[acts.length - 1] = { ...last, shows: text };
  }
  return acts;
}

function commandsOf(text: string, line: number, isInterrupted: boolean): RunAct[] {
  return text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((command, at) => ({ line: line + 1 + at, command: command.trim() }))
    .filter(({ command }) => command !== '' && !command.startsWith('#'))
    .map((one) => ({ act: 'run', ...one, shows: undefined, isInterrupted }));
}

/** Whether output is what a page shows of it (SB2). */
export function isShownBy(shows: string, output: string): boolean {
  const pattern = linesOf(shows)
    .map((line) =>
      line.trim() === '…' ? '(?:[^\\n]*\\n)*' : `${line.split('…').map(escaped).join('[^\\n]*')}[^\\S\\n]*\\n`,
    )
    .join('');
  return new RegExp(`^${pattern}$`).test(`${linesOf(output).join('\n')}\n`);
}

const linesOf = (text: string) => text.trimEnd().split('\n');
const escaped = (text: string) => text.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&');

export interface Said {
  readonly code: number | NodeJS.Signals | null;
  readonly output: string;
}

const patienceMs = 60_000;

/** Does what the reader does, in a folder. */
export async function perform(act: RunAct | WriteAct, folder: string): Promise<Said> {
  if (act.act === 'run') return run(act, folder);
  writeFileSync(join(folder, act.file), act.text);
  return { code: 0, output: '' };
}

function run({ command, shows, isInterrupted }: RunAct, folder: string): Promise<Said> {
  // As in a terminal without colours, and as if no test ran around it.
  const { FORCE_COLOR: _, COLUMNS: _columns, VITEST: _vitest, NODE_ENV: _env, ...rest } = process.env;
  const child = spawn('sh', ['-c', command], {
    cwd: folder,
    env: { ...rest, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: patienceMs,
    // Ctrl-C reaches everybody who was started.
    detached: true,
  });
  let output = '';
  let complaints = '';
  let isOver = false;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (isOver) return;
    output += text;
    isOver = isInterrupted && shows !== undefined && isShownBy(shows, output);
    if (isOver) process.kill(-child.pid!, 'SIGINT');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code: code ?? signal, output: output || complaints }));
  });
}
