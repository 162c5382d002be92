/**
 * What a retry budget can be told. Owns the options, their defaults, their check and the two budgets that people know; what
 * they mean for a retry is in retry-budget.ts.
 *
 * RO1  Settings are complete plain JSON: every default filled in, null for what is switched off.
 * RO2  Options that could never do what they say are refused: unknown names, a retry that costs more than there is, a
 *      minimum that is never exceeded, a budget that never refuses.
 * RO3  Amounts have at most three decimals, so that sums of them are exact in thousandths of a token.
 */
import { InvalidArgumentError } from 'rewake';
import { numberWhere, requireKnown } from './options.ts';

/** Options of a retry budget; plain JSON, all of them optional. */
export interface RetryBudgetOptions {
  /** Tokens of a full bucket; it begins full. 500. */
  readonly tokens?: number;
  /** Tokens that a retry takes; 14. */
  readonly cost?: number;
  /** Tokens that a retry takes after the dependency said that it is asked too often; 5. */
  readonly throttleCost?: number;
  /** Tokens that a retryable failure takes, whether it is retried or not; 0. */
  readonly failureCost?: number;
  /** Tokens that a success gives back: always as many, or the `cost` of the retry it came from, 1 without one. `cost`. */
  readonly refund?: 'cost' | number;
  /** A retry is granted only while there are more tokens than this; off. */
  readonly minimum?: number;
}

/** Checked options with every default filled in (RO1). */
export interface RetryBudgetSettings {
  readonly tokens: number;
  readonly cost: number;
  readonly throttleCost: number;
  readonly failureCost: number;
  readonly refund: 'cost' | number;
  readonly minimum: number | null;
}

/**
 * gRPC's retry throttling: a failure takes one of 10 tokens, a success gives a tenth back, and retries are granted while
 * more than half is left (grpc/proposal A6, "Throttling Retry Attempts and Hedged RPCs").
 */
export const grpcBudget: RetryBudgetOptions = Object.freeze({
  tokens: 10,
  cost: 0,
  throttleCost: 0,
  failureCost: 1,
  refund: 0.1,
  minimum: 5,
});

/**
 * The AWS SDK's retry quota: a retry takes 14 of 500 tokens, 5 when throttled, and gets them back when it succeeds (AWS
 * StandardRetryStrategy).
 */
export const awsBudget: RetryBudgetOptions = Object.freeze({
  tokens: 500,
  cost: 14,
  throttleCost: 5,
  failureCost: 0,
  refund: 'cost',
});

/** The names of the options of a retry budget. */
export const retryBudgetOptionNames: readonly (keyof RetryBudgetOptions)[] = [
  'tokens',
  'cost',
  'throttleCost',
  'failureCost',
  'refund',
  'minimum',
];
const thousandths = 1_000;

/** Rounds an amount to thousandths of a token (RO3). */
export function exact(tokens: number): number {
  return Math.round(tokens * thousandths) / thousandths;
}

/**
 * Checks options and fills in their defaults.
 * @param path how the message names the options, for example `step('charge').budget`
 * @throws InvalidArgumentError naming the option, what was expected and what was found
 */
export function retryBudgetOptions(options: RetryBudgetOptions = {}, path = 'retryBudget'): RetryBudgetSettings {
  requireKnown(options, retryBudgetOptionNames, path);
  const { failureCost = 0, refund = 'cost', minimum } = options;
  const tokens = above0(options.tokens ?? 500, `${path}.tokens`);
  const settings: RetryBudgetSettings = {
    tokens,
    cost: amount(options.cost ?? 14, `${path}.cost`, tokens),
    throttleCost: amount(options.throttleCost ?? 5, `${path}.throttleCost`, tokens),
    failureCost: amount(failureCost, `${path}.failureCost`, tokens),
    refund: refund === 'cost' ? refund : above0(refund, `${path}.refund`),
    minimum: minimum === undefined ? null : amount(minimum, `${path}.minimum`, tokens),
  };
  if (settings.minimum === tokens)
    throw InvalidArgumentError.of(`${path}.minimum`, `less than the tokens (${tokens})`, minimum);
  requireRefusals(settings, path);
  return settings;
}

/** RO2: without a cost of retries only failures that go down to a minimum can use a budget up. */
function requireRefusals({ cost, throttleCost, failureCost, minimum }: RetryBudgetSettings, path: string): void {
  if (cost > 0 || throttleCost > 0 || (failureCost > 0 && minimum !== null)) return;
  throw InvalidArgumentError.of(
    path,
    'a cost, a throttleCost, or a failureCost with a minimum: otherwise nothing is ever refused',
    0,
  );
}

function above0(value: number, path: string): number {
  if (amount(value, path) > 0) return value;
  throw InvalidArgumentError.of(path, 'a number above 0', value);
}

function amount(value: number, path: string, max = Number.MAX_SAFE_INTEGER / thousandths): number {
  const expected = `a number from 0 to ${max} with at most three decimals`;
  return numberWhere(value, path, expected, (found) => found >= 0 && found <= max && exact(found) === found);
}
