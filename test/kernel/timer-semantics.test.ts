/** Delays in a hosted tree: they fire when and in the order in which they do under plain XState on the same clock. */
import { describe, expect, it } from 'vitest';
import { assign, cancel, raise, sendParent, sendTo, spawnChild, stopChild } from 'xstate';
import { createMachine } from '../support/loose-machine.ts';
import { playBoth } from '../support/hosted-and-plain.ts';

const heard = assign({ heard: ({ context, event }) => [...((context.heard as string[]) ?? []), event.type] });
const listening = { context: { heard: [] }, on: { '*': { actions: heard } } };

describe('after', () => {
  it('fires once its time has come, not before (invariant 19)', async () => {
    const { rows } = await playBoth({
      machine: () =>
        createMachine({ initial: 'a', states: { a: { after: { 100: 'b' } }, b: { after: { 50: 'c' } }, c: {} } }),
      script: async (player) => {
        for (const ms of [99, 1, 49, 1]) await player.advance(ms);
      },
    });
    expect(rows.map(({ tree }) => tree.value)).toEqual(['a', 'a', 'b', 'b', 'c']);
  });

  it('is cancelled by leaving its state and starts anew on re-entry', async () => {
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          initial: 'on',
          states: {
            on: { after: { 100: 'late' }, on: { AGAIN: { target: 'on', reenter: true }, OFF: 'off' } },
            off: { on: { ON: 'on' } },
            late: {},
          },
        }),
      script: async (player) => {
        await player.advance(60);
        await player.send({ type: 'AGAIN' });
        await player.advance(60);
        await player.send({ type: 'OFF' });
        await player.advance(200);
        await player.send({ type: 'ON' });
        await player.advance(99);
        await player.advance(1);
      },
    });
    expect(rows.map(({ tree }) => tree.value)).toEqual(['on', 'on', 'on', 'on', 'off', 'off', 'on', 'on', 'late']);
  });

  it('may take its delay from context', async () => {
    await playBoth({
      machine: () =>
        createMachine(
          { context: { ms: 70 }, initial: 'a', states: { a: { after: { pause: 'b' } }, b: {} } },
          { delays: { pause: ({ context }) => context.ms as number } },
        ),
      script: async (player) => {
        await player.advance(69);
        await player.advance(1);
      },
    });
  });

  it('of zero, of a fraction and of less than zero fires as soon as time moves', async () => {
    for (const ms of [0, 0.4, -5]) {
      await playBoth({
        machine: () => createMachine({ ...listening, entry: raise({ type: 'TICK' }, { delay: ms }) }),
        script: (player) => player.advance(1),
      });
    }
  });

  it('guarded by several conditions takes the first that holds', async () => {
    await playBoth({
      machine: () =>
        createMachine({
          initial: 'a',
          states: { a: { after: { 10: [{ guard: () => false, target: 'b' }, { target: 'c' }] } }, b: {}, c: {} },
        }),
      script: (player) => player.advance(10),
    });
  });
});

describe('a delayed raise', () => {
  it('without an id cannot be confused with another one', async () => {
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          ...listening,
          entry: [
            raise({ type: 'A' }, { delay: 10 }),
            raise({ type: 'B' }, { delay: 20 }),
            raise({ type: 'C' }, { delay: 10 }),
          ],
        }),
      script: async (player) => {
        await player.advance(10);
        await player.advance(10);
      },
    });
    expect(rows.at(-1)).toMatchObject({ tree: { context: { heard: ['A', 'C', 'B'] } } });
  });

  it('is cancelled by its id', async () => {
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          context: { heard: [] },
          entry: [raise({ type: 'A' }, { delay: 10, id: 'a' }), raise({ type: 'B' }, { delay: 10, id: 'b' })],
          on: { CANCEL: { actions: cancel('a') }, '*': { actions: heard } },
        }),
      script: async (player) => {
        await player.send({ type: 'CANCEL' });
        await player.advance(10);
        await player.send({ type: 'CANCEL' });
      },
    });
    expect(rows.at(-1)).toMatchObject({ tree: { context: { heard: ['B'] } } });
  });

  it('armed twice under one id fires twice, and a cancel reaches the newer one', async () => {
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          context: { heard: [] },
          on: {
            ARM: { actions: raise(({ event }) => ({ type: `T${String(event.n)}` }), { delay: 10, id: 't' }) },
            CANCEL: { actions: cancel('t') },
            '*': { actions: heard },
          },
        }),
      script: async (player) => {
        await player.send({ type: 'ARM', n: 1 });
        await player.advance(5);
        await player.send({ type: 'ARM', n: 2 });
        await player.send({ type: 'CANCEL' });
        await player.send({ type: 'ARM', n: 3 });
        await player.advance(5);
        await player.send({ type: 'CANCEL' });
        await player.advance(20);
      },
    });
    expect(rows.at(-1)).toMatchObject({ tree: { context: { heard: ['T1', 'T3'] } } });
  });

  it('outlives the state that armed it', async () => {
    await playBoth({
      machine: () =>
        createMachine({
          ...listening,
          initial: 'a',
          states: {
            a: { entry: raise({ type: 'LATE' }, { delay: 10 }), on: { GO: 'b' } },
            b: { on: { LATE: 'c' } },
            c: {},
          },
        }),
      script: async (player) => {
        await player.send({ type: 'GO' });
        await player.advance(10);
      },
    });
  });
});

describe('a delayed message', () => {
  const child = createMachine({
    on: { PING: { actions: sendParent({ type: 'PONG' }, { delay: 10 }) } },
  });

  it('crosses actors in both directions', async () => {
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          ...listening,
          invoke: { id: 'child', src: child },
          entry: sendTo('child', { type: 'PING' }, { delay: 5 }),
        }),
      script: async (player) => {
        await player.advance(5);
        await player.advance(10);
      },
    });
    expect(rows.at(-1)).toMatchObject({ tree: { context: { heard: ['PONG'] } } });
  });

  it('of a stopped actor is never delivered (invariant 21)', async () => {
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          ...listening,
          entry: spawnChild(child, { id: 'child' }),
          on: {
            PING: { actions: sendTo('child', { type: 'PING' }) },
            STOP: { actions: stopChild('child') },
            '*': { actions: heard },
          },
        }),
      script: async (player) => {
        await player.send({ type: 'PING' });
        await player.send({ type: 'STOP' });
        await player.advance(20);
      },
    });
    expect(rows.at(-1)).toMatchObject({ tree: { context: { heard: [] } } });
  });

  it('to an actor that was stopped meanwhile changes nothing, also when a newer one has its id (invariant 14)', async () => {
    const ear = createMachine({ context: { heard: [] }, on: { '*': { actions: heard } } });
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          entry: spawnChild(ear, { id: 'ear' }),
          on: {
            LATER: { actions: sendTo('ear', { type: 'LATER' }, { delay: 10 }) },
            RENEW: { actions: [stopChild('ear'), spawnChild(ear, { id: 'ear' })] },
          },
        }),
      script: async (player) => {
        await player.send({ type: 'LATER' });
        await player.send({ type: 'RENEW' });
        await player.advance(10);
      },
    });
    expect(rows.at(-1)).toMatchObject({ tree: { children: { ear: { context: { heard: [] } } } } });
  });
});

describe('timers due together', () => {
  it('fire in the order of (due, armed) across actors (invariant 20)', async () => {
    const child = (n: number) => createMachine({ entry: sendParent({ type: `C${n}` }, { delay: 30 - n * 10 }) });
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          ...listening,
          entry: [
            raise({ type: 'R30' }, { delay: 30 }),
            spawnChild(child(0), { id: 'c0' }),
            spawnChild(child(1), { id: 'c1' }),
            raise({ type: 'R20' }, { delay: 20 }),
          ],
        }),
      script: (player) => player.advance(30),
    });
    expect(rows.at(-1)).toMatchObject({ tree: { context: { heard: ['C1', 'R20', 'C0', 'R30'] } } });
  });

  it('may cancel each other', async () => {
    await playBoth({
      machine: () =>
        createMachine({
          context: { heard: [] },
          entry: [raise({ type: 'A' }, { delay: 10 }), raise({ type: 'B' }, { delay: 10, id: 'b' })],
          on: { A: { actions: [heard, cancel('b')] }, B: { actions: heard } },
        }),
      script: (player) => player.advance(10),
    });
  });
});
