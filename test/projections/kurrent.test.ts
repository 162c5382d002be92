/**
 * Projections as sources for KurrentDB, run in a fake of its engine on the events of real lives: KU1, the source gives what
 * the projection gives on the same events.
 */
import { InvalidArgumentError, type RecordedEvent } from 'rewake';
import {
  breakerStatus,
  correlationTrace,
  errorContext,
  executions,
  handlerHistory,
  pendingTimers,
  portableProjection,
  project,
  recoveryMetrics,
  toKurrentSource,
  type PortableProjection,
} from 'rewake/projections';
import { describe, expect, it } from 'vitest';
import { fact, foldOfRecorded, logOf, stimulus } from './hand-written.ts';
import { runInKurrent } from './kurrent-fake.ts';
import { allLives, type Lived } from './lived.ts';

const portable: Record<string, PortableProjection<never, unknown>> = {
  executions: executions as never,
  pendingTimers: pendingTimers as never,
  breakerStatus: breakerStatus as never,
  recoveryMetrics: recoveryMetrics as never,
  errorContext: errorContext as never,
  handlerHistory: handlerHistory as never,
};

/** As JSON has it: what is undefined is not there. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** Each life whole and cut off: a state in the middle says more than the one at the end. */
async function allPasts(): Promise<(readonly RecordedEvent[])[]> {
  const lives = await allLives();
  return lives.flatMap(({ events }) =>
    [1 / 3, 2 / 3, 1].map((part) => events.slice(0, Math.ceil(events.length * part))),
  );
}

describe.each(Object.entries(portable))('KU1: %s in KurrentDB', (_, projection) => {
  it('gives the same over a whole log', async () => {
    const source = toKurrentSource(projection);
    for (const events of await allPasts()) {
      const { '': whole } = runInKurrent(source, events);
      expect(whole).toEqual({ result: plain(foldOfRecorded(projection as never, events)) });
    }
  });

  it('gives the same for each stream of a category', async () => {
    const source = toKurrentSource(projection, { category: 'work', partition: 'stream', outputState: true });
    for (const events of await allPasts()) {
      const found = runInKurrent(source, events);
      const streams = new Set(events.map(({ stream }) => stream).filter((stream) => stream.startsWith('work-')));
      expect(Object.keys(found).sort()).toEqual([...streams].sort());
      for (const stream of streams) {
        const own = events.filter((event) => event.stream === stream);
        expect(found[stream]).toEqual({ result: plain(foldOfRecorded(projection as never, own)) });
      }
    }
  });
});

it('the lives say something to each of the projections', async () => {
  const counts = { executions: 0, pendingTimers: 0, breakerStatus: 0, steps: 0, stories: 0 };
  for (const events of await allPasts()) {
    counts.executions += foldOfRecorded(executions, events).length;
    counts.pendingTimers += foldOfRecorded(pendingTimers, events).length;
    counts.breakerStatus += foldOfRecorded(breakerStatus, events).filter(({ opened }) => opened > 0).length;
    counts.steps += foldOfRecorded(recoveryMetrics, events).steps.length;
    counts.stories += foldOfRecorded(errorContext, events).length;
  }
  expect(
    Object.values(counts).every((count) => count > 10),
    JSON.stringify(counts),
  ).toBe(true);
});

it('a projection with parameters is carried with them', async () => {
  const [life] = await allLives();
  const { $correlationId: id } = life!.events[0]!.meta;
  const trace = correlationTrace(id!);
  const { '': whole } = runInKurrent(toKurrentSource(trace), life!.events);
  expect(whole).toEqual({ result: plain(await project(trace, life!.log)) });
});

it('values that are more than JSON are read as far as a projection asks for them', async () => {
  const error = { $devalue: [['Error', 1], { name: 2, message: 3 }, 'TypeError', 'broken'] };
  const undefinedRate = {
    $devalue: [{ type: 1, key: 2, gen: 3, rate: -1, reason: 4 }, 'CircuitOpened', 'api', 1, 'probe'],
  };
  const log = await logOf([
    stimulus('ActorStarted', { intents: [{ actor: '/a:1', src: 'a' }] }),
    stimulus('EffectFailed', { actor: '/a:1', error }),
    { ...fact('CircuitOpened', {}), data: undefinedRate },
  ]);
  const events: RecordedEvent[] = [];
  for await (const event of log.readAll()) events.push(event);
  for (const projection of [errorContext, breakerStatus, executions]) {
    const { '': whole } = runInKurrent(toKurrentSource(projection as never), events);
    expect(whole).toEqual({ result: plain(await project(projection as never, log)) });
  }
  expect(await project(errorContext, log)).toMatchObject([{ error: { name: 'TypeError', message: 'broken' } }]);
  expect(await project(breakerStatus, log)).toMatchObject([{ key: 'api', state: 'open', reason: 'probe' }]);
});

it('what a fork has copied is known there, too', async () => {
  const events = (await allLives())[0]!.events.map((event) =>
    event.meta.actor === undefined ? { ...event, meta: { ...event.meta, $seed: event.id } } : event,
  );
  const { '': whole } = runInKurrent(toKurrentSource(recoveryMetrics), events);
  expect(whole).toEqual({ result: { steps: [], tools: [] } });
  expect(foldOfRecorded(recoveryMetrics, events)).toEqual({ steps: [], tools: [] });
});

it('events of the server itself are not looked at', async () => {
  const [{ events }] = (await allLives()) as [Lived];
  const own = { ...events[0]!, type: '$metadata', data: 'not json' };
  const { '': whole } = runInKurrent(toKurrentSource(executions), [own, ...events]);
  expect(whole).toEqual(runInKurrent(toKurrentSource(executions), events)['']);
});

it('a fold that needs a name from outside fails where it runs', async () => {
  const [life] = await allLives();
  const outside = 3;
  const leaking = portableProjection('leaking', 1, () => ({
    initial: 0,
    apply: (state: number) => state + outside,
    result: (state: number) => state,
  }));
  expect(() => runInKurrent(toKurrentSource(leaking), life!.events)).toThrow('outside is not defined');
});

it('a projection that is a closure is refused', () => {
  const closure = { name: 'closure', version: 1, initial: 0, apply: (state: number) => state };
  expect(() => toKurrentSource(closure)).toThrow(InvalidArgumentError);
});
