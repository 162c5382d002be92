/** The log contract on SQLite files, with every binding that this Node can load. */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/clock.ts';
import type { EventLog } from '../../../src/log/event-log.ts';
import type { Database, DriverName } from '../../../src/stores/sqlite/driver.ts';
import { openSqliteLog } from '../../../src/stores/sqlite/open.ts';
import { contractFeatures, type ContractTarget } from '../../../src/testing/contract/contract-case.ts';
import { logContract } from '../../../src/testing/contract/log-contract.ts';
import { driversHere } from './log-files.ts';

describe.each(driversHere())('a SQLite log on %s', async (driver) => {
  const { cases, notApplicable } = await logContract(sqliteTarget(driver));

  it('answers for every case of the contract', () => {
    expect(notApplicable).toEqual([]);
  });

  for (const { number, title, run } of cases) it(`${number} ${title}`, run);
});

function sqliteTarget(driver: DriverName): ContractTarget {
  return {
    features: contractFeatures,
    create: async () => {
      const folder = mkdtempSync(join(tmpdir(), 'rewake-sqlite-'));
      const clock = new VirtualClock();
      const dead: EventLog[] = [];
      const losing = new WeakMap<EventLog, () => void>();
      let path = join(folder, 'log.db');
      return {
        clock,
        open: async () => {
          const answers = new LostAnswers();
          const log = openSqliteLog(path, 'SQLite log under test', { clock }, { driver, intercept: answers.intercept });
          losing.set(log, () => answers.loseNext());
          return log;
        },
        // The files as they are now are what kill -9 would leave; the log itself goes on with files nobody looks at.
        kill: async (log) => {
          const left = join(folder, `killed-${dead.push(log)}.db`);
          for (const suffix of ['', '-wal']) {
            if (existsSync(path + suffix)) copyFileSync(path + suffix, left + suffix);
          }
          path = left;
        },
        loseNextAcknowledgement: (log) => losing.get(log)!(),
        destroy: async () => {
          for (const log of dead) await log.close();
          rmSync(folder, { recursive: true });
        },
      };
    },
  };
}

/** A connection whose next COMMIT happens and then fails. */
class LostAnswers {
  #armed = false;

  loseNext(): void {
    this.#armed = true;
  }

  readonly intercept = (db: Database): Database => ({
    ...db,
    prepare: (sql) => {
      const statement = db.prepare(sql);
      if (sql !== 'COMMIT') return statement;
      return {
        ...statement,
        run: () => {
          statement.run();
          if (!this.#armed) return;
          this.#armed = false;
          throw Object.assign(new Error('disk I/O error'), { errcode: 10 });
        },
      };
    },
  });
}
