/**
 * Acceptance of "Resume with Error Recovery": what it costs that error handlers leave their state in the log. The time is
 * measured by the bench, against the same flows without; here is counted what does not depend on the machine.
 */
import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import { allRows } from '../../bench/rows.ts';
import { orderFlow } from '../../bench/machines/flow.ts';
import { FaultyLog } from '../../src/testing/faulty-log.ts';
import { House } from '../support/house.ts';

/** The flow of the bench, and what it wrote. */
async function written(facts: boolean) {
  const house = new House();
  const counting = new FaultyLog(house.log);
  const runtime = await house.open({ flow: orderFlow(facts, 3) as unknown as AnyStateMachine }, { log: counting });
  const ref = await runtime.start('flow', { id: '1', input: { n: 1 } } as never);
  for (let turn = 0; turn < 20; turn++) await house.advance(1_000);
  const output = (await ref.output()) as unknown;
  const types = await house.types('flow-1');
  return { output, appends: counting.appends, facts: types.filter((type) => /^(Handler|ErrorEscalated)/.test(type)) };
}

describe('Performance overhead is less than 3% for error state persistence', () => {
  it('is a row of the bench, with that goal', () => {
    expect(allRows.find(({ name }) => name === 'flow-facts')?.goal).toEqual({ atMost: 1.03 });
  });

  it('what handlers tell is part of appends that are made anyway: it costs not one more', async () => {
    const [telling, silent] = [await written(true), await written(false)];
    expect(telling.facts.length).toBeGreaterThan(3);
    expect(silent.facts).toEqual([]);
    expect([telling.appends, telling.output]).toEqual([silent.appends, silent.output]);
  });
});
