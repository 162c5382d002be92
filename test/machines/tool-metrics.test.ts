/** Metrics of tools: what their facts come to (TM1, TM2), with the numbers of ToolWeaver's tutorial. */
import { expect, it } from 'vitest';
import fc from 'fast-check';

import { toolMetrics, toolRegistry, type ToolCalled } from '../../machines/index.ts';
import { House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const called = (more: Partial<ToolCalled> = {}): ToolCalled => ({
  type: 'ToolCalled',
  tool: 'gpt4',
  outcome: 'succeeded',
  fallbackIndex: 0,
  attempts: 1,
  cost: 0,
  unit: 'USD',
  durationMs: 0,
  ...more,
});

it('success rate, average attempts and retry rate are shares and means over calls', () => {
  const { all, tools } = toolMetrics([
    called({ attempts: 1, durationMs: 100, cost: 0.25 }),
    called({ attempts: 3, durationMs: 500, cost: 0.75 }),
    called({ attempts: 4, durationMs: 900, outcome: 'failed', cost: 1 }),
    called({ tool: 'claude', attempts: 2, durationMs: 100, cost: 3, unit: 'cent' }),
    called({ tool: 'enrich', outcome: 'skipped' }),
  ]);
  expect(tools.gpt4).toEqual({
    calls: 3,
    succeeded: 2,
    failed: 1,
    skipped: 0,
    retried: 2,
    attempts: 8,
    durationMs: 1_500,
    costs: { USD: 2 },
    successRate: 2 / 3,
    averageAttempts: 8 / 3,
    retryRate: 2 / 3,
    averageDurationMs: 500,
  });
  expect(tools.claude).toMatchObject({ successRate: 1, retryRate: 1, costs: { cent: 3 } });
  expect(tools.enrich).toMatchObject({ calls: 1, skipped: 1, successRate: 0, retryRate: 0 });
  expect(all).toMatchObject({ calls: 5, successRate: 3 / 5, averageAttempts: 11 / 5, costs: { USD: 2, cent: 3 } });
});

it('of no calls nothing has failed', () => {
  const { all, tools } = toolMetrics([]);
  expect(all).toMatchObject({ calls: 0, successRate: 1, averageAttempts: 0, retryRate: 0, averageDurationMs: 0 });
  expect(tools).toEqual({});
});

it('TM2: events of a log count as the facts that they hold, and the others do not count', async () => {
  const house = new House();
  let calls = 0;
  const registry = toolRegistry({
    tools: {
      ask: {
        run: () => {
          if (++calls < 3) throw new Error('busy');
          return 'done';
        },
        cost: 0.5,
        policy: { strategy: 'retry', retryBackoff: 2 },
      },
    },
  });
  const runtime = await house.open({ tools: registry.executor });
  await runtime.start('tools', { id: '1', input: { tool: 'ask', params: undefined } });
  await rest();
  await house.advance(6_000);
  let report = toolMetrics([]);
  for await (const event of house.log.readAll()) report = toolMetrics([event], report);
  expect(report.tools.ask).toMatchObject({
    calls: 1,
    attempts: 3,
    retryRate: 1,
    durationMs: 6_000,
    costs: { USD: 1.5 },
  });
  const facts = (await house.facts('tools-1')) as unknown as ToolCalled[];
  expect(toolMetrics(facts)).toEqual(report);
  expect(toolMetrics([{ type: 'ToolRenamed' }, { type: 'ActorStarted', data: '{' }])).toEqual(toolMetrics([]));
});

const anyCalled = fc
  .record({
    tool: fc.constantFrom('gpt4', 'constructor', '__proto__', 'toString'),
    unit: fc.constantFrom('USD', 'valueOf'),
    outcome: fc.constantFrom('succeeded', 'failed', 'skipped'),
    attempts: fc.nat(5),
    cost: fc.nat(1_000),
    durationMs: fc.nat(1_000),
  })
  .map((more) => called(more as Partial<ToolCalled>));

it('TM1: facts in pieces come to what they come to at once, and all to the sum of each', () => {
  fc.assert(
    fc.property(fc.array(anyCalled), fc.nat(), (facts, at) => {
      const cut = facts.length === 0 ? 0 : at % (facts.length + 1);
      const whole = toolMetrics(facts);
      expect(toolMetrics(facts.slice(cut), toolMetrics(facts.slice(0, cut)))).toEqual(whole);
      const each = Object.values(whole.tools);
      for (const key of ['calls', 'succeeded', 'failed', 'skipped', 'retried', 'attempts', 'durationMs'] as const) {
        expect(each.reduce((sum, metrics) => sum + metrics[key], 0)).toBe(whole.all[key]);
      }
      for (const { calls, succeeded, failed, skipped, successRate, retryRate } of [...each, whole.all]) {
        expect(succeeded + failed + skipped).toBe(calls);
        for (const rate of [successRate, retryRate]) expect(rate >= 0 && rate <= 1).toBe(true);
      }
      const names = new Set(facts.map(({ tool }) => tool));
      expect(new Set(Object.keys(whole.tools))).toEqual(names);
    }),
  );
});

it('TM2: what others call ToolCalled does not count', () => {
  const others = [{}, { data: 'null' }, { data: '7' }, { data: '{"tool":"search","args":{}}' }, { tool: 'search' }];
  const events = others.map((other) => ({ type: 'ToolCalled', ...other }));
  expect(toolMetrics([...events, called({ cost: 2 })])).toEqual(toolMetrics([called({ cost: 2 })]));
});
