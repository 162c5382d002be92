/**
 * A call with a cache: hits, misses, callers who want the same, restarts, two processes, and plain XState. Letters and
 * numbers are those of the headers of machines/caching.ts and machines/cache-effects.ts.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock, toPromise, type AnyActorLogic, type AnyStateMachine } from 'xstate';
import { createRuntime, InvalidArgumentError, VirtualClock, type EffectArguments } from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import type { CacheContext } from '../../machines/cache.ts';
import { withCache } from '../../machines/caching.ts';
import type { CacheOptions } from '../../machines/cache-options.ts';
import { flightCount, forgetFlights } from '../../machines/flights.ts';
import { recoveryMachines } from '../../machines/index.ts';
import { forgetLocalActors } from '../../machines/keyed-actor.ts';
import { step, withRetry } from '../../machines/step.ts';
import { atEveryAppend, TwoLives, type Crash } from '../support/two-lives.ts';
import { House, outcomeOf } from '../support/house.ts';
import { rest, settled } from '../support/hosted-and-plain.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { logPath } from '../stores/sqlite/log-files.ts';

beforeEach(() => {
  forgetFlights();
  forgetLocalActors();
});

type End = (outcome: unknown) => void;

/** Calls that the test ends: with a value, or with an error. */
class Desk {
  readonly calls: string[] = [];
  readonly #ends: End[] = [];

  readonly logic = fromPromise<unknown, string>(({ input }) => {
    this.calls.push(input);
    return new Promise((resolve, reject) => {
      this.#ends.push((outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome)));
    });
  });

  /** Ends the n-th call, from 0. */
  async end(call: number, outcome: unknown): Promise<void> {
    this.#ends[call]!(outcome);
    await rest();
  }
}

const byInput = (options: Partial<CacheOptions<string>> = {}): CacheOptions<string> => ({
  key: (input) => input,
  ttl: '1m',
  ...options,
});

const cached = (logic: AnyActorLogic, options?: Partial<CacheOptions<string>>) =>
  withCache('prices', byInput(options))(logic) as unknown as AnyStateMachine;

async function place(options?: Partial<CacheOptions<string>>) {
  const house = new House();
  const desk = new Desk();
  const machines = (logic = desk.logic) => ({ work: cached(logic, options), ...recoveryMachines });
  const { runtime, crash } = await house.openToCrash(machines());
  let runs = 0;
  /** Starts a call and lets it come as far as it comes. */
  const ask = async (input: string, on = runtime) => {
    const ended = outcomeOf((await on.start('work', { id: String(++runs), input } as never)).output());
    await rest();
    return { id: `work-${runs}`, ended };
  };
  return { house, desk, machines, runtime, crash, ask };
}

describe('a call with a cache', () => {
  it('WC1: is answered by a fresh result without a run of the wrapped logic, and says so', async () => {
    const { house, desk, ask } = await place();
    const began = house.clock.now();
    const first = await ask('a');
    await desk.end(0, { price: 12 });
    expect((await first.ended).output).toEqual({ price: 12 });
    await house.advance(1_500);
    const second = await ask('a');
    expect((await second.ended).output).toEqual({ price: 12 });
    expect(desk.calls).toEqual(['a']);
    expect(await house.facts(first.id)).toEqual([
      { type: 'CacheStored', cache: 'prices', key: 'a', freshUntil: began + 60_000 },
    ]);
    expect(await house.facts(second.id)).toEqual([{ type: 'CacheHit', cache: 'prices', key: 'a', ageMs: 1_500 }]);
  });

  it('CE1: costs its cache one event for a result, and none for a hit', async () => {
    const { house, desk, ask } = await place();
    await ask('a');
    await desk.end(0, 12);
    for (let hit = 0; hit < 10; hit++) await ask('a');
    expect(await house.types('cache-prices')).toEqual(['ActorStarted', 'EventReceived']);
  });

  it('WC1: bypasses the breaker of what it wraps', async () => {
    const house = new House();
    let calls = 0;
    const price = step('price', ({ input }: EffectArguments<string>) => (calls++, `${input} costs 12`), {
      breaker: 'api',
    });
    const work = withCache('prices', byInput())(price) as unknown as AnyStateMachine;
    const runtime = await house.open({ work, ...recoveryMachines });
    const first = await runtime.start('work', { id: '1', input: 'a' } as never);
    await rest();
    await runtime.send('breaker-api', { type: 'breaker.isolated', hold: 'maintenance' });
    const second = await runtime.start('work', { id: '2', input: 'a' } as never);
    await rest();
    expect([await first.output(), await second.output(), calls]).toEqual(['a costs 12', 'a costs 12', 1]);
  });

  it('calls again for another key, when the result is over, and when it was cleared', async () => {
    const { house, desk, runtime, ask } = await place();
    await ask('a');
    await desk.end(0, 1);
    await ask('b');
    await desk.end(1, 2);
    await house.advance(60_000);
    await ask('a');
    await desk.end(2, 3);
    await runtime.send('cache-prices', { type: 'cache.cleared', key: 'a' });
    await ask('a');
    expect(desk.calls).toEqual(['a', 'b', 'a', 'a']);
  });

  it('WC3: stores no failure', async () => {
    const { house, desk, ask } = await place();
    const first = await ask('a');
    await desk.end(0, new Error('down'));
    expect((await first.ended).error).toMatchObject({ message: 'down' });
    await ask('a');
    expect(desk.calls).toEqual(['a', 'a']);
    expect([await house.facts(first.id), await house.types('cache-prices')]).toEqual([[], ['ActorStarted']]);
  });

  it('stores results of all kinds that a log can hold', async () => {
    const { desk, ask } = await place();
    const values = [undefined, null, 0, '', [new Date(7), 1n], new Map([['a', NaN]])];
    for (const [index, value] of values.entries()) {
      await ask(`${index}`);
      await desk.end(index, value);
      expect((await (await ask(`${index}`)).ended).output).toEqual(value);
    }
    expect(desk.calls.length).toBe(values.length);
  });

  it('fails where its key throws or is no text, and calls nothing', async () => {
    for (const key of [() => 7 as never, () => ({}) as never]) {
      const { desk, ask } = await place({ key });
      expect((await (await ask('a')).ended).error).toBeInstanceOf(InvalidArgumentError);
      expect(desk.calls).toEqual([]);
    }
    const { ask } = await place({
      key: () => {
        throw new Error('no key');
      },
    });
    expect((await (await ask('a')).ended).error).toMatchObject({ message: 'no key' });
  });

  it('WC4: is made without a cache that cannot be reached, which it says', async () => {
    const house = new House();
    const log = house.faulty();
    const work = cached(fromPromise(async () => 'fine'));
    const runtime = await house.open({ work, ...recoveryMachines }, { log });
    log.unreachable = (stream) => stream !== 'work-1';
    await runtime.start('cache', { id: 'prices', input: { name: 'prices' } });
    const ref = await runtime.start('work', { id: '1', input: 'a' } as never);
    await rest();
    expect(await ref.output()).toBe('fine');
    expect(await house.facts('work-1')).toEqual([
      { type: 'CacheUnavailable', cache: 'prices', key: 'a', problem: 'gone' },
    ]);
  });

  it('is an error that says what to do where the runtime does not know the machine', async () => {
    const work = cached(fromPromise(async () => 'fine'));
    const ref = await (await new House().open({ work })).start('work', { id: '1', input: 'a' } as never);
    await rest();
    await expect(ref.output()).rejects.toMatchObject({ cause: { code: 'REWAKE_UNKNOWN_MACHINE' } });
  });
});

describe('callers who want the same at the same time', () => {
  it('WC5: make one call, and all get its result', async () => {
    const { house, desk, ask } = await place();
    const asked = [await ask('a'), await ask('a'), await ask('b'), await ask('a')];
    expect(desk.calls).toEqual(['a', 'b']);
    await desk.end(0, 12);
    const outputs = await Promise.all([0, 1, 3].map(async (index) => (await asked[index]!.ended).output));
    expect([outputs, desk.calls, flightCount()]).toEqual([[12, 12, 12], ['a', 'b'], 1]);
    expect(await house.facts(asked[1]!.id)).toEqual([
      { type: 'CallShared', cache: 'prices', key: 'a', outcome: 'success' },
    ]);
    expect(await house.types('cache-prices')).toEqual(['ActorStarted', 'EventReceived']);
  });

  it('WC3: all fail with what the call fails with, and who comes later calls', async () => {
    const { house, desk, ask } = await place();
    const asked = [await ask('a'), await ask('a')];
    await desk.end(0, Object.assign(new Error('down'), { status: 503 }));
    for (const { ended } of asked) expect((await ended).error).toMatchObject({ message: 'down', status: 503 });
    expect(await house.facts(asked[1]!.id)).toEqual([
      { type: 'CallShared', cache: 'prices', key: 'a', outcome: 'failure' },
    ]);
    await ask('a');
    expect(desk.calls).toEqual(['a', 'a']);
  });

  it('FL2: go on with another call when the one who made it is stopped', async () => {
    const { desk, runtime, ask } = await place();
    const asked = [await ask('a'), await ask('a'), await ask('a')];
    await (await runtime.get('work-1')).stop();
    await rest();
    expect(desk.calls).toEqual(['a', 'a']);
    await desk.end(1, 12);
    for (const { ended } of asked.slice(1)) expect((await ended).output).toBe(12);
    expect([desk.calls.length, flightCount()]).toEqual([2, 0]);
  });

  it('FL3: wait no longer than their patience for a call that hangs, and then for one of them', async () => {
    const { house, desk, ask } = await place({ patience: '10s' });
    const asked = [await ask('a'), await ask('a'), await ask('a')];
    await house.advance(9_999);
    expect(desk.calls.length).toBe(1);
    await house.advance(1);
    expect(desk.calls.length).toBe(2);
    await desk.end(1, 12);
    expect([(await asked[1]!.ended).output, (await asked[2]!.ended).output]).toEqual([12, 12]);
    await desk.end(0, 'late');
    expect((await asked[0]!.ended).output).toBe('late');
    expect(desk.calls.length).toBe(2);
  });

  it('share nothing with those of another log in the same process', async () => {
    const [here, there] = [await place(), await place()];
    await here.ask('a');
    const other = await there.ask('a');
    await here.desk.end(0, 'secret');
    await there.desk.end(0, 'own');
    expect((await other.ended).output).toBe('own');
  });
});

describe('a restart', () => {
  it('keeps the results, also on a SQLite file', async () => {
    const path = logPath();
    const clock = new VirtualClock();
    let calls = 0;
    const life = () =>
      createRuntime({
        log: sqliteLog(path, { clock }),
        clock,
        logger: silentLogger,
        machines: { work: cached(fromPromise(async () => ++calls)), ...recoveryMachines },
      });
    const first = await life();
    await first.start('work', { id: '1', input: 'a' } as never);
    await clock.advance(1_000, settled);
    await first.close();
    clock.jump(58_000);
    await using second = await life();
    await second.start('work', { id: '2', input: 'a' } as never);
    await clock.advance(0, settled);
    expect(await (await second.get('work-2')).output()).toBe(1);
    await clock.advance(1_000, settled);
    await second.start('work', { id: '3', input: 'a' } as never);
    await clock.advance(0, settled);
    expect(await (await second.get('work-3')).output()).toBe(2);
  });

  it('WC5: in the middle of a shared call makes it again, at most once more than before', async () => {
    const { house, desk, machines, crash, ask } = await place();
    for (let caller = 0; caller < 4; caller++) await ask('a');
    crash();
    forgetFlights();
    const next = new Desk();
    const again = await house.open(machines(next.logic));
    await rest();
    expect(next.calls.length).toBeGreaterThanOrEqual(1);
    expect(next.calls.length).toBeLessThanOrEqual(2);
    for (const call of next.calls.keys()) await next.end(call, 12);
    for (const id of ['1', '2', '3', '4']) expect(await (await again.get(`work-${id}`)).output()).toBe(12);
    expect([desk.calls.length, flightCount()]).toEqual([1, 0]);
  });

  it('costs the one who makes the call no event for the lead it has', async () => {
    const { house, machines, crash, ask } = await place();
    await ask('a');
    crash();
    forgetFlights();
    const next = new Desk();
    await house.open(machines(next.logic));
    await rest();
    expect(next.calls).toEqual(['a']);
    expect((await house.types('work-1')).filter((type) => type === 'EffectProgressed').length).toBe(1);
  });

  it('in order starts no call of those who waited for another, and finds nobody left', async () => {
    const { house, desk, machines, runtime, ask } = await place();
    for (let caller = 0; caller < 3; caller++) await ask('a');
    const closed = runtime.close();
    await rest();
    await house.advance(10_000);
    await closed;
    expect([desk.calls, flightCount()]).toEqual([['a'], 0]);
    const next = new Desk();
    const again = await house.open(machines(next.logic));
    await rest();
    for (const call of next.calls.keys()) await next.end(call, 12);
    expect(await (await again.get('work-3')).output()).toBe(12);
  });

  it('CS1: long after the answer stores nothing that is fresh no more', async () => {
    const { house, machines, desk, crash, ask } = await place();
    const log = house.log;
    const append = log.append.bind(log);
    await ask('warm');
    await desk.end(0, 0);
    // The log takes nothing more of the cache: the answer is durable, the storing is not.
    log.append = (stream, ...args) => (stream === 'cache-prices' ? new Promise(() => {}) : append(stream, ...args));
    await ask('a');
    await desk.end(1, 12);
    crash();
    log.append = append;
    forgetFlights();
    house.clock.jump(60_000);
    const again = await house.open(machines());
    await rest();
    expect(await (await again.get('work-2')).output()).toBe(12);
    const { entries } = (await again.get('cache-prices')).getSnapshot().context as CacheContext;
    expect(entries.map(({ key }) => key)).toEqual(['warm']);
    expect(await house.facts('work-2')).toEqual([]);
  });

  it('at any append loses no result, and calls once more at most', async () => {
    const crashes = await atEveryAppend(liveThrough, ({ crashed, outputs, calls }, where) => {
      expect(outputs, where).toEqual(['a', 'a', 'b', 'a']);
      expect(calls).toBeLessThanOrEqual(crashed ? 4 : 2);
    });
    expect(crashes).toBeGreaterThan(20);
  });

  /** Three callers of whom two want the same, and one that comes later; with a crash in the first life. */
  async function liveThrough(crash: Crash) {
    forgetFlights();
    let calls = 0;
    const slow = fromPromise<unknown, string>(({ input }) => {
      calls++;
      return new Promise((resolve) => void clock.setTimer(clock.now() + 1_000, () => resolve(input)));
    });
    const lives = new TwoLives(crash, () => ({ work: cached(slow), ...recoveryMachines }));
    const { clock } = lives;
    const play = async (runtime: Awaited<ReturnType<typeof lives.first>>) => {
      const start = (id: string, input: string) => void runtime.start('work', { id, input } as never).catch(() => {});
      for (const [id, input] of [
        ['1', 'a'],
        ['2', 'a'],
        ['3', 'b'],
      ] as const)
        start(id, input);
      await clock.advance(5_000, rest);
      start('4', 'a');
      await clock.advance(5_000, rest);
    };
    const first = await lives.first();
    await play(first);
    const { crashed } = lives;
    if (crashed) forgetFlights();
    const last = crashed ? await lives.second() : first;
    if (crashed) await play(last);
    const outputs = [];
    for (const id of ['1', '2', '3', '4']) outputs.push(await (await last.get(`work-${id}`)).output());
    return { crashed, outputs, calls };
  }
});

it('two processes on one log share what is stored', async () => {
  const { house, desk, machines, ask } = await place();
  const there = await house.open(machines());
  const first = await ask('a');
  await desk.end(0, 12);
  const second = await ask('a', there as never);
  expect([(await first.ended).output, (await second.ended).output, desk.calls]).toEqual([12, 12, ['a']]);
});

it('under plain XState the cache is an actor of the process', async () => {
  const desk = new Desk();
  const work = withCache('plain', byInput({ ttl: '1h', patience: '10s' }))(desk.logic);
  const clock = new SimulatedClock();
  const actors = ['a', 'a', 'b'].map((input) => createActor(work, { input, clock }).start());
  const ended = actors.map((actor) => toPromise(actor));
  await rest();
  expect(desk.calls).toEqual(['a', 'b']);
  await desk.end(0, 12);
  await desk.end(1, 13);
  expect(await Promise.all(ended)).toEqual([12, 12, 13]);
  expect(await toPromise(createActor(work, { input: 'a' }).start())).toBe(12);
  const [leader, follower] = ['c', 'c'].map((input) => createActor(work, { input, clock }).start());
  await rest();
  clock.increment(10_000);
  await rest();
  expect([desk.calls.slice(2), follower!.getSnapshot().value]).toEqual([['c', 'c'], { sharing: 'calling' }]);
  leader!.stop();
  const failed = outcomeOf(toPromise(follower!));
  await desk.end(3, new Error('down'));
  expect((await failed).error).toMatchObject({ message: 'down' });
  expect(flightCount()).toBe(0);
});

it('CE3: a cache around itself does not wait for itself, hosted or not', async () => {
  const { house, desk } = await place();
  const thrice = cached(withRetry(0)(cached(cached(desk.logic))) as AnyActorLogic);
  const runtime = await house.open({ thrice, ...recoveryMachines });
  const refs = [];
  for (const id of ['1', '2']) refs.push(await runtime.start('thrice', { id, input: 'a' } as never));
  await rest();
  expect(desk.calls).toEqual(['a']);
  await desk.end(0, 12);
  expect(await Promise.all(refs.map((ref) => ref.output()))).toEqual([12, 12]);
  const ended = toPromise(createActor(thrice, { input: 'b' }).start());
  await rest();
  await desk.end(1, 13);
  expect([await ended, desk.calls, flightCount()]).toEqual([13, ['a', 'b'], 0]);
});

it('a machine that is cached has the input of its key and of what it wraps', () => {
  const price = fromPromise(async ({ input }: { input: { sku: string } }) => input.sku.length);
  const machine = withCache('prices', { key: ({ shop }: { shop: string }) => shop, ttl: 1 })(price);
  const input: Parameters<typeof machine.getInitialSnapshot>[1] = { sku: 'x', shop: 'y' };
  expect(createActor(machine, { input }).getSnapshot().context.key).toBe('y');
});

it.each([
  ['', byInput()],
  ['x', { ttl: '1m' }],
  ['x', byInput({ key: 'input' as never })],
  ['x', byInput({ ttl: 0 })],
  ['x', { key: () => '' }],
  ['x', byInput({ max: 0 })],
  ['x', byInput({ patience: 0 })],
  // Under plain XState a timer that long fires at once.
  ['x', byInput({ patience: '25d' })],
  ['x', { ...byInput(), size: 3 }],
  ['x', undefined],
])('refuses name %j with options %j', (name, options) => {
  expect(() => withCache(name, options as never)).toThrow(InvalidArgumentError);
  expect(() => withCache(name, options as never)).toThrow(/^withCache\(/);
});
