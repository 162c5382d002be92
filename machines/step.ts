/**
 * `step` and the combinators that are a part of it. Owns how a function or a logic becomes what the chart calls; the
 * chart is step-machine.ts, the options step-policy.ts.
 */
import type { AnyActorLogic, InputFrom, OutputFrom } from 'xstate';
import { effect, type Duration, type EffectArguments, type EffectFunction } from 'rewake';
import { asAttempt } from './lost-attempts.ts';
import { requireFunction, requireLogic } from './options.ts';
import type { BreakerUse } from './breaker-gate.ts';
import type { RetryOptions } from './retry-policy.ts';
import { noteProgress, takesProgress } from './progress.ts';
import { stepMachine, type StepMachine } from './step-machine.ts';
import { isHeard, keepingHints, reporting } from './step-effects.ts';
import { policyOf, type Policy, type PolicyOptions, type TimeoutOption } from './step-policy.ts';

/** What a step calls: a function of an effect's arguments. */
export type Call<Input, Output> = (args: EffectArguments<Input>) => Promise<Output> | Output;

/**
 * A call with timeout, retries, circuit breaker and deadline, in one chart: an XState machine with the input and output of
 * the function.
 *
 * @example
 * const charge = step(
 *   'charge',
 *   async ({ input, context }: EffectArguments<Order>) => pay(input, { idempotencyKey: context.idempotencyKey }),
 *   { timeout: '30s', retry: { maxRetries: 3 }, breaker: 'payments' },
 * );
 * @throws InvalidArgumentError for options that cannot work, naming their path
 */
export function step<Input, Output>(
  name: string,
  call: Call<Input, Output>,
  options: PolicyOptions = {},
): StepMachine<Input, Output> {
  const policy = policyOf(name, options);
  requireFunction(call ?? null, `step('${name}')(call)`);
  const heard = isHeard(policy);
  const around = (run: EffectFunction) => (heard ? reporting(policy, run as never) : keepingHints(run as never));
  const logic = effect(call as Call<unknown, Output>, { ...lostOptions(policy), around });
  return stepMachine({ logic, reports: heard }, policy);
}

/** Aborts an attempt that takes too long; it fails with a TimeoutError. */
export const withTimeout = (timeout: TimeoutOption) => wrapping('withTimeout', { timeout });

/** Bounds the whole, retries and waits inside it included. */
export const withDeadline = (deadline: Duration) => wrapping('withDeadline', { deadline });

/** Tries again what fails. Without options: 3 retries after 1, 2 and 4 s with full jitter. */
export const withRetry = (retry: RetryOptions | number = {}) => wrapping('withRetry', { retry });

/** Stands before a dependency and lets no call through while it is down. */
export const withBreaker = (breaker: string | BreakerUse) => wrapping('withBreaker', { breaker });

function wrapping(name: string, options: PolicyOptions) {
  const policy = policyOf(name, options, name);
  return <Logic extends AnyActorLogic>(logic: Logic) => {
    requireLogic(logic, `${name}(…)(logic)`);
    return stepAround(logic, policy);
  };
}

/** A step that calls a logic. */
export function stepAround<Logic extends AnyActorLogic>(
  logic: Logic,
  policy: Policy,
): StepMachine<InputFrom<Logic>, OutputFrom<Logic>> {
  const called = policy.retry ? asAttempt(logic, lostOptions(policy)) : logic;
  const machine = stepMachine<InputFrom<Logic>, OutputFrom<Logic>>({ logic: called, reports: false }, policy);
  if (takesProgress(logic)) [called, machine].forEach((each) => noteProgress(each));
  return machine;
}

/** Where attempts are counted, one that is lost counts; and what one saved is where the next begins. */
function lostOptions({ retry }: Policy) {
  return retry ? ({ onLost: 'fail', checkpoint: 'machine' } as const) : {};
}
