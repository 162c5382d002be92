/**
 * The circuit breaker over crashes of its host: scenarios B27 and B30 to B32 on the memory log and on a file that is closed
 * and opened again, and a whole life that is cut at every append, before and after it is durable.
 */
import { describe, expect, it } from 'vitest';
import type { BreakerEvent } from '../../machines/breaker-facts.ts';
import type { BreakerOptions } from '../../machines/breaker-options.ts';
import { breaker } from '../../machines/breaker.ts';
import type { ActorRef } from '../../src/runtime/actor-ref.ts';
import { crashingLog, type Crash, type CrashPhase } from '../support/crashing-log.ts';
import { houses } from '../support/file-house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { House } from '../support/house.ts';
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
    const stage = await BreakerStage.open({ consecutive: 2 });
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

  it('K9: remembers the newest hundred reports', async () => {
    const stage = await BreakerStage.open({ consecutive: 1_000 });
    const first = await stage.admitted();
    await stage.report(first, 'F');
    await stage.calls('F'.repeat(100));
    expect(stage.context.reports).toHaveLength(100);
    await stage.report(first, 'F');
    expect(stage.context.counts).toMatchObject({ streak: 102 });
  });
});

/** Events at their times after the start, in ms. Permits are those that the breaker gives in this life. */
const permit = (gen: number, id: string, probe = false) => ({ gen, id, probe });
const life: readonly (readonly [atMs: number, event: BreakerEvent])[] = [
  [0, { type: 'outcome.reported', permit: permit(0, 'a'), outcome: 'failure', failure: { message: 'one' } }],
  [10, { type: 'outcome.reported', permit: permit(0, 'b'), outcome: 'failure', failure: { message: 'two' } }],
  // Half-open by the timer at 2 010; the probe fails.
  [2_100, { type: 'permit.asked', id: 'c' }],
  [2_200, { type: 'outcome.reported', permit: permit(2, 'c', true), outcome: 'failure' }],
  [2_300, { type: 'outcome.reported', permit: permit(0, 'late'), outcome: 'success' }],
  // Half-open by the timer at 6 200; the first probe hangs, the second one closes.
  [6_300, { type: 'permit.asked', id: 'd' }],
  [7_300, { type: 'permit.asked', id: 'e' }],
  [7_400, { type: 'outcome.reported', permit: permit(5, 'e', true), outcome: 'success' }],
  [7_500, { type: 'outcome.reported', permit: permit(6, 'f'), outcome: 'failure' }],
  [7_600, { type: 'breaker.isolated', hold: 'ops' }],
  [7_700, { type: 'breaker.released', hold: 'ops' }],
  [7_800, { type: 'outcome.reported', permit: permit(8, 'g'), outcome: 'failure', failure: { message: 'three' } }],
];
const options: BreakerOptions = {
  consecutive: 2,
  openFor: 2_000,
  autoHalfOpen: true,
  halfOpen: { permits: 1, lease: 1_000 },
};

/** Lives that life; where the host dies another one takes over at once and what was not acknowledged is sent again. */
async function live(crash: Crash | undefined) {
  const house = new House();
  const startMs = house.clock.now();
  let log = crashingLog(house.log, crash);
  const open = async () => {
    const runtime = await house.open({ breaker }, { log: log.log });
    return runtime.start('breaker', { id: 'db', input: { key: 'db', options } });
  };
  let ref!: ActorRef<typeof breaker>;
  /** What `act` gives, in this host's life or the next one's. */
  const survive = async <T>(act: () => Promise<T>): Promise<T> => {
    let answer: { value: T } | undefined;
    void act().then((value) => (answer = { value }));
    await rest();
    if (answer) return answer.value;
    expect(log.crashed, 'only a crash keeps an answer back').toBeDefined();
    log = crashingLog(house.log, undefined);
    ref = await open();
    return act();
  };
  ref = await survive(open);
  for (const [index, [atMs, event]] of life.entries()) {
    await house.advance(startMs + atMs - house.clock.now());
    await survive(() => ref.send(event, { messageId: `m${index}` }));
  }
  const { value, context } = ref.getSnapshot();
  return { appends: log.appends, seen: { value, context, facts: await house.facts(ref.stream) } };
}

describe('a whole life', () => {
  it('opens twice, is probed, taken over, closed, isolated and released', async () => {
    const { seen } = await live(undefined);
    expect(seen.value).toBe('closed');
    expect(seen.facts.map(({ type }) => type)).toEqual([
      'CircuitOpened',
      'CircuitHalfOpened',
      'ProbeAdmitted',
      'CircuitOpened',
      'StaleOutcomeIgnored',
      'CircuitHalfOpened',
      'ProbeAdmitted',
      'ProbeExpired',
      'ProbeAdmitted',
      'CircuitClosed',
      'CircuitIsolated',
      'CircuitReleased',
    ]);
    expect(seen.context).toMatchObject({ gen: 8, openings: 2, counts: { streak: 1 } });
  });

  it('ends in the same state and with the same facts wherever its host dies', async () => {
    const { appends, seen } = await live(undefined);
    expect(appends).toBe(life.length + 3);
    for (let append = 0; append < appends; append++) {
      for (const phase of ['before', 'after'] satisfies CrashPhase[]) {
        const crashed = await live({ append, phase });
        expect(crashed.seen, `append ${append}, ${phase}`).toEqual(seen);
      }
    }
  });
});
