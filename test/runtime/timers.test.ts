/** Timers across time and hosts: never early, never lost, also far away, also after a sleep; and passivation. */
import { describe, expect, it } from 'vitest';
import { assign, fromPromise, raise } from 'xstate';
import { LogUnavailableError } from '../../src/errors.ts';
import { failureOf, House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { createMachine } from '../support/loose-machine.ts';

const day = 86_400_000;
const sleeper = createMachine({
  context: { heard: [] },
  initial: 'asleep',
  states: { asleep: { after: { [40 * day]: 'awake' } }, awake: {} },
  on: {
    ARM: {
      actions: raise(({ event }) => ({ type: `T${String(event.ms)}` }), { delay: ({ event }) => event.ms as number }),
    },
    '*': { actions: assign({ heard: ({ context, event }) => [...(context.heard as string[]), event.type] }) },
  },
});

describe('a timer', () => {
  it('of more than 2^31-1 ms fires at its time, not before (invariant 19)', async () => {
    const house = new House();
    const runtime = await house.open({ sleeper });
    const ref = await runtime.start('sleeper', { id: '1' });
    await house.advance(40 * day - 1);
    expect(ref.getSnapshot().value).toBe('asleep');
    await house.advance(1);
    expect(ref.getSnapshot().value).toBe('awake');
  });

  it('that came due while no host ran fires as soon as one does, in the order of (due, armed) (invariant 20)', async () => {
    const house = new House();
    const { runtime, crash } = await house.openToCrash({ sleeper });
    const ref = await runtime.start('sleeper', { id: '1' });
    for (const ms of [30, 10, 20, 10]) await ref.send({ type: 'ARM', ms });
    crash();
    house.clock.jump(25);
    const next = await house.open({ sleeper });
    await next.idle();
    const woken = await next.get('sleeper-1');
    expect(woken.getSnapshot().context).toEqual({ heard: ['T10', 'T10', 'T20'] });
    await house.advance(4);
    expect(woken.getSnapshot().context).toEqual({ heard: ['T10', 'T10', 'T20'] });
    await house.advance(1);
    expect(woken.getSnapshot().context).toEqual({ heard: ['T10', 'T10', 'T20', 'T30'] });
  });

  it('keeps its deadline over a crash: downtime does not extend it (invariant 19)', async () => {
    const house = new House();
    const { runtime, crash } = await house.openToCrash({ sleeper });
    await (await runtime.start('sleeper', { id: '1' })).send({ type: 'ARM', ms: 100 });
    house.clock.jump(60);
    crash();
    const next = await house.open({ sleeper });
    await house.advance(39);
    const types = () => house.types('sleeper-1');
    expect(await types()).toEqual(['ActorStarted', 'EventReceived']);
    await house.advance(1);
    expect(await types()).toEqual(['ActorStarted', 'EventReceived', 'TimerFired']);
    await next.idle();
  });

  it('does not fire while the clock has gone back, nor twice when it comes again', async () => {
    const house = new House();
    const runtime = await house.open({ sleeper });
    const ref = await runtime.start('sleeper', { id: '1' });
    await ref.send({ type: 'ARM', ms: 100 });
    house.clock.jump(-1_000);
    await house.advance(1_000);
    expect(ref.getSnapshot().context).toEqual({ heard: [] });
    await house.advance(100);
    expect(ref.getSnapshot().context).toEqual({ heard: ['T100'] });
    house.clock.jump(-500);
    await house.advance(2_000);
    expect(ref.getSnapshot().context).toEqual({ heard: ['T100'] });
  });

  it('gives the log times that never run backwards', async () => {
    const house = new House();
    const runtime = await house.open({ sleeper });
    const ref = await runtime.start('sleeper', { id: '1' });
    house.clock.jump(-1_000);
    await ref.send({ type: 'A' });
    const [first, second] = await house.events('sleeper-1');
    expect(second!.data.at).toBe(first!.data.at);
  });

  it('of a second host that did not load the actor fires too', async () => {
    const house = new House();
    const first = await house.openToCrash({ sleeper });
    const ref = await first.runtime.start('sleeper', { id: '1' });
    await ref.send({ type: 'ARM', ms: 100 });
    first.crash();
    await house.open({ sleeper });
    await house.advance(100);
    expect(await house.types('sleeper-1')).toEqual(['ActorStarted', 'EventReceived', 'TimerFired']);
  });

  it('without delay, armed again and again, lets other actors have their turn', async () => {
    const house = new House();
    const spinner = createMachine({
      context: { n: 0 },
      initial: 'a',
      states: {
        a: {
          after: {
            0: { target: 'a', reenter: true, actions: assign({ n: ({ context }) => (context.n as number) + 1 }) },
          },
        },
        stopped: {},
      },
      on: { STOP: '.stopped' },
    });
    const runtime = await house.open({ spinner });
    const ref = await runtime.start('spinner', { id: '1' });
    const fired = () => (ref.getSnapshot().context as { n: number }).n;
    let turns = 0;
    const advancing = house.clock.advance(0, async () => {
      if (++turns === 5) await ref.send({ type: 'STOP' });
      await rest();
    });
    await advancing;
    expect(ref.getSnapshot().value).toBe('stopped');
    expect(fired()).toBeLessThan(10);
  });

  it('with a fraction of a millisecond is logged and indexed as a whole number, never early', async () => {
    const house = new House();
    const runtime = await house.open({ sleeper });
    const ref = await runtime.start('sleeper', { id: '1' });
    await ref.send({ type: 'ARM', ms: 10.25 });
    const { wakeAt } = (await house.log.actor('sleeper-1'))!;
    expect(wakeAt).toBe(house.clock.now() + 11);
  });
});

describe('passivation', () => {
  const passivate = { idle: '1m' } as const;
  const minute = 60_000;

  it('drops an idle actor and brings it back for a message', async () => {
    const house = new House();
    const log = house.faulty();
    const runtime = await house.open({ sleeper }, { log, passivate });
    const ref = await runtime.start('sleeper', { id: '1' });
    await house.advance(3 * minute);
    let folded = 0;
    log.damage = (event) => (folded++, event);
    await ref.send({ type: 'A' });
    expect(folded).toBe(1);
    expect(ref.getSnapshot().context).toEqual({ heard: ['A'] });
  });

  it('drops an idle actor and brings it back for its timer', async () => {
    const house = new House();
    const log = house.faulty();
    const runtime = await house.open({ sleeper }, { log, passivate });
    const ref = await runtime.start('sleeper', { id: '1' });
    await ref.send({ type: 'ARM', ms: 10 * minute });
    await house.advance(3 * minute);
    let folded = 0;
    log.damage = (event) => (folded++, event);
    await house.advance(7 * minute);
    expect(folded).toBe(2);
    expect(await house.types('sleeper-1')).toContain('TimerFired');
    expect(ref.getSnapshot().context).toEqual({ heard: [`T${10 * minute}`] });
  });

  it('leaves actors with running effects and with watchers alone', async () => {
    const house = new House();
    const log = house.faulty();
    const busy = createMachine({ invoke: { src: fromPromise(() => new Promise(() => {})) } });
    const runtime = await house.open({ sleeper, busy }, { log, passivate });
    const [working, watched] = [await runtime.start('busy', { id: '1' }), await runtime.start('sleeper', { id: '1' })];
    const seen: unknown[] = [];
    watched.subscribe((snapshot) => void seen.push(snapshot.value));
    await house.advance(5 * minute);
    let folded = 0;
    log.damage = (event) => (folded++, event);
    await working.send({ type: 'A' });
    await watched.send({ type: 'A' });
    expect([folded, seen]).toEqual([0, ['asleep']]);
  });

  it('does not lose a message that comes while the actor leaves', async () => {
    const house = new House();
    const runtime = await house.open({ sleeper }, { passivate });
    const ref = await runtime.start('sleeper', { id: '1' });
    const sends: Promise<unknown>[] = [];
    for (let i = 0; i < 5; i++) {
      await house.clock.advance(minute, async () => {
        sends.push(ref.send({ type: `M${i}` }));
      });
    }
    await Promise.all(sends);
    expect((await house.types('sleeper-1')).length).toBe(sends.length + 1);
  });

  describe('in a runtime that resumes nothing (W5)', () => {
    const options = { passivate, resume: false } as const;
    const fired = async (house: House, stream: string) =>
      (await house.types(stream)).filter((type) => type === 'TimerFired').length;

    it('keeps the wake-up of an actor that it started', async () => {
      const house = new House();
      const runtime = await house.open({ sleeper }, options);
      await (await runtime.start('sleeper', { id: '1' })).send({ type: 'ARM', ms: 10 * minute });
      await house.advance(10 * minute - 1);
      expect(await fired(house, 'sleeper-1')).toBe(0);
      await house.advance(1);
      expect(await fired(house, 'sleeper-1')).toBe(1);
      await house.advance(40 * day);
      expect((await runtime.get('sleeper-1')).getSnapshot().value).toBe('awake');
    });

    it('keeps the wake-up of an actor that it loaded, and leaves alone those that it never touched', async () => {
      const house = new House();
      const first = await house.openToCrash({ sleeper });
      for (const id of ['touched', 'untouched']) {
        await (await first.runtime.start('sleeper', { id })).send({ type: 'ARM', ms: 10 * minute });
      }
      first.crash();
      const runtime = await house.open({ sleeper }, options);
      await runtime.get('sleeper-touched');
      await house.advance(60 * minute);
      expect(await fired(house, 'sleeper-touched')).toBe(1);
      expect(await fired(house, 'sleeper-untouched')).toBe(0);
      await runtime.resume();
      await house.advance(0);
      expect(await fired(house, 'sleeper-touched')).toBe(1);
      expect(await fired(house, 'sleeper-untouched')).toBe(1);
    });

    it('keeps it over a later resume', async () => {
      const house = new House();
      const runtime = await house.open({ sleeper }, options);
      await (await runtime.start('sleeper', { id: '1' })).send({ type: 'ARM', ms: 10 * minute });
      await house.advance(5 * minute);
      await runtime.resume();
      await house.advance(5 * minute);
      expect(await fired(house, 'sleeper-1')).toBe(1);
      await (await runtime.get('sleeper-1')).send({ type: 'ARM', ms: 10 * minute });
      await house.advance(10 * minute);
      expect(await fired(house, 'sleeper-1')).toBe(2);
    });

    it('keeps it after a resume that could not read the index', async () => {
      const house = new House();
      const log = house.faulty();
      const runtime = await house.open({ sleeper }, { ...options, log });
      await (await runtime.start('sleeper', { id: '1' })).send({ type: 'ARM', ms: 10 * minute });
      await house.advance(30_000);
      log.indexErrors.push(new LogUnavailableError('The index cannot be read.', false));
      expect(await failureOf(runtime.resume())).toBeInstanceOf(LogUnavailableError);
      await house.advance(10 * minute);
      expect(await fired(house, 'sleeper-1')).toBe(1);
    });
  });

  it('never happens with false', async () => {
    const house = new House();
    const log = house.faulty();
    const runtime = await house.open({ sleeper }, { log, passivate: false });
    const ref = await runtime.start('sleeper', { id: '1' });
    await house.advance(30 * minute);
    let folded = 0;
    log.damage = (event) => (folded++, event);
    await ref.send({ type: 'A' });
    expect(folded).toBe(0);
  });
});

it('wakes thousands of dormant actors each at its time', async () => {
  const house = new House();
  const { runtime, crash } = await house.openToCrash({ sleeper });
  const count = 2_500;
  const starts = Array.from({ length: count }, (_, i) => runtime.start('sleeper', { id: String(i) }));
  const refs = await Promise.all(starts);
  await Promise.all(refs.map((ref, i) => ref.send({ type: 'ARM', ms: 1_000 + (i % 50) * 10 })));
  crash();
  const next = await house.open({ sleeper });
  const fired = async () => {
    let n = 0;
    for await (const _ of house.log.readAll({ filter: { types: ['TimerFired'] } })) n++;
    return n;
  };
  await house.clock.advance(1_240, () => next.idle());
  expect(await fired()).toBe(count / 2);
  await house.clock.advance(260, () => next.idle());
  expect(await fired()).toBe(count);
});

it('keeps the wake-up of an actor that leaves memory while the index is being read (W5)', async () => {
  const house = new House();
  const { runtime, crash } = await house.openToCrash({ sleeper });
  const start = async (id: string, ms: number) => (await runtime.start('sleeper', { id })).send({ type: 'ARM', ms });
  await Promise.all(Array.from({ length: 1_000 }, (_, i) => start(String(i), 1_000)));
  await start('last', 600_000);
  crash();
  const log = house.faulty();
  const next = await house.open({ sleeper }, { log, passivate: { idle: '1m' } });
  await next.get('sleeper-last');
  const release = log.holdIndex();
  await house.advance(180_000);
  release();
  await house.advance(600_000);
  expect(await house.types('sleeper-last')).toContain('TimerFired');
});

it('does not put off a wake-up that changes while the index is being read (W6)', async () => {
  const house = new House();
  const log = house.faulty();
  const runtime = await house.open({ sleeper }, { log });
  const ref = await runtime.start('sleeper', { id: '1' });
  await ref.send({ type: 'ARM', ms: 600_000 });
  const release = log.holdWakes();
  const resumed = runtime.resume();
  await house.rest();
  await ref.send({ type: 'ARM', ms: 1_000 });
  release();
  await resumed;
  await house.advance(1_000);
  expect(await house.types('sleeper-1')).toContain('TimerFired');
});
