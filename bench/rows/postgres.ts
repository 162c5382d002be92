/**
 * Appends to a real PostgreSQL server, beside bare INSERTs with the same commits. Owns what is appended and how many wait at a time.
 */
import pg from 'pg';
import { seededRandom, uuidv7Source } from '../../src/clock.ts';
import { sealEvent } from '../../src/log/envelope.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { postgresLog } from '../../src/stores/postgres/index.ts';
import { interleave, timeMs, type Contestant } from '../measure.ts';
import { startPostgres } from '../postgres-server.ts';
import type { Row, Samples } from '../row.ts';

const appends = 600;
const waiting = [1, 8, 32] as const;
const data = JSON.stringify({ at: 1_767_225_600_000, text: 'x'.repeat(220) });
const nextId = uuidv7Source(() => 1_767_225_600_000, seededRandom(7));

export const postgresAppends: Row = {
  name: 'postgres-appends',
  what: `Appends of one event of ${data.length} bytes, one waits at a time, PostgreSQL, fsync and synchronous_commit on`,
  reference: 'bare INSERTs of such a row, each committed, as many connections as wait',
  goal: { atLeast: 0.5 },
  async run() {
    const server = await startPostgres({ fsync: 'on', autovacuum: 'on' });
    const pool = new pg.Pool({ connectionString: server.url, max: Math.max(...waiting) });
    try {
      await pool.query(
        'CREATE TABLE plain (stream text, revision bigint, id text, type text, data text, PRIMARY KEY (stream, revision))',
      );
      await using log = await postgresLog(server.url, { connections: 8 });
      const measured: Samples[] = [];
      for (const at of waiting) measured.push(await compared(log, pool, at));
      const [first, ...others] = measured as [Samples, ...Samples[]];
      return {
        ...first,
        also: others.map((samples, index) => ({
          ...samples,
          what: `The same, ${waiting[index + 1]} wait at a time`,
          against: 'bare INSERTs of such a row, each committed, as many connections as wait',
          goal: { atLeast: 0.5 },
        })),
        note: `${appends} appends per run, each to a stream of its own; the log has 8 connections. Two cores for the server and this process.`,
      };
    } finally {
      await pool.end();
      await server.destroy();
    }
  },
};

let streams = 0;

async function compared(log: EventLog, pool: pg.Pool, at: number): Promise<Samples> {
  const event = () => sealEvent({ id: nextId(), type: 'Tested', schemaVersion: 1, data, meta: {} });
  const { bare: reference, log: measured } = await interleave(
    {
      bare: perSecond(at, () =>
        pool.query('INSERT INTO plain VALUES ($1, 0, $2, $3, $4)', [`bare-${++streams}`, nextId(), 'Tested', data]),
      ),
      log: perSecond(at, () => log.append(`bench-${++streams}`, 'no-stream', [event()])),
    },
    { rounds: 7, warmups: 1 },
  );
  return { unit: 'appends/s', measured, reference };
}

/** How many calls a second, so many of them waiting at a time. */
function perSecond(at: number, call: () => Promise<unknown>): Contestant {
  return async () => {
    let left = appends;
    const lane = async () => {
      while (left-- > 0) await call();
    };
    const ms = await timeMs(() => Promise.all(Array.from({ length: at }, lane)));
    return (appends / ms) * 1_000;
  };
}
