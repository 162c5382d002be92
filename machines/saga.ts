/**
 * A saga: steps in order, and when one fails the ones before it are undone in reverse order. Owns the order; each step and
 * each undo is a logic of the user's: give it a `step` where it is to be retried.
 *
 * SA1  What is done and what is undone is a state of the chart: after a crash the saga goes on in the same direction.
 * SA2  A step is undone when it was done and has an undo; the step that failed is not, because nothing says how far it came.
 * SA3  An undo that fails is told and does not keep the others from being undone; the error of the saga lists it.
 */
import { assign, emit, sendTo, setup, type AnyActorLogic } from 'xstate';
import { InvalidArgumentError, registerErrorClass, RewakeError } from 'rewake';
import { classify } from './classify.ts';
import { signatureOf, type ErrorSignature } from './error-signature.ts';
import { requireKnown, requireLogic, requireName } from './options.ts';
import { errorOf, failing, outputOf, toldWhy, type Ended, type Failed, type PolicyMachine } from './policy-machine.ts';
import { said } from './recovery-errors.ts';

/** What a step of a saga, and its undo, are given. */
export interface SagaInput<Input = unknown> {
  readonly input: Input;
  /** What the steps before it gave, by name; of an undo also its own. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

/** One step of a saga. */
export interface SagaStep {
  readonly name: string;
  /** A logic from {@link SagaInput} to anything. */
  readonly run: AnyActorLogic;
  /** Takes back what `run` did; from {@link SagaInput}. Must be idempotent. */
  readonly undo?: AnyActorLogic;
}

/** A step was taken back. */
export interface StepUndone {
  readonly type: 'StepUndone';
  readonly saga: string;
  readonly step: string;
}

/** A step of a saga failed, or could not be taken back. */
export interface SagaStepFailed {
  readonly type: 'SagaStepFailed' | 'UndoFailed';
  readonly saga: string;
  readonly step: string;
  readonly error: ErrorSignature;
}

type SagaFact = StepUndone | SagaStepFailed;

/** A saga failed, and what was done is undone as far as that was possible. */
export class SagaFailedError extends RewakeError {
  readonly code = 'REWAKE_SAGA_FAILED';
  readonly saga: string;
  readonly step: string;
  /** What that step failed with. */
  readonly originalError: unknown;
  /** Steps that could not be taken back, with what their undo failed with. */
  readonly notUndone: readonly { readonly step: string; readonly error: unknown }[];

  constructor(saga: string, step: string, originalError: unknown, notUndone: SagaFailedError['notUndone']) {
    const rest =
      notUndone.length === 0
        ? 'What could be undone of the steps before it was undone.'
        : `Not undone: ${notUndone.map((each) => each.step).join(', ')}. Take these back by hand; 'notUndone' says why it failed.`;
    super(`Saga '${saga}' failed in step '${step}': ${said(originalError)}. ${rest}`, {
      cause: originalError,
    });
    this.saga = saga;
    this.step = step;
    this.originalError = originalError;
    this.notUndone = notUndone;
  }
}
registerErrorClass(SagaFailedError, 'REWAKE_SAGA_FAILED');

/** What a saga remembers. */
export interface SagaContext {
  readonly input: unknown;
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly failed: { readonly step: string; readonly error: unknown } | undefined;
  readonly notUndone: readonly { readonly step: string; readonly error: unknown }[];
}

type Named<Step extends string = string> = { readonly step: Step };

/**
 * Makes a machine of steps that are done together or not at all.
 *
 * @example
 * const order = saga('order', [
 *   { name: 'reserve', run: reserveStock, undo: releaseStock },
 *   { name: 'charge', run: chargeCard, undo: refund },
 *   { name: 'ship', run: shipParcel },
 * ]);
 * @throws InvalidArgumentError without steps, or with two of one name
 */
export function saga<Input = unknown>(
  name: string,
  steps: readonly SagaStep[],
): PolicyMachine<SagaContext, Input, Readonly<Record<string, unknown>>, SagaFact> {
  checkSteps(name, steps);
  const actors = Object.fromEntries(
    steps.flatMap(({ name: step, run, undo }) => [[doing(step), run], ...(undo ? [[undoing(step), undo]] : [])]),
  ) as Record<string, AnyActorLogic>;
  const machine = setup({
    types: {} as { context: SagaContext; input: unknown; output: unknown; emitted: SagaFact },
    actors,
    actions: {
      keepOutput: assign({
        outputs: ({ context }, { step, output }: Named & Ended) => ({ ...context.outputs, [step]: output }),
      }),
      keepFailure: assign({ failed: (_, { step, error }: Named & Failed) => ({ step, error }) }),
      keepNotUndone: assign({
        notUndone: ({ context }, { step, error }: Named & Failed) => [...context.notUndone, { step, error }],
      }),
      tellFailure: emit((_, { step, error }: Named & Failed) => {
        return { type: 'SagaStepFailed', saga: name, step, error: signatureOf(error, classify(error)) } as const;
      }),
      tellNotUndone: emit((_, { step, error }: Named & Failed) => {
        return { type: 'UndoFailed', saga: name, step, error: signatureOf(error, classify(error)) } as const;
      }),
      tellUndone: emit((_, { step }: Named) => ({ type: 'StepUndone', saga: name, step }) as const),
      fail: sendTo(({ self }) => self, toldWhy),
      throwFailure: assign(({ context: { failed, notUndone } }) => {
        throw new SagaFailedError(name, failed!.step, failed!.error, notUndone);
      }),
    },
  }).createMachine({
    id: name,
    context: ({ input }) => ({ input, outputs: {}, failed: undefined, notUndone: [] }),
    initial: doing(steps[0]!.name),
    states: {
      ...Object.fromEntries(steps.map((_, index) => [doing(steps[index]!.name), stateOfDoing(steps, index)])),
      ...Object.fromEntries(
        steps.flatMap(({ name: step, undo }, index) => (undo ? [[undoing(step), stateOfUndoing(steps, index)]] : [])),
      ),
      succeeded: { type: 'final' },
      failed: failing,
    },
    output: ({ context }: { context: SagaContext }) => context.outputs,
  });
  return machine as unknown as PolicyMachine<SagaContext, Input, Readonly<Record<string, unknown>>, SagaFact>;
}

function stateOfDoing(steps: readonly SagaStep[], index: number) {
  const step = steps[index]!.name;
  const next = steps[index + 1];
  const failed = { params: (args: { event: unknown }) => ({ step, ...errorOf(args) }) };
  return {
    invoke: {
      src: doing(step),
      input: inputOf,
      onDone: {
        target: next ? doing(next.name) : 'succeeded',
        actions: { type: 'keepOutput', params: (args: { event: unknown }) => ({ step, ...outputOf(args) }) } as const,
      },
      onError: {
        target: undoBefore(steps, index),
        actions: [{ type: 'keepFailure', ...failed } as const, { type: 'tellFailure', ...failed } as const],
      },
    },
  };
}

function stateOfUndoing(steps: readonly SagaStep[], index: number) {
  const step = steps[index]!.name;
  const target = undoBefore(steps, index);
  const failed = { params: (args: { event: unknown }) => ({ step, ...errorOf(args) }) };
  return {
    invoke: {
      src: undoing(step),
      input: inputOf,
      onDone: { target, actions: { type: 'tellUndone', params: { step } } as const },
      onError: {
        target,
        actions: [{ type: 'keepNotUndone', ...failed } as const, { type: 'tellNotUndone', ...failed } as const],
      },
    },
  };
}

/** The state that undoes the newest step before this one that can be undone. */
function undoBefore(steps: readonly SagaStep[], index: number): string {
  const before = steps.slice(0, index).findLast(({ undo }) => undo !== undefined);
  return before ? undoing(before.name) : 'failed';
}

function inputOf({ context: { input, outputs } }: { context: SagaContext }): SagaInput {
  return { input, outputs };
}

function doing(step: string): string {
  return `doing ${step}`;
}

function undoing(step: string): string {
  return `undoing ${step}`;
}

function checkSteps(name: string, steps: readonly SagaStep[]): void {
  const path = `saga('${requireName(name, 'saga(name)')}')`;
  if (!Array.isArray(steps) || steps.length === 0)
    throw InvalidArgumentError.of(path, 'a list of at least one step', steps);
  const seen = new Set<string>();
  for (const [index, step] of (steps as readonly SagaStep[]).entries()) {
    const at = `${path}[${index}]`;
    requireKnown(step, ['name', 'run', 'undo'], at);
    // A dot would make XState look for a state inside another one.
    if (requireName(step.name, `${at}.name`).includes('.') || seen.has(step.name)) {
      throw InvalidArgumentError.of(`${at}.name`, 'a name of its own without a dot', step.name);
    }
    seen.add(step.name);
    requireLogic(step.run, `${at}.run`);
    if (step.undo !== undefined) requireLogic(step.undo, `${at}.undo`);
  }
}
