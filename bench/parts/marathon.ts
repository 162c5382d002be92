/**
 * The parts of the long execution: a host that is killed in its last step, and the one that takes over.
 */
import { createActor, fromPromise } from 'xstate';
import { createRuntime } from '../../src/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import type { Part } from '../child.ts';
import { loop } from '../machines/loop.ts';
import { pause } from '../machines/three-steps.ts';

export interface MarathonData {
  readonly path: string;
  readonly steps: number;
  /** `false`: the whole history is folded. Otherwise a runtime's default. */
  readonly snapshots?: false;
}

export interface MarathonReport {
  /** From the call of createRuntime until the interrupted step runs again, in ms. */
  readonly untilRunningMs: number;
}

/** Runs every step but the last, and reports when that one has begun; it never ends. */
export const marathonHost: Part = async (data: MarathonData, report) => {
  const runtime = await createRuntime(optionsOf(data, () => report({})));
  await runtime.start('marathon', { id: '1' });
  await pause(600_000);
};

/** Takes over, and reports how long it was until the last step ran again. */
export const marathonHeir: Part = async (data: MarathonData, report) => {
  const startMs = performance.now();
  const running = new Promise<void>((resolve) => {
    void createRuntime(optionsOf(data, resolve));
  });
  await running;
  const marathonReport: MarathonReport = { untilRunningMs: performance.now() - startMs };
  report(marathonReport);
  await pause(60_000);
};

/** What plain XState needs for the same steps in a process that has just begun. */
export const marathonPlain: Part = async ({ steps }: MarathonData, report) => {
  const startMs = performance.now();
  await new Promise<void>((resolve) => void createActor(machineOf(steps, resolve)).start());
  const marathonReport: MarathonReport = { untilRunningMs: performance.now() - startMs };
  report(marathonReport);
  await pause(60_000);
};

function optionsOf({ path, steps, snapshots }: MarathonData, onLast: () => void) {
  const machines = { marathon: machineOf(steps, onLast) };
  return { log: sqliteLog(path), machines, ...(snapshots === false && { snapshots }) };
}

function machineOf(steps: number, onLast: () => void) {
  const step = fromPromise(async ({ input }: { input: number }) => {
    if (input < steps) return input;
    onLast();
    return new Promise<number>(() => {});
  });
  return loop(step, steps);
}
