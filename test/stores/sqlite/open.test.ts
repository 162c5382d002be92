/** Opening a SQLite log: what is accepted, what is refused, and that a refused file is left as it was. */
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LogIncompatibleError, LogUnavailableError } from '../../../src/errors.ts';
import { driverFor, openDatabase, type Database } from '../../../src/stores/sqlite/driver.ts';
import { sqliteLog } from '../../../src/stores/sqlite/index.ts';
import { openSqliteLog } from '../../../src/stores/sqlite/open.ts';
import { applicationId, schemaVersion } from '../../../src/stores/sqlite/schema.ts';
import { all, event, logPath, pragmaOf, withRawConnection } from './log-files.ts';

/** What opening throws. */
function refusalOf(path: string): unknown {
  try {
    sqliteLog(path);
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('opening a SQLite log', () => {
  it('makes a file that says whose it is and in which version', async () => {
    const path = logPath();
    await sqliteLog(path).close();
    expect(pragmaOf(path, 'application_id')).toBe(applicationId);
    expect(pragmaOf(path, 'user_version')).toBe(schemaVersion);
    expect(pragmaOf(path, 'journal_mode')).toBe('wal');
  });

  it('gives a file from before projections a table for them, and keeps what is in it', async () => {
    const path = logPath();
    const first = sqliteLog(path);
    await first.append('order-1', 'no-stream', [event()]);
    await first.close();
    withRawConnection(path, (db) => db.exec('DROP TABLE definitions; DROP TABLE projections; PRAGMA user_version = 2'));
    await using log = sqliteLog(path);
    expect(pragmaOf(path, 'user_version')).toBe(schemaVersion);
    const stored = { epoch: 1, position: undefined, data: '{}' };
    await log.projections.save('one', 1, 'kept', stored);
    expect(await log.projections.served('one')).toEqual({ version: 1, stored });
    expect(await log.head('order-1')).toEqual({ state: 'live', revision: 0 });
  });

  it('keeps definitions in a file from before them, the first one under each hash', async () => {
    const path = logPath();
    await sqliteLog(path).close();
    withRawConnection(path, (db) => db.exec('DROP TABLE definitions; PRAGMA user_version = 3'));
    await using log = sqliteLog(path);
    expect(await log.definitions!.load('a')).toBeUndefined();
    await log.definitions!.save('a', '{"one":1}');
    await log.definitions!.save('a', '{"two":2}');
    expect(await log.definitions!.load('a')).toBe('{"one":1}');
  });

  it('takes an empty file as a new log', async () => {
    const path = logPath();
    writeFileSync(path, '');
    await using log = sqliteLog(path);
    expect((await log.append('order-1', 'no-stream', [event()])).revision).toBe(0);
  });

  it('names the file and the version of the library', async () => {
    await using log = sqliteLog(logPath());
    expect(log.name).toBe(`SQLite log 'log.db'`);
    expect(log.sqliteVersion).toMatch(/^3\.\d+\.\d+$/);
    expect(log.capabilities.durable).toBe('power');
  });

  it.each([
    ['power', 2],
    ['process', 1],
  ] as const)('declares the durability %s, and has SQLite sync accordingly', async (durability, synchronous) => {
    let connection: Database | undefined;
    const intercept = (db: Database) => (connection = db);
    await using log = openSqliteLog(logPath(), 'SQLite log under test', { durability }, { intercept });
    expect(log.capabilities.durable).toBe(durability);
    expect(connection!.prepare('PRAGMA synchronous').get()).toEqual([synchronous]);
  });

  it.each([
    ['a few bytes of text', 'hello'],
    ['a page of text', 'not a database\n'.repeat(400)],
    ['a damaged header', `SQLite format 2\0${'\0'.repeat(5_000)}`],
  ])('refuses %s, and leaves the file alone', (_, content) => {
    const path = logPath();
    writeFileSync(path, content);
    expect(refusalOf(path)).toBeInstanceOf(LogIncompatibleError);
    expect(readFileSync(path, 'latin1')).toBe(content);
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  it.each([
    ['with a mark of its own', 'PRAGMA application_id = 42'],
    ['without a mark', ''],
    ['without a mark, but with our version number', `PRAGMA user_version = ${schemaVersion}`],
  ])('refuses the database of another application %s, and leaves it alone', (_, mark) => {
    const path = logPath();
    withRawConnection(path, (db) => db.exec(`CREATE TABLE orders (id INTEGER PRIMARY KEY); ${mark}`));
    const before = readFileSync(path);
    const error = refusalOf(path) as Error;
    expect(error).toBeInstanceOf(LogIncompatibleError);
    expect(error.message).toContain('another application');
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('refuses a log of a newer version, naming both versions', async () => {
    const path = logPath();
    await sqliteLog(path).close();
    withRawConnection(path, (db) => db.exec(`PRAGMA user_version = ${schemaVersion + 1}`));
    const error = refusalOf(path) as Error;
    expect(error).toBeInstanceOf(LogIncompatibleError);
    expect(error.message).toContain(`version ${schemaVersion + 1}`);
    expect(error.message).toContain(`up to ${schemaVersion}`);
  });

  it.each([
    ['a folder that is not there', ['missing', 'log.db'], ['missing'], 'does not exist'],
    ['a folder whose parent is not there', ['missing', 'logs', 'log.db'], ['missing'], 'does not exist'],
    ['a file in place of the folder', ['file', 'log.db'], ['file'], 'is not a directory'],
    ['a folder in place of the file', ['folder'], ['folder'], 'is a directory'],
  ])('refuses %s as unavailable, for good, and says which', (_, at, culprit, what) => {
    const folder = dirname(logPath());
    writeFileSync(join(folder, 'file'), '');
    mkdirSync(join(folder, 'folder'));
    const path = join(folder, ...at);
    const error = refusalOf(path) as LogUnavailableError;
    expect(error).toBeInstanceOf(LogUnavailableError);
    expect(error.retryable).toBe(false);
    expect(error.message).toContain(`cannot be opened at '${path}'`);
    expect(error.message).toContain(`'${join(folder, ...culprit)}' ${what}`);
    expect(error.cause).toBeInstanceOf(Error);
  });

  it('takes a file as a log although another process makes it one at the same moment', async () => {
    const path = logPath();
    withRawConnection(path, (db) => db.exec('PRAGMA journal_mode = WAL'));
    let others = 0;
    const intercept = (db: Database): Database => ({
      ...db,
      prepare: (sql) => {
        if (sql === 'PRAGMA user_version' && others++ === 0) void sqliteLog(path).close();
        return db.prepare(sql);
      },
    });
    await using log = openSqliteLog(path, 'SQLite log under test', {}, { intercept });
    expect((await log.append('order-1', 'no-stream', [event()])).revision).toBe(0);
    expect(others).toBeGreaterThan(0);
  });

  it('reads a file it may not write, and refuses to append to it', async () => {
    const path = logPath();
    const written = event();
    const writer = sqliteLog(path);
    await writer.append('order-1', 'no-stream', [written]);
    await writer.close();
    chmodSync(path, 0o444);
    // The folder stays writable, because readers of a log in WAL mode share memory through a file in it.
    chmodSync(dirname(path), 0o777);
    await asOrdinaryUser(path, async () => {
      await using log = sqliteLog(path);
      expect((await all(log.readStream('order-1'))).map((each) => each.id)).toEqual([written.id]);
      const error = await log.append('order-1', 0, [event()]).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(LogUnavailableError);
      expect((error as LogUnavailableError).retryable).toBe(false);
      expect((error as LogUnavailableError).message).toContain('read-only');
    });
  });
});

describe('the SQLite binding', () => {
  it.each([
    ['20.19.0', 'libsql'],
    ['22.5.1', 'libsql'],
    ['22.12.0', 'libsql'],
    ['22.13.0', 'node:sqlite'],
    ['24.0.0', 'node:sqlite'],
    ['100.0.0', 'node:sqlite'],
  ])('on Node %s is %s', (version, driver) => {
    expect(driverFor(version)).toBe(driver);
  });

  it('refuses to run a statement after close', () => {
    const db = openDatabase(logPath(), driverFor(process.versions.node));
    const statement = db.prepare('SELECT 1');
    db.close();
    expect(() => statement.get()).toThrow(/open|finalized/);
  });
});

/** Root may write everything: as root, becomes the user nobody for a while. */
async function asOrdinaryUser(path: string, use: () => Promise<void>): Promise<void> {
  if (process.geteuid!() !== 0) return use();
  const nobody = 65_534;
  const owner = statSync(path).uid;
  process.seteuid!(nobody);
  try {
    await use();
  } finally {
    process.seteuid!(owner);
  }
}
