/**
 * One execution of many promise steps: each calls the step anew and keeps a running sum.
 */
import { assign, setup, type PromiseActorLogic } from 'xstate';

/** The machine that runs `step` for 1, 2, … `steps`. */
export function loop(step: PromiseActorLogic<number, number>, steps: number) {
  return setup({
    types: { context: {} as { done: number; sum: number } },
    actors: { step },
    guards: { isLast: ({ context }) => context.done + 1 >= steps },
    actions: {
      keepOutput: assign({
        done: ({ context }) => context.done + 1,
        sum: ({ context }, params: { output: number }) => context.sum + params.output,
      }),
    },
  }).createMachine({
    context: { done: 0, sum: 0 },
    initial: 'stepping',
    states: {
      stepping: {
        invoke: {
          src: 'step',
          input: ({ context }) => context.done + 1,
          onDone: [
            {
              target: 'finished',
              guard: 'isLast',
              actions: { type: 'keepOutput', params: ({ event }) => event },
            },
            {
              target: 'stepping',
              reenter: true,
              actions: { type: 'keepOutput', params: ({ event }) => event },
            },
          ],
        },
      },
      finished: { type: 'final' },
    },
  });
}
