/**
 * An actor tree that tells what its machines do while it is folded: states they come into, transitions they take, what
 * guards say, facts they emit. Owns which actor each of these belongs to; changes nothing about what the tree does.
 *
 * WT1  A transition that a parallel region selected and another one preempted is not told.
 * WT2  A state is told when a microstep has made it active; one that is left and entered in the same microstep is not told
 *      again.
 */
import type { AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import type { TimeMs } from '../clock.ts';
import { ActorTree, type Step } from '../kernel/actor-tree.ts';
import type { Cause } from '../kernel/stimulus.ts';
import { isMachine, isMachineSnapshot, type AnySnapshot, type HostedActor } from '../kernel/xstate-internals.ts';
import type { RegisteredMachine } from '../runtime/machines.ts';
import {
  activeNodes,
  GuardWatch,
  initialNodes,
  takenOf,
  type WatchedNode,
  type WatchedTransition,
} from './xstate-watch.ts';

/** Is told what the machines of a tree do. */
export interface TreeWatcher {
  onStart(actor: HostedActor): void;
  onState(actor: HostedActor, node: WatchedNode): void;
  onTransition(actor: HostedActor, transition: WatchedTransition): void;
  onGuard(actor: HostedActor, transition: WatchedTransition, holds: boolean): void;
  onFact(event: AnyEventObject): void;
}

interface Microstep {
  readonly type: string;
  readonly actorRef: unknown;
  readonly snapshot?: unknown;
  readonly _transitions?: unknown;
}

export class WatchedTree extends ActorTree {
  readonly #watcher: TreeWatcher;
  readonly #guards: GuardWatch;
  readonly #actors = new WeakMap<AnyMachineSnapshot, HostedActor>();
  /** The newest actor of a machine: until its first state is there, nothing else says whose guard is asked. */
  readonly #newest = new WeakMap<AnyStateMachine, HostedActor>();
  /** What is active in a machine that is in the middle of its microsteps. */
  readonly #active = new WeakMap<HostedActor, readonly WatchedNode[]>();
  #isStepping = false;

  constructor({ logic }: Pick<RegisteredMachine, 'logic'>, rootId: string, watcher: TreeWatcher) {
    super(logic, rootId);
    this.#watcher = watcher;
    this.#guards = new GuardWatch((snapshot, transition, holds) => {
      const actor = this.#actors.get(snapshot) ?? this.#newest.get(snapshot.machine) ?? this.root;
      if (actor) watcher.onGuard(actor, transition, holds);
    });
    this.#guards.add(logic);
  }

  /** Tells of the states in which the tree was restored. */
  tellStanding(): void {
    for (const actor of [this.rootActor, ...(this._living?.values() ?? [])]) {
      const snapshot = actor.getSnapshot();
      if (isMachineSnapshot(snapshot)) this.#tell(actor, activeNodes(snapshot));
    }
  }

  override begin(at: TimeMs, cause: Cause, perform: () => void): Step {
    this.#isStepping = true;
    try {
      return this.#guards.during(() => super.begin(at, cause, perform));
    } finally {
      this.#isStepping = false;
    }
  }

  override _sendInspectionEvent(event: Microstep): void {
    super._sendInspectionEvent(event);
    const actor = event.actorRef as HostedActor;
    if (event.type === '@xstate.actor') this.#learn(actor);
    if (event.type === '@xstate.microstep') {
      this.#step(actor, event.snapshot as AnyMachineSnapshot, event._transitions as readonly WatchedTransition[]);
    }
  }

  /** Actors that begin, and those that are restored. */
  override enter(actor: HostedActor): void {
    super.enter(actor);
    this.#learn(actor);
    const snapshot = actor.getSnapshot();
    if (!isMachineSnapshot(snapshot)) return;
    this.#actors.set(snapshot, actor);
    if (!this.#isStepping) return;
    this.#watcher.onStart(actor);
    if (!this.#active.has(actor)) this.#tell(actor, activeNodes(snapshot));
  }

  override recordTransition(actor: HostedActor, event: string, before: AnySnapshot | undefined): void {
    super.recordTransition(actor, event, before);
    this.#active.delete(actor);
  }

  override collectFact(actor: HostedActor, event: AnyEventObject): void {
    super.collectFact(actor, event);
    this.#watcher.onFact(event);
  }

  #learn(actor: HostedActor): void {
    if (!isMachine(actor.logic)) return;
    this.#newest.set(actor.logic, actor);
    this.#guards.add(actor.logic);
  }

  #step(actor: HostedActor, after: AnyMachineSnapshot, selected: readonly WatchedTransition[]): void {
    const before = this.#active.get(actor) ?? this.#before(actor, after);
    for (const transition of takenOf(selected, before)) this.#watcher.onTransition(actor, transition);
    const now = activeNodes(after);
    this.#tell(
      actor,
      now.filter((node) => !before.includes(node)),
    );
    this.#active.set(actor, now);
    this.#actors.set(after, actor);
  }

  #before(actor: HostedActor, after: AnyMachineSnapshot): readonly WatchedNode[] {
    const snapshot = actor._snapshot as AnySnapshot | undefined;
    if (snapshot && isMachineSnapshot(snapshot)) return activeNodes(snapshot);
    const initial = initialNodes(after.machine);
    this.#tell(actor, initial);
    return initial;
  }

  #tell(actor: HostedActor, nodes: readonly WatchedNode[]): void {
    for (const node of nodes) this.#watcher.onState(actor, node);
  }
}
