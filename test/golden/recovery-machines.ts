/**
 * The recovery machines of the golden logs: a step with retries and a breaker, an approval, a saga and a batch, as users make
 * them. Owns how they are made.
 *
 * NEVER CHANGE WHAT IS MADE HERE, for the reason that machines.ts gives. What they are made by does change: that its histories
 * fold all the same is what the golden logs are for.
 */
import { fromPromise, type AnyStateMachine } from 'xstate';
import { effect, type EffectArguments } from 'rewake';
import { approval, batch, breaker, saga, step } from 'rewake/machines';

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

/** By their durable names. */
export const recoveryMachines = {
  fetched: machineOf(fetched),
  hopeless: machineOf(hopeless),
  granted: machineOf(granted),
  trip: machineOf(trip),
  bulk: machineOf(bulk),
  breaker: machineOf(breaker),
};
