/** rewake doctor: each check says what it found, and what to do (DR1, DR2). */
import { readdirSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createMachine, setup } from 'xstate';
import { createRuntime } from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import {
  checkBlocked,
  checkHost,
  checkMachines,
  checkNode,
  checkWal,
  judgeSpace,
  judgeSqlite,
} from '../../src/cli/checkup.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { call, emptyFolder, records } from './command-line.ts';

/** Its charge is named, and nowhere given. */
const order = createMachine({
  id: 'order',
  initial: 'open',
  states: { open: { on: { PAY: 'paying' } }, paying: { invoke: { src: 'charge' } } },
});
const open = setup({}).createMachine({ id: 'order', initial: 'open', states: { open: {} } });

/** A folder with a log in which order-1 is open. */
async function folderWithLog(): Promise<string> {
  const folder = emptyFolder();
  const log = sqliteLog(join(folder, 'app.db'));
  const runtime = await createRuntime({ log, machines: { order: open }, logger: silentLogger });
  await runtime.start('order', { id: '1' });
  await runtime.close();
  return folder;
}

const statusOf = (out: string) => Object.fromEntries(records(out).map(({ name, status }) => [name, status]));

it('looks at everything around a log, and changes nothing', async () => {
  const folder = await folderWithLog();
  const before = [readdirSync(folder), statSync(join(folder, 'app.db')).size];
  const { code, out } = await call(folder, ['doctor', 'app.db', '--json']);
  expect(code).toBe(0);
  expect(statusOf(out)).toEqual({
    ...{ node: 'ok', sqlite: expect.any(String), config: 'ok', log: 'ok', schema: 'ok', host: 'ok' },
    ...{ folder: 'ok', disk: expect.any(String), wal: 'ok', actors: 'ok' },
  });
  expect([readdirSync(folder), statSync(join(folder, 'app.db')).size]).toEqual(before);
  expect((await call(folder, ['doctor', 'app.db'])).out).toContain('✓ actors   actors: 1 active\n');
});

it('fails with a log that is none, and with a config that cannot be loaded', async () => {
  const folder = emptyFolder();
  writeFileSync(join(folder, 'app.db'), 'no database, and long enough to be one of the kind'.repeat(20));
  writeFileSync(join(folder, 'rewake.config.mjs'), 'export default { machine: {} };');
  const { code, out } = await call(folder, ['doctor', 'app.db', '--json']);
  expect(code).toBe(1);
  expect(statusOf(out)).toMatchObject({ node: 'ok', config: 'fail', log: 'fail' });
  expect(out).toContain("has 'machine', which is no part of a config");
});

it('says what a machine lacks', () => {
  expect(checkMachines({ machines: { order } })).toEqual({
    status: 'fail',
    found: "machines order; missing: actor 'charge' (order)",
    next: 'Give them in setup() or provide(): actors that need them are blocked.',
  });
  expect(checkMachines({ machines: { order: open } })).toEqual({ status: 'ok', found: 'machines order' });
  expect(checkMachines({}).status).toBe('warn');
});

it('names the actors that are blocked', async () => {
  const folder = await folderWithLog();
  await using log = sqliteLog(join(folder, 'app.db'));
  expect(await checkBlocked(log, { machines: { order: open } })).toEqual({
    status: 'ok',
    found: 'none of 1 active actors is blocked',
  });
  const other = setup({}).createMachine({ id: 'order', initial: 'shut', states: { shut: {} } });
  expect(await checkBlocked(log, { machines: { order: other } })).toEqual({
    status: 'fail',
    found: '1 of 1 active actors are blocked: order-1 (ReplayDivergedError)',
    next: "'rewake explain' says of each what it needs.",
  });
});

it('says who runs on the log, and whether that one is alive', async () => {
  const folder = await folderWithLog();
  await using log = sqliteLog(join(folder, 'app.db'));
  expect(await checkHost(log)).toEqual({ status: 'ok', found: 'no host runs on it' });
  const runtime = await createRuntime({ log, machines: { order: open }, logger: silentLogger, keepLogOpen: true });
  onTestFinished(() => void runtime.close());
  expect(await checkHost(log)).toMatchObject({
    status: 'ok',
    found: expect.stringContaining('runs on it; its lease runs until'),
  });
  await runtime.close();
  // Of another machine nobody here knows whether it lives.
  await log.lease('rewake.host', { owner: 'elsewhere/7/0/abc', ttlMs: 10_000 });
  expect(await checkHost(log)).toMatchObject({
    status: 'warn',
    found: expect.stringContaining('host elsewhere/7/0/abc is said to run'),
  });
});

it('judges versions, space and the write-ahead log by their bounds', async () => {
  expect([checkNode('20.18.9'), checkNode('20.19.0'), checkNode('24.0.0')].map(({ status }) => status)).toEqual([
    'fail',
    'ok',
    'ok',
  ]);
  const versions = ['3.50.9', '3.51.2', '3.51.3', '3.52.0', '4.0.0'];
  expect(versions.map((version) => judgeSqlite('node:sqlite', version).status)).toEqual([
    'warn',
    'warn',
    'ok',
    'ok',
    'ok',
  ]);
  expect([2 ** 20, 2 ** 28, 2 ** 30].map((free) => judgeSpace(free).status)).toEqual(['fail', 'warn', 'ok']);
  const file = join(emptyFolder(), 'app.db');
  expect(await checkWal(file)).toEqual({ status: 'ok', found: 'write-ahead log of 0 KiB' });
  writeFileSync(`${file}-wal`, '');
  truncateSync(`${file}-wal`, 65 * 2 ** 20);
  expect(await checkWal(file)).toMatchObject({ status: 'warn', found: 'write-ahead log of 65 MiB' });
});
