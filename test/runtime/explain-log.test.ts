/** What can be said without disturbing anyone: from the log alone, beside its host, and of streams that were rebased. */
import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { emit, setup, stopChild } from 'xstate';
import type { Explanation } from '../../src/index.ts';
import { sealEvent } from '../../src/log/envelope.ts';
import type { EventLog } from '../../src/log/event-log.ts';
import { effect } from '../../src/runtime/effect.ts';
import { explainStream } from '../../src/runtime/explain/explain.ts';
import { recoveryMachines, step } from '../../machines/index.ts';
import { House } from '../support/house.ts';
import { createMachine } from '../support/loose-machine.ts';
import { houses } from '../support/file-house.ts';

const bank = { calls: 0 };
const charge = step(
  'charge',
  () => {
    if (bank.calls++ === 0) throw Object.assign(new Error('busy'), { status: 503 });
    return new Promise<never>(() => {});
  },
  {
    timeout: '20s',
    deadline: '1h',
    retry: { maxRetries: 5, backoff: { initialDelay: 10_000, jitter: 'none' } },
    breaker: 'bank',
  },
);
const watch = effect(() => new Promise<never>(() => {}));

const order = setup({ actors: { charge, watch } }).createMachine({
  id: 'order',
  invoke: { id: 'watch', src: 'watch' },
  initial: 'open',
  states: {
    open: { on: { PAY: 'charging' } },
    charging: { invoke: { id: 'charge', src: 'charge', onDone: 'paid' }, after: { 7_200_000: 'late' } },
    paid: { type: 'final' },
    late: {},
  },
});
const machines = { order, ...recoveryMachines };

/** Without what the log alone cannot know, or knows of another place. */
function known({
  machines: all,
  isHosted: _,
  inMemory: __,
  effects: ___,
  next: ____,
  sentences: _____,
  ...rest
}: Explanation) {
  return { ...rest, machines: all.map(({ accepts: ______, ...machine }) => machine) };
}

/** The effects, without who runs them. */
function effectsIn({ effects }: Explanation) {
  return effects.map(({ standing: _, isSure: __, ...effect }) => effect);
}

describe.each(houses)('%s', (_, build) => {
  it('XP2: the log alone tells what the runtime tells, but for what is accepted', async () => {
    const house = build();
    bank.calls = 0;
    const runtime = await house.open(machines);
    const ref = await runtime.start('order', { id: '1' });
    const compare = async () => {
      await house.rest();
      const said = await runtime.explain('order-1');
      const told = await explainStream(house.log, 'order-1', { clock: house.clock });
      expect(known(told)).toEqual(known(said));
      expect(effectsIn(told)).toEqual(expect.arrayContaining(effectsIn(said)));
      return said;
    };
    const sureOnes = async () => {
      const { effects } = await explainStream(house.log, 'order-1', { clock: house.clock });
      return effects.map(({ src, isSure }) => [src, isSure]);
    };
    expect((await compare()).effects.map(({ src }) => src)).toEqual(['watch']);
    await ref.send({ type: 'PAY' });
    expect((await compare()).retries.length).toBe(1);
    await house.advance(12_000);
    expect((await compare()).effects.map(({ src }) => src)).toEqual(['watch', 'call']);
    expect(await sureOnes()).toEqual([
      ['watch', true],
      ['call', true],
    ]);
    // The call is stopped by its timeout, which leaves no record of its own.
    await house.advance(25_000);
    const said = await compare();
    expect(said.effects.map(({ src }) => src)).toEqual(['watch']);
    expect(await sureOnes()).toEqual([
      ['watch', false],
      ['call', false],
    ]);
    expect(said.error).toMatchObject({ told: 'AttemptFailed', attempt: 2, name: 'TimeoutError' });
  });

  it('XP1: nothing is written, hosted or run', async () => {
    const house = build();
    const runtime = await house.open(machines, { resume: false, snapshots: { every: 1 } });
    await runtime.start('order', { id: '1' });
    await house.rest();
    await runtime.close();
    const before = await house.events('order-1');
    bank.calls = 0;
    const asked = await house.open(machines, { resume: false });
    for (const each of [await asked.explain('order-1'), await explainStream(house.log, 'order-1', { machines })]) {
      expect(each.status).toBe('active');
    }
    await house.rest();
    expect(await house.events('order-1')).toEqual(before);
    expect(bank.calls).toBe(0);
    expect((await asked.explain('order-1')).inMemory).toBe(false);
  });
});

it('a root that failed without a record is told as failed, by the index', async () => {
  const house = new House();
  // Nobody can be stopped but a child: XState finds out when the transition is over.
  const rash = createMachine({
    initial: 'idle',
    states: { idle: { on: { GO: { target: 'going', actions: stopChild(({ self }) => self as never) } } }, going: {} },
  });
  const runtime = await house.open({ rash });
  const ref = await runtime.start('rash', { id: '1' } as never);
  await ref.send({ type: 'GO' });
  expect((await house.events('rash-1'))[1]!.data.transitions).toEqual([{ actor: '/', event: 'GO', to: 'going' }]);
  const failed = { status: 'error', machines: [{ actor: '/', status: 'error', value: 'going' }], effects: [] };
  expect(await runtime.explain('rash-1')).toMatchObject(failed);
  expect(await explainStream(house.log, 'rash-1')).toMatchObject(failed);
});

it('an index that is ahead of what was read does not say how it stood there', async () => {
  const house = new House();
  const runtime = await house.open({ order });
  const ref = await runtime.start('order', { id: '1' });
  await ref.stop();
  const log = house.faulty();
  log.damage = (event) => (event.revision === 1 ? undefined : event);
  expect((await explainStream(log, 'order-1')).machines).toMatchObject([{ status: 'active', value: 'open' }]);
});

it('XD1: an explanation is data; its text is not said twice', async () => {
  const house = new House();
  const runtime = await house.open(machines);
  await runtime.start('order', { id: '1' });
  const said = await runtime.explain('order-1');
  const copy = JSON.parse(JSON.stringify(said)) as Explanation;
  expect(copy).toEqual({ ...said });
  expect(copy).not.toHaveProperty('text');
  expect([`${String(said)}`, said.toString()]).toEqual([said.text, said.sentences.join('\n')]);
});

describe('who owns the log', () => {
  const ownerIn = ({ sentences }: Explanation) => sentences.filter((sentence) => /lease|owns|owned/.test(sentence));

  it('is this runtime, or another host of this machine, or nobody any more', async () => {
    const house = new House();
    const runtime = await house.open(machines, { lease: { ttl: '10s' } });
    await runtime.start('order', { id: '1' });
    expect(ownerIn(await runtime.explain('order-1'))).toEqual(['This runtime owns the log.']);
    const beside = await explainStream(house.log, 'order-1', { clock: house.clock });
    expect(beside.owner).toMatchObject({ life: 'alive' });
    expect(ownerIn(beside)).toEqual([
      `The log is owned by ${beside.owner!.owner}, whose process runs on this machine; the lease lasts until 2026-01-01 00:00:10 UTC (in 10 s).`,
    ]);
    expect(beside.effects).toMatchObject([{ standing: 'running' }]);
    await runtime.close();
    const after = await explainStream(house.log, 'order-1', { clock: house.clock });
    expect(after.owner).toBe(null);
    expect(ownerIn(after)).toEqual([
      'Nobody holds the lease on the log: no host runs its actors, unless one does so without a lease.',
    ]);
  });

  it('is told dead where its process is gone: then nobody runs its effects', async () => {
    const house = new House();
    const { runtime, crash } = await house.openToCrash(machines);
    await runtime.start('order', { id: '1' });
    await house.rest();
    crash();
    await house.log.lease('rewake.host', { owner: `${hostname()}/${2 ** 22 + 1}/0/gone`, ttlMs: 10_000 });
    const said = await explainStream(house.log, 'order-1', { clock: house.clock });
    expect(ownerIn(said)[0]).toContain('whose process is gone');
    expect(said.effects).toMatchObject([{ standing: 'lost' }]);
    expect(said.next[0]).toContain('start a host on this log');
  });

  it('is believed alive on another machine: a timer that is overdue is a question to it', async () => {
    const house = new House();
    const runtime = await house.open(machines);
    const ref = await runtime.start('order', { id: '1' });
    bank.calls = 0;
    await ref.send({ type: 'PAY' });
    await house.rest();
    await runtime.close();
    house.clock.jump(60_000);
    await house.log.lease('rewake.host', { owner: 'elsewhere/1/0/x', ttlMs: 10_000 });
    const said = await explainStream(house.log, 'order-1', { clock: house.clock });
    expect(ownerIn(said)[0]).toContain('The log is owned by elsewhere/1/0/x, on another machine or in another thread');
    expect(said.next).toEqual(['look at the host elsewhere/1/0/x: it should have fired its timers.']);
  });
});

describe('a rebase', () => {
  it('that a runtime wrote, compacted or rewound, is told alike with the machines and without', async () => {
    const house = new House();
    const runtime = await house.open(machines);
    const ref = await runtime.start('order', { id: '1' });
    bank.calls = 0;
    await ref.send({ type: 'PAY' });
    await house.rest();
    const standing = ({ machines: all, timers, effects }: Explanation) => ({
      machines: all.map(({ actor, value, status }) => ({ actor, value, status })),
      timers,
      effects: effects.map(({ actor, src }) => ({ actor, src })),
    });
    const both = async () => {
      const [said, told] = [await runtime.explain('order-1'), await explainStream(house.log, 'order-1', house)];
      expect(standing(told)).toEqual(standing(said));
      return said;
    };
    const before = standing(await both());
    expect(before.machines.length).toBe(2);
    await runtime.compact('order-1');
    expect(standing(await both())).toEqual(before);
    const { revision } = await both();
    await house.advance(12_000);
    await runtime.rewind('order-1', { to: revision });
    await house.rest();
    expect((await both()).machines.map(({ value }) => value)).toEqual(['charging', 'attempting']);
  });

  const at = 1_767_225_600_000;

  /** Writes events as a runtime does, each a second after the other. */
  async function write(log: EventLog, ...events: [type: string, data: object, actor?: string][]) {
    const sealed = events.map(([type, data, actor], index) => {
      const id = `00000000-0000-7000-8000-${String(index).padStart(12, '0')}`;
      const meta = { $correlationId: 'c', $causationId: id, ...(actor !== undefined && { actor }) };
      const time = actor === undefined ? { at: at + index * 1_000 } : { type };
      return sealEvent({ id, type, schemaVersion: 1, data: JSON.stringify({ ...time, ...data }), meta });
    });
    await log.append('order-1', 'no-stream', sealed);
    return explainStream(log, 'order-1', { clock: { now: () => at + 60_000, setTimer: () => () => {} } });
  }
  const started = { machine: 'order', version: '1', definition: 'd' };
  const to = (value: string, status?: string) => ({
    transitions: [{ actor: '/', event: 'E', to: value, ...(status && { status }) }],
  });

  it('that compacted a stream leaves all that stands in it', async () => {
    const { log } = new House();
    const said = await write(log, [
      'ActorRebased',
      {
        ...{ ...started, reason: 'compacted', state: '' },
        standing: {
          status: 'active',
          machines: [
            { actor: '/', to: 'charging' },
            { actor: '/charge:1', to: 'waiting' },
          ],
          effects: [{ actor: '/watch:2', src: 'watch' }],
          timers: [{ timer: 3, actor: '/charge:1', id: 'backoff', dueAt: at + 90_000 }],
        },
      },
    ]);
    expect(said).toMatchObject({
      status: 'active',
      version: '1',
      machines: [
        { actor: '/', value: 'charging', since: { at, revision: 0 } },
        { actor: '/charge:1', value: 'waiting' },
      ],
      effects: [{ actor: '/watch:2', src: 'watch', since: null, ageMs: null }],
      timers: [{ actor: '/charge:1', inMs: 30_000 }],
    });
    expect(said.text).toContain(
      'The effect /watch:2 (watch) has no outcome, and no host that is seen from here runs it.',
    );
  });

  it('that rewound an actor tells who is waited for there, and nothing that came later', async () => {
    const { log } = new House();
    const request = { flow: 'f', subject: 's', handler: 'h' };
    const said = await write(
      log,
      ['ActorStarted', { ...started, ...to('asking') }],
      ['InterventionRequested', { ...request, message: 'How?', choices: [], error: {} }, '/'],
      ['EventReceived', { to: '/', event: {}, ...to('going') }],
      ['InterventionAnswered', { ...request, choice: 'x', by: 'ann' }, '/'],
      ['AttemptFailed', { step: 'x', attempt: 1, error: { name: 'Error', message: 'late' } }, '/'],
      [
        'ActorRebased',
        {
          ...{ ...started, reason: 'rewound', to: 1, state: '' },
          standing: { status: 'active', machines: [{ actor: '/', to: 'asking' }], effects: [], timers: [] },
        },
      ],
    );
    expect(said.people).toMatchObject([{ kind: 'intervention', message: 'How?' }]);
    expect(said.error).toBe(null);
    expect(said.machines).toMatchObject([{ value: 'asking', since: { revision: 5 } }]);
  });

  it('that revived a failed actor leaves its error behind', async () => {
    const { log } = new House();
    const failure = { step: 'x', attempt: 1, error: { name: 'Error', message: 'boom', class: 'server' } };
    const before = await write(
      log,
      ['ActorStarted', { ...started, ...to('going') }],
      ['EffectFailed', { actor: '/x:1', error: null, ...to('going', 'error') }],
      ['FlowFailed', failure, '/'],
    );
    expect(before).toMatchObject({ status: 'error', error: { told: 'FlowFailed', message: 'boom' } });
    expect(before.next[0]).toContain("runtime.resume('order-1')");
    const { log: other } = new House();
    const after = await write(
      other,
      ['ActorStarted', { ...started, ...to('going') }],
      ['EffectFailed', { actor: '/x:1', error: null, ...to('going', 'error') }],
      ['FlowFailed', failure, '/'],
      [
        'ActorRebased',
        {
          ...{ ...started, version: '2', reason: 'resumed', state: '' },
          standing: { status: 'active', machines: [{ actor: '/', to: 'going' }], effects: [], timers: [] },
        },
      ],
    );
    expect(after).toMatchObject({
      status: 'active',
      version: '2',
      error: null,
      machines: [{ since: { revision: 1 } }],
    });
  });
});

it('XT1: a failure counts until the same call, or the machine around it, has succeeded', async () => {
  const house = new House();
  let failing = true;
  const work = effect(async () => {
    if (failing) throw Object.assign(new Error('no'), { code: 'E_NO' });
  });
  const tell = emit({ type: 'ItemFailed', batch: 'b', index: 0, error: { name: 'Error', message: 'item' } });
  const job = setup({ actors: { work } }).createMachine({
    id: 'job',
    initial: 'idle',
    on: { TELL: { actions: tell as never } },
    states: {
      idle: { on: { GO: 'working' } },
      working: { invoke: { id: 'work', src: 'work', onDone: 'idle', onError: 'idle' } },
    },
  });
  const runtime = await house.open({ job });
  const ref = await runtime.start('job', { id: '1' });
  const errorNow = async () => (await house.rest(), (await runtime.explain('job-1')).error);
  await ref.send({ type: 'GO' });
  expect(await errorNow()).toMatchObject({ told: 'EffectFailed', actor: '/work:1', message: 'no', code: 'E_NO' });
  await ref.send({ type: 'TELL' });
  expect(await errorNow()).toMatchObject({ told: 'ItemFailed', actor: '/', message: 'item' });
  failing = false;
  await ref.send({ type: 'GO' });
  expect(await errorNow()).toMatchObject({ told: 'ItemFailed' });
});

it('advises to start a host before a wait that only a host can end', async () => {
  const house = new House();
  const waiting = { states: { open: { after: { 60_000: 'late' } }, late: {} }, initial: 'open' } as const;
  const runtime = await house.open({ job: createMachine(waiting) });
  await runtime.start('job', { id: '1' });
  await runtime.close();
  const { next } = await explainStream(house.log, 'job-1', { clock: house.clock });
  expect(next).toEqual([
    'start a host on this log, createRuntime({ log, machines }); then it goes on by itself. Wait for the timer.',
  ]);
});
