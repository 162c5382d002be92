/** Paths through machines that invoke and wait, as scripts that a scenario plays (MG1 to MG3). */
import { describe, expect, it } from 'vitest';
import { assign, fromPromise, setup, type AnyStateMachine } from 'xstate';
import { createTestModel } from 'xstate/graph';
import { approval } from '../../machines/approval.ts';
import { now, random } from '../../src/kernel/determinism.ts';
import { UnboundedModelError } from '../../src/testing/failures.ts';
import { paths, type ModelPath, type PathsOptions } from '../../src/testing/model-paths.ts';
import { viewOf } from '../../src/testing/outcome.ts';
import { play } from '../../src/testing/play.ts';
import { sweep } from '../../src/testing/sweep.ts';
import { createMachine } from '../support/loose-machine.ts';
import { account, counter, parallel, race, retry } from './model-machines.ts';

/** Plays a path in a runtime; answers with how its actor ends. */
async function playPath(machine: AnyStateMachine, { events, effects, until }: ModelPath, input?: unknown) {
  const { ends, failure } = await play({ machines: { [machine.id]: machine }, input, events, effects, until });
  expect(failure).toBeUndefined();
  return ends[`${machine.id}-1`];
}

const descriptions = (some: readonly ModelPath[]) => some.map(({ description }) => description);

describe('the shortest paths', () => {
  it('lead to every state of a machine with an invoke and delays, which createTestModel refuses', () => {
    expect(() => createTestModel(retry)).toThrow(/on test machines are not supported/);
    const [second, third] = ['start, call fails, 200 ms', 'start, call fails, 200 ms, call fails, 400 ms'];
    expect(descriptions(paths(retry))).toEqual([
      ...['nothing', 'start', 'start, cancel', 'start, call succeeds', 'start, call fails', 'start, 5000 ms'],
      ...[second, `${second}, cancel`, `${second}, call succeeds`, `${second}, call fails`, `${second}, 4800 ms`],
      ...[third, `${third}, cancel`, `${third}, call succeeds`, `${third}, call fails`, `${third}, 4400 ms`],
    ]);
  });

  it('say what is sent, what effects answer, and how long it takes', () => {
    const outcomes = { call: [{ output: 7 }, { error: new Error('down') }] };
    const failed = paths(retry, { outcomes, toState: ({ value }) => value === 'failed' });
    expect(failed).toHaveLength(1);
    expect(failed[0]).toMatchObject({
      state: { value: 'failed', status: 'done', context: { attempts: 3 } },
      events: [{ type: 'start' }],
      effects: { call: [outcomes.call[1], outcomes.call[1], outcomes.call[1], { never: true }] },
      until: 200 + 400,
      steps: [
        { kind: 'event', event: { type: 'start' } },
        { kind: 'outcome', effect: '/call' },
        { kind: 'delay', ms: 200 },
        { kind: 'outcome', effect: '/call' },
        { kind: 'delay', ms: 400 },
        { kind: 'outcome', effect: '/call' },
      ],
    });
    const [late] = paths(retry, { toState: ({ value }) => value === 'late' });
    const [again] = paths(retry, { toState: (state) => state.matches('working') && state.context.attempts === 1 });
    expect([late!.until, late!.events, again!.until]).toEqual([5_000, [{ type: 'start' }], 0]);
  });

  it.each<[string, AnyStateMachine, PathsOptions]>([
    ['retry', retry, {}],
    ['parallel', parallel, {}],
    ['race', race, { stopWhen: ({ context }) => (context as { heard: string[] }).heard.length > 2 }],
    ['account', account, { payloads: { deposit: [{ amount: 50 }, { amount: 0 }], withdraw: { amount: 10 } } }],
    [
      'approval',
      approval('refund', {
        ...{ timeout: '3d', onTimeout: 'approve', escalation: [{ after: '1d', to: 'head' }], quorum: 2 },
        notify: fromPromise(() => new Promise(() => {})),
      }) as unknown as AnyStateMachine,
      {
        input: { title: 'Refund 90 EUR?', approvers: ['ann', 'bob'] },
        payloads: { 'approval.granted': [{ by: 'ann' }, { by: 'eve' }], 'approval.rejected': { by: 'bob' } },
      },
    ],
  ])('of %s lead a durable actor to the states that they say', async (_, machine, options) => {
    const found = paths(machine, options);
    expect(found.length).toBeGreaterThan(5);
    for (const path of found) expect(await playPath(machine, path, options.input)).toEqual(viewOf(path.state));
  });

  it('are scenarios for a sweep', async () => {
    const [path] = paths(retry, { toState: ({ value }) => value === 'failed' });
    const { events, effects, until } = path!;
    const { crashes } = await sweep({ machines: { retry }, events, effects, until });
    expect(crashes).toBeGreaterThan(20);
  });

  it('are found where contexts hold times and numbers by chance, which a run draws alike', async () => {
    const draw = setup({ types: {} as { context: { at: number; drawn: number } } }).createMachine({
      id: 'draw',
      context: () => ({ at: now(), drawn: random() }),
      initial: 'a',
      states: {
        a: { on: { GO: { target: 'b', actions: assign({ at: () => now(), drawn: () => random() }) } } },
        b: { after: { 10: { target: 'c', actions: assign({ at: () => now(), drawn: () => random() }) } } },
        c: {},
      },
    });
    const found = paths(draw);
    expect(descriptions(found)).toEqual(['nothing', 'GO', 'GO, 10 ms']);
    for (const path of found) expect(await playPath(draw, path)).toEqual(viewOf(path.state));
  });

  it('wait for what children of the machine wait for', () => {
    const child = setup({ actors: { ask: fromPromise<string>(() => new Promise(() => {})) } }).createMachine({
      id: 'child',
      initial: 'resting',
      states: {
        resting: { after: { 30: 'asking' } },
        asking: { invoke: { src: 'ask', id: 'ask', onDone: 'answered' } },
        answered: { type: 'final' },
      },
    });
    const parent = setup({ actors: { child } }).createMachine({
      id: 'parent',
      initial: 'busy',
      states: { busy: { invoke: { src: 'child', id: 'kid', onDone: 'done' } }, done: {} },
    });
    const done = paths(parent, { toState: ({ value }) => value === 'done', outcomes: { ask: [{ output: 'yes' }] } });
    expect(descriptions(done)).toEqual(['30 ms, kid/ask succeeds']);
    expect(done[0]!.effects).toEqual({ ask: [{ output: 'yes' }, { never: true }] });
  });
});

describe('the simple paths', () => {
  it('are all ways that visit no state twice', () => {
    expect(descriptions(paths(parallel, { kind: 'simple', toState: ({ value }) => value === 'closed' }))).toEqual([
      ...['pay, pack, send', 'pack, pay, send', 'pack, send, pay'],
    ]);
    expect(paths(parallel, { kind: 'simple' }).length).toBeGreaterThan(paths(parallel).length);
  });

  it('lead a durable actor to the states that they say', async () => {
    const found = paths(retry, { kind: 'simple' });
    for (const path of found) expect(await playPath(retry, path)).toEqual(viewOf(path.state));
  });
});

describe('a context without bound', () => {
  it('is an error that names what grows, and what to do', () => {
    expect(() => paths(counter)).toThrow(UnboundedModelError);
    expect(() => paths(counter, { limit: 100 })).toThrow(
      /paths\(counter\): more than 100 steps.*in state "counting" `context\.count` had 102 values\..*`stopWhen`.*`serializeState`.*`limit`/,
    );
    expect(() => paths(counter, { limit: 100, kind: 'simple' })).toThrow(UnboundedModelError);
  });

  it('is bounded by stopWhen, and by what tells states apart', () => {
    const three = paths(counter, { stopWhen: ({ context }) => context.count >= 3 });
    expect(three.map(({ state }) => state.context.count)).toEqual([0, 1, 2, 3]);
    const parity = paths(counter, { serializeState: ({ context }) => String(context.count % 2) });
    expect(parity.map(({ state }) => state.context.count)).toEqual([0, 1]);
  });

  it('is told of more ways than can be listed, too', () => {
    const flags = Array.from({ length: 9 }, (_, index) => [
      `f${index}`,
      { initial: 'off', states: { off: { on: { [`on${index}`]: 'on' } }, on: {} } },
    ]);
    const machine = createMachine({
      id: 'flags',
      type: 'parallel',
      states: Object.fromEntries(flags) as never,
    });
    expect(paths(machine)).toHaveLength(512);
    expect(() => paths(machine, { kind: 'simple' })).toThrow(/paths\(flags\): .*too many to list.*`kind: 'shortest'`/);
  });

  it('and a delay of nothing for ever is told as what it is', () => {
    const again = setup({ types: {} as { events: { type: 'GO' } } }).createMachine({
      id: 'again',
      initial: 'a',
      states: { a: { after: { 0: { target: 'a', reenter: true } } } },
    });
    expect(() => paths(again)).toThrow(/led to 1000 more by itself/);
  });
});

it('options that cannot work are refused', () => {
  expect(() => paths(retry, { kind: 'longest' as never })).toThrow(
    /kind: expected 'shortest' or 'simple', found "longest"/,
  );
  expect(() => paths(retry, { outcomes: { call: [] } })).toThrow(
    /outcomes\['call'\]: expected a list of at least one answer/,
  );
  // @ts-expect-error: there is no such event
  expect(() => paths(retry, { payloads: { stop: {} } })).toThrow(/'start', 'cancel', 'again'.*found "stop"/);
});
