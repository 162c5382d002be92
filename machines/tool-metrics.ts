/**
 * How well tools do: a fold over their facts. Owns the sums and the rates; it reads no log and keeps nothing.
 *
 * TM1  Facts counted in pieces, each with the metrics of the pieces before, come to what they come to at once.
 * TM2  Events that are no `ToolCalled` count nothing, nor do somebody else's of that name, so a whole log may be folded.
 */
import { decode } from 'rewake';
import type { ToolCalled } from './tool-facts.ts';

/** How well one tool does, or all of them. Rates are shares from 0 to 1. */
export interface ToolMetrics {
  readonly calls: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly skipped: number;
  /** Calls that took more than one attempt. */
  readonly retried: number;
  readonly attempts: number;
  readonly durationMs: number;
  /** Sums by their unit. */
  readonly costs: Readonly<Record<string, number>>;
  /** Share of calls that succeeded; 1 where there was none. */
  readonly successRate: number;
  /** Attempts per call; 0 where there was none. */
  readonly averageAttempts: number;
  /** Share of calls that took more than one attempt. A high one says that something is wrong all the time. */
  readonly retryRate: number;
  readonly averageDurationMs: number;
}

/** The metrics of all tools together and of each by its name. */
export interface ToolReport {
  readonly all: ToolMetrics;
  readonly tools: Readonly<Record<string, ToolMetrics>>;
}

/** A fact, or an event of a log, of which `ToolCalled` counts. */
export interface ToolEvent {
  readonly type: string;
  /** Of an event of a log: the fact as it is written there. */
  readonly data?: unknown;
}

type Sums = Omit<ToolMetrics, 'successRate' | 'averageAttempts' | 'retryRate' | 'averageDurationMs'>;

const none: ToolMetrics = withRates({
  calls: 0,
  succeeded: 0,
  failed: 0,
  skipped: 0,
  retried: 0,
  attempts: 0,
  durationMs: 0,
  costs: {},
});

/**
 * Counts facts as machines emit them, or events as `log.readAll()` and `log.readStream()` give them.
 *
 * @example
 * let report = toolMetrics([]);
 * for await (const event of runtime.log.readAll()) report = toolMetrics([event], report);
 * console.log(report.all.successRate, report.tools.gpt4Vision?.costs.USD);
 * @param before the metrics of earlier events, to be counted on
 */
export function toolMetrics(events: Iterable<ToolEvent>, before: ToolReport = { all: none, tools: {} }): ToolReport {
  let { all, tools } = before;
  for (const event of events) {
    if (event.type !== 'ToolCalled') continue;
    const called: unknown =
      typeof event.data === 'string' ? decode(JSON.parse(event.data) as Parameters<typeof decode>[0]) : event;
    if (!isToolCalled(called)) continue;
    all = counted(all, called);
    tools = { ...tools, [called.tool]: counted(own(tools, called.tool) ?? none, called) };
  }
  return { all, tools };
}

/** Whether it has what is counted: other machines may have facts of this name. */
function isToolCalled(value: unknown): value is ToolCalled {
  const { tool, unit, attempts, durationMs, cost } = (value ?? {}) as Partial<Record<keyof ToolCalled, unknown>>;
  return typeof tool === 'string' && typeof unit === 'string' && [attempts, durationMs, cost].every(Number.isFinite);
}

function counted(sums: Sums, { outcome, attempts, durationMs, cost, unit }: ToolCalled): ToolMetrics {
  return withRates({
    calls: sums.calls + 1,
    succeeded: sums.succeeded + (outcome === 'succeeded' ? 1 : 0),
    failed: sums.failed + (outcome === 'failed' ? 1 : 0),
    skipped: sums.skipped + (outcome === 'skipped' ? 1 : 0),
    retried: sums.retried + (attempts > 1 ? 1 : 0),
    attempts: sums.attempts + attempts,
    durationMs: sums.durationMs + durationMs,
    costs: { ...sums.costs, [unit]: (own(sums.costs, unit) ?? 0) + cost },
  });
}

/** Names are anybody's: `constructor` may be one. */
function own<Value>(record: Readonly<Record<string, Value>>, name: string): Value | undefined {
  return Object.hasOwn(record, name) ? record[name] : undefined;
}

function withRates(sums: Sums): ToolMetrics {
  const { calls } = sums;
  const perCall = (sum: number) => (calls === 0 ? 0 : sum / calls);
  return {
    ...sums,
    successRate: calls === 0 ? 1 : sums.succeeded / calls,
    averageAttempts: perCall(sums.attempts),
    retryRate: perCall(sums.retried),
    averageDurationMs: perCall(sums.durationMs),
  };
}
