/**
 * Opens the log behind a connection string: driver, connections, schema. Owns the order of these steps.
 *
 * OP1  A log that is refused has ended its connections, and nothing was written.
 */
import type { Pool } from 'pg';
import { LogUnavailableError } from '../../errors.ts';
import { Connections } from './connections.ts';
import { fault } from './faults.ts';
import { settleOptions, splitUrl, type PostgresLogOptions, type SettledOptions } from './options.ts';
import { PostgresLog } from './postgres-log.ts';
import { identify, prepareSchema } from './schema.ts';

/** @param pool is ended with the log, and when it cannot be opened */
export async function openPostgresLog(
  name: string,
  { host, pathname }: URL,
  { connections: lanes, ...settled }: SettledOptions,
  pool: Pool,
): Promise<PostgresLog> {
  const { schema, migrate, readOnly } = settled;
  const connections = new Connections({ log: name, pool, readOnly });
  try {
    const [row] = await connections.query('SHOW server_version', []);
    const { query } = connections;
    await prepareSchema({ log: name, schema, migrate, query, transaction: (work) => connections.transaction(work) });
    const [serverVersion = ''] = String(row?.[0]).split(' ');
    return new PostgresLog({
      ...settled,
      name,
      connections,
      lanes,
      serverVersion,
      key: `${host}${pathname}/${schema}`,
    });
  } catch (error) {
    await connections.close();
    throw fault(error, name, 'be opened');
  }
}

/** Whether there is a log yet. @throws as `postgresLog` does, for one that is there too */
export async function isPostgresLogThere(url: string | URL): Promise<boolean> {
  const { address, settled, name } = settle(url, { connections: 1, readOnly: true });
  const connections = new Connections({ log: name, pool: await poolOf(name, address, settled), readOnly: true });
  try {
    return (await identify(connections.query, { log: name, schema: settled.schema })) > 0;
  } catch (error) {
    throw fault(error, name, 'be opened');
  } finally {
    await connections.close();
  }
}

/** What is to be opened. @throws InvalidArgumentError */
export function settle(url: string | URL, options: PostgresLogOptions) {
  const { address, schema } = splitUrl(url);
  const settled = settleOptions(schema === undefined ? options : { schema, ...options });
  return { address, settled, name: `PostgreSQL log '${settled.schema}' in '${address.host}${address.pathname}'` };
}

/** @throws LogUnavailableError where the driver is not installed */
export async function poolOf(name: string, address: URL, { connections, timeoutMs }: SettledOptions): Promise<Pool> {
  const { default: pg } = await import('pg').catch((cause: unknown) => {
    throw new LogUnavailableError(`${name} needs the package 'pg'. Install it: npm install pg.`, false, { cause });
  });
  return new pg.Pool({
    connectionString: address.href,
    max: connections,
    connectionTimeoutMillis: timeoutMs,
    query_timeout: timeoutMs,
    application_name: 'rewake',
    allowExitOnIdle: true,
  });
}
