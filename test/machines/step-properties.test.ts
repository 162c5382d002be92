/**
 * What holds of a step whatever happens to its hosts: they crash, are closed and come back, and the clock jumps. Numbers
 * are those of docs/explanation/invariants.md.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { createRuntime, memoryLog, VirtualClock, type EffectArguments } from 'rewake';
import type { BackoffOptions, Jitter } from '../../machines/backoff.ts';
import { breaker } from '../../machines/breaker.ts';
import { RecoveryExhaustedError } from '../../machines/recovery-errors.ts';
import type { RetryScheduled } from '../../machines/step-facts.ts';
import { step } from '../../machines/step.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { FaultyLog, type AppendPhase, type LogFault } from '../../src/testing/faulty-log.ts';
import { quiet } from '../support/two-lives.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { outcomeOf } from '../support/house.ts';
import { propertyRuns } from '../support/property-runs.ts';

/**
 * How one host lives: its clock is set after its first timer, and it dies at an append of its own or is closed after so many
 * timers; then nobody is there a while, or the next one's clock is behind.
 */
type Life = {
  readonly jumpMs: number;
  readonly downMs: number;
} & ({ readonly append: number; readonly phase: AppendPhase } | { readonly timers: number });

interface Plan {
  readonly maxAttempts: number;
  readonly backoff: BackoffOptions;
  /** Whether a breaker stands before it, that opens at the second failure; a deadline lets the step wait for it. */
  readonly guarded: boolean;
  /** What the attempts come to, in order; the last one again after that. */
  readonly outcomes: readonly ('fails' | 'hangs' | 'succeeds')[];
  readonly lives: readonly Life[];
}

/** Clocks that are set go forwards and backwards. */
const jumpMs = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: -20_000, max: 20_000 }));
const downMs = fc.constantFrom(0, 1, 500, 10_000, 1_000_000, -5_000);
const lives: fc.Arbitrary<Life> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      ...{ jumpMs, downMs, append: fc.nat(8), phase: fc.constantFrom<AppendPhase[]>('beforeAppend', 'afterAppend') },
    }),
  },
  { weight: 1, arbitrary: fc.record({ jumpMs, downMs, timers: fc.nat(4) }) },
);
const plans: fc.Arbitrary<Plan> = fc.record({
  maxAttempts: fc.integer({ min: 1, max: 5 }),
  guarded: fc.boolean(),
  backoff: fc.record({
    strategy: fc.constantFrom('exponential', 'fixed', 'linear', 'fibonacci'),
    jitter: fc.constantFrom<Jitter[]>(
      'none',
      'full',
      'equal',
      'decorrelated',
      { proportional: 0.5 },
      { additive: 0.5 },
    ),
    initialDelay: fc.constantFrom(10, 1_000),
  }),
  outcomes: fc.array(fc.constantFrom('fails', 'fails', 'hangs', 'succeeds'), { minLength: 1, maxLength: 8 }),
  lives: fc.array(lives, { maxLength: 5 }),
});

interface Call {
  readonly at: number;
  readonly causationId: string;
}

/** Plays a plan to its end. */
async function live({ maxAttempts, backoff, guarded, outcomes, lives: planned }: Plan) {
  const clock = new VirtualClock();
  const below = memoryLog({ clock });
  const calls: Call[] = [];
  const call = ({ context }: EffectArguments<unknown>) => {
    calls.push({ at: clock.now(), causationId: context.causationId });
    const outcome = outcomes[Math.min(calls.length, outcomes.length) - 1];
    if (outcome === 'succeeds') return 'done';
    if (outcome === 'hangs') return new Promise(() => {});
    throw Object.assign(new Error('busy'), { status: 503 });
  };
  const guard = { deadline: '100d', breaker: { key: 'api', consecutive: 2, openFor: '2s', openMax: '4s' } } as const;
  const options = { timeout: '5s', retry: { maxAttempts, backoff }, ...(guarded && guard) } as const;
  const machines = () => ({ work: step('work', call, options) as AnyStateMachine, breaker });
  let closed = 0;
  let crashed = 0;
  for (const life of [...planned, undefined]) {
    const crashes: LogFault[] =
      life && 'append' in life ? [{ fault: 'crash', append: life.append, phase: life.phase }] : [];
    const log = new FaultyLog(below, crashes);
    let runtime: Runtime | undefined;
    const opening = createRuntime({
      ...{ log, clock, machines: machines(), logger: silentLogger },
      ...{ lease: false, passivate: false, keepLogOpen: true },
    });
    void opening.then((opened) => (runtime = opened as unknown as Runtime));
    await quiet(log);
    void runtime?.start('work', { id: '1' });
    const timers = life && 'timers' in life ? life.timers : 60;
    await quiet(log);
    for (let timer = 0; timer < timers && !log.death; timer++) {
      if (timer === 1) clock.jump(life?.jumpMs ?? 0);
      const due = clock.nextDue();
      if (due !== undefined) await clock.advance(Math.max(0, due - clock.now()), () => quiet(log));
    }
    if (log.death) crashed++;
    if (!life)
      return { below, calls, closed, crashed, outcome: await outcomeOf((await runtime!.get('work-1')).output()) };
    if (!log.death) {
      closed++;
      const closing = runtime!.close({ drain: 0 });
      await clock.advance(10, () => quiet(log));
      await closing;
    }
    clock.jump(life.downMs);
  }
  throw new Error('The last life has no end.');
}

/** By the id of each event: its time in the log, and when the newest retry before it is due. */
async function readTimes(log: ReturnType<typeof memoryLog>) {
  const times = new Map<string, { readonly at: number; readonly dueAt: number }>();
  let at = 0;
  let dueAt = 0;
  for await (const { id, type, data: text } of log.readStream('work-1')) {
    const data = JSON.parse(text) as Partial<RetryScheduled> & { readonly at?: number };
    // A clock that was set back is behind its log.
    at = Math.max(at, data.at ?? at);
    times.set(id, { at, dueAt });
    if (type === 'RetryScheduled') dueAt = data.dueAt!;
  }
  return times;
}

it('15, 16, 19: there are no more attempts than its policy has, and none before it is due', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const { below, calls, closed, crashed, outcome } = await live(plan);
      // An attempt that an orderly close cut off does not count.
      expect(calls.length).toBeLessThanOrEqual(plan.maxAttempts + closed);
      const times = await readTimes(below);
      const wasSetBack = plan.lives.some((life) => life.jumpMs < 0 || life.downMs < 0);
      for (const { at, causationId } of calls) {
        const caused = times.get(causationId);
        expect(caused, 'a call has an intent on the log').toBeDefined();
        expect(caused!.at).toBeGreaterThanOrEqual(caused!.dueAt);
        if (!wasSetBack) expect(at).toBeGreaterThanOrEqual(caused!.dueAt);
      }
      const types: string[] = [];
      for await (const { type } of below.readStream('work-1')) types.push(type);
      const count = (type: string) => types.filter((each) => each === type).length;
      expect(count('AttemptFailed')).toBeLessThanOrEqual(plan.maxAttempts + closed);
      const waits = count('RetryScheduled') - count('AttemptRejected');
      expect(waits).toBeLessThanOrEqual(plan.maxAttempts - 1 + closed);
      if (outcome.error === undefined) expect(outcome.output).toBe('done');
      else {
        expect(outcome.error).toBeInstanceOf(RecoveryExhaustedError);
        expect(outcome.error).toMatchObject({ attempts: plan.maxAttempts, reason: 'attempts' });
      }
      seen.add(outcome.error === undefined ? 'succeeded' : 'exhausted');
      if (calls.length > 1) seen.add('retried');
      if (crashed > 1) seen.add('crashed twice');
      if (closed > 0) seen.add('closed');
      if (count('AttemptRejected') > 0) seen.add('refused by its breaker');
      if (calls.length < plan.maxAttempts && outcome.error !== undefined) seen.add('lost before it was called');
    }),
    propertyRuns(150),
  );
  expect([...seen].sort()).toEqual([
    ...['closed', 'crashed twice', 'exhausted', 'lost before it was called', 'refused by its breaker'],
    ...['retried', 'succeeded'],
  ]);
}, 60_000);
