/**
 * Running the effects of one loaded actor. Owns what lives outside the deterministic part: the started logic of promise,
 * callback and observable actors. Knows the tree only through the actor it is given, and the log not at all.
 *
 * E1  An effect is started only when its operation is run, which is after its intent is durable.
 * E2  What an effect says leaves through `report`, never into the tree; after it has ended or was stopped, nothing does.
 * E3  Stopping aborts at once and tells the reason; what the effect does afterwards has no consequence.
 */
import { setMaxListeners } from 'node:events';
import type { AnyActorLogic, AnyEventObject, AnyMachineSnapshot } from 'xstate';
import type { TimeMs } from '../clock.ts';
import type { PendingEffect } from '../kernel/actor-tree.ts';
import { effectProgressed, effectSucceeded, type Prepared } from '../kernel/records.ts';
import {
  asActorRef,
  observableComplete,
  observableError,
  observableNext,
  promiseReject,
  promiseResolve,
  stopEventType,
  type AnySnapshot,
  type HostedActor,
  type HostedSystem,
} from '../kernel/xstate-internals.ts';
import type { ProgressChannel } from '../kernel/stimulus.ts';
import { EffectOverError, InvalidArgumentError } from '../errors.ts';
import { encode } from '../log/codec.ts';
import { effectOptions, keptCheckpoint, runInEffect, type CheckpointSaved, type EffectContext } from './effect.ts';
import { failureOf, interrupted, successOf } from './effect-outcome.ts';
import { checkEvent } from './messages.ts';

/** What a running effect needs of its surroundings. */
export interface EffectHost {
  readonly stream: string;
  /** Name of the host in events. */
  readonly host: string;
  /** Takes what the effect said as a stimulus; calls back when it is durable, or with the reason why it is not. */
  report(prepared: Prepared, effect: PendingEffect, done?: (error?: unknown) => void): void;
  /** A message of the effect to another actor of its tree. */
  relay(target: HostedActor, event: AnyEventObject, effect: PendingEffect): void;
  send(
    effect: PendingEffect,
    stream: string,
    event: AnyEventObject,
    options?: { messageId?: string },
  ): Promise<AnySnapshot>;
  start(effect: PendingEffect, machine: string, options: { id: string; input?: unknown }): Promise<AnySnapshot>;
  look(stream: string): Promise<AnySnapshot>;
  output(stream: string, signal: AbortSignal): Promise<unknown>;
  now(): TimeMs;
  /** What a test puts in the place of the effect's own logic, if anything. */
  standIn?: StandIn | undefined;
}

/** Answers with the logic that is run in the place of an effect's own; undefined where that one is run. */
export type StandIn = (effect: PendingEffect, address: string, stream: string) => AnyActorLogic | undefined;

/** The system as a started logic sees it: whatever it relays is a report of the effect, not a step of the tree. */
class EffectSystem {
  readonly #tree: HostedSystem;
  readonly #running: RunningEffect;

  constructor(tree: HostedSystem, running: RunningEffect) {
    this.#tree = tree;
    this.#running = running;
  }

  _relay(_source: unknown, target: HostedActor, event: AnyEventObject): void {
    this.#running.relay(target, event);
  }

  get(systemId: string): HostedActor | undefined {
    return this.#tree.get(systemId);
  }

  getAll(): Record<string, HostedActor> {
    return this.#tree.getAll();
  }

  inspect(): { unsubscribe(): void } {
    return this.#tree.inspect();
  }

  get _logger(): HostedSystem['_logger'] {
    return this.#tree._logger;
  }
}

const nothing = () => {};
const runNow = (fn: () => void) => fn();

type Scope = Parameters<NonNullable<AnyActorLogic['start']>>[1];

/** One started effect. */
export class RunningEffect {
  readonly #effect: PendingEffect;
  readonly #address: string;
  readonly #host: EffectHost;
  readonly #scope: Scope;
  readonly #logic: AnyActorLogic;
  /** The logic's own copy: XState writes a subscription into it. */
  readonly #state: AnySnapshot;
  #controller: AbortController | undefined;
  /** Aborted when the effect is over, however it ended: what it waited for is let go. */
  #waiting: AbortController | undefined;
  #stopped: { readonly reason: unknown } | undefined;
  #over = false;
  /** How often it said that it waits without saying that it begins. */
  #waits = 0;
  /** Whether it has said that it begins: what it waits for afterwards is no wait of one that did nothing. */
  #hasBegun = false;

  constructor(effect: PendingEffect, address: string, host: EffectHost) {
    this.#effect = effect;
    this.#address = address;
    this.#host = host;
    this.#state = ownState(effect.actor.getSnapshot());
    this.#scope = this.#makeScope(effect.actor);
    this.#logic = host.standIn?.(effect, address, host.stream) ?? effect.actor.logic;
  }

  start(): void {
    const context = new RunningContext(this, this.#effect, this.#address, this.#host);
    try {
      runInEffect(context, this.#scope.self, () => this.#logic.start?.(this.#state, this.#scope));
    } catch (error) {
      this.#threw(error);
    }
  }

  deliver(event: AnyEventObject): void {
    if (this.#over) return;
    try {
      this.#logic.transition(this.#state, event, this.#scope);
    } catch (error) {
      this.#threw(error);
    }
  }

  /** Stops it because its host closes, and says so in the log. */
  interrupt(reason: unknown): void {
    if (this.#over) return;
    this.stop(reason);
    this.#host.report(interrupted(this.#address, this.#hasBegun || !this.isOnStandby), this.#effect);
  }

  /** E3. */
  stop(reason: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopped = { reason };
    this.#controller?.abort(reason);
    this.#waiting?.abort(reason);
    try {
      this.#logic.transition(this.#state, { type: stopEventType }, this.#scope);
    } catch {
      // A logic that fails while it is being stopped has nobody left to tell.
    }
  }

  #makeScope(actor: HostedActor): Scope {
    return {
      self: asActorRef(actor),
      id: actor.id,
      sessionId: actor.sessionId,
      logger: actor.system._logger,
      system: new EffectSystem(actor.system, this) as unknown as Scope['system'],
      emit: (event: AnyEventObject) => this.#progress('emit', event),
      defer: runNow,
      stopChild: nothing,
      actionExecutor: nothing,
    };
  }

  /** Sorts what a started logic sends: outcomes and values of its own, messages to its parent, messages to others. */
  relay(target: HostedActor, event: AnyEventObject): void {
    if (this.#over) return;
    const { actor } = this.#effect;
    if (target !== actor) {
      if (target === actor._parent) return this.#progress('parent', event);
      return this.#host.relay(target, event, this.#effect);
    }
    const data: unknown = event.data;
    switch (event.type) {
      case promiseResolve:
        return this.#finish(successOf(this.#address, data));
      case promiseReject:
      case observableError:
        return this.#finish(failureOf(this.#address, data));
      case observableComplete:
        return this.#finish(effectSucceeded(this.#address, undefined));
      case observableNext:
        return this.#progress('next', data);
      default:
        return this.#progress('self', event);
    }
  }

  #progress(channel: Exclude<ProgressChannel, 'checkpoint'>, value: unknown): void {
    // E2. The same effect may be running again in the meantime.
    if (this.#over) return;
    try {
      if (channel !== 'next') checkEvent(this.#host.stream, value);
      this.#host.report(effectProgressed(this.#address, channel, value), this.#effect);
    } catch (error) {
      this.#threw(error);
    }
  }

  /** The logic itself threw. One of the user's own has no event for that, so its actor fails outright. */
  #threw(error: unknown): void {
    if (this.#over) return;
    const outright = this.#effect.actor.kind === 'custom';
    // What it holds is given back: nobody can stop it later.
    this.stop(error);
    this.#host.report(failureOf(this.#address, error, outright), this.#effect);
  }

  #finish(outcome: Prepared): void {
    this.#over = true;
    this.#waiting?.abort(new EffectOverError(this.#host.stream, this.#address));
    this.#host.report(outcome, this.#effect);
  }

  /** Made when it is asked for; who asks only after the stop is told of it too. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#stopped) this.#controller.abort(this.#stopped.reason);
    }
    return this.#controller.signal;
  }

  /** Whether it has not begun its work and says so: see RunningContext. */
  get isOnStandby(): boolean {
    return this.#waits > 0;
  }

  standby(): () => void {
    this.#waits++;
    let waits = true;
    return () => {
      if (!waits) return;
      waits = false;
      this.#waits--;
      this.#hasBegun ||= !this.isOnStandby;
    };
  }

  /** Whether its checkpoints are kept by the machine that invoked it. */
  get keepsInMachine(): boolean {
    return effectOptions(this.#effect.actor.logic).checkpoint === 'machine';
  }

  /** What the effect is told: see RunningContext. */
  checkpoint(value: unknown): Promise<void> {
    const saved = new Promise<void>((resolve, reject) => {
      if (this.#over) throw new EffectOverError(this.#host.stream, this.#address);
      const prepared = this.keepsInMachine
        ? effectProgressed(this.#address, 'parent', { type: 'checkpoint.saved', value } satisfies CheckpointSaved)
        : effectProgressed(this.#address, 'checkpoint', value);
      this.#host.report(prepared, this.#effect, (error) => (error === undefined ? resolve() : reject(error as Error)));
    });
    // One that nobody waits for must not end the process.
    saved.catch(() => {});
    return saved;
  }

  /** What the effect waits for: see RunningContext. */
  output(stream: string): Promise<unknown> {
    const output = this.#outputOf(stream);
    // One that nobody waits for must not end the process.
    output.catch(() => {});
    return output;
  }

  async #outputOf(stream: string): Promise<unknown> {
    const { stream: own } = this.#host;
    if (stream === own) {
      throw InvalidArgumentError.of(
        `context.output('${own}')`,
        'another actor than the own one, which cannot end before this effect does',
        stream,
      );
    }
    if (this.#over) throw new EffectOverError(own, this.#address);
    if (!this.#waiting) {
      this.#waiting = new AbortController();
      // An effect may wait for as many actors as it likes: Node takes more than ten listeners for a leak.
      setMaxListeners(0, this.#waiting.signal);
    }
    // Its own, as its input is: others wait for the same output.
    return copyOf(await this.#host.output(stream, this.#waiting.signal));
  }
}

/** What a running effect may know and do. Its functions come bound, because people take a context apart. */
class RunningContext implements EffectContext {
  readonly #running: RunningEffect;
  readonly #effect: PendingEffect;
  readonly #host: EffectHost;
  readonly actor: string;
  readonly restarts: number;
  readonly checkpoint: unknown;

  constructor(running: RunningEffect, effect: PendingEffect, address: string, host: EffectHost) {
    this.#running = running;
    this.#effect = effect;
    this.#host = host;
    this.actor = address;
    this.restarts = effect.restarts;
    this.checkpoint = running.keepsInMachine ? copyOf(keptCheckpoint(effect.actor._parent)) : effect.checkpoint;
  }

  get idempotencyKey(): string {
    return `${this.#effect.cause.eventId}${this.actor}`;
  }

  get attempt(): number {
    return this.restarts + 1;
  }

  get correlationId(): string {
    return this.#effect.cause.correlationId;
  }

  get causationId(): string {
    return this.#effect.cause.eventId;
  }

  get stream(): string {
    return this.#host.stream;
  }

  get host(): string {
    return this.#host.host;
  }

  get signal(): AbortSignal {
    return this.#running.signal;
  }

  get progress(): EffectContext['progress'] {
    return (value) => this.#running.checkpoint(value);
  }

  get standby(): EffectContext['standby'] {
    return () => this.#running.standby();
  }

  get send(): EffectContext['send'] {
    return (stream, event, options) =>
      this.#host.send(this.#effect, stream, event, options) as Promise<AnyMachineSnapshot>;
  }

  get start(): EffectContext['start'] {
    return (machine, options) => this.#host.start(this.#effect, machine, options) as Promise<AnyMachineSnapshot>;
  }

  get now(): EffectContext['now'] {
    return () => this.#host.now();
  }

  get look(): EffectContext['look'] {
    return (stream) => this.#host.look(stream) as Promise<AnyMachineSnapshot>;
  }

  get output(): EffectContext['output'] {
    return (stream) => this.#running.output(stream);
  }
}

/** A copy for the effect to keep: what it does to its input must not reach the machine's context. */
function ownState(snapshot: AnySnapshot): AnySnapshot {
  const state = { ...snapshot } as AnySnapshot & { input?: unknown };
  state.input = copyOf(state.input);
  return state;
}

function copyOf(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  try {
    return encode(value, 'what an effect is given').value;
  } catch {
    // Holds something that cannot be copied, such as a reference to an actor.
    return value;
  }
}
