/**
 * Three promise steps one after the other, each fed with the output of the one before: the workload of W1 to W4.
 */
import { assign, fromPromise, setup, type PromiseActorLogic } from 'xstate';

/** What a step is given. */
export interface StepInput {
  /** 1, 2 or 3. */
  readonly step: number;
  readonly value: number;
}

type Step = PromiseActorLogic<number, StepInput>;

/** A step that does nothing. */
export const noStep: Step = fromPromise(async ({ input }: { input: StepInput }) => input.value + 1);

/** A step that takes as long as it is told. */
export function slowStep(durationMs: number): Step {
  return fromPromise(async ({ input }: { input: StepInput }) => {
    await pause(durationMs);
    return input.value + 1;
  });
}

/** Waits on a timer of its own. */
export function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, durationMs));
}

/** The machine with the given logic as each of its steps. */
export function threeSteps(step: Step) {
  return setup({
    types: { context: {} as { value: number }, input: {} as { value: number }, output: {} as { value: number } },
    actors: { step },
    actions: { keepOutput: assign({ value: (_, params: { output: number }) => params.output }) },
  }).createMachine({
    context: ({ input }) => ({ value: input.value }),
    initial: 'first',
    states: {
      first: {
        invoke: {
          src: 'step',
          input: ({ context }) => ({ step: 1, value: context.value }),
          onDone: { target: 'second', actions: { type: 'keepOutput', params: ({ event }) => event } },
        },
      },
      second: {
        invoke: {
          src: 'step',
          input: ({ context }) => ({ step: 2, value: context.value }),
          onDone: { target: 'third', actions: { type: 'keepOutput', params: ({ event }) => event } },
        },
      },
      third: {
        invoke: {
          src: 'step',
          input: ({ context }) => ({ step: 3, value: context.value }),
          onDone: { target: 'finished', actions: { type: 'keepOutput', params: ({ event }) => event } },
        },
      },
      finished: { type: 'final' },
    },
    output: ({ context }) => context,
  });
}
