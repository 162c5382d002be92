/**
 * The implementations behind the chart of a flow: guards, actions, delays and actors by the names that the chart calls. Owns
 * nothing of the order; what changes is flow-state.ts's, what is told flow-telling.ts's, what follows from a decision
 * flow-recovery.ts's.
 */
import {
  assign,
  enqueueActions,
  sendTo,
  setup,
  stopChild,
  type AnyActorLogic,
  type AnyEventObject,
  type AnyActorRef,
} from 'xstate';
import type { ResumeRequested } from 'rewake';
import type { ApprovalDecision } from './approval-facts.ts';
import { FlowAbortedError, FlowFailedError } from './flow-errors.ts';
import type { FlowFact } from './flow-facts.ts';
import { addresseeOf, interventionId } from './flow-interventions.ts';
import { interventionKey, logicKey, pauseName, undoKey, type OfScope } from './flow-names.ts';
import type { FlowPlan } from './flow-plan.ts';
import { directiveOf, failureOf, flowRecovery, isRetryAtOnce } from './flow-recovery.ts';
import type { StepLogic } from './flow-step.ts';
import {
  callCounted,
  canResume,
  chosen,
  failedAgain,
  failedSkipped,
  flowResumed,
  goneBack,
  hasTurn,
  inputFor,
  isSettled,
  isWanted,
  nextPhase,
  nextToUndo,
  phaseAs,
  phaseReplaced,
  progressOfFlow,
  resultsOf,
  stepBegun,
  stepDecided,
  stepDone,
  stepFailed,
  stepPrepared,
  stepPutBack,
  stepSkipped,
  stepUndone,
  unfinishedOf,
  type FlowContext,
  type FlowDecision,
} from './flow-state.ts';
import { flowFacts } from './flow-telling.ts';
import type { HandlerFact } from './handler-facts.ts';
import { handlerFacts, type Decision } from './handling-state.ts';
import { holds, orThrown, toldWhy, type Ended, type Failed } from './policy-machine.ts';
import type { AbortAction, LogicName, ResumeFromAction, RetryAction, SkipAction } from './recovery-actions.ts';
import type { HandlerFailedError } from './recovery-errors.ts';

interface Emitting {
  emit(fact: FlowFact | HandlerFact): void;
}

/** Which step or phase a guard or an action is about. */
type OfStep = { readonly step: string };
type OfPhase = { readonly phase: string };

/** The guards, actions, delays and actors of a flow. */
export function flowSetup(
  plan: FlowPlan,
  logics: Readonly<Record<string, StepLogic>>,
  actors: Readonly<Record<string, AnyActorLogic>>,
) {
  const { name } = plan;
  const facts = flowFacts(plan);
  const stepOf = Object.fromEntries(plan.steps.map((step) => [step.id, step] as const));
  const recovery = flowRecovery(plan, logics, actors);
  const { decisionOf, fallbackOf, refusalOf, subjectInput, endedBy } = recovery;

  return setup({
    types: {} as {
      context: FlowContext;
      input: unknown;
      output: unknown;
      events: AnyEventObject;
      emitted: FlowFact | HandlerFact;
    },
    actors: actors as Record<string, AnyActorLogic>,
    delays: {
      pause: ({ context }) => (context.decision!.action as RetryAction).delayMs,
      ...Object.fromEntries(
        plan.steps.map(({ id }) => [
          pauseName(id),
          ({ context }: { context: FlowContext }) => (decisionOf(context, id).action as RetryAction).delayMs,
        ]),
      ),
    },
    guards: {
      isDone: ({ context }, { step }: OfStep) => context.steps[step]!.status === 'done',
      isLeftOut: ({ context }, { step }: OfStep) => context.steps[step]!.status === 'skipped',
      isHeld: ({ context }) => context.failure !== null,
      isUnwanted: ({ context }, { step }: OfStep) =>
        isSettled(context, stepOf[step]!) && holds(() => !isWanted(context, stepOf[step]!)),
      canBegin: ({ context }, { step }: OfStep) =>
        isSettled(context, stepOf[step]!) &&
        holds(() => {
          inputFor(context, stepOf[step]!);
          return isWanted(context, stepOf[step]!);
        }),
      isSettled: ({ context }, { step }: OfStep) => isSettled(context, stepOf[step]!),
      hasTurn: ({ context }, { step }: OfStep) => hasTurn(context, plan, step),
      isDirective: (_, { step, error }: OfStep & Failed) => directiveOf(error, step) !== undefined,
      isStepIntervention: ({ context }, { step }: OfStep) => decisionOf(context, step).action.type === 'intervene',
      isStepRetry: ({ context }, { step }: OfStep) => decisionOf(context, step).action.type === 'retry',
      isStepSkip: ({ context }, { step }: OfStep) => decisionOf(context, step).action.type === 'skip',
      isStepRetryAtOnce: ({ context }, { step }: OfStep) => isRetryAtOnce(decisionOf(context, step)),
      canStepFallBack: ({ context }, { step }: OfStep) => {
        const decision = decisionOf(context, step);
        return decision.action.type === 'fallback' && fallbackOf(decision) !== undefined;
      },
      isDecided: ({ context }) => context.decision !== null,
      isFailing: ({ context }) => context.failure !== null,
      isNext: ({ context }, { phase }: OfPhase) => nextPhase(context, plan) === phase,
      canFinish: ({ context: { input, ...context } }) =>
        holds(() => {
          plan.output!({ input, results: resultsOf({ input, ...context }) });
          return true;
        }),
      isEscalated: (_, { output }: Ended) => (output as Decision).action.type === 'escalate',
      isRetry: ({ context }) => context.decision!.action.type === 'retry',
      isIntervention: ({ context }) => context.decision!.action.type === 'intervene',
      isAbort: ({ context }) => context.decision!.action.type === 'abort',
      isSkip: ({ context }) => context.decision!.action.type === 'skip',
      isRetryAtOnce: ({ context }) => isRetryAtOnce(context.decision!),
      canFallBack: ({ context: { decision } }) =>
        decision!.action.type === 'fallback' && fallbackOf(decision!) !== undefined,
      canGoBack: ({ context }) => recovery.canGoBack(context),
      isOfPhase: ({ context }) => context.decision!.scope === 'phase',
      goesOutwardTo: ({ context }, { state }: { readonly state: string }) => recovery.outwardOf(context) === state,
      isCleanedUp: ({ context: { decision, cleanups } }) =>
        cleanups === (decision!.action as AbortAction<LogicName>).cleanup.length,
      isUndone: ({ context }) => nextToUndo(context, plan) === undefined,
      canResume: ({ event }) => canResume(event as ResumeRequested, plan),
      canGoBackTo: ({ event }) =>
        (event as ResumeRequested).from !== undefined && canResume(event as ResumeRequested, plan),
    },
    actions: {
      prepare: assign(({ context }, { step }: OfStep) => stepPrepared(context, stepOf[step]!)),
      putBack: assign(({ context }, { step }: OfStep) => stepPutBack(context, step)),
      begin: enqueueActions(({ context, enqueue }, { step }: OfStep) => {
        enqueue.assign(stepBegun(context, step));
        enqueue.emit(facts.started(step));
      }),
      leaveOut: enqueueActions(({ context, enqueue }, { step }: OfStep) => {
        enqueue.assign(stepSkipped(context, step, undefined));
        enqueue.emit(facts.skipped(step, 'condition'));
      }),
      failToBegin: enqueueActions(({ context, enqueue }, { step }: OfStep) => {
        const thrown = orThrown(undefined, () => {
          isWanted(context, stepOf[step]!);
          inputFor(context, stepOf[step]!);
        });
        enqueue.assign(stepFailed(context, step, thrown));
        enqueue.emit(facts.failed(step, thrown));
      }),
      complete: enqueueActions(({ context, enqueue, self }, { step, output }: OfStep & Ended) => {
        const by = endedBy(self, step);
        enqueue.assign(by === 'skip' ? stepSkipped(context, step, output) : stepDone(context, step, output));
        enqueue.emit(
          by === 'skip'
            ? facts.skipped(step, 'handler')
            : facts.completed(step, by === 'fallback' ? 'fallback' : 'step'),
        );
      }),
      completeByFallback: enqueueActions(({ context, enqueue }, { step, output }: OfStep & Ended) => {
        enqueue.assign(stepDone(context, step, output));
        enqueue.emit(facts.completed(step, 'fallback'));
      }),
      skipByDecision: enqueueActions(({ context, enqueue }, { step }: OfStep) => {
        enqueue.assign(stepSkipped(context, step, (decisionOf(context, step).action as SkipAction<unknown>).value));
        enqueue.emit(facts.skipped(step, 'handler'));
      }),
      failStep: enqueueActions(({ context, enqueue }, { step, error }: OfStep & Failed) => {
        enqueue.assign(stepFailed(context, step, error));
        enqueue.emit(facts.failed(step, error));
      }),
      keepDirective: assign(({ context }, { step, error }: OfStep & Failed) => {
        const { scope, subject, handler, decision: action, originalError } = directiveOf(error, step)!;
        return stepDecided(context, step, { scope, subject, handler, action, error: originalError, attempts: 0 });
      }),
      failByDecision: enqueueActions(({ context, enqueue }, { step }: OfStep) => {
        const decision = decisionOf(context, step);
        const isCarriedOut = decision.action.type === 'abort' || decision.action.type === 'resumeFrom';
        const error = isCarriedOut ? decision.error : refusalOf(decision);
        enqueue.assign(stepFailed(context, step, error, isCarriedOut ? decision : undefined));
        if (!isCarriedOut) tellOutward(enqueue, decision, error);
        enqueue.emit(facts.failed(step, error));
      }),
      askForStep: enqueueActions(({ context, enqueue, self }, { step }: OfStep) => {
        ask(enqueue as never, self, decisionOf(context, step), `intervention.${step}`);
      }),
      keepStepChoice: enqueueActions(({ context, enqueue }, { step, output }: OfStep & Ended) => {
        const { choice, by } = output as ApprovalDecision;
        const decision = decisionOf(context, step);
        enqueue.assign(stepDecided(context, step, chosen(decision, choice)));
        enqueue.emit(facts.answered(decision, choice, by));
      }),
      keepNoStepChoice: enqueueActions(({ context, enqueue }, { step }: OfStep) => {
        const decision = decisionOf(context, step);
        enqueue.assign(stepDecided(context, step, chosen(decision, null)));
        enqueue.emit(facts.answered(decision, null, null));
      }),
      fallBackForStep: enqueueActions(({ context, enqueue }, { step }: OfStep) => {
        const decision = decisionOf(context, step);
        enqueue.spawnChild(fallbackOf(decision)!, {
          id: `fallback.${step}`,
          input: subjectInput(context, { ...decision, subject: step }),
        });
      }),
      failStepFallback: enqueueActions(({ context, enqueue }, { step, error: cause }: OfStep & Failed) => {
        const decision = decisionOf(context, step);
        const error = failureOf(decision, cause);
        enqueue.assign(stepFailed(context, step, error));
        tellOutward(enqueue, decision, error);
        enqueue.emit(facts.failed(step, error));
      }),
      beginPhase: enqueueActions(({ context, enqueue }, { phase }: OfPhase) => {
        if (context.phases[phase]!.status !== 'pending') return;
        enqueue.assign(phaseAs(context, phase, 'begun'));
        enqueue.emit(facts.phaseStarted(phase));
      }),
      completePhase: enqueueActions(({ context, enqueue }, { phase }: OfPhase) => {
        if (context.phases[phase]!.status === 'completed') return;
        enqueue.assign(phaseAs(context, phase, 'completed'));
        enqueue.emit(facts.phaseCompleted(phase));
      }),
      tellPhaseFailed: enqueueActions(({ context: { failure, steps }, enqueue }) => {
        // Not where the output of the flow failed.
        if (steps[failure!.step]?.status === 'failed') enqueue.emit(facts.phaseFailed(failure!));
      }),
      clearDecision: assign({ decision: null }),
      keepDecision: assign({
        decision: (_, { scope, subject, output }: OfScope & Ended): FlowDecision => {
          const { handler, action, error, attempts } = output as Decision;
          return { scope, subject, handler: handler!, action, error, attempts };
        },
      }),
      keepOutward: assign({
        failure: ({ context: { failure } }, { error }: Failed) => ({ step: failure!.step, error }),
      }),
      countCall: assign(({ context }) => callCounted(context, context.decision!)),
      tryAgain: assign(({ context }) => failedAgain(context, plan, context.decision!.scope)),
      goBack: assign(({ context }) => goneBack(context, plan, (context.decision!.action as ResumeFromAction).step)),
      skipFailed: enqueueActions(({ context, enqueue }) => {
        const { value } = context.decision!.action as SkipAction<unknown>;
        enqueue.assign(failedSkipped(context, value));
        for (const { id } of plan.steps) {
          if (context.steps[id]!.status === 'failed') enqueue.emit(facts.skipped(id, 'handler'));
        }
      }),
      refuse: enqueueActions(({ context, enqueue }) => {
        const decision = context.decision!;
        const error = refusalOf(decision);
        enqueue.assign({ failure: { step: context.failure!.step, error } });
        tellOutward(enqueue, decision, error);
      }),
      ask: enqueueActions(({ context, enqueue, self }) => {
        ask(enqueue as never, self, context.decision!, 'flow.intervention');
      }),
      keepChoice: enqueueActions(({ context, enqueue }, { output }: Ended) => {
        const { choice, by } = output as ApprovalDecision;
        enqueue.assign({ decision: chosen(context.decision!, choice) });
        enqueue.emit(facts.answered(context.decision!, choice, by));
      }),
      keepNoChoice: enqueueActions(({ context, enqueue }) => {
        enqueue.assign({ decision: chosen(context.decision!, null) });
        enqueue.emit(facts.answered(context.decision!, null, null));
      }),
      fallBack: enqueueActions(({ context, enqueue }) => {
        const decision = context.decision!;
        enqueue.spawnChild(fallbackOf(decision)!, { id: 'flow.fallback', input: subjectInput(context, decision) });
      }),
      replacePhase: enqueueActions(({ context, enqueue }, { output }: Ended) => {
        const phase = context.decision!.subject;
        for (const step of unfinishedOf(context, plan, phase)) enqueue.emit(facts.skipped(step, 'handler'));
        enqueue.assign(phaseReplaced(context, plan, phase, output));
      }),
      replaceFlow: assign((_, { output }: Ended) => ({ output: { value: output }, failure: null, decision: null })),
      failFallback: enqueueActions(({ context, enqueue }, { error: cause }: Failed) => {
        const decision = context.decision!;
        const error = failureOf(decision, cause);
        enqueue.assign({ failure: { step: context.failure!.step, error } });
        tellOutward(enqueue, decision, error);
      }),
      cleanUp: enqueueActions(({ context: { decision, cleanups, failure, input, ...context }, enqueue }) => {
        const next = (decision!.action as AbortAction<LogicName>).cleanup[cleanups];
        if (!next) return;
        const results = resultsOf({ decision, cleanups, failure, input, ...context });
        const { scope, subject } = decision!;
        enqueue.spawnChild(logicKey(decision!, next.logic), {
          id: 'flow.cleanup',
          input: { error: failure!.error, input, results, scope, subject, outputs: [] },
        });
      }),
      countCleanup: assign({ cleanups: ({ context }) => context.cleanups + 1 }),
      tellCleanupFailed: enqueueActions(({ context, enqueue }, { error }: Failed) => {
        enqueue.emit(facts.cleanupFailed(context.cleanups, error));
      }),
      undo: enqueueActions(({ context, enqueue }) => {
        const step = nextToUndo(context, plan);
        if (step === undefined) return;
        const { input, output: result } = context.steps[step]!;
        enqueue.spawnChild(undoKey(step), { id: `undo.${step}`, input: { input, result } });
      }),
      keepUndone: enqueueActions(({ context, event, enqueue }) => {
        const step = undoneBy(event);
        enqueue.stopChild(`undo.${step}`);
        enqueue.assign(stepUndone(context, step));
        enqueue.emit(facts.undone(step));
      }),
      keepNotUndone: enqueueActions(({ context, event, enqueue }, { error }: Failed) => {
        const step = undoneBy(event);
        enqueue.stopChild(`undo.${step}`);
        enqueue.assign({ notUndone: [...context.notUndone, { step, error }] });
        enqueue.emit(facts.undoFailed(step, error));
      }),
      drop: stopChild((_, { child }: { readonly child: string }) => child),
      keepResult: assign({
        output: ({ context }) => ({
          value: plan.output ? plan.output({ input: context.input, results: resultsOf(context) }) : resultsOf(context),
        }),
      }),
      failOutput: assign({
        failure: ({ context }) => ({
          step: 'output',
          error: orThrown(undefined, () => plan.output!({ input: context.input, results: resultsOf(context) })),
        }),
      }),
      tellFailed: enqueueActions(({ context, enqueue }) => enqueue.emit(facts.flowFailed(context.failure!))),
      tellAborted: enqueueActions(({ context, enqueue }) => enqueue.emit(facts.aborted(context))),
      resume: enqueueActions(({ context, event, enqueue }) => {
        const resumed = { ...context, ...flowResumed(context, plan, event as ResumeRequested) };
        enqueue.assign(resumed);
        enqueue.emit(facts.resumed(resumed, (event as ResumeRequested).from));
      }),
      passAnswerOn: enqueueActions(({ event, self, system, enqueue }) => {
        const addressee = addresseeOf(self, system, event);
        if ('to' in addressee) enqueue.sendTo(addressee.to, event);
        else enqueue.emit({ type: 'InterventionAnswerRefused', flow: name, ...addressee });
      }),
      fail: sendTo(({ self }) => self, toldWhy),
      throwFailure: assign(({ context }) => {
        const { step, error } = context.failure!;
        throw new FlowFailedError(name, step, error, progressOfFlow(context));
      }),
      throwAborted: assign(({ context }) => {
        const { step, error } = context.failure!;
        throw new FlowAbortedError(name, step, error, context.notUndone, progressOfFlow(context));
      }),
    },
  });

  /** Why an error goes on outward that a handler had decided about. */
  function tellOutward(
    enqueue: Emitting,
    { scope, handler, subject, attempts, action, error }: FlowDecision,
    outward: unknown,
  ): void {
    if (!plan.facts) return;
    const tell = handlerFacts({ scope, rules: [] });
    if (outward === error) {
      const reason = action.type === 'escalate' ? 'handlerEscalated' : 'retriesExhausted';
      return enqueue.emit(tell.escalated(subject, outward, reason));
    }
    enqueue.emit(tell.failed(handler, subject, (outward as HandlerFailedError).cause, error, attempts));
    enqueue.emit(tell.escalated(subject, outward, 'handlerFailed'));
  }

  function ask(
    enqueue: Emitting & { spawnChild(src: string, options: object): void },
    self: AnyActorRef,
    decision: FlowDecision,
    id: string,
  ): void {
    const { subject, handler, action } = decision as FlowDecision & { action: { type: 'intervene' } };
    const request = {
      title: action.message,
      choices: Object.keys(action.choices),
      details: { flow: name, subject, handler, error: (facts.asked(decision) as { error: unknown }).error },
    };
    enqueue.spawnChild(interventionKey, { id, systemId: interventionId(self, subject), input: request });
    enqueue.emit(facts.asked(decision));
  }
}

/** Which step an undo was of. */
function undoneBy({ type }: AnyEventObject): string {
  return type.slice(type.lastIndexOf('.') + 1);
}
