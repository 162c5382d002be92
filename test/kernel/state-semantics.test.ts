/** What a single chart does: parallel, history, final, always, wildcards, and the built-in actions. Hosted equals plain. */
import { describe, expect, it, vi } from 'vitest';
import { and, assign, emit, enqueueActions, log, not, raise, sendTo, setup, stateIn } from 'xstate';
import { createMachine } from '../support/loose-machine.ts';
import { playBoth } from '../support/hosted-and-plain.ts';

describe('states', () => {
  it('in parallel move together and are done together', async () => {
    const region = { initial: 'on', states: { on: { on: { GO: 'off' } }, off: { type: 'final' as const } } };
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          type: 'parallel',
          states: { a: region, b: { ...region, on: { ONLY: '.off' } } },
          onDone: { actions: emit({ type: 'BothDone' }) },
          output: 'both',
        }),
      script: async (player) => {
        await player.send({ type: 'ONLY' });
        await player.send({ type: 'GO' });
      },
    });
    expect(rows.at(-1)).toMatchObject({ tree: { status: 'done', output: 'both' } });
  });

  for (const history of ['shallow', 'deep'] as const) {
    it(`are remembered by ${history} history`, async () => {
      const { rows } = await playBoth({
        machine: () =>
          createMachine({
            initial: 'in',
            states: {
              in: {
                initial: 'a',
                states: {
                  a: { on: { NEXT: 'b' } },
                  b: { initial: 'b1', states: { b1: { on: { NEXT: 'b2' } }, b2: {} } },
                  back: { type: 'history', history },
                },
                on: { OUT: 'out' },
              },
              out: { on: { BACK: 'in.back' } },
            },
          }),
        script: async (player) => {
          for (const type of ['NEXT', 'NEXT', 'OUT', 'BACK']) await player.send({ type });
        },
      });
      expect(rows.at(-1)!.tree.value).toEqual({ in: { b: history === 'deep' ? 'b2' : 'b1' } });
    });
  }

  it('that are final hand over their output', async () => {
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          context: { got: null },
          initial: 'inner',
          states: {
            inner: {
              initial: 'a',
              states: { a: { on: { GO: 'end' } }, end: { type: 'final', output: ({ event }) => event.n as number } },
              onDone: { target: 'end', actions: assign({ got: ({ event }) => event.output as number }) },
            },
            end: { type: 'final', exit: emit({ type: 'Left' }), entry: emit({ type: 'Entered' }) },
          },
          output: ({ context }) => ({ got: context.got as number }),
        }),
      script: (player) => player.send({ type: 'GO', n: 5 }),
    });
    expect(rows.at(-1)).toMatchObject({ tree: { status: 'done', output: { got: 5 } } });
  });

  it('may be final from the start', async () => {
    const { rows, events } = await playBoth({
      machine: () =>
        createMachine({
          initial: 'end',
          states: { end: { type: 'final', entry: emit({ type: 'Ended' }) } },
          output: 1,
        }),
    });
    expect(rows[0]).toMatchObject({ tree: { status: 'done', output: 1 }, facts: [{ type: 'Ended' }] });
    expect(events.map(({ type }) => type)).toEqual(['ActorStarted', 'Ended']);
  });

  it('with always transitions are passed through in one step (invariant 23)', async () => {
    const { events } = await playBoth({
      machine: () =>
        createMachine({
          context: { n: 0 },
          initial: 'idle',
          states: {
            idle: { on: { GO: 'a' } },
            a: {
              always: [
                { guard: ({ context }) => (context.n as number) > 2, target: 'b' },
                { target: 'a', reenter: true, actions: assign({ n: ({ context }) => (context.n as number) + 1 }) },
              ],
            },
            b: { always: 'c' },
            c: {},
          },
        }),
      script: (player) => player.send({ type: 'GO' }),
    });
    expect(JSON.parse(events[1]!.data)).toMatchObject({ transitions: [{ event: 'GO', to: 'c' }] });
  });

  it('hear events by wildcard and by prefix', async () => {
    await playBoth({
      machine: () =>
        createMachine({
          context: { n: 0 },
          on: {
            'order.*': { actions: emit({ type: 'Order' }) },
            'order.paid': { actions: emit({ type: 'Paid' }) },
            '*': { actions: emit({ type: 'Any' }) },
            forbidden: {},
          },
        }),
      script: async (player) => {
        for (const type of ['order.paid', 'order.sent', 'other', 'forbidden']) await player.send({ type });
      },
    });
  });

  it('are guarded by combined and by parameterised guards', async () => {
    const machine = setup({
      types: {} as { context: { n: number }; events: { type: 'GO'; n: number } },
      guards: { above: ({ event }, min: number) => event.n > min, odd: ({ event }) => event.n % 2 === 1 },
    }).createMachine({
      context: { n: 0 },
      initial: 'a',
      states: {
        a: { on: { GO: { guard: and([{ type: 'above', params: 3 }, not('odd'), stateIn('a')]), target: 'b' } } },
        b: {},
      },
    });
    const { rows } = await playBoth({
      machine: () => machine,
      script: async (player) => {
        for (const n of [1, 5, 4]) await player.send({ type: 'GO', n });
      },
    });
    expect(rows.map(({ tree }) => tree.value)).toEqual(['a', 'a', 'a', 'b']);
  });
});

describe('a re-entered state', () => {
  it('runs exit and entry again', async () => {
    await playBoth({
      machine: (world) =>
        createMachine({
          initial: 'a',
          states: {
            a: {
              entry: () => world.note('entry'),
              exit: () => world.note('exit'),
              on: { IN: 'a', OUT: { target: 'a', reenter: true } },
            },
          },
        }),
      script: async (player) => {
        await player.send({ type: 'IN' });
        await player.send({ type: 'OUT' });
      },
    });
  });
});

describe('actions', () => {
  it('in enqueueActions see each other and the guards', async () => {
    await playBoth({
      machine: (world) =>
        createMachine({
          context: { n: 0 },
          on: {
            GO: {
              actions: enqueueActions(({ enqueue, check, event }) => {
                enqueue(assign({ n: ({ context }) => (context.n as number) + 1 }));
                enqueue.raise({ type: 'RAISED' });
                enqueue.emit({ type: 'Emitted' });
                enqueue(() => world.note('custom'));
                if (check(() => event.n === 2)) enqueue.raise({ type: 'LATER' }, { delay: 10 });
              }),
            },
            RAISED: { actions: ({ context }) => world.note(`raised at ${String(context.n)}`) },
            LATER: { actions: () => world.note('later') },
          },
        }),
      script: async (player) => {
        await player.send({ type: 'GO', n: 1 });
        await player.send({ type: 'GO', n: 2 });
        await player.advance(10);
      },
    });
  });

  it('get the context as it was when their turn came', async () => {
    const { rows } = await playBoth({
      machine: (world) =>
        createMachine({
          context: { n: 0 },
          on: {
            GO: {
              actions: [
                ({ context }) => world.note(String(context.n)),
                assign({ n: 1 }),
                ({ context }) => world.note(String(context.n)),
                assign({ n: 2 }),
              ],
            },
          },
        }),
      script: (player) => player.send({ type: 'GO' }),
    });
    expect(rows.at(-1)!.notes).toEqual(['0', '1']);
  });

  it('take parameters', async () => {
    await playBoth({
      machine: (world) =>
        setup({ actions: { say: (_, params: { text: string }) => world.note(params.text) } }).createMachine({
          entry: { type: 'say', params: { text: 'fixed' } },
          on: { SAY: { actions: { type: 'say', params: ({ event }) => ({ text: String(event.text) }) } } },
        }),
      script: (player) => player.send({ type: 'SAY', text: 'hello' }),
    });
  });

  it('that log write to the logger once each', async () => {
    const { rows } = await playBoth({
      machine: () =>
        createMachine({
          context: { n: 1 },
          entry: log(({ context }) => `n is ${String(context.n)}`, 'label'),
          on: { GO: { actions: log('gone') } },
        }),
      script: (player) => player.send({ type: 'GO' }),
    });
    expect(rows.map(({ notes }) => notes)).toEqual([['log label n is 1'], ['log gone']]);
  });

  it('that raise are handled before the next event', async () => {
    await playBoth({
      machine: () =>
        createMachine({
          initial: 'a',
          states: { a: { on: { GO: { target: 'b', actions: raise({ type: 'ON' }) } } }, b: { on: { ON: 'c' } }, c: {} },
        }),
      script: (player) => player.send({ type: 'GO' }),
    });
  });

  it('that send to themselves come after what was raised', async () => {
    await playBoth({
      machine: () =>
        createMachine({
          context: { heard: [] },
          on: {
            GO: { actions: [sendTo(({ self }) => self, { type: 'SENT' }), raise({ type: 'RAISED' })] },
            '*': { actions: assign({ heard: ({ context, event }) => [...(context.heard as string[]), event.type] }) },
          },
        }),
      script: (player) => player.send({ type: 'GO' }),
    });
  });

  it('that are not implemented are left out', async () => {
    await playBoth({ machine: () => createMachine({ entry: 'unknown' }) });
  });
});

describe('an unknown actor source', () => {
  it('is left out with the same warning', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    await playBoth({ machine: () => createMachine({ invoke: { src: 'nobody' } }) });
    const said = new Set(warn.mock.calls.map(([message]) => String(message)));
    expect(said).toEqual(new Set(["Actor type 'nobody' not found in machine '1'."]));
    warn.mockRestore();
  });
});
