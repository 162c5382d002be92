/**
 * What holds of a step whatever happens to its hosts: they crash, are closed and come back, and the clock jumps. Numbers
 * are those of docs/explanation/invariants.md.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { createRuntime, memoryLog, VirtualClock, type EffectArguments } from 'rewake';
import type { BackoffOptions, Jitter } from '../../machines/backoff.ts';
import { RecoveryExhaustedError } from '../../machines/recovery-errors.ts';
import type { RetryScheduled } from '../../machines/step-facts.ts';
import { step } from '../../machines/step.ts';
import type { Runtime } from '../../src/runtime/runtime.ts';
import { crashingLog, type CrashPhase } from '../support/crashing-log.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { silentLogger } from '../support/hosted.ts';
import { outcomeOf } from '../support/house.ts';
import { propertyRuns } from '../support/property-runs.ts';

/**
 * How one host lives: its clock is set after its first timer, and it dies at an append of its own or is closed after so many
 * timers; then nobody is there a while, or the next one's clock is behind.
 */
type Life = {
  readonly jumpMs: number;
  readonly downMs: number;
} & ({ readonly append: number; readonly phase: CrashPhase } | { readonly timers: number });

interface Plan {
  readonly maxAttempts: number;
  readonly backoff: BackoffOptions;
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
      ...{ jumpMs, downMs, append: fc.nat(8), phase: fc.constantFrom<CrashPhase[]>('before', 'after') },
    }),
  },
  { weight: 1, arbitrary: fc.record({ jumpMs, downMs, timers: fc.nat(4) }) },
);
const plans: fc.Arbitrary<Plan> = fc.record({
  maxAttempts: fc.integer({ min: 1, max: 5 }),
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
async function live({ maxAttempts, backoff, outcomes, lives: planned }: Plan) {
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
  const machine = () => step('work', call, { timeout: '5s', retry: { maxAttempts, backoff } }) as AnyStateMachine;
  let closed = 0;
  let crashed = 0;
  for (const life of [...planned, undefined]) {
    const log = crashingLog(below, life && 'append' in life ? life : undefined);
    let runtime: Runtime | undefined;
    const opening = createRuntime({
      ...{ log: log.log, clock, machines: { work: machine() }, logger: silentLogger },
      ...{ lease: false, passivate: false, keepLogOpen: true },
    });
    void opening.then((opened) => (runtime = opened as unknown as Runtime));
    await rest();
    void runtime?.start('work', { id: '1' });
    const timers = life && 'timers' in life ? life.timers : 60;
    for (let timer = 0; timer < timers && !log.crashed; timer++) {
      await rest();
      if (timer === 1) clock.jump(life?.jumpMs ?? 0);
      const due = clock.nextDue();
      if (due !== undefined) await clock.advance(Math.max(0, due - clock.now()), rest);
    }
    await rest();
    if (log.crashed) crashed++;
    if (!life)
      return { below, calls, closed, crashed, outcome: await outcomeOf((await runtime!.get('work-1')).output()) };
    if (!log.crashed) {
      closed++;
      const closing = runtime!.close({ drain: 0 });
      await clock.advance(10, rest);
      await closing;
    }
    clock.jump(life.downMs);
  }
  throw new Error('The last life has no end.');
}

/** The newest RetryScheduled before each event, by the id of the event. */
async function scheduledBefore(log: ReturnType<typeof memoryLog>): Promise<Map<string, RetryScheduled | undefined>> {
  const before = new Map<string, RetryScheduled | undefined>();
  let newest: RetryScheduled | undefined;
  for await (const { id, type, data } of log.readStream('work-1')) {
    before.set(id, newest);
    if (type === 'RetryScheduled') newest = JSON.parse(data) as RetryScheduled;
  }
  return before;
}

it('15, 16, 19: there are no more attempts than its policy has, and none before it is due', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(plans, async (plan) => {
      const { below, calls, closed, crashed, outcome } = await live(plan);
      // An attempt that an orderly close cut off does not count.
      expect(calls.length).toBeLessThanOrEqual(plan.maxAttempts + closed);
      const scheduled = await scheduledBefore(below);
      for (const { at, causationId } of calls) {
        expect(scheduled.has(causationId), 'a call has an intent on the log').toBe(true);
        expect(at).toBeGreaterThanOrEqual(scheduled.get(causationId)?.dueAt ?? 0);
      }
      const types: string[] = [];
      for await (const { type } of below.readStream('work-1')) types.push(type);
      const count = (type: string) => types.filter((each) => each === type).length;
      expect(count('AttemptFailed')).toBeLessThanOrEqual(plan.maxAttempts + closed);
      expect(count('RetryScheduled')).toBeLessThanOrEqual(plan.maxAttempts - 1 + closed);
      if (outcome.error === undefined) expect(outcome.output).toBe('done');
      else {
        expect(outcome.error).toBeInstanceOf(RecoveryExhaustedError);
        expect(outcome.error).toMatchObject({ attempts: plan.maxAttempts, reason: 'attempts' });
      }
      seen.add(outcome.error === undefined ? 'succeeded' : 'exhausted');
      if (calls.length > 1) seen.add('retried');
      if (crashed > 1) seen.add('crashed twice');
      if (closed > 0) seen.add('closed');
      if (calls.length < plan.maxAttempts && outcome.error !== undefined) seen.add('lost before it was called');
    }),
    propertyRuns(150),
  );
  expect([...seen].sort()).toEqual([
    'closed',
    'crashed twice',
    'exhausted',
    'lost before it was called',
    'retried',
    'succeeded',
  ]);
}, 60_000);
