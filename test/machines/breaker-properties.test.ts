/**
 * What holds of a circuit breaker whatever is done to it in whatever order. Letters and numbers are those of the headers
 * of machines/breaker.ts and machines/breaker-permit.ts. Played under plain XState with the time as an ambient value.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { counted, noCounts, ratesOf } from '../../machines/breaker-counts.ts';
import type { BreakerEvent, BreakerFact } from '../../machines/breaker-facts.ts';
import { breakerOptions, type BreakerOptions } from '../../machines/breaker-options.ts';
import {
  answerOf,
  answerWithoutRecord,
  breakerState,
  changesNothing,
  type CallReport,
  type Permit,
} from '../../machines/breaker-permit.ts';
import { breaker } from '../../machines/breaker.ts';
import { withAmbient } from '../../src/kernel/determinism.ts';

const mustBeAlike = (found: unknown, expected: unknown): void => expect(found).toEqual(expected);
const mustDiffer = (found: unknown, other: unknown): void => expect(found).not.toEqual(other);

/** A breaker under plain XState at a time that the test sets; its own timer does not run. */
class Bench {
  nowMs = 1_000_000;
  readonly facts: BreakerFact[] = [];
  readonly permits: Permit[] = [];
  readonly #actor;

  constructor(options: BreakerOptions) {
    this.#actor = createActor(breaker, {
      input: { key: 'db', options },
      clock: { setTimeout: () => 0, clearTimeout: () => {} },
    });
    this.#actor.on('*', (fact) => void this.facts.push(fact));
    this.#at(() => this.#actor.start());
  }

  get snapshot() {
    return this.#actor.getSnapshot();
  }

  get state() {
    return breakerState(this.snapshot);
  }

  send(event: BreakerEvent): void {
    this.#at(() => this.#actor.send(event));
  }

  /** M1: what is answered without a record changes nothing when it is asked all the same. */
  ask(id: string): Permit | undefined {
    const answer = answerWithoutRecord(this.snapshot, id, this.nowMs);
    const before = this.#seen();
    this.send({ type: 'permit.asked', id });
    if (answer) mustBeAlike([this.#seen(), answerOf(this.snapshot, id, this.nowMs)], [before, answer]);
    else mustDiffer(this.#seen(), before);
    const { permit } = answerOf(this.snapshot, id, this.nowMs);
    if (permit) this.permits.push(permit);
    return permit;
  }

  /** M1: what need not be reported changes nothing when it is reported all the same. */
  report(permit: Permit, report: CallReport): void {
    const idle = changesNothing(this.snapshot, permit, report, this.nowMs);
    const before = this.#seen();
    this.send({ type: 'outcome.reported', permit, ...report });
    if (idle) mustBeAlike(this.#seen(), before);
  }

  #seen() {
    const { value, context } = this.snapshot;
    return { value, context, facts: this.facts.length };
  }

  #at<T>(act: () => T): T {
    return withAmbient({ at: this.nowMs, seed: 'bench' }, act);
  }
}

type Step =
  | { readonly do: 'ask'; readonly id: string }
  | { readonly do: 'report'; readonly which: number; readonly report: CallReport }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'send'; readonly event: BreakerEvent };

const rate = fc.constantFrom(0.25, 0.5, 1);
const windows = fc.oneof(
  fc.record({
    kind: fc.constant('count' as const),
    size: fc.integer({ min: 1, max: 4 }),
    failureRate: rate,
    slowCallRate: rate,
  }),
  fc.record({
    kind: fc.constant('time' as const),
    duration: fc.constantFrom(100, 2_000),
    minimumCalls: fc.integer({ min: 1, max: 3 }),
    failureRate: rate,
    slowCallRate: rate,
  }),
);
const options: fc.Arbitrary<BreakerOptions> = fc
  .record({
    rule: fc.oneof(
      fc.record({ consecutive: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ window: windows, slowCall: fc.constant(50) }),
      fc.record({ consecutive: fc.integer({ min: 1, max: 3 }), window: windows, slowCall: fc.constant(50) }),
    ),
    permits: fc.integer({ min: 1, max: 4 }),
    spare: fc.integer({ min: 0, max: 3 }),
    mode: fc.constantFrom('normal', 'normal', 'normal', 'disabled', 'metricsOnly'),
    autoHalfOpen: fc.boolean(),
  })
  .map(({ rule, permits, spare, ...rest }) => ({
    ...rule,
    ...rest,
    openFor: 100,
    openMax: 400,
    hintMax: 300,
    halfOpen: { permits, successes: Math.max(1, permits - spare), lease: 50 },
  }));

const reports: fc.Arbitrary<CallReport> = fc.record(
  {
    outcome: fc.constantFrom('success', 'failure', 'failure', 'ignored'),
    durationMs: fc.constantFrom(10, 50, 60),
    retryAfterMs: fc.constantFrom(0, 250, 1_000),
    failure: fc.constant({ message: 'it broke' }),
  },
  { requiredKeys: ['outcome'] },
);
const controls: fc.Arbitrary<BreakerEvent> = fc.oneof(
  fc.record({
    type: fc.constantFrom('breaker.isolated' as const, 'breaker.released' as const, 'breaker.released' as const),
    hold: fc.constantFrom('a', 'b'),
  }),
  fc.record({
    type: fc.constantFrom(
      'breaker.disabled' as const,
      'breaker.metricsOnly' as const,
      'breaker.enabled' as const,
      'breaker.enabled' as const,
    ),
  }),
  fc.record({ type: fc.constant('breaker.configured' as const), options }),
);
const ids = fc.constantFrom(...'abcdefgh');
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('ask' as const), id: ids }) },
    { weight: 8, arbitrary: fc.record({ do: fc.constant('report' as const), which: fc.nat(5), report: reports }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.constantFrom(0, 10, 49, 50, 100) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('send' as const), event: controls }) },
  ),
  { maxLength: 60, size: 'max' },
);

function play(bench: Bench, step: Step): void {
  if (step.do === 'ask') bench.ask(step.id);
  else if (step.do === 'wait') bench.nowMs += step.ms;
  else if (step.do === 'send') bench.send(step.event);
  else {
    // Among the newest permits; a permit may be reported twice.
    const permit = bench.permits.at(-1 - step.which);
    if (permit) bench.report(permit, step.report);
  }
}

/** Checks after every step, and that every state was seen, so that a property which sees nothing is noticed. */
function always(check: (bench: Bench, before: { openUntil: number | null; gen: number }, step: Step) => void) {
  const seen = new Set<string>();
  const property = fc.property(options, steps, (given, script) => {
    const bench = new Bench(given);
    for (const step of script) {
      const { gen, opening } = bench.snapshot.context;
      const openUntil = bench.state === 'open' ? opening!.until : null;
      play(bench, step);
      seen.add(bench.state);
      check(bench, { openUntil, gen }, step);
    }
  });
  fc.assert(property, { numRuns: 400 });
  expect([...seen].sort()).toEqual(['closed', 'disabled', 'halfOpen', 'isolated', 'metricsOnly', 'open']);
}

describe('whatever is done to a breaker', () => {
  it('K4: probes in flight, successes and failures never exceed the permits', () => {
    always(({ snapshot: { context } }) => {
      const { probes, probeSuccesses, probeFailures, settings } = context;
      expect(probes.length + probeSuccesses + probeFailures).toBeLessThanOrEqual(settings.halfOpen.permits);
      expect(new Set(probes.map(({ id }) => id)).size).toBe(probes.length);
    });
  });

  it('K3: nobody passes while it is open and not due', () => {
    always((bench, { openUntil }, step) => {
      if (step.do !== 'ask' || openUntil === null || bench.nowMs >= openUntil) return;
      expect(bench.state).toBe('open');
      expect(answerOf(bench.snapshot, step.id, bench.nowMs).permit).toBeUndefined();
    });
  });

  it('M1: what need not be sent changes nothing when it is sent', () => {
    // The bench compares at every ask and report.
    always(() => {});
  });

  it('K6: the generation never falls, and the context is plain JSON', () => {
    always(({ snapshot: { context } }, { gen }) => {
      expect(context.gen).toBeGreaterThanOrEqual(gen);
      expect(JSON.parse(JSON.stringify(context))).toStrictEqual(context);
    });
  });

  it('K4: it is never stuck: released and enabled, it admits a call once openings and leases are over', () => {
    fc.assert(
      fc.property(options, steps, (given, script) => {
        const bench = new Bench(given);
        for (const step of script) play(bench, step);
        for (const hold of ['a', 'b']) bench.send({ type: 'breaker.released', hold });
        bench.nowMs += 1_000;
        expect(bench.ask('last')).toBeDefined();
      }),
      { numRuns: 400 },
    );
  });

  it('K2, B11: a crossing opens once, however many failures arrive together', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.nat(20), fc.boolean(), (limit, extra, byRate) => {
        const bench = new Bench(byRate ? { window: { kind: 'count', size: limit } } : { consecutive: limit });
        for (let call = 0; call < limit + extra; call++) bench.ask(`call-${call}`);
        for (const permit of bench.permits) bench.report(permit, { outcome: 'failure' });
        const types = bench.facts.map(({ type }) => type);
        expect(types.filter((type) => type === 'CircuitOpened')).toHaveLength(1);
        expect(types.filter((type) => type === 'StaleOutcomeIgnored')).toHaveLength(extra);
      }),
      { numRuns: 100 },
    );
  });
});

describe('a time window', () => {
  const calls = fc.array(fc.record({ afterMs: fc.nat(40), failed: fc.boolean(), slow: fc.boolean() }), {
    minLength: 1,
    maxLength: 150,
    size: 'max',
  });

  it('N2: has every call younger than the duration less a hundredth, none older than it, in at most 101 slices', () => {
    const durationMs = 1_000;
    const settings = breakerOptions({
      window: { kind: 'time', duration: durationMs, minimumCalls: 1, slowCallRate: 1 },
      slowCall: 1,
    });
    fc.assert(
      fc.property(calls, (script) => {
        let counts = noCounts(settings);
        let nowMs = 1_000_003;
        const history: { readonly at: number; readonly failed: boolean }[] = [];
        for (const { afterMs, ...call } of script) {
          nowMs += afterMs;
          history.push({ at: nowMs, failed: call.failed });
          counts = counted(counts, settings, call, nowMs);
        }
        const age = (limitMs: number) => history.filter(({ at }) => nowMs - at < limitMs).length;
        const rates = ratesOf(counts, settings, nowMs);
        expect(rates.calls).toBeGreaterThanOrEqual(age(durationMs - durationMs / 100));
        expect(rates.calls).toBeLessThanOrEqual(age(durationMs));
        const newest = history.slice(-rates.calls);
        expect(rates.failureRate).toBe(newest.filter(({ failed }) => failed).length / rates.calls);
        expect(counts.window?.kind === 'time' && counts.window.slices.length).toBeLessThanOrEqual(101);
      }),
      { numRuns: 200 },
    );
  });
});
