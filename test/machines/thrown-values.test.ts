/** Anything can be thrown, also what has no text: whatever gives up with it still says what it gives up, and ends as it does. */
import { describe, expect, it } from 'vitest';
import { createActor, fromPromise, type AnyActorLogic } from 'xstate';
import { flow, saga, withFallback } from '../../machines/index.ts';

const failing = fromPromise<unknown, unknown>(() => Promise.reject(Object.create(null) as Error));

const givingUp: [string, AnyActorLogic, RegExp][] = [
  ['a flow', flow('order', { steps: { pay: { run: failing } } }), /^Flow 'order' failed in step 'pay': object\. /],
  [
    'an item of a step',
    flow('order', { steps: { list: { run: () => [1] }, pay: { run: failing, forEach: 'list' } } }),
    /^Flow 'order' failed in step 'pay': Step 'pay' failed for item 1 of 1: object\. /,
  ],
  ['a saga', saga('order', [{ name: 'pay', run: failing }]), /^Saga 'order' failed in step 'pay': object\. /],
  ['a fallback', withFallback([failing], { name: 'pay' })(failing), /failed, 2 in all: object \| object/],
];

describe('a value that has no text fails', () => {
  for (const [what, logic, message] of givingUp) {
    it(`${what} as any other`, async () => {
      const actor = createActor(logic, { input: {} });
      const ended = new Promise<unknown>((resolve) => void actor.subscribe({ error: resolve }));
      actor.start();
      expect(String(((await ended) as { message?: unknown }).message)).toMatch(message);
    });
  }
});
