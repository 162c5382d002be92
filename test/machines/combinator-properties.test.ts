/**
 * Any stack of combinators around a call is as good as the call: it gives what the call gives, fails as the call fails where
 * nothing can be done, and otherwise as its documentation says; hosted and under plain XState alike.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createActor, fromPromise, SimulatedClock, toPromise, type AnyActorLogic, type AnyStateMachine } from 'xstate';
import { withBulkhead } from '../../machines/bulkhead.ts';
import { withCache } from '../../machines/caching.ts';
import { withCatch } from '../../machines/catch.ts';
import { classify } from '../../machines/classify.ts';
import { withFallback } from '../../machines/fallback.ts';
import { withHedge } from '../../machines/hedge.ts';
import { forgetFlights } from '../../machines/flights.ts';
import { recoveryMachines } from '../../machines/index.ts';
import { forgetLocalActors } from '../../machines/keyed-actor.ts';
import { withRateLimit } from '../../machines/rate-limit.ts';
import { FallbackExhaustedError, RecoveryExhaustedError } from '../../machines/recovery-errors.ts';
import { forgetSlots } from '../../machines/slots.ts';
import { withBreaker, withDeadline, withRetry, withTimeout } from '../../machines/step.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { House, outcomeOf } from '../support/house.ts';
import { propertyRuns } from '../support/property-runs.ts';

/** What comes of a stack, and of how many calls. */
interface Outcome {
  readonly output?: unknown;
  readonly error?: unknown;
  readonly calls: number;
}

interface Layer {
  readonly name: string;
  readonly wrap: (logic: AnyActorLogic, place: number) => AnyActorLogic;
  /** What comes of a logic that always ends like this, once it is wrapped. */
  readonly around: (inner: Outcome) => Outcome;
}

const unchanged = (inner: Outcome) => inner;
const isWorthAnother = (error: unknown) => classify(error).retryable !== false;
const ended = (error: unknown) => error instanceof RecoveryExhaustedError || error instanceof FallbackExhaustedError;

/** Only errors are changed. */
const onError = (change: (error: unknown, calls: number) => Outcome) => (inner: Outcome) =>
  'error' in inner ? change(inner.error, inner.calls) : inner;

const layers: readonly Layer[] = [
  { name: 'withTimeout', wrap: (logic) => withTimeout('1d')(logic), around: unchanged },
  { name: 'withDeadline', wrap: (logic) => withDeadline('1d')(logic), around: unchanged },
  {
    name: 'withBreaker',
    wrap: (logic, place) => withBreaker({ key: `stack ${place}`, consecutive: 1_000 })(logic),
    around: unchanged,
  },
  {
    name: 'withRateLimit',
    wrap: (logic, place) => withRateLimit(`stack ${place}`, { limit: 1_000, per: '1s' })(logic),
    around: unchanged,
  },
  {
    name: 'withCache',
    wrap: (logic, place) => withCache(`stack ${place}`, { key: (input: number) => `${input}`, ttl: '1m' })(logic),
    around: unchanged,
  },
  { name: 'withCatch', wrap: (logic) => withCatch('NoSuchError')(logic), around: unchanged },
  { name: 'withBulkhead', wrap: (logic, place) => withBulkhead(`stack ${place}`)(logic), around: unchanged },
  {
    name: 'withRetry',
    wrap: (logic) => withRetry({ maxRetries: 1, backoff: { initialDelay: 1, jitter: 'none' } })(logic),
    around: onError((error, calls) =>
      isWorthAnother(error)
        ? { error: new RecoveryExhaustedError('withRetry', 'attempts', 2, [error, error]), calls: 2 * calls }
        : { error, calls },
    ),
  },
  {
    name: 'withHedge',
    wrap: (logic) => withHedge({ delay: '1h', max: 2 })(logic),
    around: onError((error, calls) =>
      isWorthAnother(error)
        ? { error: new FallbackExhaustedError('hedge', [error, error]), calls: 2 * calls }
        : { error, calls },
    ),
  },
  {
    name: 'withFallback',
    wrap: (logic) => withFallback([fromPromise(async () => 'from the fallback')])(logic),
    around: onError((error, calls) =>
      isWorthAnother(error) || ended(error) ? { output: 'from the fallback', calls } : { error, calls },
    ),
  },
];

type Ending = 'succeeds' | 'fails for good' | 'fails for now';

const failures: Readonly<Record<Exclude<Ending, 'succeeds'>, number>> = { 'fails for good': 400, 'fails for now': 503 };
const failureOf = (ending: Exclude<Ending, 'succeeds'>) =>
  Object.assign(new Error(ending), { status: failures[ending] });

function stackOf(names: readonly Layer[], ending: Ending) {
  const made = { calls: 0 };
  const call = fromPromise(async ({ input }: { input: number }) => {
    made.calls++;
    if (ending !== 'succeeds') throw failureOf(ending);
    return input + 1;
  });
  const logic = names.reduceRight<AnyActorLogic>((inner, { wrap }, place) => wrap(inner, place), call);
  return { made, machine: logic as AnyStateMachine };
}

function expectedOf(stack: readonly Layer[], ending: Ending): Outcome {
  const call: Outcome = ending === 'succeeds' ? { output: 42, calls: 1 } : { error: failureOf(ending), calls: 1 };
  return stack.reduceRight((inner, { around }) => around(inner), call);
}

async function runHosted(stack: readonly Layer[], ending: Ending): Promise<Outcome> {
  const { made, machine } = stackOf(stack, ending);
  const house = new House();
  const runtime = await house.open({ work: machine, ...recoveryMachines });
  const outcome = outcomeOf((await runtime.start('work', { id: '1', input: 41 } as never)).output());
  await house.advance(10_000);
  expect(house.lines.filter(({ level }) => level === 'error')).toEqual([]);
  return seen(await outcome, made.calls);
}

async function runPlain(stack: readonly Layer[], ending: Ending): Promise<Outcome> {
  const { made, machine } = stackOf(stack, ending);
  const clock = new SimulatedClock();
  const actor = createActor(machine, { input: 41, clock } as never);
  const outcome = outcomeOf(toPromise(actor) as Promise<unknown>);
  actor.start();
  for (let ms = 0; actor.getSnapshot().status === 'active' && ms < 200; ms++) {
    await rest();
    clock.increment(1);
  }
  return seen(await outcome, made.calls);
}

const seen = ({ output, error }: { output: unknown; error: unknown }, calls: number): Outcome =>
  error === undefined ? { output, calls } : { error, calls };

/** What an error is, and what is behind it; whether it comes from a log or not. */
function told(error: unknown): unknown {
  const { name, message, status, attempts, errors } = error as RecoveryExhaustedError & { status?: number };
  return { name, message, status, attempts, errors: errors?.map(told) };
}

const view = (outcome: Outcome) => ('error' in outcome ? { ...outcome, error: told(outcome.error) } : outcome);

const stacks = fc.array(fc.constantFrom(...layers), { minLength: 1, maxLength: 5 });

it.each<Ending>(['succeeds', 'fails for good', 'fails for now'])(
  'any stack around a call that %s',
  async (ending) => {
    const used = new Set<string>();
    await fc.assert(
      fc.asyncProperty(stacks, async (stack) => {
        forgetSlots();
        forgetFlights();
        forgetLocalActors();
        const names = stack.map(({ name }) => name).join(' > ');
        const expected = expectedOf(stack, ending);
        if (ending === 'succeeds') expect(expected).toEqual({ output: 42, calls: 1 });
        if (ending === 'fails for good') expect(view(expected)).toEqual(view({ error: failureOf(ending), calls: 1 }));
        expect(view(await runHosted(stack, ending)), `hosted: ${names}`).toEqual(view(expected));
        expect(view(await runPlain(stack, ending)), `plain: ${names}`).toEqual(view(expected));
        for (const { name } of stack) used.add(name);
      }),
      propertyRuns(60),
    );
    expect([...used].sort()).toEqual(layers.map(({ name }) => name).sort());
  },
  60_000,
);
