/** Whether the actors of a log could go on with other machines, as a gate for a deployment asks (RA1 to RA3, SR1, SR2). */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { assign, emit, fromPromise, sendTo, setup, type AnyStateMachine } from 'xstate';
import {
  DamagedRecordError,
  defineUpcasters,
  InvalidArgumentError,
  LogClosedError,
  memoryLog,
  ReplayDivergedError,
  UnknownStateError,
  type EventLog,
  type Machines,
  type Upcasters,
} from '../../src/index.ts';
import { replayAll, type ReplayAllOptions, type ReplayVerdict, type StreamReplay } from '../../src/testing/audit.ts';
import { ReplayCount } from '../../src/testing/replay-all/replay-summary.ts';
import { all, withRawConnection } from '../stores/sqlite/log-files.ts';
import { FileHouse, houses } from '../support/file-house.ts';
import { House } from '../support/house.ts';
import { createMachine } from '../support/loose-machine.ts';

interface Chart {
  /** Where PAY leads to. */
  readonly paid?: string;
  readonly more?: object;
  readonly version?: string;
  readonly label?: AnyStateMachine;
  readonly patience?: number;
  readonly fact?: string;
}

const labelling = (second: string) =>
  createMachine({ initial: 'blank', states: { blank: { on: { PRINT: second } }, [second]: {} } });

/** An order that is open, is packed while its label is made, and is shipped. */
function order({
  paid = 'packing',
  more = {},
  version,
  label = labelling('printed'),
  patience = 60_000,
  fact = 'OrderPaid',
}: Chart = {}): AnyStateMachine {
  return setup({ actors: { label, pack: fromPromise(() => new Promise<void>(() => {})) } }).createMachine({
    id: 'order',
    ...(version !== undefined && { version }),
    context: { paid: 0 },
    initial: 'open',
    states: {
      open: {
        after: { [patience]: 'late' },
        on: { PAY: { target: paid, actions: [assign({ paid: 1 }), emit({ type: fact })] as never } },
      },
      [paid]: {
        invoke: [
          { id: 'label', src: 'label' },
          { id: 'pack', src: 'pack' },
        ],
        on: { SHIP: 'shipped' },
      },
      late: {},
      shipped: { type: 'final' },
      ...more,
    },
  } as never) as unknown as AnyStateMachine;
}

/** order-1 is open, order-2 and order-3 are packed, order-4 is shipped. */
async function lived(house: House, machine = order(), upcasters?: Upcasters): Promise<House> {
  const runtime = await house.open({ order: machine }, upcasters ? { upcasters } : {});
  for (const id of ['1', '2', '3', '4']) await runtime.start('order', { id } as never);
  for (const id of ['2', '3', '4']) await runtime.send(`order-${id}`, { type: 'PAY' });
  await runtime.send('order-4', { type: 'SHIP' });
  await runtime.close();
  return house;
}

/** The verdict on each stream, by its id. */
async function verdictsOn(log: EventLog, machines: Machines, options: ReplayAllOptions = {}) {
  const found: Record<string, ReplayVerdict> = {};
  const replayed: StreamReplay[] = [];
  const summary = await replayAll(log, machines, {
    ...options,
    onStream: (each) => {
      replayed.push(each);
      found[each.stream.replace('order-', '')] = each.verdict;
    },
  });
  return { found, replayed, summary };
}

/** SR1. Which of the live actors a runtime with these machines blocks. */
async function blockedIn(house: House, machines: Machines, options = {}): Promise<string[]> {
  const runtime = await house.open(machines, options);
  for (const id of ['1', '2', '3']) await runtime.get(`order-${id}`).catch(() => {});
  const blocked = (await all(runtime.list({ status: 'blocked' }))).map(({ stream }) => stream.replace('order-', ''));
  await runtime.close();
  return blocked.sort();
}

/** Throws at whatever is more than reading. */
function sealed(log: EventLog): EventLog {
  const allowed = ['name', 'capabilities', 'actors', 'actor', 'head', 'readStream'];
  return new Proxy(log, {
    get: (_, key) => {
      if (!allowed.includes(String(key))) throw new Error(`${String(key)} of the log is used`);
      const value: unknown = Reflect.get(log, key);
      return typeof value === 'function' ? (value.bind(log) as unknown) : value;
    },
  });
}

const added = { more: { archived: {} } };

describe.for(houses)('%s', ([, build]) => {
  it.each<[what: string, chart: Chart, Record<string, ReplayVerdict>]>([
    ['a state more', added, { 1: 'agrees', 2: 'agrees', 3: 'agrees' }],
    ['another target', { paid: 'late', more: { packing: {} } }, { 1: 'agrees', 2: 'diverges', 3: 'diverges' }],
    ['a state less', { paid: 'picking' }, { 1: 'agrees', 2: 'unknownState', 3: 'unknownState' }],
    ['another delay', { patience: 30_000 }, { 1: 'diverges', 2: 'diverges', 3: 'diverges' }],
    ['another fact', { fact: 'OrderSettled' }, { 1: 'agrees', 2: 'diverges', 3: 'diverges' }],
  ])('SR1: a machine with %s is judged as a runtime does', async (_, chart, expected) => {
    const house = await lived(build());
    const { found, summary } = await verdictsOn(house.log, { order: order(chart) });
    expect(found).toEqual(expected);
    const blocked = Object.keys(found).filter((id) => found[id] !== 'agrees');
    expect(summary).toMatchObject({ ok: blocked.length === 0, streams: 3 });
    expect(await blockedIn(house, { order: order(chart) })).toEqual(blocked);
  });

  it('RA1: nothing but reading is asked of the log, and it is afterwards as it was', async () => {
    const house = await lived(build());
    const before = [await all(house.log.readAll()), await all(house.log.actors())];
    for (const chart of [added, { paid: 'picking' }]) {
      const migrating = {
        versions: [order({ version: '2' }), order(chart)] as const,
        migrate: (state: never) => state,
      };
      for (const machine of [order(chart), migrating as never])
        await replayAll(sealed(house.log), { order: machine }, { streams: 'all' });
    }
    expect([await all(house.log.readAll()), await all(house.log.actors())]).toEqual(before);
  });

  it('SR1: goes on from a newest state where the history before it is out of date, unless that state is lost', async () => {
    const house = await lived(build());
    const runtime = await house.open({ order: order() });
    await runtime.rewind('order-2', { to: 0 });
    await runtime.compact('order-3');
    await runtime.close();
    const { found, replayed } = await verdictsOn(house.log, { order: order({ paid: 'picking' }) });
    expect(found).toEqual({ 1: 'agrees', 2: 'agrees', 3: 'unknownState' });
    const lost = replayed.find(({ stream }) => stream === 'order-3');
    expect(lost).toMatchObject({ error: { detail: "State 'packing' does not exist on 'order'" } });
    expect(lost!.error).toBeInstanceOf(UnknownStateError);
    expect(await blockedIn(house, { order: order({ paid: 'picking' }) })).toEqual(['3']);
  });

  it('SR2: tries a migration without writing, and says which one fails', async () => {
    const house = await lived(build(), order({ version: '1' }));
    const before = await all(house.log.readAll());
    const current = order({ version: '2', paid: 'picking' });
    const machines = (migrate: (state: { value: unknown; context: unknown }) => { value: unknown; context: unknown }) =>
      ({ order: { versions: [current, order({ version: '1' })], migrate } }) as unknown as Machines;
    const renaming = machines(({ value, context }) => ({ value: value === 'packing' ? 'picking' : value, context }));
    expect((await verdictsOn(house.log, renaming)).found).toEqual({ 1: 'migrates', 2: 'migrates', 3: 'migrates' });
    const forgetful = machines((state) => state);
    const { found, summary } = await verdictsOn(house.log, forgetful, { streams: 'all' });
    // Who has ended stays as it is.
    expect(found).toEqual({ 1: 'migrates', 2: 'cannotMigrate', 3: 'cannotMigrate', 4: 'agrees' });
    expect(summary.problems[0]).toMatchObject({ verdict: 'cannotMigrate', streams: 2 });
    expect(summary.problems[0]!.what).toContain('the migration fails: The migration gives the state "packing"');
    expect(await all(house.log.readAll())).toEqual(before);
    // With the older version beside it an actor stays on that; without it the current one has to agree.
    const beside = { order: [current, order({ version: '1' })] } as unknown as Machines;
    expect((await verdictsOn(house.log, beside)).summary.ok).toBe(true);
    expect((await verdictsOn(house.log, { order: current })).summary.ok).toBe(false);
    expect(await blockedIn(house, forgetful)).toEqual(['2', '3']);
  });

  it('RA2: a damaged stream between two good ones is told from a divergence, and hides neither', async () => {
    const house = await lived(build());
    const log = house.faulty();
    log.damage = (event) => {
      const isHit = event.stream === 'order-2' && event.revision === 1;
      return isHit ? { ...event, data: event.data.replace('PAY', 'PAx') } : event;
    };
    const { found, replayed, summary } = await verdictsOn(log, { order: order() });
    expect(found).toEqual({ 1: 'agrees', 2: 'damaged', 3: 'agrees' });
    expect(replayed[1]).toMatchObject({ revision: 1, error: { stream: 'order-2' } });
    expect(replayed[1]!.error).toBeInstanceOf(DamagedRecordError);
    expect(summary).toMatchObject({ ok: false, verdicts: { agrees: 2, damaged: 1 } });
    log.damage = (event) => (event.stream === 'order-2' && event.revision > 0 ? undefined : event);
    expect((await verdictsOn(log, { order: order({ paid: 'picking' }) })).found).toEqual({
      ...{ 1: 'agrees', 2: 'damaged', 3: 'unknownState' },
    });
  });
});

describe('replayAll', () => {
  it('RA2: goes on behind a record that is damaged in the file', async () => {
    const house = new FileHouse();
    await lived(house);
    const ofOrder2 = `stream_id = (SELECT id FROM streams WHERE name = 'order-2') AND revision = 1`;
    withRawConnection(house.path, (db) =>
      db.exec(`UPDATE appends SET data = replace(data, 'PAY', 'PAx') WHERE ${ofOrder2}`),
    );
    house.restart();
    const { found } = await verdictsOn(house.log, { order: order(added) });
    expect(found).toEqual({ 1: 'agrees', 2: 'damaged', 3: 'agrees' });
  });

  it('tells a state that a machine inside has lost', async () => {
    const house = new House();
    const outer = (second: string) =>
      setup({ actors: { label: labelling(second) } }).createMachine({
        id: 'order',
        invoke: { id: 'label', src: 'label' },
        on: { PRINT: { actions: sendTo('label', { type: 'PRINT' }) } },
      }) as unknown as AnyStateMachine;
    const runtime = await house.open({ order: outer('printed') });
    await runtime.start('order', { id: '1' } as never);
    await runtime.send('order-1', { type: 'PRINT' });
    await runtime.close();
    const { found, summary } = await verdictsOn(house.log, { order: outer('glued') });
    expect(found).toEqual({ 1: 'unknownState' });
    expect(summary.problems[0]!.what).toBe(
      "in actor /label the log says PRINT to 'printed', which is no state any more",
    );
  });

  it('looks at ended actors only where it is asked to, and at one machine where it is told so', async () => {
    const house = await lived(new House());
    const bystander = createMachine({});
    const runtime = await house.open({ bystander });
    await runtime.start('bystander', { id: '1' } as never);
    await runtime.close();
    const machines = { order: order(), bystander };
    expect(Object.keys((await verdictsOn(house.log, machines)).found)).toEqual(['bystander-1', '1', '2', '3'].sort());
    expect(Object.keys((await verdictsOn(house.log, machines, { streams: 'all' })).found)).toHaveLength(5);
    expect(Object.keys((await verdictsOn(house.log, machines, { machine: 'order' })).found)).toEqual(['1', '2', '3']);
    expect((await verdictsOn(house.log, { order: order() })).found).toMatchObject({ 'bystander-1': 'unknownMachine' });
  });

  it('says which implementation is not given, and which fact cannot be upcast', async () => {
    const upcasters = defineUpcasters({ OrderPaid: { 1: (fact: object) => fact } });
    const house = await lived(new House(), order(), upcasters);
    expect((await verdictsOn(house.log, { order: order() })).found).toEqual({
      1: 'agrees',
      2: 'unreadable',
      3: 'unreadable',
    });
    const { pack: _, ...actors } = order().implementations.actors as Record<string, never>;
    const bare = setup({ actors }).createMachine(order().config as never) as unknown as AnyStateMachine;
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {}); // XState warns, too
    onTestFinished(() => warn.mockRestore());
    const { summary } = await verdictsOn(house.log, { order: bare }, { upcasters });
    expect(summary.problems).toMatchObject([
      { verdict: 'missingImplementation', streams: 2, what: "it is not given actor 'pack'" },
    ]);
  });

  it('gives the first difference as it is on record and as it would be', async () => {
    const house = await lived(new House());
    const { replayed } = await verdictsOn(house.log, { order: order({ paid: 'late', more: { packing: {} } }) });
    const { error, ...rest } = replayed[1]!;
    expect(rest).toEqual({
      ...{ stream: 'order-2', machine: 'order', version: null, status: 'active', revision: 1, verdict: 'diverges' },
    });
    expect(error).toBeInstanceOf(ReplayDivergedError);
    expect(error).toMatchObject({
      expected: { transitions: { actor: '/', event: 'PAY', to: 'packing' } },
      got: { transitions: { actor: '/', event: 'PAY', to: 'late' } },
    });
  });

  it('prints one line for each problem, with the first stream that has it', async () => {
    const house = await lived(new House());
    const summary = await replayAll(house.log, { order: order({ paid: 'picking' }) });
    expect(String(summary).split('. Likely')[0]).toMatchInlineSnapshot(`
      "3 streams of memory log, 13 events read: 1 would go on, 2 would be blocked.
      unknownState: 2 of order, the first is order-2 at revision 1: in actor / the log says PAY to 'packing', which is no state any more"
    `);
    expect(String(await replayAll(house.log, { order: order() }))).toMatchInlineSnapshot(
      `"3 streams of memory log, 9 events read: 3 would go on, 0 would be blocked."`,
    );
    expect(String(await replayAll(memoryLog(), { order: order() }))).toMatchInlineSnapshot(
      `"0 streams of memory log, 0 events read: there was nothing to replay."`,
    );
  });

  it('reports its progress with every stream and within long ones, and ends when it is told to', async () => {
    const house = new House();
    const counter = createMachine({
      context: { n: 0 },
      on: { ADD: { actions: assign({ n: ({ context }) => (context.n as number) + 1 }) } },
    });
    const runtime = await house.open({ counter });
    await runtime.start('counter', { id: 'long' } as never);
    const add = () => runtime.send('counter-long', { type: 'ADD' });
    for (let n = 0; n < 3; n++) await Promise.all(Array.from({ length: 700 }, add));
    await runtime.start('counter', { id: 'short' } as never);
    await runtime.close();
    const seen: unknown[] = [];
    const onProgress = ({
      stream,
      streams,
      events,
      blocked,
    }: {
      stream: string;
      streams: number;
      events: number;
      blocked: number;
    }) => void seen.push([stream, streams, events, blocked]);
    const summary = await replayAll(house.log, { counter }, { onProgress });
    expect(summary).toMatchObject({ ok: true, streams: 2, events: 2_102 });
    expect(seen).toEqual([
      ['counter-long', 0, 0, 0],
      ['counter-long', 0, 1_024, 0],
      ['counter-long', 0, 2_048, 0],
      ['counter-short', 1, 2_101, 0],
    ]);
    const controller = new AbortController();
    const abort = () => controller.abort(new Error('enough'));
    const aborted = replayAll(house.log, { counter }, { signal: controller.signal, onStream: abort });
    await expect(aborted).rejects.toThrow('enough');
  });

  it('waits for who is told of a stream before it begins the next', async () => {
    const house = await lived(new House());
    let under = 0;
    await replayAll(
      house.log,
      { order: order() },
      {
        onStream: async () => {
          expect(++under).toBe(1);
          await Promise.resolve();
          under--;
        },
      },
    );
  });

  it('passes over a stream that is deleted meanwhile', async () => {
    const house = await lived(new House());
    const { found } = await verdictsOn(
      house.log,
      { order: order() },
      {
        onProgress: ({ stream }) => void (stream === 'order-2' && house.log.delete('order-2', 'any')),
      },
    );
    expect(found).toEqual({ 1: 'agrees', 3: 'agrees' });
  });

  it('rejects where the log itself cannot be read, and for what it does not know', async () => {
    const house = await lived(new House());
    const machines = { order: order() };
    const refused = async (options: unknown) => replayAll(house.log, machines, options as ReplayAllOptions);
    await expect(refused({ streams: 'active' })).rejects.toThrow(InvalidArgumentError);
    await expect(refused({ machine: 'ordr' })).rejects.toThrow('one of the machines given (order), found "ordr"');
    await expect(replayAll(house.log, { order: {} as never })).rejects.toThrow(InvalidArgumentError);
    await house.log.close();
    await expect(replayAll(house.log, machines)).rejects.toThrow(LogClosedError);
  });
});

it('RM1, RM2: memory does not grow with the streams, nor are any left out of the counts', () => {
  const count = new ReplayCount('a log');
  const at = { machine: 'order', version: null, status: 'active', revision: 1 } as const;
  for (let n = 0; n < 10_000; n++) {
    const error = new ReplayDivergedError({
      ...{ stream: `order-${n}`, revision: 1, actor: '/', likelyCause: 'a change' },
      expected: { transitions: { actor: '/', event: 'PAY', to: `state${n % 250}` } },
      got: { transitions: undefined },
    });
    count.push({ ...at, stream: `order-${n}`, verdict: 'diverges', error });
  }
  const summary = count.summary(5);
  expect(summary.problems).toHaveLength(100);
  expect(summary.problems.every(({ streams }) => streams === 40)).toBe(true);
  expect(summary).toMatchObject({ ok: false, streams: 10_000, unlisted: 6_000, verdicts: { diverges: 10_000 } });
  expect(String(summary)).toContain('and 6000 streams more, with other problems.');
});
