/** Whatever the registry and whatever its tools do: what is tried is what a small model says, and costs are sums (TO1, TC1). */
import { expect, it } from 'vitest';
import fc from 'fast-check';
import { toolRegistry, type ToolCalled, type ToolPolicy, type ToolResult } from '../../machines/index.ts';
import { outcomeOf } from '../support/house.ts';

/** What one attempt of a tool does. */
type Act = 'answers' | 'unavailable' | 'refuses';

interface ModelTool {
  readonly name: string;
  readonly cost: number;
  readonly policy: ToolPolicy;
  /** Attempt by attempt; afterwards it answers. */
  readonly script: readonly Act[];
}

const names = ['a', 'b', 'c', 'd'];
const statusOf = { unavailable: 503, refuses: 400 } as const;
const prices = { a: 7, b: 5, c: 3, d: 5 };

const retries = fc.record({ maxRetries: fc.nat(2), retryBackoff: fc.constant(0) });
const noRetries = fc.constant({});
const policyFor = (name: string, all: readonly string[]): fc.Arbitrary<ToolPolicy> => {
  const others = all.filter((each) => each !== name);
  const fallbackTools =
    others.length === 0
      ? []
      : [
          fc
            .tuple(
              fc.oneof(
                fc.constantFrom('cost' as const, 'accuracy' as const),
                fc.shuffledSubarray(others, { minLength: 1 }),
              ),
              fc.oneof(retries, noRetries),
            )
            .map(([tools, more]) => ({ strategy: 'fallback' as const, fallbackTools: tools, ...more })),
        ];
  const plain = fc.oneof(
    fc.constant({ strategy: 'fail' as const }),
    retries.map((more) => ({ strategy: 'retry' as const, ...more })),
    fc.oneof(retries, noRetries).map((more) => ({ strategy: 'skip' as const, value: 'skipped', ...more })),
  );
  return fc.oneof(plain, ...fallbackTools);
};

const anyTools = fc.integer({ min: 1, max: names.length }).chain((count) => {
  const all = names.slice(0, count);
  const act = fc.constantFrom<Act>('answers', 'unavailable', 'unavailable', 'refuses');
  return fc.tuple(
    ...all.map((name) =>
      fc.record({
        name: fc.constant(name),
        cost: fc.constant(prices[name as keyof typeof prices]),
        policy: policyFor(name, all),
        script: fc.array(act, { maxLength: 4 }),
      }),
    ),
  );
});

type Tried = readonly [tool: string, outcome: ToolCalled['outcome'], attempts: number, cost: number];
type Ending = 'answers' | 'skips' | 'fails';

/** The model: one tool, attempt by attempt. */
function tryTool({ policy, script }: ModelTool): { readonly last: Act; readonly attempts: number } {
  const more = 'maxRetries' in policy ? (policy.maxRetries ?? 0) : 0;
  for (let attempts = 1; ; attempts++) {
    const last = script[attempts - 1] ?? 'answers';
    if (last !== 'unavailable' || attempts > more) return { last, attempts };
  }
}

/** The model: the tools of a call in order. */
function model(tools: readonly ModelTool[]): { readonly tried: readonly Tried[]; readonly ending: Ending } {
  const { name, policy } = tools[0]!;
  const tried: Tried[] = [];
  for (const tool of [name, ...fallbacks(tools, name, policy)].map((each) => tools.find((t) => t.name === each)!)) {
    const { last, attempts } = tryTool(tool);
    const cost = attempts * tool.cost;
    if (last === 'answers') return { tried: [...tried, [tool.name, 'succeeded', attempts, cost]], ending: 'answers' };
    if (policy.strategy === 'skip') return { tried: [[tool.name, 'skipped', attempts, cost]], ending: 'skips' };
    tried.push([tool.name, 'failed', attempts, cost]);
    if (last === 'refuses') break;
  }
  return { tried, ending: 'fails' };
}

function fallbacks(tools: readonly ModelTool[], name: string, policy: ToolPolicy): readonly string[] {
  if (policy.strategy !== 'fallback') return [];
  if (policy.fallbackTools !== 'cost' && policy.fallbackTools !== 'accuracy') return policy.fallbackTools;
  // The accuracy of a tool here is its cost: the most accurate one is the most expensive one.
  const sign = policy.fallbackTools === 'cost' ? 1 : -1;
  const others = tools.filter((tool) => tool.name !== name);
  return others.toSorted((a, b) => sign * (a.cost - b.cost)).map((tool) => tool.name);
}

/** Fires at once: waits are not what is looked at here. */
const clock = { setTimeout: queueMicrotask, clearTimeout: () => {} };

it('the tools that are tried, how often, at what cost and with what end, are the model’s', async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(anyTools, async (tools) => {
      const registry = toolRegistry({
        tools: Object.fromEntries(
          tools.map(({ name, cost, policy, script }) => {
            let attempt = 0;
            const run = () => {
              const act = script[attempt++] ?? 'answers';
              if (act !== 'answers') throw Object.assign(new Error(act), { status: statusOf[act] });
              return name;
            };
            return [name, { run, kind: 'any', cost, accuracy: cost / 10, policy }];
          }),
        ),
      });
      const called: ToolCalled[] = [];
      const onFact = (fact: object) => void ('tool' in fact && called.push(fact as ToolCalled));
      const { output, error } = await outcomeOf<ToolResult>(registry.execute('a', undefined, { clock, onFact }));
      const { tried, ending } = model(tools);
      expect(called.map(({ tool, outcome, attempts, cost }) => [tool, outcome, attempts, cost])).toEqual(tried);
      expect(called.map(({ fallbackIndex }) => fallbackIndex)).toEqual(tried.map((_, index) => index));
      seen.add(`${ending} after ${tried.length}`);
      expect(error === undefined).toBe(ending !== 'fails');
      if (ending === 'fails') return;
      expect(output!.output).toBe(ending === 'skips' ? 'skipped' : tried.at(-1)![0]);
      expect(output!.tool).toBe(tried.at(-1)![0]);
      expect(output!.cost).toBe(called.reduce((sum, { cost }) => sum + cost, 0));
      expect(output!.attempts).toBe(called.reduce((sum, { attempts }) => sum + attempts, 0));
    }),
    { numRuns: 300 },
  );
  expect([...seen]).toEqual(expect.arrayContaining(['answers after 2', 'skips after 1', 'fails after 2']));
});
