import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sqliteLog } from '../../../src/stores/sqlite/index.ts';
import { all, event, logPath, withRawConnection } from './log-files.ts';

async function written(): Promise<string> {
  const path = logPath();
  const log = sqliteLog(path);
  await log.append('order-1', 'no-stream', [event()]);
  await log.close();
  return path;
}

describe('a SQLite log that is opened to be read', () => {
  it('gives what is in it', async () => {
    await using log = sqliteLog(await written(), { readOnly: true });
    expect((await all(log.readStream('order-1'))).map(({ revision }) => revision)).toEqual([0]);
    expect(await all(log.quarantined())).toEqual([]);
  });

  it('writes nothing, whatever is asked of it', async () => {
    const path = await written();
    const before = readFileSync(path);
    const log = sqliteLog(path, { readOnly: true });
    const refused = /^SQLite log 'log.db' was opened to be read: what is meant for .* is not written/;
    await expect(log.append('order-1', 0, [event()])).rejects.toThrow(refused);
    await expect(log.lease('rewake', { owner: 'me', ttlMs: 1_000 })).rejects.toThrow(refused);
    await expect(log.truncate('order-1', 1)).rejects.toThrow(refused);
    await expect(log.definitions!.save('a', '{}')).rejects.toThrow(refused);
    await log.close();
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('sees what a host writes meanwhile', async () => {
    const path = await written();
    await using host = sqliteLog(path);
    await using log = sqliteLog(path, { readOnly: true });
    await host.append('order-1', 0, [event()]);
    expect(await all(log.readStream('order-1'))).toHaveLength(2);
  });

  it('of an older version is read as it is, and stays what it is', async () => {
    const path = await written();
    withRawConnection(path, (db) =>
      db.exec('DROP TABLE definitions; DROP TABLE projections; DROP TABLE quarantined; PRAGMA user_version = 1'),
    );
    const log = sqliteLog(path, { readOnly: true });
    expect(await all(log.readStream('order-1'))).toHaveLength(1);
    expect(await all(log.quarantined())).toEqual([]);
    expect(await log.definitions!.load('a')).toBeUndefined();
    await log.close();
    withRawConnection(path, (db) => {
      expect(db.prepare('PRAGMA user_version').get()![0]).toBe(1);
      expect(db.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'definitions'").get()![0]).toBe(0);
    });
  });

  it('must be there', () => {
    const path = logPath();
    expect(() => sqliteLog(path, { readOnly: true })).toThrow(
      `SQLite log 'log.db' cannot be opened to be read: there is no file at '${path}'. Check the path.`,
    );
    mkdirSync(path);
    expect(() => sqliteLog(path, { readOnly: true })).toThrow('is a directory. Give the path of a file in it.');
  });

  it('must be one', () => {
    const path = logPath();
    writeFileSync(path, '');
    expect(() => sqliteLog(path, { readOnly: true })).toThrow("SQLite log 'log.db' is an empty file");
    writeFileSync(path, 'no database at all, but a text of some length '.repeat(40));
    expect(() => sqliteLog(path, { readOnly: true })).toThrow('not a SQLite database');
    expect(readFileSync(path, 'utf8')).toContain('no database at all');
  });

  it('is asked for with true or false', () => {
    expect(() => sqliteLog(logPath(), { readOnly: 'yes' as never })).toThrow(
      'sqliteLog(path, { readOnly }): expected true or false, found "yes".',
    );
  });
});
