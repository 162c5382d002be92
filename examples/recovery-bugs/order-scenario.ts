/** What orders go through in a test. Owns their world and what must hold of it, whatever an order is made of. */
import { ok } from 'node:assert';
import type { Clock } from 'rewake';
import { defineScenario, type Scenario } from 'rewake/testing';
import { Bank } from './bank.ts';
import { orderMachine } from './order-machine.ts';

/** A part of an order that is put in the place of the right one. */
export type OrderParts = Parameters<ReturnType<typeof orderMachine>['provide']>[0];

/** @param partsOf what is not right about these orders */
export function orderScenario(
  source: { readonly url: string; readonly name: string },
  partsOf: (bank: Bank, clock: Clock) => OrderParts = () => ({}),
): Scenario<Bank> {
  return defineScenario<Bank>({
    name: source.name,
    source,
    world: () => new Bank(),
    machines: (bank, clock) => ({ order: orderMachine(bank).provide(partsOf(bank, clock)) }),
    effects: { charge: 'live' },
    events: [{ type: 'ADD', items: 2 }, [3_600_000, { type: 'PAY' }], { type: 'SHIP' }],
    until: '30d',
    check: ({ world: { charges }, ends }) => {
      const value = ends['order-1']?.value;
      const isPaid = value === 'paid' || value === 'shipped';
      ok(charges.length === (isPaid ? 1 : 0), `the bank took money ${charges.length} times`);
    },
  });
}
