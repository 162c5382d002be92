/**
 * `rewake/postgres`: an event log in a PostgreSQL database. Owns what a user sees of it; the log is postgres-log.ts.
 *
 * PG1  A log that was opened is usable: the server answers, the schema is ours and current.
 * PG2  What does not fit is refused with a typed error before anything is written.
 */
import type { EventLog } from '../../log/event-log.ts';
import { openPostgresLog, poolOf, settle } from './open.ts';
import type { PostgresLogOptions } from './options.ts';

export type { PostgresLogOptions } from './options.ts';

/** An event log in a PostgreSQL database, open. */
export interface PostgresLog extends EventLog, AsyncDisposable {
  /** Version of the server, for example `18.4`. */
  readonly serverVersion: string;
}

/**
 * Opens an event log in a PostgreSQL database; makes its schema where it is missing, and brings an older one up to date.
 *
 * Uses the package `pg`, which has to be installed. Several processes on any machines may open one log. Appends that wait are
 * sent together, as one statement; every one of them is durable as the server's `synchronous_commit` says, which by default
 * survives a power cut. It works behind a pooler that shares connections by transaction.
 *
 * A reader of the whole log sees an event when every transaction that began to write before it has ended, so that nothing can
 * come to stand before what was read. A transaction that writes anywhere in the database and stays open holds readers back: set
 * `idle_in_transaction_session_timeout`.
 *
 * @example
 * await using log = await postgresLog('postgres://rewake@localhost/orders');
 * await log.append('order-1', 'no-stream', [event]);
 *
 * @param url `postgres://user:password@host:port/database`, with the parameters that `pg` knows; `schema=…` among them is the
 *   option of this name
 * @throws InvalidArgumentError the connection string or an option is not one
 * @throws LogUnavailableError the server cannot be reached or does not let us in, a permission is missing, or `pg` is not
 *   installed
 * @throws LogIncompatibleError the schema belongs to another application, was written by a newer version of rewake, or may
 *   not be made
 */
export async function postgresLog(url: string | URL, options: PostgresLogOptions = {}): Promise<PostgresLog> {
  const { address, settled, name } = settle(url, options);
  return openPostgresLog(name, address, settled, await poolOf(name, address, settled));
}
