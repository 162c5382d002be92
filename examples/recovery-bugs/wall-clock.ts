/** A guard that reads the clock: when the log is replayed, it is later. */
import { validMs, type OrderContext } from './order-machine.ts';
import { orderScenario } from './order-scenario.ts';

// oxlint-disable-next-line eslint/no-restricted-properties -- the bug
const isExpired = ({ context }: { context: OrderContext }) => Date.now() > context.orderedAt + validMs;

export const wallClock = orderScenario({ url: import.meta.url, name: 'wallClock' }, () => ({ guards: { isExpired } }));
