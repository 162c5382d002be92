/**
 * A projection that is kept: folded on from where it was, saved with its place in the log, and served. Owns the life of one
 * writer; states are kept by a store, and what may be read by whom is not its concern.
 *
 * MA1  What is saved is the fold of the log up to the position it is saved with: after a crash, wherever it was, the fold
 *      goes on to the state that one without a crash has.
 * MA2  A version that has not caught up is built beside the one that is served, and replaces it in one step when it has. The
 *      same goes for a rebuild.
 * MA3  A version has one writer: a lease keeps others off, and the store refuses one that has lost it.
 * MA4  A stored state that cannot be read is made again from the log.
 */
import {
  LeaseLostError,
  isPassing,
  ProjectionOwnedError,
  realClock,
  sleep,
  toMs,
  uuid,
  type Clock,
  type Duration,
  type EventLog,
  type Lease,
  type Position,
  type ProjectionSlot,
  type ProjectionStore,
} from 'rewake';
import { requireLog, requireProjection, requireStore } from './arguments.ts';
import { live, type FeedItem } from './feed.ts';
import { progressIn, readProjection, textOf, type ServedProjection } from './kept-state.ts';
import { resultOf, type Projection } from './projection.ts';
import { advanced, beginning, type Progress, type ReadingOptions, type SkippedStream } from './reading.ts';

/** How a projection is kept. */
export interface MaterializeOptions extends ReadingOptions {
  readonly log: EventLog;
  /** `log.projections` of a SQLite log, or `memoryProjections()`. One store is for one log. */
  readonly store: ProjectionStore;
  /** Folds the whole log anew, beside what is served. */
  readonly rebuild?: boolean;
  /** Saves after so many events while it catches up; 1,000 when omitted. */
  readonly saveEvery?: number;
  /** Saves so long after the first event that is not saved; `'1s'` when omitted. */
  readonly saveAfter?: Duration;
  /** How long another process has to wait after this one has died; `'10s'` when omitted. */
  readonly leaseTtl?: Duration;
  readonly clock?: Clock;
}

/** A projection that is kept up to date. */
export interface MaterializedProjection<Result> extends AsyncDisposable {
  /** True once all that was on the log at its beginning is in it and it is served; false if it was closed before. */
  readonly caughtUp: Promise<boolean>;
  /** Resolves when it is closed or the log is; rejects with what stopped it. */
  readonly ended: Promise<void>;
  /** What its own version says, as far as it has come: nobody else may see it yet. */
  result(): Result;
  /** Streams that are left out. */
  readonly skipped: readonly SkippedStream[];
  /** What is served, perhaps by the version before; undefined where nothing is yet. */
  read(): Promise<ServedProjection<Result> | undefined>;
  /** Saves, and lets another process take over. */
  close(): Promise<void>;
}

/**
 * Keeps a projection: folds on from where the last process was, follows the log, and saves state and position together.
 * Resolves when it has the lease; a holder that does not renew it any more is waited for, and the process stays alive meanwhile.
 *
 * @example
 * await using actors = await materialize(executions, { log, store: log.projections });
 * await actors.caughtUp;
 * console.log((await actors.read())?.result);
 * @throws ProjectionOwnedError another process keeps this version
 */
export async function materialize<State, Result>(
  projection: Projection<State, Result>,
  options: MaterializeOptions,
): Promise<MaterializedProjection<Result>> {
  requireProjection(projection, 'materialize');
  requireLog(options?.log, 'materialize');
  requireStore(options.store, 'materialize');
  const { log, clock = realClock, leaseTtl = '10s' } = options;
  const ttlMs = toMs(leaseTtl);
  const lease = await claim(projection, log, clock, ttlMs);
  try {
    const start = await findStart(projection, options);
    return new Keeper(projection, options, clock, lease, ttlMs, start);
  } catch (error) {
    await lease.release();
    throw error;
  }
}

async function claim(
  projection: Pick<Projection<unknown>, 'name' | 'version'>,
  log: EventLog,
  clock: Clock,
  ttlMs: number,
): Promise<Lease> {
  const id = `rewake.projection ${projection.name} ${projection.version}`;
  const owner = `process ${process.pid}, ${uuid()}`;
  const first = await log.leaseHolder(id);
  for (;;) {
    const lease = await log.lease(id, { owner, ttlMs });
    if (lease) return lease;
    const holder = await log.leaseHolder(id);
    const isAlive = first && holder && (holder.epoch !== first.epoch || holder.expiresAt > first.expiresAt);
    if (holder && (isAlive || !first)) throw new ProjectionOwnedError(projection, holder.owner, holder.expiresAt);
    // Up to the end of the lease as it was first seen; whoever lives renews it before that.
    await sleep(clock, (holder?.expiresAt ?? 0) - clock.now());
  }
}

interface Start<State> {
  readonly slot: ProjectionSlot;
  readonly progress: Progress<State>;
  readonly position: Position | undefined;
}

async function findStart<State>(
  projection: Projection<State, unknown>,
  { store, rebuild = false }: MaterializeOptions,
): Promise<Start<State>> {
  // What is being built comes first: it is a rebuild of what is kept that did not get to its end.
  for (const slot of rebuild ? [] : (['building', 'kept'] as const)) {
    const stored = await store.load(projection.name, projection.version, slot);
    const progress = stored && progressIn<State>(stored.data);
    if (progress) return { slot, progress, position: stored.position };
  }
  return { slot: 'building', progress: beginning(projection), position: undefined };
}

class Keeper<State, Result> implements MaterializedProjection<Result> {
  readonly caughtUp: Promise<boolean>;
  readonly ended: Promise<void>;
  readonly #projection: Projection<State, Result>;
  readonly #options: MaterializeOptions;
  readonly #clock: Clock;
  readonly #lease: Lease;
  readonly #renewAfterMs: number;
  readonly #saveAfterMs: number;
  readonly #closing = new AbortController();
  #slot: ProjectionSlot;
  #progress: Progress<State>;
  #position: Position | undefined;
  #renewAt: number;
  #unsaved = 0;
  #saveAt = Infinity;
  #isLive = false;
  /** The last save failed for a passing reason. */
  #isAway = false;
  #noteCaughtUp: (caughtUp: boolean) => void = () => {};

  constructor(
    projection: Projection<State, Result>,
    options: MaterializeOptions,
    clock: Clock,
    lease: Lease,
    ttlMs: number,
    start: Start<State>,
  ) {
    this.#projection = projection;
    this.#options = options;
    this.#clock = clock;
    this.#lease = lease;
    this.#renewAfterMs = ttlMs / 3;
    this.#saveAfterMs = toMs(options.saveAfter ?? '1s');
    this.#slot = start.slot;
    this.#progress = start.progress;
    this.#position = start.position;
    this.#renewAt = clock.now() + this.#renewAfterMs;
    const noted = new Promise<boolean>((resolve) => (this.#noteCaughtUp = resolve));
    this.ended = this.#run();
    this.caughtUp = Promise.race([noted, this.ended.then(() => false)]);
    // Whoever does not ask hears of it from result(), read() and close().
    for (const promise of [this.ended, this.caughtUp]) promise.catch(() => {});
  }

  get skipped(): readonly SkippedStream[] {
    return this.#progress.skipped;
  }

  result(): Result {
    return resultOf(this.#projection, this.#progress.state);
  }

  read(): Promise<ServedProjection<Result> | undefined> {
    return readProjection(this.#projection, this.#options.store);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #run(): Promise<void> {
    try {
      await this.#follow();
      if (this.#unsaved > 0) await this.#save(this.#slot);
    } finally {
      // Nobody waits longer than the lease runs, whatever becomes of this.
      await this.#lease.release().catch(() => {});
    }
  }

  async #follow(): Promise<void> {
    const { log, onDamage } = this.#options;
    const { signal } = this.#closing;
    const items = live(log, { after: this.#position, onDamage, signal });
    let next = items.next();
    for (;;) {
      const item = await this.#itemOrAlarm(next);
      if (item?.done) return;
      if (item) {
        await this.#take(item.value);
        next = items.next();
        // The next one may fail while this one is being saved.
        next.catch(() => {});
      }
      await this.#tend();
    }
  }

  /** What comes next, or undefined when there is something to do before it comes. */
  async #itemOrAlarm(next: Promise<IteratorResult<FeedItem, void>>) {
    // History does not keep anybody waiting.
    if (!this.#isLive) return next;
    let cancel = () => {};
    const alarm = new Promise<undefined>((resolve) => {
      cancel = this.#clock.setTimer(Math.min(this.#renewAt, this.#saveAt), () => resolve(undefined));
    });
    try {
      return await Promise.race([next, alarm]);
    } finally {
      cancel();
    }
  }

  async #take(item: FeedItem): Promise<void> {
    this.#progress = advanced(this.#progress, item, this.#projection, this.#options);
    if (item.type === 'caughtUp') return this.#nowLive();
    if (item.type === 'event') this.#position = item.event.position;
    if (item.type === 'checkpoint') this.#position = item.position;
    if (item.type === 'damaged') this.#position = item.error.position as Position | undefined;
    if (this.#unsaved++ === 0) this.#saveAt = this.#clock.now() + this.#saveAfterMs;
  }

  /** MA2. */
  async #nowLive(): Promise<void> {
    while (this.#unsaved > 0 || this.#slot === 'building') {
      if (await this.#saved('kept')) this.#slot = 'kept';
      else if (this.#closing.signal.aborted) return;
      else await new Promise<void>((resolve) => void this.#clock.setTimer(this.#saveAt, resolve));
    }
    this.#isLive = true;
    this.#noteCaughtUp(true);
  }

  async #tend(): Promise<void> {
    const nowMs = this.#clock.now();
    if (nowMs >= this.#renewAt) {
      await this.#lease.renew();
      this.#renewAt = nowMs + this.#renewAfterMs;
    }
    const isFull = !this.#isLive && !this.#isAway && this.#unsaved >= (this.#options.saveEvery ?? 1_000);
    if (this.#unsaved > 0 && (isFull || nowMs >= this.#saveAt)) await this.#saved(this.#slot);
  }

  /** Whether it is saved; if not, it is worth to be tried again. */
  async #saved(slot: ProjectionSlot): Promise<boolean> {
    try {
      await this.#save(slot);
      return true;
    } catch (error) {
      // A save that has been done already is done again without harm.
      if (!isPassing(error)) throw error;
      this.#saveAt = this.#clock.now() + this.#saveAfterMs;
      this.#isAway = true;
      return false;
    }
  }

  async #save(slot: ProjectionSlot): Promise<void> {
    const { name, version } = this.#projection;
    const { epoch, expiresAt, id } = this.#lease;
    if (this.#clock.now() >= expiresAt) throw new LeaseLostError(id, epoch);
    const data = textOf(this.#projection, this.#progress);
    await this.#options.store.save(name, version, slot, { epoch, position: this.#position, data });
    this.#unsaved = 0;
    this.#saveAt = Infinity;
    this.#isAway = false;
  }
}
