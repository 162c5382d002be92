/** Sending events: what is refused, what cannot be logged, repeats, and the bound of a mailbox. */
import { describe, expect, it } from 'vitest';
import { assign, emit, fromPromise, raise } from 'xstate';
import {
  ActorBlockedError,
  ActorFinishedError,
  EventTooLargeError,
  InvalidArgumentError,
  InvalidEventError,
  MailboxFullError,
  NotFoundError,
  NotSerializableError,
} from '../../src/errors.ts';
import { memoryLog } from '../../src/log/memory-log.ts';
import { failureOf, House, isPending } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { createMachine } from '../support/loose-machine.ts';

const counter = createMachine({
  context: { n: 0 },
  on: {
    ADD: { actions: assign({ n: ({ context }) => (context.n as number) + 1 }) },
    // The fact holds a function: it cannot be logged.
    SPOIL: { actions: [assign({ n: 1_000 }), emit({ type: 'Spoilt', fn: () => {} })] },
    SPOIL_LATER: { actions: raise({ type: 'SPOIL' }, { delay: 10 }) },
  },
});

describe('an event', () => {
  it('that is no object with a string type is refused before anything is written', async () => {
    const house = new House();
    const runtime = await house.open({ counter });
    const ref = await runtime.start('counter', { id: '1' });
    const wrong = [
      null,
      undefined,
      'ADD',
      5,
      [],
      {},
      { type: 7 },
      { type: '' },
      { type: '*' },
      { type: 'xstate.init' },
      { type: 'xstate.stop' },
      { type: 'xstate.done.actor.charge', output: 'faked' },
    ];
    for (const event of wrong) expect(await failureOf(ref.send(event as never))).toBeInstanceOf(InvalidEventError);
    expect(await house.types('counter-1')).toEqual(['ActorStarted']);
  });

  it('that the codec cannot carry is refused with the path (invariant 27)', async () => {
    const house = new House();
    const runtime = await house.open({ counter });
    const ref = await runtime.start('counter', { id: '1' });
    const failure = await failureOf(ref.send({ type: 'ADD', order: { on: [1, Symbol('x')] } }));
    expect(failure).toMatchObject({ code: 'REWAKE_NOT_SERIALIZABLE', path: '.order.on[1]', what: "event 'ADD'" });
    await ref.send({ type: 'ADD' });
    expect(await house.types('counter-1')).toEqual(['ActorStarted', 'EventReceived']);
  });

  it('that is larger than the log takes is refused', async () => {
    const house = new House();
    const runtime = await house.open({ counter }, { log: memoryLog({ maxEventBytes: 500 }) });
    const ref = await runtime.start('counter', { id: '1' });
    expect(await failureOf(ref.send({ type: 'ADD', text: 'ä'.repeat(300) }))).toBeInstanceOf(EventTooLargeError);
    await ref.send({ type: 'ADD' });
    expect(ref.getSnapshot().context).toEqual({ n: 1 });
  });

  it('for nobody is refused', async () => {
    const runtime = await new House().open({ counter });
    expect(await failureOf(runtime.send('counter-9', { type: 'ADD' }))).toBeInstanceOf(NotFoundError);
    expect(await failureOf(runtime.send('counter', { type: 'ADD' }))).toBeInstanceOf(InvalidArgumentError);
  });

  it('for an actor that has ended is refused with its status (invariant 33)', async () => {
    const house = new House();
    const brief = createMachine({ initial: 'a', states: { a: { on: { END: 'b' } }, b: { type: 'final' } } });
    const runtime = await house.open({ brief });
    const ref = await runtime.start('brief', { id: '1' });
    const [first, second] = await Promise.allSettled([ref.send({ type: 'END' }), ref.send({ type: 'END' })]);
    expect(first.status).toBe('fulfilled');
    expect(second).toMatchObject({ reason: { code: 'REWAKE_ACTOR_FINISHED', status: 'done' } });
    expect(await failureOf(ref.send({ type: 'END' }))).toBeInstanceOf(ActorFinishedError);
    expect(await house.types('brief-1')).toEqual(['ActorStarted', 'EventReceived']);
  });

  it('is copied: what the sender changes afterwards is not seen', async () => {
    const house = new House();
    const keeper = createMachine({
      context: { kept: null },
      on: { KEEP: { actions: assign({ kept: ({ event }) => event.list as unknown }) } },
    });
    const runtime = await house.open({ keeper });
    const ref = await runtime.start('keeper', { id: '1' });
    const list = [1];
    const sent = ref.send({ type: 'KEEP', list });
    list.push(2);
    await sent;
    expect(ref.getSnapshot().context).toEqual({ kept: [1] });
  });
});

describe('a step that cannot be logged', () => {
  it('rejects its event, leaves no trace and lets the actor go on', async () => {
    const house = new House();
    const runtime = await house.open({ counter });
    const ref = await runtime.start('counter', { id: '1' });
    const failure = await failureOf(ref.send({ type: 'SPOIL' }));
    expect(failure).toBeInstanceOf(NotSerializableError);
    expect(failure.message).toContain("fact 'Spoilt' of /");
    await ref.send({ type: 'ADD' });
    expect(ref.getSnapshot().context).toEqual({ n: 1 });
    expect(await house.types('counter-1')).toEqual(['ActorStarted', 'EventReceived']);
  });

  it('does not touch the events before and after it: each counts once (invariants 7 and 8)', async () => {
    const house = new House();
    const runtime = await house.open({ counter });
    const ref = await runtime.start('counter', { id: '1' });
    const sent = ['ADD', 'ADD', 'SPOIL', 'ADD'].map((type) => ref.send({ type }));
    const outcomes = await Promise.allSettled(sent);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
    await runtime.idle();
    expect(await house.types('counter-1')).toEqual(['ActorStarted', ...Array<string>(3).fill('EventReceived')]);
    expect((await runtime.get('counter-1')).getSnapshot().context).toEqual({ n: 3 });
  });

  it('waits for an append in flight before the stream is folded again', async () => {
    const house = new House();
    const log = house.faulty();
    const runtime = await house.open({ counter }, { log });
    const ref = await runtime.start('counter', { id: '1' });
    const release = log.hold();
    const first = ref.send({ type: 'ADD' });
    const spoilt = failureOf(ref.send({ type: 'SPOIL' }));
    const third = ref.send({ type: 'ADD' });
    await rest();
    release();
    await Promise.all([first, spoilt, third]);
    expect((await runtime.get('counter-1')).getSnapshot().context).toEqual({ n: 2 });
    expect(await house.types('counter-1')).toEqual(['ActorStarted', 'EventReceived', 'EventReceived']);
  });

  it('caused by a timer blocks the actor with the reason; others run on', async () => {
    const house = new House();
    const runtime = await house.open({ counter });
    const bad = await runtime.start('counter', { id: 'bad' });
    const good = await runtime.start('counter', { id: 'good' });
    await bad.send({ type: 'SPOIL_LATER' });
    await house.advance(10);
    expect(await failureOf(bad.send({ type: 'ADD' }))).toBeInstanceOf(ActorBlockedError);
    await good.send({ type: 'ADD' });
    expect(await house.types('counter-bad')).toEqual(['ActorStarted', 'EventReceived']);
  });

  it('caused by an effect reaches onError', async () => {
    const house = new House();
    const machine = createMachine({
      initial: 'a',
      states: {
        a: {
          invoke: {
            src: fromPromise(async () => 1),
            onDone: { actions: emit({ type: 'Bad', fn: () => {} }) },
            onError: 'failed',
          },
        },
        failed: {},
      },
    });
    const runtime = await house.open({ machine });
    const ref = await runtime.start('machine', { id: '1' });
    await ref.waitFor((snapshot) => snapshot.matches('failed'));
    expect(await house.types('machine-1')).not.toContain('EffectSucceeded');
  });
});

describe('an output', () => {
  it('of an effect that cannot be logged goes to onError with the reason', async () => {
    const machine = createMachine({
      context: { error: null },
      initial: 'a',
      states: {
        a: {
          invoke: {
            id: 'work',
            src: fromPromise(async () => ({ deep: [() => {}] })),
            onError: { target: 'failed', actions: assign({ error: ({ event }) => event.error as Error }) },
          },
        },
        failed: {},
      },
    });
    const runtime = await new House().open({ machine });
    const ref = await runtime.start('machine', { id: '1' });
    const { context } = await ref.waitFor((snapshot) => snapshot.matches('failed'));
    expect((context.error as Error).message).toContain('output of /work:1: the value at .deep[0] is a function');
  });

  it('of a machine may be anything: it is folded, not stored', async () => {
    const house = new House();
    const machine = createMachine({
      initial: 'a',
      states: { a: { on: { END: 'b' } }, b: { type: 'final' } },
      output: () => ({ fn: () => 5 }),
    });
    const runtime = await house.open({ machine });
    const ref = await runtime.start('machine', { id: '1' });
    await ref.send({ type: 'END' });
    expect(((await ref.output()) as { fn(): number }).fn()).toBe(5);
  });
});

describe('a message id', () => {
  it('takes effect once, also when it comes again at the same time (invariant 9)', async () => {
    const house = new House();
    const runtime = await house.open({ counter });
    const ref = await runtime.start('counter', { id: '1' });
    await Promise.all([1, 2, 3].map(() => ref.send({ type: 'ADD' }, { messageId: 'm' })));
    await ref.send({ type: 'ADD' }, { messageId: 'm' });
    await ref.send({ type: 'ADD' }, { messageId: 'other' });
    expect(ref.getSnapshot().context).toEqual({ n: 2 });
    expect(await house.types('counter-1')).toEqual(['ActorStarted', 'EventReceived', 'EventReceived']);
  });

  it('is acknowledged only when the first one is durable', async () => {
    const house = new House();
    const log = house.faulty();
    const runtime = await house.open({ counter }, { log });
    const ref = await runtime.start('counter', { id: '1' });
    const release = log.hold();
    const sends = [1, 2].map(() => ref.send({ type: 'ADD' }, { messageId: 'm' }));
    expect(await Promise.all(sends.map(isPending))).toEqual([true, true]);
    release();
    await Promise.all(sends);
  });

  it('is remembered by the next host, with and without a snapshot', async () => {
    const house = new House();
    const { runtime, crash } = await house.openToCrash({ counter }, { snapshots: { every: 1 } });
    await (await runtime.start('counter', { id: '1' })).send({ type: 'ADD' }, { messageId: 'm' });
    await rest();
    crash();
    for (const snapshots of [false, { every: 1 }] as const) {
      const next = await house.open({ counter }, { snapshots });
      const ref = await next.get('counter-1');
      await ref.send({ type: 'ADD' }, { messageId: 'm' });
      expect(ref.getSnapshot().context).toEqual({ n: 1 });
    }
  });

  it('repeated after it ended its actor is acknowledged, not refused', async () => {
    const house = new House();
    const brief = createMachine({ initial: 'a', states: { a: { on: { END: 'b' } }, b: { type: 'final' } } });
    const runtime = await house.open({ brief });
    const ref = await runtime.start('brief', { id: '1' });
    const end = () => ref.send({ type: 'END' }, { messageId: 'm' });
    await Promise.all([end(), end()]);
    await end();
    const next = await house.open({ brief });
    await next.send('brief-1', { type: 'END' }, { messageId: 'm' });
    expect(await house.types('brief-1')).toEqual(['ActorStarted', 'EventReceived']);
  });
});

describe('a mailbox', () => {
  it('that is full refuses, and takes again once messages are durable', async () => {
    const house = new House();
    const log = house.faulty();
    const runtime = await house.open({ counter }, { log, mailboxSize: 3 });
    const ref = await runtime.start('counter', { id: '1' });
    const release = log.hold();
    const taken = [1, 2, 3].map(() => ref.send({ type: 'ADD' }));
    const failure = await failureOf(ref.send({ type: 'ADD' }));
    expect(failure).toBeInstanceOf(MailboxFullError);
    expect(failure).toMatchObject({ limit: 3, stream: 'counter-1' });
    release();
    await Promise.all(taken);
    await ref.send({ type: 'ADD' });
    expect(ref.getSnapshot().context).toEqual({ n: 4 });
  });

  it('of an actor that is being loaded is bounded too and keeps the order', async () => {
    const house = new House();
    await (await house.open({ counter })).start('counter', { id: '1' });
    const runtime = await house.open({ counter }, { mailboxSize: 2 });
    const outcomes = await Promise.allSettled([1, 2, 3].map((n) => runtime.send('counter-1', { type: 'ADD', n })));
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    const received = (await house.events('counter-1')).slice(1).map(({ data }) => (data.event as { n: number }).n);
    expect(received).toEqual([1, 2]);
  });
});
