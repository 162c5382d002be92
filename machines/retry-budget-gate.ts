/**
 * A step at its retry budget. Owns the order of asking and telling, and what happens when the budget cannot be reached; the
 * tokens are retry-budget-state.ts's.
 *
 * RG1  What changes nothing in the budget is not sent to it: a dependency that is well costs its budget no event.
 * RG2  Options given with a key are the budget's from the first use by this process on; of several, the newest hold.
 * RG3  Asking and telling are safe to repeat: both carry the key of their effect, so a retry is paid for once.
 */
import type { EffectContext } from 'rewake';
import { findOrStart, readUse, tell, type KeyedActor, type KeyedUse } from './keyed-actor.ts';
import { retryBudget } from './retry-budget.ts';
import { retryBudgetOptions, type RetryBudgetOptions } from './retry-budget-options.ts';
import {
  answerOf,
  answerWithoutRecord,
  changesNothing,
  type RetryBudgetAnswer,
  type RetryBudgetEvent,
  type RetryBudgetSnapshot,
} from './retry-budget-state.ts';

/** A retry budget by its key, with its options and what to do when it cannot be reached. */
export interface RetryBudgetUse extends RetryBudgetOptions, KeyedUse {}

/** What a retry that was granted is called in its budget, and what it took. */
export interface RetryGrant {
  readonly id: string;
  readonly cost: number;
}

/** How a budget answers a step. */
export type RetryAnswer = RetryBudgetAnswer & { readonly id: string };

/** The retry budget of a dependency, as one step uses it. */
export class RetryBudgetGate {
  readonly key: string;
  /** Whether a retry is made all the same although this kept the budget from answering. */
  readonly letsPass: (error: unknown) => boolean;
  readonly #actor: KeyedActor;
  readonly #options: RetryBudgetOptions | undefined;
  #isConfigured = false;

  /** @throws InvalidArgumentError naming the path of what is wrong */
  constructor(use: string | RetryBudgetUse, path: string) {
    const { key, options, letsPass } = readUse(use, path);
    retryBudgetOptions(options, path);
    this.key = key;
    this.letsPass = letsPass;
    this.#options = Object.keys(options).length > 0 ? options : undefined;
    this.#actor = { machine: 'retryBudget', logic: retryBudget, id: key, input: { key, options } };
  }

  /** Asks for a retry. */
  async ask(context: EffectContext, throttled: boolean): Promise<RetryAnswer> {
    const id = context.idempotencyKey;
    const snapshot = await this.#look(context);
    const known = answerWithoutRecord(snapshot, { id, throttled });
    if (known) return { ...known, id };
    const after = await this.#tell({ type: 'retry.asked', id, throttled }, id, context);
    return { ...answerOf(after, id, throttled), id };
  }

  /** Tells how an attempt ended. Never rejects: the attempt has its outcome already. */
  async tell(context: EffectContext, event: RetryBudgetEvent): Promise<void> {
    try {
      if (changesNothing(await this.#look(context), event)) return;
      await this.#tell(event, `${context.idempotencyKey}.spent`, context);
    } catch {
      // What the budget did not hear it does not count.
    }
  }

  async #look(context: EffectContext): Promise<RetryBudgetSnapshot> {
    const snapshot = (await findOrStart(this.#actor, context)) as unknown as RetryBudgetSnapshot;
    if (this.#isConfigured || !this.#options) return snapshot;
    const event: RetryBudgetEvent = { type: 'budget.configured', options: this.#options };
    const configured = changesNothing(snapshot, event) ? snapshot : await this.#tell(event, undefined, context);
    this.#isConfigured = true;
    return configured;
  }

  async #tell(
    event: RetryBudgetEvent,
    messageId: string | undefined,
    context: EffectContext,
  ): Promise<RetryBudgetSnapshot> {
    return (await tell(this.#actor, event, messageId, context)) as unknown as RetryBudgetSnapshot;
  }
}
