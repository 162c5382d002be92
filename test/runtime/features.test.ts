/** Features of the log: an old and a new host on one log, in both directions (FT1 to FT3). */
import { readFileSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { assign, setup } from 'xstate';
import {
  ActorBlockedError,
  createRuntime,
  InvalidArgumentError,
  Runtime,
  UnknownFeatureError,
  type MigratableState,
} from '../../src/index.ts';
import { actorStarted, preparedAgain } from '../../src/kernel/records.ts';
import { sealEvent } from '../../src/log/envelope.ts';
import { features, FeatureSet, type FeatureTable } from '../../src/runtime/features.ts';
import type { Machines } from '../../src/runtime/machines.ts';
import { projectRoot } from '../house/source-tree.ts';
import { failureOf, House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const parts = setup({ types: {} as { context: { n: number } } });
const counterOf = (version: string) =>
  parts.createMachine({
    version,
    context: { n: 0 },
    on: { ADD: { actions: assign({ n: ({ context }) => context.n + 1 }) } },
  });
const [counter, later] = [counterOf('1'), counterOf('2')];

/** A host of a version that knows no features yet. */
async function oldHost(
  house: House,
  machines: Machines = { counter },
  known: FeatureTable = {},
  snapshots: { every: number } | false = false,
) {
  const { log, clock, logger } = house;
  const options = {
    log,
    clock,
    logger,
    machines,
    lease: false,
    keepLogOpen: true,
    passivate: false,
    snapshots,
  } as const;
  const runtime = new Runtime(options, known && { features: known });
  await runtime.open();
  onTestFinished(() => void runtime.close());
  return runtime;
}

const guarding = { environment: { version: '7' }, onEnvironmentChange: 'block' } as const;
const on = { ...guarding, features: { environmentGuard: true } };
const off = { ...guarding, features: { environmentGuard: false } };

describe('a new host beside an old one', () => {
  it('that writes a feature: the old one refuses what needs it, by name and version, and runs the rest', async () => {
    const house = new House();
    const young = await house.open({ counter }, on);
    await young.start('counter', { id: 'new' });
    const old = await oldHost(house);
    await old.start('counter', { id: 'old' });
    const failure = await failureOf(old.send('counter-new', { type: 'ADD' }));
    expect(failure).toBeInstanceOf(ActorBlockedError);
    expect(failure.cause).toBeInstanceOf(UnknownFeatureError);
    expect(failure.cause).toMatchObject({
      ...{ stream: 'counter-new', revision: 0, eventType: 'ActorStarted' },
      ...{ feature: 'environmentGuard', since: features.environmentGuard.since },
    });
    expect(failure.message).toContain('features: { environmentGuard: false }');
    await rest();
    expect(await house.types('counter-new')).toEqual(['ActorStarted']);
    expect((await old.send('counter-old', { type: 'ADD' })).context).toEqual({ n: 1 });
    // FT2. The other way round nothing is in the way.
    expect((await young.send('counter-old', { type: 'ADD' })).context).toEqual({ n: 2 });
    expect((await young.send('counter-new', { type: 'ADD' })).context).toEqual({ n: 1 });
  });

  it('that has the feature off is understood by the old one, and reads what was written with it on', async () => {
    const house = new House();
    const before = await house.open({ counter }, on);
    await before.start('counter', { id: 'marked' });
    await before.close();
    const young = await house.open({ counter }, off);
    await young.start('counter', { id: 'plain' });
    expect((await young.send('counter-marked', { type: 'ADD' })).context).toEqual({ n: 1 });
    await young.close();
    const needs = async (stream: string) => (await house.events(stream)).map(({ meta }) => meta.$needs);
    expect(await needs('counter-marked')).toEqual(['environmentGuard@0.1.0', undefined]);
    expect(await needs('counter-plain')).toEqual([undefined]);
    const old = await oldHost(house);
    expect((await old.send('counter-plain', { type: 'ADD' })).context).toEqual({ n: 1 });
  });

  it('does not let it in by a snapshot that hides what it cannot read', async () => {
    const house = new House();
    const young = await house.open({ counter }, { ...on, snapshots: { every: 2 } });
    const ref = await young.start('counter', { id: '1' });
    for (let i = 0; i < 5; i++) await ref.send({ type: 'ADD' });
    await young.close();
    expect(await house.log.snapshots.load('counter-1')).toBeDefined();
    const old = await oldHost(house, { counter }, {}, { every: 2 });
    expect((await failureOf(old.get('counter-1'))).cause).toBeInstanceOf(UnknownFeatureError);
  });

  it('marks also what notes another environment, but not what notes nothing of it', async () => {
    const house = new House();
    for (const version of ['7', '8']) {
      const runtime = await house.open(
        { counter },
        { environment: { version }, onEnvironmentChange: () => 'accept', features: on.features },
      );
      await runtime.start('counter', { id: '1' });
      await runtime.send('counter-1', { type: 'ADD' });
      await runtime.close();
    }
    const marks = (await house.events('counter-1')).map(({ type, meta }) => [type, meta.$needs]);
    expect(marks).toEqual([
      ['ActorStarted', 'environmentGuard@0.1.0'],
      ['EventReceived', undefined],
      ['ActorResumed', 'environmentGuard@0.1.0'],
      ['EventReceived', undefined],
    ]);
    const machines = { counter: { versions: [later, counter], migrate: (state: MigratableState) => state } } as const;
    const migrating = await house.open(machines, on);
    await migrating.resume('counter-1');
    await migrating.compact('counter-1');
    await migrating.close();
    for (const { meta } of await house.events('counter-1')) expect(meta.$needs).toBe('environmentGuard@0.1.0');
    // What is submitted again after a refused append needs the same.
    const environment = { rewake: '0.1.0' };
    const started = actorStarted({ machine: 'counter', version: null, definition: '', environment }, 1);
    expect(preparedAgain({ ...started, needs: 'a@1' })).toEqual({ ...started, needs: 'a@1' });
    expect(preparedAgain(started)).toEqual(started);
  });

  it('leads an actor back by a state that is written with the feature off', async () => {
    const house = new House();
    const young = await house.open({ counter }, on);
    await (await young.start('counter', { id: '1' })).send({ type: 'ADD' });
    await young.close();
    const machines = { counter: { versions: [later, counter], migrate: (state: MigratableState) => state } } as const;
    const leading = await house.open(machines, off);
    await leading.send('counter-1', { type: 'ADD' });
    await leading.close();
    const old = await oldHost(house, { counter: later });
    expect((await old.send('counter-1', { type: 'ADD' })).context).toEqual({ n: 3 });
  });
});

describe('an event', () => {
  it('that needs several features is refused for the one that is not known, be it a fact', async () => {
    const house = new House();
    const runtime = await house.open({ counter });
    await runtime.start('counter', { id: '1' });
    await runtime.close();
    const meta = {
      $needs: 'environmentGuard@0.1.0, futureFacts@9.1.0',
      actor: '/',
      $correlationId: '',
      $causationId: '',
    };
    const id = '019b76da-a800-7000-8000-000000000000';
    const fact = sealEvent({ id, type: 'Told', schemaVersion: 1, data: '{"type":"Told"}', meta });
    await house.log.append('counter-1', 0, [fact]);
    const failure = await failureOf((await house.open({ counter })).get('counter-1'));
    expect(failure.cause).toMatchObject({ feature: 'futureFacts', since: '9.1.0', revision: 1, eventType: 'Told' });
  });
});

describe('a switch', () => {
  it('that is not known may be off, so that a configuration outlives a step back, and is refused on', async () => {
    const open = (switches: object) => createRuntime({ machines: {}, features: switches });
    await (await open({ notYetKnown: false })).close();
    await expect(open({ notYetKnown: true })).rejects.toThrow(InvalidArgumentError);
    await expect(open({ notYetKnown: true })).rejects.toThrow(/features.notYetKnown.*environmentGuard/);
    await expect(open({ environmentGuard: 'yes' })).rejects.toThrow(/true or false/);
    await expect(open([] as never)).rejects.toThrow(/features/);
  });

  it('that is not given has the default of the table', () => {
    for (const name of Object.keys(features) as (keyof typeof features)[]) {
      expect(new FeatureSet().isOn(name)).toBe(features[name].on);
      expect(new FeatureSet({ [name]: true }).needs(name)).toBe(`${name}@${features[name].since}`);
      expect(new FeatureSet({ [name]: false }).needs(name)).toBeUndefined();
      // One that does not know it does not write it, whatever the table of this version says.
      expect(new FeatureSet({}, {}).isOn(name)).toBe(false);
    }
  });

  it('is in the reference with its version and its default', () => {
    const reference = readFileSync(`${projectRoot}docs/reference/runtime.md`, 'utf8');
    for (const [name, { since, on: isOn }] of Object.entries(features)) {
      const row = reference.split('\n').find((line) => line.startsWith(`| \`${name}\``));
      expect(
        row
          ?.split('|')
          .slice(2, 4)
          .map((cell) => cell.trim()),
      ).toEqual([since, isOn ? 'on' : 'off']);
    }
  });
});
