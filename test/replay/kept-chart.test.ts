/** KC1: what a log keeps as a chart is believed only where nobody stumbles over it. */
import { describe, expect, it } from 'vitest';
import { fromCallback, setup, type AnyStateMachine } from 'xstate';
import { createRuntime, memoryLog, VirtualClock } from '../../src/index.ts';
import { chartOf } from '../../src/kernel/chart.ts';
import { openReplay } from '../../src/replay/index.ts';
import { keptChart } from '../../src/replay/kept-chart.ts';
import { drawnMachines } from '../support/drawn-machines.ts';

const lamp = setup({ actors: { cord: fromCallback(() => {}) } }).createMachine({
  id: 'lamp',
  initial: 'off',
  invoke: { id: 'cord', src: 'cord' },
  states: { off: { on: { PRESS: 'on' }, tags: 'dark' }, on: { after: { 1000: 'off' } } },
});
const chart = chartOf(lamp);
const text = JSON.stringify(chart);
const { root } = chart;
const [off, on] = root.states;
const withRoot = (change: object) => ({ ...chart, root: { ...root, ...change } });

describe('a chart that is kept', () => {
  it('is there as it was written, of every machine of rewake', () => {
    expect(keptChart(text)).toEqual(chart);
    for (const [name, machine] of drawnMachines) {
      const drawn = chartOf(machine as AnyStateMachine);
      expect(keptChart(JSON.stringify(drawn)), name).toEqual(JSON.parse(JSON.stringify(drawn)));
    }
  });

  it.each<[what: string, kept: unknown]>([
    ['a text that is no JSON', '{"form":1'],
    ['nothing', null],
    ['a list', [chart]],
    ['another form', { ...chart, form: 2 }],
    ['no name', { ...chart, id: undefined }],
    ['a version that is a number', { ...chart, version: 3 }],
    ['no state', { ...chart, root: 5 }],
    ['no actors', { ...chart, actors: null }],
    ['an actor that is no chart', { ...chart, actors: { child: { form: 1 } } }],
    ['states that are no list', withRoot({ states: {} })],
    ['a state that is none', withRoot({ states: [off, 'on'] })],
    ['two states with one id', withRoot({ states: [off, { ...on, id: off!.id }] })],
    ['a state with the id of an arrow', withRoot({ states: [off, { ...on, id: off!.transitions[0]!.id }] })],
    ['tags that are no texts', withRoot({ tags: [1] })],
    ['an invocation without a source', withRoot({ invoke: [{ id: 'cord' }] })],
    ['an arrow without targets', withRoot({ transitions: [{ ...off!.transitions[0]!, targets: undefined }] })],
    ['an arrow that is none', withRoot({ transitions: [null] })],
    ['states deeper than anybody nests them', withRoot({ states: [nested(200)] })],
  ])('is none with %s, and the stream is walked without', async (_, kept) => {
    const broken = typeof kept === 'string' ? kept : JSON.stringify(kept);
    expect(keptChart(broken)).toBeUndefined();

    const log = memoryLog();
    const runtime = await createRuntime({ log, machines: { lamp }, clock: new VirtualClock(), keepLogOpen: true });
    await (await runtime.start('lamp', { id: '1' })).send({ type: 'PRESS' });
    await runtime.close();
    log.definitions!.load = async () => broken;
    const replay = await openReplay(log, 'lamp-1');
    expect(replay.chart).toBeUndefined();
    expect((await replay.at(replay.last)).actors[0]).toMatchObject({ value: 'on' });
  });
});

function nested(depth: number): object {
  return { ...on, id: `deep ${depth}`, transitions: [], states: depth === 0 ? [] : [nested(depth - 1)] };
}
