/**
 * Connections to the server. Owns the pool, the deadline around every statement, and transactions; statements are the callers'.
 *
 * CN1  A statement has one deadline. A connection whose answer did not come in time is thrown away with whatever it still says.
 * CN2  A connection that broke is thrown away; the next statement gets another one.
 * CN3  Nothing of a session is relied on between statements, so that a pooler may share connections by transaction.
 */
import type { Pool, PoolClient } from 'pg';
import { LogClosedError, LogReadOnlyError } from '../../errors.ts';
import { isContended } from './faults.ts';

/** Runs a statement, or several without values, and gives its rows as arrays in the order of its columns. */
export type Query = (sql: string, values?: readonly unknown[]) => Promise<readonly (readonly unknown[])[]>;

export interface ConnectionsOptions {
  readonly log: string;
  readonly pool: Pool;
  readonly readOnly: boolean;
}

/** How often a transaction is tried that was given up for the sake of others. */
const attemptsMax = 20;

export class Connections {
  readonly #log: string;
  readonly #pool: Pool;
  readonly #readOnly: boolean;
  #closed: Promise<void> | undefined;

  constructor({ log, pool, readOnly }: ConnectionsOptions) {
    this.#log = log;
    this.#readOnly = readOnly;
    this.#pool = pool;
    // A connection that breaks while nobody uses it: the pool has dropped it, and the next one is made when it is needed.
    pool.on('error', () => {});
  }

  ensureOpen(): void {
    if (this.#closed) throw new LogClosedError(this.#log);
  }

  /** @param subject what would be written is meant for it @throws LogReadOnlyError | LogClosedError */
  ensureWritable(subject: string): void {
    this.ensureOpen();
    if (this.#readOnly) throw new LogReadOnlyError(this.#log, `what is meant for '${subject}'`);
  }

  /** One statement, which is a transaction of its own. @throws what the driver throws */
  readonly query: Query = (sql, values) => this.#with((client) => run(client, sql, values));

  /** Statements in one transaction, which is undone when `work` throws. Tried again where it was in the way of others. */
  async transaction<T>(work: (query: Query) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#with((client) => transact(client, work));
      } catch (error) {
        if (!isContended(error) || attempt === attemptsMax) throw error;
      }
    }
  }

  async close(): Promise<void> {
    this.#closed ??= this.#pool.end();
    await this.#closed;
  }

  async #with<T>(use: (client: PoolClient) => Promise<T>): Promise<T> {
    this.ensureOpen();
    const client = await this.#pool.connect();
    let broken: Error | undefined;
    const onError = (error: Error) => (broken = error);
    client.on('error', onError);
    try {
      return await use(client);
    } catch (error) {
      // CN1, CN2: what has no SQLSTATE did not come from the server.
      if (!(error as { code?: string }).code || broken) broken = error as Error;
      throw error;
    } finally {
      client.off('error', onError);
      client.release(broken);
    }
  }
}

async function run(client: PoolClient, sql: string, values: readonly unknown[] | undefined) {
  // Without values it may be several statements; their results are not looked at.
  if (!values) {
    const result = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return Array.isArray(result) ? [] : result.rows;
  }
  return (await client.query<unknown[]>({ text: sql, values: [...values], rowMode: 'array' })).rows;
}

async function transact<T>(client: PoolClient, work: (query: Query) => Promise<T>): Promise<T> {
  const query: Query = (sql, values) => run(client, sql, values);
  await query('BEGIN ISOLATION LEVEL READ COMMITTED');
  try {
    const result = await work(query);
    await query('COMMIT');
    return result;
  } catch (error) {
    try {
      await query('ROLLBACK');
    } catch {
      // The connection is gone, and the transaction with it.
    }
    throw error;
  }
}
