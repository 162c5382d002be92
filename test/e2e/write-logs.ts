/** Logs to look at, written once before all tests of a run. Owns where they are; what is in them is the example's and the benchmarks'. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { writeLongStream, writeManyActors } from '../../bench/parts/big-logs.ts';
import { writeLog } from '../../examples/failed-receipt/write-log.ts';
import { cacheFolder } from '../house/source-tree.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the logs. */
    readonly logs: string;
  }
}

export async function setup({ provide }: TestProject): Promise<() => void> {
  const folder = cacheFolder('e2e-');
  await writeLog(join(folder, 'demo.db'));
  await writeLongStream(join(folder, 'long.db'), 100_000);
  await writeManyActors(join(folder, 'many.db'), 500);
  provide('logs', folder);
  return () => rmSync(folder, { recursive: true });
}
