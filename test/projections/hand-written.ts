/**
 * Events written by hand, as their machines write them, for what no machine of this project tells yet. Owns their shape.
 */
import { memoryLog, type EventLog, type RecordedEvent } from 'rewake';
import type { Projection } from 'rewake/projections';
import { seededRandom, uuidv7Source } from '../../src/clock.ts';
import { sealEvent } from '../../src/log/envelope.ts';
import { resultOf } from '../../projections/projection.ts';
import { advanced, beginning } from '../../projections/reading.ts';

/** An event to be, without its place. */
export interface Written {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  readonly actor?: string;
  readonly stream: string;
  readonly correlationId: string;
}

interface Place {
  readonly stream?: string;
  readonly actor?: string;
  readonly correlationId?: string;
}

/** A fact of the root of `order-1`, unless told otherwise. */
export function fact(type: string, data: object, place: Place = {}): Written {
  const { stream = 'order-1', actor = '/', correlationId = 'c-1' } = place;
  return { type, data: { type, ...data }, actor, stream, correlationId };
}

/** One of the runtime's events of `order-1`; `at` is its place in the list unless it says so itself. */
export function stimulus(type: string, data: object, place: Place = {}): Written {
  const { stream = 'order-1', correlationId = 'c-1' } = place;
  return { type, data: { ...data }, stream, correlationId };
}

const nextId = uuidv7Source(() => 0, seededRandom(1));

/** The events as a log gives them back: a second apart, each caused by the stimulus before it. */
function recorded(events: readonly Written[]): RecordedEvent[] {
  const revisions = new Map<string, number>();
  let cause = '';
  return events.map(({ type, data, actor, stream, correlationId }, index) => {
    const id = nextId();
    if (actor === undefined) cause = id;
    const revision = revisions.get(stream) ?? 0;
    revisions.set(stream, revision + 1);
    const meta = { $correlationId: correlationId, $causationId: cause, ...(actor !== undefined && { actor }) };
    const whole = actor === undefined ? { at: index * 1_000, ...data } : data;
    const sealed = sealEvent({ id, type, schemaVersion: 1, data: JSON.stringify(whole), meta });
    return { ...sealed, stream, revision, position: String(index) as RecordedEvent['position'], recordedAt: 0 };
  });
}

/** What a projection says of these events. */
export function foldOf<State, Result>(projection: Projection<State, Result>, events: readonly Written[]): Result {
  return foldOfRecorded(projection, recorded(events));
}

/** What a projection says of events of a log. */
export function foldOfRecorded<State, Result>(
  projection: Projection<State, Result>,
  events: readonly RecordedEvent[],
): Result {
  let progress = beginning(projection);
  for (const event of events) progress = advanced(progress, { type: 'event', event }, projection, {});
  return resultOf(projection, progress.state);
}

/** A log that holds these events. */
export async function logOf(events: readonly Written[], log: EventLog = memoryLog()): Promise<EventLog> {
  for (const { stream, revision: _, position: __, recordedAt: ___, ...event } of recorded(events))
    await log.append(stream, 'any', [event]);
  return log;
}
