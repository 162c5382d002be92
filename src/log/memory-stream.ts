/**
 * One stream of the memory log, and whether an append to it is a repeat. Owns the comparison of ids; the order of the
 * whole log is in memory-log.ts.
 *
 * MS1  `events` holds the revisions from `first` to `last`, one each.
 * MS2  A repeat is judged by the ids at the exact revisions, also after the stream has moved on.
 */
import { IdReuseError } from '../errors.ts';
import type { IndexedStream, Wake } from './actor-index.ts';
import type { ActorHead, AppendResult, NewEvent, RecordedEvent, Revision } from './event-log.ts';

/** A stream of the memory log; the log writes to it. */
export class MemoryStream implements IndexedStream {
  readonly name: string;
  events: RecordedEvent[] = [];
  first: Revision = 0;
  last: Revision = -1;
  deleted = false;
  head: ActorHead | undefined = undefined;
  wake: Wake | undefined = undefined;
  /** Revision by event id; built when 'any' or 'stream-exists' first asks for it, then kept. */
  revisionById: Map<string, Revision> | undefined = undefined;

  constructor(name: string) {
    this.name = name;
  }
}

/** The first result of an append that is there already at this place; undefined when nothing of it is there. */
export function repeatAt(stream: MemoryStream, from: Revision, events: readonly NewEvent[]): AppendResult | undefined {
  const recorded = events.map((_, index) => stream.events[from + index - stream.first]);
  const same = recorded.filter((event, index) => event?.id === events[index]!.id);
  const found = same[0];
  if (found === undefined) return undefined;
  if (same.length < events.length) throw new IdReuseError(stream.name, found.id, found.revision);
  const { revision, position } = same.at(-1)!;
  return { revision, position, deduplicated: true };
}

/** As {@link repeatAt}, wherever in the stream the ids are. */
export function repeatAnywhere(stream: MemoryStream, events: readonly NewEvent[]): AppendResult | undefined {
  stream.revisionById ??= new Map(stream.events.map((event) => [event.id, event.revision]));
  for (const [index, { id }] of events.entries()) {
    const revision = stream.revisionById.get(id);
    if (revision !== undefined) return repeatAt(stream, revision - index, events);
  }
  return undefined;
}
