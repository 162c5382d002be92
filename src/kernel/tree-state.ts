/**
 * A tree as text and back: what snapshots, rebases and forks are made of. Owns the text's form; where it is kept and
 * when it is trusted is the runtime's.
 *
 * T1  restoreTree(describeTree(tree)) is the tree: it answers every further stimulus alike.
 * T2  A tree that cannot be described (an actor spawned from an inline logic, a value the codec cannot carry) says so;
 *     nothing is left out silently.
 */
import type { AnyActorLogic, AnyEventObject } from 'xstate';
import { DecodeError, InvalidArgumentError } from '../errors.ts';
import { readRichText, writeRichText } from '../log/rich-values.ts';
import type { ActorTree, PendingEffect, Timer } from './actor-tree.ts';
import { addressOf } from './actor-tree.ts';
import {
  endedStage,
  HostedActor,
  isHostedActor,
  isMachine,
  isMachineSnapshot,
  positionOf,
  resolveSource,
  snapshotAt,
  stageOf,
  withoutSubscription,
  type AnySnapshot,
  type MachinePosition,
} from './xstate-internals.ts';

/** A description is sound, and the machine does not have what is described. */
export class MachineMisfit extends Error {}

export interface ActorState {
  readonly actor: HostedActor;
  readonly parent: HostedActor | undefined;
  /** Name of its logic in the parent; null for the root. */
  readonly src: string | null;
  readonly systemId: string | undefined;
  readonly syncSnapshot: boolean | undefined;
  readonly stage: number;
  readonly position: MachinePosition | undefined;
  readonly snapshot: AnySnapshot | undefined;
}

/** The content of a description; its actors are whatever they are read as. */
export interface TreeState {
  readonly form: 1;
  readonly at: number;
  readonly sessions: number;
  readonly timerCount: number;
  readonly actors: readonly ActorState[];
  readonly timers: readonly Timer[];
  /** Sequence numbers of timers that can still be cancelled by their id. */
  readonly cancellable: readonly number[];
  readonly effects: readonly PendingEffect[];
  readonly keyed: readonly (readonly [string, HostedActor])[];
  readonly messageIds: readonly string[];
}

/**
 * Describes a tree at rest.
 * @throws NotSerializableError | InvalidArgumentError when it cannot be described
 */
export function describeTree(tree: ActorTree): string {
  const actors = collectActors(tree);
  for (;;) {
    const described = actors.size;
    const state: TreeState = {
      form: 1,
      at: tree.at,
      sessions: tree._sessions,
      timerCount: tree.timerCount,
      actors: [...actors].map(describeActor),
      timers: [...(tree.timers?.values() ?? [])],
      cancellable: [...(tree.timerKeys?.values() ?? [])],
      effects: [...(tree.effects?.values() ?? [])],
      keyed: [...(tree._keyed ?? [])],
      messageIds: [...(tree.messageIds ?? [])],
    };
    const text = writeRichText(state, 'the state of an actor tree', {
      Actor: (value) => {
        if (!isHostedActor(value)) return false;
        visitActor(actors, value);
        return [value.sessionId, value.id];
      },
    });
    // A context may hold an actor that nothing else leads to: then it is written once more, with that one.
    if (actors.size === described) return text;
  }
}

/**
 * Fills an empty tree from a description.
 * @param moveRoot gives the root another position than the described one; actors that the machine does not know any
 *   more have then ended, with their effects and timers
 * @throws DecodeError when it is no description
 * @throws MachineMisfit when the machine does not have what it describes
 */
export function restoreTree(
  tree: ActorTree,
  text: string,
  moveRoot?: (position: MachinePosition) => MachinePosition,
): void {
  const actors = new Map<string, HostedActor>();
  const reference = ([sessionId, id]: [string, string]) => {
    let actor = actors.get(sessionId);
    if (!actor) actors.set(sessionId, (actor = endedActor(tree, sessionId, id)));
    return actor;
  };
  const state = readRichText(text, { Actor: reference }) as TreeState;
  if (state?.form !== 1) throw new DecodeError('the state of an actor tree has an unknown form');
  tree.at = state.at;
  tree._sessions = state.sessions;
  tree.timerCount = state.timerCount;
  // One that has ended may have left a timer that nobody can cancel: that goes on, as it would have.
  const left = new Set(state.actors.filter((each) => !restoreFitting(tree, each, moveRoot)).map(({ actor }) => actor));
  tree.root = state.actors[0]?.actor;
  const timers = state.timers.filter(({ source }) => !left.has(source));
  tree.timers = mapOf(timers.map((timer) => [timer.seq, timer]));
  const cancellable = new Set(state.cancellable);
  tree.timerKeys = mapOf(
    timers.filter(({ seq }) => cancellable.has(seq)).map(({ source, id, seq }) => [`${source.sessionId}.${id}`, seq]),
  );
  const effects = state.effects.filter(({ actor }) => !left.has(actor));
  tree.effects = mapOf(effects.map((effect) => [addressOf(effect.actor), { ...effect }]));
  tree._keyed = mapOf(state.keyed);
  tree.messageIds = state.messageIds.length > 0 ? new Set(state.messageIds) : undefined;
}

function mapOf<Key, Value>(entries: readonly (readonly [Key, Value])[]): Map<Key, Value> | undefined {
  return entries.length > 0 ? new Map(entries) : undefined;
}

function collectActors(tree: ActorTree): Set<HostedActor> {
  const found = new Set<HostedActor>();
  visitActor(found, tree.rootActor);
  for (const { actor } of tree.effects?.values() ?? []) visitActor(found, actor);
  for (const { source, target } of tree.timers?.values() ?? []) [source, target].forEach((at) => visitActor(found, at));
  for (const actor of tree._keyed?.values() ?? []) visitActor(found, actor);
  return found;
}

/** Parents before children, so that a logic can be looked up in its parent. */
function visitActor(found: Set<HostedActor>, actor: HostedActor | undefined): void {
  if (!actor || found.has(actor)) return;
  visitActor(found, actor._parent);
  found.add(actor);
  const snapshot = actor.getSnapshot();
  if (!isMachineSnapshot(snapshot)) return;
  for (const child of Object.values(snapshot.children)) visitActor(found, child as unknown as HostedActor);
}

function describeActor(actor: HostedActor): ActorState {
  const { _parent: parent, systemId, _syncSnapshot: syncSnapshot } = actor;
  if (parent && typeof actor.src !== 'string') {
    throw new InvalidArgumentError(
      `Actor ${addressOf(actor)} was spawned from an inline logic, which a snapshot cannot name. Spawn it by its name in setup({ actors }).`,
    );
  }
  const snapshot = actor.getSnapshot();
  const src = parent ? (actor.src as string) : null;
  const stage = stageOf(actor);
  if (isMachineSnapshot(snapshot)) {
    return { actor, parent, src, systemId, syncSnapshot, stage, position: positionOf(snapshot), snapshot: undefined };
  }
  return {
    actor,
    parent,
    src,
    systemId,
    syncSnapshot,
    stage,
    position: undefined,
    snapshot: withoutSubscription(snapshot),
  };
}

/** @throws MachineMisfit */
function restoreFitting(...args: Parameters<typeof restoreActor>): boolean {
  try {
    return restoreActor(...args);
  } catch (error) {
    // What a migration says of the state that it was to give is said to whoever migrates.
    if (args[2]) throw error;
    const detail = error instanceof DecodeError ? error.detail : error instanceof Error ? error.message : String(error);
    throw new MachineMisfit(detail, { cause: error });
  }
}

/** @returns false for one that the machine does not know any more */
function restoreActor(
  tree: ActorTree,
  described: ActorState,
  moveRoot: ((position: MachinePosition) => MachinePosition) | undefined,
): boolean {
  const { actor, parent, src, systemId, syncSnapshot, stage, position, snapshot } = described;
  const logic = src === null ? tree.logic : sourceOf(parent, src);
  if (!logic) {
    // Made as ended already, when it was referred to.
    if (moveRoot) return false;
    throw new DecodeError(`the machine has no actor '${src}' any more`);
  }
  const { id, sessionId } = actor;
  HostedActor.create(tree, logic, { id, sessionId, src: src ?? logic, parent, systemId, syncSnapshot }, actor);
  if (position && !isMachine(logic)) throw new DecodeError(`'${src}' is no machine any more`);
  const restored =
    position && isMachine(logic) ? snapshotAt(logic, moveRoot && !parent ? moveRoot(position) : position) : snapshot!;
  actor._resumeWith(restored, stage);
  return true;
}

function sourceOf(parent: HostedActor | undefined, src: string): AnyActorLogic | undefined {
  const machine = parent?.logic;
  return machine && isMachine(machine) ? resolveSource(machine, src) : undefined;
}

/** A reference to an actor that is no more, until a described one fills it in. */
function endedActor(tree: ActorTree, sessionId: string, id: string): HostedActor {
  const identity = { id, sessionId, src: id, parent: undefined, systemId: undefined, syncSnapshot: undefined };
  const actor = HostedActor.create(tree, endedLogic, identity);
  actor._resumeWith({ status: 'stopped', output: undefined, error: undefined }, endedStage);
  return actor;
}

const endedLogic: AnyActorLogic = {
  transition: (snapshot: AnySnapshot, _event: AnyEventObject) => snapshot,
  getInitialSnapshot: () => ({ status: 'stopped', output: undefined, error: undefined }),
  getPersistedSnapshot: (snapshot: AnySnapshot) => snapshot,
};
