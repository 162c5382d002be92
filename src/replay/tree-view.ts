/**
 * A folded tree as a frame shows it. Owns the form of its actors; values are plain-value.ts's.
 *
 * TV1  What has not moved is shown by the object that showed it before.
 */
import type { StateValue } from 'xstate';
import { addressOf, sourceOf, type ActorTree } from '../kernel/actor-tree.ts';
import { plainValue } from '../kernel/plain-value.ts';
import type { TimerRecord } from '../kernel/stimulus.ts';
import { isEffect, isMachineSnapshot, type AnySnapshot, type HostedActor } from '../kernel/xstate-internals.ts';
import type { Json } from '../log/json.ts';
import type { FrameActor } from './frame.ts';

/** An actor's address, as plainValue asks for it. */
export function nameActor(ref: { readonly id: string; readonly sessionId: string }): string {
  return addressOf(ref as HostedActor);
}

/** Shows the actors of trees. */
export class TreeView {
  readonly #shown = new WeakMap<HostedActor, { readonly snapshot: AnySnapshot; readonly actor: FrameActor }>();

  actors(tree: ActorTree): FrameActor[] {
    return [...actorsIn(tree)].map((actor) => this.#show(actor));
  }

  #show(actor: HostedActor): FrameActor {
    const snapshot = actor.getSnapshot();
    const known = this.#shown.get(actor);
    if (known?.snapshot === snapshot) return known.actor;
    const shown = shownActor(actor, snapshot);
    this.#shown.set(actor, { snapshot, actor: shown });
    return shown;
  }
}

/** The contexts of the machines in a tree as they are, by address. */
export function contextsIn(tree: ActorTree): Map<string, unknown> {
  const contexts = new Map<string, unknown>();
  for (const actor of actorsIn(tree)) {
    const snapshot = actor.getSnapshot();
    if (isMachineSnapshot(snapshot)) contexts.set(addressOf(actor), snapshot.context);
  }
  return contexts;
}

export function timersIn(tree: ActorTree): TimerRecord[] {
  const timers = [...(tree.timers?.values() ?? [])];
  return timers.map(({ seq, source, id, dueAt }) => ({ timer: seq, actor: addressOf(source), id, dueAt }));
}

function shownActor(actor: HostedActor, snapshot: AnySnapshot): FrameActor {
  const { status, output, error } = snapshot as AnySnapshot & { readonly output?: unknown; readonly error?: unknown };
  const isRoot = !actor._parent;
  const machine = isMachineSnapshot(snapshot) ? snapshot : undefined;
  return {
    address: addressOf(actor),
    id: actor.id,
    parent: actor._parent ? addressOf(actor._parent) : null,
    src: isRoot ? null : sourceOf(actor),
    kind: actor.kind === 'machine' ? 'machine' : isEffect(actor.kind) ? 'effect' : 'logic',
    status,
    value: machine ? (machine.value as StateValue as Json) : null,
    context: machine ? plainValue(machine.context, nameActor) : undefined,
    ...(output !== undefined && { output: plainValue(output, nameActor) }),
    ...(error !== undefined && { error: plainValue(error, nameActor) }),
  };
}

/** The root, what parents list among their children, what runs though nobody lists it, and effects. */
function actorsIn(tree: ActorTree): Set<HostedActor> {
  const found = new Set<HostedActor>();
  if (!tree.root) return found;
  addWithChildren(tree.root, found);
  for (const actor of tree._living?.values() ?? []) addWithChildren(actor, found);
  for (const { actor } of tree.effects?.values() ?? []) addWithChildren(actor, found);
  return found;
}

function addWithChildren(actor: HostedActor, found: Set<HostedActor>): void {
  if (found.has(actor)) return;
  found.add(actor);
  const snapshot = actor.getSnapshot();
  if (!isMachineSnapshot(snapshot)) return;
  for (const child of Object.values(snapshot.children)) addWithChildren(child as unknown as HostedActor, found);
}
