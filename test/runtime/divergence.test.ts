/** Histories that cannot be folded: damaged records, impure machines, changed definitions. One is blocked, others run. */
import { describe, expect, it } from 'vitest';
import { assign, emit, fromPromise, raise, type AnyStateMachine } from 'xstate';
import { ActorBlockedError, DamagedRecordError, ReplayDivergedError, UnknownMachineError } from '../../src/errors.ts';
import { now, random, uuid } from '../../src/kernel/determinism.ts';
import type { RecordedEvent } from '../../src/log/event-log.ts';
import type { Machines } from '../../src/runtime/machines.ts';
import { failureOf, House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { createMachine } from '../support/loose-machine.ts';

const counter = createMachine({
  context: { n: 0 },
  on: { ADD: { actions: [assign({ n: ({ context }) => (context.n as number) + 1 }), emit({ type: 'Added', by: 1 })] } },
});

/** Two actors with a history of three messages each. */
async function history(machines: Machines = { counter }) {
  const house = new House();
  const runtime = await house.open(machines);
  for (const id of ['bad', 'good']) {
    await runtime.start('counter', { id } as never);
    for (let i = 0; i < 3; i++) await runtime.send(`counter-${id}`, { type: 'ADD' });
  }
  await runtime.close();
  return house;
}

/** Opens a runtime on a log whose bad actor's events are changed as they are read. */
async function reopen(
  house: House,
  damage: (event: RecordedEvent) => RecordedEvent | undefined,
  machines: Machines = { counter },
) {
  const log = house.faulty();
  log.damage = (event) => (event.stream === 'counter-bad' ? damage(event) : event);
  return house.open(machines, { log });
}

/** What blocks the bad actor; sees that nothing is appended to it and that the other one runs on. */
async function blockage(house: House, runtime: Awaited<ReturnType<typeof reopen>>): Promise<Error> {
  const before = await house.types('counter-bad');
  const failure = await failureOf(runtime.send('counter-bad', { type: 'ADD' }));
  expect(failure).toBeInstanceOf(ActorBlockedError);
  await runtime.send('counter-good', { type: 'ADD' });
  await rest();
  expect(await house.types('counter-bad')).toEqual(before);
  return (failure as ActorBlockedError).cause as Error;
}

describe('a record', () => {
  const at =
    (revision: number, change: (event: RecordedEvent) => RecordedEvent | undefined) => (event: RecordedEvent) =>
      event.revision === revision ? change(event) : event;
  const damages: [string, number, (event: RecordedEvent) => RecordedEvent | undefined][] = [
    ['with data that is no JSON', 3, (event) => ({ ...event, data: event.data.slice(0, 10) })],
    ['that is missing in the middle', 3, () => undefined],
    [
      'that cannot be decoded',
      3,
      (event) => ({ ...event, data: event.data.replace('{"type":"ADD"}', '{"$devalue":[[9]]}') }),
    ],
    ['at the beginning that is no start', 0, (event) => ({ ...event, type: 'EventReceived' })],
    ['whose JSON is no object', 3, (event) => ({ ...event, data: '[]' })],
  ];

  for (const [what, revision, change] of damages) {
    it(`${what} blocks its stream and names the revision (invariant 30)`, async () => {
      const house = await history();
      const cause = await blockage(house, await reopen(house, at(revision, change)));
      expect(cause).toBeInstanceOf(DamagedRecordError);
      expect(cause).toMatchObject({ stream: 'counter-bad', revision });
    });
  }

  for (const kept of [6, 5, 2, 1, 0]) {
    it(`that is missing at the end, from revision ${kept} on, blocks its stream by what the actor index says (F8)`, async () => {
      const house = await history();
      const cause = await blockage(house, await reopen(house, (event) => (event.revision >= kept ? undefined : event)));
      expect(cause).toBeInstanceOf(DamagedRecordError);
      expect(cause).toMatchObject({ stream: 'counter-bad', revision: kept });
      expect(cause.message).toContain('the stream ends at revision 6');
    });
  }

  it('whose value cannot be decoded is named with the path of the value', async () => {
    const house = await history();
    const damage = (event: RecordedEvent) => ({
      ...event,
      data: event.data.replace('{"type":"ADD"}', '{"$devalue":[[9]]}'),
    });
    const cause = await blockage(house, await reopen(house, damage));
    expect(cause.message).toContain(
      "Stream 'counter-bad' is damaged at revision 1: the value at .event of 'EventReceived' cannot be decoded: node 0 refers to 9",
    );
    expect(cause.cause).toMatchObject({ code: 'REWAKE_DECODE', path: '.event' });
  });

  it('whose content no machine can take is damaged, not a crash', async () => {
    const house = await history();
    const damage = (event: RecordedEvent) => ({ ...event, data: event.data.replace('{"type":"ADD"}', 'null') });
    const cause = await blockage(house, await reopen(house, damage));
    expect(cause).toBeInstanceOf(DamagedRecordError);
    expect(cause).toMatchObject({ stream: 'counter-bad', revision: 1 });
  });

  it('of a fact that differs, is missing or is one too many is a divergence', async () => {
    const changes: ((event: RecordedEvent) => RecordedEvent | undefined)[] = [
      (event) => (event.type === 'Added' ? { ...event, data: '{"type":"Added","by":2}' } : event),
      (event) => (event.type === 'Added' ? { ...event, meta: { ...event.meta, actor: '/other:1' } } : event),
    ];
    for (const change of changes) {
      const house = await history();
      const cause = await blockage(house, await reopen(house, change));
      // A log that checks its records calls it damaged; one that does not leaves it to the fold.
      expect([ReplayDivergedError, DamagedRecordError].some((type) => cause instanceof type)).toBe(true);
      expect(cause).toMatchObject({ revision: 2 });
    }
  });
});

describe('a blocked actor', () => {
  it('is listed with its reason, and tried again by resume()', async () => {
    const house = await history();
    const log = house.faulty();
    const broken = (event: RecordedEvent) =>
      event.stream === 'counter-bad' && event.revision === 3 ? { ...event, data: '{' } : event;
    log.damage = broken;
    const runtime = await house.open({ counter }, { log });
    await failureOf(runtime.get('counter-bad'));
    const listed = async (status?: 'blocked' | 'active') => {
      const rows = [];
      for await (const row of runtime.list(status ? { status } : {})) rows.push(`${row.stream} ${row.status}`);
      return rows;
    };
    expect(await listed()).toEqual(['counter-bad blocked', 'counter-good active']);
    expect(await listed('blocked')).toEqual(['counter-bad blocked']);
    expect(await listed('active')).toEqual(['counter-good active']);
    for await (const row of runtime.list({ status: 'blocked' })) expect(row.reason).toBeInstanceOf(DamagedRecordError);
    expect(house.lines.filter(({ message }) => message === 'actor blocked').length).toBe(1);
    log.damage = (event) => event;
    await runtime.resume();
    await runtime.send('counter-bad', { type: 'ADD' });
    expect(await listed('blocked')).toEqual([]);
  });

  it('rejects whoever waits for it', async () => {
    const house = new House();
    const spoiler = createMachine({
      on: {
        LATER: { actions: raise({ type: 'BAD' }, { delay: 10 }) },
        BAD: { actions: emit({ type: 'Bad', fn: () => {} }) },
      },
    });
    const runtime = await house.open({ spoiler });
    const ref = await runtime.start('spoiler', { id: '1' });
    const [waiting, output] = [failureOf(ref.waitFor(() => false)), failureOf(ref.output())];
    await ref.send({ type: 'LATER' });
    await house.advance(10);
    expect(await waiting).toBeInstanceOf(ActorBlockedError);
    expect(await output).toBeInstanceOf(ActorBlockedError);
  });
});

describe('a machine', () => {
  const impure: Record<string, [AnyStateMachine, string]> = {};
  const branching = (isOdd: () => boolean) =>
    createMachine({
      initial: 'a',
      states: {
        a: { on: { ADD: [{ guard: isOdd, target: 'b' }, { target: 'c' }] } },
        b: { on: { ADD: 'a' } },
        c: { on: { ADD: 'a' } },
      },
    });
  let late = false;
  impure['Date.now()'] = [
    branching(function isLate() {
      // eslint-disable-next-line eslint/no-restricted-properties -- what the machine does wrong is the point
      return Date.now() < 0 || late;
    }),
    'Date.now() read in',
  ];
  impure['new Date()'] = [branching(() => new Date().getTime() < 0 || late), 'new Date() read in'];
  // eslint-disable-next-line eslint/no-restricted-properties -- what the machine does wrong is the point
  impure['Math.random()'] = [branching(() => Math.random() > 2 || late), 'Math.random() read in'];

  for (const [read, [machine, named]] of Object.entries(impure)) {
    it(`that reads ${read} diverges; the error names the place`, async () => {
      late = false;
      const house = await history({ counter: machine });
      late = true;
      const runtime = await house.open({ counter: machine });
      const failure = (await failureOf(runtime.get('counter-bad'))) as ActorBlockedError;
      expect(failure.cause).toBeInstanceOf(ReplayDivergedError);
      expect(failure.cause).toMatchObject({ stream: 'counter-bad', revision: 1, actor: '/' });
      expect((failure.cause as ReplayDivergedError).likelyCause).toContain(named);
      expect((failure.cause as ReplayDivergedError).likelyCause).toContain('divergence.test.ts');
    });
  }

  it('may draw time, chance and ids from rewake, in guards, assigns, delays and inputs', async () => {
    const house = new House();
    const draw = assign({ drawn: ({ context }) => [...(context.drawn as unknown[]), now(), random(), uuid()] });
    const machine = createMachine(
      {
        context: () => ({ drawn: [now(), uuid()] }),
        initial: 'a',
        states: {
          a: {
            after: { jitter: 'b' },
            on: {
              GO: [
                { guard: () => random() < 0.7, target: 'b' },
                { target: 'a', reenter: true },
              ],
            },
          },
          b: {
            invoke: {
              src: fromPromise(async ({ input }) => input),
              input: () => uuid(),
              onDone: { target: 'a', actions: draw },
            },
          },
        },
      },
      { delays: { jitter: () => Math.floor(random() * 100) } },
    );
    const runtime = await house.open({ machine });
    const ref = await runtime.start('machine', { id: '1' });
    for (let i = 0; i < 20; i++) {
      await ref.send({ type: 'GO' });
      await house.advance(30);
    }
    const live = ref.getSnapshot();
    await runtime.close();
    const folded = (await (await house.open({ machine })).get('machine-1')).getSnapshot();
    expect(folded.context).toEqual(live.context);
    expect(folded.value).toEqual(live.value);
  });

  it('that is gone blocks its actors and says which are registered', async () => {
    const house = await history();
    const runtime = await house.open({ other: counter });
    const failure = (await failureOf(runtime.get('counter-bad' as never))) as ActorBlockedError;
    expect(failure.cause).toBeInstanceOf(UnknownMachineError);
    expect(failure.message).toContain("needed by stream 'counter-bad'");
  });
});
