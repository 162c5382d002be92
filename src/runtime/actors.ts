/**
 * The actors of a log that are in memory. Owns how they come, go and are found; what a service calls is runtime.ts, the
 * way of a single stimulus actor-host.ts.
 *
 * R1  An actor is in memory at most once; messages that arrive while it is loaded keep their order.
 * R2  An actor that cannot be folded is blocked with its reason; nothing is appended to it, and every other runs on.
 * R3  Finished and idle actors leave memory; a message or a due timer brings an idle one back.
 */
import { isDeepStrictEqual } from 'node:util';
import { fromTransition, type AnyEventObject } from 'xstate';
import { realRandom, sleep, uuidv7Source, type Clock, type Random } from '../clock.ts';
import {
  ActorBlockedError,
  ActorExistsError,
  ConflictError,
  LogUnavailableError,
  MailboxFullError,
  NotFoundError,
  UnknownMachineError,
  type RuntimeClosedError,
} from '../errors.ts';
import { ActorTree, type Step } from '../kernel/actor-tree.ts';
import { migrateTree } from '../kernel/migrate.ts';
import { actorStarted, type Prepared } from '../kernel/records.ts';
import type { Stimulus } from '../kernel/stimulus.ts';
import { HostedActor, type AnySnapshot } from '../kernel/xstate-internals.ts';
import type { EventLog } from '../log/event-log.ts';
import { readStreamName, streamName } from '../log/stream-name.ts';
import { currentVersion, type Upcasters } from '../log/upcast.ts';
import { ActorHost, type HostServices, type SkipAction, type Submission } from './actor-host.ts';
import type { Settlement } from './actor-ref.ts';
import type { StandIn } from './effect-runner.ts';
import type { Environment } from './environment.ts';
import type { FeatureSet } from './features.ts';
import type { Folded } from './fold-history.ts';
import { loadActor, rootFacts, type LoadServices } from './load.ts';
import type { Logger } from './logger.ts';
import type { MachineRegistry, Machines } from './machines.ts';
import { outputOf } from './outcome-wait.ts';
import { originOf, receivable, show, type Origin } from './messages.ts';
import { Patience } from './patience.ts';
import { loggedStart, rebaseEvent, type ResumeOptions } from './rebases.ts';
import { Rebasing, type Places } from './rebasing.ts';
import { resumption } from './resumption.ts';
import { originOfSettled, requireSettlement, settled } from './settling.ts';
import { DefinitionKeeper } from './definition-keeper.ts';
import { SnapshotWriter } from './snapshot-writer.ts';
import { Wakes } from './wakes.ts';
import { Watchers } from './watchers.ts';

/** The id of the event that records a stimulus: unique in the log, the same for the same one; undefined for any new id. */
export type StimulusId = (stream: string, stimulus: Stimulus) => string | undefined;

/** What the actors are run with. */
export interface ActorsOptions {
  readonly log: EventLog;
  readonly clock: Clock;
  readonly random: Random | undefined;
  readonly logger: Logger;
  readonly machines: MachineRegistry;
  readonly upcasters: Upcasters;
  readonly features: FeatureSet;
  readonly environment: Environment;
  /** Renew an actor's snapshot after this many events; neither kept nor used when undefined. */
  readonly snapshotEvery: number | undefined;
  readonly recordsContexts: boolean;
  /** Compact an actor each time it has grown by so many events; never when undefined. */
  readonly compactEvery: number | undefined;
  readonly mailboxSize: number;
  /** Drop actors that were idle this long; never when undefined. */
  readonly passivateMs: number | undefined;
  /** Name of this host in events. */
  readonly host: string;
  /** Whether a lease keeps other hosts off the log. */
  readonly exclusive: boolean;
  /** The id of the event of a stimulus, where a test says it. */
  readonly stimulusId?: StimulusId | undefined;
  /** What a test puts in the place of effects. */
  readonly standIn?: StandIn | undefined;
  /** False where a call of the log that failed is tried again at once. */
  readonly pauses?: boolean | undefined;
  /** Whether effects are left to the next host: neither begun nor taken up. */
  readonly writesOnly: boolean;
  /** Told of custom actions in their place; they are run when undefined. */
  readonly skipAction: SkipAction | undefined;
}

interface Loading {
  readonly promise: Promise<ActorHost>;
  readonly backlog: Submission[];
}

interface LoadOptions {
  readonly delayMs?: number;
  /** Whether effects that were left behind are taken up. */
  readonly resumes?: boolean;
  /** Whether it goes on in another environment, whatever the policy: it was asked for by name. */
  readonly accepts?: boolean;
  /** The stream's last revision, where it is known. */
  readonly lastRevision?: number;
  /** Revision up to which this runtime has shown the actor already. */
  readonly seenTo?: number;
}

/** How long closing waits for what was said to become durable. */
const closingPatienceMs = 5_000;

/** How long after a refused append a stream is folded again, unless it simply moved on. */
const recoveryDelayMs = 1_000;

export class Actors {
  /**
   * Never run. As long as one actor is alive V8 keeps the layout of actors; when a full garbage collection finds none, it
   * forgets it, and the next ones may become hash tables of twice the size.
   */
  static readonly layout = layoutOf({ now: () => 0 } as HostServices);
  readonly watchers: Watchers;
  /** How an actor comes to go on from another state. */
  readonly rebasing: Rebasing;
  readonly blocked = new Map<string, unknown>();
  readonly #options: ActorsOptions;
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #newId: () => string;
  readonly #patience: Patience;
  readonly #hosts = new Map<string, ActorHost>();
  readonly #loading = new Map<string, Loading>();
  readonly #wakes: Wakes;
  readonly #snapshots: SnapshotWriter | undefined;
  readonly #definitions: DefinitionKeeper;
  readonly #hostServices: HostServices;
  readonly #loadServices: LoadServices;
  #cancelSweep: (() => void) | undefined;
  /** Why nothing more is tried: set when closing is past draining. */
  #stopping: RuntimeClosedError | undefined;
  /** Why nothing is written any more. */
  #ended: RuntimeClosedError | undefined;

  constructor(options: ActorsOptions) {
    const { log, clock, logger, machines, upcasters, features, environment, snapshotEvery, recordsContexts } = options;
    this.#options = options;
    this.#log = log;
    this.#clock = clock;
    this.#logger = logger;
    this.#newId = uuidv7Source(() => clock.now(), options.random ?? realRandom);
    this.#patience = new Patience(clock, options.random, logger, () => this.#stopping, options.pauses);
    this.watchers = new Watchers(logger);
    this.#wakes = new Wakes(
      log,
      clock,
      (stream) => this.#wake(stream),
      (error) => logger.error({ err: error }, 'the index of wake-ups could not be read'),
    );
    if (options.writesOnly) this.#wakes.close();
    this.#snapshots =
      snapshotEvery === undefined ? undefined : new SnapshotWriter(log, snapshotEvery, features.names, logger);
    this.#loadServices = { log, machines, upcasters, features, logger, snapshotEvery, recordsContexts };
    this.#definitions = new DefinitionKeeper(log.definitions, logger);
    this.#hostServices = this.#makeHostServices();
    this.rebasing = new Rebasing(
      { ...this.#loadServices, log, environment },
      this.#makePlaces(),
      this.#newId,
      options.compactEvery,
    );
    this.#scheduleSweep();
  }

  /** The actor, while it is in memory and the log has it. */
  find(stream: string): ActorHost | undefined {
    const host = this.#hosts.get(stream);
    return host?.committed ? host : undefined;
  }

  /** Makes more machines known; actors that were blocked for want of theirs may be loaded again. */
  register(machines: Machines): void {
    this.#options.machines.add(machines);
    for (const [stream, reason] of this.blocked) {
      if (reason instanceof UnknownMachineError && Object.hasOwn(machines, reason.machine)) this.blocked.delete(stream);
    }
  }

  /** Wakes every unfinished actor and tries blocked ones again. */
  async resume(): Promise<void> {
    this.blocked.clear();
    for (const host of this.#hosts.values()) this.#resumeEffects(host);
    await this.#resumeUnfinished();
    await this.#wakes.open();
  }

  /** Brings one actor to go on: tries a blocked one again, takes up one that has ended. */
  async resumeOne(stream: string, options: ResumeOptions): Promise<ActorHost> {
    // It may be on its way into memory as any other is.
    await this.#loading.get(stream)?.promise.catch(() => {});
    this.blocked.delete(stream);
    return this.rebasing.resume(stream, options);
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

  /** Whether effects run, or something waits to become durable: what is said to an actor that is loaded waits, too. */
  get isBusy(): boolean {
    return this.#loading.size > 0 || [...this.#hosts.values()].some((host) => host.runningEffects > 0 || !host.isIdle);
  }

  /** Lets go of the effects that only wait for their turn: what comes free is for nobody in this runtime any more. */
  interruptStandby(reason: RuntimeClosedError): void {
    for (const host of this.#hosts.values()) host.interruptStandby(reason);
  }

  /** Aborts every effect and lets what was said become durable. */
  async stop(reason: RuntimeClosedError): Promise<void> {
    this.#stopping = reason;
    // All of them first: what one effect lets go on its way out must not start another.
    for (const host of this.#hosts.values()) host.takeNoMore();
    for (const host of this.#hosts.values()) host.interruptEffects(reason);
    // An actor that feeds itself, or a log that does not answer, must not keep the runtime from closing.
    let cancel = () => {};
    const patience = new Promise<void>((resolve) => {
      cancel = this.#clock.setTimer(this.#clock.now() + closingPatienceMs, resolve);
    });
    await Promise.race([this.idle(), patience]);
    cancel();
    this.end(reason);
  }

  /** Drops every actor at once; from now on nothing is written. */
  end(reason: RuntimeClosedError): void {
    if (this.#ended) return;
    this.#ended = this.#stopping = reason;
    this.#cancelSweep?.();
    this.#wakes.close();
    for (const host of this.#hosts.values()) host.drop(reason);
    this.#hosts.clear();
    for (const { backlog } of this.#loading.values()) for (const submission of backlog) submission.reject?.(reason);
    this.watchers.fail(undefined, reason);
  }

  /** Why nothing is written any more; undefined while it is. */
  get ended(): RuntimeClosedError | undefined {
    return this.#ended;
  }

  // ── starting and sending ───────────────────────────────────────────────────────────────────────

  /** Starts an actor, or attaches to one that has the same input. */
  async start(name: string, id: string, input: unknown, origin: Origin): Promise<ActorHost> {
    const machine = this.#options.machines.current(name);
    const stream = streamName(name, id);
    const environment = this.#options.environment.present;
    const info = environment ? { ...machine, environment } : machine;
    const prepared = this.#options.environment.recording(actorStarted(info, input));
    while (this.#hosts.has(stream) || this.#loading.has(stream) || this.blocked.has(stream)) {
      const host = await this.#attach(stream, prepared).catch(unlessNotFound);
      if (host) return host;
      // Someone looked for it before it was there.
      if (this.#ended) throw this.#ended;
    }
    // An effect that is cut off may still ask for it.
    if (this.#stopping) throw this.#stopping;
    const correlationId = origin.correlationId ?? this.#newId();
    const tree = new ActorTree(machine.logic, id);
    this.#definitions.keep(machine);
    const host = new ActorHost(
      stream,
      { tree, info: machine, correlationId, environment, revision: -1, lastEventId: '' },
      this.#hostServices,
    );
    this.#hosts.set(stream, host);
    try {
      await new Promise<AnySnapshot>((resolve, reject) => host.submit({ prepared, origin, resolve, reject }));
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
      return this.#attach(stream, prepared);
    }
    return host;
  }

  /** The actor is there already: the same input attaches, anything else is refused. */
  async #attach(stream: string, prepared: Prepared): Promise<ActorHost> {
    const host = await this.load(stream);
    await host.whenIdle();
    const wanted = (JSON.parse(`{${prepared.fields}}`) as { input?: unknown }).input;
    const started = await loggedStart(stream, this.#log);
    if (started && !isDeepStrictEqual(started.input, wanted)) {
      throw new ActorExistsError(stream, `input ${show(started.input)}; this start has input ${show(wanted)}`);
    }
    return host;
  }

  /** Brings a message to an actor, loading it first where needed. Whatever is wrong with it rejects. */
  submit(stream: string, prepare: () => Prepared, origin: Origin): Promise<AnySnapshot> {
    return new Promise<AnySnapshot>((resolve, reject) => {
      if (this.#ended) throw this.#ended;
      const prepared = prepare();
      const submission = { prepared, origin, resolve, reject };
      const { mailboxSize } = this.#options;
      const host = this.#hosts.get(stream);
      if (host) {
        if (host.waiting >= mailboxSize) throw new MailboxFullError(stream, mailboxSize);
        return host.submit(submission);
      }
      readStreamName(stream);
      this.#requireUnblocked(stream);
      const { backlog } = this.#loading.get(stream) ?? this.#beginLoading(stream, []);
      if (backlog.length >= mailboxSize) throw new MailboxFullError(stream, mailboxSize);
      backlog.push(submission);
    });
  }

  // ── coming and going ───────────────────────────────────────────────────────────────────────────

  /** Brings an actor into memory. */
  async load(stream: string, how?: LoadOptions): Promise<ActorHost> {
    readStreamName(stream);
    for (let host = this.#hosts.get(stream); host; host = this.#hosts.get(stream)) {
      if (host.committed) return host;
      // Its start is on the way to the log: until that is durable there is no such actor.
      await host.whenIdle();
    }
    this.#requireUnblocked(stream);
    return (this.#loading.get(stream) ?? this.#beginLoading(stream, [], how)).promise;
  }

  /** An actor as it stands in the log. Without a lease others may have written to it since it was folded here. */
  async #newest(stream: string): Promise<ActorHost> {
    for (;;) {
      const host = await this.load(stream);
      if (this.#options.exclusive || host.hasEffects) return host;
      if (!host.isIdle) {
        // Its own append fails if another writer was first, so what it leaves behind is the newest.
        await host.whenIdle();
        return this.load(stream);
      }
      const row = await this.#log.actor(stream);
      // Somebody else found out meanwhile, and folds it anew.
      if (this.#hosts.get(stream) !== host && host.committed?.status === 'active') continue;
      if (!row || row.revision <= host.revision) return host;
      if (!host.isIdle) continue;
      this.#hosts.delete(stream);
      host.drop(undefined);
      return this.#beginLoading(stream, [], { resumes: false, seenTo: host.revision }).promise;
    }
  }

  /**
   * An actor whose end somebody waits for; undefined while it goes on elsewhere. Without a lease another process may run it,
   * and waiting is no reason to take it over: it is folded only when the index says that it has ended.
   */
  async #waitedFor(stream: string): Promise<AnySnapshot | undefined> {
    if (this.#ended) throw this.#ended;
    if (this.#options.exclusive) return (await this.load(stream)).committed;
    readStreamName(stream);
    this.#requireUnblocked(stream);
    const host = this.#hosts.get(stream);
    // Its start is on the way to the log.
    if (host && !host.committed) await host.whenIdle();
    const row = await this.#log.actor(stream);
    if (!row) throw new NotFoundError(stream);
    if (row.status === 'active') return undefined;
    try {
      const { tree } = await loadActor(stream, this.#loadServices, row.revision);
      return tree.rootActor.getSnapshot();
    } catch (error) {
      throw error instanceof LogUnavailableError ? error : blockedError(stream, error);
    }
  }

  #beginLoading(stream: string, backlog: Submission[], how: LoadOptions = {}): Loading {
    const promise = this.#fold(stream, how)
      .then(([folded, missed]) => this.#onLoaded(stream, folded, missed, how))
      .catch((error: unknown) => this.#onLoadFailed(stream, error))
      // One that is migrated is to be seen once that is durable.
      .then((host) => (host.committed ? host : host.whenIdle().then(() => this.load(stream))));
    // Whoever waits has the promise too; a load that nobody waits for reports through `blocked`.
    promise.catch(() => {});
    const loading = { promise, backlog };
    this.#loading.set(stream, loading);
    return loading;
  }

  /** The actor, and the facts that have become durable without being shown. */
  async #fold(
    stream: string,
    { delayMs = 0, lastRevision, seenTo }: LoadOptions,
  ): Promise<[Folded, readonly AnyEventObject[]]> {
    if (delayMs > 0) await sleep(this.#clock, delayMs);
    const read = async (): Promise<[Folded, readonly AnyEventObject[]]> => {
      const folded = await loadActor(stream, this.#loadServices, lastRevision);
      this.#definitions.keep(folded.machine);
      if (seenTo === undefined || !this.watchers.has(stream)) return [folded, []];
      const missed = { stream, from: seenTo + 1, to: folded.revision };
      return [folded, await rootFacts(missed, this.#loadServices)];
    };
    for (;;) {
      try {
        return await this.#patience.persist(read);
      } catch (error) {
        // It was made known while its history was read.
        if (error instanceof UnknownMachineError && this.#options.machines.names.includes(error.machine)) continue;
        throw error;
      }
    }
  }

  #onLoaded(stream: string, folded: Folded, missed: readonly AnyEventObject[], how: LoadOptions): ActorHost {
    const { resumes = true, seenTo } = how;
    if (this.#stopping) throw this.#stopping;
    this.#judgeEnvironment(stream, folded, how);
    const host = this.#takeUp(stream, folded, resumes);
    const { backlog } = this.#loading.get(stream)!;
    this.#loading.delete(stream);
    this.#hosts.set(stream, host);
    // Another host has written meanwhile, or this one without hearing of it: who watches has not seen it.
    if (seenTo !== undefined && seenTo !== folded.revision)
      this.watchers.tell(stream, folded.tree.rootActor.getSnapshot(), true, missed);
    // What an effect has told already comes first: the effect is not lost.
    const told = backlog.filter(({ prepared }) => prepared.stimulus.type.startsWith('Effect'));
    for (const submission of told) host.submit(submission);
    if (folded.tree.status === 'active') {
      if (resumes) this.#resumeEffects(host, host.info === folded.info ? folded : undefined);
      if (host.wakeAt !== undefined) this.#wakes.set(stream, host.wakeAt);
      host.fireDue();
    }
    for (const submission of backlog) if (!told.includes(submission)) host.submit(submission);
    return host;
  }

  /** Makes the host of a folded actor, under the current version of its machine where a migration leads there. */
  #takeUp(stream: string, folded: Folded, resumes: boolean): ActorHost {
    const migration =
      resumes && folded.tree.status === 'active' ? this.#options.machines.migration(folded.machine) : undefined;
    const recorded = folded.recorded.environment;
    const environment =
      resumes && folded.tree.status === 'active' ? this.#options.environment.after(recorded) : recorded;
    if (!migration) return new ActorHost(stream, { ...folded, environment }, this.#hostServices);
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
    const moved = { ...folded, tree, info: to, environment, isRecorded: false };
    const host = new ActorHost(stream, moved, this.#hostServices, begun);
    const info = { ...to, environment };
    host.record(
      { prepared: rebaseEvent(tree, info, { reason: 'migrated' }, this.#options.environment), origin: {} },
      step,
    );
    return host;
  }

  /** What going on from another state needs of the actors in memory. */
  #makePlaces(): Places {
    return {
      load: (stream, how) => this.load(stream, how),
      atRest: (stream) => this.#atRest(stream),
      isAtRest: (stream, host) => {
        return !this.#loading.has(stream) && this.#hosts.get(stream) === host && host?.isIdle !== false;
      },
      hostOf: (stream, folded) => {
        if (this.#stopping) throw this.#stopping;
        const environment = this.#options.environment.after(folded.recorded.environment);
        return new ActorHost(stream, { ...folded, environment, isRecorded: false }, this.#hostServices);
      },
      replace: (host) => {
        const { stream } = host;
        this.#hosts.get(stream)?.drop(undefined);
        this.blocked.delete(stream);
        this.#hosts.set(stream, host);
      },
      takeUp: (host) => {
        this.#resumeEffects(host);
        host.fireDue();
      },
      tell: (host) => this.watchers.tell(host.stream, host.committed!, true, []),
      persist: (work) => this.#patience.persist(work),
    };
  }

  /** The actor in memory when nothing waits to become durable; undefined when it is not there. */
  async #atRest(stream: string): Promise<ActorHost | undefined> {
    readStreamName(stream);
    for (;;) {
      if (this.#ended) throw this.#ended;
      const loading = this.#loading.get(stream);
      const host = this.#hosts.get(stream);
      if (loading) await loading.promise.catch(() => {});
      else if (host?.isIdle === false) await host.whenIdle();
      else return host;
    }
  }

  /** @throws EnvironmentMismatchError where the actor is not to go on in this environment */
  #judgeEnvironment(stream: string, folded: Folded, { resumes = true, accepts = false }: LoadOptions): void {
    if (folded.tree.status !== 'active') return;
    const { environment } = this.#options;
    const differences = environment.differences(folded.recorded.environment);
    if (differences.length === 0) return;
    if (!accepts) environment.judge(stream, differences);
    if (resumes) this.#logger.warn({ stream, differences }, 'the actor goes on in another environment');
  }

  #onLoadFailed(stream: string, error: unknown): never {
    const backlog = this.#loading.get(stream)?.backlog ?? [];
    this.#loading.delete(stream);
    const isThere = !this.#stopping && !(error instanceof NotFoundError);
    const reported = isThere ? this.#block(stream, error) : error;
    for (const submission of backlog) submission.reject?.(reported);
    this.watchers.fail(stream, reported);
    throw reported;
  }

  /** R2. */
  #block(stream: string, reason: unknown): ActorBlockedError {
    this.blocked.set(stream, reason);
    this.#logger.error({ stream, err: reason }, 'actor blocked');
    return blockedError(stream, reason);
  }

  /** @throws ActorBlockedError */
  #requireUnblocked(stream: string): void {
    if (this.blocked.has(stream)) throw blockedError(stream, this.blocked.get(stream));
  }

  /** Runs lost effects again, lets them fail, or leaves them for a person; and notes a changed definition. */
  #resumeEffects(host: ActorHost, folded?: Folded): void {
    const { writesOnly, environment } = this.#options;
    const submissions = resumption(host, folded, this.#hostServices.host, environment, !writesOnly);
    const taken = submissions[0]?.prepared.stimulus;
    if (taken?.type === 'ActorResumed' && taken.effects.length > 0)
      this.#logger.info({ stream: host.stream, effects: taken.effects }, 'lost effects are taken up');
    for (const submission of submissions) host.submit(submission);
  }

  async #resumeUnfinished(): Promise<void> {
    const loads: Promise<unknown>[] = [];
    for await (const row of this.#log.actors({ status: 'active', effects: true })) {
      if (this.#hosts.has(row.stream)) continue;
      loads.push(this.load(row.stream, { lastRevision: row.revision }).catch(() => {}));
      if (loads.length >= 64) await Promise.all(loads.splice(0));
    }
    await Promise.all(loads);
  }

  #wake(stream: string): void {
    const host = this.#hosts.get(stream);
    if (host) {
      host.fireDue();
      if (host.isIdle && host.wakeAt !== undefined) this.#wakes.set(stream, host.wakeAt);
    } else if (!this.blocked.has(stream)) {
      this.load(stream).catch(() => {});
    }
  }

  #scheduleSweep(): void {
    const idleMs = this.#options.passivateMs;
    if (idleMs === undefined || this.#ended) return;
    this.#cancelSweep = this.#clock.setTimer(this.#clock.now() + idleMs, () => {
      this.#sweep(this.#clock.now() - idleMs);
      this.#scheduleSweep();
    });
  }

  #sweep(before: number): void {
    for (const [stream, host] of this.#hosts) {
      if (host.lastUsed > before || !host.isIdle || host.hasEffects || this.watchers.has(stream)) continue;
      this.#wakes.passivate(stream, host.wakeAt);
      this.#hosts.delete(stream);
      host.drop(undefined);
    }
  }

  #makeHostServices(): HostServices {
    return {
      log: this.#log,
      logger: this.#logger,
      host: this.#options.host,
      recordsContexts: this.#options.recordsContexts,
      writesOnly: this.#options.writesOnly,
      skipAction: this.#options.skipAction,
      now: () => this.#clock.now(),
      newId: this.#newId,
      stimulusId: (stream, stimulus) => this.#options.stimulusId?.(stream, stimulus) ?? this.#newId(),
      schemaVersion: (type) => currentVersion(type, this.#loadServices.upcasters),
      wakeChanged: (host) => {
        if (this.#hosts.get(host.stream) === host) this.#wakes.set(host.stream, host.wakeAt);
      },
      committed: (host, step) => this.#committed(host, step),
      atRest: (host) => {
        this.#snapshots?.consider(host);
        this.rebasing.considerCompaction(host);
      },
      lost: (host, error, again) => this.#lost(host, error, again),
      standIn: this.#options.standIn,
      retryDelay: (attempt, error) => this.#patience.pause(attempt, error),
      send: (effect, stream, event, options = {}) =>
        this.submit(stream, () => receivable(stream, event, options.messageId), originOf(effect)),
      start: async (effect, machine, { id, input }) => {
        if (this.#ended) throw this.#ended;
        return (await this.start(machine, id, input, originOf(effect))).committed!;
      },
      look: async (stream) => {
        if (this.#ended) throw this.#ended;
        // Under a lease nobody else writes to what is in memory.
        const known = this.#options.exclusive ? this.#hosts.get(stream)?.committed : undefined;
        return known ?? (await this.#newest(stream)).committed!;
      },
      output: (stream, signal) =>
        outputOf(stream, signal, {
          clock: this.#clock,
          watch: (watched, watcher) => this.watchers.add(watched, watcher),
          look: (wanted) => this.#waitedFor(wanted),
        }),
    };
  }

  /** Records a person's decision on a lost effect. */
  async settle(stream: string, effect: string, decision: Settlement): Promise<void> {
    requireSettlement(stream, effect, decision);
    const origin = originOfSettled(await this.load(stream), effect);
    await this.submit(stream, () => settled(effect, decision, this.#options.host), origin);
  }

  #committed(host: ActorHost, step: Step): void {
    const snapshot = host.committed!;
    const { stream } = host;
    if (this.watchers.has(stream)) {
      const moved = step.record.transitions?.some(({ actor }) => actor === '/') ?? false;
      const facts = step.facts.filter(({ actor }) => actor === '/').map(({ event }) => event);
      this.watchers.tell(stream, snapshot, moved || snapshot.status !== 'active', facts);
    }
    if (snapshot.status !== 'active' && this.#hosts.get(stream) === host) {
      this.#hosts.delete(stream);
      this.#wakes.set(stream, undefined);
    }
  }

  #lost(host: ActorHost, error: unknown, submissions: readonly Submission[]): void {
    const { stream } = host;
    const isRebase = ({ prepared }: Submission) => prepared.stimulus.type === 'ActorRebased';
    // A migration is done again with the fold; whoever asked for another rebase hears that it came to nothing.
    for (const rebase of submissions.filter(isRebase)) rebase.reject?.(error);
    const again = submissions.filter((submission) => !isRebase(submission) && !submission.isResumption);
    if (this.#hosts.get(stream) === host) this.#hosts.delete(stream);
    const rejectAll = (reason: unknown) => again.forEach((submission) => submission.reject?.(reason));
    if (this.#stopping) return rejectAll(this.#stopping);
    if (error instanceof ActorBlockedError) {
      const blocked = this.#block(stream, error.cause);
      this.watchers.fail(stream, blocked);
      return rejectAll(blocked);
    }
    const starts = again.filter(({ prepared }) => prepared.stimulus.type === 'ActorStarted');
    for (const start of starts) start.reject?.(error);
    const others = again.filter((submission) => !starts.includes(submission));
    const existing = this.#hosts.get(stream);
    if (existing) return others.forEach((submission) => existing.submit(submission));
    const loading = this.#loading.get(stream);
    if (loading) return void loading.backlog.push(...others);
    // It never was: there is nothing to fold.
    if (others.length === 0 && (starts.length > 0 || host.revision < 0)) return;
    if (error) this.#logger.warn({ stream, err: error }, 'an append was refused; the actor is folded again');
    const conflict = error instanceof ConflictError;
    this.#beginLoading(stream, others, {
      delayMs: error === undefined || conflict ? 0 : recoveryDelayMs,
      // Another writer is at work and nothing says that it is gone: its effects are left to it.
      resumes: !conflict || this.#options.exclusive,
      seenTo: host.revision,
    });
  }
}

function layoutOf(services: HostServices): ActorHost {
  const logic = fromTransition((state: null) => state, null);
  const tree = new ActorTree(logic, '');
  const identity = { id: '', sessionId: '', src: '', parent: undefined, systemId: undefined, syncSnapshot: undefined };
  tree.root = HostedActor.create(tree, logic, identity);
  const info = { machine: '', version: null, definition: '' };
  return new ActorHost('', { tree, info, correlationId: '', revision: -1, lastEventId: '' }, services);
}

function blockedError(stream: string, reason: unknown): ActorBlockedError {
  return reason instanceof ActorBlockedError ? reason : new ActorBlockedError(stream, reason);
}

function unlessNotFound(error: unknown): undefined {
  if (!(error instanceof NotFoundError)) throw error;
}
