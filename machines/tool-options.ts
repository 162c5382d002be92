/**
 * What a tool is and what happens when it fails, checked when a registry is made. Owns the options of tools and their
 * policies, and which tools a call tries in what order; the chart of a call is tool-machine.ts's.
 *
 * TO1  A call tries the tool that was asked for, and then what its policy names: each at most once. The policies of those
 *      fallbacks say how often they are tried, not what comes after them, so no call goes in a circle.
 * TO2  The order by `'cost'` or `'accuracy'` is of the other tools of the same kind; equal ones stay in the order of the registry.
 */
import { InvalidArgumentError, type Duration, type EffectArguments } from 'rewake';
import type { AnyActorLogic } from 'xstate';
import type { ErrorMatch } from './classify.ts';
import { requireMatches } from './error-rules.ts';
import { durationMs, numberWhere, requireKnown, requireLogic, requireName, wholeNumber } from './options.ts';
import { tutorialRetry } from './presets.ts';
import type { RetryOptions } from './retry-policy.ts';
import type { PolicyOptions } from './step-policy.ts';
import type { ToolCost } from './tool-facts.ts';

/** How often a tool is tried before its policy says that it failed. */
interface ToolRetries {
  /** Calls after the first: 3 with the strategy `retry`; otherwise none, and nothing counts them. */
  readonly maxRetries?: number;
  /** The first wait: a number of **seconds**, or a duration such as `'500ms'`; 1 s when omitted. Each further one is twice as long. */
  readonly retryBackoff?: number | Duration;
}

/** What happens when a tool fails. */
export type ToolPolicy<Name extends string = string> =
  /** Its error leaves. */
  | { readonly strategy: 'fail' }
  /** It is tried again; then its error leaves. */
  | (ToolRetries & { readonly strategy: 'retry' })
  /** Other tools are tried with the same parameters. */
  | (ToolRetries & {
      readonly strategy: 'fallback';
      /** In this order; or the other tools of its kind, the cheapest or the most accurate first. */
      readonly fallbackTools: readonly Name[] | 'cost' | 'accuracy';
      /** What leads to the next one, as with `withFallback`; asked also about what is behind retries that were used up. */
      readonly on?: readonly ErrorMatch[];
    })
  /** The failure is an answer. */
  | (ToolRetries & {
      readonly strategy: 'skip';
      /** The answer; {@link Skipped} when omitted. */
      readonly value?: unknown;
    });

/** The answer where a tool failed whose policy is to skip it. */
export interface Skipped {
  readonly skipped: true;
  readonly error: unknown;
}

/** The options of the step that calls a tool; how often it is tried is its policy's. */
export interface ToolOptions extends Omit<PolicyOptions, 'retry'> {
  /** How it is tried again: jitter, waits that a server asks for, idempotency. */
  readonly retry?: Omit<RetryOptions, 'maxRetries' | 'maxAttempts'>;
}

/** A tool: something to call, what it costs, how good it is, and what happens when it fails. */
export interface Tool<Name extends string = string> {
  /** A function of an effect's arguments, or any actor logic, from parameters to an answer. */
  readonly run: ((args: EffectArguments<never>) => unknown) | AnyActorLogic;
  /** Tools of one kind take the same parameters and give answers of one meaning. */
  readonly kind?: string;
  readonly description?: string;
  /** Free when omitted. */
  readonly cost?: ToolCost<never, never>;
  /** From 0 to 1. */
  readonly accuracy?: number;
  /** Its error leaves when omitted. */
  readonly policy?: ToolPolicy<Name>;
  readonly options?: ToolOptions;
}

/** Tools by their names. */
export type Tools = Readonly<Record<string, Tool>>;

/** Policies by their names. */
export type ToolPolicies = Readonly<Record<string, ToolPolicy>>;

/** Checks tools. @throws InvalidArgumentError naming the path of what is wrong */
export function requireTools(tools: Tools, path: string): void {
  if (typeof tools !== 'object' || tools === null || Object.keys(tools).length === 0) {
    throw InvalidArgumentError.of(path, 'at least one tool by its name', tools);
  }
  for (const [name, tool] of Object.entries(tools)) {
    requirePlainName(name, path);
    requireTool(tools, name, tool, `${path}.${name}`);
  }
}

/** A name that can be that of a state and a part of another name. */
export function requirePlainName(name: string, path: string): void {
  if (name === '' || name.includes('.')) throw InvalidArgumentError.of(path, 'names without a dot', name);
}

/** Every option that the types have. */
const stepOptions: Record<keyof ToolOptions, true> = {
  ...({ timeout: true, deadline: true, retry: true, breaker: true, classify: true } as const),
  ...({ retryResult: true, onFact: true } as const),
};
const retryOptions: Record<keyof NonNullable<ToolOptions['retry']>, true> = {
  ...({ backoff: true, retryAfterMax: true, park: true, idempotent: true, retryIf: true } as const),
  ...({ budget: true, failOnRefusedResult: true } as const),
};

function requireTool(tools: Tools, name: string, tool: Tool, path: string): void {
  requireKnown(tool, ['run', 'kind', 'description', 'cost', 'accuracy', 'policy', 'options'], path);
  const { run, kind, description, cost, accuracy, policy, options = {} } = tool;
  if (typeof run !== 'function') requireLogic(run, `${path}.run`);
  if (kind !== undefined) requireName(kind, `${path}.kind`);
  if (description !== undefined) requireName(description, `${path}.description`);
  if (cost !== undefined && typeof cost !== 'function') {
    numberWhere(cost, `${path}.cost`, 'a number of at least 0, or a function', (price) => price >= 0);
  }
  if (accuracy !== undefined) {
    numberWhere(accuracy, `${path}.accuracy`, 'a number from 0 to 1', (share) => share >= 0 && share <= 1);
  }
  if (policy !== undefined) requirePolicyOf(tools, name, policy, `${path}.policy`);
  requireKnown(options, Object.keys(stepOptions), `${path}.options`);
  if (options.retry !== undefined) requireKnown(options.retry, Object.keys(retryOptions), `${path}.options.retry`);
}

const retries = ['maxRetries', 'retryBackoff'];
const optionsByStrategy: Readonly<Record<string, readonly string[]>> = {
  fail: [],
  retry: retries,
  fallback: ['fallbackTools', 'on', ...retries],
  skip: ['value', ...retries],
};

/** Checks a policy that any tool may be called under. */
export function requirePolicy(tools: Tools, policy: ToolPolicy, path: string): void {
  const strategy: unknown = (policy as ToolPolicy | null)?.strategy;
  if (typeof strategy !== 'string' || !Object.hasOwn(optionsByStrategy, strategy)) {
    throw InvalidArgumentError.of(`${path}.strategy`, `one of ${Object.keys(optionsByStrategy).join(', ')}`, strategy);
  }
  requireKnown(policy, ['strategy', ...optionsByStrategy[strategy]!], path);
  retriesOf({}, policy, path);
  if (policy.strategy !== 'fallback') return;
  if (policy.on !== undefined) requireMatches(policy.on, `${path}.on`);
  if (policy.fallbackTools !== 'cost' && policy.fallbackTools !== 'accuracy') {
    requireNames(tools, policy.fallbackTools, `${path}.fallbackTools`);
  }
}

function requireNames(tools: Tools, names: readonly string[], path: string): void {
  if (!Array.isArray(names) || names.length === 0) {
    throw InvalidArgumentError.of(path, "at least one tool, 'cost' or 'accuracy'", names);
  }
  for (const [index, each] of names.entries()) {
    const at = `${path}[${index}]`;
    if (!Object.hasOwn(tools, each)) {
      throw InvalidArgumentError.of(at, `one of the tools ${Object.keys(tools).join(', ')}`, each);
    }
    if (names.indexOf(each) !== index) throw InvalidArgumentError.of(at, 'each tool once', each);
  }
}

/** Checks a policy that was given to one tool: it has to lead somewhere else. */
export function requirePolicyOf(tools: Tools, name: string, policy: ToolPolicy, path: string): void {
  requirePolicy(tools, policy, path);
  if (policy.strategy !== 'fallback') return;
  const at = `${path}.fallbackTools`;
  if (policy.fallbackTools === 'cost' || policy.fallbackTools === 'accuracy') {
    const { kind } = tools[name]!;
    if (othersOfKind(tools, name).length === 0) {
      throw InvalidArgumentError.of(at, `another tool of the kind of '${name}'`, kind);
    }
  } else if (policy.fallbackTools.includes(name)) {
    throw InvalidArgumentError.of(at, 'other tools than the one that failed', name);
  }
}

/** The tools that are tried when this one has failed, in order (TO1). */
export function fallbacksOf(tools: Tools, name: string, policy: ToolPolicy, path: string): readonly string[] {
  if (policy.strategy !== 'fallback') return [];
  const { fallbackTools } = policy;
  if (fallbackTools !== 'cost' && fallbackTools !== 'accuracy') return fallbackTools.filter((each) => each !== name);
  const rank = (other: string): number => {
    const { [fallbackTools]: value } = tools[other]!;
    if (typeof value === 'number') return fallbackTools === 'cost' ? value : -value;
    const expected = `a number as '${fallbackTools}' of '${other}', which is of the same kind`;
    throw InvalidArgumentError.of(`${path}.fallbackTools`, expected, value);
  };
  return othersOfKind(tools, name)
    .map((other) => ({ other, rank: rank(other) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ other }) => other);
}

function othersOfKind(tools: Tools, name: string): readonly string[] {
  const { kind } = tools[name]!;
  if (kind === undefined) return [];
  return Object.keys(tools).filter((other) => other !== name && tools[other]!.kind === kind);
}

/** The retries of a tool under a policy; none where nothing counts its calls. */
export function retriesOf({ retry }: ToolOptions, policy: ToolPolicy, path: string): RetryOptions | false {
  if (policy.strategy === 'fail') return false;
  const { maxRetries = policy.strategy === 'retry' ? 3 : undefined, retryBackoff } = policy;
  if (maxRetries === undefined) {
    if (retryBackoff === undefined) return false;
    throw InvalidArgumentError.of(`${path}.maxRetries`, 'a number of retries beside retryBackoff', maxRetries);
  }
  wholeNumber(maxRetries, `${path}.maxRetries`, 0);
  const initialDelay = retryBackoff === undefined ? {} : { initialDelay: waitMs(retryBackoff, `${path}.retryBackoff`) };
  return { ...retry, maxRetries, backoff: { ...tutorialRetry().backoff, ...retry?.backoff, ...initialDelay } };
}

function waitMs(wait: number | Duration, path: string): number {
  if (typeof wait !== 'number') return durationMs(wait, path);
  const expected = "seconds of at least 0, or a duration such as '500ms'";
  return numberWhere(wait, path, expected, (seconds) => seconds >= 0) * 1_000;
}
