/**
 * The chart of a step: one call with timeout, retries, circuit breaker and deadline. Owns the order of these; what each
 * decides is in step-state.ts and in the file of its policy.
 *
 * SM1  The intent to call is on disk before the call, the decision to retry before the wait.
 * SM2  An attempt that began and has no outcome, because its host died, is a failed attempt of class `lost`.
 * SM3  A call that the breaker did not let through consumes no attempt.
 * SM4  What the step fails with leaves it after the facts that say why.
 * SM5  States and timers that a policy does not ask for are not in its chart.
 */
import { assign, emit, sendTo, setup, type AnyActorLogic, type PromiseActorLogic } from 'xstate';
import { now } from 'rewake';
import { breakerEffects, callInput } from './breaker-effects.ts';
import { errorOf, failing, outputOf, toldWhy, type Ended, type Failed, type PolicyMachine } from './policy-machine.ts';
import { stepFacts, type StepFact } from './step-facts.ts';
import { timeoutMsOf, type Policy } from './step-policy.ts';
import {
  attemptAnswered,
  attemptBegun,
  attemptFailed,
  attemptRejected,
  attemptTimedOut,
  deadlineMissed,
  decided,
  isLost,
  resultRefused,
  stepBegun,
  type StepContext,
} from './step-state.ts';

/** What a step is: a machine with the input and output of what it calls. */
export type StepMachine<Input, Output> = PolicyMachine<StepContext, Input, Output, StepFact>;

/** What a step calls. */
export interface Callee {
  readonly logic: AnyActorLogic;
  /** Whether it is called with `callInput` and tells the breaker itself how it ended. */
  readonly reports: boolean;
}

/** The chart of a policy around a call. */
export function stepMachine<Input, Output>({ logic, reports }: Callee, policy: Policy): StepMachine<Input, Output> {
  const { name, breaker, timeout, deadlineMs, retry } = policy;
  const first = breaker ? 'admitting' : 'attempting';
  const afterFailure = breaker ? 'reporting' : 'deciding';
  const refused = {
    guard: { type: 'isRefused', params: outputOf },
    target: 'deciding',
    actions: { type: 'keepRefused', params: outputOf },
  } as const;
  const toldAlready = { type: 'hasToldBreaker', params: errorOf } as const;
  const failed = { target: afterFailure, actions: [{ type: 'keepFailure', params: errorOf }, 'tellFailure'] } as const;
  const machine = setup({
    types: {} as { context: StepContext; input: unknown; output: unknown; emitted: StepFact },
    actors: { call: logic as PromiseActorLogic<unknown, unknown>, ...breakerEffects(breaker) },
    delays: {
      attemptTimeout: ({ context }) => timeoutMsOf(timeout!, context.attempt),
      deadline: deadlineMs ?? 0,
      backoff: ({ context }) => Math.max(0, context.retry!.dueAt - now()),
    },
    guards: {
      isRefused: (_, { output }: Ended) => policy.retryResult?.(output) ?? false,
      hasToldBreaker: (_, { error }: Failed) => !isLost(error),
      isFailed: ({ context }) => context.failed,
      isAnswered: ({ context }) => context.ending?.answers === true,
      isExhausted: ({ context }) => context.ending?.exhausted !== undefined,
      isEnding: ({ context }) => context.ending !== undefined,
    },
    actions: {
      beginAttempt: assign(({ context }) => attemptBegun(context)),
      keepPermit: assign({ permit: (_, { output }: Ended) => output as StepContext['permit'] }),
      keepOutput: assign(({ context }, { output }: Ended) => attemptAnswered(context, output)),
      keepRefused: assign(({ context }, { output }: Ended) => resultRefused(context, policy, output)),
      keepFailure: assign(({ context }, { error }: Failed) => attemptFailed(context, policy, error)),
      keepRejection: assign((_, { error }: Failed) => attemptRejected(policy, error)),
      keepTimeout: assign(({ context }) => attemptTimedOut(context, policy)),
      missDeadline: assign(() => deadlineMissed(policy)),
      decide: assign(({ context }) => decided(context, policy)),
      tellFailure: emit(({ context }) => stepFacts.attemptFailed(name, context)),
      tellRejection: emit(({ context }) => stepFacts.attemptRejected(name, context)),
      tellTimeout: emit(({ context }) =>
        stepFacts.timedOut(name, context, 'attempt', timeoutMsOf(timeout!, context.attempt)),
      ),
      tellDeadline: emit(({ context }) => stepFacts.timedOut(name, context, 'deadline', deadlineMs!)),
      tellRetry: emit(({ context }) => stepFacts.retryScheduled(name, context)),
      tellExhausted: emit(({ context }) => stepFacts.retryExhausted(name, context)),
      fail: sendTo(({ self }) => self, toldWhy),
      throwFailure: assign(({ context }) => {
        throw context.ending!.error;
      }),
    },
  }).createMachine({
    id: name,
    context: ({ input }) => stepBegun(input),
    initial: first,
    ...(deadlineMs !== undefined && {
      after: { deadline: { target: `.${afterFailure}`, actions: ['missDeadline', 'tellDeadline'] } },
    }),
    states: {
      ...(breaker && {
        admitting: {
          invoke: {
            src: 'askBreaker',
            input: ({ context }: { context: StepContext }) =>
              timeout ? timeoutMsOf(timeout, context.attempt + 1) : null,
            onDone: { target: 'attempting', actions: { type: 'keepPermit', params: outputOf } },
            onError: {
              target: 'deciding',
              actions: [{ type: 'keepRejection', params: errorOf }, 'tellRejection'],
            },
          },
        },
        reporting: {
          invoke: {
            src: 'reportToBreaker',
            input: ({ context }: { context: StepContext }) => context,
            onDone: 'reported',
            onError: 'reported',
          },
        },
        reported: { always: [{ guard: 'isFailed', target: 'deciding' }, { target: 'succeeded' }] },
      }),
      attempting: {
        entry: 'beginAttempt',
        invoke: {
          src: 'call',
          input: ({ context: { input, permit } }: { context: StepContext }) =>
            reports ? callInput(input, permit) : input,
          onDone: [
            ...(policy.retryResult ? [refused] : []),
            {
              target: breaker && !reports ? 'reporting' : 'succeeded',
              actions: { type: 'keepOutput', params: outputOf },
            },
          ],
          onError: [...(breaker && reports ? [{ ...failed, guard: toldAlready, target: 'deciding' }] : []), failed],
        },
        ...(timeout && {
          after: { attemptTimeout: { target: afterFailure, actions: ['keepTimeout', 'tellTimeout', 'tellFailure'] } },
        }),
      },
      deciding: {
        entry: 'decide',
        always: [
          { guard: 'isAnswered', target: 'succeeded', actions: 'tellExhausted' },
          { guard: 'isExhausted', target: 'failed', actions: 'tellExhausted' },
          ...(retry
            ? ([
                { guard: 'isEnding', target: 'failed' },
                { target: 'waiting', actions: 'tellRetry' },
              ] as const)
            : ([{ target: 'failed' }] as const)),
        ],
      },
      ...(retry && { waiting: { after: { backoff: first } } }),
      succeeded: { type: 'final' },
      failed: failing,
    },
    output: ({ context }: { context: StepContext }) => context.output,
  });
  return machine as unknown as StepMachine<Input, Output>;
}
