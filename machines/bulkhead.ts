/**
 * A bulkhead: at most so many calls of one dependency at a time in this process, so that a slow one cannot take all there
 * is. Owns the chart; the slots and their queue are slots.ts.
 *
 * BH1  A call holds its slot from its grant to its end, however it ends: done, failed, stopped, or its host gone.
 * BH2  What is refused is refused at once with a BulkheadFullError; it says nothing about the dependency.
 * BH3  A call that was running when its host died takes its slot again when it goes on, also where others were faster: a
 *      restart may exceed the limit by those, and lets nobody in until it is kept again.
 * BH4  A runtime that closes lets calls that have a slot end; those that wait leave the queue and wait anew in the next one.
 */
import { assign, emit, sendTo, fromCallback, setup, type AnyActorLogic, type InputFrom, type OutputFrom } from 'xstate';
import { effectContext, withEffectDefaults } from 'rewake';
import { requireKnown, requireLogic, requireName, wholeNumber } from './options.ts';
import {
  errorOf,
  failing,
  isResumed,
  outputOf,
  toldWhy,
  type Ended,
  type Failed,
  type PolicyMachine,
} from './policy-machine.ts';
import { BulkheadFullError } from './recovery-errors.ts';
import { slotsOf, type SlotLimits } from './slots.ts';

/** How many calls may run and wait. */
export interface BulkheadOptions {
  /** Calls at a time; 10 when omitted. */
  readonly concurrency?: number;
  /** Calls that may wait for a slot; none when omitted. */
  readonly queue?: number;
}

/** The dependency was not called: too many calls run and wait already. */
export interface BulkheadRejected {
  readonly type: 'BulkheadRejected';
  readonly key: string;
  readonly concurrency: number;
  readonly queue: number;
}

/** What a bulkhead remembers of one call. */
export interface BulkheadContext {
  readonly input: unknown;
  readonly output: unknown;
  readonly failure: unknown;
}

type SlotEvent = { readonly type: 'slot.granted' } | { readonly type: 'slot.refused' };

/**
 * Bounds how many calls with this key run at a time in this process.
 *
 * @example
 * const ask = withBulkhead('vision', { concurrency: 4, queue: 100 })(vision);
 * @throws InvalidArgumentError for an empty key or limits that cannot work
 */
export function withBulkhead(key: string, options: BulkheadOptions = {}) {
  const limits = limitsOf(key, options);
  return <Logic extends AnyActorLogic>(
    logic: Logic,
  ): PolicyMachine<BulkheadContext, InputFrom<Logic>, OutputFrom<Logic>, BulkheadRejected> => {
    requireLogic(logic, `withBulkhead(${JSON.stringify(key)})(logic)`);
    const machine = setup({
      types: {} as {
        context: BulkheadContext;
        input: unknown;
        output: unknown;
        events: SlotEvent | typeof toldWhy;
        emitted: BulkheadRejected;
      },
      actors: { call: logic as AnyActorLogic, slot: slotLogic(key, limits) },
      actions: {
        keepOutput: assign({ output: (_, { output }: Ended) => output }),
        keepFailure: assign({ failure: (_, { error }: Failed) => error }),
        refuse: assign({ failure: () => new BulkheadFullError(key, limits.concurrency, limits.queue) }),
        tellRejection: emit({ type: 'BulkheadRejected', key, ...limits } as const),
        fail: sendTo(({ self }) => self, toldWhy),
        throwFailure: assign(({ context }) => {
          throw context.failure;
        }),
      },
    }).createMachine({
      id: `bulkhead.${key}`,
      context: ({ input }) => ({ input, output: undefined, failure: undefined }),
      initial: 'guarded',
      states: {
        guarded: {
          invoke: { src: 'slot' },
          initial: 'queued',
          states: {
            queued: {
              on: {
                'slot.granted': 'calling',
                'slot.refused': { target: '#failed', actions: ['refuse', 'tellRejection'] },
              },
            },
            calling: {
              invoke: {
                src: 'call',
                input: ({ context }: { context: BulkheadContext }) => context.input,
                onDone: { target: '#succeeded', actions: { type: 'keepOutput', params: outputOf } },
                onError: { target: '#failed', actions: { type: 'keepFailure', params: errorOf } },
              },
            },
          },
        },
        succeeded: { id: 'succeeded', type: 'final' },
        failed: { id: 'failed', ...failing },
      },
      output: ({ context }: { context: BulkheadContext }) => context.output,
    });
    return machine as unknown as PolicyMachine<BulkheadContext, InputFrom<Logic>, OutputFrom<Logic>, BulkheadRejected>;
  };
}

/** Claims a slot when it starts, says so, and gives it back when it is stopped. */
function slotLogic(key: string, limits: SlotLimits) {
  const logic = fromCallback<SlotEvent>(({ sendBack, self }) => {
    const begin = effectContext(self)?.standby();
    const granted = () => {
      begin?.();
      sendBack({ type: 'slot.granted' });
    };
    const claim = slotsOf(key).claim(limits, granted, isResumed(self, { guarded: 'calling' }));
    if (!claim) sendBack({ type: 'slot.refused' });
    return () => claim?.release();
  });
  return withEffectDefaults(logic, { internal: true });
}

function limitsOf(key: string, options: BulkheadOptions): SlotLimits {
  const path = `withBulkhead(${JSON.stringify(requireName(key, 'withBulkhead(key)'))})`;
  requireKnown(options, ['concurrency', 'queue'], path);
  const { concurrency = 10, queue = 0 } = options;
  return {
    concurrency: wholeNumber(concurrency, `${path}.concurrency`, 1),
    queue: wholeNumber(queue, `${path}.queue`, 0),
  };
}
