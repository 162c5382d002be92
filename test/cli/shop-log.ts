/**
 * A log of a small shop, for commands that look into one. Owns what happened in it:
 *
 *   order-1           0 started, 1 ADD 2, 2 ItemAdded, 3 ADD 3, 4 ItemAdded, 5 PAY, 6 charge done: it is paid
 *   order-2           0 started, 1 ADD 5, 2 ItemAdded: it waits for an hour to be over
 *   order-3           0 started, 1 ADD 0, 2 ItemAdded, 3 PAY, 4 charge failed: it ended in error
 *   order-ä /'1" %2   0 started
 *   call-1            a step that was tried three times, behind a breaker that opened
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { assign, emit, setup } from 'xstate';
import { createRuntime, effect, seededRandom, VirtualClock, type EffectArguments } from 'rewake';
import { breaker, handler, retry, step, withHandlers } from 'rewake/machines';
import { sqliteLog } from 'rewake/sqlite';
import { silentLogger } from '../support/silent-logger.ts';

export const beganAt = Date.UTC(2026, 4, 4, 10);

const charge = effect(async ({ input }: EffectArguments<{ total: number }>) => {
  if (input.total === 0) throw new Error('nothing to charge');
  return `receipt for ${input.total}`;
});

export const order = setup({
  types: {
    context: {} as { total: number; receipt: string | null },
    events: {} as { type: 'ADD'; price: number } | { type: 'PAY' },
    emitted: {} as { type: 'ItemAdded'; price: number },
  },
  actors: { charge },
  delays: { patience: 3_600_000 },
  actions: {
    addUp: assign({ total: ({ context, event }) => context.total + (event.type === 'ADD' ? event.price : 0) }),
    tellItem: emit(({ event }) => ({ type: 'ItemAdded' as const, price: event.type === 'ADD' ? event.price : 0 })),
    keepReceipt: assign((_, { receipt }: { receipt: string }) => ({ receipt })),
  },
}).createMachine({
  id: 'order',
  context: { total: 0, receipt: null },
  initial: 'open',
  states: {
    open: {
      on: { ADD: { actions: ['addUp', 'tellItem'] }, PAY: 'paying' },
      after: { patience: 'abandoned' },
    },
    paying: {
      invoke: {
        id: 'charge',
        src: 'charge',
        input: ({ context }) => ({ total: context.total }),
        onDone: {
          target: 'paid',
          actions: { type: 'keepReceipt', params: ({ event }) => ({ receipt: event.output }) },
        },
      },
    },
    paid: { type: 'final' },
    abandoned: { type: 'final' },
  },
});

/** What a call needs is mended by a handler when its retries are used up. */
function callMachine() {
  let calls = 0;
  const api = step(
    'api',
    async () => {
      if (++calls < 4) throw new Error(`call ${calls} went wrong`);
      return 'answer';
    },
    {
      retry: { maxRetries: 1, backoff: { initialDelay: '1m', jitter: 'none' } },
      breaker: { key: 'api', consecutive: 2, openFor: '10s' },
    },
  );
  return withHandlers([handler({ id: 'mend', run: effect(async () => 'mended'), then: retry() })])(api);
}

const strangeId = `ä /'1" %2`;
export const strangeStream = `order-${strangeId}`;

/** A folder with the log `app.db`, one for all tests of a file: those who change it take a copy. Call at the top of the file. */
export function shop(): { readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'rewake-shop-'));
  beforeAll(() => writeShopLog(join(folder, 'app.db')));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return { folder };
}

async function writeShopLog(path: string): Promise<void> {
  const clock = new VirtualClock(beganAt);
  await using log = sqliteLog(path, { clock, durability: 'process' });
  const runtime = await createRuntime({
    ...{ log, clock, random: seededRandom(7), logger: silentLogger, keepLogOpen: true, passivate: false },
    machines: { order, breaker, call: callMachine() },
  });
  // Effects ask other actors, which answer in turns of their own.
  const rest = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
    await runtime.idle();
  };
  const later = (ms: number) => clock.advance(ms, rest);
  for (const id of ['1', '2', '3']) await runtime.start('order', { id, correlationId: `cart-${id}` });
  await runtime.send('order-1', { type: 'ADD', price: 2 });
  await later(1_000);
  await runtime.send('order-1', { type: 'ADD', price: 3 });
  await runtime.send('order-2', { type: 'ADD', price: 5 });
  await runtime.send('order-3', { type: 'ADD', price: 0 });
  await later(1_500);
  await runtime.send('order-1', { type: 'PAY' });
  await runtime.send('order-3', { type: 'PAY' });
  await later(1_000);
  await runtime.start('order', { id: strangeId, correlationId: 'cart-4' });
  await runtime.start('call', { id: '1', input: undefined, correlationId: 'call-of-may' });
  await later(600_000);
  await runtime.close();
}
