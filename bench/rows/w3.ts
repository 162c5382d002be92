/**
 * W3, overhead on real work: steps that take their time.
 */
import { join } from 'node:path';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { withDirectory } from '../disk.ts';
import { hostedMs, plainMs, warmUp, type Load } from '../executions.ts';
import { pause, slowStep, threeSteps } from '../machines/three-steps.ts';
import { interleave, timeMs } from '../measure.ts';
import { inPool } from '../pool.ts';
import type { Aside, Row } from '../row.ts';

const executions = 200;
const concurrency = 20;

export const w3Short = row('w3-10ms', 10, 1.15, 7);
export const w3Long = row('w3-100ms', 100, 1.03, 3);

function row(name: string, stepMs: number, atMost: number, rounds: number): Row {
  const load: Load = { machine: threeSteps(slowStep(stepMs)), executions, concurrency };
  const reference = 'three awaited functions, nothing kept';
  return {
    name,
    what: `W3: ${executions} executions of three steps of ${stepMs} ms, ${concurrency} at a time, SQLite, synchronous = FULL`,
    reference,
    goal: { atMost },
    async run() {
      await warmUp();
      const samples = await interleave(
        {
          functions: () => timeMs(() => inPool(executions, concurrency, () => threePauses(stepMs))),
          plain: () => plainMs(load),
          hosted: () => withDirectory((directory) => hostedMs(load, sqliteLog(join(directory, 'w3.db')))),
        },
        { rounds, warmups: 1, collects: false },
      );
      const what = 'The same machine, plain XState';
      const plain: Aside = {
        what,
        against: reference,
        unit: 'ms',
        measured: samples.plain,
        reference: samples.functions,
      };
      return { unit: 'ms', measured: samples.hosted, reference: samples.functions, also: [plain] };
    },
  };
}

async function threePauses(stepMs: number): Promise<void> {
  for (let step = 0; step < 3; step++) await pause(stepMs);
}
