/**
 * What a replay does beyond frames: it reads only, finds its way, survives code that does not fit and records that cannot be
 * read, and says who set a value. RP, SR, WA, CF and FB are the invariants of files in src/replay.
 */
import { describe, expect, it } from 'vitest';
import { assign, createMachine, emit, fromPromise, setup, type AnyStateMachine } from 'xstate';
import {
  createRuntime,
  DamagedRecordError,
  definitionHash,
  effect,
  InvalidArgumentError,
  memoryLog,
  NotFoundError,
  now,
  VirtualClock,
  type EventLog,
  type Runtime,
} from '../../src/index.ts';
import { openReplay, type Frame, type Replay } from '../../src/replay/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { House } from '../support/house.ts';
import { logPath, withRawConnection } from '../stores/sqlite/log-files.ts';

const counting = (by: number, options: { readonly version?: string; readonly limit?: number } = {}) =>
  setup({
    types: { context: {} as { sum: number; last: { n: number } }, events: {} as { type: 'ADD'; n: number } },
  }).createMachine({
    id: 'counter',
    version: options.version ?? '1',
    context: { sum: 0, last: { n: 0 } },
    initial: 'low',
    states: {
      low: {
        on: {
          ADD: {
            actions: assign({
              sum: ({ context, event }) => context.sum + event.n * by,
              last: ({ event }) => ({ n: event.n }),
            }),
          },
        },
        always: { guard: ({ context }) => context.sum >= (options.limit ?? 100), target: 'high' },
      },
      high: {},
      ...(options.version === '2' && { higher: {} }),
    },
  }) as unknown as AnyStateMachine;

async function counted(numbers: readonly number[], machine = counting(1)) {
  const house = new House();
  const runtime = (await house.open({ counter: machine })) as unknown as Runtime<never>;
  await runtime.start('counter' as never, { id: '1' } as never);
  for (const n of numbers) await runtime.send('counter-1', { type: 'ADD', n });
  return { house, runtime };
}

async function all(replay: Replay, options?: Parameters<Replay['frames']>[0]): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of replay.frames(options)) frames.push(frame);
  return frames;
}

const sumOf = (frame: Frame | undefined) => (frame?.actors[0]?.context as { sum: number } | undefined)?.sum;

describe('a replay reads', () => {
  it('RP1: nothing is appended, no effect and no action runs', async () => {
    let runs = 0;
    const refuse = () => {
      throw new Error('it ran');
    };
    const machine = (run: () => void) =>
      setup({
        actors: { work: fromPromise(async () => run()) },
        actions: { tell: run },
      }).createMachine({
        entry: 'tell',
        initial: 'working',
        states: { working: { invoke: { src: 'work', onDone: 'done' } }, done: { entry: 'tell' } },
      });
    const house = new House();
    const runtime = await house.open({ job: machine(() => void runs++) });
    await runtime.start('job', { id: '1' });
    await rest();
    expect(runs).toBe(3);
    const readable = new Set(['name', 'capabilities', 'readStream', 'head', 'actors', 'definitions']);
    const log = new Proxy(house.log, {
      get(target, key) {
        if (!readable.has(String(key))) return refuse();
        const member: unknown = Reflect.get(target, key, target);
        if (key === 'definitions') return { load: (hash: string) => target.definitions!.load(hash), save: refuse };
        return typeof member === 'function' ? (member.bind(target) as unknown) : member;
      },
    });
    const before = await house.events('job-1');
    const replay = await openReplay(log, 'job-1', { machines: { job: machine(refuse) } });
    const frames = await all(replay);
    expect(frames.map(({ source, divergence }) => [source, divergence])).toEqual([
      ['code', null],
      ['code', null],
    ]);
    await replay.prepare();
    await replay.blame('/state');
    await replay.refresh();
    expect(await house.events('job-1')).toEqual(before);
  });
});

describe('finding the way', () => {
  it('goes to what a revision belongs to, also one of a fact, and says what is out of bounds', async () => {
    const { house } = await counted([1, 2, 3]);
    const replay = await openReplay(house.log, 'counter-1', { machines: { counter: counting(1) } });
    expect([replay.first, replay.last, replay.source, replay.machine, replay.version]).toEqual([
      0,
      3,
      'code',
      'counter',
      '1',
    ]);
    expect(sumOf(await replay.at(2))).toBe(3);
    expect(await replay.next(await replay.at(3))).toBe(undefined);
    expect(await replay.previous(await replay.at(0))).toBe(undefined);
    for (const wrong of [-1, 4, 1.5, NaN]) await expect(replay.at(wrong)).rejects.toThrow(InvalidArgumentError);
    await expect(openReplay(house.log, 'counter-2')).rejects.toThrow(NotFoundError);
    await expect(openReplay(house.log, 'counter-1', { every: 0 })).rejects.toThrow(InvalidArgumentError);
    await expect(openReplay(house.log, 'counter-1', { source: 'both' as never })).rejects.toThrow(InvalidArgumentError);
  });

  it('finds a frame, from either end', async () => {
    const { house } = await counted([1, 2, 3, 4, 5]);
    const replay = await openReplay(house.log, 'counter-1', { machines: { counter: counting(1) }, every: 2 });
    const isOdd = (frame: Frame) => sumOf(frame)! % 2 === 1;
    expect((await replay.find(isOdd))?.revision).toBe(1);
    expect((await replay.find(isOdd, { from: 3 }))?.revision).toBe(5);
    expect((await replay.find(isOdd, { backwards: true, from: 4 }))?.revision).toBe(2);
    expect(await replay.find(() => false, { backwards: true })).toBe(undefined);
    expect((await all(replay, { from: 2, to: 3 })).map(({ revision }) => revision)).toEqual([2, 3]);
  });

  it('SR2: looks at what was appended when it is told to', async () => {
    const { house, runtime } = await counted([1]);
    const replay = await openReplay(house.log, 'counter-1', { machines: { counter: counting(1) } });
    const end = await replay.at(1);
    await runtime.send('counter-1', { type: 'ADD', n: 5 });
    expect([replay.last, await replay.next(end)]).toEqual([1, undefined]);
    expect(await replay.refresh()).toBe(true);
    expect(await replay.refresh()).toBe(false);
    expect(sumOf(await replay.next(end))).toBe(6);
    await runtime.compact('counter-1');
    // Not told yet: what it has folded already it still knows, and what it has not is found to be gone.
    expect(await replay.refresh()).toBe(true);
    expect(replay.first).toBe(3);
    expect(sumOf(await replay.at(3))).toBe(6);
  });

  it('EN1: gives every stimulus its facts, however far it is read ahead', async () => {
    const telling = setup({ types: { emitted: {} as { type: 'Told'; n: number } } }).createMachine({
      on: { GO: { actions: [1, 2, 3, 4].map((n) => emit({ type: 'Told', n })) } },
    }) as unknown as AnyStateMachine;
    const house = new House();
    const runtime = (await house.open({ telling })) as unknown as Runtime<never>;
    await runtime.start('telling' as never, { id: '1' } as never);
    for (let n = 0; n < 60; n++) await runtime.send('telling-1', { type: 'GO' });
    for (const machines of [{ telling }, {}]) {
      const frames = await all(await openReplay(house.log, 'telling-1', { machines }));
      expect(frames.slice(1).map(({ facts }) => facts.length)).toEqual(Array.from({ length: 60 }, () => 4));
      expect(frames.every(({ divergence }) => divergence === null)).toBe(true);
      expect(frames.at(-1)!.lastRevision).toBe(300);
    }
  });

  it('does not take for damage what a compaction has removed meanwhile', async () => {
    const { house, runtime } = await counted(Array.from({ length: 80 }, () => 1));
    const replay = await openReplay(house.log, 'counter-1', { machines: { counter: counting(1) } });
    expect(sumOf(await replay.at(3))).toBe(3);
    await runtime.compact('counter-1');
    await expect(replay.at(79)).rejects.toThrow(InvalidArgumentError);
    expect([replay.first, replay.last, replay.damaged]).toEqual([81, 81, []]);
    expect(sumOf(await replay.at(81))).toBe(80);
  });

  it('SR1: answers many at once', async () => {
    const { house } = await counted(Array.from({ length: 60 }, (_, n) => n % 3));
    const replay = await openReplay(house.log, 'counter-1', { machines: { counter: counting(1) }, every: 7 });
    const asked = Array.from({ length: 60 }, (_, n) => (n * 37) % 61);
    const found = await Promise.all([...asked.map((n) => replay.at(n)), replay.prepare().then(() => replay.at(0))]);
    const alone = await openReplay(house.log, 'counter-1', { machines: { counter: counting(1) } });
    for (const [index, n] of [...asked, 0].entries()) expect(found[index]).toEqual(await alone.at(n));
  });

  it('folds from further back what cannot be described', async () => {
    const inline = createMachine({
      context: ({ spawn }: { spawn: unknown }) => ({
        count: 0,
        ref: (spawn as (logic: unknown) => unknown)(createMachine({ context: {} })),
      }),
      on: { GO: { actions: assign({ count: ({ context }) => (context as { count: number }).count + 1 }) } },
    } as never) as unknown as AnyStateMachine;
    const house = new House();
    const runtime = (await house.open({ inline }, { snapshots: false })) as unknown as Runtime<never>;
    await runtime.start('inline' as never, { id: '1' } as never);
    for (let n = 0; n < 9; n++) await runtime.send('inline-1', { type: 'GO' });
    const replay = await openReplay(house.log, 'inline-1', { machines: { inline }, every: 2 });
    for (const at of [9, 4, 7, 0, 8]) {
      const frame = await replay.at(at);
      expect([frame.source, (frame.actors[0]!.context as { count: number }).count]).toEqual(['code', at]);
    }
  });
});

describe('code that does not fit', () => {
  it('WA2: is given up where it does something else, and the log goes on', async () => {
    const { house } = await counted([1, 60, 1, 1]);
    const machines = { counter: counting(1, { limit: 50 }) };
    for (const start of ['forwards', 'backwards'] as const) {
      const replay = await openReplay(house.log, 'counter-1', { machines, every: 2 });
      if (start === 'backwards') await replay.at(4);
      const frames = await all(replay);
      expect(frames.map(({ source }) => source)).toEqual(['code', 'code', 'log', 'log', 'log']);
      expect(frames.map(({ divergence }) => divergence !== null)).toEqual([false, false, true, false, false]);
      expect(frames[2]!.divergence).toContain('diverged at revision 2 in actor /: the log says');
      expect(frames.map(sumOf)).toEqual([0, 1, 61, 62, 63]);
      expect(frames.map(({ actors }) => actors[0]!.value)).toEqual(['low', 'low', 'low', 'low', 'low']);
      expect(frames[3]!.changes[0]!.patch).toContainEqual({ op: 'replace', path: '/sum', value: 62 });
    }
  });

  it('F6: is taken up again by a rebase', async () => {
    const { house, runtime } = await counted([1, 60, 1]);
    await runtime.rewind('counter-1', { to: 1 });
    await runtime.send('counter-1', { type: 'ADD', n: 2 });
    const replay = await openReplay(house.log, 'counter-1', { machines: { counter: counting(1, { limit: 50 }) } });
    const frames = await all(replay);
    expect(frames.map(({ source }) => source)).toEqual(['code', 'code', 'log', 'log', 'code', 'code']);
    expect(frames.map(sumOf)).toEqual([0, 1, 61, 62, 1, 3]);
  });

  it('may make other contexts without being noticed by a fold: that is told', async () => {
    const { house } = await counted([1, 2]);
    const replay = await openReplay(house.log, 'counter-1', { machines: { counter: counting(2) } });
    const frames = await all(replay);
    expect(frames.map(({ drift, source }) => [drift, source])).toEqual([
      [undefined, 'code'],
      [['/'], 'code'],
      [['/'], 'code'],
    ]);
    expect(frames.map(sumOf)).toEqual([0, 2, 6]);
  });

  it('may be asked not to be used, or not be there', async () => {
    const { house } = await counted([1, 2]);
    for (const options of [
      { machines: { counter: counting(1) }, source: 'log' },
      { machines: { other: counting(1) } },
      {},
    ] as const) {
      const replay = await openReplay(house.log, 'counter-1', options as never);
      expect(replay.source).toBe('log');
      expect((await all(replay)).map((frame) => [frame.source, sumOf(frame), frame.divergence])).toEqual([
        ['log', 0, null],
        ['log', 1, null],
        ['log', 3, null],
      ]);
      expect(replay.chart?.id).toBe('counter');
    }
  });

  it('that reads the clock is named', async () => {
    const told = (read: () => number) =>
      createMachine({
        context: { n: 0 },
        on: { GO: { actions: assign({ n: 1 }), guard: () => read() === 0, target: '.b' } },
        initial: 'a',
        states: { a: {}, b: {} },
      }) as unknown as AnyStateMachine;
    const house = new House();
    const runtime = (await house.open({ told: told(() => 0) })) as unknown as Runtime<never>;
    await runtime.start('told' as never, { id: '1' } as never);
    await runtime.send('told-1', { type: 'GO' });
    const replay = await openReplay(house.log, 'told-1', { machines: { told: told(() => new Date().getTime()) } });
    expect((await replay.at(1)).divergence).toContain('new Date() read in');
  });

  it('CF2: of a version that took over shows what comes from then on, and the older one what was before', async () => {
    const house = new House();
    const [old, young] = [counting(1, { version: '1' }), counting(2, { version: '2' })];
    const first = (await house.open({ counter: old })) as unknown as Runtime<never>;
    await first.start('counter' as never, { id: '1' } as never);
    await first.send('counter-1', { type: 'ADD', n: 1 });
    await first.close();
    const second = (await house.open({ counter: young })) as unknown as Runtime<never>;
    await second.send('counter-1', { type: 'ADD', n: 10 });
    const types = await house.types('counter-1');
    const replay = await openReplay(house.log, 'counter-1', { machines: { counter: [young, old] }, every: 1 });
    const sums = [];
    for (const at of [...types.keys()].toReversed()) sums.unshift(sumOf(await replay.at(at)));
    expect(types).toEqual(['ActorStarted', 'EventReceived', 'ActorResumed', 'EventReceived']);
    expect(sums).toEqual([0, 1, 2, 22]);
    expect((await all(replay)).map(sumOf)).toEqual(sums);
  });
});

describe('records that cannot be read', () => {
  async function damaged(spoil: (path: string) => void): Promise<EventLog> {
    const path = logPath();
    const clock = new VirtualClock();
    const log = sqliteLog(path, { clock });
    const machines = { counter: counting(1) };
    const runtime = (await createRuntime({ log, clock, machines, keepLogOpen: true })) as unknown as Runtime<never>;
    await runtime.start('counter' as never, { id: '1' } as never);
    for (const n of [1, 2, 4, 8, 16]) await runtime.send('counter-1', { type: 'ADD', n });
    await runtime.close();
    await log.close();
    spoil(path);
    return sqliteLog(path, { clock });
  }

  const broken = `UPDATE appends SET data = replace(data, '"n":2', '"n":3') WHERE revision = 2`;

  it.each([
    ['flipped bits', `${broken}; UPDATE appends SET heads = replace(heads, ']]', '1]]') WHERE revision = 4`, [2, 4]],
    ['a record that is cut short', 'UPDATE appends SET data = substr(data, 1, 9) WHERE revision = 2', [2]],
    ['a record that is gone', 'DELETE FROM appends WHERE revision = 2', [2]],
    ['an end that is gone', 'DELETE FROM appends WHERE revision > 1', [2, 3, 4, 5]],
  ])('SR3: are shown in their place, and frames end before the first: %s', async (_, sql, expected) => {
    const log = await damaged((path) => withRawConnection(path, (db) => db.exec(sql)));
    for (const machines of [{ counter: counting(1) }, {}]) {
      const replay = await openReplay(log, 'counter-1', { machines });
      expect([replay.damaged, replay.last]).toEqual([[], 5]);
      expect(sumOf(await replay.at(1))).toBe(1);
      await expect(replay.at(5)).rejects.toThrow(DamagedRecordError);
      expect(replay.damaged.map(({ revision }) => revision)).toEqual(expected);
      expect(replay.last).toBe(1);
      expect((await all(replay)).map(sumOf)).toEqual([0, 1]);
      expect(await replay.next(await replay.at(1))).toBe(undefined);
      await expect(replay.at(2)).rejects.toThrow(DamagedRecordError);
      const prepared = await openReplay(log, 'counter-1', { machines });
      await prepared.prepare();
      expect(prepared.last).toBe(1);
      expect((await prepared.blame('/context/sum')).value).toBe(1);
    }
    await log.close();
  });

  it('leave nothing to show where the first is one', async () => {
    const log = await damaged((path) =>
      withRawConnection(path, (db) => db.exec('UPDATE appends SET data = substr(data, 1, 9) WHERE revision = 0')),
    );
    const replay = await openReplay(log, 'counter-1', { machines: { counter: counting(1) } });
    await expect(replay.at(0)).rejects.toThrow(DamagedRecordError);
    expect([replay.last, replay.version, await all(replay), await replay.find(() => true)]).toEqual([
      -1,
      null,
      [],
      undefined,
    ]);
    await log.close();
  });
});

describe('who set a value', () => {
  it('FB1: the last event that changed it, and those before', async () => {
    const { house } = await counted([1, 0, 5, 0]);
    for (const machines of [{ counter: counting(1) }, {}]) {
      const replay = await openReplay(house.log, 'counter-1', { machines });
      const blame = await replay.blame('/context/sum');
      expect(blame).toMatchObject({ stream: 'counter-1', actor: '/', path: '/context/sum', at: 4, value: 6 });
      expect(blame.changed).toMatchObject({ by: { revision: 3, label: 'ADD' }, from: 1, to: 6 });
      expect(blame.earlier.map(({ by, from, to }) => [by.revision, from, to])).toEqual([
        [1, 0, 1],
        [0, undefined, 0],
      ]);
      expect(blame.causes).toEqual([]);
      expect((await replay.blame('/context/sum', { at: 2 })).changed).toMatchObject({ by: { revision: 1 } });
      // Its parent is replaced by every event.
      expect((await replay.blame('/context/last/n', { at: 4 })).changed).toMatchObject({ by: { revision: 4 }, to: 0 });
      expect((await replay.blame('/context/nothing')).changed).toBe(undefined);
      expect((await replay.blame('/state')).changed).toMatchObject({
        by: { revision: 0, label: 'started' },
        to: 'low',
      });
      await expect(replay.blame('/sum')).rejects.toThrow('a JSON Pointer that begins with one of /context');
      await expect(replay.blame('/state', { at: 5 })).rejects.toThrow(InvalidArgumentError);
    }
  });

  it('FB1: a value that was made again, and is as it was, was not changed', async () => {
    const { house } = await counted([5, 5]);
    for (const machines of [{ counter: counting(1) }, {}]) {
      const replay = await openReplay(house.log, 'counter-1', { machines });
      const { changed, earlier } = await replay.blame('/context/last');
      expect([changed!.by.revision, earlier.map(({ by }) => by.revision)]).toEqual([1, [0]]);
    }
  });

  it('of an effect, from what began it to its outcome', async () => {
    const job = setup({ actors: { work: fromPromise(async () => 'done') } }).createMachine({
      initial: 'idle',
      states: {
        idle: { on: { GO: 'working' } },
        working: { invoke: { id: 'work', src: 'work', onDone: 'rested' } },
        rested: {},
      },
    });
    const house = new House();
    const runtime = await house.open({ job });
    await (await runtime.start('job', { id: '1' })).send({ type: 'GO' });
    await rest();
    const replay = await openReplay(house.log, 'job-1', { source: 'log' });
    const { address } = (await replay.at(1)).actors[1]!;
    const { changed, earlier } = await replay.blame('/status', { actor: address });
    expect([changed!.to, changed!.by.label, earlier.map(({ to, by }) => [to, by.label])]).toEqual([
      ...['done', 'work done', [['active', 'GO']]],
    ]);
    expect((await replay.blame('/output', { actor: address })).changed).toMatchObject({ to: 'done' });
  });

  it('leads back to what nothing caused, through other streams', async () => {
    const house = new House();
    const counter = counting(1);
    const hosted: { runtime?: Runtime<never> } = {};
    const asker = setup({
      types: { context: {} as { at: number }, events: {} as { type: 'ASK' } },
      actors: {
        ask: effect(async () => void (await hosted.runtime!.send('counter-1', { type: 'ADD', n: 7 }))),
      },
    }).createMachine({
      id: 'asker',
      context: { at: 0 },
      initial: 'idle',
      states: {
        idle: { on: { ASK: 'waiting' } },
        waiting: { after: { 1_000: 'asking' } },
        asking: { invoke: { src: 'ask', onDone: { target: 'asked', actions: assign({ at: () => now() }) } } },
        asked: {},
      },
    });
    const runtime = (await house.open({ asker, counter })) as unknown as Runtime<never>;
    hosted.runtime = runtime;
    await runtime.start('counter' as never, { id: '1', correlationId: 'other' } as never);
    await runtime.start('asker' as never, { id: '1', correlationId: 'c-1' } as never);
    await runtime.send('asker-1', { type: 'ASK' });
    await house.advance(1_000);
    const counters = await openReplay(house.log, 'counter-1', { machines: { counter } });
    const sum = await counters.blame('/context/sum');
    expect(sum.changed).toMatchObject({ by: { stream: 'counter-1', label: 'ADD' }, to: 7 });
    expect(sum.causes.map(({ stream, label }) => `${stream} ${label}`)).toEqual(['asker-1 after 1s', 'asker-1 ASK']);
    const askers = await openReplay(house.log, 'asker-1');
    const at = await askers.blame('/context/at');
    expect(at.changed!.by.label).toBe('ask done');
    expect(at.causes.map(({ label }) => label)).toEqual(['after 1s', 'ASK']);
    expect(definitionHash(counter)).toMatch(/^[0-9a-f]+$/);
  });

  it('FB2: of a child that has ended, what it had last', async () => {
    const child = createMachine({
      context: { n: 0 },
      initial: 'a',
      states: { a: { on: { END: { target: 'b', actions: assign({ n: 1 }) } } }, b: { type: 'final' } },
    });
    const parent = setup({ actors: { child } }).createMachine({
      initial: 'busy',
      states: { busy: { invoke: { id: 'c', src: 'child', onDone: 'over' } }, over: {} },
    });
    const house = new House();
    const runtime = await house.open({ parent });
    const ref = await runtime.start('parent', { id: '1' });
    (ref.getSnapshot().children.c as unknown as { send(event: object): void }).send({ type: 'END' });
    await rest();
    for (const machines of [{ parent }, {}]) {
      const replay = await openReplay(house.log, 'parent-1', { machines });
      const frames = await all(replay);
      const { address } = frames[0]!.actors[1]!;
      const blame = await replay.blame('/context/n', { actor: address });
      expect(blame.value).toBe(machines.parent ? 0 : 1);
    }
  });
});

it('a memory log of its own works as well', async () => {
  const log = memoryLog();
  await expect(openReplay(log, 'counter-1')).rejects.toThrow(NotFoundError);
});
