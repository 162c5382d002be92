/** What the parts of a flow may be called: names that every object knows are names, and those that XState reads otherwise are not. */
import { expect, test } from 'vitest';
import { InvalidArgumentError } from 'rewake';
import { flow, handler, resumeFrom, retry, type HandlerScope } from '../../machines/index.ts';
import { failing, fails, FlowStage } from './flow-stage.ts';

const known = ['constructor', 'toString', 'valueOf', 'hasOwnProperty'];
const scopes: HandlerScope[] = ['command', 'step', 'phase', 'workflow'];

test.for(known.flatMap((id) => scopes.map((scope) => [id, scope] as const)))(
  "calls are counted for a handler '%s' of scope %s as for any",
  async ([id, scope]) => {
    const stage = new FlowStage({ pay: fails('no') });
    const handlers = [handler({ id, then: retry({ maxAttempts: 3 }) })];
    const at = (wanted: HandlerScope) => (scope === wanted ? handlers : []);
    const machine = flow('w', {
      steps: { pay: { run: stage.work('pay'), onCommandFailure: at('command'), onFailure: at('step') } },
      phases: [{ id: 'main', steps: ['pay'], onFailure: at('phase') }],
      onFailure: at('workflow'),
    });
    const { error } = await stage.run(machine);
    expect(error).toMatchObject({ code: 'REWAKE_FLOW_FAILED', originalError: { message: 'no' } });
    expect(stage.done).toEqual(['pay', 'pay', 'pay']);
  },
);

test.for(known)("a handler '%s' goes back to a step as any", async (id) => {
  const stage = new FlowStage({ pay: failing(2, 'no') });
  const machine = flow('w', {
    steps: { reserve: { run: stage.work('reserve') }, pay: { run: stage.work('pay'), needs: ['reserve'] } },
    onFailure: [handler({ id, then: resumeFrom('reserve') })],
  });
  expect((await stage.run(machine)).output).toEqual({ reserve: 'RESERVE', pay: 'at last' });
});

test.for(known)("a step '%s' of a sub-flow that is called again is as any that has not begun", async (id) => {
  const stage = new FlowStage({ first: (_, call) => (call === 1 ? fails('no')(_, call) : new Promise(() => {})) });
  const inner = flow('inner', {
    steps: { first: { run: stage.work('first') }, [id]: { run: stage.work('second'), needs: ['first'] } },
  });
  const { runtime, ref } = await stage.run(flow('outer', { steps: { both: { run: inner, retry: 2 } } }));
  await stage.house.advance(60_000);
  expect(stage.done).toEqual(['first', 'first']);
  await runtime.compact('work-1');
  expect(ref.getSnapshot()).toMatchObject({ status: 'active', value: { main: { both: 'running' } } });
});

test.for(['*', '#paid', '__proto__', 'pay.all', ''])("nothing of a flow is called '%s'", (id) => {
  const run = new FlowStage().work('pay');
  const named = Object.fromEntries([[id, { run }]]);
  expect(() => flow('w', { steps: named })).toThrow(InvalidArgumentError);
  expect(() => flow('w', { steps: { pay: { run } }, phases: [{ id, steps: ['pay'] }] })).toThrow(InvalidArgumentError);
  expect(() => handler({ id })).toThrow(InvalidArgumentError);
});

test.for(['a b', 'ü€', 'x/y', 'a:b', '%', '0', 'a*', 'a#b', 'call', 'flow', 'done', 'xstate'])(
  "a step may be called '%s'",
  async (id) => {
    const stage = new FlowStage();
    const steps = { [id]: { run: stage.work('it') }, other: { run: stage.work('other') } };
    const { output } = await stage.run(flow('w', { steps }));
    expect(output).toEqual({ [id]: 'IT', other: 'OTHER' });
  },
);
