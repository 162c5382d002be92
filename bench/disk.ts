/**
 * Files of the benchmarks. Owns one fresh directory per use, on the disk of the checkout: a temporary directory of the
 * system may be memory, where a sync costs nothing.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../.cache/bench/', import.meta.url));

/** Calls `use` with a fresh directory and removes it afterwards. */
export async function withDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  mkdirSync(root, { recursive: true });
  const directory = mkdtempSync(join(root, 'run-'));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
