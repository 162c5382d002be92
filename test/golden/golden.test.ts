/**
 * Logs of every released format fold for ever: to the states that the version which wrote them was in.
 *
 * To keep the logs of another format: `REWAKE_GOLDEN=<version> npx vitest run test/golden`. See lives.ts.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { verifyEvent } from '../../src/log/envelope.ts';
import type { RecordedEvent } from '../../src/log/event-log.ts';
import type { Json } from '../../src/log/json.ts';
import { loadActor } from '../../src/runtime/load.ts';
import type { Machines } from '../../src/runtime/machines.ts';
import { houses } from '../support/file-house.ts';
import { House } from '../support/house.ts';
import { loadServices } from '../support/load-services.ts';
import { all, testFolder } from '../stores/sqlite/log-files.ts';
import { endOf } from '../../src/testing/golden/end-state.ts';
import { pathsOf, writeRecordings, type GoldenRecording } from '../../src/testing/golden/golden-files.ts';
import { golden } from '../../src/testing/golden/golden.ts';
import { folderOf, goldenNames, goldenVersions, readGolden } from './kept.ts';
import { lives } from './lives.ts';

const runtimeTypes = [
  ...['ActorStarted', 'EventReceived', 'EffectSucceeded', 'EffectFailed', 'EffectProgressed', 'TimerFired'],
  ...['ActorResumed', 'ActorStopped', 'ActorRebased'],
];
const effectChannels = ['next', 'parent', 'self', 'emit', 'checkpoint', 'interrupted'];

const lifeOf = (name: string) => lives.find((life) => life.name === name)!;
const streamsOf = (events: readonly RecordedEvent[]) => [...new Set(events.map(({ stream }) => stream))];

/** Every actor of a house, folded without anything being done about it. */
async function endsIn(house: House, streams: readonly string[], machines: Machines): Promise<GoldenRecording['ends']> {
  const services = loadServices(house.log, machines);
  const ends: [string, Json][] = [];
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
  it.for(logs)('of %s called %s end as they were recorded', async ([version, name]) => {
    const cases = golden(folderOf(version), { machines: lifeOf(name).machines }).cases();
    await cases.find((each) => each.name === name)!.run();
  });

  it.for(logs)('of %s called %s are kept in the form that recordings have now', ([version, name]) => {
    const folder = testFolder();
    writeRecordings(folder, new Map([[name, readGolden(version, name)]]));
    const [kept, now] = [pathsOf(folderOf(version), name), pathsOf(folder, name)];
    for (const file of ['events', 'ends'] as const)
      expect(readFileSync(now[file]).equals(readFileSync(kept[file]))).toBe(true);
  });

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
    for (const { name, machines, live } of lives) {
      const house = new House();
      await live(house);
      const streams = streamsOf(await all(house.log.readAll()));
      await golden(folderOf(process.env.REWAKE_GOLDEN!), { machines }).record(house.log, { streams, name });
    }
  });
});
