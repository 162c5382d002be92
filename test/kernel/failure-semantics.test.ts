/** Machines that fail: in assign, guard, entry, context, custom action, or because a child does. Hosted equals plain. */
import { describe, expect, it } from 'vitest';
import { assign, emit, fromPromise, sendTo, spawnChild, type AnyActorRef } from 'xstate';
import { createMachine } from '../support/loose-machine.ts';
import { playBoth, type World } from '../support/hosted-and-plain.ts';

const boom = (): never => {
  throw new Error('boom');
};
const failing = (where: object) =>
  createMachine({ initial: 'a', states: { a: { on: { GO: where } }, b: {} } } as never);

describe('a machine that throws', () => {
  const places = {
    'in assign': () => failing({ target: 'b', actions: assign(boom) }),
    'in a guard': () => failing({ target: 'b', guard: boom }),
    'in emit': () => failing({ target: 'b', actions: emit(boom) }),
    'in the choice of a target': () =>
      failing({ target: 'b', actions: sendTo((): AnyActorRef => boom(), { type: 'X' }) }),
    'in a delay': () => failing({ target: 'b', actions: sendTo(({ self }) => self, { type: 'X' }, { delay: boom }) }),
  };

  for (const [place, machine] of Object.entries(places)) {
    it(`${place} is in error and keeps the state it had`, async () => {
      const { rows, events } = await playBoth({
        machine,
        script: async (player) => {
          await player.send({ type: 'GO' });
          await player.send({ type: 'GO' });
        },
      });
      expect(rows.at(-1)!.tree).toMatchObject({
        status: 'error',
        value: 'a',
        error: { message: expect.stringContaining('boom') as string },
      });
      expect(events.map(({ type }) => type)).toEqual(['ActorStarted', 'EventReceived']);
    });
  }

  it('in the context factory is in error from the start', async () => {
    const { rows } = await playBoth({ machine: () => createMachine({ context: boom }) });
    expect(rows[0]!.tree).toMatchObject({ status: 'error' });
  });

  it('in an initial assign is in error from the start', async () => {
    await playBoth({ machine: () => createMachine({ context: { n: 1 }, entry: assign(boom) }) });
  });

  it('in its output is in error', async () => {
    await playBoth({
      machine: () =>
        createMachine({ initial: 'a', states: { a: { on: { GO: 'b' } }, b: { type: 'final' } }, output: boom }),
      script: (player) => player.send({ type: 'GO' }),
    });
  });

  it('in the input of an invoke is in error', async () => {
    await playBoth({
      machine: (world) => createMachine({ invoke: { src: fromPromise(() => world.promise('never')), input: boom } }),
    });
  });

  it('runs the custom actions that came before the throw', async () => {
    const { rows } = await playBoth({
      machine: (world) =>
        failing({ target: 'b', actions: [() => world.note('before'), assign(boom), () => world.note('after')] }),
      script: (player) => player.send({ type: 'GO' }),
    });
    expect(rows.at(-1)!.notes).toEqual(['before']);
  });

  it('by sending to an actor that is not there is in error', async () => {
    await playBoth({
      machine: () => failing({ actions: sendTo('nobody', { type: 'X' }) }),
      script: (player) => player.send({ type: 'GO' }),
    });
  });

  it('with more than plain data in its error keeps what can be logged', async () => {
    const odd = () => {
      throw Object.assign(new RangeError('odd'), { code: 7 });
    };
    const { rows } = await playBoth({
      machine: () => failing({ actions: assign(odd) }),
      script: (player) => player.send({ type: 'GO' }),
    });
    expect(rows.at(-1)!.tree.error).toEqual({ name: 'RangeError', message: 'odd' });
  });
});

describe('a custom action that throws', () => {
  it('puts its machine in error', async () => {
    const machine = (world: World) =>
      createMachine({ on: { GO: { actions: [() => world.note('one'), boom, () => world.note('three')] } } });
    const { rows, events } = await playBoth({
      machine,
      script: async (player) => {
        await player.send({ type: 'GO' });
        await player.send({ type: 'GO' });
      },
    });
    expect(rows[1]).toMatchObject({ tree: { status: 'error', error: { message: 'boom' } }, notes: ['one'] });
    expect(events.map(({ type }) => type)).toEqual(['ActorStarted', 'EventReceived', 'EffectFailed']);
  });

  it('at its start puts it in error and runs no further action', async () => {
    const { rows } = await playBoth({
      machine: (world) => createMachine({ entry: [() => world.note('one'), boom, () => world.note('three')] }),
    });
    expect(rows[0]!.notes).toEqual(['one']);
  });

  it('in a child is told to the parent', async () => {
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          context: { got: null },
          initial: 'on',
          states: {
            on: {
              invoke: {
                id: 'child',
                src: createMachine({ on: { GO: { actions: boom } } }),
                onError: { target: 'failed', actions: assign({ got: ({ event }) => (event.error as Error).message }) },
              },
              on: { GO: { actions: sendTo('child', { type: 'GO' }) } },
            },
            failed: {},
          },
        }),
      script: (player) => player.send({ type: 'GO' }),
    });
    expect(rows.at(-1)!.tree).toMatchObject({ value: 'failed', context: { got: 'boom' } });
  });
});

describe('the error of a child', () => {
  const child = (world: World) => fromPromise(() => world.promise('work'));

  it('without onError puts the parent in error', async () => {
    const { rows } = await playBoth({
      machine: (world) => createMachine({ initial: 'a', states: { a: { invoke: { src: child(world) } } } }),
      script: (player) => player.reject('work', new TypeError('lost')),
    });
    expect(rows.at(-1)!.tree).toMatchObject({ status: 'error', error: { name: 'TypeError', message: 'lost' } });
  });

  it('is caught by a wildcard', async () => {
    const { rows } = await playBoth({
      machine: (world) =>
        createMachine({
          initial: 'a',
          states: { a: { invoke: { src: child(world) } }, caught: {} },
          on: { '*': '.caught' },
        }),
      script: (player) => player.reject('work', new Error('lost')),
    });
    expect(rows.at(-1)!.tree.value).toBe('caught');
  });

  it('climbs from level to level until someone handles it', async () => {
    const { rows } = await playBoth({
      machine: (world) =>
        createMachine({
          initial: 'a',
          states: {
            a: { invoke: { src: createMachine({ invoke: { src: child(world) } }), onError: 'caught' } },
            caught: {},
          },
        }),
      script: (player) => player.reject('work', new Error('lost')),
    });
    expect(rows.at(-1)!.tree.value).toBe('caught');
  });

  it('at its start, before the parent runs, is heard', async () => {
    await playBoth({
      machine: () =>
        createMachine({
          initial: 'a',
          states: {
            a: { invoke: { src: createMachine({ context: boom }), onError: 'caught' } },
            caught: {},
          },
        }),
    });
  });

  it('that nobody handles leaves siblings of the failed one alone', async () => {
    await playBoth({
      machine: () =>
        createMachine({
          context: ({ spawn }) => ({
            bad: spawn(failing({ actions: assign(boom) }), { id: 'bad' }),
            good: spawn(failing({ target: 'b' }), { id: 'good' }),
          }),
          on: {
            'xstate.error.actor.bad': { actions: emit({ type: 'Bad' }) },
            GO: {
              actions: [
                sendTo('bad', { type: 'GO' }),
                sendTo(({ context }) => context.good as AnyActorRef, { type: 'GO' }),
              ],
            },
          },
        }),
      script: async (player) => {
        await player.send({ type: 'GO' });
        await player.send({ type: 'GO' });
      },
    });
  });
});

describe('a cycle of always transitions', () => {
  const spinning = { a: { always: 'b' }, b: { always: 'a' } };

  it('ends in error at the bound the machine sets', async () => {
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          initial: 'idle',
          states: { idle: { on: { GO: 'a' } }, ...spinning },
          options: { maxIterations: 50 },
        }),
      script: (player) => player.send({ type: 'GO' }),
    });
    expect(rows.at(-1)!.tree).toMatchObject({ status: 'error', value: 'idle' });
  });

  it('below the root ends in error too', async () => {
    const inner = createMachine({ initial: 'a', states: spinning, options: { maxIterations: 50 } });
    await playBoth({
      machine: () => createMachine({ entry: spawnChild(inner, { id: 'inner' }) }),
    });
  });
});
