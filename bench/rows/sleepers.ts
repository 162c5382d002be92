/**
 * Dormant actors with timers: what they cost when a runtime is opened on them.
 */
import { join } from 'node:path';
import { startChild } from '../child.ts';
import { withDirectory } from '../disk.ts';
import type { SleepersData, SleepersReport } from '../parts/sleepers.ts';
import type { Row } from '../row.ts';

const actors = 100_000;
const rounds = 5;

export const sleepers: Row = {
  name: 'sleepers',
  what: `createRuntime in a new process on ${actors.toLocaleString('en-US')} dormant actors with a timer each, SQLite`,
  reference: '-',
  goal: { atMost: 2_000 },
  run: () =>
    withDirectory(async (directory) => {
      const data: SleepersData = { path: join(directory, 'sleepers.db'), actors };
      const maker = await startChild('sleepersMaker', data);
      await maker.ended();
      const reports: SleepersReport[] = [];
      for (let round = 0; round < rounds; round++) {
        const heir = await startChild<SleepersReport>('sleepersHeir', data);
        await heir.ended();
        reports.push(heir.report);
      }
      return {
        unit: 'ms',
        measured: reports.map(({ openMs }) => openMs),
        also: [
          {
            what: 'Heap per dormant actor after that',
            against: '-',
            unit: 'bytes',
            measured: reports.map(({ heapBytes }) => heapBytes / actors),
            goal: { atMost: 300 },
          },
        ],
        note: `timers due from one to thirty days ahead. The heap is everything that opening added to that of the process, divided by ${actors.toLocaleString('en-US')}; SQLite's page cache of at most 32 MiB lies outside of it. The files were written just before, so the disk's cache is warm.`,
      };
    }),
};
