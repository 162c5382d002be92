/** Custom actions in a hosted tree: order, time, what they may do, and when they do not run. */
import { describe, expect, it } from 'vitest';
import { assign, emit, fromCallback, raise, sendTo, setup, spawnChild } from 'xstate';
import { VirtualClock } from '../../src/clock.ts';
import { now, random, uuid } from '../../src/kernel/determinism.ts';
import { memoryLog } from '../../src/log/memory-log.ts';
import { createRuntime } from '../../src/runtime/runtime.ts';
import { createMachine } from '../support/loose-machine.ts';
import { playBoth, quietLogger, rest } from '../support/hosted-and-plain.ts';

const options = (log = memoryLog()) =>
  ({
    log,
    clock: new VirtualClock(),
    logger: quietLogger(),
    lease: false,
    passivate: false,
    keepLogOpen: true,
  }) as const;

describe('custom actions', () => {
  it('run in the order of exit, transition and entry', async () => {
    const { rows } = await playBoth({
      machine: (world) =>
        createMachine({
          initial: 'a',
          states: {
            a: { exit: () => world.note('exit a'), on: { GO: { target: 'b', actions: () => world.note('go') } } },
            b: {
              entry: [() => world.note('entry b'), raise({ type: 'ON' })],
              exit: () => world.note('exit b'),
              on: { ON: 'c' },
            },
            c: { entry: () => world.note('entry c') },
          },
        }),
      script: (player) => player.send({ type: 'GO' }),
    });
    expect(rows.at(-1)!.notes).toEqual(['exit a', 'go', 'entry b', 'exit b', 'entry c']);
  });

  it('of several actors run in the order of their transitions', async () => {
    await playBoth({
      machine: (world) => {
        const child = createMachine({
          entry: () => world.note('child entry'),
          on: { GO: { actions: () => world.note('child') } },
        });
        return createMachine({
          entry: [spawnChild(child, { id: 'child' }), () => world.note('parent entry')],
          on: { GO: { actions: [sendTo('child', { type: 'GO' }), () => world.note('parent')] } },
        });
      },
      script: (player) => player.send({ type: 'GO' }),
    });
  });

  it('may send to their own machine', async () => {
    const { rows } = await playBoth({
      machine: (world) =>
        createMachine({
          on: {
            GO: {
              actions: ({ self }) => {
                self.send({ type: 'ONE' });
                self.send({ type: 'TWO' });
                world.note('sent');
              },
            },
            '*': { actions: ({ event }) => world.note(event.type) },
          },
        }),
      script: (player) => player.send({ type: 'GO' }),
    });
    expect(rows.at(-1)!.notes).toEqual(['sent', 'ONE', 'TWO']);
  });

  it('may hand out send as a function of its own', async () => {
    await playBoth({
      machine: (world) =>
        createMachine({
          on: {
            GO: {
              actions: ({ self }) => {
                const { send } = self;
                send({ type: 'ONE' });
              },
            },
            ONE: { actions: () => world.note('heard') },
          },
        }),
      script: (player) => player.send({ type: 'GO' }),
    });
  });

  it('may send to actors found by system id and to children', async () => {
    await playBoth({
      machine: (world) =>
        createMachine({
          invoke: {
            id: 'ear',
            systemId: 'the ear',
            src: fromCallback(({ receive }) => receive(({ type }) => world.note(`heard ${type}`))),
          },
          on: {
            GO: {
              actions: [
                ({ system }) => void system.get('the ear').send({ type: 'A' }),
                ({ self }) => self.getSnapshot().children.ear?.send({ type: 'B' }),
              ],
            },
          },
        }),
      script: (player) => player.send({ type: 'GO' }),
    });
  });

  it('may subscribe to the facts of their machine', async () => {
    await playBoth({
      machine: (world) =>
        createMachine({
          entry: ({ self }) => void self.on('*', (event) => world.note(event.type)),
          on: { GO: { actions: emit({ type: 'Gone' }) } },
        }),
      script: (player) => player.send({ type: 'GO' }),
    });
  });

  it('run only after what caused them is in the log', async () => {
    const log = memoryLog();
    const seen: Promise<unknown>[] = [];
    const machine = createMachine({ on: { GO: { actions: () => void seen.push(log.head('machine-1')) } } });
    const runtime = await createRuntime({ ...options(log), machines: { machine } });
    const ref = await runtime.start('machine', { id: '1' });
    await ref.send({ type: 'GO' });
    await rest();
    expect(await Promise.all(seen)).toEqual([{ state: 'live', revision: 1 }]);
    await runtime.close();
  });

  it('see the time and the chance of their stimulus, also when the clock has moved on', async () => {
    const draws: unknown[] = [];
    const draw = () => [now(), random(), uuid()];
    const machine = setup({}).createMachine({
      context: { drawn: null as unknown },
      on: { GO: { actions: [assign({ drawn: draw }), ({ context }) => void draws.push(context.drawn, draw())] } },
    });
    const settings = options();
    const runtime = await createRuntime({ ...settings, machines: { machine } });
    const ref = await runtime.start('machine', { id: '1' });
    const sent = ref.send({ type: 'GO' });
    const at = settings.clock.now();
    settings.clock.jump(5_000);
    await sent;
    await rest();
    expect(draws.map((drawn) => (drawn as [number])[0])).toEqual([at, at]);
    expect(ref.getSnapshot().context.drawn).toBe(draws[0]);
    await runtime.close();
  });

  it('are not run again by a second host', async () => {
    const log = memoryLog();
    let runs = 0;
    const machine = createMachine({ entry: () => void runs++, on: { GO: { actions: () => void runs++ } } });
    const first = await createRuntime({ ...options(log), machines: { machine } });
    const ref = await first.start('machine', { id: '1' });
    await ref.send({ type: 'GO' });
    await first.close();
    const second = await createRuntime({ ...options(log), machines: { machine } });
    await second.get('machine-1');
    expect(runs).toBe(2);
    await second.close();
  });

  it('log objects so that they can be read', async () => {
    const lines: string[] = [];
    const { log: logAction } = await import('xstate');
    const machine = createMachine({ context: { n: 1 }, entry: logAction(({ context }) => context, 'context') });
    const runtime = await createRuntime({ ...options(), logger: quietLogger(lines), machines: { machine } });
    await runtime.start('machine', { id: '1' });
    await rest();
    expect(lines).toEqual(['context { n: 1 }']);
    await runtime.close();
  });
});
