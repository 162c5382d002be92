/**
 * A fake of the engine that runs projections inside KurrentDB: `fromAll`, `fromCategory`, `foreachStream`, `when`,
 * `transformBy` and `outputState`, run on events in a sandbox of node:vm. Owns only what those do there.
 *
 * KF1  As there, the source is run once, the functions that define it are gone afterwards, and `eval` was never there.
 * KF2  As there, a state is JSON between two events: it may be written down and read again after each one. What JSON has
 *      not, such as NaN, is refused.
 * KF3  As there, an event has no position and no time of its own, and `bodyRaw` and `metadataRaw` are text.
 */
import { createContext, runInContext } from 'node:vm';
import type { RecordedEvent } from 'rewake';

type Handler = (state: unknown, event: object) => unknown;

interface Definition {
  category?: string;
  byStream?: boolean;
  handlers?: Record<string, Handler>;
  transforms: ((state: unknown) => unknown)[];
}

/** Runs a source on the events of a log. Answers with the result of each partition; '' is the one of a whole. */
export function runInKurrent(source: string, events: readonly RecordedEvent[]): Record<string, unknown> {
  const definition: Definition = { transforms: [] };
  const after = {
    transformBy: (fn: (state: unknown) => unknown) => (definition.transforms.push(fn), after),
    outputState: () => after,
  };
  const when = { when: (handlers: Record<string, Handler>) => ((definition.handlers = handlers), after) };
  const selected = { ...when, foreachStream: () => ((definition.byStream = true), when) };
  const engine = createContext(
    {
      fromAll: () => selected,
      fromCategory: (category: string) => ((definition.category = category), selected),
    },
    { codeGeneration: { strings: false, wasm: false } },
  );
  runInContext(source, engine);
  runInContext('delete globalThis.fromAll; delete globalThis.fromCategory; delete globalThis.Date;', engine);
  const { category, byStream, handlers = {}, transforms } = definition;
  const states = new Map<string, string>();
  for (const event of events) {
    if (category !== undefined && event.stream.split('-')[0] !== category) continue;
    const handler = handlers[event.type] ?? handlers.$any;
    if (!handler) continue;
    const partition = byStream ? event.stream : '';
    const before = states.get(partition);
    const state: unknown = before === undefined ? handlers.$init?.(undefined, {}) : JSON.parse(before);
    states.set(partition, jsonOf(handler(state, envelope(event, partition))));
  }
  const results = [...states].map(([partition, state]) => [
    partition,
    JSON.parse(
      jsonOf(transforms.reduce((value, transform) => transform(value), JSON.parse(state) as unknown)),
    ) as unknown,
  ]);
  return Object.fromEntries(results) as Record<string, unknown>;
}

function envelope(event: RecordedEvent, partition: string): object {
  return {
    ...{ partition, streamId: event.stream, sequenceNumber: event.revision, eventType: event.type, eventId: event.id },
    ...{ isJson: true, bodyRaw: event.data, metadataRaw: JSON.stringify(event.meta), linkMetadataRaw: null },
    category: event.stream.split('-')[0],
  };
}

function jsonOf(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) => {
    if (typeof inner === 'number' && !Number.isFinite(inner)) throw new Error(`A state holds ${inner}.`);
    return inner;
  });
}
