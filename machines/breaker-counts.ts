/**
 * What a closed circuit breaker counts, and when that opens it: pure functions of counts, settings and time. Owns the
 * streak and the two windows; knows nothing of states, permits or events.
 *
 * N1  Counts are plain JSON; counting a call that changes nothing returns the same object.
 * N2  A time window drops calls by age, whenever it is looked at: an idle hour leaves nothing behind. Its calls are
 *     kept in at most 101 slices, so a call may drop up to a hundredth of the duration early, never late.
 * N3  Thresholds are inclusive: a rate that is reached opens. Below the minimum of calls there is no rate.
 */
import type { BreakerSettings, WindowSettings } from './breaker-options.ts';

/** One call as the counts see it. A call may be both. */
export interface CountedCall {
  readonly failed: boolean;
  readonly slow: boolean;
}

/** Calls whose age is counted from `at`, in ms since the Unix epoch. */
interface Slice {
  readonly at: number;
  readonly calls: number;
  readonly failures: number;
  readonly slow: number;
}

/** The calls of a window: one letter a call, oldest first (s, f; upper case when slow), or slices of time. */
export type WindowCounts =
  { readonly kind: 'count'; readonly calls: string } | { readonly kind: 'time'; readonly slices: readonly Slice[] };

/** What a closed breaker remembers of its calls. */
export interface BreakerCounts {
  /** Failures since the newest success; 0 where `consecutive` is off. */
  readonly streak: number;
  readonly window: WindowCounts | null;
}

/** Rates of a window; undefined while it has fewer calls than its minimum. */
export interface BreakerRates {
  readonly calls: number;
  readonly failureRate: number | undefined;
  readonly slowCallRate: number | undefined;
}

/** A threshold that is reached, and the rate that reached it. */
export interface Crossing {
  readonly reason: 'consecutive' | 'failureRate' | 'slowCallRate';
  /** In [0, 1]; absent for a streak. */
  readonly rate?: number;
}

/** Counts of a breaker that has seen no call. */
export function noCounts({ window }: BreakerSettings): BreakerCounts {
  if (window === null) return { streak: 0, window };
  return { streak: 0, window: window.kind === 'count' ? { kind: 'count', calls: '' } : { kind: 'time', slices: [] } };
}

/** The counts after one more call; the same object when it changes nothing (N1). */
export function counted(
  counts: BreakerCounts,
  settings: BreakerSettings,
  call: CountedCall,
  nowMs: number,
): BreakerCounts {
  const streak = settings.consecutive !== null && call.failed ? counts.streak + 1 : 0;
  const window = settings.window && withCall(counts.window, settings.window, call, nowMs);
  return streak === counts.streak && window === counts.window ? counts : { streak, window };
}

/** Every threshold that the counts reach at this time: the streak first, then failures, then slow calls. */
export function crossings(counts: BreakerCounts, settings: BreakerSettings, nowMs: number): readonly Crossing[] {
  const { consecutive, window } = settings;
  const { failureRate, slowCallRate } = ratesOf(counts, settings, nowMs);
  const reached: Crossing[] = [];
  if (consecutive !== null && counts.streak >= consecutive) reached.push({ reason: 'consecutive' });
  if (failureRate !== undefined && failureRate >= window!.failureRate) {
    reached.push({ reason: 'failureRate', rate: failureRate });
  }
  if (slowCallRate !== undefined && window!.slowCallRate !== null && slowCallRate >= window!.slowCallRate) {
    reached.push({ reason: 'slowCallRate', rate: slowCallRate });
  }
  return reached;
}

/** How many calls the window holds at this time, and their rates. */
export function ratesOf(counts: BreakerCounts, { window }: BreakerSettings, nowMs: number): BreakerRates {
  const none = { calls: 0, failureRate: undefined, slowCallRate: undefined };
  if (window === null || counts.window === null) return none;
  const { calls, failures, slow } = sums(counts.window, window, nowMs);
  if (calls < window.minimumCalls) return { ...none, calls };
  return { calls, failureRate: failures / calls, slowCallRate: slow / calls };
}

function withCall(
  counts: WindowCounts | null,
  window: WindowSettings,
  call: CountedCall,
  nowMs: number,
): WindowCounts | null {
  if (counts?.kind === 'count' && window.kind === 'count') {
    const letter = call.failed ? 'f' : 's';
    const calls = (counts.calls + (call.slow ? letter.toUpperCase() : letter)).slice(-window.size);
    return calls === counts.calls ? counts : { kind: 'count', calls };
  }
  if (counts?.kind === 'time' && window.kind === 'time') {
    return { kind: 'time', slices: withSlice(young(counts.slices, window.durationMs, nowMs), window, call, nowMs) };
  }
  return counts;
}

function withSlice(
  slices: readonly Slice[],
  { durationMs }: { readonly durationMs: number },
  call: CountedCall,
  nowMs: number,
): readonly Slice[] {
  const widthMs = Math.max(1, durationMs / 100);
  const at = Math.floor(nowMs / widthMs) * widthMs;
  const slice = slices.find((other) => other.at === at) ?? { at, calls: 0, failures: 0, slow: 0 };
  const { calls, failures, slow } = slice;
  return [
    ...slices.filter((other) => other !== slice),
    { at, calls: calls + 1, failures: failures + Number(call.failed), slow: slow + Number(call.slow) },
  ];
}

/** A clock that went back leaves slices in the future: those too are dropped when they are a duration away. */
function young(slices: readonly Slice[], durationMs: number, nowMs: number): readonly Slice[] {
  return slices.filter(({ at }) => Math.abs(nowMs - at) < durationMs);
}

function sums(counts: WindowCounts, window: WindowSettings, nowMs: number): Omit<Slice, 'at'> {
  if (counts.kind === 'count') {
    const letters = [...counts.calls];
    const failures = letters.filter((letter) => letter === 'f' || letter === 'F').length;
    return { calls: letters.length, failures, slow: letters.filter((letter) => letter < 'a').length };
  }
  const slices = window.kind === 'time' ? young(counts.slices, window.durationMs, nowMs) : [];
  const sum = (of: (slice: Slice) => number) => slices.reduce((total, slice) => total + of(slice), 0);
  return { calls: sum(({ calls }) => calls), failures: sum(({ failures }) => failures), slow: sum(({ slow }) => slow) };
}
