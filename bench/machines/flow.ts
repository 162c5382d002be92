/** A flow in which something fails now and then: what the log is told of its handlers is to cost little. */
import { effect, type EffectArguments } from '../../src/index.ts';
import { fallback, flow, handler, retry, skip, type } from '../../machines/index.ts';

interface Order {
  readonly n: number;
}

const failing = (name: string) => async (): Promise<string> => {
  throw Object.assign(new Error(`${name} is down`), { code: 'DOWN' });
};

/**
 * Five steps in two phases, three of which fail: one is called again once its handler has run, one replaced, one left out.
 * @param facts whether its handlers tell the log what they do
 */
export function orderFlow(facts: boolean) {
  return flow('order', {
    input: type<Order>(),
    facts,
    steps: {
      reserve: { run: async ({ input }: EffectArguments<Order>) => input.n },
      charge: {
        run: async ({ input, context }: EffectArguments<Order>) => {
          const first = !charged.delete(context.stream);
          if (first) charged.add(context.stream);
          if (first) throw Object.assign(new Error('who?'), { status: 401 });
          return input.n;
        },
        needs: ['reserve'],
        input: ({ input }) => input,
        onFailure: [handler({ id: 'logIn', when: 'auth', run: effect(async () => 'token'), then: retry() })],
      },
      ship: {
        run: failing('the carrier'),
        needs: ['charge'],
        onFailure: [handler({ id: 'byBike', when: 'DOWN', then: fallback(effect(async () => 'by bike')) })],
      },
      tell: {
        run: failing('the mailer'),
        needs: ['charge'],
        onFailure: [handler({ id: 'quietly', then: skip() })],
      },
      file: { run: async () => 'filed' },
    },
    phases: [
      { id: 'order', steps: ['reserve', 'charge', 'ship', 'tell'] },
      { id: 'archive', steps: ['file'] },
    ],
  });
}

const charged = new Set<string>();
