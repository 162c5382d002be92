/** Machines that change while actors live: same name, other definition. The fold decides (invariant 29). */
import { describe, expect, it } from 'vitest';
import { assign, setup } from 'xstate';
import { ReplayDivergedError } from '../../src/errors.ts';
import type { ActorBlockedError } from '../../src/errors.ts';
import { definitionHash } from '../../src/kernel/definition-hash.ts';
import { failureOf, House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const types = {} as { context: { n: number }; events: { type: 'NEXT' } | { type: 'SKIP' } };
const base = setup({ types });

const first = base.createMachine({
  context: { n: 0 },
  initial: 'a',
  states: { a: { on: { NEXT: 'b' } }, b: { on: { NEXT: 'c' } }, c: {} },
});
/** Knows more, but does the same with what has happened. */
const agreeing = base.createMachine({
  context: { n: 0 },
  initial: 'a',
  states: { a: { on: { NEXT: 'b', SKIP: 'c' } }, b: { on: { NEXT: 'c' } }, c: {} },
});
const disagreeing = base.createMachine({
  context: { n: 0 },
  initial: 'a',
  states: { a: { on: { NEXT: 'c' } }, b: {}, c: {} },
});

async function livedOnce() {
  const house = new House();
  const runtime = await house.open({ flow: first });
  await (await runtime.start('flow', { id: '1' })).send({ type: 'NEXT' });
  await runtime.close();
  return house;
}

describe('a changed definition', () => {
  it('that agrees with the history goes on, and the change is recorded once', async () => {
    const house = await livedOnce();
    for (let i = 0; i < 2; i++) {
      const runtime = await house.open({ flow: agreeing });
      const ref = await runtime.get('flow-1');
      expect(ref.getSnapshot().value).toBe('b');
      await rest();
      await runtime.close();
    }
    const events = await house.events('flow-1');
    expect(events.map(({ type }) => type)).toEqual(['ActorStarted', 'EventReceived', 'ActorResumed']);
    expect(events[2]!.data).toMatchObject({
      effects: [],
      changed: { from: definitionHash(first), to: definitionHash(agreeing), version: null },
    });
  });

  it('and back again is recorded again', async () => {
    const house = await livedOnce();
    for (const flow of [agreeing, first]) {
      const runtime = await house.open({ flow });
      await runtime.get('flow-1');
      await rest();
      await runtime.close();
    }
    const changes = (await house.events('flow-1')).slice(2).map(({ data }) => (data.changed as { to: string }).to);
    expect(changes).toEqual([definitionHash(agreeing), definitionHash(first)]);
  });

  it('that disagrees blocks the actor and appends nothing', async () => {
    const house = await livedOnce();
    const runtime = await house.open({ flow: disagreeing });
    const failure = (await failureOf(runtime.get('flow-1'))) as ActorBlockedError;
    expect(failure.cause).toBeInstanceOf(ReplayDivergedError);
    expect(failure.cause).toMatchObject({
      stream: 'flow-1',
      revision: 1,
      actor: '/',
      expected: { transitions: { to: 'b' } },
      got: { transitions: { to: 'c' } },
    });
    expect(failure.message).toContain('the machine has changed');
    await failureOf(runtime.send('flow-1', { type: 'NEXT' }));
    expect(await house.types('flow-1')).toEqual(['ActorStarted', 'EventReceived']);
    await runtime.close();
    await (await house.open({ flow: first })).send('flow-1', { type: 'NEXT' });
  });

  it('in the body of a function alone is not noticed while the fold agrees', () => {
    const machine = (by: number) =>
      base.createMachine({
        context: { n: 0 },
        on: { NEXT: { actions: assign({ n: ({ context }) => context.n + by }) } },
      });
    expect(definitionHash(machine(1))).toBe(definitionHash(machine(2)));
  });
});

describe('versions', () => {
  const v1 = base.createMachine({
    version: '1',
    context: { n: 0 },
    initial: 'a',
    states: { a: { on: { NEXT: 'old' } }, old: {} },
  });
  const v2 = base.createMachine({
    version: '2',
    context: { n: 0 },
    initial: 'a',
    states: { a: { on: { NEXT: 'new' } }, new: {} },
  });

  it('of one machine: new actors take the current one, old ones stay on theirs', async () => {
    const house = new House();
    const before = await house.open({ flow: v1 });
    await before.start('flow', { id: 'old' });
    await before.close();
    for (const flow of [[v2, v1], { versions: [v2, v1] }] as const) {
      const runtime = await house.open({ flow });
      const [young, old] = [await runtime.start('flow', { id: 'young' }), await runtime.get('flow-old')];
      await Promise.all([young, old].map((ref) => ref.send({ type: 'NEXT' })));
      expect([young.getSnapshot().value, old.getSnapshot().value]).toEqual(['new', 'old']);
      expect((await house.log.actor('flow-old'))!.version).toBe('1');
      await runtime.close();
    }
    expect(await house.types('flow-old')).toEqual(['ActorStarted', 'EventReceived', 'EventReceived']);
  });

  it('of which the old one is gone: the current one folds the history, and the fold decides', async () => {
    const house = new House();
    const before = await house.open({ flow: v1 });
    await before.start('flow', { id: 'fresh' });
    await (await before.start('flow', { id: 'moved' })).send({ type: 'NEXT' });
    await before.close();
    const runtime = await house.open({ flow: v2 });
    const fresh = await runtime.get('flow-fresh');
    await fresh.send({ type: 'NEXT' });
    expect(fresh.getSnapshot().value).toBe('new');
    expect(((await failureOf(runtime.get('flow-moved'))) as ActorBlockedError).cause).toBeInstanceOf(
      ReplayDivergedError,
    );
    await rest();
    expect((await house.log.actor('flow-fresh'))!.version).toBe('2');
    const resumed = (await house.events('flow-fresh'))[1]!;
    expect(resumed).toMatchObject({ type: 'ActorResumed', data: { changed: { version: '2' } } });
  });

  it('stay with an actor that was taken over, also when the old version comes back', async () => {
    const house = new House();
    const before = await house.open({ flow: v1 });
    await before.start('flow', { id: '1' });
    await before.close();
    const taking = await house.open({ flow: v2 });
    await taking.send('flow-1', { type: 'NEXT' });
    await taking.close();
    const runtime = await house.open({ flow: [v2, v1] });
    expect((await runtime.get('flow-1')).getSnapshot().value).toBe('new');
  });

  it('of which each took the actor over from the other: the last one has it when both are there (F10)', async () => {
    const house = new House();
    for (const flow of [v1, v2, v1]) {
      const runtime = await house.open({ flow });
      await runtime.start('flow', { id: '1' });
      await rest();
      await runtime.close();
    }
    const runtime = await house.open({ flow: [v2, v1] });
    const ref = await runtime.get('flow-1');
    await ref.send({ type: 'NEXT' });
    expect(ref.getSnapshot().value).toBe('old');
    await rest();
    expect(await house.types('flow-1')).toEqual(['ActorStarted', 'ActorResumed', 'ActorResumed', 'EventReceived']);
  });

  it('stay with an actor also where a snapshot of the version before is left (F4)', async () => {
    const house = new House();
    const snapshots = { every: 2 };
    const before = await house.open({ flow: v1 }, { snapshots });
    const ref = await before.start('flow', { id: '1' });
    for (let i = 0; i < 2; i++) await ref.send({ type: 'SKIP' });
    await rest();
    await before.close();
    expect((await house.log.snapshots.load('flow-1'))!.definition).toBe(definitionHash(v1));
    const taking = await house.open({ flow: v2 });
    await taking.get('flow-1');
    await rest();
    await taking.close();
    const runtime = await house.open({ flow: [v2, v1] }, { snapshots });
    await runtime.send('flow-1', { type: 'NEXT' });
    expect((await runtime.get('flow-1')).getSnapshot().value).toBe('new');
  });
});
