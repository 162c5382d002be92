/**
 * From the definition of a step to the logic that the chart of a flow invokes: the run, its command handlers, its policies,
 * its items, its step handlers, from the inside outward. Owns that order; what each does is in a file of its own.
 *
 * FT1  Command handlers stand inside the retries: what they recover was no failed attempt. Step handlers stand outside: they
 *      are asked when no attempt is left.
 * FT2  A logic that goes on from progress, such as a sub-flow, is given what was finished whoever calls it again.
 */
import { effect, InvalidArgumentError, type EffectArguments } from 'rewake';
import type { AnyActorLogic } from 'xstate';
import type { StepDefinition } from './flow-plan.ts';
import { forEachOf } from './for-each.ts';
import { handled } from './handling.ts';
import { requireHandlers, type Handler } from './handler.ts';
import { requireFunction, requireKnown, requireLogic } from './options.ts';
import { noteProgress, openedProgress, takesProgress, withProgress } from './progress.ts';
import { keepingHints } from './step-effects.ts';
import { step, stepAround } from './step.ts';
import { policyNames, policyOf, type PolicyOptions } from './step-policy.ts';

const ownNames = ['run', 'needs', 'forEach', 'when', 'input', 'concurrency', 'onCommandFailure', 'onFailure', 'undo'];

/** What all steps of a flow have in common. */
export interface StepSurroundings {
  readonly path: string;
  readonly paths: Readonly<Record<string, AnyActorLogic>>;
  readonly facts: boolean;
}

/** What the logic of a step is given: what `run` is, and what handlers see besides. */
export interface StepCall {
  readonly input: unknown;
  readonly results: Readonly<Record<string, unknown>>;
}

/** The logic of a step, from {@link StepCall} where it `sees` results, else from what `run` is given. */
export interface StepLogic {
  readonly logic: AnyActorLogic;
  readonly seesResults: boolean;
  readonly handlers: { readonly command: readonly Handler[]; readonly step: readonly Handler[] };
  readonly undo: AnyActorLogic | undefined;
}

/** @throws InvalidArgumentError for options that cannot work, naming their path */
export function stepLogic(id: string, definition: StepDefinition & PolicyOptions, around: StepSurroundings): StepLogic {
  const path = `${around.path}.steps.${id}`;
  requireKnown(definition, [...ownNames, ...policyNames], path);
  const { run, forEach, concurrency = 10, onCommandFailure = [], onFailure = [], undo } = definition;
  requireRun(run, `${path}.run`);
  requireHandlers(onCommandFailure, `${path}.onCommandFailure`);
  requireHandlers(onFailure, `${path}.onFailure`);
  if (undo !== undefined) requireRun(undo, `${path}.undo`);
  const called = commandOf(id, definition, around, path);
  const each = forEach === undefined ? called : (forEachOf(id, called, concurrency) as AnyActorLogic);
  const handlers = { command: onCommandFailure, step: onFailure };
  const undoing = undo === undefined ? undefined : logicOf(undo);
  if (onFailure.length === 0) return { logic: each, seesResults: false, handlers, undo: undoing };
  const { paths, facts } = around;
  const { classify = [] } = definition;
  const logic = handled(each, onFailure, {
    ...{ name: id, scope: 'step', paths, facts, classify },
    sees: (given) => {
      const { input, results } = openedProgress(given).input as StepCall;
      return { input, results };
    },
    // FT2. Inside it stands where the input is.
    gives: (given) => {
      const { input, progress } = openedProgress(given);
      return withProgress((input as StepCall).input, progress);
    },
  }) as AnyActorLogic;
  if (takesProgress(each)) noteProgress(logic);
  return { logic, seesResults: true, handlers, undo: undoing };
}

/** What is called, with its command handlers and its policies. */
function commandOf(
  id: string,
  definition: StepDefinition & PolicyOptions,
  { paths, facts }: StepSurroundings,
  path: string,
): AnyActorLogic {
  const { run, onCommandFailure = [] } = definition;
  const options = Object.fromEntries(
    policyNames.flatMap((name) => (definition[name] === undefined ? [] : [[name, definition[name]]])),
  );
  const hasPolicy = Object.keys(options).length > 0;
  const policy = policyOf(id, options as PolicyOptions, path);
  if (onCommandFailure.length === 0) {
    if (!hasPolicy) return logicOf(run);
    return typeof run === 'function'
      ? (step(id, run as never, options) as AnyActorLogic)
      : stepAround(run as AnyActorLogic, policy);
  }
  const called = logicOf(run);
  const { classify = [] } = definition;
  const logic = handled(called, onCommandFailure, {
    ...{ name: id, scope: 'command', paths, facts, classify },
    sees: (given) => ({ input: openedProgress(given).input, results: {} }),
  }) as AnyActorLogic;
  if (takesProgress(called)) noteProgress(logic);
  return hasPolicy ? stepAround(logic, policy) : logic;
}

function logicOf(run: unknown): AnyActorLogic {
  if (typeof run !== 'function') return run as AnyActorLogic;
  return effect(run as (args: EffectArguments<unknown>) => unknown, { around: keepingHints }) as AnyActorLogic;
}

function requireRun(run: unknown, path: string): void {
  if (typeof run === 'function') requireFunction(run, path);
  else if (typeof run === 'object' && run !== null && 'transition' in run) requireLogic(run, path);
  else throw InvalidArgumentError.of(path, 'a function, or actor logic such as a step or a flow', run);
}
