/**
 * The recovery machines, each in a scenario that goes through all it does. A machine that is durable is an entry here:
 * crash-sweep.test.ts then lets its host die wherever it can, and lets everything else go wrong.
 */
import { setup, type AnyActorLogic, type AnyEventObject, type AnyStateMachine } from 'xstate';
import { effect } from 'rewake';
import {
  abort,
  approval,
  batch,
  breaker,
  cache,
  fallback,
  flow,
  handler,
  intervene,
  rateLimiter,
  resumeFrom,
  retry,
  retryBudget,
  saga,
  skip,
  step,
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
} from 'rewake/machines';
import {
  defineScenario,
  type Answer,
  type EffectScript,
  type Fault,
  type Outcome,
  type Scenario,
  type ScenarioEvent,
} from 'rewake/testing';

/** A scenario, and what all streams tell in it when nothing goes wrong, so that none is empty. */
export interface CrashScenario {
  readonly name: string;
  readonly scenario: Scenario<undefined>;
  readonly tells: readonly string[];
  /** It has so many appends that not every pair of crashes is tried. */
  readonly isLong: boolean;
}

interface Entry extends Scenario<undefined> {
  readonly name: string;
  readonly tells: readonly string[];
  readonly isLong?: true;
  /** How many calls its policy allows, lost ones included: of a name, or of a name with an input. */
  readonly atMost?: Readonly<Record<string, number>>;
  /** The same, of a policy that allows more where answers are late or the clock is set. */
  readonly atMostOnTime?: Readonly<Record<string, number>>;
  /** The same of calls that were not lost. */
  readonly atMostHeard?: Readonly<Record<string, number>>;
}

const outOfTime = new Set<Fault['fault']>(['late', 'clockJump']);

function crashing({
  tells,
  isLong,
  atMost = {},
  atMostOnTime = {},
  atMostHeard = {},
  ...scenario
}: Entry): CrashScenario {
  const check = ({ calls, plan, events }: Outcome) => {
    requireOnce(events);
    const isShared = plan.some(({ fault }) => fault === 'stealOwner');
    const again = calls.find(({ isLost, runs }) => isLost && runs > 1);
    if (again && !isShared) throw new Error(`'${again.name}' was lost, and run ${again.runs} times`);
    const onTime = !plan.some(({ fault }) => outOfTime.has(fault));
    requireAtMost(calls, { ...atMost, ...(onTime && atMostOnTime) });
    requireAtMost(
      calls.filter(({ isLost }) => !isLost),
      atMostHeard,
    );
  };
  return { name: scenario.name, scenario: defineScenario({ ...scenario, check }), tells, isLong: isLong === true };
}

/** 15. */
function requireAtMost(calls: Outcome['calls'], bounds: Readonly<Record<string, number>>): void {
  for (const [name, most] of Object.entries(bounds)) {
    const count = calls.filter((each) => each.name === name || `${each.name} ${String(each.input)}` === name).length;
    if (count > most) throw new Error(`'${name}' was called ${count} times, and ${most} are allowed`);
  }
}

/** 13: of no effect there is more than one outcome. */
function requireOnce(events: Outcome['events']): void {
  const ended = new Set<string>();
  for (const { stream, type, data } of events) {
    if (type !== 'EffectSucceeded' && type !== 'EffectFailed') continue;
    const effect = `${stream} ${(JSON.parse(data) as { actor: string }).actor}`;
    if (ended.has(effect)) throw new Error(`${effect} has two outcomes`);
    ended.add(effect);
  }
}

const ok = (output: unknown, afterMs = 0): Answer => ({ output, afterMs });
const hangs: Answer = { never: true };
const fails = (status: number, afterMs = 0): Answer => ({
  error: () => Object.assign(new Error(`answered ${status}`), { status }),
  afterMs,
});

/** What a scripted effect would do. */
const real = () => Promise.reject(new Error('This is answered from a script.'));
const call = effect<never, unknown>(real);
const steady = { strategy: 'fixed', initialDelay: 100, jitter: 'none' } as const;
/** A step of this name that is tried so often. */
const tried = (name: string, maxAttempts: number) => step(name, real, { retry: { maxAttempts, backoff: steady } });

/** An answer for each input. */
function byInput(answers: Readonly<Record<number, Answer>>): EffectScript {
  return ({ input }) => answers[input as number] ?? { error: new Error(`nobody expects ${String(input)}`) };
}

/** Events at these times after the start, in ms. */
function at(...events: readonly (readonly [atMs: number, event: AnyEventObject])[]): ScenarioEvent[] {
  return events.map(([atMs, event], index) => [atMs - (events[index - 1]?.[0] ?? 0), event]);
}

const entries: readonly Entry[] = [
  {
    name: 'a step with everything',
    isLong: true,
    machines: {
      work: step('work', real, {
        timeout: { each: '1s', factor: 2 },
        deadline: '1h',
        retry: { maxAttempts: 7, backoff: { ...steady, strategy: 'exponential' } },
        breaker: { key: 'api', consecutive: 9 },
        retryResult: (result) => result === 'not yet',
      }),
      breaker,
    },
    effects: { work: [fails(503, 100), hangs, ok('not yet', 200), ok('done', 300), ok('done'), ok('done')] },
    tells: [...['AttemptFailed', 'RetryScheduled', 'TimedOut', 'AttemptFailed', 'RetryScheduled', 'RetryScheduled']],
    atMost: { work: 7 },
  },
  {
    name: 'a step that is exhausted',
    machines: { work: tried('work', 3) },
    effects: { work: [fails(503), fails(500, 100), fails(429)] },
    tells: ['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryExhausted'],
    atMost: { work: 3 },
  },
  {
    name: 'a step without retries',
    machines: { work: step('work', real, { timeout: '1s' }) },
    effects: { work: [ok('done', 900)] },
    tells: [],
    atMost: { work: 1 },
  },
  {
    name: 'withRetry',
    machines: { work: withRetry({ maxRetries: 3, backoff: steady })(call) },
    effects: { withRetry: [fails(503), fails(503), ok('done')] },
    tells: ['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled'],
    atMost: { withRetry: 4 },
  },
  {
    name: 'withTimeout',
    machines: { work: withTimeout('1s')(call) },
    effects: { call: [hangs] },
    tells: ['TimedOut', 'AttemptFailed'],
    atMost: { call: 1 },
  },
  {
    name: 'withDeadline around withRetry',
    machines: {
      work: withDeadline(1_000)(withRetry({ maxRetries: 9, backoff: { ...steady, initialDelay: 400 } })(call)),
    },
    effects: { withRetry: [fails(503), fails(503), fails(503)] },
    tells: [
      ...['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled'],
      ...['TimedOut', 'RetryExhausted'],
    ],
    atMost: { withRetry: 3 },
  },
  {
    name: 'withBreaker, that opens, refuses, is probed and closes',
    isLong: true,
    machines: {
      work: inTurn(withBreaker({ key: 'api', consecutive: 2, openFor: 2_000, openMax: 2_000 })(call), 6),
      breaker,
    },
    // Two fail, the third is refused; the fourth, a probe, fails; the fifth is refused; the sixth, a probe, closes it.
    effects: { call: [fails(503, 100), fails(500), fails(503, 100), ok('well')] },
    tells: [
      ...['CircuitOpened', 'CircuitHalfOpened', 'ProbeAdmitted', 'CircuitOpened'],
      ...['CircuitHalfOpened', 'ProbeAdmitted', 'CircuitClosed'],
      ...['AttemptFailed', 'AttemptFailed', 'AttemptRejected', 'AttemptFailed', 'AttemptRejected'],
    ],
    atMostOnTime: { call: 4 },
  },
  {
    name: 'withFallback of steps',
    machines: { work: withFallback([tried('second', 2), call])(tried('first', 3)) },
    effects: {
      first: [fails(503), fails(503), fails(503)],
      second: [fails(500, 100), fails(500)],
      fallback2: [ok('third', 100)],
    },
    tells: [
      ...['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryExhausted'],
      ...['FallbackEntered', 'AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryExhausted', 'FallbackEntered'],
    ],
    atMost: { first: 3, second: 2, fallback2: 1 },
  },
  {
    name: 'withFallback that is exhausted',
    machines: { work: withFallback([call])(call) },
    effects: { primary: [fails(503)], fallback1: [fails(500, 100)] },
    tells: ['FallbackEntered'],
    atMost: { primary: 1, fallback1: 1 },
  },
  {
    name: 'a flow with handlers at every scope',
    isLong: true,
    machines: {
      work: flow('work', {
        steps: {
          list: { run: call },
          read: { run: call, needs: ['pay'], forEach: 'list', concurrency: 1 },
          pay: {
            run: call,
            needs: ['list'],
            input: () => 'pay',
            onCommandFailure: [handler({ id: 'wake', when: 'auth', run: call, then: retry({ delay: 50 }) })],
            onFailure: [handler({ id: 'pause', then: retry({ delay: '1s', maxAttempts: 2 }) })],
          },
          ship: {
            run: call,
            onFailure: [handler({ id: 'carrier', then: fallback(call) })],
          },
          mail: { run: call, needs: ['ship'] },
        },
        phases: [
          {
            id: 'making',
            steps: ['list', 'read', 'pay'],
            onFailure: [handler({ id: 'back', then: resumeFrom('list') })],
          },
          { id: 'sending', steps: ['ship', 'mail'] },
        ],
        onFailure: [handler({ id: 'silent', run: tried('note', 2), then: skip('nobody was told') })],
      }),
    },
    effects: {
      list: [ok(['x', 'y', 'z'], 100), ok(['x'])],
      read: [ok('X', 90), fails(500, 55), ok('X', 10)],
      pay: [fails(401, 100), fails(503, 100), ok('paid', 100), ok('paid', 100)],
      'wake run 1': [ok('awake', 100)],
      ship: [fails(503, 100)],
      'carrier: fallback': [ok('shipped', 100)],
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
    atMost: { list: 2, 'read x': 2, 'read y': 1, ship: 1, 'carrier: fallback': 1, mail: 1, 'wake run 1': 1 },
  },
  {
    name: 'a flow that asks, and is aborted',
    machines: {
      work: flow('work', {
        steps: {
          reserve: { run: call, undo: call },
          charge: { run: call, needs: ['reserve'], undo: call },
          ship: {
            run: call,
            needs: ['charge'],
            onFailure: [
              handler({
                id: 'ask',
                then: intervene('What now?', {
                  again: retry({ delay: 100 }),
                  stop: abort({ cleanup: [call] }),
                }),
              }),
            ],
          },
        },
      }),
    },
    effects: {
      ...{ reserve: [ok('R', 100)], charge: [ok('C', 100)], ship: [fails(400, 100), fails(400)] },
      ...{ 'flow.cleanup': [fails(500, 100)], 'undo.reserve': [ok('free', 100)], 'undo.charge': [fails(500, 100)] },
    },
    events: at(
      [500, { type: 'approval.chosen', by: 'ann', choice: 'again' }],
      [900, { type: 'approval.chosen', by: 'bob', choice: 'stop' }],
    ),
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
    atMost: { reserve: 1, charge: 1, ship: 2, 'flow.cleanup': 1, 'undo.reserve': 1, 'undo.charge': 1 },
  },
  {
    name: 'withCatch',
    machines: { work: withCatch((error) => (error as { status?: number }).status === 404)(call) },
    effects: { call: [fails(404, 100)] },
    tells: ['ErrorCaught'],
    atMost: { call: 1 },
  },
  {
    name: 'withCatch of what a step of its own gives up',
    machines: { work: withCatch('RecoveryExhaustedError')(tried('work', 2)) },
    effects: { work: [fails(503), fails(503)] },
    tells: ['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryExhausted', 'ErrorCaught'],
    atMost: { work: 2 },
  },
  {
    name: 'withBulkhead, of which one waits and one is refused',
    machines: { work: batch()(withBulkhead('crash sweep', { concurrency: 1, queue: 1 })(call)) },
    input: [1, 2, 3],
    effects: { call: byInput({ 1: ok('one', 100), 2: ok('two', 100) }) },
    tells: ['BulkheadRejected', 'ItemFailed'],
    atMost: { 'call 1': 1, 'call 2': 1 },
  },
  {
    name: 'withHedge',
    machines: { work: withHedge({ delay: 500, max: 4 })(call) },
    effects: { call: [hangs, fails(503, 200), hangs, ok('fourth', 100)] },
    tells: ['HedgeStarted', 'HedgeStarted', 'HedgeStarted'],
    atMost: { call: 4 },
  },
  {
    name: 'withHandlers: retries of a handler, of the call by a handler, and of a handler by its own handler',
    isLong: true,
    machines: {
      work: withHandlers(
        [
          handler({
            ...{ id: 'mend', when: 'server', run: call, timeout: '1h' },
            ...{ retry: { maxAttempts: 3, backoff: steady }, then: retry({ delay: '1s' }) },
          }),
          handler({
            ...{ id: 'other', run: [call, call], then: fallback(call) },
            handlers: [handler({ id: 'nested', then: retry({ delay: 200 }) })],
          }),
        ],
        { name: 'work' },
      )(call),
    },
    effects: {
      work: [fails(503, 100), fails(400)],
      mend: [fails(503, 100), fails(503), ok('mended')],
      'other run 1': [fails(500), fails(500, 100), ok('noted')],
      'other run 2': [ok('seen', 100)],
      'other: fallback': [ok('well', 100)],
    },
    tells: [
      ...['HandlerStarted', 'AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled', 'HandlerCompleted'],
      ...['HandlerStarted', 'HandlerStarted', 'HandlerCompleted', 'HandlerStarted', 'HandlerCompleted'],
      'HandlerCompleted',
    ],
    atMost: { work: 2, mend: 3, 'other run 1': 3, 'other run 2': 1, 'other: fallback': 1 },
  },
  {
    name: 'handlers at two scopes, of which the inner one fails',
    machines: {
      work: withHandlers([handler({ id: 'without', when: 'server', then: skip('nothing') })], { name: 'work' })(
        withRetry({ maxAttempts: 2, backoff: steady })(
          withHandlers([handler({ id: 'clean', run: call, timeout: '1s', then: retry() })], {
            ...{ name: 'work', scope: 'command' },
          })(call),
        ),
      ),
    },
    effects: { withRetry: [fails(503, 100), fails(503)], 'clean run 1': [fails(500, 100), hangs] },
    tells: [
      'NestedRetryDetected',
      ...['HandlerStarted', 'HandlerFailed', 'ErrorEscalated', 'AttemptFailed', 'RetryScheduled'],
      ...['HandlerStarted', 'HandlerFailed', 'ErrorEscalated', 'AttemptFailed', 'RetryExhausted'],
      ...['HandlerStarted', 'HandlerCompleted'],
    ],
    atMost: { withRetry: 2, 'clean run 1': 2 },
  },
  {
    name: 'withHealing',
    machines: {
      work: withHealing({
        diagnose: call,
        remedies: { sharpen: call, rotate: call },
        maxHeals: 2,
      })(call),
    },
    input: 'blurred',
    effects: {
      call: [fails(422, 100), fails(422), fails(422)],
      diagnose: [ok({ remedy: 'sharpen' }), ok({ remedy: 'rotate' }, 100)],
      'applying sharpen': [ok('sharp', 100)],
      'applying rotate': [ok('sharp')],
    },
    tells: ['Diagnosed', 'RemedyApplied', 'Diagnosed', 'RemedyApplied', 'HealingEnded'],
    atMost: { 'call blurred': 1, 'call sharp': 2, diagnose: 2, 'applying sharpen': 1, 'applying rotate': 1 },
  },
  {
    name: 'a batch with partial success',
    machines: { work: batch({ concurrency: 2, minSuccessRate: 0.5 })(call) },
    input: [1, 2, 3, 4, 5],
    effects: {
      call: byInput({ 1: ok('one', 300), 2: fails(400, 100), 3: ok('three'), 4: fails(503, 100), 5: ok('five', 100) }),
    },
    tells: ['ItemFailed', 'ItemFailed'],
    atMost: { 'call 1': 1, 'call 2': 1, 'call 3': 1, 'call 4': 1, 'call 5': 1 },
  },
  {
    name: 'a batch that stops early',
    machines: { work: batch({ concurrency: 2, minSuccessRate: 0.7 })(call) },
    input: [1, 2, 3, 4],
    effects: { call: byInput({ 1: hangs, 2: fails(400, 100), 3: fails(400) }) },
    tells: ['ItemFailed', 'ItemFailed'],
    atMost: { 'call 1': 1, 'call 2': 1, 'call 3': 1, 'call 4': 0 },
  },
  {
    name: 'a saga that is undone',
    machines: {
      work: saga('work', [
        { name: 'reserve', run: call, undo: call },
        { name: 'tell', run: call },
        { name: 'charge', run: call, undo: call },
        { name: 'ship', run: tried('ship', 2), undo: call },
      ]),
    },
    effects: {
      'doing reserve': [ok('r', 100)],
      'doing tell': [ok('t')],
      'doing charge': [ok('c')],
      ship: [fails(503), fails(503)],
      'undoing charge': [fails(500, 100)],
      'undoing reserve': [ok('released')],
    },
    tells: [
      ...['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryExhausted'],
      ...['SagaStepFailed', 'UndoFailed', 'StepUndone'],
    ],
    atMost: {
      'doing reserve': 1,
      'doing tell': 1,
      'doing charge': 1,
      ship: 2,
      'undoing charge': 1,
      'undoing reserve': 1,
      'undoing ship': 0,
    },
  },
  {
    name: 'a step with a budget, that pays for two retries',
    machines: {
      work: step('work', real, {
        retry: { maxAttempts: 9, backoff: steady, budget: { key: 'api', tokens: 40, cost: 14 } },
      }),
      retryBudget,
    },
    effects: { work: [fails(503, 100), fails(503), fails(503)] },
    tells: [
      'RetryBudgetExhausted',
      ...['AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryScheduled', 'AttemptFailed', 'RetryRefused'],
    ],
    // What was lost says nothing about the dependency, and its repetition costs no token.
    atMost: { work: 9 },
    atMostHeard: { work: 3 },
  },
  {
    name: 'withRateLimit, of which one waits and one is refused',
    machines: {
      work: batch()(withRateLimit('api', { limit: 1, per: '1s', wait: '1s' })(call)),
      rateLimiter,
    },
    input: [1, 2, 3],
    effects: { call: byInput({ 1: ok('one', 100), 2: ok('two', 100), 3: ok('three') }) },
    tells: ['CallDelayed', 'CallRateLimited', 'ItemFailed'],
    atMost: { 'call 1': 1, 'call 2': 1, 'call 3': 0 },
  },
  {
    name: 'withCache, that misses and hits',
    machines: {
      work: inTurn(withCache('answers', { key: () => 'one', ttl: '1m' })(call), 2),
      cache,
    },
    effects: { call: [ok('well', 100)] },
    tells: ['CacheStored', 'CacheHit'],
    atMostOnTime: { call: 1 },
  },
  {
    name: 'an approval by two',
    machines: {
      work: approval('work', {
        ...{ quorum: 2, timeout: '1h', escalation: [{ after: 1_000, to: 'lead' }] },
        notify: call,
      }),
    },
    input: { title: 'Refund?' },
    effects: { notify: [ok('told', 100), ok('told', 100)] },
    events: at(
      [500, { type: 'approval.granted', by: 'ann' }],
      [600, { type: 'approval.granted', by: 'ann' }],
      [2_000, { type: 'approval.granted', by: 'bob' }],
    ),
    tells: [
      ...['ApprovalRequested', 'ApprovalNotified', 'ApprovalVoted', 'ApprovalAnswerRefused'],
      ...['ApprovalEscalated', 'ApprovalNotified', 'ApprovalGranted'],
    ],
    atMost: { notify: 2 },
  },
  {
    name: 'a breaker',
    machines: { breaker },
    input: { key: 'db', options: { consecutive: 2, openFor: 2_000, autoHalfOpen: true, halfOpen: { lease: 1_000 } } },
    events: at(
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
    ),
    tells: [
      ...['CircuitOpened', 'CircuitHalfOpened', 'ProbeAdmitted', 'CircuitOpened', 'StaleOutcomeIgnored'],
      ...['CircuitHalfOpened', 'ProbeAdmitted', 'ProbeExpired', 'ProbeAdmitted', 'CircuitClosed'],
      ...['CircuitIsolated', 'CircuitReleased'],
    ],
  },
  {
    name: 'a retry budget',
    machines: { retryBudget },
    input: { key: 'db', options: { tokens: 30, cost: 14, throttleCost: 5 } },
    events: at(
      [0, { type: 'retry.asked', id: 'a', throttled: false }],
      [100, { type: 'retry.asked', id: 'b', throttled: false }],
      [200, { type: 'retry.asked', id: 'a', throttled: false }],
      [300, { type: 'retry.asked', id: 'c', throttled: true }],
      [400, { type: 'attempt.failed', id: 'b', retryable: true }],
      [500, { type: 'attempt.succeeded', id: 'a' }],
      [600, { type: 'retry.asked', id: 'c', throttled: true }],
    ),
    tells: ['RetryBudgetExhausted', 'RetryBudgetRestored'],
  },
];

export const crashScenarios: readonly CrashScenario[] = entries.map(crashing);

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
