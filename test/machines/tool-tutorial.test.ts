/** ToolWeaver's tutorial, "Error Recovery & Resilience", with its numbers: scenarios, patterns, pipeline and metrics. */
import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import type { EffectArguments } from 'rewake';
import {
  batch,
  breaker,
  FallbackExhaustedError,
  toolMetrics,
  toolRegistry,
  tutorialTimeout,
  withHealing,
  type Patient,
} from '../../machines/index.ts';
import { failureOf, House, type ReadEvent } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const unavailable = () => Object.assign(new Error('unavailable'), { status: 503 });

/** Runs a machine under a virtual clock until nothing is left to wait for. */
async function played(machine: AnyStateMachine, input: unknown) {
  const house = new House();
  const runtime = await house.open({ tools: machine });
  const ref = await runtime.start('tools', { id: '1', input } as never);
  await rest();
  await house.advance(3_600_000);
  const facts = await house.facts('tools-1');
  const of = (type: string) => facts.filter((fact) => fact.type === type);
  return { house, ref, of };
}

const delaysOf = (facts: readonly ReadEvent['data'][]) => facts.map(({ delayMs }) => (delayMs as number) / 1_000);

describe('common failure scenarios', () => {
  it('scenario 1: a model that times out is tried with 30, 60 and 120 s, 0.1 and 0.2 s apart', async () => {
    let calls = 0;
    const generate = ({ signal }: EffectArguments<string>) =>
      ++calls < 3
        ? new Promise<string>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
        : 'generated';
    const registry = toolRegistry({
      tools: {
        llm: {
          run: generate,
          policy: { strategy: 'retry', maxRetries: 2, retryBackoff: 0.1 },
          options: { timeout: tutorialTimeout },
        },
      },
    });
    const { ref, of } = await played(registry.tool('llm') as never, 'prompt');
    expect(await ref.output()).toBe('generated');
    expect(of('TimedOut')).toMatchObject([{ timeoutMs: 30_000 }, { timeoutMs: 60_000 }]);
    expect(delaysOf(of('RetryScheduled'))).toEqual([0.1, 0.2]);
    expect(of('ToolCalled')).toMatchObject([{ outcome: 'succeeded', attempts: 3, durationMs: 90_300 }]);
  });

  it('scenario 2: a rate limit is waited for 1, 2, 4 and 8 s, and longer where the server says so', async () => {
    const limited = (more: object) => (): string => {
      throw Object.assign(new Error('429'), { status: 429, ...more });
    };
    const policy = { strategy: 'retry', maxRetries: 4, retryBackoff: 1 } as const;
    const registry = toolRegistry({
      tools: { gpt4: { run: limited({}), policy }, told: { run: limited({ retryAfterMs: 5_000 }), policy } },
    });
    const plain = await played(registry.tool('gpt4') as never, 'prompt');
    expect(delaysOf(plain.of('RetryScheduled'))).toEqual([1, 2, 4, 8]);
    const told = await played(registry.tool('told') as never, 'prompt');
    expect(delaysOf(told.of('RetryScheduled'))).toEqual([5, 5, 5, 8]);
  });

  it.each([
    ['the second', 1, 'claude-3: prompt'],
    ['the third', 2, 'phi3: prompt'],
    ['nobody', 3, undefined],
  ])('scenario 3: with a model that is down, %s answers', async (_, down, answer) => {
    const models = ['gpt4', 'claude-3', 'phi3'];
    const model =
      (name: string) =>
      ({ input }: EffectArguments<string>) => {
        if (models.indexOf(name) < down) throw unavailable();
        return `${name}: ${input}`;
      };
    const registry = toolRegistry({
      tools: {
        gpt4: {
          run: model('gpt4'),
          policy: { strategy: 'fallback', maxRetries: 0, fallbackTools: ['claude-3', 'phi3'] },
        },
        'claude-3': { run: model('claude-3') },
        phi3: { run: model('phi3') },
      },
    });
    const { ref, of } = await played(registry.executor as never, { tool: 'gpt4', params: 'prompt' });
    expect(of('ToolCalled').map(({ tool }) => tool)).toEqual(models.slice(0, down + 1));
    if (answer === undefined) expect(await failureOf(ref.output())).toBeInstanceOf(FallbackExhaustedError);
    else expect(await ref.output()).toMatchObject({ output: answer, tool: models[down] });
  });

  it('scenario 4: after 5 failures nobody calls for 60 s; then one call is let through', async () => {
    const house = new House();
    let isDown = true;
    let calls = 0;
    const api = () => {
      calls++;
      if (isDown) throw unavailable();
      return 'up';
    };
    const options = { breaker: { key: 'api', consecutive: 5, openFor: '60s' } } as const;
    const registry = toolRegistry({ tools: { api: { run: api, options } } });
    const runtime = await house.open({ tools: registry.executor, breaker });
    const call = async (id: string) => {
      const ref = await runtime.start('tools', { id, input: { tool: 'api', params: undefined } });
      await rest();
      return ref.output();
    };
    for (const id of ['1', '2', '3', '4', '5']) await failureOf(call(id));
    expect(await failureOf(call('6'))).toMatchObject({ code: 'REWAKE_BREAKER_OPEN', timeoutRemaining: 60_000 });
    expect(calls).toBe(5);
    isDown = false;
    await house.advance(60_000);
    expect(await call('7')).toMatchObject({ output: 'up' });
    expect(calls).toBe(6);
    const types = await house.types('breaker-api');
    expect(types.filter((type) => type.startsWith('Circuit'))).toEqual([
      'CircuitOpened',
      'CircuitHalfOpened',
      'CircuitClosed',
    ]);
  });
});

it('self-healing: fail, diagnose, fix, retry, with tools for each', async () => {
  const enhanced = new Set<string>();
  const registry = toolRegistry({
    tools: {
      ocr: {
        run: ({ input }: EffectArguments<string>) => {
          if (!enhanced.has(input)) throw Object.assign(new Error('image_quality'), { status: 422 });
          return `read ${input}`;
        },
        policy: { strategy: 'retry', maxRetries: 3, retryBackoff: 0.5 },
      },
      diagnosticAgent: {
        run: ({ input }: EffectArguments<Patient<string>>) => ({
          remedy: (input.error as Error).message === 'image_quality' ? 'preprocessImage' : null,
        }),
      },
      preprocessImage: { run: ({ input }: EffectArguments<Patient<string>>) => void enhanced.add(input.input) },
    },
  });
  const heal = withHealing({
    diagnose: registry.tool('diagnosticAgent'),
    remedies: { preprocessImage: registry.tool('preprocessImage') },
  });
  const { ref, of } = await played(heal(registry.tool('ocr')) as never, 'receipt 7');
  expect(await ref.output()).toBe('read receipt 7');
  expect(of('ToolCalled').map(({ tool, outcome }) => [tool, outcome])).toEqual([
    ['ocr', 'failed'],
    ['diagnosticAgent', 'succeeded'],
    ['preprocessImage', 'succeeded'],
    ['ocr', 'succeeded'],
  ]);
});

describe('practical patterns', () => {
  it('pattern 1: with jitter up to half of a delay is added', async () => {
    const registry = toolRegistry({
      tools: {
        flaky: {
          run: () => {
            throw unavailable();
          },
          policy: { strategy: 'retry', maxRetries: 3, retryBackoff: 1 },
          options: { retry: { backoff: { jitter: { additive: 0.5 } } } },
        },
      },
    });
    const { of } = await played(registry.tool('flaky') as never, undefined);
    const waits = of('RetryScheduled') as { delayMs: number; r: number }[];
    expect(waits.map(({ delayMs }) => delayMs)).toEqual(
      waits.map(({ r }, retry) => Math.ceil(1_000 * 2 ** retry * (1 + 0.5 * r))),
    );
    expect(new Set(waits.map(({ r }) => r)).size).toBe(3);
  });

  it('pattern 2: a chain from expensive and accurate to cheap and decent says what each cost', async () => {
    const down = (): string => {
      throw unavailable();
    };
    const registry = toolRegistry({
      tools: {
        local: { run: () => 'read', kind: 'llm', cost: 0.01, accuracy: 0.85 },
        claude: { run: down, kind: 'llm', cost: 0.05, accuracy: 0.95 },
        gpt4: {
          run: down,
          kind: 'llm',
          cost: 0.1,
          accuracy: 0.99,
          policy: { strategy: 'fallback', fallbackTools: 'accuracy' },
        },
      },
    });
    const { ref, of } = await played(registry.executor as never, { tool: 'gpt4', params: 'prompt' });
    expect(of('ToolCalled')).toMatchObject([
      { tool: 'gpt4', outcome: 'failed', cost: 0.1, accuracy: 0.99, fallbackIndex: 0 },
      { tool: 'claude', outcome: 'failed', cost: 0.05, accuracy: 0.95, fallbackIndex: 1 },
      { tool: 'local', outcome: 'succeeded', cost: 0.01, accuracy: 0.85, fallbackIndex: 2 },
    ]);
    expect(await ref.output()).toMatchObject({ tool: 'local', cost: 0.1 + 0.05 + 0.01 });
  });

  it('pattern 3: of many items some may fail', async () => {
    const registry = toolRegistry({
      tools: {
        process: {
          run: ({ input }: EffectArguments<number>) => {
            if (input === 3) throw new RangeError('3 is bad');
            return input * 10;
          },
        },
      },
    });
    const { ref } = await played(batch()(registry.tool('process')) as never, [1, 2, 3, 4]);
    expect(await ref.output()).toMatchObject({
      successes: [{ output: 10 }, { output: 20 }, { output: 40 }],
      failures: [{ item: 3, error: { message: '3 is bad' } }],
      successRate: 0.75,
    });
  });
});

it('the receipt pipeline: each receipt by the vision tool, its fallbacks and their retries; then the metrics', async () => {
  let ocrFails = 1;
  const vision =
    (name: string) =>
    ({ input }: EffectArguments<{ receiptId: string }>) => {
      const { receiptId } = input;
      const isUp = { gpt4Vision: ['r1'], claudeVision: ['r1', 'r2'] }[name]!.includes(receiptId);
      if (!isUp) throw unavailable();
      return { receiptId, by: name };
    };
  const tesseract = ({ input: { receiptId } }: EffectArguments<{ receiptId: string }>) => {
    if (receiptId === 'r4') throw Object.assign(new Error('unreadable'), { status: 422 });
    if (ocrFails-- > 0) throw unavailable();
    return { receiptId, by: 'tesseract' };
  };
  const visionPolicy = {
    strategy: 'fallback',
    maxRetries: 0,
    fallbackTools: ['claudeVision', 'tesseractOcr'],
  } as const;
  const registry = toolRegistry({
    tools: {
      gpt4Vision: { run: vision('gpt4Vision'), cost: 10, policy: visionPolicy },
      claudeVision: { run: vision('claudeVision'), cost: 5 },
      tesseractOcr: { run: tesseract, cost: 1, policy: { strategy: 'retry', maxRetries: 3, retryBackoff: 2 } },
    },
    policies: { vision: visionPolicy },
    unit: 'cent',
  });
  const pipeline = batch({ concurrency: 1 })(registry.executor);
  const receipts = ['r1', 'r2', 'r3', 'r4'].map((receiptId) => {
    return { tool: 'gpt4Vision', params: { receiptId }, policy: 'vision' } as const;
  });
  const { ref, house } = await played(pipeline as never, receipts);
  const results = (await ref.output()) as {
    successes: { output: { output: { by: string }; cost: number; attempts: number } }[];
    failures: { error: Error }[];
  };
  expect(results.successes.map(({ output: { output, cost, attempts } }) => [output.by, cost, attempts])).toEqual([
    ['gpt4Vision', 10, 1],
    ['claudeVision', 15, 2],
    ['tesseract', 17, 4],
  ]);
  expect(results.failures).toMatchObject([{ error: { message: 'unreadable' } }]);
  let report = toolMetrics([]);
  for await (const event of house.log.readAll()) report = toolMetrics([event], report);
  expect(report.tools.gpt4Vision).toMatchObject({
    calls: 4,
    successRate: 0.25,
    averageAttempts: 1,
    costs: { cent: 40 },
  });
  expect(report.tools.tesseractOcr).toMatchObject({ calls: 2, successRate: 0.5, averageAttempts: 1.5, retryRate: 0.5 });
  expect(report.all).toMatchObject({ calls: 9, costs: { cent: 40 + 15 + 3 } });
});
