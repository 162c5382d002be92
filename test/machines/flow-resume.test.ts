/** Resuming a flow that has ended: hosted, and the same under plain XState. */
import { describe, expect, it } from 'vitest';
import { createActor, waitFor, type AnyStateMachine } from 'xstate';
import { NotResumableError } from 'rewake';
import { FlowAbortedError } from '../../machines/flow-errors.ts';
import { flow } from '../../machines/flow.ts';
import { handler } from '../../machines/handler.ts';
import { abort, retry, skip } from '../../machines/recovery-actions.ts';
import type { ActorRef } from '../../src/runtime/actor-ref.ts';
import { failureOf } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
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
    expect(await failureOf(runtime.resume('work-1', { from: 'x' }))).toBeInstanceOf(NotResumableError);
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
