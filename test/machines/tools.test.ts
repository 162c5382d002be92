/** A registry of tools: the doors to it, what follows a failure, what is told and counted. Letters are those of machines/tool*.ts. */
import { describe, expect, it } from 'vitest';
import { assign, createActor, createMachine, fromPromise, setup, toPromise, type AnyStateMachine } from 'xstate';
import { InvalidArgumentError, type EffectArguments } from 'rewake';
import {
  breaker,
  FallbackExhaustedError,
  RecoveryExhaustedError,
  ResultRefusedError,
  toolRegistry,
  UnknownToolError,
  type Skipped,
  type ToolBill,
  type ToolFact,
} from '../../machines/index.ts';
import { failureOf, House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const busy = () => Object.assign(new Error('busy'), { status: 503 });
const refused = () => Object.assign(new Error('no such key'), { status: 401 });
const fails = (error: () => Error) => (): string => {
  throw error();
};

const circle: { self?: unknown } = {};
circle.self = circle;

/** Every fact that a call in this process told. */
function ear() {
  const facts: ToolFact[] = [];
  return { facts, onFact: (fact: ToolFact) => void facts.push(fact) };
}

const pricesOf = (facts: readonly ToolFact[]) =>
  facts.flatMap((fact) => (fact.type === 'ToolCalled' ? [[fact.tool, fact.outcome, fact.attempts, fact.cost]] : []));

it('a tool takes every option of a step, and of its retries those that are not the policy’s', async () => {
  const heard: string[] = [];
  const empty = { key: 'tool', tokens: 1, cost: 1, throttleCost: 1 };
  const registry = toolRegistry({
    tools: {
      ask: {
        run: async () => 'no answer',
        policy: { strategy: 'retry', maxRetries: 9, retryBackoff: '1ms' },
        options: {
          retryResult: (result) => result === 'no answer',
          onFact: ({ type }) => void heard.push(type),
          retry: { budget: empty, failOnRefusedResult: true },
        },
      },
    },
  });
  expect(await failureOf(registry.execute('ask', undefined))).toBeInstanceOf(ResultRefusedError);
  expect(heard).toEqual(['RetryScheduled', 'RetryRefused']);
});

describe('what follows a failure', () => {
  it('fail: the error leaves as it is, after one call', async () => {
    const { facts, onFact } = ear();
    const registry = toolRegistry({ tools: { ask: { run: fails(busy), cost: 2 } } });
    expect(await failureOf(registry.execute('ask', undefined, { onFact }))).toMatchObject({
      message: 'busy',
      status: 503,
    });
    expect(pricesOf(facts)).toEqual([['ask', 'failed', 1, 2]]);
    expect(facts[0]).toMatchObject({ error: { class: 'server', status: 503, message: 'busy' }, fallbackIndex: 0 });
  });

  it('retry: is tried 3 times more after 1, 2 and 4 s, and again in other numbers where the policy says so', async () => {
    const house = new House();
    const began = house.clock.now();
    const calls: [string, number][] = [];
    const run = (name: string) => (): string => {
      calls.push([name, (house.clock.now() - began) / 1_000]);
      throw busy();
    };
    const registry = toolRegistry({
      tools: {
        plain: { run: run('plain'), policy: { strategy: 'retry' } },
        ocr: { run: run('ocr'), policy: { strategy: 'retry', maxRetries: 3, retryBackoff: 2 } },
        fast: { run: run('fast'), policy: { strategy: 'retry', maxRetries: 2, retryBackoff: '500ms' } },
      },
    });
    const runtime = await house.open({ tools: registry.executor });
    const refs = await Promise.all(
      registry.descriptions.map(({ name }) =>
        runtime.start('tools', { id: name, input: { tool: name as 'ocr', params: undefined } }),
      ),
    );
    await rest();
    await house.advance(60_000);
    const times = (name: string) => calls.filter(([each]) => each === name).map(([, at]) => at);
    expect(times('plain')).toEqual([0, 1, 3, 7]);
    expect(times('ocr')).toEqual([0, 2, 6, 14]);
    expect(times('fast')).toEqual([0, 0.5, 1.5]);
    expect(await failureOf(refs[1]!.output())).toBeInstanceOf(RecoveryExhaustedError);
  });

  it('skip: the failure is the answer, or a value is', async () => {
    const { facts, onFact } = ear();
    const registry = toolRegistry({
      tools: {
        enrich: { run: fails(refused), cost: 1, policy: { strategy: 'skip' } },
        related: { run: fails(refused), policy: { strategy: 'skip', value: [] } },
        counted: { run: fails(busy), policy: { strategy: 'skip', value: 0, maxRetries: 0 } },
        hushed: { run: fails(busy), policy: { strategy: 'skip', value: undefined } },
      },
    });
    const result = await registry.execute('enrich', undefined, { onFact });
    const output: string | Skipped = result.output;
    expect(result).toMatchObject({ outcome: 'skipped', tool: 'enrich', cost: 1, attempts: 1 });
    expect(output).toEqual({ skipped: true, error: refused() });
    expect(pricesOf(facts)).toEqual([['enrich', 'skipped', 1, 1]]);
    const list: string | readonly [] = (await registry.execute('related', undefined)).output;
    expect(list).toEqual([]);
    expect((await registry.execute('counted', undefined)).output).toBe(0);
    const nothing: string | undefined = (await registry.execute('hushed', undefined)).output;
    expect(nothing).toBeUndefined();
  });

  it('fallback: the tools of the list are tried in order, each once, whatever their own policies say comes next (TO1)', async () => {
    const { facts, onFact } = ear();
    const registry = toolRegistry({
      tools: {
        a: { run: fails(busy), cost: 4, policy: { strategy: 'fallback', fallbackTools: ['b', 'c'] } },
        b: { run: fails(busy), cost: 2, policy: { strategy: 'fallback', fallbackTools: ['a'] } },
        c: { run: () => 3, cost: 1, policy: { strategy: 'skip' } },
      },
    });
    const result = await registry.execute('a', undefined, { onFact });
    const output: string | number = result.output;
    expect({ ...result, durationMs: 0, output }).toEqual({
      outcome: 'succeeded',
      output: 3,
      tool: 'c',
      cost: 7,
      unit: 'USD',
      attempts: 3,
      durationMs: 0,
    });
    expect(facts.map((fact) => fact.type)).toEqual([
      'ToolCalled',
      'FallbackEntered',
      'ToolCalled',
      'FallbackEntered',
      'ToolCalled',
    ]);
    expect(facts.filter(({ type }) => type === 'FallbackEntered')).toMatchObject([
      { step: 'a', index: 1, error: { status: 503 } },
      { step: 'a', index: 2 },
    ]);
    const other = await failureOf(registry.execute('b', undefined));
    expect(other).toBeInstanceOf(FallbackExhaustedError);
    expect(other).toMatchObject({ step: 'b', errors: [{ message: 'busy' }, { message: 'busy' }] });
  });

  it('fallback: a fallback is tried as often as its own policy says', async () => {
    const { facts, onFact } = ear();
    let left = 2;
    const flaky = () => {
      if (left-- > 0) throw busy();
      return 'read';
    };
    const registry = toolRegistry({
      tools: {
        a: { run: fails(busy), policy: { strategy: 'fallback', maxRetries: 1, retryBackoff: 0, fallbackTools: ['b'] } },
        b: { run: flaky, cost: 1, policy: { strategy: 'retry', retryBackoff: 0 } },
      },
    });
    expect(await registry.execute('a', undefined, { onFact })).toMatchObject({ output: 'read', attempts: 5, cost: 3 });
    expect(pricesOf(facts)).toEqual([
      ['a', 'failed', 2, 0],
      ['b', 'succeeded', 3, 3],
    ]);
  });

  it('fallback: what is nobody else’s business leaves unchanged, unless `on` names it (TL3)', async () => {
    const { facts, onFact } = ear();
    const registry = toolRegistry({
      tools: {
        a: { run: fails(refused), policy: { strategy: 'fallback', fallbackTools: ['b'] } },
        b: { run: () => 'b' },
        c: {
          run: fails(() => Object.assign(busy(), { name: 'QuotaError' })),
          policy: { strategy: 'fallback', maxRetries: 1, retryBackoff: 0, fallbackTools: ['b'], on: ['QuotaError'] },
        },
      },
    });
    expect(await failureOf(registry.execute('a', undefined, { onFact }))).toMatchObject({ message: 'no such key' });
    expect(facts).toHaveLength(1);
    const on = [(error: unknown) => (error as { status?: number }).status === 401];
    const policy = { strategy: 'fallback', fallbackTools: ['b'], on } as const;
    expect((await registry.execute('a', undefined, { policy })).output).toBe('b');
    // The name of what is behind retries that were used up counts too.
    expect((await registry.execute('c', undefined)).output).toBe('b');
  });
});

describe('the order of fallbacks (TO2)', () => {
  const tools = {
    gpt4: { run: fails(busy), kind: 'vision', cost: 0.1, accuracy: 0.99 },
    mail: { run: fails(busy), kind: 'mail', cost: 0, accuracy: 1 },
    claude: { run: fails(busy), kind: 'vision', cost: 0.05, accuracy: 0.95 },
    twin: { run: fails(busy), kind: 'vision', cost: 0.05, accuracy: 0.95 },
    local: { run: fails(busy), kind: 'vision', cost: 0.01, accuracy: 0.85 },
  } as const;

  it.each([
    ['cost', 'gpt4', ['gpt4', 'local', 'claude', 'twin']],
    ['accuracy', 'local', ['local', 'gpt4', 'claude', 'twin']],
  ] as const)('by %s is that of the other tools of the kind', async (fallbackTools, tool, order) => {
    const { facts, onFact } = ear();
    const registry = toolRegistry({ tools });
    await failureOf(registry.execute(tool, undefined, { policy: { strategy: 'fallback', fallbackTools }, onFact }));
    expect(pricesOf(facts).map(([name]) => name)).toEqual(order);
    expect(facts.at(-1)).toMatchObject({ accuracy: tools[order.at(-1)!].accuracy, fallbackIndex: 3 });
  });

  it('a policy that tools share leaves out the tool itself, and has no fallbacks where there are no others', async () => {
    const registry = toolRegistry({
      tools,
      policies: {
        cheapest: { strategy: 'fallback', fallbackTools: 'cost' },
        listed: { strategy: 'fallback', fallbackTools: ['local', 'claude'] },
      },
    });
    const triedBy = async (tool: keyof typeof tools, policy: 'cheapest' | 'listed') => {
      const { facts, onFact } = ear();
      await failureOf(registry.execute(tool, undefined, { policy, onFact }));
      return pricesOf(facts).map(([name]) => name);
    };
    expect(await triedBy('claude', 'cheapest')).toEqual(['claude', 'local', 'twin', 'gpt4']);
    expect(await triedBy('mail', 'cheapest')).toEqual(['mail']);
    expect(await triedBy('claude', 'listed')).toEqual(['claude', 'local']);
  });
});

describe('what a call costs (TF1, TC1)', () => {
  it('a number is the price of each attempt; one that no breaker lets through costs nothing', async () => {
    const house = new House();
    const registry = toolRegistry({
      unit: 'cent',
      tools: {
        ask: {
          run: fails(busy),
          cost: 10,
          policy: { strategy: 'retry', maxRetries: 1 },
          options: { breaker: { key: 'api', consecutive: 2 } },
        },
      },
    });
    const runtime = await house.open({ tools: registry.executor, breaker });
    for (const id of ['1', '2']) {
      const ref = await runtime.start('tools', { id, input: { tool: 'ask', params: undefined } });
      await rest();
      await house.advance(5_000);
      await failureOf(ref.output());
    }
    const called = async (id: string) =>
      (await house.facts(`tools-${id}`)).find(({ type }) => type === 'ToolCalled') as object;
    expect(await called('1')).toMatchObject({ attempts: 2, cost: 20, unit: 'cent', durationMs: 1_000 });
    expect(await called('2')).toMatchObject({ attempts: 0, cost: 0, error: { code: 'REWAKE_BREAKER_OPEN' } });
  });

  it('a function says what the calls of a tool cost, from its parameters and output', async () => {
    const bills: ToolBill[] = [];
    const answer = async ({ input }: EffectArguments<{ prompt: string }>) => {
      if (input.prompt === '') throw refused();
      return { tokens: input.prompt.length * 2 };
    };
    const registry = toolRegistry({
      tools: {
        gpt: {
          run: answer,
          cost: (bill: ToolBill<{ prompt: string }, { tokens: number }>) => {
            bills.push(bill);
            return (bill.output?.tokens ?? 1) / 1_000;
          },
        },
      },
    });
    expect(await registry.execute('gpt', { prompt: 'hello' })).toMatchObject({ cost: 0.01, output: { tokens: 10 } });
    const { facts, onFact } = ear();
    await failureOf(registry.execute('gpt', { prompt: '' }, { onFact }));
    expect(facts).toMatchObject([{ cost: 0.001, outcome: 'failed' }]);
    expect(bills.at(-1)).toEqual({ params: { prompt: '' }, output: undefined, attempts: 1, succeeded: false });
  });

  it.each([NaN, -1, Infinity, '1'])('a function that gives %s fails the call', async (price) => {
    const registry = toolRegistry({ tools: { gpt: { run: () => 1, cost: () => price as number } } });
    const error = await failureOf(registry.execute('gpt', undefined));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toContain("cost of tool 'gpt'");
  });
});

describe('the doors', () => {
  const double = ({ input }: EffectArguments<number>) => input * 2;

  it('TR2: a tool is a machine that another machine invokes, from parameters to answer', async () => {
    const house = new House();
    const registry = toolRegistry({ tools: { double: { run: double, cost: 1 } } });
    const order = setup({
      types: {} as { context: { total: number }; output: number },
      actors: { double: registry.tool('double') },
      actions: { keep: assign({ total: (_, { total }: { total: number }) => total }) },
    }).createMachine({
      context: { total: 0 },
      initial: 'asking',
      states: {
        asking: {
          invoke: {
            src: 'double',
            input: 21,
            onDone: { target: 'done', actions: { type: 'keep', params: ({ event }) => ({ total: event.output }) } },
          },
        },
        done: { type: 'final' },
      },
      output: ({ context }) => context.total,
    });
    const runtime = await house.open({ order });
    const ref = await runtime.start('order', { id: '1' });
    await rest();
    expect(await ref.output()).toBe(42);
    expect(await house.facts('order-1')).toMatchObject([{ type: 'ToolCalled', tool: 'double', cost: 1 }]);
  });

  it('a tool may be a promise or a machine, under the options of a step', async () => {
    const halving = createMachine({
      types: {} as { input: number; context: { half: number }; output: number },
      context: ({ input }) => ({ half: input / 2 }),
      initial: 'done',
      states: { done: { type: 'final' } },
      output: ({ context }) => context.half,
    });
    let calls = 0;
    const flaky = fromPromise(async ({ input }: { input: number }) => {
      if (++calls < 3) throw busy();
      return input + 1;
    });
    const registry = toolRegistry({
      tools: {
        halve: { run: halving },
        increase: { run: flaky, policy: { strategy: 'retry', retryBackoff: 0 }, options: { timeout: '1s' } },
      },
    });
    expect(await registry.execute('halve', 8)).toMatchObject({ output: 4, attempts: 1 });
    expect(await registry.execute('increase', 8)).toMatchObject({ output: 9, attempts: 3 });
    expect(await toPromise(createActor(registry.tool('halve'), { input: 3 }).start())).toBe(1.5);
  });

  it('the executor calls the tool that its input names, under the policy that it names', async () => {
    const house = new House();
    const registry = toolRegistry({
      tools: { double: { run: double }, ask: { run: fails(busy) } },
      policies: { lenient: { strategy: 'skip', value: 'nothing' } },
    });
    const runtime = await house.open({ tools: registry.executor });
    const double21 = await runtime.start('tools', { id: '1', input: { tool: 'double', params: 21 } });
    const lenient = { tool: 'ask', params: undefined, policy: 'lenient' } as const;
    const skipped = await runtime.start('tools', { id: '2', input: lenient });
    const failed = await runtime.start('tools', { id: '3', input: { tool: 'ask', params: undefined } });
    await rest();
    expect(await double21.output()).toMatchObject({ output: 42, tool: 'double' });
    expect(await skipped.output()).toMatchObject({ output: 'nothing', outcome: 'skipped', tool: 'ask' });
    expect(await failureOf(failed.output())).toMatchObject({ message: 'busy' });
    expect(await toPromise(createActor(registry.executor, { input: lenient }).start())).toMatchObject({
      output: 'nothing',
    });
  });

  it.each<[string, object | null, abstract new (...args: never[]) => Error, string]>([
    [
      'a tool that is not there',
      { tool: 'gpt5' },
      UnknownToolError,
      'There is no tool "gpt5". The registry has double.',
    ],
    ['a name that every object has', { tool: 'constructor' }, UnknownToolError, 'The registry has double.'],
    ['another kind of policy', { tool: 'double', policy: 'kind' }, InvalidArgumentError, 'one of the policies careful'],
    ['the name of a machine', { tool: 'double.careful' }, UnknownToolError, 'There is no tool'],
    ['nothing', null, UnknownToolError, 'There is no tool "undefined"'],
    ['a bigint', { tool: 5n }, UnknownToolError, 'There is no tool "bigint"'],
    ['a cyclic object', { tool: circle }, UnknownToolError, 'There is no tool "object"'],
  ])('TX1: %s is refused, and the error keeps its class', async (_, input, type, message) => {
    const house = new House();
    const registry = toolRegistry({
      tools: { double: { run: double } },
      policies: { careful: { strategy: 'retry' } },
    });
    const machines = { tools: registry.executor as unknown as AnyStateMachine };
    await (await house.open(machines)).start('tools', { id: '1', input } as never);
    const other = await (await house.open(machines)).get('tools-1');
    const error = await failureOf(other.output());
    expect(error).toBeInstanceOf(type);
    expect(error.message).toContain(message);
    if (error instanceof UnknownToolError) expect(error.known).toEqual(['double']);
  });

  it('names are checked by the compiler, and at run time', async () => {
    const registry = toolRegistry({ tools: { double: { run: double } }, policies: { careful: { strategy: 'retry' } } });
    // @ts-expect-error no such tool
    expect(() => registry.tool('triple')).toThrow(UnknownToolError);
    // @ts-expect-error no such tool
    expect(await failureOf(registry.execute('triple', 1))).toMatchObject({ tool: 'triple', known: ['double'] });
    // @ts-expect-error no such policy
    expect(() => registry.tool('double', 'careless')).toThrow('expected one of the policies careful');
    // @ts-expect-error other parameters
    expect((await registry.execute('double', 'x')).output).toBeNaN();
    // @ts-expect-error no such option
    expect(await failureOf(registry.execute('double', 1, { polícy: 'careful' }))).toBeInstanceOf(InvalidArgumentError);
  });

  it('descriptions are what a planner chooses by', () => {
    const registry = toolRegistry({
      unit: 'EUR',
      tools: {
        double: { run: double, kind: 'math', description: 'Doubles a number.', cost: 2, accuracy: 1 },
        free: { run: double },
        metered: { run: double, cost: () => 1 },
      },
    });
    expect(registry.descriptions).toEqual([
      { name: 'double', kind: 'math', description: 'Doubles a number.', cost: 2, unit: 'EUR', accuracy: 1 },
      { name: 'free', cost: 0, unit: 'EUR' },
      { name: 'metered', unit: 'EUR' },
    ]);
  });

  it('a call that is stopped aborts the tool', async () => {
    const house = new House();
    let aborted = false;
    const hang = ({ signal }: EffectArguments<unknown>) =>
      new Promise<string>(() => signal.addEventListener('abort', () => (aborted = true)));
    const registry = toolRegistry({ tools: { hang: { run: hang } } });
    const runtime = await house.open({ tools: registry.executor });
    const ref = await runtime.start('tools', { id: '1', input: { tool: 'hang', params: undefined } });
    await rest();
    await ref.stop();
    await rest();
    expect(aborted).toBe(true);
  });
});
