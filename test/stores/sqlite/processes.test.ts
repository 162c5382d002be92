/** SQLite logs that several processes share, and processes that die or end. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type * as Driver from '../../../src/stores/sqlite/driver.ts';
import { sqliteLog } from '../../../src/stores/sqlite/index.ts';
import { compileInto, compileProcess, LogProcess } from './child-processes.ts';
import { all, event, logPath, pragmaOf, testFolder } from './log-files.ts';
import type { Task } from './log-process.ts';

let compiled: ReturnType<typeof compileProcess>;
beforeAll(() => {
  compiled = compileProcess('test/stores/sqlite/log-process.ts');
});
afterAll(() => compiled.remove());

const start = (task: Task) => LogProcess.start(compiled.script, task);

describe('processes on one SQLite file', () => {
  it('race for every revision of a new file, and exactly one wins each', async () => {
    const path = logPath();
    const task = { do: 'race', path, stream: 'race-1', untilRevision: 199 } as const;
    const racers = await Promise.all([start(task), start(task), start(task)]);
    for (const racer of racers) racer.go();
    for (const racer of racers) expect(await racer.end()).toEqual({ code: 0, errors: '' });

    await using log = sqliteLog(path);
    const read = await all(log.readAll());
    const wins = racers.flatMap((racer) => [...racer.acknowledged()]);
    expect(wins.length).toBe(read.length);
    expect(new Map(wins)).toEqual(new Map(read.map((each) => [each.revision, each.id])));
    expect(read.map((each) => each.revision)).toEqual([...read.keys()]);
    expect(read.map((each) => Number(each.position))).toEqual(read.map((_, index) => index + 1));
  });

  it('follow what another process writes', async () => {
    const path = logPath();
    const [first, second] = [event(), event()];
    await using log = sqliteLog(path);
    await log.append('order-1', 'no-stream', [first]);
    const follower = await start({ do: 'follow', path, untilId: second.id });
    follower.go();
    await follower.until((report) => report.at === 'caughtUp');
    await log.append('order-1', 0, [second]);
    await follower.end();
    expect(follower.reports.flatMap((report) => (report.at === 'event' ? [report.id] : []))).toEqual([
      first.id,
      second.id,
    ]);
  });

  it('leave behind what they acknowledged when they are killed', async () => {
    const path = logPath();
    const writer = await start({ do: 'write', path, stream: 'order-1' });
    writer.go();
    await writer.until((report) => report.at === 'acknowledged' && report.revision >= 50);
    await writer.kill();

    await using log = sqliteLog(path);
    const read = await all(log.readStream('order-1'));
    const acknowledged = writer.acknowledged();
    // The one append that was under way may be there, too.
    expect(read.length - acknowledged.size).toBeOneOf([0, 1]);
    for (const [revision, id] of acknowledged) expect(read[revision]?.id).toBe(id);
    expect(pragmaOf(path, 'integrity_check')).toBe('ok');
    expect((await log.append('order-1', read.length - 1, [event()])).revision).toBe(read.length);
  });

  it('end by themselves after close(), silently, with what was queued committed', async () => {
    const path = logPath();
    const closing = await start({ do: 'close', path });
    closing.go();
    expect(await closing.end()).toEqual({ code: 0, errors: '' });
    expect([...closing.acknowledged().values()]).toEqual(['queued']);
    await using log = sqliteLog(path);
    expect(await log.head('queued-1')).toEqual({ state: 'live', revision: 0 });
  });
});

describe('a program that has no SQLite binding', () => {
  it('is told what to install', async () => {
    // Outside the checkout no package resolves.
    const folder = testFolder();
    const compiled = pathToFileURL(compileInto(folder, 'src/stores/sqlite/driver.ts')).href;
    const { openDatabase } = (await import(/* @vite-ignore */ compiled)) as typeof Driver;
    const opening = () => openDatabase(join(folder, 'log.db'), 'libsql');
    expect(opening).toThrow(/npm install libsql/);
    expect(opening).toThrow(expect.objectContaining({ code: 'REWAKE_LOG_UNAVAILABLE', retryable: false }));
  });
});
