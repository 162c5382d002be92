/**
 * What follows from the decisions of handlers in a flow. Owns which can be carried out, by which logic, and what goes outward
 * where that is not so. Pure.
 *
 * FV1  A decision that cannot be carried out lets the error go on outward: with both errors where the handler is wrong.
 * FV2  A handler goes back to a step twice at most, or the flow would for ever. A person may as often as they like.
 */
import { InvalidArgumentError } from 'rewake';
import type { AnyActorLogic, AnyActorRef } from 'xstate';
import { logicKey, pathKey } from './flow-names.ts';
import { handlingState, type FlowPlan } from './flow-plan.ts';
import { callsOf, resultsOf, type FlowContext, type FlowDecision } from './flow-state.ts';
import type { StepLogic } from './flow-step.ts';
import type { HandledContext } from './handled-chart.ts';
import type { LogicName, RecoveryActionData } from './recovery-actions.ts';
import { RecoveryDirective } from './recovery-directive.ts';
import { callsBy } from './handling-state.ts';
import { HandlerFailedError } from './recovery-errors.ts';

/** Calls of what a handler goes back to, in all (FV2). */
const goBackCallsMax = 3;

/** What an error stands for that a handler of the step decided about; undefined for any other error. */
export function directiveOf(error: unknown, step: string): RecoveryDirective | undefined {
  const found =
    error instanceof RecoveryDirective ? error : (error as { originalError?: unknown } | null)?.originalError;
  return found instanceof RecoveryDirective && found.subject === step ? found : undefined;
}

/** A retry without a wait needs no timer. */
export function isRetryAtOnce({ action }: FlowDecision): boolean {
  return action.type === 'retry' && action.delayMs === 0;
}

/** A handler's own failure, with what it was there for. */
export function failureOf({ handler, scope, subject, error }: FlowDecision, cause: unknown): HandlerFailedError {
  return new HandlerFailedError(handler, scope, subject, error, cause);
}

/** What follows from decisions in this flow. */
export function flowRecovery(
  plan: FlowPlan,
  logics: Readonly<Record<string, StepLogic>>,
  actors: Readonly<Record<string, AnyActorLogic>>,
) {
  const stepOf = new Map(plan.steps.map((step) => [step.id, step] as const));
  return {
    /** The decision about the flow, or about one of its steps. */
    decisionOf: (context: FlowContext, step?: string): FlowDecision =>
      step === undefined ? context.decision! : context.steps[step]!.decision!,

    /** The logic that a decision falls back on; undefined where there is none of that name. */
    fallbackOf: ({ action, ...of }: FlowDecision): string | undefined => {
      const { to } = action as { readonly to: string | LogicName };
      const key = typeof to === 'string' ? pathKey(to) : logicKey(of, to.logic);
      return Object.hasOwn(actors, key) ? key : undefined;
    },

    canGoBack: (context: FlowContext): boolean => {
      const { action, handler, isChosen, ...of } = context.decision!;
      if (action.type !== 'resumeFrom' || !stepOf.has(action.step)) return false;
      return isChosen === true || callsBy(callsOf(context, of), handler) < goBackCallsMax;
    },

    /** What goes outward where a decision is not carried out (FV1). */
    refusalOf: (decision: FlowDecision): unknown => {
      const { action, handler, error } = decision;
      if (action.type === 'resumeFrom' && !stepOf.has(action.step)) {
        const known = `one of the steps ${[...stepOf.keys()].join(', ')}`;
        return failureOf(
          decision,
          InvalidArgumentError.of(`resumeFrom(step) of handler '${handler}'`, known, action.step),
        );
      }
      if (action.type === 'fallback') {
        const known = `one of the paths ${Object.keys(plan.paths).join(', ') || '(there is none)'}`;
        return failureOf(decision, InvalidArgumentError.of(`fallback(path) of handler '${handler}'`, known, action.to));
      }
      return error;
    },

    /** The state in which the next scope out has the error. */
    outwardOf: ({ decision, failure }: FlowContext): string => {
      const phase = plan.phases.find(({ id }) => id === stepOf.get(failure!.step)?.phase);
      const isInside = decision?.scope === 'step' || decision?.scope === 'command';
      if (isInside && phase && phase.handlers.length > 0) return handlingState(phase.id);
      return decision?.scope !== 'workflow' && plan.handlers.length > 0 ? handlingState() : 'failed';
    },

    /** What a fallback in the place of the subject is given: what that was given. */
    subjectInput: (context: FlowContext, { scope, subject }: FlowDecision): unknown => {
      if (scope === 'workflow') return context.input;
      return scope === 'phase' ? { input: context.input, results: resultsOf(context) } : context.steps[subject]!.input;
    },

    /** What the handlers of a step that has just ended decided on last. */
    endedBy: (self: AnyActorRef, step: string): RecoveryActionData['type'] | undefined => {
      if (logics[step]!.handlers.step.length === 0) return undefined;
      const child = (self.getSnapshot() as { children: Record<string, AnyActorRef | undefined> }).children[step];
      return (child?.getSnapshot() as { context?: HandledContext } | undefined)?.context?.decision?.action.type;
    },
  };
}
