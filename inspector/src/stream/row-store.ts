/**
 * The rows of a stream's timeline, in pages around what is looked at. Owns the cache.
 *
 * RS1  At most `pagesMax` pages are kept; those that were looked at longest ago go first.
 * RS2  A page that nobody looks at any more is not waited for.
 * RS3  A page at the end of the stream is asked for again when the stream has grown and it was not whole.
 */
import { signal, type ReadonlySignal } from '@preact/signals';
import type { Row, RowsView } from '../../../src/inspect/api.ts';
import { failureFrom, wasCalledOff, type ApiFailure, type PageApi } from '../shell/api.ts';

export interface RowStore {
  readonly failure: ReadonlySignal<ApiFailure | undefined>;
  /** What is at hand; read while drawing, it draws again when rows come. */
  get(revision: number): Row | undefined;
  /** Brings rows from..to (inclusive), and calls off what else is on its way. */
  want(from: number, to: number): void;
  /** The first row for which a predicate holds, from a revision on. Undefined where there is none up to the end. */
  find(from: number, step: 1 | -1, predicate: (row: Row) => boolean, signal: AbortSignal): Promise<Row | undefined>;
  /** As find, among what is at hand: 'unknown' where it would have to be asked for. */
  findNear(from: number, step: 1 | -1, predicate: (row: Row) => boolean): Row | undefined | 'unknown';
  /** Rows that were appended. */
  add(row: Row): void;
  close(): void;
}

export interface Extent {
  readonly first: number;
  readonly last: number;
}

interface Page {
  readonly rows: ReadonlyMap<number, Row>;
  /** The last revision that was there when it was asked for. */
  readonly upTo: number;
}

export const rowPageSize = 200;
const defaultPagesMax = 60;

export function createRowStore(
  api: PageApi,
  stream: string,
  extent: () => Extent,
  pagesMax: number = defaultPagesMax,
): RowStore {
  const pages = new Map<number, Page>();
  const asked = new Map<number, { readonly answer: Promise<Page>; readonly stop: AbortController; pinned: boolean }>();
  const version = signal(0);
  const failure = signal<ApiFailure | undefined>();
  const path = `/streams/${encodeURIComponent(stream)}/rows`;
  const numberOf = (revision: number) => Math.floor(revision / rowPageSize);

  const isCurrent = (number: number): boolean => {
    const page = pages.get(number);
    const end = Math.min((number + 1) * rowPageSize - 1, extent().last);
    return page !== undefined && page.upTo >= end;
  };
  const keep = (number: number, page: Page): void => {
    pages.delete(number);
    pages.set(number, page);
    const oldest = pages.size > pagesMax ? pages.keys().next().value : undefined;
    if (oldest !== undefined) pages.delete(oldest);
    version.value++;
  };
  const load = (number: number, pinned: boolean): Promise<Page> => {
    const running = asked.get(number);
    if (running) {
      running.pinned ||= pinned;
      return running.answer;
    }
    const stop = new AbortController();
    const { last } = extent();
    const from = number * rowPageSize;
    const answer = api
      .get<RowsView>(`${path}?from=${from}&limit=${rowPageSize}`, stop.signal)
      .then(({ rows }) => {
        const own = rows.filter(({ revision }) => numberOf(revision) === number);
        const upTo = Math.max(last, ...own.map(({ revision }) => revision));
        const page = { rows: new Map(own.map((row) => [row.revision, row])), upTo };
        failure.value = undefined;
        keep(number, page);
        return page;
      })
      .finally(() => asked.delete(number));
    asked.set(number, { answer, stop, pinned });
    return answer;
  };
  const touch = (number: number): Page | undefined => {
    const page = pages.get(number);
    if (page) {
      pages.delete(number);
      pages.set(number, page);
    }
    return page;
  };
  const pageAt = async (number: number, signal: AbortSignal): Promise<Page> => {
    signal.throwIfAborted();
    const page = isCurrent(number) ? pages.get(number)! : await load(number, true);
    signal.throwIfAborted();
    return page;
  };

  return {
    failure,
    get(revision) {
      void version.value; // whoever draws the row draws again when it comes
      return pages.get(numberOf(revision))?.rows.get(revision);
    },
    want(from, to) {
      const { first, last } = extent();
      const wanted = new Set<number>();
      for (let at = numberOf(Math.max(first, from)); at <= numberOf(Math.min(last, to)); at++) wanted.add(at);
      for (const [number, { stop, pinned }] of asked) if (!wanted.has(number) && !pinned) stop.abort();
      for (const number of wanted) {
        touch(number);
        if (isCurrent(number)) continue;
        load(number, false).catch((error: unknown) => {
          if (!wasCalledOff(error)) failure.value = failureFrom(error);
        });
      }
    },
    async find(from, step, predicate, signal) {
      const { first, last } = extent();
      for (let at = from; at >= first && at <= last; at += step) {
        const page = await pageAt(numberOf(at), signal);
        const end =
          step > 0 ? Math.min((numberOf(at) + 1) * rowPageSize - 1, last) : Math.max(numberOf(at) * rowPageSize, first);
        for (; step > 0 ? at <= end : at >= end; at += step) {
          const row = page.rows.get(at);
          if (row && predicate(row)) return row;
        }
        at -= step;
      }
      return undefined;
    },
    findNear(from, step, predicate) {
      const { first, last } = extent();
      for (let at = from; at >= first && at <= last; at += step) {
        const page = pages.get(numberOf(at));
        if (!page || page.upTo < at) return 'unknown';
        const row = page.rows.get(at);
        if (row && predicate(row)) return row;
      }
      return undefined;
    },
    add(row) {
      const number = numberOf(row.revision);
      const page = pages.get(number);
      const isNext = page ? page.upTo >= row.revision - 1 : row.revision % rowPageSize === 0;
      if (!isNext || (page && page.rows.has(row.revision))) return;
      keep(number, {
        rows: new Map(page?.rows).set(row.revision, row),
        upTo: Math.max(page?.upTo ?? 0, row.revision),
      });
    },
    close() {
      for (const { stop } of asked.values()) stop.abort();
    },
  };
}
