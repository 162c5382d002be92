/** Machines on a real PostgreSQL server: recovery is judged as on any other log. */
import { afterAll, beforeAll, expect } from 'vitest';
import { createMachine, fromPromise } from 'xstate';
import { createRuntime, VirtualClock } from 'rewake';
import { postgresLog } from 'rewake/postgres';
import { defineScenario, fuzz, sweep } from 'rewake/testing';
import { test } from 'rewake/testing/vitest';
import { startPostgres, type PostgresServer } from '../../../bench/postgres-server.ts';

let server: PostgresServer;
let schemas = 0;

beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.destroy());

const freshLog = (clock: VirtualClock) => postgresLog(server.url, { clock, schema: `recovery_${++schemas}` });

const job = createMachine({
  id: 'job',
  initial: 'working',
  states: {
    working: { invoke: { src: fromPromise(() => Promise.resolve()), id: 'work', onDone: 'waiting' } },
    waiting: { after: { 60_000: 'done' }, on: { HURRY: 'done' } },
    done: { type: 'final' },
  },
});
const working = defineScenario({
  machines: { job },
  effects: { work: { output: 1, afterMs: 100 } },
  events: [
    [50, { type: 'HURRY' }],
    [100, { type: 'HURRY' }],
  ],
  log: freshLog,
});

test('4, 6, 8, 26: a scenario on PostgreSQL is swept like any other', { timeout: 120_000 }, async () => {
  const { runs, crashes } = await sweep(working, { depth: 1 });
  // In which of its calls a log on a server is asked first is not the same in every run, so not every crash comes about.
  expect(runs).toBeGreaterThan(10);
  expect(crashes).toBeGreaterThan(8);
});

test('3, 4, 9, 19, 25, 30: and fuzzed', { timeout: 120_000 }, async () => {
  const { crashes } = await fuzz(working, { numRuns: 10, seed: 3 });
  expect(crashes).toBeGreaterThan(5);
});

test('an actor goes on with the next host, on a log that another process has opened meanwhile', async () => {
  const clock = new VirtualClock();
  const schema = `recovery_${++schemas}`;
  const open = () => postgresLog(server.url, { clock, schema });
  const first = await createRuntime({ log: await open(), clock, machines: { job } });
  await first.start('job', { id: '1' });
  await first.close();
  await using looking = await postgresLog(server.url, { schema, readOnly: true });
  expect(await looking.actor('job-1')).toMatchObject({ status: 'active' });
  await using second = await createRuntime({ log: await open(), clock, machines: { job } });
  const ref = await second.get('job-1');
  await ref.waitFor((snapshot) => snapshot.matches('waiting'));
  await ref.send({ type: 'HURRY' });
  expect(await looking.actor('job-1')).toMatchObject({ status: 'done' });
});
