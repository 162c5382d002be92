/**
 * Everything that knows XState's insides, and nothing else: how an actor is constructed, started, fed, stopped and
 * watched inside the library. Checked against xstate 5.33; test/kernel/xstate-internals.test.ts has a test for each
 * private member relied on, so that an upgrade fails there and not in a recovery.
 *
 * XState constructs an `Actor` for every invoke and spawn inside a transition. Its constructor raises '@xstate.actor'
 * on the system before it computes a state; there `adopt` turns the object into a HostedActor, which keeps the identity
 * that contexts and children refer to and replaces the behaviour. HostedActor mirrors Actor's run-to-completion, start,
 * stop, done and error procedures (packages/core/src/createActor.ts) without observers, timers or inspection.
 *
 * X1  Transitions run XState's own code: logic.getInitialSnapshot and logic.transition with a scope of ours.
 * X2  Built-in actions run at once, they touch only the tree. Custom actions and `log` are handed to the system.
 * X3  The logic of an effect (promise, callback, observable, anything with `start` that is no machine) is never started
 *     here, and never sees 'xstate.stop': its outcome arrives as a stimulus, its abort leaves as an operation.
 */
import {
  and,
  createActor,
  fromCallback,
  fromEventObservable,
  fromObservable,
  fromPromise,
  getNextTransitions,
  StateMachine,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type Snapshot,
  type StateValue,
} from 'xstate';
import { DecodeError } from '../errors.ts';

export type AnySnapshot = Snapshot<unknown>;

/** How a kind of logic takes part in the tree. */
export type LogicKind = 'machine' | 'transition' | 'promise' | 'callback' | 'observable' | 'eventObservable' | 'custom';

const never = new Promise<never>(() => {});
const nothing = { subscribe: () => ({ unsubscribe() {} }) };
const knownTransitions = new Map<string, LogicKind>([
  [fromPromise(() => never).transition.toString(), 'promise'],
  [fromCallback(() => {}).transition.toString(), 'callback'],
  [fromObservable(() => nothing).transition.toString(), 'observable'],
  [fromEventObservable(() => nothing).transition.toString(), 'eventObservable'],
]);
const kinds = new WeakMap<AnyActorLogic, LogicKind>();

/**
 * Tells the kinds of logic apart. XState's logic objects carry no tag, so the library's own are known by the source text
 * of their transition function; anything else with a `start` is 'custom', without one 'transition'.
 */
export function logicKind(logic: AnyActorLogic): LogicKind {
  let kind = kinds.get(logic);
  if (!kind) {
    kind = isMachine(logic)
      ? 'machine'
      : logic.start === undefined
        ? 'transition'
        : (knownTransitions.get(logic.transition.toString()) ?? 'custom');
    kinds.set(logic, kind);
    if (isMachine(logic)) boundIterations(logic);
  }
  return kind;
}

/** XState lets an `always` cycle spin for ever, in a recovery too. A machine that sets no bound of its own gets one. */
const iterationsMax = 100_000;

function boundIterations(machine: AnyStateMachine): void {
  const options = machine.options as { maxIterations?: number } | undefined;
  if (options?.maxIterations === Infinity) options.maxIterations = iterationsMax;
}

/** Whether a logic is a state machine, also one of another copy of xstate. */
export function isMachine(logic: AnyActorLogic): logic is AnyStateMachine {
  return logic instanceof StateMachine || '__xstatenode' in logic;
}

export function isEffect(kind: LogicKind): boolean {
  return kind !== 'machine' && kind !== 'transition';
}

export const promiseResolve = 'xstate.promise.resolve';
export const promiseReject = 'xstate.promise.reject';
export const observableNext = 'xstate.observable.next';
export const observableError = 'xstate.observable.error';
export const observableComplete = 'xstate.observable.complete';
const initEventType = 'xstate.init';
export const stopEventType = 'xstate.stop';

const notStarted = 0;
const running = 1;
const stopped = 2;

/** An action as XState hands it to a scope's actionExecutor. */
export interface ExecutableAction {
  readonly type: string;
  readonly info: { readonly self: HostedActor; readonly [key: string]: unknown };
  readonly params: unknown;
  readonly exec: ((info: unknown, params: unknown) => void) | undefined;
}

const builtinActions = new Set([
  'xstate.raise',
  'xstate.cancel',
  'xstate.spawnChild',
  'xstate.stopChild',
  'xstate.sendTo',
  'xstate.emit',
]);

/** Unbound on purpose: microstep() calls the executor it saved without a receiver. */
function executeAction(action: ExecutableAction): void {
  const { self } = action.info;
  if (self._processingStatus === running) runAction(self, action);
  else self._deferred.push(() => runAction(self, action));
}

function runAction(self: HostedActor, action: ExecutableAction): void {
  if (!action.exec) return;
  if (builtinActions.has(action.type)) action.exec(action.info, action.params);
  else self.system.collectAction(self, action);
}

/** The ActorScope of one transition. XState reassigns `actionExecutor` during a microstep, so it is a plain property. */
class Scope {
  self: HostedActor;
  id: string;
  sessionId: string;
  system: HostedSystem;
  actionExecutor: (action: ExecutableAction) => void = executeAction;
  logger: (...args: unknown[]) => void;

  constructor(self: HostedActor) {
    this.self = self;
    this.id = self.id;
    this.sessionId = self.sessionId;
    this.system = self.system;
    this.logger = self.system._logger;
  }

  defer(fn: () => void): void {
    this.self._deferred.push(fn);
  }

  stopChild(child: HostedActor): void {
    if (child._parent !== this.self) {
      throw new Error(`Cannot stop child actor ${child.id} of ${this.id} because it is not a child`);
    }
    child._stop();
  }

  emit(event: AnyEventObject): void {
    this.system.collectFact(this.self, event);
  }
}

/** fromTransition passes its scope to user code, which may take it apart: there the methods are bound. */
class DetachableScope extends Scope {
  constructor(self: HostedActor) {
    super(self);
    this.defer = this.defer.bind(this);
    this.stopChild = this.stopChild.bind(this);
    this.emit = this.emit.bind(this);
  }
}

/** What a scope must look like to XState; the one cast between our objects and its types. */
function scopeOf(actor: HostedActor): Parameters<AnyActorLogic['transition']>[2] {
  const scope = actor.kind === 'machine' ? new Scope(actor) : new DetachableScope(actor);
  return scope as unknown as Parameters<AnyActorLogic['transition']>[2];
}

/** An actor of the tree: XState's Actor, adopted, or a root of our own. */
export class HostedActor {
  declare logic: AnyActorLogic;
  declare id: string;
  declare sessionId: string;
  declare src: string | AnyActorLogic;
  declare system: HostedSystem;
  declare systemId: string | undefined;
  declare kind: LogicKind;
  declare _parent: HostedActor | undefined;
  declare _syncSnapshot: boolean | undefined;
  declare _snapshot: AnySnapshot;
  declare _processingStatus: number;
  declare _deferred: (() => void)[];
  /** Events waiting while another is processed, or until the actor has started. */
  declare mailbox: AnyEventObject[] | undefined;
  declare _processing: boolean;
  declare _initialInput: unknown;

  /**
   * Makes an actor without XState's constructor: a root, or one that is restored.
   * @param actor an object that references are held to already, to be filled in
   */
  static create(
    system: HostedSystem,
    logic: AnyActorLogic,
    identity: ActorIdentity,
    actor: HostedActor = new HostedActor(),
  ): HostedActor {
    actor.logic = logic;
    actor.id = identity.id;
    actor.sessionId = identity.sessionId;
    actor.src = identity.src;
    actor.system = system;
    actor.systemId = identity.systemId;
    actor.kind = logicKind(logic);
    actor._parent = identity.parent;
    actor._syncSnapshot = identity.syncSnapshot;
    actor._processingStatus = notStarted;
    actor._deferred = [];
    actor.mailbox = undefined;
    actor._processing = false;
    return actor;
  }

  get ref(): this {
    return this;
  }

  /** Computes the first snapshot. Called by XState's constructor for adopted actors. */
  _initState(): void {
    try {
      this._snapshot = this.logic.getInitialSnapshot(scopeOf(this), this._initialInput);
    } catch (error) {
      this._snapshot = { status: 'error', output: undefined, error };
    }
    this._initialInput = undefined;
  }

  start(): this {
    if (this._processingStatus === running) return this;
    if (this.systemId) this.system._set(this.systemId, this);
    this._processingStatus = running;
    this.system.enter(this);
    if (this.kind === 'machine') this.system.recordTransition(this, initEventType, undefined);
    switch (this._snapshot.status) {
      case 'done':
        // The mailbox of an actor that is done at start never starts: what reaches it meanwhile waits for ever.
        this._processing = true;
        update(this, this._snapshot);
        return this;
      case 'error':
        endWithError(this, this._snapshot.error);
        return this;
    }
    // Events that arrive before start() is through wait, as in XState, whose mailbox starts last.
    this._processing = true;
    try {
      if (isEffect(this.kind)) {
        this.system.beginEffect(this);
      } else if (this.logic.start) {
        try {
          this.logic.start(this._snapshot, scopeOf(this));
        } catch (error) {
          this._snapshot = { ...this._snapshot, status: 'error', error } as AnySnapshot;
          endWithError(this, error);
          return this;
        }
      }
      update(this, this._snapshot);
      while (this.mailbox?.length) processEvent(this, this.mailbox.shift()!);
    } finally {
      this._processing = false;
    }
    return this;
  }

  /**
   * Takes up a restored state; nothing is done again.
   * @param stage whether it runs is not in the snapshot: one that was stopped before it started still looks active
   */
  _resumeWith(snapshot: AnySnapshot, stage: number): void {
    this._snapshot = snapshot;
    this._processingStatus = stage;
    if (stage === running) this.system.enter(this);
  }

  _send(event: AnyEventObject): void {
    if (this._processingStatus === stopped) return;
    if (this._processing || this._processingStatus === notStarted) {
      (this.mailbox ??= []).push(event);
      return;
    }
    this._processing = true;
    try {
      processEvent(this, event);
      while (this.mailbox?.length) processEvent(this, this.mailbox.shift()!);
    } finally {
      this._processing = false;
    }
  }

  /** Bound, as XState's is, so that it can be handed around; made anew each time, because an idle actor needs none. */
  get send(): (event: AnyEventObject) => void {
    return (event) => {
      if (typeof event === 'string') {
        throw new TypeError(
          `Only event objects may be sent to actors; use .send({ type: "${String(event)}" }) instead`,
        );
      }
      this.system._relay(undefined, this, event);
    };
  }

  _stop(): this {
    if (this._processingStatus === stopped) return this;
    if (this.mailbox) this.mailbox.length = 0;
    if (this._processingStatus === notStarted) {
      this._processingStatus = stopped;
      return this;
    }
    this._send({ type: stopEventType });
    return this;
  }

  stop(): this {
    if (this._parent) throw new Error('A non-root actor cannot be stopped directly.');
    this.system.requestStop(this);
    return this;
  }

  getSnapshot(): AnySnapshot {
    if (!this._snapshot) throw new Error("Snapshot can't be read while the actor initializes itself");
    return this._snapshot;
  }

  getPersistedSnapshot(options?: unknown): AnySnapshot {
    return this.logic.getPersistedSnapshot(this._snapshot, options);
  }

  subscribe(observer: unknown): { unsubscribe(): void } {
    return this.system.watch(this, observer);
  }

  on(type: string, handler: (event: AnyEventObject) => void): { unsubscribe(): void } {
    return this.system.watchFacts(this, type, handler);
  }

  toJSON(): unknown {
    return { xstate$$type: 1, id: this.id };
  }
}

function processEvent(actor: HostedActor, event: AnyEventObject): void {
  const before = actor._snapshot;
  let next: AnySnapshot;
  try {
    next = isEffect(actor.kind)
      ? effectTransition(actor, event)
      : actor.logic.transition(before, event, scopeOf(actor));
  } catch (error) {
    actor._snapshot = { ...before, status: 'error', error } as AnySnapshot;
    if (actor.kind === 'machine') actor.system.recordTransition(actor, event.type, before);
    endWithError(actor, error);
    return;
  }
  if (next !== before && actor.kind === 'machine') {
    actor._snapshot = next;
    actor.system.recordTransition(actor, event.type, before);
  }
  update(actor, next);
  if (event.type === stopEventType) release(actor);
}

/** X3: what an effect's logic does with an event inside the tree. */
function effectTransition(actor: HostedActor, event: AnyEventObject): AnySnapshot {
  const state = actor._snapshot;
  if (event.type === stopEventType) {
    actor.system.endEffect(actor);
    const stopped: object = { ...withoutSubscription(state), status: 'stopped', input: undefined };
    return stopped as AnySnapshot;
  }
  if (actor.kind === 'callback') {
    actor.system.deliverToEffect(actor, event);
    return state;
  }
  const next = actor.logic.transition(state, event, scopeOf(actor));
  if (next.status !== 'active') actor.system.endEffect(actor);
  return next;
}

function update(actor: HostedActor, snapshot: AnySnapshot): void {
  actor._snapshot = snapshot;
  const deferred = actor._deferred;
  for (let i = 0; i < deferred.length; i++) {
    try {
      deferred[i]!();
    } catch (error) {
      deferred.length = 0;
      actor._snapshot = { ...snapshot, status: 'error', error } as AnySnapshot;
    }
  }
  deferred.length = 0;
  switch (actor._snapshot.status) {
    case 'active':
      if (actor._syncSnapshot && snapshot.status === 'active' && actor._parent) {
        actor.system._relay(actor, actor._parent, { type: `xstate.snapshot.${actor.id}`, snapshot });
      }
      break;
    case 'done':
      release(actor);
      if (actor._parent) {
        const type = `xstate.done.actor.${actor.id}`;
        actor.system._relay(actor, actor._parent, { type, output: actor._snapshot.output, actorId: actor.id });
      }
      break;
    case 'error':
      endWithError(actor, actor._snapshot.error);
      break;
  }
}

/** A custom action threw after its transition was recorded: the actor fails as it would under plain XState. */
export function failActor(actor: HostedActor, error: unknown): void {
  if (actor._processingStatus !== running) return;
  const before = actor._snapshot;
  actor._snapshot = { ...before, status: 'error', error } as AnySnapshot;
  if (actor.kind === 'machine') actor.system.recordTransition(actor, 'xstate.error.action', before);
  endWithError(actor, error);
}

function endWithError(actor: HostedActor, error: unknown): void {
  release(actor);
  if (actor._parent) {
    const type = `xstate.error.actor.${actor.id}`;
    actor.system._relay(actor, actor._parent, { type, error, actorId: actor.id });
  }
}

function release(actor: HostedActor): void {
  if (actor._processingStatus !== running) return;
  actor.system.cancelAll(actor);
  if (actor.mailbox) actor.mailbox.length = 0;
  actor._processingStatus = stopped;
  actor.system._unregister(actor);
  actor.system.leave(actor);
}

/** How far an actor has come in its life: not started, running or ended, as XState numbers it. */
export function stageOf(actor: HostedActor): number {
  return actor._processingStatus;
}

/** The stage of an actor that has ended. */
export const endedStage = stopped;

/** Whether an actor has ended or was stopped. */
export function hasEnded(actor: HostedActor): boolean {
  return actor._processingStatus === stopped;
}

/** Who an actor is inside its tree. */
export interface ActorIdentity {
  readonly id: string;
  readonly sessionId: string;
  readonly src: string | AnyActorLogic;
  readonly parent: HostedActor | undefined;
  readonly systemId: string | undefined;
  readonly syncSnapshot: boolean | undefined;
}

/** The fields of XState's Actor that `adopt` reads, as its constructor has set them when it raises '@xstate.actor'. */
interface RawActor {
  options: { input?: unknown } | undefined;
  mailbox: unknown;
  observers: unknown;
  eventListeners: unknown;
  _actorScope: unknown;
}

const hosted = HostedActor.prototype;

/**
 * Turns an actor that XState is just constructing into one of ours. The methods are set on the object itself: giving it
 * another prototype costs V8 more than the whole rest of a step.
 */
function adopt(constructed: unknown): void {
  const raw = constructed as RawActor;
  const actor = constructed as HostedActor;
  const input = raw.options?.input;
  raw.mailbox = undefined;
  raw.observers = undefined;
  raw.eventListeners = undefined;
  raw._actorScope = undefined;
  raw.options = undefined;
  actor.kind = logicKind(actor.logic);
  actor._processing = false;
  actor._initialInput = input;
  actor._initState = hosted._initState;
  actor.start = hosted.start;
  actor._send = hosted._send;
  actor._stop = hosted._stop;
  actor.getSnapshot = hosted.getSnapshot;
  actor.subscribe = hosted.subscribe;
  actor.on = hosted.on;
}

/**
 * The ActorSystem that XState sees. What the tree does with each call is the subclass's business.
 */
export abstract class HostedSystem {
  /** Only what XState reads; sessions are numbered per tree, so that a fold numbers them alike. */
  _sessions = 0;
  _keyed: Map<string, HostedActor> | undefined = undefined;
  /** Running actors below the root by session id, also those that no parent lists among its children. */
  _living: Map<string, HostedActor> | undefined = undefined;

  abstract _relay(source: HostedActor | undefined, target: HostedActor, event: AnyEventObject): void;
  abstract schedule(
    source: HostedActor,
    target: HostedActor,
    event: AnyEventObject,
    delayMs: number,
    id?: string,
  ): void;
  abstract cancel(source: HostedActor, id: string): void;
  abstract cancelAll(source: HostedActor): void;
  /** Whether a timer of this id can still be cancelled. */
  abstract isArmed(source: HostedActor, id: string): boolean;
  abstract armedIds(source: HostedActor): string[];
  /** @param before what it came from; undefined where it has just begun */
  abstract recordTransition(actor: HostedActor, eventType: string, before: AnySnapshot | undefined): void;
  abstract collectAction(actor: HostedActor, action: ExecutableAction): void;
  abstract collectFact(actor: HostedActor, event: AnyEventObject): void;
  abstract beginEffect(actor: HostedActor): void;
  abstract endEffect(actor: HostedActor): void;
  abstract deliverToEffect(actor: HostedActor, event: AnyEventObject): void;
  abstract requestStop(actor: HostedActor): void;
  abstract watch(actor: HostedActor, observer: unknown): { unsubscribe(): void };
  abstract watchFacts(
    actor: HostedActor,
    type: string,
    handler: (event: AnyEventObject) => void,
  ): { unsubscribe(): void };
  abstract get _logger(): (...args: unknown[]) => void;

  get scheduler(): this {
    return this;
  }

  /** Never used: delays are data here. XState copies it onto every actor. */
  get _clock(): undefined {
    return undefined;
  }

  _bookId(): string {
    return `x:${this._sessions++}`;
  }

  _register(sessionId: string): string {
    return sessionId;
  }

  enter(actor: HostedActor): void {
    if (actor._parent) (this._living ??= new Map()).set(actor.sessionId, actor);
  }

  leave(actor: HostedActor): void {
    this._living?.delete(actor.sessionId);
  }

  _unregister(actor: HostedActor): void {
    const { systemId } = actor;
    if (systemId !== undefined && this._keyed?.get(systemId) === actor) this._keyed.delete(systemId);
  }

  _set(systemId: string, actor: HostedActor): void {
    const existing = this._keyed?.get(systemId);
    if (existing && existing !== actor) throw new Error(`Actor with system ID '${systemId}' already exists.`);
    (this._keyed ??= new Map()).set(systemId, actor);
  }

  get(systemId: string): HostedActor | undefined {
    return this._keyed?.get(systemId);
  }

  getAll(): Record<string, HostedActor> {
    return Object.fromEntries(this._keyed ?? []);
  }

  inspect(): { unsubscribe(): void } {
    return { unsubscribe() {} };
  }

  _sendInspectionEvent(event: { readonly type: string; readonly actorRef: unknown }): void {
    if (event.type === '@xstate.actor') adopt(event.actorRef);
  }

  getSnapshot(): { _scheduledEvents: Record<string, never> } {
    return { _scheduledEvents: {} };
  }

  start(): void {}
}

/** Resolves the source of an invoke or spawn the way XState does. Undefined when the machine has no such source. */
export function resolveSource(machine: AnyStateMachine, src: string): AnyActorLogic | undefined {
  const match = /^xstate\.invoke\.(\d+)\.(.*)/.exec(src);
  if (!match) return machine.implementations.actors[src] as AnyActorLogic | undefined;
  const node = findNode(machine, match[2]!);
  const invoke = node?.config.invoke as { src: AnyActorLogic } | { src: AnyActorLogic }[] | undefined;
  return (Array.isArray(invoke) ? invoke[Number(match[1])] : invoke)?.src;
}

/** An invoke of a state node, as far as it is needed to start one. */
export interface InvokeDefinition {
  readonly id: string;
  readonly src: string;
  readonly systemId: string | undefined;
  readonly input: unknown;
  readonly syncSnapshot: boolean;
}

/** A delayed transition of a state node: `delay` is in ms, the name of a delay, or computes one. */
export interface DelayDefinition {
  readonly eventType: string;
  readonly delay: number | string | ((args: unknown, params: unknown) => number);
}

/** What the given state nodes invoke and delay, in document order; all nodes of the machine when none are given. */
export function declarationsOf(machine: AnyStateMachine, ids?: readonly string[]) {
  const nodes = ids ? ids.map((id) => nodeById(machine, id)) : descendants(machine.root);
  nodes.sort((a, b) => a.order - b.order);
  const invokes = nodes.flatMap((node) =>
    node.invoke.map(({ id, src, systemId, input, onSnapshot }): InvokeDefinition => {
      return { id, src: src as string, systemId, input, syncSnapshot: onSnapshot !== undefined };
    }),
  );
  const delays = nodes.flatMap((node) => node.after as unknown as DelayDefinition[]);
  return { invokes, delays };
}

/** Names of the guards that a machine asks, those inside and() and or() left out. */
export function guardNamesOf(machine: AnyStateMachine): string[] {
  const transitions = descendants(machine.root).flatMap((node) => [
    ...[...(node.transitions as unknown as ReadonlyMap<string, readonly { guard?: unknown }[]>).values()].flat(),
    ...((node.always as unknown as readonly { guard?: unknown }[] | undefined) ?? []),
  ]);
  return transitions.flatMap(({ guard }) => {
    const name = typeof guard === 'object' && guard !== null ? (guard as { type?: unknown }).type : guard;
    return typeof name === 'string' ? [name] : [];
  });
}

type StateNode = ReturnType<AnyStateMachine['getStateNodeById']>;

function descendants(node: StateNode): StateNode[] {
  return [node, ...Object.values(node.states as Record<string, StateNode>).flatMap(descendants)];
}

/** Constructs a child the way XState's own spawn does; the caller puts it among the children and starts it. */
export function createChild(parent: HostedActor, logic: AnyActorLogic, definition: InvokeDefinition): HostedActor {
  const { id, src, systemId, input, syncSnapshot } = definition;
  const options = { id, src, systemId, input, syncSnapshot, parent };
  return createActor(logic, options as unknown as Parameters<typeof createActor>[1]) as unknown as HostedActor;
}

/**
 * Makes a root that failed, or that is done, active again in the state it ended in. Its children have ended with it.
 * @returns whether there is such a state: one whose context could not be made has none
 */
export function reviveRoot(root: HostedActor): boolean {
  const { logic, system, _snapshot: snapshot } = root;
  if (!isMachine(logic) || !isMachineSnapshot(snapshot)) return false;
  for (const actor of system._living?.values() ?? []) actor._processingStatus = stopped;
  system._living = undefined;
  system._keyed = undefined;
  const position = positionOf(snapshot);
  root._snapshot = snapshotAt(logic, {
    ...{ ...position, status: 'active', output: undefined, error: undefined, children: {} },
  });
  root._processingStatus = running;
  return true;
}

/** Whether a machine in this state would do anything with an event. */
export function canTake(snapshot: AnySnapshot, event: AnyEventObject): boolean {
  return isMachineSnapshot(snapshot) && snapshot.can(event);
}

/** Gives a machine other children. */
export function setChildren(actor: HostedActor, children: Readonly<Record<string, HostedActor>>): void {
  const snapshot: object = { ...actor._snapshot, children };
  actor._snapshot = snapshot as AnySnapshot;
}

/** A state node by its id, if the machine has it. XState's own getStateNodeById takes a dot in an id for a path. */
export function findNode(machine: AnyStateMachine, id: string): StateNode | undefined {
  return (machine as unknown as { readonly idMap: ReadonlyMap<string, StateNode> }).idMap.get(id);
}

function nodeById(machine: AnyStateMachine, id: string): StateNode {
  const node = findNode(machine, id);
  if (!node) throw new DecodeError(`machine '${machine.id}' has no state '${id}' any more`);
  return node;
}

/** The state of an effect without what its started logic wrote into it. */
export function withoutSubscription(snapshot: AnySnapshot): AnySnapshot {
  const { _subscription: _, ...rest } = snapshot as AnySnapshot & { _subscription?: unknown };
  return rest as AnySnapshot;
}

export function isMachineSnapshot(snapshot: AnySnapshot): snapshot is AnyMachineSnapshot {
  return 'machine' in snapshot && 'value' in snapshot;
}

/** The parts of a machine snapshot that say where the machine is. */
export interface MachinePosition {
  readonly value: StateValue;
  readonly context: unknown;
  /** Ids of the active state nodes, in XState's own order, which decides between transitions. */
  readonly nodes: readonly string[];
  /** Ids of the remembered state nodes by history node. */
  readonly history: Readonly<Record<string, readonly string[]>>;
  readonly children: Readonly<Record<string, HostedActor>>;
  readonly status: AnySnapshot['status'];
  readonly output: unknown;
  readonly error: unknown;
}

export function positionOf(snapshot: AnyMachineSnapshot): MachinePosition {
  const { value, context, children, status, output, error } = snapshot;
  const nodes = snapshot._nodes.map((node) => node.id);
  const history: Record<string, string[]> = {};
  for (const [key, remembered] of Object.entries(snapshot.historyValue as Record<string, { id: string }[]>)) {
    history[key] = remembered.map((node) => node.id);
  }
  return {
    value,
    context,
    nodes,
    history,
    children: children as unknown as Record<string, HostedActor>,
    status,
    output,
    error,
  };
}

/** Rebuilds a machine snapshot exactly, the order of its state nodes included. @throws when a state is no more */
export function snapshotAt(machine: AnyStateMachine, position: MachinePosition): AnyMachineSnapshot {
  const { value, context, status, output, error } = position;
  const historyValue: Record<string, unknown[]> = {};
  for (const [key, ids] of Object.entries(position.history)) {
    historyValue[key] = ids.map((id) => nodeById(machine, id));
  }
  const config = { value, context, status, output, error, historyValue } as unknown;
  const snapshot = machine.resolveState(config as Parameters<AnyStateMachine['resolveState']>[0]);
  const nodes = position.nodes.map((id) => nodeById(machine, id));
  const tags = new Set(nodes.flatMap((node) => node.tags));
  return Object.assign(snapshot, { value, _nodes: nodes, tags, status, children: { ...position.children } });
}

/** Lets a HostedActor stand where XState's types ask for an actor reference. */
export function asActorRef(actor: HostedActor): AnyActorRef {
  return actor as unknown as AnyActorRef;
}

/** Whether a value is an actor reference of a hosted tree. */
export function isHostedActor(value: unknown): value is HostedActor {
  return typeof value === 'object' && value !== null && '_processing' in value && 'sessionId' in value;
}

/** A transition that an active state declares, its guard as it was written. */
export interface DeclaredTransition {
  /** Path of the state that declares it, joined by dots; empty for the machine itself. */
  readonly state: string;
  /** Type of the event, or a pattern such as `approval.*`; empty for one that needs no event. */
  readonly event: string;
  /** Paths of the states it leads to, joined by dots; empty where the machine stays where it is. */
  readonly targets: readonly string[];
  readonly guard: unknown;
}

/** The transitions of the active states, the innermost first: the order in which XState tries them. */
export function transitionsOf(snapshot: AnyMachineSnapshot): DeclaredTransition[] {
  return getNextTransitions(snapshot).map(({ source, eventType, target, guard }) => {
    const targets = (target ?? []).map((node) => (node as StateNode).path.join('.') || '(the machine)');
    return { state: (source as StateNode).path.join('.'), event: eventType, targets, guard: guard as unknown };
  });
}

interface BuiltInGuard {
  readonly name: string;
  readonly guards?: readonly unknown[];
  check(snapshot: AnyMachineSnapshot, args: { context: unknown; event: unknown }, guard: BuiltInGuard): boolean;
}

/** Whether a guard holds, by XState's own evaluation (X1). @throws what the guard throws, and where it has no implementation */
export function guardHolds(snapshot: AnyMachineSnapshot, guard: unknown, event: AnyEventObject): boolean {
  const whole = and([guard as never]) as unknown as BuiltInGuard;
  return whole.check(snapshot, { context: snapshot.context as unknown, event }, whole);
}

/** What a guard is called: its name, that of its function, or those of the guards it is made of. */
export function guardName(guard: unknown): string {
  if (typeof guard === 'string') return guard;
  if (typeof guard !== 'function') return (guard as { readonly type: string }).type;
  const { name, guards } = guard as unknown as BuiltInGuard;
  if (guards) return `${name}(${guards.map(guardName).join(', ')})`;
  // A function that was written in its place is called after the property that holds it.
  return name === '' || name === 'guard' ? '(inline)' : name;
}

/** What a guard is given besides context and event; undefined where that is nothing, or is computed. */
export function guardParams(guard: unknown): unknown {
  const params = typeof guard === 'object' && guard !== null && 'params' in guard ? guard.params : undefined;
  return typeof params === 'function' ? undefined : params;
}
