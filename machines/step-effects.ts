/**
 * The effects of a step that talk to what it has in common with others: its circuit breaker and its retry budget. Owns what
 * each outcome is called there; the gates themselves are breaker-gate.ts and retry-budget-gate.ts.
 *
 * SE1  An attempt that its own policy ended (lost, refused, aborted from outside) says nothing about the dependency.
 * SE2  A function that a step calls tells both itself how it ended, before the step hears of it; nobody waits for a step of
 *      the machine in between. Anything else is told of by one effect for both.
 * SE3  What a server said about the next call is put on the error where the function failed, as plain fields: the log
 *      cannot carry the headers it came in.
 */
import type { PromiseActorLogic } from 'xstate';
import { effect, EffectStoppedError, type EffectArguments, type EffectContext } from 'rewake';
import type { CallReport, Permit } from './breaker-permit.ts';
import { signatureOf } from './error-signature.ts';
import { holds } from './policy-machine.ts';
import { keepHints, retryAfterOf } from './retry-after.ts';
import type { RetryAnswer, RetryBudgetGate, RetryGrant } from './retry-budget-gate.ts';
import { concernsBudget, type RetryHint, type RetryPolicy } from './retry-policy.ts';
import { judged, type Failure, type StepContext } from './step-state.ts';
import type { Policy } from './step-policy.ts';

type Run<Input, Output> = (args: EffectArguments<Input>) => Promise<Output> | Output;

/** What a function of a step is called with, where it tells others how it ended. */
interface CallInput {
  readonly input?: unknown;
  readonly permit: Permit | null;
  /** Of a retry, what its budget granted. */
  readonly grant?: RetryGrant;
  /** Given where there is a budget. */
  readonly attempt?: number;
}

/** Without a key for an input that is undefined, so that it stays plain JSON. */
export function callInput({ input, permit, grant, attempt }: StepContext, { retry }: Policy): CallInput {
  const told = retry?.budget ? { permit, attempt, ...(grant && { grant }) } : { permit };
  return input === undefined ? told : { input, ...told };
}

/** Whether somebody wants to know how the attempts of a step end. */
export function isHeard({ breaker, retry }: Policy): boolean {
  return breaker !== undefined || retry?.budget !== undefined;
}

/** The actors by which a chart asks and tells: those that its policy needs. */
export function stepEffects(policy: Policy) {
  const effects = {
    ...(policy.breaker && { askBreaker: askBreaker(policy) }),
    ...(policy.retry?.budget && { askBudget: askBudget(policy) }),
    ...(isHeard(policy) && { report: report(policy) }),
  };
  // A chart has no state that names the others.
  return effects as Required<typeof effects>;
}

/** Asks for a permit. Its input is how long the attempt may take, in ms; null without a bound. */
function askBreaker({ breaker }: Policy): PromiseActorLogic<Permit, number | null> {
  const ask = ({ input, context }: EffectArguments<number | null>) => breaker!.enter(context, input);
  return effect(ask, { internal: true });
}

/** Asks for a retry. Its input is whether the dependency said that it is asked too often. */
function askBudget({ retry }: Policy): PromiseActorLogic<RetryAnswer, boolean> {
  const ask = ({ input, context }: EffectArguments<boolean>) => retry!.budget!.ask(context, input);
  return effect(ask, { internal: true });
}

/** Tells how an attempt ended that did not tell by itself: it took too long, was lost, or is not a function. */
function report(policy: Policy): PromiseActorLogic<void, StepContext> {
  const run = async ({ input, context }: EffectArguments<StepContext>) => {
    const { permit, grant, failure, failed, ending, answeredMs } = input;
    // A deadline of the step's own says nothing about the dependency.
    const newest = failed && ending?.exhausted !== 'deadline' ? failure : undefined;
    const outcome = failed ? (newest?.verdict.breaker ?? 'ignored') : 'success';
    const durationMs = newest?.durationMs ?? answeredMs;
    await tell(policy, context, { permit, grant, outcome, durationMs, failure: newest });
  };
  return effect(run, { internal: true });
}

/** A function that tells itself how it ended. */
export function reporting<Input, Output>(policy: Policy, run: Run<Input, Output>): Run<CallInput, Output> {
  const { retryResult: refuses } = policy;
  return async (args) => {
    // The signal of the call and not of its context, which is only made for who asks for it.
    const { input: given, context, signal } = args;
    const { permit, grant, attempt } = given;
    const begun = context.now();
    // Nobody misses the permit of a closed breaker.
    const probe = permit?.probe ? permit : undefined;
    const freeProbe = () => {
      whenStopped(args, () => void policy.breaker!.leave(context, probe!, { outcome: 'ignored' }));
    };
    if (probe) context.signal.addEventListener('abort', freeProbe, { once: true });
    const told = (outcome: CallReport['outcome'], failure?: Told['failure']) =>
      signal.aborted
        ? undefined
        : tell(policy, context, { permit, grant, outcome, durationMs: context.now() - begun, failure });
    try {
      const output = await run({ ...args, input: given.input as Input });
      // Where the user's predicate throws, that is the step's to fail with.
      await told(refuses && holds(() => refuses(output)) ? 'ignored' : 'success');
      return output;
    } catch (error) {
      keepHints(error, context.now());
      // A rule of the user's that throws is the step's to fail with; the others go by the built-in taxonomy.
      const { verdict } = judged(error, attempt, policy);
      await told(verdict.breaker, { error, verdict, signature: signatureOf(error, verdict) });
      throw error;
    } finally {
      if (probe) context.signal.removeEventListener('abort', freeProbe);
    }
  };
}

/** SE3, of a function that nobody wants to hear of. */
export function keepingHints<Input, Output>(run: Run<Input, Output>): Run<Input, Output> {
  return async (args) => {
    try {
      return await run(args);
    } catch (error) {
      keepHints(error, args.context.now());
      throw error;
    }
  };
}

/** How an attempt ended. */
interface Told extends Pick<CallReport, 'outcome' | 'durationMs'> {
  readonly permit: Permit | null;
  readonly grant: RetryGrant | undefined;
  readonly failure: Pick<Failure, 'error' | 'signature' | 'verdict'> | undefined;
}

/** Nothing to wait for where nobody hears of it. */
function tell(policy: Policy, context: EffectContext, told: Told): Promise<unknown> | null | undefined {
  const { permit, failure } = told;
  const hint = failure && retryAfterOf(failure.error, context.now());
  const reported = permit && policy.breaker?.leave(context, permit, reportOf(told, hint));
  const { budget } = policy.retry ?? {};
  return budget ? Promise.all([reported, tellBudget(budget, policy.retry!, context, told, hint)]) : reported;
}

async function tellBudget(
  budget: RetryBudgetGate,
  retry: RetryPolicy,
  context: EffectContext,
  { grant, outcome, failure }: Told,
  hint: RetryHint | undefined,
): Promise<void> {
  if (outcome === 'success') {
    const after = grant ? { id: grant.id, afterRetry: grant.cost } : { id: context.idempotencyKey };
    await budget.tell(context, { type: 'attempt.succeeded', ...after });
  } else if (failure && concernsBudget(retry, failure.verdict, hint)) {
    await budget.tell(context, { type: 'attempt.failed', id: context.idempotencyKey, retryable: true });
  }
}

function reportOf({ outcome, durationMs, failure }: Told, hint: RetryHint | undefined): CallReport {
  const ended = { outcome, ...(durationMs !== undefined && { durationMs }) };
  if (outcome !== 'failure' || !failure) return ended;
  const { class: errorClass, code, message } = failure.signature;
  return {
    ...ended,
    failure: { class: errorClass, message, ...(code !== undefined && { code }) },
    ...(hint && 'delayMs' in hint && { retryAfterMs: hint.delayMs }),
  };
}

/** SE1. Of an attempt that was aborted: does something where the step itself was stopped. */
function whenStopped({ context, self }: EffectArguments<unknown>, then: () => void): void {
  const reason: unknown = context.signal.reason;
  if (reason instanceof EffectStoppedError) return reason.by === 'stop' ? then() : undefined;
  // Plain XState gives no reason, and stops an actor after its children.
  queueMicrotask(() => {
    if ((self._parent?.getSnapshot() as { status?: string } | undefined)?.status === 'stopped') then();
  });
}
