/**
 * What it costs that the log is told what error handlers do: flows whose steps fail and are recovered, beside the same flows
 * that do not tell it. In CPU time: both make the same commits, and what those wait for is several times the difference.
 */
import { join } from 'node:path';
import type { AnyStateMachine } from 'xstate';
import { createRuntime, memoryLog, type EventLog } from '../../src/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { withDirectory } from '../disk.ts';
import { orderFlow } from '../machines/flow.ts';
import { interleave } from '../measure.ts';
import { inPool } from '../pool.ts';
import type { Row } from '../row.ts';

const flows = 300;
const concurrency = 20;
const without = 'the same flows with the facts of their handlers off';
const orders = {
  once: orderFlow(true, 1) as unknown as AnyStateMachine,
  onceSilent: orderFlow(false, 1) as unknown as AnyStateMachine,
  thrice: orderFlow(true, 3) as unknown as AnyStateMachine,
  thriceSilent: orderFlow(false, 3) as unknown as AnyStateMachine,
};

export const flowFacts: Row = {
  name: 'flow-facts',
  what: `CPU time of ${flows} flows of five steps, one of which fails and is recovered by its handler, 20 at a time, SQLite, synchronous = FULL`,
  reference: without,
  goal: { atMost: 1.03 },
  async run() {
    const onFile = (order: AnyStateMachine) => () =>
      withDirectory((directory) => cpuMs(order, sqliteLog(join(directory, 'flows.db'))));
    const samples = await interleave(
      {
        once: onFile(orders.once),
        onceSilent: onFile(orders.onceSilent),
        thrice: onFile(orders.thrice),
        thriceSilent: onFile(orders.thriceSilent),
        memory: () => cpuMs(orders.once, memoryLog()),
        memorySilent: () => cpuMs(orders.onceSilent, memoryLog()),
      },
      { rounds: 25, warmups: 3 },
    );
    const aside = (what: string, measured: readonly number[], reference: readonly number[]) =>
      ({ what, against: without, unit: 'ms', measured, reference }) as const;
    return {
      unit: 'ms',
      measured: samples.once,
      reference: samples.onceSilent,
      also: [
        aside('The same, three of the five steps fail', samples.thrice, samples.thriceSilent),
        aside('The same, one step fails, memory log', samples.memory, samples.memorySilent),
      ],
    };
  },
};

/** CPU time of the process while the flows run. */
async function cpuMs(order: AnyStateMachine, log: EventLog): Promise<number> {
  await using runtime = await createRuntime({ log, machines: { order } });
  const before = process.cpuUsage();
  await inPool(flows, concurrency, async (index) => {
    await (await runtime.start('order', { id: String(index), input: { n: index } } as never)).output();
  });
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}
