/** Flows in which something fails: what the log is told of their handlers is to cost little. */
import { effect, type EffectArguments } from '../../src/index.ts';
import { fallback, flow, handler, retry, skip, type } from '../../machines/index.ts';

interface Order {
  readonly n: number;
}

/** Whose card has been asked for once. */
const charged = new Set<string>();

/** Fails the first time it is called for a flow. */
async function charge({ input, context }: EffectArguments<Order>): Promise<number> {
  if (charged.delete(context.stream)) return input.n;
  charged.add(context.stream);
  throw Object.assign(new Error('who?'), { status: 401 });
}

/**
 * Five steps in two phases, three of them with handlers.
 * @param facts whether the handlers tell the log what they do
 * @param failing how many of the three fail: one is called again once its handler has run, one replaced, one left out
 */
export function orderFlow(facts: boolean, failing: 1 | 3) {
  const call = (name: string) => async (): Promise<string> => {
    if (failing === 3) throw Object.assign(new Error(`${name} is down`), { code: 'DOWN' });
    return name;
  };
  return flow('order', {
    input: type<Order>(),
    facts,
    steps: {
      reserve: { run: async ({ input }: EffectArguments<Order>) => input.n },
      charge: {
        run: charge,
        needs: ['reserve'],
        input: ({ input }) => input,
        onFailure: [handler({ id: 'logIn', when: 'auth', run: effect(async () => 'token'), then: retry() })],
      },
      ship: {
        run: call('the carrier'),
        needs: ['charge'],
        onFailure: [handler({ id: 'byBike', when: 'DOWN', then: fallback(effect(async () => 'by bike')) })],
      },
      tell: {
        run: call('the mailer'),
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
