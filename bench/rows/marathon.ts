/**
 * One long execution whose host is killed: how long until it runs again.
 */
import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../child.ts';
import { withDirectory } from '../disk.ts';
import type { MarathonData, MarathonReport } from '../parts/marathon.ts';
import type { Row } from '../row.ts';

const steps = 10_000;
const rounds = 7;

export const marathon: Row = {
  name: 'marathon',
  what: `One execution, SIGKILL in the last of ${steps.toLocaleString('en-US')} promise steps; createRuntime in a new process until that step runs again, SQLite, default options`,
  reference: '-',
  goal: { atMost: 400 },
  run: () =>
    withDirectory(async (directory) => {
      const original: MarathonData = { path: join(directory, 'killed.db'), steps };
      const host = await startChild('marathonHost', original);
      await host.kill();
      const measured: number[] = [];
      const whole: number[] = [];
      const plain: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const path = join(directory, `round-${round}.db`);
        const inCopy = (part: string, options: Pick<MarathonData, 'snapshots'> = {}) => {
          copyLog(original.path, path);
          return untilRunningMs(part, { ...original, path, ...options });
        };
        plain.push(await inCopy('marathonPlain'));
        whole.push(await inCopy('marathonHeir', { snapshots: false }));
        measured.push(await inCopy('marathonHeir'));
      }
      const against = 'plain XState running those steps, in a new process';
      const what = 'The same with snapshots: false, so that the whole history is folded';
      return {
        unit: 'ms',
        measured,
        also: [{ what, against, unit: 'ms', measured: whole, reference: plain }],
        note: 'every run is a cold process on a fresh copy of the killed log; by default a snapshot is kept every 1,000 events.',
      };
    }),
};

async function untilRunningMs(part: string, data: MarathonData): Promise<number> {
  const child = await startChild<MarathonReport>(part, data);
  await child.kill();
  return child.report.untilRunningMs;
}

/** The file and what SQLite keeps beside it. */
function copyLog(from: string, to: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(to + suffix, { force: true });
  for (const suffix of ['', '-wal']) if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix);
}
