/**
 * The generator and its oracle, tested by themselves: the charts are valid, various and finite, the oracle is
 * deterministic, and a host that differs is found out.
 */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { InvalidArgumentError, VirtualClock } from 'rewake';
import { chartFeatures, GeneratedMachine, machines, playPlain, scripts } from 'rewake/testing';
import type { Chart, ChartFeature, ScriptStep } from 'rewake/testing';
import { racingFeatures, type Node } from '../../src/testing/charts/chart.ts';
import { ChartCoverage } from '../support/chart-coverage.ts';

/** More with CHART_RUNS=1000; the thresholds below are shares of it. */
const runs = Number(process.env.CHART_RUNS ?? 300);

/** Features that XState's inspection does not tell apart: for them standing in a chart has to do. */
const seenInChartsOnly: readonly ChartFeature[] = [
  'nested',
  'deeplyNested',
  'historyDefault',
  'finalOutput',
  'initialActions',
  'forwardDown',
  'forwardUp',
  'enqueueActions',
  'guardAnd',
  'guardOr',
  'guardNot',
  'stateIn',
  'timeGuard',
];
/** Features of a run, not of a chart. */
const seenInRunsOnly: readonly ChartFeature[] = ['equalDelays', 'timerIdReuse'];

beforeEach(() => {
  // XState's development build warns of every event to an actor that has ended; charts send many.
  vi.spyOn(console, 'warn').mockImplementation(() => {});
});
afterEach(() => void vi.restoreAllMocks());

class Tally {
  readonly charts = new Map<ChartFeature, number>();
  readonly reached = new Map<ChartFeature, number>();
  readonly transitions: number[] = [];
  actors = 0;
  steps = 0;
  ended = 0;

  add({ features }: GeneratedMachine, coverage: ChartCoverage, rows: number, status: string): void {
    for (const feature of features) this.charts.set(feature, (this.charts.get(feature) ?? 0) + 1);
    for (const feature of coverage.reached) this.reached.set(feature, (this.reached.get(feature) ?? 0) + 1);
    this.transitions.push(coverage.transitions);
    this.actors += coverage.actors;
    this.steps += rows - 1;
    if (status !== 'active') this.ended++;
  }

  report() {
    const sorted = this.transitions.toSorted((a, b) => a - b);
    const n = sorted.length;
    const mean = (total: number) => Math.round((10 * total) / n) / 10;
    return {
      runs: n,
      transitions: { mean: mean(sorted.reduce((sum, k) => sum + k, 0)), median: sorted[n >> 1]!, most: sorted[n - 1]! },
      actors: mean(this.actors),
      steps: mean(this.steps),
      ended: mean(this.ended),
      features: Object.fromEntries(
        chartFeatures.map((feature) => [
          feature,
          `${this.charts.get(feature) ?? 0} / ${this.reached.get(feature) ?? '-'}`,
        ]),
      ),
    };
  }
}

describe('machines', () => {
  test('reach every feature, and the oracle gives the same trace twice', { timeout: 300_000 }, async () => {
    const tally = new Tally();
    const property = fc.asyncProperty(machines({ racing: true }), scripts(), async (machine, script) => {
      const coverage = new ChartCoverage(machine.chart);
      const trace = await playPlain(machine, script, { inspect: coverage.inspect });
      expect(await playPlain(machine, script)).toEqual(trace);
      coverage.read(trace);
      tally.add(machine, coverage, trace.length, trace.at(-1)!.tree.status);
    });
    await fc.assert(property, { numRuns: runs });

    const report = tally.report();
    if (process.env.CHART_RUNS) console.info(JSON.stringify(report, null, 1));
    expect(report.transitions.mean).toBeGreaterThan(10);
    expect(report.transitions.median).toBeGreaterThan(5);
    expect(report.transitions.most).toBeLessThan(5_000);
    expect(report.ended).toBeLessThan(0.4);
    const inCharts = chartFeatures.filter((feature) => !seenInRunsOnly.includes(feature));
    const inRuns = chartFeatures.filter((feature) => !seenInChartsOnly.includes(feature));
    expect(inCharts.filter((feature) => (tally.charts.get(feature) ?? 0) < runs * 0.02)).toEqual([]);
    expect(inRuns.filter((feature) => (tally.reached.get(feature) ?? 0) < runs * 0.002)).toEqual([]);
  });

  test('print as source that gives the same machine', () => {
    const property = fc.property(machines({ racing: true }), (machine) => {
      const [, chart] = /^new GeneratedMachine\((.*)\)$/.exec(fc.stringify(machine))!;
      expect(new GeneratedMachine(JSON.parse(chart!) as Chart)).toEqual(machine);
    });
    fc.assert(property, { numRuns: 100 });
  });

  test('have a new XState machine with each build, which needs no world', () => {
    const [machine] = fc.sample(machines(), { numRuns: 1, seed: 1 });
    expect(machine!.build().config).toMatchObject({ id: 'm0' });
    expect(machine!.build()).not.toBe(machine!.build());
  });

  test('refuse features and options that there are not', () => {
    expect(() => machines({ without: ['timers' as never] })).toThrow(InvalidArgumentError);
    expect(() => machines({ with: [] } as never)).toThrow(/machines\(\)\.with: expected one of without, racing/);
    expect(() => scripts(0)).toThrow(/scripts\(stepsMax\)/);
  });

  test('leave out the features they are told to', () => {
    const fixed: readonly ChartFeature[] = ['nested', 'deeplyNested', 'invoke', 'promise', 'onError'];
    const without = chartFeatures.filter((feature) => !fixed.includes(feature));
    const property = fc.property(machines({ without }), ({ features }) => {
      expect([...features].filter((feature) => without.includes(feature))).toEqual([]);
    });
    fc.assert(property, { numRuns: 100 });
  });

  test('race nothing by default', () => {
    const property = fc.property(machines(), ({ features }) => {
      expect([...features].filter((feature) => racingFeatures.includes(feature))).toEqual([]);
    });
    fc.assert(property, { numRuns: 100 });
  });

  test('shrink to what matters', { timeout: 120_000 }, async () => {
    const property = fc.asyncProperty(machines({ without: ['machineChild'] }), scripts(8), async (machine, script) => {
      const trace = await playPlain(machine, script);
      return trace.every(({ facts }) => facts.length === 0);
    });
    const { counterexample } = await fc.check(property, { numRuns: runs, seed: 1 });
    const [machine, script] = counterexample!;
    expect(script.length).toBeLessThan(4);
    expect(JSON.stringify(machine.chart).length).toBeLessThan(1_500);
  });
});

// ── the oracle ───────────────────────────────────────────────────────────────────────────────────

const leaf = (key: string, node: Partial<Node> = {}): Node => ({ key, type: 'atomic', ...node });
const note = (label: string) => ({ do: 'note', label }) as const;
const machineOf = (root: Partial<Node>) =>
  new GeneratedMachine({ id: 'm0', root: { key: '', type: 'compound', ...root }, spawns: [] });
const region = (key: string, delay: number): Node => ({
  ...leaf(key),
  type: 'compound',
  initial: 'waiting',
  states: [
    leaf('waiting', { after: [{ delay, transitions: [{ to: [`m0.both.${key}.fired`] }] }] }),
    leaf('fired', { entry: [note(key)] }),
  ],
});
const parallel = (...states: Node[]) =>
  machineOf({ initial: 'both', states: [{ key: 'both', type: 'parallel', states }] });

describe('the oracle', () => {
  test('fires timers of one deadline in the order they were armed, at the deadline', async () => {
    const trace = await playPlain(parallel(region('b', 10), region('a', 10), region('c', 5)), [
      { type: 'advance', ms: 40 },
    ]);
    expect(trace[0]!.timers.map(({ dueAt, event }) => [dueAt, event])).toEqual([
      [1_005, 'xstate.after.5.m0.both.c.waiting'],
      [1_010, 'xstate.after.10.m0.both.b.waiting'],
      [1_010, 'xstate.after.10.m0.both.a.waiting'],
    ]);
    expect(trace[1]!.tree.context).toMatchObject({ trace: ['c@1005', 'b@1010', 'a@1010'] });
    expect(trace[1]!).toMatchObject({ at: 1_040, timers: [] });
  });

  test('shows an open effect until a step settles it', async () => {
    const invoke = [{ id: 'c0', logic: { kind: 'promise' }, onDone: { actions: [{ do: 'take' }] } }] as const;
    const machine = machineOf({ initial: 's0', states: [leaf('s0')], invoke });
    const settle: ScriptStep = { type: 'effect', index: 5, act: 'value', n: 3 };
    const [started, settled, idle] = await playPlain(machine, [settle, settle]);
    expect(started!.effects).toEqual([{ path: '/c0', kind: 'promise' }]);
    expect(settled!).toMatchObject({ step: 'value 3 to promise /c0', effects: [] });
    expect(settled!.tree).toMatchObject({ context: { last: { n: 3 } }, children: { c0: { status: 'done' } } });
    expect(idle!.step).toBe('no open effect');
  });

  test('ends the trace with the step that failed the root', async () => {
    const invoke = [{ id: 'c0', logic: { kind: 'promise' } }] as const;
    const machine = machineOf({ initial: 's0', states: [leaf('s0')], invoke });
    const trace = await playPlain(machine, [
      { type: 'effect', index: 0, act: 'error', n: 1 },
      { type: 'advance', ms: 10 },
    ]);
    expect(trace.map(({ step }) => step)).toEqual(['start', 'error 1 to promise /c0']);
    expect(trace[1]!.tree).toMatchObject({ status: 'error', error: { name: 'Error', message: 'refused 1' } });
  });
});

// ── hosts that differ ────────────────────────────────────────────────────────────────────────────

/** Jumps to the end of an advance before anything fires. */
class LateClock extends VirtualClock {
  override async advance(byMs: number, settle?: () => Promise<void>): Promise<void> {
    this.jump(byMs);
    await super.advance(0, settle);
  }
}

/** Fires timers of one deadline in reverse order. */
class LastFirstClock extends VirtualClock {
  #armed = 0;

  override now(): number {
    return Math.round(super.now());
  }

  override setTimer(dueAt: number, fn: () => void): () => void {
    return super.setTimer(dueAt - 1e-6 * ++this.#armed, fn);
  }
}

/** Cancels none of its first timers. Were it none at all, a state that is entered anew would double them each time. */
class DeafClock extends VirtualClock {
  #deafTo = 50;

  override setTimer(dueAt: number, fn: () => void): () => void {
    const cancel = super.setTimer(dueAt, fn);
    return this.#deafTo-- > 0 ? () => {} : cancel;
  }
}

describe('a host that differs is found out', () => {
  const mutants = { LateClock, LastFirstClock, DeafClock };
  test.each(Object.entries(mutants))('%s', { timeout: 120_000 }, async (_, Mutant) => {
    const property = fc.asyncProperty(machines({ racing: true }), scripts(), async (machine, script) => {
      const trace = await playPlain(machine, script, { clock: new Mutant(1_000) });
      expect(trace).toEqual(await playPlain(machine, script));
    });
    const { failed, numRuns } = await fc.check(property, { numRuns: runs, endOnFailure: true });
    if (process.env.CHART_RUNS) console.info(`${Mutant.name} found out in run ${numRuns}`);
    expect(failed).toBe(true);
  });
});
