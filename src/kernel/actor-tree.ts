/**
 * One actor tree: a stimulus in, a step out. Owns the tree's state (snapshots, timers, pending effects); does no I/O and
 * reads no clock. The same apply() runs live and in a fold; only what is done with the step differs.
 *
 * K1  apply() is a pure function of the tree and the stimulus: the same stimuli give the same tree, step by step.
 * K2  Timers are data: source, target, event, absolute due time. They fire by stimulus, in (dueAt, armed) order.
 * K3  An effect is pending from the step that began it until its outcome, its stop or the end of the root.
 * K4  A stimulus addressed to an actor that is no more changes nothing.
 * K5  A message that arrives while no step is running never touches the tree: it is handed to its surroundings.
 */
import type { AnyActorLogic, AnyEventObject, StateValue } from 'xstate';
import type { TimeMs } from '../clock.ts';
import { invariant } from '../invariant.ts';
import { contextsText } from './contexts.ts';
import { withAmbient, type Ambient } from './determinism.ts';
import type {
  Cause,
  Fact,
  IntentRecord,
  LostEffect,
  StepRecord,
  Stimulus,
  TimerRecord,
  TransitionRecord,
} from './stimulus.ts';
import {
  failActor,
  HostedActor,
  HostedSystem,
  isMachineSnapshot,
  observableComplete,
  observableError,
  observableNext,
  promiseReject,
  promiseResolve,
  type AnySnapshot,
  type ExecutableAction,
} from './xstate-internals.ts';

export interface Timer {
  readonly seq: number;
  readonly source: HostedActor;
  readonly target: HostedActor;
  readonly event: AnyEventObject;
  readonly id: string;
  readonly dueAt: TimeMs;
  readonly cause: Cause;
}

/** An effect that is started, or about to be, and has no outcome yet. */
export interface PendingEffect {
  readonly actor: HostedActor;
  /** The stimulus that began it: its event id and the address make the idempotency key. */
  readonly cause: Cause;
  /** How often it was run again because its host died or gave it up; not counted when the host closed in order. */
  restarts: number;
  /** Lost and waiting for a person's decision. */
  asked: boolean;
  /** Aborted by a host that closed in order. */
  interrupted: boolean;
  /** Its work had not begun when that host closed: none of it can have been done. */
  untouched: boolean;
  checkpoint: unknown;
}

/** What has to be done once the step is durable, in order. */
export type Operation =
  | { readonly type: 'start'; readonly effect: PendingEffect }
  | { readonly type: 'deliver'; readonly actor: HostedActor; readonly event: AnyEventObject }
  | { readonly type: 'stop'; readonly actor: HostedActor }
  | { readonly type: 'action'; readonly actor: HostedActor; readonly action: ExecutableAction };

/** What one stimulus did. */
export interface Step {
  readonly ambient: Ambient;
  readonly cause: Cause;
  readonly record: StepRecord;
  readonly facts: readonly Fact[];
  readonly operations: readonly Operation[];
  /** What changed in contexts, as JSON text; undefined where nothing did. To be asked before the next step. */
  contexts(): string | undefined;
}

/** What a tree needs of whoever runs it. */
export interface Surroundings {
  /** Takes a message that arrived while no step was running. */
  relay(target: HostedActor, event: AnyEventObject): void;
  /** Takes what a `log` action says. */
  log(args: readonly unknown[]): void;
}

interface Watcher {
  readonly actor: HostedActor;
  readonly next: (value: unknown) => void;
  readonly factType?: string;
}

class OpenStep {
  readonly ambient: Ambient;
  readonly cause: Cause;
  transitions: TransitionRecord[] | undefined = undefined;
  intents: IntentRecord[] | undefined = undefined;
  armed: TimerRecord[] | undefined = undefined;
  cancelled: number[] | undefined = undefined;
  facts: Fact[] = [];
  operations: Operation[] = [];
  /** Machines whose context moved, with the one they came from. */
  moved: Map<HostedActor, unknown> | undefined = undefined;

  constructor(ambient: Ambient, cause: Cause) {
    this.ambient = ambient;
    this.cause = cause;
  }

  get record(): StepRecord {
    const record: { -readonly [key in keyof StepRecord]: StepRecord[key] } = {};
    if (this.transitions) record.transitions = this.transitions;
    if (this.intents) record.intents = this.intents;
    if (this.armed) record.armed = this.armed;
    if (this.cancelled) record.cancelled = this.cancelled;
    return record;
  }

  contexts(): string | undefined {
    if (!this.moved) return undefined;
    const moved = [...this.moved].map(([actor, before]) => ({
      actor: addressOf(actor),
      before,
      after: contextOf(actor._snapshot),
    }));
    return contextsText(moved, (ref) => addressOf(ref as HostedActor));
  }
}

/** One actor tree. */
export class ActorTree extends HostedSystem {
  readonly logic: AnyActorLogic;
  readonly rootId: string;
  root: HostedActor | undefined = undefined;
  /** Time of the newest stimulus: time never runs backwards inside a tree. */
  at: TimeMs = 0;
  /** Whoever brings messages to this tree; none while it is folded. */
  surroundings: Surroundings | undefined = undefined;
  timers: Map<number, Timer> | undefined = undefined;
  timerKeys: Map<string, number> | undefined = undefined;
  timerCount = 0;
  effects: Map<string, PendingEffect> | undefined = undefined;
  messageIds: Set<string> | undefined = undefined;
  #step: OpenStep | undefined = undefined;
  #watchers: Set<Watcher> | undefined = undefined;

  constructor(logic: AnyActorLogic, rootId: string) {
    super();
    this.logic = logic;
    this.rootId = rootId;
  }

  get status(): AnySnapshot['status'] {
    return this.rootActor.getSnapshot().status;
  }

  get rootActor(): HostedActor {
    invariant(this.root, 'the tree has no root before ActorStarted or ActorRebased');
    return this.root;
  }

  /**
   * Applies one stimulus and says what it did.
   * @param at time of the stimulus, in ms since the epoch; never less than the previous one's
   */
  apply(stimulus: Stimulus, at: TimeMs, cause: Cause): Step {
    invariant(!this.#step, 'a stimulus arrived while another one was being applied');
    invariant(at >= this.at, 'the time of a stimulus lies before the previous one');
    this.at = at;
    return this.begin(at, cause, () => this.#perform(stimulus));
  }

  /** Runs something inside a step. */
  begin(at: TimeMs, cause: Cause, perform: () => void): Step {
    const step = new OpenStep({ at, seed: cause.seed ?? cause.eventId }, cause);
    this.#step = step;
    try {
      withAmbient(step.ambient, perform);
      if (this.status !== 'active') this.#close();
    } finally {
      this.#step = undefined;
    }
    return step;
  }

  /** Whether a stimulus would reach anyone; one that would not need not be recorded. */
  accepts(stimulus: Stimulus): boolean {
    switch (stimulus.type) {
      case 'EffectSucceeded':
      case 'EffectProgressed':
        return this.effects?.has(stimulus.actor) ?? false;
      case 'EffectFailed':
        return stimulus.action ? this.find(stimulus.actor) !== undefined : (this.effects?.has(stimulus.actor) ?? false);
      case 'TimerFired':
        return this.timers?.has(stimulus.timer) ?? false;
      case 'EventReceived':
        return stimulus.messageId === undefined || !this.messageIds?.has(stimulus.messageId);
      default:
        return true;
    }
  }

  /** Forgets which messages it has received, but for so many of the newest. */
  forgetMessages(kept: number): void {
    const { messageIds } = this;
    if (messageIds && messageIds.size > kept) this.messageIds = new Set([...messageIds].slice(-kept));
  }

  /** The timer that fires next, by (dueAt, order of arming). */
  nextTimer(): Timer | undefined {
    let next: Timer | undefined;
    if (this.timers) for (const timer of this.timers.values()) if (!next || timer.dueAt < next.dueAt) next = timer;
    return next;
  }

  /** The living actor at an address; the session number at its end is what tells actors apart. */
  find(address: string): HostedActor | undefined {
    if (address === '/') return this.root;
    return this._living?.get(`x:${address.slice(address.lastIndexOf(':') + 1)}`);
  }

  /** Tells watchers of inner actors what became durable. Watchers live as long as the tree is in memory. */
  notify(step: Step, onError: (error: unknown) => void): void {
    if (!this.#watchers) return;
    for (const watcher of [...this.#watchers]) {
      try {
        tell(watcher, step);
      } catch (error) {
        onError(error);
      }
    }
  }

  #perform(stimulus: Stimulus): void {
    switch (stimulus.type) {
      case 'ActorStarted':
        return this.#start(stimulus.input);
      case 'EventReceived': {
        if (stimulus.messageId !== undefined) (this.messageIds ??= new Set()).add(stimulus.messageId);
        const target = this.find(stimulus.to);
        return target && this._relay(undefined, target, stimulus.event);
      }
      case 'EffectSucceeded':
        return this.#settle(stimulus.actor, promiseResolve, observableComplete, stimulus.output);
      case 'EffectFailed':
        if (stimulus.action) return this.#fail(stimulus.actor, stimulus.error);
        return this.#settle(stimulus.actor, promiseReject, observableError, stimulus.error);
      case 'EffectProgressed':
        return this.#progress(stimulus);
      case 'TimerFired':
        return this.#fire(stimulus.timer);
      case 'ActorResumed':
        for (const lost of stimulus.effects) this.#resumeEffect(lost);
        return;
      case 'ActorStopped':
        this.rootActor._stop();
        return;
      case 'ActorRebased':
        invariant(false, 'ActorRebased is restored, not applied');
    }
  }

  #start(input: unknown): void {
    invariant(!this.root, 'the actor has started already');
    const root = HostedActor.create(this, this.logic, {
      id: this.rootId,
      sessionId: this._bookId(),
      src: this.logic,
      parent: undefined,
      systemId: undefined,
      syncSnapshot: undefined,
    });
    this.root = root;
    root._initialInput = input;
    root._initState();
    root.start();
  }

  #settle(address: string, promiseEvent: string, observableEvent: string, data: unknown): void {
    const actor = this.effects?.get(address)?.actor;
    if (!actor) return;
    const type = actor.kind === 'observable' || actor.kind === 'eventObservable' ? observableEvent : promiseEvent;
    if (actor.kind === 'callback') {
      this.endEffect(actor);
      return failActor(actor, data);
    }
    this._relay(actor, actor, type === observableComplete ? { type } : { type, data });
  }

  /** Code threw for which the actor's logic has no event: the actor fails outright. */
  #fail(address: string, error: unknown): void {
    const actor = this.find(address);
    if (!actor) return;
    this.endEffect(actor);
    failActor(actor, error);
  }

  #progress(stimulus: Extract<Stimulus, { type: 'EffectProgressed' }>): void {
    const effect = this.effects?.get(stimulus.actor);
    if (!effect) return;
    const { actor } = effect;
    switch (stimulus.channel) {
      case 'next':
        return this._relay(actor, actor, { type: observableNext, data: stimulus.value });
      case 'parent':
        if (actor._parent) this._relay(actor, actor._parent, stimulus.value as AnyEventObject);
        return;
      case 'self':
        return this._relay(actor, actor, stimulus.value as AnyEventObject);
      case 'emit':
        return this.collectFact(actor, stimulus.value as AnyEventObject);
      case 'checkpoint':
        effect.checkpoint = stimulus.value;
        return;
      case 'interrupted':
        effect.interrupted = true;
        effect.untouched = stimulus.value === 'untouched';
    }
  }

  #resumeEffect(lost: LostEffect): void {
    const effect = this.effects?.get(lost.actor);
    if (!effect) return;
    effect.asked = lost.decision === 'ask';
    if (lost.decision !== 'rerun') return;
    if (!effect.interrupted) effect.restarts++;
    effect.interrupted = false;
    effect.untouched = false;
    this.#open.operations.push({ type: 'start', effect });
  }

  #fire(seq: number): void {
    const timer = this.timers?.get(seq);
    if (!timer) return;
    this.timers!.delete(seq);
    // As in XState, a second timer armed under the same id keeps running but cannot be cancelled any more.
    this.timerKeys?.delete(timerKey(timer.source, timer.id));
    this._relay(timer.source, timer.target, timer.event);
  }

  /** The root has ended: nothing of the tree goes on. */
  #close(): void {
    if (this.effects) {
      for (const { actor } of this.effects.values()) this.#open.operations.push({ type: 'stop', actor });
      this.effects = undefined;
    }
    this.timers = undefined;
    this.timerKeys = undefined;
  }

  get #open(): OpenStep {
    invariant(this.#step, 'the tree was touched while no step was running');
    return this.#step;
  }

  // ── what XState asks of its system ─────────────────────────────────────────────────────────────

  override get _logger(): (...args: unknown[]) => void {
    const { surroundings } = this;
    return surroundings ? (...args) => surroundings.log(args) : console.log;
  }

  override _relay(_source: HostedActor | undefined, target: HostedActor, event: AnyEventObject): void {
    if (this.#step) target._send(event);
    else this.surroundings?.relay(target, event);
  }

  override schedule(
    source: HostedActor,
    target: HostedActor,
    event: AnyEventObject,
    delayMs: number,
    id = `rewake.${this.timerCount}`,
  ): void {
    const { ambient, cause } = this.#open;
    // Whole milliseconds, because stores keep it as an integer; rounded up, so that it is never early.
    const dueAt = Math.min(ambient.at + (delayMs > 0 ? Math.ceil(delayMs) : 0), Number.MAX_SAFE_INTEGER);
    const seq = this.timerCount++;
    (this.timers ??= new Map()).set(seq, { seq, source, target, event, id, dueAt, cause });
    const key = timerKey(source, id);
    // Last also where the id was used before: timers are cancelled in the order they were armed, of a restored tree too.
    (this.timerKeys ??= new Map()).delete(key);
    this.timerKeys.set(key, seq);
    (this.#open.armed ??= []).push({ timer: seq, actor: addressOf(source), id, dueAt });
  }

  override cancel(source: HostedActor, id: string): void {
    const key = timerKey(source, id);
    const seq = this.timerKeys?.get(key);
    if (seq === undefined) return;
    this.timerKeys!.delete(key);
    this.timers!.delete(seq);
    (this.#open.cancelled ??= []).push(seq);
  }

  override cancelAll(source: HostedActor): void {
    if (!this.timerKeys?.size) return;
    for (const seq of [...this.timerKeys.values()]) {
      const timer = this.timers!.get(seq)!;
      if (timer.source === source) this.cancel(source, timer.id);
    }
  }

  override isArmed(source: HostedActor, id: string): boolean {
    return this.timerKeys?.has(timerKey(source, id)) ?? false;
  }

  override armedIds(source: HostedActor): string[] {
    return [...(this.timers?.values() ?? [])].filter((timer) => timer.source === source).map(({ id }) => id);
  }

  override recordTransition(actor: HostedActor, event: string, before: AnySnapshot | undefined): void {
    const snapshot = actor._snapshot;
    const was = before && contextOf(before);
    if (was !== contextOf(snapshot)) {
      const moved = (this.#open.moved ??= new Map());
      if (!moved.has(actor)) moved.set(actor, was);
    }
    const to: StateValue = isMachineSnapshot(snapshot) ? snapshot.value : '';
    const { status } = snapshot;
    const record = { actor: addressOf(actor), event: String(event), to };
    (this.#open.transitions ??= []).push(status === 'active' ? record : { ...record, status });
  }

  override collectAction(actor: HostedActor, action: ExecutableAction): void {
    this.#open.operations.push({ type: 'action', actor, action });
  }

  override collectFact(actor: HostedActor, event: AnyEventObject): void {
    this.#open.facts.push({ actor: addressOf(actor), event });
  }

  override beginEffect(actor: HostedActor): void {
    const address = addressOf(actor);
    const effect: PendingEffect = {
      actor,
      cause: this.#open.cause,
      restarts: 0,
      asked: false,
      interrupted: false,
      untouched: false,
      checkpoint: undefined,
    };
    (this.effects ??= new Map()).set(address, effect);
    (this.#open.intents ??= []).push({ actor: address, src: sourceOf(actor) });
    this.#open.operations.push({ type: 'start', effect });
  }

  override endEffect(actor: HostedActor): void {
    if (this.effects?.delete(addressOf(actor))) this.#open.operations.push({ type: 'stop', actor });
  }

  override deliverToEffect(actor: HostedActor, event: AnyEventObject): void {
    this.#open.operations.push({ type: 'deliver', actor, event });
  }

  override requestStop(actor: HostedActor): void {
    this.surroundings?.relay(actor, { type: 'xstate.stop' });
  }

  override watch(actor: HostedActor, observer: unknown): { unsubscribe(): void } {
    const next = typeof observer === 'function' ? observer : (observer as { next?: unknown } | undefined)?.next;
    return this.#addWatcher({
      actor,
      next: typeof next === 'function' ? (value) => void next.call(observer, value) : () => {},
    });
  }

  override watchFacts(actor: HostedActor, type: string, handler: (event: AnyEventObject) => void) {
    return this.#addWatcher({ actor, next: (event) => handler(event as AnyEventObject), factType: type });
  }

  #addWatcher(watcher: Watcher): { unsubscribe(): void } {
    const watchers = (this.#watchers ??= new Set());
    watchers.add(watcher);
    return { unsubscribe: () => void watchers.delete(watcher) };
  }
}

function tell(watcher: Watcher, step: Step): void {
  const address = addressOf(watcher.actor);
  if (watcher.factType === undefined) {
    if (step.record.transitions?.some(({ actor }) => actor === address)) watcher.next(watcher.actor.getSnapshot());
    return;
  }
  for (const { actor, event } of step.facts) {
    if (actor === address && (watcher.factType === '*' || watcher.factType === event.type)) watcher.next(event);
  }
}

/** What an address is made of. */
export interface Addressed {
  readonly id: string;
  readonly sessionId: string;
  readonly _parent: Addressed | undefined;
}

/** The address of an actor: see stimulus.ts. */
export function addressOf(actor: Addressed): string {
  if (!actor._parent) return '/';
  const own = `/${escapeId(actor.id)}:${actor.sessionId.slice(2)}`;
  return actor._parent._parent ? addressOf(actor._parent) + own : own;
}

/** The name of an actor's logic in its parent. */
export function sourceOf({ src }: HostedActor): string {
  return typeof src === 'string' ? src : '(inline)';
}

function escapeId(id: string): string {
  return id.includes('/') || id.includes('%') ? id.replaceAll('%', '%25').replaceAll('/', '%2F') : id;
}

/** Of a machine. */
function contextOf(snapshot: AnySnapshot): unknown {
  return (snapshot as { readonly context?: unknown }).context;
}

function timerKey(source: HostedActor, id: string): string {
  return `${source.sessionId}.${id}`;
}
