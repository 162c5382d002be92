/**
 * Acceptance of "Resume with Error Recovery": the correlation id of a flow, its handlers and whom they call, over a crash, a
 * failure, a resume, a rewind and a fork. Each host opens the SQLite file anew.
 */
import { describe, expect, it } from 'vitest';
import type { AnyStateMachine } from 'xstate';
import type { Runtime } from 'rewake';
import { correlationTrace, handlerHistory, project, type TraceNode } from 'rewake/projections';
import { breaker } from '../../machines/breaker.ts';
import { flow } from '../../machines/flow.ts';
import { handler } from '../../machines/handler.ts';
import { retry } from '../../machines/recovery-actions.ts';
import { FileHouse } from '../support/file-house.ts';
import { failureOf, type ReadEvent } from '../support/house.ts';
import { failing, hanging, World } from './file-lives.ts';

/** A flow whose step is behind a breaker, and whose handler is running when its host dies. */
async function crashed() {
  const house = new FileHouse();
  const world = new World();
  const answers = { mend: hanging };
  const machine = flow('order', {
    steps: {
      pack: { run: world.work('pack') },
      charge: {
        run: world.work(
          'charge',
          failing(3, () => Object.assign(new Error('busy'), { status: 503 }), 'receipt'),
        ),
        needs: ['pack'],
        breaker: { key: 'bank', consecutive: 9 },
        onFailure: [
          handler({
            id: 'mend',
            run: world.work('mend', (...call) => answers.mend(...call)),
            then: retry({ maxAttempts: 2 }),
          }),
        ],
      },
    },
  }) as unknown as AnyStateMachine;
  const machines = { flow: machine, breaker };
  const { runtime, crash } = await house.openToCrash(machines);
  await runtime.start('flow', { id: '1', correlationId: 'request-1' } as never);
  await house.rest();
  expect(world.begun).toEqual(['pack', 'charge', 'mend']);
  crash();
  answers.mend = () => 'mended';
  const nextHost = async () => (await house.open(machines)) as unknown as Runtime;
  return { house, world, nextHost };
}

/** The same, after the flow has failed in the second host. */
async function failed() {
  const { house, world, nextHost } = await crashed();
  const second = await nextHost();
  await failureOf((await second.get('flow-1')).output());
  await house.rest();
  expect(world.calls.charge).toBe(2);
  await second.close();
  house.restart();
  return { house, world, runtime: await nextHost() };
}

const idsOf = (events: readonly ReadEvent[]) => [...new Set(events.map(({ meta }) => meta.$correlationId))];
const idsIn = (nodes: readonly TraceNode[]): string[] => nodes.flatMap(({ id, caused }) => [id, ...idsIn(caused)]);

describe('Error correlation IDs are maintained across resume', () => {
  it('by a flow, its handlers and the breaker that it asks, after its host has died', async () => {
    const { house } = await failed();
    const events = await house.events('flow-1');
    expect(events.filter(({ type }) => type === 'HandlerStarted')).toHaveLength(2);
    expect(idsOf(events)).toEqual(['request-1']);
    const bank = (await house.events('breaker-bank')).filter(({ type }) => type === 'EventReceived');
    expect(bank.length).toBeGreaterThan(1);
    expect(idsOf(bank)).toEqual(['request-1']);
  });

  it('by a flow that is resumed after it has failed, and every hop is under the one that caused it', async () => {
    const { house, runtime } = await failed();
    const before = (await house.events('flow-1')).length;
    const ref = await runtime.resume('flow-1');
    expect(await ref.output()).toEqual({ pack: 'PACK', charge: 'receipt' });
    const events = await house.events('flow-1');
    expect(events[before]).toMatchObject({ type: 'ActorRebased', data: { reason: 'resumed' } });
    expect(idsOf(events)).toEqual(['request-1']);

    const trace = await project(correlationTrace('request-1'), house.log);
    expect(trace.streams).toEqual(['flow-1', 'breaker-bank']);
    const traced = idsIn(trace.roots);
    expect(new Set(traced).size).toBe(traced.length);
    for (const { id, type } of events) expect(traced, type).toContain(id);

    const { runs } = await project(handlerHistory, house.log);
    expect(runs.map(({ handler: id, outcome, action, correlationId }) => [id, outcome, action, correlationId])).toEqual(
      [
        ['mend', 'completed', 'retry', 'request-1'],
        ['mend', 'completed', 'escalate', 'request-1'],
        [null, 'escalated', 'retriesExhausted', 'request-1'],
        ['mend', 'completed', 'retry', 'request-1'],
      ],
    );
  });

  it('by a flow that is taken back, which keeps what it did since', async () => {
    const { house, world, runtime } = await failed();
    const events = await house.events('flow-1');
    const packed = events.findIndex(({ type }) => type === 'FlowStepCompleted');
    const ref = await runtime.rewind('flow-1', { to: packed });
    expect(await ref.output()).toEqual({ pack: 'PACK', charge: 'receipt' });
    const since = await house.events('flow-1');
    expect(since.slice(0, events.length)).toEqual(events);
    expect(since[events.length]).toMatchObject({ type: 'ActorRebased', data: { reason: 'rewound', to: packed } });
    expect(idsOf(since)).toEqual(['request-1']);
    expect(world.calls.pack).toBe(1);
  });

  it('by a fork as its origin: it has an id of its own', async () => {
    const { house, runtime } = await failed();
    const original = await house.events('flow-1');
    const packed = original.findIndex(({ type }) => type === 'FlowStepCompleted');
    const copy = await runtime.fork('flow-1', { at: packed, id: '2', correlationId: 'request-2' });
    await copy.output();
    const events = await house.events('flow-2');
    expect(idsOf(events)).toEqual(['request-2']);
    expect(events[0]!.data.origin).toEqual({ stream: 'flow-1', revision: packed, correlationId: 'request-1' });
    expect(await house.events('flow-1')).toEqual(original);
    await runtime.fork('flow-1', { at: packed, id: '3' });
    const own = idsOf(await house.events('flow-3'));
    expect(own).toHaveLength(1);
    expect(['request-1', 'request-2']).not.toContain(own[0]);
  });
});
