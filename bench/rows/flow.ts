/**
 * What it costs that the log is told what error handlers do: flows whose steps fail and are recovered, beside the same flows
 * that do not tell it.
 */
import { join } from 'node:path';
import type { AnyStateMachine } from 'xstate';
import { createRuntime, memoryLog, type EventLog } from '../../src/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { withDirectory } from '../disk.ts';
import { orderFlow } from '../machines/flow.ts';
import { interleave, timeMs } from '../measure.ts';
import { inPool } from '../pool.ts';
import type { Row } from '../row.ts';

const flows = 300;
const concurrency = 20;
const telling = orderFlow(true) as unknown as AnyStateMachine;
const silent = orderFlow(false) as unknown as AnyStateMachine;

export const flowFacts: Row = {
  name: 'flow-facts',
  what: `${flows} flows of five steps, three of which fail and are recovered by handlers, 20 at a time, SQLite, synchronous = FULL`,
  reference: 'the same flows with the facts of their handlers off',
  goal: { atMost: 1.03 },
  async run() {
    const onFile = (order: AnyStateMachine) => () =>
      withDirectory((directory) => runMs(order, sqliteLog(join(directory, 'flows.db'))));
    const inMemory = (order: AnyStateMachine) => () => runMs(order, memoryLog());
    const { facts, none, memoryFacts, memoryNone } = await interleave(
      { facts: onFile(telling), none: onFile(silent), memoryFacts: inMemory(telling), memoryNone: inMemory(silent) },
      { rounds: 15, warmups: 2 },
    );
    return {
      unit: 'ms',
      measured: facts,
      reference: none,
      also: [
        {
          what: 'The same on the memory log',
          against: 'the same flows with the facts of their handlers off',
          unit: 'ms',
          measured: memoryFacts,
          reference: memoryNone,
        },
      ],
    };
  },
};

async function runMs(order: AnyStateMachine, log: EventLog): Promise<number> {
  await using runtime = await createRuntime({ log, machines: { order } });
  return await timeMs(() =>
    inPool(flows, concurrency, async (index) => {
      await (await runtime.start('order', { id: String(index), input: { n: index } } as never)).output();
    }),
  );
}
