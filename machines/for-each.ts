/**
 * The step of a flow that is done once for each item of a list. Owns which items run, and what is finished when one fails;
 * how often an item is tried is its logic's business. A batch goes on when items fail; this does not.
 *
 * FE1  So many items run at a time, begun in order; the outputs are in the order of the items.
 * FE2  When one fails no other begins, and those that run are waited for. Then it fails as the first one did.
 * FE3  Called again it goes on with the items that are not finished.
 */
import {
  assign,
  enqueueActions,
  sendTo,
  setup,
  type AnyActorLogic,
  type AnyEventObject,
  type EventObject,
} from 'xstate';
import { registerErrorClass, RewakeError } from 'rewake';
import { errorOf, failing, outputOf, toldWhy, type Ended, type Failed, type PolicyMachine } from './policy-machine.ts';
import { said } from './recovery-errors.ts';
import { noteProgress, openedProgress, progressOf, takesProgress, withProgress } from './progress.ts';

/** What is finished of the items, by their place in the list. */
type ItemProgress = Readonly<Record<number, { readonly output: unknown } | { readonly progress: unknown }>>;

/** An item of a step with `forEach` failed. */
export class ItemFailedError extends RewakeError {
  readonly code = 'REWAKE_ITEM_FAILED';
  readonly step: string;
  /** The place of the item in the list, from 0. */
  readonly index: number;
  /** What the item failed with. */
  readonly originalError: unknown;
  /** What is finished of the other items. */
  readonly progress: unknown;

  constructor(step: string, index: number, total: number, originalError: unknown, progress: unknown) {
    super(`Step '${step}' failed for item ${index + 1} of ${total}: ${said(originalError)}.`, { cause: originalError });
    this.step = step;
    this.index = index;
    this.originalError = originalError;
    this.progress = progress;
  }
}
registerErrorClass(ItemFailedError, 'REWAKE_ITEM_FAILED');

/** What a step with `forEach` remembers. */
export interface ForEachContext {
  readonly items: readonly unknown[];
  /** Items that were begun in this life of it. */
  readonly begun: readonly number[];
  readonly running: number;
  readonly done: ItemProgress;
  readonly failure: { readonly index: number; readonly error: unknown } | undefined;
}

/** From the list of what each item is given to the list of what each one gave. */
export type ForEachMachine = PolicyMachine<ForEachContext, readonly unknown[], readonly unknown[], EventObject>;

/** Does a logic for each item of a list. */
export function forEachOf(name: string, logic: AnyActorLogic, concurrency: number): ForEachMachine {
  const machine = setup({
    types: {} as { context: ForEachContext; input: unknown; output: readonly unknown[]; events: AnyEventObject },
    actors: { call: logic },
    guards: {
      isOver: ({ context }) => context.failure === undefined && leftOf(context).length === 0 && context.running === 0,
      isFailed: ({ context }) => context.failure !== undefined && context.running === 0,
    },
    actions: {
      startItems: enqueueActions(({ context, enqueue }) => {
        const { items, done, running, failure } = context;
        const next = failure ? [] : leftOf(context).slice(0, Math.max(0, concurrency - running));
        for (const index of next) {
          const known = done[index];
          const input =
            known && 'progress' in known && takesProgress(logic)
              ? withProgress(items[index], known.progress)
              : items[index];
          enqueue.spawnChild('call', { id: `item.${index}`, input });
        }
        enqueue.assign({ begun: [...context.begun, ...next], running: running + next.length });
      }),
      keepOutput: assign(({ context, event }, { output }: Ended) => ({
        running: context.running - 1,
        done: { ...context.done, [indexOf(event)]: { output } },
      })),
      keepFailure: assign(({ context, event }, { error }: Failed) => {
        const index = indexOf(event);
        const progress = progressOf(error);
        return {
          running: context.running - 1,
          failure: context.failure ?? { index, error },
          done: progress === undefined ? context.done : { ...context.done, [index]: { progress } },
        };
      }),
      fail: sendTo(({ self }) => self, toldWhy),
      throwFailure: assign(({ context: { items, failure, done } }) => {
        throw new ItemFailedError(name, failure!.index, items.length, failure!.error, done);
      }),
    },
  }).createMachine({
    id: name,
    context: ({ input }) => begun(input),
    initial: 'running',
    states: {
      running: {
        entry: 'startItems',
        always: [
          { guard: 'isFailed', target: 'failed' },
          { guard: 'isOver', target: 'done' },
        ],
        on: {
          'xstate.done.actor.item.*': { actions: [{ type: 'keepOutput', params: outputOf }, 'startItems'] },
          'xstate.error.actor.item.*': { actions: [{ type: 'keepFailure', params: errorOf }] },
        },
      },
      done: { type: 'final' },
      failed: failing,
    },
    output: ({ context: { items, done } }) => items.map((_, index) => (done[index] as { output: unknown }).output),
  }) as unknown as ForEachMachine;
  noteProgress(machine);
  return machine;
}

function begun(given: unknown): ForEachContext {
  const { input, progress } = openedProgress(given);
  return {
    items: input as readonly unknown[],
    begun: [],
    running: 0,
    done: (progress ?? {}) as ItemProgress,
    failure: undefined,
  };
}

/** Items that are neither finished nor begun. */
function leftOf({ items, begun: started, done }: ForEachContext): number[] {
  const isFinished = (index: number) => index in done && 'output' in done[index]!;
  // Asked for with every item that ends: a list to look through would make thousands of them slow.
  const isBegun = new Set(started);
  return items.map((_, index) => index).filter((index) => !isFinished(index) && !isBegun.has(index));
}

/** Which item's actor an event comes from. */
function indexOf(event: AnyEventObject): number {
  return Number(event.type.slice(event.type.lastIndexOf('.') + 1));
}
