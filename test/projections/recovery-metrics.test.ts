/**
 * What `recoveryMetrics` counts, and that it is a monoid over streams.
 */
import { fc, test } from '@fast-check/vitest';
import { concatAll, type Monoid } from 'fp-ts/lib/Monoid.js';
import type { RecordedEvent } from 'rewake';
import { flow, handler, retry, step, toolMetrics } from 'rewake/machines';
import { project, recoveryMetrics, type RecoveryMetricsState } from 'rewake/projections';
import { describe, expect, it } from 'vitest';
import { setup } from 'xstate';
import { advanced, beginning } from '../../projections/reading.ts';
import { House } from '../support/house.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { fact, foldOf, logOf, stimulus } from './hand-written.ts';
import { allLives, lived, scenarios } from './lived.ts';

/** A step of the metrics by its name. */
async function stepOf(name: string, scenario: string) {
  const { log } = await lived(scenarios.find(([each]) => each === scenario)![1]);
  return (await project(recoveryMetrics, log)).steps.find(({ step: each }) => each === name);
}

describe('steps', () => {
  it('counts attempts, retries and the time to recover', async () => {
    expect(await stepOf('work', 'a step with everything')).toEqual({
      step: 'work',
      ...{ runs: 1, succeeded: 1, failed: 0, stopped: 0, retried: 1, fallbacks: 0, attempts: 3, recovered: 1 },
      // Of four calls one gave a result that the step refused: no attempt failed, as its facts have it.
      ...{ successRate: 1, averageAttempts: 3, retryRate: 1, fallbackRate: 0 },
      // The first failure is at 100 ms; then wait, a timeout of 2 s, wait, 200 ms, wait, 300 ms.
      averageRecoveryMs: 100 + 2_000 + 200 + 200 + 400 + 300,
    });
  });

  it('counts one that is given up', async () => {
    expect(await stepOf('work', 'a step that is exhausted')).toMatchObject({
      ...{ runs: 1, succeeded: 0, failed: 1, attempts: 3, successRate: 0, averageRecoveryMs: null },
    });
  });

  it('counts fallbacks', async () => {
    expect(await stepOf('fallback', 'withFallback of steps')).toMatchObject({
      ...{ runs: 1, succeeded: 1, fallbacks: 1, fallbackRate: 1, recovered: 1 },
    });
    expect(await stepOf('first', 'withFallback of steps')).toMatchObject({ runs: 1, failed: 1, attempts: 3 });
  });

  it('RM2: counts runs without any failure once the place has told that it is a step', async () => {
    const house = new House();
    let calls = 0;
    const pay = step('pay', async () => void (++calls === 2 && (await Promise.reject(new Error('busy')))), {
      retry: 3,
    });
    const order = setup({ actors: { pay } }).createMachine({
      initial: 'paying',
      states: { paying: { invoke: { id: 'pay', src: 'pay', onDone: 'paid' } }, paid: { type: 'final' } },
    });
    const runtime = await house.open({ order }, { random: () => 0 });
    for (const id of ['1', '2', '3', '4']) {
      await runtime.start('order', { id });
      await house.advance(60_000);
    }
    const { steps } = await project(recoveryMetrics, house.log);
    expect(steps).toMatchObject([{ step: 'pay', runs: 4, succeeded: 4, attempts: 5, retryRate: 1 / 4, recovered: 1 }]);
  });

  it('counts the steps of flows, their handlers and their fallbacks, on events as their machine will write them', () => {
    const pack = { flow: 'order', step: 'pack', phase: 'main' };
    const handled = { scope: 'step', subject: 'pack', handler: 'h' };
    const run = (stream: string, end: object) => [
      stimulus('ActorStarted', {}, { stream }),
      fact('FlowStepStarted', pack, { stream }),
      stimulus('EffectFailed', { actor: '/pack:1', error: null }, { stream }),
      fact('HandlerStarted', { ...handled, error: null }, { stream }),
      stimulus('EffectSucceeded', { actor: '/h:2' }, { stream }),
      fact('HandlerCompleted', { ...handled, action: 'retry', attempts: 1 }, { stream }),
      fact('FlowStepCompleted', { ...pack, ...end }, { stream }),
    ];
    const { steps } = foldOf(recoveryMetrics, [
      ...run('order-1', { by: 'step' }),
      ...run('order-2', { by: 'fallback' }),
    ]);
    expect(steps).toMatchObject([
      { step: 'order/pack', runs: 2, succeeded: 2, retried: 2, fallbacks: 1, fallbackRate: 0.5, recovered: 2 },
    ]);
    // From the failure, two events after the start, to the last event: each event of these is a second later.
    expect(steps[0]!.averageRecoveryMs).toBe(2_000);
  });
});

it('tools are counted as toolMetrics counts them', async () => {
  const called = { outcome: 'succeeded', fallbackIndex: 0, attempts: 1, cost: 2, unit: 'USD', durationMs: 10 };
  const facts = [
    { tool: 'vision', ...called },
    { tool: 'vision', ...called, attempts: 3, durationMs: 500 },
    { tool: 'vision', ...called, outcome: 'failed', attempts: 2 },
    { tool: 'local', ...called, fallbackIndex: 1 },
    { tool: 'vision', ...called, outcome: 'skipped', attempts: 0 },
  ].map((data) => fact('ToolCalled', data));
  const log = await logOf([stimulus('ActorStarted', {}), ...facts]);
  const events: RecordedEvent[] = [];
  for await (const event of log.readAll()) events.push(event);
  const { tools } = toolMetrics(events);
  const found = await project(recoveryMetrics, log);
  expect(found.tools.map(({ tool }) => tool)).toEqual(['local', 'vision']);
  for (const { tool, ...mine } of found.tools) {
    const theirs = tools[tool]!;
    expect([mine.runs, mine.succeeded, mine.failed, mine.attempts, mine.averageAttempts, mine.retryRate]).toEqual([
      ...[theirs.calls, theirs.succeeded, theirs.failed, theirs.attempts, theirs.averageAttempts, theirs.retryRate],
    ]);
  }
  expect(found.tools[1]).toMatchObject({ recovered: 1, averageRecoveryMs: 500, fallbackRate: 0 });
  expect(found.tools[0]).toMatchObject({ fallbackRate: 1 });
});

/** Appends of all lives, the streams of each with names of their own. */
async function lifeAppends(): Promise<RecordedEvent[][][]> {
  const lives = await allLives();
  return lives.map(({ events }, life) => {
    const appends: RecordedEvent[][] = [];
    for (const event of events) {
      const own = { ...event, stream: `${event.stream}.${life}` };
      if (event.meta.actor === undefined) appends.push([own]);
      else appends.at(-1)!.push(own);
    }
    return appends;
  });
}

function fold(events: readonly RecordedEvent[]): RecoveryMetricsState {
  let progress = beginning(recoveryMetrics);
  for (const event of events) progress = advanced(progress, { type: 'event', event }, recoveryMetrics, {});
  return progress.state;
}

/** The appends of some lives, in an order in which a log may have them; each stream in its own. */
function interleaved(lives: readonly RecordedEvent[][][], draws: readonly number[]): RecordedEvent[] {
  const queues = lives.map((appends) => [...appends]);
  const all: RecordedEvent[] = [];
  for (let turn = 0; queues.some(({ length }) => length > 0); turn++) {
    const left = queues.filter(({ length }) => length > 0);
    all.push(...left[draws[turn % draws.length]! % left.length]!.shift()!);
  }
  return all;
}

const sample = fc.record({
  picks: fc.array(fc.nat(), { minLength: 3, maxLength: 6 }),
  draws: fc.array(fc.nat(1_000), { minLength: 5, maxLength: 40 }),
  parts: fc.array(fc.nat(2), { minLength: 5, maxLength: 40 }),
  cut: fc.double({ min: 0, max: 1, noNaN: true }),
});

const { empty, concat } = recoveryMetrics;

describe('the steps of a flow', () => {
  it('count the call that nothing recovered, and once where handlers were there for it', async () => {
    const house = new House();
    const run = async () => {
      throw new Error('broken');
    };
    const again = handler({ id: 'again', then: retry({ maxAttempts: 3 }) });
    const onward = handler({ id: 'onward' });
    const machines = {
      bare: flow('bare', { steps: { a: { run } } }),
      again: flow('again', { steps: { a: { run, onFailure: [again] } } }),
      onward: flow('onward', { steps: { a: { run, onFailure: [onward] } } }),
      command: flow('command', { steps: { a: { run, onCommandFailure: [again] } } }),
    };
    const runtime = await house.open(machines);
    for (const name of ['bare', 'again', 'onward', 'command'] as const) await runtime.start(name, { id: '1' });
    await house.rest();
    const { steps } = await project(recoveryMetrics, house.log);
    expect(
      Object.fromEntries(steps.map(({ step, runs, failed, attempts }) => [step, [runs, failed, attempts]])),
    ).toEqual({
      'bare/a': [1, 1, 1],
      'again/a': [1, 1, 3],
      'onward/a': [1, 1, 1],
      'command/a': [1, 1, 3],
    });
  });
});

describe('RM1: it is a monoid', () => {
  test.prop([sample], propertyRuns(100))('folding streams apart and merging is folding the whole', async (given) => {
    const lives = await lifeAppends();
    const picked = [...new Set(given.picks.map((pick) => pick % lives.length))].map((index) => lives[index]!);
    const all = interleaved(picked, given.draws);
    const events = all.slice(0, Math.ceil(all.length * given.cut));
    const streams = [...new Set(events.map(({ stream }) => stream))];
    const partOf = (stream: string) => given.parts[streams.indexOf(stream) % given.parts.length]!;
    const parts = [0, 1, 2].map((part) => fold(events.filter(({ stream }) => partOf(stream) === part)));
    expect(parts.reduce(concat, empty)).toEqual(fold(events));
    expect(parts.reduceRight((sum, part) => concat(part, sum), empty)).toEqual(fold(events));
  });

  test.prop([fc.tuple(sample, sample, sample)], propertyRuns(100))(
    'merging is associative, and what is empty changes nothing, also where streams meet',
    async (given) => {
      const lives = await lifeAppends();
      const [x, y, z] = given.map(({ picks, draws, cut }) => {
        const all = interleaved(
          [...new Set(picks.map((pick) => pick % lives.length))].map((index) => lives[index]!),
          draws,
        );
        return fold(all.slice(0, Math.ceil(all.length * cut)));
      }) as [RecoveryMetricsState, RecoveryMetricsState, RecoveryMetricsState];
      expect(concat(concat(x, y), z)).toEqual(concat(x, concat(y, z)));
      expect(concat(empty, x)).toEqual(x);
      expect(concat(x, empty)).toEqual(x);
    },
  );

  it('is one of fp-ts', async () => {
    const monoid: Monoid<RecoveryMetricsState> = recoveryMetrics;
    const lives = (await lifeAppends()).slice(0, 6);
    expect(concatAll(monoid)(lives.map((appends) => fold(appends.flat())))).toEqual(fold(lives.flat(2)));
  });
});
