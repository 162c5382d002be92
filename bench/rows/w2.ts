/**
 * W2, latency: one execution at a time on SQLite, beside the commits it cannot do without.
 */
import { join } from 'node:path';
import { createRuntime } from '../../src/index.ts';
import { driverFor, openDatabase } from '../../src/stores/sqlite/driver.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { withDirectory } from '../disk.ts';
import { execute, warmUp } from '../executions.ts';
import { noStep, threeSteps } from '../machines/three-steps.ts';
import { interleave, summarize, timeMs, type Contestant } from '../measure.ts';
import type { Row } from '../row.ts';

const perRound = 60;
const commits = 4;
const row = JSON.stringify({ text: 'x'.repeat(288) });

export const w2: Row = {
  name: 'w2',
  what: 'W2: one execution of three no-op promise steps at a time, SQLite, synchronous = FULL, p50',
  reference: `${commits} bare commits in a row, a row of ${row.length} bytes each, same binding, WAL, FULL, p50`,
  goal: { atMost: 2 },
  run: () =>
    withDirectory(async (directory) => {
      await warmUp();
      const job = threeSteps(noStep);
      const db = openBare(join(directory, 'bare.db'));
      await using runtime = await createRuntime({ log: sqliteLog(join(directory, 'w2.db')), machines: { job } });
      let next = 0;
      const { bare: reference, hosted: measured } = await interleave(
        { bare: p50(() => db.commits()), hosted: p50(() => execute(runtime, next++)) },
        { rounds: 11, warmups: 3, collects: false },
      );
      db.close();
      return {
        unit: 'ms',
        measured,
        reference,
        note: `each run is the median of ${perRound} executions, after some thousand to warm up.`,
      };
    }),
};

/** A contestant whose sample is the median time of many calls. */
function p50(run: () => unknown): Contestant {
  return async () => {
    const times: number[] = [];
    for (let index = 0; index < perRound; index++) times.push(await timeMs(run));
    return summarize(times).median;
  };
}

function openBare(path: string) {
  const db = openDatabase(path, driverFor(process.versions.node));
  db.prepare('PRAGMA journal_mode = WAL').get();
  db.exec('PRAGMA synchronous = FULL');
  db.exec('CREATE TABLE rows (id INTEGER PRIMARY KEY, data TEXT NOT NULL)');
  const insert = db.prepare('INSERT INTO rows (data) VALUES (?)');
  return {
    commits() {
      for (let index = 0; index < commits; index++) insert.run(row);
    },
    close: () => db.close(),
  };
}
