/** Conditions that have to hold at least once in a run. */
import { describe, expect, it } from 'vitest';
import { setup } from 'xstate';
import {
  assertSometimes,
  NeverReachedError,
  sometimes,
  sometimesReport,
  SometimesTracker,
  withSometimes,
} from '../../src/testing/audit.ts';
import { House, failureOf } from '../support/house.ts';

describe('sometimes', () => {
  it('is satisfied by a condition that held once, however often it did not', () => {
    const tracker = new SometimesTracker();
    withSometimes(tracker, () => {
      for (const attempts of [1, 2, 3, 4]) sometimes('a retry was exhausted', attempts > 3);
      assertSometimes();
    });
    expect(tracker.report()).toEqual([{ name: 'a retry was exhausted', evaluated: 4, held: 1 }]);
  });

  it('fails for each condition that never held, and says how often it was asked and what to do', () => {
    const tracker = new SometimesTracker(['a lease was lost']);
    withSometimes(tracker, () => {
      sometimes('a retry was exhausted', false);
      sometimes('a timer fired', true);
      sometimes('a retry was exhausted', false);
    });
    expect(() => tracker.assert()).toThrow(NeverReachedError);
    expect(() => tracker.assert()).toThrow(
      '2 of 3 conditions that have to hold sometimes never did:\n' +
        "  'a lease was lost': never evaluated, never true\n" +
        "  'a retry was exhausted': evaluated 2 times, never true\n" +
        'The run says nothing about these cases. Let it reach them: ',
    );
  });

  it('lists in its error what never held', async () => {
    const tracker = new SometimesTracker();
    tracker.note('x', false);
    const error = await failureOf((async () => tracker.assert())());
    expect(error).toMatchObject({
      code: 'REWAKE_NEVER_REACHED',
      never: [{ name: 'x', evaluated: 1, held: 0 }],
    });
  });

  it('counts for the run that states it, also where runs go on side by side', async () => {
    const run = async (held: boolean, turns: number) => {
      for (let turn = 0; turn < turns; turn++) {
        sometimes('it held', held);
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    const [one, other] = [new SometimesTracker(), new SometimesTracker()];
    await Promise.all([
      withSometimes(one, () => run(true, 3)),
      withSometimes(other, () => run(false, 2)),
      run(true, 1),
    ]);
    expect(one.report()).toEqual([{ name: 'it held', evaluated: 3, held: 3 }]);
    expect(other.report()).toEqual([{ name: 'it held', evaluated: 2, held: 0 }]);
    expect(sometimesReport()).toContainEqual({ name: 'it held', evaluated: 1, held: 1 });
    expect(() => other.assert()).toThrow(NeverReachedError);
  });

  it('may stand in the code of a machine, which runs in the scope that opened its runtime', async () => {
    const machine = setup({
      actions: { count: () => sometimes('an action ran', true) },
      guards: {
        isOpen: () => {
          sometimes('a guard was asked', true);
          return true;
        },
      },
    }).createMachine({
      initial: 'open',
      states: { open: { after: { 10: { guard: 'isOpen', target: 'closed' } } }, closed: { entry: 'count' } },
    });
    const tracker = new SometimesTracker();
    await withSometimes(tracker, async () => {
      const house = new House();
      const runtime = await house.open({ door: machine });
      await runtime.start('door', { id: '1' });
      await house.advance(10);
    });
    expect(tracker.report().map(({ name }) => name)).toEqual(['a guard was asked', 'an action ran']);
  });

  it('refuses a name that is none', () => {
    expect(() => sometimes('', true)).toThrow('sometimes(name, condition).name: expected what is reached, in words');
  });
});
