/**
 * A step at its retry budget. Owns the order of asking and telling, and what happens when the budget cannot be reached; the
 * tokens are retry-budget-state.ts's.
 *
 * RG1  What changes nothing in the budget is not sent to it: a dependency that is well costs its budget no event.
 * RG2  Options given with a key are the budget's from the first use by this process on; of several, the newest hold (KG1).
 * RG3  Asking and telling are safe to repeat: both carry the key of their effect, the success of a retry that of its grant.
 *      So a retry is paid for once and pays back once, also where an attempt that had told was lost and made again.
 */
import type { EffectContext } from 'rewake';
import { KeyedGate, readUse, type KeyedUse } from './keyed-gate.ts';
import { retryBudget } from './retry-budget.ts';
import { retryBudgetOptionNames, retryBudgetOptions, type RetryBudgetOptions } from './retry-budget-options.ts';
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
  readonly #budget: KeyedGate<RetryBudgetSnapshot>;

  /** @throws InvalidArgumentError naming the path of what is wrong */
  constructor(use: string | RetryBudgetUse, path: string) {
    const { key, options, letsPass } = readUse(use, retryBudgetOptionNames, path);
    retryBudgetOptions(options, path);
    this.key = key;
    this.letsPass = letsPass;
    const event: RetryBudgetEvent = { type: 'budget.configured', options };
    this.#budget = new KeyedGate(
      { machine: 'retryBudget', logic: retryBudget, id: key, input: { key, options } },
      Object.keys(options).length > 0 ? { isNew: (snapshot) => !changesNothing(snapshot, event), event } : undefined,
    );
  }

  /** Asks for a retry. */
  async ask(context: EffectContext, throttled: boolean): Promise<RetryAnswer> {
    const id = context.idempotencyKey;
    const snapshot = await this.#budget.look(context);
    const known = answerWithoutRecord(snapshot, { id, throttled });
    if (known) return { ...known, id };
    const after = await this.#budget.tell({ type: 'retry.asked', id, throttled }, context);
    return { ...answerOf(after, id, throttled), id };
  }

  /** Tells how an attempt ended. Never rejects: the attempt has its outcome already. */
  async tell(context: EffectContext, event: RetryBudgetEvent): Promise<void> {
    try {
      if (changesNothing(await this.#budget.look(context), event)) return;
      await this.#budget.tell(event, context);
    } catch {
      // What the budget did not hear it does not count.
    }
  }
}
