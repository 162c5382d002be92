/**
 * The actor index in memory: which actors there are, in which state, and who wakes next. Owns the look-up structures of
 * the memory log; the heads come with appends, see memory-log.ts.
 *
 * AI1  An actor is in exactly the groups its head names.
 * AI2  Names and wake-ups are sorted when a query needs them: an append only notes what came or moved. Correlations, of
 *      which most have one actor, are grouped from the first query on that asks for one.
 * AI3  A query touches the matching actors and, at worst, a narrow multiple of them; never the events.
 */
import type { ActorHead, ActorQuery, ActorRow, Revision } from './event-log.ts';
import { SortedList } from './sorted-list.ts';

/** What the index knows of a stream; `head` and `wake` are the index's to write, `wake` is its place as last sorted. */
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
type Wakes = NonNullable<ActorQuery['wakes']>;

const pageSize = 256;
/** How many times smaller a group must be than the sorted whole for sorting it to beat walking the whole. */
const groupWorthSorting = 16;

/** Finds actors by what their heads say. */
export class ActorIndex {
  readonly #names = new SortedList<IndexedStream>(byName);
  /** Actors that are not among the names yet. */
  readonly #unnamed: Group = new Set();
  readonly #wakes = new SortedList<Wake>(byWake);
  /** Actors whose `wake` may not be what their head says. */
  readonly #moved: Group = new Set();
  readonly #statuses = new Map<string, Group>();
  readonly #machines = new Map<string, Group>();
  #correlations: Map<string, Group> | undefined = undefined;
  readonly #withEffects: Group = new Set();

  /** Gives an actor a new head. */
  put(stream: IndexedStream, head: ActorHead): void {
    const old = stream.head;
    stream.head = head;
    if (old === undefined) this.#unnamed.add(stream);
    if (old?.status !== head.status) regroup(this.#statuses, stream, old?.status, head.status);
    if (old?.machine !== head.machine) regroup(this.#machines, stream, old?.machine, head.machine);
    if (this.#correlations && old?.correlationId !== head.correlationId) {
      regroup(this.#correlations, stream, old?.correlationId, head.correlationId);
    }
    if (head.effects > 0) this.#withEffects.add(stream);
    else if (old !== undefined && old.effects > 0) this.#withEffects.delete(stream);
    if ((old?.wakeAt ?? null) !== head.wakeAt) this.#moved.add(stream);
  }

  /** Forgets an actor. */
  remove(stream: IndexedStream): void {
    const { head } = stream;
    if (head === undefined) return;
    regroup(this.#statuses, stream, head.status, undefined);
    regroup(this.#machines, stream, head.machine, undefined);
    if (this.#correlations) regroup(this.#correlations, stream, head.correlationId, undefined);
    this.#withEffects.delete(stream);
    if (!this.#unnamed.delete(stream)) this.#names.delete(stream);
    stream.head = undefined;
    this.#moved.add(stream);
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

  #sortNames(): void {
    for (const stream of this.#unnamed) this.#names.add(stream);
    this.#unnamed.clear();
  }

  #sortWakes(): void {
    for (const stream of this.#moved) {
      const wakeAt = stream.head?.wakeAt ?? null;
      if (stream.wake) this.#wakes.delete(stream.wake);
      stream.wake = wakeAt === null ? undefined : { wakeAt, stream };
      if (stream.wake) this.#wakes.add(stream.wake);
    }
    this.#moved.clear();
  }

  *#byName(query: ActorQuery): Generator<IndexedStream, undefined> {
    this.#sortNames();
    const { afterStream } = query;
    const group = this.#smallestGroup(query);
    if (group.size * groupWorthSorting <= this.#names.size) {
      const isAfter = (stream: IndexedStream) => afterStream === undefined || stream.name > afterStream;
      yield* [...group].filter(isAfter).sort(byName);
      return;
    }
    let bound = afterStream === undefined ? undefined : probe(afterStream);
    for (;;) {
      const page = this.#names.above(bound, pageSize);
      if (page.length === 0) return;
      yield* page;
      bound = page.at(-1)!;
    }
  }

  *#byWake(query: ActorQuery, { after, until = Infinity }: Wakes): Generator<IndexedStream, undefined> {
    this.#sortWakes();
    let bound: Wake | undefined = after && { wakeAt: after.wakeAt, stream: probe(after.stream) };
    const group = this.#smallestGroup(query);
    if (group.size * groupWorthSorting <= this.#wakes.size) {
      const wakes = [...group].flatMap(({ wake }) => (wake && (!bound || byWake(wake, bound) > 0) ? [wake] : []));
      yield* due(wakes.sort(byWake), until);
      return;
    }
    for (;;) {
      this.#sortWakes();
      const page = this.#wakes.above(bound, pageSize);
      yield* due(page, until);
      bound = page.at(-1);
      if (bound === undefined || bound.wakeAt > until) return;
    }
  }

  #byCorrelation(): Map<string, Group> {
    if (this.#correlations) return this.#correlations;
    const groups = (this.#correlations = new Map<string, Group>());
    this.#sortNames();
    for (let page = this.#names.above(undefined, pageSize); page.length > 0;) {
      for (const stream of page) regroup(groups, stream, undefined, stream.head!.correlationId);
      page = this.#names.above(page.at(-1), pageSize);
    }
    return groups;
  }

  /** The smallest group that holds every match; a group of everybody when the query names none. */
  #smallestGroup({ status, machine, correlationId, effects }: ActorQuery): { size: number } & Iterable<IndexedStream> {
    const nobody: Group = new Set();
    const groups: Group[] = [];
    if (status !== undefined) groups.push(this.#statuses.get(status) ?? nobody);
    if (machine !== undefined) groups.push(this.#machines.get(machine) ?? nobody);
    if (correlationId !== undefined) groups.push(this.#byCorrelation().get(correlationId) ?? nobody);
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

/** Streams of sorted wake-ups up to a time, without those whose timer has moved while the consumer held the page. */
function* due(wakes: readonly Wake[], until: number): Generator<IndexedStream, undefined> {
  for (const { wakeAt, stream } of wakes) {
    if (wakeAt > until) return;
    if (stream.head?.wakeAt === wakeAt) yield stream;
  }
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
