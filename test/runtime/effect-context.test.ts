/** What an effect is told: its key, its place, its correlation; and what flows on from it. */
import { describe, expect, it } from 'vitest';
import {
  assign,
  createActor,
  fromCallback,
  fromPromise,
  raise,
  sendTo,
  spawnChild,
  toPromise,
  type AnyActorLogic,
} from 'xstate';
import { EffectOverError, EffectStoppedError, EventTooLargeError, InvalidArgumentError } from '../../src/errors.ts';
import { memoryLog } from '../../src/log/memory-log.ts';
import { effect, effectContext, type EffectContext } from '../../src/runtime/effect.ts';
import { failureOf, House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { createMachine } from '../support/loose-machine.ts';

const again = (src: AnyActorLogic) =>
  createMachine({
    initial: 'idle',
    states: { idle: { on: { GO: 'on' } }, on: { invoke: { id: 'work', src, onDone: 'idle', onError: 'idle' } } },
  });

function recorder() {
  const contexts: EffectContext[] = [];
  return { contexts, job: again(effect(({ context }) => void contexts.push(context))) };
}

describe('the key of an effect', () => {
  it('differs between intents, also of the same state and of other actors (invariant 12)', async () => {
    const house = new House();
    const { contexts, job } = recorder();
    const runtime = await house.open({ job });
    for (const id of ['1', '2']) {
      const ref = await runtime.start('job', { id });
      for (let i = 0; i < 3; i++) {
        await ref.send({ type: 'GO' });
        await ref.waitFor((snapshot) => snapshot.matches('idle'));
        await rest();
      }
    }
    expect(contexts.length).toBe(6);
    expect(new Set(contexts.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(6);
  });

  it('differs between effects that one event starts', async () => {
    const house = new House();
    const keys: string[] = [];
    const src = effect(({ context }) => void keys.push(context.idempotencyKey));
    const both = createMachine({ entry: [spawnChild(src, { id: 'a' }), spawnChild(src, { id: 'b' })] });
    await (await house.open({ both })).start('both', { id: '1' });
    await rest();
    expect(new Set(keys).size).toBe(2);
  });
});

it('says where the effect is', async () => {
  const house = new House();
  const { contexts, job } = recorder();
  const runtime = await house.open({ job }, { host: 'node-1' });
  const ref = await runtime.start('job', { id: '1', correlationId: 'c' });
  await ref.send({ type: 'GO' });
  await rest();
  const [, received] = await house.events('job-1');
  expect(contexts[0]).toMatchObject({
    stream: 'job-1',
    actor: '/work:1',
    host: 'node-1',
    attempt: 1,
    restarts: 0,
    correlationId: 'c',
    causationId: received!.id,
  });
});

it('is there after an await too, and only in effects', async () => {
  const house = new House();
  const seen: (string | undefined)[] = [];
  const job = createMachine({
    entry: () => void seen.push(effectContext()?.actor),
    invoke: {
      id: 'work',
      src: fromPromise(async () => {
        await Promise.resolve();
        seen.push(effectContext()?.actor);
      }),
    },
  });
  await (await house.open({ job })).start('job', { id: '1' });
  await rest();
  expect(new Set(seen)).toEqual(new Set(['/work:1', undefined]));
  expect(effectContext()).toBeUndefined();
});

it('outside rewake is neutral: an effect runs under plain XState too', async () => {
  const seen: EffectContext[] = [];
  const actor = createActor(effect(({ context }) => void seen.push(context))).start();
  await rest();
  expect(actor.getSnapshot().status).toBe('done');
  expect(seen[0]).toMatchObject({ attempt: 1, restarts: 0, stream: '', checkpoint: undefined });
  await seen[0]!.progress(1);
  seen[0]!.standby()();
  expect(await failureOf(seen[0]!.send('a-1', { type: 'X' }))).toBeInstanceOf(InvalidArgumentError);
  expect(await failureOf(seen[0]!.output('a-1'))).toBeInstanceOf(InvalidArgumentError);
});

it('goes by the clock of the runtime also in a plain actor inside a hosted effect', async () => {
  const house = new House();
  const times: number[] = [];
  const inner = effect(({ context }) => void times.push(context.now()));
  const outer = effect(() => toPromise(createActor(inner).start()));
  const job = createMachine({ invoke: { id: 'work', src: outer } });
  await (await house.open({ job })).start('job', { id: '1' });
  await rest();
  expect(times).toEqual([house.clock.now()]);
});

it('EF1: an effect of a plain actor inside a hosted one has a context of its own, and its correlation', async () => {
  const house = new House();
  const contexts: EffectContext[] = [];
  const callback = fromCallback(({ self }) => {
    expect(effectContext()).toBe(contexts[0]);
    expect(effectContext(self)).toBeUndefined();
  });
  const inner = effect(async ({ context, self }) => {
    await Promise.resolve();
    expect(effectContext()).toBe(context);
    expect(effectContext(self)).toBe(context);
    contexts.push(context);
  });
  const outer = effect(async ({ context }) => {
    contexts.push(context);
    await toPromise(createActor(inner).start());
    createActor(callback).start().stop();
    expect(effectContext()).toBe(context);
  });
  const job = createMachine({ invoke: { id: 'work', src: outer } });
  await (await house.open({ job })).start('job', { id: '1', correlationId: 'c' });
  await rest();
  expect(contexts).toMatchObject([
    { stream: 'job-1', correlationId: 'c' },
    { stream: '', correlationId: 'c', causationId: contexts[0]!.causationId },
  ]);
  expect(contexts[1]!.idempotencyKey).not.toBe(contexts[0]!.idempotencyKey);
});

it("refuses a keeper of checkpoints that is neither 'effect' nor 'machine'", () => {
  expect(() => effect(() => 1, { checkpoint: 'step' as never })).toThrow(
    "expected 'effect' or 'machine', found \"step\"",
  );
});

it('aborts its signal with a reason that tells whether its machine went on or was stopped', async () => {
  const house = new House();
  const reasons: unknown[] = [];
  const job = createMachine({
    initial: 'on',
    states: {
      on: {
        invoke: {
          src: effect(
            ({ context }) =>
              new Promise(() => context.signal.addEventListener('abort', () => reasons.push(context.signal.reason))),
          ),
        },
        on: { OFF: 'off' },
      },
      off: {},
    },
  });
  const runtime = await house.open({ job });
  await (await runtime.start('job', { id: '1' })).send({ type: 'OFF' });
  await (await runtime.start('job', { id: '2' })).stop();
  await rest();
  expect(reasons.every((reason) => reason instanceof EffectStoppedError)).toBe(true);
  expect(reasons).toMatchObject([
    { stream: 'job-1', effect: '/0.(machine).on:1', by: 'transition' },
    { stream: 'job-2', effect: '/0.(machine).on:1', by: 'stop' },
  ]);
});

describe('progress', () => {
  it('is durable when it resolves, and is refused once the effect is over', async () => {
    const house = new House();
    let late: EffectContext | undefined;
    const job = again(
      effect(async ({ context }) => {
        late = context;
        await context.progress({ page: 1 });
        expect((await house.types('job-1')).at(-1)).toBe('EffectProgressed');
      }),
    );
    const ref = await (await house.open({ job })).start('job', { id: '1' });
    await ref.send({ type: 'GO' });
    await rest();
    await expect(late!.progress({ page: 2 })).rejects.toThrow(EffectOverError);
    expect(await house.types('job-1')).toEqual([
      'ActorStarted',
      'EventReceived',
      'EffectProgressed',
      'EffectSucceeded',
    ]);
  });

  it('of a run that was aborted does not reach the run that took its place', async () => {
    const house = new House();
    const runs: EffectContext[] = [];
    const job = again(effect(({ context }) => new Promise(() => void runs.push(context))));
    const runtime = await house.open({ job }, { lease: { ttl: '10s' } });
    const ref = await runtime.start('job', { id: '1' });
    await ref.send({ type: 'GO' });
    await rest();
    const second = await house.open({ job }, { resume: false });
    await second.send('job-1', { type: 'NOISE' });
    await ref.send({ type: 'NOISE' });
    await rest();
    expect(runs[0]!.signal.aborted).toBe(true);
    await expect(runs[0]!.progress('stale')).rejects.toThrow(EffectOverError);
    expect(await house.types('job-1')).not.toContain('EffectProgressed');
  });

  it.each(['effect', 'machine'] as const)(
    'that is too large is refused, also where the %s keeps it',
    async (checkpoint) => {
      const house = new House();
      let refused: Error | undefined;
      const src = effect(
        async ({ context }) => {
          refused = await failureOf(context.progress('x'.repeat(2_000)));
        },
        { checkpoint },
      );
      const runtime = await house.open({ job: again(src) }, { log: memoryLog({ maxEventBytes: 1_000 }) });
      await (await runtime.start('job', { id: '1' })).send({ type: 'GO' });
      await rest();
      expect(refused).toBeInstanceOf(EventTooLargeError);
      const types = [];
      for await (const { type } of runtime.log.readStream('job-1')) types.push(type);
      expect(types).toEqual(['ActorStarted', 'EventReceived', 'EffectSucceeded']);
    },
  );

  it('that cannot be logged fails the effect', async () => {
    const house = new House();
    const job = again(effect(({ context }) => context.progress(() => {})));
    const ref = await (await house.open({ job })).start('job', { id: '1' });
    await ref.send({ type: 'GO' });
    await rest();
    expect((await house.types('job-1')).at(-1)).toBe('EffectFailed');
  });
});

describe('correlation and causation', () => {
  /** Every event of every stream, by its id. */
  async function graph(house: House) {
    const events = [];
    for await (const event of house.log.readAll()) events.push(event);
    return { events, byId: new Map(events.map((event) => [event.id, event])) };
  }

  it('flow through effects, timers, sends and starts to other actors (invariant 24)', async () => {
    const house = new House();
    const child = createMachine({ on: { HELLO: {}, DIRECT: {} } });
    const job = createMachine({
      initial: 'idle',
      states: {
        idle: { on: { GO: { target: 'on', actions: raise({ type: 'TICK' }, { delay: 50 }) } } },
        on: {
          invoke: {
            src: effect(async ({ context }) => {
              await context.start('child', { id: 'a', input: 1 });
              await context.send('child-a', { type: 'HELLO' }, { messageId: context.idempotencyKey });
              await runtime.send('child-a', { type: 'DIRECT' });
              await runtime.start('child', { id: 'b' });
            }),
            onDone: 'waiting',
          },
        },
        waiting: { on: { TICK: 'timed' } },
        timed: { entry: ({ self }) => self.send({ type: 'OWN' }) },
      },
    });
    const runtime = await house.open({ job, child });
    const ref = await runtime.start('job', { id: '1', correlationId: 'of the job' });
    await ref.send({ type: 'GO' }, { correlationId: 'of the message' });
    await rest();
    await house.advance(50);
    expect(ref.getSnapshot().value).toBe('timed');
    const { events, byId } = await graph(house);
    const correlations = Object.fromEntries(
      events.map(({ stream, type, meta, revision }) => [`${stream} ${revision} ${type}`, meta.$correlationId]),
    );
    const { 'job-1 0 ActorStarted': own, ...caused } = correlations;
    expect(own).toBe('of the job');
    expect(Object.keys(caused).length).toBe(8);
    expect(new Set(Object.values(caused))).toEqual(new Set(['of the message']));
    for (const { id, meta, stream, type } of events) {
      const cause = byId.get(meta.$causationId!);
      expect(cause, `${stream} ${type} has a cause in the log`).toBeDefined();
      if (cause!.id !== id) expect(cause!.meta.$correlationId).toBe(meta.$correlationId);
    }
    const roots = events.filter(({ id, meta }) => meta.$causationId === id).map(({ type }) => type);
    expect(roots).toEqual(['ActorStarted', 'EventReceived']);
  });

  it('flow through facts, failures of actions and callbacks', async () => {
    const house = new House();
    const job = createMachine({
      initial: 'idle',
      states: {
        idle: { on: { GO: 'on' } },
        on: {
          invoke: {
            id: 'ear',
            src: fromCallback(({ sendBack, receive }) => receive(() => sendBack({ type: 'ANSWER' }))),
          },
          entry: sendTo('ear', { type: 'ASK' }),
          on: {
            ANSWER: {
              actions: () => {
                throw new Error('boom');
              },
            },
          },
        },
      },
    });
    const ref = await (await house.open({ job })).start('job', { id: '1', correlationId: 'job' });
    await ref.send({ type: 'GO' }, { correlationId: 'message' });
    await rest();
    const events = await house.events('job-1');
    expect(events.map(({ type, meta }) => [type, meta.$correlationId])).toEqual([
      ['ActorStarted', 'job'],
      ['EventReceived', 'message'],
      ['EffectProgressed', 'message'],
      ['EffectFailed', 'message'],
    ]);
    expect(events[3]!.meta.$causationId).toBe(events[2]!.id);
  });

  it('flow from an effect that sends to its own machine', async () => {
    const house = new House();
    const job = createMachine({
      initial: 'idle',
      states: {
        idle: { on: { GO: 'on' } },
        on: {
          invoke: {
            src: fromPromise(async ({ self }) => {
              await Promise.resolve();
              self._parent!.send({ type: 'HALFWAY' });
            }),
          },
        },
      },
    });
    const ref = await (await house.open({ job })).start('job', { id: '1', correlationId: 'job' });
    await ref.send({ type: 'GO' }, { correlationId: 'message' });
    await rest();
    const halfway = (await house.events('job-1')).find(
      ({ data }) => (data.event as { type?: string } | undefined)?.type === 'HALFWAY',
    );
    const [, go] = await house.events('job-1');
    expect(halfway!.meta).toMatchObject({ $correlationId: 'message', $causationId: go!.id });
  });

  it('start anew with every message from outside', async () => {
    const house = new House();
    const { job } = recorder();
    const runtime = await house.open({ job });
    const [a, b] = [await runtime.start('job', { id: 'a' }), await runtime.start('job', { id: 'b' })];
    await a.send({ type: 'X' });
    await b.send({ type: 'X' });
    const correlations = await Promise.all(
      ['job-a', 'job-b'].map(async (stream) => (await house.events(stream)).map(({ meta }) => meta.$correlationId)),
    );
    expect(new Set(correlations[0]).size).toBe(1);
    expect(new Set(correlations.flat()).size).toBe(2);
    expect((await house.log.actor('job-a'))!.correlationId).toBe(correlations[0]![0]);
  });
});

describe('another root actor', () => {
  const counter = createMachine({
    context: { n: 0, seen: [] as string[] },
    on: { ADD: { actions: assign({ n: ({ context }) => (context as { n: number }).n + 1 }) } },
  });
  const counts = (snapshots: readonly { context: unknown }[]) =>
    snapshots.map(({ context }) => (context as { n: number }).n);

  it('answers a message with the state right after it, also when more of them are on the way', async () => {
    const house = new House();
    let answers: number[] = [];
    const asker = again(
      effect(async ({ context }) => {
        await context.start('counter', { id: '1' });
        answers = counts(await Promise.all([1, 2, 3].map(() => context.send('counter-1', { type: 'ADD' }))));
      }),
    );
    const ref = await (await house.open({ asker, counter })).start('asker', { id: '1' });
    await ref.send({ type: 'GO' });
    await rest();
    expect(answers).toEqual([1, 2, 3]);
  });

  it('answers a repeated message with its present state', async () => {
    const house = new House();
    let answers: number[] = [];
    const asker = again(
      effect(async ({ context }) => {
        const first = await context.start('counter', { id: '1' });
        const sent = [await context.send('counter-1', { type: 'ADD' }, { messageId: 'm' })];
        sent.push(await context.send('counter-1', { type: 'ADD' }));
        sent.push(await context.send('counter-1', { type: 'ADD' }, { messageId: 'm' }));
        answers = counts([first, ...sent, await context.start('counter', { id: '1' })]);
      }),
    );
    const ref = await (await house.open({ asker, counter })).start('asker', { id: '1' });
    await ref.send({ type: 'GO' });
    await rest();
    expect(answers).toEqual([0, 1, 2, 2, 2]);
  });

  it('is looked at as it stands in the log, also where another process wrote to it', async () => {
    const house = new House();
    const answers: number[] = [];
    const asker = again(effect(async ({ context }) => void answers.push(...counts([await context.look('counter-1')]))));
    const [here, there] = [await house.open({ asker, counter }), await house.open({ asker, counter })];
    await here.start('counter', { id: '1' });
    const ref = await here.start('asker', { id: '1' });
    const elsewhere = await there.get('counter-1');
    for (const n of [1, 2]) {
      await elsewhere.send({ type: 'ADD' });
      await ref.send({ type: 'GO' });
      await rest();
      expect(answers.at(-1)).toBe(n);
    }
    const missing = again(effect(({ context }) => context.look('counter-none')));
    const lost = await (await house.open({ missing, counter })).start('missing', { id: '1' });
    await lost.send({ type: 'GO' });
    await rest();
    const failed = (await house.events('missing-1')).find(({ type }) => type === 'EffectFailed');
    expect(JSON.stringify(failed?.data)).toContain('NotFoundError');
  });
});
