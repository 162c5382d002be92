/**
 * Actors that go on from another state: resumed after their end, rewound, compacted, copied. Owns how such a state takes the
 * place of an actor in memory and on the log; what the state is is rebases.ts's, a copy's events fork.ts's.
 *
 * RG1  What takes an actor's place is made from what is durable; whatever it is told while that is made comes first.
 * RG2  The rebase is durable before anybody sees the state or anything of it starts.
 * RG3  A state that cannot be written takes nobody's place: the actor runs on as it was.
 */
import { ActorExistsError, ConflictError } from '../errors.ts';
import type { AnySnapshot } from '../kernel/xstate-internals.ts';
import type { EventLog, NewEvent, Revision } from '../log/event-log.ts';
import { readStreamName, streamName } from '../log/stream-name.ts';
import type { ActorHost } from './actor-host.ts';
import type { Environment } from './environment.ts';
import { forkOf, type ForkOptions } from './fork.ts';
import type { Folded } from './fold-history.ts';
import type { LoadServices } from './load.ts';
import { loggedStart, rebaseEvent, resumed, rewound, type Rebased, type ResumeOptions } from './rebases.ts';

/** The actors in memory, as far as others take their places. */
export interface Places {
  /** Brings an actor into memory; with `accepts` also in another environment. */
  load(stream: string, how?: { readonly accepts?: boolean }): Promise<ActorHost>;
  /** The actor when nothing waits to become durable; undefined when it is not in memory. */
  atRest(stream: string): Promise<ActorHost | undefined>;
  /** Whether this is still so. */
  isAtRest(stream: string, host: ActorHost | undefined): boolean;
  /** A host for a tree that the log does not have yet; not in memory. */
  hostOf(stream: string, folded: Folded): ActorHost;
  /** Drops the actor and gives its place to this one, which is on its way to the log. */
  replace(host: ActorHost): void;
  /** Takes up lost effects and fires what is due. */
  takeUp(host: ActorHost): void;
  /** Tells watchers where the actor stands now. */
  tell(host: ActorHost): void;
  /** Does something that can be repeated until the log lets it. */
  persist<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** What going on from another state needs besides. */
interface RebaseServices extends LoadServices {
  readonly log: EventLog;
  readonly environment: Environment;
}

/** How many of the newest message ids a compacted actor still knows as repeats. */
export const messageIdsKept = 1_000;

/** Whether a stream begins with what these events say, and with no more of a past that was copied: then the copy is there. */
async function beginsWith(stream: string, events: readonly NewEvent[], log: EventLog): Promise<boolean> {
  let same = 0;
  for await (const { type, data, meta } of log.readStream(stream, { limit: events.length + 1 })) {
    if (same === events.length) return meta.$seed === undefined;
    if (type !== events[same]!.type || data !== events[same]!.data) return false;
    same++;
  }
  return same === events.length;
}

export class Rebasing {
  readonly #services: RebaseServices;
  readonly #places: Places;
  readonly #newId: () => string;
  readonly #compactEvery: number | undefined;
  /** How many times that number of events a stream had when it was last compacted, by actor in memory. */
  readonly #compacted = new WeakMap<ActorHost, number>();

  /** @param compactEvery compact an actor each time it has grown by so many events; never when undefined */
  constructor(services: RebaseServices, places: Places, newId: () => string, compactEvery: number | undefined) {
    this.#services = services;
    this.#places = places;
    this.#newId = newId;
    this.#compactEvery = compactEvery;
  }

  /** Brings an actor that has ended to go on; changes nothing where it runs. */
  async resume(stream: string, options: ResumeOptions): Promise<ActorHost> {
    const host = await this.#places.load(stream, { accepts: true });
    if (host.committed?.status === 'active') return host;
    return this.#rebase(stream, () => resumed(stream, options, this.#services));
  }

  /** Takes an actor back to where it was. */
  rewind(stream: string, to: Revision): Promise<ActorHost> {
    return this.#rebase(stream, () => rewound(stream, to, this.#services));
  }

  /** Replaces an actor's history by its state. What runs goes on. */
  async compact(stream: string): Promise<void> {
    const { log } = this.#services;
    await this.#places.load(stream);
    const { input } = (await loggedStart(stream, log)) ?? {};
    const host = await this.#places.load(stream);
    // Its place was taken meanwhile.
    if (!host.tree) return this.compact(stream);
    if (host.tree.status !== 'active') return;
    const revision = await new Promise<Revision>((resolve, reject) => {
      const { environment } = host;
      const tree = host.tree!;
      const { messageIds } = tree;
      const info = { ...host.info, environment };
      const step = host.emptyStep();
      tree.forgetMessages(messageIdsKept);
      try {
        const rebase = { reason: 'compacted', ...(input !== undefined && { input }) } as const;
        const prepared = rebaseEvent(tree, info, rebase, this.#services.environment);
        const at = host.record({ prepared, origin: {}, resolve: () => resolve(at), reject }, step);
        this.#noteCompaction(host, at);
      } catch (error) {
        // RG3.
        tree.messageIds = messageIds;
        throw error;
      }
    });
    await log.truncate(stream, revision);
  }

  /** Compacts an actor whose stream has grown enough, also one that is in memory only for a moment each time. */
  considerCompaction(host: ActorHost): void {
    const every = this.#compactEvery;
    if (every === undefined || host.tree?.status !== 'active') return;
    const round = Math.floor(host.revision / every);
    if (round <= (this.#compacted.get(host) ?? Math.floor(host.loadedAt / every))) return;
    this.#compacted.set(host, round);
    this.compact(host.stream).catch((error: unknown) => {
      this.#services.logger.warn({ stream: host.stream, err: error }, 'the actor was not compacted; it runs on');
    });
  }

  /** The record of a compaction is no growth. */
  #noteCompaction(host: ActorHost, at: Revision): void {
    if (this.#compactEvery !== undefined) this.#compacted.set(host, Math.floor(at / this.#compactEvery));
  }

  /**
   * Starts a copy of an actor's past under another id.
   * @throws ActorExistsError when there is one
   */
  async fork(stream: string, options: ForkOptions): Promise<ActorHost> {
    const copy = streamName(readStreamName(stream).machine, options.id);
    const { correlationId = this.#newId() } = options;
    const { events, head } = await forkOf(stream, { ...options, correlationId }, this.#services, this.#newId);
    try {
      await this.#places.persist(() => this.#services.log.append(copy, 'no-stream', events, { actor: head }));
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      if (!(await beginsWith(copy, events, this.#services.log)))
        throw new ActorExistsError(copy, 'a history of its own', 'Give the copy another id.');
    }
    this.#services.logger.info({ stream, copy, at: options.at }, 'the actor was copied');
    return this.#places.load(copy, { accepts: true });
  }

  /**
   * Lets an actor go on from what `make` says.
   * @param make called anew when the actor has moved on meanwhile; undefined when it shall stay as it is
   */
  async #rebase(stream: string, make: () => Promise<Rebased | undefined>): Promise<ActorHost> {
    for (;;) {
      const before = await this.#places.atRest(stream);
      const revision = before?.revision;
      const rebased = await make();
      // RG1.
      if (!this.#places.isAtRest(stream, before) || before?.revision !== revision) continue;
      if (!rebased) return this.#places.load(stream);
      try {
        return await this.#goOn(stream, rebased);
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
      }
    }
  }

  async #goOn(stream: string, { folded, reason, to, then }: Rebased): Promise<ActorHost> {
    const { tree } = folded;
    const host = this.#places.hostOf(stream, folded);
    await new Promise<AnySnapshot>((resolve, reject) => {
      const step = host.emptyStep();
      const info = { ...folded.machine, environment: host.environment };
      const rebase = { reason, ...(to !== undefined && { to }) };
      const prepared = rebaseEvent(tree, info, rebase, this.#services.environment);
      host.record({ prepared, origin: {}, resolve, reject }, step, then && { prepared: then, origin: {}, reject });
      // RG3. It could be written, and so could what follows.
      if (!host.tree) return;
      this.#places.replace(host);
      if (tree.status === 'active') this.#places.takeUp(host);
    });
    this.#services.logger.info(
      { stream, reason, ...(to !== undefined && { to }) },
      'the actor goes on from another state',
    );
    this.#places.tell(host);
    return host;
  }
}
