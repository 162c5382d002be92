/** Effects in a hosted tree: promise, callback, observable and custom logic do what they do under plain XState. */
import { describe, expect, it } from 'vitest';
import {
  assign,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  fromTransition,
  sendTo,
  type AnyActorLogic,
  type AnyEventObject,
  type Observer,
} from 'xstate';
import { createMachine } from '../support/loose-machine.ts';
import { playBoth, type World } from '../support/hosted-and-plain.ts';

/** A machine that runs one effect while it is in `on`, and writes down what it hears of it. */
function around(src: AnyActorLogic, input?: unknown) {
  const hear = (name: string) => assign({ heard: ({ context }) => [...(context.heard as string[]), name] });
  return createMachine({
    context: { heard: [], got: null },
    initial: 'on',
    states: {
      on: {
        invoke: {
          id: 'work',
          src,
          input,
          onDone: { target: 'done', actions: assign({ got: ({ event }) => event.output as unknown }) },
          onError: { target: 'failed', actions: assign({ got: ({ event }) => event.error as unknown }) },
          onSnapshot: { actions: assign({ got: ({ event }) => (event.snapshot as { context?: unknown }).context }) },
        },
        on: {
          OFF: 'off',
          TELL: { actions: sendTo('work', ({ event }) => ({ type: 'told', n: event.n as number })) },
          'work.*': { actions: hear('work') },
        },
      },
      off: { on: { ON: 'on' } },
      done: {},
      failed: {},
    },
  });
}

interface Source {
  readonly next: (value: unknown) => void;
  readonly error: (error: unknown) => void;
  readonly complete: () => void;
}

/** An observable that hands its observer to the test as it is subscribed to. */
function source(world: World, sources: Source[]) {
  return {
    subscribe(observer: Observer<unknown> | ((value: unknown) => void)) {
      world.note('subscribed');
      sources.push(observer as unknown as Source);
      return { unsubscribe: () => world.note('unsubscribed') };
    },
  };
}

describe('a promise', () => {
  const machine = (world: World) =>
    around(
      fromPromise(({ input }) => world.promise(`work ${String(input)}`)),
      7,
    );

  it('hands its output to onDone', async () => {
    const { rows } = await playBoth({ machine, script: (player) => player.resolve('work 7', { n: 1 }) });
    expect(rows.at(-1)).toMatchObject({ tree: { value: 'done', context: { got: { n: 1 } } } });
  });

  it('hands its error to onError', async () => {
    const { rows } = await playBoth({ machine, script: (player) => player.reject('work 7', new Error('no')) });
    expect(rows.at(-1)).toMatchObject({ tree: { value: 'failed', context: { got: { message: 'no' } } } });
  });

  it('changes nothing when it ends after its state was left', async () => {
    const { events } = await playBoth({
      machine,
      script: async (player) => {
        await player.send({ type: 'OFF' });
        await player.resolve('work 7', 1);
      },
    });
    expect(events.map(({ type }) => type)).toEqual(['ActorStarted', 'EventReceived']);
  });

  it('of an earlier life changes nothing in a later one (invariant 14)', async () => {
    const lives: ((value: unknown) => void)[] = [];
    const life = () => around(fromPromise(() => new Promise((resolve) => lives.push(resolve))));
    const { rows } = await playBoth({
      machine: (world) => (world.note('made'), life()),
      script: async (player) => {
        const first = lives.at(-1)!;
        await player.send({ type: 'OFF' });
        await player.send({ type: 'ON' });
        first('stale');
        await player.advance(0);
        lives.at(-1)!('fresh');
        await player.advance(0);
      },
    });
    expect(rows.map(({ tree }) => tree.value)).toEqual(['on', 'off', 'on', 'on', 'done']);
    expect(rows.at(-1)).toMatchObject({ tree: { context: { got: 'fresh' } } });
  });

  it('that throws before it returns a promise fails', async () => {
    const throws = () =>
      around(
        fromPromise(() => {
          throw new Error('at once');
        }),
      );
    const { rows } = await playBoth({ machine: throws });
    expect(rows.at(-1)).toMatchObject({ tree: { value: 'failed' } });
  });

  it('ignores events sent to it', async () => {
    await playBoth({ machine, script: (player) => player.send({ type: 'TELL', n: 1 }) });
  });

  it('that rejects with something that is no error hands just that to onError', async () => {
    const { rows } = await playBoth({ machine, script: (player) => player.reject('work 7', 'just text') });
    expect(rows.at(-1)).toMatchObject({ tree: { context: { got: 'just text' } } });
  });

  it('may emit while it runs', async () => {
    const emits = (world: World) =>
      around(
        fromPromise(async ({ emit }) => {
          emit({ type: 'Halfway' } as never);
          await world.promise('rest');
        }),
      );
    const { events } = await playBoth({ machine: emits, script: (player) => player.resolve('rest') });
    expect(events.filter(({ type }) => type === 'Halfway').map(({ meta }) => meta.actor)).toEqual(['/work:1']);
  });
});

describe('a callback', () => {
  it('hears events and answers', async () => {
    const machine = (world: World) =>
      around(
        fromCallback(({ sendBack, receive }) => {
          receive((event) => {
            world.note(`heard ${event.type} ${String(event.n)}`);
            sendBack({ type: 'work.heard' });
          });
          sendBack({ type: 'work.ready' });
          return () => world.note('disposed');
        }),
      );
    const { rows } = await playBoth({
      machine,
      script: async (player) => {
        await player.send({ type: 'TELL', n: 1 });
        await player.send({ type: 'TELL', n: 2 });
        await player.send({ type: 'OFF' });
      },
    });
    expect(rows.at(-1)!.notes).toEqual(['disposed']);
    expect(rows.at(-1)).toMatchObject({ tree: { context: { heard: ['work', 'work', 'work'] } } });
  });

  it('that throws at its start fails', async () => {
    const machine = () =>
      around(
        fromCallback(() => {
          throw new Error('no start');
        }),
      );
    const { rows } = await playBoth({ machine });
    expect(rows.at(-1)).toMatchObject({ tree: { value: 'failed', context: { got: { message: 'no start' } } } });
  });

  it('whose listener throws fails', async () => {
    const machine = () =>
      around(
        fromCallback(({ receive }) =>
          receive(() => {
            throw new Error('deaf');
          }),
        ),
      );
    const { rows } = await playBoth({ machine, script: (player) => player.send({ type: 'TELL', n: 1 }) });
    expect(rows.at(-1)).toMatchObject({ tree: { value: 'failed', context: { got: { message: 'deaf' } } } });
  });

  it('that speaks after it was stopped is not heard (invariant 21)', async () => {
    const voices: ((event: AnyEventObject) => void)[] = [];
    const machine = () => around(fromCallback(({ sendBack }) => void voices.push(sendBack)));
    await playBoth({
      machine,
      script: async (player) => {
        const voice = voices.at(-1)!;
        await player.send({ type: 'OFF' });
        voice({ type: 'ON' });
        await player.advance(0);
      },
    });
  });

  it('gets events that were sent in the very step that started it', async () => {
    const machine = (world: World) =>
      createMachine({
        invoke: { id: 'ear', src: fromCallback(({ receive }) => receive(({ type }) => world.note(`heard ${type}`))) },
        entry: sendTo('ear', { type: 'early' }),
      });
    const { rows } = await playBoth({ machine });
    expect(rows[0]!.notes).toEqual(['heard early']);
  });

  it('that sends itself an event hears it', async () => {
    const machine = (world: World) =>
      around(
        fromCallback(({ receive, self }) => {
          receive(({ type }) => world.note(`heard ${type}`));
          self.send({ type: 'own' });
        }),
      );
    const { rows } = await playBoth({ machine });
    expect(rows[0]!.notes).toEqual(['heard own']);
  });
});

describe('an observable', () => {
  const ends = [
    ['next', 'on'],
    ['error', 'failed'],
    ['complete', 'done'],
  ] as const;

  for (const [end, value] of ends) {
    it(`is heard to ${end}`, async () => {
      const sources: Source[] = [];
      const { rows } = await playBoth({
        machine: (world) => around(fromObservable(() => source(world, sources))),
        script: async (player) => {
          sources.at(-1)!.next({ n: 1 });
          await player.advance(0);
          sources.at(-1)![end]({ n: 2 });
          await player.advance(0);
        },
      });
      expect(rows.at(-1)!.tree.value).toBe(value);
    });
  }

  it('is unsubscribed from when its state is left', async () => {
    const sources: Source[] = [];
    const { rows } = await playBoth({
      machine: (world) => around(fromObservable(() => source(world, sources))),
      script: async (player) => {
        await player.send({ type: 'OFF' });
        sources.at(-1)!.next({ n: 1 });
        await player.send({ type: 'ON' });
      },
    });
    expect(rows.map(({ notes }) => notes)).toEqual([['subscribed'], ['unsubscribed'], ['subscribed']]);
  });

  it('of events sends them to its parent', async () => {
    const sources: Source[] = [];
    const { rows } = await playBoth({
      machine: (world) => around(fromEventObservable(() => source(world, sources) as never)),
      script: async (player) => {
        sources.at(-1)!.next({ type: 'work.a' });
        await player.advance(0);
        sources.at(-1)!.next({ type: 'work.b' });
        await player.advance(0);
        sources.at(-1)!.complete();
        await player.advance(0);
      },
    });
    expect(rows.at(-1)).toMatchObject({ tree: { value: 'done', context: { heard: ['work', 'work'] } } });
  });

  it('that yields and completes while it is subscribed to is heard in full', async () => {
    const of = (...values: unknown[]) => ({
      subscribe(observer: Source) {
        values.forEach((value) => observer.next(value));
        observer.complete();
        return { unsubscribe() {} };
      },
    });
    const { rows, events } = await playBoth({ machine: () => around(fromObservable(() => of(1, 2) as never)) });
    expect(rows.at(-1)).toMatchObject({ tree: { value: 'done' } });
    const told = events.map(({ type }) => type).slice(1);
    expect(told).toEqual(['EffectProgressed', 'EffectProgressed', 'EffectSucceeded']);
  });
});

describe('transition logic', () => {
  it('runs inside the tree and syncs its snapshot', async () => {
    const counter = fromTransition((n: number, event: AnyEventObject) => n + (event.n as number), 0);
    const { rows, events } = await playBoth({
      machine: () => around(counter),
      script: async (player) => {
        await player.send({ type: 'TELL', n: 2 });
        await player.send({ type: 'TELL', n: 3 });
      },
    });
    expect(rows.at(-1)).toMatchObject({ tree: { context: { got: 5 } } });
    expect(events.every(({ data }) => !data.includes('intents'))).toBe(true);
  });

  it('that throws fails', async () => {
    const picky = fromTransition(() => {
      throw new Error('picky');
    }, 0);
    const { rows } = await playBoth({
      machine: () => around(picky),
      script: (player) => player.send({ type: 'TELL', n: 2 }),
    });
    expect(rows.at(-1)).toMatchObject({ tree: { value: 'failed' } });
  });

  it('may take its scope apart and send', async () => {
    const talker = fromTransition((state: null, _event: AnyEventObject, { self, system, emit }) => {
      emit({ type: 'Talked' } as never);
      void system;
      self._parent?.send({ type: 'work.talk' });
      return state;
    }, null);
    const { rows } = await playBoth({
      machine: () => around(talker),
      script: (player) => player.send({ type: 'TELL', n: 2 }),
    });
    expect(rows.at(-1)).toMatchObject({ tree: { context: { heard: ['work'] } } });
  });
});

describe('custom logic with a start of its own', () => {
  const custom = (start: (tell: (event: AnyEventObject) => void) => void): AnyActorLogic => ({
    transition: (state, event) =>
      event.type === 'finish' ? { ...state, status: 'done', output: event.n as unknown } : state,
    getInitialSnapshot: () => ({ status: 'active', output: undefined, error: undefined }),
    getPersistedSnapshot: (state) => state,
    start: (_state, { self, system }) =>
      start((event) => (system as unknown as { _relay(...args: unknown[]): void })._relay(self, self, event)),
  });

  it('finishes by an event that it sends itself', async () => {
    let finish = () => {};
    const { rows } = await playBoth({
      machine: () => around(custom((tell) => (finish = () => tell({ type: 'finish', n: 4 })))),
      script: async (player) => {
        finish();
        await player.advance(0);
      },
    });
    expect(rows.at(-1)).toMatchObject({ tree: { value: 'done', context: { got: 4 } } });
  });

  it('that throws at its start fails', async () => {
    const { rows } = await playBoth({
      machine: () =>
        around(
          custom(() => {
            throw new Error('no start');
          }),
        ),
    });
    expect(rows.at(-1)).toMatchObject({ tree: { value: 'failed', context: { got: { message: 'no start' } } } });
  });
});
