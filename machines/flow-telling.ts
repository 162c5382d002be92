/**
 * How a flow tells its facts: each from what is remembered, in the transition that made it true. Owns their contents; the
 * shapes are flow-facts.ts.
 */
import { classify } from './classify.ts';
import { signatureOf } from './error-signature.ts';
import type { FlowFact } from './flow-facts.ts';
import type { FlowPlan } from './flow-plan.ts';
import { unfinishedOf, type FlowContext, type FlowDecision } from './flow-state.ts';
import type { InterveneAction, RecoveryActionData } from './recovery-actions.ts';

/** A failure in a few words. */
function sign(error: unknown) {
  return signatureOf(error, classify(error));
}

/** The facts of a flow. */
export function flowFacts(plan: FlowPlan) {
  const { name: flow } = plan;
  const placeOf = (step: string) => ({ flow, step, phase: plan.steps.find(({ id }) => id === step)!.phase });
  return {
    started: (step: string): FlowFact => ({ type: 'FlowStepStarted', ...placeOf(step) }),
    completed: (step: string, by: 'step' | 'fallback'): FlowFact => ({
      type: 'FlowStepCompleted',
      ...placeOf(step),
      by,
    }),
    skipped: (step: string, by: 'condition' | 'handler'): FlowFact => ({
      type: 'FlowStepSkipped',
      ...placeOf(step),
      by,
    }),
    failed: (step: string, error: unknown): FlowFact => ({
      type: 'FlowStepFailed',
      ...placeOf(step),
      error: sign(error),
    }),
    phaseStarted: (phase: string): FlowFact => ({ type: 'PhaseStarted', flow, phase }),
    phaseCompleted: (phase: string): FlowFact => ({ type: 'PhaseCompleted', flow, phase }),
    phaseFailed: ({ step, error }: NonNullable<FlowContext['failure']>): FlowFact => {
      const { phase } = placeOf(step);
      return { type: 'PhaseFailed', flow, phase, step, error: sign(error) };
    },
    flowFailed: ({ step, error }: NonNullable<FlowContext['failure']>): FlowFact => {
      return { type: 'FlowFailed', flow, step, error: sign(error) };
    },
    aborted: ({ failure, notUndone }: FlowContext): FlowFact => {
      const { step, error } = failure!;
      return { type: 'FlowAborted', flow, step, error: sign(error), notUndone: notUndone.map((each) => each.step) };
    },
    resumed: (context: FlowContext, from: string | undefined): FlowFact => {
      return { type: 'FlowResumed', flow, from: from ?? null, pending: unfinishedOf(context, plan) };
    },
    undone: (step: string): FlowFact => ({ type: 'FlowStepUndone', flow, step }),
    undoFailed: (step: string, error: unknown): FlowFact => ({
      type: 'FlowUndoFailed',
      flow,
      step,
      error: sign(error),
    }),
    cleanupFailed: (index: number, error: unknown): FlowFact => ({
      type: 'CleanupFailed',
      flow,
      index,
      error: sign(error),
    }),
    asked: ({ subject, handler, action, error }: FlowDecision): FlowFact => {
      const { message, choices } = action as InterveneAction<RecoveryActionData>;
      const names = Object.keys(choices);
      return { type: 'InterventionRequested', flow, subject, handler, message, choices: names, error: sign(error) };
    },
    answered: ({ subject, handler }: FlowDecision, choice: string | null, by: string | null): FlowFact => {
      return { type: 'InterventionAnswered', flow, subject, handler, choice, by };
    },
  };
}
