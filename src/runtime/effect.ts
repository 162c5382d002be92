/**
 * What an effect is told about itself. Owns effect() and effectContext(); running effects is effect-runner.ts.
 *
 * EF1  An effect has the context that was made for it: one in a plain actor that a hosted effect runs does not take the
 *      hosted one's for its own.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  fromPromise,
  type AnyActor,
  type AnyActorLogic,
  type AnyActorRef,
  type AnyEventObject,
  type AnyMachineSnapshot,
  type PromiseActorLogic,
} from 'xstate';
import { realClock, type TimeMs } from '../clock.ts';
import { uuid } from '../kernel/determinism.ts';
import { InvalidArgumentError } from '../errors.ts';

/** What happens to an effect whose host died before its outcome was recorded. */
export interface EffectOptions {
  /** `rerun` it (the default), let it `fail` with an EffectLostError, or `ask` a person and wait for the answer. */
  readonly onLost?: 'rerun' | 'fail' | 'ask';
  /** After this many lost runs the effect fails with an EffectLostError: it may be what kills its host. 10 by default. */
  readonly maxRestarts?: number;
  /**
   * Who keeps what `progress` saves: the `effect` (the default), for its own next run; or the `machine` that invoked it, which
   * hears an event {@link CheckpointSaved} and keeps its value as `checkpoint` in its context, where the next effect of that
   * machine finds it. So a checkpoint outlives an attempt that failed.
   */
  readonly checkpoint?: 'effect' | 'machine';
  /**
   * It talks to other actors of its runtime, or only reckons, and to nothing outside: `rewake/testing` runs it as it is, where
   * it answers other effects from a script.
   */
  readonly internal?: boolean;
  /**
   * What is done around the call, for those who build machines: whatever is put in the place of the call is wrapped, too.
   */
  readonly around?: (run: EffectFunction) => EffectFunction;
}

/** What {@link effect} runs. */
export type EffectFunction = (args: EffectArguments<never>) => unknown;

/** What a machine hears that keeps the checkpoints of its effects. */
export interface CheckpointSaved {
  readonly type: 'checkpoint.saved';
  readonly value: unknown;
}

/** What a running effect may know and do. */
export interface EffectContext {
  /** The same for every run of this effect, different for every other one. Hand it to the service that does the work. */
  readonly idempotencyKey: string;
  /** 1 for the first run; restarts + 1. */
  readonly attempt: number;
  /** How often the effect was run again because its host died. */
  readonly restarts: number;
  readonly correlationId: string;
  /** Id of the event that caused the effect. */
  readonly causationId: string;
  /** Stream of the actor the effect belongs to, for example `order-42`; empty outside rewake. */
  readonly stream: string;
  /** Address of the effect inside its tree, for example `/charge:3`; empty outside rewake. */
  readonly actor: string;
  /** Name of the host that runs it, the option `host` of its runtime; empty outside rewake. */
  readonly host: string;
  /** Aborted when the effect is stopped, its actor is dropped or the runtime closes. */
  readonly signal: AbortSignal;
  /** What the last {@link progress} of this effect saved, also before a crash; undefined at first. */
  readonly checkpoint: unknown;
  /**
   * Says that the effect only waits for its turn and has not begun its work; call what is returned when it does. A runtime
   * that closes lets effects that work end, and cuts off at once those that wait: their turn comes with the next runtime,
   * whatever their `onLost`. To be called before anything is done.
   */
  standby(): () => void;
  /** The time by the clock of the runtime, in ms since the Unix epoch. */
  now(): TimeMs;
  /** Saves a value for the next run of this effect; resolves when it is durable. */
  progress(value: unknown): Promise<void>;
  /**
   * Sends an event to another root actor, with this effect's correlation. Resolves when it is durable, with the state that
   * actor was in right after it: what it answered. A repeated `messageId` changes nothing and gives the present state.
   */
  send(stream: string, event: AnyEventObject, options?: { messageId?: string }): Promise<AnyMachineSnapshot>;
  /**
   * Starts another root actor, with this effect's correlation. Resolves when it is durable, with the state it is in; one
   * that exists with the same input is left as it is.
   */
  start(machine: string, options: { id: string; input?: unknown }): Promise<AnyMachineSnapshot>;
  /**
   * The newest durable state of another root actor, as it stands in the log also where other processes write to it.
   * @throws NotFoundError
   */
  look(stream: string): Promise<AnyMachineSnapshot>;
  /**
   * Waits for another root actor to end, and resolves with its output. A wait that is cut off begins anew with the next
   * run, so it may last as long as it likes. Rejects with the error of the actor, and with the reason of {@link signal}.
   * Two actors that wait for each other wait for ever.
   * @throws ActorStoppedError | NotFoundError | ActorBlockedError
   * @throws InvalidArgumentError for the effect's own actor, which cannot end before the effect does
   * @throws EffectOverError when the effect ends without waiting for it
   *
   * @example
   * await context.start('receipt', { id: orderId, input });
   * return context.output(`receipt-${orderId}`);
   */
  output(stream: string): Promise<unknown>;
}

/** What an effect function is called with. */
export interface EffectArguments<Input> {
  readonly input: Input;
  readonly signal: AbortSignal;
  readonly self: AnyActorRef;
  readonly context: EffectContext;
}

const optionsOf = new WeakMap<AnyActorLogic, EffectOptions>();

/** The options an effect was declared with; empty for logic not made by {@link effect}. */
export function effectOptions(logic: AnyActorLogic): EffectOptions {
  return optionsOf.get(logic) ?? {};
}

interface Running {
  readonly context: EffectContext;
  /** The actor that is the effect; code of it may run other effects in turn, in actors that rewake does not host. */
  readonly self: AnyActorRef;
  /** The nearest context that rewake gave: what is sent from here belongs to that effect. */
  readonly hosted: EffectContext | undefined;
}

const storage = new AsyncLocalStorage<Running>();

/** Runs `fn` as part of a hosted effect. */
export function runInEffect<T>(context: EffectContext, self: AnyActorRef, fn: () => T): T {
  return storage.run({ context, self, hosted: context }, fn);
}

/**
 * The context of the effect this code runs in, also after an `await`; undefined outside of effects.
 * @param of only if the effect is this actor, and not one around it
 */
export function effectContext(of?: AnyActorRef): EffectContext | undefined {
  const running = storage.getStore();
  return of && running?.self !== of ? undefined : running?.context;
}

/** The context of the hosted effect this code runs in, however deep. */
export function hostedContext(): EffectContext | undefined {
  return storage.getStore()?.hosted;
}

/** What the machine of an effect keeps for the next one, where its options say so. */
export function keptCheckpoint(parent: { getSnapshot(): unknown } | undefined): unknown {
  return (parent?.getSnapshot() as { context?: { checkpoint?: unknown } } | undefined)?.context?.checkpoint;
}

/**
 * Promise logic with an effect context. Under plain XState it runs too, with a neutral context.
 *
 * @example
 * const charge = effect(async ({ input, context }: EffectArguments<{ amount: number }>) =>
 *   pay(input.amount, { idempotencyKey: context.idempotencyKey, signal: context.signal }),
 * );
 */
export function effect<Output, Input = unknown>(
  run: (args: EffectArguments<Input>) => Promise<Output> | Output,
  options: EffectOptions = {},
): PromiseActorLogic<Output, Input> {
  validate(options);
  const call = (options.around?.(run) ?? run) as typeof run;
  const logic = fromPromise<Output, Input>(async ({ input, signal, self: actor }) => {
    const self = actor as unknown as AnyActorRef;
    const running = storage.getStore();
    if (running?.self === self) return call({ input, signal, self, context: running.context });
    // Not hosted, though perhaps inside an effect that is.
    const hosted = running?.hosted;
    const context = new NeutralContext(signal, self, hosted);
    return storage.run({ context, self, hosted }, () => call({ input, signal, self, context }));
  });
  optionsOf.set(logic, options);
  return logic;
}

/**
 * The same logic with these options where it has none of its own: what its author said of it holds.
 * @throws InvalidArgumentError for options that cannot be
 */
export function withEffectDefaults<Logic extends AnyActorLogic>(logic: Logic, options: EffectOptions): Logic {
  validate(options);
  const copy = { ...logic };
  optionsOf.set(copy, { ...options, ...effectOptions(logic) });
  return copy;
}

function validate({ onLost, maxRestarts, checkpoint }: EffectOptions): void {
  if (onLost !== undefined && !['rerun', 'fail', 'ask'].includes(onLost)) {
    throw InvalidArgumentError.of('effect(run, { onLost })', "'rerun', 'fail' or 'ask'", onLost);
  }
  if (maxRestarts !== undefined && !(Number.isInteger(maxRestarts) && maxRestarts >= 0)) {
    throw InvalidArgumentError.of('effect(run, { maxRestarts })', 'a whole number of at least 0', maxRestarts);
  }
  if (checkpoint !== undefined && checkpoint !== 'effect' && checkpoint !== 'machine') {
    throw InvalidArgumentError.of('effect(run, { checkpoint })', "'effect' or 'machine'", checkpoint);
  }
}

/** Outside rewake nothing is durable: a fresh key, first attempt, and nobody to send to. */
class NeutralContext implements EffectContext {
  readonly attempt = 1;
  readonly restarts = 0;
  readonly causationId: string;
  readonly stream = '';
  readonly actor = '';
  readonly host = '';
  readonly checkpoint: unknown;
  readonly signal: AbortSignal;
  readonly #self: AnyActorRef;
  readonly #keeps: boolean;
  readonly #around: EffectContext | undefined;
  #key: string | undefined;
  #correlationId: string | undefined;

  constructor(signal: AbortSignal, self: AnyActorRef, around: EffectContext | undefined) {
    this.signal = signal;
    this.#self = self;
    this.#around = around;
    this.#keeps = effectOptions((self as unknown as AnyActor).logic).checkpoint === 'machine';
    this.checkpoint = this.#keeps ? keptCheckpoint(self._parent) : undefined;
    this.#correlationId = around?.correlationId;
    this.causationId = around?.causationId ?? '';
  }

  // Drawn when it is asked for: most functions do not ask.
  get idempotencyKey(): string {
    return (this.#key ??= uuid());
  }

  get correlationId(): string {
    return (this.#correlationId ??= uuid());
  }

  get now(): EffectContext['now'] {
    return () => (this.#around ?? realClock).now();
  }

  get progress(): EffectContext['progress'] {
    return async (value) => {
      if (!this.#keeps || this.signal.aborted) return;
      this.#self._parent?.send({ type: 'checkpoint.saved', value } satisfies CheckpointSaved);
    };
  }

  get standby(): EffectContext['standby'] {
    return () => () => {};
  }

  get send(): EffectContext['send'] {
    return () => outside('send');
  }

  get start(): EffectContext['start'] {
    return () => outside('start');
  }

  get look(): EffectContext['look'] {
    return () => outside('look');
  }

  get output(): EffectContext['output'] {
    return () => outside('output');
  }
}

function outside(what: string): Promise<never> {
  return Promise.reject(new InvalidArgumentError(`context.${what}() works only in an actor hosted by rewake.`));
}
