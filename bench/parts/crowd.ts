/**
 * The parts of W4: a host that is killed with many executions in their second step, and the one that takes over.
 */
import { createRuntime } from '../../src/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import type { Part } from '../child.ts';
import { plainMs } from '../executions.ts';
import { noStep, pause, threeSteps, type StepInput } from '../machines/three-steps.ts';
import { fromPromise } from 'xstate';

export interface CrowdData {
  readonly path: string;
  readonly executions: number;
}

export interface CrowdReport {
  /** From the call of createRuntime until no execution is left unfinished, in ms. */
  readonly untilDoneMs: number;
  /** The part of it until createRuntime has resolved, in ms. */
  readonly untilOpenMs: number;
}

/** Starts every execution, and reports when all of them are in their second step, which never ends. */
export const crowdHost: Part = async ({ path, executions }: CrowdData, report) => {
  let waiting = 0;
  const step = fromPromise(async ({ input }: { input: StepInput }) => {
    if (input.step < 2) return input.value + 1;
    if (++waiting === executions) report({});
    return new Promise<number>(() => {});
  });
  const runtime = await createRuntime({ log: sqliteLog(path), machines: { job: threeSteps(step) } });
  const starts = Array.from({ length: executions }, (_, value) =>
    runtime.start('job', { id: String(value), input: { value } }),
  );
  await Promise.all(starts);
  await pause(60_000);
};

/** What plain XState needs for the same executions in a process that has just begun. */
export const crowdPlain: Part = async ({ executions }: CrowdData, report) => {
  report(await plainMs({ machine: threeSteps(noStep), executions, concurrency: executions }));
  process.disconnect();
};

/** Takes over, and reports how long it took to bring every execution to its end. */
export const crowdHeir: Part = async ({ path }: CrowdData, report) => {
  const startMs = performance.now();
  const runtime = await createRuntime({ log: sqliteLog(path), machines: { job: threeSteps(noStep) } });
  const untilOpenMs = performance.now() - startMs;
  while (await hasUnfinished()) await pause(1);
  const crowdReport: CrowdReport = { untilDoneMs: performance.now() - startMs, untilOpenMs };
  await runtime.close();
  report(crowdReport);
  process.disconnect();

  async function hasUnfinished(): Promise<boolean> {
    for await (const _ of runtime.list({ machine: 'job', status: 'active', limit: 1 })) return true;
    return false;
  }
};
