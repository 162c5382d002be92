import { expect, test } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import { ActorBlockedError, createRuntime, memoryLog, VirtualClock, type EventLog } from '../../src/index.ts';
import { FaultyLog } from '../support/faulty-log.ts';
import { silentLogger } from '../support/silent-logger.ts';

const never = fromPromise(() => new Promise<string>(() => {}));
const slow = fromPromise(async () => 'new result');

const v1 = setup({ types: { context: {} as { cents: number } }, actors: { pay: never, watch: never } }).createMachine({
  id: 'order',
  version: '1',
  context: { cents: 1250 },
  initial: 'paying',
  invoke: { id: 'watch', src: 'watch' },
  states: {
    paying: { invoke: { id: 'pay', src: 'pay', onDone: 'paid' }, after: { 60_000: 'late' } },
    paid: { type: 'final' },
    late: {},
  },
});

const v2 = setup({
  types: { context: {} as { euros: number; result?: unknown } },
  actors: { charge: slow, watch: never },
}).createMachine({
  id: 'order',
  version: '2',
  context: { euros: 0 },
  initial: 'charging',
  invoke: { id: 'watch', src: 'watch' },
  states: {
    charging: {
      invoke: {
        id: 'charge',
        src: 'charge',
        onDone: { target: 'charged', actions: assign({ result: ({ event }) => event.output }) },
      },
      after: { 30_000: 'late' },
    },
    charged: { after: { 1_000: 'shipped' } },
    shipped: { type: 'final' },
    late: {},
  },
  output: ({ context }) => context,
});

const options = (log: EventLog, clock: VirtualClock) => ({ log, clock, logger: silentLogger, keepLogOpen: true });

async function typesOf(log: EventLog): Promise<string[]> {
  const types: string[] = [];
  for await (const { type } of log.readStream('order-1')) types.push(type);
  return types;
}

async function startOnV1() {
  const clock = new VirtualClock();
  const log = memoryLog({ clock });
  const first = await createRuntime({ ...options(log, clock), machines: { order: v1 } });
  await first.start('order', { id: '1' });
  await first.close();
  return { clock, log };
}

test('29: an actor moves to the current version by its migration, and goes on from there', async () => {
  const { clock, log } = await startOnV1();
  const migrate = ({ value, context }: { value: unknown; context: unknown }, versions: object) => {
    expect({ value, context, versions }).toEqual({
      value: 'paying',
      context: { cents: 1250 },
      versions: { from: '1', to: '2' },
    });
    return { value: 'charging', context: { euros: 12.5 } };
  };
  const machines = { order: { versions: [v2, v1], migrate } } as const;
  const second = await createRuntime({ ...options(log, clock), machines });
  const ref = await second.get('order-1');
  await ref.waitFor((snapshot) => snapshot.matches('charged'));
  expect(Object.keys(ref.getSnapshot().children)).toEqual(['watch']);
  await second.close();
  // The history before the rebase needs the old version no longer.
  const third = await createRuntime({ ...options(log, clock), machines: { order: v2 } });
  const again = await third.get('order-1');
  await clock.advance(1_000, () => third.idle());
  expect(await again.output()).toEqual({ euros: 12.5, result: 'new result' });
  expect(await typesOf(log)).toContain('ActorRebased');
  await third.close();
});

test('29: without a migration an actor stays on the version it started with', async () => {
  const { clock, log } = await startOnV1();
  const second = await createRuntime({ ...options(log, clock), machines: { order: [v2, v1] as const } });
  const ref = await second.get('order-1');
  expect(ref.getSnapshot().value).toBe('paying');
  await clock.advance(60_000, () => second.idle());
  expect(ref.getSnapshot().value).toBe('late');
  await second.close();
});

test('29: a migration that throws, or names a state that is not there, blocks the actor and writes nothing', async () => {
  const { clock, log } = await startOnV1();
  const before = await typesOf(log);
  for (const migrate of [
    () => {
      throw new Error('no idea');
    },
    () => ({ value: 'nowhere', context: {} }),
  ]) {
    const runtime = await createRuntime({
      ...options(log, clock),
      machines: { order: { versions: [v2, v1], migrate } } as const,
    });
    await expect(runtime.get('order-1')).rejects.toThrow(ActorBlockedError);
    await expect(runtime.get('order-1')).rejects.toThrow(/no idea|nowhere/);
    await runtime.close();
    expect(await typesOf(log)).toEqual(before);
  }
});

test('a migrated state is shown once the migration is on disk, and not before', async () => {
  const { log, clock } = await startOnV1();
  const held = new FaultyLog(log);
  const release = held.hold();
  const migrate = () => ({ value: 'charged', context: { euros: 12.5 } });
  const machines = { order: { versions: [v2, v1], migrate } } as const;
  const runtime = await createRuntime({ ...options(held, clock), machines, resume: false, lease: false });
  let isSeen = false;
  const seen = runtime.get('order-1').then((ref) => {
    isSeen = true;
    return ref;
  });
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  expect(isSeen).toBe(false);
  release();
  expect((await seen).getSnapshot().value).toBe('charged');
  expect(await typesOf(log)).toContain('ActorRebased');
  await runtime.close();
});
