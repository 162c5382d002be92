/**
 * The chart of one step in a flow: it waits for what it needs, and for its turn; it runs; it is done, left out, failed, or
 * held because another one failed. Owns that order; the guards and actions are flow-setup.ts's.
 *
 * FR1  Where a step is begins with what is known of it: in a phase that is entered again, what is finished is finished at once.
 * FR2  What the handlers of a step decide about the step alone is carried out here; the rest fails the step, and the flow does it.
 */
import type { StepLogic } from './flow-step.ts';
import { resultsOf, type FlowContext } from './flow-state.ts';
import { pauseName } from './flow-names.ts';
import { errorOf, outputOf } from './policy-machine.ts';
import { takesProgress, withProgress } from './progress.ts';

/** The region of a step. */
export function stepRegion(step: string, { logic, seesResults, handlers }: StepLogic) {
  const of = { step };
  const hasHandlers = handlers.command.length + handlers.step.length > 0;
  const failed = { type: 'failStep', params: (args: { event: unknown }) => ({ step, ...errorOf(args) }) } as const;
  const answered = (args: { event: unknown }) => ({ step, ...outputOf(args) });
  const child = { fallback: `fallback.${step}`, intervention: `intervention.${step}` };
  return {
    initial: 'pending',
    states: {
      pending: {
        always: [
          { guard: { type: 'isDone', params: of } as const, target: 'done' },
          { guard: { type: 'isLeftOut', params: of } as const, target: 'skipped' },
          { guard: 'isHeld' as const, target: 'held' },
          {
            guard: { type: 'canBegin', params: of } as const,
            target: 'ready',
            actions: { type: 'prepare', params: of } as const,
          },
          {
            guard: { type: 'isUnwanted', params: of } as const,
            target: 'skipped',
            actions: { type: 'leaveOut', params: of } as const,
          },
          {
            guard: { type: 'isSettled', params: of } as const,
            target: 'failed',
            actions: { type: 'failToBegin', params: of } as const,
          },
        ],
      },
      ready: {
        always: [
          { guard: 'isHeld' as const, target: 'held', actions: { type: 'putBack', params: of } as const },
          {
            guard: { type: 'hasTurn', params: of } as const,
            target: 'running',
            actions: { type: 'begin', params: of } as const,
          },
        ],
      },
      running: {
        invoke: {
          id: step,
          src: step,
          input: ({ context }: { context: FlowContext }) => {
            const { input, progress } = context.steps[step]!;
            const given = seesResults ? { input, results: resultsOf(context) } : input;
            return takesProgress(logic) ? withProgress(given, progress) : given;
          },
          onDone: {
            target: handlers.step.length > 0 ? 'ended' : 'done',
            actions: { type: 'complete', params: answered } as const,
          },
          onError: [
            ...(hasHandlers
              ? [
                  {
                    guard: { type: 'isDirective', params: failed.params } as const,
                    target: 'deciding',
                    actions: { type: 'keepDirective', params: failed.params } as const,
                  },
                ]
              : []),
            { target: 'failed', actions: failed },
          ],
        },
      },
      ...(handlers.step.length > 0 && {
        ended: { always: [{ guard: { type: 'isDone', params: of } as const, target: 'done' }, { target: 'skipped' }] },
      }),
      ...(hasHandlers && {
        deciding: {
          always: [
            { guard: { type: 'isStepIntervention', params: of } as const, target: 'intervening' },
            {
              guard: { type: 'isStepRetryAtOnce', params: of } as const,
              target: 'pending',
              actions: { type: 'putBack', params: of } as const,
            },
            { guard: { type: 'isStepRetry', params: of } as const, target: 'waiting' },
            {
              guard: { type: 'isStepSkip', params: of } as const,
              target: 'skipped',
              actions: { type: 'skipByDecision', params: of } as const,
            },
            { guard: { type: 'canStepFallBack', params: of } as const, target: 'fallingBack' },
            { target: 'failed', actions: { type: 'failByDecision', params: of } as const },
          ],
        },
        waiting: {
          after: { [pauseName(step)]: { target: 'pending', actions: { type: 'putBack', params: of } as const } },
        },
        intervening: {
          tags: 'intervening',
          entry: { type: 'askForStep', params: of } as const,
          exit: { type: 'drop', params: { child: child.intervention } } as const,
          on: {
            [`xstate.done.actor.${child.intervention}`]: {
              target: 'deciding',
              actions: { type: 'keepStepChoice', params: answered } as const,
            },
            [`xstate.error.actor.${child.intervention}`]: {
              target: 'deciding',
              actions: { type: 'keepNoStepChoice', params: of } as const,
            },
          },
        },
        fallingBack: {
          entry: { type: 'fallBackForStep', params: of } as const,
          exit: { type: 'drop', params: { child: child.fallback } } as const,
          on: {
            [`xstate.done.actor.${child.fallback}`]: {
              target: 'done',
              actions: { type: 'completeByFallback', params: answered } as const,
            },
            [`xstate.error.actor.${child.fallback}`]: {
              target: 'failed',
              actions: { type: 'failStepFallback', params: failed.params } as const,
            },
          },
        },
      }),
      done: { type: 'final' },
      skipped: { type: 'final' },
      failed: { type: 'final' },
      held: { type: 'final' },
    },
  } as const;
}
