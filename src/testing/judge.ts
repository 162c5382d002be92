/**
 * What a run must be like. Owns the verdict on one run, alone and beside the run that it is compared with; numbers are those of
 * docs/explanation/invariants.md.
 *
 * JU1  A run is compared with one in which the world does the same, nothing else goes wrong, and just those effects are lost
 *      that were lost here: to whoever looks, both are the same, to the ms.
 * JU2  A host whose actors another one took goes on with what it began until it notices. Where the other one took an effect for
 *      lost, both tell what it talks to, and there is nothing to compare.
 * JU3  Where the clock is set forwards past several timers and the host dies among them, the next one lets effects be lost
 *      before it fires the others; without its death all of them fire at once, and there is nothing to compare.
 * JU4  After a log has lost what it acknowledged nothing can be compared; what is left must still be sound.
 */
import { ActorTree } from '../kernel/actor-tree.ts';
import { Folder } from '../kernel/fold.ts';
import type { RecordedEvent } from '../log/event-log.ts';
import { readStreamName } from '../log/stream-name.ts';
import { noUpcasters } from '../log/upcast.ts';
import { FeatureSet } from '../runtime/features.ts';
import { MachineRegistry, type Machines } from '../runtime/machines.ts';
import { readableEvent } from '../runtime/readable-event.ts';
import { audit } from './audit/audit.ts';
import { EffectNotScriptedError, NotDeterministicError } from './failures.ts';
import { losesEvents, type FaultPlan } from './fault-plan.ts';
import { difference, shorten } from './outcome.ts';
import type { Run } from './run.ts';
import type { Scenario } from './scenario.ts';

/** Something that must hold of a run and does not. */
export interface Breach {
  /** Number in docs/explanation/invariants.md; undefined for what a scenario itself asks for. */
  readonly invariant: number | undefined;
  readonly name: string;
  /** What is wrong, in a sentence. */
  readonly message: string;
  /** The error behind it, where there is one. */
  readonly cause?: unknown;
}

const names: Readonly<Record<number, string>> = {
  1: 'replay equality',
  3: 'determinism',
  4: 'crash transparency',
  5: 'idempotent resume',
  6: 'crash-safe recovery',
  7: 'no acknowledged loss',
  8: 'ambiguous append',
  9: 'message ids',
  10: 'intent before effect',
  12: 'stable keys',
  25: 'single writer',
  26: 'snapshots',
  30: 'torn tail',
  32: 'consume once',
};

/** A breach of an invariant. */
export function breach(invariant: number, message: string): Breach {
  return { invariant, name: names[invariant] ?? '', message };
}

/** What is wrong with a run by itself. */
export async function judgeAlone(run: Run, scenario: Scenario): Promise<Breach[]> {
  // Without faults it is the scenario that is wrong, and a script that cannot answer is wrong with them, too.
  if (run.failure && (run.plan.length === 0 || !(run.failure instanceof EffectNotScriptedError))) throw run.failure;
  const { unintended, rekeyed, changedByFold } = run;
  const ofEffects = [
    ...unintended.map((key) => breach(10, `effect ${key} began before it was durable that it shall run`)),
    ...rekeyed.map((what) => breach(12, what)),
  ];
  if (run.failure)
    return [...ofEffects, breach(4, `it calls what it does not call without these faults: ${run.failure.message}`)];
  const { complaints, blocked, twice, unstopped, ends, folds, appendsOfSecondResume: appended } = run;
  const found = [
    ...ofEffects,
    ...(changedByFold ? [breach(4, `a fold of the log changed the world outside: ${changedByFold}`)] : []),
    ...complaints.map((what) => breach(1, what)),
    ...blocked.map((what) => breach(1, `an actor is blocked: ${what}`)),
    ...unstopped.map((key) => breach(25, `effect ${key} went on after its host knew that another one has the actor`)),
    ...twice.map((key) => breach(32, `effect ${key} was run twice in one life of the process`)),
    ...(appended > 0 ? [breach(5, `a second resume, without anything new, appended ${appended} times`)] : []),
    ...lostOf(run),
  ];
  const unfolded = difference(folds, ends);
  if (unfolded) found.push(breach(1, `the fold of the log is not the live state: ${unfolded}`));
  if (!losesEvents(run.plan)) found.push(...(await audited(run)), ...(await checked(run, scenario)));
  return found;
}

/** What the log itself tells. */
async function audited({ events }: Run): Promise<Breach[]> {
  const found = await audit(events);
  return found.map(({ invariant, name, stream, revision, message }) => {
    return { invariant, name, message: `${stream ?? 'the log'}@${revision ?? ''}: ${message}` };
  });
}

async function checked(run: Run, { check }: Scenario): Promise<Breach[]> {
  try {
    await check?.(run);
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return [{ invariant: undefined, name: "the scenario's check", message }];
  }
}

/** Messages that were acknowledged and are not in the log. */
function lostOf({ plan, acknowledged, events, root }: Run): Breach[] {
  if (losesEvents(plan)) return [];
  const there = new Map<string, number>();
  for (const { stream, type, data, meta } of events) {
    if (stream !== root || meta.actor !== undefined || (type !== 'EventReceived' && type !== 'ActorStarted')) continue;
    const { messageId = type } = JSON.parse(data) as { messageId?: string };
    there.set(messageId, (there.get(messageId) ?? 0) + 1);
  }
  return [...new Set(acknowledged)].flatMap((id) => {
    const count = there.get(id === 'start' ? 'ActorStarted' : id) ?? 0;
    if (count === 1) return [];
    return [
      count === 0
        ? breach(7, `'${id}' was acknowledged and is not in the log`)
        : breach(9, `'${id}' is ${count} times in the log`),
    ];
  });
}

/** What a run shows that the run without its faults does not, or the other way round. */
export function judgeBeside(run: Run, reference: Run): Breach[] {
  if (losesEvents(run.plan)) return [];
  if (run.losses.length > 0 && run.plan.some(({ fault }) => fault === 'stealOwner')) return [];
  if (hasOverdueAmongLosses(run)) return [];
  const invariant = invariantOf(run.plan);
  const ends = difference(reference.ends, run.ends);
  const facts = difference(reference.facts, run.facts);
  return [
    ...(ends ? [breach(invariant, `it ends in another state than without these faults: ${ends}`)] : []),
    ...(facts ? [breach(invariant, `it tells other facts than without these faults: ${facts}`)] : []),
  ];
}

/** JU3. Whether a timer was late at the very time at which an effect of its stream was lost. */
function hasOverdueAmongLosses({ plan, losses, events }: Run): boolean {
  if (losses.length === 0 || !plan.some(({ fault }) => fault === 'clockJump')) return false;
  const streams = new Map(events.map(({ id, stream }) => [id, stream]));
  const lostAt = new Set(losses.map(({ key, at }) => `${streams.get(key.slice(0, key.indexOf('/')))} ${at}`));
  return events.some(({ stream, type, data }) => {
    if (type !== 'TimerFired') return false;
    const { at, dueAt } = JSON.parse(data) as { at: number; dueAt: number };
    return dueAt < at && lostAt.has(`${stream} ${at}`);
  });
}

/** Two runs of one plan write the same. Where in the whole log that comes to stand, its store alone decides. */
export function judgeTwins(run: Run, twin: Run): Breach[] {
  const bytes = ({ events }: Run) => events.map(({ position: _, ...event }) => JSON.stringify(event));
  const [first, second] = [bytes(run), bytes(twin)];
  const at = first.findIndex((line, index) => line !== second[index]);
  if (at < 0 && first.length === second.length) return [];
  const index = at < 0 ? Math.min(first.length, second.length) : at;
  const [one = 'nothing', two = 'nothing'] = [first[index], second[index]];
  return [breach(3, `played twice, event ${index} of the log is first ${shorten(one)} and then ${shorten(two)}`)];
}

function invariantOf(plan: FaultPlan): number {
  if (plan.some((fault) => fault.fault === 'stealOwner')) return 25;
  if (plan.some((fault) => fault.fault === 'tornTail')) return 30;
  if (plan.filter(({ fault }) => fault === 'crash').length > 1) return 6;
  if (plan.some((fault) => 'snapshot' in fault)) return 26;
  if (plan.some(({ fault }) => fault === 'crash')) return 4;
  return plan.some(({ fault }) => fault === 'duplicate') ? 9 : 8;
}

/** Folds what a run wrote, and watches what the machines read by themselves. */
export function judgeReads({ events }: Run, machines: Machines): Breach[] {
  const registry = new MachineRegistry(machines);
  const folders = new Map<string, Folder>();
  for (const event of events) {
    const { stream, revision } = event;
    const { machine, id } = readStreamName(stream);
    if (revision === 0) {
      const { logic, definition } = registry.current(machine);
      folders.set(stream, new Folder(new ActorTree(logic, id), definition, { watch: true }));
    }
    const folder = folders.get(stream);
    try {
      folder?.push(readableEvent(event, { upcasters: noUpcasters, features: new FeatureSet() }));
    } catch {
      // What diverges is told by whoever folds the stream without watching.
      folders.delete(stream);
    }
    if (folder && folder.impurities.length > 0) {
      const cause = new NotDeterministicError(stream, revision, nameOf(event), folder.impurities);
      return [{ ...breach(3, cause.message), cause }];
    }
  }
  return [];
}

/** What an event of the log records, as a person calls it. */
function nameOf({ type, data }: Pick<RecordedEvent, 'type' | 'data'>): string {
  const { event, id } = JSON.parse(data) as { readonly event?: { readonly type?: string }; readonly id?: string };
  const what = event?.type ?? id;
  return what === undefined ? type : `${type} ${what}`;
}
