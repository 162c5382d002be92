/**
 * The words of walks through a model: steps, and a walk as a script. Owns their form and how they are told; what a step does is
 * model-walk.ts's.
 */
import type { AnyEventObject, AnyStateMachine } from 'xstate';
import type { Answer } from './effect-script.ts';
import type { ScenarioEvent } from './scenario.ts';

/** A step of a walk: what somebody sends, what an effect comes to, or that time passes until something is due. */
export type ModelStep =
  | { readonly kind: 'event'; readonly event: AnyEventObject }
  /** `effect`: ids from below the root down, for example `/pay/charge`. */
  | { readonly kind: 'outcome'; readonly effect: string; readonly answer: Answer }
  | { readonly kind: 'delay'; readonly ms: number };

/** A walk, written as what a scenario needs to go the same way. */
export interface ModelScript {
  readonly events: readonly ScenarioEvent[];
  /** What each effect answers, by its id, in the order of its calls. What is called after the end of the walk hangs. */
  readonly effects: Readonly<Record<string, readonly Answer[]>>;
  /** How long the walk lasts, in ms. */
  readonly until: number;
}

/** The stream that a run of a machine writes to. @param name durable name, where it is not the id */
export function streamOf({ id }: AnyStateMachine, name?: string): string {
  // An id may be anything, such as XState's own '(machine)'.
  return `${name ?? (/^[A-Za-z][\w.]*$/.test(id) ? id : 'machine')}-1`;
}

/** Ids from below the root down, without what tells lives of an actor apart. */
export function pathOf(address: string): string {
  return address.replaceAll(/:\d+(?=\/|$)/g, '');
}

/** An event in words. */
export function wordsOf({ type, ...fields }: AnyEventObject): string {
  return Object.keys(fields).length > 0 ? `${type} ${JSON.stringify(fields)}` : type;
}

/** A step in words. */
export function describeStep(step: ModelStep): string {
  switch (step.kind) {
    case 'event':
      return wordsOf(step.event);
    case 'outcome':
      return `${step.effect.slice(1)} ${'error' in step.answer ? 'fails' : 'succeeds'}`;
    case 'delay':
      return `${step.ms} ms`;
  }
}
