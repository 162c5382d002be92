/**
 * What a machine declares and what it really does, seen from inside XState. Owns everything of the coverage that knows
 * XState's insides: the order of its nodes and transitions, and where a guard is asked. Checked against xstate 5.33.
 *
 * XW1  A guard is asked by XState alone, once, with what XState gives it; who watches is told what it said.
 * XW2  The guards of a machine are replaced while a synchronous function runs, and put back whatever that does.
 * XW3  A guard that fails makes the machine fail with the same message as without a watch.
 */
import type { AnyActorLogic, AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { guardHolds, guardName, isMachine } from '../kernel/xstate-internals.ts';

/** A state node, as far as it is looked at here. */
export interface WatchedNode {
  readonly id: string;
  readonly type: string;
  readonly order: number;
  readonly parent: WatchedNode | undefined;
  readonly machine: AnyStateMachine;
  readonly transitions: ReadonlyMap<string, readonly WatchedTransition[]>;
  readonly always: readonly WatchedTransition[] | undefined;
  readonly meta: Readonly<Record<string, unknown>> | undefined;
  readonly config: { readonly invoke?: unknown };
}

/** A transition of a definition; XState knows it by its identity. */
export interface WatchedTransition {
  readonly source: WatchedNode;
  /** Type of the event, or a pattern; empty for one that needs no event. */
  readonly eventType: string;
  readonly target: readonly WatchedNode[] | undefined;
  readonly reenter: boolean;
  guard: unknown;
}

/** All state nodes in document order, the root first. */
export function nodesOf(machine: AnyStateMachine): WatchedNode[] {
  const { idMap } = machine as unknown as { readonly idMap: ReadonlyMap<string, WatchedNode> };
  return [...idMap.values()].toSorted((a, b) => a.order - b.order);
}

/** All transitions, those of one node in the order in which XState tries them. */
export function transitionsIn(machine: AnyStateMachine): WatchedTransition[] {
  return nodesOf(machine).flatMap(({ transitions, always = [] }) => [...[...transitions.values()].flat(), ...always]);
}

/** The nodes that are active in a snapshot. */
export function activeNodes(snapshot: AnyMachineSnapshot): readonly WatchedNode[] {
  return snapshot._nodes as unknown as readonly WatchedNode[];
}

/** The nodes that a machine begins in, before it takes any transition. */
export function initialNodes(machine: AnyStateMachine): readonly WatchedNode[] {
  const config = { value: {}, context: {} } as Parameters<AnyStateMachine['resolveState']>[0];
  return activeNodes(machine.resolveState(config));
}

/** The machines that a machine names or invokes in their place, and what it calls them. */
export function childMachinesOf(machine: AnyStateMachine): (readonly [src: string, child: AnyStateMachine])[] {
  const named = Object.entries(machine.implementations.actors as Readonly<Record<string, unknown>>);
  const inline = nodesOf(machine).flatMap(({ id, config }) =>
    [config.invoke ?? []].flat().map((invoke) => [id, (invoke as { readonly src: unknown }).src] as const),
  );
  return [...named, ...inline].flatMap(([src, logic]) =>
    typeof logic === 'object' && logic !== null && isMachine(logic as AnyActorLogic)
      ? [[src, logic as AnyStateMachine] as const]
      : [],
  );
}

/**
 * Those of the selected transitions that are taken: regions of a parallel state may select several of which one leaves what
 * another one is in. XState's own rule, which is SCXML's.
 */
export function takenOf(
  selected: readonly WatchedTransition[],
  active: readonly WatchedNode[],
): readonly WatchedTransition[] {
  if (selected.length < 2) return selected;
  const taken = new Set<WatchedTransition>();
  for (const one of new Set(selected)) {
    const exits = exitsOf(one, active);
    const rivals = [...taken].filter((other) => exitsOf(other, active).some((node) => exits.includes(node)));
    if (!rivals.every((rival) => isInside(one.source, rival.source))) continue;
    for (const rival of rivals) taken.delete(rival);
    taken.add(one);
  }
  return [...taken];
}

function exitsOf(transition: WatchedTransition, active: readonly WatchedNode[]): readonly WatchedNode[] {
  const { source, target, reenter } = transition;
  if (!target?.length) return [];
  const domain = domainOf(transition);
  return active.filter((node) => isInside(node, domain) || (reenter && node === domain && node === source));
}

function domainOf({ source, target = [], reenter }: WatchedTransition): WatchedNode | undefined {
  if (!reenter && target.every((node) => node === source || isInside(node, source))) return source;
  const [head, ...tail] = [...target, source];
  for (let ancestor = head?.parent; ancestor; ancestor = ancestor.parent) {
    if (tail.every((node) => isInside(node, ancestor))) return ancestor;
  }
  return reenter ? undefined : rootOf(source);
}

function rootOf(node: WatchedNode): WatchedNode {
  return node.parent ? rootOf(node.parent) : node;
}

function isInside(node: WatchedNode, ancestor: WatchedNode | undefined): boolean {
  if (!ancestor) return true;
  for (let above = node.parent; above; above = above.parent) if (above === ancestor) return true;
  return false;
}

/** Is told what a guard said: in which state of the machine, and on which transition. */
export type OnGuard = (snapshot: AnyMachineSnapshot, transition: WatchedTransition, holds: boolean) => void;

interface GuardedTransition {
  readonly transition: WatchedTransition;
  readonly guard: unknown;
  readonly watched: unknown;
}

type Next = (this: WatchedNode, snapshot: AnyMachineSnapshot, event: AnyEventObject) => unknown;

const guardedOf = new WeakMap<AnyStateMachine, readonly GuardedTransition[]>();
/** Whoever watches the function that runs now. */
let listener: OnGuard | undefined;
/** The guard that failed last: XState says its name where it has one. */
let failed: unknown;

/** Watches the guards of machines while something runs. */
export class GuardWatch {
  readonly #onGuard: OnGuard;
  readonly #machines = new Set<AnyStateMachine>();
  #undo: (() => void)[] | undefined;

  constructor(onGuard: OnGuard) {
    this.#onGuard = onGuard;
  }

  /** From now on this machine is watched, too. */
  add(machine: AnyStateMachine): void {
    if (this.#machines.has(machine)) return;
    this.#machines.add(machine);
    this.#undo?.push(watch(machine));
  }

  /** XW2. */
  during<T>(run: () => T): T {
    const before = listener;
    const undo = (this.#undo = [...this.#machines].map(watch));
    listener = this.#onGuard;
    try {
      return run();
    } finally {
      listener = before;
      this.#undo = undefined;
      for (const each of undo.toReversed()) each();
    }
  }
}

function watch(machine: AnyStateMachine): () => void {
  let guarded = guardedOf.get(machine);
  if (!guarded) {
    guarded = transitionsIn(machine).flatMap((transition) => {
      const { guard } = transition;
      return guard === undefined ? [] : [{ transition, guard, watched: watchedGuard(transition, guard) }];
    });
    guardedOf.set(machine, guarded);
  }
  for (const { transition, watched } of guarded) transition.guard = watched;
  const undo = nameFailures(machine);
  return () => {
    undo();
    for (const { transition, guard } of guarded) transition.guard = guard;
  };
}

/** XState gives the state of the machine only to a guard that has a `check`, as and() and stateIn() have. */
function watchedGuard(transition: WatchedTransition, guard: unknown): unknown {
  const check = (snapshot: AnyMachineSnapshot, { event }: { readonly event: AnyEventObject }): boolean => {
    try {
      const holds = guardHolds(snapshot, guard, event);
      listener?.(snapshot, transition, holds);
      return holds;
    } catch (error) {
      failed = guard;
      throw error;
    }
  };
  return Object.assign(() => false, { check });
}

const unnamed = 'Unable to evaluate guard in ';

const naming = new WeakSet<Next>();

/** XW3. XState takes the name from the guard, which is another one now. All nodes of one copy of XState share the method. */
function nameFailures(machine: AnyStateMachine): () => void {
  const node = Object.getPrototypeOf(machine.root) as { next: Next };
  const { next } = node;
  if (naming.has(next)) return () => {};
  const named: Next = function (snapshot, event) {
    failed = undefined;
    try {
      return next.call(this, snapshot, event);
    } catch (error) {
      const isNamed = typeof failed === 'string' || (typeof failed === 'object' && failed !== null);
      if (!isNamed || !(error instanceof Error) || !error.message.startsWith(unnamed)) throw error;
      throw new Error(`Unable to evaluate guard '${guardName(failed)}' in ${error.message.slice(unnamed.length)}`);
    }
  };
  naming.add(named);
  node.next = named;
  return () => void (node.next = next);
}
