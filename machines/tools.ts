/**
 * A registry of tools: each with what it costs, how good it is, and what happens when it fails. Owns how a tool becomes a
 * machine, and the doors to it: by name, through the executor, or at once in this process.
 *
 * TR1  What can be wrong with a registry is an InvalidArgumentError when it is made, not when a tool is called.
 * TR2  A tool is the same machine through every door.
 */
import { InvalidArgumentError } from 'rewake';
import { createActor, toPromise } from 'xstate';
import { requireKnown, requireName } from './options.ts';
import { step, stepAround, type Call } from './step.ts';
import { policyOf } from './step-policy.ts';
import { resultOf, type PlannedTool, type ToolContext } from './tool-call.ts';
import { srcOf, toolExecutor, UnknownToolError, type ToolExecutor } from './tool-executor.ts';
import { toolMachine, type ToolMachine } from './tool-machine.ts';
import {
  fallbacksOf,
  requirePlainName,
  requirePolicy,
  requirePolicyOf,
  requireTools,
  retriesOf,
} from './tool-options.ts';
import type { Tool, ToolPolicies, ToolPolicy, Tools } from './tool-options.ts';
import type { ExecuteOptions, ToolDescription, ToolRegistry, ToolRegistryOptions } from './tool-types.ts';

/**
 * Makes a registry of tools.
 *
 * @example
 * const registry = toolRegistry({
 *   tools: {
 *     gpt4Vision: {
 *       run: ({ input, signal }: EffectArguments<Receipt>) => openai.read(input, { signal }),
 *       cost: 0.1,
 *       accuracy: 0.99,
 *       policy: { strategy: 'fallback', maxRetries: 0, fallbackTools: ['localOcr'] },
 *       options: { timeout: '30s', breaker: 'openai' },
 *     },
 *     localOcr: { run: tesseract, cost: 0.01, accuracy: 0.85, policy: { strategy: 'retry', maxRetries: 3, retryBackoff: 2 } },
 *   },
 * });
 * await using runtime = await createRuntime({ machines: { tools: registry.executor, ...recoveryMachines } });
 * const ref = await runtime.start('tools', { id: '1', input: { tool: 'gpt4Vision', params: receipt } });
 * const { output, tool, cost } = await ref.output();
 * @throws InvalidArgumentError naming the path of what cannot work, for example `toolRegistry.tools.gpt4Vision.cost`
 */
export function toolRegistry<const Ts extends Tools, const Ps extends ToolPolicies = Record<never, never>>(
  options: ToolRegistryOptions<Ts, Ps>,
): ToolRegistry<Ts, Ps> {
  const registry = new Registry(options);
  return registry as unknown as ToolRegistry<Ts, Ps>;
}

class Registry {
  readonly descriptions: readonly ToolDescription[];
  readonly executor: ToolExecutor<never, unknown>;
  readonly #tools: Tools;
  readonly #policies: ToolPolicies;
  readonly #unit: string;
  /** As fallbacks, with the retries of their own policies. */
  readonly #fallbacks = new Map<string, PlannedTool>();

  constructor(options: { tools: Tools; policies?: ToolPolicies; name?: string; unit?: string }) {
    requireKnown(options, ['tools', 'policies', 'name', 'unit'], 'toolRegistry');
    const { tools, policies = {}, name = 'tools', unit = 'USD' } = options;
    requireTools(tools, 'toolRegistry.tools');
    requireName(name, 'toolRegistry.name');
    this.#tools = tools;
    this.#policies = policies;
    this.#unit = requireName(unit, 'toolRegistry.unit');
    this.descriptions = Object.entries(tools).map(([each, tool]) => describe(each, tool, unit));
    this.executor = toolExecutor(name, this.#callable()) as unknown as ToolExecutor<never, unknown>;
  }

  tool(name: string, policy?: ToolPolicy | string): ToolMachine<unknown, unknown> {
    return this.#machine(name, policy, ({ output }) => output);
  }

  async execute(name: string, params: unknown, options: ExecuteOptions<ToolPolicy | string> = {}): Promise<unknown> {
    requireKnown(options, ['policy', 'clock', 'onFact'], 'execute.options');
    const { policy, clock, onFact } = options;
    const machine = this.#machine(name, policy, resultOf);
    const actor = createActor(machine, { input: params, ...(clock && { clock }) });
    if (onFact) actor.on('*', onFact);
    return toPromise(actor.start());
  }

  #callable() {
    const tools = Object.keys(this.#tools);
    const policies = Object.keys(this.#policies);
    for (const policy of policies) {
      requirePlainName(policy, 'toolRegistry.policies');
      requirePolicy(this.#tools, this.#policies[policy]!, `toolRegistry.policies.${policy}`);
    }
    const machines = tools.flatMap((tool) =>
      [undefined, ...policies].map((policy) => [srcOf(tool, policy), this.#machine(tool, policy, resultOf)] as const),
    );
    return { tools, policies, machines: Object.fromEntries(machines) };
  }

  #machine<Output>(
    name: string,
    policy: ToolPolicy | string | undefined,
    outputFrom: (context: ToolContext) => Output,
  ) {
    if (!Object.hasOwn(this.#tools, name)) throw new UnknownToolError(name, Object.keys(this.#tools));
    const [chosen, path] = this.#policyOf(name, policy);
    const fallbacks = fallbacksOf(this.#tools, name, chosen, path);
    const asked = this.#planned(name, chosen, path);
    const tools = [asked, ...fallbacks.map((each) => this.#fallback(each))] as const;
    return toolMachine({ tools, policy: chosen, unit: this.#unit }, outputFrom);
  }

  #policyOf(name: string, policy: ToolPolicy | string | undefined): readonly [ToolPolicy, path: string] {
    if (policy === undefined) {
      return [this.#tools[name]!.policy ?? { strategy: 'fail' }, `toolRegistry.tools.${name}.policy`];
    }
    if (typeof policy !== 'string') {
      const path = `tool('${name}').policy`;
      requirePolicyOf(this.#tools, name, policy, path);
      return [policy, path];
    }
    const path = `toolRegistry.policies.${policy}`;
    if (Object.hasOwn(this.#policies, policy)) return [this.#policies[policy]!, path];
    throw InvalidArgumentError.of(path, `one of the policies ${Object.keys(this.#policies).join(', ')}`, undefined);
  }

  #fallback(name: string): PlannedTool {
    let planned = this.#fallbacks.get(name);
    if (!planned) {
      planned = this.#planned(name, ...this.#policyOf(name, undefined));
      this.#fallbacks.set(name, planned);
    }
    return planned;
  }

  #planned(name: string, policy: ToolPolicy, path: string): PlannedTool {
    const { run, options = {}, cost = 0, accuracy } = this.#tools[name]!;
    const retry = retriesOf(options, policy, path);
    const stepOptions = { ...options, retry };
    const checked = policyOf(name, stepOptions, `toolRegistry.tools.${name}.options`);
    const called =
      typeof run === 'function' ? step(name, run as Call<unknown, unknown>, stepOptions) : stepAround(run, checked);
    return { name, step: called, cost: cost as PlannedTool['cost'], accuracy };
  }
}

function describe(name: string, { kind, description, cost, accuracy }: Tool, unit: string): ToolDescription {
  return {
    name,
    ...(kind !== undefined && { kind }),
    ...(description !== undefined && { description }),
    ...(typeof cost !== 'function' && { cost: cost ?? 0 }),
    unit,
    ...(accuracy !== undefined && { accuracy }),
  };
}
