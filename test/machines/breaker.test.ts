/** The circuit breaker, closed and open: scenarios B01 to B14 that are its own, each hosted on a log and a virtual clock. */
import { describe, expect, it } from 'vitest';
import type { BreakerOptions } from '../../machines/breaker-options.ts';
import { ratesOf } from '../../machines/breaker-counts.ts';
import { BreakerStage } from './breaker-stage.ts';

const second = 1_000;
const minute = 60_000;
const failure = { class: 'transient', code: 'ECONNRESET', message: 'socket hang up' };

async function halfOpened(options: BreakerOptions = {}): Promise<BreakerStage> {
  const stage = await BreakerStage.open({ consecutive: 1, ...options });
  await stage.calls('F');
  await stage.advance(minute);
  return stage;
}

describe('a closed breaker', () => {
  it('B01: opens at the fifth failure in a row and refuses the next call for 60 s', async () => {
    const stage = await BreakerStage.open();
    await stage.calls('FFFF S FFFF');
    expect(stage.state).toBe('closed');
    await stage.calls('F', { failure });
    expect(stage.state).toBe('open');
    expect(await stage.ask()).toEqual({
      refused: { state: 'open', timeoutRemainingMs: minute, lastFailure: failure },
    });
    expect(await stage.facts()).toEqual([
      {
        type: 'CircuitOpened',
        gen: 1,
        openUntil: stage.nowMs + minute,
        openForMs: minute,
        openings: 1,
        reason: 'consecutive',
        lastFailure: failure,
      },
    ]);
  });

  it('B02: judges the last five calls at every outcome, also at a success', async () => {
    const stage = await BreakerStage.open({ window: { kind: 'count', size: 5, failureRate: 0.5 } });
    await stage.calls('FFFS');
    expect(stage.state).toBe('closed');
    expect(ratesOf(stage.context.counts, stage.context.settings, stage.nowMs).failureRate).toBeUndefined();
    await stage.calls('S');
    expect(await stage.facts()).toMatchObject([{ type: 'CircuitOpened', reason: 'failureRate', rate: 0.6 }]);
  });

  it('B03: opens at exactly the threshold', async () => {
    const stage = await BreakerStage.open({ window: { kind: 'count', size: 6, failureRate: 0.5 } });
    await stage.calls('SSSFF');
    expect(stage.state).toBe('closed');
    await stage.calls('F');
    expect(await stage.facts()).toMatchObject([{ type: 'CircuitOpened', rate: 0.5 }]);
  });

  it('B04: does not judge fewer calls than the minimum', async () => {
    const stage = await BreakerStage.open({ window: { kind: 'count', size: 10, minimumCalls: 3 } });
    await stage.calls('FF');
    expect(stage.state).toBe('closed');
    await stage.calls('F');
    expect(stage.state).toBe('open');
  });

  it('forgets what slides out of a count window', async () => {
    const stage = await BreakerStage.open({ window: { kind: 'count', size: 4, failureRate: 0.5, minimumCalls: 4 } });
    await stage.calls('SSSF SSSF SSS');
    expect(stage.state).toBe('closed');
    expect(stage.context.counts.window).toEqual({ kind: 'count', calls: 'fsss' });
  });

  it('B05: forgets failures that are older than the time window', async () => {
    const stage = await BreakerStage.open({ window: { kind: 'time', duration: 5_000, minimumCalls: 5 } });
    await stage.calls('FFFF');
    await stage.advance(3_600_000);
    await stage.calls('F');
    expect(stage.state).toBe('closed');
    await stage.calls('FFFF');
    expect(stage.state).toBe('open');
  });

  it('B05: opens at two failures of three calls within 200 ms', async () => {
    const window = { kind: 'time', duration: 200, minimumCalls: 3, failureRate: 2 / 3 } as const;
    const stage = await BreakerStage.open({ window });
    await stage.calls('FS');
    await stage.advance(210);
    await stage.calls('FS');
    await stage.advance(50);
    expect(stage.state).toBe('closed');
    await stage.calls('F');
    expect(await stage.facts()).toMatchObject([{ type: 'CircuitOpened', reason: 'failureRate', rate: 2 / 3 }]);
  });

  it('keeps a failure for the whole time window less a hundredth, and no longer', async () => {
    const window = { kind: 'time', duration: 5_000, minimumCalls: 2, failureRate: 1 } as const;
    for (const [waitMs, state] of [
      [4_949, 'open'],
      [5_000, 'closed'],
    ] as const) {
      const stage = await BreakerStage.open({ window });
      await stage.calls('F');
      await stage.advance(waitMs);
      await stage.calls('F');
      expect(stage.state, `after ${waitMs} ms`).toBe(state);
    }
  });

  it('B06: opens when calls that succeed are too often slow', async () => {
    const window = { kind: 'count', size: 5, slowCallRate: 0.5 } as const;
    const stage = await BreakerStage.open({ window, slowCall: '4s' });
    for (const durationMs of [5_000, 5_000, 100, 100]) await stage.calls('S', { durationMs });
    expect(stage.state).toBe('closed');
    await stage.calls('S', { durationMs: 5_000 });
    expect(await stage.facts()).toMatchObject([{ type: 'CircuitOpened', reason: 'slowCallRate', rate: 0.6 }]);
  });

  it('takes a call of exactly the slow duration for a quick one', async () => {
    const window = { kind: 'count', size: 1, slowCallRate: 1 } as const;
    const stage = await BreakerStage.open({ window, slowCall: '4s' });
    await stage.calls('S', { durationMs: 4_000 });
    expect(stage.state).toBe('closed');
    await stage.calls('S', { durationMs: 4_001 });
    expect(stage.state).toBe('open');
  });

  it('B07: neither counts nor resets by an ignored outcome', async () => {
    const stage = await BreakerStage.open();
    await stage.calls('FF I FF');
    expect(stage.state).toBe('closed');
    await stage.calls('F');
    expect(stage.state).toBe('open');
  });

  it('B08: does not count what was refused or rejected on this side', async () => {
    const stage = await BreakerStage.open({ window: { kind: 'count', size: 4 } });
    await stage.calls('III');
    expect(stage.context.counts.window).toEqual({ kind: 'count', calls: '' });
    await stage.calls('FFFF');
    expect(stage.state).toBe('open');
    for (let i = 0; i < 6; i++) await stage.ask();
    await stage.advance(minute);
    expect((await stage.ask()).permit?.probe).toBe(true);
    expect(await stage.factTypes()).toEqual(['CircuitOpened', 'CircuitHalfOpened', 'ProbeAdmitted']);
  });

  it('B11: opens once however many failures arrive together', async () => {
    const stage = await BreakerStage.open();
    const permits = await Promise.all(Array.from({ length: 6 }, () => stage.admitted()));
    await Promise.all(permits.map((permit) => stage.report(permit, 'F')));
    const facts = await stage.facts();
    expect(facts.map(({ type }) => type)).toEqual(['CircuitOpened', 'StaleOutcomeIgnored']);
    await stage.advance(minute);
    expect((await stage.ask()).permit).toMatchObject({ probe: true });
  });

  it('appends nothing for a healthy dependency', async () => {
    const stage = await BreakerStage.open();
    const before = await stage.length();
    await stage.calls('SSSSSSSS III');
    expect(await stage.length()).toBe(before);
    await stage.calls('F S SSS');
    expect(await stage.length()).toBe(before + 2);
  });

  it('appends nothing for a count window that is full of successes', async () => {
    const stage = await BreakerStage.open({ window: { kind: 'count', size: 3 } });
    const before = await stage.length();
    await stage.calls('SSS SSSSS');
    expect(await stage.length()).toBe(before + 3);
  });
});

describe('an open breaker', () => {
  it('B09: refuses at 59 999 ms and admits a probe at 60 000 ms', async () => {
    const stage = await BreakerStage.open({ consecutive: 1 });
    await stage.calls('F');
    await stage.advance(minute - 1);
    expect((await stage.ask()).refused).toMatchObject({ state: 'open', timeoutRemainingMs: 1 });
    await stage.advance(1);
    expect((await stage.ask()).permit).toMatchObject({ gen: 2, probe: true });
  });

  it('keeps no timer when it waits for the next call', async () => {
    const stage = await BreakerStage.open({ consecutive: 1 });
    await stage.calls('F');
    expect(stage.house.clock.nextDue()).toBeUndefined();
  });

  it('B10: is half-open by itself after 2 000 ms', async () => {
    const stage = await BreakerStage.open({ consecutive: 1, autoHalfOpen: true, openFor: 2_000 });
    await stage.calls('F');
    await stage.advance(1_999);
    expect(stage.state).toBe('open');
    await stage.advance(1);
    expect(stage.state).toBe('halfOpen');
    expect(await stage.facts()).toMatchObject([{ type: 'CircuitOpened' }, { type: 'CircuitHalfOpened', gen: 2 }]);
    expect((await stage.ask()).permit).toMatchObject({ gen: 2, probe: true });
  });

  it('B10: has no timer any more once it is isolated or its host is closed', async () => {
    const stage = await BreakerStage.open({ consecutive: 1, autoHalfOpen: true, openFor: 2_000 });
    await stage.calls('F');
    expect(stage.house.clock.nextDue()).toBe(stage.nowMs + 2_000);
    await stage.send({ type: 'breaker.isolated', hold: 'ops' });
    expect(stage.house.clock.nextDue()).toBeUndefined();
    await stage.advance(10_000);
    expect(stage.state).toBe('isolated');

    const other = await BreakerStage.open({ consecutive: 1, autoHalfOpen: true, openFor: 2_000 });
    await other.calls('F');
    await other.close();
    expect(other.house.clock.nextDue()).toBeUndefined();
  });

  it('B12: lasts 60, 120, 240, 300, 300 s while probes fail', async () => {
    const stage = await BreakerStage.open();
    await stage.calls('FFFFF');
    for (const openForS of [60, 120, 240, 300]) {
      await stage.advance(openForS * second - 1);
      expect((await stage.ask()).refused).toBeDefined();
      await stage.advance(1);
      await stage.calls('F');
    }
    const lasted = (await stage.facts()).flatMap((fact) => ('openForMs' in fact ? [fact.openForMs] : []));
    expect(lasted).toEqual([60, 120, 240, 300, 300].map((s) => s * second));
  });

  it('B12: goes on counting openings over a close that was shorter than the opening before it', async () => {
    const stage = await halfOpened();
    await stage.calls('S');
    await stage.advance(second);
    await stage.calls('F');
    expect(stage.context).toMatchObject({ openings: 2, opening: { forMs: 120_000 } });
    await stage.advance(120_000);
    await stage.calls('S');
    await stage.advance(119_999);
    await stage.calls('F');
    expect(stage.context.opening?.forMs).toBe(240_000);
  });

  it('B12: begins anew after a close as long as the opening before it', async () => {
    const stage = await halfOpened();
    await stage.calls('S');
    await stage.advance(minute);
    await stage.calls('F');
    expect(stage.context).toMatchObject({ openings: 1, opening: { forMs: minute } });
  });

  it('B13: lasts as long as the failure that opened it asks, at most hintMax, and never less than its own', async () => {
    for (const [retryAfterMs, openForMs] of [
      [120_000, 120_000],
      [5_000, 60_000],
      [172_800_000, 3_600_000],
    ] as const) {
      const stage = await BreakerStage.open({ consecutive: 1 });
      await stage.calls('F', { retryAfterMs });
      expect(await stage.facts(), `hint ${retryAfterMs}`).toMatchObject([{ openForMs }]);
    }
  });

  it('B13: takes no hint from failures before the one that opens it', async () => {
    const stage = await BreakerStage.open({ consecutive: 2 });
    await stage.calls('F', { retryAfterMs: 120_000 });
    await stage.calls('F');
    expect(await stage.facts()).toMatchObject([{ openForMs: minute }]);
  });

  it('B14: lets three of seven attempts through where three failures open it', async () => {
    const stage = await BreakerStage.open({ consecutive: 3 });
    let executions = 0;
    for (let attempt = 0; attempt < 7; attempt++) {
      const { permit } = await stage.ask();
      if (!permit) continue;
      executions++;
      await stage.report(permit, 'F');
    }
    expect(executions).toBe(3);
  });
});
