/**
 * Projections of actors that were set back, forked, compacted or resumed, and of handlers, by their own machines.
 */
import { effect } from 'rewake';
import { flow, handler, intervene, recoveryMachines, retry, skip, step, withHandlers } from 'rewake/machines';
import {
  executions,
  handlerHistory,
  materialize,
  memoryProjections,
  pendingTimers,
  project,
  recoveryMetrics,
} from 'rewake/projections';
import { describe, expect, it } from 'vitest';
import { emit, setup, type AnyMachineSnapshot } from 'xstate';
import type { ActorHead } from '../../src/log/event-log.ts';
import { House } from '../support/house.ts';
import { noting } from './lived.ts';

const order = setup({
  types: { events: {} as { type: 'PAY' | 'SHIP' }, emitted: {} as { type: 'Paid' } },
  actors: { pack: effect(() => new Promise(() => {})) },
}).createMachine({
  initial: 'open',
  states: {
    open: { on: { PAY: { target: 'paid', actions: emit({ type: 'Paid' }) } }, after: { 60_000: 'late' } },
    paid: { invoke: { id: 'pack', src: 'pack' }, after: { 30_000: 'late' }, on: { SHIP: 'shipped' } },
    late: {},
    shipped: { type: 'final' },
  },
});

/** A house whose runtime's heads are noted, with an actor that is paid and then shipped or late. */
async function stage() {
  const house = new House();
  const heads = new Map<string, ActorHead>();
  const runtime = await house.open({ order }, { log: noting(house.log, heads) });
  await runtime.start('order', { id: '1' });
  await runtime.send('order-1', { type: 'PAY' });
  await house.rest();
  const check = async (stream: string) => {
    await house.rest();
    const snapshot = (await runtime.get(stream as `order-${string}`)).getSnapshot() as unknown as AnyMachineSnapshot;
    const row = (await house.log.actor(stream))!;
    const [found] = await project(executions, house.log, { stream });
    const [timer] = await project(pendingTimers, house.log, { stream });
    expect({ ...found, waits: found!.waits.filter((wait) => wait.for === 'effect').length }).toMatchObject({
      ...{ stream, status: row.status, state: snapshot.value, waits: row.effects, correlationId: row.correlationId },
      revision: row.revision,
    });
    expect(timer?.dueAt ?? null).toBe(row.wakeAt);
    return found!;
  };
  return { house, runtime, check };
}

describe('EX1: executions and pendingTimers say what the runtime says', () => {
  it('of an actor that was rewound, also after it had ended', async () => {
    const { runtime, check } = await stage();
    await runtime.rewind('order-1', { to: 0 });
    expect(await check('order-1')).toMatchObject({ state: 'open', steps: [] });
    await runtime.send('order-1', { type: 'PAY' });
    await runtime.send('order-1', { type: 'SHIP' });
    expect(await check('order-1')).toMatchObject({ status: 'done' });
    await runtime.rewind('order-1', { to: 1 });
    expect(await check('order-1')).toMatchObject({ status: 'active', state: 'paid', endedAt: null });
  });

  it('of a fork, and of what it was forked from', async () => {
    const { house, runtime, check } = await stage();
    await runtime.fork('order-1', { at: 1, id: '2' });
    expect(await check('order-2')).toMatchObject({ state: 'paid' });
    await house.advance(30_000);
    expect(await check('order-1')).toMatchObject({ state: 'late' });
    expect(await check('order-2')).toMatchObject({ state: 'late' });
  });

  it('of an actor that was compacted, from what is left and from what was kept', async () => {
    const { house, runtime, check } = await stage();
    const store = memoryProjections();
    const { log, clock } = house;
    const kept = await materialize(executions, { log, store, clock });
    await kept.caughtUp;
    await runtime.compact('order-1');
    const found = await check('order-1');
    expect(found).toMatchObject({ state: 'paid', startedAt: clock.now() });
    expect(kept.result()).toEqual([found]);
    await kept.close();
  });
});

it('RM3: a fork counts what happens in it, and not what it has copied', async () => {
  const house = new House();
  let calls = 0;
  const busy = () => Promise.reject(Object.assign(new Error('busy'), { status: 503 }));
  const charge = step('charge', () => (++calls % 2 === 1 ? busy() : Promise.resolve('ok')), { retry: 3 });
  const shop = setup({ actors: { charge } }).createMachine({
    initial: 'charging',
    states: {
      charging: { invoke: { id: 'charge', src: 'charge', onDone: 'open' } },
      open: { on: { AGAIN: 'charging' } },
    },
  });
  const runtime = await house.open({ shop });
  await runtime.start('shop', { id: '1' });
  await house.advance(60_000);
  const [row] = (await project(recoveryMetrics, house.log)).steps;
  expect(row).toMatchObject({ step: 'charge', runs: 1, attempts: 2, retried: 1, recovered: 1 });
  const { revision } = (await house.log.actor('shop-1'))!;
  await runtime.fork('shop-1', { at: revision, id: '2' });
  await house.rest();
  expect((await project(recoveryMetrics, house.log)).steps).toEqual([row]);
  await runtime.send('shop-2', { type: 'AGAIN' } as never);
  await house.advance(60_000);
  expect((await project(recoveryMetrics, house.log)).steps).toMatchObject([{ runs: 2, attempts: 4, recovered: 2 }]);
});

it('HH1: handlers tell which of them ran, for which error and how it ended', async () => {
  const house = new House();
  let calls = 0;
  const call = effect(async () => {
    if (++calls < 3) throw Object.assign(new Error(`busy ${calls}`), { status: 503 });
    return 'done';
  });
  const again = handler({ id: 'again', then: retry({ maxAttempts: 5, delay: 100 }) });
  const runtime = await house.open({ work: withHandlers([again], { name: 'charge' })(call) as never });
  await runtime.start('work' as never, { id: '1', correlationId: 'c-9' } as never);
  await house.advance(60_000);
  const { runs } = await project(handlerHistory, house.log);
  expect(runs).toMatchObject([
    { order: 0, handler: 'again', subject: 'charge', attempt: 1, outcome: 'completed', action: 'retry' },
    { order: 1, handler: 'again', subject: 'charge', attempt: 2, outcome: 'completed', action: 'retry' },
  ]);
  expect(runs.map(({ error, correlationId }) => [error.message, correlationId])).toEqual([
    ['busy 1', 'c-9'],
    ['busy 2', 'c-9'],
  ]);
});

it('flows show their running steps, the person they ask, their handlers and how well they recover', async () => {
  const house = new House();
  let packs = 0;
  const pack = effect(async () => {
    if (++packs === 1) throw Object.assign(new Error('busy'), { status: 503 });
    if (packs === 2) throw new RangeError('too big');
    return 'packed';
  });
  const slow = effect(() => new Promise<string>(() => {}));
  const busy = (error: unknown) => (error as { status?: number }).status === 503;
  const ship = flow('ship', {
    steps: {
      pack: {
        run: pack,
        onFailure: [
          handler({ id: 'again', when: busy, then: retry({ maxAttempts: 3, delay: 100 }) }),
          handler({ id: 'ask', when: 'RangeError', then: intervene('Pack by hand?', { done: skip('by hand') }) }),
        ],
      },
      label: { run: slow },
    },
  });
  const runtime = await house.open({ ship, ...recoveryMachines });
  await runtime.start('ship', { id: '1', input: undefined as never });
  await house.advance(100);
  const [asking] = await project(executions, house.log, { stream: 'ship-1' });
  expect(asking!.steps.map(({ step: each }) => each).sort()).toEqual(['label', 'pack']);
  expect(asking!.waits).toMatchObject([
    { for: 'person', actor: '/', subject: 'pack', message: 'Pack by hand?', choices: ['done'] },
    { for: 'effect', src: 'label' },
  ]);
  const row = (await house.log.actor('ship-1'))!;
  const effects = asking!.waits.filter((wait) => wait.for === 'effect');
  expect([asking!.status, effects.length]).toEqual([row.status, row.effects]);
  const { runs } = await project(handlerHistory, house.log);
  expect(runs.map(({ handler: id, outcome, action, error }) => [id, outcome, action, error.message])).toEqual([
    ['again', 'completed', 'retry', 'busy'],
    ['ask', 'completed', 'intervene', 'too big'],
  ]);
});
