/** What the coverage counts of histories that nobody made for it: generated charts, golden logs, flows with handlers. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { machines, playHosted, playPlain, scripts } from 'rewake/testing';
import { flow, handler, retry, skip } from 'rewake/machines';
import type { AnyMachineSnapshot, InspectionEvent } from 'xstate';
import { namesOf } from '../../src/testing/chart-names.ts';
import { Coverage, formatCoverage, type CoverageReport } from '../../src/testing/audit.ts';
import type { WatchedTransition } from '../../src/testing/xstate-watch.ts';
import { goldenNames, goldenVersions, readGolden } from '../golden/kept.ts';
import { lives } from '../golden/lives.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { all } from '../stores/sqlite/log-files.ts';
import { failing, FlowStage } from '../machines/flow-stage.ts';

// XState's development build warns of every event that reaches a stopped actor; generated charts send many.
beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterAll(() => void vi.restoreAllMocks());

/** What XState's own inspection tells of a run. */
class Inspected {
  readonly transitions = new Map<string, number>();
  readonly states = new Set<string>();
  /** Whether parallel regions selected transitions at once, of which some may have been preempted. */
  hasRivals = false;

  readonly inspect = (event: InspectionEvent): void => {
    if (event.type !== '@xstate.microstep') return;
    const transitions = event._transitions as unknown as readonly WatchedTransition[];
    if (transitions.length > 1) this.hasRivals = true;
    for (const transition of transitions) {
      const name = namesOf(transition.source.machine).transitions.get(transition)!;
      this.transitions.set(name, (this.transitions.get(name) ?? 0) + 1);
    }
    for (const { id, parent } of (event.snapshot as AnyMachineSnapshot)._nodes) if (parent) this.states.add(id);
  };
}

/** What the machines of a report reached together. */
function reachedBy({ machines }: CoverageReport, kind: 'states' | 'transitions' | 'guards'): Map<string, number> {
  const counts = new Map<string, number>();
  for (const machine of machines)
    for (const [name, times] of Object.entries(machine[kind].reached))
      counts.set(name, (counts.get(name) ?? 0) + times);
  return counts;
}

describe('a generated chart', () => {
  it('is covered as far as XState says that it went', { timeout: 300_000 }, async () => {
    const tried = { charts: 0, exact: 0, transitions: 0, guards: 0 };
    const property = fc.asyncProperty(machines(), scripts(), async (chart, script) => {
      const inspected = new Inspected();
      await playPlain(chart, script, { inspect: inspected.inspect });
      const coverage = new Coverage({ chart: chart.build() });
      await playHosted(chart, script, { check: ({ log }) => coverage.add(log.readAll()) });
      const report = coverage.report();
      expect(report).toMatchObject({ streams: 1, notFolded: [] });

      const transitions = reachedBy(report, 'transitions');
      if (!inspected.hasRivals) expect(transitions).toEqual(inspected.transitions);
      for (const [name, times] of transitions) expect(times).toBeLessThanOrEqual(inspected.transitions.get(name) ?? 0);
      const states = reachedBy(report, 'states');
      for (const state of inspected.states) expect([...states.keys()]).toContain(state);
      const guards = reachedBy(report, 'guards');
      for (const [name] of transitions) {
        const guard = `${name.split(' → ')[0]!} is true`;
        if (name.includes('[')) expect(guards.get(guard), guard).toBeGreaterThan(0);
      }
      tried.charts++;
      if (!inspected.hasRivals) tried.exact++;
      tried.transitions += transitions.size;
      tried.guards += guards.size;
    });
    await fc.assert(property, propertyRuns(60));
    expect(tried.exact).toBeGreaterThan(10);
    expect(tried.transitions).toBeGreaterThan(tried.charts);
    expect(tried.guards).toBeGreaterThan(tried.charts);
  });
});

describe('golden logs', () => {
  const logs = goldenVersions().flatMap((version) => goldenNames(version).map((name) => [version, name] as const));
  const coverageOf = async (version: string, name: string) => {
    const coverage = new Coverage(lives.find((life) => life.name === name)!.machines);
    await coverage.add(readGolden(version, name).events);
    return coverage.report();
  };

  it.for(logs)('that of %s called %s is folded whole', async ([version, name]) => {
    const { events } = readGolden(version, name);
    const report = await coverageOf(version, name);
    expect(report).toMatchObject({
      notFolded: [],
      unplaced: [],
      streams: new Set(events.map(({ stream }) => stream)).size,
      events: events.length,
    });
    expect(formatCoverage(report)).toContain(`${events.length} events`);
  });

  it('of orders reach every state and all but one transition', async () => {
    const { machines } = await coverageOf('0.1.0-b', 'orders');
    expect(machines).toMatchObject([
      { machine: 'order', actors: 4, states: { total: 13, neverReached: [] }, transitions: { total: 12 } },
      { machine: 'order/packing', actors: 1, states: { neverReached: [] }, transitions: { neverReached: [] } },
    ]);
    expect(machines[0]!.transitions.neverReached).toEqual(['order.open: after 3600000 → order.abandoned']);
  });

  it('of flows tell which handlers ran, with what outcome, and which never did', async () => {
    const { machines } = await coverageOf('0.1.0-b', 'flows');
    expect(machines[0]).toMatchObject({
      machine: 'journey',
      handlers: {
        total: 5,
        reached: { logIn: 1, cheaply: 1, awake: 1, ask: 3 },
        neverReached: ['again'],
        outcomes: {
          'logIn: retry': 1,
          'cheaply: fallback': 1,
          'awake: skip': 1,
          'ask: intervene': 3,
          '(escalated): noHandler': 3,
        },
      },
    });
  });
});

describe('a flow', () => {
  it('has the handlers of its steps counted, also those that run nothing and never began', async () => {
    const stage = new FlowStage({ pay: failing(1, 'declined') });
    const trip = flow('trip', {
      steps: {
        pay: {
          run: stage.work('pay'),
          onFailure: [handler({ id: 'again', then: retry({ delay: '1s' }) }), handler({ id: 'later', then: skip() })],
        },
      },
      onFailure: [handler({ id: 'mend', run: stage.work('mend') })],
    });
    await stage.run(trip);
    await stage.house.advance(1_000);
    const coverage = new Coverage({ work: trip });
    await coverage.add(await all(stage.house.log.readAll()));
    const [work] = coverage.report().machines;
    expect(work!.handlers).toEqual({
      total: 3,
      reached: { again: 1 },
      neverReached: ['later', 'mend'],
      outcomes: { 'again: retry': 1 },
    });
    expect(stage.done).toEqual(['pay', 'pay']);
  });
});
