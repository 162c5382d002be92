/** A recoverable function whose calls are kept on a log: in a runtime that is given, with virtual time, and on a log alone. */
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  ActorBlockedError,
  ActorExistsError,
  ActorStoppedError,
  effectContext,
  InvalidArgumentError,
  LogOwnedError,
  memoryLog,
  NotSerializableError,
  now,
  ReplayDivergedError,
  RuntimeClosedError,
  type AnyRuntime,
} from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import { recoverable } from '../../machines/recoverable.ts';
import type { RecoverableOptions } from '../../machines/recoverable-options.ts';
import { CircuitBreakerOpenError, RecoveryExhaustedError } from '../../machines/recovery-errors.ts';
import { atEveryAppend, TwoLives, type Crash } from '../support/two-lives.ts';
import { failureOf, House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { createRuntime } from '../../src/index.ts';
import { logPath } from '../stores/sqlite/log-files.ts';

const busy = () => Object.assign(new Error('busy'), { status: 503 });
const hang = () => new Promise<never>(() => {});
const key = (id: string) => id;

/** The same function in every life: fails so often, then answers. */
function flaky(failures: number) {
  const calls: string[] = [];
  const download = async (id: string, size = 0) => {
    calls.push(id);
    if (calls.length <= failures) throw busy();
    return `${id} of ${size}`;
  };
  const made = (persistence: AnyRuntime, more: Omit<RecoverableOptions<[string]>, 'key'> = {}) =>
    recoverable({ persistence, key, ...more })(download);
  return { calls, download, made };
}

describe('a call on a log', () => {
  it('is retried as one in the process is, and each decision is a fact', async () => {
    const house = new House();
    const { calls, made } = flaky(2);
    const answer = made(await house.open({}))('a', 7);
    await rest();
    await house.advance(3_000);
    expect([await answer, calls.length]).toEqual(['a of 7', 3]);
    const facts = await house.facts('download-a');
    expect(facts.map(({ type, delayMs }) => [type, delayMs])).toEqual([
      ['AttemptFailed', undefined],
      ['RetryScheduled', 1_000],
      ['AttemptFailed', undefined],
      ['RetryScheduled', 2_000],
    ]);
  });

  it('ends as it would have after a crash at any append', async () => {
    const crashes = await atEveryAppend(liveThrough, ({ answer, calls }, where) => {
      expect(answer, where).toBe('a of 0');
      expect(calls).toBeLessThanOrEqual(4);
    });
    expect(crashes).toBeGreaterThan(12);
  });

  async function liveThrough(crash: Crash) {
    const lives = new TwoLives(crash, () => ({}), { resume: false });
    const { calls, made } = flaky(2);
    let answer = made(await lives.first(), { maxRetries: 4 })('a');
    answer.catch(() => {});
    await lives.clock.advance(10_000, rest);
    const { crashed } = lives;
    if (crashed) answer = made(await lives.second(), { maxRetries: 4 })('a');
    await lives.clock.advance(60_000, rest);
    return { crashed, answer: await answer, calls: calls.length };
  }

  it('goes on in its wait, with the attempts it had, when it is called again', async () => {
    const house = new House();
    const { calls, made } = flaky(99);
    const options = { maxRetries: 2, initialDelay: '10s' } as const;
    const { runtime, crash } = await house.openToCrash({});
    void made(runtime, options)('a').catch(() => {});
    await rest();
    await house.advance(4_000);
    crash();
    const error = failureOf(made(await house.open({}, { resume: false }), options)('a'));
    await rest();
    await house.advance(5_999);
    expect(calls.length).toBe(1);
    await house.advance(1);
    expect(calls.length).toBe(2);
    await house.advance(20_000);
    expect(await error).toBeInstanceOf(RecoveryExhaustedError);
    expect([(await error) as object, calls.length]).toMatchObject([{ attempts: 3 }, 3]);
  });

  it('fetches each byte once, though its host dies at 40 % and at 80 %', async () => {
    const house = new House();
    const fetched: number[] = [];
    const deaths = [40, 80];
    const download = async (_url: string) => {
      const context = effectContext()!;
      for (let percent = (context.checkpoint as number | undefined) ?? 0; percent < 100; percent += 10) {
        if (deaths[0] === percent) await (deaths.shift(), hang());
        fetched.push(percent);
        await context.progress(percent + 10);
      }
      return fetched.length;
    };
    const made = (persistence: AnyRuntime) => recoverable({ persistence, key })(download);
    for (let life = 0; life < 2; life++) {
      const { runtime, crash } = await house.openToCrash({}, { resume: false });
      void made(runtime)('file').catch(() => {});
      await rest();
      await house.advance(60_000);
      await rest();
      crash();
    }
    const answer = made(await house.open({}, { resume: false }))('file');
    await rest();
    await house.advance(60_000);
    expect(await answer).toBe(10);
    expect(fetched).toEqual([0, 10, 20, 30, 40, 50, 60, 70, 80, 90]);
  });

  it('is not gone on with where its options would now decide otherwise', async () => {
    const house = new House();
    const { calls, made } = flaky(99);
    const { runtime, crash } = await house.openToCrash({});
    void made(runtime)('a').catch(() => {});
    await rest();
    crash();
    const next = made(await house.open({}, { resume: false }), { initialDelay: '7s' });
    const error = await failureOf(next('a'));
    expect(error).toBeInstanceOf(ActorBlockedError);
    expect(error.cause).toBeInstanceOf(ReplayDivergedError);
    expect(await next.resume()).toBe(0);
    expect(calls.length).toBe(1);
  });

  it('RC1: is one call for all who make it with its key, while it runs and afterwards', async () => {
    const house = new House();
    const { calls, made } = flaky(1);
    const download = made(await house.open({}));
    const answers = [download('a'), download('a'), download('b')];
    await rest();
    await house.advance(1_000);
    expect(await Promise.all(answers)).toEqual(['a of 0', 'a of 0', 'b of 0']);
    expect(await download('a')).toBe('a of 0');
    expect(await made(await house.open({}))('a')).toBe('a of 0');
    expect(calls.toSorted()).toEqual(['a', 'a', 'b']);
  });

  it('RC1: that failed fails again without a call', async () => {
    const house = new House();
    const { calls, made } = flaky(99);
    const download = made(await house.open({}), { maxRetries: 0 });
    for (let call = 0; call < 2; call++) expect(await failureOf(download('a'))).toBeInstanceOf(RecoveryExhaustedError);
    expect(calls.length).toBe(1);
  });

  it('is refused where its key is taken by other arguments, or cannot be a key, or they cannot be logged', async () => {
    const house = new House();
    const { calls, download, made } = flaky(0);
    const runtime = await house.open({});
    const loading = made(runtime);
    await loading('a', 1);
    expect(await failureOf(loading('a', 2))).toBeInstanceOf(ActorExistsError);
    expect(await failureOf(loading('b', (() => 1) as never))).toBeInstanceOf(NotSerializableError);
    const bad = recoverable({ persistence: runtime, name: 'other', key: () => 7 as unknown as string })(download);
    expect(await failureOf(bad('a'))).toMatchObject({
      message: "recoverable('other').key(…): expected a text that is not empty, found 7.",
    });
    expect(calls).toEqual(['a']);
  });

  it('RC3: is refused where it would wait for itself, and not where it calls on', async () => {
    const house = new House();
    const persistence = await house.open({});
    const again = recoverable({ persistence, key, name: 'again' })(async (id: string): Promise<string> => again(id));
    expect(await failureOf(again('a'))).toMatchObject({
      message: `recoverable('again').key(…): expected not the key of the call that calls, found "a".`,
    });
    const on = recoverable({ persistence, key, name: 'on' })(async (id: string): Promise<string> =>
      id === 'aaa' ? id : on(`${id}a`),
    );
    expect(await on('a')).toBe('aaa');
  });

  it('takes a result that cannot be logged for a bug, which is not tried again', async () => {
    const house = new House();
    let calls = 0;
    const make = async (_id: string) => () => calls++;
    const made = recoverable({ persistence: await house.open({}), name: 'make', key })(make);
    expect(await failureOf(made('a'))).toBeInstanceOf(NotSerializableError);
  });

  it('is stopped for good by its signal', async () => {
    const house = new House();
    const controller = new AbortController();
    const runtime = await house.open({});
    const options = { persistence: runtime, key, name: 'wait', signal: controller.signal };
    const waiting = recoverable(options)(async (_id: string) => hang());
    const ended = failureOf(waiting('a'));
    await rest();
    controller.abort(new Error('enough'));
    expect(await ended).toMatchObject({ message: 'enough' });
    await rest();
    expect((await house.types('wait-a')).at(-1)).toBe('ActorStopped');
    expect(await failureOf(waiting('a'))).toMatchObject({ message: 'enough' });
    const next = await house.open({});
    const again = recoverable({ persistence: next, key, name: 'wait' })(async (_id: string) => hang());
    expect(await failureOf(again('a'))).toBeInstanceOf(ActorStoppedError);
  });

  it('has a breaker that other processes know of', async () => {
    const house = new House();
    const { calls, made } = flaky(99);
    const options = { maxRetries: 0, circuitBreakerThreshold: 2 };
    const first = await house.open({});
    const download = made(first, options);
    for (const id of ['a', 'b']) await failureOf(download(id));
    await first.close();
    const error = await failureOf(made(await house.open({}), options)('c'));
    expect(error).toBeInstanceOf(CircuitBreakerOpenError);
    expect(error).toMatchObject({ key: 'download', timeoutRemaining: 300_000 });
    expect(calls.length).toBe(2);
  });
});

describe('resume()', () => {
  it('goes on with the calls of its function that were left unfinished, and with no others', async () => {
    const house = new House();
    const calls: string[] = [];
    let hangs = true;
    const make = (persistence: AnyRuntime, name: string) =>
      recoverable({ persistence, name, key })(async (id: string) => {
        calls.push(`${name} ${id}`);
        return hangs ? hang() : id;
      });
    const { runtime, crash } = await house.openToCrash({});
    for (const fn of [make(runtime, 'one'), make(runtime, 'two')]) {
      for (const id of ['a', 'b']) void fn(id).catch(() => {});
    }
    await rest();
    crash();
    hangs = false;
    calls.length = 0;
    const next = await house.open({}, { resume: false });
    const [one] = [make(next, 'one'), make(next, 'two')];
    expect(await one.resume()).toBe(2);
    await rest();
    await house.advance(60_000);
    expect(calls.toSorted()).toEqual(['one a', 'one b']);
    expect(await one.resume()).toBe(0);
    expect(await one('a')).toBe('a');
    expect(calls.length).toBe(2);
  });

  it('is nothing to do where nothing is kept', async () => {
    const plain = recoverable()(async () => 1);
    expect(await plain.resume()).toBe(0);
    await plain.close();
  });
});

describe('a method on a log', () => {
  class Service {
    readonly name: string;
    readonly seen: string[] = [];
    constructor(name: string) {
      this.name = name;
    }
    async work(id: string): Promise<string> {
      this.seen.push(id);
      return left.length > 0 ? (left.shift(), hang()) : `${this.name} ${id}`;
    }
  }
  const left: string[] = [];
  const decorated = (persistence: AnyRuntime) =>
    recoverable({ persistence, key })(Service.prototype.work, { kind: 'method', name: 'work' } as never);

  async function cutOff(house: House) {
    left.push('one call that is cut off');
    const { runtime, crash } = await house.openToCrash({});
    void decorated(runtime)
      .call(new Service('gone'), 'a')
      .catch(() => {});
    await rest();
    crash();
  }

  it('RC2: goes on with the instance it is called with after a restart', async () => {
    const house = new House();
    await cutOff(house);
    const service = new Service('new');
    const work = decorated(await house.open({}, { resume: false }));
    const answer = work.call(service, 'a');
    await rest();
    await house.advance(1_000);
    expect([await answer, service.seen]).toEqual(['new a', ['a']]);
  });

  it('RC2: goes on with the instance that resume() is given, and needs one', async () => {
    const house = new House();
    await cutOff(house);
    const work = decorated(await house.open({}, { resume: false }));
    expect(await failureOf(work.resume())).toBeInstanceOf(InvalidArgumentError);
    const service = new Service('new');
    expect(await work.resume(service)).toBe(1);
    await rest();
    await house.advance(1_000);
    expect(service.seen).toEqual(['a']);
    expect(await work.call(new Service('late'), 'a')).toBe('new a');
  });

  it('RC2: waits for an instance where the runtime woke it by itself', async () => {
    const house = new House();
    await cutOff(house);
    const next = await house.open({}, { resume: false });
    const work = decorated(next);
    await next.resume();
    await rest();
    await house.advance(1_000);
    const service = new Service('new');
    const answer = work.call(service, 'a');
    await rest();
    expect([await answer, service.seen]).toEqual(['new a', ['a']]);
  });

  it('may be a function that uses this', async () => {
    const work = recoverable({ persistence: await new House().open({}), key })(Service.prototype.work);
    const answer = work.call(new Service('one'), 'a');
    await rest();
    expect(await answer).toBe('one a');
  });

  it('has each instance for its own calls', async () => {
    const house = new House();
    const work = decorated(await house.open({}));
    const answers = [work.call(new Service('one'), 'a'), work.call(new Service('two'), 'b')];
    await rest();
    expect(await Promise.all(answers)).toEqual(['one a', 'two b']);
  });
});

describe('functions on one log', () => {
  it('LR1: share its runtime, also one that is wrapped after the first call', async () => {
    const log = sqliteLog(logPath());
    const one = recoverable({ persistence: log, name: 'one', key })(async (id: string) => `1 ${id}`);
    expect(await one('a')).toBe('1 a');
    await using two = recoverable({ persistence: log, name: 'two', key })(async (id: string) => `2 ${id}`);
    expect(await Promise.all([one('b'), two('b')])).toEqual(['1 b', '2 b']);
    await one.close();
  });

  it('LR2: keep it open as long as one of them is used', async () => {
    const log = memoryLog();
    const make = (name: string) => recoverable({ persistence: log, name, key })(async (id: string) => id);
    const [one, two, unused] = [make('one'), make('two'), make('three')];
    await Promise.all([one('a'), two('a')]);
    await one.close();
    await unused.close();
    expect(await two('b')).toBe('b');
    await two.close();
    expect(await failureOf(two('c'))).toBeInstanceOf(RuntimeClosedError);
    expect(await failureOf(one('c'))).toBeInstanceOf(RuntimeClosedError);
  });

  it('must not bear one name', async () => {
    const log = memoryLog();
    const make = (persistence: AnyRuntime | typeof log) =>
      recoverable({ persistence, name: 'one', key })(async (id: string) => id);
    make(log);
    expect(() => make(log)).toThrow("recoverable('one').name: there is another function of this name on memory log");
    const runtime = await new House().open({});
    make(runtime);
    expect(() => make(runtime)).toThrow(InvalidArgumentError);
    for (const persistence of [await new House().open({}), memoryLog()]) {
      const named = () => recoverable({ persistence, name: 'breaker', key })(async (id: string) => id);
      expect(named).toThrow(InvalidArgumentError);
    }
  });

  it('LR2: try to open it again where another process had it', async () => {
    const path = logPath();
    const owner = await createRuntime({ log: sqliteLog(path), machines: {} });
    await using one = recoverable({ persistence: sqliteLog(path), name: 'one', key })(async (id: string) => id);
    expect(await failureOf(one('a'))).toBeInstanceOf(LogOwnedError);
    await owner.close();
    expect(await one('a')).toBe('a');
  });

  it('LR4: go on when the process stood still for so long that another one had the log in between', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const log = memoryLog();
    const make = (name: string) => recoverable({ persistence: log, name, key })(async (id: string) => `${name} ${id}`);
    const [one, two] = [make('one'), make('two')];
    expect(await one('a')).toBe('one a');
    vi.setSystemTime(now() + 20_000);
    const other = await createRuntime({ log, machines: {}, keepLogOpen: true });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await failureOf(one('b'))).toBeInstanceOf(LogOwnedError);
    await other.close();
    expect(await Promise.all([one('b'), two('b'), one('a')])).toEqual(['one b', 'two b', 'one a']);
    await Promise.all([one.close(), two.close()]);
    expect(await failureOf(one('c'))).toBeInstanceOf(RuntimeClosedError);
  });

  it('lets what is running end for as long as close() says', async () => {
    let begun = () => {};
    let end = (_: string) => {};
    const running = new Promise<void>((resolve) => (begun = resolve));
    const slow = () => (begun(), new Promise<string>((resolve) => (end = resolve)));
    const one = recoverable({ persistence: memoryLog(), name: 'one', key })(async (_id: string) => slow());
    const answer = one('a');
    await running;
    const closed = one.close({ drain: '1m' });
    end('in time');
    expect(await answer).toBe('in time');
    await closed;
  });
});
