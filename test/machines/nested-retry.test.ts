/** Retries around retries: how their attempts multiply, and that somebody is told (scenario R31). */
import { describe, expect, it } from 'vitest';
import { createActor, fromPromise, setup, type AnyActorLogic, type AnyStateMachine } from 'xstate';
import { batch } from '../../machines/batch.ts';
import { withFallback } from '../../machines/fallback.ts';
import { step, withRetry, withTimeout } from '../../machines/step.ts';
import { House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const backoff = { initialDelay: 10, jitter: 'none' } as const;
const busy = () => Object.assign(new Error('busy'), { status: 503 });

/** What a machine tells of nesting when it begins, under plain XState. */
function toldBy(logic: AnyActorLogic): object[] {
  const told: object[] = [];
  const actor = createActor(logic as AnyStateMachine, { input: [] });
  actor.on('NestedRetryDetected', (fact) => told.push(fact));
  actor.start();
  actor.stop();
  return told;
}

describe('retries around retries', () => {
  it('R31: ten around one are six calls for five failures, in one story, with one warning', async () => {
    const house = new House();
    let calls = 0;
    const inner = step(
      'inner',
      () => {
        if (++calls <= 5) throw busy();
        return 'done';
      },
      { retry: { maxRetries: 1, backoff } },
    );
    const work = withRetry({ maxRetries: 10, backoff })(inner) as unknown as AnyStateMachine;
    const { runtime, crash } = await house.openToCrash({ work });
    await runtime.start('work', { id: '1', correlationId: 'c-1' });
    await rest();
    crash();
    const ref = await (await house.open({ work })).get('work-1');
    await rest();
    await house.advance(10_000);
    expect([await ref.output(), calls]).toEqual(['done', 6]);
    const events = (await house.events('work-1')).filter(({ meta }) => meta.actor !== undefined);
    expect(new Set(events.map(({ meta }) => meta.$correlationId))).toEqual(new Set(['c-1']));
    const attempts = (name: string) =>
      events.flatMap(({ data }) => (data.type === 'AttemptFailed' && data.step === name ? [data.attempt] : []));
    expect(attempts('inner')).toEqual([1, 2, 1, 2, 1]);
    expect(attempts('withRetry')).toEqual([1, 2]);
    expect(events.filter(({ type }) => type === 'NestedRetryDetected').map(({ data }) => data)).toEqual([
      { type: 'NestedRetryDetected', step: 'withRetry', maxAttempts: 11, inner: [{ step: 'inner', maxAttempts: 2 }] },
    ]);
  });

  it('are found through whatever lies between them (NR1)', () => {
    const inner = step('inner', () => 1, { retry: 2 });
    const other = step('other', () => 1, { retry: 4 });
    const invoking = setup({ actors: { named: other } }).createMachine({
      initial: 'a',
      states: {
        a: { initial: 'b', states: { b: { invoke: [{ src: inner as AnyStateMachine }] } } },
        c: { invoke: { src: 'named' } },
      },
    });
    const found = [{ step: 'inner', maxAttempts: 3 }];
    for (const [logic, expected] of [
      [withTimeout('1s')(inner), found],
      [withFallback([fromPromise(async () => 1)])(inner), found],
      [batch()(withTimeout('1s')(inner)), found],
      [invoking, [{ step: 'other', maxAttempts: 5 }, ...found]],
    ] as [AnyActorLogic, object[]][]) {
      expect(toldBy(withRetry(1)(logic))).toMatchObject([{ step: 'withRetry', maxAttempts: 2, inner: expected }]);
    }
  });

  it('are none where one of the two makes its call once', () => {
    const once = step('once', () => 1, { retry: 0, timeout: '1s' });
    const inner = step('inner', () => 1, { retry: 2 });
    for (const logic of [withRetry(3)(once), withRetry(0)(inner), withTimeout('1s')(inner), inner]) {
      expect(toldBy(logic)).toEqual([]);
    }
  });
});
