/** What answers of the inspector are made of, asked without a server: effects, lists, replays that are kept, refusals. */
import { describe, expect, it } from 'vitest';
import { createMachine } from 'xstate';
import {
  ActorExistsError,
  ConflictError,
  createRuntime,
  InvalidArgumentError,
  LogOwnedError,
  LogReadOnlyError,
  memoryLog,
  NotFoundError,
  type ActorRow,
  type EventLog,
} from '../../src/index.ts';
import { actorsView } from '../../src/inspect/actors-view.ts';
import { EffectViews } from '../../src/inspect/effects-view.ts';
import { answerTo } from '../../src/inspect/refusal.ts';
import { Replays } from '../../src/inspect/replays.ts';
import { rowsView } from '../../src/inspect/rows-view.ts';
import { sealEvent } from '../../src/log/envelope.ts';
import type { Replay } from '../../src/replay/replay.ts';

const { signal } = new AbortController();

/** A frame with as much as effects are made of. */
function frame(revision: number, effects: readonly [actor: string, restarts: number][], more: object = {}) {
  return {
    ...{ revision, lastRevision: revision, at: revision * 10, settled: null, payload: null, facts: [], started: [] },
    effects: effects.map(([actor, restarts]) => ({ actor, src: 'call', restarts })),
    ...more,
  };
}

const begins = (actor: string) => ({ started: [{ actor, src: 'call', restarts: 0 }] });

function replayOf(frames: readonly ReturnType<typeof frame>[]) {
  const replay = {
    first: frames[0]!.revision,
    last: frames.at(-1)!.revision,
    async *frames({ from }: { from: number }) {
      for (const each of frames) if (each.revision >= from) yield each;
    },
  };
  return replay as typeof replay & Replay;
}

async function barsOf(frames: readonly ReturnType<typeof frame>[]) {
  const { bars } = await new EffectViews('full').of(replayOf(frames), signal);
  return bars.map(({ actor, startedRevision, endedRevision, outcome, attempt }) => {
    return [actor, startedRevision, endedRevision, outcome, attempt];
  });
}

describe('the bars of effects', () => {
  it('EF1: end and begin again where an effect was lost with its host', async () => {
    const bars = await barsOf([
      frame(0, [['/a:1', 0]], begins('/a:1')),
      frame(1, [['/a:1', 1]]),
      frame(2, [['/a:1', 1]]),
    ]);
    expect(bars).toEqual([
      ['/a:1', 0, 1, 'lost', 1],
      ['/a:1', 1, null, 'running', 1],
    ]);
  });

  it('EF2: count the attempts at a place, and end with what becomes of them', async () => {
    const failed = {
      settled: { actor: '/a:1', src: 'call', outcome: 'failed' },
      payload: { $error: { name: 'E', message: 'm' } },
    };
    const frames = [
      frame(0, [['/a:1', 0]], begins('/a:1')),
      frame(1, [['/a:2', 0]], { ...failed, ...begins('/a:2') }),
      frame(2, []),
    ];
    expect(await barsOf(frames)).toEqual([
      ['/a:1', 0, 1, 'failed', 1],
      ['/a:2', 1, 2, 'stopped', 2],
    ]);
    const { bars } = await new EffectViews('full').of(replayOf(frames), signal);
    expect(bars.map(({ error, endedAt }) => [error, endedAt])).toEqual([
      ['E: m', 10],
      [null, 20],
    ]);
  });

  it('begin with what runs already, in a fork or after a compaction', async () => {
    expect(await barsOf([frame(7, [['/a:1', 0]])])).toEqual([['/a:1', 7, null, 'running', 1]]);
    const views = new EffectViews('full');
    const replay = replayOf([frame(0, [['/a:1', 0]], begins('/a:1')), frame(1, [])]);
    expect((await views.of(replay, signal)).bars).toHaveLength(1);
    // What was walked was removed.
    Object.assign(replay, replayOf([frame(4, [['/b:2', 0]])]));
    expect((await views.of(replay, signal)).bars).toMatchObject([{ actor: '/b:2', startedRevision: 4 }]);
  });

  it('have facts about their fate beside them', async () => {
    const facts = ['RetryScheduled', 'OrderPaid', 'CircuitOpened'].map((type, at) => ({
      revision: 1 + at,
      type,
      actor: '/',
    }));
    const { marks } = await new EffectViews('full').of(replayOf([frame(0, [], { facts })]), signal);
    expect(marks).toEqual([
      { revision: 1, at: 0, type: 'RetryScheduled', actor: '/' },
      { revision: 3, at: 0, type: 'CircuitOpened', actor: '/' },
    ]);
  });
});

describe('the list of actors', () => {
  const log = {
    async *actors() {
      for (let at = 0; at < 20_001; at++)
        yield { stream: `order-${at}`, machine: 'order', status: 'active' } as ActorRow;
    },
  } as unknown as EventLog;
  const listed = async (query: string, wanted?: number) => {
    const { actors, next } = await actorsView(log, new URLSearchParams(query), wanted);
    return [actors.length, next];
  };

  it('AV1: has so many in a page, and looks at so many for it', async () => {
    expect(await listed('')).toEqual([200, 'order-199']);
    expect(await listed('', 5_000)).toEqual([1_000, 'order-999']);
    expect(await listed('q=nobody')).toEqual([0, 'order-19999']);
  });
});

it('RV1: rows come in pages of so many at most', async () => {
  const log = memoryLog();
  const events = Array.from({ length: 2_001 }, (_, at) => {
    const event = {
      id: `${at}`,
      type: 'EventReceived',
      schemaVersion: 1,
      data: `{"at":${at},"event":{"type":"GO"}}`,
      meta: {},
    };
    return sealEvent(event, { stream: 'order-1', revision: at });
  });
  await log.append('order-1', 'any', events);
  const { rows, next } = await rowsView(log, 'order-1', { from: 0, limit: 5_000, sourceOf: () => undefined });
  expect([rows.length, next, rows[7]!.at]).toEqual([2_000, 2_000, 7]);
});

describe('replays', () => {
  it('IR1: that were used last are kept, and one that could not be opened is not', async () => {
    const log = memoryLog();
    const runtime = await createRuntime({
      log,
      machines: { order: createMachine({}) },
      keepLogOpen: true,
      lease: false,
    });
    const replays = new Replays(log, { machines: {} });
    await expect(replays.glance('order-0')).rejects.toThrow(NotFoundError);
    for (let id = 0; id < 17; id++) await runtime.start('order', { id: `${id}` });
    await runtime.close();
    const [first, second] = [await replays.glance('order-0'), await replays.glance('order-1')];
    for (let id = 2; id < 16; id++) await replays.glance(`order-${id}`);
    expect(await replays.glance('order-0')).toBe(first);
    await replays.glance('order-16');
    expect(await replays.glance('order-0')).toBe(first);
    expect(await replays.glance('order-1')).not.toBe(second);
  });
});

describe('what goes wrong', () => {
  it.each<[error: Error, status: number]>([
    [InvalidArgumentError.of('a', 'b', 'c'), 400],
    [new LogReadOnlyError('app.db', 'it'), 403],
    [new NotFoundError('order-1'), 404],
    [new ActorExistsError('order-1', 'another one', 'Choose another id.'), 409],
    [new LogOwnedError('app.db', 'host/1', 0), 409],
    [new ConflictError('order-1', 'no stream', 3), 409],
    [new Error('boom'), 500],
  ])('has the status that says what it is: %s', (error, status) => {
    expect(answerTo(error, 'full')).toMatchObject({ status, body: { error: { message: error.message } } });
  });
});
