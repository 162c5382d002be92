/**
 * The handle a service holds on one durable actor. Owns the typed surface; everything it does goes through the runtime,
 * so a handle stays valid while its actor leaves memory and comes back.
 */
import type { AnyStateMachine, EmittedFrom, EventFromLogic, OutputFrom, SnapshotFrom } from 'xstate';
import { holdProcess, toMs, type Clock, type Duration } from '../clock.ts';
import { ActorFinishedError, ActorStoppedError, WaitTimeoutError } from '../errors.ts';
import type { AnySnapshot } from '../kernel/xstate-internals.ts';
import type { Watcher } from './watchers.ts';

/** What a handle needs of the runtime. */
export interface RefServices {
  readonly clock: Clock;
  send(stream: string, event: unknown, options: SendOptions): Promise<AnySnapshot>;
  stop(stream: string, reason: string | undefined): Promise<void>;
  settle(stream: string, effect: string, outcome: Settlement): Promise<void>;
  load(stream: string): Promise<Holder>;
  /** The actor, while it is in memory. */
  holder(stream: string): Holder | undefined;
  watch(stream: string, watcher: Watcher): () => void;
}

/** Whoever has the actor's durable snapshot, also after it ended or left memory. */
export interface Holder {
  readonly committed: AnySnapshot | undefined;
}

/** What goes along with a message. */
export interface SendOptions {
  /** A second event with the same id changes nothing: it is acknowledged when the first one is durable. */
  readonly messageId?: string;
  /** Correlation id of everything this event causes; the actor's own unless given. */
  readonly correlationId?: string;
}

/** A person's decision on a lost effect that was declared with `onLost: 'ask'`. */
export type Settlement = 'rerun' | { readonly output: unknown } | { readonly error: unknown };

export interface Unsubscribe {
  unsubscribe(): void;
}

type Observer<T> =
  ((value: T) => void) | Partial<{ next(value: T): void; error(error: unknown): void; complete(): void }>;

/** The types of fact that a machine emits, and `'*'` for all of them. */
export type FactType<Machine extends AnyStateMachine> = EmittedFrom<Machine>['type'] | '*';

/** What is called with facts of a type. */
export type FactHandler<Machine extends AnyStateMachine, Type> = (
  fact: EmittedFrom<Machine> & (Type extends '*' ? unknown : { type: Type }),
) => void;

/** A handle on one durable actor; made by a runtime's `start` and `get`. */
export class ActorRef<Machine extends AnyStateMachine = AnyStateMachine> {
  /** Name of the actor's stream: `<machine>-<id>`. */
  readonly stream: string;
  readonly #services: RefServices;
  #holder: Holder;

  constructor(stream: string, holder: Holder, services: RefServices) {
    this.stream = stream;
    this.#holder = holder;
    this.#services = services;
  }

  /**
   * Sends an event; resolves when it is durable, with the state right after it: what the machine answered. A repeated
   * `messageId` changes nothing and gives the present state.
   * @throws InvalidEventError | NotSerializableError | MailboxFullError | ActorFinishedError | ActorBlockedError
   */
  send(event: EventFromLogic<Machine>, options: SendOptions = {}): Promise<SnapshotFrom<Machine>> {
    return this.#services.send(this.stream, event, options) as Promise<SnapshotFrom<Machine>>;
  }

  /** The newest durable snapshot this process has seen. */
  getSnapshot(): SnapshotFrom<Machine> {
    this.#holder = this.#services.holder(this.stream) ?? this.#holder;
    return this.#holder.committed as SnapshotFrom<Machine>;
  }

  /** Calls the observer with every durable change of the root, `complete` or `error` at its end. */
  subscribe(observer: Observer<SnapshotFrom<Machine>>): Unsubscribe {
    const { next, error, complete } = typeof observer === 'function' ? bound({ next: observer }) : bound(observer);
    const { status, error: failure } = this.getSnapshot() as AnySnapshot;
    if (status === 'error') error?.(failure);
    else if (status !== 'active') complete?.();
    else return { unsubscribe: this.#services.watch(this.stream, { next: next as Watcher['next'], error, complete }) };
    return { unsubscribe() {} };
  }

  /** Calls the handler with every durable fact that the root emits of this type; `'*'` for all. */
  on<Type extends FactType<Machine>>(type: Type, handler: FactHandler<Machine, Type>): Unsubscribe {
    const fact = { type, handler: handler as (event: { type: string }) => void };
    return { unsubscribe: this.#services.watch(this.stream, { fact }) };
  }

  /**
   * Resolves with the first durable snapshot for which the predicate holds. Keeps the process alive meanwhile.
   * @throws WaitTimeoutError | ActorFinishedError when the actor ends otherwise
   */
  async waitFor(
    predicate: (snapshot: SnapshotFrom<Machine>) => boolean,
    options: { timeout?: Duration } = {},
  ): Promise<SnapshotFrom<Machine>> {
    const holds = (snapshot: AnySnapshot) => predicate(snapshot as SnapshotFrom<Machine>);
    const ended = ({ status, error }: AnySnapshot) =>
      new ActorFinishedError(this.stream, status, 'Waiting for a state', status === 'error' ? { cause: error } : {});
    const snapshot = await this.#wait((current) => {
      if (holds(current)) return { found: current };
      return current.status === 'active' ? undefined : { failed: ended(current) };
    }, options.timeout);
    return snapshot as SnapshotFrom<Machine>;
  }

  /**
   * Resolves with the machine's output; rejects with the machine's error. Keeps the process alive meanwhile.
   * @throws ActorStoppedError when the actor was stopped
   */
  async output(): Promise<OutputFrom<Machine>> {
    const snapshot = await this.#wait((current) => {
      if (current.status === 'active') return undefined;
      if (current.status === 'error') return { failed: current.error };
      return current.status === 'done' ? { found: current } : { failed: new ActorStoppedError(this.stream) };
    }, undefined);
    return snapshot.output as OutputFrom<Machine>;
  }

  /** Stops the actor for good; resolves when that is durable. */
  stop(options: { reason?: string } = {}): Promise<void> {
    return this.#services.stop(this.stream, options.reason);
  }

  /**
   * Decides about a lost effect that waits for a person.
   * @param effect address of the effect, for example `/charge:3`
   */
  settle(effect: string, decision: Settlement): Promise<void> {
    return this.#services.settle(this.stream, effect, decision);
  }

  async #wait(
    look: (snapshot: AnySnapshot) => { found: AnySnapshot } | { failed: unknown } | undefined,
    timeout: Duration | undefined,
  ): Promise<AnySnapshot> {
    const release = holdProcess();
    let unwatch = () => {};
    let cancel = () => {};
    try {
      const holder = await this.#services.load(this.stream);
      return await new Promise<AnySnapshot>((resolve, reject) => {
        const check = (snapshot: AnySnapshot) => {
          try {
            const result = look(snapshot);
            if (!result) return;
            if ('found' in result) resolve(result.found);
            else reject(result.failed as Error);
          } catch (error) {
            reject(error as Error);
          }
        };
        const seen = () => check((this.#services.holder(this.stream) ?? holder).committed!);
        unwatch = this.#services.watch(this.stream, { next: check, error: seen, failed: reject });
        if (timeout !== undefined) {
          const ms = toMs(timeout);
          const { clock } = this.#services;
          cancel = clock.setTimer(clock.now() + ms, () => reject(new WaitTimeoutError(this.stream, ms)));
        }
        seen();
      });
    } finally {
      unwatch();
      cancel();
      release();
    }
  }
}

function bound<T>(observer: Exclude<Observer<T>, (value: T) => void>) {
  return {
    next: observer.next?.bind(observer),
    error: observer.error?.bind(observer),
    complete: observer.complete?.bind(observer),
  };
}
