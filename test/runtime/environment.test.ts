/** The environment of an actor: what is recorded of it, and what becomes of one that comes into another (EN1 to EN4). */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assign, fromPromise, setup } from 'xstate';
import {
  ActorBlockedError,
  EnvironmentMismatchError,
  InvalidArgumentError,
  type EnvironmentOptions,
  type MigratableState,
} from '../../src/index.ts';
import type { RuntimeOptions } from '../../src/runtime/runtime-options.ts';
import { rewakeVersion } from '../../src/runtime/environment.ts';
import { projectRoot } from '../house/source-tree.ts';
import { failureOf, House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const parts = setup({
  types: {} as { context: { n: number } },
  actors: { never: fromPromise(() => new Promise<void>(() => {})) },
});
const counterOf = (version: string) =>
  parts.createMachine({
    version,
    context: { n: 0 },
    initial: 'open',
    invoke: { id: 'never', src: 'never' },
    states: { open: { on: { END: 'over' } }, over: { type: 'final' } },
    on: { ADD: { actions: assign({ n: ({ context }) => context.n + 1 }) } },
  });
const counter = counterOf('1');
const machines = { counter };
type Options = Partial<Omit<RuntimeOptions, 'machines'>>;

/** One host after another, each of which uses the actors so far and closes. */
async function hosts(house: House, ...each: Options[]) {
  for (const options of each) {
    const runtime = await house.open(machines, options);
    await runtime.start('counter', { id: '1' });
    await rest();
    await runtime.close();
  }
  return house;
}

const environments = async (house: House) =>
  (await house.events('counter-1')).flatMap(({ type, data }) => {
    const { environment, changed } = data as { environment?: object; changed?: { environment?: object } };
    const told = environment ?? changed?.environment;
    return told ? [[type, told]] : [];
  });
const warnings = (house: House) => house.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields);
const under = (environment: EnvironmentOptions): Options => ({ environment });

describe('the environment', () => {
  it('is recorded at the start: versions, and of the configuration a fingerprint only (EN1)', async () => {
    const house = await hosts(new House(), under({ version: '7', config: { key: 'swordfish', retries: 3 } }));
    const [[type, environment] = []] = await environments(house);
    expect([type, environment]).toEqual([
      'ActorStarted',
      { rewake: rewakeVersion, app: '7', config: expect.stringMatching(/^[0-9a-f]{16}$/) },
    ]);
    expect(JSON.stringify(await house.events('counter-1'))).not.toContain('swordfish');
  });

  it('adds nothing where none is given (EN2)', async () => {
    const house = await hosts(new House(), {}, {});
    const [started, , resumed] = await house.events('counter-1');
    expect(Object.keys(started!.data)).toEqual([
      ...['at', 'machine', 'version', 'definition', 'transitions', 'intents', 'contexts'],
    ]);
    expect(Object.keys(resumed!.data)).toEqual(['at', 'host', 'effects']);
    expect(Object.keys(started!.meta)).toEqual(['$causationId', '$correlationId']);
  });

  it('is that of this package', () => {
    const { version } = JSON.parse(readFileSync(`${projectRoot}package.json`, 'utf8')) as { version: string };
    expect(rewakeVersion).toBe(version);
  });

  it('has one fingerprint for equal configurations, and others for others (EN4)', async () => {
    const fingerprint = async (config: unknown) => {
      const house = await hosts(new House(), under({ config }));
      return ((await environments(house))[0]![1] as { config: string }).config;
    };
    const one = await fingerprint({ a: 1, b: { c: [1, { d: null, e: 'x' }], f: undefined } });
    expect(await fingerprint({ b: { c: [1, { e: 'x', d: null }] }, a: 1 })).toBe(one);
    const others = [
      { a: 1, b: { c: [{ d: null, e: 'x' }, 1] } },
      { a: '1', b: { c: [1, { d: null, e: 'x' }] } },
      { 'a:1': 1 },
      {},
      null,
    ];
    const prints = await Promise.all(others.map(fingerprint));
    expect(new Set([one, ...prints]).size).toBe(others.length + 1);
  });
});

describe('an actor that comes into another environment', () => {
  it('goes on with a warning that has both values, and the change is noted once', async () => {
    const house = await hosts(new House(), under({ version: '7' }), under({ version: '8' }), under({ version: '8' }));
    const app = { part: 'app', recorded: '7', present: '8' };
    expect(warnings(house)).toEqual([{ stream: 'counter-1', differences: [app] }]);
    expect(await environments(house)).toEqual([
      ['ActorStarted', { rewake: rewakeVersion, app: '7' }],
      ['ActorResumed', { rewake: rewakeVersion, app: '8' }],
    ]);
    const resumed = (await house.events('counter-1')).find(({ data }) => data.changed !== undefined)!;
    const { from, to, version } = resumed.data.changed as Record<string, unknown>;
    expect([from, version]).toEqual([to, '1']);
  });

  it("is blocked with 'block': nothing is appended, the others run on, and under the recorded one it goes on", async () => {
    const house = await hosts(new House(), under({ version: '7', config: 1 }));
    const types = await house.types('counter-1');
    const strict = { environment: { version: '8', config: 2 }, onEnvironmentChange: 'block' } as const;
    const runtime = await house.open(machines, strict);
    const failure = await failureOf(runtime.send('counter-1', { type: 'ADD' }));
    expect(failure).toBeInstanceOf(ActorBlockedError);
    expect(failure.cause).toBeInstanceOf(EnvironmentMismatchError);
    expect(failure.cause).toMatchObject({
      stream: 'counter-1',
      differences: [
        { part: 'app', recorded: '7', present: '8' },
        { part: 'config', recorded: expect.any(String), present: expect.any(String) },
      ],
    });
    expect(failure.message).toContain("the program's version was '7' and is '8'");
    await rest();
    expect(await house.types('counter-1')).toEqual(types);
    await (await runtime.start('counter', { id: '2' })).send({ type: 'ADD' });
    for await (const { stream, status } of runtime.list())
      expect([stream, status]).toEqual([stream, stream === 'counter-1' ? 'blocked' : 'active']);
    await runtime.close();
    const again = await house.open(machines, {
      environment: { version: '7', config: 1 },
      onEnvironmentChange: 'block',
    });
    expect((await again.send('counter-1', { type: 'ADD' })).context).toEqual({ n: 1 });
  });

  it('is asked about where a function decides', async () => {
    const house = new House();
    const before = await house.open(machines, under({ version: '7' }));
    for (const id of ['1', '2']) await before.start('counter', { id });
    await before.close();
    const asked: string[] = [];
    const runtime = await house.open(machines, {
      environment: { version: '8' },
      onEnvironmentChange: ({ stream, differences }) => {
        asked.push(...differences.map(({ part }) => `${stream} ${part}`));
        return stream === 'counter-1' ? 'accept' : 'block';
      },
    });
    await runtime.send('counter-1', { type: 'ADD' });
    expect((await failureOf(runtime.get('counter-2'))).cause).toBeInstanceOf(EnvironmentMismatchError);
    expect(new Set(asked)).toEqual(new Set(['counter-1 app', 'counter-2 app']));
  });

  it('goes on when it is resumed, rewound or forked by name, and that is noted', async () => {
    const house = new House();
    const before = await house.open(machines, under({ version: '7' }));
    for (const id of ['1', '2']) await (await before.start('counter', { id })).send({ type: 'ADD' });
    await before.close();
    const strict = { ...under({ version: '8' }), onEnvironmentChange: 'block' } as const;
    const runtime = await house.open(machines, strict);
    await failureOf(runtime.get('counter-1'));
    expect((await runtime.resume('counter-1')).getSnapshot().context).toEqual({ n: 1 });
    expect((await runtime.send('counter-1', { type: 'ADD' })).context).toEqual({ n: 2 });
    expect((await runtime.rewind('counter-2', { to: 0 })).getSnapshot().context).toEqual({ n: 0 });
    const fork = await runtime.fork('counter-2', { at: 1, id: '3' });
    expect((await fork.send({ type: 'ADD' })).context).toEqual({ n: 2 });
    await runtime.close();
    const same = await house.open(machines, strict);
    for (const id of ['1', '2', '3']) await same.send(`counter-${id}`, { type: 'ADD' });
    const rebased = (await house.events('counter-2')).find(({ type }) => type === 'ActorRebased')!;
    expect(rebased.data).toMatchObject({ reason: 'rewound', environment: { app: '8' } });
  });

  it('is compared also after its history was compacted', async () => {
    const house = new House();
    const before = await house.open(machines, under({ version: '7', config: 1 }));
    await before.start('counter', { id: '1' });
    await before.close();
    const plain = await house.open(machines);
    await plain.compact('counter-1');
    await plain.close();
    expect(await house.types('counter-1')).not.toContain('ActorStarted');
    const runtime = await house.open(machines, { ...under({ config: 2 }), onEnvironmentChange: 'block' });
    expect((await failureOf(runtime.get('counter-1'))).cause).toBeInstanceOf(EnvironmentMismatchError);
  });

  it('can be read all the same when it has ended', async () => {
    const house = new House();
    const before = await house.open(machines, under({ version: '7' }));
    await (await before.start('counter', { id: '1' })).send({ type: 'END' });
    await before.close();
    const runtime = await house.open(machines, { ...under({ version: '8' }), onEnvironmentChange: 'block' });
    expect((await runtime.get('counter-1')).getSnapshot().value).toBe('over');
    expect(warnings(house)).toEqual([]);
  });

  it('is compared by what both sides know: a new part is noted, one that is left out stays (EN3)', async () => {
    const house = await hosts(new House(), {}, under({ config: 1 }), under({ version: '7' }));
    expect(warnings(house)).toEqual([]);
    expect((await environments(house)).map(([type]) => type)).toEqual(['ActorResumed', 'ActorResumed']);
    await hosts(house, {});
    expect((await environments(house)).length).toBe(2);
    await hosts(house, under({ config: 2 }));
    expect(warnings(house)).toMatchObject([{ differences: [{ part: 'config' }] }]);
  });

  it('is compared also after a snapshot and a migration', async () => {
    const house = new House();
    const snapshots = { every: 2 };
    const first = await house.open(machines, { ...under({ version: '7', config: 1 }), snapshots });
    const ref = await first.start('counter', { id: '1' });
    for (let i = 0; i < 4; i++) await ref.send({ type: 'ADD' });
    await first.close();
    expect(await house.log.snapshots.load('counter-1')).toBeDefined();
    const second = await house.open(machines, { ...under({ version: '8' }), snapshots });
    await second.get('counter-1');
    await rest();
    await second.close();
    expect(warnings(house)).toMatchObject([{ differences: [{ recorded: '7', present: '8' }] }]);
    const later = counterOf('2');
    const migrating = { counter: { versions: [later, counter], migrate: (state: MigratableState) => state } } as const;
    const third = await house.open(migrating, { ...under({ version: '9' }), snapshots });
    for (let i = 0; i < 4; i++) await third.send('counter-1', { type: 'ADD' });
    await rest();
    await third.close();
    const rebased = (await house.events('counter-1')).find(({ type }) => type === 'ActorRebased')!;
    expect(rebased.data.environment).toMatchObject({ app: '9', config: expect.any(String) });
    expect((await house.log.snapshots.load('counter-1'))!.revision).toBeGreaterThan(rebased.revision);
    // By the snapshot, and by the history, of which the new definition alone knows only what came after the rebase.
    for (const use of [{ snapshots }, {}]) {
      const strict = { ...under({ config: 2 }), onEnvironmentChange: 'block', ...use } as const;
      const last = await house.open({ counter: later }, strict);
      expect((await failureOf(last.get('counter-1'))).cause).toMatchObject({ differences: [{ part: 'config' }] });
      await last.close();
    }
  });
});

describe('an environment that cannot be one', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  const wrong: [string, object, RegExp][] = [
    ['is no object', { environment: '7' }, /environment }\).*found "7"/],
    ['has other parts', { environment: { app: '7' } }, /version and config/],
    ['has a version that is no text', { environment: { version: 7 } }, /environment.version/],
    [
      'has a configuration that is no JSON',
      { environment: { config: { a: [new Map()] } } },
      /environment.config.a\[0\]/,
    ],
    ['has a configuration with a number that is none', { environment: { config: { a: NaN } } }, /environment.config.a/],
    ['has a configuration with a cycle', { environment: { config: cyclic } }, /environment.config.self/],
    ['is to be guarded, and is not there', { onEnvironmentChange: 'block' }, /environment/],
    ['is guarded by what is no policy', { environment: {}, onEnvironmentChange: 'ask' }, /onEnvironmentChange/],
  ];
  for (const [what, options, message] of wrong) {
    it(`because it ${what} is refused`, async () => {
      const failure = await failureOf(new House().open(machines, options as Options));
      expect(failure).toBeInstanceOf(InvalidArgumentError);
      expect(failure.message).toMatch(message);
    });
  }
});
