/** Flows: steps in the order of what they need, side by side, in phases; conditions, lists, sub-flows, undo. */
import { describe, expect, it } from 'vitest';
import { effect, InvalidArgumentError } from 'rewake';
import { flow } from '../../machines/flow.ts';
import { FlowFailedError } from '../../machines/flow-errors.ts';
import { type } from '../../machines/flow-options.ts';
import { handler } from '../../machines/handler.ts';
import { fallback, intervene, resumeFrom } from '../../machines/recovery-actions.ts';
import { FlowStage, fails, failing } from './flow-stage.ts';

const never = () => new Promise(() => {});

describe('the steps of a flow', () => {
  it('run in the order of what they need, each with the results so far', async () => {
    const stage = new FlowStage({ a: () => 1, b: () => 2, c: (input) => input });
    const sum = flow('sum', {
      input: type<{ plus: number }>(),
      steps: {
        c: {
          run: stage.work('c'),
          needs: ['a', 'b'],
          input: ({ input, results }) => [input.plus, results.a, results.b],
        },
        a: { run: stage.work('a') },
        b: { run: stage.call('b'), needs: ['a'] },
      },
    });
    const { output, told } = await stage.run(sum, { plus: 3 });
    expect(stage.done).toEqual(['a', 'b', 'c']);
    expect(output).toEqual({ a: 1, b: 2, c: [3, 1, 2] });
    expect(stage.inputs.a).toEqual([{ plus: 3 }]);
    expect(told).toEqual([
      ...['PhaseStarted main', 'FlowStepStarted a', 'FlowStepCompleted a step', 'FlowStepStarted b'],
      ...['FlowStepCompleted b step', 'FlowStepStarted c', 'FlowStepCompleted c step', 'PhaseCompleted main'],
    ]);
  });

  it('run side by side where none needs the other, so many at a time (FS1)', async () => {
    const stage = new FlowStage({ a: never, b: never, c: never, d: never });
    const steps = Object.fromEntries(['a', 'b', 'c', 'd'].map((id) => [id, { run: stage.work(id) }]));
    await stage.run(flow('wide', { steps, concurrency: 3 }));
    expect(stage.done).toEqual(['a', 'b', 'c']);
  });

  it('are left out where their condition does not hold, and those that need them run without (FS1)', async () => {
    const stage = new FlowStage();
    const { output, told } = await stage.run(
      flow('choosy', {
        input: type<{ gift: boolean }>(),
        steps: {
          wrap: { run: stage.work('wrap'), when: ({ input }) => input.gift },
          ship: { run: stage.work('ship'), needs: ['wrap'], input: ({ results }) => results.wrap ?? 'plain' },
        },
      }),
      { gift: false },
    );
    expect(stage.done).toEqual(['ship']);
    expect(stage.inputs.ship).toEqual(['plain']);
    expect(output).toEqual({ wrap: undefined, ship: 'SHIP' });
    expect(told).toContain('FlowStepSkipped wrap condition');
  });

  it.each(['when', 'input'] as const)('fail with what their %s throws (FS4)', async (name) => {
    const stage = new FlowStage();
    const thrower = () => {
      throw new RangeError('no such thing');
    };
    const { error, told } = await stage.run(
      flow('thrower', { steps: { a: { run: stage.work('a'), [name]: thrower } } }),
    );
    expect(error).toMatchObject({ code: 'REWAKE_FLOW_FAILED', step: 'a', originalError: { name: 'RangeError' } });
    expect(told).toEqual(['PhaseStarted main', 'FlowStepFailed a', 'PhaseFailed a', 'FlowFailed a']);
  });

  it('hold back when one failed, and those that run are waited for (FS2)', async () => {
    let finish = (_: string) => {};
    const stage = new FlowStage({ bad: fails('broken'), slow: () => new Promise((resolve) => (finish = resolve)) });
    const { ref, snapshot } = await stage.run(
      flow('held', {
        steps: {
          slow: { run: stage.work('slow') },
          bad: { run: stage.work('bad') },
          late: { run: stage.work('late'), needs: ['slow'] },
        },
      }),
    );
    expect(snapshot.status).toBe('active');
    finish('slowly');
    await stage.house.rest();
    const { error, told } = await stage.seen(ref);
    expect(stage.done).toEqual(['slow', 'bad']);
    expect(error).toBeInstanceOf(FlowFailedError);
    expect(error).toMatchObject({ flow: 'held', step: 'bad', cause: { message: 'broken' } });
    expect(told).toEqual([
      ...['PhaseStarted main', 'FlowStepStarted slow', 'FlowStepStarted bad', 'FlowStepFailed bad'],
      ...['FlowStepCompleted slow step', 'PhaseFailed bad', 'FlowFailed bad'],
    ]);
  });

  it('have the policies of a step', async () => {
    const stage = new FlowStage({ a: failing(1, 'busy') });
    const { ref, told } = await stage.run(
      flow('patient', {
        steps: { a: { run: stage.call('a'), retry: { maxRetries: 1, backoff: { initialDelay: 100 } } } },
      }),
    );
    expect(told).toEqual(['PhaseStarted main', 'FlowStepStarted a', 'AttemptFailed a', 'RetryScheduled a']);
    await stage.house.advance(1_000);
    expect((await stage.seen(ref)).output).toEqual({ a: 'at last' });
  });
});

it('phases follow each other, and a step may need one of an earlier phase', async () => {
  const stage = new FlowStage();
  const { told, output } = await stage.run(
    flow('phased', {
      steps: {
        c: { run: stage.work('c'), needs: ['a'], input: ({ results }) => results.a },
        b: { run: stage.work('b') },
        a: { run: stage.work('a') },
      },
      phases: [
        { id: 'first', steps: ['a', 'b'] },
        { id: 'second', steps: ['c'] },
      ],
      output: ({ results }) => Object.keys(results).length,
    }),
  );
  expect(output).toBe(3);
  expect(told.filter((fact) => !/Completed [abc]/.test(fact))).toEqual([
    ...['PhaseStarted first', 'FlowStepStarted a', 'FlowStepStarted b', 'PhaseCompleted first'],
    ...['PhaseStarted second', 'FlowStepStarted c', 'PhaseCompleted second'],
  ]);
});

it('an output that throws fails the flow', async () => {
  const stage = new FlowStage();
  const output = () => {
    throw new TypeError('nothing there');
  };
  const { error } = await stage.run(flow('o', { steps: { a: { run: stage.work('a') } }, output }));
  expect(error).toMatchObject({ step: 'output', originalError: { name: 'TypeError' } });
});

describe('forEach', () => {
  const reading = (stage: FlowStage, concurrency: number) =>
    flow('reading', {
      input: type<string[]>(),
      steps: {
        list: { run: async ({ input }: { input: string[] }) => input.map((name) => ({ name })) },
        read: {
          run: stage.work('read'),
          forEach: 'list',
          concurrency,
          input: ({ item, index, input }) => `${item.name} ${index + 1}/${input.length}`,
        },
      },
    });

  it('does a step for each of a list, so many at a time, and gives the list of what came of it (FE1)', async () => {
    const stage = new FlowStage({ read: (input) => `read ${input as string}` });
    const { output } = await stage.run(reading(stage, 2), ['x', 'y', 'z']);
    expect(output).toMatchObject({ read: ['read x 1/3', 'read y 2/3', 'read z 3/3'] });
    const slow = new FlowStage({ read: never });
    await slow.run(reading(slow, 2), ['x', 'y', 'z']);
    expect(slow.done).toEqual(['read', 'read']);
  });

  it('gives an empty list for an empty list', async () => {
    const stage = new FlowStage();
    expect((await stage.run(reading(stage, 2), [])).output).toEqual({ list: [], read: [] });
  });

  it('fails with the first item that does, and begins no other (FE2)', async () => {
    const stage = new FlowStage({ read: failing(1, 'torn') });
    const { error } = await stage.run(reading(stage, 1), ['x', 'y']);
    expect(stage.done).toEqual(['read']);
    expect(error).toMatchObject({
      step: 'read',
      originalError: { code: 'REWAKE_ITEM_FAILED', index: 0, cause: { message: 'torn' } },
    });
  });

  it('fails where what it goes through is no list', async () => {
    const stage = new FlowStage();
    const { error } = await stage.run(
      flow('odd', { steps: { list: { run: stage.work('list') }, each: { run: stage.work('each'), forEach: 'list' } } }),
    );
    expect(error).toMatchObject({ originalError: { code: 'REWAKE_INVALID_ARGUMENT' } });
  });
});

it('a flow is a step of another one', async () => {
  const stage = new FlowStage({ pay: (input) => `paid ${String(input)}` });
  const payment = flow('payment', {
    input: type<number>(),
    steps: { check: { run: stage.work('check') }, pay: { run: stage.work('pay'), needs: ['check'] } },
    output: ({ results }) => results.pay,
  });
  const { output } = await stage.run(
    flow('order', {
      input: type<{ total: number }>(),
      steps: {
        pay: { run: payment, input: ({ input }) => input.total },
        ship: { run: stage.work('ship'), needs: ['pay'], input: ({ results }) => results.pay },
      },
    }),
    { total: 9 },
  );
  expect([output, stage.inputs.ship]).toEqual([{ pay: 'paid 9', ship: 'SHIP' }, ['paid 9']]);
});

it('a flow in a flow says once what to do when it fails', async () => {
  const stage = new FlowStage({ a: fails('broken.') });
  const inner = flow('inner', { steps: { a: { run: stage.work('a') } } });
  const { error } = await stage.run(flow('outer', { steps: { pay: { run: inner } } }));
  expect((error as Error).message).toBe(
    "Flow 'outer' failed in step 'pay': Flow 'inner' failed in step 'a': broken. Nothing recovered it. Mend the cause, and " +
      'resume the flow: what is finished is not done again.',
  );
});

describe('a flow is refused when it is defined (FP1)', () => {
  const run = async () => {};
  const refused = (options: unknown, message: string | RegExp) =>
    expect(() => flow('f', options as never)).toThrow(
      expect.objectContaining({ name: InvalidArgumentError.name, message: expect.stringMatching(message) as string }),
    );

  it('with a cycle', () => {
    const steps = { a: { run, needs: ['c'] }, b: { run, needs: ['a'] }, c: { run, needs: ['b'] } };
    refused({ steps }, /flow\('f'\)\.steps\.a\.needs: .*a needs c needs b needs a/);
    refused({ steps: { a: { run, needs: ['b'] }, b: { run, forEach: 'a' } } }, /a needs b needs a/);
  });

  it('with a need that is not there, that is itself, or is there twice', () => {
    refused({ steps: { a: { run, needs: ['x'] }, b: { run } } }, /steps\.a\.needs\[0\]: expected one of the steps b, /);
    refused({ steps: { a: { run, needs: ['a'] } } }, /steps\.a\.needs\[0\]/);
    refused({ steps: { a: { run }, b: { run, needs: ['a', 'a'] } } }, /steps\.b\.needs/);
    refused({ steps: { a: { run, forEach: 'toString' } } }, /steps\.a\.forEach/);
  });

  it('with a need of a later phase', () => {
    const phases = [
      { id: 'p', steps: ['a'] },
      { id: 'q', steps: ['b'] },
    ];
    refused({ steps: { a: { run, needs: ['b'] }, b: { run } }, phases }, /steps\.a\.needs: .*later phase 'q'/);
  });

  it('with a step in two phases, or in none, or two phases of one id', () => {
    const steps = { a: { run }, b: { run } };
    refused({ steps, phases: [{ id: 'p', steps: ['a', 'b', 'a'] }] }, /phases\[0\]\.steps\[2\]: .*phase 'p'/);
    refused({ steps, phases: [{ id: 'p', steps: ['a'] }] }, /'b' is in none/);
    refused({ steps, phases: [{ id: 'p', steps: ['a', 'x'] }] }, /phases\[0\]\.steps\[1\]/);
    const twice = [
      { id: 'p', steps: ['a'] },
      { id: 'p', steps: ['b'] },
    ];
    refused({ steps, phases: twice }, /phases\[1\]\.id/);
    for (const id of ['a', 'failed', 'handling x', 'x.y', ''])
      refused({ steps, phases: [{ id, steps: ['a', 'b'] }] }, /phases\[0\]\.id/);
  });

  it('with a handler at any scope that names a step or a path which is not there (FQ1)', () => {
    const back = [handler({ id: 'back', then: resumeFrom('x') })];
    const other = [handler({ id: 'other', then: fallback('y') })];
    const asks = [handler({ id: 'ask', then: intervene('What now?', { back: resumeFrom('x') }) })];
    const nested = [handler({ id: 'outer', run: effect(run), handlers: back })];
    const steps = { a: { run } };
    refused({ steps, onFailure: back }, /f'\)\.onFailure\[0\]: handler\('back'\).*steps of the flow \(a\), found "x"/);
    refused({ steps, onFailure: other }, /fallback\(path\): expected one of the paths .*there is none.*"y"/);
    refused({ steps, onFailure: asks }, /handler\('ask'\)\.then, 'back': resumeFrom/);
    refused({ steps, onFailure: nested }, /onFailure\[0\]\.handlers\[0\]/);
    refused({ steps, phases: [{ id: 'p', steps: ['a'], onFailure: back }] }, /phases\[0\]\.onFailure\[0\]/);
    refused({ steps: { a: { run, onFailure: back } } }, /steps\.a\.onFailure\[0\]/);
    refused({ steps: { a: { run, onCommandFailure: other } } }, /steps\.a\.onCommandFailure\[0\]/);
    flow('f', { steps, onFailure: [handler({ id: 'b', then: resumeFrom('a') }), ...other], paths: { y: effect(run) } });
  });

  it('with options that it does not have or that cannot be', () => {
    refused({ steps: {} }, /steps: expected at least one step/);
    refused({}, /steps/);
    refused({ steps: { a: { run }, 'b.c': { run } } }, /b\.c/);
    refused({}, /found undefined/);
    refused({ steps: { a: {} } }, /steps\.a\.run: .*found undefined/);
    refused({ steps: { a: { run, retries: 3 } } }, /steps\.a\.retries/);
    refused({ steps: { a: { run, retry: -1 } } }, /steps\.a\.retry/);
    refused({ steps: { a: { run, concurrency: 2 } } }, /steps\.a\.forEach/);
    refused({ steps: { a: { run } }, concurrency: 0 }, /concurrency/);
    refused({ steps: { a: { run, onFailure: [{}] } } }, /steps\.a\.onFailure/);
    refused({ steps: { a: { run } }, paths: { x: run } }, /paths\.x/);
    refused({ steps: { a: { run, undo: 3 } } }, /steps\.a\.undo/);
    refused({ steps: { a: { run } }, facts: 'no' }, /facts/);
    refused({ steps: { a: { run } }, version: 2 }, /version/);
    refused({ steps: { a: { run } }, interventions: { timeout: 'soon' } }, /timeout/);
  });
});
