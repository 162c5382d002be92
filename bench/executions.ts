/**
 * Executions of the three-step machine, plain and hosted: the contestants of W1 to W3.
 */
import { createActor, toPromise } from 'xstate';
import { createRuntime, type EventLog, type Runtime } from '../src/index.ts';
import { timeMs } from './measure.ts';
import type { threeSteps } from './machines/three-steps.ts';
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

/** One execution, from start to output. */
export async function execute(runtime: Runtime<{ job: ThreeSteps }>, value: number): Promise<void> {
  const ref = await runtime.start('job', { id: String(value), input: { value } });
  expectOutput(await ref.output(), value);
}

function expectOutput(output: unknown, value: number): void {
  const found = (output as { value: number }).value;
  if (found !== value + 3) throw new Error(`Execution ${value}: expected ${value + 3}, found ${found}.`);
}
