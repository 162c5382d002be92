/** What a handle shows and waits for: snapshots, observers, facts, waitFor, output, stop. Committed state only. */
import { describe, expect, it } from 'vitest';
import { assign, emit, fromPromise, setup } from 'xstate';
import {
  ActorFinishedError,
  ActorStoppedError,
  InvalidArgumentError,
  RuntimeClosedError,
  WaitTimeoutError,
} from '../../src/errors.ts';
import { failureOf, House, isPending } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { createMachine } from '../support/loose-machine.ts';

const walker = createMachine({
  context: { n: 0 },
  initial: 'on',
  states: {
    on: {
      on: {
        STEP: {
          actions: [
            assign({ n: ({ context }) => (context.n as number) + 1 }),
            emit({ type: 'Stepped' }),
            emit({ type: 'Moved' }),
          ],
        },
        END: 'end',
        FAIL: {
          actions: assign(() => {
            throw new RangeError('tripped');
          }),
        },
        IGNORED: {},
      },
    },
    end: { type: 'final' },
  },
  output: ({ context }) => context.n as number,
});

async function walk() {
  const house = new House();
  const log = house.faulty();
  const runtime = await house.open({ walker }, { log });
  return { house, log, runtime, ref: await runtime.start('walker', { id: '1' }) };
}

describe('getSnapshot', () => {
  it('shows nothing that is not durable', async () => {
    const { log, ref } = await walk();
    const release = log.hold();
    const sent = ref.send({ type: 'STEP' });
    await rest();
    expect(ref.getSnapshot().context).toEqual({ n: 0 });
    release();
    await sent;
    expect(ref.getSnapshot().context).toEqual({ n: 1 });
  });

  it('shows the end of the actor, also to a handle that did not watch', async () => {
    const { ref, runtime } = await walk();
    const other = await runtime.get('walker-1');
    await ref.send({ type: 'END' });
    expect(ref.getSnapshot().status).toBe('done');
    expect(other.getSnapshot().status).toBe('done');
  });
});

describe('subscribe', () => {
  it('tells every durable change and the end', async () => {
    const { ref } = await walk();
    const seen: unknown[] = [];
    ref.subscribe({
      next: ({ context, status }) => void seen.push([status, (context as { n: number }).n]),
      complete: () => void seen.push('complete'),
    });
    for (const type of ['STEP', 'IGNORED', 'UNKNOWN', 'STEP', 'END']) await ref.send({ type });
    expect(seen.at(-1)).toBe('complete');
    expect(seen.filter((entry) => Array.isArray(entry) && entry[0] === 'done')).toEqual([['done', 2]]);
  });

  it('tells the error of the machine', async () => {
    const { ref } = await walk();
    const seen: unknown[] = [];
    ref.subscribe({
      next: () => void seen.push('next'),
      error: (error) => void seen.push((error as Error).message),
      complete: () => void seen.push('complete'),
    });
    await ref.send({ type: 'FAIL' });
    expect(seen).toEqual(['tripped']);
  });

  it('hears the facts of an append of which nobody said that it was written', async () => {
    const house = new House();
    const log = house.faulty();
    const runtime = await house.open({ walker }, { log });
    const ref = await runtime.start('walker', { id: '1' });
    const heard: string[] = [];
    runtime.on('walker-1', '*', ({ type }) => void heard.push(type));
    log.faults.push('answerLost', 'full');
    const sent = failureOf(ref.send({ type: 'STEP' }));
    await house.advance(10_000);
    await sent;
    expect(heard).toEqual(['Stepped', 'Moved']);
    await ref.send({ type: 'STEP' });
    expect(heard.length).toBe(4);
  });

  it('hears the facts that another process wrote, once each', async () => {
    const house = new House();
    const here = await house.open({ walker });
    const ref = await here.start('walker', { id: '1' });
    const heard: number[] = [];
    let last = 0;
    ref.subscribe(({ context }) => void (last = (context as { n: number }).n));
    ref.on('Stepped', () => void heard.push(last));
    const there = await house.open({ walker }, { resume: false });
    await there.send('walker-1', { type: 'STEP' });
    await ref.send({ type: 'STEP' });
    expect(heard).toEqual([1, 2]);
    expect(last).toBe(2);
  });

  it('is not called any more once another one has let go of it, or itself', async () => {
    const house = new House();
    const runtime = await house.open({ walker });
    const ref = await runtime.start('walker', { id: '1' });
    const heard: string[] = [];
    const letGo = () => subscriptions.forEach((subscription) => subscription.unsubscribe());
    const subscriptions = [
      ref.on('*', ({ type }) => {
        heard.push(type);
        letGo();
        throw new RangeError('tripped');
      }),
      ref.on('*', ({ type }) => void heard.push(type)),
      ref.subscribe(() => void heard.push('snapshot')),
    ];
    await ref.send({ type: 'STEP' });
    await ref.send({ type: 'STEP' });
    expect(heard).toEqual(['Stepped']);
  });

  it('ends with unsubscribe, and survives an observer that throws', async () => {
    const { ref, house } = await walk();
    const seen: number[] = [];
    ref.subscribe(() => {
      throw new Error('observer');
    });
    const { unsubscribe } = ref.subscribe(({ context }) => void seen.push((context as { n: number }).n));
    await ref.send({ type: 'STEP' });
    unsubscribe();
    await ref.send({ type: 'STEP' });
    expect(seen).toEqual([1]);
    expect(house.lines.filter(({ level }) => level === 'error').length).toBe(2);
  });

  it('to an actor that has ended tells the end at once', async () => {
    const { ref } = await walk();
    await ref.send({ type: 'END' });
    const seen: string[] = [];
    ref.subscribe({ next: () => void seen.push('next'), complete: () => void seen.push('complete') });
    expect(seen).toEqual(['complete']);
  });

  it('is called before the sender hears that its event is durable', async () => {
    const { ref } = await walk();
    const order: string[] = [];
    ref.subscribe(() => void order.push('observer'));
    await ref.send({ type: 'STEP' }).then(() => order.push('sender'));
    expect(order).toEqual(['observer', 'sender']);
  });
});

describe('on', () => {
  it('hears the facts of one type, or all, once they are durable', async () => {
    const { ref, log } = await walk();
    const heard: string[] = [];
    ref.on('Stepped', () => void heard.push('Stepped'));
    const all = ref.on('*', (fact) => void heard.push(`* ${fact.type}`));
    const release = log.hold();
    const sent = ref.send({ type: 'STEP' });
    await rest();
    expect(heard).toEqual([]);
    release();
    await sent;
    all.unsubscribe();
    await ref.send({ type: 'STEP' });
    expect(heard.sort()).toEqual(['* Moved', '* Stepped', 'Stepped', 'Stepped']);
  });
});

describe('on, of a runtime', () => {
  type Fact = { type: 'Opened'; at: number } | { type: 'Worked' };
  const quick = setup({
    types: { emitted: {} as Fact },
    actors: { work: fromPromise(async () => {}) },
    actions: { tellOpened: emit({ type: 'Opened', at: 1 }), tellWorked: emit({ type: 'Worked' }) },
  }).createMachine({
    entry: 'tellOpened',
    initial: 'working',
    states: {
      working: { invoke: { src: 'work', onDone: { target: 'worked', actions: 'tellWorked' } } },
      worked: { type: 'final' },
    },
  });

  it('hears every fact of an actor that is started after it, and nothing of others', async () => {
    const runtime = await new House().open({ quick });
    const [heard, opened]: [string[], number[]] = [[], []];
    runtime.on('quick-1', '*', ({ type }) => void heard.push(type));
    runtime.on('quick-1', 'Opened', ({ at }) => void opened.push(at));
    const silent = runtime.on('quick-1', '*', () => void heard.push('unsubscribed'));
    silent.unsubscribe();
    await Promise.all(['1', '2'].map(async (id) => (await runtime.start('quick', { id })).output()));
    expect(heard).toEqual(['Opened', 'Worked']);
    expect(opened).toEqual([1]);
  });

  it('hears those of an actor that is woken after it', async () => {
    const house = new House();
    const hanging = quick.provide({ actors: { work: fromPromise(() => new Promise<void>(() => {})) } });
    const { runtime, crash } = await house.openToCrash({ quick: hanging });
    await runtime.start('quick', { id: '1' });
    crash();
    const next = await house.open({ quick }, { resume: false });
    const heard: string[] = [];
    next.on('quick-1', '*', ({ type }) => void heard.push(type));
    await next.resume();
    await rest();
    expect(heard).toEqual(['Worked']);
  });

  it('refuses what is no stream, and other machines and facts when it is compiled', async () => {
    const runtime = await new House().open({ quick });
    expect(() => runtime.on('quick' as 'quick-1', '*', () => {})).toThrow(InvalidArgumentError);
    // @ts-expect-error: a machine that this runtime does not know
    runtime.on('slow-1', '*', () => {});
    // @ts-expect-error: no fact of this machine
    runtime.on('quick-1', 'Closed', () => {});
  });

  it('takes the name of a stream that the compiler does not know, such as that of a ref', async () => {
    const runtime = await new House().open({ quick });
    const stream: string = 'quick-1';
    const heard: string[] = [];
    runtime.on(stream, 'Worked', ({ type }) => void heard.push(type));
    const ref = await runtime.start('quick', { id: '1' });
    expect(ref.stream).toBe(stream);
    await rest();
    expect(heard).toEqual(['Worked']);
  });
});

describe('waitFor', () => {
  it('resolves at once when the state is there, and later when it comes', async () => {
    const { ref } = await walk();
    await ref.waitFor((snapshot) => snapshot.matches('on'));
    const waiting = ref.waitFor(({ context }) => (context as { n: number }).n === 2);
    await ref.send({ type: 'STEP' });
    expect(await isPending(waiting)).toBe(true);
    await ref.send({ type: 'STEP' });
    expect((await waiting).context).toEqual({ n: 2 });
  });

  it('gives up after its timeout; the actor runs on', async () => {
    const { ref, house } = await walk();
    const waiting = failureOf(ref.waitFor((snapshot) => snapshot.matches('end'), { timeout: '5s' }));
    await house.advance(4_999);
    expect(await isPending(waiting)).toBe(true);
    await house.advance(1);
    expect(await waiting).toBeInstanceOf(WaitTimeoutError);
    await ref.send({ type: 'STEP' });
  });

  it('fails when the actor ends otherwise', async () => {
    for (const [type, status] of [
      ['END', 'done'],
      ['FAIL', 'error'],
    ] as const) {
      const { ref } = await walk();
      const waiting = failureOf(ref.waitFor(({ context }) => (context as { n: number }).n === 7));
      await ref.send({ type });
      expect(await waiting).toMatchObject({ code: 'REWAKE_ACTOR_FINISHED', status });
    }
  });

  it('finds the final state itself', async () => {
    const { ref } = await walk();
    const waiting = ref.waitFor((snapshot) => snapshot.matches('end'));
    await ref.send({ type: 'END' });
    expect((await waiting).status).toBe('done');
    expect((await ref.waitFor((snapshot) => snapshot.matches('end'))).status).toBe('done');
  });

  it('fails when the predicate throws, now or later', async () => {
    const { ref } = await walk();
    const picky = (limit: number) =>
      ref.waitFor(({ context }) => {
        if ((context as { n: number }).n >= limit) throw new Error('picky');
        return false;
      });
    expect((await failureOf(picky(0))).message).toBe('picky');
    const later = failureOf(picky(1));
    await rest();
    await ref.send({ type: 'STEP' });
    expect(await isPending(later)).toBe(false);
    expect((await later).message).toBe('picky');
  });

  it('fails when the runtime closes', async () => {
    const { ref, runtime } = await walk();
    const waiting = failureOf(ref.waitFor((snapshot) => snapshot.matches('end')));
    await rest();
    await runtime.close();
    expect(await waiting).toBeInstanceOf(RuntimeClosedError);
  });
});

describe('output', () => {
  it('resolves with the output now, later, and in another host', async () => {
    const { ref, house } = await walk();
    const output = ref.output();
    await ref.send({ type: 'STEP' });
    await ref.send({ type: 'END' });
    expect([await output, await ref.output()]).toEqual([1, 1]);
    const next = await house.open({ walker });
    expect(await (await next.get('walker-1')).output()).toBe(1);
  });

  it('rejects with the error of the machine, in another host too', async () => {
    const { ref, house } = await walk();
    const failure = failureOf(ref.output());
    await ref.send({ type: 'FAIL' });
    expect(await failure).toMatchObject({ name: 'RangeError', message: 'tripped' });
    const next = await house.open({ walker });
    const ended = await next.get('walker-1');
    expect(await failureOf(ended.output())).toMatchObject({ name: 'RangeError', message: 'tripped' });
  });

  it('rejects when the actor was stopped', async () => {
    const { ref, house } = await walk();
    const failure = failureOf(ref.output());
    await ref.stop({ reason: 'no longer wanted' });
    expect(await failure).toBeInstanceOf(ActorStoppedError);
    expect((await house.events('walker-1')).at(-1)).toMatchObject({
      type: 'ActorStopped',
      data: { reason: 'no longer wanted' },
    });
  });
});

describe('stop', () => {
  it('is final and may be repeated', async () => {
    const { ref, house } = await walk();
    await Promise.all([ref.stop(), ref.stop()]);
    await ref.stop();
    expect(await failureOf(ref.send({ type: 'STEP' }))).toBeInstanceOf(ActorFinishedError);
    expect(await house.types('walker-1')).toEqual(['ActorStarted', 'ActorStopped']);
  });

  it('of an actor that has just ended waits until that is durable, and counts where it is not (A1)', async () => {
    const house = new House();
    const log = house.faulty();
    const runtime = await house.open({ walker }, { log });
    const ref = await runtime.start('walker', { id: '1' });
    const release = log.hold();
    log.faults.push('full');
    const ended = failureOf(ref.send({ type: 'END' }));
    const sent = ref.send({ type: 'STEP' });
    const stopped = ref.stop();
    expect(await isPending(Promise.race([sent, stopped]))).toBe(true);
    release();
    await ended;
    await house.advance(1_000);
    expect((await sent).context.n).toBe(1);
    await stopped;
    const facts = ['Stepped', 'Moved'];
    expect(await house.types('walker-1')).toEqual(['ActorStarted', 'EventReceived', ...facts, 'ActorStopped']);
  });

  it('aborts running effects and cancels timers', async () => {
    const house = new House();
    let aborted = false;
    const busy = createMachine({
      invoke: {
        src: fromPromise(
          ({ signal }) =>
            new Promise((_, reject) =>
              signal.addEventListener('abort', () => {
                aborted = true;
                reject(new Error('aborted'));
              }),
            ),
        ),
      },
      after: { 1000: { actions: emit({ type: 'Late' }) } },
    });
    const runtime = await house.open({ busy });
    const ref = await runtime.start('busy', { id: '1' });
    await ref.stop();
    await house.advance(2_000);
    expect(aborted).toBe(true);
    expect(await house.types('busy-1')).toEqual(['ActorStarted', 'ActorStopped']);
    expect(await house.log.actor('busy-1')).toMatchObject({ status: 'stopped', wakeAt: null, effects: 0 });
  });
});
