/** A row of `appends`. Owns the columns and what they mean. */
import type { AppendRecord, PositionAt } from '../../log/append-record.ts';
import { positionOf } from './place.ts';

/** The columns that {@link recordOf} takes, in its order, of a table called `a`. */
export const recordColumns = 'a.tx, a.place, a.skipped, a.revision, a.count, a.recorded_at, a.heads, a.data';

export interface StoredAppend {
  readonly tx: number;
  readonly place: number;
  /** Index of its first event in the append as it was written. */
  readonly skipped: number;
  readonly record: AppendRecord;
  readonly positionAt: PositionAt;
}

/** The driver gives a bigint as text. */
export function recordOf(row: readonly unknown[]): StoredAppend {
  const [tx = 0, place = 0, skipped = 0, revision = 0, count = 0, recordedAt = 0] = row.slice(0, 6).map(Number);
  const [heads, data] = row.slice(6) as [string, string];
  return {
    ...{ tx, place, skipped },
    record: { revision, count, recordedAt, heads, data },
    positionAt: (index) => positionOf({ tx, place, index: skipped + index }),
  };
}
