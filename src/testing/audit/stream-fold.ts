/**
 * 1, 2, 11, 14, 26, 28 and 29 of one stream, with its machine: it folds, and what was recorded is what the fold does. Owns how a
 * fold that fails is called; folding is the kernel's.
 *
 * SF1  A history that the very machine does not agree with, which is recorded, violates 1; one that another machine does not
 *      agree with, or that cannot be folded here, violates 29.
 * SF2  Streams of machines that are not given are left alone.
 */
import {
  DamagedRecordError,
  MissingImplementationError,
  NewerVersionError,
  NotFoundError,
  ReplayDivergedError,
  StreamDeletedError,
  UnknownFeatureError,
  UnknownMachineError,
  UnknownStateError,
  UpcastError,
} from '../../errors.ts';
import { ActorTree, sourceOf as nameOfLogic } from '../../kernel/actor-tree.ts';
import type { StartInfo } from '../../kernel/records.ts';
import { headOf } from '../../kernel/standing.ts';
import { describeTree, restoreTree } from '../../kernel/tree-state.ts';
import { isIntactText } from '../../log/envelope.ts';
import type { ActorRow, EventLog, RecordedEvent, Revision, StoredSnapshot } from '../../log/event-log.ts';
import { isBeginning, isFact } from '../../log/runtime-events.ts';
import { readStreamName } from '../../log/stream-name.ts';
import { foldUpTo, type Folded, type FoldServices } from '../../runtime/fold-history.ts';
import type { SnapshotData } from '../../runtime/snapshot-reader.ts';
import type { AuditedNumber } from './audited-invariants.ts';
import { evidenceOf, violation, violationAt, type Evidence, type Violation } from './violation.ts';

/** What folding a stream comes to. */
export interface FoldFindings {
  readonly found: readonly Violation[];
  /** 11. Effects that an actor which still runs waits for. */
  readonly waiting: readonly Violation[];
}

/** What a log keeps beside a stream. */
interface Beside {
  readonly snapshot?: StoredSnapshot | undefined;
  readonly index?: Pick<EventLog, 'actor'>;
}

const nothing: FoldFindings = { found: [], waiting: [] };

/** Folds a stream and compares. */
export async function foldStream(
  stream: string,
  services: FoldServices,
  { snapshot, index }: Beside = {},
): Promise<FoldFindings> {
  const fold = new ComparedFold(services, snapshot);
  try {
    const folded = await foldUpTo(stream, Infinity, services, (event, state) => fold.push(event, state));
    const { tree } = folded;
    const found = [...fold.found, ...indexFaults(stream, folded, await index?.actor(stream))];
    return { found, waiting: tree.status === 'active' ? fold.waiting(tree) : [] };
  } catch (error) {
    // SF2; and one that was deleted meanwhile.
    const isGone = error instanceof NotFoundError || error instanceof StreamDeletedError;
    if (isGone || error instanceof UnknownMachineError) return nothing;
    return { found: [...fold.found, await failed(error, stream, services)], waiting: [] };
  }
}

/** A fold on its way; it may be begun anew, with another version of the machine. */
class ComparedFold {
  readonly #services: FoldServices;
  readonly #snapshot: StoredSnapshot | undefined;
  #found: Violation[] = [];
  #last: Revision = -1;
  /** Effects that were open after the event before, by address. */
  #open = new Map<string, Evidence>();

  constructor(services: FoldServices, snapshot: StoredSnapshot | undefined) {
    this.#services = services;
    this.#snapshot = snapshot;
  }

  get found(): readonly Violation[] {
    return this.#found;
  }

  push(event: RecordedEvent, tree: ActorTree): void {
    if (event.revision <= this.#last) {
      this.#found = [];
      this.#open = new Map();
    }
    this.#last = event.revision;
    if (!isFact(event)) this.#judge(event, tree);
    if (event.revision === this.#snapshot?.revision)
      this.#found.push(...this.#snapshotFaults(event, tree, this.#snapshot));
  }

  waiting({ effects }: ActorTree): Violation[] {
    return [...(effects ?? [])].flatMap(([address, { actor, asked }]) => {
      const isAwaited = actor.kind === 'promise' || actor.kind === 'custom';
      const begun = this.#open.get(address);
      if (!isAwaited || asked || !begun) return [];
      return [
        violation(11, begun, `effect ${address} ('${nameOfLogic(actor)}') has no outcome, and its actor waits for it`),
      ];
    });
  }

  /** 14. The runtime records nothing of an effect that is over. */
  #judge(event: RecordedEvent, { effects }: ActorTree): void {
    const { type, data } = event;
    const { actor, action } = JSON.parse(data) as { actor?: string; action?: boolean };
    const isSaid = type === 'EffectSucceeded' || type === 'EffectProgressed' || (type === 'EffectFailed' && !action);
    if (isSaid && !this.#open.has(actor!)) {
      this.#found.push(violation(14, event, `${actor!} says something, and a transition has ended it`));
    }
    const open = new Map<string, Evidence>();
    for (const address of effects?.keys() ?? []) open.set(address, this.#open.get(address) ?? evidenceOf(event));
    this.#open = open;
  }

  /** 26. What the runtime would not use violates nothing. */
  #snapshotFaults(event: RecordedEvent, tree: ActorTree, { data, checksum, definition }: StoredSnapshot): Violation[] {
    if (!isIntactText(data, checksum)) return [];
    try {
      const { recorded, lastEventId, tree: text } = JSON.parse(data) as SnapshotData;
      const { machine: name, id } = readStreamName(event.stream);
      const machine = this.#services.machines.forActor(name, recorded.version, event.stream);
      if (lastEventId !== event.id || machine.definition !== definition) return [];
      const restored = new ActorTree(machine.logic, id);
      restoreTree(restored, text);
      if (describeTree(restored) === describeTree(tree)) return [];
    } catch {
      // Neither could the runtime restore it.
      return [];
    }
    return [violation(26, event, 'the snapshot that was taken here is not the state that the history folds to')];
  }
}

/** 1. An entry that is newer or older than what was folded says nothing of it. */
function indexFaults(
  stream: string,
  { tree, machine, correlationId, revision }: Folded,
  row: ActorRow | undefined,
): Violation[] {
  if (row?.revision !== revision) return [];
  const folded = headOf(tree, machine, correlationId);
  const wrong = (['status', 'wakeAt', 'effects'] as const).filter((name) => folded[name] !== row[name]);
  return wrong.map((name) =>
    violationAt(
      1,
      { stream },
      `it folds to ${name} ${String(folded[name])}, the actor index says ${String(row[name])}`,
    ),
  );
}

const ofVersions = [MissingImplementationError, UnknownStateError, NewerVersionError, UnknownFeatureError];

/** @throws what says nothing of the history */
async function failed(error: unknown, stream: string, services: FoldServices): Promise<Violation> {
  const at = { stream, revision: (error as { revision?: Revision }).revision };
  const events = await eventsUpTo(at, services);
  const shown = (invariant: AuditedNumber) =>
    violationAt(invariant, at, (error as Error).message.replace(/\.$/, ''), ...events.at.map(evidenceOf));
  if (error instanceof ReplayDivergedError) return shown(events.info && services.machines.find(events.info) ? 1 : 29);
  if (error instanceof DamagedRecordError) return shown(2);
  if (error instanceof UpcastError) return shown(28);
  if (ofVersions.some((each) => error instanceof each)) return shown(29);
  throw error;
}

/** The event at a revision, and what the ones up to it say of the machine. */
async function eventsUpTo(
  { stream, revision }: { stream: string; revision: Revision | undefined },
  services: FoldServices,
) {
  const found: { at: RecordedEvent[]; info: StartInfo | undefined } = { at: [], info: undefined };
  if (revision === undefined) return found;
  for await (const event of services.log.readStream(stream)) {
    if (event.revision > revision) break;
    found.info = infoIn(event) ?? found.info;
    if (event.revision === revision) found.at.push(event);
  }
  return found;
}

function infoIn(event: RecordedEvent): StartInfo | undefined {
  if (isFact(event) || !(isBeginning(event) || event.type === 'ActorResumed')) return undefined;
  type Data = Partial<StartInfo> & { readonly changed?: { readonly to: string; readonly version: string | null } };
  const { version = null, definition = '', changed } = JSON.parse(event.data) as Data;
  const { machine } = readStreamName(event.stream);
  if (isBeginning(event)) return { machine, version, definition };
  return changed && { machine, version: changed.version, definition: changed.to };
}
