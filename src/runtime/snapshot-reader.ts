/**
 * From a stored snapshot to an actor. Owns when a snapshot is trusted; taking one is snapshot-writer.ts's.
 *
 * F4  A snapshot is used only when its checksum, its revision and its definition fit, and what follows it says nothing of
 *     another definition or state; otherwise the history is folded.
 */
import { ActorTree } from '../kernel/actor-tree.ts';
import { Folder, type ReadableEvent } from '../kernel/fold.ts';
import type { StartInfo } from '../kernel/records.ts';
import { restoreTree } from '../kernel/tree-state.ts';
import { isIntactText } from '../log/envelope.ts';
import type { EventLog, StoredSnapshot } from '../log/event-log.ts';
import { isRebase } from '../log/runtime-events.ts';
import { readStreamName } from '../log/stream-name.ts';
import { finished, push, successorIn, type Folded, type FoldServices, type OpenFold } from './fold-history.ts';
import type { Logger } from './logger.ts';
import { readableEvent } from './readable-event.ts';

/** What using a snapshot needs. */
export interface SnapshotServices extends FoldServices {
  readonly log: Pick<EventLog, 'readStream' | 'snapshots'>;
  readonly logger: Logger;
}

/** What a stored snapshot's data holds beside the tree. */
export interface SnapshotData {
  readonly recorded: StartInfo;
  /** Features that the host which took it knew: a history that needs one of them may be behind it. */
  readonly features?: readonly string[];
  readonly correlationId: string;
  readonly lastEventId: string;
  readonly tree: string;
}

/** The actor from its snapshot and what came after; undefined where the history has to be folded. */
export async function loadFromSnapshot(stream: string, services: SnapshotServices): Promise<Folded | undefined> {
  try {
    const stored = await services.log.snapshots.load(stream);
    if (!stored || !isIntactText(stored.data, stored.checksum)) return undefined;
    return await foldTail(stream, stored, services);
  } catch (error) {
    services.logger.debug({ stream, err: error }, 'snapshot ignored, the history is folded instead');
    return undefined;
  }
}

async function foldTail(
  stream: string,
  stored: StoredSnapshot,
  { log, machines, ...services }: SnapshotServices,
): Promise<Folded | undefined> {
  const data = JSON.parse(stored.data) as SnapshotData;
  const { recorded, correlationId, features = [] } = data;
  if (!features.every((name) => services.features.knows(name))) return undefined;
  const { machine: name, id } = readStreamName(stream);
  const machine = machines.forActor(name, recorded.version, stream);
  if (machine.definition !== stored.definition) return undefined;
  const tree = new ActorTree(machine.logic, id);
  restoreTree(tree, data.tree);
  const fold: OpenFold = { folder: new Folder(tree, machine.definition), machine, recorded, correlationId };
  let last: ReadableEvent | undefined;
  for await (const each of log.readStream(stream, { from: stored.revision })) {
    const event = readableEvent(each, services);
    if (!last) {
      // The event the snapshot was taken at is read too: without it the snapshot belongs to another history.
      if (event.revision !== stored.revision || event.id !== data.lastEventId) return undefined;
    } else {
      // The tree before a rebase is not the one after it; and a gap is told by the whole fold.
      if (isRebase(event) || event.revision !== last.revision + 1) return undefined;
      push(fold, event);
      if (successorIn(fold, event, machines)) return undefined;
    }
    last = event;
  }
  return last && finished(fold, last);
}
