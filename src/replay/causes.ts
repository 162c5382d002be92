/**
 * What led to an event: the chain along `$causationId`, across streams. Owns where an event is looked for by its id, which no
 * log has an index for: in the stream of what it caused, then in the streams of actors of the same correlation.
 *
 * CA1  Every event is read once at most, however long the chain.
 * CA2  A chain ends where nothing caused an event, where its cause is not on the log, and before damage. It is never a circle.
 */
import { DamagedRecordError, StreamDeletedError } from '../errors.ts';
import type { IntentRecord } from '../kernel/stimulus.ts';
import type { EventLog, RecordedEvent, Revision } from '../log/event-log.ts';
import type { BlameLink } from './blame.ts';
import type { Frame } from './frame.ts';
import { labelOf } from './label.ts';
import { listOf } from './logged-values.ts';

type CauseLog = Pick<EventLog, 'readStream' | 'actors'>;

/** An event as far as a chain needs it. */
interface Link extends Omit<BlameLink, 'label'> {
  readonly causationId: string;
  readonly correlationId: string;
  readonly event: RecordedEvent;
}

/** What led to a frame's stimulus, the nearest cause first. */
export async function causesOf(frame: Frame, log: CauseLog): Promise<BlameLink[]> {
  const search = new Search(log);
  const seen = new Set([frame.id]);
  const causes: Link[] = [];
  let effect: Pick<Link, 'stream' | 'revision' | 'causationId' | 'correlationId'> = frame;
  try {
    while (!seen.has(effect.causationId)) {
      seen.add(effect.causationId);
      const cause = await search.find(effect.causationId, effect);
      if (!cause) break;
      causes.push(cause);
      effect = cause;
    }
  } finally {
    await search.close();
  }
  // What began an effect is the cause of its outcome: by now it was read.
  return causes.map(({ stream, revision, id, type, at, event }) => {
    const label = labelOf(event, (address) => search.sourceOf(stream, address));
    return { stream, revision, id, type, label, at };
  });
}

class Search {
  readonly #log: CauseLog;
  readonly #found = new Map<string, Link>();
  /** Streams that are read newest first, and where that has come to. */
  readonly #readers = new Map<string, AsyncIterator<RecordedEvent>>();
  readonly #sources = new Map<string, string>();

  constructor(log: CauseLog) {
    this.#log = log;
  }

  async find(id: string, near: Pick<Link, 'stream' | 'revision' | 'correlationId'>): Promise<Link | undefined> {
    const known = this.#found.get(id) ?? (await this.#in(near.stream, id, near.revision));
    if (known) return known;
    for await (const { stream } of this.#log.actors({ correlationId: near.correlationId })) {
      const found = await this.#in(stream, id);
      if (found) return found;
    }
    return undefined;
  }

  /** Reads on in a stream until the event is there. */
  async #in(stream: string, id: string, from?: Revision): Promise<Link | undefined> {
    let reader = this.#readers.get(stream);
    if (!reader) {
      const options = { backwards: true, ...(from !== undefined && { from }) };
      reader = this.#log.readStream(stream, options)[Symbol.asyncIterator]();
      this.#readers.set(stream, reader);
    }
    try {
      for (let item = await reader.next(); !item.done; item = await reader.next()) {
        const link = this.#linkOf(item.value);
        this.#found.set(link.id, link);
        if (link.id === id) return link;
      }
    } catch (error) {
      // CA2.
      if (!(error instanceof DamagedRecordError || error instanceof StreamDeletedError)) throw error;
    }
    return undefined;
  }

  /** The name of an effect's logic, if what began it was read. */
  sourceOf(stream: string, address: string): string | undefined {
    return this.#sources.get(`${stream} ${address}`);
  }

  async close(): Promise<void> {
    for (const reader of this.#readers.values()) await reader.return?.();
  }

  #linkOf(event: RecordedEvent): Link {
    const { stream, revision, id, type, meta, recordedAt } = event;
    const { at, intents } = dataOf(event);
    for (const { actor, src } of listOf<IntentRecord>(intents)) this.#sources.set(`${stream} ${actor}`, src);
    return {
      ...{ stream, revision, id, type, event, at: typeof at === 'number' ? at : recordedAt },
      causationId: meta.$causationId ?? id,
      correlationId: meta.$correlationId ?? '',
    };
  }
}

function dataOf({ data }: RecordedEvent): { readonly at?: unknown; readonly intents?: unknown } {
  try {
    return (JSON.parse(data) ?? {}) as { readonly at?: unknown };
  } catch {
    return {};
  }
}
