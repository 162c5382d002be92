/**
 * The gate of whoever asks an actor that many have in common by its key: it gives that actor its options, and says what
 * happens when it cannot be reached. Owns these two; what is asked and told is the business of each kind of gate.
 *
 * KG1  Options given with a key are the actor's from the first use by this process on; of several, the newest hold.
 * KG2  What keeps the actor from answering and is not the doing of whoever asks is an error or no answer, as they chose, and then a fact of theirs;
 *      everything else, such as a machine that the runtime does not know, is an error always.
 */
import type { AnyEventObject } from 'xstate';
import {
  ActorBlockedError,
  ActorFinishedError,
  InvalidArgumentError,
  LogUnavailableError,
  MailboxFullError,
  OutcomeUnknownError,
  StreamDeletedError,
  type EffectContext,
} from 'rewake';
import { classify } from './classify.ts';
import { signatureOf } from './error-signature.ts';
import { findOrStart, tell, type KeyedActor } from './keyed-actor.ts';
import { oneOf, requireKey, requireKnown } from './options.ts';

/** When the log of a shared actor cannot be read or written: call all the same, or fail. */
export type OnStoreError = 'allow' | 'fail';

/** How a step names a shared actor in its options; what else is there are the actor's own. */
export interface KeyedUse {
  /** Name of the dependency; every step with this key shares the actor. */
  readonly key: string;
  /**
   * When the log of that actor cannot be read or written: `allow` the call without it having seen the call (the default), or
   * let it `fail`.
   */
  readonly onStoreError?: OnStoreError;
}

/** A checked {@link KeyedUse}. */
export interface CheckedUse<Options> {
  readonly key: string;
  readonly options: Options;
  /** Whether the call is made all the same although this kept the actor from answering (KG2). */
  letsPass(error: unknown): boolean;
}

const unreachable = [
  LogUnavailableError,
  OutcomeUnknownError,
  ActorBlockedError,
  ActorFinishedError,
  StreamDeletedError,
  MailboxFullError,
] as const;

/** The options of a shared actor, as one of those who use it gives them. */
export interface Configuration<Snapshot> {
  /** Whether the actor has others. */
  readonly isNew: (snapshot: Snapshot) => boolean;
  /** Tells it these. */
  readonly event: AnyEventObject;
}

/** A shared actor, as one of those who use it sees it. */
export class KeyedGate<Snapshot> {
  readonly #actor: KeyedActor;
  readonly #configuration: Configuration<Snapshot> | undefined;
  /** Whether the actor is known to have these options. */
  #isConfigured = false;
  /** Set while it is told of them: who comes meanwhile waits for the same answer. */
  #configuring: Promise<Snapshot> | undefined;

  constructor(actor: KeyedActor, configuration?: Configuration<Snapshot>) {
    this.#actor = actor;
    this.#configuration = configuration;
  }

  /** Its newest state, with these options (KG1); started if it is not there yet. */
  look(context: EffectContext): Promise<Snapshot> {
    const found = findOrStart(this.#actor, context) as Promise<unknown> as Promise<Snapshot>;
    return this.#isConfigured || !this.#configuration ? found : this.#configured(found, this.#configuration, context);
  }

  async #configured(
    found: Promise<Snapshot>,
    { isNew, event }: Configuration<Snapshot>,
    context: EffectContext,
  ): Promise<Snapshot> {
    const snapshot = await found;
    if (this.#isConfigured || !isNew(snapshot)) {
      this.#isConfigured = true;
      return snapshot;
    }
    this.#configuring ??= this.tell(event, context).finally(() => (this.#configuring = undefined));
    await this.#configuring;
    this.#isConfigured = true;
    return this.look(context);
  }

  /** Its state right after an event; it must have been looked at before. */
  async tell(event: AnyEventObject, context: EffectContext): Promise<Snapshot> {
    return (await tell(this.#actor, event, context)) as unknown as Snapshot;
  }
}

/**
 * Checks how an option names a shared actor; the values of its other options are for the caller to check.
 * @param names of its other options
 * @throws InvalidArgumentError naming the path of what is wrong
 */
export function readUse<Use extends KeyedUse>(
  use: string | Use,
  names: readonly Exclude<keyof Use, keyof KeyedUse>[],
  path: string,
): CheckedUse<Omit<Use, keyof KeyedUse>> {
  if (typeof use !== 'string' && (typeof use !== 'object' || use === null)) {
    throw InvalidArgumentError.of(path, 'the key of a dependency, or { key, …options }', use);
  }
  if (typeof use === 'object') requireKnown(use, ['key', ...(names as readonly string[]), 'onStoreError'], path);
  const { key, onStoreError = 'allow', ...options } = typeof use === 'string' ? ({ key: use } as Use) : use;
  requireKey(key, `${path}.key`);
  oneOf(onStoreError, ['allow', 'fail'], `${path}.onStoreError`);
  return { key, options, letsPass: (error) => letsPass(onStoreError, error) };
}

/** Whether a call is made all the same although this kept the actor from answering (KG2). */
export function letsPass(onStoreError: OnStoreError, error: unknown): boolean {
  return onStoreError === 'allow' && unreachable.some((type) => error instanceof type);
}

/** What kept it, for a fact. */
export function problemOf(error: unknown): string {
  return signatureOf(error, classify(error)).message;
}
