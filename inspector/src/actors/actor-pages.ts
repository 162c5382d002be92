/**
 * The actors of the log, a page at a time. Owns what was loaded.
 *
 * AP1  Actors are in the order of the server, each once.
 * AP2  A page that is asked for again replaces what was loaded of it, and nothing else.
 * AP3  One page is on its way at a time; after `close` none.
 */
import { signal, type ReadonlySignal } from '@preact/signals';
import type { ActorSummary, ActorsView } from '../../../src/inspect/api.ts';
import { failureFrom, wasCalledOff, type ApiFailure, type PageApi } from '../shell/api.ts';
import type { ActorFilter } from './actor-filter.ts';

export interface ActorPagesState {
  readonly count: number;
  readonly isLoading: boolean;
  /** Whether there are no more. */
  readonly isWhole: boolean;
  readonly failure: ApiFailure | undefined;
  /** Changes whenever anything did. */
  readonly version: number;
}

export interface ActorPages {
  readonly state: ReadonlySignal<ActorPagesState>;
  at(index: number): ActorSummary | undefined;
  /** The next page; with `isMany`, a large one. */
  more(isMany?: boolean): void;
  /** Asks again for what stands between two places. */
  refresh(from: number, to: number): Promise<void>;
  close(): void;
}

interface LoadedPage {
  readonly after: string | undefined;
  /** As the server gave it, before the filter of the page. */
  readonly first: string | undefined;
  readonly actors: readonly ActorSummary[];
}

const pageSize = 200;
const largePageSize = 1000;

export function createActorPages(api: PageApi, { params, keeps }: ActorFilter): ActorPages {
  const closing = new AbortController();
  let pages: LoadedPage[] = [];
  let flat: ActorSummary[] = [];
  let next: string | null | undefined;
  let isRefreshing = false;
  const state = signal<ActorPagesState>({ count: 0, isLoading: false, isWhole: false, failure: undefined, version: 0 });

  const say = (change: Partial<ActorPagesState>) => {
    const { version } = state.peek();
    state.value = { ...state.peek(), ...change, count: flat.length, isWhole: next === null, version: version + 1 };
  };
  const fetchPage = (after: string | undefined, limit: number): Promise<ActorsView> => {
    const query = new URLSearchParams(params);
    if (after !== undefined) query.set('after', after);
    query.set('limit', String(limit));
    return api.get<ActorsView>(`/actors?${query.toString()}`, closing.signal);
  };
  /** Where the filter keeps little, goes on until something is there to see. */
  const loadMore = async (size: number): Promise<void> => {
    let found = 0;
    let limit = size;
    do {
      const after = next ?? undefined;
      const page = await fetchPage(after, limit);
      const actors = page.actors.filter(keeps);
      pages.push({ after, first: page.actors[0]?.stream, actors });
      flat.push(...actors);
      found += actors.length;
      next = page.next;
      limit = largePageSize;
      if (actors.length > 0) say({});
    } while (found < pageSize / 2 && next !== null);
  };

  const refreshPage = async (index: number): Promise<void> => {
    const page = pages[index];
    if (!page) return;
    const fresh = await fetchPage(page.after, largePageSize);
    const behind = pages[index + 1];
    const cut = behind ? fresh.actors.findIndex(({ stream }) => stream === behind.first) : -1;
    const own = cut >= 0 ? fresh.actors.slice(0, cut) : notIn(pages.slice(index + 1), fresh.actors);
    pages = pages.with(index, { ...page, first: fresh.actors[0]?.stream, actors: own.filter(keeps) });
    if (!behind) next = fresh.next;
    flat = pages.flatMap(({ actors }) => actors);
  };

  return {
    state,
    at: (index) => flat[index],
    more(isMany = false) {
      if (state.peek().isLoading || next === null || closing.signal.aborted) return;
      say({ isLoading: true, failure: undefined });
      loadMore(isMany ? largePageSize : pageSize).then(
        () => say({ isLoading: false }),
        (error: unknown) => {
          if (!wasCalledOff(error)) say({ isLoading: false, failure: failureFrom(error) });
        },
      );
    },
    async refresh(from, to) {
      if (isRefreshing || state.peek().isLoading) return;
      isRefreshing = true;
      try {
        let start = 0;
        for (let index = 0; index < pages.length; index++) {
          const length = pages[index]?.actors.length ?? 0;
          const isLast = index === pages.length - 1;
          if ((start < to && start + length > from) || (isLast && next === null && to >= start))
            await refreshPage(index);
          start += length;
        }
        say({ failure: undefined });
      } catch (error) {
        if (!wasCalledOff(error)) say({ failure: failureFrom(error) });
      } finally {
        isRefreshing = false;
      }
    },
    close: () => closing.abort(),
  };
}

function notIn(pages: readonly LoadedPage[], actors: readonly ActorSummary[]): readonly ActorSummary[] {
  const known = new Set(pages.flatMap((page) => page.actors.map(({ stream }) => stream)));
  return actors.filter(({ stream }) => !known.has(stream));
}
