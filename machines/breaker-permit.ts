/**
 * Permits, reports, and what can be asked of a breaker's snapshot: pure functions of snapshot and time. Owns when a call
 * may pass and when a report is late; the chart that changes state is breaker.ts.
 *
 * M1  What is answered without a record changes nothing: sending the event anyway leaves value and context as they are
 *     and emits no fact.
 * M2  A permit of a closed breaker is fenced by the generation; a probe's by its own entry, which names the generation
 *     it was admitted in. So a probe that is taken over voids its own report and not those of its siblings.
 * M3  An ignored outcome touches nothing but the permit of its own probe, also when it is late.
 */
import type { StateValue } from 'xstate';
import { counted, type BreakerCounts, type CountedCall, type Crossing } from './breaker-counts.ts';
import { breakerOptions, type BreakerMode, type BreakerOptions, type BreakerSettings } from './breaker-options.ts';

/** Leave to make one call; goes back with its outcome. Plain JSON. */
export interface Permit {
  /** The breaker's generation when it was given. */
  readonly gen: number;
  /** What the caller named the call; unique among the calls of one breaker. */
  readonly id: string;
  /** Whether it is one of the permits of a half-open breaker. */
  readonly probe: boolean;
}

/** Of a failure, what a breaker keeps. */
export interface CallFailure {
  readonly class?: string;
  readonly code?: string;
  readonly message: string;
}

/** How a call ended. What is not the dependency's doing (a rejection, an abort, an own timeout) is ignored. */
export interface CallReport {
  readonly outcome: 'success' | 'failure' | 'ignored';
  readonly durationMs?: number;
  /** How long the other side asked to wait. */
  readonly retryAfterMs?: number;
  readonly failure?: CallFailure;
}

/** A probe that has not reported. */
export interface Probe {
  readonly id: string;
  readonly gen: number;
  /** From then on it is given up, in ms since the Unix epoch. */
  readonly leaseUntil: number;
}

/** The newest opening. */
export interface Opening {
  readonly reason: Crossing['reason'] | 'probe';
  readonly rate?: number;
  readonly forMs: number;
  /** In ms since the Unix epoch. */
  readonly until: number;
}

/** What a breaker remembers; plain JSON, null for what is not there. */
export interface BreakerContext {
  readonly key: string;
  readonly settings: BreakerSettings;
  /** Where it is when nobody isolates it. */
  readonly mode: BreakerMode;
  /** Generation: grows when a named state is left and when a probe is taken over. */
  readonly gen: number;
  readonly counts: BreakerCounts;
  /** Metrics-only: thresholds that were reached by the newest outcome. */
  readonly crossed: readonly Crossing['reason'][];
  readonly probes: readonly Probe[];
  readonly probeSuccesses: number;
  readonly probeFailures: number;
  /** Permits whose reports changed the counts, the newest at the end. */
  readonly reports: readonly string[];
  /** Openings in a row; outlives a close shorter than the opening before it. */
  readonly openings: number;
  readonly opening: Opening | null;
  /** Since when it is closed, in ms since the Unix epoch; null before the first time and while it is not. */
  readonly closedAt: number | null;
  readonly holds: readonly string[];
  /** Of the newest failure that counted; null when that was not described. */
  readonly lastFailure: CallFailure | null;
}

/** Names of a breaker's states. */
export type BreakerState = 'closed' | 'open' | 'halfOpen' | 'isolated' | 'disabled' | 'metricsOnly';

/** Of a snapshot of the breaker machine, what the questions below need. */
export interface BreakerSnapshot {
  readonly value: StateValue;
  readonly context: BreakerContext;
}

/** Why a call may not pass. */
export interface Refusal {
  readonly state: 'open' | 'halfOpen' | 'isolated';
  /** Ms until a probe may pass; 0 when no time is known (half-open and busy, isolated). */
  readonly timeoutRemainingMs: number;
  readonly lastFailure: CallFailure | null;
}

/** The answer to one who asks for a permit. */
export type BreakerAnswer =
  { readonly permit: Permit; readonly refused?: never } | { readonly refused: Refusal; readonly permit?: never };

/** The named state a breaker is in. */
export function breakerState({ value }: BreakerSnapshot): BreakerState {
  // Only open has states of its own.
  return typeof value === 'string' ? (value as BreakerState) : 'open';
}

/**
 * The answer to `permit.asked`, when giving it changes nothing (M1); undefined when the event has to be sent: the
 * breaker is open and due, or half-open with a permit that is free or held by an expired probe.
 */
export function answerWithoutRecord(snapshot: BreakerSnapshot, id: string, nowMs: number): BreakerAnswer | undefined {
  const { context } = snapshot;
  const state = breakerState(snapshot);
  const asks = state === 'open' ? isDue(context, nowMs) : state === 'halfOpen' && admits(context, id, nowMs);
  return asks ? undefined : answerOf(snapshot, id, nowMs);
}

/**
 * The answer to `permit.asked` from the snapshot after it.
 * @param nowMs only measures what is left of an opening, where somebody else's report came between
 */
export function answerOf(snapshot: BreakerSnapshot, id: string, nowMs: number): BreakerAnswer {
  const { context } = snapshot;
  const { gen, opening, lastFailure } = context;
  const state = breakerState(snapshot);
  if (state === 'halfOpen') {
    const probe = context.probes.find((other) => other.id === id && nowMs < other.leaseUntil);
    if (probe) return { permit: { gen: probe.gen, id, probe: true } };
  } else if (state !== 'open' && state !== 'isolated') {
    return { permit: { gen, id, probe: false } };
  }
  const timeoutRemainingMs = state === 'open' ? Math.max(0, opening!.until - nowMs) : 0;
  return { refused: { state, timeoutRemainingMs, lastFailure } };
}

/** Whether reporting this outcome changes nothing and emits nothing (M1), so that it need not be sent. */
export function changesNothing(snapshot: BreakerSnapshot, permit: Permit, report: CallReport, nowMs: number): boolean {
  const { context } = snapshot;
  const state = breakerState(snapshot);
  if (state === 'disabled' || isKnown(context, permit)) return true;
  if (report.outcome === 'ignored') return state !== 'halfOpen' || !isLiveProbe(context, permit, nowMs);
  if (state !== 'closed' && state !== 'metricsOnly') return false;
  if (isStaleCall(context, permit) || report.outcome === 'failure') return false;
  // Thresholds are looked at anew only when the counts change: other thresholds begin other counts.
  return countsAfter(context, report, nowMs) === context.counts;
}

/**
 * Whether these options differ from those the breaker has, so that `breaker.configured` is worth sending.
 * @throws InvalidArgumentError when the options are wrong.
 */
export function needsConfiguring({ context }: BreakerSnapshot, options: BreakerOptions): boolean {
  return JSON.stringify(breakerOptions(options)) !== JSON.stringify(context.settings);
}

/** Whether an open breaker may be probed. */
export function isDue({ opening }: BreakerContext, nowMs: number): boolean {
  return opening !== null && nowMs >= opening.until;
}

/** Whether a half-open breaker has a permit that nobody holds and no outcome has used up. */
export function hasFreePermit({ settings, probes, probeSuccesses, probeFailures }: BreakerContext): boolean {
  return probes.length + probeSuccesses + probeFailures < settings.halfOpen.permits;
}

/** Probes whose lease has run out. */
export function expiredProbes({ probes }: BreakerContext, nowMs: number): readonly Probe[] {
  return probes.filter(({ leaseUntil }) => nowMs >= leaseUntil);
}

/** Whether this id already holds a probe: who asks again gets the same permit. */
export function holdsProbe({ probes }: BreakerContext, id: string, nowMs: number): boolean {
  return probes.some((probe) => probe.id === id && nowMs < probe.leaseUntil);
}

/** Whether this is the permit of a probe whose lease still runs (M2). */
export function isLiveProbe({ probes }: BreakerContext, permit: Permit, nowMs: number): boolean {
  return (
    permit.probe &&
    probes.some(({ id, gen, leaseUntil }) => id === permit.id && gen === permit.gen && nowMs < leaseUntil)
  );
}

/** How many reports are known. */
const reportsMax = 100;

/** Whether the call of a permit was reported already; one that is admitted as a probe again has not reported. */
export function isKnown({ reports, probes }: BreakerContext, permit: Permit): boolean {
  const isProbing = probes.some(({ id, gen }) => id === permit.id && gen === permit.gen);
  return !isProbing && reports.includes(nameOf(permit));
}

/** The known reports with one more. */
export function withReport({ reports }: BreakerContext, permit: Permit): readonly string[] {
  return [...reports.slice(1 - reportsMax), nameOf(permit)];
}

/** An id may be admitted again in a later life. */
function nameOf({ gen, id }: Permit): string {
  return `${gen} ${id}`;
}

/** Whether the permit belongs to an earlier life of a breaker that counts. */
export function isStaleCall({ gen }: BreakerContext, permit: Permit): boolean {
  return permit.probe || permit.gen !== gen;
}

/** A report as the counts see it. */
function asCall({ slowCallMs }: BreakerSettings, { outcome, durationMs = 0 }: CallReport): CountedCall {
  return { failed: outcome === 'failure', slow: slowCallMs !== null && durationMs > slowCallMs };
}

/** The counts after a report that is neither late nor ignored. */
export function countsAfter({ counts, settings }: BreakerContext, report: CallReport, nowMs: number): BreakerCounts {
  return counted(counts, settings, asCall(settings, report), nowMs);
}

/** Whether a probe's outcome counts against the dependency: it failed, or was slow where slow calls open the breaker. */
export function isProbeFailure({ settings }: BreakerContext, report: CallReport): boolean {
  const { failed, slow } = asCall(settings, report);
  return report.outcome !== 'ignored' && (failed || slow);
}

/** What a half-open breaker remembers of its probes after one of them reported. */
export function afterProbe(context: BreakerContext, permit: Permit, report: CallReport) {
  const failed = isProbeFailure(context, report);
  return {
    probes: context.probes.filter(({ id }) => id !== permit.id),
    probeFailures: context.probeFailures + Number(failed),
    probeSuccesses: context.probeSuccesses + Number(report.outcome === 'success' && !failed),
  };
}

/** The next opening and which one in a row it is: min(openFor · growthᵏ, openMax), or the capped hint if longer. */
export function nextOpening(
  { settings, opening, closedAt, openings }: BreakerContext,
  crossing: Pick<Opening, 'reason' | 'rate'>,
  hintMs: number,
  nowMs: number,
): Pick<BreakerContext, 'openings' | 'opening' | 'closedAt'> {
  const hasRested = opening !== null && closedAt !== null && nowMs - closedAt >= opening.forMs;
  const before = hasRested ? 0 : openings;
  const grownMs = Math.min(settings.openForMs * settings.growth ** before, settings.openMaxMs);
  const forMs = Math.max(grownMs, Math.min(hintMs, settings.hintMaxMs));
  return { openings: before + 1, opening: { ...crossing, forMs, until: nowMs + forMs }, closedAt: null };
}

function admits(context: BreakerContext, id: string, nowMs: number): boolean {
  if (holdsProbe(context, id, nowMs)) return false;
  return hasFreePermit(context) || expiredProbes(context, nowMs).length > 0;
}

/** A report with the permit it is about. */
type Reported = CallReport & { readonly permit: Permit };

/** Whether a report can be one: whoever may send to a breaker cannot break it for its callers. */
export function makesSense({ permit, outcome, durationMs = 0, retryAfterMs = 0, failure }: Reported): boolean {
  const isPermit = typeof permit === 'object' && permit !== null && typeof permit.id === 'string';
  const areNumbers = typeof durationMs === 'number' && typeof retryAfterMs === 'number';
  const isFailure = failure === undefined || (typeof failure === 'object' && typeof failure?.message === 'string');
  return isPermit && areNumbers && isFailure && ['success', 'failure', 'ignored'].includes(outcome);
}
