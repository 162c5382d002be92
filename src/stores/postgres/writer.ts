/**
 * Group commit: appends that wait are sent together, as one statement, which is one transaction. Owns the queue, which appends go
 * together, and what the server's answer means; how an append is done is the function in schema.ts.
 *
 * WR1  Appends to one stream are done in the order in which they were asked for.
 * WR2  An append that is refused does not touch those that were sent with it.
 * WR3  An append is answered when its transaction has been committed. What is not known to be written, or not, is an
 *      OutcomeUnknownError.
 */
import { IdReuseError, InvariantError, LogClosedError, StreamDeletedError, type RewakeError } from '../../errors.ts';
import { encodeEvents } from '../../log/append-record.ts';
import type { ActorHead, AppendResult, Check, Expected, NewEvent, Write } from '../../log/event-log.ts';
import { conflict } from '../../log/expected.ts';
import type { Connections } from './connections.ts';
import { isContended, writeFault } from './faults.ts';
import { positionOf } from './place.ts';
import type { RepeatFinder } from './repeat-finder.ts';

export interface WriterParts {
  readonly log: string;
  readonly schema: string;
  readonly connections: Connections;
  readonly repeats: RepeatFinder;
  /** How many statements are on their way at most. */
  readonly lanes: number;
  /** The time of the log where it is not the server's. */
  readonly now: (() => number) | undefined;
  /** Something was written. */
  readonly committed: () => void;
}

interface Queued {
  readonly write: Write;
  readonly resolve: (result: AppendResult) => void;
  readonly reject: (error: unknown) => void;
}

/** What the server says of a write or a check. */
interface Judged {
  readonly outcome: string;
  readonly lastRevision: number;
  readonly tx: number;
  readonly place: number;
}

/** Each append holds a lock of the server, which has some thousands. */
const batchMax = 100;
const batchBytesMax = 4 * 2 ** 20;
/** How often a transaction is sent that was given up for the sake of others. */
const attemptsMax = 20;

export class Writer {
  readonly #parts: WriterParts;
  readonly #sql: string;
  #queue: Queued[] = [];
  /** Streams with an append on its way. */
  readonly #busy = new Set<string>();
  #inFlight = 0;
  #scheduled = false;
  #closed = false;
  #onIdle: () => void = () => {};

  constructor(parts: WriterParts) {
    this.#parts = parts;
    this.#sql = `SELECT outcome, last_revision, tx, place FROM "${parts.schema}".append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`;
  }

  async append(write: Write): Promise<AppendResult> {
    this.#ensureWritable(write.stream);
    return new Promise((resolve, reject) => {
      this.#queue.push({ write, resolve, reject });
      this.#schedule();
    });
  }

  /** All or nothing. @throws ConflictError | IdReuseError | StreamDeletedError */
  async appendMany(writes: readonly Write[], checks: readonly Check[]): Promise<AppendResult[]> {
    const subject = [...writes, ...checks].map(({ stream }) => stream).join("', '");
    this.#ensureWritable(subject);
    const judged = await this.#send(writes, checks, true).catch((error: unknown) => {
      throw writeFault(error, this.#parts.log, subject);
    });
    if (judged.some(({ outcome }) => outcome === 'written')) this.#parts.committed();
    const found = await Promise.all(writes.map((write, index) => settled(this.#result(write, judged[index]!))));
    const refused = found.find((one) => 'error' in one);
    if (refused && 'error' in refused) throw refused.error;
    const results = found.map((one) => ('value' in one ? one.value : undefined));
    const repeat = results.findIndex((result) => result?.deduplicated);
    // A repeat is answered although what was checked has moved on since: the check held when it was written.
    if (repeat < 0) {
      for (const [index, check] of checks.entries()) {
        const { outcome, lastRevision } = judged[writes.length + index]!;
        if (outcome === 'deleted') throw new StreamDeletedError(check.stream);
        if (outcome === 'conflict') throw conflict(check.stream, check.expected, lastRevision);
      }
    }
    return results.map((result) => {
      if (result) return result;
      const { stream, events } = writes[repeat]!;
      throw new IdReuseError(stream, events[0]!.id, results[repeat]!.revision - events.length + 1);
    });
  }

  /** Sends what is queued, waits for its answers, and takes nothing more. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#queue.length === 0 && this.#inFlight === 0) return;
    await new Promise<void>((resolve) => (this.#onIdle = resolve));
  }

  #ensureWritable(subject: string): void {
    if (this.#closed) throw new LogClosedError(this.#parts.log);
    this.#parts.connections.ensureWritable(subject);
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#sendNext();
    });
  }

  #sendNext(): void {
    while (this.#inFlight < this.#parts.lanes) {
      const batch = this.#take();
      if (batch.length === 0) break;
      this.#inFlight++;
      void this.#commit(batch);
    }
    if (this.#queue.length === 0 && this.#inFlight === 0) this.#onIdle();
  }

  /** WR1: what may be sent now. */
  #take(): Queued[] {
    const batch: Queued[] = [];
    const left: Queued[] = [];
    const held = new Set<string>();
    let bytes = 0;
    for (const queued of this.#queue) {
      const { stream, events } = queued.write;
      const size = events.reduce((sum, { data }) => sum + data.length, 0);
      const isFull = batch.length >= batchMax || (batch.length > 0 && bytes + size > batchBytesMax);
      if (isFull || held.has(stream) || this.#busy.has(stream)) {
        held.add(stream);
        left.push(queued);
      } else {
        batch.push(queued);
        bytes += size;
      }
    }
    this.#queue = left;
    for (const { write } of batch) this.#busy.add(write.stream);
    return batch;
  }

  async #commit(batch: readonly Queued[]): Promise<void> {
    try {
      const judged = await this.#send(
        batch.map(({ write }) => write),
        [],
        false,
      );
      if (judged.some(({ outcome }) => outcome === 'written')) this.#parts.committed();
      for (const [index, { write, resolve, reject }] of batch.entries()) {
        this.#result(write, judged[index]!).then((result) => {
          if (result) resolve(result);
          else reject(new InvariantError(`An append to '${write.stream}' was neither written nor refused.`));
        }, reject);
      }
    } catch (error) {
      for (const { write, reject } of batch) reject(writeFault(error, this.#parts.log, write.stream));
    } finally {
      for (const { write } of batch) this.#busy.delete(write.stream);
      this.#inFlight--;
      this.#sendNext();
    }
  }

  async #send(writes: readonly Write[], checks: readonly Check[], isAtomic: boolean): Promise<Judged[]> {
    const encoded = writes.map(({ events }) => encodeEvents(events));
    const values = [
      writes.map(({ stream }) => stream),
      writes.map(({ expected }) => numberOf(expected)),
      encoded.map(({ count }) => count),
      writes.map(({ expected, events }) => (isWeak(expected) ? idsOf(events) : '[]')),
      encoded.map(({ heads }) => heads),
      encoded.map(({ data }) => data),
      writes.map(({ actor }) => (actor ? headText(actor) : null)),
      checks.map(({ stream }) => stream),
      checks.map(({ expected }) => numberOf(expected)),
      isAtomic,
      this.#parts.now?.() ?? null,
    ];
    for (let attempt = 1; ; attempt++) {
      try {
        const rows = await this.#parts.connections.query(this.#sql, values);
        return rows.map(([outcome, lastRevision, tx, place]) => ({
          outcome: String(outcome),
          lastRevision: Number(lastRevision),
          tx: Number(tx),
          place: Number(place),
        }));
      } catch (error) {
        if (!isContended(error) || attempt === attemptsMax) throw error;
      }
    }
  }

  /** Undefined where it could have been written and was not, because others with it could not. */
  async #result({ stream, expected, events }: Write, judged: Judged): Promise<AppendResult | undefined> {
    const { outcome, lastRevision, tx, place } = judged;
    switch (outcome) {
      case 'written':
        return {
          revision: lastRevision,
          position: positionOf({ tx, place, index: events.length - 1 }),
          deduplicated: false,
        };
      case 'empty':
        return { revision: lastRevision, position: undefined, deduplicated: false };
      case 'deleted':
        throw new StreamDeletedError(stream);
      case 'fresh':
        return undefined;
      default: {
        const repeat = await this.#parts.repeats.find(
          stream,
          expected,
          events.map(({ id }) => id),
        );
        if (repeat) return repeat;
        throw conflict(stream, expected, lastRevision);
      }
    }
  }
}

type Settled<T> = { readonly value: T } | { readonly error: RewakeError };

function settled<T>(promise: Promise<T>): Promise<Settled<T>> {
  return promise.then(
    (value) => ({ value }),
    (error: RewakeError) => ({ error }),
  );
}

/** As the function in the database takes it. */
function numberOf(expected: Expected): number {
  if (typeof expected === 'number') return expected;
  return expected === 'no-stream' ? -1 : expected === 'any' ? -2 : -3;
}

function isWeak(expected: Expected): boolean {
  return expected === 'any' || expected === 'stream-exists';
}

function idsOf(events: readonly NewEvent[]): string {
  return JSON.stringify(events.map(({ id }) => id));
}

function headText({ machine, version, status, correlationId, wakeAt, effects }: ActorHead): string {
  return JSON.stringify({ machine, version, status, correlationId, wakeAt, effects });
}
