/** The retry budget: its numbers, its chart against its reducer, and its survival (scenarios R25 to R27, R09). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { InvalidArgumentError } from 'rewake';
import {
  awsBudget,
  exact,
  grpcBudget,
  retryBudgetOptions,
  type RetryBudgetOptions,
} from '../../machines/retry-budget-options.ts';
import { retryBudget } from '../../machines/retry-budget.ts';
import {
  answerOf,
  answerWithoutRecord,
  changesNothing,
  charged,
  failureCounted,
  isGranted,
  paysForAny,
  reconfigured,
  refunded,
  type RetryBudgetAnswer,
  type RetryBudgetEvent,
  type RetryBudgetFact,
  type RetryBudgetSnapshot,
} from '../../machines/retry-budget-state.ts';
import { houses } from '../support/file-house.ts';

/** A budget as its callers use it: what changes nothing is not sent. */
class Bucket {
  sent = 0;
  readonly #budget;
  #asked = 0;

  constructor(options: RetryBudgetOptions) {
    this.#budget = createActor(retryBudget, { input: { key: 'db', options } }).start();
  }

  get snapshot(): RetryBudgetSnapshot {
    const { value, context } = this.#budget.getSnapshot();
    return { value, context };
  }

  get tokens(): number {
    return this.snapshot.context.tokens;
  }

  tell(event: RetryBudgetEvent): this {
    return changesNothing(this.snapshot, event) ? this : this.send(event);
  }

  /** Sends it also where it changes nothing. */
  send(event: RetryBudgetEvent): this {
    this.sent++;
    this.#budget.send(event);
    return this;
  }

  ask(throttled = false, id = `retry-${++this.#asked}`): RetryBudgetAnswer {
    const known = answerWithoutRecord(this.snapshot, { id, throttled });
    if (known) return known;
    return answerOf(this.tell({ type: 'retry.asked', id, throttled }).snapshot, id, throttled);
  }
}

let attempts = 0;
const failed = () => ({ type: 'attempt.failed', id: `call ${++attempts}`, retryable: true }) as const;
const succeeded = { type: 'attempt.succeeded' } as const;

it('RB7: how an attempt ended counts once, among the newest 100', () => {
  const bucket = new Bucket({ ...grpcBudget, tokens: 200, minimum: 1 });
  const lost = failed();
  const well = { ...succeeded, id: 'call' };
  expect(bucket.tell(lost).tell(lost).tell(failed()).tell(lost).tokens).toBe(198);
  expect(bucket.tell(well).tell(well).tokens).toBe(198.1);
  const before = bucket.snapshot;
  expect(bucket.send(lost).snapshot).toEqual(before);
  for (let i = 0; i < 100; i++) bucket.tell(failed());
  expect(bucket.snapshot.context.reports.length).toBe(100);
  expect(bucket.tell(lost).tokens).toBe(97.1);
});

describe('as gRPC counts', () => {
  it('R25: denies at half of the tokens, a success allows again, and other failures cost nothing', () => {
    const bucket = new Bucket(grpcBudget);
    for (const left of [9, 8, 7, 6]) {
      bucket.tell(failed()).tell({ ...failed(), retryable: false });
      expect(bucket.tokens).toBe(left);
      expect(bucket.ask()).toEqual({ granted: true, cost: 0, tokens: left });
    }
    expect(bucket.tell(failed()).ask()).toEqual({ granted: false, tokens: 5 });
    expect(bucket.tell(succeeded).ask()).toEqual({ granted: true, cost: 0, tokens: 5.1 });
  });

  it('has no fewer than no tokens, and is exact after many tenths (RB1)', () => {
    const bucket = new Bucket(grpcBudget);
    for (let i = 0; i < 12; i++) bucket.tell(failed());
    expect([bucket.tokens, bucket.sent]).toEqual([0, 10]);
    for (let i = 0; i < 50; i++) bucket.tell(succeeded);
    expect(bucket.ask()).toEqual({ granted: false, tokens: 5 });
    for (let i = 0; i < 100; i++) bucket.tell(succeeded);
    expect(bucket.tokens).toBe(10);
  });
});

describe('as AWS counts', () => {
  it('R26: pays for 35 transient retries and refuses the next with 10 left', () => {
    const bucket = new Bucket(awsBudget);
    for (let i = 0; i < 35; i++) expect(bucket.ask()).toMatchObject({ granted: true, cost: 14 });
    expect(bucket.ask()).toEqual({ granted: false, tokens: 10 });
    expect(bucket.ask(true)).toEqual({ granted: true, cost: 5, tokens: 5 });
  });

  it('R26: pays for 100 throttled retries', () => {
    const bucket = new Bucket(awsBudget);
    for (let i = 0; i < 100; i++) expect(bucket.ask(true)).toMatchObject({ granted: true, cost: 5 });
    expect(bucket.ask(true)).toEqual({ granted: false, tokens: 0 });
  });

  it.each<[string, object, number]>([
    ['what its retry took, as its caller knows', { afterRetry: 14 }, 499],
    ['what its retry took, as the budget knows', { id: 'throttled' }, 490],
    ['what its caller knows rather', { id: 'throttled', afterRetry: 14 }, 499],
    ['1 for a first call', {}, 486],
    ['1 for a retry it does not know', { id: 'unknown' }, 486],
    ['1 where no retry can have taken that much', { afterRetry: 400 }, 486],
    ['1 where that is no number', { afterRetry: NaN }, 486],
  ])('R26: a success gives back %s', (_, success, tokens) => {
    const bucket = new Bucket(awsBudget);
    for (const id of ['throttled', 'other', 'third']) bucket.ask(true, id);
    expect(bucket.tokens).toBe(485);
    expect(bucket.tell({ ...succeeded, ...success }).tokens).toBe(tokens);
  });

  it('a success with a full bucket is not worth an event', () => {
    const bucket = new Bucket(awsBudget).tell(succeeded);
    expect([bucket.sent, bucket.tokens]).toEqual([0, 500]);
  });

  it('who asks twice pays once, until 50 others have asked (RB3)', () => {
    const bucket = new Bucket(awsBudget);
    expect(bucket.ask(true, 'a')).toEqual({ granted: true, cost: 5, tokens: 495 });
    expect(bucket.ask(false, 'a')).toEqual({ granted: true, cost: 5, tokens: 495 });
    for (let i = 0; i < 49; i++) bucket.ask(true);
    expect(bucket.ask(true, 'a')).toMatchObject({ tokens: 250 });
    bucket.ask(true);
    expect(bucket.snapshot.context.grants.length).toBe(50);
    expect(bucket.ask(true, 'a')).toMatchObject({ granted: true, tokens: 240 });
  });
});

describe('with numbers of its own', () => {
  it('pays for ten retries of a tenth each, and not for an eleventh (RB1)', () => {
    const bucket = new Bucket({ tokens: 1, cost: 0.1, throttleCost: 0.1 });
    for (let i = 0; i < 10; i++) expect(bucket.ask().granted).toBe(true);
    expect(bucket.ask()).toEqual({ granted: false, tokens: 0 });
  });

  it('a failure that costs more than there is leaves nothing (RB1)', () => {
    const bucket = new Bucket({ ...grpcBudget, failureCost: 4 });
    expect([1, 2, 3, 4].map(() => bucket.tell(failed()).tokens)).toEqual([6, 2, 0, 0]);
  });

  it('is restored only when it pays for the dearest retry, and grants cheaper ones before (RB4)', () => {
    const bucket = new Bucket({ tokens: 10, cost: 2, throttleCost: 8, refund: 3 });
    bucket.ask(true);
    expect([bucket.ask(true).granted, bucket.snapshot.value]).toEqual([false, 'exhausted']);
    expect(bucket.tell(succeeded).ask()).toEqual({ granted: true, cost: 2, tokens: 3 });
    expect(bucket.tell(succeeded).snapshot).toMatchObject({ value: 'exhausted', context: { tokens: 6 } });
    expect(bucket.tell(succeeded).snapshot).toMatchObject({ value: 'available', context: { tokens: 9 } });
  });

  it('a retry that succeeded is forgotten: its id pays anew', () => {
    const bucket = new Bucket(awsBudget);
    bucket.ask(false, 'other');
    bucket.ask(false, 'a');
    bucket.tell({ ...succeeded, id: 'a' });
    expect(bucket.snapshot.context.grants).toEqual([{ id: 'other', cost: 14 }]);
    expect(bucket.ask(false, 'a')).toMatchObject({ granted: true, tokens: 472 });
  });
});

describe('the machine', () => {
  const budget = fc.constantFrom<RetryBudgetOptions[]>(
    grpcBudget,
    awsBudget,
    { tokens: 20, cost: 7, throttleCost: 9, refund: 2, minimum: 3 },
    { tokens: 2, cost: 0.3, throttleCost: 0.1, failureCost: 0.7 },
  );
  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h');
  const event: fc.Arbitrary<RetryBudgetEvent> = fc.oneof(
    fc.record({ type: fc.constant('retry.asked' as const), id, throttled: fc.boolean() }),
    fc.record(
      { type: fc.constant('attempt.succeeded' as const), id, afterRetry: fc.constantFrom(5, 7, 14) },
      { requiredKeys: ['type'] },
    ),
    fc.record({ type: fc.constant('attempt.failed' as const), id, retryable: fc.boolean() }),
    fc.record({
      type: fc.constant('budget.configured' as const),
      options: fc.oneof(budget, fc.constant({ cost: -1 })),
    }),
  );

  /** What the chart is to do, as a reducer: a new value is what the facts say (RB4). */
  function reduced({ value, context }: RetryBudgetSnapshot, sent: RetryBudgetEvent): RetryBudgetSnapshot {
    switch (sent.type) {
      case 'retry.asked':
        return isGranted(context, sent) ? { value, context: charged(context, sent) } : { value: 'exhausted', context };
      case 'attempt.succeeded': {
        const after = refunded(context, sent);
        return { value: paysForAny(after) ? 'available' : value, context: after };
      }
      case 'attempt.failed':
        return { value, context: failureCounted(context, sent) };
      case 'budget.configured': {
        const after = reconfigured(context, sent.options);
        return { value: after === context ? value : 'available', context: after };
      }
    }
  }

  function played(options: RetryBudgetOptions, look: (before: RetryBudgetSnapshot, sent: RetryBudgetEvent) => void) {
    const actor = createActor(retryBudget, { input: { key: 'db', options } });
    const facts: RetryBudgetFact[] = [];
    actor.on('*', (fact) => facts.push(fact));
    actor.start();
    const snapshotOf = (): RetryBudgetSnapshot => {
      const { value, context } = actor.getSnapshot();
      return { value, context };
    };
    const send = (sent: RetryBudgetEvent) => {
      look(snapshotOf(), sent);
      facts.length = 0;
      actor.send(sent);
      return { after: snapshotOf(), facts: facts.map(({ type, tokens }) => ({ type, tokens })) };
    };
    return send;
  }

  it('goes as the reducer goes, tells each change of state once, and keeps its bounds (RB1, RB2, RB4, RB5)', () => {
    fc.assert(
      fc.property(budget, fc.array(event, { maxLength: 120 }), (options, events) => {
        let before = new Bucket(options).snapshot;
        const send = played(options, (found) => expect(found).toEqual(before));
        for (const sent of events) {
          const { after, facts } = send(sent);
          expect(after).toEqual(reduced(before, sent));
          if (changesNothing(before, sent)) expect([after, facts]).toEqual([before, []]);
          const { tokens, settings } = after.context;
          expect(tokens).toBeGreaterThanOrEqual(0);
          expect(tokens).toBeLessThanOrEqual(settings.tokens);
          expect(tokens).toBe(exact(tokens));
          const type = after.value === 'exhausted' ? 'RetryBudgetExhausted' : 'RetryBudgetRestored';
          expect(facts).toEqual(after.value === before.value ? [] : [{ type, tokens }]);
          if (sent.type === 'retry.asked') {
            const answer = answerOf(after, sent.id, sent.throttled);
            const known = answerWithoutRecord(before, sent);
            if (known) expect(answer).toEqual(known);
            if (!answer.granted) expect(tokens).toBe(before.context.tokens);
          }
          before = after;
        }
      }),
      { numRuns: 200 },
    );
  });

  it('is plain JSON', () => {
    const bucket = new Bucket(awsBudget);
    bucket.ask();
    expect(JSON.parse(JSON.stringify(bucket.snapshot))).toEqual(bucket.snapshot);
  });

  it('refusals while it is exhausted are one fact, and so is its end', () => {
    const bucket = new Bucket({ ...awsBudget, tokens: 14 });
    expect(bucket.ask(false, 'a').granted).toBe(true);
    for (let i = 0; i < 10; i++) expect(bucket.ask().granted).toBe(false);
    expect([bucket.sent, bucket.snapshot.value]).toEqual([2, 'exhausted']);
    bucket.tell({ ...succeeded, id: 'a' });
    expect([bucket.sent, bucket.snapshot.value]).toEqual([3, 'available']);
  });
});

describe.each(houses)('%s', (_, build) => {
  const input = { key: 'db', options: grpcBudget };

  it('R27: a denial survives its host, and so does what allows retries again', async () => {
    const house = build();
    const { runtime, crash } = await house.openToCrash({ retryBudget });
    const first = await runtime.start('retryBudget', { id: 'db', input });
    for (const id of ['1', '2', '3', '4', '5']) await first.send({ ...failed(), id }, { messageId: `${id}.outcome` });
    await first.send({ type: 'retry.asked', id: 'x', throttled: false });
    expect(answerOf(first.getSnapshot(), 'x')).toEqual({ granted: false, tokens: 5 });
    crash();

    const { runtime: heir, crash: crashAgain } = await house.openToCrash({ retryBudget });
    const second = await heir.start('retryBudget', { id: 'db', input });
    expect(second.getSnapshot().value).toBe('exhausted');
    expect(answerWithoutRecord(second.getSnapshot(), { id: 'y', throttled: false })).toMatchObject({ granted: false });
    await second.send({ ...failed(), id: '5' }, { messageId: '5.outcome' });
    expect(second.getSnapshot().context.tokens).toBe(5);
    await second.send(succeeded);
    crashAgain();

    const third = await (await house.open({ retryBudget })).start('retryBudget', { id: 'db', input });
    expect(answerWithoutRecord(third.getSnapshot(), { id: 'x', throttled: false })).toEqual({
      granted: true,
      cost: 0,
      tokens: 5.1,
    });
    expect(await house.facts('retryBudget-db')).toEqual([
      { type: 'RetryBudgetExhausted', key: 'db', tokens: 5 },
      { type: 'RetryBudgetRestored', key: 'db', tokens: 5.1 },
    ]);
  });

  it('a grant survives its host: who asks again after a crash does not pay again (RB3)', async () => {
    const house = build();
    const options = { id: 'db', input: { key: 'db', options: awsBudget } };
    const asked = { type: 'retry.asked', id: 'x', throttled: false } as const;
    const { runtime, crash } = await house.openToCrash({ retryBudget });
    await (await runtime.start('retryBudget', options)).send(asked, { messageId: 'x' });
    crash();
    const ref = await (await house.open({ retryBudget })).start('retryBudget', options);
    const answer = { granted: true, cost: 14, tokens: 486 };
    expect(answerWithoutRecord(ref.getSnapshot(), asked)).toEqual(answer);
    await ref.send(asked, { messageId: 'x' });
    expect(answerOf(ref.getSnapshot(), 'x')).toEqual(answer);
  });
});

it.each<[object, string]>([
  [{ tokens: 0 }, 'budget.tokens'],
  [{ tokens: NaN }, 'budget.tokens'],
  [{ tokens: Infinity }, 'budget.tokens'],
  [{ tokens: '10' }, 'budget.tokens'],
  [{ cost: -1 }, 'budget.cost'],
  [{ tokens: 10 }, 'budget.cost'],
  [{ cost: 0.0001 }, 'budget.cost'],
  [{ throttleCost: 501 }, 'budget.throttleCost'],
  [{ failureCost: -0.5 }, 'budget.failureCost'],
  [{ refund: 0 }, 'budget.refund'],
  [{ refund: 'all' }, 'budget.refund'],
  [{ minimum: 500 }, 'budget.minimum'],
  [{ minimum: -1 }, 'budget.minimum'],
  [{ cost: 0, throttleCost: 0 }, 'budget'],
  [{ cost: 0, throttleCost: 0, failureCost: 1 }, 'budget'],
  [{ ratio: 0.1 }, 'budget.ratio'],
])('R09: refuses %j, naming %s', (options, path) => {
  expect(() => retryBudgetOptions(options, 'budget')).toThrow(InvalidArgumentError);
  expect(() => retryBudgetOptions(options, 'budget')).toThrow(`${path}:`);
});

it('the presets are settings that work, and AWS is what holds without options', () => {
  expect(retryBudgetOptions(awsBudget)).toEqual(retryBudgetOptions());
  expect(retryBudgetOptions(grpcBudget)).toEqual({ ...grpcBudget });
});
