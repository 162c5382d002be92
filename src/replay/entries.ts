/**
 * A stream as its stimuli, each with the facts that follow it. Owns reading ahead, and where damage ends what can be read.
 *
 * EN1  An entry is whole: it has every fact of its append that is on the log and undamaged.
 * EN2  Whatever cannot be read is a DamagedRecordError that names the revision, also where a record is simply not there.
 * EN3  What this program cannot read of an intact record (a newer version's, one without an upcaster) is an entry all the same.
 */
import { DamagedRecordError } from '../errors.ts';
import type { ReadableEvent } from '../kernel/fold.ts';
import type { EventLog, RecordedEvent, Revision } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import { isFact } from '../log/runtime-events.ts';
import { isOfHistory, readableEvent, type ReadingServices } from '../runtime/readable-event.ts';

/** The data of an event, parsed; nothing about its fields is certain. */
export type EventData = Readonly<Record<string, Json | undefined>>;

/** An event, read as far as this program can. */
export interface EntryEvent {
  readonly recorded: RecordedEvent;
  readonly type: string;
  readonly data: EventData;
  /** As a fold wants it; undefined where it cannot be had, and then `refusal` says why (EN3). */
  readonly readable: ReadableEvent | undefined;
  readonly refusal?: unknown;
}

/** A stimulus and its facts. */
export interface Entry {
  readonly stimulus: EntryEvent;
  readonly facts: readonly EntryEvent[];
  readonly revision: Revision;
  readonly lastRevision: Revision;
  /** Whether damage follows, so that facts may be missing. */
  readonly isCut: boolean;
}

/** What reading a stream takes. */
export interface EntryServices extends ReadingServices {
  readonly log: Pick<EventLog, 'readStream'>;
}

interface Read {
  readonly events: readonly EntryEvent[];
  /** Whether nothing follows that could be read. */
  readonly isAll: boolean;
  readonly fault?: DamagedRecordError | undefined;
}

/** So many are read ahead after a jump, and twice as many each time when the reading goes on from there. */
const eventsAhead = 64;
const eventsAheadMax = 512;
const charsPerEvent = 16_000;

/** Reads one stream by its entries, ahead of who asks. */
export class EntryReader {
  readonly #stream: string;
  readonly #services: EntryServices;
  #ahead: readonly Entry[] = [];
  #at = 0;
  #limit = eventsAhead;

  constructor(stream: string, services: EntryServices) {
    this.#stream = stream;
    this.#services = services;
  }

  /**
   * The entry that begins at a revision.
   * @param end the last revision that is read
   * @returns undefined behind the end
   * @throws DamagedRecordError (EN2)
   */
  async read(from: Revision, end: Revision): Promise<Entry | undefined> {
    if (from > end) return undefined;
    const next = this.#ahead[this.#at];
    if (next?.revision !== from || next.lastRevision > end) {
      const last = this.#ahead.at(-1);
      this.#limit = last?.lastRevision === from - 1 ? Math.min(this.#limit * 2, eventsAheadMax) : eventsAhead;
      this.#ahead = await this.#fetch(from, end);
      this.#at = 0;
    }
    return this.#ahead[this.#at++];
  }

  /** Forgets what was read ahead: the stream is another one now. */
  forget(): void {
    this.#ahead = [];
    this.#at = 0;
  }

  async #fetch(from: Revision, end: Revision): Promise<readonly Entry[]> {
    for (let limit = this.#limit; ; limit *= 2) {
      const { events, isAll, fault } = await this.#events(from, end, limit);
      if (events.length === 0) throw fault ?? missing(this.#stream, from);
      const entries = entriesOf(events, fault !== undefined);
      if (isAll) return entries;
      // EN1. The last one may go on behind what was read.
      if (entries.length > 1) return entries.slice(0, -1);
    }
  }

  async #events(from: Revision, end: Revision, limit: number): Promise<Read> {
    const events: EntryEvent[] = [];
    let chars = 0;
    try {
      for await (const recorded of this.#services.log.readStream(this.#stream, { from, limit })) {
        const expected = from + events.length;
        if (expected > end) break;
        if (recorded.revision !== expected) throw missing(this.#stream, expected);
        events.push(entryEvent(recorded, this.#services));
        chars += recorded.data.length;
        if (chars > charsPerEvent * limit) return { events, isAll: events.length > end - from };
      }
    } catch (error) {
      if (!(error instanceof DamagedRecordError)) throw error;
      // What comes before the damage is sound, also where a store refuses a whole page for one record of it.
      const sound = error.revision - from;
      if (sound <= events.length || sound >= limit) return { events, isAll: true, fault: error };
      return { ...(await this.#events(from, end, sound)), isAll: true, fault: error };
    }
    const isAll = events.length > end - from;
    const fault = !isAll && events.length < limit ? missing(this.#stream, from + events.length) : undefined;
    return { events, isAll: isAll || fault !== undefined, fault };
  }
}

function missing(stream: string, revision: Revision): DamagedRecordError {
  return new DamagedRecordError(stream, revision, 'the record is missing');
}

/** @throws DamagedRecordError */
function entryEvent(recorded: RecordedEvent, services: ReadingServices): EntryEvent {
  try {
    const readable = readableEvent(recorded, services);
    return { recorded, type: readable.type, data: objectOf(recorded, readable.data), readable };
  } catch (error) {
    if (!isOfHistory(error) || error instanceof DamagedRecordError) throw error;
    const data = objectOf(recorded, JSON.parse(recorded.data) as Json);
    return { recorded, type: recorded.type, data, readable: undefined, refusal: error };
  }
}

function objectOf({ stream, revision, type }: RecordedEvent, data: Json): EventData {
  if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data as EventData;
  throw new DamagedRecordError(stream, revision, `the data of event '${type}' is no object`);
}

function entriesOf(events: readonly EntryEvent[], isCut: boolean): Entry[] {
  const starts = events.flatMap((event, index) => (index === 0 || !isFact(event.recorded) ? [index] : []));
  return starts.map((start, index) => {
    const whole = events.slice(start, starts[index + 1]);
    const [stimulus, ...facts] = whole as [EntryEvent, ...EntryEvent[]];
    const { revision } = stimulus.recorded;
    const last = index === starts.length - 1;
    return { stimulus, facts, revision, lastRevision: revision + facts.length, isCut: isCut && last };
  });
}
