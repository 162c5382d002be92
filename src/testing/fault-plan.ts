/**
 * Everything that can go wrong in a run, as data. Owns the words of a plan and what each may change about what is seen.
 *
 * FP1  A plan is a list of literals: it is printed as it is, and what is printed can be run again.
 * FP2  Some faults must not be seen at all: crashes, and what a log or a network does. Others are part of the world, such as a
 *      late answer or a clock that is set: a run is compared with one in which they happen, too, and nothing else does.
 */
import { InvalidArgumentError } from '../errors.ts';
import { requireFault } from './fault-check.ts';
import type { LogFault } from './faulty-log.ts';
import type { Disturbances, Loss } from './scripted-world.ts';

/** What happens outside of the log. Numbers count from 0. */
export type WorldFault =
  /** This event of the scenario is sent again after the next one, with the same message id. */
  | { readonly fault: 'duplicate'; readonly event: number }
  /** Another host takes the actors up after this append, while the first one still believes that it owns them. */
  | { readonly fault: 'stealOwner'; readonly append: number }
  /** This answer to the effects of this name comes so many ms later. */
  | { readonly fault: 'late'; readonly effect: string; readonly index: number; readonly byMs: number }
  /** Where several answers could be given, which of them is: one number for each such moment, modulo how many there are. */
  | { readonly fault: 'reorder'; readonly choices: readonly number[] }
  /** The clock is set forwards or back, so many ms after the start. */
  | { readonly fault: 'clockJump'; readonly atMs: number; readonly byMs: number };

/** Something that goes wrong. */
export type Fault = LogFault | WorldFault;

/** All that goes wrong in one run; nothing when empty. */
export type FaultPlan = readonly Fault[];

const ofTheWorld = new Set<Fault['fault']>(['late', 'reorder', 'clockJump']);
const ofTheLog = new Set<Fault['fault']>(['crash', 'tornTail', 'lostTail', 'ackLost', 'storeError']);
const unforeseen = new Set<Fault['fault']>([...ofTheWorld, 'lostTail', 'stealOwner']);

/** The faults that a log has. */
export function logFaults(plan: FaultPlan): LogFault[] {
  return plan.filter((fault): fault is LogFault => ofTheLog.has(fault.fault));
}

/** What of a plan is part of the world (FP2). */
export function worldOf(plan: FaultPlan): FaultPlan {
  return plan.filter(({ fault }) => ofTheWorld.has(fault));
}

/** Whether what was acknowledged may be gone after it. */
export function losesEvents(plan: FaultPlan): boolean {
  return plan.some(({ fault }) => fault === 'lostTail');
}

/** The faults of one kind. */
export function faultsOf<Kind extends Fault['fault']>(plan: FaultPlan, kind: Kind): Extract<Fault, { fault: Kind }>[] {
  return plan.filter((each): each is Extract<Fault, { fault: Kind }> => each.fault === kind);
}

/** What a plan means for the answers of the world. */
export function disturbancesOf(plan: FaultPlan, losses: readonly Loss[]): Disturbances {
  const late = new Map<string, number>();
  for (const { effect, index, byMs } of faultsOf(plan, 'late')) {
    const answer = `${effect} ${index}`;
    late.set(answer, (late.get(answer) ?? 0) + byMs);
  }
  const choices = faultsOf(plan, 'reorder').flatMap((each) => each.choices);
  // Where time is another, or what was done is done again or by two, more may be called than a script foresees.
  const repeatsLast = plan.some(({ fault }) => unforeseen.has(fault));
  return { late, choices, losses, repeatsLast };
}

/** @throws InvalidArgumentError for what is no plan */
export function requirePlan(plan: unknown, where: string): asserts plan is FaultPlan {
  if (!Array.isArray(plan)) throw InvalidArgumentError.of(where, 'a list of faults', plan);
  for (const [index, each] of (plan as readonly unknown[]).entries()) requireFault(each, `${where}[${index}]`);
}
