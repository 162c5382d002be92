/**
 * What goes into a circuit breaker and what comes out: its input, its events and its facts. Types only; permits and
 * reports are in breaker-permit.ts.
 */
import type { Crossing } from './breaker-counts.ts';
import type { BreakerMode, BreakerOptions } from './breaker-options.ts';
import type { CallFailure, Opening, Permit, CallReport } from './breaker-permit.ts';

/** What a breaker is started with. */
export interface BreakerInput {
  /** Names the dependency; facts carry it. */
  readonly key: string;
  readonly options?: BreakerOptions;
}

/** The outcome of one call, with the permit it was made under. */
export interface OutcomeReported extends CallReport {
  readonly type: 'outcome.reported';
  readonly permit: Permit;
}

/** What a breaker understands. */
export type BreakerEvent =
  /** `leaseMs`: how long the call may take, where the asker knows better than the options. */
  | { readonly type: 'permit.asked'; readonly id: string; readonly leaseMs?: number }
  | OutcomeReported
  | { readonly type: 'breaker.isolated'; readonly hold: string }
  | { readonly type: 'breaker.released'; readonly hold: string }
  | { readonly type: 'breaker.disabled' | 'breaker.enabled' | 'breaker.metricsOnly' }
  | { readonly type: 'breaker.configured'; readonly options: BreakerOptions };

interface Fact<Type extends string> {
  readonly type: Type;
  readonly key: string;
}

interface GenerationFact<Type extends string> extends Fact<Type> {
  /** The generation that begins with this fact. */
  readonly gen: number;
}

/** What a breaker says of itself; times in ms since the Unix epoch. */
export type BreakerFact =
  | (GenerationFact<'CircuitOpened'> & {
      readonly openUntil: number;
      readonly openForMs: number;
      /** Openings in a row, with this one. */
      readonly openings: number;
      readonly reason: Opening['reason'];
      readonly rate?: number;
      readonly lastFailure: CallFailure | null;
    })
  | GenerationFact<'CircuitHalfOpened'>
  | GenerationFact<'CircuitClosed'>
  | (GenerationFact<'CircuitIsolated'> & { readonly holds: readonly string[] })
  | GenerationFact<'CircuitReleased'>
  | (GenerationFact<'CircuitDisabled'> & { readonly mode: Exclude<BreakerMode, 'normal'> })
  | GenerationFact<'CircuitEnabled'>
  | (Fact<'ProbeAdmitted' | 'ProbeExpired'> & {
      /** The probe's generation. */
      readonly gen: number;
      readonly id: string;
      readonly leaseUntil: number;
    })
  | (GenerationFact<'StaleOutcomeIgnored'> & {
      readonly permitGen: number;
      readonly id: string;
      readonly outcome: CallReport['outcome'];
    })
  | (Fact<'WouldHaveOpened'> & Crossing)
  | (Fact<'BreakerOptionsRefused'> & { readonly problem: string });
