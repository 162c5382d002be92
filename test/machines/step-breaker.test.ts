/** A step before a circuit breaker: what is asked and told, and what costs nothing (resilience.md §2, scenarios B and F04). */
import { describe, expect, it } from 'vitest';
import { createActor, fromPromise, toPromise, type AnyStateMachine } from 'xstate';
import { type Duration, type EffectArguments } from 'rewake';
import { breaker } from '../../machines/breaker.ts';
import { breakerState, type BreakerSnapshot } from '../../machines/breaker-permit.ts';
import { withFallback } from '../../machines/fallback.ts';
import { CircuitBreakerOpenError, RecoveryExhaustedError } from '../../machines/recovery-errors.ts';
import { forgetLocalActors } from '../../machines/keyed-actor.ts';
import { step, withBreaker, type Call } from '../../machines/step.ts';
import type { PolicyOptions } from '../../machines/step-policy.ts';
import { House, outcomeOf } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const busy = () => Object.assign(new Error('busy'), { status: 503 });
const unavailable = () => {
  throw busy();
};

/** A house in which one guarded step is run again and again. */
async function place(call: Call<unknown, unknown>, options: PolicyOptions) {
  const house = new House();
  const machine = step('work', call, options) as AnyStateMachine;
  const runtime = await house.open({ work: machine, breaker });
  let runs = 0;
  const start = (input?: unknown) => runtime.start('work', { id: String(++runs), input } as never);
  const run = async () => {
    const ended = outcomeOf((await start()).output());
    await rest();
    return ended;
  };
  const state = async () =>
    breakerState((await runtime.get('breaker-api')).getSnapshot() as unknown as BreakerSnapshot);
  return { house, runtime, start, run, state };
}

describe('a step with a breaker', () => {
  it('B01: opens it at the fifth failure in a row, and is then refused without a call', async () => {
    let calls = 0;
    const { run, state } = await place(() => (calls++, unavailable()), { breaker: 'api' });
    for (let failure = 0; failure < 5; failure++) await run();
    expect([calls, await state()]).toEqual([5, 'open']);
    const { error } = await run();
    expect(error).toBeInstanceOf(CircuitBreakerOpenError);
    expect(error).toMatchObject({
      key: 'api',
      state: 'open',
      timeoutRemaining: 60_000,
      lastFailure: { class: 'server' },
    });
    expect(calls).toBe(5);
  });

  it('appends nothing to a healthy breaker, however often it succeeds', async () => {
    const { house, run } = await place(() => 'ok', { breaker: 'api' });
    for (let success = 0; success < 20; success++) await run();
    expect(await house.types('breaker-api')).toEqual(['ActorStarted']);
  });

  it('K9: leaves no message ids with its breaker, which would keep them for ever', async () => {
    const { house, run } = await place(unavailable, { breaker: 'api' });
    for (let failure = 0; failure < 3; failure++) await run();
    const reports = (await house.events('breaker-api')).filter(({ type }) => type === 'EventReceived');
    expect(reports.map(({ data }) => data.messageId)).toEqual([undefined, undefined, undefined]);
  });

  it('B09, B15, B25: is probed once its time is over, and closed by a success', async () => {
    let broken = true;
    const answers: ((value: string) => void)[] = [];
    const call = () => (broken ? unavailable() : new Promise<string>((resolve) => answers.push(resolve)));
    const { house, run, start, state } = await place(call, { breaker: { key: 'api', consecutive: 1 } });
    await run();
    broken = false;
    await house.advance(59_999);
    expect((await run()).error).toBeInstanceOf(CircuitBreakerOpenError);
    await house.advance(1);
    const probe = (await start()).output();
    await rest();
    expect((await run()).error).toMatchObject({ state: 'halfOpen', timeoutRemaining: undefined });
    answers[0]!('well');
    expect(await probe).toBe('well');
    expect([answers.length, await state()]).toEqual([1, 'closed']);
  });

  it('B14: does not burn its attempts on an open breaker, and waits for it where a deadline bounds that', async () => {
    let calls = 0;
    const call = () => (calls++, unavailable());
    const options: PolicyOptions = {
      breaker: { key: 'api', consecutive: 3, openFor: '60s' },
      retry: { maxAttempts: 7, backoff: { initialDelay: 10, maxDelay: 10, jitter: 'none' } },
    };
    const unbounded = await place(call, options);
    const first = (await unbounded.start()).output().catch((error: unknown) => error);
    await rest();
    await unbounded.house.advance(100);
    expect(await first).toBeInstanceOf(CircuitBreakerOpenError);
    expect(calls).toBe(3);
    calls = 0;
    const bounded = await place(call, { ...options, deadline: '10m' });
    const second = (await bounded.start()).output().catch((error: unknown) => error);
    await rest();
    await bounded.house.advance(59_000);
    expect(calls).toBe(3);
    await bounded.house.advance(600_000);
    expect(await second).toMatchObject({ name: 'RecoveryExhaustedError' });
    const types = await bounded.house.types('work-1');
    expect(types).toContain('AttemptRejected');
    expect(types.filter((type) => type === 'AttemptFailed').length).toBe(calls);
    expect(calls).toBeLessThanOrEqual(7);
  });

  it('waits for it as long as `wait` allows, and then fails with what it was refused with', async () => {
    let broken = true;
    const call = () => (broken ? unavailable() : 'well');
    const options = (wait: Duration): PolicyOptions => ({
      breaker: { key: 'api', consecutive: 1, openFor: '60s', wait },
      retry: { maxAttempts: 2, backoff: { initialDelay: 10, maxDelay: 10, jitter: 'none' } },
    });
    const impatient = await place(call, options('59s'));
    const refused = outcomeOf((await impatient.start()).output());
    await rest();
    await impatient.house.advance(1_000);
    expect((await refused).error).toBeInstanceOf(CircuitBreakerOpenError);
    const patient = await place(call, options('60s'));
    const ended = outcomeOf((await patient.start()).output());
    await rest();
    await patient.house.advance(1_000);
    broken = false;
    await patient.house.advance(60_000);
    expect(await ended).toEqual({ output: 'well', error: undefined });
    expect(() => step('work', call, { breaker: { key: 'api', wait: '1m' } })).toThrow("step('work').retry");
    expect(() => step('work', call, { retry: 1, breaker: { key: 'api', wait: -1 } })).toThrow('breaker.wait');
  });

  it('waits longer each time where no time is known: while others probe', async () => {
    let probed = 0;
    const { house, start } = await place(
      ({ input }) => (input === 'probe' ? (probed++, new Promise(() => {})) : unavailable()),
      {
        breaker: { key: 'api', consecutive: 1, openFor: '1s', halfOpen: { lease: '1h' }, wait: '10m' },
        retry: { maxAttempts: 9, backoff: { initialDelay: 100, maxDelay: '1h', jitter: 'none' } },
      },
    );
    await start();
    await rest();
    // The probe is asked for before the timer of the one that waits.
    house.clock.jump(1_000);
    await start('probe');
    await rest();
    const before = (await house.facts('work-1')).length;
    await house.advance(300_000);
    expect(probed).toBe(1);
    const waits = (await house.facts('work-1')).slice(before).filter(({ type }) => type === 'RetryScheduled');
    const delays = waits.map(({ delayMs }) => delayMs as number);
    expect(delays.length).toBeGreaterThan(5);
    expect(delays.every((delayMs, index) => index === 0 || delayMs === 2 * delays[index - 1]!)).toBe(true);
  });

  it('counts an attempt that took too long', async () => {
    const { house, run, state } = await place(() => new Promise(() => {}), {
      breaker: { key: 'api', consecutive: 1 },
      timeout: '1s',
    });
    void run();
    await rest();
    await house.advance(1_000);
    expect(await state()).toBe('open');
  });

  it('B20: gives its probe back when it is stopped', async () => {
    let broken = true;
    const call = () => (broken ? unavailable() : new Promise<string>(() => {}));
    const { house, run, start, state } = await place(call, { breaker: { key: 'api', consecutive: 1 } });
    await run();
    broken = false;
    await house.advance(60_000);
    const probe = await start();
    await rest();
    await probe.stop();
    await rest();
    expect(await state()).toBe('halfOpen');
    const next = await start();
    await rest();
    expect(next.getSnapshot().value).toBe('attempting');
  });

  it('B20: gives back a probe that it is given after it was stopped', async () => {
    let broken = true;
    const call = () => (broken ? unavailable() : 'well');
    const options: PolicyOptions = { breaker: { key: 'api', consecutive: 1, halfOpen: { lease: '1h' } } };
    const house = new House();
    const log = house.faulty();
    const runtime = await house.open({ work: step('work', call, options) as AnyStateMachine, breaker }, { log });
    await runtime.start('work', { id: '1' });
    await rest();
    broken = false;
    await house.advance(60_000);
    const append = log.append.bind(log);
    let release = () => {};
    const released = new Promise<void>((resolve) => (release = resolve));
    log.append = async (stream, ...rest) => {
      if (stream === 'breaker-api') await released;
      return append(stream, ...rest);
    };
    const stopped = await runtime.start('work', { id: '2' });
    await rest();
    expect(stopped.getSnapshot().value).toBe('admitting');
    await stopped.stop();
    release();
    await rest();
    const next = await runtime.start('work', { id: '3' });
    await rest();
    expect(await next.output()).toBe('well');
  });

  it('says nothing of what a call returns after it was stopped (SE1)', async () => {
    let answer = (_: string) => {};
    let broken = true;
    const call = () => (broken ? unavailable() : new Promise<string>((resolve) => (answer = resolve)));
    const { run, start, state } = await place(call, { breaker: { key: 'api', consecutive: 2 } });
    await run();
    broken = false;
    const late = await start();
    await rest();
    await late.stop();
    answer('too late');
    await rest();
    broken = true;
    await run();
    expect(await state()).toBe('open');
  });

  it('B21: a probe whose host died frees the circuit when its lease is over', async () => {
    let broken = true;
    const call = () => (broken ? unavailable() : 'well');
    const options: PolicyOptions = { breaker: { key: 'api', consecutive: 1 } };
    const house = new House();
    const hanging = step('work', () => (broken ? unavailable() : new Promise(() => {})), options) as AnyStateMachine;
    const { runtime, crash } = await house.openToCrash({ work: hanging, breaker });
    await runtime.start('work', { id: '1' });
    await rest();
    broken = false;
    await house.advance(60_000);
    await runtime.start('work', { id: '2' });
    await rest();
    crash();
    await house.advance(30_000);
    const next = await house.open({ work: step('work', call, options) as AnyStateMachine, breaker }, { resume: false });
    const ref = await next.start('work', { id: '3' });
    await rest();
    expect(await ref.output()).toBe('well');
  });
});

describe('what a step tells its breaker', () => {
  it('its options, once, also to a breaker that was there before with others (BG2)', async () => {
    const house = new House();
    const one = step('one', () => 'ok', { breaker: 'api' }) as AnyStateMachine;
    const two = step('two', unavailable, { breaker: { key: 'api', consecutive: 2 } }) as AnyStateMachine;
    const runtime = await house.open({ one, two, breaker });
    await runtime.start('one', { id: '1' });
    await rest();
    for (const id of ['1', '2']) await runtime.start('two', { id });
    await rest();
    const state = (await runtime.get('breaker-api')).getSnapshot() as unknown as BreakerSnapshot;
    expect(breakerState(state)).toBe('open');
    const configured = (await house.events('breaker-api')).filter((event) =>
      JSON.stringify(event.data).includes('breaker.configured'),
    );
    expect(configured.length).toBe(1);
  });

  it('B13: how long the other side asked to be left alone', async () => {
    const slow = () => {
      throw Object.assign(new Error('slow down'), { status: 429, retryAfter: 120 });
    };
    const { run } = await place(slow, { breaker: { key: 'api', consecutive: 1 } });
    await run();
    expect((await run()).error).toMatchObject({ timeoutRemaining: 120_000 });
  });

  it('B06: how long a call took that succeeded', async () => {
    const window = { kind: 'count', size: 1, slowCallRate: 1 } as const;
    const house = new House();
    const call = () =>
      new Promise((resolve) => void house.clock.setTimer(house.clock.now() + 5_000, () => resolve('ok')));
    const work = step('work', call, { breaker: { key: 'api', window, slowCall: '4s' } }) as AnyStateMachine;
    const runtime = await house.open({ work, breaker });
    const ref = await runtime.start('work', { id: '1' });
    await rest();
    await house.advance(5_000);
    expect(await ref.output()).toBe('ok');
    const state = (await runtime.get('breaker-api')).getSnapshot() as unknown as BreakerSnapshot;
    expect(breakerState(state)).toBe('open');
  });

  it('that an attempt was lost, so that a probe of it does not wait for its lease', async () => {
    let broken = true;
    const options: PolicyOptions = {
      breaker: { key: 'api', consecutive: 1, halfOpen: { lease: '1h' } },
      retry: { maxRetries: 1, backoff: { jitter: 'none' } },
    };
    const house = new House();
    const machines = (call: Call<unknown, unknown>) => ({
      work: step('work', call, options) as AnyStateMachine,
      breaker,
    });
    const hanging = () => (broken ? unavailable() : new Promise(() => {}));
    const { runtime, crash } = await house.openToCrash(machines(hanging));
    await runtime.start('work', { id: '1' });
    await rest();
    broken = false;
    await house.advance(60_000);
    await runtime.start('work', { id: '2' });
    await rest();
    crash();
    const next = await house.open(machines(() => 'well'));
    await rest();
    await house.advance(2_000);
    expect(await (await next.get('work-2')).output()).toBe('well');
  });

  it('how long its attempt may take: as long its probe is waited for', async () => {
    let broken = true;
    const call = () => (broken ? unavailable() : new Promise(() => {}));
    const { house, run, start } = await place(call, { timeout: '2m', breaker: { key: 'api', consecutive: 1 } });
    await run();
    broken = false;
    await house.advance(60_000);
    await start();
    await rest();
    await house.advance(119_999);
    expect((await run()).error).toMatchObject({ state: 'halfOpen' });
  });

  it('nothing more while a person isolates it, and does not wait for that', async () => {
    const { house, runtime, run, start } = await place(() => 'ok', { breaker: 'api', deadline: '1h', retry: 3 });
    await run();
    await runtime.send('breaker-api', { type: 'breaker.isolated', hold: 'maintenance' });
    const ref = await start();
    await rest();
    await house.advance(1_000);
    await expect(ref.output()).rejects.toMatchObject({ state: 'isolated' });
  });
});

describe('a breaker that cannot be reached', () => {
  const unreachable = async (onStoreError?: 'allow' | 'fail') => {
    const house = new House();
    const options: PolicyOptions = { breaker: { key: 'api', ...(onStoreError && { onStoreError }) } };
    const machine = step('work', () => 'ok', options) as AnyStateMachine;
    const log = house.faulty();
    const runtime = await house.open({ work: machine, breaker }, { log });
    log.unreachable = (stream) => stream !== 'work-1';
    await runtime.start('breaker', { id: 'api', input: { key: 'api', options: {} } });
    const ref = await runtime.start('work', { id: '1' });
    await rest();
    return { ...(await outcomeOf(ref.output())), facts: await house.facts('work-1') };
  };

  it('B34: lets the call through with a warning, unless it is told to fail', async () => {
    for (const how of [undefined, 'allow'] as const) {
      const { output, facts } = await unreachable(how);
      expect(output).toBe('ok');
      expect(facts).toMatchObject([{ type: 'BreakerUnavailable', step: 'work', key: 'api' }]);
      expect(facts[0]!.problem).toContain('gone');
    }
    const { error, facts } = await unreachable('fail');
    expect(error).toMatchObject({ code: 'REWAKE_LOG_UNAVAILABLE' });
    expect(facts.map(({ type }) => type)).toEqual(['AttemptRejected']);
  });

  it('B34: a retry that it could not be asked for reports under no earlier permit', async () => {
    const house = new House();
    let calls = 0;
    const options: PolicyOptions = { breaker: { key: 'api', consecutive: 9 }, retry: { backoff: { jitter: 'none' } } };
    const work = step('work', () => (++calls === 1 ? unavailable() : 'ok'), options) as AnyStateMachine;
    const log = house.faulty();
    const runtime = await house.open({ work, breaker }, { log });
    const ref = await runtime.start('work', { id: '1' });
    await rest();
    log.unreachable = (stream) => stream !== 'work-1';
    await house.advance(1_000);
    expect(await ref.output()).toBe('ok');
    expect(ref.getSnapshot().context).toMatchObject({ permit: null });
    expect((await house.facts('work-1')).map(({ type }) => type)).toEqual([
      'AttemptFailed',
      'RetryScheduled',
      'BreakerUnavailable',
    ]);
  });

  it('a probe whose result is refused is given back: a result says nothing about the dependency (SE1)', async () => {
    let broken = true;
    const call = () => (broken ? unavailable() : 'half');
    const { house, run, state } = await place(call, {
      breaker: { key: 'api', consecutive: 1 },
      retryResult: (result) => result === 'half',
    });
    await run();
    broken = false;
    await house.advance(60_000);
    expect((await run()).output).toBe('half');
    expect(await state()).toBe('halfOpen');
    expect((await run()).output).toBe('half');
  });

  it('is an error that says what to do where the runtime does not know the machine', async () => {
    const house = new House();
    const machine = step('work', () => 'ok', { breaker: 'api' }) as AnyStateMachine;
    const ref = await (await house.open({ work: machine })).start('work', { id: '1' });
    await rest();
    await expect(ref.output()).rejects.toMatchObject({ cause: { code: 'REWAKE_UNKNOWN_MACHINE' } });
  });
});

it('B33: two processes on one log hand out one probe between them', async () => {
  const house = new House();
  let broken = true;
  let calls = 0;
  const call = () => {
    calls++;
    return broken ? unavailable() : new Promise<string>(() => {});
  };
  const machines = () => ({
    work: step('work', call, { breaker: { key: 'api', consecutive: 1 } }) as AnyStateMachine,
    breaker,
  });
  const [here, there] = [await house.open(machines()), await house.open(machines())];
  await here.start('work', { id: '1' });
  await rest();
  const refused = await there.start('work', { id: '2' });
  await rest();
  await expect(refused.output()).rejects.toMatchObject({ state: 'open' });
  broken = false;
  calls = 0;
  await house.advance(60_000);
  const refs = await Promise.all([here.start('work', { id: '3' }), there.start('work', { id: '4' })]);
  await rest();
  await house.advance(2_000);
  expect(calls).toBe(1);
  const values = refs.map((ref) => (ref.getSnapshot() as { status: string }).status);
  expect(values.toSorted()).toEqual(['active', 'error']);
});

describe('F04: a fallback behind an open breaker', () => {
  it('runs at once, without a call of the primary and without a wait', async () => {
    const house = new House();
    let calls = 0;
    const primary = step('primary', () => (calls++, unavailable()), {
      breaker: { key: 'api', consecutive: 1 },
      retry: { maxRetries: 3, backoff: { jitter: 'none' } },
    });
    const secondary = step('secondary', ({ input }: EffectArguments<number>) => input + 1);
    const machine = withFallback([secondary])(primary) as unknown as AnyStateMachine;
    const runtime = await house.open({ work: machine, breaker });
    const first = await runtime.start('work', { id: '1', input: 1 } as never);
    await rest();
    await house.advance(1_000);
    expect(await first.output()).toBe(2);
    expect(calls).toBe(1);
    const second = await runtime.start('work', { id: '2', input: 2 } as never);
    await rest();
    expect([await second.output(), calls]).toEqual([3, 1]);
  });
});

describe('under plain XState', () => {
  it('a step and its breaker run in the process, without a log', async () => {
    forgetLocalActors();
    const failing = step('work', unavailable, { breaker: { key: 'plain', consecutive: 2 } });
    for (let failure = 0; failure < 2; failure++) {
      await expect(toPromise(createActor(failing).start())).rejects.toMatchObject({ message: 'busy' });
    }
    await expect(toPromise(createActor(failing).start())).rejects.toBeInstanceOf(CircuitBreakerOpenError);
    forgetLocalActors();
    const logic = withBreaker('plain')(fromPromise(async () => 'ok'));
    expect(await toPromise(createActor(logic).start())).toBe('ok');
    const exhausted = step('work', unavailable, { retry: 0 });
    await expect(toPromise(createActor(exhausted).start())).rejects.toBeInstanceOf(RecoveryExhaustedError);
  });
});
