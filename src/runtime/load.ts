/**
 * From a stream to a loaded actor. Owns where it comes from: its snapshot or its history; writes nothing.
 *
 * F8  A stream that ends before the actor index says so has lost its end: it is damaged, and not folded as far as it goes.
 * F9  What a compaction removed while it was read is not damage: the stream is read again from where it begins now.
 */
import type { AnyEventObject } from 'xstate';
import { DamagedRecordError, NotFoundError, ReplayDivergedError } from '../errors.ts';
import { decode } from '../log/codec.ts';
import type { EventLog, RecordedEvent, Revision } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import { foldUpTo, type Folded } from './fold-history.ts';
import { readableEvent } from './readable-event.ts';
import { loadFromSnapshot, type SnapshotServices } from './snapshot-reader.ts';

/** A log as it is read where nothing is written. */
export type ReadableLog = Pick<EventLog, 'readStream' | 'snapshots' | 'actor' | 'head' | 'capabilities'>;

/** What loading an actor needs. */
export interface LoadServices extends SnapshotServices {
  readonly log: ReadableLog;
  /** Snapshots are kept of streams of so many events and more; none are used when undefined. */
  readonly snapshotEvery: number | undefined;
  /** Whether what is written says what changed in contexts. */
  readonly recordsContexts?: boolean;
}

/**
 * Folds a stream.
 * @param lastRevision what the actor index says, where it was read
 * @param seen called with every event that is folded; with those of a snapshot it is not
 * @throws as {@link foldUpTo}
 */
export async function loadActor(
  stream: string,
  services: LoadServices,
  lastRevision?: Revision,
  seen?: (event: RecordedEvent) => void,
): Promise<Folded> {
  let known = lastRevision;
  for (let before = 0; ;) {
    try {
      return await loadAll(stream, services, known, seen);
    } catch (error) {
      // F9.
      if (!(error instanceof DamagedRecordError || error instanceof ReplayDivergedError)) throw error;
      const truncatedTo = await truncatedBefore(stream, services.log);
      if (truncatedTo <= Math.max(before, error.revision)) throw error;
      before = truncatedTo;
      known = undefined;
    }
  }
}

async function loadAll(
  stream: string,
  services: LoadServices,
  lastRevision: Revision | undefined,
  seen: ((event: RecordedEvent) => void) | undefined,
): Promise<Folded> {
  // Before the stream: what is appended meanwhile makes the stream longer than it has to be, never shorter.
  const expected = lastRevision ?? (await services.log.actor(stream))?.revision;
  const folded = await loadWhole(stream, services, expected ?? Infinity, seen).catch(async (error: unknown) => {
    const at = error instanceof NotFoundError ? 0 : error instanceof ReplayDivergedError ? error.revision : Infinity;
    if (expected === undefined || at > expected || (await hasEventFrom(stream, at, services.log))) throw error;
    throw cutShort(stream, at, expected);
  });
  if (expected !== undefined && folded.revision < expected) throw cutShort(stream, folded.revision + 1, expected);
  return folded;
}

/** The first revision that is still there, where a compaction has removed what came before. */
async function truncatedBefore(stream: string, log: ReadableLog): Promise<Revision> {
  const head = await log.head(stream);
  return head.state === 'truncated' ? head.before : 0;
}

/** What differs from a history that goes no further is a fact whose record is missing. */
async function hasEventFrom(stream: string, from: Revision, log: ReadableLog): Promise<boolean> {
  for await (const _ of log.readStream(stream, { from, limit: 1 })) return true;
  return false;
}

function cutShort(stream: string, revision: Revision, expected: Revision): DamagedRecordError {
  const detail = `the record is missing, and so is all that follows: the actor index says that the stream ends at revision ${expected}`;
  return new DamagedRecordError(stream, revision, detail);
}

async function loadWhole(
  stream: string,
  services: LoadServices,
  lastRevision: number,
  seen: ((event: RecordedEvent) => void) | undefined,
): Promise<Folded> {
  const { snapshotEvery } = services;
  // A short stream has no snapshot to look for.
  const mayHaveOne = snapshotEvery !== undefined && lastRevision + 1 >= snapshotEvery;
  const folded = mayHaveOne ? await loadFromSnapshot(stream, services) : undefined;
  return folded ?? foldUpTo(stream, Infinity, services, seen);
}

/** Facts of the root from a revision on, up to where the actor is folded. @throws DamagedRecordError | UpcastError */
export async function rootFacts(
  { stream, from, to }: { stream: string; from: Revision; to: Revision },
  services: LoadServices,
): Promise<AnyEventObject[]> {
  const facts: AnyEventObject[] = [];
  for await (const recorded of services.log.readStream(stream, { from })) {
    if (recorded.revision > to) break;
    if (recorded.meta.actor !== '/') continue;
    facts.push(decode(readableEvent(recorded, services).data as Json) as AnyEventObject);
  }
  return facts;
}
