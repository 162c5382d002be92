/** What once broke the recovery machines: each a way in which a step, a breaker or a bulkhead did what it must not. */
import { describe, expect, it } from 'vitest';
import { assign, emit, fromPromise, setup, type AnyStateMachine } from 'xstate';
import { effect } from 'rewake';
import { breaker } from '../../machines/breaker.ts';
import { breakerState, type BreakerSnapshot } from '../../machines/breaker-permit.ts';
import { withBulkhead } from '../../machines/bulkhead.ts';
import { forgetSlots, slotsOf } from '../../machines/slots.ts';
import { step, withRetry, type Call } from '../../machines/step.ts';
import type { PolicyOptions } from '../../machines/step-policy.ts';
import { House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const busy = () => Object.assign(new Error('busy'), { status: 503 });
const worker = (call: Call<unknown, unknown>, options: PolicyOptions) => step('work', call, options) as AnyStateMachine;
const unavailable = () => {
  throw busy();
};

it('a closing runtime starts none of the calls that wait for a slot', async () => {
  forgetSlots();
  const house = new House();
  const started: unknown[] = [];
  const call = fromPromise(({ input }) => {
    started.push(input);
    return new Promise(() => {});
  });
  const machines = () => ({
    work: withBulkhead('k', { concurrency: 1, queue: 10 })(call) as unknown as AnyStateMachine,
  });
  const runtime = await house.open(machines());
  for (const id of ['a', 'b', 'c']) await runtime.start('work', { id, input: id } as never);
  await rest();
  const closed = runtime.close();
  await rest();
  await house.advance(10_000);
  await closed;
  expect(started).toEqual(['a']);
  forgetSlots();
  started.length = 0;
  await house.open(machines());
  await rest();
  expect(started).toContain('a');
  expect(started).not.toContain('c');
  expect(slotsOf('k').usage.waiting).toBeGreaterThan(0);
});

it('many who look at a breaker that another process opened all see it open', async () => {
  const house = new House();
  let broken = false;
  let calls = 0;
  const call = () => (calls++, broken ? unavailable() : 'ok');
  const machines = () => ({ work: worker(call, { breaker: { key: 'api', consecutive: 1 } }), breaker });
  const [here, there] = [await house.open(machines()), await house.open(machines())];
  await there.start('work', { id: 'warm' });
  await rest();
  broken = true;
  await here.start('work', { id: 'opens' });
  await rest();
  calls = 0;
  await Promise.all(Array.from({ length: 10 }, (_, index) => there.start('work', { id: `late${index}` })));
  await rest();
  expect(calls).toBe(0);
});

it('an error that a machine made looks alike before and after the log, key by key', async () => {
  const house = new House();
  const work = setup({ actors: { call: step('call', unavailable, { retry: 0 }) } }).createMachine({
    context: {},
    initial: 'calling',
    states: {
      calling: {
        invoke: {
          src: 'call',
          onError: {
            target: 'failed',
            actions: assign({ error: ({ event }: { event: unknown }) => (event as { error: unknown }).error } as never),
          },
        },
      },
      failed: {
        on: {
          TELL: {
            target: 'told',
            actions: emit(({ context }) => ({
              type: 'Told',
              text: JSON.stringify((context as { error?: unknown }).error),
            })),
          },
        },
      },
      told: {},
    },
  }) as AnyStateMachine;
  const { runtime, crash } = await house.openToCrash({ work }, { snapshots: { every: 1 } });
  await runtime.start('work', { id: '1' });
  await rest();
  crash();
  const next = await house.open({ work }, { snapshots: { every: 1 } });
  await (await next.get('work-1')).send({ type: 'TELL' });
  await rest();
  const folded = await (await house.open({ work }, { snapshots: false, resume: false })).get('work-1');
  expect(folded.getSnapshot().value).toBe('told');
});

describe('a step', () => {
  it('whose breaker cannot be asked fails instead of trying for ever', async () => {
    const house = new House();
    const runtime = await house.open({ work: worker(() => 'ok', { breaker: 'api', retry: 2 }) });
    const ref = await runtime.start('work', { id: '1' });
    await rest();
    await house.advance(60_000);
    await expect(ref.output()).rejects.toMatchObject({ cause: { code: 'REWAKE_UNKNOWN_MACHINE' } });
  });

  it('loses no attempt to a host that closes in order', async () => {
    const house = new House();
    let calls = 0;
    const machine = () => worker(() => (calls++, new Promise(() => {})), { retry: { maxRetries: 1 } });
    for (let life = 0; life < 4; life++) {
      const runtime = await house.open({ work: machine() });
      if (life === 0) await runtime.start('work', { id: '1' });
      await rest();
      await house.advance(120_000);
      const closed = runtime.close();
      await rest();
      await house.advance(10_000);
      await closed;
    }
    const last = await (await house.open({ work: machine() })).get('work-1');
    await rest();
    await house.advance(120_000);
    expect([calls, (last.getSnapshot() as { status: string }).status]).toEqual([5, 'active']);
  });

  it('does not repeat after a crash what must not be repeated, and asks where its effect says so', async () => {
    for (const options of [{ idempotent: false, maxRetries: 3 }, 'ask'] as const) {
      const house = new House();
      let calls = 0;
      const hang = () => (calls++, new Promise(() => {}));
      const machine = () =>
        options === 'ask'
          ? (withRetry(3)(effect(hang, { onLost: 'ask' })) as unknown as AnyStateMachine)
          : worker(hang, { retry: options });
      const { runtime, crash } = await house.openToCrash({ work: machine() });
      await runtime.start('work', { id: '1' });
      await rest();
      crash();
      await house.open({ work: machine() });
      await rest();
      await house.advance(120_000);
      expect(calls).toBe(1);
    }
  });

  it('tells its breaker nothing of its own deadline, nor an old failure again', async () => {
    const house = new House();
    let calls = 0;
    const call = () => (++calls === 1 ? unavailable() : new Promise(() => {}));
    const options: PolicyOptions = {
      deadline: '10s',
      retry: { backoff: { jitter: 'none' } },
      breaker: { key: 'api', consecutive: 2 },
    };
    const runtime = await house.open({ work: worker(call, options), breaker });
    await runtime.start('work', { id: '1' });
    await rest();
    await house.advance(20_000);
    const state = (await runtime.get('breaker-api')).getSnapshot() as unknown as BreakerSnapshot;
    expect([calls, breakerState(state)]).toEqual([2, 'closed']);
  });

  it('that never passed its breaker says what kept it', async () => {
    const house = new House();
    const options: PolicyOptions = { deadline: '10s', retry: 3, breaker: { key: 'api', consecutive: 1 } };
    const runtime = await house.open({
      work: worker(unavailable, { breaker: { key: 'api', consecutive: 1 } }),
      late: worker(unavailable, options),
      breaker,
    });
    await runtime.start('work', { id: '1' });
    await rest();
    const ref = await runtime.start('late', { id: '1' });
    await rest();
    await expect(ref.output()).rejects.toMatchObject({ attempts: 0, originalError: { code: 'REWAKE_BREAKER_OPEN' } });
  });

  it('uses a breaker that another one started at the same moment with other options', async () => {
    const house = new House();
    const runtime = await house.open({
      one: worker(() => 'one', { breaker: { key: 'api', consecutive: 3 } }),
      two: worker(() => 'two', { breaker: 'api' }),
      breaker,
    });
    const refs = await Promise.all([runtime.start('one', { id: '1' }), runtime.start('two', { id: '1' })]);
    await rest();
    expect(await Promise.all(refs.map((ref) => ref.output()))).toEqual(['one', 'two']);
  });

  it('goes on without a breaker whose stream was deleted, unless it is told to fail', async () => {
    for (const onStoreError of ['allow', 'fail'] as const) {
      const house = new House();
      const machines = { work: worker(() => 'ok', { breaker: { key: 'api', onStoreError } }), breaker };
      const first = await house.open(machines);
      await first.start('work', { id: '1' });
      await rest();
      await house.log.delete('breaker-api', 'any');
      const ref = await (await house.open(machines)).start('work', { id: '2' });
      await rest();
      const ended = await ref.output().catch((error: unknown) => (error as Error).name);
      expect(ended === 'ok').toBe(onStoreError === 'allow');
    }
  });
});
