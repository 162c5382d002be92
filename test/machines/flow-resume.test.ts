/** Resuming a flow that has ended: hosted, and the same under plain XState. */
import { describe, expect, it } from 'vitest';
import { createActor, waitFor, type AnyStateMachine } from 'xstate';
import { effect, NotResumableError, ReplayDivergedError, type EffectArguments } from 'rewake';
import { FlowAbortedError } from '../../machines/flow-errors.ts';
import { flow } from '../../machines/flow.ts';
import { handler } from '../../machines/handler.ts';
import { abort, retry, skip } from '../../machines/recovery-actions.ts';
import type { ActorRef } from '../../src/runtime/actor-ref.ts';
import { failureOf, outcomeOf } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { atEveryAppend, TwoLives, type Crash } from '../support/two-lives.ts';
import { FlowStage, failing, fails } from './flow-stage.ts';

const resume = async (stage: FlowStage, runtime: Awaited<ReturnType<FlowStage['run']>>['runtime'], options = {}) => {
  const ref = (await runtime.resume('work-1', options)) as unknown as ActorRef;
  await rest();
  return { ref, ...(await stage.seen(ref)) };
};

/** a and b, then c which needs both, then d in another phase. */
function trip(stage: FlowStage, more = {}) {
  return flow('trip', {
    steps: {
      a: { run: stage.work('a'), undo: stage.work('undo a') },
      b: { run: stage.work('b') },
      c: { run: stage.work('c'), needs: ['a', 'b'] },
      d: { run: stage.work('d') },
    },
    phases: [
      { id: 'going', steps: ['a', 'b', 'c'] },
      { id: 'being', steps: ['d'] },
    ],
    ...more,
  } as never);
}

describe('a flow that failed', () => {
  it('goes on where it stopped, and does nothing again that is finished (FC3, FS3)', async () => {
    const stage = new FlowStage({ c: failing(1, 'broken') });
    const { runtime, error } = await stage.run(trip(stage), 'Rome');
    expect(error).toMatchObject({ step: 'c' });
    const { output, told, facts } = await resume(stage, runtime);
    expect(output).toEqual({ a: 'A', b: 'B', c: 'at last', d: 'D' });
    expect(stage.done).toEqual(['a', 'b', 'c', 'c', 'd']);
    expect(told.slice(told.indexOf('FlowFailed c') + 1)).toEqual([
      ...['FlowResumed', 'FlowStepStarted c', 'FlowStepCompleted c step', 'PhaseCompleted going'],
      ...['PhaseStarted being', 'FlowStepStarted d', 'FlowStepCompleted d step', 'PhaseCompleted being'],
    ]);
    expect(facts.find(({ type }) => type === 'FlowResumed')).toEqual({
      type: 'FlowResumed',
      flow: 'trip',
      from: null,
      pending: ['c', 'd'],
    });
  });

  it('says to whom sends it something that it can be resumed', async () => {
    const stage = new FlowStage({ c: fails('broken') });
    const { ref } = await stage.run(trip(stage));
    const error = await failureOf(ref.send({ type: 'approval.granted', by: 'ann' }));
    expect(error.message).toMatch(/ended with status 'error'.*runtime\.resume\('work-1'\)/);
  });

  it('goes on from a step when it is told to: what depends on that one is done again, the rest is not', async () => {
    const stage = new FlowStage({ c: failing(1, 'broken') });
    const { runtime } = await stage.run(trip(stage), 'Rome');
    const { output, facts } = await resume(stage, runtime, { from: 'b' });
    expect(output).toMatchObject({ c: 'at last' });
    expect(stage.done).toEqual(['a', 'b', 'c', 'b', 'c', 'd']);
    expect(facts).toContainEqual({ type: 'FlowResumed', flow: 'trip', from: 'b', pending: ['b', 'c', 'd'] });
  });

  it('goes on with another input', async () => {
    const stage = new FlowStage({ c: failing(1, 'broken') });
    const { runtime } = await stage.run(trip(stage), 'Rome');
    await resume(stage, runtime, { input: 'Oslo' });
    expect(stage.inputs).toMatchObject({ a: ['Rome'], c: ['Rome', 'Oslo'], d: ['Oslo'] });
  });

  it('does not go on from a step that it does not have, and nothing is written', async () => {
    const stage = new FlowStage({ c: fails('broken') });
    const { runtime } = await stage.run(trip(stage));
    const { length } = await stage.house.events('work-1');
    const error = await failureOf(runtime.resume('work-1', { from: 'x' }));
    expect(error).toBeInstanceOf(NotResumableError);
    expect(error.message).toMatch(/with from 'x' in the state .* Check the name, for a flow that of a step/);
    expect(await stage.house.events('work-1')).toHaveLength(length);
  });

  it('can be resumed again and again', async () => {
    const stage = new FlowStage({ c: failing(2, 'broken') });
    const { runtime } = await stage.run(trip(stage));
    expect((await resume(stage, runtime)).error).toMatchObject({ step: 'c' });
    expect((await resume(stage, runtime)).output).toMatchObject({ c: 'at last' });
  });

  it('counts the calls of its handlers anew', async () => {
    const stage = new FlowStage({ c: failing(5, 'broken') });
    const onFailure = [handler({ id: 'again', then: retry({ maxAttempts: 3 }) })];
    const { runtime, error } = await stage.run(trip(stage, { onFailure }));
    expect([error, stage.done.length]).toMatchObject([{ step: 'c' }, 5]);
    expect((await resume(stage, runtime)).output).toMatchObject({ c: 'at last' });
  });

  it('goes on with its output where that failed', async () => {
    const stage = new FlowStage();
    const output = ({ input }: { input: string }) => {
      if (input === 'Rome') throw new Error('no form');
      return `${input} is fine`;
    };
    const { runtime, error } = await stage.run(trip(stage, { output }), 'Rome');
    expect(error).toMatchObject({ step: 'output', originalError: { message: 'no form' } });
    expect((await resume(stage, runtime, { input: 'Oslo' })).output).toBe('Oslo is fine');
    expect(stage.done).toEqual(['a', 'b', 'c', 'd']);
  });
});

it('a flow that was aborted goes on, and what was undone is done again', async () => {
  const stage = new FlowStage({ c: failing(1, 'broken') });
  const { runtime, error } = await stage.run(trip(stage, { onFailure: [handler({ id: 'stop', then: abort() })] }));
  expect(error).toBeInstanceOf(FlowAbortedError);
  const { output, facts } = await resume(stage, runtime);
  expect(output).toMatchObject({ c: 'at last' });
  expect(stage.done).toEqual(['a', 'b', 'c', 'undo a', 'a', 'c', 'd']);
  expect(facts).toContainEqual(expect.objectContaining({ type: 'FlowResumed', pending: ['a', 'c', 'd'] }));
});

it('phases that are over stay over when a flow that was aborted goes on, but for those of what was undone', async () => {
  const stage = new FlowStage({ c: failing(1, 'broken') });
  const { runtime } = await stage.run(
    flow('three', {
      steps: {
        a: { run: stage.work('a'), undo: stage.work('undo a') },
        b: { run: stage.work('b') },
        c: { run: stage.work('c') },
      },
      phases: ['a', 'b', 'c'].map((id) => ({ id: `phase ${id}`, steps: [id] })) as never,
      onFailure: [handler({ id: 'stop', then: abort() })],
    }),
  );
  const { output, told } = await resume(stage, runtime);
  expect(output).toEqual({ a: 'A', b: 'B', c: 'at last' });
  expect(stage.done).toEqual(['a', 'b', 'c', 'undo a', 'a', 'c']);
  expect(told.slice(told.indexOf('FlowResumed')).filter((fact) => fact.startsWith('Phase'))).toEqual([
    ...['PhaseStarted phase a', 'PhaseCompleted phase a', 'PhaseCompleted phase c'],
  ]);
});

it('a flow that is done goes on from a step, and only when it is told from which', async () => {
  const stage = new FlowStage();
  const { runtime } = await stage.run(trip(stage, { output: ({ results }: { results: { d: unknown } }) => results.d }));
  await resume(stage, runtime);
  expect(stage.done).toEqual(['a', 'b', 'c', 'd']);
  const { output, told } = await resume(stage, runtime, { from: 'c' });
  expect(output).toBe('D');
  expect(stage.done).toEqual(['a', 'b', 'c', 'd', 'c', 'd']);
  expect(told.filter((fact) => fact.startsWith('Phase'))).toEqual([
    ...['PhaseStarted going', 'PhaseCompleted going', 'PhaseStarted being', 'PhaseCompleted being'],
    ...['PhaseStarted going', 'PhaseCompleted going', 'PhaseStarted being', 'PhaseCompleted being'],
  ]);
});

it('a step that a handler left out stays left out', async () => {
  const stage = new FlowStage({ b: fails('broken'), c: failing(1, 'broken') });
  const onFailure = [
    handler({ id: 'without', when: (error, { results }) => !('b' in results), then: skip('nothing') }),
  ];
  const { runtime, error } = await stage.run(trip(stage, { onFailure }));
  expect(error).toMatchObject({ step: 'c' });
  expect((await resume(stage, runtime)).output).toMatchObject({ b: 'nothing' });
  expect(stage.done.filter((each) => each === 'b')).toHaveLength(1);
});

it('a phase that something stands for is done again from a step of it', async () => {
  const stage = new FlowStage({ b: failing(1, 'broken') });
  const phases = [
    {
      id: 'going',
      steps: ['a', 'b', 'c'],
      onFailure: [handler({ id: 'other', then: { type: 'fallback', to: stage.work('other') } })],
    },
    { id: 'being', steps: ['d'] },
  ];
  const { runtime, output } = await stage.run(trip(stage, { phases }));
  expect(output).toEqual({ a: 'A', b: undefined, c: undefined, going: 'OTHER', d: 'D' });
  expect((await resume(stage, runtime, { from: 'b' })).output).toEqual({ a: 'A', b: 'at last', c: 'C', d: 'D' });
});

it('with what stood for a phase goes all that it stood for', async () => {
  const stage = new FlowStage({ b: failing(1, 'broken') });
  const other = handler({ id: 'other', then: { type: 'fallback', to: stage.work('other') } });
  const { runtime, output } = await stage.run(
    flow('one', {
      steps: { b: { run: stage.work('b') }, e: { run: stage.work('e') } },
      phases: [{ id: 'all', steps: ['b', 'e'], onFailure: [other] }],
      concurrency: 1,
    }),
  );
  expect(output).toEqual({ b: undefined, e: undefined, all: 'OTHER' });
  expect((await resume(stage, runtime, { from: 'b' })).output).toEqual({ b: 'at last', e: 'E' });
});

it('with another input a step for each item begins with the first one', async () => {
  const stage = new FlowStage({ each: (input) => (input === 'bad' ? Promise.reject(new Error('torn')) : input) });
  const machine = flow('lists', {
    steps: {
      list: { run: async () => ['x', 'y'] },
      each: {
        run: stage.work('each'),
        forEach: 'list',
        concurrency: 1,
        input: ({ input, item }) => (item === 'y' && input === 'Rome' ? 'bad' : `${item} in ${String(input)}`),
      },
    },
  });
  const { runtime } = await stage.run(machine, 'Rome');
  expect((await resume(stage, runtime, { input: 'Oslo' })).output).toMatchObject({ each: ['x in Oslo', 'y in Oslo'] });
});

it('an attempt with command handlers whose host died counts as a failed one', async () => {
  const stage = new FlowStage({ a: (_, call) => (call === 1 ? new Promise(() => {}) : 'at last') });
  const machine = flow('patient', {
    steps: {
      a: {
        run: stage.call('a'),
        retry: { maxRetries: 1, backoff: { initialDelay: 100 } },
        onCommandFailure: [handler({ id: 'other', when: 'auth' })],
      },
    },
  }) as unknown as AnyStateMachine;
  const { runtime, crash } = await stage.house.openToCrash({ work: machine });
  await runtime.start('work', { id: '1' });
  await rest();
  crash();
  const ref = await (await stage.house.open({ work: machine })).get('work-1');
  await stage.house.advance(1_000);
  expect(await ref.output()).toEqual({ a: 'at last' });
  const lost = (await stage.house.facts('work-1')).filter(({ type }) => type === 'AttemptFailed');
  expect(lost).toMatchObject([{ step: 'a', attempt: 1, error: { class: 'lost' } }]);
});

it('a sub-flow goes on where it stopped, and so does a step for each item (FT2, FE3)', async () => {
  const stage = new FlowStage({
    list: () => ['x', 'y'],
    each: (input, call) => {
      if (call === 2) throw new Error('torn');
      return input;
    },
  });
  const inner = flow('inner', {
    steps: { list: { run: stage.work('list') }, each: { run: stage.work('each'), forEach: 'list', concurrency: 1 } },
  });
  const { runtime, error } = await stage.run(flow('outer', { steps: { in: { run: inner } } }), 1);
  expect(error).toMatchObject({
    flow: 'outer',
    originalError: { flow: 'inner', step: 'each', originalError: { index: 1 } },
  });
  expect((await resume(stage, runtime)).output).toEqual({ in: { list: ['x', 'y'], each: ['x', 'y'] } });
  expect(stage.done).toEqual(['list', 'each', 'each', 'each']);
});

it('wherever its host dies, before or after it is resumed, a flow does each thing as often as without (FC1)', async () => {
  const live = async (crash: Crash) => {
    const keys: Record<string, Set<string>> = {};
    const work = (name: string, failures = 0) =>
      effect(async ({ context }: EffectArguments<unknown>) => {
        const own = (keys[name] ??= new Set());
        own.add(context.idempotencyKey);
        if ([...own].indexOf(context.idempotencyKey) < failures) throw new Error(`${name} is broken`);
        return name;
      });
    const machine = () =>
      flow('work', {
        steps: {
          a: { run: work('a'), undo: work('undo a') },
          b: { run: work('b') },
          c: {
            run: work('c', 2),
            needs: ['a', 'b'],
            onFailure: [handler({ id: 'again', run: work('mend'), then: retry({ maxAttempts: 2 }) })],
          },
        },
        onFailure: [handler({ id: 'stop', then: abort({ cleanup: work('sweep') }) })],
      }) as unknown as AnyStateMachine;
    const lives = new TwoLives(crash, () => ({ work: machine() }));
    const first = await lives.first();
    const over = first.start('work', { id: '1' }).then(async (ref) => {
      await outcomeOf(ref.output());
      await (await first.resume('work-1')).output();
    });
    over.catch(() => {});
    for (let turn = 0; turn < 60; turn++) await rest();
    const second = await lives.second();
    const again = await second.start('work', { id: '1' });
    let ended = await outcomeOf(again.output());
    if (ended.error) ended = await outcomeOf((await second.resume('work-1')).output());
    const told: string[] = [];
    for await (const { type } of lives.log.readStream('work-1'))
      if (/^Flow(Resumed|Aborted)/.test(type)) told.push(type);
    const calls = Object.fromEntries(Object.entries(keys).map(([name, { size }]) => [name, size]));
    return { crashed: lives.crashed, output: ended.output, calls, told };
  };
  const crashes = await atEveryAppend(live, ({ output, calls, told }, where) => {
    expect(output, where).toEqual({ a: 'a', b: 'b', c: 'c' });
    expect(calls, where).toEqual({ a: 2, 'undo a': 1, b: 1, c: 3, mend: 2, sweep: 1 });
    expect(told, where).toEqual(['FlowAborted', 'FlowResumed']);
  });
  expect(crashes).toBeGreaterThan(15);
}, 30_000);

it('one that failed goes on in the version it began with, where its steps have changed', async () => {
  const stage = new FlowStage({ c: failing(1, 'broken') });
  const first = trip(stage, { version: '1' });
  const { runtime } = await stage.run(first);
  await runtime.close();
  const { a, d } = { a: { run: stage.work('a') }, d: { run: stage.work('d') } };
  const other = flow('trip', { version: '2', steps: { a, d } });
  const alone = await stage.house.open({ work: other });
  expect((await failureOf(alone.resume('work-1'))).cause).toBeInstanceOf(ReplayDivergedError);
  const both = await stage.house.open({ work: [other, first as never] });
  expect(await (await both.resume('work-1')).output()).toEqual({ a: 'A', b: 'B', c: 'at last', d: 'D' });
  expect(stage.done).toEqual(['a', 'b', 'c', 'c', 'd']);
});

it('under plain XState a flow is resumed by its snapshot', async () => {
  const stage = new FlowStage({ c: failing(1, 'broken') });
  const machine = trip(stage) as unknown as AnyStateMachine;
  const first = createActor(machine, { input: 'Rome' });
  first.subscribe({ error: () => {} });
  first.start();
  await failureOf(waitFor(first, () => false));
  const snapshot = { ...(first.getPersistedSnapshot() as object), status: 'active', error: undefined, children: {} };
  const second = createActor(machine, { snapshot: snapshot as never }).start();
  second.send({ type: 'rewake.resume' });
  const { output } = await waitFor(second, ({ status }) => status === 'done');
  expect(output).toEqual({ a: 'A', b: 'B', c: 'at last', d: 'D' });
  expect(stage.done).toEqual(['a', 'b', 'c', 'c', 'd']);
});
