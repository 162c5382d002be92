/**
 * A log that is only read: what a fold asks of it, and nothing by which anything could be written. Owns the counting of
 * what is read, the turns of others, and the end of reading; what is read is the log's.
 *
 * LR1  It has no way to write: not an event, not a snapshot, not a lease.
 * LR2  An event is compared with its checksum, also where the log inside does not do that.
 */
import { verifyEvent } from '../../log/envelope.ts';
import type { ActorRow, Capabilities, EventLog, ReadStreamOptions } from '../../log/event-log.ts';
import type { RecordedEvent, Snapshots, StreamHead } from '../../log/event-log.ts';
import type { ReadableLog } from '../../runtime/load.ts';

/** After so many events whoever else waits for the thread has its turn. */
const eventsPerTurn = 1_024;

/** The reading of a log. */
export class LogReading implements ReadableLog {
  readonly #log: EventLog;
  readonly #signal: AbortSignal | undefined;
  readonly #onTurn: () => void;
  readonly capabilities: Capabilities;
  /** None: a history is folded, not what somebody kept of it. */
  readonly snapshots: Snapshots = { load: async () => undefined, save: async () => {} };
  #events = 0;

  /** @param onTurn called every 1,024 events */
  constructor(log: EventLog, signal: AbortSignal | undefined, onTurn: () => void) {
    this.#log = log;
    this.#signal = signal;
    this.#onTurn = onTurn;
    this.capabilities = log.capabilities;
  }

  /** Events that were read so far. */
  get events(): number {
    return this.#events;
  }

  async *readStream(stream: string, options: ReadStreamOptions = {}): AsyncGenerator<RecordedEvent, void, void> {
    const signal = this.#signal;
    for await (const event of this.#log.readStream(stream, signal ? { ...options, signal } : options)) {
      verifyEvent(event);
      yield event;
      if (++this.#events % eventsPerTurn !== 0) continue;
      this.#onTurn();
      await new Promise<void>((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    }
  }

  head(stream: string): Promise<StreamHead> {
    return this.#log.head(stream);
  }

  actor(stream: string): Promise<ActorRow | undefined> {
    return this.#log.actor(stream);
  }
}
