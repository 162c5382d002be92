/**
 * A stream line by line, and single events as they are on record. Owns how damage is shown in its place.
 *
 * RV1  A line needs neither a fold nor code, and what is damaged does not hide what follows it.
 */
import { DamagedRecordError, InvalidArgumentError } from '../errors.ts';
import type { EventLog, RecordedEvent, Revision } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import { isIntact } from '../log/envelope.ts';
import { lineOf, type SourceOf } from '../replay/label.ts';
import { maskData, type PayloadMode } from '../replay/mask.ts';
import type { RawEvent, Row, RowsView } from './api.ts';

const limitMax = 2_000;

/** @param sourceOf names effects that their definition gave no id */
export async function rowsView(
  log: EventLog,
  stream: string,
  { from, limit: wanted, sourceOf }: { readonly from: Revision; readonly limit: number; readonly sourceOf: SourceOf },
): Promise<RowsView> {
  const limit = Math.min(wanted, limitMax);
  const rows: Row[] = [];
  try {
    for await (const event of log.readStream(stream, { from, limit: limit + 1 })) {
      if (rows.length === limit) return { rows, next: event.revision };
      rows.push(rowOf(event, sourceOf));
    }
    return { rows, next: null };
  } catch (error) {
    if (!(error instanceof DamagedRecordError)) throw error;
    return damagedRows(log, stream, { from, limit, sourceOf }, error);
  }
}

/** Of one event that is intact. */
export function rowOf(event: RecordedEvent, sourceOf?: SourceOf): Row {
  const { stream, revision, type } = event;
  return { stream, revision, type, at: timeOf(event), ...lineOf(event, sourceOf) };
}

/** In the place of an event that cannot be read. @param at the time of the one before it */
export function damagedRow(
  { stream, revision, detail }: Pick<DamagedRecordError, 'stream' | 'revision' | 'detail'>,
  at = 0,
): Row {
  return {
    ...{ stream, revision, type: '', label: 'damaged', at, actor: '/' },
    ...{ isFact: false, to: null, kind: 'damaged', message: detail },
  };
}

function timeOf({ data, recordedAt }: RecordedEvent): number {
  const at = /^\{"at":(\d+)/.exec(data)?.[1];
  return at === undefined ? recordedAt : Number(at);
}

/** RV1. As the store keeps the stream, record by record. */
async function damagedRows(
  log: EventLog,
  stream: string,
  { from, limit, sourceOf }: { readonly from: Revision; readonly limit: number; readonly sourceOf: SourceOf },
  error: DamagedRecordError,
): Promise<RowsView> {
  const rows: Row[] = [];
  const damaged = (revision: Revision, detail: string) => damagedRow({ stream, revision, detail }, rows.at(-1)?.at);
  if (!log.stored) return { rows: [damaged(error.revision, error.message)], next: null };
  for await (const stored of log.stored(stream)) {
    for await (const { revision, events, fault } of stored.records()) {
      if (fault !== undefined && revision >= from) rows.push(damaged(revision, fault));
      for (const event of events) {
        if (event.revision < from) continue;
        rows.push(
          isIntact(event)
            ? rowOf(event, sourceOf)
            : damaged(event.revision, 'its checksum does not fit: it was changed, or it belongs elsewhere'),
        );
      }
      if (rows.length > limit) return { rows: rows.slice(0, limit), next: rows[limit]!.revision };
    }
  }
  return { rows, next: null };
}

/** One event as it is on record. @throws InvalidArgumentError where there is none */
export async function rawEvent(
  log: EventLog,
  stream: string,
  revision: Revision,
  mode: PayloadMode,
): Promise<RawEvent> {
  for await (const event of log.readStream(stream, { from: revision, limit: 1 })) {
    if (event.revision !== revision) break;
    const { id, type, schemaVersion, position, recordedAt, meta, data } = event;
    const shown = maskData(event, JSON.parse(data) as Json, mode);
    return { id, type, schemaVersion, stream, revision, position, recordedAt, meta, data: shown };
  }
  throw InvalidArgumentError.of(`event of '${stream}'`, 'a revision that is in the stream', revision);
}
