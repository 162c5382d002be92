/**
 * W4, recovery: a crowd of executions whose host is killed, and what became of each.
 */
import { join } from 'node:path';
import { startChild } from '../child.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { withDirectory } from '../disk.ts';
import type { CrowdData, CrowdReport } from '../parts/crowd.ts';
import type { Row } from '../row.ts';

const executions = 500;
const rounds = 5;

export const w4: Row = {
  name: 'w4',
  what: `W4: SIGKILL with ${executions} executions in their second step; createRuntime in a new process until all are complete, SQLite, synchronous = FULL`,
  reference: '-',
  goal: { atMost: 400 },
  async run() {
    const faults: string[] = [];
    const reports: CrowdReport[] = [];
    const fromSpawn: number[] = [];
    const plain: number[] = [];
    for (let round = 0; round < rounds; round++) {
      plain.push(await plainXState());
      const { report, untilReportMs } = await killAndTakeOver(faults);
      reports.push(report);
      fromSpawn.push(untilReportMs);
    }
    const aside = (what: string, measured: number[]) => ({ what, against: '-', unit: 'ms' as const, measured });
    return {
      unit: 'ms',
      measured: reports.map(({ untilDoneMs }) => untilDoneMs),
      faults,
      also: [
        aside(
          'Of that, until createRuntime has resolved',
          reports.map(({ untilOpenMs }) => untilOpenMs),
        ),
        aside('The same from the start of the new process to its report, closing included', fromSpawn),
        {
          what: 'The same, beside plain XState',
          against: 'plain XState running those executions from their start, in a new process',
          unit: 'ms' as const,
          measured: reports.map(({ untilDoneMs }) => untilDoneMs),
          reference: plain,
        },
      ],
      note:
        `${rounds} runs; the goal is compared with the time from the call of createRuntime. After every run the log was read: ` +
        `each execution has exactly one EffectSucceeded per step and ended as it must${faults.length > 0 ? ', but for what is listed below' : ''}.`,
    };
  },
};

async function plainXState(): Promise<number> {
  const child = await startChild<number>('crowdPlain', { path: '', executions } satisfies CrowdData);
  await child.ended();
  return child.report;
}

function killAndTakeOver(faults: string[]) {
  return withDirectory(async (directory) => {
    const data: CrowdData = { path: join(directory, 'w4.db'), executions };
    const host = await startChild('crowdHost', data);
    await host.kill();
    const heir = await startChild<CrowdReport>('crowdHeir', data);
    await heir.ended();
    faults.push(...(await faultsIn(data)));
    return heir;
  });
}

/** Reads the whole log: what was lost, and what has more than one outcome. */
async function faultsIn({ path }: CrowdData): Promise<string[]> {
  await using log = sqliteLog(path);
  const outcomes = new Map<string, Map<string, number>>();
  for await (const { stream, type, data } of log.readAll()) {
    if (type !== 'EffectSucceeded') continue;
    const { actor } = JSON.parse(data) as { actor: string };
    const byActor = outcomes.get(stream) ?? new Map<string, number>();
    outcomes.set(stream, byActor.set(actor, (byActor.get(actor) ?? 0) + 1));
  }
  const faults: string[] = [];
  for (let value = 0; value < executions; value++) {
    const stream = `job-${value}`;
    const byActor = outcomes.get(stream) ?? new Map<string, number>();
    const head = await log.actor(stream);
    if (head?.status !== 'done' || byActor.size !== 3) {
      faults.push(`${stream} is ${head?.status ?? 'gone'} with the outcomes of ${byActor.size} steps, expected 3.`);
    }
    for (const [actor, count] of byActor) {
      if (count > 1) faults.push(`${stream}: step ${actor} has ${count} outcomes, expected 1.`);
    }
  }
  return faults;
}
