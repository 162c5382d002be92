/**
 * Every error that a person can meet when something is resumed, produced by the runtime itself. Owns the titles under which
 * docs/how-to/troubleshoot-a-resume.md has them; comparing the two is the test's.
 *
 * RS1  An error is one that a caller got: nothing here makes one by hand.
 * RS2  A title is the heading of its section. What follows a colon tells cases of one class apart.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished, vi } from 'vitest';
import { createMachine, emit, setup } from 'xstate';
import { abort, flow, handler, recoveryMachines, step, toolRegistry } from '../../machines/index.ts';
import { defineUpcasters, effect, type AnyRuntime, type EffectArguments, type RecordedEvent } from '../../src/index.ts';
import { sealEvent } from '../../src/log/envelope.ts';
import { driverFor, openDatabase } from '../../src/stores/sqlite/driver.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { failureOf, House } from '../support/house.ts';

interface Order {
  readonly amount: number;
}
interface Options {
  /** Where PAY leads to. */
  readonly paid?: string;
  readonly charge?: () => Promise<unknown>;
  readonly onLost?: 'fail';
}

/** An order that is open, is paid, and fails where its bank does. */
const orderOf = ({ paid = 'charging', charge = async () => 'receipt', onLost }: Options = {}) =>
  setup({
    types: { context: {} as Order, input: {} as Order, events: {} as { type: 'PAY' } },
    actors: { charge: effect(charge, onLost ? { onLost } : {}) },
    actions: { tell: emit({ type: 'OrderPaid', cents: 1_200 }) },
  }).createMachine({
    id: 'order',
    context: ({ input }) => input,
    initial: 'open',
    states: {
      open: { on: { PAY: { target: paid, actions: 'tell' } } },
      charging: { invoke: { id: 'charge', src: 'charge', onDone: 'paid' } },
      paid: {},
      closed: { type: 'final' },
    },
  });
const order = orderOf();
const declined = orderOf({ charge: () => Promise.reject(new Error('card declined')) });
const input = { amount: 12 };

/** An order that was paid, by a runtime that is gone. */
async function paidOrder(machine = order, options: object = {}) {
  const house = new House();
  const runtime = await house.open({ order: machine }, options);
  const ref = await runtime.start('order', { id: '1', input });
  await ref.send({ type: 'PAY' });
  await rest();
  await runtime.close();
  return house;
}

/** An order that has failed, in a runtime that runs. */
async function failedOrder(options: object = {}) {
  const house = new House();
  const runtime = await house.open({ order: declined }, options);
  const ref = await runtime.start('order', { id: '1', input });
  await ref.send({ type: 'PAY' });
  await failureOf(ref.output());
  return { house, runtime, ref };
}

/** What blocks an actor: the cause of what its caller got. */
async function blockedBy(runtime: AnyRuntime, stream = 'order-1'): Promise<Error> {
  return (await failureOf(runtime.resume(stream))).cause as Error;
}

async function blockedByDamage(damage: (event: RecordedEvent) => RecordedEvent | undefined): Promise<Error> {
  const house = await paidOrder();
  const log = house.faulty();
  log.damage = damage;
  return blockedBy(await house.open({ order }, { log }));
}

const at = (revision: number, change: (event: RecordedEvent) => RecordedEvent | undefined) => (event: RecordedEvent) =>
  event.revision === revision ? change(event) : event;

/** Appends to the stream of a paid order what another version of rewake would. */
async function appendForeign(house: House, type: string, meta: object = {}): Promise<void> {
  const [started] = await house.events('order-1');
  const { $correlationId } = started!.meta;
  const { revision } = (await house.events('order-1')).at(-1)!;
  const event = sealEvent({
    ...{ id: '019b76da-a800-7000-8000-000000000001', type, schemaVersion: 1 },
    data: JSON.stringify({ at: started!.data.at }),
    meta: { $correlationId: $correlationId!, $causationId: started!.id, ...meta },
  });
  await house.log.append('order-1', revision, [event]);
}

/** Runs a logic as an actor of its own, to the error it ends with. */
async function endOf(machine: unknown, started?: unknown): Promise<Error> {
  const house = new House();
  const runtime = await house.open({ order: machine as typeof order });
  const ref = await runtime.start('order', { id: '1', input: started as Order });
  const failure = failureOf(ref.output());
  await house.advance(60_000);
  return failure;
}

const down = () => Promise.reject(new Error('the bank is down'));

/** The errors, by the headings of their sections. */
export const resumeErrors: Readonly<Record<string, () => Promise<Error>>> = {
  ActorBlockedError: async () => failureOf((await (await paidOrder()).open({})).resume('order-1')),
  UnknownMachineError: async () => blockedBy(await (await paidOrder()).open({ invoice: order })),
  MissingImplementationError: async () => {
    const { actions } = order.implementations;
    const bare = createMachine(order.config as never).provide({ actions } as never) as unknown as typeof order;
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {}); // XState warns, too
    onTestFinished(() => warn.mockRestore());
    return blockedBy(await (await paidOrder()).open({ order: bare }));
  },
  ReplayDivergedError: async () => blockedBy(await (await paidOrder()).open({ order: orderOf({ paid: 'closed' }) })),
  UnknownStateError: async () => {
    const house = await paidOrder();
    const runtime = await house.open({ order });
    await runtime.compact('order-1');
    await runtime.close();
    const renamed = createMachine({ id: 'order', initial: 'open', states: { open: {}, settled: {} } });
    return blockedBy(await house.open({ order: renamed as unknown as typeof order }));
  },
  'DamagedRecordError: checksum': async () => {
    const file = join(folder(), 'orders.db');
    const before = await new House().open({ order }, { log: sqliteLog(file), keepLogOpen: false });
    await (await before.start('order', { id: '1', input })).send({ type: 'PAY' });
    await before.close();
    const bytes = readFileSync(file);
    bytes[bytes.indexOf('"type":"PAY"') + '"type":"PA'.length]! ^= 1;
    writeFileSync(file, bytes);
    return blockedBy(await opened(file));
  },
  'DamagedRecordError: torn tail': () => blockedByDamage((event) => (event.revision > 1 ? undefined : event)),
  'DamagedRecordError: missing revision': () => blockedByDamage(at(1, () => undefined)),
  'DamagedRecordError: undecodable payload': () =>
    blockedByDamage(at(1, (event) => ({ ...event, data: event.data.replace('{"type":"PAY"}', '{"$devalue":[[9]]}') }))),
  UpcastError: async () => {
    const upcasters = defineUpcasters({ OrderPaid: { 1: (fact: object) => fact } });
    return blockedBy(await (await paidOrder(order, { upcasters })).open({ order }));
  },
  NewerVersionError: async () => {
    const house = await paidOrder();
    await appendForeign(house, 'ActorCloned');
    return blockedBy(await house.open({ order }));
  },
  UnknownFeatureError: async () => {
    const house = await paidOrder();
    await appendForeign(house, 'ActorResumed', { $needs: 'fasterTimers@0.9.0' });
    return blockedBy(await house.open({ order }));
  },
  EnvironmentMismatchError: async () => {
    const house = await paidOrder(order, { environment: { version: '1.4' } });
    const options = { environment: { version: '1.5' }, onEnvironmentChange: 'block' } as const;
    return (await failureOf((await house.open({ order }, options)).get('order-1'))).cause as Error;
  },
  'NotSerializableError: blocked': async () => {
    const house = new House();
    const machine = setup({ actions: { tell: emit({ type: 'Told', who: () => 'me' }) } }).createMachine({
      after: { 1_000: { actions: 'tell' } },
    });
    const runtime = await house.open({ order: machine });
    await runtime.start('order', { id: '1' });
    await house.advance(1_000);
    return (await failureOf(runtime.get('order-1'))).cause as Error;
  },

  NotResumableError: async () => failureOf((await failedOrder()).runtime.resume('order-1')),
  'NotResumableError: unknown step': async () => {
    const runtime = await new House().open({ order: flow('order', { steps: { charge: { run: down } } }) });
    await failureOf((await runtime.start('order', { id: '1' })).output());
    return failureOf(runtime.resume('order-1', { from: 'chrage' }));
  },
  'NotResumableError: stopped': async () => {
    const house = new House();
    const runtime = await house.open({ order });
    const ref = await runtime.start('order', { id: '1', input });
    await ref.stop();
    return failureOf(runtime.resume('order-1'));
  },
  ActorFinishedError: async () => failureOf((await failedOrder()).ref.send({ type: 'PAY' })),
  ActorExistsError: async () =>
    failureOf((await failedOrder()).runtime.start('order', { id: '1', input: { amount: 13 } })),
  'ActorExistsError: fork': async () => failureOf((await failedOrder()).runtime.fork('order-1', { at: 0, id: '1' })),
  NotFoundError: async () => failureOf((await failedOrder()).runtime.resume('order-2')),
  'InvalidArgumentError: rewind': async () => failureOf((await failedOrder()).runtime.rewind('order-1', { to: 3 })),
  NotSerializableError: async () =>
    failureOf((await failedOrder()).runtime.resume('order-1', { input: { amount: 12, now: () => 0 } })),
  EventTooLargeError: async () =>
    failureOf((await failedOrder()).runtime.resume('order-1', { input: 'x'.repeat(16 * 2 ** 20) })),
  MailboxFullError: async () => {
    const house = new House();
    const log = house.faulty();
    const runtime = await house.open({ order }, { log, mailboxSize: 1 });
    await runtime.start('order', { id: '1', input });
    const release = log.hold();
    const sent = [1, 2, 3].map(() => runtime.send('order-1', { type: 'PAY' }));
    const results = Promise.allSettled(sent);
    const failure = await failureOf(sent[2]!).finally(release);
    await results;
    return failure;
  },

  LogOwnedError: async () => {
    const house = new House();
    const lease = { ttl: '10s' } as const;
    await house.open({ order }, { lease, host: 'worker-1' });
    return failureOf(house.open({ order }, { lease, host: 'worker-2' }));
  },
  'LogIncompatibleError: newer file': async () => {
    const file = join(folder(), 'orders.db');
    await sqliteLog(file).close();
    const database = openDatabase(file, driverFor(process.versions.node));
    database.exec('PRAGMA user_version = 99');
    database.close();
    return failureOf(opened(file));
  },
  'LogIncompatibleError: no log': async () => {
    const file = join(folder(), 'orders.db');
    writeFileSync(file, 'amount;customer\n12;ann\n'.repeat(1_000));
    return failureOf(opened(file));
  },
  LogUnavailableError: async () => failureOf(opened(join(folder(), 'data', 'orders.db'))),
  RuntimeClosedError: async () => (await usurped()).failure,
  LeaseLostError: async () => (await usurped()).failure.cause as Error,
  ConflictError: async () => failureOf((await paidOrder()).log.append('order-1', 0, [])),

  FlowFailedError: () => endOf(flow('order', { steps: { charge: { run: down } } })),
  FlowAbortedError: () =>
    endOf(
      flow('order', {
        steps: {
          reserve: { run: async () => 'shelf 7', undo: () => Promise.reject(new Error('the shelf is gone')) },
          charge: { run: down, needs: ['reserve'] },
        },
        onFailure: [handler({ id: 'stop', then: abort() })],
      }),
    ),
  HandlerFailedError: async () => {
    const page = effect(() => Promise.reject(new Error('no pager')));
    const onFailure = [handler({ id: 'page', run: page })];
    return (await endOf(flow('order', { steps: { charge: { run: down, onFailure } } }))).cause as Error;
  },
  RecoveryExhaustedError: async () => endOf(step('charge', down, { retry: 1 })),
  CircuitBreakerOpenError: async () => {
    const runtime = await new House().open({
      order: step('charge', down, { breaker: { key: 'bank', consecutive: 1, openFor: '30s' } as never }),
      ...recoveryMachines,
    });
    for (const id of ['1', '2']) await failureOf((await runtime.start('order', { id })).output());
    return failureOf((await runtime.get('order-2')).output());
  },
  'InvalidArgumentError: shared machine': async () => {
    const withBreaker = step('charge', async () => 1, { breaker: { key: 'bank', onStoreError: 'fail' } as never });
    return endOf(withBreaker);
  },
  UnknownToolError: async () => {
    const { executor } = toolRegistry({ tools: { gpt4: { run: async (_: EffectArguments<string>) => 'x' } } });
    return endOf(executor, { tool: 'gpt5', params: '' });
  },
  EffectLostError: async () => {
    const house = new House();
    const hangs = orderOf({ charge: () => new Promise(() => {}), onLost: 'fail' });
    const { runtime, crash } = await house.openToCrash({ order: hangs });
    await (await runtime.start('order', { id: '1', input })).send({ type: 'PAY' });
    crash();
    return failureOf((await (await house.open({ order: hangs })).get('order-1')).output());
  },
};

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'rewake-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

async function opened(file: string): Promise<AnyRuntime> {
  return new House().open({ order }, { log: sqliteLog(file), keepLogOpen: false });
}

/** A runtime whose log was taken over by another host. */
async function usurped() {
  const house = new House();
  const runtime = await house.open({ order }, { lease: { ttl: '10s' } });
  const holder = await house.log.leaseHolder('rewake.host');
  await house.log.lease('rewake.host', { owner: 'another host', ttlMs: 60_000, takeFrom: holder!.epoch });
  await house.advance(10_000);
  return { failure: await failureOf(runtime.start('order', { id: '1', input })) };
}
