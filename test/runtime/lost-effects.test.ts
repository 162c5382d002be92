/** Effects whose host died: run again, failed, or put to a person, as their options say; and resume() itself. */
import { describe, expect, it } from 'vitest';
import { assign, fromCallback, fromPromise, type AnyActorLogic } from 'xstate';
import { InvalidArgumentError, type EffectLostError } from '../../src/errors.ts';
import { effect, type EffectContext, type EffectOptions } from '../../src/runtime/effect.ts';
import { failureOf, House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { createMachine } from '../support/loose-machine.ts';

function around(src: AnyActorLogic) {
  return createMachine({
    context: { got: null },
    initial: 'idle',
    states: {
      idle: { on: { GO: 'working' } },
      working: {
        invoke: {
          id: 'work',
          src,
          onDone: { target: 'done', actions: assign({ got: ({ event }) => event.output as unknown }) },
          onError: { target: 'failed', actions: assign({ got: ({ event }) => event.error as unknown }) },
        },
      },
      done: {},
      failed: {},
    },
  });
}

/** An effect that never ends by itself and keeps the context of each run. */
function endless(options: EffectOptions = {}) {
  const runs: EffectContext[] = [];
  const finish: ((value: unknown) => void)[] = [];
  const logic = effect(({ context }) => {
    runs.push(context);
    return new Promise<unknown>((resolve) => finish.push(resolve));
  }, options);
  return { runs, finish, machines: { job: around(logic) } };
}

/** Starts a job, lets its effect start, and crashes the host. */
async function crashWhileWorking(house: House, machines: { job: ReturnType<typeof around> }) {
  const { runtime, crash } = await house.openToCrash(machines);
  const ref = await runtime.start('job', { id: '1' });
  await ref.send({ type: 'GO' });
  await rest();
  crash();
}

describe('a lost effect', () => {
  it('is run again with the same key and a higher attempt (invariants 11 and 12)', async () => {
    const house = new House();
    const { runs, finish, machines } = endless();
    await crashWhileWorking(house, machines);
    const runtime = await house.open(machines);
    await rest();
    finish.at(-1)!('paid');
    const { context } = await (await runtime.get('job-1')).waitFor((snapshot) => snapshot.matches('done'));
    expect(context.got).toBe('paid');
    expect(runs.map(({ attempt, restarts }) => [attempt, restarts])).toEqual([
      [1, 0],
      [2, 1],
    ]);
    expect(new Set(runs.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    expect(await house.types('job-1')).toEqual(['ActorStarted', 'EventReceived', 'ActorResumed', 'EffectSucceeded']);
    expect((await house.events('job-1'))[2]!.data).toMatchObject({
      effects: [{ actor: '/work:1', decision: 'rerun' }],
    });
  });

  it('is run again even if its host died between the append and the start (invariant 10)', async () => {
    const house = new House();
    const { runs, machines } = endless();
    const log = house.faulty();
    const first = await house.open(machines, { log });
    const ref = await first.start('job', { id: '1' });
    log.faults.push('answerLost');
    void ref.send({ type: 'GO' });
    await rest();
    log.silence();
    expect(runs).toEqual([]);
    await house.open(machines);
    await rest();
    expect(runs.map(({ attempt }) => attempt)).toEqual([2]);
  });

  it("with onLost 'fail' fails with an EffectLostError through onError", async () => {
    const house = new House();
    const { runs, machines } = endless({ onLost: 'fail' });
    await crashWhileWorking(house, machines);
    const runtime = await house.open(machines);
    const { context } = await (await runtime.get('job-1')).waitFor((snapshot) => snapshot.matches('failed'));
    expect(context.got).toMatchObject({ name: 'EffectLostError', code: 'REWAKE_EFFECT_LOST', actor: '/work:1' });
    expect((context.got as EffectLostError).message).toContain("onLost: 'fail'");
    expect(runs.length).toBe(1);
    expect(await house.types('job-1')).toEqual(['ActorStarted', 'EventReceived', 'ActorResumed', 'EffectFailed']);
  });

  it('fails after maxRestarts: it may be what kills its host', async () => {
    const house = new House();
    const { runs, machines } = endless({ maxRestarts: 2 });
    await crashWhileWorking(house, machines);
    for (let i = 0; i < 2; i++) {
      const { crash } = await house.openToCrash(machines);
      await rest();
      crash();
    }
    expect(runs.map(({ restarts }) => restarts)).toEqual([0, 1, 2]);
    const runtime = await house.open(machines);
    const { context } = await (await runtime.get('job-1')).waitFor((snapshot) => snapshot.matches('failed'));
    expect((context.got as Error).message).toContain('its host died 3 times while it ran (maxRestarts 2)');
    expect(runs.length).toBe(3);
  });

  it('that is of another kind than a promise starts fresh with every host', async () => {
    const house = new House();
    let starts = 0;
    const machines = { job: around(fromCallback(() => void starts++)) };
    await crashWhileWorking(house, machines);
    await house.open(machines);
    await rest();
    expect(starts).toBe(2);
  });

  it('whose state was left before the crash is not run again', async () => {
    const house = new House();
    let starts = 0;
    const job = createMachine({
      initial: 'on',
      states: {
        on: { invoke: { src: fromPromise(() => new Promise(() => void starts++)) }, on: { OFF: 'off' } },
        off: {},
      },
    });
    const { runtime, crash } = await house.openToCrash({ job });
    await (await runtime.start('job', { id: '1' })).send({ type: 'OFF' });
    crash();
    await house.open({ job });
    await rest();
    expect(starts).toBe(1);
  });

  it('goes on from its last checkpoint', async () => {
    const house = new House();
    const seen: unknown[] = [];
    const job = around(
      effect(async ({ context }) => {
        seen.push(context.checkpoint);
        const done = ((context.checkpoint as number | undefined) ?? 0) + 1;
        await context.progress(done);
        return done < 3 ? new Promise(() => {}) : done;
      }),
    );
    await crashWhileWorking(house, { job });
    const second = await house.openToCrash({ job });
    await rest();
    second.crash();
    const runtime = await house.open({ job });
    const { context } = await (await runtime.get('job-1')).waitFor((snapshot) => snapshot.matches('done'));
    expect([seen, context.got]).toEqual([[undefined, 1, 2], 3]);
  });
});

describe("a lost effect with onLost 'ask'", () => {
  const decisions = [
    ['rerun', 'working'],
    [{ output: 5 }, 'done'],
    [{ error: new Error('given up') }, 'failed'],
  ] as const;

  for (const [decision, state] of decisions) {
    it(`waits for a person, who may say ${typeof decision === 'string' ? decision : Object.keys(decision).join('')}`, async () => {
      const house = new House();
      const { runs, machines } = endless({ onLost: 'ask' });
      await crashWhileWorking(house, machines);
      const runtime = await house.open(machines);
      const ref = await runtime.get('job-1');
      await rest();
      expect(runs.length).toBe(1);
      await ref.settle('/work:1', decision);
      await rest();
      expect(ref.getSnapshot().value).toBe(state);
      expect(runs.length).toBe(decision === 'rerun' ? 2 : 1);
    });
  }

  it('goes on waiting in the next hosts, which write nothing (invariant 5)', async () => {
    const house = new House();
    const { machines } = endless({ onLost: 'ask' });
    await crashWhileWorking(house, machines);
    for (let i = 0; i < 3; i++) {
      const { crash } = await house.openToCrash(machines);
      await rest();
      crash();
    }
    expect(await house.types('job-1')).toEqual(['ActorStarted', 'EventReceived', 'ActorResumed']);
    await (await (await house.open(machines)).get('job-1')).settle('/work:1', { output: 1 });
  });

  it('is settled once: a second decision is refused', async () => {
    const house = new House();
    const { machines } = endless({ onLost: 'ask' });
    await crashWhileWorking(house, machines);
    const ref = await (await house.open(machines)).get('job-1');
    const outcomes = await Promise.allSettled([
      ref.settle('/work:1', { output: 1 }),
      ref.settle('/work:1', { output: 2 }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(ref.getSnapshot().context).toEqual({ got: 1 });
    expect(await failureOf(ref.settle('/work:1', 'rerun'))).toBeInstanceOf(InvalidArgumentError);
  });

  it('that is not lost cannot be settled', async () => {
    const house = new House();
    const { machines } = endless({ onLost: 'ask' });
    const ref = await (await house.open(machines)).start('job', { id: '1' });
    await ref.send({ type: 'GO' });
    expect(await failureOf(ref.settle('/work:1', { output: 1 }))).toBeInstanceOf(InvalidArgumentError);
  });
});

describe('resume', () => {
  it('appends nothing the second time (invariant 5)', async () => {
    const house = new House();
    const { runs, machines } = endless();
    await crashWhileWorking(house, machines);
    const runtime = await house.open(machines);
    const before = await house.types('job-1');
    await Promise.all([runtime.resume(), runtime.resume()]);
    await runtime.resume();
    await rest();
    expect(await house.types('job-1')).toEqual(before);
    expect(runs.length).toBe(2);
  });

  it('leaves effects alone that are about to start', async () => {
    const house = new House();
    const { runs, machines } = endless();
    const runtime = await house.open(machines);
    const ref = await runtime.start('job', { id: '1' });
    const sent = ref.send({ type: 'GO' });
    await Promise.all([runtime.resume(), sent]);
    await rest();
    expect(runs.length).toBe(1);
    expect(await house.types('job-1')).toEqual(['ActorStarted', 'EventReceived']);
  });

  it('is left to the caller with resume: false', async () => {
    const house = new House();
    const { runs, machines } = endless();
    await crashWhileWorking(house, machines);
    const runtime = await house.open(machines, { resume: false });
    await rest();
    expect(runs.length).toBe(1);
    await runtime.resume();
    await rest();
    expect(runs.length).toBe(2);
  });

  for (const onLost of ['rerun', 'fail', 'ask'] as const) {
    it(`keeps a result whose append was refused by a full disk, also with onLost '${onLost}'`, async () => {
      const house = new House();
      const { runs, finish, machines } = endless({ onLost });
      const log = house.faulty();
      const runtime = await house.open(machines, { log });
      const ref = await runtime.start('job', { id: '1' });
      await ref.send({ type: 'GO' });
      await rest();
      log.faults.push('full');
      finish[0]!('paid');
      await rest();
      await house.advance(1_000);
      expect(ref.getSnapshot().context).toEqual({ got: 'paid' });
      expect(runs.length).toBe(1);
    });
  }

  it('does not run a result again that met a conflict', async () => {
    const house = new House();
    const { runs, finish, machines } = endless();
    const first = await house.open(machines, { lease: { ttl: '10s' } });
    const ref = await first.start('job', { id: '1' });
    await ref.send({ type: 'GO' });
    await rest();
    const second = await house.open(machines, { resume: false });
    await second.send('job-1', { type: 'NOISE' });
    const appended = runs.length;
    finish[0]!('paid');
    await rest();
    expect(ref.getSnapshot().context).toEqual({ got: 'paid' });
    expect(runs.length).toBe(appended);
  });
});

it('effect() refuses options that mean nothing', () => {
  for (const options of [{ onLost: 'retry' }, { maxRestarts: -1 }, { maxRestarts: 1.5 }]) {
    expect(() => effect(() => 1, options as EffectOptions)).toThrow(InvalidArgumentError);
  }
});
