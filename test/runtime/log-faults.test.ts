/** A log that refuses, forgets to answer or is full: nothing is lost that was acknowledged, nothing counts twice. */
import { describe, expect, it } from 'vitest';
import { assign, emit, raise } from 'xstate';
import { ActorBlockedError, LogUnavailableError } from '../../src/errors.ts';
import { effect } from '../../src/runtime/effect.ts';
import { failureOf, House, isPending } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { createMachine } from '../support/loose-machine.ts';
import type { AppendFault } from '../support/faulty-log.ts';

const counter = createMachine({
  context: { n: 0 },
  on: {
    ADD: { actions: [assign({ n: ({ context }) => (context.n as number) + 1 }), emit({ type: 'Added' })] },
    ARM: { actions: raise({ type: 'ADD' }, { delay: 10 }) },
  },
});

async function start(options = {}) {
  const house = new House();
  const log = house.faulty();
  const runtime = await house.open({ counter }, { log, ...options });
  const ref = await runtime.start('counter', { id: '1' });
  log.attempts.length = 0;
  return { house, log, runtime, ref };
}

const n = (ref: { getSnapshot(): { context: unknown } }) => (ref.getSnapshot().context as { n: number }).n;

describe('an append', () => {
  const scripts: [string, AppendFault[]][] = [
    ['that is refused for a while', ['unavailable', 'unavailable', 'unavailable']],
    ['whose answer is lost', ['answerLost']],
    ['that is lost together with its answer', ['bothLost', 'bothLost']],
    ['that meets all of it', ['unavailable', 'bothLost', 'answerLost', 'unavailable', 'answerLost']],
  ];

  for (const [what, faults] of scripts) {
    it(`${what} is tried again with the same ids, and counts once (invariant 8)`, async () => {
      const { house, log, ref } = await start();
      log.faults.push(...faults);
      const sent = ref.send({ type: 'ADD' });
      await rest();
      expect([n(ref), await isPending(sent)]).toEqual([0, true]);
      await house.advance(60_000);
      await sent;
      expect(n(ref)).toBe(1);
      expect(await house.types('counter-1')).toEqual(['ActorStarted', 'EventReceived', 'Added']);
      expect(log.attempts.length).toBe(faults.length + 1);
      expect(new Set(log.attempts.map((attempt) => JSON.stringify(attempt))).size).toBe(1);
    });
  }

  it('that is tried again lets later messages follow in one append after it', async () => {
    const { house, log, ref } = await start();
    log.faults.push('unavailable');
    const sends = [1, 2, 3].map(() => ref.send({ type: 'ADD' }));
    await house.advance(1_000);
    await Promise.all(sends);
    expect(log.attempts.map(({ ids }) => ids.length)).toEqual([2, 2, 4]);
    expect(n(ref)).toBe(3);
  });

  it('waits longer after every failure, but never long', async () => {
    const { house, log, ref } = await start({ random: () => 0.999 });
    log.faults.push(...Array<AppendFault>(12).fill('unavailable'));
    void ref.send({ type: 'ADD' });
    const at: number[] = [];
    for (let i = 0; i < 60_000; i += 50) {
      const before = log.attempts.length;
      await house.clock.advance(50, rest);
      if (log.attempts.length > before) at.push(i);
    }
    const gaps = at.map((time, i) => time - (at[i - 1] ?? 0));
    expect(Math.max(...gaps)).toBeLessThanOrEqual(5_050);
    expect(gaps.slice(0, 7)).toEqual([...gaps.slice(0, 7)].sort((a, b) => a - b));
    expect(n(ref)).toBe(1);
  });

  it('of a start is tried again too', async () => {
    const house = new House();
    const log = house.faulty();
    const runtime = await house.open({ counter }, { log });
    log.faults.push('unavailable', 'answerLost');
    const starting = runtime.start('counter', { id: '1' });
    const again = runtime.start('counter', { id: '1' });
    await house.advance(1_000);
    await Promise.all([starting, again]);
    expect(await house.types('counter-1')).toEqual(['ActorStarted']);
  });

  it('that is away for one actor does not hold up another', async () => {
    const { log, ref, runtime } = await start();
    const other = await runtime.start('counter', { id: '2' });
    log.faults.push('unavailable');
    const sent = ref.send({ type: 'ADD' });
    await other.send({ type: 'ADD' });
    expect([n(other), await isPending(sent)]).toEqual([1, true]);
  });
});

describe('a full disk', () => {
  it('rejects the message; the actor goes on once there is room', async () => {
    const { house, log, ref, runtime } = await start();
    log.faults.push('full');
    const [first, second] = await Promise.allSettled([ref.send({ type: 'ADD' }), ref.send({ type: 'ADD' })]);
    for (const outcome of [first, second]) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(LogUnavailableError) as unknown });
    }
    const later = ref.send({ type: 'ADD' });
    await house.advance(1_000);
    await later;
    await runtime.idle();
    expect(n(ref)).toBe(1);
    expect(await house.types('counter-1')).toEqual(['ActorStarted', 'EventReceived', 'Added']);
  });

  it('does not lose a timer (invariant 20)', async () => {
    const { house, log, ref } = await start();
    await ref.send({ type: 'ARM' });
    log.faults.push('full', 'full');
    await house.advance(10);
    expect(n(ref)).toBe(0);
    await house.advance(5_000);
    expect(n(ref)).toBe(1);
    expect((await house.types('counter-1')).filter((type) => type === 'TimerFired').length).toBe(1);
  });

  it('does not lose the outcome of an effect, and does not run it again', async () => {
    const house = new House();
    const log = house.faulty();
    let runs = 0;
    let finish = (_: unknown) => {};
    const src = effect(() => (runs++, new Promise<unknown>((resolve) => (finish = resolve))));
    const job = createMachine({
      initial: 'on',
      states: { on: { invoke: { src, onDone: 'done' } }, done: { type: 'final' } },
    });
    const runtime = await house.open({ job }, { log });
    const ref = await runtime.start('job', { id: '1' });
    await rest();
    log.faults.push('full', 'full', 'full');
    finish(1);
    await house.advance(10_000);
    await ref.waitFor((snapshot) => snapshot.matches('done'));
    expect(runs).toBe(1);
  });

  it('met by a start leaves nothing, and idle() comes to an end', async () => {
    const house = new House();
    const log = house.faulty();
    const runtime = await house.open({ counter }, { log });
    log.faults.push('full');
    const failures = await Promise.all(
      [1, 2].map(() => failureOf(runtime.start('counter', { id: '1' })).catch(() => 'started')),
    );
    expect(failures[0]).toBeInstanceOf(LogUnavailableError);
    await runtime.idle();
    await runtime.start('counter', { id: '1' });
    expect(await house.types('counter-1')).toEqual(['ActorStarted']);
  });

  it('ends idle() although the message was refused', async () => {
    const { house, log, ref, runtime } = await start();
    const release = log.hold();
    log.faults.push('full');
    const sent = failureOf(ref.send({ type: 'ADD' }));
    const resting = runtime.idle();
    release();
    await sent;
    await house.advance(1_000);
    await resting;
  });
});

describe('a read', () => {
  it('that fails for a while is tried again', async () => {
    const house = new House();
    await (await house.open({ counter })).start('counter', { id: '1' });
    const log = house.faulty();
    const runtime = await house.open({ counter }, { log });
    log.readErrors.push(...[1, 2].map(() => new LogUnavailableError('Away.', true)));
    const sent = runtime.send('counter-1', { type: 'ADD' });
    await house.advance(1_000);
    await sent;
  });

  it('that fails for good blocks the actor until resume()', async () => {
    const house = new House();
    await (await house.open({ counter })).start('counter', { id: '1' });
    const log = house.faulty();
    const runtime = await house.open({ counter }, { log });
    log.readErrors.push(new LogUnavailableError('The file is gone.', false));
    expect(await failureOf(runtime.send('counter-1', { type: 'ADD' }))).toBeInstanceOf(ActorBlockedError);
    const failure = await failureOf(runtime.get('counter-1'));
    expect(failure).toMatchObject({ code: 'REWAKE_ACTOR_BLOCKED', cause: expect.any(LogUnavailableError) as unknown });
    await runtime.resume();
    await runtime.send('counter-1', { type: 'ADD' });
  });
});
