/** The memory log against the contract, and what is its own. */
import { describe, expect, it } from 'vitest';
import { VirtualClock } from '../../src/clock.ts';
import { planContract, runContractCase, type ContractTarget } from '../../src/log/contract.ts';
import { memoryLog } from '../../src/log/memory-log.ts';

const target: ContractTarget = {
  features: ['atomicMultiStream', 'checks', 'truncate', 'erase'],
  create: async () => {
    const clock = new VirtualClock();
    return { clock, open: async () => memoryLog({ clock, maxEventBytes: 2 ** 21 }), destroy: async () => {} };
  },
};
const plan = planContract(target.features);

describe('the memory log', () => {
  for (const contractCase of plan.applicable) {
    it(`${contractCase.number}. ${contractCase.title}`, () => runContractCase(contractCase, target));
  }

  it('has no answer to the cases that need a store which outlives it or breaks', () => {
    expect(plan.notApplicable.map(({ contractCase, missing }) => [contractCase.number, ...missing])).toEqual([
      [23, 'reopen'],
      [29, 'kill'],
      [39, 'reopen'],
      [44, 'shared'],
      [46, 'reopen'],
      [48, 'faults'],
    ]);
  });
});
