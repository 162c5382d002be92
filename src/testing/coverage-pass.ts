/**
 * What one stream reaches of its machines while it is folded. Owns when that counts, and which machine it counts for.
 *
 * CP1  What an event does counts when the fold has agreed with what the log says of it.
 * CP2  A fold that begins once more, with another version or from another place, is counted from there on only.
 */
import type { AnyEventObject } from 'xstate';
import { isMachine, type HostedActor } from '../kernel/xstate-internals.ts';
import type { RecordedEvent, Revision } from '../log/event-log.ts';
import { isFact, isRebase } from '../log/runtime-events.ts';
import type { RegisteredMachine } from '../runtime/machines.ts';
import { namesOf } from './chart-names.ts';
import type { CrashMark } from './coverage-report.ts';
import { childIdentity, Tallies, type MachineTally } from './coverage-tally.ts';
import { WatchedTree, type TreeWatcher } from './watched-tree.ts';
import type { WatchedNode, WatchedTransition } from './xstate-watch.ts';

interface Taken {
  readonly tally: MachineTally;
  readonly name: string;
}

/** The fold of one stream, which may have to begin more than once. */
export class StreamPass implements TreeWatcher {
  /** What the fold has reached so far. */
  tallies = new Tallies(false);
  /** Versions that it ran under. */
  machines = new Set<RegisteredMachine>();
  events = 0;
  readonly #marks: readonly CrashMark[];
  #root: { readonly machine: RegisteredMachine; readonly tree: WatchedTree } | undefined;
  #owners = new WeakMap<HostedActor, MachineTally>();
  #first: Revision = 0;
  #last: Revision = -1;
  /** CP1. */
  #pending: (() => void)[] = [];
  /** The transitions of the newest append. */
  #appended: Taken[] = [];

  constructor(marks: readonly CrashMark[]) {
    this.#marks = marks;
  }

  begin(machine: RegisteredMachine, rootId: string): WatchedTree {
    const tree = new WatchedTree(machine, rootId, this);
    this.#root = { machine, tree };
    this.#pending = [];
    return tree;
  }

  isSeen(revision: Revision): boolean {
    return revision >= this.#first && revision <= this.#last;
  }

  /** An event was folded and agreed. */
  readonly seen = (event: RecordedEvent): void => {
    // CP2.
    if (event.revision !== this.#last + 1 || this.events === 0) this.#restart(event.revision);
    this.#last = event.revision;
    this.events++;
    if (!isFact(event)) this.#settle(isRebase(event));
    for (const { revision, phase } of this.#marks) {
      if (revision === event.revision) for (const { tally, name } of this.#appended) tally.crash(phase, name);
    }
  };

  #restart(revision: Revision): void {
    this.tallies = new Tallies(false);
    this.machines = new Set();
    this.#owners = new WeakMap();
    this.events = 0;
    this.#first = revision;
  }

  #settle(isRestored: boolean): void {
    const { machine, tree } = this.#root!;
    this.machines.add(machine);
    if (isRestored) tree.tellStanding();
    this.#appended = [];
    for (const count of this.#pending) count();
    this.#pending = [];
  }

  onStart(actor: HostedActor): void {
    this.#pending.push(() => void this.#ownerOf(actor).actors++);
  }

  /** The machine itself is no state of its own. */
  onState(actor: HostedActor, { id, parent }: WatchedNode): void {
    if (parent) this.#pending.push(() => this.#ownerOf(actor).count('states', id));
  }

  onTransition(actor: HostedActor, transition: WatchedTransition): void {
    this.#pending.push(() => {
      const tally = this.#ownerOf(actor);
      const name = namesOf(transition.source.machine).transitions.get(transition)!;
      tally.count('transitions', name);
      this.#appended.push({ tally, name });
    });
  }

  onGuard(actor: HostedActor, transition: WatchedTransition, holds: boolean): void {
    this.#pending.push(() => {
      const names = namesOf(transition.source.machine).guards.get(transition)!;
      this.#ownerOf(actor).count('guards', names[`${holds}`]);
    });
  }

  /** Only facts of `rewake/machines` that are about handlers; others may be called the same. */
  onFact(event: AnyEventObject): void {
    const { type, handler, action, reason } = event as Readonly<Record<string, unknown>>;
    const count = (kind: 'handlers' | 'outcomes', name: string) =>
      this.#pending.push(() => this.#ownerOf(this.#root!.tree.rootActor).count(kind, name));
    if (type === 'ErrorEscalated' && typeof reason === 'string') count('outcomes', `(escalated): ${reason}`);
    if (typeof handler !== 'string') return;
    if (type === 'HandlerStarted') count('handlers', handler);
    if (type === 'HandlerCompleted' && typeof action === 'string') count('outcomes', `${handler}: ${action}`);
    if (type === 'HandlerFailed') count('outcomes', `${handler}: failed`);
  }

  #ownerOf(actor: HostedActor): MachineTally {
    let owner = this.#owners.get(actor);
    if (!owner) this.#owners.set(actor, (owner = this.#findOwner(actor)));
    return owner;
  }

  #findOwner(actor: HostedActor): MachineTally {
    const { logic } = actor;
    const above = machinesAbove(actor);
    const [parent] = above;
    const { machine, version, definition, logic: root } = this.#root!.machine;
    if (!parent || !isMachine(logic)) return this.tallies.of({ machine, version, definition }, root);
    // CT2.
    const outer = above.find((each) => each.logic === logic);
    if (outer) return this.#ownerOf(outer);
    return this.tallies.of(childIdentity(this.#ownerOf(parent).identity.machine, logic, actor.src), logic);
  }
}

/** The machines that an actor is in, the innermost first. */
function machinesAbove(actor: HostedActor): HostedActor[] {
  const above: HostedActor[] = [];
  for (let parent = actor._parent; parent; parent = parent._parent) if (isMachine(parent.logic)) above.push(parent);
  return above;
}
