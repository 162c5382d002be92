/** What an attempt of a step saved, and the next one finds (SM6): over a failure, a timeout, a crash, and under plain XState. */
import { describe, expect, it } from 'vitest';
import { createActor, toPromise, type AnyStateMachine } from 'xstate';
import { effect, effectContext, EffectOverError, type EffectArguments, type EffectContext } from 'rewake';
import { withHandlers } from '../../machines/handled.ts';
import { handler } from '../../machines/handler.ts';
import { retry } from '../../machines/recovery-actions.ts';
import { step, withRetry } from '../../machines/step.ts';
import type { PolicyOptions } from '../../machines/step-policy.ts';
import { House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const options: PolicyOptions = { retry: { maxRetries: 3, backoff: { initialDelay: 1, maxDelay: 1, jitter: 'none' } } };
const busy = () => Object.assign(new Error('busy'), { status: 503 });

/** Fetches bytes 0 to 9, and stumbles once behind each of these. */
function download(stumbles: number[], stumble: () => Promise<never> = () => Promise.reject(busy())) {
  const fetched: number[] = [];
  const call = async ({ context }: Pick<EffectArguments<unknown>, 'context'>) => {
    for (let at = (context.checkpoint as number | undefined) ?? 0; at < 10; at++) {
      fetched.push(at);
      await context.progress(at + 1);
      if (stumbles[0] !== at) continue;
      stumbles.shift();
      await stumble();
    }
    return fetched.length;
  };
  return { fetched, call };
}

/** A step whose call has two layers of handlers, none of which has anything to do. */
function handledCall(call: Parameters<typeof step>[1]) {
  const inner = withHandlers([handler({ id: 'none', when: 'auth' })], { scope: 'command' })(effect(call));
  return withRetry(options.retry as object)(withHandlers([], { scope: 'command' })(inner));
}

const everyByteOnce = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
const hang = () => new Promise<never>(() => {});

describe('SM6: a checkpoint reaches the next attempt', () => {
  it.each([
    ['of a step', (call: Parameters<typeof step>[1]) => step('work', call, options)],
    [
      'of an effect that is wrapped',
      (call: Parameters<typeof step>[1]) => withRetry(options.retry as object)(effect(call)),
    ],
    ['with handlers around the effect', (call: Parameters<typeof step>[1]) => handledCall(call)],
    [
      'with handlers that call it again, and no step',
      (call: Parameters<typeof step>[1]) =>
        withHandlers([handler({ id: 'again', then: retry() })])(effect(call, { checkpoint: 'machine' })),
    ],
  ])('%s that failed, hosted and under plain XState', async (_, make) => {
    const hosted = download([3, 7]);
    const house = new House();
    const ref = await (await house.open({ work: make(hosted.call) as AnyStateMachine })).start('work', { id: '1' });
    await rest();
    for (let turn = 0; turn < 3; turn++) await house.advance(10);
    expect([await ref.output(), hosted.fetched]).toEqual([10, everyByteOnce]);
    const plain = download([3, 7]);
    expect(await toPromise(createActor(make(plain.call), { input: undefined }).start())).toBe(10);
    expect(plain.fetched).toEqual(everyByteOnce);
  });

  it('that took too long, and what it says after that is refused', async () => {
    const late: Promise<unknown>[] = [];
    const { fetched, call } = download([4], async () => {
      const context = effectContext()!;
      const aborted = new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      late.push(aborted.then(() => context.progress(99)));
      late.at(-1)!.catch(() => {});
      return hang();
    });
    const house = new House();
    const machine = step('work', call, { ...options, timeout: '30s' }) as AnyStateMachine;
    const ref = await (await house.open({ work: machine })).start('work', { id: '1' });
    await rest();
    await house.advance(30_000);
    await house.advance(10);
    expect([await ref.output(), fetched]).toEqual([10, everyByteOnce]);
    await expect(late[0]).rejects.toBeInstanceOf(EffectOverError);
  });

  it.each([
    ['', (call: Parameters<typeof step>[1]) => step('work', call, options)],
    [', with handlers around its call', (call: Parameters<typeof step>[1]) => handledCall(call)],
  ])('whose host died%s, with one event for each checkpoint', async (_, make) => {
    const { fetched, call } = download([3, 7], hang);
    const house = new House();
    const machines = () => ({ work: make(call) as AnyStateMachine });
    for (let life = 0; life < 2; life++) {
      const { runtime, crash } = await house.openToCrash(machines());
      if (life === 0) await runtime.start('work', { id: '1' });
      await rest();
      await house.advance(10);
      await rest();
      crash();
    }
    const ref = await (await house.open(machines())).get('work-1');
    await rest();
    await house.advance(10);
    expect([await ref.output(), fetched]).toEqual([10, everyByteOnce]);
    expect((await house.types('work-1')).filter((type) => type === 'EffectProgressed').length).toBe(10);
  });
});

it('a checkpoint is a copy: who changes it changes nothing of the step', async () => {
  const seen: unknown[] = [];
  let calls = 0;
  const call = async ({ context }: EffectArguments<unknown>) => {
    seen.push(structuredClone(context.checkpoint));
    if (calls++ === 0) await context.progress({ page: 1 });
    else (context.checkpoint as { page: number }).page = 7;
    if (calls < 3) throw busy();
    return 'done';
  };
  const house = new House();
  const ref = await (
    await house.open({ work: step('work', call, options) as AnyStateMachine })
  ).start('work', { id: '1' });
  await rest();
  await house.advance(10);
  await house.advance(10);
  expect([await ref.output(), seen]).toEqual(['done', [undefined, { page: 1 }, { page: 1 }]]);
});

it('under plain XState a late checkpoint of an attempt that was given up is not kept', async () => {
  const seen: unknown[] = [];
  const contexts: EffectContext[] = [];
  const call = async ({ context, signal }: EffectArguments<unknown>) => {
    seen.push(context.checkpoint);
    contexts.push(context);
    if (seen.length === 1) {
      await context.progress('in time');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    }
    await contexts[0]!.progress('too late');
    throw busy();
  };
  const logic = step('work', call, { ...options, timeout: 5 });
  await expect(toPromise(createActor(logic, { input: undefined }).start())).rejects.toThrow('after 4 attempts');
  expect(seen).toEqual([undefined, 'in time', 'in time', 'in time']);
});
