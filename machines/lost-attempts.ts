/**
 * Attempts that are lost with their host, also where machines stand between a step and what it calls. Owns how a step
 * tells the call inside what its loss means; that an attempt counts is step-state.ts's.
 *
 * LA1  A promise takes the options of its step where its author said nothing. A machine that noted how is made anew around
 *      such a promise, in the same form; any other machine is left as it is, and what is lost in it is its own business.
 * LA2  A machine that was made anew is given the checkpoint of its step together with its input: it begins with each attempt.
 */
import { fromPromise, type AnyActorLogic } from 'xstate';
import { withEffectDefaults, type EffectOptions } from 'rewake';

/** The same machine around a call with these options. */
type Remake = (options: EffectOptions) => AnyActorLogic;

const remakes = new WeakMap<object, Remake>();

/** Notes how a machine is made anew around a call of which an attempt consists. */
export function noteRemake(machine: AnyActorLogic, remake: Remake): void {
  remakes.set(machine, remake);
}

/** The machines that were made anew. */
const attempts = new WeakSet<object>();

/** What a step calls, with the options of its policy on the call itself, however deep that is (LA1). */
export function asAttempt(logic: AnyActorLogic, options: EffectOptions): AnyActorLogic {
  if (isPromise(logic)) return withEffectDefaults(logic, options);
  const remade = remakes.get(logic)?.(options);
  if (remade) attempts.add(remade);
  return remade ?? logic;
}

/** What an attempt of a step begins with. */
export interface AttemptInput {
  readonly input?: unknown;
  readonly checkpoint?: unknown;
}

/** What is called with an input, as this logic takes it (LA2). Without keys for what is undefined, so that it stays plain JSON. */
export function attemptInput(logic: AnyActorLogic, { input, checkpoint }: AttemptInput): unknown {
  if (!attempts.has(logic)) return input;
  return { ...(input !== undefined && { input }), ...(checkpoint !== undefined && { checkpoint }) };
}

const promiseTransition = fromPromise(async () => {}).transition.toString();

function isPromise(logic: AnyActorLogic): boolean {
  return logic.transition.toString() === promiseTransition;
}
