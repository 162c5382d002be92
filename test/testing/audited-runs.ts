/**
 * Real runs to be damaged, and the means to damage them. Owns the machines and what happens to them; which damage violates
 * what is audit.test.ts's.
 *
 * AR1  Damage is done to the content of events, or to their order: then they are numbered anew and sealed for their places.
 */
import { assign, emit, fromPromise, raise, setup } from 'xstate';
import { effect, type EventLog, type Position, type RecordedEvent } from 'rewake';
import { breaker, step, withRetry } from 'rewake/machines';
import { sealEvent } from '../../src/log/envelope.ts';
import { House } from '../support/house.ts';

const shipping = setup({ actors: { label: fromPromise(() => new Promise(() => {})) } }).createMachine({
  id: 'shipping',
  initial: 'labelling',
  states: { labelling: { invoke: { id: 'label', src: 'label' } } },
});

/** How often the payment was tried, in this process. */
let tries = 0;
const charge = effect(async ({ context }) => {
  await context.send('ledger-1', { type: 'NOTE' }, { messageId: context.idempotencyKey });
  await context.progress('asked');
  if (++tries === 1) throw new Error('declined');
  return 'paid';
});

export const order = setup({
  types: { context: {} as { receipt: string }, emitted: {} as { type: 'Noted' | 'PaymentFailed' } },
  actors: { charge, shipping },
}).createMachine({
  id: 'order',
  version: '1',
  context: { receipt: '' },
  initial: 'open',
  on: { NOTE: { actions: emit({ type: 'Noted' }) } },
  states: {
    open: { after: { 90_000: 'done' }, on: { PAY: 'charging' } },
    charging: {
      on: { GIVE_UP: 'waiting' },
      invoke: {
        id: 'charge',
        src: 'charge',
        onDone: { target: 'packing', actions: assign({ receipt: ({ event }) => event.output as string }) },
        onError: { target: 'waiting', actions: emit({ type: 'PaymentFailed' }) },
      },
    },
    waiting: { after: { 60_000: 'charging' } },
    packing: { invoke: { id: 'shipping', src: 'shipping' }, on: { HOLD: 'held' } },
    held: {
      entry: [raise({ type: 'A' }, { delay: 500, id: 'a' }), raise({ type: 'B' }, { delay: 800, id: 'b' })],
      after: { 1000: 'done' },
    },
    done: { type: 'final' },
  },
});

const ledger = setup({}).createMachine({ id: 'ledger', version: '1', on: { NOTE: {} } });

export const machines = { order, ledger };

/** An order that is paid at the second try, packed, held and done, and a ledger that hears of each try. */
export async function ordered(): Promise<House> {
  tries = 0;
  const house = new House();
  const runtime = await house.open(machines, { snapshots: { every: 1 } });
  await runtime.start('ledger', { id: '1' });
  const ref = await runtime.start('order', { id: '1' });
  await ref.send({ type: 'NOTE' }, { messageId: 'note' });
  await ref.send({ type: 'PAY' });
  await house.rest();
  await house.advance(60_000);
  await ref.send({ type: 'HOLD' });
  await house.advance(1_000);
  await runtime.send('ledger-1', { type: 'NOTE' });
  return house;
}

const busy = () => Object.assign(new Error('busy'), { status: 503 });

/** A step that fails three times, with a step inside that retries as well; both are exhausted. */
export async function exhausted(): Promise<House> {
  const backoff = { strategy: 'fixed', initialDelay: 1_000, jitter: 'none' } as const;
  const inner = step('inner', () => Promise.reject(busy()), { retry: { maxAttempts: 2, backoff } });
  const outer = withRetry({ maxAttempts: 3, backoff, retryIf: () => true })(inner);
  const house = new House();
  const runtime = await house.open({ outer });
  await runtime.start('outer', { id: '1' } as never);
  for (let second = 0; second < 8; second++) await house.advance(1_000);
  return house;
}

/** A breaker that opens, is probed by one who never reports, and by one who takes that place. */
export async function probed(): Promise<House> {
  const house = new House();
  const runtime = await house.open({ breaker, ledger });
  const options = { consecutive: 2, openFor: '10s', halfOpen: { permits: 1, lease: '5s' } } as const;
  const ref = await runtime.start('breaker', { id: 'api', input: { key: 'api', options } });
  for (const id of ['1', '2']) {
    await ref.send({ type: 'outcome.reported', permit: { gen: 0, id, probe: false }, outcome: 'failure' });
  }
  await house.advance(10_000);
  await ref.send({ type: 'permit.asked', id: '3' });
  await house.advance(5_000);
  await ref.send({ type: 'permit.asked', id: '4' });
  await ref.send({ type: 'outcome.reported', permit: { gen: 3, id: '4', probe: true }, outcome: 'success' });
  await house.advance(60_000);
  await runtime.start('ledger', { id: 'late' });
  return house;
}

/** An event whose content can be changed. */
export interface Page {
  stream: string;
  revision: number;
  id: string;
  type: string;
  schemaVersion: number;
  meta: { [name: string]: string };
  data: { [field: string]: unknown };
}

/** All events of a log, to be changed. */
export async function pagesOf(log: Pick<EventLog, 'readAll'>): Promise<Page[]> {
  const pages: Page[] = [];
  for await (const { stream, revision, id, type, schemaVersion, meta, data } of log.readAll()) {
    pages.push({
      stream,
      revision,
      id,
      type,
      schemaVersion,
      meta: { ...meta },
      data: JSON.parse(data) as Page['data'],
    });
  }
  return pages;
}

/** The events with their new content; AR1. */
export function bound(pages: readonly Page[], { isNumbered = true } = {}): RecordedEvent[] {
  const next = new Map<string, number>();
  return pages.map((page, index) => {
    const { stream, id, type, schemaVersion } = page;
    const revision = isNumbered ? (next.get(stream) ?? 0) : page.revision;
    next.set(stream, revision + 1);
    const content = { id, type, schemaVersion, data: JSON.stringify(page.data), meta: page.meta };
    const sealed = sealEvent(content, { stream, revision });
    return { ...sealed, stream, revision, position: String(index) as Position, recordedAt: 0 };
  });
}
