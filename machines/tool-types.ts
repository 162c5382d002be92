/**
 * The doors of a registry, and what follows from the types of its tools: what each takes, and what a call of it may give.
 * Owns types only.
 */
import type { ActorOptions, AnyActorLogic, InputFrom, OutputFrom } from 'xstate';
import type { ToolResult } from './tool-call.ts';
import type { ToolExecutor } from './tool-executor.ts';
import type { ToolCost, ToolFact } from './tool-facts.ts';
import type { ToolMachine } from './tool-machine.ts';
import type { Skipped, Tool, ToolPolicies, ToolPolicy, Tools } from './tool-options.ts';

/** The names of a record. */
export type NameOf<Record> = keyof Record & string;

/** What a tool takes. */
export type ParamsOf<T extends Tool> = T['run'] extends AnyActorLogic
  ? InputFrom<T['run']>
  : T['run'] extends (args: infer Args) => unknown
    ? Args extends { readonly input: infer Params }
      ? Params
      : unknown
    : never;

/** What a tool itself gives. */
export type OutputOf<T extends Tool> = T['run'] extends AnyActorLogic
  ? OutputFrom<T['run']>
  : T['run'] extends (args: never) => infer Output
    ? Awaited<Output>
    : never;

/** The policy that a tool was given. */
export type OwnPolicy<T extends Tool> = T extends { readonly policy: infer Policy extends ToolPolicy }
  ? Policy
  : { readonly strategy: 'fail' };

/** A policy, where it is only named too. */
export type PolicyNamed<Ps extends ToolPolicies, Policy> = Policy extends NameOf<Ps> ? Ps[Policy] : Policy;

/**
 * What a call of a tool under a policy may give, by where it comes from. It is indexed only where it is used: so a hover
 * shows what comes of it, and not this name with the whole registry.
 */
interface Answers<Ts extends Tools, Name extends NameOf<Ts>, Policy> {
  readonly own: OutputOf<Ts[Name]>;
  readonly fallback: Policy extends { readonly strategy: 'fallback'; readonly fallbackTools: infer Fallbacks }
    ? Outputs<Ts>[Fallbacks extends readonly (infer Other)[] ? Other & NameOf<Ts> : OfKind<Ts, Ts[Name]['kind']>]
    : never;
  readonly skipped: Policy extends { readonly strategy: 'skip' }
    ? Policy extends { readonly value: infer Value }
      ? Value
      : Skipped
    : never;
}

type AnswerKind = keyof Answers<Tools, string, ToolPolicy>;

type Outputs<Ts extends Tools> = { readonly [Name in NameOf<Ts>]: OutputOf<Ts[Name]> };

type OfKind<Ts extends Tools, Kind> = {
  [Each in NameOf<Ts>]: Ts[Each]['kind'] extends Kind ? Each : never;
}[NameOf<Ts>];

/** What the types of tools must keep to besides: names that exist, prices of their own parameters and output. */
export type CheckedTools<Ts extends Tools> = {
  readonly [Name in keyof Ts]: {
    readonly policy?: ToolPolicy<NameOf<Ts>>;
    readonly cost?: ToolCost<ParamsOf<Ts[Name]>, OutputOf<Ts[Name]>>;
  };
};

/** Policies that name tools of the registry. */
export type CheckedPolicies<Ts extends Tools, Ps extends ToolPolicies> = {
  readonly [Name in keyof Ps]: ToolPolicy<NameOf<Ts>>;
};

/** What the executor takes, by the tool. */
type ExecutorInputs<Ts extends Tools, Ps extends ToolPolicies> = {
  readonly [Name in NameOf<Ts>]: {
    readonly tool: Name;
    readonly params: ParamsOf<Ts[Name]>;
    readonly policy?: keyof Ps & string;
  };
};

/** What the executor gives, by the tool. */
type ExecutorOutputs<Ts extends Tools, Ps extends ToolPolicies> = {
  readonly [Name in NameOf<Ts>]: ToolResult<Answers<Ts, Name, OwnPolicy<Ts[Name]> | Ps[NameOf<Ps>]>[AnswerKind]>;
};

/** What a registry is made of. */
export interface ToolRegistryOptions<Ts extends Tools, Ps extends ToolPolicies> {
  readonly tools: Ts & CheckedTools<Ts>;
  /** Policies that a call may name instead of the tool's own. */
  readonly policies?: Ps & CheckedPolicies<Ts, Ps>;
  /** Id of the executor; `tools` when omitted. */
  readonly name?: string;
  /** What costs are counted in; `USD` when omitted. */
  readonly unit?: string;
}

/** How a call in this process runs. */
export interface ExecuteOptions<Policy> {
  /** Instead of the tool's own: one of the registry's by its name, or any other. */
  readonly policy?: Policy;
  /** Instead of the real one. */
  readonly clock?: ActorOptions<AnyActorLogic>['clock'];
  /** Hears what the tool tells: what each call came to and cost. */
  readonly onFact?: (fact: ToolFact) => void;
}

/** What is known of a tool without calling it, such as a planner chooses by. */
export interface ToolDescription {
  readonly name: string;
  readonly kind?: string;
  readonly description?: string;
  /** Per attempt; absent where it is computed from the call. */
  readonly cost?: number;
  readonly unit: string;
  readonly accuracy?: number;
}

/** Tools by name; made by `toolRegistry`. */
export interface ToolRegistry<Ts extends Tools, Ps extends ToolPolicies> {
  /** What there is to choose from, in the order of the registry. */
  readonly descriptions: readonly ToolDescription[];
  /**
   * A machine that calls any tool of the registry: its input is `{ tool, params, policy? }`, its output a {@link ToolResult}.
   * `policy` is the name of one of the registry's.
   */
  readonly executor: ToolExecutor<ExecutorInputs<Ts, Ps>[NameOf<Ts>], ExecutorOutputs<Ts, Ps>[NameOf<Ts>]>;
  /**
   * A tool as a machine, from its parameters to its answer, to be invoked or hosted like any other.
   * @param policy instead of its own: one of the registry's by its name, or any other
   * @throws UnknownToolError | InvalidArgumentError
   */
  tool<const Name extends NameOf<Ts>, const Policy extends ToolPolicy<NameOf<Ts>> | NameOf<Ps> = OwnPolicy<Ts[Name]>>(
    name: Name,
    policy?: Policy,
  ): ToolMachine<ParamsOf<Ts[Name]>, Answers<Ts, Name, PolicyNamed<Ps, Policy>>[AnswerKind]>;
  /**
   * Calls a tool in this process, under plain XState: nothing of it survives a restart. Rejects with what the tool fails with.
   * @throws UnknownToolError | InvalidArgumentError as a rejection
   */
  execute<
    const Name extends NameOf<Ts>,
    const Policy extends ToolPolicy<NameOf<Ts>> | NameOf<Ps> = OwnPolicy<Ts[Name]>,
  >(
    name: Name,
    params: ParamsOf<Ts[Name]>,
    options?: ExecuteOptions<Policy>,
  ): Promise<ToolResult<Answers<Ts, Name, PolicyNamed<Ps, Policy>>[AnswerKind]>>;
}
