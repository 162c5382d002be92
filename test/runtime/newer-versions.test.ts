/** What a newer version, or an older program, wrote into the log: what is tolerated, and what is refused (F7). */
import { describe, expect, it } from 'vitest';
import { assign, emit, setup, type AnyEventObject } from 'xstate';
import { ActorBlockedError, NewerVersionError, readEvent, type MigratableState } from '../../src/index.ts';
import { sealEvent } from '../../src/log/envelope.ts';
import type { NewEvent } from '../../src/log/event-log.ts';
import { failureOf, House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const counting = setup({ types: {} as { context: { n: number } } });
const add = assign<{ n: number }, { type: string }, undefined, { type: string }, never>({
  n: ({ context }) => context.n + 1,
});
const counter = counting.createMachine({ version: '1', context: { n: 0 }, on: { ADD: { actions: add } } });

interface Written {
  readonly type: string;
  readonly data?: object;
  readonly meta?: Readonly<Record<string, string>>;
  readonly schemaVersion?: number;
}

/** An actor that was started and counted to one, and then another version wrote to its stream. */
async function after(...written: Written[]) {
  const house = new House();
  const runtime = await house.open({ counter });
  for (const id of ['1', 'other']) await (await runtime.start('counter', { id })).send({ type: 'ADD' });
  await runtime.close();
  const [started] = await house.events('counter-1');
  const at = started!.data.at as number;
  const events = written.map(({ type, data = {}, meta = {}, schemaVersion = 1 }, index): NewEvent => {
    const { $correlationId } = started!.meta;
    const common = { $correlationId: $correlationId!, $causationId: started!.id };
    return sealEvent({
      ...{ id: `019b76da-a800-7000-8000-00000000000${index}`, type, schemaVersion },
      ...{ data: JSON.stringify(meta.actor === undefined ? { at, ...data } : data), meta: { ...common, ...meta } },
    });
  });
  await house.log.append('counter-1', 1, events);
  return house;
}

const added: Written = {
  type: 'EventReceived',
  data: { to: '/', event: { type: 'ADD' }, transitions: [{ actor: '/', event: 'ADD', to: {} }] },
};

describe('a stimulus that only a newer version knows', () => {
  const strange: [string, Written, RegExp][] = [
    ['another type', { type: 'ActorCloned' }, /an event 'ActorCloned' of the runtime/],
    ['another schema version', { ...added, schemaVersion: 2 }, /schema version 2 of 'EventReceived'/],
    [
      'another channel of an effect',
      { type: 'EffectProgressed', data: { actor: '/a:1', channel: 'aside', value: 1 } },
      /the channel 'aside' of 'EffectProgressed'/,
    ],
    [
      'another decision on an effect',
      { type: 'ActorResumed', data: { host: 'h', effects: [{ actor: '/a:1', decision: 'adopt' }] } },
      /the decision 'adopt' of 'ActorResumed'/,
    ],
  ];
  for (const [what, written, message] of strange) {
    it(`by ${what} is refused: its actor is blocked, nothing is appended, and the others run on`, async () => {
      const house = await after(written, added);
      const runtime = await house.open({ counter });
      const failure = await failureOf(runtime.send('counter-1', { type: 'ADD' }));
      expect(failure).toBeInstanceOf(ActorBlockedError);
      expect(failure.cause).toBeInstanceOf(NewerVersionError);
      expect(failure.cause).toMatchObject({ stream: 'counter-1', revision: 2, eventType: written.type });
      expect(failure.message).toMatch(message);
      expect(failure.message).toContain('so a newer version wrote it');
      await rest();
      expect((await house.events('counter-1')).length).toBe(4);
      await runtime.send('counter-other', { type: 'ADD' });
      for await (const { stream, reason } of runtime.list({ status: 'blocked' }))
        expect([stream, reason]).toEqual(['counter-1', failure.cause]);
    });
  }

  it('is refused also as the first event of its stream', async () => {
    const house = await after();
    const log = house.faulty();
    log.damage = (event) => (event.stream === 'counter-1' ? { ...event, type: 'ActorCloned' } : event);
    const runtime = await house.open({ counter }, { log });
    expect((await failureOf(runtime.get('counter-1'))).cause).toBeInstanceOf(NewerVersionError);
  });

  it('is not looked at where a state to fold from came after it', async () => {
    const house = await after({ type: 'ActorCloned' });
    const log = house.faulty();
    // A runtime of the newer version, which knows the event and migrates the actor.
    log.damage = (event) =>
      event.type === 'ActorCloned' ? { ...event, type: 'EffectSucceeded', data: '{"at":0,"actor":"/none:1"}' } : event;
    const next = counting.createMachine({ version: '2', context: { n: 0 }, on: { ADD: { actions: add } } });
    const machines = { counter: { versions: [next, counter] as const, migrate: (state: MigratableState) => state } };
    const newer = await house.open(machines, { log });
    await newer.send('counter-1', { type: 'ADD' });
    await newer.close();
    expect(await house.types('counter-1')).toContain('ActorRebased');
    const runtime = await house.open({ counter: next });
    expect((await runtime.send('counter-1', { type: 'ADD' })).context).toEqual({ n: 3 });
  });
});

describe('tolerated are', () => {
  it('fields and metadata that are not known', async () => {
    const house = await after(
      { ...added, data: { ...added.data, weather: { is: 'fine' } }, meta: { $future: 'yes', tenant: 'a' } },
      { type: 'ActorResumed', data: { host: 'h', effects: [], weather: 'fine' } },
    );
    const runtime = await house.open({ counter });
    expect((await runtime.send('counter-1', { type: 'ADD' })).context).toEqual({ n: 3 });
  });

  it('facts that nobody knows any more, as long as the machine tells them', async () => {
    const teller = setup({ types: { emitted: {} as AnyEventObject } }).createMachine({
      on: { TELL: { actions: [emit({ type: 'ActorCloned', by: 'a machine' }), emit({ type: 'OldNews', n: 1 })] } },
    });
    const house = new House();
    const before = await house.open({ teller });
    await (await before.start('teller', { id: '1' })).send({ type: 'TELL' });
    await before.close();
    const runtime = await house.open({ teller });
    await runtime.send('teller-1', { type: 'TELL' });
    const told: unknown[] = [];
    for await (const event of house.log.readStream('teller-1')) {
      if (event.meta.actor !== undefined) told.push(readEvent(event));
    }
    const [cloned, old] = [
      { type: 'ActorCloned', by: 'a machine' },
      { type: 'OldNews', n: 1 },
    ];
    expect(told).toEqual([cloned, old, cloned, old]);
  });

  it('no facts that the machine does not tell', async () => {
    const house = await after(added, { type: 'Added', data: { type: 'Added' }, meta: { actor: '/' } });
    const failure = await failureOf((await house.open({ counter })).get('counter-1'));
    expect(failure.cause).toMatchObject({ code: 'REWAKE_REPLAY_DIVERGED', revision: 3 });
  });
});
