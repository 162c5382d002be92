/**
 * Executions of the three-step machine, plain and hosted: the contestants of W1 to W3.
 */
import { join } from 'node:path';
import { createActor, toPromise } from 'xstate';
import { createRuntime, type EventLog, type Runtime } from '../src/index.ts';
import { sqliteLog } from '../src/stores/sqlite/index.ts';
import { withDirectory } from './disk.ts';
import { noStep, threeSteps } from './machines/three-steps.ts';
import { timeMs } from './measure.ts';
import { inPool } from './pool.ts';

export type ThreeSteps = ReturnType<typeof threeSteps>;

export interface Load {
  readonly machine: ThreeSteps;
  readonly executions: number;
  readonly concurrency: number;
}

/** How long plain XState takes, in ms. */
export async function plainMs({ machine, executions, concurrency }: Load): Promise<number> {
  return timeMs(() =>
    inPool(executions, concurrency, async (value) => {
      expectOutput(await toPromise(createActor(machine, { input: { value } }).start()), value);
    }),
  );
}

/** How long rewake takes on this log, in ms; opening and closing the runtime not included. Closes the log. */
export async function hostedMs({ machine, executions, concurrency }: Load, log: EventLog): Promise<number> {
  await using runtime = await createRuntime({ log, machines: { job: machine } });
  // Awaited here: the runtime is closed when this function is left.
  return await timeMs(() => inPool(executions, concurrency, (value) => execute(runtime, value)));
}

/**
 * Runs no-op executions, plain and hosted on SQLite, until the optimising compiler has seen everything: what a service
 * pays after its first seconds, and not in them.
 */
export async function warmUp(executions = 4_000): Promise<void> {
  const load: Load = { machine: threeSteps(noStep), executions, concurrency: 100 };
  await plainMs(load);
  await withDirectory((directory) => hostedMs(load, sqliteLog(join(directory, 'warm-up.db'))));
}

/** One execution, from start to output. */
export async function execute(runtime: Runtime<{ job: ThreeSteps }>, value: number): Promise<void> {
  const ref = await runtime.start('job', { id: String(value), input: { value } });
  expectOutput(await ref.output(), value);
}

function expectOutput(output: unknown, value: number): void {
  const found = (output as { value: number }).value;
  if (found !== value + 3) throw new Error(`Execution ${value}: expected ${value + 3}, found ${found}.`);
}
