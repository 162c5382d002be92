/** Machines in a library of somebody else's: what it exports of them has types that its declarations can name. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DocWorkshop, type Program } from '../house/doc-blocks.ts';

const library = `
import { setup } from 'xstate';
import { createRuntime, effect, memoryLog, toMs, type EffectArguments } from 'rewake';
import {
  approval, backoff, batch, breaker, breakerQuorum, breakerState, cache, classify, fallback as otherwise, flow, handler, rateLimiter, recoverable, recoveryMachines,
  retry, retryBudget, saga, schedule, signatureOf, step, toolMetrics, toolRegistry, withBreaker, withBulkhead, withCache, withCatch,
  withDeadline, withFallback, withHandlers, withHealing, withHedge, withRateLimit, withRetry, withTimeout, type,
} from 'rewake/machines';

const log = memoryLog();
interface Order { readonly id: string }

export const charge = step('charge', async ({ input }: EffectArguments<Order>) => ({ paid: input.id }), { breaker: 'payments' });
export const ship = effect(async ({ input }: EffectArguments<Order>) => input.id);
export const timed = withTimeout('5s')(ship);
export const bounded = withDeadline('1m')(ship);
export const retried = withRetry(2)(ship);
export const fenced = withBreaker('shipping')(ship);
export const fallback = withFallback([ship])(ship);
export const either = withFallback([effect(async () => 0)])(ship);
export const caught = withCatch('TypeError')(ship);
export const slots = withBulkhead('shipping')(ship);
export const limited = withRateLimit('shipping', { limit: 5, per: '1s' })(ship);
export const cached = withCache<Order>('shipping', { key: (order) => order.id, ttl: '1h' })(ship);
export const hedged = withHedge({ delay: '1s' })(ship);
export const healed = withHealing({ diagnose: effect(async () => ({ remedy: 'none' })), remedies: { none: effect(async () => {}) } })(ship);
export const again = handler({ id: 'again', when: 'transient', run: ship, then: retry() });
export const handled = withHandlers([again, handler({ id: 'other', then: otherwise(effect(async () => 0)) })])(ship);
export const many = batch()(ship);
export const trip = flow('trip', {
  input: type<Order>(),
  steps: { charge: { run: charge }, ship: { run: ship, needs: ['charge'], input: ({ results }) => ({ id: results.charge.paid }) } },
  output: ({ results }) => results.ship,
});
export const tour = flow('tour', { steps: { trip: { run: trip, onFailure: [again] } } });
export const stacked = withRetry()(withCache<Order>('both', { key: (order) => order.id, ttl: '1h' })(withBreaker('both')(ship)));
export const booking = saga<Order>('booking', [{ name: 'ship', run: ship }]);
export const asked = approval('release', { timeout: '1d' });
export const nightly = schedule('nightly', { cron: '0 3 * * *' })(effect(async () => 1));
export const registry = toolRegistry({
  tools: {
    add: { run: async ({ input }: EffectArguments<{ a: number }>) => input.a, policy: { strategy: 'skip', value: 'none' } },
    ship: { run: ship, kind: 'carrier' },
    other: { run: effect(async ({ input }: EffectArguments<Order>) => [input.id]), kind: 'carrier' },
  },
  policies: { fast: { strategy: 'fail' }, cheap: { strategy: 'fallback', fallbackTools: 'cost' } },
});
export const shipping = registry.tool('ship', 'cheap');
export const shipped = () => registry.execute('ship', { id: '1' }, { policy: 'cheap' });
export const nested = setup({ actors: { charge, executor: registry.executor } }).createMachine({ invoke: { src: 'charge', input: { id: '1' } } });
export const { executor } = registry;
export const add = registry.tool('add');
export const metrics = toolMetrics([]);
export const download = recoverable({ timeout: '30s' })(async (url: string) => url.length);
export const numbered = recoverable({ persistence: log, key: (url: string) => url })(async (url: string, from = 1) => url.length + from);
export const sequence = backoff({ initialDelay: '1s' });
export const verdict = classify(new Error('x'));
export const signature = signatureOf(new Error('x'), verdict);
export const budget = retryBudget;

export const own = { breaker, breakerQuorum, cache, rateLimiter, retryBudget };
export const machines = { ...recoveryMachines };
export const chosen = recoveryMachines.breaker;
export { recoveryMachines };

export function open() {
  return createRuntime({ machines: { charge, asked, nightly, booking, tools: executor, ...recoveryMachines } });
}
export async function stateOfPayments() {
  const runtime = await open();
  const ref = await runtime.get('breaker-payments');
  return { ref, snapshot: ref.getSnapshot(), state: breakerState(ref.getSnapshot()) };
}
export const asks = async () => (await open()).start('rateLimiter', { id: 'x', input: { key: 'x', options: { limit: 1, per: toMs('1s') } } });
`;

const program: Program = { at: 'library', file: 'x/library.ts', text: library, run: false };
const workshop = new DocWorkshop();

beforeAll(() => workshop.installPackage());
afterAll(() => workshop.remove());

it('compiles, and its declarations call machines by short names', async () => {
  const errors = await workshop.compile([program], { declaration: true });
  expect(errors.get(program)).toBeUndefined();
  const declarations = readFileSync(workshop.scriptOf(program).replace(/js$/, 'd.ts'), 'utf8');
  expect(declarations).toContain('readonly breaker: import("rewake/machines").BreakerMachine;');
  expect(declarations).toContain('const asked: import("rewake/machines").ApprovalMachine;');
  expect(declarations).toContain('const shipping: import("rewake/machines").ToolMachine<Order, string | string[]>;');
  expect(declarations).toMatch(/const handled: .*HandledMachine<Order, string \| number>/);
  expect(declarations).toContain('const trip: import("rewake/machines").FlowMachine<Order, string>;');
  expect(declarations).toMatch(/const either: .*Order, string \| number,/);
  expect(declarations).not.toMatch(/const (?!nested)\w+: [^;]*\bStateMachine<|\bany\b|node_modules/);
});
