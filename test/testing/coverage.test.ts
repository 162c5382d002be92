/** What the coverage counts, on machines small enough to count by hand. */
import { describe, expect, it } from 'vitest';
import { emit, fromPromise, setup, type AnyEventObject, type AnyStateMachine } from 'xstate';
import type { Machines, RecordedEvent } from '../../src/index.ts';
import {
  Coverage,
  coverageOfLog,
  formatCoverage,
  type CrashMark,
  type MachineCoverage,
} from '../../src/testing/audit.ts';
import { House } from '../support/house.ts';
import { all } from '../stores/sqlite/log-files.ts';
import { order } from './coverage-machines.ts';

const machineOf = (machine: unknown) => machine as AnyStateMachine;

/** A house with an order of 150 that was approved and paid, at the second try, and lies packed. */
async function shipped() {
  const house = new House();
  let calls = 0;
  const machine = order(async () => {
    calls++;
    if (calls === 1) throw new Error('declined');
    return 'paid';
  });
  const runtime = await house.open({ order: machine });
  const ref = await runtime.start('order', { id: '1', input: { total: 150 } });
  await ref.send({ type: 'PAY' });
  await ref.send({ type: 'MAIL' });
  await ref.send({ type: 'APPROVE' });
  await house.rest();
  await house.advance(1_000);
  await ref.send({ type: 'MAIL' });
  return { house, machine, ref, runtime, calls: () => calls };
}

const eventsOf = (house: House) => all(house.log.readAll());

async function covered(machines: Machines, events: readonly RecordedEvent[], crashes: readonly CrashMark[] = []) {
  const coverage = new Coverage(machines);
  await coverage.add(events, crashes);
  return coverage.report();
}

const named = (machines: readonly MachineCoverage[], name: string) => machines.find(({ machine }) => machine === name)!;

describe('the coverage of a stream', () => {
  it('counts the states that became active, and lists those that never did', async () => {
    const { house, machine } = await shipped();
    const { machines, streams, events } = await covered({ order: machine }, await eventsOf(house));
    expect([streams, events]).toEqual([1, 8]);
    expect(named(machines, 'order').states).toEqual({
      total: 16,
      reached: {
        'order.received': 1,
        'order.open': 1,
        'order.review': 1,
        'order.paying': 2,
        'order.paused': 1,
        'order.fulfilling': 1,
        'order.fulfilling.parcel': 1,
        'order.fulfilling.parcel.packing': 1,
        'order.fulfilling.mail': 1,
        'order.fulfilling.mail.due': 1,
      },
      neverReached: [
        'order.fulfilling.parcel.ready',
        'order.fulfilling.mail.sent',
        'order.done',
        'order.refused',
        'order.forgotten',
        'order.unreachable',
      ],
    });
  });

  it('counts the transitions that were taken, by what they are in the definition', async () => {
    const { house, machine } = await shipped();
    const { machines } = await covered({ order: machine }, await eventsOf(house));
    expect(named(machines, 'order').transitions.reached).toEqual({
      'order.received: always → order.open': 1,
      'order.open: PAY [and(isLarge, not((inline)))] → order.review': 1,
      'order.review: APPROVE → order.paying': 1,
      'order.paying: onDone of charge → order.fulfilling': 1,
      'order.paying: onError of charge [hasTries] → order.paused': 1,
      'order.paused: after 1000 → order.paying': 1,
    });
    expect(named(machines, 'order').transitions.neverReached).toContain('order.unreachable: PAY → order.open');
    expect(named(machines, 'order').errorTransitions).toEqual({
      total: 3,
      reached: { 'order.paying: onError of charge [hasTries] → order.paused': 1 },
      neverReached: [
        'order.paying: onError of charge → order.refused',
        'order.fulfilling.parcel.packing: onError of packing → order.fulfilling.parcel.ready',
      ],
    });
  });

  it('counts what every guard said: a named one, one with params, an inline one, a composed one, stateIn', async () => {
    const { house, machine } = await shipped();
    const { machines } = await covered({ order: machine }, await eventsOf(house));
    expect(named(machines, 'order').guards).toEqual({
      total: 10,
      reached: {
        'order.received: always [isOver] is false': 1,
        'order.received: always [(inline)] is false': 1,
        'order.open: PAY [and(isLarge, not((inline)))] is true': 1,
        'order.paying: onError of charge [hasTries] is true': 1,
        'order.fulfilling.mail.due: MAIL [stateIn] is false': 1,
      },
      neverReached: [
        'order.received: always [isOver] is true',
        'order.received: always [(inline)] is true',
        'order.open: PAY [and(isLarge, not((inline)))] is false',
        'order.paying: onError of charge [hasTries] is false',
        'order.fulfilling.mail.due: MAIL [stateIn] is true',
      ],
    });
  });

  it('tells guards of one name at transitions of one event apart, as it does the transitions', async () => {
    const machine = setup({ guards: { over: (_, params: { limit: number }) => params.limit < 5 } }).createMachine({
      initial: 'open',
      states: {
        open: {
          on: {
            PAY: [
              { guard: { type: 'over', params: { limit: 7 } }, target: 'large' },
              { guard: { type: 'over', params: { limit: 3 } }, target: 'small' },
            ],
          },
        },
        large: {},
        small: {},
      },
    });
    const house = new House();
    await (await (await house.open({ shop: machine })).start('shop', { id: '1' })).send({ type: 'PAY' });
    const { machines } = await covered({ shop: machine }, await eventsOf(house));
    const { transitions, guards } = named(machines, 'shop');
    const of = (id: string) =>
      Object.keys(transitions.reached)
        .concat(transitions.neverReached)
        .filter((each) => each.endsWith(id));
    expect(of('large')).toEqual([expect.stringMatching(/: PAY \[over\] → /)]);
    expect(of('small')).toEqual([expect.stringMatching(/: PAY \[over\] #2 → /)]);
    expect(Object.keys(guards.reached)).toEqual([
      expect.stringMatching(/: PAY \[over\] is false$/),
      expect.stringMatching(/: PAY \[over\] #2 is true$/),
    ]);
  });

  it('counts a child machine by itself, one that never began included', async () => {
    const { house, machine } = await shipped();
    const { machines } = await covered({ order: machine }, await eventsOf(house));
    const packing = named(machines, 'order/packing');
    expect(packing).toMatchObject({ actors: 1, states: { reached: { 'packing.open': 1 } } });
    expect(packing.transitions.neverReached).toEqual([
      'packing.open: PACKED → packing.closed',
      'packing.open: BROKEN → packing.broken',
    ]);
    const untouched = new Coverage({ order: machine }).report();
    expect(named(untouched.machines, 'order/packing')).toMatchObject({ actors: 0, states: { total: 3, reached: {} } });
  });

  it('leaves out a transition that another region preempted', async () => {
    const region = (target: string) => ({
      initial: 'waiting',
      states: { waiting: { on: { GO: target, STAY: {} } } },
    });
    const machine = machineOf(
      setup({}).createMachine({
        id: 'race',
        initial: 'both',
        states: {
          both: { type: 'parallel', states: { left: region('#race.first'), right: region('#race.second') } },
          first: {},
          second: {},
        },
      }),
    );
    const house = new House();
    const runtime = await house.open({ race: machine });
    const ref = await runtime.start('race', { id: '1' });
    await ref.send({ type: 'STAY' });
    await ref.send({ type: 'GO' });
    expect(ref.getSnapshot()).toMatchObject({ value: 'first' });
    const { machines } = await covered({ race: machine }, await eventsOf(house));
    expect(machines[0]!.transitions).toMatchObject({
      reached: {
        'race.both.left.waiting: STAY': 1,
        'race.both.right.waiting: STAY': 1,
        'race.both.left.waiting: GO → race.first': 1,
      },
      neverReached: ['race.both.right.waiting: GO → race.second'],
    });
  });

  it('counts what a machine goes through before its first state', async () => {
    const machine = machineOf(
      setup({}).createMachine({
        id: 'm',
        initial: 'a',
        states: { a: { always: { target: 'b' } }, b: { always: { target: 'c' } }, c: { type: 'final' } },
      }),
    );
    const house = new House();
    const runtime = await house.open({ m: machine });
    await runtime.start('m', { id: '1' });
    const { machines } = await covered({ m: machine }, await eventsOf(house));
    expect(machines[0]!.states.reached).toEqual({ 'm.a': 1, 'm.b': 1, 'm.c': 1 });
  });
});

describe('a fold for the coverage', () => {
  it('runs no effect, and leaves log, machine and runtime as they were', async () => {
    const { house, machine, ref, calls } = await shipped();
    const before = await eventsOf(house);
    const guardOf = () => (machine.config.states!.open!.on!.PAY as readonly { guard: unknown }[])[0]!.guard;
    const guard = guardOf();
    await coverageOfLog(house.log, { order: machine });
    await covered({ order: machine }, before);
    expect(await eventsOf(house)).toEqual(before);
    expect(calls()).toBe(2);
    const [, pay] = [...machine.states.open!.transitions.entries()].find(([type]) => type === 'PAY')!;
    expect([guardOf(), (pay as readonly { guard?: unknown }[])[0]!.guard]).toEqual([guard, guard]);
    await ref.send({ type: 'MAIL' });
    expect(ref.getSnapshot().status).toBe('active');
  });

  it('has a guard fail as it does under XState, so that what is said of the error agrees', async () => {
    const child = setup({
      guards: {
        isBroken: () => {
          throw new Error('on purpose');
        },
      },
    }).createMachine({
      initial: 'a',
      states: { a: { after: { 10: { guard: { type: 'isBroken' }, target: 'b' } } }, b: {} },
    });
    const machine = machineOf(
      setup({ types: {} as { events: AnyEventObject }, actors: { child } }).createMachine({
        id: 'parent',
        invoke: {
          src: 'child',
          onError: {
            actions: emit(({ event }) => ({ type: 'Failed', message: (event.error as Error).message })),
          },
        },
      }),
    );
    const house = new House();
    const runtime = await house.open({ parent: machine });
    await runtime.start('parent', { id: '1' });
    await house.advance(10);
    expect(await house.facts('parent-1')).toMatchObject([{ message: expect.stringContaining("guard 'isBroken' in") }]);
    const { notFolded, machines } = await covered({ parent: machine }, await eventsOf(house));
    expect(notFolded).toEqual([]);
    expect(machines.map((each) => each.machine)).toEqual(['parent', 'parent/child']);
    expect(named(machines, 'parent').errorTransitions.reached).toEqual({ 'parent: onError': 1 });
  });

  it('names a stream that does not fold, with the reason, and counts the others as if it were not there', async () => {
    const { house, machine, runtime } = await shipped();
    const alone = await covered({ order: machine }, await eventsOf(house));
    await runtime.start('order', { id: '2', input: { total: -1 } });
    const elsewhere = await house.open({
      job: machineOf(setup({}).createMachine({ id: 'job' })),
      torn: machineOf(setup({}).createMachine({ id: 'torn', on: { X: {} } })),
    });
    await elsewhere.start('job', { id: '1' });
    const torn = await elsewhere.start('torn', { id: '1' });
    await torn.send({ type: 'X' });
    const events = (await eventsOf(house)).filter(({ stream, revision }) => stream !== 'torn-1' || revision > 0);
    const changed = events.map((event) =>
      event.stream === 'order-2' ? { ...event, data: event.data.replace('"to":"refused"', '"to":"open"') } : event,
    );
    const machines = { order: machine, torn: machineOf(setup({}).createMachine({ id: 'torn', on: { X: {} } })) };
    const report = await covered(machines, changed, [{ stream: 'job-1', revision: 0, phase: 'afterAppend' }]);
    expect(report.notFolded).toMatchObject([
      { stream: 'order-2', code: 'REWAKE_REPLAY_DIVERGED', reason: expect.stringContaining('revision 0') },
      { stream: 'job-1', code: 'REWAKE_UNKNOWN_MACHINE' },
      { stream: 'torn-1', code: 'REWAKE_DAMAGED_RECORD' },
    ]);
    expect(report).toMatchObject({ streams: 1, events: alone.events });
    expect({ ...named(report.machines, 'order'), matrix: {} }).toEqual(named(alone.machines, 'order'));
    expect(report.unplaced).toEqual([{ stream: 'job-1', revision: 0, phase: 'afterAppend' }]);
  });

  it('names a hundred streams that do not fold, and counts the others', async () => {
    const house = new House();
    const runtime = await house.open({ job: machineOf(setup({}).createMachine({ id: 'job' })) });
    for (let id = 0; id < 103; id++) await runtime.start('job', { id: `${id}` });
    const report = await coverageOfLog(house.log, {});
    expect([report.notFolded.length, report.unlisted]).toEqual([100, 3]);
    expect(formatCoverage(report)).toMatch(/^103 streams could not be folded:\n(.*\n){100} {2}and 3 more$/m);
    const merged = new Coverage({});
    merged.merge(report);
    merged.merge(report);
    expect(merged.report()).toMatchObject({ unlisted: 106, streams: 0 });
  });
});

describe('the matrix', () => {
  const mark = (revision: number, phase: string): CrashMark => ({ stream: 'order-1', revision, phase });

  it('holds the transitions of the appends at which crashes struck, by phase', async () => {
    const { house, machine } = await shipped();
    const crashes = [mark(0, 'beforeAppend'), mark(0, 'afterAppend'), mark(4, 'afterAppend'), mark(4, 'afterAppend')];
    const report = await covered({ order: machine }, await eventsOf(house), [...crashes, mark(99, 'recovery')]);
    const { matrix, transitions } = named(report.machines, 'order');
    expect(Object.keys(matrix)).toEqual([
      ...['beforeAppend', 'afterAppend', 'beforeResult', 'ackLost', 'snapshot', 'recovery'],
    ]);
    expect(matrix.beforeAppend!.reached).toEqual({ 'order.received: always → order.open': 1 });
    expect(matrix.afterAppend!.reached).toEqual({
      'order.received: always → order.open': 1,
      'order.paying: onError of charge [hasTries] → order.paused': 2,
    });
    expect(matrix.recovery).toMatchObject({ total: transitions.total, reached: {} });
    expect(report.unplaced).toEqual([mark(99, 'recovery')]);
  });

  it('has the columns of the phases that a run tries, and is empty where no crash was told of', async () => {
    const { house, machine } = await shipped();
    const events = await eventsOf(house);
    const coverage = new Coverage({ order: machine }, { phases: ['afterAppend'] });
    await coverage.add(events);
    expect(named(coverage.report().machines, 'order').matrix).toEqual({});
    await coverage.add(events, [mark(1, 'at lunch')]);
    expect(Object.keys(named(coverage.report().machines, 'order').matrix)).toEqual(['afterAppend', 'at lunch']);
  });

  it('refuses a crash that is none', async () => {
    const coverage = new Coverage({});
    const wrong = { stream: 'order-1', append: 3, phase: 'afterAppend' } as unknown as CrashMark;
    await expect(coverage.add([], [wrong])).rejects.toThrow(
      'Coverage.add crashes[0]: expected { stream, revision, phase }',
    );
  });
});

describe('reports', () => {
  it('add up, also as JSON and of machines that are not at hand', async () => {
    const { house, machine } = await shipped();
    const events = await eventsOf(house);
    const crash = { stream: 'order-1', revision: 1, phase: 'afterAppend' };
    const once = await covered({ order: machine }, events, [crash]);
    const twice = new Coverage({ order: machine });
    await twice.add(events, [crash]);
    await twice.add(events, [crash]);
    const merged = new Coverage({ order: machine });
    merged.merge(JSON.parse(JSON.stringify(once)) as typeof once);
    await merged.add(events, [crash]);
    expect(merged.report()).toEqual(twice.report());
    const apart = new Coverage({});
    apart.merge(once);
    apart.merge(once);
    const byName = ({ reached }: { reached: object }) => reached;
    expect(apart.report().machines.map(({ transitions }) => byName(transitions))).toEqual(
      twice.report().machines.map(({ transitions }) => byName(transitions)),
    );
  });
});

describe('the coverage of a log', () => {
  const version = (name: string, states: object = {}, actors: Record<string, AnyStateMachine> = {}) =>
    machineOf(
      setup({ actors }).createMachine({
        id: 'doc',
        version: name,
        initial: 'open',
        states: { open: { on: { X: {} } }, ...states },
      }),
    );

  it('is that of its streams, each under the version that it runs under', async () => {
    const house = new House();
    const part = machineOf(setup({}).createMachine({ id: 'part' }));
    const [one, two] = [version('1', {}, { part }), version('2', { closed: {} })];
    const before = await house.open({ doc: one });
    await (await before.start('doc', { id: '1' })).send({ type: 'X' });
    await before.close();
    const after = await house.open({ doc: [two, one] });
    await after.start('doc', { id: '2' });
    expect((await coverageOfLog(house.log, { doc: [two, one] })).machines).toMatchObject([
      { machine: 'doc', version: '2', actors: 1, transitions: { reached: {} }, states: { total: 2 } },
      { machine: 'doc', version: '1', actors: 1, transitions: { reached: { 'doc.open: X': 1 } } },
      { machine: 'doc/part', actors: 0 },
    ]);
  });

  it('counts an actor that another version took over once, under that version', async () => {
    const house = new House();
    const [one, two] = [version('1'), version('2', { closed: {} })];
    const before = await house.open({ doc: one });
    await (await before.start('doc', { id: '1' })).send({ type: 'X' });
    await before.close();
    const after = await house.open({ doc: two });
    await (await after.get('doc-1')).send({ type: 'X' });
    expect(await house.types('doc-1')).toContain('ActorResumed');
    const report = await coverageOfLog(house.log, { doc: [two, one] });
    expect(report).toMatchObject({ streams: 1, events: 4, notFolded: [] });
    expect(report.machines).toMatchObject([
      { machine: 'doc', version: '2', actors: 1, transitions: { reached: { 'doc.open: X': 2 } } },
    ]);
    expect(report.machines).toHaveLength(1);
  });

  it('knows the states in which a compacted actor stands, and goes on from there', async () => {
    const { house, machine, ref, runtime } = await shipped();
    await runtime.compact('order-1');
    await ref.send({ type: 'MAIL' });
    const { machines, notFolded } = await coverageOfLog(house.log, { order: machine });
    expect(notFolded).toEqual([]);
    expect(named(machines, 'order')).toMatchObject({
      actors: 0,
      states: { reached: { 'order.fulfilling.mail.due': 1 } },
      guards: { reached: { 'order.fulfilling.mail.due: MAIL [stateIn] is false': 1 } },
    });
    expect(named(machines, 'order/packing').states.reached).toEqual({ 'packing.open': 1 });
  });

  it('ends when it is told to', async () => {
    const { house, machine } = await shipped();
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(coverageOfLog(house.log, { order: machine }, { signal })).rejects.toThrow('enough');
  });
});

describe('a report on a terminal', () => {
  it('is a table, what was never reached by name, and where crashes struck', async () => {
    const machine = machineOf(
      setup({
        guards: { isWarm: () => true },
        actors: { call: fromPromise(async () => 1) },
      }).createMachine({
        id: 'tea',
        initial: 'cold',
        states: {
          cold: { on: { HEAT: [{ guard: 'isWarm', target: 'hot' }, { target: 'spilt' }] } },
          hot: { invoke: { src: 'call', onDone: 'drunk' }, after: { 5_000: 'cold' } },
          drunk: { type: 'final' },
          spilt: { on: { MOP: 'cold' } },
        },
      }),
    );
    const house = new House();
    const runtime = await house.open({ tea: machine });
    const ref = await runtime.start('tea', { id: '1' });
    await ref.send({ type: 'HEAT' });
    await house.rest();
    const marks = [
      { stream: 'tea-1', revision: 1, phase: 'afterAppend' },
      { stream: 'tea-1', revision: 7, phase: 'recovery' },
    ];
    const report = await covered({ tea: machine }, await eventsOf(house), marks);
    expect(formatCoverage({ ...report, notFolded: [{ stream: 'a-1', code: 'X', reason: 'why\nand more' }] })).toBe(
      `
Coverage of 1 stream, 3 events

machine  actors  states  transitions  guards  on error  handlers  crash cells
tea           1     3/4          2/5     1/2         -         -         1/30

tea: never reached
  state       tea.spilt
  transition  tea.cold: HEAT → tea.spilt
  transition  tea.hot: after 5000 → tea.cold
  guard       tea.cold: HEAT [isWarm] is false

tea: crashes at                      beforeAppend  afterAppend  beforeResult  ackLost  snapshot  recovery
  tea.cold: HEAT [isWarm] → tea.hot             ·            1             ·        ·         ·         ·
  tea.hot: onDone → tea.drunk                   ·            ·             ·        ·         ·         ·

1 stream could not be folded:
  a-1: X: why

1 crash at revisions that no folded stream has:
  tea-1 at revision 7, recovery`.trimStart(),
    );
  });
});
