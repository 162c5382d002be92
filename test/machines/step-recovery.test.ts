/** A step whose host dies: where it goes on, on the memory log and on a SQLite file that is closed and opened again. */
import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { VirtualClock, type EffectArguments } from 'rewake';
import { withFallback } from '../../machines/fallback.ts';
import type { AttemptFailed } from '../../machines/step-facts.ts';
import type { StepContext } from '../../machines/step-state.ts';
import { RecoveryExhaustedError } from '../../machines/recovery-errors.ts';
import { step, type Call } from '../../machines/step.ts';
import type { PolicyOptions } from '../../machines/step-policy.ts';
import { ActorTree } from '../../src/kernel/actor-tree.ts';
import { definitionHash } from '../../src/kernel/definition-hash.ts';
import { Folder } from '../../src/kernel/fold.ts';
import { houses } from '../support/file-house.ts';
import type { ReadEvent } from '../support/house.ts';

const backoff = { jitter: 'full' } as const;
const busy = () => Object.assign(new Error('busy'), { status: 503 });

function worker(call: Call<unknown, unknown>, options: PolicyOptions): AnyStateMachine {
  return step('work', call, options) as AnyStateMachine;
}

const factsOf = (events: readonly ReadEvent[], type: string) =>
  events
    .filter((event) => event.type === type)
    .map(({ data, meta }) => ({ ...data, correlationId: meta.$correlationId }));

describe.each(houses)('%s, a host that dies in a wait', (_, build) => {
  it.each([
    ['before it is over, waits for the rest', 5_000],
    ['and comes back after it is over, goes on at once', 100_000],
  ])('R28: %s', async (_when, comesBackAt) => {
    const house = build();
    const began = house.clock.now();
    const calls: number[] = [];
    const call = () => {
      calls.push(house.clock.now() - began);
      throw busy();
    };
    const options: PolicyOptions = {
      retry: { maxRetries: 5, backoff: { initialDelay: 4_000, factor: 2, jitter: 'none' } },
    };
    const { runtime, crash } = await house.openToCrash({ work: worker(call, options) }, {});
    await runtime.start('work', { id: '1', correlationId: 'c-1' });
    await house.rest();
    await house.advance(4_000);
    expect(calls).toEqual([0, 4_000]);
    crash();
    const before = factsOf(await house.events('work-1'), 'RetryScheduled');
    expect(before).toMatchObject([{ dueAt: began + 4_000 }, { attempt: 2, dueAt: began + 12_000 }]);
    house.clock.jump(comesBackAt);
    await house.open({ work: worker(call, options) });
    await house.rest();
    await house.advance(Math.max(0, began + 12_000 - house.clock.now()));
    expect(calls).toEqual([0, 4_000, Math.max(12_000, 4_000 + comesBackAt)]);
    const after = factsOf(await house.events('work-1'), 'RetryScheduled');
    expect(after.slice(0, 2)).toEqual(before);
    expect(after.every(({ correlationId }) => correlationId === 'c-1')).toBe(true);
  });
});

it.each(houses)('%s, R29: an attempt that kills its host four times is not started a fifth time', async (_, build) => {
  const house = build();
  let calls = 0;
  const options: PolicyOptions = { retry: { maxRetries: 3, backoff } };
  const call = () => {
    calls++;
    return new Promise(() => {});
  };
  for (let life = 0; life < 6; life++) {
    const { runtime, crash } = await house.openToCrash({ work: worker(call, options) });
    if (life === 0) await runtime.start('work', { id: '1' });
    await house.rest();
    await house.advance(60_000);
    crash();
  }
  expect(calls).toBe(4);
  const ref = await (await house.open({ work: worker(call, options) })).get('work-1');
  const error: unknown = await ref.output().catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(RecoveryExhaustedError);
  expect(error).toMatchObject({ attempts: 4, originalError: { code: 'REWAKE_EFFECT_LOST' } });
  expect(
    factsOf(await house.events('work-1'), 'AttemptFailed').map(
      (fact) => (fact as unknown as AttemptFailed).error.class,
    ),
  ).toEqual(['lost', 'lost', 'lost', 'lost']);
});

it.each(houses)('%s, R30: folding again calls nothing, arms nothing and comes to the same state', async (_, build) => {
  const house = build();
  let calls = 0;
  const call = () => {
    if (++calls < 3) throw busy();
    return 'done';
  };
  const machine = () => worker(call, { retry: { maxRetries: 5, backoff } });
  const { runtime, crash } = await house.openToCrash({ work: machine() });
  const ref = await runtime.start('work', { id: '1' });
  await house.rest();
  const waiting = ref.getSnapshot();
  expect([waiting.value, calls]).toEqual(['waiting', 1]);
  crash();

  const folder = new Folder(new ActorTree(machine(), '1'), definitionHash(machine()));
  for (const event of await house.events('work-1')) folder.push(event as never);
  const { value, context } = folder.tree.rootActor.getSnapshot() as unknown as { value: unknown; context: unknown };
  expect({ value, context }).toEqual({ value: 'waiting', context: waiting.context });
  const dueAt = (waiting.context as StepContext).retry!.dueAt;
  expect([...folder.tree.timers!.values()]).toMatchObject([{ dueAt }]);

  const { runtime: heir, crash: crashAgain } = await house.openToCrash({ work: machine() });
  const done = await heir.get('work-1');
  await house.advance(60_000);
  expect(await done.output()).toBe('done');
  crashAgain();
  const length = (await house.events('work-1')).length;
  for (const [startMs, r] of [
    [7, 0.123],
    [4e12, 0.987],
  ] as const) {
    const clock = new VirtualClock(startMs);
    const other = await house.open({ work: machine() }, { clock, random: () => r });
    expect((await other.get('work-1')).getSnapshot().context).toEqual(done.getSnapshot().context);
    expect([calls, (await house.events('work-1')).length, clock.nextDue()]).toEqual([3, length, undefined]);
  }
});

it.each(houses)('%s, R18: a wait that is parked outlives its host', async (_, build) => {
  const house = build();
  const began = house.clock.now();
  const calls: number[] = [];
  const call = () => {
    calls.push(house.clock.now() - began);
    if (calls.length > 1) return 'done';
    throw Object.assign(new Error('later'), { status: 429, headers: { 'retry-after': '3600' } });
  };
  const machine = () => worker(call, { deadline: '2h', retry: { park: true, backoff: { jitter: 'none' } } });
  const first = await house.openToCrash({ work: machine() });
  await first.runtime.start('work', { id: '1' });
  await house.rest();
  first.crash();
  house.clock.jump(1_800_000);
  const second = await house.openToCrash({ work: machine() });
  await house.advance(1_799_999);
  expect(calls).toEqual([0]);
  second.crash();
  const output = (await (await house.open({ work: machine() })).get('work-1')).output();
  await house.advance(1);
  expect([await output, calls]).toEqual(['done', [0, 3_600_000]]);
  expect(factsOf(await house.events('work-1'), 'RetryScheduled')).toMatchObject([{ parked: true, attempt: 1 }]);
});

describe.each(houses)('%s, a fallback', (_, build) => {
  const scenario = (calls: string[], hang: () => boolean) => {
    const primary = step(
      'primary',
      () => {
        calls.push('primary');
        throw busy();
      },
      { retry: { maxRetries: 1, backoff: { jitter: 'none' } } },
    );
    const secondary = step(
      'secondary',
      ({ input }: EffectArguments<number>) => {
        calls.push('secondary');
        return hang() ? new Promise<number>(() => {}) : input + 1;
      },
      { retry: { maxRetries: 3, backoff: { jitter: 'none' } } },
    );
    return withFallback([secondary])(primary) as unknown as AnyStateMachine;
  };

  it('F05: that was running when the host died goes on, and the primary is not tried again', async () => {
    const house = build();
    const calls: string[] = [];
    let hangs = true;
    const { runtime, crash } = await house.openToCrash({ work: scenario(calls, () => hangs) });
    await runtime.start('work', { id: '1', input: 41, correlationId: 'c-1' } as never);
    await house.rest();
    await house.advance(1_000);
    expect(calls).toEqual(['primary', 'primary', 'secondary']);
    crash();
    hangs = false;
    const ref = await (await house.open({ work: scenario(calls, () => hangs) })).get('work-1');
    await house.rest();
    await house.advance(60_000);
    expect(await ref.output()).toBe(42);
    expect(calls).toEqual(['primary', 'primary', 'secondary', 'secondary']);
    const events = await house.events('work-1');
    expect(factsOf(events, 'FallbackEntered')).toMatchObject([{ index: 1, correlationId: 'c-1' }]);
    expect(factsOf(events, 'AttemptFailed').map((fact) => (fact as unknown as AttemptFailed).step)).toEqual([
      'primary',
      'primary',
      'secondary',
    ]);
  });
});
