/** A reminder that is a timer of the process: when the process dies, nobody is reminded. */
import type { Clock } from 'rewake';
import { remindAfterMs, type OrderEvent } from './order-machine.ts';
import { orderScenario } from './order-scenario.ts';

const remindLater =
  (clock: Clock) =>
  ({ self }: { self: { send(event: OrderEvent): void } }) =>
    void clock.setTimer(clock.now() + remindAfterMs, () => self.send({ type: 'REMIND' }));

export const lostReminder = orderScenario({ url: import.meta.url, name: 'lostReminder' }, (_bank, clock) => ({
  actions: { remindLater: remindLater(clock) },
}));
