/**
 * A retry budget: a bucket of tokens for one dependency, so that the retries of all its callers together stay a small
 * part of their calls when it is down. Owns the tokens, the grants and the facts; whether one call may be retried at all
 * is retry-policy.ts's decision. It retries nothing: callers ask for each retry and tell how attempts ended.
 *
 * RB1  Tokens lie between 0 and the settings' tokens, in whole thousandths.
 * RB2  A retry is granted while the tokens pay for it and exceed the minimum. Refusing takes nothing.
 * RB3  Who asks again with the same id gets the same grant and pays once, as long as it is among the newest 50.
 * RB4  It is exhausted from the first refusal until a success makes it pay for any retry again. Each is one fact; refusals
 *      in between change nothing, so a dependency that is down does not fill the log.
 * RB5  What changes nothing by `changesNothing` leaves state, context and log of facts as they are when sent anyway.
 */
import { assertEvent, assign, emit, setup, type StateValue } from 'xstate';
import {
  exact,
  retryBudgetOptions,
  type RetryBudgetOptions,
  type RetryBudgetSettings,
} from './retry-budget-options.ts';

/** What a retry budget is started with. */
export interface RetryBudgetInput {
  /** Names the dependency; facts carry it. */
  readonly key: string;
  readonly options?: RetryBudgetOptions;
}

/** A question for one retry. */
export interface RetryAsked {
  readonly type: 'retry.asked';
  /** Names the retry, not the call: unique among the retries of a dependency. */
  readonly id: string;
  /** Whether the dependency said that it is asked too often. */
  readonly throttled: boolean;
}

/** An attempt succeeded: a first one, or a retry. */
export interface AttemptSucceeded {
  readonly type: 'attempt.succeeded';
  /** Of the retry that succeeded. */
  readonly id?: string;
  /** What that retry took, where the caller knows: its grant may be forgotten. */
  readonly afterRetry?: number;
}

/** What a retry budget understands. */
export type RetryBudgetEvent =
  RetryAsked | AttemptSucceeded | { readonly type: 'attempt.failed'; readonly id: string; readonly retryable: boolean };

/** What a retry budget says of itself. */
export type RetryBudgetFact = {
  /** The first retry was refused, or all can be paid for again. */
  readonly type: 'RetryBudgetExhausted' | 'RetryBudgetRestored';
  readonly key: string;
  /** How many there were then. */
  readonly tokens: number;
};

/** What a retry budget remembers; plain JSON. */
export interface RetryBudgetContext {
  readonly key: string;
  readonly settings: RetryBudgetSettings;
  readonly tokens: number;
  /** Retries that were granted for tokens and did not succeed so far, the newest last (RB3). */
  readonly grants: readonly { readonly id: string; readonly cost: number }[];
}

/** Of a snapshot of the budget machine, what the questions below need. */
export interface RetryBudgetSnapshot {
  /** `available` or `exhausted`. */
  readonly value: StateValue;
  readonly context: RetryBudgetContext;
}

/** The answer to `retry.asked`. A granted retry that succeeds says its `cost` in `afterRetry`. */
export type RetryBudgetAnswer =
  | { readonly granted: true; readonly cost: number; readonly tokens: number }
  | { readonly granted: false; readonly tokens: number };

const grantsMax = 50;

/** The state in which a budget begins. */
export function retryBudgetBegun({ key, options }: RetryBudgetInput): RetryBudgetSnapshot {
  const settings = retryBudgetOptions(options, `retryBudget '${key}'`);
  return { value: 'available', context: { key, settings, tokens: settings.tokens, grants: [] } };
}

/** The state after an event: a pure function. A new `value` is what the facts say (RB4). */
export function retryBudgetAfter(snapshot: RetryBudgetSnapshot, event: RetryBudgetEvent): RetryBudgetSnapshot {
  const { value, context } = snapshot;
  switch (event.type) {
    case 'retry.asked':
      return isGranted(context, event) ? { value, context: charged(context, event) } : { value: 'exhausted', context };
    case 'attempt.succeeded': {
      const after = refunded(context, event);
      return { value: paysForAny(after) ? 'available' : value, context: after };
    }
    case 'attempt.failed':
      return { value, context: failureCounted(context, event.retryable) };
  }
}

/**
 * The answer to `retry.asked` when giving it changes nothing (RB5); undefined when the event has to be sent: for a grant
 * that costs, and for the first refusal.
 */
export function answerWithoutRecord(
  { value, context }: RetryBudgetSnapshot,
  asked: Pick<RetryAsked, 'id' | 'throttled'>,
): RetryBudgetAnswer | undefined {
  const answer = answerOf({ value, context }, asked.id, asked.throttled);
  if (answer.granted || (value === 'exhausted' && !isGranted(context, asked))) return answer;
  return undefined;
}

/** The answer to `retry.asked` right after that event; `throttled` as it was asked. */
export function answerOf({ context }: RetryBudgetSnapshot, id: string, throttled = false): RetryBudgetAnswer {
  const { tokens } = context;
  const grant = grantOf(context, id);
  if (grant) return { granted: true, cost: grant.cost, tokens };
  const isFree = costOf(context, throttled) === 0 && pays(context, 0);
  return isFree ? { granted: true, cost: 0, tokens } : { granted: false, tokens };
}

/** Whether the event need not be sent (RB5). */
export function changesNothing(snapshot: RetryBudgetSnapshot, event: RetryBudgetEvent): boolean {
  const { tokens, settings } = snapshot.context;
  switch (event.type) {
    case 'retry.asked':
      return answerWithoutRecord(snapshot, event) !== undefined;
    case 'attempt.succeeded':
      // A full bucket pays for any retry: it is not exhausted.
      return tokens === settings.tokens;
    case 'attempt.failed':
      return !event.retryable || settings.failureCost === 0 || tokens === 0;
  }
}

function grantOf({ grants }: RetryBudgetContext, id: string | undefined) {
  return grants.find((grant) => grant.id === id);
}

function costOf({ settings }: RetryBudgetContext, throttled: boolean): number {
  return throttled ? settings.throttleCost : settings.cost;
}

/** RB2. */
function pays({ tokens, settings: { minimum } }: RetryBudgetContext, cost: number): boolean {
  return tokens >= cost && (minimum === null || tokens > minimum);
}

function paysForAny(context: RetryBudgetContext): boolean {
  return pays(context, Math.max(context.settings.cost, context.settings.throttleCost));
}

function isGranted(context: RetryBudgetContext, { id, throttled }: Pick<RetryAsked, 'id' | 'throttled'>): boolean {
  return grantOf(context, id) !== undefined || pays(context, costOf(context, throttled));
}

/** RB3. */
function charged(context: RetryBudgetContext, { id, throttled }: RetryAsked): RetryBudgetContext {
  const cost = costOf(context, throttled);
  if (cost === 0 || grantOf(context, id)) return context;
  const grants = [...context.grants.slice(1 - grantsMax), { id, cost }];
  return { ...context, tokens: exact(context.tokens - cost), grants };
}

function refunded(context: RetryBudgetContext, { id, afterRetry }: AttemptSucceeded): RetryBudgetContext {
  const { tokens, grants, settings } = context;
  if (tokens === settings.tokens) return context;
  const { cost, throttleCost, refund } = settings;
  // What no retry can have taken is not believed.
  const isCost = afterRetry !== undefined && (afterRetry === cost || afterRetry === throttleCost);
  const taken = isCost ? afterRetry : (grantOf(context, id)?.cost ?? 0);
  const amount = refund === 'cost' ? taken || 1 : refund;
  return {
    ...context,
    tokens: Math.min(settings.tokens, exact(tokens + amount)),
    grants: grants.filter((grant) => grant.id !== id),
  };
}

function failureCounted(context: RetryBudgetContext, retryable: boolean): RetryBudgetContext {
  if (!retryable) return context;
  return { ...context, tokens: Math.max(0, exact(context.tokens - context.settings.failureCost)) };
}

function asked(event: RetryBudgetEvent): RetryAsked {
  assertEvent(event, 'retry.asked');
  return event;
}

function succeeded(event: RetryBudgetEvent): AttemptSucceeded {
  assertEvent(event, 'attempt.succeeded');
  return event;
}

function failedRetryably(event: RetryBudgetEvent): boolean {
  assertEvent(event, 'attempt.failed');
  return event.retryable;
}

/**
 * The machine of a retry budget. Start one per dependency, under its key as id: its stream is `retryBudget-<key>`.
 *
 * @example
 * const budget = await runtime.start('retryBudget', { id: 'model', input: { key: 'model', options: grpcBudget } });
 * @throws InvalidArgumentError when it is started with options that cannot work
 */
export const retryBudget = setup({
  types: {
    input: {} as RetryBudgetInput,
    context: {} as RetryBudgetContext,
    events: {} as RetryBudgetEvent,
    emitted: {} as RetryBudgetFact,
  },
  guards: {
    isGranted: ({ context, event }) => isGranted(context, asked(event)),
    paysForAnyAgain: ({ context, event }) => paysForAny(refunded(context, succeeded(event))),
  },
  actions: {
    charge: assign(({ context, event }) => charged(context, asked(event))),
    refund: assign(({ context, event }) => refunded(context, succeeded(event))),
    countFailure: assign(({ context, event }) => failureCounted(context, failedRetryably(event))),
    announceExhausted: emit(({ context: { key, tokens } }) => ({ type: 'RetryBudgetExhausted', key, tokens }) as const),
    announceRestored: emit(({ context: { key, tokens } }) => ({ type: 'RetryBudgetRestored', key, tokens }) as const),
  },
}).createMachine({
  id: 'retryBudget',
  context: ({ input }) => retryBudgetBegun(input).context,
  initial: 'available',
  on: {
    'attempt.succeeded': { actions: 'refund' },
    'attempt.failed': { actions: 'countFailure' },
  },
  states: {
    available: {
      on: {
        'retry.asked': [
          { guard: 'isGranted', actions: 'charge' },
          { target: 'exhausted', actions: 'announceExhausted' },
        ],
      },
    },
    exhausted: {
      on: {
        'retry.asked': { guard: 'isGranted', actions: 'charge' },
        'attempt.succeeded': [
          { guard: 'paysForAnyAgain', target: 'available', actions: ['refund', 'announceRestored'] },
          { actions: 'refund' },
        ],
      },
    },
  },
});
