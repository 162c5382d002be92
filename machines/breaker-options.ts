/**
 * What a circuit breaker can be told. Owns the options, their defaults and their check; what they mean for a call is in
 * breaker-counts.ts (closed) and breaker.ts (open and half-open).
 *
 * O1  Settings are complete plain JSON: every default filled in, every duration in ms, null for what is switched off.
 * O2  Options that could never do what they say are refused: unknown names, a minimum above the window's size, more
 *     successes than permits, a slow-call rate without a measure of slow.
 */
import { InvalidArgumentError, toMs, type Duration } from 'rewake';
import { durationMs, numberWhere, oneOf, requireBoolean, requireKnown, wholeNumber } from './options.ts';

/** What a breaker does: it works, lets everything pass uncounted, or counts and never opens. */
export type BreakerMode = 'normal' | 'disabled' | 'metricsOnly';

/** The last `size` calls. */
export interface CountWindowOptions {
  readonly kind: 'count';
  readonly size: number;
  /** Fewer calls than this never open it; `size` unless given. */
  readonly minimumCalls?: number;
  /** Share of failures that opens it, in (0, 1], reached counts; 0.5 unless given. */
  readonly failureRate?: number;
  /** Share of slow calls that opens it, in (0, 1]; needs `slowCall`. */
  readonly slowCallRate?: number;
}

/** The calls of the last `duration`. */
export interface TimeWindowOptions {
  readonly kind: 'time';
  /** '60s' unless given. */
  readonly duration?: Duration;
  /** Fewer calls than this never open it; 20 unless given. */
  readonly minimumCalls?: number;
  /** Share of failures that opens it, in (0, 1], reached counts; 0.5 unless given. */
  readonly failureRate?: number;
  /** Share of slow calls that opens it, in (0, 1]; needs `slowCall`. */
  readonly slowCallRate?: number;
}

/** Options of a circuit breaker; plain JSON, all of them optional. */
export interface BreakerOptions {
  /** Failures in a row that open it; 5 when no window is given, else off. */
  readonly consecutive?: number;
  readonly window?: CountWindowOptions | TimeWindowOptions;
  /** A call that took longer is slow. */
  readonly slowCall?: Duration;
  /** How long the first opening lasts; '60s'. */
  readonly openFor?: Duration;
  /** By how much each consecutive opening lasts longer, at least 1; 2. */
  readonly growth?: number;
  /** The longest that growth makes an opening; '300s', or `openFor` if that is longer. */
  readonly openMax?: Duration;
  /** The longest that a hint of the other side (Retry-After) makes an opening; '1h'. */
  readonly hintMax?: Duration;
  readonly halfOpen?: {
    /** Probes of one half-open phase; 1. */
    readonly permits?: number;
    /** Successful probes that close it, at most `permits`; 1. */
    readonly successes?: number;
    /** After this a probe that has not reported is given up; '30s'. */
    readonly lease?: Duration;
  };
  /** Half-open by a timer instead of by the next call; false. */
  readonly autoHalfOpen?: boolean;
  /** 'normal'. What the breaker's own events chose later holds until this option is changed. */
  readonly mode?: BreakerMode;
}

/** A window with its defaults filled in; null is off. */
export type WindowSettings = {
  readonly minimumCalls: number;
  readonly failureRate: number;
  readonly slowCallRate: number | null;
} & ({ readonly kind: 'count'; readonly size: number } | { readonly kind: 'time'; readonly durationMs: number });

/** Checked options with every default filled in (O1); null is off. */
export interface BreakerSettings {
  readonly mode: BreakerMode;
  readonly consecutive: number | null;
  readonly window: WindowSettings | null;
  readonly slowCallMs: number | null;
  readonly openForMs: number;
  readonly growth: number;
  readonly openMaxMs: number;
  readonly hintMaxMs: number;
  readonly halfOpen: { readonly permits: number; readonly successes: number; readonly leaseMs: number };
  readonly autoHalfOpen: boolean;
}

/**
 * Checks options and fills in their defaults.
 * @param path how the message names the options, for example `step 'charge'.breaker`
 * @throws InvalidArgumentError naming the option, what was expected and what was found.
 */
export function breakerOptions(options: BreakerOptions = {}, path = 'breaker'): BreakerSettings {
  requireKnown(options, breakerOptionNames, path);
  const { consecutive, mode = 'normal', growth = 2, autoHalfOpen = false } = options;
  oneOf(mode, ['normal', 'disabled', 'metricsOnly'], `${path}.mode`);
  requireBoolean(autoHalfOpen, `${path}.autoHalfOpen`);
  const window = options.window === undefined ? null : windowSettings(options.window, `${path}.window`);
  const streak = consecutive ?? (window ? null : 5);
  const openForMs = durationMs(options.openFor ?? '60s', `${path}.openFor`, 1);
  return {
    mode,
    consecutive: streak === null ? null : wholeNumber(streak, `${path}.consecutive`, 1),
    window,
    slowCallMs: slowCallSetting(options, path),
    openForMs,
    growth: numberWhere(growth, `${path}.growth`, 'a finite number of at least 1', (value) => value >= 1),
    openMaxMs: durationMs(options.openMax ?? Math.max(toMs('300s'), openForMs), `${path}.openMax`, openForMs),
    hintMaxMs: durationMs(options.hintMax ?? '1h', `${path}.hintMax`, 0),
    halfOpen: halfOpenSettings(options.halfOpen ?? {}, `${path}.halfOpen`),
    autoHalfOpen,
  };
}

/** The names of the options of a breaker. */
export const breakerOptionNames: readonly (keyof BreakerOptions)[] = [
  ...(['consecutive', 'window', 'slowCall', 'openFor', 'growth', 'openMax', 'hintMax'] as const),
  ...(['halfOpen', 'autoHalfOpen', 'mode'] as const),
];

function windowSettings(window: CountWindowOptions | TimeWindowOptions, path: string): WindowSettings {
  const rates = ['minimumCalls', 'failureRate', 'slowCallRate'];
  requireKnown(window, ['kind', 'size', 'duration', ...rates], path);
  const share = (rate: number, name: string) =>
    numberWhere(rate, `${path}.${name}`, 'a share above 0 and at most 1', (value) => value > 0 && value <= 1);
  const failureRate = share(window.failureRate ?? 0.5, 'failureRate');
  const slowCallRate = window.slowCallRate === undefined ? null : share(window.slowCallRate, 'slowCallRate');
  if (window.kind === 'time') {
    requireKnown(window, ['kind', 'duration', ...rates], path);
    const spanMs = durationMs(window.duration ?? '60s', `${path}.duration`, 1);
    const minimumCalls = wholeNumber(window.minimumCalls ?? 20, `${path}.minimumCalls`, 1);
    return { kind: 'time', durationMs: spanMs, minimumCalls, failureRate, slowCallRate };
  }
  if (window.kind !== 'count') {
    throw InvalidArgumentError.of(`${path}.kind`, `'count' or 'time'`, (window as { readonly kind: unknown }).kind);
  }
  requireKnown(window, ['kind', 'size', ...rates], path);
  const size = wholeNumber(window.size, `${path}.size`, 1);
  const minimumCalls = wholeNumber(window.minimumCalls ?? size, `${path}.minimumCalls`, 1, size);
  return { kind: 'count', size, minimumCalls, failureRate, slowCallRate };
}

function slowCallSetting({ slowCall, window }: BreakerOptions, path: string): number | null {
  const hasRate = window?.slowCallRate !== undefined;
  if (slowCall === undefined) {
    if (hasRate)
      throw InvalidArgumentError.of(`${path}.slowCall`, 'a duration, because window.slowCallRate is given', slowCall);
    return null;
  }
  if (!hasRate)
    throw InvalidArgumentError.of(
      `${path}.window.slowCallRate`,
      'a share, because slowCall is given',
      window?.slowCallRate,
    );
  return durationMs(slowCall, `${path}.slowCall`, 0);
}

function halfOpenSettings(halfOpen: NonNullable<BreakerOptions['halfOpen']>, path: string) {
  requireKnown(halfOpen, ['permits', 'successes', 'lease'], path);
  const permits = wholeNumber(halfOpen.permits ?? 1, `${path}.permits`, 1);
  const successes = wholeNumber(halfOpen.successes ?? 1, `${path}.successes`, 1, permits);
  return { permits, successes, leaseMs: durationMs(halfOpen.lease ?? '30s', `${path}.lease`, 1) };
}
