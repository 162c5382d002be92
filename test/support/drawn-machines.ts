/**
 * The machines of rewake, one or more of each kind, by what a reader calls them. Owns the list: what is drawn in the documents is
 * what drawings are tested with.
 */
import { fromPromise } from 'xstate';
import {
  approval,
  batch,
  breaker,
  breakerQuorum,
  cache,
  fallback,
  flow,
  handler,
  rateLimiter,
  retryBudget,
  retry,
  saga,
  schedule,
  step,
  toolRegistry,
  withBreaker,
  withBulkhead,
  withCache,
  withCatch,
  withDeadline,
  withFallback,
  withHandlers,
  withHealing,
  withHedge,
  withRateLimit,
  withRetry,
  withTimeout,
} from '../../machines/index.ts';
import { forEachOf } from '../../machines/for-each.ts';
import { handling } from '../../machines/handling.ts';

const call = fromPromise(async () => 'done');

const vision = toolRegistry({
  tools: {
    gpt4Vision: { run: call, policy: { strategy: 'fallback', fallbackTools: ['claudeVision', 'localOcr'] } },
    claudeVision: { run: call },
    localOcr: { run: call },
  },
});

const handlers = [
  handler({ id: 'mend', when: 'server', run: [call, call], timeout: '1m', then: retry() }),
  handler({ id: 'other', then: fallback(call) }),
];

export const drawnMachines: readonly (readonly [title: string, machine: unknown])[] = [
  [
    'step with timeout, deadline, retry and breaker',
    step('call', () => 'done', { timeout: '30s', deadline: '10m', retry: 3, breaker: 'api' }),
  ],
  ['step with retry and budget', step('call', () => 'done', { retry: { maxRetries: 3, budget: 'api' } })],
  ['withTimeout', withTimeout('30s')(call)],
  ['withDeadline', withDeadline('10m')(call)],
  ['withRetry', withRetry()(call)],
  ['withBreaker', withBreaker('api')(call)],
  ['withFallback, two alternatives', withFallback([call, call])(call)],
  ['withCatch', withCatch(TypeError)(call)],
  ['withBulkhead', withBulkhead('api')(call)],
  ['withRateLimit', withRateLimit('api', { limit: 1, per: '1s', wait: '1s' })(call)],
  ['withCache', withCache('prices', { key: String, ttl: '1m' })(call)],
  ['withHedge', withHedge({ delay: '500ms' })(call)],
  ['withHandlers, one of which falls back', withHandlers(handlers)(call)],
  ['the handling of an error by two handlers', handling('step', handlers)],
  ['withHealing, one remedy', withHealing({ diagnose: call, remedies: { mend: call } })(call)],
  [
    'saga of two steps',
    saga('order', [
      { name: 'reserve', run: call, undo: call },
      { name: 'charge', run: call },
    ]),
  ],
  [
    'flow of two phases',
    flow('order', {
      steps: { reserve: { run: call }, charge: { run: call } },
      phases: [
        { id: 'preparing', steps: ['reserve'] },
        { id: 'paying', steps: ['charge'] },
      ],
    }),
  ],
  [
    'flow with handlers of a step, a phase and the whole, with undo and an output',
    flow('order', {
      steps: { charge: { run: call, onFailure: handlers, undo: call } },
      phases: [{ id: 'paying', steps: ['charge'], onFailure: handlers }],
      onFailure: handlers,
      output: ({ results }) => results.charge,
    }),
  ],
  ['a step of a flow for each item', forEachOf('read', call, 2)],
  ['batch', batch()(call)],
  ['a tool with two fallbacks', vision.tool('gpt4Vision')],
  ['a tool that is skipped', vision.tool('gpt4Vision', { strategy: 'skip' })],
  ['the executor of a registry', vision.executor],
  ['approval with one escalation', approval('refund', { timeout: '3d', escalation: [{ after: '1d', to: 'head' }] })],
  ['schedule', schedule('nightly', { cron: '0 3 * * *' })(call)],
  ['breaker', breaker],
  ['breakerQuorum', breakerQuorum],
  ['retryBudget', retryBudget],
  ['rateLimiter', rateLimiter],
  ['cache', cache],
];
