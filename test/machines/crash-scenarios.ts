/**
 * The recovery machines, each in a scenario that goes through all it does. A machine that is durable is an entry here:
 * crash-sweep.test.ts then lets its host die at every append of it.
 */
import { setup, type AnyActorLogic, type AnyStateMachine } from 'xstate';
import { effect } from 'rewake';
import { approval } from '../../machines/approval.ts';
import { batch } from '../../machines/batch.ts';
import { breaker } from '../../machines/breaker.ts';
import { withBulkhead } from '../../machines/bulkhead.ts';
import { cache } from '../../machines/cache.ts';
import { withCache } from '../../machines/caching.ts';
import { withCatch } from '../../machines/catch.ts';
import { withFallback } from '../../machines/fallback.ts';
import { flow } from '../../machines/flow.ts';
import { withHandlers } from '../../machines/handled.ts';
import { handler } from '../../machines/handler.ts';
import { withHealing } from '../../machines/healing.ts';
import { withHedge } from '../../machines/hedge.ts';
import { withRateLimit } from '../../machines/rate-limit.ts';
import { rateLimiter } from '../../machines/rate-limiter.ts';
import { abort, fallback, intervene, resumeFrom, retry, skip } from '../../machines/recovery-actions.ts';
import { retryBudget } from '../../machines/retry-budget.ts';
import { saga } from '../../machines/saga.ts';
import { step, withBreaker, withDeadline, withRetry, withTimeout } from '../../machines/step.ts';
import type { Answer, CrashScenario, ScriptedWorld } from '../support/crash-run.ts';

const ok = (output: unknown, afterMs = 0): Answer => ({ output, afterMs });
const hangs: Answer = {};
const fails = (status: number, afterMs = 0): Answer => ({
  error: () => Object.assign(new Error(`answered ${status}`), { status }),
  afterMs,
});

/** A machine by itself. */
const alone = (make: (world: ScriptedWorld) => AnyActorLogic) => (world: ScriptedWorld) => ({
  work: make(world) as AnyStateMachine,
});
const steady = { strategy: 'fixed', initialDelay: 100, jitter: 'none' } as const;
const call = (world: ScriptedWorld, name = 'call') => effect(world.call(name));
/** A step of this name that is tried so often. */
const tried = (world: ScriptedWorld, name: string, maxAttempts: number) =>
  step(name, world.attempt(name), { retry: { maxAttempts, backoff: steady } });

export const crashScenarios: readonly CrashScenario[] = [
  {
    name: 'a step with everything',
    machines: (world) => ({
      work: step('work', world.attempt('work'), {
        timeout: { each: '1s', factor: 2 },
        deadline: '1h',
        retry: { maxAttempts: 7, backoff: { ...steady, strategy: 'exponential' } },
        breaker: { key: 'api', consecutive: 9 },
        retryResult: (result) => result === 'not yet',
      }) as AnyStateMachine,
      breaker,
    }),
    answers: { work: [fails(503, 100), hangs, ok('not yet', 200), ok('done', 300), ok('done'), ok('done')] },
    tells: [...['AttemptFailed', 'RetryScheduled', 'TimedOut', 'AttemptFailed', 'RetryScheduled', 'RetryScheduled']],
    atMost: { work: 7 },
  },
  {
    name: 'a step that is exhausted',
    machines: alone((world) => tried(world, 'work', 3)),
    answers: { work: [fails(503), fails(500, 100), fails(429)] },
    tells: ['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryExhausted'],
    atMost: { work: 3 },
  },
  {
    name: 'a step without retries',
    machines: alone((world) => step('work', world.call('work'), { timeout: '1s' })),
    answers: { work: [ok('done', 900)] },
    tells: [],
    atMost: { work: 1 },
  },
  {
    name: 'withRetry',
    machines: alone((world) => withRetry({ maxRetries: 3, backoff: steady })(effect(world.attempt('withRetry')))),
    answers: { withRetry: [fails(503), fails(503), ok('done')] },
    tells: ['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled'],
    atMost: { withRetry: 4 },
  },
  {
    name: 'withTimeout',
    machines: alone((world) => withTimeout('1s')(call(world))),
    answers: { call: [hangs] },
    tells: ['TimedOut', 'AttemptFailed'],
    atMost: { call: 1 },
  },
  {
    name: 'withDeadline around withRetry',
    machines: alone((world) =>
      withDeadline(1_000)(
        withRetry({ maxRetries: 9, backoff: { ...steady, initialDelay: 400 } })(effect(world.attempt('withRetry'))),
      ),
    ),
    answers: { withRetry: [fails(503), fails(503), fails(503)] },
    tells: [
      ...['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled'],
      ...['TimedOut', 'RetryExhausted'],
    ],
    atMost: { withRetry: 3 },
  },
  {
    name: 'withBreaker, that opens, refuses, is probed and closes',
    machines: (world) => ({
      work: inTurn(withBreaker({ key: 'api', consecutive: 2, openFor: 2_000, openMax: 2_000 })(call(world)), 6),
      breaker,
    }),
    // Two fail, the third is refused; the fourth, a probe, fails; the fifth is refused; the sixth, a probe, closes it.
    answers: { call: [fails(503, 100), fails(500), fails(503, 100), ok('well')] },
    tells: [
      ...['CircuitOpened', 'CircuitHalfOpened', 'ProbeAdmitted', 'CircuitOpened'],
      ...['CircuitHalfOpened', 'ProbeAdmitted', 'CircuitClosed'],
      ...['AttemptFailed', 'AttemptFailed', 'AttemptRejected', 'AttemptFailed', 'AttemptRejected'],
    ],
    atMost: { call: 4 },
  },
  {
    name: 'withFallback of steps',
    machines: alone((world) =>
      withFallback([tried(world, 'second', 2), call(world, 'third')])(tried(world, 'first', 3)),
    ),
    answers: {
      first: [fails(503), fails(503), fails(503)],
      second: [fails(500, 100), fails(500)],
      third: [ok('third', 100)],
    },
    tells: [
      ...['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryExhausted'],
      ...['FallbackEntered', 'AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryExhausted', 'FallbackEntered'],
    ],
    atMost: { first: 3, second: 2, third: 1 },
  },
  {
    name: 'withFallback that is exhausted',
    machines: alone((world) => withFallback([call(world, 'second')])(call(world, 'first'))),
    answers: { first: [fails(503)], second: [fails(500, 100)] },
    tells: ['FallbackEntered'],
    atMost: { first: 1, second: 1 },
  },
  {
    name: 'a flow with handlers at every scope',
    machines: alone((world) =>
      flow('work', {
        steps: {
          list: { run: call(world, 'list') },
          read: { run: effect(world.call((item: string) => item)), needs: ['pay'], forEach: 'list', concurrency: 1 },
          pay: {
            run: call(world, 'pay'),
            needs: ['list'],
            input: () => 'pay',
            onCommandFailure: [
              handler({ id: 'wake', when: 'auth', run: call(world, 'wake'), then: retry({ delay: 50 }) }),
            ],
            onFailure: [handler({ id: 'pause', then: retry({ delay: '1s', maxAttempts: 2 }) })],
          },
          ship: {
            run: call(world, 'ship'),
            onFailure: [handler({ id: 'carrier', then: fallback(call(world, 'carrier')) })],
          },
          mail: { run: call(world, 'mail'), needs: ['ship'] },
        },
        phases: [
          {
            id: 'making',
            steps: ['list', 'read', 'pay'],
            onFailure: [handler({ id: 'back', then: resumeFrom('list') })],
          },
          { id: 'sending', steps: ['ship', 'mail'] },
        ],
        onFailure: [handler({ id: 'silent', run: tried(world, 'note', 2), then: skip('nobody was told') })],
      }),
    ),
    answers: {
      list: [ok(['x', 'y', 'z'], 100), ok(['x'])],
      x: [ok('X', 90), ok('X', 10)],
      y: [fails(500, 55)],
      pay: [fails(401, 100), fails(503, 100), ok('paid', 100), ok('paid', 100)],
      wake: [ok('awake', 100)],
      ship: [fails(503, 100)],
      carrier: [ok('shipped', 100)],
      mail: [fails(400, 100)],
      note: [fails(503), ok('noted', 100), ok('noted')],
    },
    tells: [
      ...['PhaseStarted', 'FlowStepStarted', 'FlowStepCompleted', 'FlowStepStarted'],
      // pay: mended and called again by the handler of the command, then by that of the step.
      ...[
        'HandlerStarted',
        'HandlerCompleted',
        'ErrorEscalated',
        'HandlerStarted',
        'HandlerCompleted',
        'FlowStepCompleted',
      ],
      // read: its second item fails, and the handler of the phase goes back to the list.
      ...['FlowStepStarted', 'FlowStepFailed', 'HandlerStarted', 'HandlerCompleted'],
      ...['FlowStepStarted', 'FlowStepCompleted', 'FlowStepStarted', 'FlowStepCompleted'],
      ...['FlowStepStarted', 'FlowStepCompleted', 'PhaseCompleted', 'PhaseStarted'],
      ...['FlowStepStarted', 'HandlerStarted', 'HandlerCompleted', 'FlowStepCompleted'],
      ...['FlowStepStarted', 'FlowStepFailed', 'PhaseFailed', 'HandlerStarted', 'AttemptFailed', 'RetryScheduled'],
      ...['HandlerCompleted', 'FlowStepSkipped', 'PhaseCompleted'],
    ],
    atMost: { list: 2, x: 2, y: 1, ship: 1, carrier: 1, mail: 1, wake: 1 },
  },
  {
    name: 'a flow that asks, and is aborted',
    machines: alone((world) =>
      flow('work', {
        steps: {
          reserve: { run: call(world, 'reserve'), undo: call(world, 'release') },
          charge: { run: call(world, 'charge'), needs: ['reserve'], undo: call(world, 'refund') },
          ship: {
            run: call(world, 'ship'),
            needs: ['charge'],
            onFailure: [
              handler({
                id: 'ask',
                then: intervene('What now?', {
                  again: retry({ delay: 100 }),
                  stop: abort({ cleanup: [call(world, 'sweep')] }),
                }),
              }),
            ],
          },
        },
      }),
    ),
    answers: {
      ...{ reserve: [ok('R', 100)], charge: [ok('C', 100)], ship: [fails(400, 100), fails(400)] },
      ...{ sweep: [fails(500, 100)], release: [ok('free', 100)], refund: [fails(500, 100)] },
    },
    messages: [
      [500, { type: 'approval.chosen', by: 'ann', choice: 'again' }],
      [900, { type: 'approval.chosen', by: 'bob', choice: 'stop' }],
    ],
    tells: [
      ...[
        'PhaseStarted',
        'FlowStepStarted',
        'FlowStepCompleted',
        'FlowStepStarted',
        'FlowStepCompleted',
        'FlowStepStarted',
      ],
      ...['HandlerStarted', 'HandlerCompleted', 'ApprovalRequested', 'InterventionRequested'],
      ...['ApprovalGranted', 'InterventionAnswered', 'FlowStepStarted'],
      ...['HandlerStarted', 'HandlerCompleted', 'ApprovalRequested', 'InterventionRequested'],
      ...['ApprovalGranted', 'InterventionAnswered', 'FlowStepFailed'],
      ...['CleanupFailed', 'FlowUndoFailed', 'FlowStepUndone', 'FlowAborted'],
    ],
    atMost: { reserve: 1, charge: 1, ship: 2, sweep: 1, release: 1, refund: 1 },
  },
  {
    name: 'withCatch',
    machines: alone((world) => withCatch((error) => (error as { status?: number }).status === 404)(call(world))),
    answers: { call: [fails(404, 100)] },
    tells: ['ErrorCaught'],
    atMost: { call: 1 },
  },
  {
    name: 'withCatch of what a step of its own gives up',
    machines: alone((world) => withCatch('RecoveryExhaustedError')(tried(world, 'work', 2))),
    answers: { work: [fails(503), fails(503)] },
    tells: ['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryExhausted', 'ErrorCaught'],
    atMost: { work: 2 },
  },
  {
    name: 'withBulkhead, of which one waits and one is refused',
    machines: alone((world) => {
      const item = effect(world.call((input: number) => `call ${input}`));
      return batch()(withBulkhead('crash sweep', { concurrency: 1, queue: 1 })(item));
    }),
    input: [1, 2, 3],
    answers: { 'call 1': [ok('one', 100)], 'call 2': [ok('two', 100)] },
    tells: ['BulkheadRejected', 'ItemFailed'],
    atMost: { 'call 1': 1, 'call 2': 1 },
  },
  {
    name: 'withHedge',
    machines: alone((world) => withHedge({ delay: 500, max: 4 })(call(world))),
    answers: { call: [hangs, fails(503, 200), hangs, ok('fourth', 100)] },
    tells: ['HedgeStarted', 'HedgeStarted', 'HedgeStarted'],
    atMost: { call: 4 },
  },
  {
    name: 'withHandlers: retries of a handler, of the call by a handler, and of a handler by its own handler',
    machines: alone((world) =>
      withHandlers(
        [
          handler({
            ...{ id: 'mend', when: 'server', run: effect(world.attempt('mend')), timeout: '1h' },
            ...{ retry: { maxAttempts: 3, backoff: steady }, then: retry({ delay: '1s' }) },
          }),
          handler({
            ...{ id: 'other', run: [call(world, 'note'), call(world, 'look')], then: fallback(call(world, 'other')) },
            handlers: [handler({ id: 'nested', then: retry({ delay: 200 }) })],
          }),
        ],
        { name: 'work' },
      )(call(world)),
    ),
    answers: {
      call: [fails(503, 100), fails(400)],
      mend: [fails(503, 100), fails(503), ok('mended')],
      note: [fails(500), fails(500, 100), ok('noted')],
      look: [ok('seen', 100)],
      other: [ok('well', 100)],
    },
    tells: [
      ...['HandlerStarted', 'AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled', 'HandlerCompleted'],
      ...['HandlerStarted', 'HandlerStarted', 'HandlerCompleted', 'HandlerStarted', 'HandlerCompleted'],
      'HandlerCompleted',
    ],
    atMost: { call: 2, mend: 3, note: 3, look: 1, other: 1 },
  },
  {
    name: 'handlers at two scopes, of which the inner one fails',
    machines: alone((world) =>
      withHandlers([handler({ id: 'without', when: 'server', then: skip('nothing') })], { name: 'work' })(
        withRetry({ maxAttempts: 2, backoff: steady })(
          withHandlers([handler({ id: 'clean', run: call(world, 'clean'), timeout: '1s', then: retry() })], {
            ...{ name: 'work', scope: 'command' },
          })(effect(world.attempt('withRetry'))),
        ),
      ),
    ),
    answers: { withRetry: [fails(503, 100), fails(503)], clean: [fails(500, 100), hangs] },
    tells: [
      'NestedRetryDetected',
      ...['HandlerStarted', 'HandlerFailed', 'ErrorEscalated', 'AttemptFailed', 'RetryScheduled'],
      ...['HandlerStarted', 'HandlerFailed', 'ErrorEscalated', 'AttemptFailed', 'RetryExhausted'],
      ...['HandlerStarted', 'HandlerCompleted'],
    ],
    atMost: { withRetry: 2, clean: 2 },
  },
  {
    name: 'withHealing',
    machines: alone((world) =>
      withHealing({
        diagnose: call(world, 'diagnose'),
        remedies: { sharpen: call(world, 'sharpen'), rotate: call(world, 'rotate') },
        maxHeals: 2,
      })(effect(world.call((input: string) => `read ${input}`))),
    ),
    input: 'blurred',
    answers: {
      'read blurred': [fails(422, 100)],
      'read sharp': [fails(422), fails(422)],
      diagnose: [ok({ remedy: 'sharpen' }), ok({ remedy: 'rotate' }, 100)],
      sharpen: [ok('sharp', 100)],
      rotate: [ok('sharp')],
    },
    tells: ['Diagnosed', 'RemedyApplied', 'Diagnosed', 'RemedyApplied', 'HealingEnded'],
    atMost: { 'read blurred': 1, 'read sharp': 2, diagnose: 2, sharpen: 1, rotate: 1 },
  },
  {
    name: 'a batch with partial success',
    machines: alone((world) =>
      batch({ concurrency: 2, minSuccessRate: 0.5 })(effect(world.call((n: number) => `item ${n}`))),
    ),
    input: [1, 2, 3, 4, 5],
    answers: {
      'item 1': [ok('one', 300)],
      'item 2': [fails(400, 100)],
      'item 3': [ok('three')],
      'item 4': [fails(503, 100)],
      'item 5': [ok('five', 100)],
    },
    tells: ['ItemFailed', 'ItemFailed'],
    atMost: { 'item 1': 1, 'item 2': 1, 'item 3': 1, 'item 4': 1, 'item 5': 1 },
  },
  {
    name: 'a batch that stops early',
    machines: alone((world) =>
      batch({ concurrency: 2, minSuccessRate: 0.7 })(effect(world.call((n: number) => `item ${n}`))),
    ),
    input: [1, 2, 3, 4],
    answers: { 'item 1': [hangs], 'item 2': [fails(400, 100)], 'item 3': [fails(400)] },
    tells: ['ItemFailed', 'ItemFailed'],
    atMost: { 'item 1': 1, 'item 2': 1, 'item 3': 1, 'item 4': 0 },
  },
  {
    name: 'a saga that is undone',
    machines: alone((world) =>
      saga('work', [
        { name: 'reserve', run: call(world, 'reserve'), undo: call(world, 'release') },
        { name: 'tell', run: call(world, 'tell') },
        { name: 'charge', run: call(world, 'charge'), undo: call(world, 'refund') },
        { name: 'ship', run: tried(world, 'ship', 2), undo: call(world, 'recall') },
      ]),
    ),
    answers: {
      reserve: [ok('r', 100)],
      tell: [ok('t')],
      charge: [ok('c')],
      ship: [fails(503), fails(503)],
      refund: [fails(500, 100)],
      release: [ok('released')],
    },
    tells: [
      ...['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryExhausted'],
      ...['SagaStepFailed', 'UndoFailed', 'StepUndone'],
    ],
    atMost: { reserve: 1, tell: 1, charge: 1, ship: 2, refund: 1, release: 1, recall: 0 },
  },
  {
    name: 'a step with a budget, that pays for two retries',
    machines: (world) => ({
      work: step('work', world.attempt('work'), {
        retry: { maxAttempts: 9, backoff: steady, budget: { key: 'api', tokens: 40, cost: 14 } },
      }) as AnyStateMachine,
      retryBudget,
    }),
    answers: { work: [fails(503, 100), fails(503), fails(503)] },
    tells: [
      'RetryBudgetExhausted',
      ...['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryRefused'],
    ],
    // What was lost says nothing about the dependency, and its repetition costs no token.
    atMost: { work: 5 },
  },
  {
    name: 'withRateLimit, of which one waits and one is refused',
    machines: (world) => ({
      work: batch()(
        withRateLimit('api', { limit: 1, per: '1s', wait: '1s' })(
          effect(world.call((input: number) => `call ${input}`)),
        ),
      ) as unknown as AnyStateMachine,
      rateLimiter,
    }),
    input: [1, 2, 3],
    answers: { 'call 1': [ok('one', 100)], 'call 2': [ok('two', 100)], 'call 3': [ok('three')] },
    tells: ['CallDelayed', 'CallRateLimited', 'ItemFailed'],
    atMost: { 'call 1': 1, 'call 2': 1, 'call 3': 0 },
  },
  {
    name: 'withCache, that misses and hits',
    machines: (world) => ({
      work: inTurn(withCache('answers', { key: () => 'one', ttl: '1m' })(call(world)), 2),
      cache,
    }),
    answers: { call: [ok('well', 100)] },
    tells: ['CacheStored', 'CacheHit'],
    atMost: { call: 1 },
  },
  {
    name: 'an approval by two',
    machines: (world) => ({
      work: approval('work', {
        ...{ quorum: 2, timeout: '1h', escalation: [{ after: 1_000, to: 'lead' }] },
        notify: effect(world.call('notify')),
      }) as unknown as AnyStateMachine,
    }),
    input: { title: 'Refund?' },
    answers: { notify: [ok('told', 100), ok('told', 100)] },
    messages: [
      [500, { type: 'approval.granted', by: 'ann' }],
      [600, { type: 'approval.granted', by: 'ann' }],
      [2_000, { type: 'approval.granted', by: 'bob' }],
    ],
    tells: [
      ...['ApprovalRequested', 'ApprovalNotified', 'ApprovalVoted', 'ApprovalAnswerRefused'],
      ...['ApprovalEscalated', 'ApprovalNotified', 'ApprovalGranted'],
    ],
    atMost: { notify: 2 },
  },
  {
    name: 'a breaker',
    machines: () => ({ breaker }),
    input: { key: 'db', options: { consecutive: 2, openFor: 2_000, autoHalfOpen: true, halfOpen: { lease: 1_000 } } },
    messages: [
      [0, { type: 'outcome.reported', permit: permit(0, 'a'), outcome: 'failure', failure: { message: 'one' } }],
      [100, { type: 'outcome.reported', permit: permit(0, 'b'), outcome: 'failure', failure: { message: 'two' } }],
      // Half-open by the timer at 2 100; the probe fails.
      [2_300, { type: 'permit.asked', id: 'c' }],
      [2_400, { type: 'outcome.reported', permit: permit(2, 'c', true), outcome: 'failure' }],
      [2_500, { type: 'outcome.reported', permit: permit(0, 'late'), outcome: 'success' }],
      // Half-open by the timer at 6 400; the first probe hangs, the second one closes.
      [6_600, { type: 'permit.asked', id: 'd' }],
      [7_700, { type: 'permit.asked', id: 'e' }],
      [7_800, { type: 'outcome.reported', permit: permit(5, 'e', true), outcome: 'success' }],
      [7_900, { type: 'outcome.reported', permit: permit(6, 'f'), outcome: 'failure' }],
      [8_000, { type: 'breaker.isolated', hold: 'ops' }],
      [8_100, { type: 'breaker.released', hold: 'ops' }],
      [8_200, { type: 'outcome.reported', permit: permit(8, 'g'), outcome: 'failure', failure: { message: 'three' } }],
    ],
    tells: [
      ...['CircuitOpened', 'CircuitHalfOpened', 'ProbeAdmitted', 'CircuitOpened', 'StaleOutcomeIgnored'],
      ...['CircuitHalfOpened', 'ProbeAdmitted', 'ProbeExpired', 'ProbeAdmitted', 'CircuitClosed'],
      ...['CircuitIsolated', 'CircuitReleased'],
    ],
  },
  {
    name: 'a retry budget',
    machines: () => ({ retryBudget }),
    input: { key: 'db', options: { tokens: 30, cost: 14, throttleCost: 5 } },
    messages: [
      [0, { type: 'retry.asked', id: 'a', throttled: false }],
      [100, { type: 'retry.asked', id: 'b', throttled: false }],
      [200, { type: 'retry.asked', id: 'a', throttled: false }],
      [300, { type: 'retry.asked', id: 'c', throttled: true }],
      [400, { type: 'attempt.failed', id: 'b', retryable: true }],
      [500, { type: 'attempt.succeeded', id: 'a' }],
      [600, { type: 'retry.asked', id: 'c', throttled: true }],
    ],
    tells: ['RetryBudgetExhausted', 'RetryBudgetRestored'],
  },
];

function permit(gen: number, id: string, probe = false) {
  return { gen, id, probe };
}

/** Calls a logic so often, every second once, whatever comes of it. */
function inTurn(logic: AnyActorLogic, times: number): AnyStateMachine {
  const states = Array.from({ length: times }, (_, index) => {
    const target = index === times - 1 ? 'done' : `waiting${index + 1}`;
    return [
      [`calling${index}`, { invoke: { src: 'call', onDone: target, onError: target } }],
      [`waiting${index + 1}`, { after: { pause: `calling${index + 1}` } }],
    ] as const;
  }).flat();
  return setup({ actors: { call: logic as never }, delays: { pause: 1_000 } }).createMachine({
    context: {},
    initial: 'calling0',
    states: { ...Object.fromEntries(states.slice(0, -1)), done: { type: 'final' } },
  } as never) as unknown as AnyStateMachine;
}
