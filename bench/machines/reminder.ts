/**
 * A machine that sleeps until its time has come: a dormant actor with a timer.
 */
import { setup } from 'xstate';

export const reminder = setup({
  types: { context: {} as { delayMs: number; text: string }, input: {} as { delayMs: number; text: string } },
  delays: { untilDue: ({ context }) => context.delayMs },
}).createMachine({
  context: ({ input }) => input,
  initial: 'waiting',
  states: {
    waiting: { after: { untilDue: 'reminded' } },
    reminded: { type: 'final' },
  },
});
