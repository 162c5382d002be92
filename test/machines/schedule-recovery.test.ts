/** Schedules whose host dies: what was missed, what is made of it, and that no due time is run twice. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { fromPromise } from 'xstate';
import { createRuntime, VirtualClock, type EventLog } from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import { schedule } from '../../machines/schedule.ts';
import type { ScheduledRun } from '../../machines/schedule-facts.ts';
import { scheduleRules, type ScheduleOptions } from '../../machines/schedule-options.ts';
import { planOf } from '../../machines/schedule-plan.ts';
import { logPath } from '../stores/sqlite/log-files.ts';
import { atEveryAppend, TwoLives, type Crash } from '../support/two-lives.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { House } from '../support/house.ts';
import { rest, settled } from '../support/hosted-and-plain.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const began = new VirtualClock().now();

type Made = readonly [hours: number, missed: boolean];

/** A machine that writes down its runs: for which hour since the beginning, and whether it was missed. */
function logged(options: Partial<ScheduleOptions>, runs: Made[], run?: () => Promise<unknown>) {
  const logic = fromPromise(async ({ input: { dueAt, missed } }: { input: ScheduledRun }) => {
    runs.push([(dueAt - began) / hour, missed]);
    return run?.();
  });
  return { hourly: schedule('hourly', { cron: '0 * * * *', ...options })(logic) };
}

const factsOf = async (log: EventLog) => {
  const facts: { type: string; [key: string]: unknown }[] = [];
  for await (const { data, meta } of log.readStream('hourly-1')) {
    if (meta.actor) facts.push(JSON.parse(data) as { type: string });
  }
  return facts;
};

describe('after a downtime from 2:30 to 5:30, a schedule on a SQLite file', () => {
  it.each<[string, Partial<ScheduleOptions>, Made[], object[]]>([
    ['makes one run for all that was missed', {}, [[5, true]], [{ policy: 'once', count: 3, made: 1 }]],
    ['makes none', { missed: 'skip' }, [], [{ policy: 'skip', count: 3, made: 0 }]],
    [
      'makes each',
      { missed: 'all' },
      [
        [3, true],
        [4, true],
        [5, true],
      ],
      [{ policy: 'all', count: 3, made: 3 }],
    ],
    [
      'makes the newest, as many as may wait',
      { missed: 'all', maxQueued: 2 },
      [
        [4, true],
        [5, true],
      ],
      [{ policy: 'all', count: 3, made: 2 }],
    ],
    [
      'makes the newest on time where it is not too late for it',
      { missed: 'all', grace: '30m' },
      [
        [3, true],
        [4, true],
        [5, false],
      ],
      [{ policy: 'all', count: 2, made: 2 }],
    ],
    [
      'makes no run for the missed beside the one that is on time',
      { grace: '30m' },
      [[5, false]],
      [{ policy: 'once', count: 2, made: 0 }],
    ],
    ['makes the one that is on time', { missed: 'skip', grace: '30m' }, [[5, false]], [{ policy: 'skip', made: 0 }]],
    ['made nothing before its end', { missed: 'all', until: began + 3.5 * hour }, [[3, true]], [{ count: 1, made: 1 }]],
  ])('%s', async (_, options, madeUp, missed) => {
    const path = logPath();
    const clock = new VirtualClock();
    const runs: Made[] = [];
    const life = () => {
      const log = sqliteLog(path, { clock });
      return createRuntime({ log, clock, logger: silentLogger, lease: false, machines: logged(options, runs) });
    };
    const first = await life();
    await first.start('hourly', { id: '1' });
    await clock.advance(2.5 * hour, settled);
    await first.close();
    const before: Made[] = [
      [1, false],
      [2, false],
    ];
    expect(runs).toEqual(before);
    clock.jump(3 * hour);
    const second = await life();
    await clock.advance(0, settled);
    await clock.advance(hour, settled);
    const after: Made[] = options.until === undefined ? [[6, false]] : [];
    expect(runs).toEqual([...before, ...madeUp, ...after]);
    await second.close();
    const log = sqliteLog(path);
    const facts = (await factsOf(log)).filter(({ type }) => type === 'RunsMissed');
    expect(facts).toMatchObject(missed);
    expect(facts[0]).toMatchObject({ exact: true, from: began + 3 * hour });
    await log.close();
  });
});

describe('a host that dies', () => {
  it('while a run is running, makes it again under the same due time, and tells it once', async () => {
    const house = new House();
    const runs: Made[] = [];
    let hangs = true;
    const run = () => (hangs ? new Promise(() => {}) : Promise.resolve());
    const { runtime, crash } = await house.openToCrash(logged({ missed: 'skip' }, runs, run));
    await runtime.start('hourly', { id: '1' });
    await rest();
    await house.advance(hour);
    crash();
    hangs = false;
    house.clock.jump(1.5 * hour);
    await house.open(logged({ missed: 'skip' }, runs, run));
    await rest();
    await house.advance(hour);
    expect(runs).toEqual([
      [1, false],
      [1, false],
      [3, false],
    ]);
    const started = (await factsOf(house.log)).filter(({ type }) => type === 'RunStarted');
    expect(started.map(({ dueAt }) => dueAt)).toEqual([began + hour, began + 3 * hour]);
  });

  it('SC2: finds the same state under other time zone rules, and goes by them from the next due time on', async () => {
    const house = new House();
    const runs: Made[] = [];
    const daily = (timeZone: string) => logged({ cron: '0 3 * * *', timeZone }, runs);
    const { runtime, crash } = await house.openToCrash(daily('Europe/Berlin'));
    await runtime.start('hourly', { id: '1' });
    await rest();
    await house.advance(2 * day);
    const { context } = (await runtime.get('hourly-1')).getSnapshot();
    crash();
    const next = await house.open(daily('America/New_York'), { snapshots: false });
    expect((await next.get('hourly-1')).getSnapshot().context).toEqual(context);
    await house.advance(2 * day);
    expect(runs.map(([at]) => at)).toEqual([2, 26, 50, 56, 80]);
  });

  it('PL3: is not kept busy by what it missed of a fast schedule in a year', () => {
    const rules = scheduleRules('x', { cron: '* * * * * *', missed: 'all', maxQueued: 5 });
    const at = began + 365 * day;
    expect(planOf(rules, { after: began, next: null }, at)).toEqual({
      after: at,
      missed: { count: 1_000, exact: false, from: began + 1_000, to: at - 1_000 },
      makeUp: [5, 4, 3, 2, 1].map((s) => at - s * 1_000),
      onTime: at,
      next: at + 1_000,
    });
  });

  it('PL1: decides nothing anew when its clock is behind', () => {
    const rules = scheduleRules('x', { cron: '0 * * * *' });
    const from = { after: began + 2 * hour, next: began + 3 * hour };
    expect(planOf(rules, from, began)).toMatchObject({
      onTime: null,
      missed: null,
      next: began + 3 * hour,
    });
  });
});

describe('a crash at any append', () => {
  /** Four hours of a schedule that is asked for a run in between, with a crash in its first life. */
  async function liveThrough(crash: Crash) {
    const runs: Made[] = [];
    const lives = new TwoLives(crash, () =>
      logged({ missed: 'all', overlap: 'queue' }, runs, async () => {
        if (runs.length === 3) throw new Error('the third');
      }),
    );
    const { clock } = lives;
    let runtime = await lives.first();
    let isSecondLife = false;
    const restart = async () => {
      if (isSecondLife || !lives.crashed) return;
      isSecondLife = true;
      runtime = await lives.second();
      await rest();
      await clock.advance(0, rest);
    };
    void runtime.start('hourly', { id: '1' }).catch(() => {});
    await rest();
    await restart();
    await runtime.start('hourly', { id: '1' });
    for (let half = 1; half <= 8; half++) {
      await clock.advance(hour / 2, rest);
      await restart();
    }
    const facts = await factsOf(lives.log);
    await runtime.close().catch(() => {});
    return { crashed: lives.crashed, facts };
  }

  it('SC1: leaves one run for every due time', async () => {
    const crashes = await atEveryAppend(liveThrough, ({ facts }, where) => {
      const started = facts.filter(({ type }) => type === 'RunStarted').map(({ dueAt }) => dueAt);
      expect(started, where).toEqual([1, 2, 3, 4].map((n) => began + n * hour));
      const ended = facts.filter(({ type }) => type === 'RunSucceeded' || type === 'RunFailed');
      expect(ended.map(({ dueAt }) => dueAt)).toEqual(started);
    });
    expect(crashes).toBeGreaterThan(20);
  });
});

describe('over random downtimes', () => {
  const span = (max: number) => fc.integer({ min: 1, max });
  const lives = fc.array(fc.record({ up: span(4 * 60), down: span(6 * 60) }), { minLength: 1, maxLength: 5 });
  const policy = fc.record({
    missed: fc.constantFrom('skip', 'once', 'all'),
    graceMinutes: fc.constantFrom(0, 1, 7, 30),
    maxQueued: fc.constantFrom(1, 2, 5, 100),
  });
  const everyMs = 10 * minute;

  interface Life {
    readonly up: number;
    readonly down: number;
  }

  /** What a reader of the documentation would expect: the runs of each life. */
  function expected(
    all: readonly Life[],
    { missed, graceMinutes, maxQueued }: { missed: string; graceMinutes: number; maxQueued: number },
  ): Made[] {
    const made: [number, boolean][] = [];
    let at = 0;
    const dueIn = (from: number, to: number) => {
      const due: number[] = [];
      for (let t = Math.floor(from / everyMs) * everyMs + everyMs; t <= to; t += everyMs) due.push(t);
      return due;
    };
    for (const { up, down } of all) {
      for (const t of dueIn(at, at + up * minute)) made.push([t, false]);
      at += up * minute;
      const due = dueIn(at, at + down * minute);
      at += down * minute;
      const onTime = due.length > 0 && at - due.at(-1)! <= graceMinutes * minute ? [due.at(-1)!] : [];
      const late = due.slice(0, due.length - onTime.length);
      const room = maxQueued - onTime.length;
      if (missed === 'all' && room > 0) for (const t of late.slice(-room)) made.push([t, true]);
      if (missed === 'once' && onTime.length === 0) for (const t of late.slice(-1)) made.push([t, true]);
      for (const t of onTime) made.push([t, false]);
    }
    return made.map(([t, wasMissed]) => [t / hour, wasMissed]);
  }

  test.prop([lives, policy], { numRuns: 40 })(
    'SC1, PL1, PL2: the runs are those of the model',
    async (all, options) => {
      const house = new House();
      const runs: Made[] = [];
      const { graceMinutes, ...rules } = options;
      const machines = () =>
        logged({ ...rules, cron: '*/10 * * * *', grace: graceMinutes * minute, overlap: 'queue' }, runs);
      for (const [index, { up, down }] of all.entries()) {
        const { runtime, crash } = await house.openToCrash(machines());
        if (index === 0) await runtime.start('hourly', { id: '1' });
        await rest();
        await house.advance(0);
        await house.advance(up * minute);
        crash();
        house.clock.jump(down * minute);
      }
      await house.open(machines());
      await rest();
      await house.advance(0);
      expect(runs).toEqual(expected(all, options));
      const started = (await factsOf(house.log)).filter(({ type }) => type === 'RunStarted');
      expect(new Set(started.map(({ dueAt }) => dueAt)).size).toBe(started.length);
      expect(started).toHaveLength(runs.length);
    },
  );
});

describe('over random downtimes and long runs', () => {
  const span = (max: number) => fc.integer({ min: 1, max });
  const options = fc.record({
    missed: fc.constantFrom('skip', 'once', 'all'),
    overlap: fc.constantFrom('skip', 'queue'),
    graceMinutes: fc.constantFrom(0, 7, 30),
    maxQueued: fc.constantFrom(1, 3, 100),
  });
  const lives = fc.array(fc.record({ up: span(3 * 60), down: span(3 * 60), triggers: fc.boolean() }), { maxLength: 4 });

  test.prop([lives, options, fc.array(span(45), { minLength: 1 })], { numRuns: 40 })(
    'SC1, SC4: every due time is run, left out or missed, and told as one of them',
    async (all, { graceMinutes, ...rules }, minutes) => {
      const house = new House();
      const runs: Made[] = [];
      const run = () => {
        const endsAt = house.clock.now() + minutes[runs.length % minutes.length]! * minute;
        return new Promise<void>((resolve) => house.clock.setTimer(endsAt, resolve));
      };
      const machines = () => logged({ ...rules, cron: '*/10 * * * *', grace: graceMinutes * minute }, runs, run);
      for (const [index, { up, down, triggers }] of [...all, { up: 1, down: 1, triggers: false }].entries()) {
        const { runtime, crash } = await house.openToCrash(machines());
        const ref = await (index === 0 ? runtime.start('hourly', { id: '1' }) : runtime.get('hourly-1'));
        await rest();
        await house.advance(0);
        if (triggers) await ref.send({ type: 'schedule.triggered' });
        await house.advance(up * minute);
        expect(ref.getSnapshot().context.waiting.length).toBeLessThanOrEqual(rules.maxQueued);
        crash();
        house.clock.jump(down * minute);
      }
      const last = await house.open(machines());
      await rest();
      await house.advance(0);
      const { waiting, after } = (await last.get('hourly-1')).getSnapshot().context;
      const facts = await factsOf(house.log);
      const of = (type: string) => facts.filter((fact) => fact.type === type && fact['triggered'] !== true);
      const sum = (name: string) => of('RunsMissed').reduce((total, fact) => total + (fact[name] as number), 0);
      const begun = [...of('RunStarted'), ...waiting.filter(({ triggered }) => !triggered)];
      expect(new Set(begun.map(({ dueAt }) => dueAt)).size).toBe(begun.length);
      expect(begun.filter(({ missed }) => missed)).toHaveLength(sum('made'));
      const onTime = begun.filter(({ missed }) => !missed).length;
      const decided = Math.floor((after - began) / (10 * minute));
      expect(onTime + of('RunSkipped').length + sum('count')).toBe(decided);
      expect(decided).toBe(Math.floor((house.clock.now() - began) / (10 * minute)));
    },
  );
});
