/**
 * Retries around retries: their attempts multiply, which nobody sees who reads only one of them. Owns how it is found out,
 * when a machine is defined, that something inside it retries.
 *
 * NR1  What a machine calls is looked at however deep: what other machines are given, inline or by name. What a function
 *      does inside is not seen.
 */
import type { AnyActorLogic } from 'xstate';

/** A step that makes its call more than once. */
export interface RetryingStep {
  readonly step: string;
  /** Calls in all. */
  readonly maxAttempts: number;
}

/** The machines that try again what they call. */
const retrying = new WeakMap<object, RetryingStep>();

/** Notes that a machine tries again what it calls. */
export function noteRetries(machine: AnyActorLogic, step: RetryingStep): void {
  retrying.set(machine, step);
}

/** The steps in a logic, itself included, that try again what they call; the outer ones first. */
export function retriesIn(logic: AnyActorLogic, seen = new Set<object>()): RetryingStep[] {
  if (seen.has(logic)) return [];
  seen.add(logic);
  const own = retrying.get(logic);
  return [...(own ? [own] : []), ...calleesOf(logic).flatMap((callee) => retriesIn(callee, seen))];
}

interface Chart {
  readonly invoke?: unknown;
  readonly states?: Readonly<Record<string, Chart>>;
}

/** What a machine can start, as far as its definition says; nothing of any other logic. */
function calleesOf(logic: AnyActorLogic): AnyActorLogic[] {
  const { implementations, config } = logic as {
    readonly implementations?: { readonly actors?: Readonly<Record<string, unknown>> };
    readonly config?: unknown;
  };
  const named = Object.values(implementations?.actors ?? {});
  return [...named, ...invokedIn((config ?? {}) as Chart)].filter(isLogic);
}

function invokedIn({ invoke, states = {} }: Chart): unknown[] {
  const invoked = [invoke ?? []].flat().map((each) => (each as { readonly src?: unknown }).src);
  return [...invoked, ...Object.values(states).flatMap(invokedIn)];
}

function isLogic(value: unknown): value is AnyActorLogic {
  return typeof value === 'object' && value !== null && 'transition' in value;
}
