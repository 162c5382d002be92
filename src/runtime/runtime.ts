/**
 * Many actors on one log. Owns which actors are in memory, how they come and go, and what a service calls. The way of a
 * single stimulus is actor-host.ts; what is in a tree is the kernel's.
 *
 * R1  An actor is in memory at most once; messages that arrive while it is loaded keep their order.
 * R2  An actor that cannot be folded is blocked with its reason; nothing is appended to it, and every other runs on.
 * R3  Finished and idle actors leave memory; a message or a due timer brings an idle one back.
 * R4  Once closed, or once another host owns the log, a runtime writes nothing.
 */
import { hostname } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import type { AnyEventObject, AnyStateMachine, InputFrom } from 'xstate';
import {
  holdProcess,
  realClock,
  realRandom,
  toMs,
  uuidv7Source,
  type Clock,
  type Duration,
  type Random,
} from '../clock.ts';
import {
  ActorBlockedError,
  ActorExistsError,
  ConflictError,
  InvalidArgumentError,
  InvalidEventError,
  LogUnavailableError,
  MailboxFullError,
  NotFoundError,
  RuntimeClosedError,
} from '../errors.ts';
import { ActorTree, type PendingEffect, type Step } from '../kernel/actor-tree.ts';
import { migrateTree } from '../kernel/migrate.ts';
import { describeTree } from '../kernel/tree-state.ts';
import {
  actorRebased,
  actorStarted,
  actorStopped,
  effectFailed,
  effectSucceeded,
  eventReceived,
  type Prepared,
} from '../kernel/records.ts';
import type { ActorQuery, ActorRow, ActorStatus, EventLog } from '../log/event-log.ts';
import { memoryLog } from '../log/memory-log.ts';
import { readStreamName, streamName } from '../log/stream-name.ts';
import { currentVersion, noUpcasters, type Upcasters } from '../log/upcast.ts';
import { ActorHost, type HostServices, type Origin, type Submission } from './actor-host.ts';
import { ActorRef, type RefServices, type SendOptions, type Settlement } from './actor-ref.ts';
import { effectContext } from './effect.ts';
import { loadActor, type Folded, type LoadServices } from './load.ts';
import { consoleLogger, type Logger } from './logger.ts';
import { MachineRegistry, type MachineEntry, type Machines } from './machines.ts';
import { Ownership } from './ownership.ts';
import { rerun, resumption } from './resumption.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import { Wakes } from './wakes.ts';
import { Watchers, type Watcher } from './watchers.ts';

export interface RuntimeOptions<M extends Machines = Machines> {
  /** Where events are kept; an in-memory log when omitted. The runtime closes it, unless `keepLogOpen`. */
  readonly log?: EventLog;
  /** Machines by durable name. An array holds versions of one machine, the current one first. */
  readonly machines: M;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly logger?: Logger;
  readonly upcasters?: Upcasters;
  /** Keep a cached fold of every actor, renewed after `every` events. Off when omitted. */
  readonly snapshots?: { readonly every: number };
  /** How many messages of one actor may wait to become durable; 1,000 when omitted. */
  readonly mailboxSize?: number;
  /** Drop actors from memory that were idle this long; one minute when omitted, never with `false`. */
  readonly passivate?: { readonly idle: Duration } | false;
  /**
   * The lease that keeps a second host off the log: its time to live (10 s), and how long to wait for it. Without `wait`
   * a host that runs on this machine is an error at once, and one that may be dead is waited for until its lease ran out.
   */
  readonly lease?: { readonly ttl?: Duration; readonly wait?: Duration } | false;
  /** Wake every unfinished actor at once; `true` when omitted. */
  readonly resume?: boolean;
  /** Name of this host in events; host name and process id when omitted. */
  readonly host?: string;
  /** Do not close the log with the runtime. */
  readonly keepLogOpen?: boolean;
}

export type MachineOf<Entry extends MachineEntry> = Entry extends AnyStateMachine
  ? Entry
  : Entry extends readonly [infer Current extends AnyStateMachine, ...unknown[]]
    ? Current
    : Entry extends { readonly versions: readonly [infer Current extends AnyStateMachine, ...unknown[]] }
      ? Current
      : AnyStateMachine;

/** `input` may be left out where the machine takes none. */
export type StartOptions<Machine extends AnyStateMachine> = {
  readonly id: string;
  readonly correlationId?: string;
} & (undefined extends InputFrom<Machine>
  ? { readonly input?: InputFrom<Machine> }
  : { readonly input: InputFrom<Machine> });

/** An entry of {@link Runtime.list}. */
export interface ListedActor extends Omit<ActorRow, 'status'> {
  readonly status: ActorStatus | 'blocked';
  /** Why the actor is blocked. */
  readonly reason?: unknown;
}

export type ListQuery = Omit<ActorQuery, 'status' | 'wakes'> & { readonly status?: ActorStatus | 'blocked' };

interface Loading {
  readonly promise: Promise<ActorHost>;
  readonly backlog: Submission[];
}

interface LoadOptions {
  readonly delayMs?: number;
  /** Whether effects that were left behind are taken up. */
  readonly resumes?: boolean;
  /** Revision up to which this runtime has shown the actor already. */
  readonly seenTo?: number;
}

/** How long after a refused append a stream is folded again, unless it simply moved on. */
const recoveryDelayMs = 1_000;

/** Hosts machines on a log. Made by {@link createRuntime}. */
export class Runtime<M extends Machines = Machines> implements AsyncDisposable {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #machines: MachineRegistry;
  readonly #newId: () => string;
  readonly #options: RuntimeOptions<M>;
  readonly #mailboxSize: number;
  readonly #hosts = new Map<string, ActorHost>();
  readonly #loading = new Map<string, Loading>();
  readonly #blocked = new Map<string, unknown>();
  readonly #watchers: Watchers;
  readonly #wakes: Wakes;
  readonly #snapshots: SnapshotWriter | undefined;
  readonly #ownership: Ownership | undefined;
  readonly #hostServices: HostServices;
  readonly #loadServices: LoadServices;
  readonly #refServices: RefServices;
  #closing: Promise<void> | undefined;
  /** Why nothing more is tried: set when closing is past draining. */
  #stopping: RuntimeClosedError | undefined;
  /** Why nothing is written any more. */
  #ended: RuntimeClosedError | undefined;
  #cancelSweep: (() => void) | undefined;

  /** Use {@link createRuntime}, which also takes the lease and resumes. */
  constructor(options: RuntimeOptions<M>) {
    const { clock = realClock, random = realRandom, logger = consoleLogger } = options;
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#log = options.log ?? memoryLog({ clock });
    this.#machines = new MachineRegistry(options.machines);
    this.#newId = uuidv7Source(() => clock.now(), random);
    this.#mailboxSize = options.mailboxSize ?? 1_000;
    this.#watchers = new Watchers(logger);
    this.#wakes = new Wakes(
      this.#log,
      clock,
      (stream) => this.#wake(stream),
      (error) => logger.error({ err: error }, 'the index of wake-ups could not be read'),
    );
    this.#snapshots = options.snapshots && new SnapshotWriter(this.#log, options.snapshots.every, logger);
    this.#ownership = this.#makeOwnership();
    this.#loadServices = {
      log: this.#log,
      machines: this.#machines,
      upcasters: options.upcasters ?? noUpcasters,
      logger,
      useSnapshots: options.snapshots !== undefined,
    };
    this.#hostServices = this.#makeHostServices();
    this.#refServices = this.#makeRefServices();
  }

  /** The log the actors live on. */
  get log(): EventLog {
    return this.#log;
  }

  /** @internal Takes ownership of the log and wakes what is to be woken. */
  async open(): Promise<void> {
    await this.#ownership?.acquire();
    this.#scheduleSweep();
    if (this.#options.resume !== false) await this.resume();
  }

  /**
   * Starts an actor; resolves when that is durable. With an id that exists already, and the same input, it attaches.
   * @throws UnknownMachineError | InvalidArgumentError | NotSerializableError | ActorExistsError | ActorBlockedError
   */
  async start<Name extends keyof M & string>(
    name: Name,
    options: StartOptions<MachineOf<M[Name]>>,
  ): Promise<ActorRef<MachineOf<M[Name]>>> {
    this.#assertOpen();
    const { id, correlationId, input } = options as { id: string; correlationId?: string; input?: unknown };
    const host = await this.#start(name, id, input, { correlationId, ...ambientOrigin(correlationId) });
    return this.#ref(host.stream, host);
  }

  /**
   * A handle on an actor that exists.
   * @throws NotFoundError | UnknownMachineError | ActorBlockedError
   */
  get<Name extends keyof M & string>(stream: `${Name}-${string}`): Promise<ActorRef<MachineOf<M[Name]>>>;
  get(stream: string): Promise<ActorRef>;
  async get(stream: string): Promise<ActorRef> {
    this.#assertOpen();
    return this.#ref(stream, await this.#load(stream));
  }

  /**
   * Sends an event to an actor by the name of its stream; resolves when it is durable.
   * @throws InvalidEventError | NotSerializableError | MailboxFullError | ActorFinishedError | ActorBlockedError | NotFoundError
   */
  async send(stream: string, event: AnyEventObject, options: SendOptions = {}): Promise<void> {
    return this.#send(stream, event, options);
  }

  /** Actors of the log by the index, in order of stream name; blocked ones of this runtime are marked as such. */
  async *list(query: ListQuery = {}): AsyncGenerator<ListedActor, void, void> {
    this.#assertOpen();
    const { status, ...rest } = query;
    const indexed = status === 'blocked' || status === undefined ? rest : { ...rest, status };
    for await (const row of this.#log.actors(indexed)) {
      const blocked = this.#blocked.has(row.stream);
      if (status !== undefined && (status === 'blocked') !== blocked) continue;
      yield blocked ? { ...row, status: 'blocked', reason: this.#blocked.get(row.stream) } : row;
    }
  }

  /**
   * Wakes every unfinished actor: starts lost effects again as their options say, sets every timer, and tries blocked
   * actors once more. Called by {@link createRuntime}. Calling it again changes nothing.
   */
  async resume(): Promise<void> {
    this.#assertOpen();
    this.#blocked.clear();
    for (const host of this.#hosts.values()) this.#resumeEffects(host);
    await this.#resumeUnfinished();
    await this.#wakes.open();
  }

  /**
   * Stops taking work, lets running effects end for `drain` (not at all when omitted), aborts the rest, and gives the
   * lease back. What was not finished goes on with the next runtime.
   */
  close(options: { drain?: Duration } = {}): Promise<void> {
    this.#closing ??= this.#close(toMs(options.drain ?? 0));
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Resolves when nothing waits to become durable, nothing is being loaded and every wake-up that is due is known. */
  async idle(): Promise<void> {
    for (;;) {
      const busy = [...this.#hosts.values()].filter((host) => !host.isIdle);
      if (busy.length === 0 && this.#loading.size === 0 && !this.#wakes.reading) return;
      await Promise.all([
        this.#wakes.reading,
        ...busy.map((host) => host.whenIdle()),
        ...[...this.#loading.values()].map(({ promise }) => promise.catch(() => {})),
      ]);
    }
  }

  // ── starting and sending ───────────────────────────────────────────────────────────────────────

  async #start(name: string, id: string, input: unknown, origin: Origin): Promise<ActorHost> {
    const machine = this.#machines.current(name);
    const stream = streamName(name, id);
    const prepared = actorStarted(machine, input);
    while (this.#hosts.has(stream) || this.#loading.has(stream) || this.#blocked.has(stream)) {
      const host = await this.#attach(stream, prepared).catch(unlessNotFound);
      if (host) return host;
      // Someone looked for it before it was there.
      if (this.#ended) throw this.#ended;
    }
    const correlationId = origin.correlationId ?? this.#newId();
    const tree = new ActorTree(machine.logic, id);
    const host = new ActorHost(
      stream,
      { tree, info: machine, correlationId, revision: -1, lastEventId: '' },
      this.#hostServices,
    );
    this.#hosts.set(stream, host);
    try {
      await new Promise<void>((resolve, reject) => host.submit({ prepared, origin, resolve, reject }));
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      return this.#attach(stream, prepared);
    }
    return host;
  }

  /** The actor is there already: the same input attaches, anything else is refused. */
  async #attach(stream: string, prepared: Prepared): Promise<ActorHost> {
    const host = await this.#load(stream);
    await host.whenIdle();
    const wanted = (JSON.parse(`{${prepared.fields}}`) as { input?: unknown }).input;
    for await (const { type, data } of this.#log.readStream(stream, { limit: 1 })) {
      const found = JSON.parse(data) as { input?: unknown };
      if (type === 'ActorStarted' && !isDeepStrictEqual(found.input, wanted)) {
        throw new ActorExistsError(stream, `input ${show(found.input)}; this start has input ${show(wanted)}`);
      }
    }
    return host;
  }

  async #send(stream: string, event: unknown, options: SendOptions): Promise<void> {
    this.#assertOpen();
    const origin = { correlationId: options.correlationId, ...ambientOrigin(options.correlationId) };
    return this.#submit(stream, () => eventReceived('/', checkEvent(stream, event), options.messageId), origin);
  }

  /** Brings a message to an actor, loading it first where needed. */
  async #submit(stream: string, prepare: () => Prepared, origin: Origin): Promise<void> {
    if (this.#ended) throw this.#ended;
    readStreamName(stream);
    const prepared = prepare();
    const reason = this.#blocked.get(stream);
    if (reason) throw blockedError(stream, reason);
    return new Promise<void>((resolve, reject) => {
      const submission = { prepared, origin, resolve, reject };
      const host = this.#hosts.get(stream);
      if (host) {
        if (host.waiting >= this.#mailboxSize) return reject(new MailboxFullError(stream, this.#mailboxSize));
        return host.submit(submission);
      }
      const loading = this.#loading.get(stream) ?? this.#beginLoading(stream, []);
      if (loading.backlog.length >= this.#mailboxSize) return reject(new MailboxFullError(stream, this.#mailboxSize));
      loading.backlog.push(submission);
    });
  }

  // ── coming and going ───────────────────────────────────────────────────────────────────────────

  #load(stream: string): Promise<ActorHost> {
    readStreamName(stream);
    const host = this.#hosts.get(stream);
    if (host) return Promise.resolve(host);
    const reason = this.#blocked.get(stream);
    if (reason) return Promise.reject(blockedError(stream, reason));
    return (this.#loading.get(stream) ?? this.#beginLoading(stream, [])).promise;
  }

  #beginLoading(stream: string, backlog: Submission[], how: LoadOptions = {}): Loading {
    const { delayMs = 0 } = how;
    const promise = this.#fold(stream, delayMs)
      .then((folded) => this.#onLoaded(stream, folded, how))
      .catch((error: unknown) => this.#onLoadFailed(stream, error));
    // Whoever waits has the promise too; a load that nobody waits for reports through `blocked`.
    promise.catch(() => {});
    const loading = { promise, backlog };
    this.#loading.set(stream, loading);
    return loading;
  }

  async #fold(stream: string, delayMs: number): Promise<Folded> {
    if (delayMs > 0) await this.#sleep(delayMs);
    for (let attempt = 0; ; attempt++) {
      try {
        return await loadActor(stream, this.#loadServices);
      } catch (error) {
        if (!(error instanceof LogUnavailableError && error.retryable)) throw error;
        await this.#retryDelay(attempt, error);
      }
    }
  }

  #onLoaded(stream: string, folded: Folded, { resumes = true, seenTo }: LoadOptions): ActorHost {
    if (this.#stopping) throw this.#stopping;
    const host = this.#takeUp(stream, folded, resumes);
    const { backlog } = this.#loading.get(stream)!;
    this.#loading.delete(stream);
    this.#hosts.set(stream, host);
    // Another host has written meanwhile: who watches has not seen it.
    if (seenTo !== undefined && seenTo !== folded.revision) this.#watchers.tell(stream, host.committed!, true, []);
    // What an effect has told already comes first: the effect is not lost.
    const told = backlog.filter(({ prepared }) => prepared.stimulus.type.startsWith('Effect'));
    for (const submission of told) host.submit(submission);
    if (host.committed?.status === 'active') {
      if (resumes) this.#resumeEffects(host, host.info === folded.info ? folded : undefined);
      if (host.wakeAt !== undefined) this.#wakes.set(stream, host.wakeAt);
      host.fireDue();
    }
    for (const submission of backlog) if (!told.includes(submission)) host.submit(submission);
    return host;
  }

  /** Makes the host of a folded actor, under the current version of its machine where a migration leads there. */
  #takeUp(stream: string, folded: Folded, resumes: boolean): ActorHost {
    const migration = resumes && folded.tree.status === 'active' ? this.#machines.migration(folded.machine) : undefined;
    if (!migration) return new ActorHost(stream, folded, this.#hostServices);
    const { to, migrate } = migration;
    const versions = { from: folded.machine.version, to: to.version };
    const cause = { eventId: this.#newId(), correlationId: folded.correlationId };
    const { tree, step } = migrateTree(
      folded.tree,
      to.logic,
      (state) => migrate(state, versions),
      this.#clock.now(),
      cause,
    );
    const begun = step.record.intents?.map(({ actor }) => actor);
    const host = new ActorHost(stream, { ...folded, tree, info: to }, this.#hostServices, begun);
    host.record(actorRebased(to, 'migrated', describeTree(tree)), step);
    return host;
  }

  #onLoadFailed(stream: string, error: unknown): never {
    const backlog = this.#loading.get(stream)?.backlog ?? [];
    this.#loading.delete(stream);
    let reported = error;
    if (!this.#stopping && !(error instanceof NotFoundError)) {
      this.#blocked.set(stream, error);
      this.#logger.error({ stream, err: error }, 'actor blocked');
      reported = blockedError(stream, error);
    }
    for (const submission of backlog) submission.reject?.(reported);
    this.#watchers.fail(stream, reported);
    throw reported;
  }

  /** Runs lost effects again, lets them fail, or leaves them for a person; and notes a changed definition. */
  #resumeEffects(host: ActorHost, folded?: Folded): void {
    const submissions = resumption(host, folded, this.#hostServices.host);
    for (const submission of submissions) host.submit(submission);
  }

  async #resumeUnfinished(): Promise<void> {
    const loads: Promise<unknown>[] = [];
    for await (const row of this.#log.actors({ status: 'active', effects: true })) {
      if (this.#hosts.has(row.stream)) continue;
      loads.push(this.#load(row.stream).catch(() => {}));
      if (loads.length >= 64) await Promise.all(loads.splice(0));
    }
    await Promise.all(loads);
  }

  #wake(stream: string): void {
    const host = this.#hosts.get(stream);
    if (host) {
      host.fireDue();
      if (host.isIdle && host.wakeAt !== undefined) this.#wakes.set(stream, host.wakeAt);
    } else if (!this.#blocked.has(stream)) {
      this.#load(stream).catch(() => {});
    }
  }

  #scheduleSweep(): void {
    if (this.#options.passivate === false || this.#ended) return;
    const idleMs = toMs(this.#options.passivate?.idle ?? '1m');
    this.#cancelSweep = this.#clock.setTimer(this.#clock.now() + idleMs, () => {
      this.#sweep(this.#clock.now() - idleMs);
      this.#scheduleSweep();
    });
  }

  #sweep(before: number): void {
    for (const [stream, host] of this.#hosts) {
      if (host.lastUsed > before || !host.isIdle || host.hasEffects || this.#watchers.has(stream)) continue;
      this.#wakes.passivate(stream, host.wakeAt);
      this.#hosts.delete(stream);
      host.drop(undefined);
    }
  }

  // ── services ───────────────────────────────────────────────────────────────────────────────────

  #makeOwnership(): Ownership | undefined {
    const { lease } = this.#options;
    if (lease === false) return undefined;
    const options = {
      ttlMs: toMs(lease?.ttl ?? '10s'),
      waitMs: lease?.wait === undefined ? undefined : toMs(lease.wait),
    };
    return new Ownership(this.#log, this.#clock, this.#logger, options, (cause) =>
      this.#end(
        new RuntimeClosedError(
          'This runtime lost its lease on the log to another host and stopped. Nothing it had not acknowledged is lost: the other host goes on. Create a new runtime to take over again.',
          { cause },
        ),
      ),
    );
  }

  #makeHostServices(): HostServices {
    return {
      log: this.#log,
      logger: this.#logger,
      host: this.#options.host ?? `${hostname()}/${process.pid}`,
      now: () => this.#clock.now(),
      newId: this.#newId,
      schemaVersion: (type) => currentVersion(type, this.#loadServices.upcasters),
      wakeChanged: (host) => {
        if (this.#hosts.get(host.stream) === host) this.#wakes.set(host.stream, host.wakeAt);
      },
      committed: (host, step) => this.#committed(host, step),
      atRest: (host) => this.#snapshots?.consider(host),
      lost: (host, error, again) => this.#lost(host, error, again),
      retryDelay: (attempt, error) => this.#retryDelay(attempt, error),
      send: (effect, stream, event, options = {}) =>
        this.#submit(stream, () => eventReceived('/', checkEvent(stream, event), options.messageId), originOf(effect)),
      start: async (effect, machine, { id, input }) => {
        if (this.#ended) throw this.#ended;
        await this.#start(machine, id, input, originOf(effect));
      },
    };
  }

  #makeRefServices(): RefServices {
    return {
      clock: this.#clock,
      send: (stream, event, options) => this.#send(stream, event, options),
      stop: (stream, reason) => this.#submit(stream, () => actorStopped(reason), ambientOrigin(undefined)),
      settle: (stream, effect, decision) => this.#settle(stream, effect, decision),
      load: (stream) => this.#load(stream),
      holder: (stream) => this.#hosts.get(stream),
      watch: (stream, watcher: Watcher) => {
        if (this.#ended) watcher.failed?.(this.#ended);
        return this.#watchers.add(stream, watcher);
      },
    };
  }

  async #settle(stream: string, effect: string, decision: Settlement): Promise<void> {
    const host = await this.#load(stream);
    const pending = host.tree?.effects?.get(effect);
    if (!pending?.asked) {
      throw new NotFoundError(
        stream,
        `It has no lost effect ${effect} that waits for a decision; settle() is for effects with onLost: 'ask'.`,
      );
    }
    const prepare = () => {
      if (decision === 'rerun') return rerun(effect, this.#hostServices.host);
      return 'output' in decision ? effectSucceeded(effect, decision.output) : effectFailed(effect, decision.error);
    };
    return this.#submit(stream, prepare, originOf(pending));
  }

  #committed(host: ActorHost, step: Step): void {
    const snapshot = host.committed!;
    const { stream } = host;
    if (this.#watchers.has(stream)) {
      const moved = step.record.transitions?.some(({ actor }) => actor === '/') ?? false;
      const facts = step.facts.filter(({ actor }) => actor === '/').map(({ event }) => event);
      this.#watchers.tell(stream, snapshot, moved || snapshot.status !== 'active', facts);
    }
    if (snapshot.status !== 'active' && this.#hosts.get(stream) === host) {
      this.#hosts.delete(stream);
      this.#wakes.set(stream, undefined);
    }
  }

  #lost(host: ActorHost, error: unknown, again: readonly Submission[]): void {
    const { stream } = host;
    if (this.#hosts.get(stream) === host) this.#hosts.delete(stream);
    const rejectAll = (reason: unknown) => again.forEach((submission) => submission.reject?.(reason));
    if (this.#stopping) return rejectAll(this.#stopping);
    if (error instanceof ActorBlockedError) {
      this.#blocked.set(stream, error.cause);
      this.#logger.error({ stream, err: error.cause }, 'actor blocked');
      this.#watchers.fail(stream, error);
      return rejectAll(error);
    }
    const starts = again.filter(({ prepared }) => prepared.stimulus.type === 'ActorStarted');
    for (const start of starts) start.reject?.(error);
    const others = again.filter((submission) => !starts.includes(submission));
    const existing = this.#hosts.get(stream);
    if (existing) return others.forEach((submission) => existing.submit(submission));
    const loading = this.#loading.get(stream);
    if (loading) return void loading.backlog.unshift(...others);
    // It never was: there is nothing to fold.
    if (others.length === 0 && (starts.length > 0 || host.revision < 0)) return;
    if (error) this.#logger.warn({ stream, err: error }, 'an append was refused; the actor is folded again');
    const conflict = error instanceof ConflictError;
    this.#beginLoading(stream, others, {
      delayMs: error === undefined || conflict ? 0 : recoveryDelayMs,
      // Another writer is at work and nothing says that it is gone: its effects are left to it.
      resumes: !conflict || this.#ownership !== undefined,
      seenTo: host.revision,
    });
  }

  /** Capped exponential backoff with full jitter: Brooker, "Exponential Backoff And Jitter", AWS 2015. */
  async #retryDelay(attempt: number, error: unknown): Promise<void> {
    if (this.#stopping) throw this.#stopping;
    const ceilingMs = Math.min(5_000, 50 * 2 ** Math.min(attempt, 10));
    const delayMs = ceilingMs / 2 + ((this.#options.random ?? realRandom)() * ceilingMs) / 2;
    this.#logger.warn({ err: error, attempt, delayMs }, 'the log could not be used; trying again');
    await this.#sleep(delayMs);
    if (this.#stopping) throw this.#stopping;
  }

  #sleep(ms: number): Promise<void> {
    const release = holdProcess();
    return new Promise<void>((resolve) => void this.#clock.setTimer(this.#clock.now() + ms, resolve)).finally(release);
  }

  // ── the end ────────────────────────────────────────────────────────────────────────────────────

  async #close(drainMs: number): Promise<void> {
    if (this.#ended) return this.#release();
    const closed = new RuntimeClosedError('This runtime is closed. Create another one with createRuntime().');
    if (drainMs > 0) await this.#drain(drainMs);
    this.#stopping = closed;
    for (const host of this.#hosts.values()) host.interruptEffects(closed);
    await this.idle();
    this.#end(closed);
    await this.#release();
  }

  async #drain(drainMs: number): Promise<void> {
    const deadline = this.#clock.now() + drainMs;
    const busy = () => [...this.#hosts.values()].some((host) => host.runningEffects > 0 || !host.isIdle);
    while (busy() && this.#clock.now() < deadline) await this.#sleep(Math.min(20, deadline - this.#clock.now()));
  }

  #end(reason: RuntimeClosedError): void {
    if (this.#ended) return;
    this.#ended = this.#stopping = reason;
    this.#cancelSweep?.();
    this.#wakes.close();
    for (const host of this.#hosts.values()) host.drop(reason);
    this.#hosts.clear();
    for (const { backlog } of this.#loading.values()) for (const submission of backlog) submission.reject?.(reason);
    this.#watchers.fail(undefined, reason);
  }

  async #release(): Promise<void> {
    await this.#ownership?.release().catch(() => {});
    if (!this.#options.keepLogOpen) await this.#log.close();
  }

  #assertOpen(): void {
    if (this.#ended) throw this.#ended;
    if (this.#closing) throw new RuntimeClosedError('This runtime is closing and takes no more work.');
  }

  #ref<Machine extends AnyStateMachine>(stream: string, host: ActorHost): ActorRef<Machine> {
    return new ActorRef<Machine>(stream, host, this.#refServices);
  }
}

/** Any runtime, whatever its machines: what a helper function asks for. */
export type AnyRuntime = Pick<Runtime, 'log' | 'send' | 'list' | 'resume' | 'idle' | 'close'>;

/**
 * Opens a runtime: takes the lease on the log and wakes every unfinished actor.
 * @throws InvalidArgumentError for machines or options that cannot work
 * @throws LogOwnedError when another host runs on the log
 *
 * @example
 * await using runtime = await createRuntime({ log: sqliteLog('orders.db'), machines: { order } });
 * const ref = await runtime.start('order', { id: '42', input: { total: 12 } });
 */
export async function createRuntime<const M extends Machines>(options: RuntimeOptions<M>): Promise<Runtime<M>> {
  const runtime = new Runtime<M>(options);
  try {
    await runtime.open();
    return runtime;
  } catch (error) {
    // Also gives back the lease, which would keep the next attempt off the log.
    await runtime.close().catch(() => {});
    throw error;
  }
}

function checkEvent(stream: string, event: unknown): AnyEventObject {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    throw new InvalidEventError(stream, event === null ? 'null' : Array.isArray(event) ? 'an array' : show(event));
  }
  const { type } = event as { type?: unknown };
  if (typeof type !== 'string' || type === '') throw new InvalidEventError(stream, `an object with type ${show(type)}`);
  if (type === '*' || type === 'xstate.init' || type === 'xstate.stop') {
    throw new InvalidEventError(stream, `the reserved type '${type}'`);
  }
  return event as AnyEventObject;
}

function ambientOrigin(correlationId: string | undefined): Origin {
  const context = effectContext();
  return context ? { correlationId: correlationId ?? context.correlationId, causationId: context.causationId } : {};
}

function originOf({ cause }: PendingEffect): Origin {
  return { correlationId: cause.correlationId, causationId: cause.eventId };
}

function blockedError(stream: string, reason: unknown): ActorBlockedError {
  return reason instanceof ActorBlockedError ? reason : new ActorBlockedError(stream, reason);
}

function unlessNotFound(error: unknown): undefined {
  if (!(error instanceof NotFoundError)) throw error;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}
