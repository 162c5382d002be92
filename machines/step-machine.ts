/**
 * The chart of a step: one call with timeout, retries, circuit breaker and deadline. Owns the order of these; what each
 * decides is in step-state.ts and in the file of its policy.
 *
 * SM1  The intent to call is on disk before the call, the decision to retry before the wait.
 * SM2  An attempt that began and has no outcome, because its host died, is a failed attempt of class `lost`.
 * SM3  A call that the breaker did not let through consumes no attempt.
 * SM4  What the step fails with leaves it after the facts that say why.
 * SM5  States and timers that a policy does not ask for are not in its chart.
 * SM6  A retry that its budget did not grant is not made: the step ends with the error of the last attempt as it is.
 * SM7  What an attempt saved by progress() is the checkpoint of the next one, however it ended.
 */
import { assign, sendTo, setup, type AnyActorLogic, type PromiseActorLogic } from 'xstate';
import { now } from 'rewake';
import { attemptInput, type AttemptInput } from './lost-attempts.ts';
import { noteRetries, retriesIn } from './nested-retry.ts';
import {
  errorOf,
  failing,
  holds,
  outputOf,
  savedOf,
  toldWhy,
  type Ended,
  type Failed,
  type PolicyMachine,
  type Saved,
} from './policy-machine.ts';
import { inputAgain } from './progress.ts';
import type { RetryAnswer } from './retry-budget-gate.ts';
import { callInput, isHeard, stepEffects } from './step-effects.ts';
import type { StepFact } from './step-facts.ts';
import { stepFacts, telling } from './step-telling.ts';
import { timeoutMsOf, type Policy } from './step-policy.ts';
import {
  asksBudget,
  attemptAnswered,
  attemptBegun,
  attemptFailed,
  attemptRejected,
  attemptTimedOut,
  deadlineMissed,
  decided,
  endingWith,
  hasAnswer,
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
  /** Whether it is called with `callInput` and tells breaker and budget itself how it ended. */
  readonly reports: boolean;
}

/** The chart of a policy around a call. */
export function stepMachine<Input, Output>({ logic, reports }: Callee, policy: Policy): StepMachine<Input, Output> {
  const { name, breaker, timeout, deadlineMs, retry } = policy;
  const budget = retry?.budget;
  const heard = isHeard(policy);
  const tell = telling(policy);
  // Its own command handlers, which call again once they have mended something, are no retries of another step.
  const nested = retry && retry.maxAttempts > 1 ? retriesIn(logic).filter(({ step }) => step !== name) : [];
  const first = breaker ? 'admitting' : 'attempting';
  const afterFailure = heard ? 'reporting' : 'deciding';
  const refused = {
    guard: { type: 'isRefused', params: outputOf },
    target: 'deciding',
    actions: { type: 'keepRefused', params: outputOf },
  } as const;
  const toldAlready = { type: 'hasTold', params: errorOf } as const;
  const failed = { target: afterFailure, actions: [{ type: 'keepFailure', params: errorOf }, 'tellFailure'] } as const;
  const refusal = { actions: ['keepRefusal', { type: 'tellRefusal', params: outputOf }] } as const;
  const machine = setup({
    types: {} as { context: StepContext; input: unknown; output: unknown; emitted: StepFact },
    actors: { call: logic as PromiseActorLogic<unknown, unknown>, ...stepEffects(policy) },
    delays: {
      attemptTimeout: ({ context }) => timeoutMsOf(timeout!, context.attempt),
      deadline: deadlineMs ?? 0,
      backoff: ({ context }) => Math.max(0, context.retry!.dueAt - now()),
    },
    guards: {
      // Also where the predicate throws: see PM2.
      isRefused: (_, { output }: Ended) => !holds(() => !policy.retryResult!(output)),
      isGranted: (_, { output }: Ended) => (output as RetryAnswer).granted,
      asksBudget: ({ context }) => asksBudget(context, policy),
      hasAnswer: ({ context }) => hasAnswer(context, policy),
      passesUnseen: (_, { error }: Failed) => breaker!.letsPass(error),
      isGrantedUnseen: (_, { error }: Failed) => budget!.letsPass(error),
      hasTold: (_, { error }: Failed) => !isLost(error),
      isFailed: ({ context }) => context.failed,
      isAnswered: ({ context }) => context.ending?.answers === true,
      isExhausted: ({ context }) => context.ending?.exhausted !== undefined,
      isEnding: ({ context }) => context.ending !== undefined,
    },
    actions: {
      beginAttempt: assign(({ context }) => attemptBegun(context)),
      keepPermit: assign({ permit: (_, { output }: Ended) => output as StepContext['permit'] }),
      goWithoutPermit: assign({ permit: null }),
      keepGrant: assign({ grant: (_, { output }: Ended) => grantOf(output as RetryAnswer) }),
      keepProblem: assign({ ending: (_, { error }: Failed) => endingWith(error) }),
      keepRefusal: assign({ ending: ({ context }) => endingWith(context.failure!.error) }),
      keepCheckpoint: assign({ checkpoint: (_, { value }: Saved) => value }),
      keepOutput: assign(({ context }, { output }: Ended) => attemptAnswered(context, output)),
      keepRefused: assign(({ context }, { output }: Ended) => resultRefused(context, policy, output)),
      keepFailure: assign(({ context }, { error }: Failed) => attemptFailed(context, policy, error)),
      keepRejection: assign(({ context }, { error }: Failed) => attemptRejected(context, policy, error)),
      keepTimeout: assign(({ context }) => attemptTimedOut(context, policy)),
      missDeadline: assign(() => deadlineMissed(policy)),
      decide: assign(({ context }) => decided(context, policy)),
      tellFailure: tell(({ context }) => stepFacts.attemptFailed(name, context)),
      tellRejection: tell(({ context }) => stepFacts.attemptRejected(name, context)),
      tellTimeout: tell(({ context }) =>
        stepFacts.timedOut(name, context, 'attempt', timeoutMsOf(timeout!, context.attempt)),
      ),
      tellDeadline: tell(({ context }) => stepFacts.timedOut(name, context, 'deadline', deadlineMs!)),
      tellRetry: tell(({ context }) => stepFacts.retryScheduled(name, context)),
      tellNesting: tell(() => ({
        ...{ type: 'NestedRetryDetected', step: name, maxAttempts: retry?.maxAttempts ?? 1, inner: nested },
      })),
      tellBreakerUnavailable: tell((_, { error }: Failed) =>
        stepFacts.unavailable('BreakerUnavailable', name, breaker!.key, error),
      ),
      tellBudgetUnavailable: tell((_, { error }: Failed) =>
        stepFacts.unavailable('RetryBudgetUnavailable', name, budget!.key, error),
      ),
      tellRefusal: tell(({ context }, { output }: Ended) =>
        stepFacts.retryRefused(name, context, budget!.key, (output as RetryAnswer).tokens),
      ),
      tellExhausted: tell(({ context }) => stepFacts.retryExhausted(name, context)),
      fail: sendTo(({ self }) => self, toldWhy),
      throwFailure: assign(({ context }) => {
        throw context.ending!.error;
      }),
    },
  }).createMachine({
    id: name,
    context: ({ input }) => stepBegun(input),
    initial: first,
    ...(nested.length > 0 && { entry: 'tellNesting' as const }),
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
            onError: [
              {
                guard: { type: 'passesUnseen', params: errorOf },
                target: 'attempting',
                actions: ['goWithoutPermit', { type: 'tellBreakerUnavailable', params: errorOf }],
              },
              { target: 'deciding', actions: [{ type: 'keepRejection', params: errorOf }, 'tellRejection'] },
            ],
          },
        },
      }),
      ...(heard && {
        reporting: {
          invoke: {
            src: 'report',
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
          input: ({ context }: { context: StepContext }) =>
            reports ? callInput(context, policy) : attemptInput(logic, againOf(logic, context)),
          onDone: [
            ...(policy.retryResult ? [refused] : []),
            {
              target: heard && !reports ? 'reporting' : 'succeeded',
              actions: { type: 'keepOutput', params: outputOf },
            },
          ],
          onError: [...(reports ? [{ ...failed, guard: toldAlready, target: 'deciding' }] : []), failed],
        },
        ...(retry && { on: { 'checkpoint.saved': { actions: { type: 'keepCheckpoint', params: savedOf } } } }),
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
                ...(budget ? ([{ guard: 'asksBudget', target: 'spending' }] as const) : []),
                { target: 'waiting', actions: 'tellRetry' },
              ] as const)
            : ([{ target: 'failed' }] as const)),
        ],
      },
      ...(budget && {
        spending: {
          invoke: {
            src: 'askBudget',
            input: ({ context }: { context: StepContext }) => context.failure!.verdict.class === 'throttled',
            onDone: [
              {
                guard: { type: 'isGranted', params: outputOf },
                target: 'waiting',
                actions: [{ type: 'keepGrant', params: outputOf }, 'tellRetry'],
              },
              ...(policy.retryResult ? ([{ ...refusal, guard: 'hasAnswer', target: 'succeeded' }] as const) : []),
              { ...refusal, target: 'failed' },
            ],
            onError: [
              {
                guard: { type: 'isGrantedUnseen', params: errorOf },
                target: 'waiting',
                actions: [{ type: 'tellBudgetUnavailable', params: errorOf }, 'tellRetry'],
              },
              { target: 'failed', actions: { type: 'keepProblem', params: errorOf } },
            ],
          },
        },
      }),
      ...(retry && { waiting: { after: { backoff: first } } }),
      succeeded: { type: 'final' },
      failed: failing,
    },
    output: ({ context }: { context: StepContext }) => context.output,
  });
  const step = machine as unknown as StepMachine<Input, Output>;
  if (retry && retry.maxAttempts > 1) noteRetries(step, { step: name, maxAttempts: retry.maxAttempts });
  return step;
}

/** What is called next: what was finished before the newest failure is not done again. */
function againOf(logic: AnyActorLogic, { input, failure, checkpoint }: StepContext): AttemptInput {
  return { input: inputAgain(logic, input, failure?.error), checkpoint };
}

/** What a success gives back; nothing where a retry was free. */
function grantOf(answer: RetryAnswer) {
  return answer.granted ? { id: answer.id, cost: answer.cost } : undefined;
}
