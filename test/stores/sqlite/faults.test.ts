/** A SQLite log that cannot write: full, locked, or with a commit that fails. */
import { statSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LogUnavailableError, OutcomeUnknownError } from '../../../src/errors.ts';
import type { Database } from '../../../src/stores/sqlite/driver.ts';
import { sqliteLog } from '../../../src/stores/sqlite/index.ts';
import { openSqliteLog, type SqliteInternals } from '../../../src/stores/sqlite/open.ts';
import { all, event, events, logPath, pragmaOf, withRawConnection } from './log-files.ts';

const large = JSON.stringify('x'.repeat(20_000));

function open(path: string, internals: SqliteInternals, options = {}) {
  return openSqliteLog(path, 'SQLite log under test', options, internals);
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('the call succeeded'),
    (error: unknown) => error,
  );
}

/** A connection on which `COMMIT` fails once, as soon as `arm` was called. */
function failingCommit(errcode: number) {
  let armed = false;
  const intercept = (db: Database): Database => ({
    ...db,
    prepare: (sql) => {
      const statement = db.prepare(sql);
      if (sql !== 'COMMIT') return statement;
      return {
        ...statement,
        run: () => {
          if (!armed) return statement.run();
          armed = false;
          throw Object.assign(new Error(`SQLite code ${errcode}`), { errcode });
        },
      };
    },
  });
  return { intercept, arm: () => (armed = true) };
}

describe('a SQLite log on a full disk', () => {
  it('refuses what does not fit as unavailable for now, keeps what it has, and goes on when there is room', async () => {
    const path = logPath();
    const log = open(path, { pagesMax: 60 });
    const written: string[] = [];
    let error: unknown;
    for (let revision = -1; error === undefined && revision < 1_000; revision++) {
      const next = event({ data: large });
      const outcome = await log
        .append('order-1', revision < 0 ? 'no-stream' : revision, [next])
        .catch((caught: unknown) => caught);
      if (outcome instanceof Error) error = outcome;
      else written.push(next.id);
    }
    expect(error).toBeInstanceOf(LogUnavailableError);
    expect(error).toMatchObject({ retryable: true });
    expect((error as Error).message).toContain('full');
    expect(written.length).toBeGreaterThan(3);
    expect((await all(log.readStream('order-1'))).map((each) => each.id)).toEqual(written);
    expect(await log.head('order-1')).toEqual({ state: 'live', revision: written.length - 1 });
    await log.close();

    await using roomy = sqliteLog(path);
    expect((await roomy.append('order-1', written.length - 1, [event({ data: large })])).revision).toBe(written.length);
    expect(pragmaOf(path, 'integrity_check')).toBe('ok');
  });

  it('refuses only the append that does not fit, not those committed with it', async () => {
    await using log = open(logPath(), { pagesMax: 60 });
    const huge = event({ data: JSON.stringify('x'.repeat(400_000)) });
    const outcomes = await Promise.allSettled([
      log.append('order-1', 'no-stream', events(1)),
      log.append('order-2', 'no-stream', [huge]),
      log.append('order-1', 0, events(1)),
      log.append('order-3', 'any', events(1)),
      log.append('order-1', 0, events(1)),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
      'rejected',
    ]);
    expect((outcomes[1] as PromiseRejectedResult).reason).toBeInstanceOf(LogUnavailableError);
    expect((outcomes[4] as PromiseRejectedResult).reason).toMatchObject({ code: 'REWAKE_CONFLICT', actual: 1 });
    expect((await all(log.readAll())).map((each) => Number(each.position))).toEqual([1, 2, 3]);
    expect(await log.head('order-2')).toEqual({ state: 'absent' });
  });
});

describe('a SQLite log that another process has locked', () => {
  it('gives up after the busy timeout, and writes when the lock is gone', async () => {
    const path = logPath();
    await using log = sqliteLog(path, { busyTimeout: '20ms' });
    await log.append('order-1', 'no-stream', events(1));
    const next = event();
    await withRawConnection(path, async (db) => {
      db.exec('BEGIN IMMEDIATE');
      const error = await failure(log.append('order-1', 0, [next]));
      expect(error).toBeInstanceOf(LogUnavailableError);
      expect(error).toMatchObject({ retryable: true });
      expect(await failure(log.lease('runner', { owner: 'a', ttlMs: 1_000 }))).toBeInstanceOf(LogUnavailableError);
      // Readers are not locked out.
      expect((await all(log.readStream('order-1'))).length).toBe(1);
      db.exec('ROLLBACK');
    });
    expect(await log.append('order-1', 0, [next])).toMatchObject({ revision: 1, deduplicated: false });
  });
});

describe('a commit that fails', () => {
  it.each([
    ['a full disk', 13, LogUnavailableError],
    ['an I/O error', 10 | (4 << 8), OutcomeUnknownError],
  ])('because of %s answers every append of the batch, and leaves nothing behind in memory', async (_, code, kind) => {
    const commit = failingCommit(code);
    await using log = open(logPath(), { intercept: commit.intercept });
    await log.append('order-1', 'no-stream', events(1));
    const [a, b] = [event(), event()];
    commit.arm();
    const failed = await Promise.all([
      failure(log.append('order-1', 0, [a])),
      failure(log.append('order-2', 'no-stream', [b])),
    ]);
    for (const error of failed) expect(error).toBeInstanceOf(kind);
    expect(await log.head('order-2')).toEqual({ state: 'absent' });
    expect(await log.append('order-1', 0, [a])).toMatchObject({ revision: 1, position: '2', deduplicated: false });
    expect(await log.append('order-2', 'no-stream', [b])).toMatchObject({ revision: 0, position: '3' });
  });
});

describe('the -wal file', () => {
  it('is truncated although a reader and a subscription pause in the middle', async () => {
    const path = logPath();
    await using log = sqliteLog(path);
    await log.append('order-1', 'no-stream', events(2_000));
    const readers = [log.readAll(), log.readStream('order-1'), log.subscribe(), log.actors()].map((iterable) =>
      (iterable as AsyncIterable<unknown>)[Symbol.asyncIterator](),
    );
    for (const reader of readers) await reader.next();
    const [busy] = withRawConnection(path, (db) => db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()!);
    expect(busy).toBe(0);
    expect(statSync(`${path}-wal`).size).toBe(0);
    for (const reader of readers) await reader.return?.();
  });
});
