/**
 * One long execution whose host is killed: how long until it runs again.
 */
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { startChild } from '../child.ts';
import { withDirectory } from '../disk.ts';
import type { MarathonData, MarathonReport } from '../parts/marathon.ts';
import type { Row } from '../row.ts';

const steps = 10_000;
const rounds = 7;

export const marathon: Row = row('marathon', 'without snapshots', {});
export const marathonSnapshots: Row = row('marathon-snapshots', 'with a snapshot every 500 events', {
  snapshotEvery: 500,
});

function row(name: string, how: string, options: Pick<MarathonData, 'snapshotEvery'>): Row {
  return {
    name,
    what: `One execution, SIGKILL in the last of ${steps.toLocaleString('en-US')} promise steps; createRuntime in a new process until that step runs again, SQLite, ${how}`,
    reference: '-',
    goal: { atMost: 400 },
    run: () =>
      withDirectory(async (directory) => {
        const original: MarathonData = { path: join(directory, 'killed.db'), steps, ...options };
        const host = await startChild('marathonHost', original);
        await host.kill();
        const measured: number[] = [];
        for (let round = 0; round < rounds; round++) {
          const path = join(directory, `round-${round}.db`);
          copyLog(original.path, path);
          const heir = await startChild<MarathonReport>('marathonHeir', { ...original, path });
          await heir.kill();
          measured.push(heir.report.untilRunningMs);
        }
        return { unit: 'ms', measured, note: 'every run is a cold process on a fresh copy of the killed log.' };
      }),
  };
}

/** The file and what SQLite keeps beside it. */
function copyLog(from: string, to: string): void {
  for (const suffix of ['', '-wal']) if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix);
}
