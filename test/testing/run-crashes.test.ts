/** The crashes of runs of the kit, placed at the transitions that they struck. */
import { describe, expect, it } from 'vitest';
import { fromPromise, setup } from 'xstate';
import { Coverage, crashesOf, defineScenario, fuzz, sweep, type Run } from 'rewake/testing';

const order = setup({
  actors: { charge: fromPromise(() => Promise.resolve('real')) },
}).createMachine({
  id: 'order',
  initial: 'new',
  states: {
    new: { on: { PAY: 'charging' } },
    charging: { invoke: { src: 'charge', onDone: 'packing', onError: 'waiting' } },
    waiting: { after: { 1000: 'charging' } },
    packing: { after: { 3_600_000: 'done' } },
    done: { type: 'final' },
  },
});
const ordering = defineScenario({
  machines: { order },
  effects: { charge: [{ error: new Error('busy') }, { output: 'ok', afterMs: 10 }] },
  events: [{ type: 'PAY' }],
});

async function coverageOf(runs: readonly Run[]) {
  const coverage = new Coverage({ order });
  for (const run of runs) await coverage.add(run.events, crashesOf(run));
  return coverage.report();
}

describe('the crashes of a sweep', () => {
  it('strike every transition in every phase that it can be struck in', { timeout: 60_000 }, async () => {
    const runs: Run[] = [];
    await sweep(ordering, { depth: 1, onRun: (run) => void runs.push(run) });
    const { machines, notFolded, unplaced } = await coverageOf(runs);
    expect([notFolded, unplaced]).toEqual([[], []]);
    const { matrix, transitions } = machines[0]!;
    const ofOutcomes = ['order.charging: onDone → order.packing', 'order.charging: onError → order.waiting'];
    const others = Object.keys(transitions.reached).filter((name) => !ofOutcomes.includes(name));
    expect(others).toHaveLength(3);
    for (const phase of ['afterAppend', 'ackLost']) expect(matrix[phase]!.neverReached).toEqual([]);
    expect(matrix.beforeAppend!.neverReached).toEqual(ofOutcomes);
    expect(matrix.beforeResult!.neverReached).toEqual(others);
    // An actor that has ended has no snapshot any more.
    expect(matrix.snapshot!.neverReached).toEqual(['order.packing: after 3600000 → order.done']);
    expect(matrix.recovery!.reached).toEqual({});
  });

  it('are in a recovery where a second one struck the life after the first', { timeout: 60_000 }, async () => {
    const runs: Run[] = [];
    await sweep(ordering, { phases: ['afterAppend', 'recovery'], onRun: (run) => void runs.push(run) });
    const { machines, unplaced } = await coverageOf(runs);
    expect(unplaced).toEqual([]);
    expect(machines[0]!.matrix.recovery!.neverReached).toEqual([]);
  });
});

describe('the crashes of a fuzz', () => {
  it('are all placed', { timeout: 60_000 }, async () => {
    const runs: Run[] = [];
    await fuzz(ordering, { seed: 7, numRuns: 40, onRun: (run) => void runs.push(run) });
    expect(runs.some(({ strikes }) => strikes.length > 0)).toBe(true);
    const { notFolded, unplaced } = await coverageOf(runs);
    expect([notFolded, unplaced]).toEqual([[], []]);
  });
});
