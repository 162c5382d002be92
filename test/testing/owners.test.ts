/** Another host takes actors up while the first one lives. Numbers are those of docs/explanation/invariants.md. */
import { expect } from 'vitest';
import { createMachine, fromPromise } from 'xstate';
import { defineScenario, faults, fuzz, replay } from 'rewake/testing';
import { test } from 'rewake/testing/vitest';

const call = fromPromise(() => Promise.resolve());
const job = createMachine({
  id: 'job',
  initial: 'first',
  states: {
    first: { invoke: { src: call, id: 'first', onDone: 'second' }, on: { SKIP: 'second' } },
    second: { invoke: { src: call, id: 'second', onDone: 'done' } },
    done: { type: 'final' },
  },
});
const working = defineScenario({
  machines: { job },
  effects: { first: { output: 1, afterMs: 100 }, second: { output: 2, afterMs: 100 } },
  events: [[50, { type: 'NOTHING' }]],
});

test('25: a host that another one has replaced stops its effects when it notices', async () => {
  const { events, unstopped, calls } = await replay(working, { faults: [{ fault: 'stealOwner', append: 0 }] });
  expect(unstopped).toEqual([]);
  expect(calls.map(({ runs }) => runs)).toEqual([2, 1]);
  expect(events.filter(({ type }) => type === 'EffectSucceeded')).toHaveLength(2);
});

test('25: it is replaced at any time, and nobody sees it', async () => {
  await fuzz(working, { numRuns: 200, faults: faults({ stealOwner: 3, ackLost: 1, duplicate: 1 }) });
});
