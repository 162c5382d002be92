/** The log contract on a real PostgreSQL server. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../../src/clock.ts';
import type { EventLog } from '../../../src/log/event-log.ts';
import { openPostgresLog } from '../../../src/stores/postgres/open.ts';
import { settleOptions } from '../../../src/stores/postgres/options.ts';
import { contractFeatures, type ContractTarget } from '../../../src/testing/contract/contract-case.ts';
import { logContract } from '../../../src/testing/contract/log-contract.ts';
import { startPostgres, type PostgresServer } from '../../../bench/postgres-server.ts';

let server: PostgresServer;
let schemas = 0;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.destroy());

describe('a PostgreSQL log', async () => {
  const { cases, notApplicable } = await logContract(target());

  it('answers for every case of the contract', () => {
    expect(notApplicable.map(({ missing }) => missing).flat()).toEqual([]);
  });

  for (const { number, title, run } of cases) it(`${number} ${title}`, run);
});

function target(): ContractTarget {
  return {
    features: contractFeatures,
    create: async () => {
      const clock = new VirtualClock();
      const schema = `log_${++schemas}`;
      const settled = settleOptions({ clock, schema });
      const pools = new Map<EventLog, TestPool>();
      return {
        clock,
        open: async () => {
          const pool = new TestPool(server.url);
          const log = await openPostgresLog('PostgreSQL log under test', new URL(server.url), settled, pool.pool);
          pools.set(log, pool);
          return log;
        },
        kill: async (log) => pools.get(log)!.breakAll(),
        loseNextAcknowledgement: (log) => pools.get(log)!.loseNext(),
        destroy: async () => {
          const client = new pg.Client(server.url);
          await client.connect();
          await client.query(`DROP SCHEMA "${schema}" CASCADE`);
          await client.end();
        },
      };
    },
  };
}

/** Connections that can be cut, and one answer of which can be lost. */
class TestPool {
  readonly pool: pg.Pool;
  readonly #clients = new Set<pg.PoolClient>();
  #isLosing = false;

  constructor(url: string) {
    this.pool = new pg.Pool({ connectionString: url, max: 4 });
    this.pool.on('connect', (client) => {
      this.#clients.add(client);
      const query = client.query.bind(client) as (config: { readonly text: string }) => Promise<unknown>;
      Object.assign(client, {
        query: async (config: { readonly text: string }) => {
          const result = await query(config);
          if (!this.#isLosing || !config.text.includes('.append(')) return result;
          this.#isLosing = false;
          throw new Error('Connection terminated unexpectedly');
        },
      });
    });
  }

  loseNext(): void {
    this.#isLosing = true;
  }

  breakAll(): void {
    for (const client of this.#clients) {
      (
        client as unknown as { readonly connection: { readonly stream: { destroy(): void } } }
      ).connection.stream.destroy();
    }
  }
}
