/** Schedules: when they run, what becomes of runs that overlap, and what a person may do to them. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createActor, fromPromise } from 'xstate';
import { InvalidArgumentError, VirtualClock } from 'rewake';
import { schedule } from '../../machines/schedule.ts';
import type { ScheduledRun, ScheduleEvent } from '../../machines/schedule-facts.ts';
import { scheduleRules, type ScheduleOptions } from '../../machines/schedule-options.ts';
import { failureOf, House, isPending } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const began = new VirtualClock().now();
const since = (ms: number) => ms - began;

/** A schedule, and the runs it made, each of which ends when `end` is told; at once by default. */
async function place(options: Partial<ScheduleOptions>, run?: (run: ScheduledRun<string>) => unknown) {
  const house = new House();
  const runs: ScheduledRun<string>[] = [];
  const logic = fromPromise(async ({ input }: { input: ScheduledRun<string> }) => {
    runs.push(input);
    return run?.(input);
  });
  const runtime = await house.open({ hourly: schedule('hourly', { cron: '0 * * * *', ...options })(logic) });
  const ref = await runtime.start('hourly', { id: '1', input: 'mine' });
  await rest();
  const send = async (event: ScheduleEvent) => {
    await ref.send(event);
    await rest();
  };
  const facts = async () => (await house.facts('hourly-1')).map(({ type, ...fact }) => ({ type, ...fact }));
  const types = async () => (await facts()).map(({ type }) => type as string);
  return { house, ref, runs, send, facts, types };
}

/** Runs that end when the test says so. */
function held() {
  const ends: (() => void)[] = [];
  return { run: () => new Promise<void>((resolve) => ends.push(resolve)), end: async () => (ends.shift()!(), rest()) };
}

describe('a schedule', () => {
  it('runs whenever it is due, and says for which time', async () => {
    const { house, runs, facts } = await place({});
    await house.advance(2 * hour + 30 * minute);
    const told = { missed: false, triggered: false };
    expect(runs).toEqual([1, 2].map((n) => ({ dueAt: began + n * hour, ...told, input: 'mine' })));
    expect(await facts()).toEqual(
      [1, 2].flatMap((n) => [
        { type: 'RunStarted', schedule: 'hourly', dueAt: began + n * hour, ...told },
        { type: 'RunSucceeded', schedule: 'hourly', dueAt: began + n * hour, durationMs: 0 },
      ]),
    );
  });

  it('does not run for the moment at which it starts', async () => {
    const { house, runs } = await place({ cron: '* * * * *' });
    await house.advance(minute - 1);
    expect(runs).toEqual([]);
    await house.advance(1);
    expect(runs.map(({ dueAt }) => since(dueAt))).toEqual([minute]);
  });

  it('SC3: goes on after a failure', async () => {
    const { house, ref, runs, facts } = await place({}, () => {
      throw Object.assign(new Error('busy'), { status: 503 });
    });
    await house.advance(2 * hour);
    expect(runs).toHaveLength(2);
    expect((await facts()).filter(({ type }) => type === 'RunFailed')).toMatchObject([
      { dueAt: began + hour, error: { class: 'server', status: 503, message: 'busy' } },
      { dueAt: began + 2 * hour, error: { class: 'server' } },
    ]);
    expect(ref.getSnapshot().context).toMatchObject({ runs: 2, failures: 2, running: null });
  });

  it('SC4: keeps a state of the same size through months of runs', async () => {
    const { house, ref, runs } = await place({ cron: '0 */6 * * *', missed: 'all', overlap: 'queue' });
    const sizes = new Set<number>();
    for (let month = 0; month < 4; month++) {
      await house.advance(30 * day);
      sizes.add(JSON.stringify({ ...ref.getSnapshot().context, runs: 0 }).length);
    }
    expect(runs).toHaveLength(4 * 120);
    expect(sizes.size).toBe(1);
  });

  it('SC5: waits longer than a timer of Node can', async () => {
    const { house, runs, types } = await place({ cron: '0 0 29 2 *' });
    const leapDay = Date.UTC(2028, 1, 29);
    await house.advance(leapDay - began - 1);
    expect(runs).toEqual([]);
    await house.advance(1);
    expect(runs.map(({ dueAt }) => dueAt)).toEqual([leapDay]);
    expect(await types()).toEqual(['RunStarted', 'RunSucceeded']);
  });

  it('ends after so many runs, and gives what became of them', async () => {
    let calls = 0;
    const { house, ref, runs } = await place({ maxRuns: 3 }, () => {
      if (++calls === 2) throw new Error('once');
    });
    await house.advance(10 * hour);
    expect(await ref.output()).toEqual({ runs: 3, failures: 1 });
    expect(runs).toHaveLength(3);
  });

  it.each([
    ['between two runs', began + 2.5 * hour, 2],
    ['at the moment of one, which is made', began + 2 * hour, 2],
    ['before the first one', began + 1, 0],
  ])('ends at a moment %s', async (_, until, count) => {
    const { house, ref } = await place({ until });
    await house.advance(3 * hour);
    expect(await ref.output()).toEqual({ runs: count, failures: 0 });
  });

  it('ends when the last run that waits is over', async () => {
    const { run, end } = held();
    const { house, ref, runs } = await place({ until: began + 2 * hour, overlap: 'queue' }, run);
    await house.advance(5 * hour);
    expect(await isPending(ref.output())).toBe(true);
    await end();
    await end();
    expect([await ref.output(), runs.length]).toEqual([{ runs: 2, failures: 0 }, 2]);
  });
});

describe('a run that is due while another one runs', () => {
  it('is left out by default, and that is told', async () => {
    const { run, end } = held();
    const { house, runs, facts } = await place({}, run);
    await house.advance(3.5 * hour);
    await end();
    await house.advance(hour);
    expect(runs.map(({ dueAt }) => since(dueAt) / hour)).toEqual([1, 4]);
    expect((await facts()).filter(({ type }) => type === 'RunSkipped')).toEqual(
      [2, 3].map((n) => ({
        ...{ type: 'RunSkipped', schedule: 'hourly', dueAt: began + n * hour },
        ...{ triggered: false, reason: 'overlap' },
      })),
    );
  });

  it('waits where it is queued, and as many as may', async () => {
    const { run, end } = held();
    const { house, ref, runs, facts } = await place({ overlap: 'queue', maxQueued: 2 }, run);
    await house.advance(5 * hour);
    expect(ref.getSnapshot().context).toMatchObject({ waiting: [{}, {}] });
    for (let i = 0; i < 3; i++) await end();
    expect(runs.map(({ dueAt, missed }) => [since(dueAt) / hour, missed])).toEqual([
      [1, false],
      [2, false],
      [3, false],
    ]);
    expect((await facts()).filter(({ type }) => type === 'RunSkipped')).toMatchObject([
      { dueAt: began + 4 * hour, reason: 'queueFull' },
      { dueAt: began + 5 * hour, reason: 'queueFull' },
    ]);
  });
});

describe('a person', () => {
  it('pauses a schedule and resumes it: what was due in between is left out', async () => {
    const { house, runs, send, facts } = await place({ missed: 'all' });
    await house.advance(1.5 * hour);
    await send({ type: 'schedule.paused', by: 'ann' });
    await send({ type: 'schedule.paused', by: 'bob' });
    await house.advance(5 * hour);
    await send({ type: 'schedule.resumed' });
    await send({ type: 'schedule.resumed' });
    await house.advance(hour);
    expect(runs.map(({ dueAt }) => since(dueAt) / hour)).toEqual([1, 7]);
    expect((await facts()).filter(({ type }) => (type as string).startsWith('Schedule'))).toEqual([
      { type: 'SchedulePaused', schedule: 'hourly', by: 'ann' },
      { type: 'ScheduleResumed', schedule: 'hourly', by: null },
    ]);
  });

  it('pauses what waits as well, which goes on when it is resumed', async () => {
    const { run, end } = held();
    const { house, runs, send } = await place({ overlap: 'queue' }, run);
    await house.advance(2 * hour);
    await send({ type: 'schedule.paused' });
    await end();
    expect(runs).toHaveLength(1);
    await send({ type: 'schedule.resumed' });
    expect(runs.map(({ dueAt }) => since(dueAt) / hour)).toEqual([1, 2]);
  });

  it('pauses a schedule that has no due time left, and what waits is made when it is resumed', async () => {
    const { run, end } = held();
    const { house, ref, runs, send } = await place({ overlap: 'queue', until: began + 2 * hour }, run);
    await house.advance(2 * hour);
    await send({ type: 'schedule.paused' });
    await end();
    expect(runs).toHaveLength(1);
    await send({ type: 'schedule.resumed' });
    await end();
    expect(await ref.output()).toEqual({ runs: 2, failures: 0 });
  });

  it('triggers a run now, also in a pause, and the clock is not moved by it', async () => {
    const { house, runs, send } = await place({});
    await house.advance(10 * minute);
    await send({ type: 'schedule.triggered', by: 'ann' });
    await send({ type: 'schedule.paused' });
    await send({ type: 'schedule.triggered', by: 'ann' });
    await send({ type: 'schedule.resumed' });
    await house.advance(hour);
    expect(runs.map(({ dueAt, triggered, missed }) => [since(dueAt) / minute, triggered, missed])).toEqual([
      [10, true, false],
      [10, true, false],
      [60, false, false],
    ]);
  });

  it('triggers nothing while a run is running, unless it is queued', async () => {
    const skipping = await place({}, held().run);
    await skipping.send({ type: 'schedule.triggered' });
    await skipping.send({ type: 'schedule.triggered' });
    expect((await skipping.facts()).at(-1)).toMatchObject({ type: 'RunSkipped', triggered: true, reason: 'overlap' });
    const { run, end } = held();
    const queueing = await place({ overlap: 'queue' }, run);
    await queueing.send({ type: 'schedule.triggered' });
    await queueing.send({ type: 'schedule.triggered' });
    await end();
    expect(queueing.runs).toHaveLength(2);
  });

  it('cannot stop it with a word it does not know', async () => {
    const { house, ref, runs } = await place({});
    await ref.send({ type: 'schedule.cancelled' } as never);
    await house.advance(hour);
    expect(runs).toHaveLength(1);
  });
});

describe('in Europe/Berlin', () => {
  const dueFrom = (cron: string, from: string, count: number) => {
    const { times } = scheduleRules('x', { cron, timeZone: 'Europe/Berlin' });
    const found: string[] = [];
    for (let at = Date.parse(from); found.length < count; found.push(new Date(at).toISOString())) at = times.next(at)!;
    return found;
  };

  it('a time that does not exist comes due when the gap is over', () => {
    expect(dueFrom('30 2 * * *', '2026-03-28T12:00:00Z', 2)).toEqual([
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
  });

  it('either of two day fields is enough', () => {
    expect(dueFrom('0 12 13 * 5', '2026-02-01T00:00:00Z', 3).map((at) => at.slice(0, 10))).toEqual([
      ...['2026-02-06', '2026-02-13', '2026-02-20'],
    ]);
    expect(dueFrom('0 12 12 * 5', '2026-02-07T00:00:00Z', 2).map((at) => at.slice(0, 10))).toEqual([
      ...['2026-02-12', '2026-02-13'],
    ]);
  });

  it('a time that exists twice comes due the first time', () => {
    expect(dueFrom('30 2 * * *', '2026-10-24T12:00:00Z', 2)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
  });

  it('an interval goes on through both hours', () => {
    expect(dueFrom('*/30 * * * *', '2026-10-24T23:45:00Z', 5).map((at) => at.slice(11, 16))).toEqual([
      ...['00:00', '00:30', '01:00', '01:30', '02:00'],
    ]);
    expect(dueFrom('*/30 * * * *', '2026-03-29T00:15:00Z', 3).map((at) => at.slice(11, 16))).toEqual([
      ...['00:30', '01:00', '01:30'],
    ]);
  });

  it.each([
    ['2026-03-28T12:00:00Z', [25, 48.5, 72.5]],
    ['2026-10-24T12:00:00Z', [12.5, 37.5, 61.5]],
  ])('a schedule that starts at %s runs once a day through the change', async (from, hours) => {
    const house = new House();
    house.clock.jump(Date.parse(from) - began);
    const runs: number[] = [];
    const logic = fromPromise(async ({ input }: { input: ScheduledRun }) => void runs.push(input.dueAt));
    const daily = schedule('daily', { cron: '30 2 * * *', timeZone: 'Europe/Berlin' })(logic);
    await (await house.open({ daily })).start('daily', { id: '1' });
    await rest();
    await house.advance(3 * day);
    const offset = from.includes('-03-') ? -12 : 0;
    expect(runs.map((at) => (at - Date.parse(from)) / hour)).toEqual(hours.map((h) => h + offset));
  });
});

describe('under plain XState', () => {
  afterEach(() => void vi.useRealTimers());

  it('SC5: it runs by the real clock, and waits longer than one of its timers can', async () => {
    vi.useFakeTimers({ now: began, toFake: ['Date', 'setTimeout', 'clearTimeout'] });
    const runs: number[] = [];
    const logic = fromPromise(async ({ input }: { input: ScheduledRun }) => void runs.push(input.dueAt));
    const actor = createActor(schedule('quarterly', { cron: '0 0 1 */3 *' })(logic), { input: undefined }).start();
    await vi.advanceTimersByTimeAsync(Date.UTC(2026, 3, 1) - began - 1);
    expect(runs).toEqual([]);
    await vi.advanceTimersByTimeAsync(1 + 100 * day);
    expect(runs).toEqual([Date.UTC(2026, 3, 1), Date.UTC(2026, 6, 1)]);
    actor.stop();
  });
});

describe('a schedule is refused', () => {
  const run = fromPromise(async () => {});
  it.each<[string, string, object]>([
    ['without a name', '', {}],
    ['without an expression', 'a', { cron: undefined }],
    ['with words for an expression', 'a', { cron: 'every day' }],
    ['with too few fields', 'a', { cron: '* * * *' }],
    ['with a minute that does not exist', 'a', { cron: '61 * * * *' }],
    ['with a day that never comes', 'a', { cron: '0 0 30 2 *' }],
    ['with a date for an expression', 'a', { cron: '2030-01-01T00:00:00' }],
    ['with a time zone that does not exist', 'a', { timeZone: 'Mars/Olympus' }],
    ['with an empty time zone', 'a', { timeZone: '' }],
    ['with another policy', 'a', { missed: 'some' }],
    ['with another overlap', 'a', { overlap: 'allow' }],
    ['with a grace that is no duration', 'a', { grace: '-1s' }],
    ['with no place to wait', 'a', { maxQueued: 0 }],
    ['with too many places to wait', 'a', { maxQueued: 1_001 }],
    ['with an end that is no moment', 'a', { until: '2030-01-01' }],
    ['with no run at all', 'a', { maxRuns: 0 }],
    ['with an option that does not exist', 'a', { timezone: 'UTC' }],
  ])('%s', (_, name, options) => {
    expect(() => schedule(name, { cron: '0 * * * *', ...options })(run)).toThrow(InvalidArgumentError);
  });

  it('without a logic', () => {
    expect(() => schedule('a', { cron: '0 * * * *' })((() => {}) as never)).toThrow(InvalidArgumentError);
  });

  it('and says what it expected and found', async () => {
    const failure = await failureOf((async () => schedule('a', { cron: 'x', timeZone: 'UTC' }))());
    expect(failure.message).toMatch(/^schedule\("a"\)\.cron: expected a cron expression.*found "x"\.$/);
  });
});
