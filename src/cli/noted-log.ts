/**
 * Logs that note what is appended to them. Owns the log of a rehearsal, which keeps what is appended to itself.
 *
 * NL1  A rehearsal answers as the log would: its own appends come after what is there, and the log is only read.
 * NL2  What is noted is durable, or would be: a refused append is not.
 */
import { StreamDeletedError } from '../errors.ts';
import type {
  ActorHead,
  ActorRow,
  AppendOptions,
  AppendResult,
  EventLog,
  Expected,
  NewEvent,
  Position,
  ReadStreamOptions,
  RecordedEvent,
  Revision,
  StreamHead,
} from '../log/event-log.ts';
import { requireSizes } from '../log/event-size.ts';
import { conflict, isAsExpected } from '../log/expected.ts';

/** An event that was appended, or would be. */
export interface Noted {
  readonly stream: string;
  readonly revision: Revision;
  readonly event: NewEvent;
}

/** A log with some of its calls replaced. */
export function withCalls(log: EventLog, calls: Partial<EventLog>): EventLog {
  return new Proxy(log, {
    get(target, key) {
      const replaced = Reflect.get(calls, key) as unknown;
      if (replaced !== undefined) return replaced;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** The log itself; what is appended to it through this is put on the list. */
export function noting(log: EventLog, noted: Noted[]): EventLog {
  return withCalls(log, {
    async append(stream, expected, events, options) {
      const result = await log.append(stream, expected, events, options);
      if (!result.deduplicated) noted.push(...notes(stream, result.revision - events.length + 1, events));
      return result;
    },
  });
}

/** A log that says it has taken what is appended, for as long as it lives. */
export function rehearsal(log: EventLog, noted: Noted[]): EventLog {
  const streams = new Map<string, RecordedEvent[]>();
  const heads = new Map<string, ActorHead>();
  const revisionOf = async (stream: string) =>
    streams.get(stream)?.at(-1)?.revision ?? lastOf(stream, await log.head(stream));

  return withCalls(log, {
    async append(stream: string, expected: Expected, events: readonly NewEvent[], options?: AppendOptions) {
      requireSizes(stream, events, log.capabilities.maxEventBytes);
      const last = await revisionOf(stream);
      if (!isAsExpected(expected, last)) throw conflict(stream, expected, last);
      const added = notes(stream, last + 1, events);
      noted.push(...added);
      const kept = streams.get(stream) ?? [];
      streams.set(stream, kept);
      for (const { revision, event } of added) {
        kept.push({ ...event, stream, revision, position: `rehearsed-${revision}` as Position, recordedAt: 0 });
      }
      if (options?.actor) heads.set(stream, options.actor);
      return { revision: last + events.length, position: kept.at(-1)?.position, deduplicated: false } as AppendResult;
    },
    async *readStream(stream: string, options: ReadStreamOptions = {}) {
      const { from = 0, limit = Infinity } = options;
      let left = limit;
      for await (const event of log.readStream(stream, options)) {
        left--;
        yield event;
      }
      // A fold reads forwards.
      for (const event of streams.get(stream) ?? []) if (event.revision >= from && left-- > 0) yield event;
    },
    async head(stream: string): Promise<StreamHead> {
      const head = await log.head(stream);
      const last = streams.get(stream)?.at(-1)?.revision;
      if (last === undefined || head.state === 'deleted') return head;
      return head.state === 'truncated' ? { ...head, revision: last } : { state: 'live', revision: last };
    },
    async actor(stream: string): Promise<ActorRow | undefined> {
      const row = await log.actor(stream);
      const head = heads.get(stream) ?? row;
      return head && { ...head, stream, revision: await revisionOf(stream) };
    },
    snapshots: { load: (stream) => log.snapshots.load(stream), save: async () => {} },
    definitions: { load: async (hash) => log.definitions?.load(hash), save: async () => {} },
    close: async () => {},
  });
}

function lastOf(stream: string, head: StreamHead): Revision {
  if (head.state === 'deleted') throw new StreamDeletedError(stream);
  return head.state === 'absent' ? -1 : head.revision;
}

function notes(stream: string, first: Revision, events: readonly NewEvent[]): Noted[] {
  return events.map((event, index) => ({ stream, revision: first + index, event }));
}
