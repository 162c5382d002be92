/**
 * The project's own files as data for the house tests. Owns which files count and how an import is read; the rules are in
 * rules.ts and room-rules.ts.
 *
 * H1  A rule is a pure function from files to violations, so a planted file shows that it can fail.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the project: `path` is relative to its root, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** What a rule found: one sentence that names the file and says what to do. */
export type Violation = string;

export const projectRoot = fileURLToPath(new URL('../../', import.meta.url));

/** A new folder of its own for one test run, below `.cache`. */
export function cacheFolder(prefix: string): string {
  mkdirSync(join(projectRoot, '.cache'), { recursive: true });
  return mkdtempSync(join(projectRoot, '.cache', prefix));
}

const outside = new Set(['.git', '.cache', 'node_modules', 'dist', 'coverage', '.vitest']);
const ignored = /\.(?:db|db-wal|db-shm|tgz)$/;
const binary = /\.(?:png|ico|woff2)$/;

/** Every file below `folder` that could be committed; one that holds no text as an empty one. */
export function projectFiles(folder = ''): SourceFile[] {
  return readdirSync(projectRoot + folder, { withFileTypes: true }).flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (outside.has(entry.name)) return [];
    if (entry.isDirectory()) return projectFiles(path);
    if (!entry.isFile() || ignored.test(entry.name)) return [];
    return [{ path, text: binary.test(entry.name) ? '' : readFileSync(projectRoot + path, 'utf8') }];
  });
}

const statement = /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm;
const sideEffect = /^\s*import\s*['"]([^'"]+)['"]/gm;
const dynamic = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;
const comment = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;

/** The text without its comments. */
export function withoutComments(text: string): string {
  return text.replace(comment, '');
}

/** What a file imports: relative specifiers as paths from the root, others as they are written. */
export function importsOf({ path, text }: SourceFile): string[] {
  const code = withoutComments(text);
  return [statement, sideEffect, dynamic]
    .flatMap((pattern) => [...code.matchAll(pattern)].map((match) => match[1]!))
    .map((specifier) => (specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier));
}
