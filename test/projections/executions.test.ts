/**
 * What `executions` and `pendingTimers` make of the log, against what the runtime says of the same actors, and what an actor
 * waits for.
 */
import { effect } from 'rewake';
import { approval, breaker, step } from 'rewake/machines';
import { executions, pendingTimers, project, type Execution } from 'rewake/projections';
import { describe, expect, it } from 'vitest';
import { setup } from 'xstate';
import { resultOf } from '../../projections/projection.ts';
import { advanced, beginning } from '../../projections/reading.ts';
import { House } from '../support/house.ts';
import { fact, foldOf, stimulus } from './hand-written.ts';
import { lived, scenarios, type Lived } from './lived.ts';

/** What the runtime said of each actor at each append, and what the projections say there. */
function compared({ events, heads }: Lived) {
  let where = beginning(executions);
  let timers = beginning(pendingTimers);
  const runtime: Record<string, unknown> = {};
  const projected: Record<string, unknown> = {};
  for (const event of events) {
    where = advanced(where, { type: 'event', event }, executions, {});
    timers = advanced(timers, { type: 'event', event }, pendingTimers, {});
    const at = `${event.stream}@${event.revision}`;
    const head = heads.get(at);
    if (!head) continue;
    const { status, wakeAt, correlationId, effects, machine, version } = head;
    runtime[at] = { status, wakeAt, correlationId, effects, machine, version };
    const found = resultOf(executions, where.state).find(({ stream }) => stream === event.stream)!;
    const [next] = resultOf(pendingTimers, timers.state).filter(({ stream }) => stream === event.stream);
    projected[at] = {
      ...{ status: found.status, correlationId: found.correlationId, machine: found.machine, version: found.version },
      wakeAt: next?.dueAt ?? null,
      effects: found.waits.filter((wait) => wait.for === 'effect').length,
    };
  }
  return { runtime, projected };
}

async function valuesOf({ log }: Lived) {
  const found = await project(executions, log);
  return Object.fromEntries(found.map(({ stream, state }) => [stream, state]));
}

describe('EX1, PT1: the projections say what the runtime says, at every append', () => {
  it.each(scenarios)('%s', async (_, scenario) => {
    const life = await lived(scenario);
    const { runtime, projected } = compared(life);
    expect(Object.keys(runtime).length).toBeGreaterThan(0);
    expect(projected).toEqual(runtime);
    expect(await valuesOf(life)).toEqual(life.values);
  });

  it.each(scenarios)('%s, whose host dies in the middle', async (_, scenario) => {
    const { appends } = await lived(scenario);
    for (const phase of ['beforeAppend', 'afterAppend'] as const) {
      const life = await lived(scenario, { append: Math.floor(appends / 2), phase });
      const { runtime, projected } = compared(life);
      expect(projected, phase).toEqual(runtime);
      expect(await valuesOf(life), phase).toEqual(life.values);
    }
  });
});

describe('what an actor waits for', () => {
  const failing = async () => {
    throw Object.assign(new Error('away'), { status: 503 });
  };
  const waitsOf = async (house: House, stream: string) => (await only(house, stream)).waits;
  const only = async (house: House, stream: string): Promise<Execution> =>
    (await project(executions, house.log, { stream }))[0]!;

  it('is a timer and a running effect', async () => {
    const house = new House();
    const slow = effect(() => new Promise(() => {}));
    const work = setup({ actors: { slow } }).createMachine({
      initial: 'open',
      states: { open: { invoke: { id: 'slow', src: 'slow' }, after: { 60_000: 'late' } }, late: {} },
    });
    const runtime = await house.open({ work });
    await runtime.start('work', { id: '1' });
    const begun = house.clock.now();
    expect(await waitsOf(house, 'work-1')).toEqual([
      { for: 'effect', actor: '/slow:1', src: 'slow', since: begun },
      expect.objectContaining({ for: 'timer', actor: '/', dueAt: begun + 60_000 }),
    ]);
    await house.advance(60_000);
    expect(await only(house, 'work-1')).toMatchObject({ state: 'late', since: begun + 60_000, startedAt: begun });
    expect(await waitsOf(house, 'work-1')).toEqual([{ for: 'event', actor: '/' }]);
  });

  it('is the next attempt of a step', async () => {
    const house = new House();
    const work = step('charge', failing, { retry: { maxAttempts: 3, backoff: { initialDelay: 100, jitter: 'none' } } });
    const runtime = await house.open({ work });
    await runtime.start('work', { id: '1' });
    await house.rest();
    expect(await waitsOf(house, 'work-1')).toEqual([
      { for: 'retry', actor: '/', step: 'charge', attempt: 1, dueAt: house.clock.now() + 100 },
    ]);
  });

  it('is a breaker that is open', async () => {
    const house = new House();
    const options = {
      retry: { maxAttempts: 9, backoff: { initialDelay: 100, jitter: 'none' } },
      breaker: { key: 'bank', consecutive: 1, wait: '1h' },
    } as const;
    const runtime = await house.open({ work: step('charge', failing, options), breaker });
    await runtime.start('work', { id: '1' });
    await house.advance(100);
    const [first] = await waitsOf(house, 'work-1');
    expect(first).toMatchObject({ for: 'breaker', step: 'charge', error: { code: 'REWAKE_BREAKER_OPEN' } });
  });

  it('is a person, until the person has answered', async () => {
    const house = new House();
    const runtime = await house.open({ refund: approval('refund') });
    await runtime.start('refund', { id: '1', input: { title: 'Refund 42?', choices: ['all', 'half'] } } as never);
    const [ask] = await waitsOf(house, 'refund-1');
    expect(ask).toMatchObject({
      for: 'person',
      actor: '/',
      subject: 'refund',
      message: 'Refund 42?',
      choices: ['all', 'half'],
    });
    await runtime.send('refund-1', { type: 'approval.chosen', by: 'ann', choice: 'half' } as never);
    expect(await only(house, 'refund-1')).toMatchObject({ status: 'done', waits: [] });
  });

  it('is a person where a lost effect is to be decided about', async () => {
    const house = new House();
    const slow = effect(() => new Promise(() => {}), { onLost: 'ask' });
    const work = setup({ actors: { slow } }).createMachine({ invoke: { id: 'slow', src: 'slow' } });
    const { runtime, crash } = await house.openToCrash({ work });
    await runtime.start('work', { id: '1' });
    await house.rest();
    crash();
    await house.open({ work });
    await house.rest();
    expect(await waitsOf(house, 'work-1')).toMatchObject([{ for: 'person', actor: '/slow:1', subject: 'slow' }]);
  });

  it('is told of an actor that failed by its error', async () => {
    const house = new House();
    const runtime = await house.open({ work: step('charge', failing, {}) });
    const ref = await runtime.start('work', { id: '1' });
    await ref.output().catch(() => {});
    expect(await only(house, 'work-1')).toMatchObject({
      ...{ status: 'error', endedAt: house.clock.now(), waits: [] },
      error: { name: 'Error', message: 'away' },
    });
  });
});

describe('what the log shows of time and of effects', () => {
  const never = effect(() => new Promise(() => {}));

  it('since is the time at which it came into its state, whatever it hears there', async () => {
    const house = new House();
    const runtime = await house.open({
      work: setup({}).createMachine({ on: { PING: {} }, initial: 'on', states: { on: {} } }),
    });
    await runtime.start('work', { id: '1' });
    const begunAt = house.clock.now();
    await house.advance(1_000);
    await runtime.send('work-1', { type: 'PING' });
    const [found] = await project(executions, house.log);
    expect(found).toMatchObject({ since: begunAt, revision: 1 });
  });

  it('EX2: by an id of XState an effect belongs to its state alone; by another to all that were entered', async () => {
    const waits = async (invoke: object) => {
      const house = new House();
      const work = setup({ actors: { never } }).createMachine({
        initial: 'out',
        states: {
          out: { on: { GO: 'in' } },
          in: { initial: 'a', states: { a: { invoke: { src: 'never', ...invoke }, on: { GO: 'b' } }, b: {} } },
        },
      });
      const runtime = await house.open({ work });
      await runtime.start('work', { id: '1' });
      await runtime.send('work-1', { type: 'GO' });
      await runtime.send('work-1', { type: 'GO' });
      const [found] = await project(executions, house.log);
      expect(found?.state).toEqual({ in: 'b' });
      return found!.waits.map((wait) => wait.for);
    };
    expect(await waits({})).toEqual(['event']);
    // The log does not say that it was stopped: it is shown until something does.
    expect(await waits({ id: 'mine' })).toEqual(['effect']);
  });

  it('EX2: an effect that shows a sign of life after its state was left is running', async () => {
    const events = [
      stimulus('ActorStarted', {
        transitions: [{ actor: '/', event: 'xstate.init', to: 'a' }],
        intents: [{ actor: '/watch:1', src: 'watch' }],
      }),
      stimulus('EventReceived', { transitions: [{ actor: '/', event: 'GO', to: 'b' }] }),
    ];
    expect(foldOf(executions, events)).toMatchObject([{ waits: [{ for: 'event' }] }]);
    const progress = stimulus('EffectProgressed', { actor: '/watch:1', channel: 'checkpoint', value: 1 });
    expect(foldOf(executions, [...events, progress])).toMatchObject([
      { waits: [{ for: 'effect', actor: '/watch:1', src: 'watch', since: 0 }] },
    ]);
  });
});

describe('flows and rebases, on events as their machines will write them', () => {
  const flow = { flow: 'order', step: 'pack', phase: 'main' };
  const begun = stimulus('ActorStarted', { transitions: [{ actor: '/', event: 'xstate.init', to: 'running' }] });

  it('shows the steps that run and the person that is asked', () => {
    const asks = { flow: 'order', subject: 'pack', handler: 'ask', message: 'Pack by hand?', choices: ['yes', 'no'] };
    const running = [begun, fact('FlowStepStarted', flow), fact('InterventionRequested', { ...asks, error: null })];
    const [asked] = foldOf(executions, running);
    expect(asked).toMatchObject({
      steps: [{ flow: 'order', step: 'pack', phase: 'main' }],
      waits: [{ for: 'person', subject: 'pack', message: 'Pack by hand?', choices: ['yes', 'no'] }],
    });
    const answered = fact('InterventionAnswered', { flow: 'order', subject: 'pack', handler: 'ask', choice: 'yes' });
    const [done] = foldOf(executions, [...running, answered, fact('FlowStepCompleted', { ...flow, by: 'step' })]);
    expect(done).toMatchObject({ steps: [], waits: [{ for: 'event' }] });
  });

  it('EX3: a rebase sets what stands, and nothing else stands', () => {
    const armed = [{ timer: 0, actor: '/', id: 'late', dueAt: 9 }];
    const before = [
      begun,
      stimulus('EventReceived', { armed, intents: [{ actor: '/pay:1', src: 'pay' }] }),
      fact('FlowStepStarted', flow),
      stimulus('ActorStopped', {
        transitions: [{ actor: '/', event: 'xstate.stop', to: 'running', status: 'stopped' }],
      }),
    ];
    expect(foldOf(executions, before)).toMatchObject([{ status: 'stopped', waits: [], steps: [] }]);
    const standing = {
      status: 'active',
      machines: [{ actor: '/', to: 'waiting' }],
      effects: [{ actor: '/ask:4', src: 'ask' }],
      timers: [{ timer: 7, actor: '/', id: 'soon', dueAt: 5 }],
    };
    const rebased = [...before, stimulus('ActorRebased', { reason: 'resumed', version: '2', standing })];
    expect(foldOf(executions, rebased)).toMatchObject([
      {
        ...{ status: 'active', state: 'waiting', version: '2', endedAt: null, error: null, steps: [] },
        waits: [
          { for: 'effect', actor: '/ask:4', src: 'ask' },
          { for: 'timer', id: 'soon', dueAt: 5 },
        ],
      },
    ]);
    expect(foldOf(pendingTimers, rebased)).toMatchObject([{ timer: 7 }]);
  });
});
