/**
 * From the history of a stream to an actor. Owns which definition it is folded with, from where on, and how a failed fold is
 * explained; writes nothing.
 *
 * F5  A fold that diverges is repeated under watch, so that the error can name what was read.
 * F6  Where a history cannot be folded, its newest rebase holds all of what came before.
 * F10  A version that took an actor over agreed with all that came before: the whole is folded with it, of several with the
 *     last one.
 */
import {
  DamagedRecordError,
  DecodeError,
  MissingImplementationError,
  NotFoundError,
  ReplayDivergedError,
  RewakeError,
  UnknownStateError,
} from '../errors.ts';
import { ActorTree } from '../kernel/actor-tree.ts';
import { Folder, type ReadableEvent } from '../kernel/fold.ts';
import { missingImplementations } from '../kernel/missing-implementations.ts';
import type { RecordedEnvironment, StartInfo } from '../kernel/records.ts';
import { MachineMisfit } from '../kernel/tree-state.ts';
import type { EventLog, RecordedEvent, Revision } from '../log/event-log.ts';
import { isBeginning, isFact, isRebase } from '../log/runtime-events.ts';
import { readStreamName } from '../log/stream-name.ts';
import type { Loaded } from './actor-host.ts';
import type { MachineRegistry, RegisteredMachine } from './machines.ts';
import { isOfHistory, readableEvent, type ReadingServices } from './readable-event.ts';

/** What a fold needs. */
export interface FoldServices extends ReadingServices {
  readonly log: Pick<EventLog, 'readStream'>;
  readonly machines: MachineRegistry;
  /** Makes the tree that a history is folded into; for who watches what a fold does. */
  readonly newTree?: (machine: RegisteredMachine, rootId: string) => ActorTree;
}

/** A folded actor, and what its history says about the definition it was last run with. */
export interface Folded extends Loaded {
  readonly machine: RegisteredMachine;
  /** What the newest ActorStarted, ActorRebased or change of definition recorded. */
  readonly recorded: StartInfo;
  /** Id of the newest stimulus. */
  readonly lastEventId: string;
}

/** A fold on its way, from a beginning or a rebase on. */
export interface OpenFold {
  readonly folder: Folder;
  readonly machine: RegisteredMachine;
  readonly correlationId: string;
  recorded: StartInfo;
}

/** Sees a fold on its way. */
type Seen = (event: RecordedEvent, tree: ActorTree) => void;

/**
 * Folds a stream up to a revision; from its snapshot never.
 * @param seen called with every event that is folded, and the tree after it; where the fold begins anew, from its beginning
 * @throws NotFoundError | UnknownMachineError | MissingImplementationError | ReplayDivergedError | UnknownStateError |
 *   DamagedRecordError | UpcastError
 * @throws NewerVersionError | UnknownFeatureError for what a newer version wrote
 */
export async function foldUpTo(stream: string, to: Revision, services: FoldServices, seen?: Seen): Promise<Folded> {
  try {
    const folded = await foldExplained(stream, services, { from: 0, to, seen });
    if (to === Infinity || folded.revision >= to) return folded;
    const detail = `the record is missing, and so is all up to revision ${to}`;
    throw new DamagedRecordError(stream, folded.revision + 1, detail);
  } catch (error) {
    // F6.
    const rebased = isOfHistory(error) ? await newestRebase(stream, services.log, to) : undefined;
    if (rebased === undefined) throw error;
    return foldExplained(stream, services, { from: rebased, to, seen });
  }
}

/** Where the history begins that can stand alone. */
export async function newestRebase(
  stream: string,
  log: FoldServices['log'],
  to: Revision,
): Promise<Revision | undefined> {
  const range = to === Infinity ? {} : { from: to };
  try {
    for await (const event of log.readStream(stream, { backwards: true, ...range })) {
      if (isRebase(event)) return event.revision > 0 ? event.revision : undefined;
    }
  } catch (error) {
    if (!isOfHistory(error)) throw error;
  }
  return undefined;
}

interface FoldRange {
  readonly from: Revision;
  /** Inclusive. */
  readonly to: Revision;
  readonly seen?: Seen | undefined;
}

/** F5. */
async function foldExplained(stream: string, services: FoldServices, range: FoldRange): Promise<Folded> {
  try {
    return await foldStream(stream, services, { ...range, watch: false });
  } catch (error) {
    if (!(error instanceof ReplayDivergedError)) throw error;
    await foldStream(stream, services, { ...range, watch: true });
    const likelyCause = 'the machine is not deterministic: folded once more, the same history agreed';
    throw new ReplayDivergedError({ ...error, likelyCause }, { cause: error.cause });
  }
}

/** Versions that took an actor over, and when, by the revision where the history begins that they agreed with. */
type Successors = ReadonlyMap<Revision, { readonly machine: RegisteredMachine; readonly at: Revision }>;

async function foldStream(
  stream: string,
  services: FoldServices,
  options: FoldRange & { readonly watch: boolean; readonly successors?: Successors },
): Promise<Folded> {
  const { from, to, seen, watch, successors = new Map() as Successors } = options;
  let fold: OpenFold | undefined;
  let begun: Revision = from;
  let last: ReadableEvent | undefined;
  for await (const recorded of services.log.readStream(stream, { from })) {
    if (recorded.revision > to) {
      // Facts that follow belong to what was folded last.
      if (fold && last && isFact(recorded)) return folded(fold, last);
      break;
    }
    const event = readableEvent(recorded, services);
    if (!fold || isRebase(event)) {
      fold?.folder.finish(last);
      begun = event.revision;
      fold = begin(event, services, watch, successors.get(begun)?.machine);
    }
    if (last && event.revision !== last.revision + 1) {
      const detail = `the record is missing; the next one is ${event.revision}`;
      throw new DamagedRecordError(stream, last.revision + 1, detail);
    }
    push(fold, event);
    seen?.(recorded, fold.folder.tree);
    const machine = successorIn(fold, event, services.machines);
    // F10.
    if (machine && event.revision > (successors.get(begun)?.at ?? -1)) {
      const more = new Map(successors).set(begun, { machine, at: event.revision });
      return foldStream(stream, services, { ...options, successors: more });
    }
    last = event;
  }
  if (!fold || !last) throw new NotFoundError(stream);
  return finished(fold, last);
}

/**
 * A fold from a beginning or a rebase on; the event itself is still to be pushed.
 * @param successor the machine that takes the place of the one that was recorded
 * @throws UnknownMachineError | DamagedRecordError
 */
export function begin(
  event: ReadableEvent,
  {
    machines,
    newTree = ({ logic }, rootId) => new ActorTree(logic, rootId),
  }: Pick<FoldServices, 'machines' | 'newTree'>,
  watch: boolean,
  successor: RegisteredMachine | undefined,
): OpenFold {
  const { machine: name } = readStreamName(event.stream);
  const recorded = startInfo(event);
  const machine = successor ?? machines.forActor(name, recorded.version, event.stream);
  const folder = new Folder(newTree(machine, rootIdOf(event)), machine.definition, { watch });
  return { folder, machine, recorded, correlationId: event.meta.$correlationId ?? '' };
}

/** What was folded, with every fact of the last event. @throws ReplayDivergedError where one is missing */
export function finished(fold: OpenFold, last: ReadableEvent): Folded {
  fold.folder.finish(last);
  return folded(fold, last);
}

function folded({ folder, machine, recorded, correlationId }: OpenFold, last: ReadableEvent): Folded {
  const { revision, id: lastEventId } = last;
  return { tree: folder.tree, machine, info: machine, recorded, correlationId, revision, lastEventId };
}

/** Errors of the machine or the codec in the middle of a fold say where they happened. */
export function push({ folder, machine, recorded }: OpenFold, event: ReadableEvent): void {
  try {
    folder.push(event);
  } catch (error) {
    if (error instanceof ReplayDivergedError) throw explained(error, machine, recorded);
    if (error instanceof RewakeError && !(error instanceof DecodeError)) throw error;
    const { stream, revision, type } = event;
    if (error instanceof MachineMisfit)
      throw new UnknownStateError({ stream, revision, machine: machine.machine }, error.message, { cause: error });
    const detail =
      error instanceof DecodeError
        ? `the value${error.path === '' ? '' : ` at ${error.path}`} of '${type}' cannot be decoded: ${error.detail}`
        : `'${type}' cannot be applied: ${String(error)}`;
    throw new DamagedRecordError(stream, revision, detail, { cause: error });
  }
}

/** What is missing for a fold is the cause of what it does otherwise. */
function explained(error: ReplayDivergedError, machine: RegisteredMachine, recorded: StartInfo): RewakeError {
  const missing = missingImplementations(machine.logic);
  if (missing.length > 0) {
    const { stream, revision } = error;
    return new MissingImplementationError({ stream, revision, machine: machine.machine }, missing, { cause: error });
  }
  if (recorded.version === machine.version) return error;
  const likelyCause =
    `the history was written by version ${shown(recorded.version)} of '${machine.machine}', which is not registered, ` +
    `and version ${shown(machine.version)} does otherwise`;
  return new ReplayDivergedError({ ...error, likelyCause }, { cause: error.cause });
}

function shown(version: string | null): string {
  return version === null ? 'without a name' : `'${version}'`;
}

function startInfo(event: ReadableEvent): StartInfo {
  const data = event.data as Partial<StartInfo>;
  if (!isBeginning(event) || data.machine === undefined) {
    const detail = `the history begins with '${event.type}', expected 'ActorStarted' or 'ActorRebased'`;
    throw new DamagedRecordError(event.stream, event.revision, detail);
  }
  const { machine, version = null, definition = '', environment } = data;
  return { machine, version, definition, environment };
}

/** Where a copy comes from; `root` is what its root actor is called where the stream of the original does not say so. */
export interface ForkOrigin {
  readonly stream: string;
  readonly revision: Revision;
  readonly root?: string;
}

/** What the root actor is called: a copy's machine may have told its id when it was the original's. */
export function rootIdOf({ data, stream }: Pick<ReadableEvent, 'data' | 'stream'>): string {
  const { origin } = data as { readonly origin?: ForkOrigin };
  return origin?.root ?? readStreamName(origin?.stream ?? stream).id;
}

/** Notes what the actor runs under from this event on. @returns its machine from then on, where it is another one that is known */
export function successorIn(
  fold: OpenFold,
  event: ReadableEvent,
  machines: MachineRegistry,
): RegisteredMachine | undefined {
  const changed = changedInfo(event);
  if (!changed) return undefined;
  const { recorded } = fold;
  // A part of the environment that is not noted anew stays the recorded one.
  const environment = recorded.environment ? { ...recorded.environment, ...changed.environment } : changed.environment;
  fold.recorded = { ...changed, environment };
  const successor = machines.find(changed);
  return successor === fold.machine ? undefined : successor;
}

function changedInfo(event: ReadableEvent): StartInfo | undefined {
  if (isRebase(event)) return startInfo(event);
  if (event.type !== 'ActorResumed' || isFact(event)) return undefined;
  const { changed } = event.data as {
    changed?: { to: string; version: string | null; environment?: RecordedEnvironment };
  };
  if (!changed) return undefined;
  const { version, to: definition, environment } = changed;
  return { machine: readStreamName(event.stream).machine, version, definition, environment };
}
