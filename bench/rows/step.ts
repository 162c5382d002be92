/**
 * What a step costs per successful call, beside libraries that keep nothing; W1 with steps in place of bare promises; and
 * many calls that fail twice.
 */
import { join } from 'node:path';
import * as cockatiel from 'cockatiel';
import CircuitBreaker from 'opossum';
import pRetry from 'p-retry';
import { createActor, toPromise, type AnyStateMachine } from 'xstate';
import { createRuntime, memoryLog, type EffectArguments, type EventLog } from '../../src/index.ts';
import { recoveryMachines, step } from '../../machines/index.ts';
import { sqliteLog } from '../../src/stores/sqlite/index.ts';
import { withDirectory } from '../disk.ts';
import { hostedMs, plainMs, warmUp, type Load } from '../executions.ts';
import { noStep, threeSteps, type StepInput } from '../machines/three-steps.ts';
import { interleave, timeMs } from '../measure.ts';
import { inPool } from '../pool.ts';
import type { Aside, Row } from '../row.ts';

const calls = 5_000;
const concurrency = 100;
const work = async () => 1;
const guarded = step('guarded', work, { timeout: '30s', retry: 3, breaker: 'bench' }) as AnyStateMachine;

export const stepCall: Row = {
  name: 'step-call',
  what: 'A successful call through step with timeout, retry and breaker, plain XState, no log',
  reference: 'cockatiel, retry and breaker and timeout',
  goal: {},
  async run() {
    const policy = cockatiel.wrap(
      cockatiel.retry(cockatiel.handleAll, { maxAttempts: 3, backoff: new cockatiel.ExponentialBackoff() }),
      cockatiel.circuitBreaker(cockatiel.handleAll, {
        halfOpenAfter: 60_000,
        breaker: new cockatiel.ConsecutiveBreaker(5),
      }),
      cockatiel.timeout(30_000, cockatiel.TimeoutStrategy.Aggressive),
    );
    const opossum = new CircuitBreaker(work, { timeout: 30_000 });
    const perCall = (call: () => Promise<unknown>) => async () =>
      ((await timeMs(() => inPool(calls, concurrency, call))) * 1_000) / calls;
    const samples = await interleave(
      {
        cockatiel: perCall(() => policy.execute(work)),
        opossum: perCall(() => opossum.fire()),
        pRetry: perCall(() => pRetry(work, { retries: 3 })),
        plain: perCall(() => toPromise(createActor(guarded).start())),
        hosted: () => hostedCalls(),
      },
      { rounds: 7, warmups: 2 },
    );
    opossum.shutdown();
    const aside = (what: string, measured: readonly number[], goal?: Aside['goal']): Aside => ({
      what,
      against: '-',
      unit: 'µs',
      measured,
      ...(goal && { goal }),
    });
    return {
      unit: 'µs',
      measured: samples.plain,
      reference: samples.cockatiel,
      also: [
        aside('The same, plain XState, on its own', samples.plain, { atMost: 60 }),
        aside('The same on the memory log', samples.hosted, { atMost: 100 }),
        aside('opossum, breaker and timeout', samples.opossum),
        aside('p-retry', samples.pRetry),
      ],
      note: `${calls.toLocaleString('en-US')} calls per run, ${concurrency} at a time; the breaker is closed and hears of nothing.`,
    };
  },
};

/** µs per call. */
async function hostedCalls(): Promise<number> {
  await using runtime = await createRuntime({ log: memoryLog(), machines: { guarded, ...recoveryMachines } });
  const ms = await timeMs(() =>
    inPool(calls, concurrency, async (index) => {
      await (await runtime.start('guarded', { id: String(index) } as never)).output();
    }),
  );
  return (ms * 1_000) / calls;
}

const plainLoad: Load = { machine: threeSteps(noStep), executions: 10_000, concurrency };
const retried = step('step', ({ input }: EffectArguments<StepInput>) => input.value + 1, { retry: 3 });
const stepLoad: Load = {
  machine: threeSteps(retried as unknown as typeof noStep),
  executions: 10_000,
  concurrency,
};

export const w1Steps: Row = {
  name: 'w1-steps',
  what: 'W1 with a step with retries in place of each bare promise, 10,000 executions, memory log',
  reference: 'W1 under plain createActor with bare promises, warm',
  goal: { atLeast: 0.3 },
  async run() {
    const perSecond = (ms: number) => (plainLoad.executions * 1_000) / ms;
    const { plain, hosted } = await interleave(
      {
        plain: async () => perSecond(await plainMs(plainLoad)),
        hosted: async () => perSecond(await hostedMs(stepLoad, memoryLog())),
      },
      { rounds: 5, warmups: 2 },
    );
    return { unit: 'executions/s', measured: hosted, reference: plain };
  },
};

export const stepFailures: Row = {
  name: 'step-failures',
  what: '500 calls that fail twice, backoff 1 ms, 100 at a time, SQLite, synchronous = FULL',
  reference: 'the same step under plain XState, without a log',
  goal: {},
  async run() {
    await warmUp();
    const flaky = () => {
      const failures = new Map<number, number>();
      return step(
        'flaky',
        ({ input }: EffectArguments<number>) => {
          const failed = failures.get(input) ?? 0;
          failures.set(input, failed + 1);
          if (failed < 2) throw Object.assign(new Error('busy'), { status: 503 });
          return input;
        },
        { retry: { maxRetries: 3, backoff: { initialDelay: 1, maxDelay: 1, jitter: 'none' } } },
      ) as AnyStateMachine;
    };
    const onLog = async (log: EventLog) => {
      await using runtime = await createRuntime({ log, machines: { flaky: flaky() } });
      return await timeMs(() =>
        inPool(500, concurrency, async (index) => {
          await (await runtime.start('flaky', { id: String(index), input: index } as never)).output();
        }),
      );
    };
    const { plain, hosted } = await interleave(
      {
        plain: () => {
          const machine = flaky();
          return timeMs(() =>
            inPool(500, concurrency, (index) => toPromise(createActor(machine, { input: index }).start())),
          );
        },
        hosted: () => withDirectory((directory) => onLog(sqliteLog(join(directory, 'failures.db')))),
      },
      { rounds: 7, warmups: 1, collects: false },
    );
    return { unit: 'ms', measured: hosted, reference: plain };
  },
};
