/**
 * What breakers, handlers, errors and correlations come to: `breakerStatus`, `handlerHistory`, `errorContext` and
 * `correlationTrace`. Facts of flows and of handlers are written by hand, in the shapes that their machines tell.
 */
import { effect } from 'rewake';
import { breaker } from 'rewake/machines';
import {
  breakerStatus,
  correlationTrace,
  errorContext,
  handlerHistory,
  project,
  type TraceNode,
} from 'rewake/projections';
import { describe, expect, it } from 'vitest';
import { assign, setup } from 'xstate';
import { House } from '../support/house.ts';
import { fact, foldOf, logOf, stimulus } from './hand-written.ts';
import { allLives, lived, scenarios } from './lived.ts';

const logOfScenario = async (name: string) => (await lived(scenarios.find(([each]) => each === name)![1])).log;

describe('breakerStatus', () => {
  it('BS1: a breaker is in the state that its machine is in', async () => {
    let seen = 0;
    for (const { log, values } of await allLives()) {
      for (const report of await project(breakerStatus, log)) {
        const value = values[report.stream!];
        expect(report.state).toBe(typeof value === 'string' ? value : 'open');
        seen++;
      }
    }
    expect(seen).toBeGreaterThan(5);
  });

  it('counts what breaker and steps have told', async () => {
    const log = await logOfScenario('withBreaker, that opens, refuses, is probed and closes');
    expect(await project(breakerStatus, log)).toMatchObject([
      {
        ...{ key: 'api', stream: 'breaker-api', state: 'closed', openUntil: null },
        ...{ opened: 2, probes: 2, probesExpired: 0, rejected: 2, reason: 'probe' },
      },
    ]);
  });

  it('BS1: a breaker that is released goes back to what it is switched to', async () => {
    const house = new House();
    const runtime = await house.open({ breaker });
    await runtime.start('breaker', { id: 'db', input: { key: 'db' } });
    for (const event of [
      { type: 'breaker.metricsOnly' },
      { type: 'breaker.isolated', hold: 'ops' },
      { type: 'breaker.released', hold: 'ops' },
    ] as const)
      await runtime.send('breaker-db', event);
    expect(await project(breakerStatus, house.log)).toMatchObject([{ key: 'db', state: 'metricsOnly' }]);
  });

  it('BS1: knows a breaker without its beginning by its newest fact', () => {
    const stream = 'breaker-db';
    const opened = fact('CircuitOpened', { key: 'db', gen: 1, openUntil: 9, reason: 'consecutive' }, { stream });
    expect(foldOf(breakerStatus, [stimulus('EventReceived', {}, { stream }), opened])).toMatchObject([
      { key: 'db', state: 'open', openUntil: 9, since: 0, opened: 1 },
    ]);
    const off = fact('CircuitDisabled', { key: 'db', gen: 2, mode: 'metricsOnly' }, { stream });
    expect(foldOf(breakerStatus, [opened, off])).toMatchObject([{ state: 'metricsOnly', openUntil: null }]);
  });
});

describe('handlerHistory', () => {
  const error = { class: 'server', name: 'Error', message: 'away', fingerprint: '0' };
  const place = { scope: 'step', subject: 'pack' };
  const started = (handler: string) => fact('HandlerStarted', { handler, ...place, error });
  const first = stimulus('ActorStarted', { transitions: [{ actor: '/', event: 'xstate.init', to: 'running' }] });

  it('HH1: puts beginning and end of each run together, in order', () => {
    const { runs } = foldOf(handlerHistory, [
      first,
      started('refill'),
      fact('HandlerStarted', { handler: 'inner', scope: 'step', subject: 'refill', error }),
      fact('HandlerCompleted', { handler: 'inner', scope: 'step', subject: 'refill', action: 'skip', attempts: 1 }),
      fact('HandlerCompleted', { handler: 'refill', ...place, action: 'retry', attempts: 2 }),
      stimulus('EffectFailed', { actor: '/pack:3', error: null }),
      started('refill'),
      fact('HandlerFailed', { handler: 'refill', ...place, error: { ...error, message: 'empty' }, original: error }),
      fact('ErrorEscalated', { ...place, error, reason: 'handlerFailed' }),
    ]);
    expect(runs).toMatchObject([
      { order: 0, handler: 'refill', attempt: 1, outcome: 'completed', action: 'retry', attempts: 2, startedAt: 0 },
      { order: 1, handler: 'inner', subject: 'refill', outcome: 'completed', action: 'skip' },
      { order: 2, handler: 'refill', attempt: 2, outcome: 'failed', failure: { message: 'empty' }, startedAt: 5_000 },
      { order: 3, handler: null, outcome: 'escalated', action: 'handlerFailed', correlationId: 'c-1' },
    ]);
    expect(runs[0]!.error).toEqual({ class: 'server', name: 'Error', code: null, message: 'away' });
  });

  it('HH1: counts over all streams', () => {
    const other = { stream: 'order-2', correlationId: 'c-2' };
    const { runs } = foldOf(handlerHistory, [
      first,
      started('a'),
      stimulus('ActorStarted', {}, other),
      fact('HandlerStarted', { handler: 'b', ...place, error }, other),
      stimulus('EventReceived', {}),
      started('c'),
    ]);
    expect(runs.map(({ handler, stream, order }) => `${order} ${stream} ${handler}`)).toEqual([
      '0 order-1 a',
      '1 order-2 b',
      '2 order-1 c',
    ]);
  });

  const rewind = (to: number) =>
    stimulus('ActorRebased', { reason: 'rewound', to, standing: { status: 'active', machines: [] } });
  const done = fact('HandlerCompleted', { handler: 'a', ...place, action: 'skip', attempts: 1 });

  it('HH2: a rewind marks what it takes back, and keeps it', () => {
    const events = [
      first, // 0
      stimulus('EffectFailed', {}), // 1
      started('a'), // 2
      stimulus('EffectSucceeded', {}), // 3
      done, // 4
      stimulus('EffectFailed', {}), // 5
      started('a'), // 6
      rewind(3),
      stimulus('EffectFailed', {}),
      started('a'),
    ];
    const { runs, rewinds } = foldOf(handlerHistory, events);
    expect(runs).toMatchObject([
      { revision: 2, rewound: false, outcome: 'completed', attempt: 1 },
      { revision: 6, rewound: true, outcome: 'cutOff', attempt: 2 },
      { revision: 9, rewound: false, outcome: 'running', attempt: 2 },
    ]);
    expect(rewinds).toEqual([{ stream: 'order-1', revision: 7, to: 3, at: 7_000 }]);
  });

  it('HH2: facts stand with their stimulus, and what was under way at a revision is under way again', () => {
    const begun = [first, stimulus('EffectFailed', {}), started('a')];
    const over = [...begun, stimulus('EffectSucceeded', {}), done];
    // The fact at 2 is of the stimulus at 1.
    const back = foldOf(handlerHistory, [...over, rewind(1)]).runs;
    expect(back).toMatchObject([
      { revision: 2, rewound: true, outcome: 'completed', action: 'skip' },
      { revision: 2, rewound: false, outcome: 'running', action: null, attempt: 1 },
    ]);
    const ended = foldOf(handlerHistory, [...over, rewind(1), stimulus('EffectSucceeded', {}), done]).runs;
    expect(ended.map(({ rewound, outcome }) => [rewound, outcome])).toEqual([
      [true, 'completed'],
      [false, 'completed'],
    ]);
    // To where it had ended: what the first rewind took back is the past again.
    const forth = foldOf(handlerHistory, [...over, rewind(1), rewind(4)]).runs;
    expect(forth.map(({ rewound, outcome }) => [rewound, outcome])).toEqual([
      [false, 'completed'],
      [true, 'cutOff'],
    ]);
    const gone = foldOf(handlerHistory, [...over, rewind(0)]).runs;
    expect(gone.map(({ rewound }) => rewound)).toEqual([true]);
  });

  it('a run of an actor that ends is cut off', () => {
    const end = { transitions: [{ actor: '/', event: 'xstate.stop', to: 'running', status: 'stopped' }] };
    const { runs } = foldOf(handlerHistory, [first, started('a'), stimulus('ActorStopped', end)]);
    expect(runs).toMatchObject([{ outcome: 'cutOff', endedAt: 2_000 }]);
  });

  it('a run that ends with its actor has ended, not been cut off: its fact follows what ended both', () => {
    const end = { transitions: [{ actor: '/', event: 'machine.failed', to: 'failed', status: 'error' }] };
    const { runs } = foldOf(handlerHistory, [
      first,
      started('a'),
      stimulus('EffectSucceeded', end),
      fact('HandlerCompleted', { handler: 'a', ...place, action: 'escalate', attempts: 1 }),
    ]);
    expect(runs).toMatchObject([{ outcome: 'completed', action: 'escalate', attempts: 1 }]);
  });
});

describe('errorContext', () => {
  it('EC1, EC3: keeps the first error of a step that is tried again until it succeeds', async () => {
    const log = await logOfScenario('a step with everything');
    const stories = await project(errorContext, log);
    expect(stories).toMatchObject([
      { stream: 'work-1', error: { message: 'answered 503' }, src: 'call', outcome: 'recovered' },
    ]);
    const types = stories[0]!.followed.map(({ type }) => type);
    expect(types.filter((type) => type === 'RetryScheduled')).toHaveLength(3);
    expect(types.filter((type) => type === 'AttemptFailed')).toHaveLength(2);
    expect(types.at(-1)).toBe('EffectSucceeded');
  });

  it('EC2: follows an error from the step that gave it up to the fallback that answered', async () => {
    const stories = await project(errorContext, await logOfScenario('withFallback of steps'));
    expect(stories).toHaveLength(1);
    expect(stories[0]).toMatchObject({ error: { message: 'answered 503' }, outcome: 'ended' });
    const types = stories[0]!.followed.map(({ type }) => type);
    expect(types).toEqual(expect.arrayContaining(['AttemptFailed', 'RetryExhausted', 'FallbackEntered']));
  });

  it('EC3: ends with the actor that fails of it', async () => {
    const stories = await project(errorContext, await logOfScenario('a step that is exhausted'));
    expect(stories).toMatchObject([{ outcome: 'failed', error: { message: 'answered 503' } }]);
    expect(stories[0]!.followed.at(-1)).toMatchObject({ type: 'RetryExhausted' });
  });

  it('tells two errors in two places apart', async () => {
    const house = new House();
    const fail = effect(async ({ input }: { input: string }) => Promise.reject(new Error(input)));
    const both = setup({ actors: { fail } }).createMachine({
      type: 'parallel',
      states: {
        a: { initial: 'on', states: { on: { invoke: { src: 'fail', input: 'one', onError: 'off' } }, off: {} } },
        b: { initial: 'on', states: { on: { invoke: { src: 'fail', input: 'two', onError: 'off' } }, off: {} } },
      },
    });
    const runtime = await house.open({ both });
    await runtime.start('both', { id: '1' });
    await house.rest();
    const [story, ...more] = await project(errorContext, house.log);
    // Both are the root's: the second is part of what followed the first.
    expect(more).toEqual([]);
    expect(story).toMatchObject({ error: { message: 'one' }, outcome: 'open' });
    expect(story!.followed).toMatchObject([{ type: 'EffectFailed', error: { message: 'two' } }]);
  });

  it('a rewind ends what was open', () => {
    const events = [
      stimulus('ActorStarted', { intents: [{ actor: '/a:1', src: 'a' }] }),
      stimulus('EffectFailed', { actor: '/a:1', error: { name: 'Error', message: 'x' } }),
      stimulus('ActorRebased', { reason: 'rewound', to: 0, standing: { status: 'active', machines: [] } }),
    ];
    expect(foldOf(errorContext, events)).toMatchObject([{ outcome: 'rewound', endedAt: 2_000 }]);
  });
});

describe('correlationTrace', () => {
  const count = (node: TraceNode): number => 1 + node.caused.reduce((sum, each) => sum + count(each), 0);

  it('CT1: holds every event of a correlation once, across streams', async () => {
    for (const { log, events } of await allLives()) {
      for (const id of new Set(events.map(({ meta }) => meta.$correlationId!))) {
        const own = events.filter(({ meta }) => meta.$correlationId === id);
        const trace = await project(correlationTrace(id), log);
        expect(trace.events).toBe(own.length);
        expect(trace.roots.reduce((sum, node) => sum + count(node), 0)).toBe(own.length);
        expect([...trace.streams].sort()).toEqual([...new Set(own.map(({ stream }) => stream))].sort());
      }
    }
  });

  it('goes into actors that an effect has started', async () => {
    const house = new House();
    const child = setup({}).createMachine({ initial: 'on', states: { on: {} } });
    const begin = effect(async ({ context }) => void (await context.start('child', { id: '1' })));
    const parent = setup({ actors: { begin }, types: { context: {} as { n: number } } }).createMachine({
      context: { n: 0 },
      invoke: { id: 'begin', src: 'begin', onDone: { actions: assign({ n: 1 }) } },
    });
    const runtime = await house.open({ parent, child });
    await runtime.start('parent', { id: '1', correlationId: 'trace-me' });
    await house.rest();
    const { streams, roots } = await project(correlationTrace('trace-me'), house.log);
    expect([...streams].sort()).toEqual(['child-1', 'parent-1']);
    expect(roots).toMatchObject([
      {
        ...{ stream: 'parent-1', type: 'ActorStarted' },
        caused: expect.arrayContaining([expect.objectContaining({ stream: 'child-1', type: 'ActorStarted' })]),
      },
    ]);
  });

  it('CT2: shows where a fork comes from', async () => {
    const origin = { stream: 'order-1', revision: 3, correlationId: 'c-1' };
    const place = { stream: 'order-2', correlationId: 'c-2' };
    const log = await logOf([stimulus('ActorStarted', {}), stimulus('ActorStarted', { origin }, place)]);
    expect(await project(correlationTrace('c-2'), log)).toMatchObject({
      roots: [{ stream: 'order-2', origin, caused: [] }],
    });
  });

  it('CT3: is neither so long nor so deep that a long chain of causes breaks it', () => {
    const chain = Array.from({ length: 100_000 }, (_, index) => ({
      id: `e${index}`,
      meta: { $correlationId: 'c', $causationId: index === 0 ? 'e0' : `e${index - 1}` },
    }));
    const trace = correlationTrace('c');
    const rest = {
      type: 'EventReceived',
      schemaVersion: 1,
      stream: 's-1',
      data: {},
      at: 0,
      stimulus: 0,
      isCopy: false,
    };
    const state = chain.reduce(
      (before, event, revision) => trace.apply(before, { ...rest, ...event, revision }),
      trace.initial,
    );
    expect(trace.result(state)).toMatchObject({ events: 100_000 });
    const next = trace.apply(state, { ...rest, ...chain[0]!, id: 'another', revision: 0 });
    expect(next.bundles).toBe(state.bundles);
    expect(next.newest.length).toBeLessThan(500);
  });
});
