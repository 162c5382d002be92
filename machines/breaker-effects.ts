/**
 * The effects of a step that talk to its circuit breaker. Owns what each outcome is called there; the gate itself is
 * breaker-gate.ts.
 *
 * BE1  An attempt that its own policy ended (lost, refused, aborted from outside) says nothing about the dependency.
 * BE2  A function that a step calls tells the breaker how it ended before the step hears of it; nobody waits for a step of
 *      the machine in between.
 */
import type { PromiseActorLogic } from 'xstate';
import { effect, EffectStoppedError, type EffectArguments, type EffectContext } from 'rewake';
import type { BreakerGate } from './breaker-gate.ts';
import type { CallReport, Permit } from './breaker-permit.ts';
import { classify, type ErrorRule, type ErrorVerdict } from './classify.ts';
import { signatureOf } from './error-signature.ts';
import { retryAfterOf } from './retry-after.ts';
import type { Failure, StepContext } from './step-state.ts';

/** What a function of a step is called with, where a breaker stands before it. */
interface CallInput {
  readonly input?: unknown;
  readonly permit: Permit | null;
}

/** Without a key for an input that is undefined, so that it stays plain JSON. */
export function callInput(input: unknown, permit: Permit | null): CallInput {
  return input === undefined ? { permit } : { input, permit };
}

/** The actors by which a chart asks and tells its breaker; none without one. */
export function breakerEffects(gate: BreakerGate | undefined) {
  const effects = gate && { askBreaker: askBreaker(gate), reportToBreaker: reportToBreaker(gate) };
  // A chart without a breaker has no state that names them.
  return effects as NonNullable<typeof effects>;
}

/** Asks for a permit. Its input is how long the attempt may take, in ms; null without a bound. */
function askBreaker(gate: BreakerGate): PromiseActorLogic<Permit | null, number | null> {
  return effect(({ input, context }: EffectArguments<number | null>) => gate.enter(context, input));
}

/** Tells how an attempt ended that did not tell by itself: it took too long, was lost, or is not a function. */
function reportToBreaker(gate: BreakerGate): PromiseActorLogic<void, StepContext> {
  return effect(async ({ input, context }: EffectArguments<StepContext>) => {
    const { permit, failure, failed, ending, answeredMs } = input;
    if (!permit) return;
    // A deadline of the step's own says nothing about the dependency.
    const newest = failed && !ending ? failure : undefined;
    const outcome = failed ? (newest?.verdict.breaker ?? 'ignored') : 'success';
    await gate.leave(context, permit, reportOf(outcome, newest?.durationMs ?? answeredMs, newest, context));
  });
}

/** A function that tells the breaker itself how it ended. */
export function reporting<Input, Output>(
  gate: BreakerGate,
  rules: readonly ErrorRule[],
  run: (args: EffectArguments<Input>) => Promise<Output> | Output,
): (args: EffectArguments<CallInput>) => Promise<Output> {
  return async (args) => {
    const {
      input: { input, permit },
      context,
    } = args;
    if (!permit) return run({ ...args, input: input as Input });
    const begun = context.now();
    const tell = (report: CallReport) => gate.leave(context, permit, report);
    const freeProbe = () => {
      if (isStopped(context.signal.reason)) void tell({ outcome: 'ignored' });
    };
    context.signal.addEventListener('abort', freeProbe, { once: true });
    try {
      const output = await run({ ...args, input: input as Input });
      if (!context.signal.aborted) await tell({ outcome: 'success', durationMs: context.now() - begun });
      return output;
    } catch (error) {
      if (!context.signal.aborted) {
        const verdict = verdictOn(error, rules);
        const failure = { error, signature: signatureOf(error, verdict) };
        await tell(reportOf(verdict.breaker, context.now() - begun, failure, context));
      }
      throw error;
    } finally {
      context.signal.removeEventListener('abort', freeProbe);
    }
  };
}

/** A rule of the user's that throws is the step's to fail with; the breaker goes by the built-in taxonomy. */
function verdictOn(error: unknown, rules: readonly ErrorRule[]): ErrorVerdict {
  try {
    return classify(error, rules);
  } catch {
    return classify(error);
  }
}

function reportOf(
  outcome: CallReport['outcome'],
  durationMs: number,
  failure: Pick<Failure, 'error' | 'signature'> | undefined,
  context: EffectContext,
): CallReport {
  if (outcome !== 'failure' || !failure) return { outcome, durationMs };
  const { class: errorClass, code, message } = failure.signature;
  const hint = retryAfterOf(failure.error, context.now());
  return {
    outcome,
    durationMs,
    failure: { class: errorClass, message, ...(code !== undefined && { code }) },
    ...(hint && 'delayMs' in hint && { retryAfterMs: hint.delayMs }),
  };
}

/** BE1. The step itself was stopped: a probe of it is given back. */
function isStopped(reason: unknown): boolean {
  return reason instanceof EffectStoppedError && reason.by === 'stop';
}
