/**
 * What a flow is made of, as types: steps whose results are known to the steps that need them. Owns the options of `flow`;
 * what they come to is flow-plan.ts.
 *
 * FO1  A step sees the result of a step that it needs as that one or its handlers give it, and of any other step as perhaps
 *      not there yet. What a condition leaves out gives undefined, and a handler of a phase or the flow may skip any step:
 *      that is in no type.
 */
import type { EffectArguments } from 'rewake';
import type { AnyActorLogic, InputFrom, OutputFrom } from 'xstate';
import type { ApprovalOptions } from './approval-options.ts';
import type { Handler } from './handler.ts';
import type { InterveneAction, RecoveredBy } from './recovery-actions.ts';
import type { PolicyOptions } from './step-policy.ts';

/** What a step runs: a logic, another flow included, or a function as in `step`. */
export type FlowRun = AnyActorLogic | ((args: EffectArguments<never>) => unknown);

/** What a step's `run` is given. */
export type RunInput<Run> = Run extends AnyActorLogic
  ? InputFrom<Run>
  : Run extends (args: EffectArguments<infer Input>) => unknown
    ? Input
    : never;

/** What a step's `run` gives. */
export type RunOutput<Run> = Run extends AnyActorLogic
  ? OutputFrom<Run>
  : Run extends (...args: never[]) => infer Output
    ? Awaited<Output>
    : never;

/** What the functions of a flow are given: its input, and what its steps gave so far, by name. Pure data. */
export interface FlowArgs<Input = unknown, Results = Readonly<Record<string, unknown>>> {
  readonly input: Input;
  readonly results: Results;
}

/** What the undo of a step is given: what the step was given, and what it gave. */
export interface FlowUndoInput<Input = unknown, Result = unknown> {
  readonly input: Input;
  readonly result: Result;
}

/** The result of a step, of one with `forEach` a list of them; or what its handlers put in the place of that. */
type ResultOf<Runs, Lists, Handled, Step extends keyof Runs> =
  | (Step extends keyof Lists
      ? Lists[Step] extends string
        ? readonly RunOutput<Runs[Step]>[]
        : RunOutput<Runs[Step]>
      : RunOutput<Runs[Step]>)
  | (Step extends keyof Handled
      ? Handled[Step] extends readonly (infer Each)[]
        ? RecoveredByOne<Each>
        : never
      : never);

/** What a handler, or a person that it asks, may put in the place of a result. */
type RecoveredByOne<Each> = Each extends Handler<infer Action> ? RecoveredByAction<Action> : never;
type RecoveredByAction<Action> =
  Action extends InterveneAction<infer Chosen> ? RecoveredBy<Chosen> : RecoveredBy<Action>;

/** The results of all steps, by name. */
export type FlowResults<Runs, Lists, Handled = unknown> = {
  readonly [Step in keyof Runs]: ResultOf<Runs, Lists, Handled, Step>;
};

/** The steps that a step names; none where it names none. */
type NamedBy<Names, Step> = Step extends keyof Names ? (unknown extends Names[Step] ? never : Names[Step]) : never;

/** The results as one step sees them (FO1). */
export type ResultsFor<Runs, Needs, Lists, Handled, Step> = {
  readonly [Other in keyof Runs]: Other extends NamedBy<Needs, Step> | NamedBy<Lists, Step>
    ? ResultOf<Runs, Lists, Handled, Other>
    : ResultOf<Runs, Lists, Handled, Other> | undefined;
};

/** One of the list that a step with `forEach` goes through; undefined of any other step. */
type ItemFor<Runs, Lists, Handled, Step> =
  NamedBy<Lists, Step> extends infer List extends keyof Runs
    ? [List] extends [never]
      ? undefined
      : ResultOf<Runs, Lists, Handled, List> extends readonly (infer Item)[]
        ? Item
        : never
    : undefined;

/** What the input of a step is made from. */
export interface FlowInputArgs<Input, Results, Item> extends FlowArgs<Input, Results> {
  /** With `forEach`, the one of the list that this is about. */
  readonly item: Item;
  /** Its place in the list, from 0; 0 without `forEach`. */
  readonly index: number;
}

/** One step of a flow. Its policies are those of `step`; with `forEach` they are for each item. */
export interface FlowStep<Input, Runs, Needs, Lists, Handled, Step extends keyof Runs> extends PolicyOptions {
  readonly run: Runs[Step];
  /** Whether it is done at all; it is skipped otherwise. Must be pure. */
  readonly when?: (args: FlowArgs<Input, ResultsFor<Runs, Needs, Lists, Handled, Step>>) => boolean;
  /** What it is given; the item with `forEach`, the input of the flow otherwise, when omitted. Must be pure. */
  readonly input?: (
    args: FlowInputArgs<Input, ResultsFor<Runs, Needs, Lists, Handled, Step>, ItemFor<Runs, Lists, Handled, Step>>,
  ) => RunInput<Runs[Step]>;
  /** With `forEach`, how many items at a time; 10 when omitted. */
  readonly concurrency?: number;
  /** For the error of one attempt, before it counts as failed. */
  readonly onCommandFailure?: readonly Handler[];
  /** Takes it back when the flow is aborted; from {@link FlowUndoInput}. Must be idempotent. */
  readonly undo?:
    | AnyActorLogic
    | ((
        args: EffectArguments<
          FlowUndoInput<
            NamedBy<Lists, Step> extends never ? RunInput<Runs[Step]> : readonly RunInput<Runs[Step]>[],
            ResultOf<Runs, Lists, Handled, Step>
          >
        >,
      ) => unknown);
}

/** One phase of a flow: it begins when the one before it is over. */
export interface FlowPhase<Step = string> {
  readonly id: string;
  readonly steps: readonly Step[];
  /** For the error of a step that nothing inside the step recovered. */
  readonly onFailure?: readonly Handler[];
}

/** Stands for a type in the options of a flow; made by {@link type}. */
export interface TypeOf<T> {
  readonly type?: T;
}

/**
 * Says of which type the input of a flow is.
 *
 * @example
 * flow('order', { input: type<{ sku: string }>(), steps: { … } });
 */
export function type<T>(): TypeOf<T> {
  return {};
}

/** What a flow does. */
export interface FlowOptions<Input, Runs, Needs, Lists, Handled, Output> {
  /** Declares the type of its input, with {@link type}. */
  readonly input?: TypeOf<Input>;
  /**
   * By name. A step begins when those it `needs` are done or skipped; `forEach` names a step whose result is a list, and runs
   * the step once for each item of it; `onFailure` is for the error of the step, when its retries are used up.
   */
  readonly steps: { readonly [Step in keyof Runs]: FlowStep<Input, Runs, Needs, Lists, Handled, Step> } & {
    readonly [Step in keyof Needs]: { readonly needs?: readonly (Needs[Step] & keyof Runs)[] };
  } & { readonly [Step in keyof Lists]: { readonly forEach?: Lists[Step] & keyof Runs } } & {
    readonly [Step in keyof Handled]: { readonly onFailure?: Handled[Step] & readonly Handler[] };
  };
  /** In order; every step is in one of them. One phase `main` when omitted. */
  readonly phases?: readonly FlowPhase<keyof Runs>[];
  /** For what no phase recovered. */
  readonly onFailure?: readonly Handler[];
  /** How many steps run at a time; 10 when omitted. */
  readonly concurrency?: number;
  /** What it gives; the results of all steps when omitted. Must be pure. */
  readonly output?: (args: FlowArgs<Input, FlowResults<Runs, Lists, Handled>>) => Output;
  /** Logics that handlers name: `fallback('byHand')`. */
  readonly paths?: Readonly<Record<string, AnyActorLogic>>;
  /** Who answers what handlers ask, how long it may take, and who is told. */
  readonly interventions?: ApprovalOptions;
  /** Whether its handlers tell facts; yes when omitted. */
  readonly facts?: boolean;
  /** Tells it from others of the same name: where the steps have changed, both are registered, and who began stays. */
  readonly version?: string;
}
