/**
 * Hedging: when an answer is slow, the same call is made again beside it, and the first answer counts. Owns when the next
 * one starts and what ends the race. For idempotent calls only.
 *
 * HE1  Attempt n + 1 starts when attempt n has run for `delay`, or at once when one fails that may be tried again. With
 *      delay 0 all start together, with `'sequential'` one after the other.
 * HE2  The first success ends the race, and so does an error that may not be retried; the others are aborted.
 * HE3  When all failed, the error lists what each failed with, in order.
 * Source: gRPC proposal A6, "Hedging Policy".
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
import type { Duration } from 'rewake';
import { classify, type ErrorRule } from './classify.ts';
import { requireRules } from './error-rules.ts';
import { durationMs, requireKnown, requireLogic, requireName, wholeNumber } from './options.ts';
import {
  errorOf,
  failing,
  holds,
  orThrown,
  outputOf,
  toldWhy,
  type Ended,
  type Failed,
  type PolicyMachine,
} from './policy-machine.ts';
import { FallbackExhaustedError } from './recovery-errors.ts';

/** When a slow call is made again. */
export interface HedgeOptions {
  /** How long an attempt may be the only one, 0 to start all at once; `'sequential'`: the next only when one failed. */
  readonly delay: Duration | 'sequential';
  /** Attempts in all, at least 2; 2 when omitted. */
  readonly max?: number;
  /** What errors mean, before the built-in taxonomy is asked. */
  readonly classify?: readonly ErrorRule[];
  /** Names it in facts and errors; `hedge` when omitted. */
  readonly name?: string;
}

/** Another attempt was started beside those that run. */
export interface HedgeStarted {
  readonly type: 'HedgeStarted';
  readonly step: string;
  /** 2 for the first hedge. */
  readonly attempt: number;
}

/** What a hedge remembers. */
export interface HedgeContext {
  readonly input: unknown;
  readonly started: number;
  readonly output: unknown;
  readonly errors: readonly unknown[];
  readonly failure: unknown;
}

/**
 * Calls again beside a slow call; the first answer counts.
 *
 * @example
 * const look = withHedge({ delay: '500ms', max: 3 })(lookUp);
 * @throws InvalidArgumentError for options that cannot work
 */
export function withHedge(options: HedgeOptions) {
  requireKnown(options, ['delay', 'max', 'classify', 'name'], 'withHedge');
  const { name = 'hedge', max = 2, classify: rules = [] } = options;
  requireName(name, 'withHedge.name');
  wholeNumber(max, 'withHedge.max', 2);
  requireRules(rules, 'withHedge.classify');
  const delayMs = delayOf(options.delay);
  return <Logic extends AnyActorLogic>(
    logic: Logic,
  ): PolicyMachine<HedgeContext, InputFrom<Logic>, OutputFrom<Logic>, HedgeStarted> => {
    requireLogic(logic, 'withHedge(options)(logic)');
    const isFatal = (error: unknown) => classify(error, rules).retryable === false;
    const machine = setup({
      types: {} as {
        context: HedgeContext;
        input: unknown;
        output: unknown;
        events: AnyEventObject;
        emitted: HedgeStarted;
      },
      actors: { call: logic as AnyActorLogic },
      delays: { hedge: delayMs ?? 0 },
      guards: {
        isFatal: (_, { error }: Failed) => !holds(() => !isFatal(error)),
        isLast: ({ context }) => context.errors.length + 1 === max,
        mayHedge: ({ context }) => context.started < max,
      },
      actions: {
        startAttempt: enqueueActions(({ context, enqueue }) => {
          const attempt = context.started + 1;
          enqueue.spawnChild('call', { id: `attempt.${attempt}`, input: context.input });
          enqueue.assign({ started: attempt });
        }),
        startAll: enqueueActions(({ context, enqueue }) => {
          for (let attempt = 1; attempt <= max; attempt++) {
            enqueue.spawnChild('call', { id: `attempt.${attempt}`, input: context.input });
          }
          enqueue.assign({ started: max });
        }),
        tellHedge: emit(({ context }) => ({ type: 'HedgeStarted', step: name, attempt: context.started }) as const),
        keepOutput: assign({ output: (_, { output }: Ended) => output }),
        keepError: assign({ errors: ({ context }, { error }: Failed) => [...context.errors, error] }),
        refuse: assign({ failure: (_, { error }: Failed) => orThrown(error, () => isFatal(error)) }),
        giveUp: assign({ failure: ({ context }) => new FallbackExhaustedError(name, context.errors) }),
        stopOthers: enqueueActions(({ context, enqueue }) => {
          for (let attempt = 1; attempt <= context.started; attempt++) enqueue.stopChild(`attempt.${attempt}`);
        }),
        fail: sendTo(({ self }) => self, toldWhy),
        throwFailure: assign(({ context }) => {
          throw context.failure;
        }),
      },
    }).createMachine({
      id: name,
      context: ({ input }) => ({ input, started: 0, output: undefined, errors: [], failure: undefined }),
      initial: 'racing',
      states: {
        racing: {
          entry: delayMs === 0 ? 'startAll' : 'startAttempt',
          initial: 'waiting',
          states: {
            waiting:
              delayMs === undefined
                ? {}
                : {
                    after: {
                      hedge: {
                        guard: 'mayHedge',
                        target: 'waiting',
                        reenter: true,
                        actions: ['startAttempt', 'tellHedge'],
                      },
                    },
                  },
          },
          on: {
            'xstate.done.actor.attempt.*': { target: 'succeeded', actions: { type: 'keepOutput', params: outputOf } },
            'xstate.error.actor.attempt.*': [
              {
                guard: { type: 'isFatal', params: errorOf },
                target: 'failed',
                actions: { type: 'refuse', params: errorOf },
              },
              { guard: 'isLast', target: 'failed', actions: [{ type: 'keepError', params: errorOf }, 'giveUp'] },
              {
                guard: 'mayHedge',
                target: '.waiting',
                reenter: false,
                actions: [{ type: 'keepError', params: errorOf }, 'startAttempt', 'tellHedge'],
              },
              { actions: { type: 'keepError', params: errorOf } },
            ],
          },
          exit: 'stopOthers',
        },
        succeeded: { type: 'final' },
        failed: failing,
      },
      output: ({ context }: { context: HedgeContext }) => context.output,
    });
    return machine as unknown as PolicyMachine<HedgeContext, InputFrom<Logic>, OutputFrom<Logic>, HedgeStarted>;
  };
}

/** In ms; undefined for one after the other. */
function delayOf(delay: HedgeOptions['delay']): number | undefined {
  return delay === 'sequential' ? undefined : durationMs(delay, 'withHedge.delay');
}
