/** Error handlers of a flow: every action at every scope, failures that go outward, people who choose. */
import { describe, expect, it } from 'vitest';
import { flow } from '../../machines/flow.ts';
import { FlowAbortedError, FlowFailedError } from '../../machines/flow-errors.ts';
import { handler } from '../../machines/handler.ts';
import { abort, fallback, intervene, resumeFrom, retry, skip } from '../../machines/recovery-actions.ts';
import { FlowStage, failing, fails } from './flow-stage.ts';

/** A flow of two phases whose step `b` fails. */
function trip(
  stage: FlowStage,
  handlers: { step?: unknown; phase?: unknown; workflow?: unknown; command?: unknown },
  more = {},
) {
  const { step = [], phase = [], workflow = [], command = [] } = handlers;
  return flow('trip', {
    steps: {
      a: { run: stage.work('a'), undo: stage.work('undo a') },
      b: { run: stage.work('b'), needs: ['a'], onFailure: step, onCommandFailure: command, undo: stage.work('undo b') },
      c: { run: stage.work('c'), needs: ['b'], undo: stage.work('undo c') },
      d: { run: stage.work('d') },
    },
    phases: [
      { id: 'going', steps: ['a', 'b', 'c'], onFailure: phase },
      { id: 'being', steps: ['d'] },
    ],
    onFailure: workflow,
    ...more,
  } as never);
}

const scopes = ['step', 'phase', 'workflow'] as const;

describe.each(scopes)('a handler of a %s', (scope) => {
  const at = (handlers: readonly unknown[]) => ({ [scope]: handlers });
  const subject = { step: 'b', phase: 'going', workflow: 'trip' }[scope];

  it('is told of the error, the results, and where it is', async () => {
    const stage = new FlowStage({ b: fails('broken') });
    await stage.run(trip(stage, at([handler({ id: 'look', run: stage.work('look') })])), 'Rome');
    expect(stage.inputs.look).toMatchObject([
      { error: { message: 'broken' }, scope, subject, input: 'Rome', results: { a: 'A' }, outputs: [] },
    ]);
  });

  it('has it tried again, after a while, and what is done is not done again', async () => {
    const stage = new FlowStage({ b: failing(1, 'broken') });
    const { ref, snapshot } = await stage.run(
      trip(stage, at([handler({ id: 'again', then: retry({ delay: '1s' }) })])),
    );
    expect(snapshot.status).toBe('active');
    expect(stage.done).toEqual(['a', 'b']);
    await stage.house.advance(1_000);
    const { output } = await stage.seen(ref);
    expect(output).toEqual({ a: 'A', b: 'at last', c: 'C', d: 'D' });
    expect(stage.done).toEqual(['a', 'b', 'b', 'c', 'd']);
  });

  it('has it tried no more often than it says, and then the error goes on outward', async () => {
    const stage = new FlowStage({ b: fails('broken') });
    const { error, facts } = await stage.run(
      trip(stage, at([handler({ id: 'again', then: retry({ maxAttempts: 3 }) })])),
    );
    expect(stage.done).toEqual(['a', 'b', 'b', 'b']);
    expect(error).toMatchObject({ code: 'REWAKE_FLOW_FAILED', step: 'b', originalError: { message: 'broken' } });
    expect(facts.filter((fact) => fact.type === 'ErrorEscalated')).toMatchObject([
      { scope, subject, reason: 'retriesExhausted' },
    ]);
  });

  it('goes back to a step: that one and what depends on it is done again', async () => {
    const stage = new FlowStage({ b: failing(1, 'broken') });
    const { output, told } = await stage.run(trip(stage, at([handler({ id: 'back', then: resumeFrom('a') })])));
    expect(output).toEqual({ a: 'A', b: 'at last', c: 'C', d: 'D' });
    expect(stage.done).toEqual(['a', 'b', 'a', 'b', 'c', 'd']);
    expect(told.filter((fact) => fact === 'PhaseStarted going')).toHaveLength(1);
    expect(told.filter((fact) => /^FlowStep(Started|Failed)/.test(fact))).toEqual(
      [
        ...['FlowStepStarted a', 'FlowStepStarted b', 'FlowStepFailed b', 'FlowStepStarted a', 'FlowStepStarted b'],
        ...['FlowStepStarted c', 'FlowStepStarted d'],
      ].filter((fact) => fact !== ''),
    );
  });

  it('goes back no more than twice, and not to a step that is not there', async () => {
    const stage = new FlowStage({ b: fails('broken') });
    const { error } = await stage.run(trip(stage, at([handler({ id: 'back', then: resumeFrom('b') })])));
    expect(stage.done).toEqual(['a', 'b', 'b', 'b']);
    expect(error).toMatchObject({ originalError: { message: 'broken' } });
    const other = new FlowStage({ b: fails('broken') });
    const lost = await other.run(trip(other, at([handler({ id: 'back', then: () => resumeFrom('x') })])));
    expect(lost.error).toMatchObject({
      originalError: {
        code: 'REWAKE_HANDLER_FAILED',
        handler: 'back',
        originalError: { message: 'broken' },
        cause: { code: 'REWAKE_INVALID_ARGUMENT' },
      },
    });
  });

  it('aborts: cleanups run in order, what is done is undone in reverse, the error is kept', async () => {
    const stage = new FlowStage({ b: fails('broken') });
    const then = abort({ cleanup: [stage.work('sweep'), stage.work('mop')] });
    const { error, told } = await stage.run(trip(stage, at([handler({ id: 'stop', then })])));
    expect(stage.done).toEqual(['a', 'b', 'sweep', 'mop', 'undo a']);
    expect(stage.inputs['undo a']).toEqual([{ input: undefined, result: 'A' }]);
    expect(stage.inputs.sweep).toMatchObject([{ error: { message: 'broken' }, results: { a: 'A' }, scope, subject }]);
    expect(error).toBeInstanceOf(FlowAbortedError);
    expect(error).toMatchObject({ flow: 'trip', step: 'b', originalError: { message: 'broken' }, notUndone: [] });
    expect(told.slice(-2)).toEqual(['FlowStepUndone a', 'FlowAborted b']);
  });

  it('falls back on a logic', async () => {
    const stage = new FlowStage({ b: fails('broken') });
    const { output, told } = await stage.run(
      trip(stage, at([handler({ id: 'other', then: fallback(stage.work('other')) })])),
      'Rome',
    );
    const given = { step: 'Rome', phase: { input: 'Rome', results: { a: 'A' } }, workflow: 'Rome' }[scope];
    expect(stage.inputs.other).toEqual([given]);
    const expected = {
      step: { a: 'A', b: 'OTHER', c: 'C', d: 'D' },
      phase: { a: 'A', b: undefined, c: undefined, going: 'OTHER', d: 'D' },
      workflow: 'OTHER',
    };
    expect(output).toEqual(expected[scope]);
    if (scope === 'step') expect(told).toContain('FlowStepCompleted b fallback');
    if (scope === 'phase')
      expect(told).toEqual(
        expect.arrayContaining(['FlowStepSkipped b handler', 'FlowStepSkipped c handler', 'PhaseCompleted going']),
      );
  });

  it('falls back on a path, and fails with both errors where there is none of that name', async () => {
    const stage = new FlowStage({ b: fails('broken') });
    const paths = { byHand: stage.work('byHand') };
    const byHand = handler({ id: 'other', then: () => fallback('byHand') });
    expect((await stage.run(trip(stage, at([byHand]), { paths }))).error).toBeUndefined();
    expect(stage.done).toContain('byHand');
    const lost = new FlowStage({ b: fails('broken') });
    const { error, told } = await lost.run(trip(lost, at([byHand])));
    expect(told).toEqual(expect.arrayContaining(['HandlerFailed other', `ErrorEscalated ${subject} handlerFailed`]));
    expect(error).toMatchObject({
      originalError: {
        code: 'REWAKE_HANDLER_FAILED',
        originalError: { message: 'broken' },
        cause: { code: 'REWAKE_INVALID_ARGUMENT' },
      },
    });
  });

  it('lets both errors go on outward when its fallback fails', async () => {
    const stage = new FlowStage({ b: fails('broken'), other: fails('out of order') });
    const { error, facts } = await stage.run(
      trip(stage, at([handler({ id: 'other', then: fallback(stage.work('other')) })])),
    );
    expect(error).toMatchObject({
      step: 'b',
      originalError: {
        code: 'REWAKE_HANDLER_FAILED',
        scope,
        subject,
        originalError: { message: 'broken' },
        cause: { message: 'out of order' },
      },
    });
    expect(facts).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'HandlerFailed', scope, subject, handler: 'other' }),
        expect.objectContaining({ type: 'ErrorEscalated', scope, subject, reason: 'handlerFailed' }),
      ]),
    );
  });

  it('leaves it out, with a value for what it did not give', async () => {
    const stage = new FlowStage({ b: fails('broken') });
    const { output, told } = await stage.run(trip(stage, at([handler({ id: 'without', then: skip('nothing') })])));
    expect(output).toEqual({ a: 'A', b: 'nothing', c: 'C', d: 'D' });
    expect(told).toContain('FlowStepSkipped b handler');
    expect(told).not.toContain('FlowStepCompleted b step');
  });

  describe('that asks a person', () => {
    const choices = {
      again: retry({ delay: '1s' }),
      without: skip('nothing'),
      stop: abort(),
      back: resumeFrom('a'),
    };
    const asking = async () => {
      const stage = new FlowStage({ b: failing(1, 'broken') });
      const other = fallback(stage.work('other'));
      const asks = handler({ id: 'ask', then: intervene('What now?', { ...choices, other }) });
      return { stage, ...(await stage.run(trip(stage, at([asks])))) };
    };

    it('waits for the choice, and says what there is to choose from', async () => {
      const { facts, snapshot } = await asking();
      expect(snapshot.status).toBe('active');
      expect((snapshot as unknown as { tags: Set<string> }).tags.has('intervening')).toBe(true);
      expect(facts.filter(({ type }) => type === 'InterventionRequested')).toMatchObject([
        {
          flow: 'trip',
          subject,
          handler: 'ask',
          message: 'What now?',
          choices: ['again', 'without', 'stop', 'back', 'other'],
          error: { message: 'broken' },
        },
      ]);
    });

    it.each([
      ['again', ['b', 'c', 'd'], 'completed'],
      ['without', ['c', 'd'], 'completed'],
      ['stop', ['undo a'], 'REWAKE_FLOW_ABORTED'],
      ['back', ['a', 'b', 'c', 'd'], 'completed'],
      ['other', { step: ['other', 'c', 'd'], phase: ['other', 'd'], workflow: ['other'] }[scope], 'completed'],
    ])('does what %s stands for', async (choice, after, end) => {
      const { stage, ref } = await asking();
      const before = stage.done.length;
      await stage.send(ref, { type: 'approval.chosen', by: 'ann', choice });
      await stage.house.advance(1_000);
      const { error, told } = await stage.seen(ref);
      expect(stage.done.slice(before)).toEqual(after);
      expect((error as { code?: string } | undefined)?.code ?? 'completed').toBe(end);
      expect(told).toContain('InterventionAnswered ask ann');
    });

    it('lets the error go on outward when the person would not choose', async () => {
      const { stage, ref } = await asking();
      const { error, facts } = await stage.send(ref, { type: 'approval.rejected', by: 'ann' });
      expect(error).toMatchObject({ code: 'REWAKE_FLOW_FAILED', originalError: { message: 'broken' } });
      expect(facts).toContainEqual(expect.objectContaining({ type: 'InterventionAnswered', choice: null, by: 'ann' }));
      expect(facts).toContainEqual(
        expect.objectContaining({ type: 'ErrorEscalated', scope, subject, reason: 'handlerEscalated' }),
      );
    });

    it('waits on where the answer is none of the choices, or for something else (IV2)', async () => {
      const { stage, ref } = await asking();
      const wrong = await stage.send(ref, { type: 'approval.chosen', by: 'ann', choice: 'fly' });
      expect(wrong.facts.at(-1)).toMatchObject({ type: 'ApprovalAnswerRefused', problem: 'unknownChoice' });
      const elsewhere = await stage.send(ref, { type: 'approval.chosen', by: 'ann', choice: 'stop', subject: 'x' });
      expect(elsewhere.facts.at(-1)).toMatchObject({
        type: 'InterventionAnswerRefused',
        subject: 'x',
        problem: 'unknownSubject',
        open: [subject],
      });
      expect(elsewhere.snapshot.status).toBe('active');
      const meant = await stage.send(ref, { type: 'approval.chosen', by: 'ann', choice: 'stop', subject });
      expect(meant.error).toBeInstanceOf(FlowAbortedError);
    });
  });

  it('lets the error go on outward when nobody answers in time', async () => {
    const stage = new FlowStage({ b: fails('broken') });
    const asks = handler({ id: 'ask', then: intervene('What now?', { again: retry() }) });
    const { ref } = await stage.run(trip(stage, at([asks]), { interventions: { timeout: '1h' } }));
    await stage.house.advance(3_600_000);
    const { error, facts } = await stage.seen(ref);
    expect(error).toMatchObject({ code: 'REWAKE_FLOW_FAILED', originalError: { message: 'broken' } });
    expect(facts).toContainEqual(expect.objectContaining({ type: 'InterventionAnswered', choice: null, by: null }));
  });
});

describe('a command handler', () => {
  it('recovers an attempt, which then does not count as failed (FT1)', async () => {
    const stage = new FlowStage({ b: failing(1, 'broken') });
    const again = handler({ id: 'again', when: 'Error', run: stage.work('mend'), then: retry() });
    const machine = flow('patient', { steps: { b: { run: stage.call('b'), retry: 2, onCommandFailure: [again] } } });
    const { output, told } = await stage.run(machine);
    expect([output, stage.done]).toEqual([{ b: 'at last' }, ['b', 'mend', 'b']]);
    expect(told).not.toContain('AttemptFailed b');
    expect(told).toContain('HandlerCompleted again retry');
  });

  it.each([
    [abort(), 'REWAKE_FLOW_ABORTED', ['a', 'b', 'undo a']],
    [resumeFrom('a'), 'completed', ['a', 'b', 'a', 'b', 'c', 'd']],
  ])('decides about the flow, through retries and step handlers (%o)', async (then, end, done) => {
    const stage = new FlowStage({ b: failing(1, 'broken') });
    const never = handler({ id: 'never', run: stage.work('never') });
    const { error } = await stage.run(trip(stage, { command: [handler({ id: 'decide', then })], step: [never] }));
    expect((error as { code?: string } | undefined)?.code ?? 'completed').toBe(end);
    expect(stage.done).toEqual(done);
  });
});

describe('a failure that nothing recovers', () => {
  it('goes from the command to the step, the phase and the flow, with every error kept', async () => {
    const stage = new FlowStage({
      b: fails('broken'),
      1: fails('one'),
      2: fails('two'),
      3: fails('three'),
      4: fails('four'),
    });
    const of = (id: string) => [handler({ id, run: stage.work(id) })];
    const { error, facts } = await stage.run(
      trip(stage, { command: of('1'), step: of('2'), phase: of('3'), workflow: of('4') }),
    );
    const failed = (scope: string, handlerId: string, message: string, originalError: unknown) => ({
      ...{ code: 'REWAKE_HANDLER_FAILED', scope, handler: handlerId, cause: { message }, originalError },
    });
    expect(error).toBeInstanceOf(FlowFailedError);
    expect(error).toMatchObject({
      originalError: failed(
        'workflow',
        '4',
        'four',
        failed('phase', '3', 'three', failed('step', '2', 'two', failed('command', '1', 'one', { message: 'broken' }))),
      ),
    });
    const told = facts.filter(({ type }) =>
      ['HandlerStarted', 'HandlerFailed', 'ErrorEscalated'].includes(type as string),
    );
    expect(told.map(({ type, scope }) => `${type as string} ${scope as string}`)).toEqual(
      ['command', 'step', 'phase', 'workflow'].flatMap((scope) =>
        ['HandlerStarted', 'HandlerFailed', 'ErrorEscalated'].map((each) => `${each} ${scope}`),
      ),
    );
    expect(facts.map(({ type }) => type).filter((each) => /^(FlowStep|Phase|Flow)Failed/.test(each as string))).toEqual(
      ['FlowStepFailed', 'PhaseFailed', 'FlowFailed'],
    );
  });

  it('is handled by the next scope out where no handler of the inner one is for it', async () => {
    const stage = new FlowStage({ b: fails('broken') });
    const other = [handler({ id: 'other', when: RangeError, then: skip('wrong') })];
    const { output } = await stage.run(
      trip(stage, { step: other, phase: other, workflow: [handler({ id: 'right', then: skip('right') })] }),
    );
    expect(output).toMatchObject({ b: 'right' });
  });

  it('ends without facts of its handlers where these are off', async () => {
    const stage = new FlowStage({ b: fails('broken') });
    const { told } = await stage.run(trip(stage, { phase: [handler({ id: 'x', then: skip() })] }, { facts: false }));
    expect(told).toContain('FlowStepSkipped b handler');
    expect(told.filter((fact) => fact.startsWith('Handler'))).toEqual([]);
  });
});

it('calls of a phase are counted anew when the flow is tried again', async () => {
  const stage = new FlowStage({ b: failing(3, 'broken') });
  const again = (id: string) => [handler({ id, then: retry({ maxAttempts: 2 }) })];
  const { output } = await stage.run(trip(stage, { phase: again('inner'), workflow: again('outer') }));
  expect(output).toMatchObject({ b: 'at last' });
  expect(stage.done.filter((each) => each === 'b')).toHaveLength(4);
});

it('a person goes back as often as they like (FV2)', async () => {
  const stage = new FlowStage({ b: failing(5, 'broken') });
  const asks = handler({ id: 'ask', then: intervene('What now?', { back: resumeFrom('b') }) });
  const { ref } = await stage.run(trip(stage, { workflow: [asks] }));
  for (let answers = 0; answers < 5; answers++)
    await stage.send(ref, { type: 'approval.chosen', by: 'ann', choice: 'back' });
  expect((await stage.seen(ref)).output).toMatchObject({ b: 'at last' });
});

describe('an abort', () => {
  it('does not undo what was done once, and failed when it was done again', async () => {
    const twice = (_: unknown, call: number) => {
      if (call === 2) throw new Error('gone');
    };
    const stage = new FlowStage({ a: twice, b: fails('broken') });
    const { error } = await stage.run(
      trip(stage, {
        workflow: [
          handler({ id: 'back', when: (each) => (each as Error).message === 'broken', then: resumeFrom('a') }),
          handler({ id: 'stop', then: abort() }),
        ],
      }),
    );
    expect([(error as FlowAbortedError).step, stage.done]).toEqual(['a', ['a', 'b', 'a']]);
  });

  it('goes on when a cleanup or an undo fails, tells it, and says what is left', async () => {
    const stage = new FlowStage({ c: fails('broken'), sweep: fails('no broom'), 'undo b': fails('too late') });
    const then = abort({ cleanup: [stage.work('sweep'), stage.work('mop')] });
    const { error, facts } = await stage.run(trip(stage, { workflow: [handler({ id: 'stop', then })] }));
    expect(stage.done.slice(-4)).toEqual(['sweep', 'mop', 'undo b', 'undo a']);
    expect(error).toMatchObject({ notUndone: [{ step: 'b', error: { message: 'too late' } }] });
    expect((error as Error).message).toContain('Not undone: b');
    expect(facts).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          type: 'CleanupFailed',
          flow: 'trip',
          index: 0,
          error: expect.objectContaining({ message: 'no broom' }) as unknown,
        }),
        expect.objectContaining({ type: 'FlowUndoFailed', step: 'b' }),
        expect.objectContaining({ type: 'FlowAborted', step: 'c', notUndone: ['b'] }),
      ]),
    );
  });

  it('undoes in the reverse order of what was done, whatever the order of the definition', async () => {
    let finish = (_: string) => {};
    const stage = new FlowStage({ x: () => new Promise((resolve) => (finish = resolve)), z: fails('broken') });
    const { ref } = await stage.run(
      flow('order', {
        steps: {
          x: { run: stage.work('x'), undo: stage.work('undo x') },
          y: { run: stage.work('y'), undo: stage.work('undo y') },
          z: { run: stage.work('z'), needs: ['x', 'y'] },
        },
        onFailure: [handler({ id: 'stop', then: abort() })],
      }),
    );
    finish('X');
    await stage.house.rest();
    await stage.seen(ref);
    expect(stage.done).toEqual(['x', 'y', 'z', 'undo x', 'undo y']);
  });
});

it('two steps ask side by side, and an answer has to say whom it is for (IV1)', async () => {
  const stage = new FlowStage({ a: failing(1, 'broken'), b: failing(1, 'torn') });
  const asks = [handler({ id: 'ask', then: intervene('What now?', { again: retry(), without: skip('nothing') }) })];
  const { ref, snapshot } = await stage.run(
    flow('two', {
      steps: { a: { run: stage.work('a'), onFailure: asks }, b: { run: stage.work('b'), onFailure: asks } },
    }),
  );
  expect(snapshot.status).toBe('active');
  const unclear = await stage.send(ref, { type: 'approval.chosen', by: 'ann', choice: 'again' });
  expect(unclear.facts.at(-1)).toMatchObject({
    type: 'InterventionAnswerRefused',
    problem: 'ambiguous',
    subject: null,
    open: ['a', 'b'],
  });
  await stage.send(ref, { type: 'approval.chosen', by: 'ann', choice: 'again', subject: 'b' });
  const { output } = await stage.send(ref, { type: 'approval.chosen', by: 'bob', choice: 'without' });
  expect(output).toEqual({ a: 'nothing', b: 'at last' });
});

it('a sub-flow asks, and is answered by way of the flow around it (IV1)', async () => {
  const stage = new FlowStage({ a: failing(1, 'broken') });
  const asks = [handler({ id: 'ask', then: intervene('What now?', { again: retry() }) })];
  const inner = flow('inner', { steps: { a: { run: stage.work('a'), onFailure: asks } } });
  const { ref } = await stage.run(
    flow('outer', {
      steps: {
        x: { run: inner, timeout: '1d', onFailure: [handler({ id: 'late', when: 'timeout' })] },
        y: { run: stage.work('y'), needs: ['x'] },
      },
    }),
  );
  const refused = await stage.send(ref, { type: 'approval.chosen', by: 'ann', choice: 'again', subject: 'y' });
  expect(refused.facts.at(-1)).toMatchObject({ problem: 'unknownSubject', open: ['x/a'] });
  const { output } = await stage.send(ref, { type: 'approval.chosen', by: 'ann', choice: 'again', subject: 'x/a' });
  expect(output).toEqual({ x: { a: 'at last' }, y: 'Y' });
});

it('a sub-flow that was aborted is not tried again by a retry around it', async () => {
  const stage = new FlowStage({ a: fails('broken') });
  const inner = flow('inner', {
    steps: { a: { run: stage.work('a') } },
    onFailure: [handler({ id: 'stop', then: abort() })],
  });
  const { error } = await stage.run(flow('outer', { steps: { x: { run: inner, retry: 2 } } }));
  expect(error).toMatchObject({
    flow: 'outer',
    step: 'x',
    originalError: { code: 'REWAKE_FLOW_ABORTED', flow: 'inner' },
  });
  expect(stage.done).toEqual(['a']);
});

it('a sub-flow that is tried again by a handler or a retry goes on where it stopped (FT2)', async () => {
  for (const policy of [
    { onFailure: [handler({ id: 'again', then: retry() })] },
    { onCommandFailure: [handler({ id: 'again', then: retry() })] },
    { retry: { maxRetries: 1, backoff: { initialDelay: 0, strategy: 'fixed', jitter: 'none' } } },
  ] as const) {
    const stage = new FlowStage({ b: failing(1, 'broken') });
    const inner = flow('inner', { steps: { a: { run: stage.work('a') }, b: { run: stage.work('b'), needs: ['a'] } } });
    const { ref } = await stage.run(flow('outer', { steps: { x: { run: inner, ...policy } } }), 'in');
    await stage.house.advance(10_000);
    expect((await stage.seen(ref)).output).toEqual({ x: { a: 'A', b: 'at last' } });
    expect(stage.done).toEqual(['a', 'b', 'b']);
    expect(stage.inputs.b).toEqual(['in', 'in']);
  }
});

it('items that are done are not done again when the step is tried again (FE3)', async () => {
  const stage = new FlowStage({
    list: () => [1, 2, 3],
    each: (input, call) => {
      if (call === 2) throw new Error('torn');
      return input;
    },
  });
  const { output } = await stage.run(
    flow('lists', {
      steps: {
        list: { run: stage.work('list') },
        each: {
          run: stage.work('each'),
          forEach: 'list',
          concurrency: 1,
          onFailure: [handler({ id: 'again', then: retry() })],
        },
      },
    }),
  );
  expect(output).toMatchObject({ each: [1, 2, 3] });
  expect(stage.inputs.each).toEqual([1, 2, 2, 3]);
});
