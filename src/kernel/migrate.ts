/**
 * Moving an actor to another version of its machine. Owns what of the old tree goes on in the new one; the new state of
 * the root is the migration's word, and when to migrate is the runtime's.
 *
 * G1  Children and timers go on where the new state still declares them; the others end.
 * G2  What the new state invokes or delays and the old tree does not have is started, without running entry actions.
 * G3  The old tree is not touched: a migration that throws changes nothing.
 */
import type { AnyStateMachine } from 'xstate';
import type { TimeMs } from '../clock.ts';
import { InvalidArgumentError } from '../errors.ts';
import { invariant } from '../invariant.ts';
import { ActorTree, type Step } from './actor-tree.ts';
import type { Cause } from './stimulus.ts';
import { describeTree, restoreTree } from './tree-state.ts';
import {
  createChild,
  declarationsOf,
  findNode,
  hasEnded,
  isMachineSnapshot,
  positionOf,
  resolveSource,
  setChildren,
  type DelayDefinition,
  type HostedActor,
  type InvokeDefinition,
  type MachinePosition,
} from './xstate-internals.ts';

/** State of a root machine, as a migration sees and gives it. */
export interface MigratableState {
  /** XState's state value: a string or nested objects. */
  readonly value: unknown;
  readonly context: unknown;
}

/**
 * Builds the tree of an actor under another machine.
 * @param cause the event that records the migration, and causes the effects and timers that it starts
 * @throws InvalidArgumentError when the new machine has no such state
 */
export function migrateTree(
  old: ActorTree,
  machine: AnyStateMachine,
  migrate: (state: MigratableState) => MigratableState,
  at: TimeMs,
  cause: Cause,
): { tree: ActorTree; step: Step } {
  const tree = moveTree(old, machine, migrate);
  return { tree, step: tree.begin(Math.max(at, old.at), cause, () => enter(tree.rootActor, machine)) };
}

/**
 * The same tree under another machine, with nothing begun or ended by that.
 * @throws InvalidArgumentError when the new machine has no such state
 */
export function moveTree(
  old: ActorTree,
  machine: AnyStateMachine,
  migrate: (state: MigratableState) => MigratableState,
): ActorTree {
  const { value, context } = rootPosition(old.rootActor);
  const state = migrate({ value, context });
  const tree = new ActorTree(machine, old.rootId);
  restoreTree(tree, describeTree(old), (position) => moved(position, machine, state));
  return tree;
}

function rootPosition(root: HostedActor): MachinePosition {
  const snapshot = root.getSnapshot();
  invariant(isMachineSnapshot(snapshot), 'only machines are migrated');
  return positionOf(snapshot);
}

/** The root's new position. History of states that are no more is forgotten. */
function moved(position: MachinePosition, machine: AnyStateMachine, state: MigratableState): MachinePosition {
  const { value, context } = state;
  try {
    const resolved = machine.resolveState({ value, context } as Parameters<AnyStateMachine['resolveState']>[0]);
    const { nodes } = positionOf(resolved);
    const history = Object.fromEntries(
      Object.entries(position.history).filter(([node, remembered]) =>
        [node, ...remembered].every((nodeId) => findNode(machine, nodeId)),
      ),
    );
    return { ...position, value: resolved.value, context, nodes, history };
  } catch (error) {
    throw new InvalidArgumentError(
      `The migration gives the state ${JSON.stringify(value)}, which the new version of the machine does not have. Return a value of the new machine.`,
      { cause: error },
    );
  }
}

/** G1, G2. */
function enter(root: HostedActor, machine: AnyStateMachine): void {
  const { nodes, context } = rootPosition(root);
  const { invokes, delays } = declarationsOf(machine, nodes);
  const children = keepDeclared(root, machine, invokes);
  const declared = new Set(delays.map(({ eventType }) => eventType));
  for (const id of root.system.armedIds(root)) {
    if (id.startsWith('xstate.after.') && !declared.has(id)) root.system.cancel(root, id);
  }
  for (const { eventType, delay } of delays) {
    if (root.system.isArmed(root, eventType)) continue;
    root.system.schedule(root, root, { type: eventType }, delayMs(machine, delay, context), eventType);
  }
  const added = invokes.filter(({ id }) => !children[id]).map((invoke) => create(root, machine, invoke, context));
  setChildren(root, { ...children, ...Object.fromEntries(added.map((child) => [child.id, child])) });
  for (const child of added) child.start();
}

/** Stops what only states invoke that are not entered any more; a spawned child goes on. */
function keepDeclared(root: HostedActor, machine: AnyStateMachine, invokes: readonly InvokeDefinition[]) {
  const anywhere = new Set(declarationsOf(machine).invokes.map(({ id }) => id));
  const here = new Set(invokes.map(({ id }) => id));
  // XState names an invoke without an id after its place: `0.order.paying`. That of an old state is declared nowhere.
  const isInvoke = (id: string) => anywhere.has(id) || /^\d+\./.test(id);
  const { children } = rootPosition(root);
  const leaving = Object.keys(children).filter((id) => hasEnded(children[id]!) || (isInvoke(id) && !here.has(id)));
  const kept = Object.fromEntries(Object.entries(children).filter(([id]) => !leaving.includes(id)));
  setChildren(root, kept);
  for (const id of leaving) children[id]!._stop();
  return kept;
}

function create(root: HostedActor, machine: AnyStateMachine, invoke: InvokeDefinition, context: unknown): HostedActor {
  const logic = resolveSource(machine, invoke.src);
  if (!logic) {
    throw new InvalidArgumentError(
      `The new version of the machine invokes '${invoke.src}', which it does not implement. Pass it in setup({ actors }) or provide().`,
    );
  }
  const { input } = invoke;
  const resolved: unknown = typeof input === 'function' ? input({ context, event: migrated, self: root }) : input;
  return createChild(root, logic, { ...invoke, input: resolved });
}

/** The event that input mappers and delays of the new state see. */
const migrated = { type: 'rewake.migrated' };

function delayMs(machine: AnyStateMachine, delay: DelayDefinition['delay'], context: unknown): number {
  const delays = machine.implementations.delays as Record<string, DelayDefinition['delay']>;
  const resolved = typeof delay === 'string' ? delays[delay] : delay;
  return typeof resolved === 'function' ? resolved({ context, event: migrated }, undefined) : Number(resolved ?? 0);
}
