/** Money back to an employee: a flow whose steps have error handlers. Owns the steps and what is done when they fail. */
import { effect, type EffectArguments } from 'rewake';
import { fallback, flow, handler, retry, type } from 'rewake/machines';
import type { Outside } from './outside.ts';

export interface PayoutInput {
  readonly employee: string;
  readonly iban: string;
  readonly entries: readonly number[];
}

/** The flow of a payout. */
export function payoutFlow(outside: Outside) {
  const pay = ({ input, context }: EffectArguments<string>) => outside.pay(input, context.signal);
  return flow('payout', {
    input: type<PayoutInput>(),
    steps: {
      check: { run: async ({ input }: EffectArguments<PayoutInput>) => input.entries.length },
      transfer: {
        run: pay,
        needs: ['check'],
        input: ({ input }) => input.iban,
        retry: { maxRetries: 2, backoff: { initialDelay: '30s', jitter: 'none' } },
        onCommandFailure: [
          handler({ id: 'renewToken', when: 'auth', run: effect(async () => 'a new token'), then: retry() }),
        ],
        onFailure: [
          handler({
            id: 'byCheque',
            when: ['auth', 'server'],
            then: fallback(effect(async () => ({ transfer: 'a cheque' }))),
          }),
        ],
      },
      tell: {
        run: async ({ input }: EffectArguments<{ employee: string; transfer: string }>) =>
          `${input.employee} was told of ${input.transfer}`,
        needs: ['transfer'],
        input: ({ input, results }) => ({ employee: input.employee, transfer: results.transfer.transfer }),
      },
    },
    output: ({ results }) => ({ transfer: results.transfer.transfer }),
  });
}
