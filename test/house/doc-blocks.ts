/**
 * TypeScript blocks of README.md and docs/, as programs of someone who installed the package. Owns how a page becomes
 * programs, and the folder in which they are compiled and run.
 *
 * D1  Every ```ts block is compiled against the built package: its exports map and its declarations, not the sources.
 * D2  Every block is a program of its own and is run, unless its info string says otherwise:
 *       no-run       compiled only
 *       continued    belongs to the block before it on the page; the two are one program
 *       file=x.ts    a file that other blocks of the page import as './x.ts'; compiled, run only by its importers
 * D3  A program runs in an empty folder of its own.
 */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, projectRoot, type SourceFile } from './source-tree.ts';

export interface Program {
  /** Where the reader finds it, for example `docs/how-to/embed.md:12`. */
  readonly at: string;
  /** Path of the source, relative to the work folder. */
  readonly file: string;
  readonly text: string;
  readonly run: boolean;
}

const fence = /^( *)```(ts|typescript)\b([^\n]*)\n([\s\S]*?)^\1```\s*$/gm;

/** The programs of one page, in order. */
export function programsOf({ path, text }: SourceFile): Program[] {
  const folder = path
    .replace(/\.md$/, '')
    .replaceAll(/[^\w-]+/g, '-')
    .toLowerCase();
  const programs: Program[] = [];
  for (const [block, indent, , info, body] of text.matchAll(fence)) {
    const line = text.slice(0, text.indexOf(block)).split('\n').length;
    const words = info!.trim().split(/\s+/);
    const code = body!.replaceAll(new RegExp(`^${indent}`, 'gm'), '');
    const before = programs.at(-1);
    if (words.includes('continued') && before) {
      programs[programs.length - 1] = { ...before, text: `${before.text}\n${code}` };
      continue;
    }
    const named = words.find((word) => word.startsWith('file='))?.slice('file='.length);
    programs.push({
      at: `${path}:${line}`,
      file: `${folder}/${named ?? `line-${line}.ts`}`,
      text: code,
      run: named === undefined && !words.includes('no-run'),
    });
  }
  return programs;
}

const exec = promisify(execFile);

/** A folder in which programs are compiled against a fresh build of the package. */
export class DocWorkshop {
  // Inside the checkout, so that packages resolve as they do for the sources.
  readonly #folder = cacheFolder('docs-');

  remove(): void {
    rmSync(this.#folder, { recursive: true });
  }

  /** Builds the package into the folder's node_modules, as an installation would leave it. */
  installPackage(): Promise<void> {
    return installPackage(this.#folder);
  }

  /** Compiles the programs, with more compiler options where some are given. Returns what the compiler says about each, by program; nothing for a program that is right. */
  async compile(programs: readonly Program[], more: object = {}): Promise<Map<Program, string>> {
    writeFileSync(join(this.#folder, 'package.json'), '{ "type": "module" }\n');
    const { compilerOptions } = JSON.parse(readFileSync(join(projectRoot, 'tsconfig.json'), 'utf8')) as {
      compilerOptions: object;
    };
    const options = { ...compilerOptions, ...more, noEmit: false, rootDir: 'in', outDir: 'out' };
    const config = { compilerOptions: options, include: ['in'] };
    writeFileSync(join(this.#folder, 'tsconfig.json'), JSON.stringify(config));
    for (const { file, text } of programs) {
      mkdirSync(join(this.#folder, 'in', file, '..'), { recursive: true });
      // A block without import or export is still a module: its names are its own.
      writeFileSync(join(this.#folder, 'in', file), `${text}\nexport {};\n`);
    }
    const { code, output } = await this.#tsc('-p', '.', '--pretty', 'false');
    const said = new Map<Program, string>();
    for (const program of programs) {
      const lines = output.split('\n').filter((line) => line.startsWith(`in/${program.file}(`));
      if (lines.length > 0) said.set(program, lines.join('\n'));
    }
    if (code !== 0 && said.size === 0) throw new Error(`The compiler failed outside the programs:\n${output}`);
    return said;
  }

  /** Runs a compiled program. Returns its exit code (or signal) and what it printed. */
  async run(program: Program): Promise<Outcome> {
    const cwd = join(this.#folder, 'run', program.file);
    mkdirSync(cwd, { recursive: true });
    return outcome(process.execPath, [this.scriptOf(program)], cwd);
  }

  /** What became of a program that was compiled. */
  scriptOf({ file }: Program): string {
    return join(this.#folder, 'out', file.replace(/\.ts$/, '.js'));
  }

  #tsc(...args: string[]): Promise<Outcome> {
    return tsc(this.#folder, args);
  }
}

/** Builds the package into the node_modules of a folder of the checkout, as an installation would leave it. */
export async function installPackage(folder: string): Promise<void> {
  const target = join(folder, 'node_modules/rewake');
  mkdirSync(target, { recursive: true });
  cpSync(join(projectRoot, 'package.json'), join(target, 'package.json'));
  cpSync(join(projectRoot, 'dist/inspector'), join(target, 'dist/inspector'), { recursive: true });
  const config = {
    extends: join(projectRoot, 'tsconfig.build.json'),
    // With another outDir than `dist` the compiler does not find the package's own name by itself.
    compilerOptions: { rootDir: projectRoot, outDir: join(target, 'dist'), paths: ownEntryPoints() },
    include: ['src', 'machines', 'projections'].map((name) => join(projectRoot, name)),
  };
  const configFile = join(folder, 'tsconfig.package.json');
  writeFileSync(configFile, JSON.stringify(config));
  const { code, output } = await tsc(folder, ['-p', configFile]);
  if (code !== 0) throw new Error(`The package does not build, so nothing can be run as installed:\n${output}`);
}

function tsc(folder: string, args: readonly string[]): Promise<Outcome> {
  return outcome(process.execPath, [join(projectRoot, 'node_modules/typescript/bin/tsc'), ...args], folder);
}

/** Each entry point of package.json by the name that it is imported by, with its source. */
function ownEntryPoints(): Record<string, string[]> {
  const manifest = JSON.parse(readFileSync(join(projectRoot, 'package.json'), 'utf8')) as {
    name: string;
    exports: Record<string, string | { default: string }>;
  };
  return Object.fromEntries(
    Object.entries(manifest.exports).flatMap(([subpath, target]) => {
      if (typeof target === 'string') return [];
      const source = target.default.replace(/^\.\/dist\//, projectRoot).replace(/\.js$/, '.ts');
      return [[manifest.name + subpath.slice(1), [source]]];
    }),
  );
}

interface Outcome {
  readonly code: number | string;
  readonly output: string;
}

async function outcome(command: string, args: string[], cwd: string): Promise<Outcome> {
  try {
    const { stdout, stderr } = await exec(command, args, { cwd, timeout: 110_000 });
    return { code: 0, output: stdout + stderr };
  } catch (error) {
    const { code, signal, stdout, stderr } = error as {
      code?: number;
      signal?: string;
      stdout: string;
      stderr: string;
    };
    return { code: code ?? signal ?? 'unknown', output: stdout + stderr };
  }
}
