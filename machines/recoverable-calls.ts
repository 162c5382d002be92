/**
 * How a call of a recoverable function is made: by a step in this process, or by one on a log. Owns what `this` is in a
 * call and how it is cancelled; retries, waits and breaker are the step's.
 *
 * RC1  One key is one call: whoever calls with it joins the call that runs, or has what came of it.
 * RC2  A method never runs without its instance: a call that goes on after a restart waits until there is one.
 * RC3  A call does not wait for itself: with its own key a function cannot call itself.
 */
import {
  ActorBlockedError,
  effectContext,
  InvalidArgumentError,
  type Duration,
  type EffectArguments,
  type Runtime,
} from 'rewake';
import { createActor, type AnyStateMachine } from 'xstate';
import type { CallHost } from './log-runtimes.ts';
import { step } from './step.ts';
import type { PolicyOptions } from './step-policy.ts';

/** A function as it is called. */
export type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

/** The calls of one recoverable function. */
export interface Calls {
  call(receiver: unknown, args: unknown[], signal: AbortSignal | undefined): Promise<unknown>;
  resume(receivers: readonly unknown[]): Promise<number>;
  close(drain: Duration): Promise<void>;
}

interface PlainCall {
  readonly receiver: unknown;
  readonly args: unknown[];
}

/** Calls that live as long as the process: each is a plain XState actor. */
export class PlainCalls implements Calls {
  readonly #machine: AnyStateMachine;

  constructor(name: string, fn: AnyFunction, policy: PolicyOptions) {
    const call = ({ input: { receiver, args } }: EffectArguments<PlainCall>) => fn.apply(receiver, args);
    this.#machine = step(name, call, policy) as AnyStateMachine;
  }

  async call(receiver: unknown, args: unknown[], signal: AbortSignal | undefined): Promise<unknown> {
    const actor = createActor(this.#machine, { input: { receiver, args } });
    const outcome = new Promise((resolve, reject) => {
      actor.subscribe({ complete: () => resolve(actor.getSnapshot().output), error: reject });
    });
    return unlessAborted(signal, outcome, { begin: () => void actor.start(), cancel: () => void actor.stop() });
  }

  async resume(): Promise<number> {
    return 0;
  }

  async close(): Promise<void> {}
}

/** Calls that are actors on a log. */
export class LoggedCalls implements Calls {
  readonly #name: string;
  readonly #host: CallHost;
  readonly #key: (...args: unknown[]) => unknown;
  readonly #receivers: Receivers;

  constructor(name: string, fn: AnyFunction, policy: PolicyOptions, host: CallHost, how: LoggedHow) {
    this.#name = name;
    this.#host = host;
    this.#key = how.key;
    const receivers = new Receivers(how.isMethod);
    this.#receivers = receivers;
    const call = async ({ input, context }: EffectArguments<unknown[]>) =>
      fn.apply(await receivers.of(context.stream), input);
    host.add(name, step(name, call, policy) as AnyStateMachine);
  }

  async call(receiver: unknown, args: unknown[], signal: AbortSignal | undefined): Promise<unknown> {
    signal?.throwIfAborted();
    const id = this.#key(...args);
    if (typeof id !== 'string' || id === '') {
      throw InvalidArgumentError.of(`recoverable('${this.#name}').key(…)`, 'a text that is not empty', id);
    }
    const stream = `${this.#name}-${id}`;
    if (effectContext()?.stream === stream) {
      throw InvalidArgumentError.of(`recoverable('${this.#name}').key(…)`, 'not the key of the call that calls', id);
    }
    const runtime = await this.#host.open(this);
    const leave = this.#receivers.enter(stream, receiver);
    try {
      const ref = await runtime.start(this.#name, { id, input: args });
      const reason = 'its signal was aborted';
      return await unlessAborted(signal, ref.output(), { cancel: () => ref.stop({ reason }) });
    } finally {
      leave();
    }
  }

  async resume(receivers: readonly unknown[]): Promise<number> {
    this.#receivers.standIn(receivers, this.#name);
    const runtime = await this.#host.open(this);
    let count = 0;
    for await (const { stream } of runtime.list({ machine: this.#name, status: 'active' })) {
      if (await canBeLoaded(runtime, stream)) count++;
    }
    return count;
  }

  close(drain: Duration): Promise<void> {
    return this.#host.close(this, drain);
  }
}

interface LoggedHow {
  readonly key: (...args: unknown[]) => unknown;
  readonly isMethod: boolean;
}

/** Loads an actor, which takes it up. One that cannot be loaded is in the runtime's log. */
async function canBeLoaded(runtime: Runtime, stream: string): Promise<boolean> {
  try {
    await runtime.get(stream);
    return true;
  } catch (error) {
    if (error instanceof ActorBlockedError) return false;
    throw error;
  }
}

interface Instance {
  readonly receiver: unknown;
}

/** What `this` is in each call: the log cannot carry it. */
class Receivers {
  readonly #inCalls = new Map<string, Set<Instance>>();
  #standIn: Instance | undefined;
  #waiting: (() => void)[] = [];

  constructor(isMethod: boolean) {
    // A plain function has none.
    if (!isMethod) this.#standIn = { receiver: undefined };
  }

  /** Somebody calls, until the returned function says that they have their answer. */
  enter(stream: string, receiver: unknown): () => void {
    const instance = { receiver };
    const here = this.#inCalls.get(stream) ?? new Set();
    this.#inCalls.set(stream, here.add(instance));
    this.#wake();
    return () => {
      here.delete(instance);
      if (here.size === 0 && this.#inCalls.get(stream) === here) this.#inCalls.delete(stream);
    };
  }

  /** Takes the instance for calls that nobody has called again yet. */
  standIn(given: readonly unknown[], name: string): void {
    if (given.length > 0) this.#standIn = { receiver: given[0] };
    if (this.#standIn) return this.#wake();
    const where = `recoverable('${name}').resume(instance)`;
    throw InvalidArgumentError.of(where, `the instance of whose method '${name}' is`, undefined);
  }

  /** RC2. */
  async of(stream: string): Promise<unknown> {
    for (;;) {
      const [first] = this.#inCalls.get(stream) ?? [];
      const instance = first ?? this.#standIn;
      if (instance) return instance.receiver;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

interface Cancellable {
  readonly begin?: () => void;
  readonly cancel: () => void | Promise<void>;
}

/** What comes of a call, or the reason of its signal as soon as that is aborted: then the call is cancelled. */
async function unlessAborted<T>(
  signal: AbortSignal | undefined,
  outcome: Promise<T>,
  { begin, cancel }: Cancellable,
): Promise<T> {
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => {
      reject(signal!.reason as Error);
      // What cannot be stopped goes on; whoever cancelled has the answer already.
      void Promise.resolve(cancel()).catch(() => {});
    };
  });
  if (signal?.aborted) abort();
  else begin?.();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([aborted, outcome]);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
