/**
 * The parts of the dormant actors: one that writes them, and one that opens a runtime on them.
 */
import { createRuntime } from '../../src/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import type { Part } from '../child.ts';
import { reminder } from '../machines/reminder.ts';
import { heapUsedBytes } from '../measure.ts';
import { inPool } from '../pool.ts';

export interface SleepersData {
  readonly path: string;
  readonly actors: number;
}

export interface SleepersReport {
  readonly openMs: number;
  /** Heap after opening, above that of the process before it, in bytes. */
  readonly heapBytes: number;
}

const dayMs = 86_400_000;

/** Starts actors whose timers are due over the next thirty days. */
export const sleepersMaker: Part = async ({ path, actors }: SleepersData, report) => {
  const runtime = await createRuntime({ log: sqliteLog(path), machines: { reminder } });
  await inPool(actors, 1_000, (index) => {
    const delayMs = dayMs + Math.round((index / actors) * 29 * dayMs);
    return runtime.start('reminder', { id: String(index), input: { delayMs, text: `call customer ${index}` } });
  });
  await runtime.close();
  report({});
  process.disconnect();
};

/** Opens a runtime on them, cold, and reports what that took. */
export const sleepersHeir: Part = async ({ path }: SleepersData, report) => {
  const before = heapUsedBytes();
  const startMs = performance.now();
  const runtime = await createRuntime({ log: sqliteLog(path), machines: { reminder } });
  const openMs = performance.now() - startMs;
  const sleepersReport: SleepersReport = { openMs, heapBytes: heapUsedBytes() - before };
  await runtime.close();
  report(sleepersReport);
  process.disconnect();
};
