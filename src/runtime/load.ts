/**
 * From a stream to a loaded actor. Owns which definition the history is folded with, when a snapshot is trusted, and how
 * a failed fold is explained; writes nothing.
 *
 * F4  A snapshot is used only when its checksum, its revision and its definition fit; otherwise the history is folded.
 * F5  A fold that diverges is repeated under watch, so that the error can name what was read.
 * F6  Where a history cannot be folded, its newest rebase holds all of what came before.
 * F7  What a newer version wrote is refused where a fold would leave out what it means; facts and fields are not.
 * F8  A stream that ends before the actor index says so has lost its end: it is damaged, and not folded as far as it goes.
 */
import type { AnyEventObject } from 'xstate';
import {
  DamagedRecordError,
  DecodeError,
  MissingImplementationError,
  NewerVersionError,
  NotFoundError,
  ReplayDivergedError,
  RewakeError,
  UnknownFeatureError,
  UpcastError,
} from '../errors.ts';
import { ActorTree } from '../kernel/actor-tree.ts';
import { Folder, type ReadableEvent } from '../kernel/fold.ts';
import { missingImplementations } from '../kernel/missing-implementations.ts';
import { unknownEvent, unknownValue, type RecordedEnvironment, type StartInfo } from '../kernel/records.ts';
import { restoreTree } from '../kernel/tree-state.ts';
import { decode } from '../log/codec.ts';
import { isIntactText } from '../log/envelope.ts';
import type { EventLog, RecordedEvent, Revision, StoredSnapshot } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import { isBeginning, isFact, isRebase } from '../log/runtime-events.ts';
import { readStreamName } from '../log/stream-name.ts';
import { upcast, type Upcasters } from '../log/upcast.ts';
import type { Loaded } from './actor-host.ts';
import { rewakeVersion, type Environment } from './environment.ts';
import type { FeatureSet } from './features.ts';
import type { Logger } from './logger.ts';
import type { MachineRegistry, RegisteredMachine } from './machines.ts';

export interface LoadServices {
  readonly log: EventLog;
  readonly machines: MachineRegistry;
  readonly upcasters: Upcasters;
  readonly features: FeatureSet;
  readonly environment: Environment;
  readonly logger: Logger;
  /** Snapshots are kept of streams of so many events and more; none are used when undefined. */
  readonly snapshotEvery: number | undefined;
}

/** What a fold alone needs. */
export type FoldServices = Omit<LoadServices, 'log'> & { readonly log: Pick<EventLog, 'readStream'> };

/** A folded actor, and what its history says about the definition it was last run with. */
export interface Folded extends Loaded {
  readonly machine: RegisteredMachine;
  /** What the newest ActorStarted, ActorRebased or change of definition recorded. */
  readonly recorded: StartInfo;
  /** Id of the newest stimulus. */
  readonly lastEventId: string;
}

/**
 * Folds a stream.
 * @param lastRevision what the actor index says, where it was read
 * @throws NotFoundError | UnknownMachineError | MissingImplementationError | ReplayDivergedError | DamagedRecordError |
 *   UpcastError
 * @throws NewerVersionError | UnknownFeatureError for what a newer version wrote
 */
export async function loadActor(stream: string, services: LoadServices, lastRevision?: number): Promise<Folded> {
  // Before the stream: what is appended meanwhile makes the stream longer than it has to be, never shorter.
  const expected = lastRevision ?? (await services.log.actor(stream))?.revision;
  const folded = await loadWhole(stream, services, expected ?? Infinity).catch(async (error: unknown) => {
    const at = error instanceof NotFoundError ? 0 : error instanceof ReplayDivergedError ? error.revision : Infinity;
    if (expected === undefined || at > expected || (await hasEventFrom(stream, at, services.log))) throw error;
    throw cutShort(stream, at, expected);
  });
  if (expected !== undefined && folded.revision < expected) throw cutShort(stream, folded.revision + 1, expected);
  return folded;
}

/** What differs from a history that goes no further is a fact whose record is missing. */
async function hasEventFrom(stream: string, from: Revision, log: EventLog): Promise<boolean> {
  for await (const _ of log.readStream(stream, { from, limit: 1 })) return true;
  return false;
}

function cutShort(stream: string, revision: Revision, expected: Revision): DamagedRecordError {
  const detail = `the record is missing, and so is all that follows: the actor index says that the stream ends at revision ${expected}`;
  return new DamagedRecordError(stream, revision, detail);
}

async function loadWhole(stream: string, services: LoadServices, lastRevision: number): Promise<Folded> {
  const { machine: name, id } = readStreamName(stream);
  // A short stream has no snapshot to look for.
  if (services.snapshotEvery !== undefined && lastRevision + 1 >= services.snapshotEvery) {
    const folded = await loadFromSnapshot(stream, name, id, services);
    if (folded) return folded;
  }
  return foldHistory(stream, name, id, services, Infinity);
}

/**
 * Folds a stream up to a revision; from its snapshot never.
 * @param seen called with every event that is folded
 * @throws as {@link loadActor}
 */
export function foldUpTo(
  stream: string,
  to: Revision,
  services: FoldServices,
  seen?: (event: RecordedEvent) => void,
): Promise<Folded> {
  const { machine: name, id } = readStreamName(stream);
  return foldHistory(stream, name, id, services, to, seen);
}

async function foldHistory(
  stream: string,
  name: string,
  id: string,
  services: FoldServices,
  to: Revision,
  seen?: (event: RecordedEvent) => void,
): Promise<Folded> {
  try {
    return await foldExplained(stream, name, id, services, { from: 0, to, seen });
  } catch (error) {
    // F6.
    const rebased = isOfHistory(error) ? await newestRebase(stream, services.log, to) : undefined;
    if (rebased === undefined) throw error;
    return foldExplained(stream, name, id, services, { from: rebased, to, seen });
  }
}

const ofHistory = [
  ReplayDivergedError,
  MissingImplementationError,
  DamagedRecordError,
  UpcastError,
  NewerVersionError,
  UnknownFeatureError,
];

/** Whether an error is about what is in the log, and not about reading it. */
export function isOfHistory(error: unknown): boolean {
  return ofHistory.some((errorClass) => error instanceof errorClass);
}

interface FoldRange {
  readonly from: Revision;
  /** Inclusive. */
  readonly to: Revision;
  readonly seen?: ((event: RecordedEvent) => void) | undefined;
}

async function foldExplained(stream: string, name: string, id: string, services: FoldServices, range: FoldRange) {
  try {
    return await foldStream(stream, name, id, services, { ...range, watch: false });
  } catch (error) {
    if (!(error instanceof ReplayDivergedError)) throw error;
    await foldStream(stream, name, id, services, { ...range, watch: true });
    const likelyCause = 'the machine is not deterministic: folded once more, the same history agreed';
    throw new ReplayDivergedError({ ...error, likelyCause }, { cause: error.cause });
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

/**
 * An event with its data parsed and upcast.
 * @throws DamagedRecordError | UpcastError | NewerVersionError | UnknownFeatureError
 */
export function readEvent(
  recorded: RecordedEvent,
  { upcasters, features }: Pick<LoadServices, 'upcasters' | 'features'>,
): ReadableEvent {
  features.check(recorded);
  const isStimulus = !isFact(recorded);
  if (isStimulus) refuseUnknown(recorded, unknownEvent(recorded.type, recorded.schemaVersion));
  const { type, data } = upcast(recorded, upcasters);
  if (isStimulus) refuseUnknown(recorded, unknownValue(type, data));
  const { id, stream, revision, meta } = recorded;
  return { id, stream, revision, meta, type, data };
}

/** F7. */
function refuseUnknown({ stream, revision, type }: RecordedEvent, unknown: string | undefined): void {
  if (unknown !== undefined) throw new NewerVersionError(stream, revision, type, unknown, rewakeVersion);
}

/** Facts of the root from a revision on, up to where the actor is folded. @throws DamagedRecordError | UpcastError */
export async function rootFacts(
  { stream, from, to }: { stream: string; from: Revision; to: Revision },
  services: LoadServices,
): Promise<AnyEventObject[]> {
  const facts: AnyEventObject[] = [];
  for await (const recorded of services.log.readStream(stream, { from })) {
    if (recorded.revision > to) break;
    if (recorded.meta.actor === '/') facts.push(decode(readEvent(recorded, services).data as Json) as AnyEventObject);
  }
  return facts;
}

interface Meta {
  recorded: StartInfo;
  correlationId: string;
}

async function foldStream(
  stream: string,
  name: string,
  id: string,
  services: FoldServices,
  options: FoldRange & { watch: boolean; machine?: RegisteredMachine },
): Promise<Folded> {
  let machine: RegisteredMachine | undefined;
  let folder: Folder | undefined;
  let meta: Meta | undefined;
  let last: ReadableEvent | undefined;
  for await (const recorded of services.log.readStream(stream, { from: options.from })) {
    if (recorded.revision > options.to) {
      // Facts that follow belong to what was folded last.
      if (isFact(recorded)) return toFolded(folder!.tree, machine!, meta!, last!);
      break;
    }
    const event = readEvent(recorded, services);
    if (!folder || !machine || isRebase(event)) {
      folder?.finish(last);
      const recordedInfo = startInfo(event);
      machine = options.machine ?? services.machines.forActor(name, recordedInfo.version, stream);
      folder = new Folder(new ActorTree(machine.logic, id), machine.definition, options);
      meta = { recorded: recordedInfo, correlationId: event.meta.$correlationId ?? '' };
    }
    if (event.revision !== (last ? last.revision + 1 : event.revision)) {
      throw new DamagedRecordError(
        stream,
        last!.revision + 1,
        `the record is missing; the next one is ${event.revision}`,
      );
    }
    pushEvent(folder, event, machine, meta!.recorded);
    options.seen?.(recorded);
    const changed = changedInfo(event);
    if (changed) {
      // Another version took the actor over and agreed with all of its history: fold with that one.
      const successor = services.machines.find(changed);
      if (successor && successor !== machine)
        return foldStream(stream, name, id, services, { ...options, machine: successor });
      meta!.recorded = recordedAfter(meta!.recorded, changed);
    }
    last = event;
  }
  if (!folder || !machine || !meta || !last) throw new NotFoundError(stream);
  folder.finish(last);
  return toFolded(folder.tree, machine, meta, last);
}

function toFolded(tree: ActorTree, machine: RegisteredMachine, meta: Meta, last: ReadableEvent): Folded {
  return { tree, machine, info: machine, revision: last.revision, lastEventId: last.id, ...meta };
}

/** Errors of the machine or the codec in the middle of a fold say where they happened. */
function pushEvent(folder: Folder, event: ReadableEvent, machine: RegisteredMachine, recorded: StartInfo): void {
  try {
    folder.push(event);
  } catch (error) {
    if (error instanceof ReplayDivergedError) throw explained(error, machine, recorded);
    if (error instanceof RewakeError && !(error instanceof DecodeError)) throw error;
    const { stream, revision, type } = event;
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
    throw new DamagedRecordError(
      event.stream,
      event.revision,
      `the history begins with '${event.type}', expected 'ActorStarted' or 'ActorRebased'`,
    );
  }
  const { machine, version = null, definition = '', environment } = data;
  return { machine, version, definition, environment };
}

function changedInfo(event: ReadableEvent): StartInfo | undefined {
  if (isFact(event)) return undefined;
  if (event.type === 'ActorRebased') return startInfo(event);
  if (event.type !== 'ActorResumed') return undefined;
  const { changed } = event.data as {
    changed?: { to: string; version: string | null; environment?: RecordedEnvironment };
  };
  if (!changed) return undefined;
  const { version, to: definition, environment } = changed;
  return { machine: readStreamName(event.stream).machine, version, definition, environment };
}

/** A part of the environment that is not noted anew stays the recorded one. */
function recordedAfter(recorded: StartInfo, changed: StartInfo | undefined): StartInfo {
  if (!changed) return recorded;
  if (!recorded.environment) return changed;
  return { ...changed, environment: { ...recorded.environment, ...changed.environment } };
}

// ── snapshots ────────────────────────────────────────────────────────────────────────────────────

/** What a stored snapshot's data holds beside the tree. */
export interface SnapshotData {
  readonly recorded: StartInfo;
  /** Features that the host which took it knew: a history that needs one of them may be behind it. */
  readonly features?: readonly string[];
  readonly correlationId: string;
  readonly lastEventId: string;
  readonly tree: string;
}

async function loadFromSnapshot(
  stream: string,
  name: string,
  id: string,
  services: LoadServices,
): Promise<Folded | undefined> {
  try {
    const stored = await services.log.snapshots.load(stream);
    if (!stored || !isIntactText(stored.data, stored.checksum)) return undefined;
    return await foldTail(stream, name, id, stored, services);
  } catch (error) {
    services.logger.debug({ stream, err: error }, 'snapshot ignored, the history is folded instead');
    return undefined;
  }
}

async function foldTail(stream: string, name: string, id: string, stored: StoredSnapshot, services: LoadServices) {
  const data = JSON.parse(stored.data) as SnapshotData;
  if (!(data.features ?? []).every((name) => services.features.knows(name))) return undefined;
  const machine = services.machines.forActor(name, data.recorded.version, stream);
  if (machine.definition !== stored.definition) return undefined;
  const tree = new ActorTree(machine.logic, id);
  restoreTree(tree, data.tree);
  const folder = new Folder(tree, machine.definition);
  const meta: Meta = { recorded: data.recorded, correlationId: data.correlationId };
  let last: ReadableEvent | undefined;
  for await (const recorded of services.log.readStream(stream, { from: stored.revision })) {
    const event = readEvent(recorded, services);
    // The tree before a rebase is not the one after it; and a gap is told by the whole fold.
    if (last && (isRebase(event) || event.revision !== last.revision + 1)) return undefined;
    if (last) pushEvent(folder, event, machine, meta.recorded);
    // The event the snapshot was taken at is read too: without it the snapshot belongs to another history.
    else if (event.revision !== stored.revision || event.id !== data.lastEventId) return undefined;
    meta.recorded = recordedAfter(meta.recorded, changedInfo(event));
    last = event;
  }
  if (!last) return undefined;
  folder.finish(last);
  return toFolded(tree, machine, meta, last);
}
