/**
 * A tree folded by the code at hand, entry by entry, and its checkpoints. Owns which machine folds, as a host would choose it;
 * comparing is the kernel's, the choice itself fold-history.ts's.
 *
 * CF1  A fold that was taken up from a checkpoint goes on as the one that was described.
 * CF2  A version that took the actor over folds all that came before, from where it took it over on: see F10 there.
 */
import { RewakeError } from '../errors.ts';
import { ActorTree } from '../kernel/actor-tree.ts';
import { Folder, type ReadableEvent } from '../kernel/fold.ts';
import type { StartInfo } from '../kernel/records.ts';
import { describeTree, restoreTree } from '../kernel/tree-state.ts';
import type { Revision } from '../log/event-log.ts';
import { isBeginning, isRebase } from '../log/runtime-events.ts';
import { begin, push, successorIn, type OpenFold } from '../runtime/fold-history.ts';
import type { MachineRegistry, RegisteredMachine } from '../runtime/machines.ts';
import type { Entry, EntryEvent } from './entries.ts';

/** A fold at rest, as text and names. */
export interface DescribedFold {
  readonly text: string;
  readonly rootId: string;
  readonly machine: RegisteredMachine;
  readonly recorded: StartInfo;
  readonly correlationId: string;
  readonly begun: Revision;
  readonly takenOver: Revision;
}

/** Reads entries that were folded already, from a revision to another. */
export type EntriesBetween = (from: Revision, to: Revision) => AsyncIterable<Entry>;

export class CodeFold {
  readonly #fold: OpenFold;
  /** Where its history begins. */
  readonly #begun: Revision;
  /** The newest change of version that it was chosen for. */
  readonly #takenOver: Revision;

  private constructor(fold: OpenFold, begun: Revision, takenOver: Revision) {
    this.#fold = fold;
    this.#begun = begun;
    this.#takenOver = takenOver;
  }

  get tree(): ActorTree {
    return this.#fold.folder.tree;
  }

  static restored(described: DescribedFold): CodeFold {
    const { text, rootId, machine, recorded, correlationId, begun, takenOver } = described;
    const tree = new ActorTree(machine.logic, rootId);
    restoreTree(tree, text);
    const folder = new Folder(tree, machine.definition);
    return new CodeFold({ folder, machine, recorded, correlationId }, begun, takenOver);
  }

  /**
   * The fold after an entry, which is this one unless the history begins anew or another version has taken over.
   * @param fold undefined before a beginning
   * @throws what a fold of this history throws
   */
  static async after(
    fold: CodeFold | undefined,
    entry: Entry,
    machines: MachineRegistry,
    between: EntriesBetween,
  ): Promise<CodeFold> {
    const { stimulus } = entry;
    const at = readable(stimulus);
    const here =
      !fold || isRebase(at) ? new CodeFold(begin(at, { machines }, false, undefined), entry.revision, -1) : fold;
    here.#take(entry);
    const successor = successorIn(here.#fold, at, machines);
    // CF2.
    if (!successor || entry.revision <= here.#takenOver) return here;
    let taken: CodeFold | undefined;
    for await (const earlier of between(here.#begun, entry.lastRevision)) {
      const event = readable(earlier.stimulus);
      taken ??= new CodeFold(begin(event, { machines }, false, successor), earlier.revision, entry.revision);
      taken.#take(earlier);
      successorIn(taken.#fold, event, machines);
    }
    return taken!;
  }

  #take({ stimulus, facts, isCut }: Entry): void {
    const events = [stimulus, ...facts].map(readable);
    for (const event of events) push(this.#fold, event);
    // Facts that are lost with what follows are no difference.
    if (!isCut) this.#fold.folder.finish(events.at(-1));
  }

  /** Undefined where it cannot be described. */
  described(): DescribedFold | undefined {
    const { tree } = this;
    // Nothing is told twice to a replay, and in long streams these are most of the text.
    tree.messageIds = undefined;
    const { machine, recorded, correlationId } = this.#fold;
    try {
      const text = describeTree(tree);
      const [begun, takenOver] = [this.#begun, this.#takenOver];
      return { text, rootId: tree.rootId, machine, recorded: { ...recorded }, correlationId, begun, takenOver };
    } catch (error) {
      if (error instanceof RewakeError) return undefined;
      throw error;
    }
  }
}

/** Whether a fold can begin with an entry. */
export function beginsHistory({ stimulus }: Entry): boolean {
  return isBeginning(stimulus.recorded);
}

function readable({ readable: event, refusal }: EntryEvent): ReadableEvent {
  if (!event) throw refusal;
  return event;
}
