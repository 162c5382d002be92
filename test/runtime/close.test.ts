/** The end of a runtime: close with and without drain, what is refused afterwards, and what the next one finds. */
import { describe, expect, it } from 'vitest';
import { fromPromise } from 'xstate';
import { LogClosedError, LogUnavailableError, RuntimeClosedError } from '../../src/errors.ts';
import { effect, type EffectContext } from '../../src/runtime/effect.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { failureOf, House, isPending } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { createMachine } from '../support/loose-machine.ts';

function job() {
  const runs: EffectContext[] = [];
  const finish: ((value: unknown) => void)[] = [];
  const src = effect(({ context }) => {
    runs.push(context);
    return new Promise<unknown>((resolve) => finish.push(resolve));
  });
  const machine = createMachine({
    initial: 'on',
    states: { on: { invoke: { id: 'work', src, onDone: 'done' }, after: { 1000: { actions: () => {} } } }, done: {} },
  });
  return { runs, finish, machines: { job: machine } };
}

describe('close', () => {
  it('aborts effects at once; they go on with the next runtime', async () => {
    const house = new House();
    const { runs, finish, machines } = job();
    const runtime = await house.open(machines);
    await runtime.start('job', { id: '1' });
    await rest();
    await runtime.close();
    expect(runs[0]!.signal.aborted).toBe(true);
    finish[0]!('too late');
    await rest();
    expect(await house.types('job-1')).toEqual(['ActorStarted', 'EffectProgressed']);
    const next = await house.open(machines);
    const ref = await next.get('job-1');
    await rest();
    finish[1]!('done');
    await ref.waitFor((snapshot) => snapshot.matches('done'));
    expect(runs[0]!.idempotencyKey).toBe(runs[1]!.idempotencyKey);
  });

  it('with drain lets effects end, and what they do still counts', async () => {
    const house = new House();
    const { runs, finish, machines } = job();
    const runtime = await house.open(machines);
    await runtime.start('job', { id: '1' });
    await rest();
    const closed = runtime.close({ drain: '10s' });
    await house.advance(100);
    expect(await isPending(closed)).toBe(true);
    finish[0]!('in time');
    await house.advance(100);
    await closed;
    expect(runs.length).toBe(1);
    expect((await house.types('job-1')).at(-1)).toBe('EffectSucceeded');
  });

  it('with drain lets effects speak to other actors', async () => {
    const house = new House();
    const ear = createMachine({ on: { HELLO: {} } });
    let go = () => {};
    const src = effect(async ({ context }) => {
      await new Promise<void>((resolve) => (go = resolve));
      await context.send('ear-1', { type: 'HELLO' });
      await context.start('ear', { id: '2' });
    });
    const talker = createMachine({
      initial: 'on',
      states: { on: { invoke: { src, onDone: 'done', onError: 'failed' } }, done: {}, failed: {} },
    });
    const runtime = await house.open({ talker, ear });
    await runtime.start('ear', { id: '1' });
    const ref = await runtime.start('talker', { id: '1' });
    await rest();
    const closed = runtime.close({ drain: '10s' });
    go();
    await house.advance(100);
    await closed;
    expect(ref.getSnapshot().value).toBe('done');
  });

  it('with drain waits for no effect on standby, and leaves its work to the next runtime', async () => {
    const house = new House();
    const runs: { context: EffectContext; begin: () => void }[] = [];
    const src = effect(({ context }) => {
      runs.push({ context, begin: context.standby() });
      return new Promise<unknown>(() => {});
    });
    const job = createMachine({ invoke: { id: 'work', src } });
    const runtime = await house.open({ job });
    for (const id of ['1', '2']) await runtime.start('job', { id });
    await rest();
    runs[1]!.begin();
    const closed = runtime.close({ drain: '10s' });
    await rest();
    expect(runs.map(({ context }) => context.signal.aborted)).toEqual([true, false]);
    expect(runs[0]!.context.signal.reason).toBeInstanceOf(RuntimeClosedError);
    expect(await house.types('job-1')).toEqual(['ActorStarted', 'EffectProgressed']);
    await house.advance(9_999);
    expect(await isPending(closed)).toBe(true);
    await house.advance(1);
    await closed;
    await house.open({ job });
    await rest();
    expect(runs.slice(2).map(({ context }) => [context.stream, context.restarts])).toEqual([
      ['job-1', 0],
      ['job-2', 0],
    ]);
  });

  it('with drain ends at once where nothing but standby is left', async () => {
    const house = new House();
    const wait = effect(({ context }) => {
      context.standby();
      return new Promise<unknown>(() => {});
    });
    let end = () => {};
    const work = effect(() => new Promise<void>((resolve) => (end = resolve)));
    const waiting = { invoke: { src: wait } };
    const job = createMachine({
      initial: 'working',
      states: { working: { invoke: { src: work, onDone: 'waiting' } }, waiting },
    });
    const runtime = await house.open({ job, idle: createMachine(waiting) });
    const ref = await runtime.start('job', { id: '1' });
    await runtime.start('idle', { id: '1' });
    await rest();
    const closed = runtime.close({ drain: '10s' });
    await house.advance(100);
    expect(await isPending(closed)).toBe(true);
    end();
    await house.advance(40);
    expect(await isPending(closed)).toBe(false);
    expect(ref.getSnapshot().value).toBe('waiting');
    await closed;
  });

  it('with drain lets what was said to an actor that is loaded, or folded again, become durable', async () => {
    const house = new House();
    const log = house.faulty();
    const { finish, machines } = job();
    const runtime = await house.open(
      { ...machines, ear: createMachine({ on: { HELLO: {} } }) },
      { log, passivate: { idle: '1m' } },
    );
    await runtime.start('ear', { id: '1' });
    await runtime.start('job', { id: '1' });
    await house.advance(180_000);
    const sent = runtime.send('ear-1', { type: 'HELLO' });
    const closed = runtime.close({ drain: '10s' });
    await sent;
    log.faults.push('full');
    finish[0]!('in time');
    await house.advance(2_000);
    expect((await house.types('job-1')).at(-1)).toBe('EffectSucceeded');
    await closed;
  });

  it.each(['fail', 'ask', 'rerun'] as const)(
    'leaves an effect that has not begun to the next runtime, with onLost: %s',
    async (onLost) => {
      const house = new House();
      const runs: EffectContext[] = [];
      const src = effect(
        ({ context }) => {
          runs.push(context);
          const begin = context.standby();
          if (context.stream === 'job-began') begin();
          context.standby();
          return new Promise<unknown>(() => {});
        },
        { onLost },
      );
      const idle = { on: { GO: 'working' } };
      const working = { invoke: { id: 'work', src, onError: 'failed' } };
      const job = createMachine({ initial: 'idle', states: { idle, working, failed: {} } });
      const log = house.faulty();
      const runtime = await house.open({ job }, { log });
      const refs = [];
      for (const id of ['began', 'late', 'waits']) refs.push(await runtime.start('job', { id }));
      await refs[0]!.send({ type: 'GO' });
      await refs[2]!.send({ type: 'GO' });
      await rest();
      const release = log.hold();
      const sent = refs[1]!.send({ type: 'GO' });
      const closed = runtime.close();
      release();
      await sent;
      await closed;
      expect(runs.splice(0).map(({ stream }) => stream)).toEqual(['job-began', 'job-waits']);
      await house.open({ job });
      await rest();
      const again = onLost === 'rerun' ? ['job-began', 'job-late', 'job-waits'] : ['job-late', 'job-waits'];
      expect(runs.map(({ stream, restarts }) => [stream, restarts])).toEqual(again.map((stream) => [stream, 0]));
    },
  );

  it('lets an effect that is cut off start no other actor', async () => {
    const house = new House();
    let started: Promise<unknown> | undefined;
    const src = effect(({ context }) => {
      context.signal.addEventListener('abort', () => {
        started = failureOf(context.start('job', { id: 'late' }));
      });
      return new Promise(() => {});
    });
    const { runs, machines } = job();
    const runtime = await house.open({ ...machines, starter: createMachine({ invoke: { src } }) });
    await runtime.start('starter', { id: '1' });
    await rest();
    await runtime.close();
    expect(await started).toBeInstanceOf(RuntimeClosedError);
    expect(runs).toEqual([]);
    expect(await house.types('job-late')).toEqual([]);
  });

  it('takes an effect as waiting for as long as it waits for anything', async () => {
    const house = new House();
    const begin: (() => void)[] = [];
    const src = effect(({ context }) => {
      begin.push(context.standby(), context.standby());
      return new Promise<unknown>(() => {});
    });
    const runtime = await house.open({ job: createMachine({ invoke: { src } }) });
    await runtime.start('job', { id: '1' });
    await rest();
    begin[0]!();
    begin[0]!();
    const closed = runtime.close({ drain: '10s' });
    await house.advance(20);
    expect(await isPending(closed)).toBe(false);
  });

  it('ends draining at the deadline', async () => {
    const house = new House();
    const { runs, machines } = job();
    const runtime = await house.open(machines);
    await runtime.start('job', { id: '1' });
    await rest();
    const closed = runtime.close({ drain: 500 });
    await house.advance(499);
    expect(await isPending(closed)).toBe(true);
    await house.advance(1);
    await closed;
    expect(runs[0]!.signal.aborted).toBe(true);
  });

  it('waits for what is on its way to the log', async () => {
    const house = new House();
    const log = house.faulty();
    const { machines } = job();
    const runtime = await house.open(machines, { log });
    const ref = await runtime.start('job', { id: '1' });
    const release = log.hold();
    const sent = ref.send({ type: 'A' });
    const closed = runtime.close();
    expect(await isPending(closed)).toBe(true);
    release();
    await Promise.all([sent, closed]);
    expect(await house.types('job-1')).toEqual(['ActorStarted', 'EventReceived', 'EffectProgressed']);
  });

  it('ends although the disk is full', async () => {
    const house = new House();
    const log = house.faulty();
    const { machines } = job();
    const runtime = await house.open(machines, { log });
    const ref = await runtime.start('job', { id: '1' });
    const release = log.hold();
    log.faults.push('full');
    const sent = failureOf(ref.send({ type: 'A' }));
    const closed = runtime.close();
    await rest();
    release();
    await closed;
    expect(await sent).toBeInstanceOf(LogUnavailableError);
  });

  it('ends although the log is away, and rejects what it could not write', async () => {
    const house = new House();
    const log = house.faulty();
    const { machines } = job();
    const runtime = await house.open(machines, { log });
    const ref = await runtime.start('job', { id: '1' });
    log.faults.push(...Array<'unavailable'>(100).fill('unavailable'));
    const sent = failureOf(ref.send({ type: 'A' }));
    await rest();
    const closed = runtime.close();
    await house.advance(10_000);
    await closed;
    expect(await sent).toBeInstanceOf(RuntimeClosedError);
  });

  it('refuses everything afterwards, and may be repeated', async () => {
    const house = new House();
    const { machines } = job();
    const runtime = await house.open(machines);
    const ref = await runtime.start('job', { id: '1' });
    await Promise.all([runtime.close(), runtime.close({ drain: '1m' })]);
    await runtime[Symbol.asyncDispose]();
    const refused = [
      () => runtime.start('job', { id: '2' }),
      () => runtime.get('job-1'),
      () => runtime.resume(),
      () => ref.send({ type: 'A' }),
      () => ref.stop(),
      () => ref.output(),
      () => ref.settle('/work:1', 'rerun'),
      () => runtime.list().next(),
      async () => runtime.on('job-1', '*', () => {}),
    ];
    for (const call of refused) expect(await failureOf(call()), String(call)).toBeInstanceOf(RuntimeClosedError);
    expect(ref.getSnapshot().value).toBe('on');
    await house.advance(5_000);
    expect(await house.types('job-1')).toEqual(['ActorStarted', 'EffectProgressed']);
  });

  it('closes the log, unless told to keep it open', async () => {
    const house = new House();
    const { machines } = job();
    const kept = await house.open(machines);
    await kept.close();
    await house.log.head('job-1');
    const owning = await house.open(machines, { keepLogOpen: false });
    await owning.close();
    expect(await failureOf(house.log.head('job-1'))).toBeInstanceOf(LogClosedError);
  });
});

it('a runtime that cannot be opened leaves nothing behind', async () => {
  const house = new House();
  const log = house.faulty();
  const { machines } = job();
  const options = { log, machines, clock: house.clock, logger: house.logger, keepLogOpen: true };
  log.indexErrors.push(new LogUnavailableError('The index cannot be read.', false));
  expect(await failureOf(createRuntime(options))).toBeInstanceOf(LogUnavailableError);
  const runtime = await createRuntime(options);
  await runtime.close();
  expect(house.clock.nextDue()).toBeUndefined();
});

it('a runtime without a log of its own keeps one in memory', async () => {
  const machine = createMachine({
    initial: 'a',
    states: { a: { invoke: { src: fromPromise(async () => 1), onDone: 'b' } }, b: { type: 'final' } },
    output: 'done',
  });
  await using runtime = await createRuntime({ machines: { machine } });
  const ref = await runtime.start('machine', { id: '1' });
  expect(await ref.output()).toBe('done');
});
