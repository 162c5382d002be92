/** An effect that is not idempotent: when the process dies before the receipt is recorded, the customer pays again. */
import { effect, type EffectArguments } from 'rewake';
import type { Bank } from './bank.ts';
import { orderScenario } from './order-scenario.ts';

const charge = (bank: Bank) => effect(({ input }: EffectArguments<{ amount: number }>) => bank.charge(input.amount));

export const doubleCharge = orderScenario({ url: import.meta.url, name: 'doubleCharge' }, (bank) => ({
  actors: { charge: charge(bank) },
}));
