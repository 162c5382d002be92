/** What operators and options do to a circuit breaker: scenarios B26, B28 and B29, each hosted on a log. */
import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import type { BreakerEvent } from '../../machines/breaker-facts.ts';
import { needsConfiguring } from '../../machines/breaker-permit.ts';
import { breaker } from '../../machines/breaker.ts';
import { BreakerStage } from './breaker-stage.ts';

const minute = 60_000;

describe('an isolated breaker', () => {
  it('B26: refuses until both holds are released, with one fact each way', async () => {
    const stage = await BreakerStage.open({ consecutive: 1 });
    const late = await stage.admitted('late');
    await stage.send({ type: 'breaker.isolated', hold: 'deploy' });
    await stage.send({ type: 'breaker.isolated', hold: 'incident' });
    await stage.send({ type: 'breaker.isolated', hold: 'incident' });
    await stage.report(late, 'F');
    await stage.advance(10 * minute);
    expect(await stage.ask()).toEqual({ refused: { state: 'isolated', timeoutRemainingMs: 0, lastFailure: null } });
    await stage.send({ type: 'breaker.released', hold: 'deploy' });
    await stage.send({ type: 'breaker.released', hold: 'unknown' });
    expect(stage.state).toBe('isolated');
    expect(stage.context.holds).toEqual(['incident']);
    await stage.send({ type: 'breaker.released', hold: 'incident' });
    expect(stage.state).toBe('closed');
    expect(stage.context.counts.streak).toBe(0);
    expect(await stage.facts()).toEqual([
      { type: 'CircuitIsolated', gen: 1, holds: ['deploy'] },
      { type: 'StaleOutcomeIgnored', gen: 1, permitGen: 0, id: 'late', outcome: 'failure' },
      { type: 'CircuitReleased', gen: 2 },
    ]);
  });

  it('B26: refuses past the end of the opening in which it was isolated', async () => {
    const stage = await BreakerStage.open({ consecutive: 1 });
    await stage.calls('F');
    await stage.send({ type: 'breaker.isolated', hold: 'ops' });
    await stage.advance(minute);
    expect((await stage.ask()).refused?.state).toBe('isolated');
  });

  it('voids the probe that was out', async () => {
    const stage = await BreakerStage.open({ consecutive: 1 });
    await stage.calls('F');
    await stage.advance(minute);
    const probe = await stage.admitted();
    await stage.send({ type: 'breaker.isolated', hold: 'ops' });
    await stage.send({ type: 'breaker.released', hold: 'ops' });
    await stage.report(probe, 'F');
    expect(stage.state).toBe('closed');
  });

  it.each(['disabled', 'metricsOnly'] as const)('is %s again after its release if it was before', async (mode) => {
    const stage = await BreakerStage.open({ mode });
    await stage.send({ type: 'breaker.isolated', hold: 'ops' });
    expect((await stage.ask()).refused?.state).toBe('isolated');
    await stage.send({ type: 'breaker.released', hold: 'ops' });
    expect(stage.state).toBe(mode);
  });
});

describe('a disabled breaker', () => {
  it('B28: lets 100 failures through, counts none and appends nothing', async () => {
    const stage = await BreakerStage.open({ mode: 'disabled' });
    const { context } = stage;
    const before = await stage.length();
    for (let i = 0; i < 100; i++) await stage.calls('F');
    expect([stage.state, stage.context, await stage.length()]).toEqual(['disabled', context, before]);
    await stage.send({ type: 'outcome.reported', permit: await stage.admitted(), outcome: 'failure' });
    expect([stage.context, await stage.facts()]).toEqual([context, []]);
  });

  it('does not count after it is enabled what began before', async () => {
    const stage = await BreakerStage.open({ consecutive: 1 });
    await stage.send({ type: 'breaker.disabled' });
    const before = await stage.admitted();
    await stage.send({ type: 'breaker.enabled' });
    await stage.report(before, 'F');
    expect(stage.state).toBe('closed');
    expect(await stage.facts()).toMatchObject([
      { type: 'CircuitDisabled', gen: 1, mode: 'disabled' },
      { type: 'CircuitEnabled', gen: 2 },
      { type: 'StaleOutcomeIgnored', gen: 2, permitGen: 1 },
    ]);
  });
});

describe('a breaker that is only measured', () => {
  it('B28: says once per crossing that it would have opened, and never opens', async () => {
    const window = { kind: 'count', size: 5, slowCallRate: 0.5 } as const;
    const stage = await BreakerStage.open({ mode: 'metricsOnly', window, slowCall: '4s' });
    await stage.calls('FFFFFF', { durationMs: 5_000 });
    expect(stage.state).toBe('metricsOnly');
    expect(await stage.facts()).toEqual([
      { type: 'WouldHaveOpened', reason: 'failureRate', rate: 1 },
      { type: 'WouldHaveOpened', reason: 'slowCallRate', rate: 1 },
    ]);
    await stage.calls('SSS');
    await stage.calls('FFF');
    expect(await stage.facts()).toEqual([{ type: 'WouldHaveOpened', reason: 'failureRate', rate: 0.6 }]);
  });

  it('B28: is closed with fresh counts once it is enabled', async () => {
    const stage = await BreakerStage.open({ consecutive: 2 });
    await stage.send({ type: 'breaker.metricsOnly' });
    await stage.calls('FFFF');
    expect(await stage.facts()).toMatchObject([
      { type: 'CircuitDisabled', mode: 'metricsOnly' },
      { type: 'WouldHaveOpened', reason: 'consecutive' },
    ]);
    await stage.send({ type: 'breaker.enabled' });
    await stage.calls('F');
    expect(stage.state).toBe('closed');
    await stage.calls('F');
    expect(stage.state).toBe('open');
  });
});

describe('illegal and self edges', () => {
  const events: Record<string, BreakerEvent[]> = {
    closed: [
      { type: 'permit.asked', id: 'a' },
      { type: 'breaker.enabled' },
      { type: 'breaker.released', hold: 'ops' },
      { type: 'breaker.configured', options: { consecutive: 1 } },
    ],
    open: [{ type: 'permit.asked', id: 'a' }, { type: 'breaker.enabled' }, { type: 'breaker.released', hold: 'ops' }],
    isolated: [
      { type: 'permit.asked', id: 'a' },
      { type: 'breaker.isolated', hold: 'ops' },
      { type: 'breaker.enabled' },
      { type: 'breaker.disabled' },
      { type: 'breaker.metricsOnly' },
    ],
    disabled: [{ type: 'permit.asked', id: 'a' }, { type: 'breaker.disabled' }],
    metricsOnly: [{ type: 'permit.asked', id: 'a' }, { type: 'breaker.metricsOnly' }],
  };
  const ways: Record<string, (stage: BreakerStage) => Promise<void>> = {
    closed: async () => {},
    open: (stage) => stage.calls('F'),
    isolated: (stage) => stage.send({ type: 'breaker.isolated', hold: 'ops' }),
    disabled: (stage) => stage.send({ type: 'breaker.disabled' }),
    metricsOnly: (stage) => stage.send({ type: 'breaker.metricsOnly' }),
  };

  it.each(Object.keys(events))('B29: change nothing and emit nothing while %s', async (state) => {
    const stage = await BreakerStage.open({ consecutive: 1 });
    await ways[state]!(stage);
    await stage.facts();
    const { value, context } = stage.snapshot;
    expect(stage.state).toBe(state);
    for (const event of events[state]!) {
      await stage.send(event);
      expect([event.type, stage.snapshot.value, stage.context]).toEqual([event.type, value, context]);
      expect(await stage.facts()).toEqual([]);
    }
  });
});

describe('new options', () => {
  it('hold from the next outcome on', async () => {
    const stage = await BreakerStage.open();
    await stage.calls('F');
    expect(needsConfiguring(stage.snapshot, { openFor: '10s' })).toBe(true);
    await stage.send({ type: 'breaker.configured', options: { openFor: '10s' } });
    expect(needsConfiguring(stage.snapshot, { openFor: 10_000 })).toBe(false);
    await stage.calls('FFFF');
    expect(await stage.facts()).toMatchObject([{ type: 'CircuitOpened', openForMs: 10_000 }]);
  });

  it('begin the counts anew when they are counted otherwise', async () => {
    const stage = await BreakerStage.open({ consecutive: 2 });
    await stage.calls('F');
    await stage.send({ type: 'breaker.configured', options: { window: { kind: 'count', size: 2 } } });
    expect(stage.context.counts).toEqual({ streak: 0, window: { kind: 'count', calls: '' } });
  });

  it('begin half-open anew, so that fewer permits leave no breaker stuck', async () => {
    const stage = await BreakerStage.open({ consecutive: 1, halfOpen: { permits: 4, successes: 3 } });
    await stage.calls('F');
    await stage.advance(minute);
    await stage.calls('SSF');
    const out = await stage.admitted();
    await stage.send({ type: 'breaker.configured', options: { consecutive: 1, halfOpen: { permits: 2 } } });
    expect(stage.state).toBe('halfOpen');
    await stage.report(out, 'F');
    expect(stage.context).toMatchObject({ probes: [], probeSuccesses: 0, probeFailures: 0 });
    await stage.calls('S');
    expect(stage.state).toBe('closed');
  });

  it('start and stop the timer of an open breaker', async () => {
    const stage = await BreakerStage.open({ consecutive: 1 });
    await stage.calls('F');
    const due = stage.nowMs + minute;
    await stage.advance(20_000);
    await stage.send({ type: 'breaker.configured', options: { consecutive: 1, autoHalfOpen: true } });
    expect(stage.house.clock.nextDue()).toBe(due);
    await stage.send({ type: 'breaker.configured', options: { consecutive: 1 } });
    expect(stage.house.clock.nextDue()).toBeUndefined();
    await stage.send({ type: 'breaker.configured', options: { consecutive: 1, autoHalfOpen: true } });
    await stage.advance(40_000);
    expect(stage.state).toBe('halfOpen');
  });

  it('change the mode when they name another one, and not when an operator chose it', async () => {
    const stage = await BreakerStage.open();
    await stage.send({ type: 'breaker.configured', options: { mode: 'disabled' } });
    expect(stage.state).toBe('disabled');
    await stage.send({ type: 'breaker.configured', options: { mode: 'metricsOnly' } });
    expect(stage.state).toBe('metricsOnly');
    await stage.send({ type: 'breaker.configured', options: {} });
    expect(stage.state).toBe('closed');
    expect(await stage.facts()).toMatchObject([
      { type: 'CircuitDisabled', mode: 'disabled' },
      { type: 'CircuitDisabled', mode: 'metricsOnly' },
      { type: 'CircuitEnabled' },
    ]);
    await stage.send({ type: 'breaker.disabled' });
    await stage.send({ type: 'breaker.configured', options: { consecutive: 3 } });
    expect(stage.state).toBe('disabled');
  });

  it('wait for the release where they change the mode of an isolated breaker', async () => {
    const stage = await BreakerStage.open();
    await stage.send({ type: 'breaker.isolated', hold: 'ops' });
    await stage.send({ type: 'breaker.configured', options: { mode: 'disabled' } });
    expect(stage.state).toBe('isolated');
    await stage.send({ type: 'breaker.released', hold: 'ops' });
    expect(stage.state).toBe('disabled');
  });

  it('are refused with a fact when they are wrong, and the old ones hold', async () => {
    const stage = await BreakerStage.open();
    const { context } = stage;
    await stage.send({ type: 'breaker.configured', options: { growth: 0 } });
    expect(stage.context).toEqual(context);
    expect(await stage.facts()).toEqual([
      {
        type: 'BreakerOptionsRefused',
        problem: 'breaker.growth: expected a finite number of at least 1, found 0.',
      },
    ]);
  });
});

it('K10: a report that makes no sense changes nothing, in whatever state', () => {
  const good = { permit: { gen: 0, id: 'call', probe: false }, outcome: 'failure' };
  const none = [undefined, null, 5n, 'text', true, [], {}];
  const wrong: object[] = [
    ...none.map((permit) => ({ ...good, permit })),
    ...none.map((outcome) => ({ ...good, outcome })),
    ...[null, 5n, 'text', {}].map((durationMs) => ({ ...good, durationMs })),
    ...[null, 5n, 'text', {}].map((retryAfterMs) => ({ ...good, retryAfterMs })),
    ...[null, 5n, 'text', {}].map((failure) => ({ ...good, failure })),
  ];
  const opening = { type: 'outcome.reported', ...good } as BreakerEvent;
  const byHand = (type: string) => ({ type, hold: 'ops' }) as BreakerEvent;
  for (const before of [undefined, opening, byHand('breaker.isolated'), byHand('breaker.metricsOnly')]) {
    const actor = createActor(breaker, { input: { key: 'api', options: { consecutive: 1 } } }).start();
    if (before) actor.send(before);
    const { value, context } = actor.getSnapshot();
    for (const report of wrong) actor.send({ type: 'outcome.reported', ...report } as BreakerEvent);
    expect(actor.getSnapshot()).toMatchObject({ status: 'active', value, context });
  }
});
