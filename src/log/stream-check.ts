/**
 * Looks at the records of one stream, one after the other, and says what is wrong with them. Owns the rules; runs no
 * machine and reads nothing itself.
 *
 * SK1  Damage does not end the check: what follows a damaged record is looked at for what it is.
 * SK2  Memory does not grow with the stream, but for the timers that are armed.
 * SK3  A truncated stream is as sound as a whole one.
 */
import { DamagedRecordError, DecodeError } from '../errors.ts';
import { verifyEvent, isIntactText } from './envelope.ts';
import type { RecordedEvent, Revision, StoredRecord, StoredSnapshot, StoredStream } from './event-log.ts';
import { finding, type Finding, type FindingCode } from './findings.ts';
import { readEvent } from './read-event.ts';
import { HeadFold, isBeginning, isFact, runtimeEventTypes, type LooseData } from './runtime-events.ts';

/** How many of the newest events are remembered to tell one that is there twice from one that was changed. */
const idsMax = 4_096;

export class StreamCheck {
  readonly #stream: StoredStream;
  readonly #snapshot: { readonly revision: Revision; readonly lastEventId: unknown } | undefined;
  readonly #found: Finding[] = [];
  readonly #head: HeadFold;
  readonly #ids = new Map<string, Revision>();
  /** The revision that comes next; undefined behind a record that does not say how long it is. */
  #next: Revision | undefined;
  #last: Revision = -1;
  #lastPosition = -1;
  #isActor: boolean;
  #isFirst = true;
  #isDamaged = false;
  #stimulus: { readonly id: string; readonly seed: string | undefined } | undefined;
  #at = -Infinity;

  constructor(stream: StoredStream, snapshot: StoredSnapshot | undefined) {
    const { head, actor, name } = stream;
    this.#stream = stream;
    this.#next = head.state === 'truncated' ? head.before : head.state === 'live' ? 0 : undefined;
    this.#isActor = actor !== undefined;
    this.#head = new HeadFold(name);
    this.#snapshot = snapshot && this.#readSnapshot(snapshot);
  }

  /** The revision that comes next; undefined where that is not known. */
  get next(): Revision | undefined {
    return this.#next;
  }

  /** What is wrong so far and was not taken yet. */
  take(): Finding[] {
    return this.#found.splice(0);
  }

  push(record: StoredRecord): void {
    const { revision, position, events, fault } = record;
    this.#checkPlace(record);
    if (fault !== undefined) {
      this.#find('unreadable', { revision, position }, fault);
      this.#next = undefined;
    } else {
      for (const event of events) this.#checkEvent(event);
      this.#next = revision + events.length;
    }
    this.#last = Math.max(this.#last, revision + Math.max(events.length, 1) - 1);
    this.#isFirst = false;
  }

  /** To be called after the last record. */
  end(): void {
    const { head, actor, name } = this.#stream;
    if (head.state === 'absent' && !this.#isFirst)
      this.#find('lostStream', {}, 'there are records of it, and nothing says what it is called');
    if (head.state === 'deleted' && !this.#isFirst)
      this.#find('index', {}, 'it is marked as deleted, but its records are there');
    if (head.state === 'live' || head.state === 'truncated') this.#checkEnd(head.revision);
    const { revision = -1 } = this.#snapshot ?? {};
    if (this.#snapshot && !this.#isDamaged && revision > this.#last) {
      this.#find('snapshot', { revision }, 'a snapshot was taken where the stream has no event');
    }
    if (this.#isDamaged || head.state === 'absent' || head.state === 'deleted') return;
    if (!actor) {
      if (this.#head.begun) this.#find('index', {}, 'the actor index does not know this actor');
      return;
    }
    const wrong = this.#head.disagreements(actor);
    if (wrong.length > 0)
      this.#find('index', {}, `the actor index disagrees with the events of '${name}': ${wrong.join('; ')}`);
  }

  #checkPlace({ revision, position }: StoredRecord): void {
    const next = this.#next;
    if (next !== undefined && revision < next) {
      const { head } = this.#stream;
      const below = head.state === 'truncated' && this.#isFirst;
      // The store says that what is below was truncated; where it is not, the store is wrong.
      if (below)
        this.#find(
          'index',
          { revision, position },
          `it is said to begin at revision ${next}, but has records before that`,
        );
      else this.#find('duplicate', { revision, position }, `the revision is there twice: revision ${next} comes next`);
    } else if (next !== undefined && revision > next) {
      const missing =
        revision - next === 1 ? 'the record is' : `the records of revisions ${next} to ${revision - 1} are`;
      this.#find('gap', { revision: next }, `${missing} missing`);
    }
    const place = position === undefined ? NaN : Number(position);
    if (Number.isNaN(place)) return;
    if (place <= this.#lastPosition) {
      this.#find(
        'order',
        { revision, position },
        `its position ${place} in the log is not after ${this.#lastPosition}, that of the record before it`,
      );
    }
    this.#lastPosition = Math.max(place, this.#lastPosition);
  }

  #checkEnd(stated: Revision): void {
    if (stated > this.#last && (this.#next !== undefined || this.#isFirst)) {
      // A stream of which all was truncated has no records.
      const { head } = this.#stream;
      if (head.state === 'truncated' && this.#isFirst && head.before === stated + 1) return;
      this.#find(
        'cutTail',
        { revision: this.#last + 1 },
        `the stream ends before it, but is said to go on to revision ${stated}`,
      );
    } else if (stated < this.#last) {
      this.#find(
        'beyondEnd',
        { revision: stated + 1 },
        `the stream is said to end before it, but goes on to revision ${this.#last}`,
      );
    }
  }

  #checkEvent(event: RecordedEvent): void {
    const { id, type, revision, position } = event;
    const at = { revision, position };
    if (this.#isFirst && isBeginning(event)) this.#isActor = true;
    const isSealed = this.#isSealed(event);
    this.#remember(id, revision);
    if (!isSealed) return;
    if (this.#snapshot?.revision === revision && this.#snapshot.lastEventId !== id) {
      this.#find('snapshot', at, 'a snapshot was taken here of another history');
    }
    const data = this.#read(event);
    if (!data || !this.#isActor) return;
    if (this.#isFirst && !isBeginning(event) && !this.#head.begun && !this.#isDamaged) {
      this.#find('noStart', at, `the history begins with '${type}', expected 'ActorStarted' or 'ActorRebased'`);
    }
    if (isFact(event)) this.#checkCause(event);
    else if (!runtimeEventTypes.has(type))
      this.#find('foreignType', at, `'${type}' is no event of this version of the runtime`);
    else this.#checkStimulus(event, data);
  }

  #isSealed(event: RecordedEvent): boolean {
    try {
      verifyEvent(event);
      return true;
    } catch (error) {
      if (!(error instanceof DamagedRecordError)) throw error;
      const { revision, position } = event;
      const twin = this.#ids.get(event.id);
      if (twin === undefined) this.#find('checksum', { revision, position }, error.detail);
      else
        this.#find(
          'duplicate',
          { revision, position },
          `event '${event.type}' (${event.id}) is at revision ${twin}, too`,
        );
      return false;
    }
  }

  #remember(id: string, revision: Revision): void {
    const ids = this.#ids;
    if (ids.size >= idsMax) ids.delete(ids.keys().next().value!);
    ids.set(id, revision);
  }

  #read(event: RecordedEvent): LooseData | undefined {
    const { revision, position, type } = event;
    try {
      const data: unknown = JSON.parse(event.data);
      // What others have written may be any JSON.
      if (!this.#isActor) return undefined;
      readEvent(event);
      if (typeof data === 'object' && data !== null && !Array.isArray(data)) return data;
      this.#find('undecodable', { revision, position }, `the data of '${type}' is no object`);
    } catch (error) {
      const detail =
        error instanceof DecodeError
          ? `${error.path === '' ? '' : `the value at ${error.path}: `}${error.detail}`
          : 'it is not JSON';
      this.#find('undecodable', { revision, position }, `the data of '${type}' cannot be read: ${detail}`);
    }
    return undefined;
  }

  #checkStimulus(event: RecordedEvent, data: LooseData): void {
    const { revision, position, type, id, meta } = event;
    this.#stimulus = { id, seed: meta.$seed };
    this.#head.push(event, data);
    const { at } = data;
    if (typeof at !== 'number')
      return this.#find('undecodable', { revision, position }, `the data of '${type}' has no time 'at'`);
    if (at < this.#at) {
      const [time, before] = [at, this.#at].map((ms) => new Date(ms).toISOString());
      this.#find('time', { revision, position }, `'${type}' happened at ${time}, and an event before it at ${before}`);
    }
    this.#at = Math.max(at, this.#at);
  }

  #checkCause({ revision, position, type, meta }: RecordedEvent): void {
    const stimulus = this.#stimulus;
    // Behind damage it is not known what the event before it was.
    if (!stimulus || this.#isDamaged) return;
    const cause = meta.$causationId;
    // A copied event may still name what caused the one it was copied from.
    if (cause === stimulus.id || (stimulus.seed !== undefined && cause === stimulus.seed)) return;
    this.#find(
      'causation',
      { revision, position },
      `fact '${type}' names ${cause} as its cause, but follows ${stimulus.id}`,
    );
  }

  #readSnapshot({ revision, data, checksum }: StoredSnapshot) {
    try {
      if (isIntactText(data, checksum))
        return { revision, lastEventId: (JSON.parse(data) as { lastEventId?: unknown }).lastEventId };
    } catch {
      // It is no text, or no JSON.
    }
    this.#find('snapshot', {}, 'its snapshot does not fit its checksum');
    return undefined;
  }

  #find(code: FindingCode, at: Pick<Parameters<typeof finding>[1], 'revision' | 'position'>, message: string): void {
    const found = finding(code, { ...at, stream: this.#stream.name }, message);
    if (found.severity === 'damage') this.#isDamaged = true;
    this.#found.push(found);
  }
}
