/**
 * A step at the gate of a circuit breaker. Owns the order of asking and reporting, and what happens when the breaker
 * cannot be reached; the rules are breaker.ts's.
 *
 * BG1  What changes nothing in the breaker is not sent to it: a healthy dependency costs its breaker no event.
 * BG2  Options given with a key are the breaker's from the first use by this process on; of several, the newest hold.
 * BG3  Asking and reporting are safe to repeat: who asks again with an id gets the permit of that id, and a report carries it
 *      as its message id.
 */
import type { EffectContext } from 'rewake';
import { breaker, type BreakerEvent } from './breaker.ts';
import { breakerOptions, type BreakerOptions } from './breaker-options.ts';
import {
  answerOf,
  answerWithoutRecord,
  changesNothing,
  needsConfiguring,
  type BreakerSnapshot,
  type CallReport,
  type Permit,
} from './breaker-permit.ts';
import { CircuitBreakerOpenError } from './recovery-errors.ts';
import { findOrStart, readUse, tell, type KeyedActor, type KeyedUse } from './keyed-actor.ts';

/** A breaker by its key, with its options and what to do when it cannot be reached. */
export interface BreakerUse extends BreakerOptions, KeyedUse {}

/** The breaker of a dependency, as one step uses it. */
export class BreakerGate {
  readonly key: string;
  /** Whether a call is made all the same although this kept the breaker from answering. */
  readonly letsPass: (error: unknown) => boolean;
  readonly #actor: KeyedActor;
  readonly #options: BreakerOptions | undefined;
  /** Whether the breaker is known to have these options. */
  #isConfigured = false;

  /** @throws InvalidArgumentError naming the path of what is wrong */
  constructor(use: string | BreakerUse, path: string) {
    const { key, options, letsPass } = readUse(use, path);
    this.key = key;
    this.letsPass = letsPass;
    breakerOptions(options, path);
    this.#options = Object.keys(options).length > 0 ? options : undefined;
    this.#actor = { machine: 'breaker', logic: breaker, id: key, input: { key, options } };
  }

  /**
   * Asks for a permit.
   * @param leaseMs how long the call may take: as long a probe is waited for, unless its lease was given
   * @throws CircuitBreakerOpenError
   */
  async enter(context: EffectContext, leaseMs: number | null): Promise<Permit> {
    const id = context.idempotencyKey;
    const lease = leaseMs === null || this.#options?.halfOpen?.lease !== undefined ? {} : { leaseMs };
    const snapshot = await this.#look(context);
    const answer =
      answerWithoutRecord(snapshot, id, context.now()) ??
      answerOf(await this.#tell({ type: 'permit.asked', id, ...lease }, undefined, context), id, context.now());
    if (answer.permit) {
      // Nobody is left to use it.
      if (context.signal.aborted) await this.leave(context, answer.permit, { outcome: 'ignored' });
      return answer.permit;
    }
    const { state, timeoutRemainingMs, lastFailure } = answer.refused;
    // Half-open or isolated: no time is known.
    const remainingMs = state === 'open' ? timeoutRemainingMs : undefined;
    throw new CircuitBreakerOpenError(this.key, state, remainingMs, lastFailure);
  }

  /** Tells the breaker how a call ended that it had let through. Never rejects: the call has its outcome already. */
  async leave(context: EffectContext, permit: Permit, report: CallReport): Promise<void> {
    try {
      if (changesNothing(await this.#look(context), permit, report, context.now())) return;
      await this.#tell({ type: 'outcome.reported', permit, ...report }, `${permit.id}.outcome`, context);
    } catch {
      // What the breaker did not hear it does not count; the lease of a probe runs out by itself.
    }
  }

  async #look(context: EffectContext): Promise<BreakerSnapshot> {
    const snapshot = (await findOrStart(this.#actor, context)) as unknown as BreakerSnapshot;
    if (this.#isConfigured || !this.#options) return snapshot;
    const isNew = needsConfiguring(snapshot, this.#options);
    const configured = isNew
      ? await this.#tell({ type: 'breaker.configured', options: this.#options }, undefined, context)
      : snapshot;
    this.#isConfigured = true;
    return configured;
  }

  async #tell(event: BreakerEvent, messageId: string | undefined, context: EffectContext): Promise<BreakerSnapshot> {
    return (await tell(this.#actor, event, messageId, context)) as unknown as BreakerSnapshot;
  }
}
