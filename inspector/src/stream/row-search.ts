/**
 * The rows that a filter keeps: a walk over the whole stream. Owns what was found so far.
 *
 * RM1  What was found is in order and grows at the end; it can be shown while the walk goes on.
 * RM2  At most `rowsKept` rows are kept; of more, the revisions alone, and the rows come from the row store again.
 */
import { signal, type ReadonlySignal } from '@preact/signals';
import type { Row, RowsView } from '../../../src/inspect/api.ts';
import { failureFrom, wasCalledOff, type ApiFailure, type PageApi } from '../shell/api.ts';
import type { Extent } from './row-store.ts';

export interface RowSearchState {
  /** How far it has come; the end of the stream when it is through. */
  readonly searchedTo: number;
  readonly isThrough: boolean;
  readonly failure: ApiFailure | undefined;
  readonly count: number;
}

export interface RowSearch {
  readonly state: ReadonlySignal<RowSearchState>;
  revisionAt(index: number): number | undefined;
  get(revision: number): Row | undefined;
  /** Index of the first match at a revision or behind it; `count` where there is none. */
  indexFrom(revision: number): number;
  add(row: Row): void;
  again(): void;
  close(): void;
}

const pageSize = 1000;
const rowsKept = 10_000;

export function createRowSearch(
  api: PageApi,
  stream: string,
  keeps: (row: Row) => boolean,
  { first }: Pick<Extent, 'first'>,
): RowSearch {
  const closing = new AbortController();
  const found: number[] = [];
  const kept = new Map<number, Row>();
  const path = `/streams/${encodeURIComponent(stream)}/rows`;
  const state = signal<RowSearchState>({ searchedTo: first - 1, isThrough: false, failure: undefined, count: 0 });

  const take = (row: Row): void => {
    if (!keeps(row)) return;
    found.push(row.revision);
    if (kept.size < rowsKept) kept.set(row.revision, row);
  };
  const walk = async (): Promise<void> => {
    let from: number | null = state.peek().searchedTo + 1;
    while (from !== null) {
      const page: RowsView = await api.get<RowsView>(`${path}?from=${from}&limit=${pageSize}`, closing.signal);
      const { searchedTo } = state.peek();
      for (const row of page.rows) if (row.revision > searchedTo) take(row);
      const last = page.rows.at(-1)?.revision ?? searchedTo;
      from = page.next;
      state.value = { searchedTo: last, isThrough: from === null, failure: undefined, count: found.length };
    }
  };
  const begin = () => {
    walk().catch((error: unknown) => {
      if (!wasCalledOff(error)) state.value = { ...state.peek(), failure: failureFrom(error) };
    });
  };
  begin();

  const indexFrom = (revision: number): number => {
    let low = 0;
    let high = found.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (found[middle]! < revision) low = middle + 1;
      else high = middle;
    }
    return low;
  };

  return {
    state,
    revisionAt: (index) => found[index],
    get: (revision) => kept.get(revision),
    indexFrom,
    add(row) {
      const { isThrough, searchedTo } = state.peek();
      if (!isThrough || row.revision !== searchedTo + 1) return;
      take(row);
      state.value = { ...state.peek(), searchedTo: row.revision, count: found.length };
    },
    again: begin,
    close: () => closing.abort(),
  };
}
