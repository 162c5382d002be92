/** Model-based tests in the way of XState, on durable actors (TM1, TM2, HM1 to HM3). */
import { describe, expect, it } from 'vitest';
import { assign, fromObservable, fromPromise, setup, type AnyStateMachine } from 'xstate';
import { createTestModel } from 'xstate/graph';
import { approval } from '../../machines/approval.ts';
import { effect } from '../../src/runtime/effect.ts';
import { ModelMismatchError, UnboundedModelError } from '../../src/testing/failures.ts';
import { testModelOf, type DurableTestModel } from '../../src/testing/test-model.ts';
import { account, counter, parallel, retry } from './model-machines.ts';

const refund = approval('refund', {
  ...{ timeout: '3d', onTimeout: 'fail', escalation: [{ after: '1d', to: 'head' }], quorum: 2 },
  notify: fromPromise(() => new Promise(() => {})),
});

const models = (restart: 'never' | 'each step'): Record<string, DurableTestModel<AnyStateMachine>> => ({
  retry: testModelOf(retry as unknown as AnyStateMachine, { restart }),
  parallel: testModelOf(parallel as unknown as AnyStateMachine, { restart }),
  account: testModelOf(account as unknown as AnyStateMachine, {
    ...{ restart, payloads: { deposit: [{ amount: 50 }, { amount: 0 }], withdraw: { amount: 10 } } },
  }),
  approval: testModelOf(refund as unknown as AnyStateMachine, {
    ...{ restart, input: { title: 'Refund 90 EUR?', approvers: ['ann', 'bob'] } },
    payloads: { 'approval.granted': [{ by: 'ann' }, { by: 'bob' }, { by: 'eve' }], 'approval.rejected': { by: 'bob' } },
  }),
});

describe.each(['never', 'each step'] as const)('with a restart %s', (restart) => {
  it.each(Object.entries(models(restart)))('every shortest path of %s holds', async (_, model) => {
    const found = model.getShortestPaths();
    expect(found.length).toBeGreaterThan(1);
    for (const path of found) await path.test({});
  });

  it('every simple path holds', async () => {
    const found = testModelOf(retry, { restart }).getSimplePaths();
    expect(found.length).toBeGreaterThan(10);
    for (const path of found) await path.test({});
  });
});

describe('a test that was written for XState', () => {
  const machine = setup({
    types: {} as { context: { count: number }; events: { type: 'ADD'; by: number } | { type: 'CLOSE' } },
  }).createMachine({
    id: 'sum',
    context: { count: 0 },
    initial: 'open',
    states: {
      open: {
        on: { ADD: { actions: assign({ count: ({ context, event }) => context.count + event.by }) }, CLOSE: 'closed' },
      },
      closed: { id: 'shut' },
    },
  });
  const stopWhen = ({ context }: { context: { count: number } }) => context.count >= 4;

  it('gives the paths that XState gives', () => {
    const events = [{ type: 'ADD', by: 2 } as const, { type: 'CLOSE' } as const];
    const theirs = createTestModel(machine, { events });
    const ours = testModelOf(machine, { payloads: { ADD: { by: 2 } } });
    for (const kind of ['getShortestPaths', 'getSimplePaths'] as const) {
      expect(
        ours[kind]({ stopWhen })
          .map(({ description }) => description)
          .sort(),
      ).toEqual(
        theirs[kind]({ stopWhen })
          .map(({ description }) => description)
          .sort(),
      );
    }
  });

  it('calls its functions with what the durable actor shows', async () => {
    const model = testModelOf(machine, { payloads: { ADD: { by: 2 } }, restart: 'each step', stopWhen });
    const [path] = model.getShortestPaths({ toState: ({ value }) => value === 'closed' });
    const seen: unknown[] = [];
    await path!.test({
      states: {
        open: ({ context }) => void seen.push(['open', context.count]),
        '#shut': ({ value }) => void seen.push(['#shut', value]),
      },
      events: { CLOSE: ({ event, state }) => void seen.push([event.type, state.value]) },
    });
    expect(seen).toEqual([
      ['open', 0],
      ['open', 2],
      ['CLOSE', 'closed'],
      ['#shut', 'closed'],
    ]);
  });

  it('fails with what it throws, and the path it took', async () => {
    const [path] = testModelOf(machine, { stopWhen, payloads: { ADD: { by: 2 } } }).getPathsFromEvents([
      { type: 'ADD', by: 2 },
      { type: 'CLOSE' },
    ]);
    const failing = path!.test({
      states: {
        closed: ({ context }) => {
          if (context.count === 2) throw new Error('two is too much');
        },
      },
    });
    await expect(failing).rejects.toThrow(/two is too much[\s\S]*Path:[\s\S]*ADD[\s\S]*CLOSE/);
  });

  it('may ask for the adjacency map', () => {
    const map = testModelOf(machine, { stopWhen, payloads: { ADD: { by: 2 } } }).getAdjacencyMap();
    expect(Object.values(map).map(({ state }) => state.context.count)).toEqual([0, 2, 0, 4, 2]);
  });
});

describe('a machine that reads what is not in its context', () => {
  let version = 'one';
  const impure = setup({
    types: {} as { context: { seen: string }; events: { type: 'LOOK' } | { type: 'NEXT' } },
    guards: { isFirst: () => version === 'one' },
    actions: { look: assign({ seen: () => version }) },
  }).createMachine({
    id: 'impure',
    context: { seen: '' },
    initial: 'a',
    states: {
      a: { on: { LOOK: { target: 'b', actions: 'look' } } },
      b: { on: { NEXT: [{ guard: 'isFirst', target: 'c' }, { target: 'd' }] } },
      c: {},
      d: {},
    },
  });
  const tested = (restart: 'never' | 'each step', changeAt: 'b' | 'c') => {
    version = 'one';
    const [path] = testModelOf(impure, { restart }).getPathsFromEvents([{ type: 'LOOK' }, { type: 'NEXT' }]);
    return path!.test({ states: { [changeAt]: () => void (version = 'two') } });
  };

  it('is where the model is not', async () => {
    await expect(tested('never', 'b')).rejects.toThrow(ModelMismatchError);
    await expect(tested('never', 'b')).rejects.toThrow(/After LOOK, NEXT .* "d"; the model says "c"/);
    await expect(tested('never', 'c')).resolves.toBeDefined();
  });

  it('does not come back after a restart as it was', async () => {
    const changed = impure.provide({ guards: { isFirst: () => true } });
    const path = (restart: 'never' | 'each step') => {
      version = 'one';
      return testModelOf(changed, { restart }).getPathsFromEvents([{ type: 'LOOK' }, { type: 'NEXT' }])[0]!;
    };
    const change = { states: { b: () => void (version = 'two') } };
    await expect(path('never').test(change)).resolves.toBeDefined();
    await expect(path('each step').test(change)).rejects.toThrow(/"seen":"two".*the model says .*"seen":"one"/);
  });
});

describe('effects', () => {
  it('of any kind come to what the path says', async () => {
    const machine = setup({
      types: {} as { events: { type: 'GO' } },
      actors: {
        ticks: fromObservable(() => ({ subscribe: () => ({ unsubscribe() {} }) })),
        call: fromPromise<number>(() => Promise.reject(new Error('never called'))),
      },
    }).createMachine({
      id: 'kinds',
      initial: 'watching',
      states: {
        watching: { invoke: { src: 'ticks', onDone: 'calling', onError: 'broken' } },
        calling: { invoke: { src: 'call', onDone: 'done', onError: 'broken' } },
        done: { type: 'final' },
        broken: {},
      },
    });
    const found = testModelOf(machine, { restart: 'each step' }).getShortestPaths();
    expect(found.map(({ state }) => state.value).sort()).toEqual(['broken', 'done']);
    for (const path of found) await path.test({});
  });

  it('that are not run again after a crash are waited for before one', async () => {
    const machine = setup({
      types: {} as { events: { type: 'GO' } },
      actors: { pay: effect(() => Promise.reject(new Error('never called')), { onLost: 'fail' }) },
    }).createMachine({
      id: 'once',
      initial: 'paying',
      states: { paying: { invoke: { src: 'pay', onDone: 'paid', onError: 'broken' } }, paid: {}, broken: {} },
    });
    for (const path of testModelOf(machine, { restart: 'each step' }).getShortestPaths()) await path.test({});
  });
});

describe('bad use', () => {
  it('is refused', () => {
    expect(() => testModelOf(retry, { restart: 'always' as never })).toThrow(/'never' or 'each step', found "always"/);
    expect(() => testModelOf(counter, { limit: 50 }).getShortestPaths()).toThrow(UnboundedModelError);
  });

  it('of a step without its path says so', async () => {
    const model = testModelOf(parallel);
    const [path] = model.getShortestPaths();
    await expect(model.testState({}, path!.state)).rejects.toThrow(/one of a path that is tested, by path.test\(\)/);
  });
});
