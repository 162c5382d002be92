/** The kit on a log that is a file. */
import { createMachine, fromPromise } from 'xstate';
import { expect } from 'vitest';
import { sqliteLog } from 'rewake/sqlite';
import { defineScenario, fuzz, sweep } from 'rewake/testing';
import { test } from 'rewake/testing/vitest';
import { logPath } from '../stores/sqlite/log-files.ts';

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
  log: (clock) => sqliteLog(logPath(), { clock }),
});

test('4, 6, 8, 26: a scenario on a SQLite file is swept like any other', async () => {
  const { runs, crashes } = await sweep(working);
  expect(runs).toBeGreaterThan(50);
  expect(crashes).toBeGreaterThan(50);
});

test('3, 4, 9, 19, 25, 30: and fuzzed, torn and lost tails included', async () => {
  const { damages } = await fuzz(working, { numRuns: 40, seed: 3 });
  expect(damages).toBeGreaterThan(0);
});
