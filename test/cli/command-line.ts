/**
 * The command as it is installed, and as it is called in this process. Owns a folder with a log and a config, and what a command
 * said in it.
 *
 * CL1  `run` starts a real process of the built package; `call` is main() itself, for what needs no machine's effects.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { main } from '../../src/cli/program.ts';
import { installPackage } from '../house/doc-blocks.ts';
import { cacheFolder } from '../house/source-tree.ts';

/** What a command came to. */
export interface Said {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Lines of --json. */
export function records(out: string): Record<string, unknown>[] {
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Calls main() in this process. */
export async function call(cwd: string, argv: readonly string[], stdin = ''): Promise<Said> {
  const [out, err]: [string[], string[]] = [[], []];
  const code = await main(argv, {
    stdin: Readable.from([stdin]),
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
    env: {},
    cwd,
    signal: new AbortController().signal,
  });
  return { code, out: out.join(''), err: err.join('') };
}

/** An empty folder outside the checkout, so that no config of it is found. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'rewake-cli-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The built package, in a folder in which projects are made. Call at the top of a test file. */
export function installation(): Installation {
  const installed = new Installation();
  beforeAll(async () => {
    // A scope of its own: within that of the checkout its name would mean the checkout.
    writeFileSync(join(installed.root, 'package.json'), '{ "type": "module" }\n');
    await installPackage(installed.root);
  }, 120_000);
  afterAll(() => rmSync(installed.root, { recursive: true, force: true }));
  return installed;
}

export class Installation {
  readonly root = cacheFolder('cli-');
  #projects = 0;

  /** A folder with a config. */
  project(config: string): Project {
    const folder = join(this.root, `project-${++this.#projects}`);
    mkdirSync(folder);
    writeFileSync(join(folder, 'rewake.config.ts'), config);
    return new Project(folder, join(this.root, 'node_modules/rewake/dist/src/cli/main.js'));
  }
}

export class Project {
  readonly folder: string;
  /** What node is to run. */
  readonly script: string;

  constructor(folder: string, script: string) {
    this.folder = folder;
    this.script = script;
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(name: string, text: string): void {
    writeFileSync(this.path(name), text);
  }

  read(name: string): string {
    return readFileSync(this.path(name), 'utf8');
  }

  /** Runs a command to its end. */
  async run(argv: readonly string[], stdin = ''): Promise<Said> {
    const process = this.start(argv);
    process.child.stdin!.end(stdin);
    return process.ended;
  }

  /** Starts a command that runs until it is told to end; it is killed when the test ends. */
  start(argv: readonly string[]): Running {
    const running = new Running(spawn(process.execPath, [this.script, ...argv], { cwd: this.folder }));
    onTestFinished(() => void running.child.kill('SIGKILL'));
    return running;
  }
}

export class Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Said>;
  #out = '';
  #err = '';

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout!.setEncoding('utf8').on('data', (text: string) => (this.#out += text));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#err += text));
    this.ended = new Promise((resolve) =>
      child.once('close', (code) => resolve({ code, out: this.#out, err: this.#err })),
    );
  }

  get out(): string {
    return this.#out;
  }

  /** Resolves when stdout or stderr matches. @throws when the process ends before */
  async until(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.#out) && !pattern.test(this.#err)) {
      const heard = new Promise<false>((resolve) => {
        for (const stream of [this.child.stdout!, this.child.stderr!]) stream.once('data', () => resolve(false));
      });
      const said = await Promise.race([heard, this.ended]);
      if (said && !pattern.test(said.out) && !pattern.test(said.err)) {
        throw new Error(`The process ended with ${said.code} before it said ${pattern}:\n${said.out}\n${said.err}`);
      }
    }
  }

  /** @returns what it came to */
  signal(name: NodeJS.Signals): Promise<Said> {
    this.child.kill(name);
    return this.ended;
  }
}
