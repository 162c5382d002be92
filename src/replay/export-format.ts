/**
 * Logs as JSON Lines. Owns the format of an exported file: how it is written, and how one is read as a log.
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
 * EX3  Memory does not grow with what is written.
 */
import { sealEvent } from '../log/envelope.ts';
import { InvalidArgumentError, LogReadOnlyError } from '../errors.ts';
import type { ActorHead, ActorRow, EventLog, NewEvent, RecordedEvent } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import { memoryLog } from '../log/memory-log.ts';
import { isBeginning } from '../log/runtime-events.ts';
import { maskData, type PayloadMode } from './mask.ts';
import { rewakeVersion } from '../runtime/environment.ts';

const formatVersion = 1;

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
  for await (const row of log.actors()) {
    if (!isWanted(row.stream)) continue;
    counts.actors++;
    yield JSON.stringify({ type: 'actor', ...row });
  }
  const defined = new Set<string>();
  for await (const event of eventsOf(log, streams, signal)) {
    if (!isWanted(event.stream)) continue;
    for (const hash of definitionsIn(event)) {
      if (defined.has(hash)) continue;
      defined.add(hash);
      const chart = await log.definitions?.load(hash);
      if (chart !== undefined) yield JSON.stringify({ type: 'definition', hash, chart: JSON.parse(chart) as Json });
    }
    counts.events++;
    if (counts.events % 1_024 === 0) onProgress?.(counts.events);
    yield eventLine(event, payloads);
  }
  yield JSON.stringify({ type: 'end', ...counts });
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
  if (!isBeginning(event) && event.type !== 'ActorResumed') return [];
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
 * @throws InvalidArgumentError naming the line that is not as it should be
 */
export async function* exportItems(lines: AsyncIterable<string>, name: string): AsyncGenerator<ExportItem, undefined> {
  const counts = { actors: 0, events: 0 };
  let number = 0;
  let ended = false;
  for await (const line of lines) {
    number++;
    if (line.trim() === '') continue;
    const wrong = (expected: string, found: unknown) =>
      InvalidArgumentError.of(`'${name}', line ${number}`, `${expected}. Export it again`, found);
    if (ended) throw wrong('nothing after the end', line);
    const fields = parsed(line, wrong);
    if (number === 1) {
      if (fields.type !== 'export') throw wrong('the head of an export of rewake', line);
      if (fields.v !== formatVersion) {
        throw wrong(`version ${formatVersion} of the format: this version of rewake reads no other`, fields.v);
      }
    }
    switch (fields.type) {
      case 'export':
        yield { type: 'export', payloads: fields.payloads as PayloadMode, source: String(fields.source) };
        break;
      case 'actor':
        counts.actors++;
        yield { type: 'actor', row: fields as unknown as ActorRow };
        break;
      case 'definition':
        yield { type: 'definition', hash: String(fields.hash), chart: JSON.stringify(fields.chart) };
        break;
      case 'event':
        counts.events++;
        yield eventItem(fields, wrong);
        break;
      case 'end':
        if (fields.events !== counts.events || fields.actors !== counts.actors) {
          throw wrong(
            `${String(fields.events)} events of ${String(fields.actors)} actors`,
            `${counts.events} of ${counts.actors}`,
          );
        }
        ended = true;
        break;
      default:
        throw wrong('a line of an export', line);
    }
  }
  if (!ended) {
    throw InvalidArgumentError.of(
      `'${name}'`,
      'a last line that says how much there is. Export it again',
      `a file cut after line ${number}`,
    );
  }
}

type Wrong = (expected: string, found: unknown) => InvalidArgumentError;

function parsed(line: string, wrong: Wrong): Fields {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Fields;
  } catch {
    // Said below.
  }
  throw wrong('a JSON object', line);
}

function eventItem(fields: Fields, wrong: Wrong): ExportItem {
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
  return {
    type: 'event',
    stream: stream as string,
    revision: revision as number,
    event,
    recordedAt: recordedAt as number,
  };
}

/**
 * An exported file as a log in memory that is only read.
 * @param name of the file, for messages
 */
export async function readExport(lines: AsyncIterable<string>, name: string): Promise<EventLog> {
  let now = 0;
  const log = memoryLog({
    clock: { now: () => now, setTimer: () => () => {} },
    maxEventBytes: Number.MAX_SAFE_INTEGER,
  });
  const heads = new Map<string, ActorHead>();
  const next = new Map<string, number>();
  for await (const item of exportItems(lines, name)) {
    if (item.type === 'actor') heads.set(item.row.stream, item.row);
    if (item.type === 'definition') await log.definitions!.save(item.hash, item.chart);
    if (item.type !== 'event') continue;
    const { stream, revision, event, recordedAt } = item;
    now = recordedAt;
    const at = next.get(stream) ?? 0;
    if (at === 0 && revision > 0) await fillUp(log, stream, revision);
    const head = heads.get(stream);
    await log.append(
      stream,
      at === 0 && revision > 0 ? revision - 1 : at - 1 < 0 ? 'no-stream' : at - 1,
      [event],
      head ? { actor: head } : {},
    );
    next.set(stream, revision + 1);
  }
  return readOnly(log, `exported file '${name}'`);
}

/** A stream that was compacted begins later than at 0. */
async function fillUp(log: EventLog, stream: string, before: number): Promise<void> {
  const filler = (at: number) =>
    sealEvent({ id: `before-${stream}-${at}`, type: 'Before', schemaVersion: 1, data: '{}', meta: {} });
  await log.append(
    stream,
    'no-stream',
    Array.from({ length: before }, (_, at) => filler(at)),
  );
  await log.truncate(stream, before);
}

const writing = new Set(['append', 'appendMany', 'lease', 'truncate', 'delete', 'quarantine']);

function readOnly(log: EventLog, name: string): EventLog {
  return new Proxy(log, {
    get(target, key) {
      if (key === 'name') return name;
      const refused = () => Promise.reject(new LogReadOnlyError(name, 'that'));
      if (writing.has(String(key))) return refused;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
