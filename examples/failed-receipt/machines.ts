/** The machines of this example by their durable names. Owns the list. */
import type { Clock } from 'rewake';
import { approval, recoveryMachines } from 'rewake/machines';
import { orderMachine } from './order.ts';
import { Outside } from './outside.ts';
import { payoutFlow } from './payout.ts';
import { receiptMachine } from './receipt.ts';

/** The machines, in a world that goes by a clock. */
export function machinesBy(clock: Clock) {
  const outside = new Outside(clock);
  return {
    receipt: receiptMachine(outside),
    order: orderMachine(outside),
    payout: payoutFlow(outside),
    approval: approval('expense', {
      timeout: '14d',
      onTimeout: 'reject',
      escalation: [{ after: '2d', to: 'head of finance' }],
    }),
    ...recoveryMachines,
  };
}
