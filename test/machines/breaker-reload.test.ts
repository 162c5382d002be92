/**
 * The circuit breaker over crashes of its host: scenarios B27 and B30 to B32, on the memory log and on a file that is closed
 * and opened again. A whole life that is cut at every append is in crash-scenarios.ts.
 */
import { describe, expect, it } from 'vitest';
import type { BreakerOptions } from '../../machines/breaker-options.ts';
import { houses } from '../support/file-house.ts';
import { BreakerStage } from './breaker-stage.ts';

const minute = 60_000;

describe.each(houses)('%s, a breaker whose host dies', (_, build) => {
  const open = (options: BreakerOptions = {}) => BreakerStage.open(options, build());

  it('B27: is still isolated, and closed once its hold is released by name', async () => {
    const stage = await open();
    await stage.send({ type: 'breaker.isolated', hold: 'incident' });
    await stage.reload();
    expect((await stage.ask()).refused?.state).toBe('isolated');
    await stage.send({ type: 'breaker.released', hold: 'incident' });
    expect(stage.state).toBe('closed');
    expect(await stage.factTypes()).toEqual(['CircuitIsolated', 'CircuitReleased']);
  });

  it.each([false, true])('B30: is half-open after the rest of its time (autoHalfOpen %s)', async (autoHalfOpen) => {
    const stage = await open({ consecutive: 1, openFor: 200, autoHalfOpen });
    await stage.calls('F');
    await stage.advance(150);
    await stage.reload();
    expect((await stage.ask()).refused).toMatchObject({ state: 'open', timeoutRemainingMs: 50 });
    await stage.advance(49);
    expect((await stage.ask()).refused?.state).toBe('open');
    await stage.advance(1);
    expect(stage.state).toBe(autoHalfOpen ? 'halfOpen' : 'open');
    expect((await stage.ask()).permit).toMatchObject({ gen: 2, probe: true });
  });

  it('B30: is open right after it opened', async () => {
    const stage = await open({ consecutive: 1 });
    await stage.calls('F');
    await stage.reload();
    expect((await stage.ask()).refused).toMatchObject({ state: 'open', timeoutRemainingMs: minute });
  });

  it('B30: admits the first call as a probe after an hour', async () => {
    const stage = await open({ consecutive: 1 });
    await stage.calls('F');
    await stage.reload(3_600_000);
    expect((await stage.ask()).permit).toMatchObject({ probe: true });
    expect((await stage.ask()).refused?.state).toBe('halfOpen');
  });

  it('B31: frees the permit of a probe whose owner died, under a new generation and the same count of openings', async () => {
    const stage = await open({ consecutive: 1 });
    await stage.calls('F');
    await stage.advance(minute);
    const lost = await stage.admitted('lost');
    await stage.reload(29_999);
    expect((await stage.ask()).refused?.state).toBe('halfOpen');
    await stage.advance(1);
    expect(await stage.ask('next')).toEqual({ permit: { gen: lost.gen + 1, id: 'next', probe: true } });
    expect(stage.context.openings).toBe(1);
  });

  it('B32: goes on counting: one failure before and one after open it', async () => {
    const stage = await open({ consecutive: 2 });
    await stage.calls('F');
    await stage.reload();
    await stage.calls('F');
    expect(stage.state).toBe('open');
  });

  it('B32: goes on with its time window', async () => {
    const stage = await open({ window: { kind: 'time', duration: '10s', minimumCalls: 2 } });
    await stage.calls('F');
    await stage.reload(5_000);
    await stage.calls('S');
    expect(await stage.facts()).toMatchObject([{ type: 'CircuitOpened', rate: 0.5 }]);
  });

  it('K9: counts a call once, also where its caller died and reports it again', async () => {
    const stage = await open({ consecutive: 2 });
    const permit = await stage.admitted();
    await stage.report(permit, 'F');
    await stage.reload();
    const length = await stage.length();
    await stage.report(permit, 'F');
    expect(await stage.length()).toBe(length);
    await stage.send({ type: 'outcome.reported', permit, outcome: 'failure' });
    expect([stage.state, stage.context.counts]).toMatchObject(['closed', { streak: 1 }]);
    await stage.calls('F');
    expect(stage.state).toBe('open');
  });

  it.each([
    ['succeeds', 'S', 2, 'closed'],
    ['fails', 'F', 2, 'open'],
    ['is one of several', 'S', 3, 'halfOpen'],
  ] as const)(
    'K9: counts a probe once, that %s and whose caller died and reports it again',
    async (_, outcome, of, to) => {
      const halfOpen = { permits: of - 1, successes: of - 1 };
      const stage = await open({ consecutive: 1, halfOpen });
      await stage.calls('F');
      await stage.advance(minute);
      const permit = await stage.admitted('probe');
      await stage.report(permit, outcome);
      await stage.facts();
      await stage.reload();
      const length = await stage.length();
      await stage.report(permit, outcome);
      expect(await stage.length()).toBe(length);
      const before = stage.context;
      await stage.send({ type: 'outcome.reported', permit, outcome: outcome === 'S' ? 'success' : 'failure' });
      expect([stage.state, stage.context, await stage.facts()]).toEqual([to, before, []]);
    },
  );

  it('K9: hears of a probe that is admitted again under the id of one that has reported', async () => {
    const stage = await open({ consecutive: 1, halfOpen: { permits: 2, successes: 2 } });
    await stage.calls('F');
    await stage.advance(minute);
    for (const state of ['halfOpen', 'closed']) {
      await stage.report(await stage.admitted('again'), 'S');
      expect(stage.state).toBe(state);
    }
  });

  it('K9: keeps no place for a probe that says nothing', async () => {
    const stage = await open({ consecutive: 1 });
    await stage.calls('F');
    await stage.advance(minute);
    await stage.report(await stage.admitted('probe'), 'I');
    expect(stage.context.reports).toEqual(['0 call-1']);
  });

  it('K9: remembers the newest hundred reports', async () => {
    const stage = await open({ consecutive: 1_000 });
    const first = await stage.admitted();
    await stage.report(first, 'F');
    await stage.calls('F'.repeat(100));
    expect(stage.context.reports).toHaveLength(100);
    await stage.report(first, 'F');
    expect(stage.context.counts).toMatchObject({ streak: 102 });
  });
});
