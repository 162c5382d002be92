/**
 * Going from row to row of a timeline. Owns which row is next.
 *
 * ST1  A step leads to the next stimulus; with a filter, to the next row that it keeps.
 * ST2  What is at hand is gone to at once; what is not is looked for, and only the newest such search goes on.
 */
import type { Row } from '../../../src/inspect/api.ts';
import { wasCalledOff } from '../shell/api.ts';
import type { RowStore } from './row-store.ts';

export type StepKind = 'row' | 'change';

export interface Steps {
  /** @param from the row that is shown; for a step forwards, the last of its frame */
  step(kind: StepKind, direction: 1 | -1, from: number): void;
  close(): void;
}

export interface StepsOptions {
  readonly rows: RowStore;
  /** Undefined without a filter. */
  readonly keeps: ((row: Row) => boolean) | undefined;
  readonly onRow: (row: Row) => void;
  readonly onFailure: (error: unknown) => void;
}

export function createSteps({ rows, keeps, onRow, onFailure }: StepsOptions): Steps {
  const isStimulus = (row: Row) => !row.isFact && row.kind !== 'damaged';
  const isChange = (row: Row) => isStimulus(row) && row.to !== null;
  let search: AbortController | undefined;
  return {
    step(kind, direction, from) {
      const isStop = kind === 'change' ? isChange : (keeps ?? isStimulus);
      search?.abort();
      const near = rows.findNear(from + direction, direction, isStop);
      if (near === undefined) return;
      if (near !== 'unknown') return onRow(near);
      const own = new AbortController();
      search = own;
      rows.find(from + direction, direction, isStop, own.signal).then(
        (row) => {
          if (row && !own.signal.aborted) onRow(row);
        },
        (error: unknown) => {
          if (!own.signal.aborted && !wasCalledOff(error)) onFailure(error);
        },
      );
    },
    close: () => search?.abort(),
  };
}
