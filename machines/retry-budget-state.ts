/**
 * What a retry budget remembers, what it understands and what it answers: pure functions of snapshot and event. Owns the
 * tokens, the grants and their invariants RB1 to RB5, which stand in retry-budget.ts with the chart.
 */
import type { StateValue } from 'xstate';
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
  /** Of the retry that succeeded; names the attempt where it was none. */
  readonly id?: string;
  /** What that retry took, where the caller knows: its grant may be forgotten. */
  readonly afterRetry?: number;
}

/** An attempt failed. */
export interface AttemptFailed {
  readonly type: 'attempt.failed';
  /** Names the attempt. */
  readonly id: string;
  readonly retryable: boolean;
}

/** What a retry budget understands. */
export type RetryBudgetEvent =
  | RetryAsked
  | AttemptSucceeded
  | AttemptFailed
  | { readonly type: 'budget.configured'; readonly options: RetryBudgetOptions };

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
  /** How attempts ended that changed the tokens, the newest last (RB7). */
  readonly reports: readonly string[];
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
const reportsMax = 100;

/** A full bucket. */
export function retryBudgetBegun({ key, options }: RetryBudgetInput): RetryBudgetContext {
  const settings = retryBudgetOptions(options, `retryBudget '${key}'`);
  return { key, settings, tokens: settings.tokens, grants: [], reports: [] };
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
      return tokens === settings.tokens || isReported(snapshot.context, event);
    case 'attempt.failed':
      return !event.retryable || settings.failureCost === 0 || tokens === 0 || isReported(snapshot.context, event);
    case 'budget.configured':
      return reconfigured(snapshot.context, event.options) === snapshot.context;
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

/** Whether the dearest retry could be paid for. */
export function paysForAny(context: RetryBudgetContext): boolean {
  return pays(context, Math.max(context.settings.cost, context.settings.throttleCost));
}

/** Whether a retry is granted (RB2, RB3). */
export function isGranted(
  context: RetryBudgetContext,
  { id, throttled }: Pick<RetryAsked, 'id' | 'throttled'>,
): boolean {
  return grantOf(context, id) !== undefined || pays(context, costOf(context, throttled));
}

/** After a retry that is granted (RB3). */
export function charged(context: RetryBudgetContext, { id, throttled }: RetryAsked): RetryBudgetContext {
  const cost = costOf(context, throttled);
  if (cost === 0 || grantOf(context, id)) return context;
  const grants = [...context.grants.slice(1 - grantsMax), { id, cost }];
  return { ...context, tokens: exact(context.tokens - cost), grants };
}

/** After a success. */
export function refunded(context: RetryBudgetContext, event: AttemptSucceeded): RetryBudgetContext {
  const { tokens, grants, settings } = context;
  if (tokens === settings.tokens || isReported(context, event)) return context;
  const { id, afterRetry } = event;
  const { cost, throttleCost, refund } = settings;
  // What no retry can have taken is not believed.
  const isCost = afterRetry !== undefined && (afterRetry === cost || afterRetry === throttleCost);
  const taken = isCost ? afterRetry : (grantOf(context, id)?.cost ?? 0);
  const amount = refund === 'cost' ? taken || 1 : refund;
  return {
    ...context,
    tokens: Math.min(settings.tokens, exact(tokens + amount)),
    grants: grants.filter((grant) => grant.id !== id),
    reports: withReport(context, event),
  };
}

/** After a failure. */
export function failureCounted(context: RetryBudgetContext, event: AttemptFailed): RetryBudgetContext {
  const { tokens, settings } = context;
  if (!event.retryable || settings.failureCost === 0 || tokens === 0 || isReported(context, event)) return context;
  return {
    ...context,
    tokens: Math.max(0, exact(tokens - settings.failureCost)),
    reports: withReport(context, event),
  };
}

/** RB7. */
function isReported({ reports }: RetryBudgetContext, { type, id }: AttemptSucceeded | AttemptFailed): boolean {
  return id !== undefined && reports.includes(`${type} ${id}`);
}

function withReport({ reports }: RetryBudgetContext, { type, id }: AttemptSucceeded | AttemptFailed) {
  return id === undefined ? reports : [...reports.slice(1 - reportsMax), `${type} ${id}`];
}

/** RB6. */
export function reconfigured(context: RetryBudgetContext, options: RetryBudgetOptions): RetryBudgetContext {
  const { key, settings } = context;
  try {
    const begun = retryBudgetBegun({ key, options });
    return JSON.stringify(begun.settings) === JSON.stringify(settings) ? context : begun;
  } catch {
    return context;
  }
}
