/** Actors inside actors: nested machines, spawn, system ids, messages between them, stopping. Hosted equals plain. */
import { describe, expect, it } from 'vitest';
import {
  assign,
  emit,
  enqueueActions,
  forwardTo,
  fromCallback,
  fromPromise,
  fromTransition,
  sendParent,
  sendTo,
  spawnChild,
  stopChild,
  type AnyActorRef,
} from 'xstate';
import { createMachine } from '../support/loose-machine.ts';
import { playBoth, type World } from '../support/hosted-and-plain.ts';

/** Counts what it is told, tells its parent, and ends on END with its count. */
const counter = createMachine({
  context: { n: 0 },
  initial: 'counting',
  states: {
    counting: {
      on: {
        ADD: { actions: [assign({ n: ({ context }) => (context.n as number) + 1 }), sendParent({ type: 'ADDED' })] },
        END: 'ended',
      },
    },
    ended: { type: 'final' },
  },
  output: ({ context }) => context.n as number,
});

const remember = assign({
  log: ({ context, event }) => [...((context.log as unknown[]) ?? []), { ...event }],
});

describe('a nested machine', () => {
  it('is told, answers its parent and hands over its output', async () => {
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          context: { log: [] },
          invoke: { id: 'counter', src: counter, onDone: { actions: remember } },
          on: {
            ADD: { actions: forwardTo('counter') },
            END: { actions: sendTo('counter', { type: 'END' }) },
            ADDED: { actions: remember },
          },
        }),
      script: async (player) => {
        await player.send({ type: 'ADD' });
        await player.send({ type: 'ADD' });
        await player.send({ type: 'END' });
      },
    });
    expect(rows.at(-1)).toMatchObject({
      tree: { context: { log: [{ type: 'ADDED' }, { type: 'ADDED' }, { output: 2, actorId: 'counter' }] } },
    });
  });

  it('that is done before its parent listens is heard once the parent listens', async () => {
    const done = createMachine({ initial: 'end', states: { end: { type: 'final' } }, output: 'at once' });
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          context: { got: null },
          initial: 'waiting',
          states: {
            waiting: {
              invoke: {
                src: done,
                onDone: { target: 'heard', actions: assign({ got: ({ event }) => event.output as string }) },
              },
            },
            heard: {},
          },
        }),
    });
    expect(rows.at(-1)).toMatchObject({ tree: { value: 'heard', context: { got: 'at once' } } });
  });

  it('three levels deep runs effects of its own', async () => {
    const level = (depth: number, world: World): ReturnType<typeof createMachine> =>
      createMachine({
        initial: 'on',
        states: {
          on: {
            invoke: {
              id: `level${depth}`,
              src: depth === 0 ? fromPromise(() => world.promise('bottom')) : level(depth - 1, world),
              onDone: 'done',
            },
          },
          done: { type: 'final' },
        },
      });
    const { events } = await playBoth({
      machine: (world) => level(2, world),
      script: (player) => player.resolve('bottom'),
    });
    expect(JSON.parse(events[0]!.data)).toMatchObject({ intents: [{ actor: '/level2:1/level1:2/level0:3' }] });
  });

  it('is stopped with everything below it when its state is left', async () => {
    await playBoth({
      machine: (world) =>
        createMachine({
          initial: 'on',
          states: {
            on: {
              invoke: {
                id: 'middle',
                src: createMachine({ invoke: { src: fromCallback(() => () => world.note('disposed')) } }),
              },
              on: { OFF: 'off' },
            },
            off: {},
          },
        }),
      script: (player) => player.send({ type: 'OFF' }),
    });
  });
});

describe('spawn', () => {
  it('in assign gives a reference that stays valid in context', async () => {
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          context: { refs: [] },
          on: {
            NEW: {
              actions: assign({
                refs: ({ context, spawn, event }) => [
                  ...(context.refs as AnyActorRef[]),
                  spawn(counter, { id: `counter ${String(event.n)}` }),
                ],
              }),
            },
            ADD: {
              actions: sendTo(({ context, event }) => (context.refs as AnyActorRef[])[event.n as number]!, {
                type: 'ADD',
              }),
            },
          },
        }),
      script: async (player) => {
        await player.send({ type: 'NEW', n: 0 });
        await player.send({ type: 'NEW', n: 1 });
        await player.send({ type: 'ADD', n: 1 });
      },
    });
    expect(rows.at(-1)).toMatchObject({
      tree: { children: { 'counter 0': { context: { n: 0 } }, 'counter 1': { context: { n: 1 } } } },
    });
  });

  it('without an id names the actor after its session', async () => {
    const { rows } = await playBoth({
      machine: () => createMachine({ context: ({ spawn }) => ({ a: spawn(counter), b: spawn(counter) }) }),
    });
    expect(Object.keys(rows[0]!.tree.children!)).toEqual(['session0', 'session1']);
  });

  it('in the context factory starts after the root', async () => {
    await playBoth({
      machine: (world) =>
        createMachine({
          context: ({ spawn, self }) => ({
            ear: spawn(
              fromCallback(({ receive }) => receive(({ type }) => world.note(`heard ${type}`))),
              { id: 'ear' },
            ),
            self,
          }),
          entry: sendTo('ear', { type: 'hello' }),
        }),
    });
  });

  it('twice under one id keeps both alive and shows the newer one', async () => {
    const { rows } = await playBoth({
      machine: (world) =>
        createMachine({
          context: ({ spawn }) => ({
            first: spawn(talkative(world, 'first'), { id: 'same' }),
            second: spawn(talkative(world, 'second'), { id: 'same' }),
          }),
          on: {
            TELL: {
              actions: [
                sendTo(({ context }) => context.first as AnyActorRef, { type: 'a' }),
                sendTo('same', { type: 'b' }),
              ],
            },
          },
        }),
      script: (player) => player.send({ type: 'TELL' }),
    });
    expect(rows.at(-1)!.notes).toEqual(['first heard a', 'second heard b']);
  });

  it('by spawnChild and stopChild in enqueueActions', async () => {
    await playBoth({
      machine: () =>
        createMachine({
          entry: enqueueActions(({ enqueue }) => {
            enqueue.spawnChild(counter, { id: 'a' });
            enqueue.spawnChild(counter, { id: 'b' });
            enqueue.sendTo('b', { type: 'ADD' });
            enqueue.stopChild('a');
          }),
        }),
    });
  });

  it('of a child that is stopped in the same step never starts it', async () => {
    const { rows } = await playBoth({
      machine: (world) =>
        createMachine({
          entry: [
            spawnChild(
              fromCallback(() => world.note('started')),
              { id: 'brief' },
            ),
            stopChild('brief'),
          ],
        }),
    });
    expect(rows[0]!.notes).toEqual([]);
  });

  const talkative = (world: World, name: string) =>
    fromCallback(({ receive }) => receive(({ type }) => world.note(`${name} heard ${type}`)));
});

describe('a system id', () => {
  const named = (world: World) =>
    createMachine({
      entry: () => world.note('entered'),
      invoke: { src: counter, systemId: 'inner' },
    });
  const switching = (world: World) =>
    createMachine({
      initial: 'on',
      states: { on: { invoke: { src: named(world), systemId: 'outer' } }, off: {} },
      on: {
        ON: { target: '.on', reenter: true },
        OFF: '.off',
        ASK: {
          actions: ({ system }) => world.note(`${String(!!system.get('outer'))} ${String(!!system.get('inner'))}`),
        },
        ADD: { actions: sendTo(({ system }) => system.get('inner'), { type: 'ADD' }) },
      },
    });

  it('is found while the actor lives, and free again after it', async () => {
    const { rows } = await playBoth({
      machine: switching,
      script: async (player) => {
        for (const type of ['ASK', 'ADD', 'OFF', 'ASK', 'ON', 'ASK', 'ON', 'ADD', 'ASK']) await player.send({ type });
      },
    });
    expect(rows.flatMap(({ notes }) => notes.filter((note) => note.includes(' ')))).toEqual([
      'true true',
      'false false',
      'true true',
      'true true',
    ]);
  });

  it('that is taken makes the machine fail', async () => {
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          initial: 'one',
          states: {
            one: { on: { NEXT: 'two' } },
            two: {
              entry: [
                spawnChild(counter, { systemId: 'the one', id: 'a' }),
                spawnChild(counter, { systemId: 'the one', id: 'b' }),
              ],
            },
          },
        }),
      script: (player) => player.send({ type: 'NEXT' }),
    });
    expect(rows.at(-1)).toMatchObject({
      tree: { status: 'error', error: { message: expect.stringContaining('the one') as string } },
    });
  });

  it('of an actor that is done at once is free', async () => {
    const done = createMachine({ initial: 'end', states: { end: { type: 'final' } } });
    await playBoth({
      machine: () =>
        createMachine({
          entry: [spawnChild(done, { systemId: 's', id: 'a' }), spawnChild(counter, { systemId: 's', id: 'b' })],
        }),
    });
  });
});

describe('a synced snapshot', () => {
  it('of a machine arrives with each of its changes', async () => {
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          context: { seen: [] },
          invoke: {
            id: 'counter',
            src: counter,
            onSnapshot: {
              actions: assign({
                seen: ({ context, event }) => [
                  ...(context.seen as number[]),
                  (event.snapshot as unknown as { context: { n: number } }).context.n,
                ],
              }),
            },
          },
          on: { '*': { actions: forwardTo('counter') }, ADDED: {} },
        }),
      script: async (player) => {
        await player.send({ type: 'ADD' });
        await player.send({ type: 'NOTHING' });
        await player.send({ type: 'END' });
      },
    });
    expect(rows.at(-1)).toMatchObject({ tree: { context: { seen: [0, 1, 1] } } });
  });

  it('of a spawned actor arrives as an event', async () => {
    const sum = fromTransition((n: number, { by }: { type: 'ADD'; by: number }) => n + by, 0);
    await playBoth({
      machine: () =>
        createMachine({
          context: ({ spawn }) => ({ sum: spawn(sum, { id: 'sum', syncSnapshot: true }), log: [] }),
          on: {
            ADD: { actions: forwardTo('sum') },
            'xstate.snapshot.sum': {
              actions: assign({
                log: ({ context, event }) => [
                  ...(context.log as unknown[]),
                  (event as unknown as { snapshot: { context: number } }).snapshot.context,
                ],
              }),
            },
          },
        }),
      script: (player) => player.send({ type: 'ADD', by: 4 }),
    });
  });
});

describe('stopChild', () => {
  it('lets a child handle what was sent to it before', async () => {
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          entry: spawnChild(counter, { id: 'counter' }),
          on: {
            STOP: { actions: [sendTo('counter', { type: 'ADD' }), stopChild('counter'), emit({ type: 'StopAsked' })] },
            ADDED: { actions: emit({ type: 'Heard' }) },
          },
        }),
      script: async (player) => {
        await player.send({ type: 'STOP' });
        await player.send({ type: 'ADD' });
      },
    });
    expect(rows[1]!.facts).toEqual([{ type: 'StopAsked' }, { type: 'Heard' }]);
  });

  it('keeps what a stopped child had sent to others', async () => {
    const relay = createMachine({
      on: { GO: { actions: [sendParent({ type: 'ADDED' }), sendParent({ type: 'ADDED' })] } },
    });
    await playBoth({
      machine: () =>
        createMachine({
          context: { log: [] },
          entry: spawnChild(relay, { id: 'relay' }),
          on: {
            GO: { actions: sendTo('relay', { type: 'GO' }) },
            ADDED: { actions: [stopChild('relay'), remember] },
          },
        }),
      script: (player) => player.send({ type: 'GO' }),
    });
  });

  it('of nothing changes nothing', async () => {
    await playBoth({ machine: () => createMachine({ entry: stopChild('nobody') }) });
  });
});

describe('a stop from outside', () => {
  it('stops the whole tree, exit actions left out', async () => {
    const { rows, events } = await playBoth({
      machine: (world) =>
        createMachine({
          exit: () => world.note('exit'),
          invoke: { src: fromCallback(() => () => world.note('disposed')) },
        }),
      script: async (player) => {
        await player.stop();
        await player.send({ type: 'LATE' });
      },
    });
    expect(rows.at(-1)!.tree.status).toBe('stopped');
    expect(events.map(({ type }) => type)).toEqual(['ActorStarted', 'ActorStopped']);
  });

  it('asked for by a custom action stops it too', async () => {
    await playBoth({
      machine: () =>
        createMachine({
          on: { STOP: { actions: ({ self }) => (self as unknown as { stop(): void }).stop() } },
        }),
      script: (player) => player.send({ type: 'STOP' }),
    });
  });
});
