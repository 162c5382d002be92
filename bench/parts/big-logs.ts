/**
 * Logs that are large on purpose: many actors, or one that has lived long. Owns what is in them; they are written by a real
 * runtime, so that what stands there is what stands in a service's log.
 *
 * BL1  Of every hundred actors one has failed, ninety are done, and nine wait.
 */
import { assign, setup } from 'xstate';
import { createRuntime, VirtualClock } from '../../src/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { inPool } from '../pool.ts';

interface JobContext {
  readonly nth: number;
}

/** A job that ends at once, fails at once, or waits to be taken up. */
const job = setup({
  types: { context: {} as JobContext, input: {} as JobContext, events: {} as { type: 'TAKE' } },
  guards: {
    isBroken: ({ context }) => context.nth % 100 === 0,
    waits: ({ context }) => context.nth % 100 > 90,
  },
  actions: {
    refuse: assign(({ context }) => {
      throw new Error(`job ${context.nth} has no owner`);
    }),
  },
}).createMachine({
  id: 'job',
  context: ({ input }) => input,
  initial: 'sorting',
  states: {
    sorting: { always: [{ guard: 'waits', target: 'waiting' }, { target: 'judging' }] },
    judging: { always: [{ guard: 'isBroken', target: 'done', actions: 'refuse' }, { target: 'done' }] },
    waiting: { on: { TAKE: 'done' } },
    done: { type: 'final' },
  },
});

interface MeterContext {
  readonly readings: number;
  readonly highest: number;
}

/** A meter that is read again and again. */
export const meter = setup({
  types: { context: {} as MeterContext, events: {} as { type: 'READ'; value: number } },
  guards: { isHigh: ({ event }) => event.value >= 90, isLow: ({ event }) => event.value < 90 },
  actions: {
    count: assign(({ context, event }) => ({
      readings: context.readings + 1,
      highest: Math.max(context.highest, event.value),
    })),
  },
}).createMachine({
  id: 'meter',
  context: { readings: 0, highest: 0 },
  initial: 'calm',
  states: {
    calm: { on: { READ: [{ guard: 'isHigh', target: 'alarmed', actions: 'count' }, { actions: 'count' }] } },
    alarmed: { on: { READ: [{ guard: 'isLow', target: 'calm', actions: 'count' }, { actions: 'count' }] } },
  },
});

const common = { snapshots: false, passivate: false, lease: false } as const;
const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Writes a log of many actors, `job-0` and so on. */
export async function writeManyActors(path: string, actors: number): Promise<void> {
  const clock = new VirtualClock();
  const log = sqliteLog(path, { clock, durability: 'process' });
  const runtime = await createRuntime({ log, clock, machines: { job }, logger: silent, ...common });
  await inPool(actors, 1_000, (nth) => runtime.start('job', { id: String(nth), input: { nth } }));
  await runtime.close();
}

/** Writes a log with one stream, `meter-1`, of so many events. */
export async function writeLongStream(path: string, events: number): Promise<void> {
  const clock = new VirtualClock();
  const log = sqliteLog(path, { clock, durability: 'process' });
  const runtime = await createRuntime({ log, clock, machines: { meter }, logger: silent, ...common });
  const ref = await runtime.start('meter', { id: '1' });
  await inPool(events - 1, 500, async (nth) => {
    clock.jump(60_000);
    await ref.send({ type: 'READ', value: (nth * 37) % 101 });
  });
  await runtime.close();
}
