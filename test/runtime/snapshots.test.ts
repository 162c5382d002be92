/** Snapshots: a cache of a fold, used while it fits and ignored when anything is amiss (invariant 26). */
import { describe, expect, it } from 'vitest';
import { assign, fromCallback, fromPromise, raise, sendTo, spawnChild, type AnyActorRef } from 'xstate';
import { DamagedRecordError } from '../../src/errors.ts';
import type { ActorBlockedError } from '../../src/errors.ts';
import { sealText } from '../../src/log/envelope.ts';
import type { StoredSnapshot } from '../../src/log/event-log.ts';
import { failureOf, House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { viewTree } from '../../src/testing/charts/xstate-view.ts';
import { createMachine } from '../support/loose-machine.ts';

const counter = createMachine({
  context: { n: 0 },
  on: { ADD: { actions: assign({ n: ({ context }) => (context.n as number) + 1 }) } },
});
const snapshots = { every: 4 };

/** Five messages; a snapshot at revision 3 of 5. */
async function history(machine = counter) {
  const house = new House();
  const runtime = await house.open({ counter: machine }, { snapshots });
  const ref = await runtime.start('counter', { id: '1' });
  for (let i = 0; i < 5; i++) await ref.send({ type: 'ADD' });
  await rest();
  await runtime.close();
  return house;
}

/** Opens the actor; answers with its count and which revisions were read for it. */
async function load(house: House, machine = counter) {
  const log = house.faulty();
  const read: number[] = [];
  log.damage = (event) => (read.push(event.revision), event);
  const runtime = await house.open({ counter: machine }, { log, snapshots });
  const ref = await runtime.get('counter-1');
  return { n: (ref.getSnapshot().context as { n: number }).n, read, runtime };
}

const all = [0, 1, 2, 3, 4, 5];

describe('a snapshot', () => {
  it('is taken every so many events, and only its tail is read afterwards', async () => {
    const house = await history();
    const stored = (await house.log.snapshots.load('counter-1'))!;
    expect(stored.revision).toBe(3);
    expect(await load(house)).toMatchObject({ n: 5, read: [3, 4, 5] });
  });

  const spoil: [string, (stored: StoredSnapshot) => StoredSnapshot][] = [
    ['whose data is damaged', (stored) => ({ ...stored, data: stored.data.replace('counter', 'kounter') })],
    ['whose checksum is wrong', (stored) => ({ ...stored, checksum: stored.checksum + 1 })],
    ['of another definition', (stored) => ({ ...stored, definition: '0123456789abcdef' })],
    ['beyond the end of the stream', (stored) => ({ ...stored, revision: 99 })],
    ['of a revision at which another event is', (stored) => ({ ...stored, revision: stored.revision - 1 })],
    ['that is no JSON but sealed well', (stored) => ({ ...stored, data: '{', checksum: sealText('{') })],
    ['that is empty', (stored) => ({ ...stored, data: '{}', checksum: sealText('{}') })],
    [
      'whose tree is nonsense',
      (stored) => {
        const data = JSON.stringify({ ...(JSON.parse(stored.data) as object), tree: '[{"form":1},7]' });
        return { ...stored, data, checksum: sealText(data) };
      },
    ],
  ];

  for (const [what, change] of spoil) {
    it(`${what} is ignored: the history is folded`, async () => {
      const house = await history();
      const stored = (await house.log.snapshots.load('counter-1'))!;
      await house.log.snapshots.save('counter-1', change(stored));
      const { n, read } = await load(house);
      expect(n).toBe(5);
      expect(read.slice(-6)).toEqual(all);
    });
  }

  it('of another history is ignored: an actor of that name in another log', async () => {
    const [house, other] = [await history(), await history()];
    const foreign = (await other.log.snapshots.load('counter-1'))!;
    await house.log.snapshots.save('counter-1', foreign);
    const { n, read } = await load(house);
    expect(n).toBe(5);
    expect(read.slice(-6)).toEqual(all);
  });

  it('is kept of a long life, and not of a short one, when nothing is said', async () => {
    const house = new House();
    const runtime = await house.open({ counter });
    const [long, short] = [
      await runtime.start('counter', { id: 'long' }),
      await runtime.start('counter', { id: 'short' }),
    ];
    for (let event = 0; event < 999; event++) await long.send({ type: 'ADD' });
    for (let event = 0; event < 998; event++) await short.send({ type: 'ADD' });
    expect(await house.log.snapshots.load('counter-long')).toMatchObject({ revision: 999 });
    expect(await house.log.snapshots.load('counter-short')).toBeUndefined();
  });

  it('is not used by a runtime without snapshots', async () => {
    const house = await history();
    const log = house.faulty();
    const read: number[] = [];
    log.damage = (event) => (read.push(event.revision), event);
    const runtime = await house.open({ counter }, { log, snapshots: false });
    await runtime.get('counter-1');
    expect(read).toEqual(all);
  });

  it('does not hide damage in the tail', async () => {
    const house = await history();
    const log = house.faulty();
    log.damage = (event) => (event.revision === 4 ? { ...event, data: '{' } : event);
    const runtime = await house.open({ counter }, { log, snapshots });
    const failure = (await failureOf(runtime.get('counter-1'))) as ActorBlockedError;
    expect(failure.cause).toBeInstanceOf(DamagedRecordError);
    expect(failure.cause).toMatchObject({ revision: 4 });
  });

  it('that cannot be saved does no harm', async () => {
    const house = new House();
    const log = house.faulty();
    Object.defineProperty(log, 'snapshots', {
      value: {
        load: async () => Promise.reject(new Error('no snapshots today')),
        save: async () => Promise.reject(new Error('no snapshots today')),
      },
    });
    const runtime = await house.open({ counter }, { log, snapshots });
    const ref = await runtime.start('counter', { id: '1' });
    for (let i = 0; i < 5; i++) await ref.send({ type: 'ADD' });
    await rest();
    const next = await house.open({ counter }, { log, snapshots });
    expect((await next.get('counter-1')).getSnapshot().context).toEqual({ n: 5 });
  });

  it('is not taken of an actor spawned from an inline logic: the history is folded', async () => {
    const inline = createMachine({
      context: ({ spawn }) => ({ n: 0, child: spawn(counter, { id: 'child' }) }),
      on: {
        ADD: { actions: [assign({ n: ({ context }) => (context.n as number) + 1 }), sendTo('child', { type: 'ADD' })] },
      },
    });
    const house = await history(inline);
    expect(await house.log.snapshots.load('counter-1')).toBeUndefined();
    expect(await load(house, inline)).toMatchObject({ n: 5, read: all });
    expect(house.lines.some(({ message }) => message.includes('no snapshot was taken'))).toBe(true);
  });
});

describe('snapshot and tail', () => {
  const child = createMachine({
    context: { heard: 0 },
    initial: 'on',
    states: { on: { after: { 70: 'off' } }, off: {} },
    on: { '*': { actions: assign({ heard: ({ context }) => (context.heard as number) + 1 }) } },
  });
  const rich = createMachine({
    id: 'rich.with.dots',
    type: 'parallel',
    context: { at: null, seen: new Map(), odd: undefined, big: 1n },
    states: {
      walk: {
        initial: 'a',
        states: {
          a: { on: { NEXT: 'b' } },
          b: { initial: 'x', states: { x: { on: { NEXT: 'y' } }, y: {} } },
          back: { type: 'history', history: 'deep' },
        },
        on: { AWAY: '.a', BACK: '.back' },
      },
      talk: {
        invoke: [
          { id: 'ear', src: 'ear', systemId: 'the ear' },
          { id: 'child', src: 'child' },
          { id: 'work', src: 'work' },
        ],
        on: {
          TELL: {
            actions: [sendTo('child', { type: 'T' }), sendTo('child', { type: 'LATE' }, { delay: 30, id: 'late' })],
          },
        },
      },
      time: {
        initial: 'off',
        states: { off: { on: { NEXT: 'on' } }, on: { after: { 50: 'off' } } },
        entry: raise({ type: 'TELL' }, { delay: 45 }),
      },
    },
    on: {
      KEEP: {
        actions: assign({
          at: ({ event }) => event.at as Date,
          seen: ({ context, event }) =>
            new Map([...(context.seen as Map<string, unknown>), [event.key as string, event.at]]),
        }),
      },
    },
  }).provide({
    actors: { ear: fromCallback(() => {}), child, work: fromPromise(() => new Promise(() => {})) },
  });
  const script = [
    'NEXT',
    'TELL',
    'NEXT',
    40,
    'KEEP',
    'AWAY',
    20,
    'TELL',
    'BACK',
    'NEXT',
    60,
    'KEEP',
    'TELL',
    5,
  ] as const;

  const seen = (ref: { getSnapshot(): { context: unknown } }) => {
    const snapshot = ref.getSnapshot();
    return { tree: viewTree(snapshot), context: snapshot.context };
  };

  it('equal the full fold after every event (invariant 26)', async () => {
    for (let every = 1; every <= 6; every++) {
      const house = new House();
      const { runtime, crash } = await house.openToCrash({ rich }, { snapshots: { every } });
      const ref = await runtime.start('rich', { id: '1' });
      for (const [i, step] of script.entries()) {
        if (typeof step === 'number') await house.advance(step);
        else await ref.send({ type: step, at: new Date(i), key: `k${i}` });
      }
      await rest();
      const expected = seen(ref);
      crash();
      const stored = await house.log.snapshots.load('rich-1');
      expect(stored, `every ${every}`).toBeDefined();
      const folded = await house.open({ rich }, { resume: false });
      const restored = await house.open({ rich }, { resume: false, snapshots: { every } });
      const [byFold, bySnapshot] = [await folded.get('rich-1'), await restored.get('rich-1')];
      expect(seen(byFold)).toEqual(expected);
      expect(seen(bySnapshot)).toEqual(expected);
      expect(
        house.lines.filter(({ message }) => message.includes('ignored')),
        `every ${every}`,
      ).toEqual([]);
    }
  });

  it('answer every further message alike', async () => {
    const house = new House();
    const { runtime, crash } = await house.openToCrash({ rich }, { snapshots: { every: 1 } });
    await (await runtime.start('rich', { id: '1' })).send({ type: 'NEXT' });
    await rest();
    crash();
    const restored = await house.open({ rich }, { snapshots: { every: 1 } });
    const ref = await restored.get('rich-1');
    for (const [i, step] of script.entries()) {
      if (typeof step === 'number') await house.advance(step);
      else await ref.send({ type: step, at: new Date(i), key: `k${i}` });
    }
    await rest();
    const live = seen(ref);
    // A fold of the whole history compares every step that the restored tree made.
    const folded = await (await house.open({ rich }, { resume: false })).get('rich-1');
    expect(seen(folded)).toEqual(live);
  });

  it('keep an actor alive that only the context still refers to', async () => {
    const twins = createMachine({
      context: {},
      entry: assign({
        first: ({ spawn }) => spawn('child' as never, { id: 'same' } as never),
        second: ({ spawn }) => spawn('child' as never, { id: 'same' } as never),
      }),
      on: { ADD: { actions: sendTo(({ context }): AnyActorRef => context.first as AnyActorRef, { type: 'ADD' }) } },
    }).provide({ actors: { child: counter } });
    const house = await history(twins);
    const heardBy = async (options: object) => {
      const runtime = await house.open({ counter: twins }, options);
      const ref = await runtime.get('counter-1');
      await ref.send({ type: 'ADD' });
      return (ref.getSnapshot().context as { first: { getSnapshot(): { context: unknown } } }).first.getSnapshot()
        .context;
    };
    expect([await heardBy({ snapshots: false }), await heardBy({ snapshots })]).toEqual([{ n: 6 }, { n: 7 }]);
  });
});

it('a snapshot brings spawned children back by name', async () => {
  const parent = createMachine({
    entry: spawnChild('child' as never, { id: 'a' } as never),
    on: { ADD: { actions: sendTo('a', { type: 'ADD' }) } },
  }).provide({ actors: { child: counter } });
  const house = await history(parent);
  const runtime = await house.open({ counter: parent }, { snapshots });
  const ref = await runtime.get('counter-1');
  await ref.send({ type: 'ADD' });
  expect(
    (ref.getSnapshot().children as Record<string, { getSnapshot(): { context: unknown } }>).a!.getSnapshot().context,
  ).toEqual({ n: 6 });
});
