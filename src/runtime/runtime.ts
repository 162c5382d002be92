/**
 * The surface a service calls. Owns the life of a runtime (lease, resume, drain, close) and the typed handles it gives
 * out; the actors themselves are actors.ts.
 *
 * R4  Once closed, or once another host owns the log, a runtime writes nothing.
 */
import { hostname } from 'node:os';
import type { AnyEventObject, AnyMachineSnapshot, AnyStateMachine } from 'xstate';
import { realClock, sleep, toMs, type Clock, type Duration } from '../clock.ts';
import { InvalidArgumentError, RuntimeClosedError } from '../errors.ts';
import { actorStopped } from '../kernel/records.ts';
import type { AnySnapshot } from '../kernel/xstate-internals.ts';
import type { ActorRow, EventLog, Revision } from '../log/event-log.ts';
import { memoryLog } from '../log/memory-log.ts';
import { readStreamName } from '../log/stream-name.ts';
import { noUpcasters } from '../log/upcast.ts';
import type { ActorHost, SkipAction } from './actor-host.ts';
import {
  ActorRef,
  type FactHandler,
  type FactType,
  type RefServices,
  type SendOptions,
  type Unsubscribe,
} from './actor-ref.ts';
import { Actors, type StimulusId } from './actors.ts';
import { Environment } from './environment.ts';
import { FeatureSet, type FeatureTable } from './features.ts';
import type { StandIn } from './effect-runner.ts';
import type { ForkOptions } from './fork.ts';
import { explain } from './explain/explain.ts';
import type { Explanation } from './explain/explained.ts';
import { consoleLogger, type Logger } from './logger.ts';
import { MachineRegistry, type Machines } from './machines.ts';
import { ambientOrigin, receivable } from './messages.ts';
import { Ownership } from './ownership.ts';
import type { ResumeOptions } from './rebases.ts';
import {
  checkNames,
  checkOptions,
  checkStart,
  type ListedActor,
  type ListQuery,
  type MachineOf,
  type RuntimeOptions,
  type StartOptions,
} from './runtime-options.ts';

/** What a test, or the command line, may change behind the scenes of a runtime. */
export interface Backstage {
  /** The features of another version, which is run in the place of this one. */
  readonly features?: FeatureTable;
  /** What is run in the place of effects. */
  readonly standIn?: StandIn;
  /** Ids of events that come from what they record, so that chance is the same in every run. */
  readonly stimulusId?: StimulusId;
  /** False where a call of the log that failed is tried again at once, without a pause. */
  readonly pauses?: boolean;
  /**
   * True for one that only writes: effects that begin are left to the next host, which is told that nothing of them was done,
   * and those that a former host left behind are left as they are. A timer fires if it was due when its actor was loaded.
   */
  readonly writesOnly?: boolean;
  /** Told of custom actions in their place: they are passed over. */
  readonly skipAction?: SkipAction;
  /** Told when another host has taken the log, and this runtime has ended for it. */
  readonly onLost?: (error: RuntimeClosedError) => void;
}

/** Hosts machines on a log. Made by {@link createRuntime}. */
export class Runtime<M extends Machines = Machines> implements AsyncDisposable {
  readonly #log: EventLog;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #options: RuntimeOptions<M>;
  readonly #machines: MachineRegistry;
  readonly #features: FeatureSet;
  readonly #actors: Actors;
  readonly #ownership: Ownership | undefined;
  readonly #refServices: RefServices;
  #closing: Promise<void> | undefined;

  /** Use {@link createRuntime}, which also takes the lease and resumes. */
  constructor(options: RuntimeOptions<M>, backstage: Backstage = {}) {
    const { features, standIn, stimulusId, pauses, writesOnly = false, skipAction, onLost } = backstage;
    const { clock = realClock, logger = consoleLogger, passivate } = options;
    this.#options = options;
    this.#clock = clock;
    this.#logger = logger;
    this.#log = options.log ?? memoryLog({ clock });
    this.#machines = new MachineRegistry(options.machines);
    this.#features = new FeatureSet(options.features, features);
    this.#actors = new Actors({
      log: this.#log,
      clock,
      random: options.random,
      logger,
      machines: this.#machines,
      upcasters: options.upcasters ?? noUpcasters,
      features: this.#features,
      environment: new Environment(options.environment, this.#features, options.onEnvironmentChange),
      snapshotEvery: options.snapshots === false ? undefined : (options.snapshots?.every ?? 1_000),
      recordsContexts: options.recordContexts ?? true,
      compactEvery: options.compaction?.every,
      mailboxSize: options.mailboxSize ?? 1_000,
      passivateMs: passivate === false ? undefined : toMs(passivate?.idle ?? '1m'),
      host: options.host ?? `${hostname()}/${process.pid}`,
      exclusive: options.lease !== false,
      standIn,
      stimulusId,
      pauses,
      writesOnly,
      skipAction,
    });
    this.#ownership = this.#makeOwnership(onLost);
    this.#refServices = this.#makeRefServices();
  }

  /** The log the actors live on. */
  get log(): EventLog {
    return this.#log;
  }

  /** @internal Takes ownership of the log and wakes what is to be woken. */
  async open(): Promise<void> {
    await this.#ownership?.acquire();
    if (this.#options.resume !== false) await this.resume();
  }

  /**
   * Makes more machines known, such as those of a module that is loaded later. Actors of theirs that could not be loaded
   * are tried again when they are next used, or by {@link resume}. A machine that is known already is left as it is.
   * @throws InvalidArgumentError for something that is no machine, or a name under which there is another one
   */
  register(machines: Machines): void {
    this.#assertOpen();
    if (typeof machines !== 'object' || machines === null) {
      throw InvalidArgumentError.of('register(machines)', 'machines by their names', machines);
    }
    this.#actors.register(machines);
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
    const { id, correlationId, input } = checkStart(name, options);
    const host = await this.#actors.start(name, id, input, ambientOrigin(correlationId));
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
    return this.#ref(stream, await this.#actors.load(stream));
  }

  /**
   * Sends an event to an actor by the name of its stream; resolves when it is durable, with the state right after it.
   * @throws InvalidEventError | NotSerializableError | MailboxFullError | ActorFinishedError | ActorBlockedError | NotFoundError
   */
  send(stream: string, event: AnyEventObject, options: SendOptions = {}): Promise<AnyMachineSnapshot> {
    return this.#send(stream, event, options) as Promise<AnyMachineSnapshot>;
  }

  /**
   * Calls the handler with every durable fact of this type that the root of an actor emits, as {@link ActorRef.on} does;
   * `'*'` for all. The actor need not be there yet: who listens before `start` misses nothing.
   * @throws InvalidArgumentError for what cannot be the name of a stream
   *
   * @example
   * runtime.on('order-42', 'OrderPlaced', ({ total }) => console.log(total));
   * await runtime.start('order', { id: '42', input });
   */
  // For a stream of which the compiler knows no name. It stands first, because compilers tell what is wrong with the last one.
  on<Stream extends string>(
    stream: string extends Stream ? Stream : never,
    type: string,
    handler: (fact: AnyEventObject) => void,
  ): Unsubscribe;
  on<Name extends keyof M & string, Type extends FactType<MachineOf<M[Name]>>>(
    stream: `${Name}-${string}`,
    type: Type,
    handler: FactHandler<MachineOf<M[Name]>, Type>,
  ): Unsubscribe;
  on(stream: string, type: string, handler: (fact: never) => void): Unsubscribe {
    this.#assertOpen();
    readStreamName(stream);
    if (typeof handler !== 'function') throw InvalidArgumentError.of('runtime.on(handler)', 'a function', handler);
    const fact = { type, handler: handler as (event: { type: string }) => void };
    return { unsubscribe: this.#actors.watchers.add(stream, { fact }) };
  }

  /** Actors of the log by the index, in order of stream name; blocked ones of this runtime are marked as such. */
  async *list<Name extends string = string>(
    query: ListQuery<Name> = {},
  ): AsyncGenerator<ListedActor<Name>, void, void> {
    this.#assertOpen();
    const { status, ...rest } = query;
    const indexed = status === 'blocked' || status === undefined ? rest : { ...rest, status };
    // A stream is named after its machine, and the query asks for the machine.
    for await (const row of this.#log.actors(indexed) as AsyncIterable<ActorRow & ListedActor<Name>>) {
      const blocked = this.#actors.blocked.has(row.stream);
      if (status !== undefined && (status === 'blocked') !== blocked) continue;
      yield blocked ? { ...row, status: 'blocked', reason: this.#actors.blocked.get(row.stream) } : row;
    }
  }

  /**
   * Says why an actor is where it is: its state and what that takes, what it waits for, what failed, and what to do next.
   * Reads only: nothing is written or run, and an actor that is not in memory is not brought there.
   * @throws NotFoundError
   *
   * @example
   * console.log(String(await runtime.explain('order-42')));
   */
  async explain(stream: string): Promise<Explanation> {
    this.#assertOpen();
    return explain(stream, {
      log: this.#log,
      now: this.#clock.now(),
      machines: this.#machines,
      upcasters: this.#options.upcasters ?? noUpcasters,
      features: this.#features,
      runtime: {
        owner: this.#ownership?.owner,
        find: (wanted) => this.#actors.find(wanted),
        blockedBy: (wanted) => this.#actors.blocked.get(wanted),
      },
    });
  }

  /**
   * Wakes every unfinished actor: starts lost effects again as their options say, sets every timer, and tries blocked
   * actors once more. Called by {@link createRuntime}. Calling it again changes nothing.
   */
  async resume(): Promise<void>;
  /**
   * Brings one actor to go on: one that ended with an error is active again in the state it failed in and hears the event
   * {@link ResumeRequested}; a blocked one is tried again; one that runs is left as it is. A machine decides what resuming
   * means by its transition for that event: a flow goes on where it stopped and skips the steps that are done.
   * @throws NotResumableError when the machine has no such transition there
   * @throws NotFoundError | ActorBlockedError
   *
   * @example
   * await runtime.resume('order-42', { from: 'charge', input: { total: 12 } });
   */
  async resume<Name extends keyof M & string>(
    stream: `${Name}-${string}`,
    options?: ResumeOptions,
  ): Promise<ActorRef<MachineOf<M[Name]>>>;
  async resume(stream: string, options?: ResumeOptions): Promise<ActorRef>;
  async resume(stream?: string, options: ResumeOptions = {}): Promise<ActorRef | void> {
    this.#assertOpen();
    if (stream === undefined) return this.#actors.resume();
    checkNames(`resume('${stream}')`, options, ['from', 'input', 'migrate']);
    if (options.migrate !== undefined && typeof options.migrate !== 'function')
      throw InvalidArgumentError.of(`resume('${stream}', { migrate })`, 'a function', options.migrate);
    if (options.from !== undefined && typeof options.from !== 'string')
      throw InvalidArgumentError.of(`resume('${stream}', { from })`, 'a text', options.from);
    return this.#ref(stream, await this.#actors.resumeOne(stream, options));
  }

  /**
   * Takes an actor back to the state it was in at a revision; resolves when that is durable. Nothing is deleted: what came
   * after that revision stays in the stream and is passed over. Effects that had no outcome then are lost ones, and go by
   * their `onLost`; timers that were due since are due at once. It works for every machine, also for one that has ended or is
   * blocked.
   * @throws InvalidArgumentError for a revision that is not there, or at which the actor had ended
   * @throws NotFoundError, and what folding the actor so far throws
   *
   * @example
   * await runtime.rewind('order-42', { to: 17 });
   */
  async rewind<Name extends keyof M & string>(
    stream: `${Name}-${string}`,
    options: { readonly to: Revision },
  ): Promise<ActorRef<MachineOf<M[Name]>>>;
  async rewind(stream: string, options: { readonly to: Revision }): Promise<ActorRef>;
  async rewind(stream: string, options: { readonly to: Revision }): Promise<ActorRef> {
    this.#assertOpen();
    checkNames(`rewind('${stream}')`, options, ['to']);
    return this.#ref(stream, await this.#actors.rebasing.rewind(stream, options.to));
  }

  /**
   * Starts a copy of an actor's past under another id and a correlation id of its own; the original is left as it is. With
   * `edit` another past: from the first change on each stimulus is applied anew. Resolves when the copy is durable; it runs.
   * Asked for again, it is the one that is there.
   * @throws ActorExistsError when there is an actor with that id and another past
   * @throws InvalidArgumentError | NotFoundError, and what folding the original so far throws
   *
   * @example
   * const fork = await runtime.fork('order-42', { at: 17, id: '42-again' });
   */
  async fork<Name extends keyof M & string>(
    stream: `${Name}-${string}`,
    options: ForkOptions,
  ): Promise<ActorRef<MachineOf<M[Name]>>>;
  async fork(stream: string, options: ForkOptions): Promise<ActorRef>;
  async fork(stream: string, options: ForkOptions): Promise<ActorRef> {
    this.#assertOpen();
    checkNames(`fork('${stream}')`, options, ['at', 'id', 'correlationId', 'edit']);
    const host = await this.#actors.rebasing.fork(stream, options);
    return this.#ref(host.stream, host);
  }

  /**
   * Replaces the history of an actor by its present state and removes what came before from the log; resolves when that is
   * done. The actor runs on. Facts, repeats of old messages and the past are gone: materialize projections first. One that
   * has ended is left as it is.
   * @throws NotFoundError | ActorBlockedError
   * @throws InvalidArgumentError | NotSerializableError when its state cannot be written
   */
  async compact(stream: string): Promise<void> {
    this.#assertOpen();
    await this.#actors.rebasing.compact(stream);
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
  idle(): Promise<void> {
    return this.#actors.idle();
  }

  #send(stream: string, event: unknown, options: SendOptions): Promise<AnySnapshot> {
    const prepare = () => {
      this.#assertOpen();
      return receivable(stream, event, options.messageId);
    };
    return this.#actors.submit(stream, prepare, ambientOrigin(options.correlationId));
  }

  #makeOwnership(onLost: Backstage['onLost']): Ownership | undefined {
    const { lease } = this.#options;
    if (lease === false) return undefined;
    const options = {
      ttlMs: toMs(lease?.ttl ?? '10s'),
      waitMs: lease?.wait === undefined ? undefined : toMs(lease.wait),
    };
    return new Ownership(this.#log, this.#clock, this.#logger, options, (cause) => {
      const error = new RuntimeClosedError(
        'This runtime lost its lease on the log to another host and stopped. Nothing it had not acknowledged is lost: the other host goes on. Create a new runtime to take over again.',
        { cause },
      );
      this.#actors.end(error);
      onLost?.(error);
    });
  }

  #makeRefServices(): RefServices {
    const actors = this.#actors;
    return {
      clock: this.#clock,
      send: (stream, event, options) => this.#send(stream, event, options),
      stop: async (stream, reason) => {
        await actors.submit(stream, () => actorStopped(reason), ambientOrigin(undefined));
      },
      settle: (stream, effect, decision) => actors.settle(stream, effect, decision),
      load: (stream) => actors.load(stream),
      holder: (stream) => actors.find(stream),
      watch: (stream, watcher) => {
        if (actors.ended) watcher.failed?.(actors.ended);
        return actors.watchers.add(stream, watcher);
      },
    };
  }

  /** @internal Closes a runtime that could not be opened; leaves its log open. */
  async abandon(): Promise<void> {
    this.#actors.end(new RuntimeClosedError('This runtime could not be opened.'));
    await this.#ownership?.release();
  }

  async #close(drainMs: number): Promise<void> {
    if (!this.#actors.ended) {
      await this.#drain(drainMs);
      await this.#actors.stop(
        new RuntimeClosedError('This runtime is closed. Create another one with createRuntime().'),
      );
    }
    await this.#ownership?.release().catch(() => {});
    if (!this.#options.keepLogOpen) await this.#log.close();
  }

  async #drain(drainMs: number): Promise<void> {
    const deadline = this.#clock.now() + drainMs;
    const reason = new RuntimeClosedError('This runtime is closing and begins nothing any more.');
    while (this.#actors.isBusy && this.#clock.now() < deadline) {
      this.#actors.interruptStandby(reason);
      await sleep(this.#clock, Math.min(20, deadline - this.#clock.now()));
    }
  }

  #assertOpen(): void {
    if (this.#actors.ended) throw this.#actors.ended;
    if (this.#closing) throw new RuntimeClosedError('This runtime is closing and takes no more work.');
  }

  #ref<Machine extends AnyStateMachine>(stream: string, host: ActorHost): ActorRef<Machine> {
    return new ActorRef<Machine>(stream, host, this.#refServices);
  }
}

/** Any runtime, whatever its machines: what a helper function asks for. */
export type AnyRuntime = Pick<
  Runtime,
  'log' | 'get' | 'send' | 'on' | 'list' | 'explain' | 'resume' | 'rewind' | 'fork' | 'compact' | 'idle' | 'close'
>;

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
  const runtime = new Runtime<M>(checkOptions(options));
  try {
    await runtime.open();
    return runtime;
  } catch (error) {
    // Gives back the lease, which would keep the next attempt off the log. The log itself may be in use by another.
    await runtime.abandon().catch(() => {});
    throw error;
  }
}
