/**
 * The recovery machines of the golden logs: a step with retries and a breaker, an approval, a saga and a batch, as users make
 * them. Owns how they are made.
 *
 * NEVER CHANGE WHAT IS MADE HERE, for the reason that machines.ts gives. What they are made by does change: that its histories
 * fold all the same is what the golden logs are for.
 */
import { fromPromise, type AnyStateMachine } from 'xstate';
import { effect, type EffectArguments } from 'rewake';
import {
  abort,
  approval,
  batch,
  breaker,
  fallback,
  flow,
  handler,
  intervene,
  resumeFrom,
  retry,
  saga,
  skip,
  step,
  type,
} from 'rewake/machines';

const machineOf = (machine: unknown) => machine as AnyStateMachine;
const failWith = (status: number) => {
  throw Object.assign(new Error(`answered ${status}`), { status });
};
const backoff = { strategy: 'fixed', initialDelay: 100, jitter: 'none' } as const;

const gives = (output: unknown) => fromPromise(async () => output);

/** Fails twice, which opens the breaker, waits for it as a probe, and succeeds. */
const fetched = step(
  'fetched',
  ({ input, context }: EffectArguments<{ startedAt: number }>) =>
    context.now() - input.startedAt < 1_000 ? failWith(503) : { body: 'well' },
  {
    timeout: '1s',
    deadline: '1h',
    retry: { maxAttempts: 9, backoff },
    breaker: { key: 'api', consecutive: 2, openFor: 2_000, openMax: 2_000, wait: '1m' },
  },
);

/** Gives up. */
const hopeless = step('hopeless', () => failWith(500), { retry: { maxAttempts: 2, backoff } });

const granted = approval('granted', { timeout: '1d', escalation: [{ after: '1h', to: 'boss' }], quorum: 2 });

const trip = saga('trip', [
  { name: 'flight', run: gives('seat 7'), undo: gives('undone') },
  { name: 'hotel', run: gives('room 3'), undo: fromPromise(async () => failWith(409)) },
  { name: 'car', run: fromPromise(async () => failWith(404)) },
]);

const bulk = batch({ concurrency: 2, minSuccessRate: 0.5 })(
  effect(({ input }: EffectArguments<number>) => (input === 2 ? failWith(422) : input * 10)),
);

/** What a step of the journey answers: what its input says for the n-th call of its host, so that a life can be told. */
let calls = 0;
export const forgetCalls = () => (calls = 0);
const unsteady = (failures: number, error: () => Error) => async () => {
  if (++calls <= failures) throw error();
  return `after ${calls} calls`;
};
const coded = (code: string) => () => Object.assign(new Error(`it says ${code}`), { code });

/** Handlers of all scopes, a list, a part of its own, and a question to a person. */
const journey = flow('journey', {
  input: type<{ stops: string[] }>(),
  steps: {
    stops: { run: ({ input }: EffectArguments<{ stops: string[] }>) => input.stops },
    visit: { run: ({ input }: EffectArguments<string>) => `seen ${input}`, forEach: 'stops', undo: gives('unseen') },
    pay: {
      run: unsteady(1, coded('LOGGED_OUT')),
      retry: { maxAttempts: 2, backoff },
      onCommandFailure: [handler({ id: 'logIn', when: 'LOGGED_OUT', run: gives('token'), then: retry() })],
      undo: gives('refunded'),
    },
    insure: {
      run: async () => failWith(500),
      needs: ['pay'],
      onFailure: [handler({ id: 'cheaply', when: 'server', then: fallback(gives('a policy')) })],
    },
    nap: { run: async () => failWith(404), when: ({ input }) => input.stops.length > 1 },
    board: { run: async () => failWith(410), needs: ['insure'] },
  },
  phases: [
    { id: 'there', steps: ['stops', 'visit', 'pay'] },
    {
      id: 'back',
      steps: ['insure', 'nap', 'board'],
      onFailure: [
        handler({ id: 'awake', when: (error) => (error as { status?: number }).status === 404, then: skip(null) }),
        handler({ id: 'again', when: (_, { input }) => input === null, then: resumeFrom('insure') }),
      ],
    },
  ],
  onFailure: [
    handler({
      id: 'ask',
      then: intervene('The train is gone.', { wait: retry(), home: abort({ cleanup: gives('cleaned up') }) }),
    }),
  ],
});

/** By their durable names. */
export const recoveryMachines = {
  fetched: machineOf(fetched),
  hopeless: machineOf(hopeless),
  granted: machineOf(granted),
  trip: machineOf(trip),
  bulk: machineOf(bulk),
  breaker: machineOf(breaker),
};

/** The flow, by its durable name. */
export const flowMachines = { journey: machineOf(journey) };
