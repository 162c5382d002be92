/**
 * A rate limit around a call: hosted, in two processes, over restarts and under plain XState. Letters and numbers are those
 * of the headers of machines/rate-limit.ts, rate-limit-gate.ts and rate-limiter.ts.
 */
import { describe, expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock, toPromise, type AnyStateMachine } from 'xstate';
import { createRuntime, decode, InvalidArgumentError, VirtualClock } from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import { classify } from '../../machines/classify.ts';
import { recoveryMachines } from '../../machines/index.ts';
import { forgetLocalActors } from '../../machines/keyed-actor.ts';
import { withRateLimit } from '../../machines/rate-limit.ts';
import type { RateLimitOptions } from '../../machines/rate-limit-gate.ts';
import { RateLimitedError, RecoveryExhaustedError } from '../../machines/recovery-errors.ts';
import { withBreaker, withRetry } from '../../machines/step.ts';
import { encode } from '../../src/log/codec.ts';
import { atEveryAppend, TwoLives, type Crash } from '../support/two-lives.ts';
import { House, outcomeOf } from '../support/house.ts';
import { rest, settled } from '../support/hosted-and-plain.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { logPath } from '../stores/sqlite/log-files.ts';

/** A call that notes when it is made. */
function noting(calls: number[], clock: { now(): number }) {
  return fromPromise(async () => {
    calls.push(clock.now());
    return 'done';
  });
}

const limited = (options: RateLimitOptions, call = fromPromise(async () => 'done')) =>
  withRateLimit('api', options)(call) as unknown as AnyStateMachine;

/** A house in which one limited call is made again and again; times are since its beginning. */
async function place(options: RateLimitOptions) {
  const house = new House();
  const began = house.clock.now();
  const calls: number[] = [];
  const since = { now: () => house.clock.now() - began };
  const machines = () => ({ work: limited(options, noting(calls, since)), ...recoveryMachines });
  const runtime = await house.open(machines());
  let runs = 0;
  const run = async () => {
    const ended = outcomeOf((await runtime.start('work', { id: String(++runs) })).output());
    await rest();
    return ended;
  };
  return { house, runtime, machines, calls, began, run };
}

describe('a call with a rate limit', () => {
  it('WL3: is refused at once, without a call, when the bucket is empty, and made when a token is there', async () => {
    const { house, calls, run } = await place({ limit: 2, per: '1s' });
    expect([(await run()).output, (await run()).output]).toEqual(['done', 'done']);
    const { error } = await run();
    expect(error).toBeInstanceOf(RateLimitedError);
    expect(error).toMatchObject({ code: 'REWAKE_RATE_LIMITED', key: 'api', retryAfterMs: 500 });
    await house.advance(499);
    expect((await run()).error).toMatchObject({ retryAfterMs: 1 });
    await house.advance(1);
    expect((await run()).output).toBe('done');
    expect(calls).toEqual([0, 0, 500]);
    expect(await house.facts('work-3')).toEqual([{ type: 'CallRateLimited', key: 'api', retryAfterMs: 500 }]);
  });

  it('LG1: costs its limiter one event for a turn, and none for a refusal', async () => {
    const { house, run } = await place({ limit: 2, per: '1s' });
    for (let call = 0; call < 20; call++) await run();
    expect(await house.types('rateLimiter-api')).toEqual(['ActorStarted', 'EventReceived', 'EventReceived']);
  });

  it('WL1: leaves with what the call fails with', async () => {
    const failing = fromPromise(() => Promise.reject(new Error('broken')));
    const machine = withRateLimit('api', { limit: 1, per: '1s' })(failing) as unknown as AnyStateMachine;
    const runtime = await new House().open({ work: machine, ...recoveryMachines });
    const ended = outcomeOf((await runtime.start('work', { id: '1' })).output());
    await rest();
    expect((await ended).error).toMatchObject({ message: 'broken' });
  });

  it('counts all who share its key, whatever they call', async () => {
    const house = new House();
    const one = limited({ limit: 1, per: '1s' });
    const two = limited({ limit: 1, per: '1s' });
    const other = withRateLimit('other', { limit: 1, per: '1s' })(fromPromise(async () => 'done'));
    const runtime = await house.open({ one, two, other: other as unknown as AnyStateMachine, ...recoveryMachines });
    const outputs = [];
    for (const machine of ['one', 'two', 'other'] as const) {
      const ended = outcomeOf((await runtime.start(machine, { id: '1' })).output());
      await rest();
      outputs.push((await ended).output);
    }
    expect(outputs).toEqual(['done', undefined, 'done']);
  });

  it('KG1: brings its options to a limiter that was there before with others', async () => {
    const house = new House();
    const machines = (options: RateLimitOptions) => ({ work: limited(options), ...recoveryMachines });
    const before = await house.open(machines({ limit: 1, per: '1h' }));
    await before.start('work', { id: '1' });
    await rest();
    const after = await house.open(machines({ limit: 5, per: '1h' }));
    for (const id of ['2', '3', '4', '5', '6']) await after.start('work', { id });
    await rest();
    const ends = await Promise.all(
      ['2', '3', '4', '5', '6'].map(async (id) => (await after.get(`work-${id}`)).getSnapshot()),
    );
    expect(ends.map(({ status }) => status as string).toSorted()).toEqual(['done', 'done', 'done', 'done', 'error']);
    const told = await house.facts('rateLimiter-api');
    expect(told).toEqual([{ type: 'RateLimitChanged', key: 'api', limit: 5, perMs: 3_600_000, burst: 5 }]);
  });
});

describe('a call that may wait', () => {
  it('WL2: waits for its turn, in the order of asking, and is refused when that is too far away', async () => {
    const { house, calls, began, run } = await place({ limit: 1, per: '1s', wait: '2s' });
    const ends = [run(), run(), run(), run()];
    await rest();
    await expect(ends[3]).resolves.toMatchObject({ error: { retryAfterMs: 3_000 } });
    expect(await house.facts('work-3')).toEqual([
      { type: 'CallDelayed', key: 'api', delayMs: 2_000, dueAt: began + 2_000 },
    ]);
    await house.advance(5_000);
    expect(calls).toEqual([0, 1_000, 2_000]);
  });

  it('WL4: leaves its token where it is stopped, and holds nobody up', async () => {
    const { house, runtime, calls, run } = await place({ limit: 1, per: '1s', wait: '5s' });
    for (let call = 0; call < 3; call++) void run();
    await rest();
    await (await runtime.get('work-2')).stop();
    await house.advance(5_000);
    expect(calls).toEqual([0, 2_000]);
  });

  it('WL2: goes on waiting after a crash, for the rest of its time', async () => {
    const house = new House();
    const calls: number[] = [];
    const began = house.clock.now();
    const machines = () => ({
      work: limited({ limit: 1, per: '10s', wait: '1m' }, noting(calls, house.clock)),
      ...recoveryMachines,
    });
    const { runtime, crash } = await house.openToCrash(machines());
    for (const id of ['1', '2', '3']) await runtime.start('work', { id });
    await rest();
    await house.advance(3_000);
    crash();
    house.clock.jump(4_000);
    await house.open(machines());
    await rest();
    await house.advance(60_000);
    expect(calls.map((at) => at - began)).toEqual([0, 10_000, 20_000]);
    expect(await house.types('rateLimiter-api')).toEqual(['ActorStarted', ...Array<string>(3).fill('EventReceived')]);
  });

  it('WL2: goes on waiting after the restart of a process on a SQLite file, and the limit holds over it', async () => {
    const path = logPath();
    const clock = new VirtualClock();
    const began = clock.now();
    const calls: number[] = [];
    const life = () =>
      createRuntime({
        log: sqliteLog(path, { clock }),
        clock,
        logger: silentLogger,
        machines: { work: limited({ limit: 1, per: '10s', wait: '10s' }, noting(calls, clock)), ...recoveryMachines },
      });
    const first = await life();
    await first.start('work', { id: '1' });
    await clock.advance(0, settled);
    await first.start('work', { id: '2' });
    await clock.advance(1_000, settled);
    await first.close();
    clock.jump(500);
    await using second = await life();
    await second.start('work', { id: '3' });
    await clock.advance(0, settled);
    await expect((await second.get('work-3')).output()).rejects.toMatchObject({ retryAfterMs: 18_500 });
    await clock.advance(20_000, settled);
    expect(await (await second.get('work-2')).output()).toBe('done');
    expect(calls.map((at) => at - began)).toEqual([0, 10_000]);
  });

  it('never waits longer than it may, also where the clock of the limiter is ahead', async () => {
    const { house, calls, began, run } = await place({ limit: 1, per: '1s', wait: '1s' });
    await house.advance(60_000);
    await run();
    house.clock.jump(-60_000);
    void run();
    await rest();
    await house.advance(1_000);
    expect(calls).toEqual([60_000, house.clock.now() - began]);
  });
});

it('LG3: a limiter that is asked by more than its mailbox holds refuses them', async () => {
  const house = new House();
  const calls: number[] = [];
  const work = limited({ limit: 3, per: '1m' }, noting(calls, house.clock));
  const runtime = await house.open({ work, ...recoveryMachines }, { mailboxSize: 5 });
  await runtime.start('rateLimiter', { id: 'api', input: { key: 'api', options: { limit: 3, per: '1m' } } });
  const ids = Array.from({ length: 60 }, (_, index) => `${index}`);
  const refs = await Promise.all(ids.map((id) => runtime.start('work', { id })));
  await rest();
  expect(calls.length).toBe(3);
  const errors = await Promise.all(refs.map(async (ref) => (await outcomeOf(ref.output())).error));
  expect(errors.filter((error) => error instanceof RateLimitedError).length).toBe(57);
  expect((await house.types('rateLimiter-api')).length).toBeLessThan(20);
});

it('WL3, LG3: who may wait asks again where the mailbox of the limiter was full, for as long as there is time', async () => {
  for (const [wait, most] of [['5m', 30] as const, ['2m', 30] as const, ['3s', 10] as const]) {
    const house = new House();
    const calls: number[] = [];
    const began = house.clock.now();
    const work = limited({ limit: 10, per: '1m', wait }, noting(calls, house.clock));
    const runtime = await house.open({ work, ...recoveryMachines }, { mailboxSize: 5 });
    await runtime.start('rateLimiter', { id: 'api', input: { key: 'api', options: { limit: 10, per: '1m' } } });
    const ids = Array.from({ length: 30 }, (_, index) => `${index}`);
    const refs = await Promise.all(ids.map((id) => runtime.start('work', { id })));
    const ended = Promise.all(refs.map((ref) => outcomeOf(ref.output())));
    await rest();
    await house.advance(300_000);
    const errors = (await ended).flatMap(({ error }) => (error === undefined ? [] : [error]));
    expect([calls.length, errors.length]).toEqual([most, 30 - most]);
    expect(errors.every((error) => error instanceof RateLimitedError)).toBe(true);
    // RL1, with the burst of 10 first.
    expect(calls.every((at, index) => at - began >= (index - 9) * 6_000)).toBe(true);
  }
});

describe('two processes on one log', () => {
  it('hand out the last token once on a SQLite file, too', async () => {
    const path = logPath();
    const clock = new VirtualClock();
    const calls: number[] = [];
    const open = () =>
      createRuntime({
        ...{ log: sqliteLog(path, { clock }), clock, logger: silentLogger, lease: false },
        machines: { work: limited({ limit: 3, per: '1m' }, noting(calls, clock)), ...recoveryMachines },
      });
    await using here = await open();
    await using there = await open();
    const ids = ['1', '2', '3', '4', '5', '6', '7', '8'];
    const refs = await Promise.all(ids.map((id, index) => (index % 2 ? here : there).start('work', { id })));
    const ends = refs.map((ref) => outcomeOf(ref.output()));
    await clock.advance(2_000, settled);
    const errors = (await Promise.all(ends)).filter(({ error }) => error instanceof RateLimitedError);
    expect([calls.length, errors.length]).toEqual([3, 5]);
  });

  it('hand out the last token once', async () => {
    const house = new House();
    const calls: number[] = [];
    const machines = () => ({
      work: limited({ limit: 3, per: '1m' }, noting(calls, house.clock)),
      ...recoveryMachines,
    });
    const [here, there] = [await house.open(machines()), await house.open(machines())];
    const start = (runtime: typeof here, id: string) => runtime.start('work', { id });
    await start(here, '1');
    await rest();
    await start(there, '2');
    await rest();
    const refs = await Promise.all([start(here, '3'), start(there, '4'), start(here, '5'), start(there, '6')]);
    await rest();
    await house.advance(2_000);
    expect(calls.length).toBe(3);
    const ends = refs.map((ref) => (ref.getSnapshot() as { status: string }).status);
    expect(ends.toSorted()).toEqual(['done', 'error', 'error', 'error']);
  });
});

describe('a limiter that cannot be reached', () => {
  const unreachable = async (onStoreError?: 'allow' | 'fail') => {
    const house = new House();
    const machine = limited({ limit: 1, per: '1h', ...(onStoreError && { onStoreError }) });
    const log = house.faulty();
    const runtime = await house.open({ work: machine, ...recoveryMachines }, { log });
    log.unreachable = (stream) => stream !== 'work-1';
    await runtime.start('rateLimiter', { id: 'api', input: { key: 'api', options: { limit: 1, per: '1h' } } });
    const ref = await runtime.start('work', { id: '1' });
    await rest();
    return { ...(await outcomeOf(ref.output())), facts: await house.facts('work-1') };
  };

  it('lets the call through and says so, unless it is told to fail', async () => {
    const told = [{ type: 'RateLimiterUnavailable', key: 'api', problem: 'gone' }];
    expect(await unreachable()).toMatchObject({ output: 'done', facts: told });
    expect(await unreachable('allow')).toMatchObject({ output: 'done', facts: told });
    expect(await unreachable('fail')).toMatchObject({ error: { code: 'REWAKE_LOG_UNAVAILABLE' }, facts: [] });
  });

  it('is an error that says what to do where the runtime does not know the machine', async () => {
    const ref = await (await new House().open({ work: limited({ limit: 1, per: '1h' }) })).start('work', { id: '1' });
    await rest();
    await expect(ref.output()).rejects.toMatchObject({ cause: { code: 'REWAKE_UNKNOWN_MACHINE' } });
  });
});

describe('a RateLimitedError', () => {
  it('is a policy error, ignored by breakers, and the same after the log', () => {
    const error = new RateLimitedError('api', 1_500);
    const policy = { class: 'policy', retryable: true, breaker: 'ignored', code: 'REWAKE_RATE_LIMITED' };
    const decoded = decode(JSON.parse(JSON.stringify(encode(error, 'error').json)) as never);
    expect(decoded).toBeInstanceOf(RateLimitedError);
    expect(decoded).toMatchObject({ key: 'api', retryAfterMs: 1_500, message: error.message });
    expect([classify(error), classify(decoded)]).toEqual([policy, policy]);
  });

  it('keeps its class after a fold', async () => {
    const { house, machines, run } = await place({ limit: 1, per: '1s' });
    await run();
    await run();
    const next = await house.open(machines(), { snapshots: false });
    await expect((await next.get('work-2')).output()).rejects.toBeInstanceOf(RateLimitedError);
  });

  it('is retried by a retry around it, no earlier than it says', async () => {
    const house = new House();
    const began = house.clock.now();
    const calls: number[] = [];
    const call = withRateLimit('api', { limit: 1, per: '20s' })(noting(calls, house.clock));
    const retry = { maxRetries: 3, backoff: { initialDelay: '1s', jitter: 'none' } } as const;
    const work = withRetry(retry)(call) as unknown as AnyStateMachine;
    const runtime = await house.open({ work, ...recoveryMachines });
    for (const id of ['1', '2']) {
      await runtime.start('work', { id });
      await rest();
    }
    await house.advance(60_000);
    expect(calls.map((at) => at - began)).toEqual([0, 20_000]);
    const once = withRetry({ maxRetries: 0 })(call) as unknown as AnyStateMachine;
    const other = await house.open({ work: once, ...recoveryMachines }, { resume: false });
    for (const id of ['3', '4']) await other.start('work', { id });
    await rest();
    await expect((await other.get('work-4')).output()).rejects.toBeInstanceOf(RecoveryExhaustedError);
  });

  it('opens no breaker around it', async () => {
    const house = new House();
    const call = withRateLimit('api', { limit: 1, per: '1h' })(fromPromise(async () => 'done'));
    const work = withBreaker({ key: 'api', consecutive: 1 })(call) as unknown as AnyStateMachine;
    const runtime = await house.open({ work, ...recoveryMachines });
    for (const id of ['1', '2', '3']) {
      await runtime.start('work', { id });
      await rest();
    }
    await expect((await runtime.get('work-3')).output()).rejects.toBeInstanceOf(RateLimitedError);
    expect((await runtime.get('breaker-api')).getSnapshot().value).toBe('closed');
  });
});

describe('a crash at any append', () => {
  it('takes no token twice, and loses no call', async () => {
    const crashes = await atEveryAppend(liveThrough, ({ starts, turns }, where) => {
      // A call may run again; its turn was at that time.
      expect({ starts: [...new Set(starts)], turns }, where).toEqual({ starts: [0, 1_000, 2_000], turns: 3 });
    });
    expect(crashes).toBeGreaterThan(16);
  });

  /** Three calls of which two wait, with a crash in the first life; the next one comes up at once. */
  async function liveThrough(crash: Crash) {
    const starts: number[] = [];
    const since = { now: (): number => clock.now() - began };
    const lives = new TwoLives(crash, () => ({
      work: limited({ limit: 1, per: '1s', wait: '5s' }, noting(starts, since)),
      ...recoveryMachines,
    }));
    const { clock } = lives;
    const began = clock.now();
    const begin = async (runtime: Awaited<ReturnType<typeof lives.first>>) => {
      for (const id of ['1', '2', '3']) {
        void runtime.start('work', { id }).catch(() => {});
        await rest();
      }
    };
    await begin(await lives.first());
    for (let step = 0; step < 50 && !lives.crashed; step++) await clock.advance(100, rest);
    const { crashed } = lives;
    if (crashed) {
      await begin(await lives.second());
      await clock.advance(10_000, rest);
    }
    let turns = 0;
    for await (const { type } of lives.log.readStream('rateLimiter-api')) turns += Number(type === 'EventReceived');
    return { crashed, starts, turns };
  }
});

describe('under plain XState', () => {
  it('a limit is an actor of the process, and a wait a timer of the clock that the machine has', async () => {
    forgetLocalActors();
    const call = fromPromise(async () => 'done');
    const refusing = withRateLimit('plain', { limit: 1, per: '1h' })(call);
    expect(await toPromise(createActor(refusing).start())).toBe('done');
    await expect(toPromise(createActor(refusing).start())).rejects.toBeInstanceOf(RateLimitedError);
    const clock = new SimulatedClock();
    const waiting = createActor(withRateLimit('plain', { limit: 1, per: '1h', wait: '2h' })(call), { clock }).start();
    await rest();
    expect(waiting.getSnapshot().value).toBe('waiting');
    clock.increment(3_600_001);
    expect(await toPromise(waiting)).toBe('done');
    forgetLocalActors();
  });
});

it.each([
  ['', { limit: 1, per: '1s' }],
  ['x', { limit: 0, per: '1s' }],
  ['x', { limit: 1, per: '0s' }],
  ['x', { limit: 1 }],
  ['x', { limit: 1, per: '1s', burst: 0.5 }],
  ['x', { limit: 1, per: '1s', wait: true }],
  ['x', { limit: 1, per: '1s', wait: 'long' }],
  // Under plain XState a timer that long fires at once.
  ['x', { limit: 1, per: '1s', wait: '25d' }],
  ['x', { limit: 1, per: '1s', onStoreError: 'ignore' }],
  ['x', { limit: 1, per: '1s', queue: 3 }],
  ['x', undefined],
])('refuses key %j with options %j', (key, options) => {
  expect(() => withRateLimit(key, options as never)).toThrow(InvalidArgumentError);
  expect(() => withRateLimit(key, options as never)).toThrow(/^withRateLimit\(/);
});
