/**
 * One append as one row: how events become two columns of text, and events again. Owns the encoding; runs no SQL.
 *
 * AR1  `heads` is JSON: [[id, type, schemaVersion, data length in UTF-16 units, meta, checksum], …]; `data` is the data
 *      of all events one after the other, untouched, so that no byte is escaped and none changes.
 * AR2  What does not decode to exactly `count` events with exactly `data` is a DamagedRecordError, never a guess.
 */
import { DamagedRecordError } from '../../errors.ts';
import type { NewEvent, Position, RecordedEvent } from '../../log/event-log.ts';
import type { SqlRow } from './driver.ts';

/** The columns {@link decodeRow} expects, in its order. */
export const appendColumns = 'position, revision, count, recorded_at, heads, data';

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

/** A row of `appends`, decoded as far as its place and size. */
export interface AppendRow {
  readonly position: number;
  readonly revision: number;
  readonly count: number;
  readonly recordedAt: number;
  readonly heads: string;
  readonly data: string;
}

export function appendRow(row: SqlRow): AppendRow {
  const [position, revision, count, recordedAt, heads, data] = row as [number, number, number, number, string, string];
  return { position, revision, count, recordedAt, heads, data };
}

type EventHead = readonly [
  id: string,
  type: string,
  schemaVersion: number,
  length: number,
  meta: Record<string, string>,
  checksum: number,
];

/** The events of a row, in order of revision. @throws DamagedRecordError */
export function decodeRow(stream: string, row: AppendRow): RecordedEvent[] {
  const heads = parseHeads(stream, row);
  const events: RecordedEvent[] = [];
  let offset = 0;
  for (let index = 0; index < row.count; index++) {
    const [id, type, schemaVersion, length, meta, checksum] = heads[index]!;
    events.push({
      id,
      type,
      schemaVersion,
      data: row.data.slice(offset, offset + length),
      meta,
      checksum,
      stream,
      revision: row.revision + index,
      position: positionOf(row.position + index),
      recordedAt: row.recordedAt,
    });
    offset += length;
  }
  if (offset !== row.data.length) {
    throw damaged(stream, row, `its data is ${row.data.length} characters long, expected ${offset}`);
  }
  return events;
}

/** The ids of the events of a row. @throws DamagedRecordError */
export function idsOfRow(stream: string, row: AppendRow): string[] {
  return parseHeads(stream, row).map((head) => head[0]);
}

/** The part of a row from `revision` on, as a row of its own. */
export function cutRow(stream: string, row: AppendRow, revision: number): AppendRow {
  const heads = parseHeads(stream, row);
  const cut = revision - row.revision;
  const offset = heads.slice(0, cut).reduce((sum, head) => sum + head[3], 0);
  return {
    position: row.position + cut,
    revision,
    count: row.count - cut,
    recordedAt: row.recordedAt,
    heads: JSON.stringify(heads.slice(cut)),
    data: row.data.slice(offset),
  };
}

function parseHeads(stream: string, row: AppendRow): EventHead[] {
  let heads: unknown;
  try {
    heads = JSON.parse(row.heads);
  } catch (cause) {
    throw damaged(stream, row, 'its record is not JSON', cause);
  }
  if (!Array.isArray(heads) || heads.length !== row.count || !heads.every(isEventHead)) {
    throw damaged(stream, row, `its record does not describe ${row.count} events`);
  }
  if (typeof row.data !== 'string') throw damaged(stream, row, `its data is not text`);
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

function damaged(stream: string, row: AppendRow, detail: string, cause?: unknown): DamagedRecordError {
  const position = positionOf(row.position + row.count - 1);
  return new DamagedRecordError(stream, row.revision, detail, { cause, position });
}

/** A place in the log as the port speaks of it. */
export function positionOf(place: number): Position {
  return String(place) as Position;
}
