/**
 * A row of `appends`, and its place in the log. Owns the columns; what is in a row is log/append-record.ts.
 */
import { cutRecord, decodeRecord, idsOfRecord, type AppendRecord, type PositionAt } from '../../log/append-record.ts';
import type { Position, RecordedEvent } from '../../log/event-log.ts';
import type { SqlRow } from './driver.ts';

export { encodeEvents, type EncodedEvents } from '../../log/append-record.ts';

/** The columns {@link decodeRow} expects, in its order. */
export const appendColumns = 'position, revision, count, recorded_at, heads, data';

/** A row of `appends`, decoded as far as its place and size. */
export interface AppendRow extends AppendRecord {
  readonly position: number;
}

export function appendRow(row: SqlRow): AppendRow {
  const [position, revision, count, recordedAt, heads, data] = row as [number, number, number, number, string, string];
  return { position, revision, count, recordedAt, heads, data };
}

/** The events of a row, in order of revision. @throws DamagedRecordError */
export function decodeRow(stream: string, row: AppendRow): RecordedEvent[] {
  return decodeRecord(stream, row, placesOf(row));
}

/** The ids of the events of a row. @throws DamagedRecordError */
export function idsOfRow(stream: string, row: AppendRow): string[] {
  return idsOfRecord(stream, row, placesOf(row));
}

/** The part of a row from `revision` on, as a row of its own. */
export function cutRow(stream: string, row: AppendRow, revision: number): AppendRow {
  const index = revision - row.revision;
  return { ...cutRecord(stream, row, index, placesOf(row)), position: row.position + index };
}

function placesOf({ position }: AppendRow): PositionAt {
  return (index) => positionOf(position + index);
}

/** A place in the log as the port speaks of it. */
export function positionOf(place: number): Position {
  return String(place) as Position;
}
