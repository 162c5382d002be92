/** Orders without any of the bugs. */
import { orderScenario } from './order-scenario.ts';

export const soundOrder = orderScenario({ url: import.meta.url, name: 'soundOrder' });
