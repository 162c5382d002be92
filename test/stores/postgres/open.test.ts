/** What becomes of a PostgreSQL log that cannot be opened or used as it was asked for. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ConflictError,
  EventTooLargeError,
  InvalidArgumentError,
  LogIncompatibleError,
  LogReadOnlyError,
  LogUnavailableError,
  OutcomeUnknownError,
} from '../../../src/errors.ts';
import { event } from '../sqlite/log-files.ts';
import { postgresLog, type PostgresLogOptions } from '../../../src/stores/postgres/index.ts';
import { startPostgres, type PostgresServer } from '../../../bench/postgres-server.ts';

let server: PostgresServer;
let schemas = 0;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.destroy());

function freshSchema(): string {
  return `open_${++schemas}`;
}

/** Runs statements as the superuser. */
async function asSuperuser(sql: string): Promise<unknown[]> {
  const client = new pg.Client(server.url);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}

async function refused(url: string, options?: PostgresLogOptions): Promise<Error> {
  return postgresLog(url, options).then(
    () => expect.fail('it was opened'),
    (error: Error) => error,
  );
}

describe('a connection string', () => {
  it.each([
    ['mysql://localhost/db'],
    ['localhost:5432'],
    [''],
    [undefined as unknown as string],
    ['postgres://user:secret@host:port/db'],
  ])('%s is none', async (url) => {
    const error = await refused(url);
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toContain("a connection string such as 'postgres://user@host:5432/database'");
    expect(error.message).not.toContain('secret');
  });

  it.each<[PostgresLogOptions, string]>([
    [{ schema: 'a b' }, 'schema'],
    [{ schema: '"; DROP' }, 'schema'],
    [{ connections: 0 }, 'connections'],
    [{ maxEventBytes: -1 }, 'maxEventBytes'],
    [{ timeout: 0 }, 'timeout'],
    [{ pollInterval: 'soon' as never }, 'pollInterval'],
    [{ migrate: 'yes' as never }, 'migrate'],
    [{ durability: 'power' } as never, 'durability'],
  ])('an option that is none is refused: %j', async (options, name) => {
    const error = await refused(server.url, options);
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toContain(`{ ${name} }`);
  });

  it('may name the schema', async () => {
    const schema = freshSchema();
    await using log = await postgresLog(`${server.url}?schema=${schema}`);
    expect(log.name).toBe(`PostgreSQL log '${schema}' in '127.0.0.1:${server.port}/postgres'`);
    expect(log.serverVersion).toMatch(/^\d+\.\d+$/);
  });
});

describe('a server', () => {
  it('that is not there can be asked again', async () => {
    const error = await refused('postgres://postgres@127.0.0.1:1/postgres');
    expect(error).toMatchObject({ retryable: true, code: 'REWAKE_LOG_UNAVAILABLE' });
    expect(error.message).toContain('the server cannot be reached');
  });

  it('without such a database says so', async () => {
    const error = await refused(server.url.replace(/postgres$/, 'nowhere'));
    expect(error).toMatchObject({ retryable: false });
    expect(error.message).toContain('database "nowhere" does not exist. Create it');
  });

  it('that does not know the role says so, and the message holds no password', async () => {
    const error = await refused(`postgres://nobody:geheim@127.0.0.1:${server.port}/postgres`);
    expect(error).toBeInstanceOf(LogUnavailableError);
    expect(error.message).toContain('role "nobody" does not exist');
    expect(error.message).not.toContain('geheim');
  });

  it('that only reads takes no append', async () => {
    const schema = freshSchema();
    await (await postgresLog(server.url, { schema })).close();
    const url = `${server.url}?options=${encodeURIComponent('-c default_transaction_read_only=on')}`;
    await using log = await postgresLog(url, { schema });
    const error = await log.append('a-1', 'no-stream', [event()]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(LogUnavailableError);
    expect(error).toMatchObject({ retryable: false });
    expect((error as Error).message).toContain('it is a replica, or set so. Nothing was written.');
    expect((await log.head('a-1')).state).toBe('absent');
  });
});

describe('a schema', () => {
  it('of another application is left alone', async () => {
    const schema = freshSchema();
    await asSuperuser(`CREATE SCHEMA ${schema}; CREATE TABLE ${schema}.orders (id int)`);
    const error = await refused(server.url, { schema });
    expect(error).toBeInstanceOf(LogIncompatibleError);
    expect(error.message).toContain('is a schema of another application');
    expect(await asSuperuser(`SELECT relname FROM pg_class WHERE relnamespace = '${schema}'::regnamespace`)).toEqual([
      { relname: 'orders' },
    ]);
  });

  it('of a newer version is refused', async () => {
    const schema = freshSchema();
    await (await postgresLog(server.url, { schema })).close();
    await asSuperuser(`UPDATE ${schema}.meta SET version = 99`);
    const error = await refused(server.url, { schema });
    expect(error).toBeInstanceOf(LogIncompatibleError);
    expect(error.message).toContain('has schema version 99; this version of rewake knows versions up to 1.');
  });

  it('is made once, whoever comes first', async () => {
    const schema = freshSchema();
    const logs = await Promise.all(
      Array.from({ length: 5 }, () => postgresLog(server.url, { schema, connections: 1 })),
    );
    await Promise.all(logs.map((log, at) => log.append(`a-${at}`, 'no-stream', [event()])));
    expect((await asSuperuser(`SELECT count(*)::int FROM ${schema}.streams`))[0]).toEqual({ count: 5 });
    for (const log of logs) await log.close();
  });

  it('that may not be made is not made', async () => {
    const schema = freshSchema();
    expect((await refused(server.url, { schema, migrate: false })).message).toContain('has no tables yet');
    expect((await refused(server.url, { schema, readOnly: true })).message).toContain('has no tables yet');
    await asSuperuser(`CREATE ROLE ${schema}_reader LOGIN`);
    const url = server.url.replace('postgres@', `${schema}_reader@`);
    const error = await refused(url, { schema });
    expect(error.message).toContain('the role lacks a permission: permission denied for database postgres');
    expect(await asSuperuser(`SELECT 1 FROM pg_namespace WHERE nspname = '${schema}'`)).toEqual([]);
  });

  it('is used with the rights that the documentation names, and no others', async () => {
    const schema = freshSchema();
    await (await postgresLog(server.url, { schema })).close();
    const role = `${schema}_host`;
    await asSuperuser(`CREATE ROLE ${role} LOGIN;
      GRANT USAGE ON SCHEMA ${schema} TO ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${schema} TO ${role};
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${schema} TO ${role};
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${schema} TO ${role}`);
    await using log = await postgresLog(server.url.replace('postgres@', `${role}@`), { schema, migrate: false });
    await log.append('a-1', 'no-stream', [event(), event()]);
    await log.truncate('a-1', 1);
    expect(await log.lease('x', { owner: 'me', ttlMs: 1_000 })).not.toBeNull();
    expect((await log.head('a-1')).state).toBe('truncated');
  });

  it('that is opened to be read takes nothing, and gives everything', async () => {
    const schema = freshSchema();
    await using log = await postgresLog(server.url, { schema });
    await log.append('a-1', 'no-stream', [event()]);
    await using reading = await postgresLog(server.url, { schema, readOnly: true });
    const types: string[] = [];
    for await (const { type } of reading.readAll()) types.push(type);
    expect(types).toEqual(['Tested']);
    const snapshot = { revision: 0, definition: 'd', data: '{}', checksum: 1 };
    for (const write of [
      () => reading.append('a-1', 0, [event()]),
      () => reading.appendMany([{ stream: 'a-1', expected: 0, events: [event()] }]),
      () => reading.truncate('a-1', 1),
      () => reading.delete('a-1', 0),
      () => reading.lease('x', { owner: 'me', ttlMs: 1_000 }),
      () => reading.snapshots.save('a-1', snapshot),
      () => reading.definitions!.save('hash', '{}'),
      () => reading.quarantine!('a-1', 0, { reason: 'r', actor: undefined }),
    ]) {
      await expect(write()).rejects.toBeInstanceOf(LogReadOnlyError);
    }
    expect((await log.head('a-1')).state).toBe('live');
  });
});

describe('an append', () => {
  it('of too much is refused, and what is beside it is written', async () => {
    await using log = await postgresLog(server.url, { schema: freshSchema(), maxEventBytes: 100 });
    const [large, small] = await Promise.allSettled([
      log.append('a-1', 'no-stream', [event({ data: JSON.stringify('x'.repeat(200)) })]),
      log.append('a-2', 'no-stream', [event()]),
    ]);
    expect(large).toMatchObject({ reason: expect.any(EventTooLargeError) as unknown });
    expect(small.status).toBe('fulfilled');
  });

  it('of one stream is done in order, and what is refused leaves the others alone', async () => {
    await using log = await postgresLog(server.url, { schema: freshSchema() });
    const settled = await Promise.allSettled(
      [-1, 0, 7, 1, 2].map((before, at) =>
        log.append('a-1', before < 0 ? 'no-stream' : before, [event({ type: `T${at}` })]),
      ),
    );
    expect(settled.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(settled[2]).toMatchObject({ reason: expect.any(ConflictError) as unknown });
  });

  it('whose connection breaks has an unknown outcome, and is safe to retry', async () => {
    const schema = freshSchema();
    await using log = await postgresLog(server.url, { schema, connections: 1 });
    await log.append('a-1', 'no-stream', [event()]);
    const blocker = new pg.Client(server.url);
    await blocker.connect();
    await blocker.query('BEGIN');
    await blocker.query(`SELECT ${schema}.lock_streams($1)`, [['a-1']]);
    const events = [event()];
    const appending = log.append('a-1', 0, events).catch((error: unknown) => error);
    // It waits for the lock: then its connection is ended by the server.
    const waiting = `SELECT pid FROM pg_stat_activity WHERE application_name = 'rewake' AND wait_event_type = 'Lock'`;
    while ((await asSuperuser(waiting)).length === 0);
    await asSuperuser(`SELECT pg_terminate_backend(pid) FROM (${waiting}) waiting`);
    expect(await appending).toBeInstanceOf(OutcomeUnknownError);
    await blocker.query('ROLLBACK');
    await blocker.end();
    const again = await log.append('a-1', 0, events);
    expect(again).toMatchObject({ revision: 1, deduplicated: false });
  });

  it('goes on after the server was away, without the log being opened again', async () => {
    await using log = await postgresLog(server.url, { schema: freshSchema() });
    await log.append('a-1', 'no-stream', [event()]);
    const [first, second] = [event(), event()];
    await server.kill();
    const error = await log.append('a-1', 0, [first]).catch((thrown: unknown) => thrown);
    expect(error instanceof OutcomeUnknownError || error instanceof LogUnavailableError).toBe(true);
    await expect(log.head('a-1')).rejects.toMatchObject({ code: 'REWAKE_LOG_UNAVAILABLE', retryable: true });
    await server.start();
    expect(await log.append('a-1', 0, [first])).toMatchObject({ revision: 1 });
    expect(await log.append('a-1', 1, [second])).toMatchObject({ revision: 2 });
  });
});
