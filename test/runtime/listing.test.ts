/** Listing actors by the index. */
import { expect, expectTypeOf, it } from 'vitest';
import { fromPromise, raise, setup } from 'xstate';
import type { ActorRef, ListedActor, ListQuery } from '../../src/index.ts';
import { House } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';
import { createMachine } from '../support/loose-machine.ts';

const flow = createMachine({
  initial: 'a',
  states: {
    a: {
      on: {
        END: 'end',
        FAIL: {
          actions: () => {
            throw new Error('boom');
          },
        },
        WORK: 'work',
        ARM: { actions: raise({ type: 'T' }, { delay: 100 }) },
      },
    },
    work: { invoke: { src: fromPromise(() => new Promise(() => {})) } },
    end: { type: 'final' },
  },
});

it('lists actors in the order of their streams by status, machine, correlation and effects', async () => {
  const house = new House();
  const runtime = await house.open({ flow, other: flow });
  const started = { done: 'END', failed: 'FAIL', working: 'WORK', waiting: 'ARM' };
  for (const [id, type] of Object.entries(started)) {
    await (await runtime.start('flow', { id, correlationId: `of ${id}` })).send({ type });
  }
  const other = await runtime.start('other', { id: 'x' });
  await other.stop();
  await rest();
  const listed = async (query: ListQuery = {}) => {
    const rows: string[] = [];
    for await (const { stream, status } of runtime.list(query)) rows.push(`${stream} ${status}`);
    return rows;
  };
  expect(await listed()).toEqual([
    'flow-done done',
    'flow-failed error',
    'flow-waiting active',
    'flow-working active',
    'other-x stopped',
  ]);
  expect(await listed({ status: 'active' })).toEqual(['flow-waiting active', 'flow-working active']);
  expect(await listed({ machine: 'other' })).toEqual(['other-x stopped']);
  expect(await listed({ correlationId: 'of done' })).toEqual(['flow-done done']);
  expect(await listed({ effects: true, status: 'active' })).toEqual(['flow-working active']);
  expect(await listed({ afterStream: 'flow-waiting', limit: 1 })).toEqual(['flow-working active']);
  expect(await listed({ status: 'blocked' })).toEqual([]);
  for await (const row of runtime.list({ correlationId: 'of waiting' })) {
    expect(row).toMatchObject({
      machine: 'flow',
      version: null,
      effects: 0,
      wakeAt: house.clock.now() + 100,
      revision: 1,
    });
  }
});

it('gives streams of one machine that `get` takes as those of this machine', async () => {
  const house = new House();
  const counter = setup({ types: { context: {} as { count: number } } }).createMachine({ context: { count: 1 } });
  const runtime = await house.open({ flow, counter });
  await runtime.start('counter', { id: '1' });
  const counts: number[] = [];
  for await (const { machine, stream } of runtime.list({ machine: 'counter' })) {
    expectTypeOf(machine).toEqualTypeOf<'counter'>();
    expectTypeOf(stream).toEqualTypeOf<`counter-${string}`>();
    const ref = await runtime.get(stream);
    expectTypeOf(ref).toEqualTypeOf<ActorRef<typeof counter>>();
    counts.push(ref.getSnapshot().context.count);
  }
  for await (const row of runtime.list()) {
    expectTypeOf(row).toEqualTypeOf<ListedActor>();
    expectTypeOf(await runtime.get(row.stream)).toEqualTypeOf<ActorRef>();
  }
  expect(counts).toEqual([1]);
});
