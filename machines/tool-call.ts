/**
 * What a call of a tool remembers, and how that changes: functions that the chart of tool-machine.ts calls by name,
 * deterministic in context, event and now(). Owns the context and what a call comes to; knows no state of the chart.
 *
 * TC1  Cost and attempts of the whole are the sums of what is told of each tool.
 */
import { now, type TimeMs } from 'rewake';
import type { AnyActorLogic } from 'xstate';
import { classify, matches } from './classify.ts';
import { signatureOf } from './error-signature.ts';
import { leadsOn } from './fallback.ts';
import { contextOfCall } from './policy-machine.ts';
import { RecoveryExhaustedError, RetryAfterTooLongError } from './recovery-errors.ts';
import { costOf, type ToolCalled, type ToolCost } from './tool-facts.ts';
import type { ToolPolicy } from './tool-options.ts';

/** A tool as a call tries it. */
export interface PlannedTool {
  readonly name: string;
  readonly step: AnyActorLogic;
  readonly cost: ToolCost;
  readonly accuracy: number | undefined;
}

/** The tools of a call in the order they are tried, and what follows a failure. */
export interface ToolPlan {
  readonly tools: readonly [PlannedTool, ...PlannedTool[]];
  readonly policy: ToolPolicy;
  readonly unit: string;
}

/** What a call of a tool came to. */
export interface ToolResult<Output = unknown> {
  /** `skipped`: the tool failed, and its policy made an answer of that. */
  readonly outcome: 'succeeded' | 'skipped';
  readonly output: Output;
  /** Which tool gave it; the one that was skipped. */
  readonly tool: string;
  /** Of all tools that were tried, in `unit`: the sum of their `ToolCalled`. */
  readonly cost: number;
  readonly unit: string;
  /** Of all tools that were tried. */
  readonly attempts: number;
  /** From the first call to the end, waits included. */
  readonly durationMs: number;
}

/** What a call of a tool remembers. */
export interface ToolContext {
  readonly params: unknown;
  /** Which tool is called, from 0. */
  readonly index: number;
  readonly startedAt: TimeMs;
  readonly calledAt: TimeMs;
  /** The newest call that has ended. */
  readonly called: ToolCalled | undefined;
  readonly cost: number;
  readonly attempts: number;
  readonly output: unknown;
  /** What each tool failed with, in order. */
  readonly errors: readonly unknown[];
  readonly failure: unknown;
}

/** A call begins. */
export function callBegun(params: unknown): ToolContext {
  const at = now();
  return {
    params,
    index: 0,
    startedAt: at,
    calledAt: at,
    called: undefined,
    cost: 0,
    attempts: 0,
    output: undefined,
    errors: [],
    failure: undefined,
  };
}

/** The tool answered. */
export function callAnswered(
  context: ToolContext,
  plan: ToolPlan,
  attempts: number,
  output: unknown,
): Partial<ToolContext> {
  return { output, ...ended(context, plan, attempts, { outcome: 'succeeded', output }) };
}

/** The tool failed. */
export function callFailed(
  context: ToolContext,
  plan: ToolPlan,
  attempts: number,
  error: unknown,
): Partial<ToolContext> {
  const told = { outcome: 'failed', error: signatureOf(error, classify(error)) } as const;
  return { errors: [...context.errors, error], ...ended(context, plan, attempts, told) };
}

/** The failure is an answer. */
export function callSkipped({ called }: ToolContext, policy: ToolPolicy, error: unknown): Partial<ToolContext> {
  const output = policy.strategy === 'skip' && 'value' in policy ? policy.value : { skipped: true, error };
  return { output, called: { ...called!, outcome: 'skipped' } };
}

/** A tool's last attempt has ended. */
function ended(
  { params, index, calledAt, cost, attempts }: ToolContext,
  { tools, unit }: ToolPlan,
  made: number,
  { output, ...told }: Pick<ToolCalled, 'outcome' | 'error'> & { readonly output?: unknown },
): Pick<ToolContext, 'called' | 'cost' | 'attempts'> {
  const tool = tools[index]!;
  const price = costOf(tool.name, tool.cost, {
    params,
    output,
    attempts: made,
    succeeded: told.outcome === 'succeeded',
  });
  const called: ToolCalled = {
    type: 'ToolCalled',
    tool: tool.name,
    fallbackIndex: index,
    attempts: made,
    cost: price,
    unit,
    ...(tool.accuracy !== undefined && { accuracy: tool.accuracy }),
    durationMs: now() - calledAt,
    ...told,
  };
  return { called, cost: cost + price, attempts: attempts + made };
}

/** Calls that the step made which just ended. */
export function attemptsOf(self: { getSnapshot(): unknown }): number {
  return (contextOfCall(self) as { readonly attempt: number }).attempt;
}

/** Whether a failure leads to the next tool, where there is one. */
export function leadsToNext(policy: ToolPolicy, error: unknown): boolean {
  const on = policy.strategy === 'fallback' ? policy.on : undefined;
  if (!on) return leadsOn(error);
  const isGivenUp = error instanceof RecoveryExhaustedError || error instanceof RetryAfterTooLongError;
  const meant = isGivenUp ? [error, error.originalError] : [error];
  return on.some((match) => meant.some((each) => matches(each, match)));
}

/** What a call that has ended came to. */
export function resultOf({ called, output, cost, attempts, startedAt }: ToolContext): ToolResult {
  const { tool, outcome, unit } = called!;
  return {
    outcome: outcome as ToolResult['outcome'],
    output,
    tool,
    cost,
    unit,
    attempts,
    durationMs: now() - startedAt,
  };
}
