/** Batches: partial success, concurrency, when one fails, and where it goes on after a crash. */
import { describe, expect, it } from 'vitest';
import { createActor, fromPromise, toPromise, type AnyStateMachine } from 'xstate';
import { InvalidArgumentError } from 'rewake';
import { batch, BatchFailedError, type BatchOptions } from '../../machines/batch.ts';
import { House, outcomeOf } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const isBad = (item: number) => item % 3 === 0;

async function run(items: unknown, options: BatchOptions = {}) {
  const house = new House();
  const calls: number[] = [];
  const aborted: number[] = [];
  let running = 0;
  let most = 0;
  const work = fromPromise(async ({ input, signal }: { input: number; signal: AbortSignal }) => {
    calls.push(input);
    most = Math.max(most, ++running);
    signal.addEventListener('abort', () => aborted.push(input));
    await new Promise<void>((resolve) => void house.clock.setTimer(house.clock.now() + 10 * (10 - input), resolve));
    running--;
    if (isBad(input)) throw Object.assign(new Error(`item ${input}`), { status: 400 });
    return input * 10;
  });
  const runtime = await house.open({ work: batch(options)(work) as unknown as AnyStateMachine });
  const ref = await runtime.start('work', { id: '1', input: items } as never);
  const ended = outcomeOf(ref.output());
  await rest();
  await house.advance(10_000);
  return { ...(await ended), calls, aborted, most, house };
}

describe('a batch', () => {
  it('gives successes, failures and their rate, in the order of the items', async () => {
    const { output, house } = await run([1, 2, 3, 4]);
    expect(output).toMatchObject({
      successes: [
        { index: 0, item: 1, output: 10 },
        { index: 1, item: 2, output: 20 },
        { index: 3, item: 4, output: 40 },
      ],
      failures: [{ index: 2, item: 3, error: { message: 'item 3' } }],
      successRate: 0.75,
    });
    const facts = (await house.events('work-1')).filter(({ type }) => type === 'ItemFailed').map(({ data }) => data);
    expect(facts).toMatchObject([{ batch: 'batch', index: 2, error: { class: 'permanent', status: 400 } }]);
  });

  it('runs so many items at a time, in order', async () => {
    const { calls, most } = await run([1, 2, 4, 5, 7, 8], { concurrency: 2 });
    expect([calls, most]).toEqual([[1, 2, 4, 5, 7, 8], 2]);
  });

  it('of nothing is done at once', async () => {
    expect((await run([], { minSuccessRate: 1 })).output).toEqual({ successes: [], failures: [], successRate: 1 });
  });

  it('stops as soon as its success rate is out of reach, and aborts what runs', async () => {
    const { error, calls, aborted } = await run([1, 9, 2, 6, 4, 5, 7, 8], { minSuccessRate: 0.8, concurrency: 4 });
    expect(error).toBeInstanceOf(BatchFailedError);
    expect(error).toMatchObject({ batch: 'batch', errors: [{ message: 'item 9' }, { message: 'item 6' }] });
    expect(calls.length).toBeLessThan(8);
    expect(aborted.length).toBeGreaterThan(0);
    const lenient = await run([1, 9, 2, 6, 4, 5, 7, 8], { minSuccessRate: 0.75 });
    expect(lenient.output).toMatchObject({ successRate: 0.75 });
  });

  it('fails for an input that is no list', async () => {
    expect((await run(7)).error).toMatchObject({ name: 'InvalidArgumentError' });
  });

  it('goes on after a crash with the items that are not done (BA1)', async () => {
    const house = new House();
    const calls: number[] = [];
    const settle = new Map<number, (value: number) => void>();
    const work = fromPromise(({ input }: { input: number }) => {
      calls.push(input);
      return new Promise<number>((resolve) => settle.set(input, resolve));
    });
    const machine = () => batch({ concurrency: 2 })(work) as unknown as AnyStateMachine;
    const { runtime, crash } = await house.openToCrash({ work: machine() });
    await runtime.start('work', { id: '1', input: [1, 2, 3] } as never);
    await rest();
    settle.get(1)!(10);
    await rest();
    expect(calls).toEqual([1, 2, 3]);
    crash();
    calls.length = 0;
    const ref = await (await house.open({ work: machine() })).get('work-1');
    await rest();
    expect(calls).toEqual([2, 3]);
    for (const item of [3, 2]) settle.get(item)!(item * 10);
    expect(await ref.output()).toMatchObject({
      successes: [{ output: 10 }, { output: 20 }, { output: 30 }],
      failures: [],
    });
  });
});

it('aborts what runs under plain XState, too, where a machine that fails leaves its children running (BA3)', async () => {
  const aborted: number[] = [];
  const work = fromPromise(({ input, signal }: { input: number; signal: AbortSignal }) => {
    if (isBad(input)) return Promise.reject(new Error(`item ${input}`));
    return new Promise<number>(() => signal.addEventListener('abort', () => aborted.push(input)));
  });
  const actor = createActor(batch({ minSuccessRate: 1 })(work), { input: [1, 2, 3] });
  const ended = outcomeOf(toPromise(actor));
  actor.start();
  expect((await ended).error).toBeInstanceOf(BatchFailedError);
  expect(aborted).toEqual([1, 2]);
});

it.each([{ concurrency: 0 }, { concurrency: NaN }, { minSuccessRate: 2 }, { minSuccessRate: '1' }, { size: 1 }])(
  'refuses %j',
  (options) => {
    expect(() => batch(options as BatchOptions)).toThrow(InvalidArgumentError);
  },
);
