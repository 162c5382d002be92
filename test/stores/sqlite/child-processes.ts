/**
 * Compiles scripts of processes and starts log-process.ts. Owns the compiled files and the life of the processes; what
 * they do is theirs.
 */
import { execFileSync, fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Report, Task } from './log-process.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));

/** The entries of the package and their sources, without extension: what is compiled finds itself by its name. */
const entries = Object.entries(
  (JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: Record<string, { default?: string }> })
    .exports,
).flatMap(([entry, { default: target }]) =>
  target ? [[entry.replace('.', 'rewake'), target.replace(/^\.\/dist\/|\.js$/g, '')] as const] : [],
);

/** Compiles a file, named from the root of the checkout, and what it imports; gives the path of the result. */
export function compileInto(folder: string, file: string): string {
  const config = {
    extends: join(root, 'tsconfig.json'),
    compilerOptions: {
      ...{ noEmit: false, outDir: folder, rootDir: root, typeRoots: [join(root, 'node_modules/@types')] },
      paths: Object.fromEntries(entries.map(([name, file]) => [name, [join(root, `${file}.ts`)]])),
    },
    include: [],
    files: [join(root, file)],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const exports = Object.fromEntries(entries.map(([name, file]) => [name.replace('rewake', '.'), `./${file}.js`]));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'rewake', type: 'module', exports }));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', folder], { stdio: ['ignore', 'inherit', 'inherit'] });
  return join(folder, file.replace(/\.ts$/, '.js'));
}

/** Compiles the script of a process, named from the root of the checkout; `remove` deletes what came of it. */
export function compileProcess(file: string): { readonly script: string; remove(): void } {
  // Inside the checkout, so that packages resolve as they do for the sources.
  mkdirSync(join(root, '.cache'), { recursive: true });
  const folder = mkdtempSync(join(root, '.cache', `${basename(file, '.ts')}-`));
  return { script: compileInto(folder, file), remove: () => rmSync(folder, { recursive: true }) };
}

/** A log process that has been started and waits for {@link go}. */
export class LogProcess {
  readonly reports: Report[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #errors = '';

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, 'exit');
    child.on('message', (report: Report) => this.reports.push(report));
    child.stderr!.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    onTestFinished(() => this.kill());
  }

  static async start(script: string, task: Task): Promise<LogProcess> {
    const started = new LogProcess(
      fork(script, [JSON.stringify(task)], { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] }),
    );
    await started.until((report) => report.at === 'ready');
    return started;
  }

  go(): void {
    this.#child.send('go');
  }

  /** Resolves when a report that fits has come; rejects when the process ends before that. */
  async until(fits: (report: Report) => boolean): Promise<void> {
    while (!this.reports.some(fits)) {
      const ended = this.#exited.then(() => {
        if (!this.reports.some(fits)) throw new Error(`The process ended early: ${this.#errors}`);
      });
      await Promise.race([once(this.#child, 'message'), ended]);
    }
  }

  /** Exit code, and what was written to standard error. */
  async end(): Promise<{ readonly code: number | null; readonly errors: string }> {
    await this.#exited;
    return { code: this.#child.exitCode, errors: this.#errors };
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  /** Ids acknowledged, by revision. */
  acknowledged(): Map<number, string> {
    return new Map(this.reports.flatMap((each) => (each.at === 'acknowledged' ? [[each.revision, each.id]] : [])));
  }
}
