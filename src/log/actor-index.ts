/**
 * The actor index in memory: which actors there are, in which state, and who wakes next. Owns the look-up structures of
 * the memory log; the heads come with appends, see memory-log.ts.
 *
 * AI1  An actor is in exactly the groups its head names, and among the wake-ups exactly when `wakeAt` is not null.
 * AI2  A query touches the matching actors and, at worst, a narrow multiple of them; never the events.
 */
import type { ActorHead, ActorQuery, ActorRow, Revision } from './event-log.ts';
import { SortedList } from './sorted-list.ts';

/** What the index knows of a stream; `head` and `wake` are the index's to write. */
export interface IndexedStream {
  readonly name: string;
  /** The stream's last revision. */
  readonly last: Revision;
  head: ActorHead | undefined;
  wake: Wake | undefined;
}

/** A place among the wake-ups. */
export interface Wake {
  readonly wakeAt: number;
  readonly stream: IndexedStream;
}

type Group = Set<IndexedStream>;

const pageSize = 256;
/** How many times smaller a group must be than the sorted whole for sorting it to beat walking the whole. */
const groupWorthSorting = 16;

/** Finds actors by what their heads say. */
export class ActorIndex {
  /** Actors by name, and those that came since it was last needed: starting an actor does not pay for sorting. */
  readonly #sorted = new SortedList<IndexedStream>(byName);
  readonly #unsorted: Group = new Set();
  readonly #wakes = new SortedList<Wake>(byWake);
  readonly #statuses = new Map<string, Group>();
  readonly #machines = new Map<string, Group>();
  readonly #correlations = new Map<string, Group>();
  readonly #withEffects: Group = new Set();

  /** Gives an actor a new head. */
  put(stream: IndexedStream, head: ActorHead): void {
    const old = stream.head;
    stream.head = head;
    if (old === undefined) this.#unsorted.add(stream);
    if (old?.status !== head.status) regroup(this.#statuses, stream, old?.status, head.status);
    if (old?.machine !== head.machine) regroup(this.#machines, stream, old?.machine, head.machine);
    if (old?.correlationId !== head.correlationId) {
      regroup(this.#correlations, stream, old?.correlationId, head.correlationId);
    }
    if (head.effects > 0) this.#withEffects.add(stream);
    else if (old !== undefined && old.effects > 0) this.#withEffects.delete(stream);
    if ((old?.wakeAt ?? null) !== head.wakeAt) this.#rearm(stream, head.wakeAt);
  }

  /** Forgets an actor. */
  remove(stream: IndexedStream): void {
    const { head } = stream;
    if (head === undefined) return;
    regroup(this.#statuses, stream, head.status, undefined);
    regroup(this.#machines, stream, head.machine, undefined);
    regroup(this.#correlations, stream, head.correlationId, undefined);
    this.#withEffects.delete(stream);
    this.#rearm(stream, null);
    if (!this.#unsorted.delete(stream)) this.#sorted.delete(stream);
    stream.head = undefined;
  }

  /** The rows a query asks for, each as it is at the moment it is taken. */
  *rows(query: ActorQuery): Generator<ActorRow, undefined> {
    let left = query.limit ?? Infinity;
    const streams = query.wakes ? this.#byWake(query, query.wakes) : this.#byName(query);
    if (left <= 0) return;
    for (const stream of streams) {
      if (!matches(stream, query)) continue;
      yield rowOf(stream)!;
      if (--left <= 0) return;
    }
  }

  #rearm(stream: IndexedStream, wakeAt: number | null): void {
    if (stream.wake) this.#wakes.delete(stream.wake);
    stream.wake = wakeAt === null ? undefined : { wakeAt, stream };
    if (stream.wake) this.#wakes.add(stream.wake);
  }

  *#byName(query: ActorQuery): Generator<IndexedStream, undefined> {
    for (const stream of this.#unsorted) this.#sorted.add(stream);
    this.#unsorted.clear();
    const { afterStream } = query;
    const group = this.#smallestGroup(query);
    if (group.size * groupWorthSorting <= this.#sorted.size) {
      const isAfter = (stream: IndexedStream) => afterStream === undefined || stream.name > afterStream;
      yield* [...group].filter(isAfter).sort(byName);
      return;
    }
    let bound = afterStream === undefined ? undefined : probe(afterStream);
    for (let page = this.#sorted.above(bound, pageSize); page.length > 0; page = this.#sorted.above(bound, pageSize)) {
      yield* page;
      bound = page.at(-1)!;
    }
  }

  *#byWake(query: ActorQuery, { after, until = Infinity }: ActorQuery['wakes'] & object): Generator<IndexedStream> {
    let bound: Wake | undefined = after && { wakeAt: after.wakeAt, stream: probe(after.stream) };
    const group = this.#smallestGroup(query);
    if (group.size * groupWorthSorting <= this.#wakes.size) {
      const wakes = [...group].flatMap(({ wake }) => (wake && (!bound || byWake(wake, bound) > 0) ? [wake] : []));
      for (const wake of wakes.sort(byWake)) if (wake.wakeAt <= until) yield wake.stream;
      return;
    }
    for (let page = this.#wakes.above(bound, pageSize); page.length > 0; page = this.#wakes.above(bound, pageSize)) {
      for (const wake of page) {
        if (wake.wakeAt > until) return;
        // While the consumer held the page, the timer may have been moved or cancelled.
        if (wake.stream.wake === wake) yield wake.stream;
      }
      bound = page.at(-1)!;
    }
  }

  /** The smallest group that holds every match; a group of everybody when the query names none. */
  #smallestGroup({ status, machine, correlationId, effects }: ActorQuery): { size: number } & Iterable<IndexedStream> {
    const nobody: Group = new Set();
    const groups: Group[] = [];
    if (status !== undefined) groups.push(this.#statuses.get(status) ?? nobody);
    if (machine !== undefined) groups.push(this.#machines.get(machine) ?? nobody);
    if (correlationId !== undefined) groups.push(this.#correlations.get(correlationId) ?? nobody);
    if (effects === true) groups.push(this.#withEffects);
    if (groups.length === 0) return { size: Infinity, [Symbol.iterator]: () => nobody.values() };
    return groups.reduce((smallest, group) => (group.size < smallest.size ? group : smallest));
  }
}

/** The index entry of a stream, undefined when it has no actor. */
export function rowOf({ name, last, head }: IndexedStream): ActorRow | undefined {
  if (head === undefined) return undefined;
  const { machine, version, status, correlationId, wakeAt, effects } = head;
  return { machine, version, status, correlationId, wakeAt, effects, stream: name, revision: last };
}

function matches({ head }: IndexedStream, query: ActorQuery): boolean {
  return (
    head !== undefined &&
    (query.machine === undefined || head.machine === query.machine) &&
    (query.status === undefined || head.status === query.status) &&
    (query.correlationId === undefined || head.correlationId === query.correlationId) &&
    (query.effects === undefined || head.effects > 0 === query.effects)
  );
}

function regroup(groups: Map<string, Group>, stream: IndexedStream, from: string | undefined, to: string | undefined) {
  if (from !== undefined) {
    const group = groups.get(from)!;
    group.delete(stream);
    if (group.size === 0) groups.delete(from);
  }
  if (to === undefined) return;
  const group = groups.get(to);
  if (group) group.add(stream);
  else groups.set(to, new Set([stream]));
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function byWake(a: Wake, b: Wake): number {
  return a.wakeAt - b.wakeAt || byName(a.stream, b.stream);
}

/** A stream that exists only to be compared with. */
function probe(name: string): IndexedStream {
  return { name, last: -1, head: undefined, wake: undefined };
}
