/**
 * The names by which the chart of a flow knows what it invokes besides its steps.
 *
 * FN1  No step is called like one of these: the name of a step has no dot.
 * FN2  A logic that stands in a decision is known by whose decision it is and its name there.
 */
import { handlingState } from './flow-plan.ts';
import type { HandlerScope } from './handler-facts.ts';

/** Whose handlers decide: where they stand, and the name of the step, the phase or the flow. */
export interface OfScope {
  readonly scope: HandlerScope;
  readonly subject: string;
}

/** The actor that asks a person. */
export const interventionKey = 'flow.intervention';

/** The actor that asks handlers of a phase, or those of the flow. */
export function handlingKey(phase?: string): string {
  return `flow.${handlingState(phase)}`;
}

/** A logic that stands in the actions of these handlers (FN2). */
export function logicKey({ scope, subject }: OfScope, logic: string): string {
  return `flow.${scope} ${subject}: ${logic}`;
}

/** What a handler falls back on by the name of a path. */
export function pathKey(path: string): string {
  return `flow.path ${path}`;
}

/** What takes a step back. */
export function undoKey(step: string): string {
  return `flow.undo ${step}`;
}

/** The delay before a step is tried again. */
export function pauseName(step: string): string {
  return `pause of ${step}`;
}
