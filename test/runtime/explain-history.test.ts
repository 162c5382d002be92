/** What the records of a stream tell without its machines, against what the fold of them gives (XH1). */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { definitionHash } from '../../src/kernel/definition-hash.ts';
import { ActorTree } from '../../src/kernel/actor-tree.ts';
import { Folder } from '../../src/kernel/fold.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { noUpcasters } from '../../src/log/upcast.ts';
import { readHistory, type History } from '../../src/runtime/explain/history.ts';
import { effectsOf, machinesOf, timersOf } from '../../src/runtime/explain/parts.ts';
import { FeatureSet } from '../../src/runtime/features.ts';
import { readableEvent } from '../../src/runtime/readable-event.ts';
import { machines, playHosted, scripts, type HiddenFault } from '../../src/testing/index.ts';
import { propertyRuns } from '../support/property-runs.ts';

// XState's development build warns of every event that reaches a stopped actor; generated charts send many.
beforeAll(() => void vi.spyOn(console, 'warn').mockImplementation(() => {}));
afterAll(() => void vi.restoreAllMocks());

const features = new FeatureSet();
const seen = { isRunning: () => true, atHead: undefined };

/** What is said of the tree, without what only one of the two knows. */
function parts(history: History, tree: ActorTree | undefined) {
  const effects = effectsOf(history, tree, 0, seen).map(({ actor, src, attempt, checkpoint, standing }) => {
    return JSON.stringify({ actor, src, attempt, checkpoint, standing });
  });
  return {
    machines: machinesOf(history, tree, 0)
      .map(({ accepts: _, ...machine }) => machine)
      .toSorted((one, other) => (one.actor < other.actor ? -1 : 1)),
    timers: timersOf(history, tree, 0),
    effects: effects.toSorted(),
  };
}

/** Whether the machine that began an effect runs. What it left behind, as XState does of a spawn, is nowhere on record. */
function isOwned(effect: string, machines: readonly { readonly actor: string }[]): boolean {
  const { actor } = JSON.parse(effect) as { actor: string };
  const owner = actor.slice(0, actor.lastIndexOf('/')) || '/';
  return machines.some((machine) => machine.actor === owner);
}

test(
  'XH1, XQ2: the records of any chart, cut at any append, tell the machines and timers of its fold',
  { timeout: 300_000 },
  async () => {
    let effectsLeft = 0;
    let orphans = 0;
    const told = async (machine: AnyStateMachine, log: EventLog) => {
      const folder = new Folder(new ActorTree(machine, '1'), definitionHash(machine));
      const { stimuli, revision: last } = await readHistory(log, 'chart-1', features);
      for await (const event of log.readStream('chart-1')) {
        folder.push(readableEvent(event, { upcasters: noUpcasters, features }));
        if (event.revision !== last && !stimuli.includes(event.revision + 1)) continue;
        const history = await readHistory(log, 'chart-1', features, event.revision);
        const [read, folded] = [parts(history, undefined), parts(history, folder.tree)];
        const where = `revision ${event.revision}`;
        expect({ ...read, effects: [] }, where).toEqual({ ...folded, effects: [] });
        // One whose machine went on without it leaves no record; the others are there.
        const owned = folded.effects.filter((effect) => isOwned(effect, folded.machines));
        expect(read.effects, where).toEqual(expect.arrayContaining(owned));
        effectsLeft += owned.length;
        orphans = folded.effects.length - owned.length;
      }
      const atHead = (await log.actor('chart-1'))!.effects;
      const effects = effectsOf(await readHistory(log, 'chart-1', features), undefined, 0, { ...seen, atHead });
      expect(effects.length).toBeGreaterThanOrEqual(atHead - orphans);
      if (effects.length > atHead) expect(effects.filter(({ isSure }) => isSure)).toEqual([]);
    };
    await fc.assert(
      fc.asyncProperty(
        machines(),
        scripts(8),
        fc.array(fc.nat(6), { maxLength: 2 }),
        async (generated, script, crashes) => {
          let append = -1;
          const faults = crashes.map((further): HiddenFault => {
            return { fault: 'crash', append: (append += 1 + further), phase: 'afterAppend' };
          });
          await playHosted(generated, script, { faults, check: ({ log }) => told(generated.build(), log) });
        },
      ),
      propertyRuns(60),
    );
    expect(effectsLeft).toBeGreaterThan(50);
  },
);
