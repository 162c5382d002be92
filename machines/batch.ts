/**
 * A batch: the same logic for each of many items, so many at a time, with partial success. Owns which items run, what
 * each came to, and when the batch stops; how often an item is tried is its logic's business: give it a step.
 *
 * BA1  Each item's outcome is on the log by itself: after a crash the batch goes on with the items that are not done.
 * BA2  `concurrency` items run at a time, started in order; outcomes are given in the order of the items.
 * BA3  Below `minSuccessRate` the batch fails, as soon as it cannot be reached any more; what runs is aborted.
 */
import {
  assign,
  emit,
  enqueueActions,
  sendTo,
  setup,
  type AnyActorLogic,
  type AnyEventObject,
  type InputFrom,
  type OutputFrom,
} from 'xstate';
import { InvalidArgumentError, RewakeError, registerErrorClass } from 'rewake';
import { classify } from './classify.ts';
import { signatureOf, type ErrorSignature } from './error-signature.ts';
import { numberWhere, requireKnown, requireLogic, requireName, wholeNumber } from './options.ts';
import { errorOf, failing, outputOf, toldWhy, type Ended, type Failed, type PolicyMachine } from './policy-machine.ts';

/** How a batch runs. */
export interface BatchOptions {
  /** Names it in facts and errors; `batch` when omitted. */
  readonly name?: string;
  /** Items at a time; 10 when omitted. */
  readonly concurrency?: number;
  /** Share of items from 0 to 1 that must succeed; 0 when omitted: the batch never fails. */
  readonly minSuccessRate?: number;
}

/** What a batch came to, each list in the order of the items. */
export interface BatchResult<Item, Output> {
  readonly successes: readonly { readonly index: number; readonly item: Item; readonly output: Output }[];
  readonly failures: readonly { readonly index: number; readonly item: Item; readonly error: unknown }[];
  /** From 0 to 1; 1 of an empty batch. */
  readonly successRate: number;
}

/** An item could not be done; the batch goes on. */
export interface ItemFailed {
  readonly type: 'ItemFailed';
  readonly batch: string;
  readonly index: number;
  readonly error: ErrorSignature;
}

/** Too many items of a batch failed. */
export class BatchFailedError extends RewakeError {
  readonly code = 'REWAKE_BATCH_FAILED';
  readonly batch: string;
  readonly successes: number;
  /** What each failed item failed with, in the order of the items. */
  readonly errors: readonly unknown[];

  constructor(batch: string, total: number, successes: number, errors: readonly unknown[], minSuccessRate: number) {
    super(
      `Batch '${batch}' failed: ${errors.length} of ${total} items failed and ${successes} are done, so that a success rate ` +
        `of ${minSuccessRate} cannot be reached. Items that ran were aborted. Look at 'errors' and the ItemFailed facts.`,
      { cause: errors.at(-1) },
    );
    this.batch = batch;
    this.successes = successes;
    this.errors = errors;
  }
}
registerErrorClass(BatchFailedError, 'REWAKE_BATCH_FAILED');

/** What an item came to; null while it runs or waits. */
type Outcome = { readonly output: unknown } | { readonly error: unknown } | null;

/** What a batch remembers. */
export interface BatchContext {
  readonly items: readonly unknown[];
  readonly started: number;
  readonly succeeded: number;
  readonly failed: number;
  /** By item. */
  readonly outcomes: readonly Outcome[];
}

/**
 * Runs a logic for each item of a list.
 *
 * @example
 * const readAll = batch({ concurrency: 4, minSuccessRate: 0.9 })(read);
 * // input: items; output: { successes, failures, successRate }
 * @throws InvalidArgumentError for options that cannot work
 */
export function batch(options: BatchOptions = {}) {
  requireKnown(options, ['name', 'concurrency', 'minSuccessRate'], 'batch');
  const { name = 'batch', concurrency = 10, minSuccessRate = 0 } = options;
  requireName(name, 'batch.name');
  wholeNumber(concurrency, 'batch.concurrency', 1);
  numberWhere(minSuccessRate, 'batch.minSuccessRate', 'a number from 0 to 1', (share) => share >= 0 && share <= 1);
  return <Logic extends AnyActorLogic>(
    logic: Logic,
  ): PolicyMachine<
    BatchContext,
    readonly InputFrom<Logic>[],
    BatchResult<InputFrom<Logic>, OutputFrom<Logic>>,
    ItemFailed
  > => {
    requireLogic(logic, 'batch(options)(logic)');
    const machine = setup({
      types: {} as {
        context: BatchContext;
        input: readonly unknown[];
        output: BatchResult<unknown, unknown>;
        events: AnyEventObject;
        emitted: ItemFailed;
      },
      actors: { call: logic as AnyActorLogic },
      guards: {
        isOver: ({ context: { items, succeeded, failed } }) => succeeded + failed === items.length,
        isOutOfReach: ({ context: { items, failed } }) => (items.length - failed) / items.length < minSuccessRate,
      },
      actions: {
        startItems: enqueueActions(({ context: { items, started, succeeded, failed }, enqueue }) => {
          const until = Math.min(items.length, succeeded + failed + concurrency);
          for (let index = started; index < until; index++) {
            enqueue.spawnChild('call', { id: `item.${index}`, input: items[index] });
          }
          enqueue.assign({ started: Math.max(started, until) });
        }),
        keepOutput: assign(({ context, event }, { output }: Ended) => ({
          succeeded: context.succeeded + 1,
          outcomes: context.outcomes.with(indexOf(event), { output }),
        })),
        keepError: assign(({ context, event }, { error }: Failed) => ({
          failed: context.failed + 1,
          outcomes: context.outcomes.with(indexOf(event), { error }),
        })),
        tellFailure: emit(({ event }, { error }: Failed) => {
          const signature = signatureOf(error, classify(error));
          return { type: 'ItemFailed', batch: name, index: indexOf(event), error: signature } as const;
        }),
        stopItems: enqueueActions(({ context, enqueue }) => {
          for (let index = 0; index < context.started; index++) enqueue.stopChild(`item.${index}`);
        }),
        fail: sendTo(({ self }) => self, toldWhy),
        throwFailure: assign(({ context: { items, succeeded, outcomes } }) => {
          const errors = outcomes.flatMap((outcome) => (outcome && 'error' in outcome ? [outcome.error] : []));
          throw new BatchFailedError(name, items.length, succeeded, errors, minSuccessRate);
        }),
      },
    }).createMachine({
      id: name,
      context: ({ input }) => begun(listOf(name, input)),
      initial: 'running',
      states: {
        running: {
          entry: 'startItems',
          always: [
            { guard: 'isOutOfReach', target: 'failed' },
            { guard: 'isOver', target: 'done' },
          ],
          on: {
            'xstate.done.actor.item.*': { actions: [{ type: 'keepOutput', params: outputOf }, 'startItems'] },
            'xstate.error.actor.item.*': {
              actions: [{ type: 'keepError', params: errorOf }, { type: 'tellFailure', params: errorOf }, 'startItems'],
            },
          },
          exit: 'stopItems',
        },
        done: { type: 'final' },
        failed: failing,
      },
      output: ({ context }) => resultOf(context),
    });
    return machine as unknown as PolicyMachine<
      BatchContext,
      readonly InputFrom<Logic>[],
      BatchResult<InputFrom<Logic>, OutputFrom<Logic>>,
      ItemFailed
    >;
  };
}

function begun(items: readonly unknown[]): BatchContext {
  return { items, started: 0, succeeded: 0, failed: 0, outcomes: items.map(() => null) };
}

function resultOf({ items, outcomes, succeeded }: BatchContext): BatchResult<unknown, unknown> {
  const successes = outcomes.flatMap((outcome, index) =>
    outcome && 'output' in outcome ? [{ index, item: items[index], output: outcome.output }] : [],
  );
  const failures = outcomes.flatMap((outcome, index) =>
    outcome && 'error' in outcome ? [{ index, item: items[index], error: outcome.error }] : [],
  );
  return { successes, failures, successRate: items.length === 0 ? 1 : succeeded / items.length };
}

/** Which item's actor an event comes from. */
function indexOf(event: AnyEventObject): number {
  return Number(event.type.slice(event.type.lastIndexOf('.') + 1));
}

function listOf(name: string, input: unknown): readonly unknown[] {
  if (Array.isArray(input)) return input as unknown[];
  throw InvalidArgumentError.of(`input of batch '${name}'`, 'a list of items', input);
}
