/**
 * A replay of what generated machines lived through: at every revision the frame is what the live actor was there, whichever way
 * it is reached. RP2 of src/replay/replay.ts.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { addressOf } from '../../src/kernel/actor-tree.ts';
import { chartOf } from '../../src/kernel/chart.ts';
import { plainValue } from '../../src/kernel/plain-value.ts';
import { isMachineSnapshot, type HostedActor } from '../../src/kernel/xstate-internals.ts';
import type { EventLog, Revision } from '../../src/log/event-log.ts';
import { memoryLog } from '../../src/log/memory-log.ts';
import { foldUpTo } from '../../src/runtime/fold-history.ts';
import { openReplay, type Frame } from '../../src/replay/index.ts';
import { machines, playHosted, scripts, type GeneratedMachine, type ScriptStep } from '../../src/testing/index.ts';
import { loadServices } from '../support/load-services.ts';
import { propertyRuns } from '../support/property-runs.ts';

const stream = 'chart-1';

// XState's development build warns of every event that reaches a stopped actor; generated charts send many.
beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterAll(() => void vi.restoreAllMocks());

const address = (ref: unknown) => addressOf(ref as HostedActor);

/** Every machine that runs in a tree, and the root; what is in it, effects and timers. */
async function stands(log: EventLog, machine: GeneratedMachine, to: Revision) {
  const { tree } = await foldUpTo(stream, to, loadServices(log, { chart: machine.build() }));
  const running = [tree.rootActor, ...(tree._living?.values() ?? [])];
  const shown = running.flatMap((actor) => {
    const snapshot = actor.getSnapshot();
    if (!isMachineSnapshot(snapshot)) return [];
    const { value, status, context } = snapshot;
    return [[address(actor), { value, status, context: plainValue(context, address) }] as const];
  });
  return {
    machines: Object.fromEntries(shown),
    effects: [...(tree.effects?.keys() ?? [])].sort(),
    timers: [...(tree.timers?.values() ?? [])].map(({ seq, dueAt }) => ({ timer: seq, dueAt })),
  };
}

type Stands = Awaited<ReturnType<typeof stands>>;

function machinesOf(frame: Frame, stands: Stands): Stands['machines'] {
  const shown = frame.actors.filter(({ address: at }) => Object.hasOwn(stands.machines, at));
  const entries = shown.map(({ address: at, value, status, context }) => [at, { value, status, context }]);
  return Object.fromEntries(entries) as Stands['machines'];
}

function standsOf(frame: Frame, stands: Stands): Stands {
  const timers = frame.timers.map(({ timer, dueAt }) => ({ timer, dueAt })).sort((a, b) => a.timer - b.timer);
  return { machines: machinesOf(frame, stands), effects: frame.effects.map(({ actor }) => actor).sort(), timers };
}

/** Plays a script, and gives back its log and how it stood at every revision. */
async function lived(machine: GeneratedMachine, script: readonly ScriptStep[]) {
  const log = memoryLog();
  await playHosted(machine, script, {
    check: async ({ log: played }) => {
      const events = [];
      for await (const event of played.readStream(stream)) events.push(event);
      await log.append(stream, 'no-stream', events, { actor: (await played.actor(stream))! });
      const { definition } = JSON.parse(events[0]!.data) as { readonly definition: string };
      await log.definitions!.save(definition, JSON.stringify(chartOf(machine.build())));
    },
  });
  const head = await log.head(stream);
  const last = head.state === 'live' ? head.revision : -1;
  const stood: Stands[] = [];
  for (let to = 0; to <= last; to++) stood.push(await stands(log, machine, to));
  return { log, stood, last };
}

test(
  'the frame at every revision is the state there: forwards, backwards and in any order',
  { timeout: 300_000 },
  async () => {
    let seen = 0;
    await fc.assert(
      fc.asyncProperty(
        machines(),
        scripts(10),
        fc.integer({ min: 1, max: 7 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        async (machine, script, every, seeks) => {
          const { log, stood, last } = await lived(machine, script);
          const open = () => openReplay(log, stream, { machines: { chart: machine.build() }, every });
          const expectAt = (frame: Frame, to: Revision) => {
            expect(frame.divergence).toBe(null);
            expect(frame.drift).toBe(undefined);
            expect(frame.source).toBe('code');
            expect(standsOf(frame, stood[to]!), `at ${to}`).toEqual(stood[to]);
            seen++;
          };
          const forwards: Frame[] = [];
          for await (const frame of (await open()).frames()) {
            expectAt(frame, frame.lastRevision);
            forwards.push(frame);
          }
          const back = await open();
          let frame: Frame | undefined = await back.at(last);
          for (const expected of forwards.toReversed()) {
            expect(frame).toEqual(expected);
            frame = await back.previous(frame!);
          }
          expect(frame).toBe(undefined);
          const random = await open();
          for (const seek of seeks) {
            const to = seek % (last + 1);
            const found = await random.at(to);
            expect(found).toEqual(forwards.find(({ lastRevision }) => lastRevision >= to));
          }
        },
      ),
      { ...propertyRuns(25), endOnFailure: true },
    );
    expect(seen).toBeGreaterThan(100);
  },
);

test('without code state values and contexts are the same, and timers', { timeout: 300_000 }, async () => {
  let seen = 0;
  await fc.assert(
    fc.asyncProperty(machines(), scripts(10), async (machine, script) => {
      const { log, stood } = await lived(machine, script);
      for await (const frame of (await openReplay(log, stream)).frames()) {
        const expected = stood[frame.lastRevision]!;
        expect(frame.source).toBe('log');
        expect(machinesOf(frame, expected), `at ${frame.lastRevision}`).toEqual(expected.machines);
        // Which effects run is not promised: the log does not say what XState has stopped, or lost sight of.
        expect(standsOf(frame, expected).timers).toEqual(expected.timers);
        seen++;
      }
    }),
    { ...propertyRuns(25), endOnFailure: true },
  );
  expect(seen).toBeGreaterThan(100);
});
