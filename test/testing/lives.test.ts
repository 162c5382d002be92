/** Several processes play in one: what each of them knows, and what nobody may take for another run. */
import { expect, it } from 'vitest';
import { batch, step, withBulkhead, withDeadline, withRetry } from 'rewake/machines';
import { defineScenario, replay } from 'rewake/testing';
import { effect } from 'rewake';

const real = () => Promise.resolve('real');
const steady = { strategy: 'fixed', initialDelay: 100, jitter: 'none' } as const;
const busy = Object.assign(new Error('busy'), { status: 503 });

it('an effect is named by the machine around it, the root included', async () => {
  const work = withDeadline('1h')(step('ask', real, { retry: { maxRetries: 1, backoff: steady } }));
  for (const name of ['ask', 'withDeadline']) {
    const scenario = defineScenario({ machines: { work }, effects: { [name]: [{ error: busy }, { output: 'ok' }] } });
    const { calls } = await replay(scenario);
    expect(calls.map((call) => call.name)).toEqual([name, name]);
  }
});

it('FL4: a process that starts what the one before it has started does not take that start for its own', async () => {
  const work = withRetry({ maxRetries: 3, backoff: steady })(effect(real));
  const scenario = defineScenario({ machines: { work }, effects: { work: [{ error: busy }, { output: 'ok' }] } });
  // The second one takes the actor up, and dies while it looks for timers; the third one hears of the start again.
  const { calls, losses } = await replay(scenario, {
    faults: [
      { fault: 'crash', append: 0, phase: 'afterAppend' },
      { fault: 'crash', operation: 7 },
    ],
  });
  expect(losses).toHaveLength(1);
  expect(calls.filter(({ key }) => key === losses[0]!.key)).toEqual([]);
});

it('a host that takes actors over has none of the memory of the one before it', async () => {
  const work = batch()(withBulkhead('lives', { concurrency: 1, queue: 1 })(effect(real)));
  const scenario = defineScenario({
    machines: { work },
    input: [1, 2],
    effects: { call: { output: 1, afterMs: 100 } },
  });
  const { facts } = await replay(scenario, { faults: [{ fault: 'stealOwner', append: 0 }] });
  expect(facts).toEqual({});
});

it('JU3: a host that dies among timers that a clock made late is not compared with one that fires them all at once', async () => {
  const retried = withRetry({ maxRetries: 9, backoff: steady })(effect(real));
  const scenario = defineScenario({
    machines: { work: withDeadline(1_000)(retried) },
    effects: { withRetry: { error: busy } },
  });
  const { losses, events } = await replay(scenario, {
    faults: [
      { fault: 'crash', append: 2, phase: 'afterAppend' },
      { fault: 'clockJump', atMs: 0, byMs: 1_000 },
    ],
  });
  expect(losses).toHaveLength(1);
  expect(events.filter(({ type }) => type === 'TimerFired')).toHaveLength(2);
});
