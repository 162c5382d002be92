/**
 * Logs as JSON Lines. Owns the format of an exported file: how it is written, and how its lines are read.
 *
 *   { "v": 1, "type": "export", "rewake": …, "source": …, "payloads": "full" }
 *   { "type": "definition", "hash": …, "chart": … }
 *   { "type": "actor", "stream": …, "machine": …, "status": …, … }
 *   { "type": "event", "stream": …, "revision": …, "id": …, "eventType": …, "data": …, "meta": …, "checksum": …, … }
 *   { "type": "end", "actors": …, "events": … }
 *
 * EX1  Events are in the order of the log, so what causes comes before what is caused, and they keep ids, revisions and
 *      checksums.
 * EX2  A file that was cut, or changed, is noticed: it ends with its counts, and events have their checksums.
 * EX3  Memory does not grow with the events, only with the names of streams.
 * EX4  What is written while a log is exported is left out: an actor ends in the file where its entry says so.
 */
import { sealEvent, verifyEvent } from '../log/envelope.ts';
import { DamagedRecordError, InvalidArgumentError } from '../errors.ts';
import type { ActorRow, EventLog, NewEvent, Position, RecordedEvent } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import { DamagedExportError } from './damaged-export.ts';
import { isBeginning, isFact } from '../log/runtime-events.ts';
import { maskData, type PayloadMode } from './mask.ts';
import { rewakeVersion } from '../runtime/environment.ts';

const formatVersion = 1;

const eventsPerTurn = 1_024;

/** What is exported. */
export interface ExportOptions {
  /** Streams; all of them when omitted. */
  readonly streams?: ReadonlySet<string>;
  readonly payloads?: PayloadMode;
  readonly onProgress?: (events: number) => void;
  readonly signal?: AbortSignal;
}

/** The lines of an export, without their line ends. */
export async function* exportLines(log: EventLog, options: ExportOptions = {}): AsyncGenerator<string, undefined> {
  const { streams, payloads = 'full', onProgress, signal } = options;
  yield JSON.stringify({ v: formatVersion, type: 'export', rewake: rewakeVersion, source: log.name, payloads });
  const counts = { actors: 0, events: 0 };
  const isWanted = (stream: string) => !streams || streams.has(stream);
  const ends = new Map<string, number>();
  const lasts = new Map<string, number>();
  for await (const row of log.actors()) {
    if (!isWanted(row.stream)) continue;
    counts.actors++;
    ends.set(row.stream, row.revision);
    yield JSON.stringify({ type: 'actor', ...row });
  }
  const defined = new Set<string>();
  for await (const event of eventsOf(log, streams, signal)) {
    if (!isWanted(event.stream)) continue;
    if (event.revision > (ends.get(event.stream) ?? (await endOfOther(log, event.stream, ends)))) continue;
    for (const hash of definitionsIn(event)) {
      if (defined.has(hash)) continue;
      defined.add(hash);
      const chart = await log.definitions?.load(hash);
      if (chart !== undefined) yield JSON.stringify({ type: 'definition', hash, chart: JSON.parse(chart) as Json });
    }
    requireNext(event, lasts);
    counts.events++;
    yield eventLine(event, payloads);
    if (counts.events % eventsPerTurn !== 0) continue;
    onProgress?.(counts.events);
    // Signals are heard between turns.
    await new Promise<void>((resolve) => setImmediate(resolve));
    signal?.throwIfAborted();
  }
  yield JSON.stringify({ type: 'end', ...counts });
}

/** A record that is missing is damage: a reader of the whole log passes over it. */
function requireNext({ stream, revision }: RecordedEvent, lasts: Map<string, number>): void {
  const last = lasts.get(stream);
  if (last !== undefined && revision > last + 1)
    throw new DamagedRecordError(stream, last + 1, 'the record is missing');
  lasts.set(stream, revision);
}

/** EX4. A stream without an entry has no actor, or has it only by now. */
async function endOfOther(log: EventLog, stream: string, ends: Map<string, number>): Promise<number> {
  const end = (await log.actor(stream)) ? -1 : Infinity;
  ends.set(stream, end);
  return end;
}

/** A few streams are read one by one, and put in order; a whole log as it is. */
async function* eventsOf(
  log: EventLog,
  streams: ReadonlySet<string> | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<RecordedEvent, undefined> {
  const reading = signal ? { signal } : {};
  if (streams?.size !== 1) {
    yield* log.readAll(reading);
    return undefined;
  }
  for (const stream of streams) yield* log.readStream(stream, reading);
  return undefined;
}

/** Hashes of the definitions that an event names. */
function definitionsIn(event: RecordedEvent): string[] {
  if (isFact(event) || (!isBeginning(event) && event.type !== 'ActorResumed')) return [];
  const { definition, changed } = JSON.parse(event.data) as { definition?: string; changed?: { to?: string } };
  return [definition, changed?.to].filter((hash) => hash !== undefined);
}

function eventLine(event: RecordedEvent, payloads: PayloadMode): string {
  const { stream, revision, id, type: eventType, schemaVersion, meta, recordedAt } = event;
  const sealed = payloads === 'full' ? event : masked(event, payloads);
  const { data, checksum } = sealed;
  const fields = { stream, revision, id, eventType, schemaVersion, recordedAt, meta, checksum };
  return JSON.stringify({ type: 'event', ...fields, ...contentOf(data) });
}

/** JSON as JSON, where that gives the very text again. */
function contentOf(data: string): { readonly data: Json } | { readonly text: string } {
  try {
    const json = JSON.parse(data) as Json;
    if (JSON.stringify(json) === data) return { data: json };
  } catch {
    // It is carried as it is.
  }
  return { text: data };
}

function masked({ stream, revision, ...event }: RecordedEvent, payloads: PayloadMode): NewEvent {
  const data = JSON.stringify(maskData(event, JSON.parse(event.data) as Json, payloads));
  const { id, type, schemaVersion, meta } = event;
  return sealEvent({ id, type, schemaVersion, meta, data }, { stream, revision });
}

/** One line of an exported file, checked as far as it is looked at. */
export type ExportItem =
  | { readonly type: 'export'; readonly payloads: PayloadMode; readonly source: string }
  | { readonly type: 'actor'; readonly row: ActorRow }
  | { readonly type: 'definition'; readonly hash: string; readonly chart: string }
  | {
      readonly type: 'event';
      readonly stream: string;
      readonly revision: number;
      readonly event: NewEvent;
      readonly recordedAt: number;
    };

type Fields = { readonly [key: string]: Json | undefined };

/**
 * Reads an exported file line by line.
 * @param name of the file, for messages
 * @throws DamagedExportError naming the line that is not as it should be
 * @throws InvalidArgumentError for a file that is none, or of another version
 */
export async function* exportItems(lines: AsyncIterable<string>, name: string): AsyncGenerator<ExportItem, undefined> {
  const counts = { actors: 0, events: 0 };
  const ends = new Map<string, number>();
  const lasts = new Map<string, number>();
  let number = 0;
  let ended = false;
  for await (const line of lines) {
    number++;
    if (line.trim() === '') continue;
    const strange = (expected: string, found: unknown) => {
      const { message } = InvalidArgumentError.of(`'${name}', line ${number}`, expected, found);
      return new InvalidArgumentError(`${message} Export it again.`);
    };
    const wrong = (expected: string, found: unknown) => new DamagedExportError(strange(expected, found).message);
    if (ended) throw wrong('nothing after the end', line);
    const fields = parsed(line, wrong);
    if (number === 1) {
      if (fields.type !== 'export') throw strange('the head of an export of rewake', line);
      if (fields.v !== formatVersion) {
        throw strange(`version ${formatVersion} of the format: this version of rewake reads no other`, fields.v);
      }
    }
    switch (fields.type) {
      case 'export':
        yield { type: 'export', payloads: fields.payloads as PayloadMode, source: fields.source as string };
        break;
      case 'actor':
        counts.actors++;
        yield actorItem(fields, ends, wrong);
        break;
      case 'definition':
        yield { type: 'definition', hash: fields.hash as string, chart: JSON.stringify(fields.chart) };
        break;
      case 'event':
        counts.events++;
        yield eventItem(fields, lasts, wrong);
        break;
      case 'end':
        if (fields.events !== counts.events || fields.actors !== counts.actors) {
          throw wrong(
            `${JSON.stringify(fields.events)} events of ${JSON.stringify(fields.actors)} actors`,
            `${counts.events} of ${counts.actors}`,
          );
        }
        for (const [stream, end] of ends) {
          if (lasts.get(stream) !== end)
            throw wrong(`events of '${stream}' up to revision ${end}`, lasts.get(stream) ?? 'none');
        }
        ended = true;
        break;
      default:
        throw wrong('a line of an export', line);
    }
  }
  if (!ended) {
    throw new DamagedExportError(
      `'${name}' was cut after line ${number}: its last line, which says how much there is, is missing. Export it again.`,
    );
  }
}

type Wrong = (expected: string, found: unknown) => DamagedExportError;

function parsed(line: string, wrong: Wrong): Fields {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Fields;
  } catch {
    // Said below.
  }
  throw wrong('a JSON object', line);
}

function actorItem({ type: _, ...row }: Fields, ends: Map<string, number>, wrong: Wrong): ExportItem {
  const { stream, revision, machine, status, correlationId } = row;
  const isRow =
    [stream, machine, status, correlationId].every((value) => typeof value === 'string') &&
    typeof revision === 'number';
  if (!isRow) throw wrong('an actor with stream, revision, machine, status and correlationId', JSON.stringify(row));
  ends.set(stream as string, revision);
  return { type: 'actor', row: row as unknown as ActorRow };
}

/** @param lasts the last revision of each stream so far */
function eventItem(fields: Fields, lasts: Map<string, number>, wrong: Wrong): ExportItem {
  const { stream, revision, id, eventType, schemaVersion, recordedAt, meta, checksum, data, text } = fields;
  const isEvent =
    [stream, id, eventType].every((value) => typeof value === 'string') &&
    [revision, schemaVersion, recordedAt, checksum].every((value) => typeof value === 'number') &&
    typeof meta === 'object' &&
    (data !== undefined || typeof text === 'string');
  if (!isEvent)
    throw wrong(
      'an event with stream, revision, id, eventType, schemaVersion, recordedAt, meta, checksum and data',
      JSON.stringify(fields),
    );
  const event = {
    ...{ id, type: eventType, schemaVersion, meta, checksum },
    data: typeof text === 'string' ? text : JSON.stringify(data),
  } as NewEvent;
  const place = { stream: stream as string, revision: revision as number };
  const last = lasts.get(place.stream);
  if (last !== undefined && place.revision !== last + 1)
    throw wrong(`revision ${last + 1} of '${place.stream}', which follows`, place.revision);
  lasts.set(place.stream, place.revision);
  requireIntact({ ...event, ...place, position: '' as Position, recordedAt: 0 }, wrong);
  return {
    type: 'event',
    stream: stream as string,
    revision: revision as number,
    event,
    recordedAt: recordedAt as number,
  };
}

/** EX2. */
function requireIntact(event: RecordedEvent, wrong: Wrong): void {
  try {
    verifyEvent(event);
  } catch {
    throw wrong(
      `an event that its checksum ${event.checksum} is right for`,
      `one that was changed: ${event.type} at revision ${event.revision} of '${event.stream}'`,
    );
  }
}
