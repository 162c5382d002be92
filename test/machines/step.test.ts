/** A step on virtual time: how often it calls, when, what it tells, and what it fails with (resilience.md §1, §3). */
import { describe, expect, it } from 'vitest';
import { createActor, fromPromise, setup, type AnyStateMachine } from 'xstate';
import type { EffectArguments } from 'rewake';
import { breaker } from '../../machines/breaker.ts';
import {
  RecoveryExhaustedError,
  ResultRefusedError,
  RetryAfterTooLongError,
  TimeoutError,
} from '../../machines/recovery-errors.ts';
import { step, withRetry, withTimeout } from '../../machines/step.ts';
import type { PolicyOptions } from '../../machines/step-policy.ts';
import { House, outcomeOf } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const seconds = (...list: number[]) => list.map((each) => each * 1_000);
const backoff = { jitter: 'none' } as const;

/** Runs one step to its end and tells when it called, what it told, and how it ended. */
async function run(call: (attempt: number, args: EffectArguments<unknown>) => unknown, options: PolicyOptions) {
  const calls: number[] = [];
  const house = new House();
  const began = house.clock.now();
  const machine = step(
    'work',
    async (args: EffectArguments<unknown>) => {
      calls.push(house.clock.now() - began);
      return call(calls.length, args);
    },
    options,
  );
  const runtime = await house.open({ work: machine as AnyStateMachine });
  const ref = await runtime.start('work', { id: '1' });
  const ended = outcomeOf(ref.output());
  let endedAt: number | undefined;
  void ended.then(() => (endedAt = house.clock.now() - began));
  await rest();
  for (let due = house.clock.nextDue(); due !== undefined && endedAt === undefined; due = house.clock.nextDue()) {
    await house.advance(due - house.clock.now());
  }
  const facts = await house.facts('work-1');
  return { ...(await ended), endedAt, calls, facts, house };
}

const factsOf = (facts: readonly { readonly [key: string]: unknown }[], type: string) =>
  facts.filter((fact) => fact.type === type);

const busy = () => Object.assign(new Error('busy'), { status: 503 });

function failing(...thrown: [unknown?]): () => never {
  const error = thrown.length === 0 ? busy() : thrown[0];
  return () => {
    throw error;
  };
}

describe('counting', () => {
  it('R01: three retries are four calls, and the error carries the attempts and the original', async () => {
    const original = Object.assign(new Error('busy'), { status: 503 });
    const { calls, facts, error } = await run(failing(original), { retry: { maxRetries: 3, backoff } });
    expect(calls.length).toBe(4);
    expect(factsOf(facts, 'RetryScheduled').map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(factsOf(facts, 'RetryExhausted')).toMatchObject([{ attempts: 4, reason: 'attempts' }]);
    expect(error).toBeInstanceOf(RecoveryExhaustedError);
    expect(error).toMatchObject({ attempts: 4, step: 'work', originalError: { message: 'busy', status: 503 } });
    expect((error as RecoveryExhaustedError).errors.length).toBe(4);
  });

  it('R02: no retries are one call, no timer, and still a fact that it is exhausted', async () => {
    const { calls, facts, endedAt } = await run(failing(), { retry: { maxRetries: 0 } });
    expect([calls.length, endedAt]).toEqual([1, 0]);
    expect(factsOf(facts, 'RetryExhausted')).toMatchObject([{ attempts: 1 }]);
  });

  it('R03: an error that may not be retried leaves unchanged', async () => {
    const { calls, error } = await run(
      (attempt) =>
        failing(
          attempt === 1
            ? Object.assign(new Error('busy'), { status: 503 })
            : Object.assign(new Error('no'), { status: 400 }),
        )(),
      { retry: { maxRetries: 3, backoff } },
    );
    expect(calls.length).toBe(2);
    expect(error).toMatchObject({ message: 'no', status: 400 });
    expect(error).not.toBeInstanceOf(RecoveryExhaustedError);
  });

  it('R04: a refused result is tried again, and returned when no attempt is left', async () => {
    const options = { retry: { maxRetries: 5, backoff }, retryResult: (result: unknown) => (result as number) < 2 };
    expect(await run((attempt) => attempt, options)).toMatchObject({ output: 2, calls: { length: 2 } });
    const exhausted = await run(() => 1, options);
    expect(exhausted).toMatchObject({ output: 1, calls: { length: 6 } });
    expect(factsOf(exhausted.facts, 'RetryExhausted')).toMatchObject([{ attempts: 6 }]);
  });

  it('R04: it fails the step instead where that is asked for', async () => {
    const retry = { maxRetries: 1, backoff, failOnRefusedResult: true };
    const attempts = await run(() => 1, { retry, retryResult: () => true });
    expect(attempts.error).toBeInstanceOf(RecoveryExhaustedError);
    expect(attempts.error).toMatchObject({ reason: 'attempts', attempts: 2 });
    expect((attempts.error as RecoveryExhaustedError).originalError).toBeInstanceOf(ResultRefusedError);
    const deadline = await run(() => 1, { retry, retryResult: () => true, deadline: 500 });
    expect(deadline.error).toMatchObject({ reason: 'deadline', attempts: 1, originalError: { step: 'work' } });
    expect(await run((attempt) => attempt, { retry, retryResult: (result) => result === 1 })).toMatchObject({
      output: 2,
    });
    expect(() => step('work', () => 1, { retry })).toThrow("step('work').retryResult:");
  });

  it('R05: a bug is called once, a network failure as often as allowed', async () => {
    const failures: [Error, number][] = [
      [new TypeError('bug'), 1],
      [new TypeError('fetch failed', { cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }) }), 3],
      [new TypeError('Invalid URL', { cause: Object.assign(new Error('url'), { code: 'ERR_INVALID_URL' }) }), 1],
    ];
    for (const [error, count] of failures) {
      expect((await run(failing(error), { retry: { maxRetries: 2, backoff } })).calls.length).toBe(count);
    }
  });

  it.each([
    ['a string', 'x'],
    ['undefined', undefined],
  ])('R06: %s that is thrown is retried and kept', async (_, thrown) => {
    const { calls, error } = await run(failing(thrown), { retry: { maxRetries: 2, backoff } });
    expect(calls.length).toBe(3);
    expect((error as RecoveryExhaustedError).originalError).toBe(thrown);
  });
});

describe('waiting', () => {
  it('R10: the calls come 1, 2, 4, … seconds apart', async () => {
    const { calls, facts } = await run(failing(), { retry: { maxRetries: 4, backoff } });
    expect(calls).toEqual(seconds(0, 1, 3, 7, 15));
    expect(factsOf(facts, 'RetryScheduled').map(({ delayMs }) => delayMs)).toEqual(seconds(1, 2, 4, 8));
  });

  it('R16: an attempt may take 30, 60, then 120 s', async () => {
    const { facts, error } = await run(() => new Promise(() => {}), {
      timeout: { each: '30s', factor: 2, max: '120s' },
      retry: { maxRetries: 2, backoff },
    });
    expect(factsOf(facts, 'TimedOut').map(({ timeoutMs }) => timeoutMs)).toEqual(seconds(30, 60, 120));
    expect((error as RecoveryExhaustedError).originalError).toBeInstanceOf(TimeoutError);
  });

  it('R17: a server is not called again before it said so', async () => {
    const busy = Object.assign(new Error('slow down'), { status: 429, headers: { 'retry-after': '5' } });
    const { calls } = await run((attempt) => (attempt === 1 ? failing(busy)() : 'ok'), {
      retry: { maxRetries: 3, backoff },
    });
    expect(calls).toEqual(seconds(0, 5));
  });

  it('R18: a wait that is too long fails at once, unless it is parked', async () => {
    const busy = Object.assign(new Error('slow down'), { status: 429, headers: { 'retry-after': '3600' } });
    const once = (attempt: number) => (attempt === 1 ? failing(busy)() : 'ok');
    const refused = await run(once, { retry: { maxRetries: 3, backoff } });
    expect(refused.error).toBeInstanceOf(RetryAfterTooLongError);
    expect(refused).toMatchObject({ endedAt: 0, error: { retryAfterMs: 3_600_000 } });
    const parked = await run(once, { retry: { maxRetries: 3, backoff, park: true } });
    expect(parked).toMatchObject({ output: 'ok', calls: seconds(0, 3_600) });
  });
});

describe('what the author of a step says of its errors', () => {
  it('retryIf has the last word, but for what was cancelled', async () => {
    const bug = new TypeError('bug');
    const again = {
      retry: { maxRetries: 2, backoff, retryIf: (error: unknown) => (error as Error).message === 'bug' },
    };
    expect((await run(failing(bug), again)).calls.length).toBe(3);
    expect((await run(failing(), again)).calls.length).toBe(1);
    expect(
      (await run(failing(new DOMException('x', 'AbortError')), { retry: { retryIf: () => true } })).calls.length,
    ).toBe(1);
  });

  it('R08: a predicate that throws ends the step with what it threw, and no further call', async () => {
    const wrong = new RangeError('the predicate');
    const predicate = failing(wrong);
    for (const options of [
      { retry: { maxRetries: 3, backoff, retryIf: predicate } },
      { classify: [{ match: predicate }] },
    ]) {
      const { calls, error, facts } = await run(failing(), options);
      expect([calls.length, (error as Error).name, (error as Error).message]).toEqual([
        1,
        'RangeError',
        'the predicate',
      ]);
      expect(facts).toMatchObject([{ type: 'AttemptFailed', error: { class: 'server', message: 'busy' } }]);
    }
  });

  it('R08: and so does one that throws about a result, or about a breaker that does not let a call through', async () => {
    const predicate = failing(new RangeError('the predicate'));
    for (const retry of [false, { maxRetries: 3, backoff }] as const) {
      const { calls, error, facts } = await run(() => 1, { retry, retryResult: predicate });
      expect([calls.length, (error as Error).name, (error as Error).message]).toEqual([
        1,
        'RangeError',
        'the predicate',
      ]);
      expect(facts).toEqual([]);
    }
    const { error, facts } = await run(() => 1, { breaker: 'api', classify: [{ match: predicate }] });
    expect(error).toMatchObject({ name: 'RangeError', message: 'the predicate' });
    // The runtime does not know the machine of the breaker.
    expect(facts).toMatchObject([{ type: 'AttemptRejected', error: { name: 'InvalidArgumentError' } }]);
  });

  it('an ambiguous error is retried once in a row, and again after another one', async () => {
    const dns = () => Object.assign(new Error('dns'), { code: 'ENOTFOUND' });
    const call = (attempt: number) => failing(attempt === 2 ? busy() : dns())();
    expect((await run(failing(dns()), { retry: { maxRetries: 9, backoff } })).calls.length).toBe(2);
    expect((await run(call, { retry: { maxRetries: 9, backoff } })).calls.length).toBe(4);
  });

  it('a result that no log can keep is a mistake of the call, which is not made again', async () => {
    const { calls, error } = await run(() => ({ f() {} }), { retry: { maxRetries: 3, backoff } });
    expect([calls.length, (error as Error).name]).toEqual([1, 'NotSerializableError']);
  });

  it('a refused result is returned at once where there are no retries, and said so', async () => {
    const { output, facts } = await run(() => 1, { retryResult: () => true });
    expect(output).toBe(1);
    expect(factsOf(facts, 'RetryExhausted')).toMatchObject([{ reason: 'attempts', attempts: 1 }]);
  });

  it('R19: a pushback is waited for exactly, and the backoff begins anew after it', async () => {
    const pushback = Object.assign(new Error('busy'), { status: 503, metadata: { 'grpc-retry-pushback-ms': '700' } });
    const { calls } = await run((attempt) => failing(attempt === 2 ? pushback : busy())(), {
      retry: { maxRetries: 3, backoff },
    });
    expect(calls).toEqual([0, 1_000, 1_700, 2_700]);
  });
});

describe('what a server says in headers that no log can carry', () => {
  const response = (headers: Record<string, string>, status = 503) => new Response('', { status, headers });

  it.each([
    ['Headers of the error', () => ({ status: 503, headers: new Headers({ 'retry-after': '7' }) })],
    ['a Response', () => ({ response: response({ 'retry-after-ms': '7000' }, 429) })],
    [
      'the cause of the error',
      () => ({ cause: Object.assign(new Error('x'), { response: response({ 'retry-after': '7' }) }) }),
    ],
  ])('R17: is waited for: %s', async (_, fields) => {
    const once = (attempt: number) => (attempt === 1 ? failing(Object.assign(new Error('busy'), fields()))() : 'ok');
    const { calls, facts } = await run(once, { retry: { maxRetries: 1, backoff } });
    expect(calls).toEqual(seconds(0, 7));
    expect(factsOf(facts, 'AttemptFailed')).toMatchObject([{ error: { class: 'throttled' } }]);
  });

  it('R19: a pushback in gRPC metadata is obeyed', async () => {
    const metadata = (ms: string) => new Map([['grpc-retry-pushback-ms', ms]]);
    const pushing = (ms: string) =>
      Object.assign(new Error('busy'), { code: 14, details: '', metadata: metadata(ms), f() {} });
    const once = (ms: string) => (attempt: number) => (attempt === 1 ? failing(pushing(ms))() : 'ok');
    expect((await run(once('700'), { retry: { maxRetries: 1, backoff } })).calls).toEqual([0, 700]);
    expect((await run(once('-1'), { retry: { maxRetries: 1, backoff } })).calls).toEqual([0]);
  });

  it('an error that is frozen, or that says it already, stays as it is', async () => {
    const frozen = Object.freeze(Object.assign(new Error('no'), { response: response({ 'retry-after': '7' }, 400) }));
    expect((await run(failing(frozen), {})).error).toMatchObject({ message: 'no' });
    const said = Object.assign(new Error('no'), {
      status: 400,
      retryAfterMs: 5,
      headers: new Headers({ 'retry-after': '7' }),
    });
    expect((await run(failing(said), {})).error).toMatchObject({ status: 400, retryAfterMs: 5 });
  });
});

describe('a step that is stopped', () => {
  it('R22: before its first attempt began makes no call', async () => {
    const house = new House();
    const log = house.faulty();
    let calls = 0;
    const work = step('work', () => calls++, { breaker: 'api', retry: 3 }) as AnyStateMachine;
    const runtime = await house.open({ work, breaker }, { log });
    await runtime.start('breaker', { id: 'api', input: { key: 'api', options: {} } });
    let answer = () => {};
    const row = log.actor.bind(log);
    const asked = new Promise<void>((resolve) => (answer = resolve));
    Object.defineProperty(log, 'actor', { value: (name: string) => asked.then(() => row(name)) });
    const ref = await runtime.start('work', { id: '1' });
    const ended = outcomeOf(ref.output());
    await ref.stop({ reason: 'no longer wanted' });
    answer();
    await rest();
    await house.advance(60_000);
    expect(calls).toBe(0);
    expect((await ended).error).toMatchObject({ code: 'REWAKE_ACTOR_STOPPED' });
    const events = await house.events('work-1');
    expect(events.map(({ type }) => type)).toEqual(['ActorStarted', 'ActorStopped']);
    expect(events[1]!.data).toMatchObject({ reason: 'no longer wanted' });
  });

  it.each(['hosted', 'plain'])('R22: by the machine that invoked it, in the same step: no call (%s)', async (how) => {
    let calls = 0;
    const work = step('work', () => calls++, { retry: 3, timeout: '1s' });
    const parent = setup({ actors: { work } }).createMachine({
      initial: 'working',
      states: { working: { invoke: { src: 'work' }, always: 'called off' }, 'called off': {} },
    });
    const house = new House();
    if (how === 'hosted') await (await house.open({ parent })).start('parent', { id: '1' });
    else createActor(parent).start();
    await rest();
    await house.advance(60_000);
    expect(calls).toBe(0);
  });

  it('R22: by a runtime that closes makes no call while it is closing', async () => {
    const house = new House();
    let calls = 0;
    const work = step('work', () => (calls++, failing()()), { retry: { maxRetries: 1, backoff } }) as AnyStateMachine;
    const runtime = await house.open({ work });
    await runtime.start('work', { id: '1' });
    await rest();
    const closed = runtime.close();
    await house.advance(60_000);
    await closed;
    expect(calls).toBe(1);
  });

  it('R23: in a wait makes no further call and leaves no timer', async () => {
    const house = new House();
    let calls = 0;
    const machine = step('work', () => (calls++, failing()()), { retry: { maxRetries: 3, backoff } });
    const ref = await (await house.open({ work: machine as AnyStateMachine })).start('work', { id: '1' });
    await rest();
    await ref.stop();
    expect(house.clock.nextDue()).toBeUndefined();
    await house.advance(60_000);
    expect(calls).toBe(1);
  });

  it('R24: in an attempt aborts it, and what it gives later is not used', async () => {
    const house = new House();
    let settle = (_: string) => {};
    const reasons: unknown[] = [];
    const machine = step(
      'work',
      ({ signal, context }) => {
        expect(signal.aborted).toBe(false);
        context.signal.addEventListener('abort', () => reasons.push(context.signal.reason));
        return new Promise<string>((resolve) => (settle = resolve));
      },
      { retry: { maxRetries: 3, backoff } },
    );
    const ref = await (await house.open({ work: machine as AnyStateMachine })).start('work', { id: '1' });
    await rest();
    await ref.stop();
    settle('late');
    await rest();
    expect(reasons).toMatchObject([{ code: 'REWAKE_EFFECT_STOPPED', by: 'stop' }]);
    expect(await house.types('work-1')).toEqual(['ActorStarted', 'ActorStopped']);
  });
});

describe('a deadline', () => {
  it('R20: ends the step where the next attempt would be too late, without a wait', async () => {
    const { calls, facts, error, endedAt } = await run(failing(), {
      deadline: 2_500,
      retry: { maxRetries: 9, backoff },
    });
    expect([calls, endedAt]).toEqual([seconds(0, 1), 1_000]);
    expect(factsOf(facts, 'RetryExhausted')).toMatchObject([{ reason: 'deadline', attempts: 2 }]);
    expect(error).toMatchObject({ reason: 'deadline' });
  });

  it('R21: ends an attempt that is running', async () => {
    const { error, endedAt, facts } = await run(() => new Promise(() => {}), { deadline: 100, retry: 3 });
    expect(endedAt).toBe(100);
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ kind: 'deadline', timeout: 100 });
    expect(factsOf(facts, 'TimedOut')).toMatchObject([{ kind: 'deadline' }]);
  });
});

describe('a timeout', () => {
  it('T01, T02: aborts the attempt with a reason, and what it returns later is not used', async () => {
    const reasons: unknown[] = [];
    let settle = (_: string) => {};
    const { output, house } = await run(
      (attempt, { signal, context }) => {
        if (attempt > 1) return 'second';
        context.signal.addEventListener('abort', () => reasons.push(context.signal.reason));
        expect(signal.aborted).toBe(false);
        return new Promise<string>((resolve) => (settle = resolve));
      },
      { timeout: '1s', retry: { maxRetries: 1, backoff } },
    );
    settle('late');
    await rest();
    expect(output).toBe('second');
    expect(reasons).toMatchObject([{ code: 'REWAKE_EFFECT_STOPPED', by: 'transition' }]);
    expect((await house.types('work-1')).filter((type) => type === 'EffectSucceeded').length).toBe(1);
  });
});

describe('under plain logic', () => {
  it('withRetry and withTimeout wrap promise logic, in either order', async () => {
    for (const wrapped of [
      withRetry({ maxRetries: 2, backoff })(withTimeout('1s')(fromPromise(() => new Promise<string>(() => {})))),
      withTimeout('1m')(withRetry({ maxRetries: 2, backoff })(fromPromise(async () => failing()()))),
    ]) {
      const house = new House();
      const runtime = await house.open({ work: wrapped as AnyStateMachine });
      const ref = await runtime.start('work', { id: '1' });
      const error = ref.output().catch((reason: unknown) => reason);
      await rest();
      await house.advance(60_000);
      expect(await error).toMatchObject({ name: 'RecoveryExhaustedError', attempts: 3 });
    }
  });
});
