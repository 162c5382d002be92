/**
 * One append as one record: how events become two texts, and events again. Owns the encoding that stores with a row per append
 * share; runs no SQL.
 *
 * AR1  `heads` is JSON: [[id, type, schemaVersion, data length in UTF-16 units, meta, checksum], …]; `data` is the data
 *      of all events one after the other, untouched, so that no byte is escaped and none changes.
 * AR2  What does not decode to exactly `count` events with exactly `data` is a DamagedRecordError, never a guess.
 */
import { DamagedRecordError } from '../errors.ts';
import type { NewEvent, Position, RecordedEvent } from './event-log.ts';

export interface EncodedEvents {
  readonly count: number;
  readonly heads: string;
  readonly data: string;
}

export function encodeEvents(events: readonly NewEvent[]): EncodedEvents {
  const heads = events.map((event) => [
    event.id,
    event.type,
    event.schemaVersion,
    event.data.length,
    event.meta,
    event.checksum,
  ]);
  const data = events.length === 1 ? events[0]!.data : events.map((event) => event.data).join('');
  return { count: events.length, heads: JSON.stringify(heads), data };
}

/** A record of several events. */
export interface AppendRecord extends EncodedEvents {
  readonly revision: number;
  readonly recordedAt: number;
}

/** Where the events of a record are in the log, by their index in it. */
export type PositionAt = (index: number) => Position;

type EventHead = readonly [
  id: string,
  type: string,
  schemaVersion: number,
  length: number,
  meta: Record<string, string>,
  checksum: number,
];

/** The events of a record, in order of revision. @throws DamagedRecordError */
export function decodeRecord(stream: string, record: AppendRecord, positionAt: PositionAt): RecordedEvent[] {
  const heads = parseHeads(stream, record, positionAt);
  const events: RecordedEvent[] = [];
  let offset = 0;
  for (let index = 0; index < record.count; index++) {
    const [id, type, schemaVersion, length, meta, checksum] = heads[index]!;
    events.push({
      id,
      type,
      schemaVersion,
      data: record.data.slice(offset, offset + length),
      meta,
      checksum,
      stream,
      revision: record.revision + index,
      position: positionAt(index),
      recordedAt: record.recordedAt,
    });
    offset += length;
  }
  if (offset !== record.data.length) {
    throw damaged(stream, record, positionAt, `its data is ${record.data.length} characters long, expected ${offset}`);
  }
  return events;
}

/** The ids of the events of a record. @throws DamagedRecordError */
export function idsOfRecord(stream: string, record: AppendRecord, positionAt: PositionAt): string[] {
  return parseHeads(stream, record, positionAt).map((head) => head[0]);
}

/** The part of a record from its event `index` on. @throws DamagedRecordError */
export function cutRecord(stream: string, record: AppendRecord, index: number, positionAt: PositionAt): AppendRecord {
  const heads = parseHeads(stream, record, positionAt);
  const offset = heads.slice(0, index).reduce((sum, head) => sum + head[3], 0);
  return {
    revision: record.revision + index,
    count: record.count - index,
    recordedAt: record.recordedAt,
    heads: JSON.stringify(heads.slice(index)),
    data: record.data.slice(offset),
  };
}

function parseHeads(stream: string, record: AppendRecord, positionAt: PositionAt): EventHead[] {
  let heads: unknown;
  try {
    heads = JSON.parse(record.heads);
  } catch (cause) {
    throw damaged(stream, record, positionAt, 'its record is not JSON', cause);
  }
  if (!Array.isArray(heads) || heads.length !== record.count || !heads.every(isEventHead)) {
    throw damaged(stream, record, positionAt, `its record does not describe ${record.count} events`);
  }
  if (typeof record.data !== 'string') throw damaged(stream, record, positionAt, `its data is not text`);
  return heads;
}

function isEventHead(head: unknown): head is EventHead {
  if (!Array.isArray(head) || head.length !== 6) return false;
  const [id, type, schemaVersion, length, meta, checksum] = head as unknown[];
  return (
    typeof id === 'string' &&
    typeof type === 'string' &&
    typeof schemaVersion === 'number' &&
    typeof length === 'number' &&
    typeof meta === 'object' &&
    meta !== null &&
    typeof checksum === 'number'
  );
}

function damaged(
  stream: string,
  record: AppendRecord,
  positionAt: PositionAt,
  detail: string,
  cause?: unknown,
): DamagedRecordError {
  return new DamagedRecordError(stream, record.revision, detail, { cause, position: positionAt(record.count - 1) });
}
