/**
 * What a tool tells the log, and what its calls cost. Owns the names and shapes of these facts, which never change once
 * published, and the arithmetic of prices.
 *
 * TF1  Every tool that was tried is told once, when its last attempt has ended, whatever came of it; only one that has no
 *      price, because its function for that failed, is not.
 * TF2  A price is computed once, in the transition that ends the call: a fold computes the same.
 */
import { InvalidArgumentError } from 'rewake';
import type { ErrorSignature } from './error-signature.ts';
import type { FallbackEntered } from './fallback.ts';

/** A tool was tried. */
export interface ToolCalled {
  readonly type: 'ToolCalled';
  readonly tool: string;
  /** Whether it gave the answer; `skipped`: it failed, and its policy made an answer of that. */
  readonly outcome: 'succeeded' | 'failed' | 'skipped';
  /** 0 for the tool that was asked for, 1 for its first fallback. */
  readonly fallbackIndex: number;
  /** Calls that were made: 0 where a breaker let none through. */
  readonly attempts: number;
  /** What these calls cost together, in `unit`. */
  readonly cost: number;
  readonly unit: string;
  /** Of the tool, from 0 to 1; absent where its registry does not say. */
  readonly accuracy?: number;
  /** From the first attempt to the end of the last one, waits included. */
  readonly durationMs: number;
  /** What it failed with. */
  readonly error?: ErrorSignature;
}

/** What a tool tells the log; what its step tells comes besides. */
export type ToolFact = ToolCalled | FallbackEntered;

/** What a price is computed from. */
export interface ToolBill<Params = unknown, Output = unknown> {
  readonly params: Params;
  /** Undefined where the tool failed. */
  readonly output: Output | undefined;
  /** Calls that were made, from 0. */
  readonly attempts: number;
  readonly succeeded: boolean;
}

/** A price per attempt, or a pure function that says what a tool's calls cost together. */
export type ToolCost<Params = unknown, Output = unknown> = number | ((bill: ToolBill<Params, Output>) => number);

/**
 * What a tool's calls cost.
 * @throws InvalidArgumentError where a function gives something else than a number from 0
 */
export function costOf(tool: string, cost: ToolCost, bill: ToolBill): number {
  if (typeof cost === 'number') return cost * bill.attempts;
  const computed = cost(bill);
  if (Number.isFinite(computed) && computed >= 0) return computed;
  throw InvalidArgumentError.of(`cost of tool '${tool}'`, 'a number of at least 0', computed);
}
