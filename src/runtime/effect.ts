/**
 * What an effect is told about itself. Owns effect() and effectContext(); running effects is effect-runner.ts.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  fromPromise,
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

const storage = new AsyncLocalStorage<EffectContext>();

/** Runs `fn` as part of an effect. */
export function runInEffect<T>(context: EffectContext, fn: () => T): T {
  return storage.run(context, fn);
}

/** The context of the effect this code runs in, also after an `await`; undefined outside of effects. */
export function effectContext(): EffectContext | undefined {
  return storage.getStore();
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
  const logic = fromPromise<Output, Input>(async ({ input, signal, self }) =>
    run({ input, signal, self: self as unknown as AnyActorRef, context: effectContext() ?? neutralContext(signal) }),
  );
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

function validate({ onLost, maxRestarts }: EffectOptions): void {
  if (onLost !== undefined && !['rerun', 'fail', 'ask'].includes(onLost)) {
    throw InvalidArgumentError.of('effect(run, { onLost })', "'rerun', 'fail' or 'ask'", onLost);
  }
  if (maxRestarts !== undefined && !(Number.isInteger(maxRestarts) && maxRestarts >= 0)) {
    throw InvalidArgumentError.of('effect(run, { maxRestarts })', 'a whole number of at least 0', maxRestarts);
  }
}

/** Outside rewake nothing is durable: a fresh key, first attempt, and nobody to send to. */
function neutralContext(signal: AbortSignal): EffectContext {
  return new NeutralContext(signal);
}

class NeutralContext implements EffectContext {
  readonly attempt = 1;
  readonly restarts = 0;
  readonly causationId = '';
  readonly stream = '';
  readonly actor = '';
  readonly host = '';
  readonly checkpoint = undefined;
  readonly signal: AbortSignal;
  #key: string | undefined;
  #correlationId: string | undefined;

  constructor(signal: AbortSignal) {
    this.signal = signal;
  }

  // Drawn when it is asked for: most functions do not ask.
  get idempotencyKey(): string {
    return (this.#key ??= uuid());
  }

  get correlationId(): string {
    return (this.#correlationId ??= uuid());
  }

  get now(): EffectContext['now'] {
    return () => realClock.now();
  }

  get progress(): EffectContext['progress'] {
    return async () => {};
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
}

function outside(what: string): Promise<never> {
  return Promise.reject(new InvalidArgumentError(`context.${what}() works only in an actor hosted by rewake.`));
}
