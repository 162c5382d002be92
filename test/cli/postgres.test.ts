/** The command on logs in a real PostgreSQL server: copied there and back, looked into, and looked after. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { setup } from 'xstate';
import { createRuntime } from 'rewake';
import { postgresLog } from 'rewake/postgres';
import { sqliteLog } from 'rewake/sqlite';
import { startPostgres, type PostgresServer } from '../../bench/postgres-server.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { call, emptyFolder, records } from './command-line.ts';

let server: PostgresServer;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.destroy());

const order = setup({ types: { events: {} as { type: 'PAY' | 'END' } } }).createMachine({
  id: 'order',
  initial: 'open',
  states: { open: { on: { PAY: 'paid' } }, paid: { on: { END: 'ended' } }, ended: { type: 'final' } },
});

/** A folder with a log of three orders, one of them over and one compacted. */
async function folderWithLog(): Promise<string> {
  const folder = emptyFolder();
  const log = sqliteLog(join(folder, 'app.db'));
  await using runtime = await createRuntime({ log, machines: { order }, logger: silentLogger });
  for (const id of ['1', '2', '3']) await runtime.start('order', { id });
  for (const id of ['1', '2', '3']) await runtime.send(`order-${id}`, { type: 'PAY' });
  await runtime.send('order-2', { type: 'END' });
  await runtime.compact('order-3');
  return folder;
}

it('copies a log there and back, once, with every event compared', async () => {
  const folder = await folderWithLog();
  const url = `${server.url}?schema=copied`;
  const planned = await call(folder, ['copy', 'app.db', url, '--dry-run']);
  expect(planned).toMatchObject({ code: 0, err: '' });
  expect(planned.out).toMatch(/^Would copy \d+ events of 3 streams to postgres:.*; there already: 0\.\n$/);
  const copied = await call(folder, ['copy', 'app.db', url, '--yes']);
  expect(copied.code, copied.err).toBe(0);
  expect(copied.out).toContain('All ');
  expect((await call(folder, ['copy', 'app.db', url, '--yes'])).err).toContain('Nothing was written.');
  expect((await call(folder, ['copy', url, 'back.db', '--yes'])).code).toBe(0);
  const listed = (log: string) =>
    call(folder, ['ls', log, '--json']).then(({ out }) =>
      records(out).map(({ stream, status, revision }) => ({ stream, status, revision })),
    );
  const original = await listed('app.db');
  expect(original).toHaveLength(3);
  expect(await listed(url)).toEqual(original);
  expect(await listed('back.db')).toEqual(original);
  const types = (log: string) =>
    call(folder, ['export', log, 'order-2']).then(({ out }) =>
      out.split('\n').filter((line) => line.includes('"event"')),
    );
  const events = (lines: readonly string[]) =>
    lines
      .map((line) => JSON.parse(line) as { id: string; checksum: number })
      .map(({ id, checksum }) => ({ id, checksum }));
  expect(events(await types('back.db'))).toEqual(events(await types('app.db')));
});

it('goes on with what another copy has left unfinished, and refuses other content', async () => {
  const folder = await folderWithLog();
  const schema = 'half';
  const url = `${server.url}?schema=${schema}`;
  await using log = await postgresLog(server.url, { schema });
  await using source = sqliteLog(join(folder, 'app.db'), { readOnly: true });
  const first = [];
  for await (const event of source.readStream('order-1', { limit: 1 })) first.push(event);
  await log.append('order-1', 'no-stream', first);
  expect((await call(folder, ['copy', 'app.db', url, '--dry-run'])).out).toContain('; there already: 1.');
  expect((await call(folder, ['copy', 'app.db', url, '--yes'])).code).toBe(0);
  const other = await folderWithLog();
  const refused = await call(other, ['copy', 'app.db', url, '--yes']);
  expect(refused.code).not.toBe(0);
  expect(refused.err).toContain("'order-1'");
});

it('looks into a log, and says what is wrong with one', async () => {
  const folder = await folderWithLog();
  const url = `${server.url}?schema=looked`;
  await call(folder, ['copy', 'app.db', url, '--yes']);
  expect((await call(folder, ['show', url, 'order-1'])).out).toContain('paid');
  expect((await call(folder, ['verify', url])).code).toBe(0);
  const away = await call(folder, ['ls', 'postgres://someone:geheim@127.0.0.1:1/app']);
  expect(away).toMatchObject({ code: 1, out: '' });
  expect(away.err).toContain('the server cannot be reached');
  expect(away.err).not.toContain('geheim');
  const empty = await call(folder, ['ls', `${server.url}?schema=nothing`]);
  expect(empty.err).toContain('has no tables yet');
});
