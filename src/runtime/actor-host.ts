/**
 * One loaded actor: its tree, and the way of every stimulus into it, into the log and out again. Owns the order of
 * these; what is in the tree is the kernel's, what is in the log the log's, and who is loaded the runtime's.
 *
 * A1  Write first, act second: nothing is acknowledged, shown or started before its append is durable.
 * A2  One append at a time; stimuli applied meanwhile go together in the next one, each with all it caused.
 * A3  The expected revision of every append is the last one this host saw: a host that lost the actor cannot write.
 * A4  An append with an unknown outcome is repeated with the same ids and the same expected revision.
 * A5  When an append is refused, the tree is dropped, its effects are aborted, and the stream is folded again.
 * A6  Every event is sealed for the one revision it can get; what comes to another is sealed anew, because a host that
 *     loses what it sealed is dropped, and its stimuli are submitted again to the next one.
 */
import { inspect } from 'node:util';
import type { AnyEventObject } from 'xstate';
import type { TimeMs } from '../clock.ts';
import {
  ActorBlockedError,
  ActorFinishedError,
  ConflictError,
  EffectOverError,
  EffectStoppedError,
  type EventTooLargeError,
} from '../errors.ts';
import { invariant } from '../invariant.ts';
import {
  addressOf,
  type ActorTree,
  type Operation,
  type PendingEffect,
  type Step,
  type Surroundings,
} from '../kernel/actor-tree.ts';
import { withAmbient } from '../kernel/determinism.ts';
import {
  actorStopped,
  eventReceived,
  factEvent,
  preparedAgain,
  stimulusData,
  stimulusVersion,
  timerFired,
  type Prepared,
  type RecordedEnvironment,
  type StartInfo,
} from '../kernel/records.ts';
import { headOf } from '../kernel/standing.ts';
import type { Stimulus } from '../kernel/stimulus.ts';
import { hasEnded, stopEventType, type AnySnapshot, type HostedActor } from '../kernel/xstate-internals.ts';
import { sealEvent, type Place } from '../log/envelope.ts';
import type { ActorHead, EventLog, Metadata, NewEvent, Revision } from '../log/event-log.ts';
import { requireSizes, sizeError } from '../log/event-size.ts';
import { hostedContext } from './effect.ts';
import { describeFailure, failureOf, interrupted } from './effect-outcome.ts';
import { RunningEffect, type EffectHost, type StandIn } from './effect-runner.ts';
import type { Logger } from './logger.ts';
import { checkEvent, originOf, type Origin } from './messages.ts';
import { isPassing } from './patience.ts';

/** A stimulus on its way. */
export interface Submission {
  readonly prepared: Prepared;
  readonly origin: Origin;
  /** What was decided about lost effects when the actor was folded; when it is folded anew that is decided anew. */
  readonly isResumption?: true;
  /** Called with the root's snapshot right after the stimulus, once that is durable. */
  readonly resolve?: ((after: AnySnapshot) => void) | undefined;
  readonly reject?: ((error: unknown) => void) | undefined;
}

interface Pending {
  readonly submission: Submission;
  readonly step: Step;
  readonly events: readonly NewEvent[];
  readonly snapshot: AnySnapshot;
  /** Repeats of the same message, which wait for the same append. */
  also?: Submission[];
}

/** Told of a custom action that is passed over, and of whose it is. */
export type SkipAction = (stream: string, actor: string, action: string) => void;

/** What a host needs of the runtime. */
export interface HostServices {
  readonly log: EventLog;
  readonly logger: Logger;
  readonly host: string;
  /** Whether events say what changed in contexts. */
  readonly recordsContexts: boolean;
  /** Whether effects that begin are left to the next host. */
  readonly writesOnly: boolean;
  /** Told of custom actions in their place; they are run when undefined. */
  readonly skipAction: SkipAction | undefined;
  now(): TimeMs;
  newId(): string;
  /** The id of the event that records a stimulus. */
  stimulusId(stream: string, stimulus: Stimulus): string;
  /** The schema version that facts of this type are written with. */
  schemaVersion(type: string): number;
  /** The wake-up time of an actor changed. */
  wakeChanged(host: ActorHost): void;
  /** Something became durable: called once per stimulus, in order. */
  committed(host: ActorHost, step: Step): void;
  /** Everything applied is durable: the moment for a snapshot. */
  atRest(host: ActorHost): void;
  /** The tree was dropped after a refused append; `again` must be submitted once the stream is folded anew. */
  lost(host: ActorHost, error: unknown, again: readonly Submission[]): void;
  /** Resolves when it makes sense to try a failed append again; rejects when the runtime gives up. */
  retryDelay(attempt: number, error: unknown): Promise<void>;
  send: EffectHost['send'];
  start: EffectHost['start'];
  look: EffectHost['look'];
  output: EffectHost['output'];
  readonly standIn: StandIn | undefined;
}

/** What is known of an actor that has been folded or is about to start. */
export interface Loaded {
  readonly tree: ActorTree;
  readonly info: StartInfo;
  readonly correlationId: string;
  /** The environment that is recorded of it, once what is on its way is durable. */
  readonly environment?: RecordedEnvironment | undefined;
  /** Last revision, -1 before the first append. */
  readonly revision: Revision;
  /** Id of the event at that revision. */
  readonly lastEventId: string;
  /** False where the log does not yet say that the actor goes on from this tree. */
  readonly isRecorded?: boolean;
}

const noMessage: readonly Submission[] = [];
const none: readonly string[] = [];

/** One actor in memory. */
export class ActorHost implements EffectHost, Surroundings {
  readonly stream: string;
  readonly info: StartInfo;
  readonly correlationId: string;
  readonly environment: RecordedEnvironment | undefined;
  /** Revision at which it came into memory. */
  readonly loadedAt: Revision;
  readonly #services: HostServices;
  #tree: ActorTree | undefined;
  #revision: Revision;
  /** The revision of the newest event that was sealed, in the queue or durable. A6. */
  #sealedTo: Revision;
  #lastEventId: string;
  #committed: AnySnapshot | undefined;
  #queue: Pending[] = [];
  #inFlight: Pending[] | undefined;
  #effects: Map<string, RunningEffect> | undefined;
  #origin: Origin | undefined;
  /** Set while a dropped tree waits for its last append: only then a fold sees all there is. */
  #leaving: { readonly error: unknown; readonly again: Submission[] } | undefined;
  /** Runs once the actor is at rest: see whenIdle. */
  #idle: (() => void)[] | undefined;
  #closing = false;
  lastUsed: TimeMs;
  /** Effects that were pending when the actor came into memory, and that nobody has decided about. */
  #unresumed: readonly string[];

  /** @param begun addresses of effects that begin only now, with a migration */
  constructor(stream: string, loaded: Loaded, services: HostServices, begun: readonly string[] = []) {
    this.stream = stream;
    this.info = loaded.info;
    this.correlationId = loaded.correlationId;
    this.environment = loaded.environment;
    this.#services = services;
    this.#tree = loaded.tree;
    this.#revision = this.#sealedTo = this.loadedAt = loaded.revision;
    this.#lastEventId = loaded.lastEventId;
    const isRecorded = loaded.isRecorded ?? loaded.revision >= 0;
    this.#committed = isRecorded ? loaded.tree.rootActor.getSnapshot() : undefined;
    this.lastUsed = services.now();
    const pending = loaded.revision >= 0 ? loaded.tree.effects : undefined;
    this.#unresumed = pending ? [...pending.keys()].filter((address) => !begun.includes(address)) : none;
    loaded.tree.surroundings = this;
  }

  /** The newest durable snapshot of the root; undefined before the first append, and before that of a rebase. */
  get committed(): AnySnapshot | undefined {
    return this.#committed;
  }

  get revision(): Revision {
    return this.#revision;
  }

  /** Id of the event at {@link revision}. */
  get lastEventId(): string {
    return this.#lastEventId;
  }

  get tree(): ActorTree | undefined {
    return this.#tree;
  }

  /** Stimuli applied and not durable yet. */
  get waiting(): number {
    return this.#queue.length + (this.#inFlight?.length ?? 0);
  }

  get isIdle(): boolean {
    return this.waiting === 0;
  }

  get hasEffects(): boolean {
    return (this.#tree?.effects?.size ?? 0) > 0;
  }

  get runningEffects(): number {
    return this.#effects?.size ?? 0;
  }

  /** Whether this host runs the effect at an address. */
  isRunning(address: string): boolean {
    return this.#effects?.has(address) ?? false;
  }

  /** Addresses and effects that a former host left behind; given out once. */
  takeUnresumed(): (readonly [string, PendingEffect])[] {
    const addresses = this.#unresumed;
    this.#unresumed = none;
    return addresses.flatMap((address) => {
      const effect = this.#tree?.effects?.get(address);
      return effect ? [[address, effect] as const] : [];
    });
  }

  get wakeAt(): TimeMs | undefined {
    return this.#tree?.nextTimer()?.dueAt;
  }

  /** Resolves when nothing waits to become durable. */
  whenIdle(): Promise<void> {
    if (this.isIdle) return Promise.resolve();
    return new Promise((resolve) => (this.#idle ??= []).push(resolve));
  }

  /** Applies a stimulus and sends it on its way to the log. */
  submit(submission: Submission): void {
    const tree = this.#tree;
    if (this.#leaving) return void this.#leaving.again.push(submission);
    if (!tree) return this.#services.lost(this, undefined, [submission]);
    const { prepared, origin } = submission;
    // First of all: the message that ended the actor may be repeated, too.
    if (!tree.accepts(prepared.stimulus)) {
      const { stimulus } = prepared;
      return 'actor' in stimulus
        ? submission.reject?.(new EffectOverError(this.stream, stimulus.actor))
        : this.#join(submission);
    }
    const { maxEventBytes } = this.#services.log.capabilities;
    const tooLarge = sizeError(this.stream, prepared.stimulus.type, prepared.fields, maxEventBytes);
    if (tooLarge) return this.#tooLarge(submission, tooLarge);
    if (tree.root && tree.status !== 'active') {
      // A1. Until its end is durable the actor may still go on.
      if (submission.reject && !this.isIdle) return void this.whenIdle().then(() => this.submit(submission));
      return this.#refuse(submission, tree.status);
    }
    const now = this.#services.now();
    const at = now > tree.at ? now : tree.at;
    this.lastUsed = at;
    const eventId = this.#services.stimulusId(this.stream, prepared.stimulus);
    const correlationId = origin.correlationId ?? this.correlationId;
    const step = tree.apply(prepared.stimulus, at, { eventId, correlationId });
    let events: NewEvent[];
    try {
      events = this.#seal(prepared, origin, step);
    } catch (error) {
      return this.#unloggable(submission, error);
    }
    this.#queue.push({ submission, step, events, snapshot: tree.rootActor.getSnapshot() });
    this.#flush();
  }

  /**
   * Records that the tree is as it is.
   * @param step what has been applied to it already
   * @param then goes with it in the same append
   * @returns the revision of the record
   */
  record(submission: Submission, step: Step, then?: Submission): Revision {
    const tree = this.#tree!;
    const revision = this.#sealedTo + 1;
    const events = this.#seal(submission.prepared, {}, step);
    this.#queue.push({ submission, step, events, snapshot: tree.rootActor.getSnapshot() });
    if (then) this.submit(then);
    this.#flush();
    return revision;
  }

  /** A step in which nothing happens, at the present time. */
  emptyStep(): Step {
    const tree = this.#tree!;
    tree.at = Math.max(this.#services.now(), tree.at);
    const cause = { eventId: this.#services.newId(), correlationId: this.correlationId };
    return tree.begin(tree.at, cause, () => {});
  }

  /** Fires every timer that is due, in (dueAt, armed) order. One that is armed meanwhile has to wait for its append. */
  fireDue(): void {
    const now = this.#services.now();
    const armed = this.#tree?.timerCount ?? 0;
    for (;;) {
      const timer = this.#tree?.nextTimer();
      if (!timer || timer.dueAt > now || timer.seq >= armed) return;
      const { correlationId, eventId: causationId } = timer.cause;
      this.submit({ prepared: timerFired(timer, addressOf(timer.source)), origin: { correlationId, causationId } });
    }
  }

  /** The host is about to close: effects that have not begun their work are left to the next one. */
  interruptStandby(reason: unknown): void {
    for (const [address, running] of this.#effects ?? []) {
      if (!running.isOnStandby) continue;
      this.#effects?.delete(address);
      running.interrupt(reason);
    }
  }

  /** The host closes: no effect is started any more, and none is listened to. */
  takeNoMore(): void {
    this.#closing = true;
  }

  /** Aborts every effect because the host closes; each says so in the log, and runs again with the next host. */
  interruptEffects(reason: unknown): void {
    const effects = this.#effects;
    this.#effects = undefined;
    if (effects) for (const running of effects.values()) running.interrupt(reason);
  }

  /** Aborts every effect; they stay pending in the log and are lost for the next host. */
  stopEffects(reason: unknown): void {
    const effects = this.#effects;
    this.#effects = undefined;
    if (effects) for (const running of effects.values()) running.stop(reason);
  }

  /** Drops the tree: its effects are aborted, and what was not durable is forgotten. */
  drop(reason: unknown): void {
    const tree = this.#tree;
    if (!tree) return;
    tree.surroundings = undefined;
    this.#tree = undefined;
    for (const submission of submissionsOf(this.#queue)) submission.reject?.(reason);
    this.#queue = [];
    this.stopEffects(reason);
    this.#tellIdle();
  }

  // ── EffectHost ─────────────────────────────────────────────────────────────────────────────────

  report(prepared: Prepared, effect: PendingEffect, done?: (error?: unknown) => void): void {
    const { stimulus } = prepared;
    if (this.#closing && !(stimulus.type === 'EffectProgressed' && stimulus.channel === 'interrupted')) {
      return done?.(new EffectOverError(this.stream, addressOf(effect.actor)));
    }
    if (prepared.stimulus.type !== 'EffectProgressed') this.#effects?.delete(addressOf(effect.actor));
    this.submit({ prepared, origin: originOf(effect), resolve: done && (() => done()), reject: done });
  }

  /** A message to an actor of the tree: from an effect, a custom action, or whoever holds a reference. */
  relay(target: HostedActor, event: AnyEventObject, effect?: PendingEffect): void {
    const origin = effect ? originOf(effect) : (this.#origin ?? hostedContext() ?? {});
    this.#message(target, event, origin);
  }

  log(args: readonly unknown[]): void {
    this.#services.logger.info({ stream: this.stream }, args.map(readable).join(' '));
  }

  get host(): string {
    return this.#services.host;
  }

  get send(): EffectHost['send'] {
    return this.#services.send;
  }

  get start(): EffectHost['start'] {
    return this.#services.start;
  }

  get standIn(): StandIn | undefined {
    return this.#services.standIn;
  }

  now(): TimeMs {
    return this.#services.now();
  }

  get look(): EffectHost['look'] {
    return this.#services.look;
  }

  get output(): EffectHost['output'] {
    return this.#services.output;
  }

  // ── into the tree ──────────────────────────────────────────────────────────────────────────────

  #message(target: HostedActor, event: AnyEventObject, origin: Origin): void {
    const isStop = event.type === stopEventType && target._parent === undefined;
    const prepared = isStop
      ? actorStopped(undefined)
      : eventReceived(addressOf(target), checkEvent(this.stream, event));
    this.submit({ prepared, origin });
  }

  #refuse(submission: Submission, status: string): void {
    const { stimulus } = submission.prepared;
    if (stimulus.type === 'ActorStopped') return submission.resolve?.(this.#committed!);
    const what = stimulus.type === 'EventReceived' ? `Event '${stimulus.event.type}'` : stimulus.type;
    if (submission.reject) submission.reject(new ActorFinishedError(this.stream, status, what));
  }

  /** A stimulus that changes nothing: it is acknowledged once what it repeats is durable. */
  #join(submission: Submission): void {
    const last = this.#queue.at(-1) ?? this.#inFlight?.at(-1);
    if (last) (last.also ??= []).push(submission);
    else submission.resolve?.(this.#committed!);
  }

  #seal(prepared: Prepared, origin: Origin, step: Step): NewEvent[] {
    const { eventId, correlationId } = step.cause;
    const { type } = prepared.stimulus;
    const data = this.#dataOf(prepared, step);
    const $causationId = origin.causationId ?? eventId;
    const { needs } = prepared;
    const meta: Metadata =
      needs === undefined
        ? { $causationId, $correlationId: correlationId }
        : { $causationId, $correlationId: correlationId, $needs: needs };
    const first = this.#sealedTo + 1;
    const sealed = { id: eventId, type, schemaVersion: stimulusVersion, data, meta };
    const events = [sealEvent(sealed, placeAt(this.stream, first))];
    for (const fact of step.facts) {
      const version = this.#services.schemaVersion(fact.event.type);
      const event = factEvent(fact, this.#services.newId(), version, step.cause);
      events.push(sealEvent(event, placeAt(this.stream, first + events.length)));
    }
    requireSizes(this.stream, events, this.#services.log.capabilities.maxEventBytes);
    this.#sealedTo += events.length;
    return events;
  }

  /** What changed in contexts is left out rather than that an event is too large for it. */
  #dataOf(prepared: Prepared, step: Step): string {
    const { at } = step.ambient;
    const { recordsContexts, log } = this.#services;
    const contexts = recordsContexts ? step.contexts() : undefined;
    const data = stimulusData(prepared, at, step.record, contexts);
    if (contexts === undefined) return data;
    const isTooLarge = sizeError(this.stream, prepared.stimulus.type, data, log.capabilities.maxEventBytes);
    return isTooLarge ? stimulusData(prepared, at, step.record) : data;
  }

  /** What comes from outside and is too large is refused before it touches the tree. */
  #tooLarge(submission: Submission, error: EventTooLargeError): void {
    const { stimulus } = submission.prepared;
    const { type } = stimulus;
    if (type === 'EffectSucceeded' || type === 'EffectFailed') {
      this.submit({
        ...submission,
        prepared: describeFailure(stimulus.actor, error, type === 'EffectFailed' && stimulus.action),
      });
    } else if (type === 'EffectProgressed' && !submission.reject) {
      // Nobody waits for it, so the effect fails as if the saying had thrown.
      this.submit({ ...submission, prepared: describeFailure(stimulus.actor, error) });
    } else if (type === 'ActorStarted') {
      // There is no actor, so nobody may find this one.
      this.drop(error);
      this.#leave(undefined, []);
      submission.reject?.(error);
    } else if (submission.reject) {
      submission.reject(error);
    } else if (type === 'EventReceived') {
      // An action or a reference sent it: its actor fails as if the sending had thrown.
      this.submit({ ...submission, prepared: describeFailure('/', error, true) });
    } else {
      this.#leave(new ActorBlockedError(this.stream, error), []);
    }
  }

  /** The step cannot be written as events, so it did not happen: the tree goes back to what is durable. */
  #unloggable(submission: Submission, error: unknown): void {
    const { stimulus } = submission.prepared;
    // What is in flight was applied before and counts.
    const again = submissionsOf(this.#queue);
    this.#queue = [];
    this.drop(error);
    if (stimulus.type === 'EffectSucceeded') {
      again.push({ ...submission, prepared: describeFailure(stimulus.actor, error) });
      this.#leave(undefined, again);
    } else if (submission.reject && !stimulus.type.startsWith('Effect')) {
      submission.reject(error);
      this.#leave(undefined, again);
    } else {
      this.#leave(new ActorBlockedError(this.stream, error), [submission, ...again]);
    }
  }

  /** Gives the actor back to be folded again, after the append in flight if there is one. */
  #leave(error: unknown, again: Submission[]): void {
    if (this.#inFlight) this.#leaving = { error, again };
    else this.#services.lost(this, error, again);
  }

  // ── into the log ───────────────────────────────────────────────────────────────────────────────

  #flush(): void {
    if (this.#inFlight || this.#queue.length === 0) return;
    const batch = this.#queue;
    this.#queue = [];
    this.#inFlight = batch;
    const events = batch.length === 1 ? batch[0]!.events : batch.flatMap((pending) => pending.events);
    const expected = this.#revision < 0 ? 'no-stream' : this.#revision;
    const actor = headOf(this.#tree!, this.info, this.correlationId);
    this.#append(batch, expected, events, actor, 0);
  }

  #append(
    batch: Pending[],
    expected: Revision | 'no-stream',
    events: readonly NewEvent[],
    actor: ActorHead,
    attempt: number,
  ): void {
    this.#tryAppend(expected, events, actor).then(
      () => this.#onDurable(batch, events),
      (error: unknown) =>
        this.#onFailure(error, () => this.#append(batch, expected, events, actor, attempt + 1), attempt),
    );
  }

  /** A log that throws instead of rejecting is treated alike. */
  #tryAppend(expected: Revision | 'no-stream', events: readonly NewEvent[], actor: ActorHead) {
    try {
      return this.#services.log.append(this.stream, expected, events, { actor });
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  #onDurable(batch: readonly Pending[], events: readonly NewEvent[]): void {
    this.#revision += events.length;
    this.#lastEventId = events.at(-1)!.id;
    this.#inFlight = undefined;
    if (this.#queue.length === 0 && this.#tree) this.#services.atRest(this);
    for (const pending of batch) {
      this.#committed = pending.snapshot;
      this.#services.committed(this, pending.step);
      pending.submission.resolve?.(pending.snapshot);
      if (pending.also) for (const repeated of pending.also) repeated.resolve?.(pending.snapshot);
      this.#run(pending.step);
    }
    const leaving = this.#leaving;
    if (leaving) {
      this.#leaving = undefined;
      this.#services.lost(this, leaving.error, leaving.again);
    }
    this.#services.wakeChanged(this);
    this.#flush();
    this.#tellIdle();
  }

  #tellIdle(): void {
    const idle = this.#idle;
    if (!this.isIdle || !idle) return;
    this.#idle = undefined;
    for (const resolve of idle) resolve();
  }

  #onFailure(error: unknown, retry: () => void, attempt: number): void {
    // A host that was dropped meanwhile still has to learn whether its append was written.
    if (!isPassing(error)) return this.#giveUp(error);
    this.#services.retryDelay(attempt, error).then(retry, (reason: unknown) => this.#giveUp(reason));
  }

  /** A5. Outcomes of effects are submitted again; messages only if the stream simply moved on. */
  #giveUp(error: unknown): void {
    const all = this.#takeBack();
    this.drop(error);
    const conflict = error instanceof ConflictError;
    const again = conflict ? all : all.filter(({ prepared }) => prepared.stimulus.type.startsWith('Effect'));
    if (!conflict) for (const submission of all) if (!again.includes(submission)) submission.reject?.(error);
    this.#services.lost(this, error, [...again, ...(this.#leaving?.again ?? noMessage)]);
    this.#leaving = undefined;
    this.#tellIdle();
  }

  #takeBack(): Submission[] {
    const pending = [...(this.#inFlight ?? []), ...this.#queue];
    this.#inFlight = undefined;
    this.#queue = [];
    return submissionsOf(pending);
  }

  // ── after the append ───────────────────────────────────────────────────────────────────────────

  #run(step: Step): void {
    const { skipAction } = this.#services;
    let failed: Set<HostedActor> | undefined;
    for (const operation of step.operations) {
      if (operation.type !== 'action') this.#operate(operation);
      else if (skipAction) skipAction(this.stream, addressOf(operation.actor), operation.action.type);
      // As under XState, an action that throws is the last one of its actor.
      else if (!failed?.has(operation.actor) && !this.#act(operation, step))
        (failed ??= new Set()).add(operation.actor);
    }
    this.#tree?.notify(step, (error) =>
      this.#services.logger.error({ stream: this.stream, err: error }, 'an observer threw; the actor is not affected'),
    );
  }

  /** Runs a custom action; false when it threw. */
  #act({ actor, action }: Extract<Operation, { type: 'action' }>, step: Step): boolean {
    const { correlationId, eventId: causationId } = step.cause;
    this.#origin = { correlationId, causationId };
    try {
      withAmbient(step.ambient, () => action.exec?.(action.info, action.params));
      return true;
    } catch (error) {
      this.#submitFailure(addressOf(actor), error);
      return false;
    } finally {
      this.#origin = undefined;
    }
  }

  #submitFailure(address: string, error: unknown): void {
    this.submit({ prepared: failureOf(address, error, true), origin: this.#origin ?? {} });
  }

  #operate(operation: Exclude<Operation, { type: 'action' }>): void {
    switch (operation.type) {
      case 'start': {
        const { effect } = operation;
        const address = addressOf(effect.actor);
        // Ended by a later stimulus that is applied already: there is nothing left to start.
        if (this.#tree?.effects?.get(address) !== effect) return;
        // Left to the next host, which is told that nothing of it was done.
        if (this.#closing || this.#services.writesOnly) return this.report(interrupted(address, false), effect);
        const running = new RunningEffect(effect, address, this);
        invariant(!this.#effects?.has(address), `effect ${address} of ${this.stream} runs already`);
        (this.#effects ??= new Map()).set(address, running);
        running.start();
        return;
      }
      case 'deliver':
        return this.#effects?.get(addressOf(operation.actor))?.deliver(operation.event);
      case 'stop': {
        const address = addressOf(operation.actor);
        const running = this.#effects?.get(address);
        this.#effects?.delete(address);
        const machine = operation.actor._parent;
        const by = machine && !hasEnded(machine) ? 'transition' : 'stop';
        return running?.stop(new EffectStoppedError(this.stream, address, by));
      }
    }
  }
}

function submissionsOf(pending: readonly Pending[]): Submission[] {
  return pending.flatMap(({ submission, also }) => [
    // The machine may have changed the value it was given: the next time it is given the logged one again.
    { ...submission, prepared: preparedAgain(submission.prepared) },
    ...(also ?? noMessage),
  ]);
}

const place = { stream: '', revision: 0 };

/** Where an event is sealed for, good until the next call: one object for all, because sealing is the hot path. */
function placeAt(stream: string, revision: Revision): Place {
  place.stream = stream;
  place.revision = revision;
  return place;
}

/** What a log action was given, as text. */
function readable(value: unknown): string {
  return typeof value === 'string' ? value : inspect(value);
}
