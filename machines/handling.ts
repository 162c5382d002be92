/**
 * From handlers to machines: one that decides about an error, and one around a logic that carries out what it can. Owns how
 * the two hold each other, for what a handler runs may have handlers of its own.
 *
 * HI1  A nested handler stands around each run of its handler, outside the retries of that run.
 * HI2  Handlers inside the retries of a step do not change which attempts are lost and how these count.
 */
import type { AnyActorLogic } from 'xstate';
import type { ErrorRule } from './classify.ts';
import { handledChart, type HandledContext, type HandledMachine, type HandledParts } from './handled-chart.ts';
import type { HandlerScope } from './handler-facts.ts';
import { requireHandlers, type Handler } from './handler.ts';
import type { HandlerInput } from './handler-options.ts';
import { handlingChart, type HandlingMachine, type HandlerRun } from './handling-chart.ts';
import { nestedName } from './handling-state.ts';
import { asAttempt, noteRemake } from './lost-attempts.ts';
import { noteRetries } from './nested-retry.ts';
import { callOf, contextOfCall, type Snapshots } from './policy-machine.ts';
import type { StepContext } from './step-state.ts';

export type { HandlingMachine } from './handling-chart.ts';
export type { Decision, HandlingInput } from './handling-state.ts';

/** What handlers are told besides the error. */
export interface HandlingOptions {
  /** Whether they tell facts; yes when omitted. */
  readonly facts?: boolean;
  /** What errors mean, before the built-in taxonomy is asked. */
  readonly classify?: readonly ErrorRule[];
  /** Logics that a fallback may name; those of a nested handler too. */
  readonly paths?: Readonly<Record<string, AnyActorLogic>>;
}

/** The machine that decides about an error. */
export function handling(
  scope: HandlerScope,
  handlers: readonly Handler[],
  options: HandlingOptions = {},
): HandlingMachine {
  requireHandlers(handlers, `handlers of ${scope}`);
  const { facts = true, classify = [] } = options;
  const runs = handlers.map((handler) => [handler.id, runsOf(scope, handler, options)] as const);
  return handlingChart({ scope, handlers, rules: classify }, Object.fromEntries(runs), facts);
}

/** The logics in the actions of these handlers, by the names that decisions have for them. */
export function logicsOf(handlers: readonly Handler[]): Readonly<Record<string, AnyActorLogic>> {
  const entries = handlers.flatMap(({ id, logics, handlers: nested }) => [
    ...Object.entries(logics),
    ...Object.entries(logicsOf(nested)).map(([name, logic]) => [nestedName(id, name), logic] as const),
  ]);
  return Object.fromEntries(entries);
}

/** What a logic with handlers is made of: what is optional here has a default. */
export type HandledOptions = HandlingOptions &
  Pick<HandledParts, 'name' | 'scope'> &
  Partial<Pick<HandledParts, 'sees' | 'gives' | 'attemptsOf' | 'isAttempt'>>;

/** A logic with handlers around it. */
export function handled(
  logic: AnyActorLogic,
  handlers: readonly Handler[],
  options: HandledOptions,
): HandledMachine<unknown, unknown> {
  const { facts = true, classify = [], paths = {}, ...parts } = options;
  const { name, scope } = parts;
  const machine = handledChart({
    ...{ sees: seesAll, gives: givesAll, attemptsOf: () => 1, isAttempt: false, ...parts },
    ...{ logic, handlers, paths, rules: classify, tells: facts },
    handling: handling(scope, handlers, { facts, classify, paths }),
  });
  const maxAttempts = Math.max(1, ...handlers.map(({ action }) => (action?.type === 'retry' ? action.maxAttempts : 1)));
  if (maxAttempts > 1) noteRetries(machine, { step: name, maxAttempts });
  noteRemake(machine as AnyActorLogic, (effects) => {
    return handled(asAttempt(logic, effects), handlers, { ...options, isAttempt: true }) as AnyActorLogic;
  });
  return machine;
}

const seesAll = (input: unknown) => ({ input, results: {} });
const givesAll = (input: unknown) => input;

function isCalling(handled: Snapshots): boolean {
  return (handled.getSnapshot() as { readonly value: unknown }).value === 'calling';
}

/** What a handler runs, with its nested handlers around it (HI1). */
function runsOf(scope: HandlerScope, { id, runs, retries, handlers }: Handler, options: HandlingOptions): HandlerRun[] {
  const attemptsOf = (context: unknown) => (retries ? (context as StepContext).attempt : 1);
  if (handlers.length === 0)
    return runs.map((logic) => ({ logic, attemptsOf: (self) => attemptsOf(contextOfCall(self)) }));
  return runs.map((logic) => ({
    logic: handled(logic, handlers, {
      ...options,
      ...{ name: id, scope, attemptsOf },
      sees: (input) => ({ input, results: (input as HandlerInput).results }),
    }) as AnyActorLogic,
    attemptsOf: (self) => {
      const { attempts } = contextOfCall(self) as HandledContext;
      // What it calls is counted when it ends; a timeout of the handler may have cut it off.
      const inner = callOf(self)!;
      return isCalling(inner) ? attempts + attemptsOf(contextOfCall(inner)) : attempts;
    },
  }));
}
