/** A SQLite log whose files were damaged: what is intact stays readable, what is not is named. */
import { closeSync, openSync, readFileSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DamagedRecordError, LogIncompatibleError } from '../../../src/errors.ts';
import type { RecordedEvent } from '../../../src/log/event-log.ts';
import { sqliteLog } from '../../../src/stores/sqlite/index.ts';
import { all, event, events, logPath, pragmaOf, testFolder, withRawConnection } from './log-files.ts';

/** Reads until the end or an error. */
async function readUntilError(iterable: AsyncIterable<RecordedEvent>) {
  const ids: string[] = [];
  try {
    for await (const each of iterable) ids.push(each.id);
  } catch (error) {
    return { ids, error };
  }
  return { ids, error: undefined };
}

/** Two streams, the first with three appends of two events, its middle one damaged by `sql`. */
async function damagedLog(sql: string) {
  const path = logPath();
  const log = sqliteLog(path);
  const [first, second, third, other] = [events(2), events(2), events(2), events(2)];
  await log.append('order-1', 'no-stream', first);
  await log.append('order-1', 1, second);
  await log.append('order-2', 'no-stream', other);
  await log.append('order-1', 3, third);
  withRawConnection(path, (db) => db.exec(sql));
  return { log, path, first, second, third, other };
}

const ids = (list: readonly { readonly id: string }[]) => list.map((each) => each.id);

describe('a damaged record', () => {
  it.each([
    ['a character of its data is another', `UPDATE appends SET data = replace(data, 'true', 'trve')`, 2],
    ['its data is cut short', `UPDATE appends SET data = substr(data, 1, 5)`, 2],
    ['its record is cut short', `UPDATE appends SET heads = substr(heads, 1, 40)`, 2],
    ['its record is no list of events', `UPDATE appends SET heads = '[1,2]'`, 2],
    ['its record is no text', `UPDATE appends SET heads = x'00ff'`, 2],
    ['its data is no text', `UPDATE appends SET data = x'00ff'`, 2],
    ['it counts its events wrongly', `UPDATE appends SET count = 1`, 2],
    ['an event has another type', `UPDATE appends SET heads = replace(heads, 'Tested', 'Tasted')`, 2],
    ['it is gone', `DELETE FROM appends`, 2],
    ['it is at another revision', `UPDATE appends SET revision = 20`, 2],
  ])('is named when %s; what precedes it and other streams are read', async (_, sql, revision) => {
    const { log, first, other } = await damagedLog(`${sql} WHERE stream_id = 1 AND revision = 2`);
    const { ids: read, error } = await readUntilError(log.readStream('order-1'));
    expect(error).toBeInstanceOf(DamagedRecordError);
    expect(error).toMatchObject({ stream: 'order-1', revision });
    expect(read).toEqual(ids(first));
    expect(ids(await all(log.readStream('order-2')))).toEqual(ids(other));
    expect(ids(await all(log.readStream('order-1', { limit: 2 })))).toEqual(ids(first));
    await log.close();
  });

  it('is named by readAll and by subscriptions, after what precedes it', async () => {
    const { log, first } = await damagedLog(
      `UPDATE appends SET data = replace(data, 'true', 'trve') WHERE stream_id = 1 AND revision = 2`,
    );
    const { ids: read, error } = await readUntilError(log.readAll());
    expect(error).toMatchObject({ code: 'REWAKE_DAMAGED_RECORD', stream: 'order-1', revision: 2 });
    expect(read).toEqual(ids(first));

    const items = log.subscribe()[Symbol.asyncIterator]();
    for (const each of first) expect(await items.next()).toMatchObject({ value: { event: { id: each.id } } });
    await expect(items.next()).rejects.toMatchObject({ stream: 'order-1', revision: 2 });
    await log.close();
  });

  it('is reported when the newest append of a stream is gone', async () => {
    const { log } = await damagedLog('DELETE FROM appends WHERE stream_id = 1 AND revision = 4');
    const { ids: read, error } = await readUntilError(log.readStream('order-1'));
    expect(read.length).toBe(4);
    expect(error).toMatchObject({ code: 'REWAKE_DAMAGED_RECORD', stream: 'order-1', revision: 4 });
    await log.close();
  });

  it('is reported when the stream of an append is gone', async () => {
    const { log } = await damagedLog('DELETE FROM streams WHERE id = 2');
    const { ids: read, error } = await readUntilError(log.readAll());
    expect(read.length).toBe(4);
    expect(error).toBeInstanceOf(DamagedRecordError);
    await log.close();
  });

  it('refuses a repeat that would have to be compared with it, and only that', async () => {
    const { log, second } = await damagedLog(`UPDATE appends SET heads = '[' WHERE stream_id = 1 AND revision = 2`);
    const outcomes = await Promise.allSettled([
      log.append('order-1', 1, second),
      log.append('order-2', 1, [event()]),
      log.truncate('order-1', 3),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'fulfilled', 'rejected']);
    expect((outcomes[0] as PromiseRejectedResult).reason).toBeInstanceOf(DamagedRecordError);
    expect((outcomes[2] as PromiseRejectedResult).reason).toBeInstanceOf(DamagedRecordError);
    await log.close();
  });
});

describe('a damaged file', () => {
  it('is a typed error on whatever page the damage is', async () => {
    const source = logPath();
    const log = sqliteLog(source);
    for (let round = 0; round < 40; round++) {
      await log.append(`order-${round}`, 'no-stream', events(2, { data: JSON.stringify('x'.repeat(700)) }));
    }
    await log.close();
    withRawConnection(source, (db) => db.exec('PRAGMA wal_checkpoint(TRUNCATE)'));
    const whole = readFileSync(source);
    const pageSize = Number(pragmaOf(source, 'page_size'));
    let seen = 0;
    for (let page = 1; page <= whole.length / pageSize; page++) {
      const path = join(testFolder(), 'log.db');
      const content = Buffer.from(whole);
      // The first page keeps its 100 bytes of header: without it the file is none of ours.
      content.fill(0xa5, (page - 1) * pageSize + (page === 1 ? 100 : 0), page * pageSize);
      writeFileSync(path, content);
      const errors = await everyErrorOf(path);
      for (const error of errors) {
        expect([DamagedRecordError, LogIncompatibleError]).toContain((error as Error).constructor);
      }
      if (errors.length > 0) seen++;
    }
    expect(seen).toBeGreaterThan(10);
  });

  it('with a torn tail keeps the appends before the tear, and goes on', async () => {
    const path = logPath();
    const log = sqliteLog(path);
    const written = events(20);
    const sizes: number[] = [];
    for (const [index, each] of written.entries()) {
      await log.append('order-1', index === 0 ? 'no-stream' : index - 1, [each]);
      sizes.push(statSync(`${path}-wal`).size);
    }
    // As a power cut leaves them: copied while the log is open, then cut inside the frames of the eleventh append.
    const torn = join(testFolder(), 'log.db');
    for (const suffix of ['', '-wal']) copyFileSync(path + suffix, torn + suffix);
    await log.close();
    truncateSync(`${torn}-wal`, sizes[9]! + Math.floor((sizes[10]! - sizes[9]!) / 2));

    await using again = sqliteLog(torn);
    expect(ids(await all(again.readStream('order-1')))).toEqual(ids(written.slice(0, 10)));
    expect((await again.append('order-1', 9, [written[10]!])).deduplicated).toBe(false);
    expect(ids(await all(again.readAll()))).toEqual(ids(written.slice(0, 11)));
    expect(pragmaOf(torn, 'integrity_check')).toBe('ok');
  });

  it('with a flipped byte in the tail keeps the appends before it', async () => {
    const path = logPath();
    const log = sqliteLog(path);
    const written = events(5);
    const sizes: number[] = [];
    for (const each of written) {
      await log.append('order-1', 'any', [each]);
      sizes.push(statSync(`${path}-wal`).size);
    }
    const torn = join(testFolder(), 'log.db');
    for (const suffix of ['', '-wal']) copyFileSync(path + suffix, torn + suffix);
    await log.close();
    const file = openSync(`${torn}-wal`, 'r+');
    writeSync(file, Buffer.from([0xa5, 0x5a, 0xa5]), 0, 3, sizes[2]! + 1_000);
    closeSync(file);

    await using again = sqliteLog(torn);
    expect(ids(await all(again.readStream('order-1')))).toEqual(ids(written.slice(0, 3)));
  });
});

/** What goes wrong when a log is opened, read in every way, and written. */
async function everyErrorOf(path: string): Promise<unknown[]> {
  const errors: unknown[] = [];
  const attempt = async (run: () => Promise<unknown>) => {
    try {
      await run();
    } catch (error) {
      errors.push(error);
    }
  };
  let log: ReturnType<typeof sqliteLog> | undefined;
  await attempt(async () => void (log = sqliteLog(path)));
  if (!log) return errors;
  const open = log;
  await attempt(() => all(open.readAll()));
  for (let round = 0; round < 40; round++) await attempt(() => all(open.readStream(`order-${round}`)));
  await attempt(() => open.append('order-1', 1, [event()]));
  await attempt(() => open.append('order-new', 'no-stream', [event()]));
  await attempt(() => open.close());
  return errors;
}
