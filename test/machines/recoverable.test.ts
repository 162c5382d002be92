/** A function that is made recoverable, in this process: plain XState, fake timers for its waits. */
import { afterEach, beforeEach, describe, expect, expectTypeOf, it, vi } from 'vitest';
import { effectContext, InvalidArgumentError, memoryLog, now, type EventLog } from 'rewake';
import { forgetLocalActors } from '../../machines/keyed-actor.ts';
import { recoverable } from '../../machines/recoverable.ts';
import type { RecoverableOptions } from '../../machines/recoverable-options.ts';
import { CircuitBreakerOpenError, RecoveryExhaustedError, TimeoutError } from '../../machines/recovery-errors.ts';
import { failureOf, isPending } from '../support/house.ts';

const busy = () => Object.assign(new Error('busy'), { status: 503 });
const later = async (ms: number) => void (await vi.advanceTimersByTimeAsync(ms));

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 1_000_000 }));
afterEach(() => {
  vi.useRealTimers();
  forgetLocalActors();
});

/** Fails so often, then returns its input; keeps when it was called. */
function flaky(failures: number, error: () => unknown = busy) {
  const calls: number[] = [];
  const began = now();
  const fn = async (value: string) => {
    calls.push(now() - began);
    if (calls.length <= failures) throw error();
    return value;
  };
  return { calls, fn };
}

/** Ends a call whose waits are over when the time is moved. */
async function outcomeAfter(ms: number, call: Promise<unknown>): Promise<unknown> {
  const ended = call.catch((error: unknown) => error);
  await later(ms);
  return ended;
}

describe('a recoverable function', () => {
  it('works without options: three retries, after 1, 2 and 4 s', async () => {
    const { calls, fn } = flaky(3);
    expect(await outcomeAfter(7_000, recoverable()(fn)('a'))).toBe('a');
    expect(calls).toEqual([0, 1_000, 3_000, 7_000]);
  });

  it('waits as its options say, up to the longest wait', async () => {
    const { calls, fn } = flaky(4);
    const options = { maxRetries: 4, initialDelay: '500ms', backoffFactor: 3, maxDelay: '2s' } as const;
    await outcomeAfter(60_000, recoverable(options)(fn)('a'));
    expect(calls).toEqual([0, 500, 2_000, 4_000, 6_000]);
  });

  it('fails with RecoveryExhaustedError, which has every error, when no attempt is left', async () => {
    let calls = 0;
    const fn = () => {
      throw Object.assign(new Error(`busy ${++calls}`), { status: 503 });
    };
    const error = await outcomeAfter(60_000, recoverable({ maxRetries: 2, name: 'fetchData' })(fn)());
    expect(error).toBeInstanceOf(RecoveryExhaustedError);
    expect(error).toMatchObject({ step: 'fetchData', attempts: 3, originalError: { message: 'busy 3' } });
    expect((error as RecoveryExhaustedError).errors.map((each) => (each as Error).message)).toEqual([
      'busy 1',
      'busy 2',
      'busy 3',
    ]);
  });

  it('gives back the very error that is not retried, of its own class', async () => {
    class UnauthorisedError extends Error {
      readonly status = 401;
    }
    const thrown = new UnauthorisedError('who are you?');
    const { calls, fn } = flaky(1, () => thrown);
    expect(await failureOf(recoverable()(fn)('a'))).toBe(thrown);
    expect(calls.length).toBe(1);
  });

  it.each([
    ['that has no text', Object.create(null) as object, 'object'],
    ['whose text is none', Object.assign(new Error(), { message: Symbol('busy') }), 'Symbol(busy)'],
    ['that ends with a full stop', new Error('The server is busy.'), 'The server is busy'],
  ])('says what it failed with also of a thing %s', async (_, thrown, said) => {
    const { fn } = flaky(9, () => thrown);
    const error = await outcomeAfter(60_000, recoverable({ maxRetries: 1 })(fn)('a'));
    expect(error).toBeInstanceOf(RecoveryExhaustedError);
    expect(error).toMatchObject({ originalError: thrown });
    expect((error as Error).message).toContain(`failed after 2 attempts: ${said}. It is not`);
  });

  it('retries what is no Error, and keeps it', async () => {
    const { fn } = flaky(9, () => 'just text');
    expect(await outcomeAfter(60_000, recoverable({ maxRetries: 1 })(fn)('a'))).toMatchObject({
      attempts: 2,
      originalError: 'just text',
      errors: ['just text', 'just text'],
    });
  });

  it('may be synchronous, and gives a promise', async () => {
    let calls = 0;
    const twice = recoverable()((n: number) => {
      if (++calls < 3) throw busy();
      return n * 2;
    });
    const answer = twice(21);
    expect(answer).toBeInstanceOf(Promise);
    expect(await outcomeAfter(3_000, answer)).toBe(42);
  });

  it('keeps its name, and takes this and all arguments as they are', async () => {
    const tracker = { updates: 0 };
    class Loader {
      base = 'https://example.org/';
      load = recoverable()(async function load(this: Loader, path: string, progress: typeof tracker) {
        progress.updates++;
        return this.base + path;
      });
    }
    const loader = new Loader();
    expect(await loader.load('x', tracker)).toBe('https://example.org/x');
    expect([tracker.updates, loader.load.name]).toEqual([1, 'load']);
  });

  it('bounds each attempt by its timeout, and aborts what runs', async () => {
    const reasons: boolean[] = [];
    const fn = async () => {
      const { signal } = effectContext()!;
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      reasons.push(signal.aborted);
    };
    const error = await outcomeAfter(60_000, recoverable({ timeout: '5s', maxRetries: 1 })(fn)());
    expect(error).toMatchObject({ attempts: 2, originalError: { kind: 'attempt', timeout: 5_000 } });
    expect((error as RecoveryExhaustedError).originalError).toBeInstanceOf(TimeoutError);
    expect(reasons).toEqual([true, true]);
  });

  it('goes on from its checkpoint when it is tried again', async () => {
    const fetched: number[] = [];
    const stumbles = [4, 8];
    const download = recoverable()(async () => {
      const context = effectContext()!;
      for (let at = (context.checkpoint as number | undefined) ?? 0; at < 10; at++) {
        fetched.push(at);
        await context.progress(at + 1);
        if (stumbles[0] === at) throw (stumbles.shift(), busy());
      }
      return fetched.length;
    });
    expect(await outcomeAfter(10_000, download())).toBe(10);
    expect(fetched).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('goes by rules of its own first', async () => {
    const { calls, fn } = flaky(9, () => new RangeError('too far'));
    const classify = [{ match: RangeError, class: 'validation' as const }];
    expect(await failureOf(recoverable({ classify })(fn)('a'))).toBeInstanceOf(RangeError);
    expect(calls.length).toBe(1);
  });

  it('may call another one: each has a context of its own', async () => {
    const { calls, fn } = flaky(1);
    const inner = recoverable()(fn);
    const outer = recoverable()(async () => {
      await effectContext()!.progress('outer');
      return inner('a');
    });
    expect(await outcomeAfter(1_000, outer())).toBe('a');
    expect(calls.length).toBe(2);
  });
});

describe('a strategy', () => {
  it('is a backoff', async () => {
    const { calls, fn } = flaky(3);
    const strategy = { strategy: 'linear', initialDelay: '2s', jitter: 'none' } as const;
    await outcomeAfter(60_000, recoverable({ strategy })(fn)('a'));
    expect(calls).toEqual([0, 2_000, 6_000, 12_000]);
  });

  it('or a function of the number of the retry', async () => {
    const fibonacci = (retry: number): number => (retry <= 1 ? 1 : fibonacci(retry - 1) + fibonacci(retry - 2));
    const { calls, fn } = flaky(4);
    const strategy = { custom: (retry: number) => `${fibonacci(retry)}s` as const };
    await outcomeAfter(60_000, recoverable({ maxRetries: 4, strategy })(fn)('a'));
    expect(calls).toEqual([0, 1_000, 3_000, 6_000, 11_000]);
  });
});

describe('the circuit breaker of a function', () => {
  it('opens after five failures in a row, for 300 s, and is then tried again', async () => {
    const { calls, fn } = flaky(5);
    const protectedOperation = recoverable({ maxRetries: 0 })(async function guarded(value: string) {
      return fn(value);
    });
    for (let call = 0; call < 5; call++) await failureOf(protectedOperation('a'));
    const error = await failureOf(protectedOperation('a'));
    expect(error).toBeInstanceOf(CircuitBreakerOpenError);
    expect(error).toMatchObject({ key: 'guarded', timeoutRemaining: 300_000, lastFailure: { message: 'busy' } });
    expect(calls.length).toBe(5);
    await later(300_000);
    expect(await protectedOperation('a')).toBe('a');
  });

  it('stays open as long each time', async () => {
    const failing = recoverable({ maxRetries: 0, circuitBreakerThreshold: 1, circuitBreakerTimeout: '1m' })(
      flaky(99).fn,
    );
    for (let opening = 0; opening < 3; opening++) {
      expect(await failureOf(failing('a'))).toBeInstanceOf(RecoveryExhaustedError);
      expect(await failureOf(failing('a'))).toMatchObject({ timeoutRemaining: 60_000 });
      await later(60_000);
    }
  });

  it('RV2: is its own, unless functions are given one name', async () => {
    const options = { maxRetries: 0, circuitBreakerThreshold: 1 };
    const [one, two] = [flaky(99).fn, flaky(0).fn];
    await failureOf(recoverable(options)(one)('a'));
    expect(await failureOf(recoverable(options)(one)('a'))).toBeInstanceOf(CircuitBreakerOpenError);
    expect(await recoverable(options)(two)('a')).toBe('a');
    await failureOf(recoverable({ ...options, name: 'api' })(one)('a'));
    expect(await failureOf(recoverable({ ...options, name: 'api' })(two)('a'))).toMatchObject({ key: 'api' });
  });

  it('is none with false', async () => {
    const { calls, fn } = flaky(99);
    const failing = recoverable({ maxRetries: 0, circuitBreakerThreshold: false })(fn);
    for (let call = 0; call < 9; call++) await failureOf(failing('a'));
    expect(calls.length).toBe(9);
  });
});

describe('a signal', () => {
  it('that aborts the probe of a half-open breaker lets the next call be one (SE1)', async () => {
    const controllers = [new AbortController(), new AbortController(), new AbortController()];
    const answers = [() => Promise.reject(busy()), () => new Promise<never>(() => {}), async () => 'well'];
    const options = { maxRetries: 0, circuitBreakerThreshold: 1, circuitBreakerTimeout: 1_000, name: 'probed' };
    const probed = recoverable({ ...options, signal: (call: number) => controllers[call]?.signal })(
      async (call: number) => answers[call]!(),
    );
    await failureOf(probed(0));
    await later(1_000);
    const aborted = failureOf(probed(1));
    await later(10);
    controllers[1]!.abort();
    await aborted;
    expect(await probed(2)).toBe('well');
  });

  it('that is none, from a function, is an error before the call, and nothing is left behind', async () => {
    const { calls, fn } = flaky(9);
    const failing = recoverable({ name: 'get', maxRetries: 0, signal: () => 5 as never })(fn);
    expect(await failureOf(failing('a'))).toMatchObject({
      message: "recoverable('get').signal(…): expected an AbortSignal, or undefined, found 5.",
    });
    expect(calls).toEqual([]);
  });

  it('R22: that was aborted before lets nothing be called', async () => {
    const { calls, fn } = flaky(0);
    const reason = new Error('not now');
    expect(await failureOf(recoverable({ signal: AbortSignal.abort(reason) })(fn)('a'))).toBe(reason);
    expect(calls).toEqual([]);
  });

  it('R23: ends a wait at once', async () => {
    const { calls, fn } = flaky(9);
    const controller = new AbortController();
    const ended = failureOf(recoverable({ signal: controller.signal })(fn)('a'));
    await later(50);
    controller.abort(new Error('enough'));
    expect(await ended).toMatchObject({ message: 'enough' });
    await later(60_000);
    expect(calls).toEqual([0]);
  });

  it('R24: aborts the attempt that runs, of the call it was given for', async () => {
    const [one, two] = [new AbortController(), new AbortController()];
    const seen: AbortSignal[] = [];
    const wait = async (_signal: AbortSignal) => {
      seen.push(effectContext()!.signal);
      return new Promise<never>(() => {});
    };
    const waiting = recoverable({ signal: (signal: AbortSignal) => signal })(wait);
    const [first, second] = [failureOf(waiting(one.signal)), waiting(two.signal)];
    await later(0);
    one.abort(new Error('enough'));
    expect(await first).toMatchObject({ message: 'enough' });
    expect([seen.map(({ aborted }) => aborted), await isPending(second)]).toEqual([[true, false], true]);
  });
});

describe('options that cannot work', () => {
  it.each([
    [{ maxRetries: -1 }, '.maxRetries: expected a whole number of at least 0, found -1.'],
    [{ maxRetries: NaN }, '.maxRetries: expected a whole number of at least 0, found NaN.'],
    [{ maxRetries: 1.5 }, '.maxRetries: expected a whole number'],
    [{ initialDelay: -1 }, '.initialDelay: expected a duration'],
    [{ initialDelay: '2m' }, '.maxDelay: expected a duration of at least 120000 ms'],
    [{ backoffFactor: 0.5 }, '.backoffFactor: expected a number of at least 1, found 0.5.'],
    [{ maxDelay: Infinity }, '.maxDelay: expected a duration'],
    [{ timeout: 0 }, '.timeout: expected a duration of at least 1 ms'],
    [{ strategy: { factor: 0 } }, '.strategy.factor: expected a number of at least 1, found 0.'],
    [{ strategy: { custom: 7 } }, '.strategy.strategy: expected'],
    [{ strategy: 'linear' }, '.strategy: expected an object of options'],
    [{ strategy: {}, maxDelay: '1s' }, ".maxDelay: expected either this or 'strategy'"],
    [{ circuitBreakerThreshold: 0 }, '.circuitBreakerThreshold: expected a whole number of at least 1, found 0.'],
    [{ circuitBreakerTimeout: 0 }, '.circuitBreakerTimeout: expected a duration of at least 1 ms'],
    [{ classify: [{ match: '' }] }, '.classify[0].match: expected an error class'],
    [{ signal: {} }, '.signal: expected an AbortSignal'],
    [{ key: 'url' }, '.key: expected a function, found "url".'],
    [{ persistence: {} }, '.persistence: expected an event log'],
    [{ persistence: memoryLog() }, '.key: expected a function of the arguments, because persistence is given'],
  ])('%o are refused when they are given', (options, message) => {
    const make = (more: object) => () => recoverable({ ...options, ...more } as unknown as RecoverableOptions);
    expect(make({})).toThrow(InvalidArgumentError);
    expect(make({})).toThrow(`recoverable(options)${message}`);
    expect(make({ name: 'load' })).toThrow(`recoverable('load')${message}`);
  });

  it('are also those that are not there, no options at all, and no function', () => {
    expect(() => recoverable({ retries: 3 } as object)).toThrow('recoverable(options).retries: expected one of');
    expect(() => recoverable({ name: '' })).toThrow('recoverable(options).name: expected a name');
    expect(() => recoverable((() => {}) as object)).toThrow('recoverable(options): expected an object of options');
    expect(() => recoverable()(7 as never)).toThrow('recoverable(options)(fn): expected a function, found 7.');
    const key = () => '1';
    const anonymous = () =>
      recoverable({ persistence: memoryLog(), key })(
        (
          () => async () =>
            1
        )(),
      );
    expect(anonymous).toThrow("recoverable(options).name: expected a letter, then letters, digits, '_' or '.'");
    expect(() => recoverable({ persistence: memoryLog(), key, name: 'a-b' })(async () => 1)).toThrow("('a-b').name");
  });
});

describe('a decorator', () => {
  class Service {
    calls = 0;
    async work(by: number): Promise<number> {
      this.calls += by;
      if (this.calls < 3) throw busy();
      return this.calls;
    }
  }
  const context = { kind: 'method', name: 'work' } as unknown as ClassMethodDecoratorContext<Service>;

  it("of the standard's kind replaces a method, for which this is the instance", async () => {
    const work = recoverable({ maxRetries: 3 })(Service.prototype.work, context as never);
    const [one, two] = [new Service(), new Service()];
    expect(await outcomeAfter(10_000, Promise.all([work.call(one, 1), work.call(two, 4)]))).toEqual([3, 4]);
    expect(work.name).toBe('work');
  });

  it("of TypeScript's older kind replaces the value of the descriptor", async () => {
    const before = Object.getOwnPropertyDescriptor(Service.prototype, 'work')!;
    const descriptor = recoverable({ maxRetries: 3 })(Service.prototype, 'work', before);
    expect(descriptor).toMatchObject({ writable: true, enumerable: false, configurable: true });
    const one = new Service();
    expect(await outcomeAfter(10_000, (descriptor.value as Service['work']).call(one, 1))).toBe(3);
  });

  it('refuses what is no method', () => {
    const decorate = recoverable() as unknown as (...args: unknown[]) => unknown;
    expect(() => decorate(undefined, { kind: 'field', name: 'x' })).toThrow(InvalidArgumentError);
    expect(() => decorate(Service, { kind: 'class', name: 'Service' })).toThrow('expected a method');
    expect(() => decorate(Service.prototype, 'x', undefined)).toThrow(InvalidArgumentError);
    expect(() => decorate(Service.prototype, 'x', { get: () => 1 })).toThrow('expected a method');
  });
});

it('takes its types from the function', () => {
  const load = recoverable({ key: (url: string) => url })(async (url: string, tries?: number) => [url, tries] as const);
  expectTypeOf(load).parameters.toEqualTypeOf<[url: string, tries?: number | undefined]>();
  expectTypeOf(load).returns.toEqualTypeOf<Promise<readonly [string, number | undefined]>>();
  expectTypeOf(recoverable()((n: number) => n)).returns.toEqualTypeOf<Promise<number>>();
  const page = recoverable({ key: (url: string) => url })(async (url: string, from = 2) => `${url}?from=${from}`);
  expectTypeOf(page).parameters.toEqualTypeOf<[url: string, from?: number | undefined]>();
  expectTypeOf(page).returns.toEqualTypeOf<Promise<string>>();
  expectTypeOf(recoverable({ key: (url: string) => url })(() => 1)).parameters.toEqualTypeOf<[url: string]>();
  function scaled(this: { factor: number }, by = 2) {
    return this.factor * by;
  }
  expectTypeOf(recoverable()(scaled)).thisParameter.toEqualTypeOf<{ factor: number }>();
  // @ts-expect-error its key needs a text, and the function is called with a number
  recoverable({ key: (url: string) => url })(async (n: number) => n);
});

it('takes no log without a key', () => {
  // @ts-expect-error the key is missing
  expect(() => recoverable({ persistence: memoryLog() })).toThrow('.key: expected a function of the arguments');
  // A log there may be or not, with a key, and neither.
  const log = memoryLog() as EventLog | undefined;
  expectTypeOf<{ persistence: typeof log; key: () => string }>().toExtend<RecoverableOptions>();
  expectTypeOf<{ maxRetries: number }>().toExtend<RecoverableOptions>();
});
