/**
 * Going on from another state, for generated statecharts: whatever an actor's history is, taken back to a revision, copied up
 * to one or compacted it is what a fold of that history is, and a fresh host folds it to the same. Numbers in titles are
 * those of docs/explanation/invariants.md.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { VirtualClock } from '../../src/clock.ts';
import { memoryLog } from '../../src/log/memory-log.ts';
import type { EventLog, Revision } from '../../src/log/event-log.ts';
import { foldUpTo } from '../../src/runtime/fold-history.ts';
import { createRuntime, type Runtime } from '../../src/runtime/runtime.ts';
import { machines, playHosted, scripts, type GeneratedMachine, type ScriptStep } from '../../src/testing/index.ts';
import { viewTree } from '../../src/testing/charts/xstate-view.ts';
import { loadServices } from '../support/load-services.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { silentLogger } from '../support/silent-logger.ts';

const stream = 'chart-1';

// XState's development build warns of every event that reaches a stopped actor; generated charts send many.
beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterAll(() => void vi.restoreAllMocks());

/** What a fold of a stream up to a revision shows. */
async function folded(log: EventLog, machine: GeneratedMachine, to: Revision) {
  const { tree } = await foldUpTo(stream, to, loadServices(log, { chart: machine.build() }));
  return { at: tree.at, status: tree.status, view: viewTree(tree.rootActor.getSnapshot()) };
}

/** A host whose time is just before that of the state it looks at, so that no timer of it is due. */
function hostAt(log: EventLog, machine: GeneratedMachine, at: number): Promise<Runtime> {
  const options = {
    log,
    clock: new VirtualClock(at - 1),
    logger: silentLogger,
    lease: false,
    keepLogOpen: true,
  } as const;
  return createRuntime({
    ...options,
    machines: { chart: machine.build() },
    snapshots: false,
    resume: false,
  }) as unknown as Promise<Runtime>;
}

async function viewOf(runtime: Runtime, of = stream) {
  await runtime.idle();
  return viewTree((await runtime.get(of)).getSnapshot());
}

/** Plays a script and gives back a log of it, and the revisions at which the actor ran. */
async function lived(machine: GeneratedMachine, script: readonly ScriptStep[]) {
  let log!: EventLog;
  await playHosted(machine, script, { check: async (run) => void (log = await copyOf(run.log)) });
  const head = await log.head(stream);
  const last = head.state === 'live' ? head.revision : -1;
  const running: { to: Revision; at: number; view: unknown }[] = [];
  for (let to = 0; to <= last; to++) {
    const { status, at, view } = await folded(log, machine, to);
    if (status === 'active') running.push({ to, at, view });
  }
  return { log, running };
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
    fc.asyncProperty(machines(), scripts(8), async (machine, script) => {
      const { log, running } = await lived(machine, script);
      for (const { to, at, view } of running) {
        const copy = await copyOf(log);
        const runtime = await hostAt(copy, machine, at);
        await runtime.rewind(stream, { to });
        expect(await viewOf(runtime), `rewound to ${to}`).toEqual(view);
        await runtime.close();
        const fresh = await hostAt(copy, machine, at);
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
    fc.asyncProperty(machines(), scripts(8), async (machine, script) => {
      const { log, running } = await lived(machine, script);
      for (const { to, at, view } of running) {
        const runtime = await hostAt(log, machine, at);
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
    fc.asyncProperty(machines(), scripts(8), async (machine, script) => {
      const { log, running } = await lived(machine, script);
      const last = running.at(-1);
      const head = await log.head(stream);
      if (!last || head.state !== 'live' || last.to !== head.revision) return;
      const [plain, compacted] = [await copyOf(log), await copyOf(log)];
      const [first, second] = [await hostAt(plain, machine, last.at), await hostAt(compacted, machine, last.at)];
      await second.compact(stream);
      expect(await viewOf(second)).toEqual(last.view);
      const event = { type: 'a.x' };
      const [one, two] = await Promise.all([first.send(stream, event), second.send(stream, event)]);
      expect(viewTree(two)).toEqual(viewTree(one));
      await first.close();
      await second.close();
      const fresh = await hostAt(compacted, machine, last.at);
      expect(await viewOf(fresh)).toEqual(viewTree(one));
      await fresh.close();
      compactions++;
    }),
    propertyRuns(60),
  );
  expect(compactions).toBeGreaterThan(10);
});
