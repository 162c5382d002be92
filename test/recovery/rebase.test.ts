/**
 * Going on from another state, for generated statecharts: whatever an actor's history is, taken back to a revision, copied up
 * to one or compacted it is what a fold of that history is, and a fresh host folds it to the same. Numbers in titles are
 * those of docs/explanation/invariants.md.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { VirtualClock } from '../../src/clock.ts';
import { now } from '../../src/kernel/determinism.ts';
import { memoryLog } from '../../src/log/memory-log.ts';
import type { EventLog, Revision } from '../../src/log/event-log.ts';
import { foldUpTo } from '../../src/runtime/fold-history.ts';
import { createRuntime, type Runtime } from '../../src/runtime/runtime.ts';
import { buildMachine } from '../support/build-machine.ts';
import type { Chart } from '../support/chart.ts';
import { EffectDesk } from '../support/effect-desk.ts';
import { HostedHost, silentLogger } from '../support/hosted.ts';
import { loadServices } from '../support/load-services.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { runScript, scripts } from '../support/scripts.ts';
import { racingFeatures, statecharts } from '../support/statecharts.ts';
import { viewTree } from '../support/tree-view.ts';

const charts = statecharts({ without: racingFeatures });
const stream = 'chart-1';

// XState's development build warns of every event that reaches a stopped actor; generated charts send many.
beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterAll(() => void vi.restoreAllMocks());

function machineOf(chart: Chart): AnyStateMachine {
  return buildMachine(chart, { now, effects: new EffectDesk() }) as AnyStateMachine;
}

/** What a fold of a stream up to a revision shows. */
async function folded(log: EventLog, chart: Chart, to: Revision) {
  const { tree } = await foldUpTo(stream, to, loadServices(log, { chart: machineOf(chart) }));
  return { at: tree.at, status: tree.status, view: viewTree(tree.rootActor.getSnapshot()) };
}

/** A host whose time is just before that of the state it looks at, so that no timer of it is due. */
function hostAt(log: EventLog, chart: Chart, at: number): Promise<Runtime> {
  const options = {
    log,
    clock: new VirtualClock(at - 1),
    logger: silentLogger,
    lease: false,
    keepLogOpen: true,
  } as const;
  const machines = { chart: machineOf(chart) };
  return createRuntime({ ...options, machines, snapshots: false, resume: false }) as unknown as Promise<Runtime>;
}

async function viewOf(runtime: Runtime, of = stream) {
  await runtime.idle();
  return viewTree((await runtime.get(of)).getSnapshot());
}

/** Lives a script and gives back its log and the revisions at which the actor ran. */
async function lived(chart: Chart, script: Parameters<typeof runScript>[1]) {
  const host = new HostedHost(chart);
  await runScript(host, script);
  const head = await host.log.head(stream);
  const last = head.state === 'live' ? head.revision : -1;
  const running: { to: Revision; at: number; view: unknown }[] = [];
  for (let to = 0; to <= last; to++) {
    const { status, at, view } = await folded(host.log, chart, to);
    if (status === 'active') running.push({ to, at, view });
  }
  return { log: host.log, running };
}

/** A log with the same events, to be changed. */
async function copyOf(log: EventLog): Promise<EventLog> {
  const copy = memoryLog();
  const events = [];
  for await (const event of log.readStream(stream)) events.push(event);
  await copy.append(stream, 'no-stream', events, { actor: (await log.actor(stream))! });
  return copy;
}

test('1, 2: an actor that is taken back to any revision is what it was there', { timeout: 300_000 }, async () => {
  let rewinds = 0;
  await fc.assert(
    fc.asyncProperty(charts, scripts(8), async (chart, script) => {
      const { log, running } = await lived(chart, script);
      for (const { to, at, view } of running) {
        const copy = await copyOf(log);
        const runtime = await hostAt(copy, chart, at);
        await runtime.rewind(stream, { to });
        expect(await viewOf(runtime), `rewound to ${to}`).toEqual(view);
        await runtime.close();
        const fresh = await hostAt(copy, chart, at);
        expect(await viewOf(fresh), `rewound to ${to}, folded anew`).toEqual(view);
        await fresh.close();
        rewinds++;
      }
    }),
    propertyRuns(25),
  );
  expect(rewinds).toBeGreaterThan(50);
});

test('1, 3: a copy of its past up to any revision is what it was there', { timeout: 300_000 }, async () => {
  let forks = 0;
  await fc.assert(
    fc.asyncProperty(charts, scripts(8), async (chart, script) => {
      const { log, running } = await lived(chart, script);
      for (const { to, at, view } of running) {
        const runtime = await hostAt(log, chart, at);
        const id = `fork${to}`;
        await runtime.fork(stream, { at: to, id });
        expect(await viewOf(runtime, `chart-${id}`), `forked at ${to}`).toEqual(view);
        await runtime.close();
        forks++;
      }
    }),
    propertyRuns(25),
  );
  expect(forks).toBeGreaterThan(50);
});

test('1, 26: a compacted actor is what it was, and answers a stimulus alike', { timeout: 300_000 }, async () => {
  let compactions = 0;
  await fc.assert(
    fc.asyncProperty(charts, scripts(8), async (chart, script) => {
      const { log, running } = await lived(chart, script);
      const last = running.at(-1);
      const head = await log.head(stream);
      if (!last || head.state !== 'live' || last.to !== head.revision) return;
      const [plain, compacted] = [await copyOf(log), await copyOf(log)];
      const [first, second] = [await hostAt(plain, chart, last.at), await hostAt(compacted, chart, last.at)];
      await second.compact(stream);
      expect(await viewOf(second)).toEqual(last.view);
      const event = { type: 'a.x' };
      const [one, two] = await Promise.all([first.send(stream, event), second.send(stream, event)]);
      expect(viewTree(two)).toEqual(viewTree(one));
      await first.close();
      await second.close();
      const fresh = await hostAt(compacted, chart, last.at);
      expect(await viewOf(fresh)).toEqual(viewTree(one));
      await fresh.close();
      compactions++;
    }),
    propertyRuns(60),
  );
  expect(compactions).toBeGreaterThan(10);
});
