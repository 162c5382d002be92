/** What the layout of the file promises beyond the contract: positions, cut appends, indexes, polling. */
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/clock.ts';
import { LogClosedError } from '../../../src/errors.ts';
import type { ActorHead } from '../../../src/log/event-log.ts';
import type { Database } from '../../../src/stores/sqlite/driver.ts';
import { sqliteLog } from '../../../src/stores/sqlite/index.ts';
import { openSqliteLog } from '../../../src/stores/sqlite/open.ts';
import { StreamReader } from '../../../src/stores/sqlite/stream-reader.ts';
import { all, event, events, logPath, testFolder, withRawConnection } from './log-files.ts';

const head: ActorHead = {
  machine: 'order',
  version: null,
  status: 'active',
  correlationId: 'c-1',
  wakeAt: 5,
  effects: 1,
};

describe('positions', () => {
  it('are dense, and go on after the newest events were removed and the log was opened anew', async () => {
    const path = logPath();
    const log = sqliteLog(path);
    await log.append('order-1', 'no-stream', events(2));
    expect((await log.append('order-2', 'no-stream', events(3))).position).toBe('5');
    await log.delete('order-2', 'any');
    await log.close();
    const again = sqliteLog(path);
    expect((await again.append('order-1', 1, events(1))).position).toBe('6');
    await again.truncate('order-1', 3);
    await again.close();
    await using last = sqliteLog(path);
    expect((await last.append('order-1', 2, events(1))).position).toBe('7');
    expect((await all(last.readAll())).map((each) => each.position)).toEqual(['7']);
  });
});

describe('an append that lies across the first kept revision', () => {
  it.each([1, 2, 3, 4])('is cut at %i and keeps revisions, positions and content', async (before) => {
    const path = logPath();
    await using log = sqliteLog(path);
    const written = events(5, { data: '"é🧭"' });
    await log.append('order-1', 'no-stream', written);
    const whole = await all(log.readStream('order-1'));
    await log.truncate('order-1', before);
    expect(await all(log.readStream('order-1'))).toEqual(whole.slice(before));
    expect(await all(log.readAll())).toEqual(whole.slice(before));
    // A repeat that reaches below the cut cannot be recognised any more; one above it can.
    expect((await log.append('order-1', 3, written.slice(4))).deduplicated).toBe(true);
  });
});

describe("an append to 'any' revision", () => {
  it('is recognised as a repeat as long as its events are there', async () => {
    await using log = sqliteLog(logPath());
    const written = events(2);
    const first = await log.append('order-1', 'any', written);
    expect(await log.append('order-1', 'any', written)).toEqual({ ...first, deduplicated: true });
    await log.truncate('order-1', 2);
    expect(await log.append('order-1', 'any', written)).toMatchObject({ revision: 3, deduplicated: false });
    expect(await log.append('order-1', 'any', written)).toMatchObject({ revision: 3, deduplicated: true });
  });
});

describe('queries of the actor index', () => {
  it.each([
    ['unfinished effects of active actors', { effects: true, status: 'active' }, 'streams_active'],
    ['unfinished actors', { status: 'active' }, 'streams_active'],
    ['failed actors', { status: 'error' }, 'streams_in_error'],
    ['stopped actors', { status: 'stopped' }, 'streams_stopped'],
    ['due timers', { wakes: { until: 10 } }, 'streams_by_wake'],
    ['actors of a machine in a status', { machine: 'order', status: 'done' }, 'streams_by_machine'],
    ['actors of a machine', { machine: 'order' }, 'streams_by_machine'],
    ['a correlation', { correlationId: 'c-1' }, 'streams_by_correlation'],
  ] as const)('for %s use their index', async (_, query, index) => {
    const asked: string[] = [];
    const intercept = (db: Database): Database => ({
      ...db,
      prepare: (sql) => {
        asked.push(sql);
        return db.prepare(sql);
      },
    });
    const path = logPath();
    await using log = openSqliteLog(path, 'SQLite log under test', {}, { intercept });
    await log.append('order-1', 'no-stream', events(1), { actor: head });
    await all(log.actors(query));
    const sql = asked.at(-1)!;
    const values = Array.from(sql.matchAll(/\?/g), () => 1);
    const plan = withRawConnection(path, (db) => db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all(...values));
    expect(plan.map((row) => row[3]).join('\n')).toContain(index);
  });
});

describe('a file of schema version 1', () => {
  it('is brought up to date when it is opened, and keeps what is in it', async () => {
    const path = logPath();
    const log = sqliteLog(path);
    const written = events(2);
    await log.append('order-1', 'no-stream', written);
    await log.close();
    withRawConnection(path, (db) =>
      db.exec('DROP TABLE definitions; DROP TABLE quarantined; DROP TABLE projections; PRAGMA user_version = 1'),
    );
    await using again = sqliteLog(path);
    expect((await all(again.readAll())).map((each) => each.id)).toEqual(written.map((each) => each.id));
    expect(await all(again.quarantined())).toEqual([]);
    await again.quarantine('order-1', 0, { reason: 'a test', actor: undefined });
    expect((await all(again.quarantined())).flatMap(({ events: kept }) => kept.map(({ id }) => id))).toEqual(
      written.map((each) => each.id),
    );
  });
});

describe('a stream id', () => {
  it('of a row that is lost is not given to another stream, which would take over its records', async () => {
    const path = logPath();
    const log = sqliteLog(path);
    await log.append('order-1', 'no-stream', events(2));
    await log.close();
    withRawConnection(path, (db) => db.exec('DELETE FROM streams'));
    await using again = sqliteLog(path);
    const [anew] = events(1);
    expect((await again.append('order-2', 'no-stream', [anew!])).revision).toBe(0);
    expect((await all(again.readStream('order-2'))).map(({ id }) => id)).toEqual([anew!.id]);
  });
});

describe('close()', () => {
  it('commits what was submitted before it, and takes nothing after it', async () => {
    const path = logPath();
    const log = sqliteLog(path);
    const written = events(2);
    const queued = Promise.all([
      log.append('order-1', 'no-stream', [written[0]!]),
      log.append('order-1', 0, [written[1]!]),
      log.lease('runner', { owner: 'a', ttlMs: 60_000 }),
    ]);
    await log.close();
    expect((await queued)[1]).toMatchObject({ revision: 1 });
    await expect(log.truncate('order-1', 1)).rejects.toBeInstanceOf(LogClosedError);
    await using again = sqliteLog(path);
    expect((await all(again.readAll())).map((each) => each.id)).toEqual(written.map((each) => each.id));
    expect((await again.leaseHolder('runner'))?.owner).toBe('a');
  });
});

describe('a subscription', () => {
  it('looks for the events of other processes while it waits, and only then', async () => {
    const clock = new VirtualClock();
    const path = logPath();
    await using log = sqliteLog(path, { clock, pollInterval: '50ms' });
    expect(clock.nextDue()).toBeUndefined();
    const items = log.subscribe()[Symbol.asyncIterator]();
    expect(await items.next()).toEqual({ done: false, value: { type: 'caughtUp' } });
    const pending = items.next();
    expect(clock.nextDue()).toBe(clock.now() + 50);

    // By another name of the file, as another process would: the two logs do not know of each other.
    const link = join(testFolder(), 'link.db');
    symlinkSync(path, link);
    await using other = sqliteLog(link);
    const written = event();
    await other.append('order-1', 'no-stream', [written]);
    await clock.advance(50);
    expect(await pending).toMatchObject({ value: { type: 'event', event: { id: written.id } } });
    await clock.advance(50);
    expect(clock.nextDue()).toBeUndefined();
    await items.return?.();
  });
});

describe('a stream of long appends', () => {
  it.each([false, true])('is read in few queries, backwards: %s', async (backwards) => {
    const path = logPath();
    await using log = sqliteLog(path);
    const text = JSON.stringify('x'.repeat(600));
    for (let nth = 0; nth < 20; nth++)
      await log.append('order-1', nth === 0 ? 'no-stream' : nth * 250 - 1, events(250, { data: text }));
    let queries = 0;
    const counting = (db: Database): Database => ({
      exec: (sql) => db.exec(sql),
      close: () => db.close(),
      prepare(sql) {
        const statement = db.prepare(sql);
        return {
          run: (...values) => statement.run(...values),
          get: (...values) => statement.get(...values),
          all: (...values) => (queries++, statement.all(...values)),
        };
      },
    });
    const reader = withRawConnection(path, (db) => new StreamReader(counting(db), path));
    const pages = [...reader.pages('order-1', { backwards }, () => {})];
    expect(pages.flat()).toHaveLength(5_000);
    // 5,000 events of 800 characters, in pages of at most 256 KiB.
    expect(queries).toBeLessThan(40);
  });
});
