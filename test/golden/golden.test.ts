/**
 * Logs of every released format fold for ever: to the states that the version which wrote them was in.
 *
 * To keep the logs of another format: `REWAKE_GOLDEN=<version> npx vitest run test/golden`. See lives.ts.
 */
import { describe, expect, it } from 'vitest';
import { verifyEvent } from '../../src/log/envelope.ts';
import type { RecordedEvent } from '../../src/log/event-log.ts';
import { loadActor } from '../../src/runtime/load.ts';
import type { Machines } from '../../src/runtime/machines.ts';
import { houses } from '../support/file-house.ts';
import { House } from '../support/house.ts';
import { loadServices } from '../support/load-services.ts';
import { all } from '../stores/sqlite/log-files.ts';
import { endOf, goldenNames, goldenVersions, readGolden, writeGolden, type EndStates } from './format.ts';
import { lives } from './lives.ts';

const runtimeTypes = [
  ...['ActorStarted', 'EventReceived', 'EffectSucceeded', 'EffectFailed', 'EffectProgressed', 'TimerFired'],
  ...['ActorResumed', 'ActorStopped', 'ActorRebased'],
];
const effectChannels = ['next', 'parent', 'self', 'emit', 'checkpoint', 'interrupted'];

const lifeOf = (name: string) => lives.find((life) => life.name === name)!;
const streamsOf = (events: readonly RecordedEvent[]) => [...new Set(events.map(({ stream }) => stream))];

/** Every actor of a house, folded without anything being done about it. */
async function endsIn(house: House, streams: readonly string[], machines: Machines): Promise<EndStates> {
  const services = loadServices(house.log, machines);
  const ends: [string, EndStates[string]][] = [];
  for (const stream of streams) ends.push([stream, endOf((await loadActor(stream, services)).tree)]);
  return Object.fromEntries(ends);
}

/** Puts the events of a golden log into an empty one, as they were. */
async function keep(house: House, events: readonly RecordedEvent[], machines: Machines): Promise<void> {
  for (const stream of streamsOf(events)) {
    const own = events.filter((event) => event.stream === stream);
    const [machine] = Object.keys(machines).filter((name) => stream.startsWith(`${name}-`));
    const head = { machine: machine!, version: null, status: 'active', correlationId: '', wakeAt: null, effects: 1 };
    await house.log.append(stream, 'no-stream', own, { actor: { ...head, status: 'active' } });
  }
}

const logs = goldenVersions().flatMap((version) => goldenNames(version).map((name) => [version, name] as const));

describe.for(houses)('%s', ([, build]) => {
  it.for(logs)('the log of %s called %s folds to the states it ended in', async ([version, name]) => {
    const { events, ends } = readGolden(version, name);
    const { machines } = lifeOf(name);
    const house = build();
    await keep(house, events, machines);
    const kept = await all(house.log.readAll());
    expect(kept.map(({ recordedAt: _, position: __, ...event }) => event)).toEqual(
      streamsOf(events).flatMap((stream) =>
        events.filter((event) => event.stream === stream).map(({ recordedAt: _, position: __, ...event }) => event),
      ),
    );
    for (const event of kept) verifyEvent(event);
    expect(await endsIn(house, streamsOf(events), machines)).toEqual(ends);
  });

  it.for(logs)('the actors of %s called %s go on', async ([version, name]) => {
    const { events } = readGolden(version, name);
    const { machines } = lifeOf(name);
    const house = build();
    await keep(house, events, machines);
    await house.clock.advance(events.at(-1)!.recordedAt - house.clock.now());
    const runtime = await house.open(machines);
    await house.rest();
    for await (const { stream, status, reason } of runtime.list())
      expect([stream, status, reason]).not.toContain('blocked');
    await runtime.close();
  });
});

describe('the golden logs', () => {
  it('hold every event of the runtime and every channel of an effect', () => {
    for (const version of goldenVersions()) {
      const events = goldenNames(version).flatMap((name) => readGolden(version, name).events);
      const types = new Set(events.filter(({ meta }) => meta.actor === undefined).map(({ type }) => type));
      for (const type of runtimeTypes) expect(types, version).toContain(type);
      const channels = new Set(
        events.flatMap(({ type, data }) =>
          type === 'EffectProgressed' ? [(JSON.parse(data) as { channel: string }).channel] : [],
        ),
      );
      for (const channel of effectChannels) expect(channels, version).toContain(channel);
    }
  });

  it.runIf(process.env.REWAKE_GOLDEN)('are written once per version', async () => {
    const written = new Map<string, { events: RecordedEvent[]; ends: EndStates }>();
    for (const { name, machines, live } of lives) {
      const house = new House();
      await live(house);
      const events = await all(house.log.readAll());
      written.set(name, { events, ends: await endsIn(house, streamsOf(events), machines) });
    }
    writeGolden(process.env.REWAKE_GOLDEN!, written);
  });
});
