/** A SQLite log whose file is deleted or replaced while it is open acknowledges nothing more. */
import { copyFileSync, renameSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LogUnavailableError } from '../../../src/errors.ts';
import { openSqliteLog } from '../../../src/stores/sqlite/open.ts';
import { VirtualClock } from '../../../src/clock.ts';
import type { SqliteLogOptions } from '../../../src/stores/sqlite/index.ts';
import { all, driversHere, event, events, logPath } from './log-files.ts';

const claim = { owner: 'a', ttlMs: 60_000 };

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('the call succeeded'),
    (error: unknown) => error,
  );
}

const losses: [string, string, (path: string) => void][] = [
  ['deleted', 'was deleted or moved', (path) => rmSync(path)],
  ['deleted with its companions', 'was deleted or moved', removeAll],
  ['moved away', 'was deleted or moved', (path) => renameSync(path, `${path}.old`)],
  ['replaced by a copy', 'was replaced by another file', replaceByCopy],
];

describe.each(driversHere())('a file under %s', (driver) => {
  const open = (path: string, options: SqliteLogOptions = {}) =>
    openSqliteLog(path, 'SQLite log under test', options, { driver });

  describe.each(losses)('that is %s while its log is open', (_, happened, lose) => {
    it.each(['acquired', 'renewed'])('is noticed when a lease is %s, and nothing is appended any more', async (how) => {
      const path = logPath();
      await using log = open(path);
      const held = await log.lease('held', claim);
      const written = events(2);
      await log.append('order-1', 'no-stream', written);
      lose(path);
      const error = await failure(how === 'renewed' ? held!.renew() : log.lease('other', claim));
      expect(error).toBeInstanceOf(LogUnavailableError);
      expect(error).toMatchObject({ retryable: false });
      expect((error as Error).message).toContain(`'${path}' ${happened}`);
      expect(await failure(log.append('order-1', 1, [event()]))).toBe(error);
      expect(await failure(log.appendMany([{ stream: 'order-2', expected: 'no-stream', events: [event()] }]))).toBe(
        error,
      );
      expect(await failure(log.lease('other', claim))).toBe(error);
      expect(await failure(held!.renew())).toBe(error);
      // There is nothing to give back, and what was written can be rescued.
      await held!.release();
      expect((await all(log.readAll())).map((each) => each.id)).toEqual(written.map((each) => each.id));
    });
  });

  it('is noticed by the next append: none is acknowledged that nobody would find', async () => {
    const path = logPath();
    await using log = open(path);
    await log.append('order-1', 'no-stream', [event()]);
    removeAll(path);
    expect(await failure(log.append('order-1', 0, [event()]))).toMatchObject({ retryable: false });
  });

  it('is refused to every append that waits beside the lease', async () => {
    const path = logPath();
    await using log = open(path);
    rmSync(path);
    const outcomes = await Promise.allSettled([
      log.append('order-1', 'no-stream', [event()]),
      log.lease('runner', claim),
      log.append('order-2', 'no-stream', [event()]),
    ]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(await all(log.readAll())).toEqual([]);
  });

  it('is noticed by a subscription that waits', async () => {
    const clock = new VirtualClock();
    const path = logPath();
    await using log = open(path, { clock, pollInterval: '50ms' });
    const items = log.subscribe()[Symbol.asyncIterator]();
    await items.next();
    const pending = failure(items.next());
    rmSync(path);
    await clock.advance(50);
    const error = await pending;
    expect(error).toBeInstanceOf(LogUnavailableError);
    expect(await failure(log.append('order-1', 'no-stream', [event()]))).toBe(error);
    await clock.advance(50);
    expect(clock.nextDue()).toBeUndefined();
  });

  it('leaves the log that took its place alone when it is closed', async () => {
    const path = logPath();
    const log = open(path);
    await log.append('order-1', 'no-stream', events(3));
    removeAll(path);
    await using next = open(path);
    const written = event();
    await next.append('order-1', 'no-stream', [written]);
    await failure(log.lease('runner', claim));
    await log.close();
    await next.append('order-1', 0, [event()]);
    await next.close();
    await using last = open(path);
    expect((await all(last.readStream('order-1')))[0]?.id).toBe(written.id);
    expect(await last.head('order-1')).toEqual({ state: 'live', revision: 1 });
  });
});

function removeAll(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix);
}

function replaceByCopy(path: string): void {
  copyFileSync(path, `${path}.copy`);
  renameSync(`${path}.copy`, path);
}
