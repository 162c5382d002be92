/**
 * How a step tells: facts from what it remembers, and the one call of a function of the user's that hears them. Their names
 * and shapes are in step-facts.ts.
 *
 * ST1  The function hears of a fact after it is on disk, at most once, and never in a fold.
 * ST2  What it throws, or rejects with, changes nothing of the step: it is a warning on the console.
 * ST3  It is called when the transition is over, in the order of the facts: XState complains of actors that are started or
 *      sent something in the middle of one.
 */
import { emit, enqueueActions, type AnyEventObject, type ParameterizedObject } from 'xstate';
import { problemOf } from './keyed-gate.ts';
import type {
  AttemptFailed,
  AttemptRejected,
  RetryExhausted,
  RetryRefused,
  RetryScheduled,
  StepFact,
  TimedOut,
  Unavailable,
} from './step-facts.ts';
import type { Policy } from './step-policy.ts';
import type { StepContext } from './step-state.ts';

type Params = ParameterizedObject['params'] | undefined;
type Tell<P extends Params> = ReturnType<typeof emit<StepContext, AnyEventObject, P, AnyEventObject, StepFact>>;

/** Makes actions that emit a fact, and let the function of the policy hear of it where there is one. */
export function telling({ name, onFact }: Policy) {
  return <P extends Params = undefined>(
    factOf: (args: { readonly context: StepContext }, params: P) => StepFact,
  ): Tell<P> => {
    if (!onFact) return emit((args, params) => factOf(args, params));
    return enqueueActions<StepContext, AnyEventObject, P, AnyEventObject, never, never, never, never, StepFact>(
      ({ context, enqueue }, params) => {
        const fact = factOf({ context }, params);
        enqueue.emit(fact);
        enqueue(() => hear(name, onFact, fact));
      },
    );
  };
}

/** ST2, ST3. */
function hear(step: string, onFact: (fact: StepFact) => unknown, fact: StepFact): void {
  const warn = (error: unknown) =>
    console.warn(`onFact of step '${step}' failed at ${fact.type}; the step goes on.`, error);
  Promise.resolve(fact).then(onFact).catch(warn);
}

/** Facts by what a step remembers; each is told in the transition that made it true. */
export const stepFacts = {
  attemptFailed(step: string, { attempt, failure }: StepContext): AttemptFailed {
    const { signature, durationMs } = failure!;
    return { type: 'AttemptFailed', step, attempt, error: signature, durationMs };
  },
  attemptRejected(step: string, { failure }: StepContext): AttemptRejected {
    return { type: 'AttemptRejected', step, error: failure!.signature };
  },
  timedOut(step: string, { attempt }: StepContext, kind: TimedOut['kind'], timeoutMs: number): TimedOut {
    return { type: 'TimedOut', step, attempt, kind, timeoutMs };
  },
  retryScheduled(step: string, { attempt, retry, failure }: StepContext): RetryScheduled {
    const { delayMs, r, dueAt, parked } = retry!;
    return { type: 'RetryScheduled', step, attempt, delayMs, r, dueAt, errorClass: failure!.verdict.class, parked };
  },
  retryRefused(step: string, { attempt, failure }: StepContext, key: string, tokens: number): RetryRefused {
    return { type: 'RetryRefused', step, attempt, key, tokens, errorClass: failure!.verdict.class };
  },
  unavailable(type: Unavailable['type'], step: string, key: string, error: unknown): Unavailable {
    return { type, step, key, problem: problemOf(error) };
  },
  retryExhausted(step: string, { attempt, ending }: StepContext): RetryExhausted {
    return { type: 'RetryExhausted', step, attempts: attempt, reason: ending!.exhausted! };
  },
};
