/** One host per log: leases, and what happens when one is lost. */
import { describe, expect, it } from 'vitest';
import { fromPromise } from 'xstate';
import { LogOwnedError, LogUnavailableError, RuntimeClosedError } from '../../src/errors.ts';
import { effect, type EffectContext } from '../../src/runtime/effect.ts';
import { failureOf, House, isPending } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { createMachine } from '../support/loose-machine.ts';

const lease = { ttl: '10s' } as const;
const idle = createMachine({ on: { A: {} } });

/** Takes the lease away from whoever holds it, as a host does that believes the holder dead. */
async function usurp(house: House) {
  const holder = await house.log.leaseHolder('rewake.host');
  return house.log.lease('rewake.host', { owner: 'another host', ttlMs: 60_000, takeFrom: holder!.epoch });
}

describe('a second runtime on a log', () => {
  it('is refused while the first one runs, and says who that is', async () => {
    const house = new House();
    await house.open({ idle }, { lease });
    const failure = await failureOf(house.open({ idle }, { lease }));
    expect(failure).toBeInstanceOf(LogOwnedError);
    expect(failure.message).toMatch(/memory log is owned by another running host \(.+\/\d+\/.+\)/);
    await house.advance(60_000);
    expect(await failureOf(house.open({ idle }, { lease }))).toBeInstanceOf(LogOwnedError);
  });

  it('waits for the first one to leave, if told to', async () => {
    const house = new House();
    const first = await house.open({ idle }, { lease });
    const second = house.open({ idle }, { lease: { ...lease, wait: '30s' } });
    await house.advance(5_000);
    expect(await isPending(second)).toBe(true);
    await first.close();
    await house.advance(200);
    expect(await isPending(second)).toBe(false);
    await second;
  });

  it('gives up waiting at its deadline', async () => {
    const house = new House();
    await house.open({ idle }, { lease });
    const second = failureOf(house.open({ idle }, { lease: { ...lease, wait: '1s' } }));
    await house.advance(900);
    expect(await isPending(second)).toBe(true);
    await house.advance(300);
    expect(await second).toBeInstanceOf(LogOwnedError);
  });

  it('takes over at once from a host whose process is gone', async () => {
    const house = new House();
    const { hostname } = await import('node:os');
    // The highest process id of Linux is 2^22.
    await house.log.lease('rewake.host', { owner: `${hostname()}/4194305/x`, ttlMs: 60_000 });
    await house.open({ idle }, { lease });
  });

  it('tells an earlier life of this process from another thread of it, whose lease has to run out (O1, O2)', async () => {
    const { hostname } = await import('node:os');
    const { threadId } = await import('node:worker_threads');
    const taken = async (thread: number) => {
      const house = new House();
      await house.log.lease('rewake.host', { owner: `${hostname()}/${process.pid}/${thread}/x`, ttlMs: 10_000 });
      const opened = house.open({ idle }, { lease });
      await house.advance(9_000);
      const isAtOnce = !(await isPending(opened));
      await house.advance(3_000);
      await opened;
      return isAtOnce;
    };
    expect(await taken(threadId)).toBe(true);
    expect(await taken(threadId + 1)).toBe(false);
  });

  it('has to let the lease of a host on another machine run out', async () => {
    const house = new House();
    await house.log.lease('rewake.host', { owner: 'elsewhere/1/x', ttlMs: 5_000 });
    expect(await failureOf(house.open({ idle }, { lease: { ...lease, wait: 0 } }))).toBeInstanceOf(LogOwnedError);
    await house.advance(5_000);
    await house.open({ idle }, { lease: { ...lease, wait: 0 } });
  });

  it('waits for that lease by default: its owner may be dead', async () => {
    const house = new House();
    await house.log.lease('rewake.host', { owner: 'elsewhere/1/x', ttlMs: 5_000 });
    const opening = house.open({ idle }, { lease });
    await house.advance(6_000);
    await opening;
    expect((await house.log.leaseHolder('rewake.host'))?.owner).not.toBe('elsewhere/1/x');
  });
});

describe('a lease', () => {
  it('is renewed for as long as the runtime runs, also past a failure or two', async () => {
    const house = new House();
    const runtime = await house.open({ idle }, { lease });
    await house.advance(35_000);
    expect(await house.log.leaseHolder('rewake.host')).toBeDefined();
    const ref = await runtime.start('idle', { id: '1' });
    await ref.send({ type: 'A' });
  });

  it('that was taken over ends the runtime: it writes nothing and its effects stop (invariant 25)', async () => {
    const house = new House();
    const runs: EffectContext[] = [];
    const job = createMachine({ invoke: { src: effect(({ context }) => new Promise(() => void runs.push(context))) } });
    const runtime = await house.open({ job, idle }, { lease });
    const ref = await runtime.start('job', { id: '1' });
    await rest();
    const waiting = failureOf(ref.output());
    await usurp(house);
    await house.advance(4_000);
    expect(runs[0]!.signal.aborted).toBe(true);
    expect(await waiting).toBeInstanceOf(RuntimeClosedError);
    expect(await failureOf(ref.send({ type: 'A' }))).toBeInstanceOf(RuntimeClosedError);
    expect(await failureOf(runtime.start('idle', { id: '1' }))).toBeInstanceOf(RuntimeClosedError);
    expect(await house.types('job-1')).toEqual(['ActorStarted']);
    await runtime.close();
  });

  it('lost with messages on their way rejects those that were not written, and tells those that were', async () => {
    const house = new House();
    const log = house.faulty();
    const runtime = await house.open({ idle }, { lease, log });
    const ref = await runtime.start('idle', { id: '1' });
    const release = log.hold();
    const [written, queued] = [ref.send({ type: 'A' }), failureOf(ref.send({ type: 'A' }))];
    await usurp(house);
    await house.advance(4_000);
    release();
    await written;
    expect(await queued).toBeInstanceOf(RuntimeClosedError);
    expect(await house.types('idle-1')).toEqual(['ActorStarted', 'EventReceived']);
  });

  it('ends the retries of a runtime that lost it', async () => {
    const house = new House();
    const log = house.faulty();
    const runtime = await house.open({ idle }, { lease, log });
    const ref = await runtime.start('idle', { id: '1' });
    log.faults.push(...Array<'unavailable'>(1_000).fill('unavailable'));
    const sent = failureOf(ref.send({ type: 'A' }));
    await rest();
    await usurp(house);
    await house.advance(20_000);
    expect(await sent).toBeInstanceOf(RuntimeClosedError);
    const attempts = log.attempts.length;
    await house.advance(60_000);
    expect(log.attempts.length).toBe(attempts);
  });

  it('that could not be renewed for a while keeps the runtime going until it runs out', async () => {
    const house = new House();
    const log = house.faulty();
    let failing = false;
    const flaky = new Proxy(log, {
      get(target, key) {
        const value = Reflect.get(target, key, target) as unknown;
        if (key !== 'lease') return typeof value === 'function' ? (value as () => unknown).bind(target) : value;
        return async (...args: Parameters<typeof target.lease>) => {
          const given = await target.lease(...args);
          if (!given) return null;
          const renew = () => (failing ? Promise.reject(new LogUnavailableError('Away.', true)) : given.renew());
          return {
            ...given,
            get expiresAt() {
              return given.expiresAt;
            },
            renew,
          };
        };
      },
    });
    const runtime = await house.open({ idle }, { lease, log: flaky });
    const ref = await runtime.start('idle', { id: '1' });
    failing = true;
    await house.advance(7_000);
    await ref.send({ type: 'A' });
    failing = false;
    await house.advance(20_000);
    await ref.send({ type: 'A' });
    failing = true;
    await house.advance(20_000);
    expect(await failureOf(ref.send({ type: 'A' }))).toBeInstanceOf(RuntimeClosedError);
  });

  it('is free for the next runtime as soon as one closes', async () => {
    const house = new House();
    for (let i = 0; i < 3; i++) {
      const runtime = await house.open({ idle }, { lease });
      await runtime.start('idle', { id: '1' });
      await runtime.close();
    }
    expect(await house.types('idle-1')).toEqual(['ActorStarted']);
  });

  it('can be done without', async () => {
    const house = new House();
    const once = createMachine({ invoke: { src: fromPromise(async () => 1) } });
    const runtimes = [await house.open({ once }), await house.open({ once })];
    expect(await house.log.leaseHolder('rewake.host')).toBeUndefined();
    await Promise.all(runtimes.map((runtime) => runtime.close()));
  });
});
