/**
 * A cache: the newest results of calls by their key, for as long as they are fresh. Owns the entries and which of them go;
 * it calls nothing: callers look, call, and store (caching.ts).
 *
 * CS1  A value is fresh for its `ttlMs` after the call that gave it was answered, however late it is stored. A clock that
 *      goes back keeps it no longer than that again.
 * CS2  There are at most `max` entries, one for a key; the ones stored first go first. Looking changes nothing, so what is
 *      asked for often goes as what is not.
 * CS3  A value never takes the place of a newer one. Storing what is there already, or what is fresh no more, changes
 *      nothing.
 * CS4  Storing what makes no sense changes nothing: whoever may send to the cache cannot break it for its callers.
 */
import { assertEvent, assign, setup } from 'xstate';
import { now, uuid, type TimeMs } from 'rewake';

/** What a cache is started with. */
export interface CacheInput {
  readonly name: string;
}

/** A call was answered. */
export interface ValueStored {
  readonly type: 'value.stored';
  readonly key: string;
  readonly value: unknown;
  /** When, in ms since the Unix epoch. */
  readonly answeredAt: TimeMs;
  readonly ttlMs: number;
  /** How many entries there may be with this one. */
  readonly max: number;
}

/** What a cache understands. */
export type CacheEvent =
  | ValueStored
  /** Without a key: everything. */
  | { readonly type: 'cache.cleared'; readonly key?: string };

/** A result. */
export type CacheEntry = Pick<ValueStored, 'key' | 'value' | 'answeredAt' | 'ttlMs'>;

/** What a cache remembers. */
export interface CacheContext {
  readonly name: string;
  /** Tells it from every other cache, also from one with the same name on another log. */
  readonly id: string;
  /** The one stored first comes first. */
  readonly entries: readonly CacheEntry[];
}

/** Of a snapshot of the cache machine, what the questions below need. */
export interface CacheSnapshot {
  readonly context: CacheContext;
}

/** The entry of a key; undefined where there is none that is fresh. */
export function freshEntry({ context }: CacheSnapshot, key: string, nowMs: TimeMs): CacheEntry | undefined {
  return context.entries.find((entry) => entry.key === key && isFresh(entry, nowMs));
}

/** Whether storing this value changes nothing (CS3, CS4), so that it need not be sent. */
export function changesNothing({ context }: CacheSnapshot, stored: ValueStored, nowMs: TimeMs): boolean {
  return afterStoring(context, stored, nowMs) === context;
}

/** CS1. */
function isFresh({ answeredAt, ttlMs }: Pick<CacheEntry, 'answeredAt' | 'ttlMs'>, nowMs: TimeMs): boolean {
  return Math.abs(nowMs - answeredAt) < ttlMs;
}

/** CS4. */
function makesSense({ key, answeredAt, ttlMs, max }: ValueStored): boolean {
  const areNumbers = Number.isFinite(answeredAt) && Number.isFinite(ttlMs);
  return typeof key === 'string' && areNumbers && Number.isInteger(max) && max >= 1;
}

/** The same object where storing changes nothing. */
function afterStoring(context: CacheContext, stored: ValueStored, nowMs: TimeMs): CacheContext {
  if (!makesSense(stored)) return context;
  const { key, value, answeredAt, ttlMs, max } = stored;
  const present = freshEntry({ context }, key, nowMs);
  if (!isFresh(stored, nowMs) || (present && present.answeredAt >= answeredAt)) return context;
  const others = context.entries.filter((entry) => entry.key !== key && isFresh(entry, nowMs));
  return { ...context, entries: [...others, { key, value, answeredAt, ttlMs }].slice(-max) };
}

const chart = setup({
  types: { input: {} as CacheInput, context: {} as CacheContext, events: {} as CacheEvent },
  guards: {
    isNews: ({ context, event }) => {
      assertEvent(event, 'value.stored');
      return !changesNothing({ context }, event, now());
    },
  },
  actions: {
    store: assign(({ context, event }) => {
      assertEvent(event, 'value.stored');
      return afterStoring(context, event, now());
    }),
    clear: assign({
      entries: ({ context: { entries }, event }) => {
        assertEvent(event, 'cache.cleared');
        return event.key === undefined ? [] : entries.filter(({ key }) => key !== event.key);
      },
    }),
  },
}).createMachine({
  id: 'cache',
  context: ({ input: { name } }) => ({ name, id: uuid(), entries: [] }),
  on: {
    'value.stored': { guard: 'isNews', actions: 'store' },
    'cache.cleared': { actions: 'clear' },
  },
});

type Chart = typeof chart;

/** The type of {@link cache}: a name for it in hovers and declarations. */
export interface CacheMachine extends Chart {}

/** The machine of a cache. One per name, under its name as id: its stream is `cache-<name>`. */
export const cache: CacheMachine = chart;
