/** A step with a retry budget: what is asked and told, and what costs nothing (resilience.md rule 8, scenarios R25 to R27). */
import { describe, expect, it } from 'vitest';
import { createActor, fromPromise, toPromise, type AnyStateMachine } from 'xstate';
import { createRuntime, InvalidArgumentError, VirtualClock } from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import { breaker } from '../../machines/breaker.ts';
import { withBulkhead } from '../../machines/bulkhead.ts';
import { forgetLocalActors } from '../../machines/keyed-actor.ts';
import { ResultRefusedError } from '../../machines/recovery-errors.ts';
import { retryBudget } from '../../machines/retry-budget.ts';
import type { RetryBudgetUse } from '../../machines/retry-budget-gate.ts';
import { awsBudget, grpcBudget } from '../../machines/retry-budget-options.ts';
import type { RetryBudgetSnapshot } from '../../machines/retry-budget-state.ts';
import { forgetSlots } from '../../machines/slots.ts';
import { step, withRetry, type Call } from '../../machines/step.ts';
import type { PolicyOptions } from '../../machines/step-policy.ts';
import { House, outcomeOf } from '../support/house.ts';
import { atEveryAppend, TwoLives, type Crash } from '../support/two-lives.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { rest, settled } from '../support/hosted-and-plain.ts';
import { logPath } from '../stores/sqlite/log-files.ts';

const fails =
  (status: number, message = 'busy') =>
  () => {
    throw Object.assign(new Error(message), { status });
  };
const unavailable = fails(503);
const fixed = { strategy: 'fixed', initialDelay: 10, jitter: 'none' } as const;
const worker = (call: Call<unknown, unknown>, options: PolicyOptions) => step('work', call, options) as AnyStateMachine;

/** A house in which steps with one budget are run one after the other. */
async function place(budget: string | RetryBudgetUse, options: PolicyOptions & { maxRetries?: number } = {}) {
  const house = new House();
  let call: Call<unknown, unknown> = unavailable;
  let calls = 0;
  const { maxRetries = 200, ...policy } = options;
  const machine = worker((args) => (calls++, call(args)), { retry: { maxRetries, backoff: fixed, budget }, ...policy });
  const runtime = await house.open({ work: machine, retryBudget, breaker });
  let runs = 0;
  const run = async (next: Call<unknown, unknown>) => {
    [call, calls] = [next, 0];
    const id = String(++runs);
    const ended = outcomeOf((await runtime.start('work', { id })).output());
    await rest();
    await house.advance(10_000);
    return { ...(await ended), calls, facts: await house.facts(`work-${id}`), types: await house.types(`work-${id}`) };
  };
  const tokens = async () =>
    ((await runtime.get('retryBudget-api')).getSnapshot() as unknown as RetryBudgetSnapshot).context.tokens;
  return { house, runtime, run, tokens };
}

const failTimes = (times: number, then: Call<unknown, unknown> = () => 'ok') => {
  let left = times;
  return (args: Parameters<typeof then>[0]) => (left-- > 0 ? unavailable() : then(args));
};

describe('a step that shares a budget', () => {
  it('R25: is refused at half of the tokens of gRPC, and allowed again after successes', async () => {
    const { run, tokens } = await place({ key: 'api', ...grpcBudget });
    const refused = await run(unavailable);
    expect(refused).toMatchObject({ calls: 5, error: { name: 'Error', message: 'busy', status: 503 } });
    expect(await tokens()).toBe(5);
    await run(() => 'ok');
    expect(await tokens()).toBe(5.1);
    for (let success = 0; success < 9; success++) await run(() => 'ok');
    // At 6.0 a failure leaves 5.0, at 6.1 it leaves 5.1.
    expect(await run(failTimes(1))).toMatchObject({ calls: 1, error: { message: 'busy' } });
    for (let success = 0; success < 11; success++) await run(() => 'ok');
    expect(await run(failTimes(1))).toMatchObject({ calls: 2, output: 'ok' });
    expect(await tokens()).toBe(5.2);
  });

  it('R25: pays nothing for a failure that may not be retried', async () => {
    const { run, tokens } = await place({ key: 'api', ...grpcBudget });
    await run(failTimes(1, fails(400, 'no')));
    expect(await tokens()).toBe(9);
  });

  it('R26: is paid 35 transient retries by AWS, and ends with the original error as it was', async () => {
    const { house, run, tokens } = await place({ key: 'api', ...awsBudget });
    const { calls, error, facts } = await run(unavailable);
    expect(calls).toBe(36);
    expect(error).toMatchObject({ name: 'Error', message: 'busy', status: 503 });
    expect(facts.slice(-2)).toMatchObject([
      { type: 'AttemptFailed', attempt: 36 },
      { type: 'RetryRefused', step: 'work', attempt: 36, key: 'api', tokens: 10, errorClass: 'server' },
    ]);
    expect(facts.filter(({ type }) => type === 'RetryExhausted')).toEqual([]);
    expect(await tokens()).toBe(10);
    expect(await house.facts('retryBudget-api')).toEqual([{ type: 'RetryBudgetExhausted', key: 'api', tokens: 10 }]);
  });

  it('R26: is paid 100 throttled retries, and a success gives back what its retry took, else 1', async () => {
    const { run, tokens } = await place({ key: 'api', ...awsBudget });
    expect((await run(fails(429))).calls).toBe(101);
    expect(await tokens()).toBe(0);
    await run(() => 'ok');
    expect(await tokens()).toBe(1);
    for (let success = 0; success < 13; success++) await run(() => 'ok');
    expect(await run(failTimes(1))).toMatchObject({ calls: 2, output: 'ok' });
    expect(await tokens()).toBe(14);
  });

  it('costs its budget no event while it is well, and itself no effect', async () => {
    const { house, run } = await place('api');
    for (let success = 0; success < 5; success++) await run(() => 'ok');
    expect(await house.types('retryBudget-api')).toEqual(['ActorStarted']);
    expect(await house.types('work-5')).toEqual(['ActorStarted', 'EffectSucceeded']);
  });

  it('asks with one effect for each retry, also beside a breaker', async () => {
    const { run } = await place('api', { breaker: { key: 'api', consecutive: 9 }, maxRetries: 2 });
    const { types, output } = await run(failTimes(2));
    expect(output).toBe('ok');
    const outcomes = types.filter((type) => type.startsWith('Effect'));
    // Per attempt the breaker and the call, per retry the budget.
    expect(outcomes.length).toBe(3 * 2 + 2);
  });

  it('is paid nothing for what no retry would follow, and does not ask for it', async () => {
    const { run, tokens, house } = await place('api', { maxRetries: 0 });
    const { error } = await run(unavailable);
    expect(error).toMatchObject({ name: 'RecoveryExhaustedError', attempts: 1 });
    expect(await house.types('retryBudget-api')).toEqual(['ActorStarted']);
    expect(await tokens()).toBe(500);
  });

  it('tells that an attempt took too long', async () => {
    const { run, tokens } = await place({ key: 'api', ...grpcBudget }, { timeout: 100, maxRetries: 1 });
    expect((await run(() => new Promise(() => {}))).calls).toBe(2);
    expect(await tokens()).toBe(8);
  });

  it('tells that a server wants no retry (gRPC A6)', async () => {
    const { run, tokens } = await place({ key: 'api', ...grpcBudget });
    const stop = () => {
      throw Object.assign(new Error('no'), { status: 400, metadata: { 'grpc-retry-pushback-ms': '-1' } });
    };
    expect((await run(stop)).calls).toBe(1);
    expect(await tokens()).toBe(9);
  });

  it('returns a refused result where its retry was refused, unless it is to fail with it', async () => {
    const refuses = (result: unknown) => result === 'half';
    const empty = { key: 'api', tokens: 14 };
    const kept = await place(empty, { retryResult: refuses });
    const { output, calls, facts } = await kept.run(() => 'half');
    expect([output, calls, facts.at(-1)]).toMatchObject(['half', 2, { type: 'RetryRefused' }]);
    const retry = { maxRetries: 9, backoff: fixed, budget: empty, failOnRefusedResult: true };
    const failing = await place(empty, { retryResult: refuses, retry });
    expect((await failing.run(() => 'half')).error).toBeInstanceOf(ResultRefusedError);
  });

  it('takes its options to a budget that was there before with others, which begins full (RG2, RB6)', async () => {
    const { runtime, run, tokens, house } = await place({ key: 'api', tokens: 28 });
    await runtime.start('retryBudget', { id: 'api', input: { key: 'api' } });
    expect((await run(unavailable)).calls).toBe(3);
    expect(await tokens()).toBe(0);
    await runtime.send('retryBudget-api', { type: 'budget.configured', options: { tokens: -1 } });
    await runtime.send('retryBudget-api', { type: 'budget.configured', options: { tokens: 28 } });
    expect(await tokens()).toBe(0);
    await runtime.send('retryBudget-api', { type: 'budget.configured', options: { tokens: 30 } });
    expect(await tokens()).toBe(30);
    expect((await house.facts('retryBudget-api')).map(({ type }) => type)).toEqual([
      'RetryBudgetExhausted',
      'RetryBudgetRestored',
    ]);
  });

  it('has its deadline while it asks', async () => {
    const house = new House();
    const log = house.faulty();
    const work = worker(unavailable, { deadline: '1m', retry: { backoff: fixed, budget: 'api' } });
    const runtime = await house.open({ work, retryBudget }, { log });
    await runtime.start('retryBudget', { id: 'api', input: { key: 'api', options: {} } });
    let looks = 0;
    const row = log.actor.bind(log);
    // The first look is that of the call, which tells how it ended.
    Object.defineProperty(log, 'actor', { value: (name: string) => (++looks > 1 ? new Promise(() => {}) : row(name)) });
    const ref = await runtime.start('work', { id: '1' });
    const ended = outcomeOf(ref.output());
    await rest();
    expect(ref.getSnapshot().value).toBe('spending');
    await house.advance(60_000);
    expect((await ended).error).toMatchObject({ name: 'TimeoutError', kind: 'deadline' });
  });
});

describe('what a budget does not pay for (RP5)', () => {
  it('a wait for the breaker, whatever a rule says of it', async () => {
    const { run, house } = await place('api', {
      breaker: { key: 'api', consecutive: 1, openFor: '1s' },
      classify: [{ match: 'CircuitBreakerOpenError', class: 'server' }],
      deadline: '1m',
      maxRetries: 3,
    });
    const { output, facts } = await run(failTimes(1));
    expect(output).toBe('ok');
    expect(facts.map(({ type }) => type)).toContain('AttemptRejected');
    // The one retry, and that it succeeded.
    expect(await house.types('retryBudget-api')).toEqual(['ActorStarted', 'EventReceived', 'EventReceived']);
  });

  it('an attempt that was lost with its host', async () => {
    const house = new House();
    let hangs = true;
    const options: PolicyOptions = { retry: { maxRetries: 3, backoff: fixed, budget: { key: 'api', tokens: 14 } } };
    const call = () => (hangs ? new Promise(() => {}) : 'ok');
    const { runtime, crash } = await house.openToCrash({ work: worker(call, options), retryBudget });
    for (const id of ['1', '2', '3']) await runtime.start('work', { id });
    await rest();
    crash();
    hangs = false;
    const next = await house.open({ work: worker(call, options), retryBudget });
    await rest();
    await house.advance(100);
    for (const id of ['1', '2', '3']) expect(await (await next.get(`work-${id}`)).output()).toBe('ok');
    expect(await house.types('retryBudget-api')).toEqual(['ActorStarted']);
  });

  it('a call that a full bulkhead kept from being sent', async () => {
    forgetSlots();
    const house = new House();
    let settle = (_: string) => {};
    const call = fromPromise(() => new Promise<string>((resolve) => (settle = resolve)));
    const guarded = withBulkhead('api', { concurrency: 1 })(call);
    const work = withRetry({ maxRetries: 3, backoff: fixed, budget: 'api' })(guarded) as unknown as AnyStateMachine;
    const runtime = await house.open({ work, retryBudget });
    const [first, second] = [await runtime.start('work', { id: '1' }), await runtime.start('work', { id: '2' })];
    await rest();
    settle('one');
    await rest();
    await house.advance(10);
    settle('two');
    await rest();
    expect([await first.output(), await second.output()]).toEqual(['one', 'two']);
    expect(await house.types('retryBudget-api')).toEqual(['ActorStarted']);
  });
});

it('withRetry around any logic asks and tells too', async () => {
  const house = new House();
  const work = withRetry({ maxRetries: 9, backoff: fixed, budget: { key: 'api', ...grpcBudget } })(
    fromPromise(async () => unavailable()),
  ) as unknown as AnyStateMachine;
  const ref = await (await house.open({ work, retryBudget })).start('work', { id: '1' });
  await rest();
  await house.advance(1_000);
  await expect(ref.output()).rejects.toMatchObject({ name: 'Error', message: 'busy' });
  const facts = await house.facts('work-1');
  expect(facts.at(-1)).toMatchObject({ type: 'RetryRefused', step: 'withRetry', attempt: 5, tokens: 5 });
});

describe('a budget that cannot be reached', () => {
  const unreachable = async (onStoreError?: 'allow' | 'fail') => {
    const house = new House();
    const budget = { key: 'api', ...(onStoreError && { onStoreError }) };
    const machine = worker(failTimes(1), { retry: { backoff: fixed, budget } });
    const log = house.faulty();
    const runtime = await house.open({ work: machine, retryBudget }, { log });
    log.unreachable = (stream) => stream !== 'work-1';
    await runtime.start('retryBudget', { id: 'api', input: { key: 'api', options: {} } });
    const ref = await runtime.start('work', { id: '1' });
    await rest();
    await house.advance(10);
    return { ...(await outcomeOf(ref.output())), facts: await house.facts('work-1') };
  };

  it('lets the retry be made, and tells so, unless it is told to fail', async () => {
    for (const how of [undefined, 'allow'] as const) {
      const { output, facts } = await unreachable(how);
      expect(output).toBe('ok');
      expect(facts.map(({ type }) => type)).toEqual(['AttemptFailed', 'RetryBudgetUnavailable', 'RetryScheduled']);
      expect(facts[1]).toMatchObject({ step: 'work', key: 'api', problem: expect.stringContaining('gone') as string });
    }
    const { error, facts } = await unreachable('fail');
    expect(error).toMatchObject({ code: 'REWAKE_LOG_UNAVAILABLE' });
    expect(facts.map(({ type }) => type)).toEqual(['AttemptFailed']);
  });

  it('is an error that says what to do where the runtime does not know the machine', async () => {
    const house = new House();
    const machine = worker(unavailable, { retry: { backoff: fixed, budget: 'api' } });
    const ref = await (await house.open({ work: machine })).start('work', { id: '1' });
    await rest();
    await expect(ref.output()).rejects.toMatchObject({ cause: { code: 'REWAKE_UNKNOWN_MACHINE' } });
  });
});

describe('after a restart', () => {
  it('R27: a denial on a SQLite file still holds for the next process', async () => {
    const path = logPath();
    const clock = new VirtualClock();
    let calls = 0;
    const call = () => (calls++, unavailable());
    const life = () =>
      createRuntime({
        log: sqliteLog(path, { clock }),
        clock,
        logger: silentLogger,
        machines: {
          work: worker(call, { retry: { maxRetries: 20, backoff: fixed, budget: { key: 'api', ...grpcBudget } } }),
          retryBudget,
        },
      });
    const run = async (runtime: Awaited<ReturnType<typeof life>>, id: string) => {
      const ended = outcomeOf((await runtime.start('work', { id })).output());
      for (let turn = 0; turn < 40; turn++) await clock.advance(10, settled);
      return ended;
    };
    const first = await life();
    expect((await run(first, '1')).error).toMatchObject({ message: 'busy' });
    expect(calls).toBe(5);
    await first.close();
    await using second = await life();
    expect((await run(second, '2')).error).toMatchObject({ message: 'busy' });
    expect(calls).toBe(6);
  });

  it.each([
    ['and refused the third', 30, 'busy'],
    ['and gives up', 500, 'no attempt is left'],
  ])(
    'a crash at any append: each retry is paid for once, of a step that is granted two %s (RG3)',
    async (_, tokens, end) => {
      const live = (crash: Crash) => liveThrough(crash, tokens);
      const crashes = await atEveryAppend(live, ({ message, calls, paid, scheduled }, where) => {
        expect(message, where).toContain(end);
        expect(calls).toBeLessThanOrEqual(4);
        expect(paid, where).toBe(scheduled);
      });
      expect(crashes).toBeGreaterThan(15);
    },
  );

  it('a crash at any append: the success of a retry pays back once (RG3)', async () => {
    const live = (crash: Crash) => {
      let calls = 0;
      return liveThrough(crash, 90, () => (calls++ < 2 ? unavailable() : 'ok'));
    };
    const crashes = await atEveryAppend(live, ({ paid, scheduled }, where) => {
      // A full bucket takes nothing back.
      expect(paid, where).toBe(Math.max(0, scheduled - 1));
    });
    expect(crashes).toBeGreaterThan(18);
  });

  /** A step whose call always fails, unless it is told otherwise, with a crash in its first life. */
  async function liveThrough(crash: Crash, tokens: number, call: () => unknown = unavailable) {
    let calls = 0;
    const retry = { maxRetries: tokens < 100 ? 9 : 2, backoff: fixed, budget: { key: 'api', tokens } };
    const machines = () => ({ work: worker(() => (calls++, call()), { retry }), retryBudget });
    const lives = new TwoLives(crash, machines, { random: () => 0.5 });
    void (await lives.first()).start('work', { id: '1' }).catch(() => {});
    await lives.clock.advance(1_000, rest);
    const { crashed } = lives;
    const next = await lives.second();
    const ended = outcomeOf((await next.start('work', { id: '1' })).output());
    await lives.clock.advance(1_000, rest);
    const { context } = (await next.get('retryBudget-api')).getSnapshot() as unknown as RetryBudgetSnapshot;
    let scheduled = 0;
    for await (const { type, data } of lives.log.readStream('work-1')) {
      // RP5: after a lost attempt it is free.
      if (type === 'RetryScheduled' && !data.includes('"lost"')) scheduled++;
    }
    const paid = (context.settings.tokens - context.tokens) / context.settings.cost;
    return { crashed, calls, message: ((await ended).error as Error | undefined)?.message, paid, scheduled };
  }
});

it('works under plain XState, with a budget of the process', async () => {
  forgetLocalActors();
  let calls = 0;
  const work = () =>
    step('work', () => (calls++, unavailable()), {
      retry: { maxRetries: 9, backoff: { ...fixed, initialDelay: 1 }, budget: { key: 'plain', tokens: 28 } },
    });
  await expect(toPromise(createActor(work()).start())).rejects.toMatchObject({ message: 'busy' });
  await expect(toPromise(createActor(work()).start())).rejects.toMatchObject({ message: 'busy' });
  expect(calls).toBe(3 + 1);
  forgetLocalActors();
});

it.each<[object, string]>([
  [{ budget: '' }, 'retry.budget.key'],
  [{ budget: 3 }, 'retry.budget'],
  [{ budget: { tokens: 3 } }, 'retry.budget.key'],
  [{ budget: { key: 'api', tokens: 3 } }, 'retry.budget.cost'],
  [{ budget: { key: 'api', onStoreError: 'wait' } }, 'retry.budget.onStoreError'],
  [{ budget: { key: 'api', ratio: 1 } }, 'retry.budget.ratio'],
])('R09: refuses %j, naming %s', (retry, path) => {
  const define = () => step('work', () => 1, { retry });
  expect(define).toThrow(InvalidArgumentError);
  expect(define).toThrow(`${path}:`);
});
