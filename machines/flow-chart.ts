/**
 * The chart of a flow: phases one after the other, each with a region for every step, and what happens when a step fails.
 * Owns the order; the guards and actions are flow-setup.ts's, the chart of one step flow-region.ts's.
 *
 * FC1  What a flow does is a state of its chart, and what is finished is in its context: after a crash it goes on, and does
 *      nothing again.
 * FC2  A failure goes outward: the handlers of the phase, those of the flow, the end of the flow. What recovered it leads back
 *      in: to the first phase that is not over.
 * FC3  A flow that ended goes on with `rewake.resume`, and with nothing else.
 */
import type { AnyActorLogic } from 'xstate';
import { handlingKey, type OfScope } from './flow-names.ts';
import { handlingState, type FlowPlan, type PlannedPhase } from './flow-plan.ts';
import { stepRegion } from './flow-region.ts';
import { callsOf, flowBegun, resultsOf, type FlowContext } from './flow-state.ts';
import { flowSetup } from './flow-setup.ts';
import type { StepLogic } from './flow-step.ts';
import type { HandlingInput } from './handling-state.ts';
import { errorOf, failing, outputOf, toldWhy } from './policy-machine.ts';

/** What a flow needs besides its plan. */
export interface FlowParts {
  readonly plan: FlowPlan;
  readonly steps: Readonly<Record<string, StepLogic>>;
  /** What it invokes, by name. */
  readonly actors: Readonly<Record<string, AnyActorLogic>>;
  /** Whether anything of it decides what only a flow can do. */
  readonly handled: boolean;
  /** Whether it, or a flow inside it, may ask people. */
  readonly asks: boolean;
}

/** The chart of a flow. */
export function flowChart({ plan, steps, actors, handled, asks }: FlowParts) {
  const { name, phases } = plan;
  const finish = plan.output ? 'finishing' : 'succeeded';
  const outward = plan.handlers.length > 0 ? handlingState() : 'failed';
  const begins = phases.map(({ id }) => ({ guard: { type: 'isNext', params: { phase: id } } as const, target: id }));
  const resumes = { guard: 'canResume', target: 'resuming', actions: 'resume' } as const;

  return flowSetup(plan, steps, actors).createMachine({
    id: name,
    ...(plan.version !== undefined && { version: plan.version }),
    context: ({ input }) => flowBegun(plan, input),
    initial: 'resuming',
    ...(asks && { on: { 'approval.*': { actions: 'passAnswerOn' as const } } }),
    states: {
      resuming: { always: [...begins, { target: finish }] },
      ...Object.fromEntries(phases.map((phase, index) => [phase.id, running(phase, phases[index + 1]?.id ?? finish)])),
      ...Object.fromEntries(
        phases
          .filter(({ handlers }) => handlers.length > 0)
          .map(({ id }) => [handlingState(id), handling({ scope: 'phase', subject: id }, outward)]),
      ),
      ...(plan.handlers.length > 0 && {
        [handlingState()]: {
          ...handling({ scope: 'workflow', subject: name }, 'failed'),
          entry: ['clearDecision', 'tellPhaseFailed'] as const,
        },
      }),
      ...(handled && {
        deciding: {
          always: [
            { guard: 'isRetryAtOnce', target: 'resuming', actions: ['countCall', 'tryAgain'] },
            { guard: 'isRetry', target: 'waiting', actions: 'countCall' },
            { guard: 'canFallBack', target: 'fallingBack' },
            { guard: 'canGoBack', target: 'resuming', actions: ['countCall', 'goBack'] },
            { guard: 'isIntervention', target: 'intervening' },
            { guard: 'isAbort', target: 'cleaning' },
            { guard: 'isSkip', target: 'resuming', actions: 'skipFailed' },
            { target: 'escalating', actions: 'refuse' },
          ],
        },
        escalating: {
          always: [
            ...[...phases.filter(({ handlers }) => handlers.length > 0).map(({ id }) => handlingState(id)), outward]
              .filter((state) => state !== 'failed')
              .map((state) => ({ guard: { type: 'goesOutwardTo', params: { state } } as const, target: state })),
            { target: 'failed' },
          ],
        },
        waiting: { after: { pause: { target: 'resuming', actions: 'tryAgain' } } },
        fallingBack: {
          entry: 'fallBack',
          exit: { type: 'drop', params: { child: 'flow.fallback' } },
          on: {
            'xstate.done.actor.flow.fallback': [
              { guard: 'isOfPhase', target: 'resuming', actions: { type: 'replacePhase', params: outputOf } },
              { target: 'succeeded', actions: { type: 'replaceFlow', params: outputOf } },
            ],
            'xstate.error.actor.flow.fallback': {
              target: 'escalating',
              actions: { type: 'failFallback', params: errorOf },
            },
          },
        },
        intervening: {
          tags: 'intervening',
          entry: 'ask',
          exit: { type: 'drop', params: { child: 'flow.intervention' } },
          on: {
            'xstate.done.actor.flow.intervention': {
              target: 'deciding',
              actions: { type: 'keepChoice', params: outputOf },
            },
            'xstate.error.actor.flow.intervention': { target: 'deciding', actions: 'keepNoChoice' },
          },
        },
        cleaning: {
          entry: 'cleanUp',
          exit: { type: 'drop', params: { child: 'flow.cleanup' } },
          always: { guard: 'isCleanedUp', target: 'undoing' },
          on: {
            'xstate.done.actor.flow.cleanup': { target: 'cleaning', reenter: true, actions: 'countCleanup' },
            'xstate.error.actor.flow.cleanup': {
              target: 'cleaning',
              reenter: true,
              actions: [{ type: 'tellCleanupFailed', params: errorOf }, 'countCleanup'],
            },
          },
        },
        undoing: {
          entry: 'undo',
          always: { guard: 'isUndone', target: 'aborted' },
          on: {
            'xstate.done.actor.undo.*': { target: 'undoing', reenter: true, actions: 'keepUndone' },
            'xstate.error.actor.undo.*': {
              target: 'undoing',
              reenter: true,
              actions: { type: 'keepNotUndone', params: errorOf },
            },
          },
        },
        aborted: {
          entry: ['tellAborted', 'fail'],
          on: { [toldWhy.type]: { actions: 'throwAborted' }, 'rewake.resume': resumes },
        },
      }),
      ...(plan.output && {
        finishing: {
          always: [
            { guard: 'canFinish', target: 'succeeded', actions: 'keepResult' },
            { target: 'failed', actions: 'failOutput' },
          ],
        },
      }),
      succeeded: { type: 'final', on: { 'rewake.resume': { ...resumes, guard: 'canGoBackTo' } } },
      failed: {
        entry: [...(plan.handlers.length > 0 ? [] : (['tellPhaseFailed'] as const)), 'tellFailed', failing.entry],
        on: { ...failing.on, 'rewake.resume': resumes },
      },
    },
    output: ({ context }: { context: FlowContext }) => (context.output ? context.output.value : resultsOf(context)),
  });

  /** A phase: all of its steps side by side, until none goes on. */
  function running({ id, steps: own, handlers }: PlannedPhase, next: string) {
    return {
      type: 'parallel',
      entry: { type: 'beginPhase', params: { phase: id } } as const,
      states: Object.fromEntries(own.map((step) => [step.id, stepRegion(step.id, steps[step.id]!)])),
      onDone: [
        ...(handled ? ([{ guard: 'isDecided', target: 'deciding' }] as const) : []),
        { guard: 'isFailing', target: handlers.length > 0 ? handlingState(id) : outward } as const,
        { target: next, actions: { type: 'completePhase', params: { phase: id } } as const },
      ],
    } as const;
  }

  /** Handlers are asked what to do about the failure. */
  function handling(of: OfScope, target: string) {
    return {
      entry: ['clearDecision'] as const,
      invoke: {
        id: 'flow.handling',
        src: handlingKey(of.scope === 'phase' ? of.subject : undefined),
        input: ({ context }: { context: FlowContext }): HandlingInput => ({
          ...{ error: context.failure!.error, subject: of.subject, input: context.input },
          ...{ results: resultsOf(context), calls: callsOf(context, of) },
        }),
        onDone: [
          {
            guard: { type: 'isEscalated', params: outputOf } as const,
            target,
            actions: { type: 'keepOutward', params: outwardIn } as const,
          },
          {
            target: 'deciding',
            actions: {
              type: 'keepDecision',
              params: (args: { event: unknown }) => ({ ...of, ...outputOf(args) }),
            } as const,
          },
        ],
        onError: { target, actions: { type: 'keepOutward', params: errorOf } as const },
      },
    };
  }
}

/** What goes outward by the decision of handlers that let it go. */
function outwardIn(args: { event: unknown }) {
  return { error: (outputOf(args).output as { readonly error: unknown }).error };
}
