/** The circuit breaker half-open and late results: scenarios B15 to B25, each hosted on a log and a virtual clock. */
import { describe, expect, it } from 'vitest';
import type { BreakerOptions } from '../../machines/breaker-options.ts';
import type { Permit } from '../../machines/breaker-permit.ts';
import { BreakerStage } from './breaker-stage.ts';

const minute = 60_000;

/** A breaker whose opening is over, facts read. */
async function due(options: BreakerOptions = {}): Promise<BreakerStage> {
  const stage = await BreakerStage.open({ consecutive: 1, ...options });
  await stage.calls('F');
  await stage.advance(minute);
  await stage.facts();
  return stage;
}

const probes = (stage: BreakerStage, count: number): Promise<Permit[]> =>
  Promise.all(Array.from({ length: count }, () => stage.admitted()));

describe('a half-open breaker', () => {
  it('B15: lets the first of two concurrent calls through and refuses the second at once', async () => {
    const stage = await due();
    const [first, second] = await Promise.all([stage.ask('a'), stage.ask('b')]);
    expect(first).toEqual({ permit: { gen: 2, id: 'a', probe: true } });
    expect(second).toEqual({ refused: { state: 'halfOpen', timeoutRemainingMs: 0, lastFailure: null } });
    const leaseUntil = stage.nowMs + 30_000;
    expect(await stage.facts()).toEqual([
      { type: 'CircuitHalfOpened', gen: 2 },
      { type: 'ProbeAdmitted', gen: 2, id: 'a', leaseUntil },
    ]);
  });

  it('gives who asks again the same permit', async () => {
    const stage = await due({ halfOpen: { permits: 2 } });
    const permit = await stage.admitted('a');
    expect(await stage.ask('a')).toEqual({ permit });
    await stage.send({ type: 'permit.asked', id: 'a' });
    expect(stage.context.probes).toHaveLength(1);
    expect((await stage.ask('b')).permit).toBeDefined();
  });

  it('B16: has four permits, and four fresh ones the next time', async () => {
    const stage = await due({ halfOpen: { permits: 4, successes: 4 } });
    const [permit] = await probes(stage, 4);
    expect((await stage.ask()).refused?.state).toBe('halfOpen');
    expect((await stage.ask()).refused?.state).toBe('halfOpen');
    await stage.report(permit!, 'F');
    expect(stage.state).toBe('open');
    await stage.advance(2 * minute);
    await probes(stage, 4);
    expect((await stage.ask()).refused?.state).toBe('halfOpen');
  });

  it.each([
    { permits: 10, successes: 7, script: 'FFF', state: 'halfOpen' },
    { permits: 10, successes: 7, script: 'FFFF', state: 'open' },
    { permits: 10, successes: 7, script: 'FFFSSSSSS', state: 'halfOpen' },
    { permits: 10, successes: 7, script: 'FFFSSSSSSS', state: 'closed' },
    { permits: 4, successes: 3, script: 'FSS', state: 'halfOpen' },
    { permits: 4, successes: 3, script: 'FSSS', state: 'closed' },
    { permits: 4, successes: 3, script: 'FF', state: 'open' },
  ])('B17: of $permits probes that need $successes, $script make it $state', async ({ script, state, ...halfOpen }) => {
    const stage = await due({ halfOpen });
    await stage.calls(script);
    expect(stage.state).toBe(state);
  });

  it('B17: decides without waiting for probes that are still out', async () => {
    const stage = await due({ halfOpen: { permits: 4, successes: 3 } });
    const [a, b, c] = await probes(stage, 4);
    await stage.report(a!, 'F');
    await stage.report(b!, 'F', { retryAfterMs: 180_000 });
    await stage.report(c!, 'S');
    expect(await stage.facts()).toMatchObject([
      { type: 'CircuitHalfOpened' },
      ...Array.from({ length: 4 }, () => ({ type: 'ProbeAdmitted' })),
      { type: 'CircuitOpened', gen: 3, reason: 'probe', openForMs: 180_000, openings: 2 },
      { type: 'StaleOutcomeIgnored', gen: 3, permitGen: 2, outcome: 'success' },
    ]);
    expect(stage.context).toMatchObject({ probes: [], probeSuccesses: 0, probeFailures: 0 });
  });

  it('B18: opens when probes that succeed are slow', async () => {
    const window = { kind: 'count', size: 4, minimumCalls: 4, slowCallRate: 0.5 } as const;
    const stage = await due({ window, slowCall: '4s', halfOpen: { permits: 4, successes: 3 } });
    await stage.calls('S', { durationMs: 5_000 });
    expect(stage.state).toBe('halfOpen');
    await stage.calls('S', { durationMs: 5_000 });
    expect(stage.state).toBe('open');
  });

  it('B19: gets the permit back with an ignored outcome', async () => {
    const halfOpen = { permits: 4, successes: 3 };
    const stage = await due({ halfOpen });
    await stage.calls('SSIS');
    expect(stage.state).toBe('closed');
    const other = await due({ halfOpen });
    const out = await probes(other, 4);
    expect((await other.ask()).refused).toBeDefined();
    for (const permit of out) await other.report(permit, 'I', { durationMs: 1e9 });
    expect(other.context).toMatchObject({ probes: [], probeSuccesses: 0, probeFailures: 0 });
    await other.calls('SSS');
    expect(other.state).toBe('closed');
  });

  it('B20: makes the next call the probe when the caller aborts the first one', async () => {
    const stage = await due();
    await stage.report(await stage.admitted(), 'I');
    expect(stage.state).toBe('halfOpen');
    expect((await stage.ask()).permit).toMatchObject({ gen: 2, probe: true });
  });

  it('B21: gives a hung probe up after 30 000 ms, and hears of it no more', async () => {
    const stage = await due();
    const hung = await stage.admitted('hung');
    await stage.advance(29_999);
    expect((await stage.ask()).refused?.state).toBe('halfOpen');
    await stage.advance(1);
    const next = await stage.admitted('next');
    expect(next).toEqual({ gen: 3, id: 'next', probe: true });
    await stage.facts();
    const before = stage.snapshot;
    await stage.report(hung, 'F');
    expect(await stage.facts()).toEqual([
      { type: 'StaleOutcomeIgnored', gen: 3, permitGen: 2, id: 'hung', outcome: 'failure' },
    ]);
    expect(stage.context).toEqual(before.context);
    await stage.report(next, 'S');
    expect(stage.state).toBe('closed');
  });

  it('B21: does not take a report after the lease, also when nobody took the probe over', async () => {
    const stage = await due();
    const hung = await stage.admitted();
    await stage.advance(30_000);
    await stage.report(hung, 'S');
    expect(stage.state).toBe('halfOpen');
    expect((await stage.factTypes()).at(-1)).toBe('StaleOutcomeIgnored');
  });

  it('fences a probe that is admitted again under its old id', async () => {
    const stage = await due();
    const old = await stage.admitted('a');
    await stage.advance(30_000);
    const fresh = await stage.admitted('a');
    expect([old.gen, fresh.gen]).toEqual([2, 3]);
    await stage.report(old, 'F');
    expect(stage.state).toBe('halfOpen');
    await stage.report(fresh, 'S');
    expect(stage.state).toBe('closed');
  });

  it('takes the reports of other probes after one of them was taken over', async () => {
    const stage = await due({ halfOpen: { permits: 2, successes: 2 } });
    await stage.admitted('hung');
    await stage.advance(10_000);
    const sibling = await stage.admitted('sibling');
    await stage.advance(20_000);
    const next = await stage.admitted('next');
    expect([sibling.gen, next.gen]).toEqual([2, 3]);
    expect((await stage.facts()).slice(-2)).toMatchObject([
      { type: 'ProbeExpired', gen: 2, id: 'hung' },
      { type: 'ProbeAdmitted', gen: 3, id: 'next' },
    ]);
    await stage.report(sibling, 'S');
    await stage.report(next, 'S');
    expect(stage.state).toBe('closed');
  });

  it('appends nothing for a late outcome that is ignored', async () => {
    const stage = await BreakerStage.open({ consecutive: 1 });
    const late = await stage.admitted();
    await stage.calls('F');
    await stage.report(late, 'I');
    await stage.advance(minute);
    await stage.admitted();
    const before = await stage.length();
    await stage.report(late, 'I');
    expect(await stage.length()).toBe(before);
    await stage.send({ type: 'outcome.reported', permit: late, outcome: 'ignored' });
    expect((await stage.facts()).map(({ type }) => type)).not.toContain('StaleOutcomeIgnored');
  });

  it('takes a probe at its word once, and a second time for a repetition (K9)', async () => {
    const stage = await due({ halfOpen: { permits: 3, successes: 2 } });
    const permit = await stage.admitted();
    await stage.report(permit, 'S');
    await stage.report(permit, 'S');
    expect(stage.context).toMatchObject({ probeSuccesses: 1 });
    expect((await stage.factTypes()).at(-1)).toBe('ProbeAdmitted');
  });
});

describe('a late result', () => {
  it('B22: of a failure changes nothing while a probe runs', async () => {
    const stage = await BreakerStage.open({ consecutive: 1 });
    const late = await stage.admitted('late');
    await stage.calls('F');
    await stage.advance(minute);
    const probe = await stage.admitted('probe');
    await stage.facts();
    await stage.report(late, 'F');
    expect(stage.state).toBe('halfOpen');
    expect(await stage.facts()).toEqual([
      { type: 'StaleOutcomeIgnored', gen: 2, permitGen: 0, id: 'late', outcome: 'failure' },
    ]);
    await stage.report(probe, 'S');
    expect(await stage.facts()).toEqual([{ type: 'CircuitClosed', gen: 3 }]);
  });

  it('B23: of a success changes nothing, neither while open nor while half-open', async () => {
    const stage = await BreakerStage.open({ consecutive: 1 });
    const [first, second] = [await stage.admitted(), await stage.admitted()];
    await stage.calls('F');
    const open = stage.context;
    await stage.report(first, 'S');
    expect([stage.state, stage.context]).toEqual(['open', open]);
    await stage.advance(minute);
    await stage.admitted();
    const halfOpen = stage.context;
    await stage.report(second, 'S');
    expect([stage.state, stage.context]).toEqual(['halfOpen', halfOpen]);
  });

  it('B24: of an earlier life is not counted after the circuit has closed again', async () => {
    const stage = await BreakerStage.open({ consecutive: 2 });
    const old = [await stage.admitted(), await stage.admitted()];
    await stage.calls('FF');
    await stage.advance(minute);
    await stage.calls('S');
    for (const permit of old) await stage.report(permit, 'F');
    expect(stage.state).toBe('closed');
    expect(stage.context.counts.streak).toBe(0);
  });

  it('B25: a close begins with an empty window', async () => {
    const stage = await BreakerStage.open({ window: { kind: 'count', size: 10, minimumCalls: 2, failureRate: 0.1 } });
    await stage.calls('FF');
    await stage.advance(minute);
    await stage.calls('S');
    expect(stage.context.counts).toEqual({ streak: 0, window: { kind: 'count', calls: '' } });
    await stage.calls('F');
    expect(stage.state).toBe('closed');
  });
});
