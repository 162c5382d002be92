/** What can be wrong with a registry is found when it is made, and its message names where (TR1). */
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from 'rewake';
import { toolRegistry } from '../../machines/index.ts';

const run = () => 1;
const vision = { run, kind: 'vision' };
const withPolicy = (policy: object) => ({ tools: { a: { run, policy }, b: { run } } });

describe('a registry is refused', () => {
  it.each<[string, object, string]>([
    ['without tools', { tools: {} }, 'toolRegistry.tools: expected at least one tool'],
    ['with an option that is not there', { tools: { a: { run } }, tool: 1 }, 'toolRegistry.tool:'],
    ['with a name with a dot', { tools: { 'a.b': { run } } }, 'toolRegistry.tools: expected names without a dot'],
    ['with an empty name', { tools: { '': { run } } }, 'toolRegistry.tools: expected names without a dot'],
    ['with no unit', { tools: { a: { run } }, unit: '' }, 'toolRegistry.unit:'],
    ['with no name', { tools: { a: { run } }, name: '' }, 'toolRegistry.name:'],
    ['with a tool that cannot run', { tools: { a: { run: 1 } } }, 'toolRegistry.tools.a.run:'],
    ['with no tool', { tools: { a: null } }, 'toolRegistry.tools.a:'],
    ['with an option of no tool', { tools: { a: { run, price: 1 } } }, 'toolRegistry.tools.a.price:'],
    ['with a negative cost', { tools: { a: { run, cost: -0.1 } } }, 'toolRegistry.tools.a.cost:'],
    ['with a cost that is no number', { tools: { a: { run, cost: '1' } } }, 'toolRegistry.tools.a.cost:'],
    ['with too high an accuracy', { tools: { a: { run, accuracy: 1.01 } } }, 'toolRegistry.tools.a.accuracy:'],
    ['with too low an accuracy', { tools: { a: { run, accuracy: -1 } } }, 'toolRegistry.tools.a.accuracy:'],
    ['with an empty kind', { tools: { a: { run, kind: '' } } }, 'toolRegistry.tools.a.kind:'],
    ['with an empty description', { tools: { a: { run, description: '' } } }, 'toolRegistry.tools.a.description:'],
    [
      'with a wrong timeout',
      { tools: { a: { run, options: { timeout: 0 } } } },
      'toolRegistry.tools.a.options.timeout:',
    ],
    [
      'with a count of retries beside the policy’s',
      { tools: { a: { run, options: { retry: { maxRetries: 1 } } } } },
      'toolRegistry.tools.a.options.retry.maxRetries:',
    ],
    [
      'with a first wait beyond the longest one',
      {
        tools: {
          a: {
            run,
            policy: { strategy: 'retry', retryBackoff: 9 },
            options: { retry: { backoff: { maxDelay: '5s' } } },
          },
        },
      },
      'toolRegistry.tools.a.options.retry.backoff.maxDelay:',
    ],
    [
      'with a policy name with a dot',
      { tools: { a: { run } }, policies: { 'x.y': { strategy: 'fail' } } },
      'policies:',
    ],
    ['with a wrong shared policy', { tools: { a: { run } }, policies: { x: {} } }, 'toolRegistry.policies.x.strategy:'],
    [
      'with a shared policy to a tool that is not there',
      { tools: { a: { run } }, policies: { x: { strategy: 'fallback', fallbackTools: ['b'] } } },
      'toolRegistry.policies.x.fallbackTools[0]: expected one of the tools a, found "b"',
    ],
  ])('%s', (_, options, message) => {
    const make = () => toolRegistry(options as never);
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(message);
  });
});

describe('a policy is refused', () => {
  it.each<[string, object, string]>([
    ['of another strategy', { strategy: 'again' }, 'strategy: expected one of fail, retry, fallback, skip'],
    ['without a strategy', {}, 'strategy:'],
    ['with an option of another strategy', { strategy: 'fail', maxRetries: 1 }, 'maxRetries:'],
    ['with half a retry', { strategy: 'retry', maxRetries: 1.5 }, 'maxRetries:'],
    ['with a negative wait', { strategy: 'retry', retryBackoff: -1 }, 'retryBackoff: expected seconds'],
    ['with a wait that is none', { strategy: 'retry', retryBackoff: 'soon' }, 'retryBackoff:'],
    ['with a wait and no retries', { strategy: 'skip', retryBackoff: 1 }, 'maxRetries:'],
    ['without fallbacks', { strategy: 'fallback' }, 'fallbackTools:'],
    ['with no fallbacks', { strategy: 'fallback', fallbackTools: [] }, 'fallbackTools:'],
    ['with a fallback that is not there', { strategy: 'fallback', fallbackTools: ['b', 'c'] }, 'fallbackTools[1]:'],
    ['with a fallback twice', { strategy: 'fallback', fallbackTools: ['b', 'b'] }, 'fallbackTools[1]: expected each'],
    [
      'that leads back to its tool',
      { strategy: 'fallback', fallbackTools: ['b', 'a'] },
      'fallbackTools: expected other',
    ],
    ['with an order that is none', { strategy: 'fallback', fallbackTools: 'speed' }, 'fallbackTools:'],
    [
      'with an order among no others',
      { strategy: 'fallback', fallbackTools: 'cost' },
      'fallbackTools: expected another',
    ],
    ['with matches that are none', { strategy: 'fallback', fallbackTools: ['b'], on: [1] }, 'on[0]:'],
  ])('%s', (_, policy, message) => {
    const make = () => toolRegistry(withPolicy(policy) as never);
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(`toolRegistry.tools.a.policy.${message}`);
    const registry = toolRegistry({ tools: { a: { run }, b: { run } } });
    expect(() => registry.tool('a', policy as never)).toThrow(`tool('a').policy.${message}`);
  });

  it('that orders by what a tool of the kind does not say', () => {
    const policy = { strategy: 'fallback', fallbackTools: 'accuracy' };
    const make = (other: object) => () => toolRegistry({ tools: { a: { ...vision, policy }, b: other } } as never);
    const message = "toolRegistry.tools.a.policy.fallbackTools: expected a number as 'accuracy' of 'b'";
    expect(make(vision)).toThrow(message);
    expect(make({ ...vision, accuracy: 0.5 })).not.toThrow();
    expect(make({ run, accuracy: 0.5 })).toThrow("expected another tool of the kind of 'a'");
  });

  it('by the compiler too, as is a cost of other parameters', () => {
    const fallbackTools = ['b'] as const;
    // @ts-expect-error no such tool
    expect(() => toolRegistry({ tools: { a: { run, policy: { strategy: 'fallback', fallbackTools } } } })).toThrow(
      'found "b"',
    );
    const ask = ({ input }: { input: number }) => input;
    const cost = (bill: { params: string }) => bill.params.length;
    // @ts-expect-error other parameters
    toolRegistry({ tools: { a: { run: ask, cost } } });
  });
});
