/**
 * Streams with retries, children, timers, crashes and rebases: the frame at each revision where a live actor was looked at is what
 * it showed there. RP2 of src/replay/replay.ts.
 */
import { expect, test } from 'vitest';
import { assign, emit, fromPromise, sendParent, setup, type AnyStateMachine } from 'xstate';
import type { EventLog } from '../../src/log/event-log.ts';
import { openReplay, type Frame, type Replay, type ReplayOptions } from '../../src/replay/index.ts';
import type { ActorRef } from '../../src/runtime/actor-ref.ts';
import type { Machines } from '../../src/runtime/machines.ts';
import { flow, flowMigration, step, type } from '../../machines/index.ts';
import { House } from '../support/house.ts';
import { FileHouse } from '../support/file-house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { LiveWitness, machinesIn } from './live-witness.ts';

async function all(replay: Replay): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of replay.frames()) frames.push(frame);
  return frames;
}

/** Every place that was looked at, with code and without, forwards and backwards. */
async function expectSeen(log: EventLog, stream: string, machines: Machines, witness: LiveWitness) {
  const options: ReplayOptions[] = [
    { machines, every: 3 },
    { machines, every: 3, source: 'log' },
  ];
  for (const each of options) {
    const replay = await openReplay(log, stream, each);
    for (const [revision, live] of [...witness.seen].toReversed()) {
      const frame = await replay.at(revision);
      expect(frame.source, `${stream} at ${revision}: ${frame.divergence}`).toBe(each.source ?? 'code');
      const shown = machinesIn(frame, live);
      // What a machine gave as its output is in no event.
      if (each.source === 'log') expect(shown).toEqual(withoutOutputs(live));
      else expect(shown).toEqual(live);
    }
  }
  expect(witness.seen.size).toBeGreaterThan(1);
  const replay = await openReplay(log, stream, { machines });
  return { replay, frames: await all(replay) };
}

function withoutOutputs(live: ReturnType<typeof machinesIn>) {
  return Object.fromEntries(Object.entries(live).map(([at, { output: _, ...rest }]) => [at, rest]));
}

const label = setup({
  types: { context: {} as { printed: number }, events: {} as { type: 'PRINT' } },
}).createMachine({
  id: 'label',
  context: { printed: 0 },
  initial: 'blank',
  states: {
    blank: { on: { PRINT: { target: 'printed', actions: assign({ printed: ({ context }) => context.printed + 1 }) } } },
    printed: { entry: sendParent({ type: 'PRINTED' }), after: { 5_000: 'blank' } },
  },
});

const order = setup({
  types: {
    context: {} as { tries: number; at?: Date; receipts: string[] },
    events: {} as { type: 'PAY' } | { type: 'PRINTED' } | { type: 'CANCEL' },
    emitted: {} as { type: 'PaymentFailed' },
  },
  actors: {
    label,
    charge: fromPromise<string, number>(async ({ input }) => {
      if (input < 2) throw new Error('busy');
      return `receipt ${input}`;
    }),
    watch: fromPromise(() => new Promise(() => {})),
  },
}).createMachine({
  id: 'order',
  version: '1',
  context: { tries: 0, receipts: [] },
  invoke: { id: 'label', src: 'label' },
  initial: 'open',
  states: {
    open: { on: { PAY: 'paying' } },
    paying: {
      entry: assign({ tries: ({ context }) => context.tries + 1, at: () => new Date(0) }),
      invoke: [
        { src: 'watch' },
        {
          id: 'charge',
          src: 'charge',
          input: ({ context }) => context.tries,
          onDone: {
            target: 'paid',
            actions: assign({ receipts: ({ context, event }) => [...context.receipts, event.output] }),
          },
          onError: { target: 'waiting', actions: emit({ type: 'PaymentFailed' }) },
        },
      ],
    },
    waiting: { after: { 30_000: 'paying' }, on: { CANCEL: 'open' } },
    paid: { on: { PAY: 'paying' } },
  },
});

async function ordered(house: House) {
  const witness = new LiveWitness(house.log);
  const runtime = await house.open({ order });
  const ref = (await runtime.start('order', { id: '1' })) as unknown as ActorRef;
  const see = async () => {
    await rest();
    await witness.see(ref);
  };
  await see();
  await ref.send({ type: 'PAY' });
  await see();
  const child = (ref.getSnapshot() as { children: Record<string, { send(event: object): void }> }).children.label!;
  child.send({ type: 'PRINT' });
  await see();
  for (let turn = 0; turn < 7; turn++) {
    await house.advance(5_000);
    await see();
  }
  return { runtime, ref, witness, see };
}

test('retries, timers and children, on a file', async () => {
  const house = new FileHouse();
  const { witness } = await ordered(house);
  const { frames, replay } = await expectSeen(house.log, 'order-1', { order }, witness);
  expect(frames.map((frame) => frame.label)).toEqual([
    'started',
    'PAY',
    'charge failed',
    'PRINT',
    'after 5s',
    'after 30s',
    'charge done',
  ]);
  const [start, pay, failed, print, , retried, paid] = frames as [Frame, Frame, Frame, Frame, Frame, Frame, Frame];
  expect(start.actors.map(({ address, parent, src, kind }) => ({ address, parent, src, kind }))).toEqual([
    { address: '/', parent: null, src: null, kind: 'machine' },
    { address: '/label:1', parent: '/', src: 'label', kind: 'machine' },
  ]);
  expect(pay.started.map(({ src }) => src)).toEqual(['watch', 'charge']);
  expect(pay.changes).toEqual([
    {
      actor: '/',
      patch: [
        { op: 'replace', path: '/tries', value: 1 },
        { op: 'add', path: '/at', value: { $date: '1970-01-01T00:00:00.000Z' } },
      ],
    },
  ]);
  expect(failed).toMatchObject({
    to: '/charge:3',
    lastRevision: failed.revision + 1,
    payload: { $error: { name: 'Error', message: 'busy' } },
    settled: { actor: '/charge:3', src: 'charge', outcome: 'failed' },
    facts: [{ actor: '/', type: 'PaymentFailed', data: { type: 'PaymentFailed' } }],
    effects: [],
  });
  expect(print.to).toBe('/label:1');
  expect(retried.fired).toBe(failed.armed[0]!.timer);
  expect(retried.effects.map(({ src, since }) => ({ src, since }))).toEqual([
    { src: 'watch', since: retried.revision },
    { src: 'charge', since: retried.revision },
  ]);
  expect(paid.actors[0]!.context).toMatchObject({ receipts: ['receipt 2'] });
  expect(paid.causationId).toBe(retried.id);
  expect(replay.chart?.id).toBe('order');
  expect(replay.chartFor('/label:1', paid)?.id).toBe('label');
  expect(replay.chartFor('/charge:3', pay)).toBe(undefined);
});

test('effects that were stopped are over without code, too', async () => {
  const house = new House();
  await ordered(house);
  const effects = async (options: ReplayOptions) => {
    const frames = await all(await openReplay(house.log, 'order-1', options));
    return frames.map((frame) => [frame.effects, frame.timers, frame.changes, frame.settled, frame.fired]);
  };
  const code = await effects({ machines: { order } });
  expect(await effects({})).toEqual(code);
  // Also where no chart is known, by the states that were entered with them.
  const bare = { ...house.log, readStream: house.log.readStream.bind(house.log), head: house.log.head.bind(house.log) };
  const frames = await all(await openReplay({ ...bare, definitions: undefined } as never, 'order-1'));
  expect(frames.map((frame) => [frame.effects, frame.timers, frame.changes, frame.settled, frame.fired])).toEqual(code);
});

test('rewound, compacted and forked', async () => {
  const house = new House();
  const { runtime, ref, witness, see } = await ordered(house);
  const failed = 3;
  await runtime.rewind('order-1', { to: failed });
  await see();
  await ref.send({ type: 'CANCEL' });
  await see();
  await ref.send({ type: 'PAY' });
  await see();
  const { frames } = await expectSeen(house.log, 'order-1', { order }, witness);
  const rewound = frames.find(({ type: name }) => name === 'ActorRebased')!;
  expect(rewound).toMatchObject({ label: `rewound to ${failed}`, divergence: null });
  expect(rewound.changes).toEqual([
    {
      actor: '/',
      patch: [
        { op: 'replace', path: '/tries', value: 1 },
        { op: 'remove', path: '/receipts/0' },
      ],
    },
    { actor: '/label:1', patch: [{ op: 'replace', path: '/printed', value: 0 }] },
  ]);
  await runtime.fork('order-1', { at: 1, id: '2' });
  const fork = await openReplay(house.log, 'order-2', { machines: { order } });
  expect((await fork.at(0)).label).toBe('forked from order-1 at 1');
  expect((await fork.at(1)).actors[0]).toMatchObject({ id: '1', value: 'paying', context: { tries: 1 } });
  await runtime.compact('order-1');
  const compacted = new LiveWitness(house.log);
  await compacted.see(ref);
  await ref.send({ type: 'PAY' });
  await rest();
  await compacted.see(ref);
  const { replay } = await expectSeen(house.log, 'order-1', { order }, compacted);
  expect(replay.first).toBeGreaterThan(frames.at(-1)!.lastRevision);
  expect((await replay.at(replay.first)).label).toBe('compacted');
  await expect(replay.at(0)).rejects.toThrow(`a revision of the stream, from ${replay.first} to ${replay.last}`);
});

test('an effect that was lost and is run again', async () => {
  const house = new House();
  const slow = setup({ actors: { work: fromPromise(() => new Promise(() => {})) } }).createMachine({
    initial: 'working',
    states: { working: { invoke: { id: 'work', src: 'work' } } },
  });
  const { runtime, crash } = await house.openToCrash({ slow });
  await runtime.start('slow', { id: '1' });
  await rest();
  crash();
  await (await house.open({ slow })).get('slow-1');
  await rest();
  for (const machines of [{ slow }, {}]) {
    const replay = await openReplay(house.log, 'slow-1', { machines });
    const resumed = await replay.at(1);
    expect(resumed.label).toBe('resumed');
    expect(resumed.effects).toEqual([{ actor: '/work:1', src: 'work', since: 0, startedAt: resumed.at, restarts: 1 }]);
  }
});

test('a step that is retried', async () => {
  const house = new House();
  const witness = new LiveWitness(house.log);
  let calls = 0;
  const call = step(
    'call',
    () => {
      if (++calls < 3) throw Object.assign(new Error('busy'), { status: 503 });
      return 'done';
    },
    { retry: { maxRetries: 5, backoff: { initialDelay: 1_000, jitter: 'none' } } },
  ) as unknown as AnyStateMachine;
  const runtime = await house.open({ call });
  const ref = (await runtime.start('call', { id: '1', input: undefined } as never)) as unknown as ActorRef;
  for (let turn = 0; turn < 5; turn++) {
    await rest();
    await witness.see(ref);
    await house.advance(1_000);
  }
  expect(await ref.output()).toBe('done');
  const { frames } = await expectSeen(house.log, 'call-1', { call }, witness);
  expect(frames.at(-1)!.actors[0]).toMatchObject({ status: 'done', output: 'done' });
});

test('a flow that failed and goes on under another version', async () => {
  const house = new House();
  const run =
    (name: string, fails = false) =>
    async () => {
      if (fails) throw new Error(`${name} is broken`);
      return name;
    };
  const reserve = { run: run('reserve') };
  const output = ({ results }: { results: unknown }) => results;
  const old = flow('ship', {
    version: '1',
    input: type<{ n: number }>(),
    steps: { reserve, charge: { run: run('charge', true), needs: ['reserve'] } },
    output,
  }) as unknown as AnyStateMachine;
  const young = flow('ship', {
    version: '2',
    input: type<{ n: number }>(),
    steps: { reserve, weigh: { run: run('weigh') }, charge: { run: run('charge'), needs: ['reserve', 'weigh'] } },
    output,
  }) as unknown as AnyStateMachine;
  const witness = new LiveWitness(house.log);
  const first = await house.open({ ship: old });
  const failed = (await first.start('ship', { id: '1', input: { n: 1 } } as never)) as unknown as ActorRef;
  await rest();
  await witness.see(failed);
  await first.close();
  const second = await house.open({ ship: [young, old] });
  const ref = (await second.resume('ship-1', { migrate: flowMigration(young) })) as unknown as ActorRef;
  await rest();
  await witness.see(ref);
  expect(await ref.output()).toEqual({ reserve: 'reserve', weigh: 'weigh', charge: 'charge' });
  const { frames, replay } = await expectSeen(house.log, 'ship-1', { ship: [young, old] }, witness);
  expect(frames.map((frame) => frame.label)).toContain('resumed after its end');
  expect(replay.version).toBe('1');
  expect(replay.chartFor('/', frames[0]!)?.version).toBe('1');
  expect(replay.chartFor('/', frames.at(-1)!)?.version).toBe('2');
});
