/**
 * A story of production, taken home: the test that is written fails for the reason it failed for, and passes once that is mended.
 */
import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import { createRuntime, memoryLog, VirtualClock, type EventLog, type Machines } from 'rewake';
import { step } from 'rewake/machines';
import { sqliteLog } from 'rewake/sqlite';
import { captureTest, replayStory, StoryFailedError, storyOf } from 'rewake/testing';
import { call } from '../cli/command-line.ts';
import { cacheFolder, projectRoot } from '../house/source-tree.ts';

const folder = cacheFolder('capture-');
afterAll(() => rmSync(folder, { recursive: true }));

/** A receipt whose amounts are read as if no thousand was ever spent: `1.249,00` is 1,24. */
const receiptModule = `
import { assign, setup, fromPromise } from 'xstate';
import { effect } from 'rewake';
import { step } from 'rewake/machines';
import { centsOf } from './cents.ts';

const read = step('read', async ({ input }) => ['1.249,00', '29,90'], { retry: 2 });
const post = effect(async ({ input }) => {
  if (input.total !== 127890) throw new RangeError('1278.90 EUR were paid, but the receipt adds up to ' + input.total / 100);
  return 7;
});

export const receipt = setup({
  actors: { read, post },
  actions: { addUp: assign(({ event }) => ({ total: event.output.reduce((sum, amount) => sum + centsOf(amount), 0) })) },
}).createMachine({
  id: 'receipt',
  context: { total: 0, entry: 0 },
  initial: 'waiting',
  states: {
    waiting: { on: { SCANNED: 'reading' }, after: { 60_000: 'reading' } },
    reading: { invoke: { src: 'read', input: {}, onDone: { target: 'posting', actions: 'addUp' } } },
    posting: {
      invoke: { src: 'post', input: ({ context }) => ({ total: context.total }), onDone: { target: 'posted', actions: assign({ entry: ({ event }) => event.output }) } },
    },
    posted: { type: 'final' },
  },
});
`;
const wrongCents = `export const centsOf = (text) => Math.round(parseFloat(text.replace(',', '.')) * 100);\n`;
const rightCents = `export const centsOf = (text) => Math.round(parseFloat(text.replaceAll('.', '').replace(',', '.')) * 100);\n`;

async function production(machines: Machines, log: EventLog): Promise<void> {
  const clock = new VirtualClock();
  const runtime = await createRuntime({ log, machines, clock, keepLogOpen: true, logger: silent });
  const ref = await runtime.start('receipt', { id: '44' });
  await clock.advance(60_000);
  await ref.output().catch(() => {});
  await runtime.close();
}

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Runs one test file in a process of its own. */
async function runTest(file: string): Promise<{ readonly passed: boolean; readonly output: string }> {
  const config = join(folder, 'vitest.config.ts');
  writeFileSync(
    config,
    "import base from '../../vitest.config.ts';\nexport default { ...base, test: { include: ['**/*.test.ts'] } };\n",
  );
  const vitest = join(projectRoot, 'node_modules/vitest/vitest.mjs');
  const { VITEST: _, ...env } = process.env;
  return new Promise((resolve) => {
    const args = [vitest, 'run', file, '--root', folder, '--config', config];
    execFile(process.execPath, args, { cwd: folder, env }, (error, stdout, stderr) =>
      resolve({ passed: error === null, output: stdout + stderr }),
    );
  });
}

describe('a receipt that failed', () => {
  it('is captured as a test that fails for the same reason, until that is mended', { timeout: 120_000 }, async () => {
    writeFileSync(join(folder, 'cents.ts'), wrongCents);
    writeFileSync(join(folder, 'receipt.ts'), receiptModule);
    writeFileSync(
      join(folder, 'rewake.config.ts'),
      "import { receipt } from './receipt.ts';\nexport default { machines: { receipt } };\n",
    );
    const { receipt } = (await import(pathToFileURL(join(folder, 'receipt.ts')).href)) as { receipt: Machines[string] };
    const log = sqliteLog(join(folder, 'app.db'));
    await production({ receipt }, log);
    await log.close();

    const said = await call(folder, ['capture', 'app.db', 'receipt-44', '--live', 'post', '-o', 'receipt-44.test.ts']);
    expect(said).toMatchObject({ code: 0, out: '' });
    expect(said.err).toBe(
      "Written: receipt-44.test.ts. Run it with 'npx vitest run receipt-44.test.ts'; it needs vitest and fast-check.\n",
    );
    const failing = await runTest('receipt-44.test.ts');
    expect(failing.passed).toBe(false);
    expect(failing.output).toContain('receipt-44 does not fail any more');
    expect(failing.output).toContain(
      "'receipt-44' fails in state posting: RangeError: 1278.90 EUR were paid, but the receipt adds up to 31.15",
    );

    writeFileSync(join(folder, 'cents.ts'), rightCents);
    const passing = await runTest('receipt-44.test.ts');
    expect(passing.output).toContain('1 passed');
    expect(passing.passed).toBe(true);
  });
});

const payment = setup({
  types: { context: {} as { tries: number; at: Date | null }, events: {} as { type: 'PAY'; when: Date } },
  actors: {
    charge: step('charge', () => Promise.reject(new Error('no answer')), {
      retry: { maxRetries: 1, backoff: { initialDelay: '1m', jitter: 'full' } },
    }),
    note: fromPromise(async () => 'noted'),
  },
}).createMachine({
  context: { tries: 0, at: null },
  initial: 'open',
  states: {
    open: { on: { PAY: { target: 'paying', actions: assign({ at: ({ event }) => event.when }) } } },
    paying: { invoke: { src: 'charge', input: {}, onError: { target: 'noting', actions: assign({ tries: 1 }) } } },
    noting: { invoke: { src: 'note', onDone: 'given up' } },
    'given up': { type: 'final' },
  },
});

async function givenUp(): Promise<EventLog> {
  const clock = new VirtualClock();
  const log = memoryLog({ clock });
  const runtime = await createRuntime({ log, machines: { payment }, clock, keepLogOpen: true, logger: silent });
  const ref = await runtime.start('payment', { id: '1' });
  await ref.send({ type: 'PAY', when: new Date(0) });
  await runtime.idle();
  await clock.advance(120_000);
  await runtime.idle();
  await runtime.close();
  return log;
}

describe('a story', () => {
  it('plays to the end that is recorded, with retries, timers and values that are more than JSON', async () => {
    const story = await storyOf(await givenUp(), 'payment-1');
    expect(story.end).toEqual({ status: 'done', state: 'given up' });
    expect(await replayStory(JSON.parse(JSON.stringify(story)) as typeof story, { machines: { payment } })).toEqual(
      story.end,
    );
  });

  it('of which a part is taken ends there', async () => {
    const log = await givenUp();
    const story = await storyOf(log, 'payment-1', 1);
    expect(story.end).toMatchObject({ status: 'active', state: 'paying' });
    expect(await replayStory(story, { machines: { payment } })).toEqual(story.end);
  });

  it('says how it differs where the machine does something else now', async () => {
    const story = await storyOf(await givenUp(), 'payment-1');
    const { states, ...config } = payment.config;
    const other = payment.provide({}).implementations;
    const changed = setup({ actors: other.actors as never }).createMachine({
      ...config,
      states: { ...states, paying: { invoke: { src: 'charge', input: {}, onError: 'open' } } },
    } as never);
    const failure = await replayStory(story, { machines: { payment: changed as never } }).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(StoryFailedError);
    const { message } = failure as StoryFailedError;
    expect(message).toContain(
      '\'payment-1\' does not end as it did:\n  status: expected "done", found "active"\n  state: expected "given up", found "open"',
    );
    expect(message).toContain('+0 ms  started → open');
    expect(message).toContain('PAY → paying');
  });

  it('is text that says what it is and how it ended', async () => {
    const text = await captureTest(await givenUp(), 'payment-1', {
      machines: { from: './machines.ts', name: 'machines' },
    });
    expect(text).toContain("import { machines } from './machines.ts';");
    expect(text).toContain('test("payment-1 ends as it did"');
    expect(text).toContain("expect: 'recorded'");
    expect(text.split('\n')[0]).toBe('// payment-1, up to revision 9, as it is on record.');
  });

  it('that does not fail any more is one that ends otherwise', async () => {
    const story = await storyOf(await givenUp(), 'payment-1', 1);
    await expect(replayStory(story, { machines: { payment }, expect: 'success' })).rejects.toThrow(
      "'payment-1' fails in state paying, where it stood",
    );
  });

  it('is refused where it cannot be told, or asked for wrongly', async () => {
    const log = await givenUp();
    await expect(storyOf(log, 'payment-9')).rejects.toThrow("'payment-9'");
    await expect(storyOf(log, 'payment-1', 99)).rejects.toThrow('99');
    const story = await storyOf(log, 'payment-1');
    await expect(replayStory(story, { machines: {} })).rejects.toThrow("'payment'");
    await expect(replayStory(story, { machines: { payment }, expect: 'luck' as never })).rejects.toThrow(
      "replayStory({ expect }): expected 'recorded' or 'success', found \"luck\".",
    );
  });
});
