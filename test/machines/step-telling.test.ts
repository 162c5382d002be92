/** The function of the user's that hears what a step tells: `onFact`. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createActor, SimulatedClock, type AnyStateMachine } from 'xstate';
import { seededRandom } from 'rewake';
import { step, type Call } from '../../machines/step.ts';
import type { StepFact } from '../../machines/step-facts.ts';
import type { PolicyOptions } from '../../machines/step-policy.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { House, outcomeOf } from '../support/house.ts';

const retry = { maxRetries: 2, backoff: { initialDelay: 100, jitter: 'none' } } as const;
const busy = () => {
  throw Object.assign(new Error('busy'), { status: 503 });
};
const worker = (call: Call<unknown, unknown>, options: PolicyOptions) => step('work', call, options) as AnyStateMachine;

const warnings: unknown[][] = [];
beforeEach(() => {
  warnings.length = 0;
  vi.spyOn(console, 'warn').mockImplementation((...line) => void warnings.push(line));
});
afterEach(() => vi.restoreAllMocks());

/** Runs a step to its end. */
async function play(call: Call<unknown, unknown>, options: PolicyOptions) {
  const house = new House();
  const runtime = await house.open({ work: worker(call, options) }, { random: seededRandom(7) });
  const ended = outcomeOf((await runtime.start('work', { id: '1' })).output());
  await rest();
  await house.advance(60_000);
  return { house, ...(await ended) };
}

it('hears every fact that is on the log, in order', async () => {
  const heard: StepFact[] = [];
  const { house } = await play(busy, { retry, onFact: (fact) => void heard.push(fact) });
  expect(heard).toEqual(await house.facts('work-1'));
  expect(heard.map(({ type }) => type)).toEqual([
    ...['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryExhausted'],
  ]);
});

it('hears the same under plain XState', async () => {
  const heard: string[] = [];
  const clock = new SimulatedClock();
  const actor = createActor(worker(busy, { retry, onFact: ({ type }) => void heard.push(type) }), { clock });
  actor.subscribe({ error: () => {} });
  actor.start();
  for (let ms = 0; ms < 1_000; ms += 100) {
    await rest();
    clock.increment(100);
  }
  await rest();
  expect(heard.slice(0, 3)).toEqual(['AttemptFailed', 'RetryScheduled', 'AttemptFailed']);
  expect(heard.at(-1)).toBe('RetryExhausted');
});

it.each([
  ['throws', () => busy()],
  ['rejects', () => Promise.reject(new Error('busy'))],
])('R08, ST2: one that %s changes nothing', async (_, onFact) => {
  const plain = await play(busy, { retry });
  const hooked = await play(busy, { retry, onFact });
  expect(await hooked.house.facts('work-1')).toEqual(await plain.house.facts('work-1'));
  expect(hooked.error).toEqual(plain.error);
  expect(warnings).toHaveLength(6);
  expect(warnings[0]).toMatchObject([
    "onFact of step 'work' failed at AttemptFailed; the step goes on.",
    { message: 'busy' },
  ]);
});

it('R21: its time counts: where it outlasts the deadline there is no further attempt', async () => {
  const house = new House();
  let calls = 0;
  const machine = worker(() => (calls++, busy()), {
    deadline: 200,
    retry,
    onFact: ({ type }) => type === 'RetryScheduled' && house.clock.jump(300),
  });
  const ended = outcomeOf((await (await house.open({ work: machine })).start('work', { id: '1' })).output());
  await rest();
  await house.advance(0);
  expect([calls, (await ended).error]).toMatchObject([1, { kind: 'deadline' }]);
});

it('R24: a step that it stops makes no further call', async () => {
  const house = new House();
  let calls = 0;
  let stop = async () => {};
  const machine = worker(() => (calls++, busy()), { retry, onFact: () => void stop() });
  const runtime = await house.open({ work: machine });
  const ref = await runtime.start('work', { id: '1' });
  stop = () => ref.stop();
  await rest();
  await house.advance(60_000);
  expect([calls, (await house.types('work-1')).at(-1)]).toEqual([1, 'ActorStopped']);
});

it('ST1, R30: hears nothing before it is on disk, and nothing of the past when it is folded', async () => {
  const house = new House();
  const heard: string[] = [];
  let fail = () => {};
  const machine = () =>
    worker(() => new Promise((_, reject) => (fail = () => reject(new Error('busy')))), {
      retry,
      onFact: ({ type }) => void heard.push(type),
    });
  const first = await house.openToCrash({ work: machine() });
  await first.runtime.start('work', { id: '1' });
  await rest();
  fail();
  await rest();
  expect(heard).toEqual(['AttemptFailed', 'RetryScheduled']);
  await house.advance(100);
  first.crash();
  fail();
  await rest();
  expect(heard).toHaveLength(2);
  await house.open({ work: machine() });
  await rest();
  // The attempt that was lost is news; what it was told before is not.
  expect(heard).toEqual(['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled']);
});

it('is a function', () => {
  expect(() => step('work', () => 1, { onFact: 'log' as never })).toThrow("step('work').onFact");
});

it('ST3: may start other actors, of which XState does not complain', async () => {
  let started = 0;
  const start = () => {
    started++;
    createActor(worker(() => 1, {})).start();
  };
  const actor = createActor(worker(busy, { onFact: start }));
  actor.subscribe({ error: () => {} });
  actor.start();
  await rest();
  await play(busy, { onFact: start });
  expect(started).toBe(2);
  expect(warnings).toEqual([]);
});
