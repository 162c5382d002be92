/**
 * A retry budget: a bucket of tokens for one dependency, so that the retries of all its callers together stay a small
 * part of their calls when it is down. Owns the chart and the facts; the tokens are retry-budget-state.ts's, whether one call
 * may be retried at all is retry-policy.ts's decision. It retries nothing: callers ask for each retry and tell how attempts ended.
 *
 * RB1  Tokens lie between 0 and the settings' tokens, in whole thousandths.
 * RB2  A retry is granted while the tokens pay for it and exceed the minimum. Refusing takes nothing.
 * RB3  Who asks again with the same id gets the same grant and pays once, as long as it is among the newest 50.
 * RB4  It is exhausted from the first refusal until a success makes it pay for any retry again. Each is one fact; refusals
 *      in between change nothing, so a dependency that is down does not fill the log.
 * RB5  What changes nothing by `changesNothing` leaves state, context and log of facts as they are when sent anyway.
 * RB6  Other options begin a full bucket; options that cannot work change nothing.
 * RB7  How an attempt ended counts once, also where its host died and tells it again: the newest 100 reports that changed
 *      the tokens are known, in the context and not by message ids, which an actor keeps for ever.
 */
import { assertEvent, assign, emit, setup } from 'xstate';
import type { RetryBudgetOptions } from './retry-budget-options.ts';
import {
  charged,
  failureCounted,
  isGranted,
  paysForAny,
  reconfigured,
  refunded,
  retryBudgetBegun,
  type AttemptFailed,
  type AttemptSucceeded,
  type RetryAsked,
  type RetryBudgetContext,
  type RetryBudgetEvent,
  type RetryBudgetFact,
  type RetryBudgetInput,
} from './retry-budget-state.ts';

function asked(event: RetryBudgetEvent): RetryAsked {
  assertEvent(event, 'retry.asked');
  return event;
}

function succeeded(event: RetryBudgetEvent): AttemptSucceeded {
  assertEvent(event, 'attempt.succeeded');
  return event;
}

function optionsOf(event: RetryBudgetEvent): RetryBudgetOptions {
  assertEvent(event, 'budget.configured');
  return event.options;
}

function failed(event: RetryBudgetEvent): AttemptFailed {
  assertEvent(event, 'attempt.failed');
  return event;
}

const chart = setup({
  types: {
    input: {} as RetryBudgetInput,
    context: {} as RetryBudgetContext,
    events: {} as RetryBudgetEvent,
    emitted: {} as RetryBudgetFact,
  },
  guards: {
    isGranted: ({ context, event }) => isGranted(context, asked(event)),
    changesOptions: ({ context, event }) => reconfigured(context, optionsOf(event)) !== context,
    paysForAnyAgain: ({ context, event }) => paysForAny(refunded(context, succeeded(event))),
  },
  actions: {
    charge: assign(({ context, event }) => charged(context, asked(event))),
    refund: assign(({ context, event }) => refunded(context, succeeded(event))),
    countFailure: assign(({ context, event }) => failureCounted(context, failed(event))),
    configure: assign(({ context, event }) => reconfigured(context, optionsOf(event))),
    announceExhausted: emit(({ context: { key, tokens } }) => ({ type: 'RetryBudgetExhausted', key, tokens }) as const),
    announceRestored: emit(({ context: { key, tokens } }) => ({ type: 'RetryBudgetRestored', key, tokens }) as const),
  },
}).createMachine({
  id: 'retryBudget',
  context: ({ input }) => retryBudgetBegun(input),
  initial: 'available',
  on: {
    'attempt.succeeded': { actions: 'refund' },
    'attempt.failed': { actions: 'countFailure' },
    'budget.configured': { guard: 'changesOptions', actions: 'configure' },
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
        'budget.configured': {
          guard: 'changesOptions',
          target: 'available',
          actions: ['configure', 'announceRestored'],
        },
      },
    },
  },
});

type Chart = typeof chart;

/** The type of {@link retryBudget}: a name for it in hovers and declarations. */
export interface RetryBudgetMachine extends Chart {}

/**
 * The machine of a retry budget. Start one per dependency, under its key as id: its stream is `retryBudget-<key>`.
 *
 * @example
 * const budget = await runtime.start('retryBudget', { id: 'model', input: { key: 'model', options: grpcBudget } });
 * @throws InvalidArgumentError when it is started with options that cannot work
 */
export const retryBudget: RetryBudgetMachine = chart;
