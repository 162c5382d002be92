/**
 * W1, throughput: many short executions at once.
 */
import { join } from 'node:path';
import { memoryLog } from '../../src/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { withDirectory } from '../disk.ts';
import { hostedMs, plainMs, type Load } from '../executions.ts';
import { noStep, threeSteps } from '../machines/three-steps.ts';
import { interleave } from '../measure.ts';
import type { Row, RowResult } from '../row.ts';

const load: Load = { machine: threeSteps(noStep), executions: 20_000, concurrency: 100 };
const executions = load.executions.toLocaleString('en-US');
const what = `W1: ${executions} executions of three no-op promise steps, ${load.concurrency} at a time`;
const reference = 'the same machine, plain createActor, warm';

export const w1Memory: Row = {
  name: 'w1-memory',
  what: `${what}, memory log`,
  reference,
  goal: { atLeast: 0.6 },
  run: async () => ({
    ...(await against(() => hostedMs(load, memoryLog()), { rounds: 5, warmups: 2 })),
    note: 'the goals in ms below were set on a machine on which the reference did 13,000 executions/s.',
  }),
};

export const w1Sqlite: Row = {
  name: 'w1-sqlite',
  what: `${what}, SQLite, synchronous = FULL`,
  reference,
  goal: { atLeast: 0.35 },
  run: () =>
    against(() => withDirectory((directory) => hostedMs(load, sqliteLog(join(directory, 'w1.db')))), {
      rounds: 5,
      warmups: 1,
    }),
};

async function against(
  hosted: () => Promise<number>,
  options: { rounds: number; warmups: number },
): Promise<RowResult> {
  const perSecond = (ms: number) => (load.executions * 1_000) / ms;
  const samples = await interleave(
    { plain: async () => perSecond(await plainMs(load)), hosted: async () => perSecond(await hosted()) },
    options,
  );
  return { unit: 'executions/s', measured: samples.hosted, reference: samples.plain };
}
