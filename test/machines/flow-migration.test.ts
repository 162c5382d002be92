/** Resuming what failed under a newer version: FM1 of machines/flow-migration.ts. */
import { expect, test } from 'vitest';
import { setup, type AnyStateMachine } from 'xstate';
import { InvalidArgumentError, type EffectArguments } from 'rewake';
import { flow, flowMigration, handler, skip, type } from 'rewake/machines';
import { failureOf, House } from '../support/house.ts';

const calls: string[] = [];
const call = (name: string, fails = false) => {
  return async ({ input }: EffectArguments<unknown>) => {
    calls.push(name);
    if (fails) throw new Error(`${name} is broken`);
    return `${name} of ${JSON.stringify(input)}`;
  };
};

const before = flow('order', {
  version: '1',
  input: type<{ n: number }>(),
  steps: {
    reserve: { run: call('reserve') },
    label: { run: call('label'), needs: ['reserve'] },
    charge: { run: call('charge', true), needs: ['reserve'] },
  },
  phases: [
    { id: 'first', steps: ['reserve', 'label'] },
    { id: 'second', steps: ['charge'] },
  ],
}) as unknown as AnyStateMachine;

/** With another step in a phase that is over, one less, and a handler where there was none. */
const after = flow('order', {
  version: '2',
  input: type<{ n: number }>(),
  steps: {
    reserve: { run: call('reserve') },
    weigh: { run: call('weigh'), needs: ['reserve'] },
    charge: {
      run: call('charge', true),
      needs: ['weigh'],
      onFailure: [handler({ id: 'later', then: skip('on account') })],
    },
  },
  phases: [
    { id: 'first', steps: ['reserve', 'weigh'] },
    { id: 'second', steps: ['charge'] },
  ],
  output: ({ results }) => results,
}) as unknown as AnyStateMachine;

async function failed() {
  const house = new House();
  calls.length = 0;
  const runtime = await house.open({ order: before });
  const ref = await runtime.start('order', { id: '1', input: { n: 1 }, correlationId: 'c-1' } as never);
  await failureOf(ref.output());
  await runtime.close();
  expect(calls).toEqual(['reserve', 'label', 'charge']);
  calls.length = 0;
  return { house, runtime: await house.open({ order: [after, before] }) };
}

test('FM1: finished steps that are still there are not done again, and what is new is', async () => {
  const { house, runtime } = await failed();
  const ref = await runtime.resume('order-1', { migrate: flowMigration(after) });
  expect(await ref.output()).toEqual({
    reserve: 'reserve of {"n":1}',
    weigh: 'weigh of {"n":1}',
    charge: 'on account',
  });
  expect(calls).toEqual(['weigh', 'charge']);
  const rebased = (await house.events('order-1')).find(({ type }) => type === 'ActorRebased')!;
  expect(rebased.data).toMatchObject({ reason: 'resumed', version: '2' });
  expect(rebased.meta.$correlationId).toBe('c-1');
  const other = await house.open({ order: [after, before] });
  expect((await other.get('order-1')).getSnapshot().output).toEqual(ref.getSnapshot().output);
});

test('without a migration it goes on under the version it failed in', async () => {
  const { runtime } = await failed();
  expect((await failureOf((await runtime.resume('order-1')).output())).message).toMatch(/charge is broken/);
  expect(calls).toEqual(['charge']);
});

test('another input and a step to go on from are taken along', async () => {
  const { runtime } = await failed();
  const migrate = flowMigration(after);
  const ref = await runtime.resume('order-1', { migrate, from: 'reserve', input: { n: 2 } });
  expect(await ref.output()).toMatchObject({ reserve: 'reserve of {"n":2}' });
  expect(calls).toEqual(['reserve', 'weigh', 'charge']);
});

test('what is no migration, or gives no state of the new version, changes nothing', async () => {
  const { house, runtime } = await failed();
  const events = await house.events('order-1');
  expect(() => flowMigration(setup({}).createMachine({}))).toThrow(InvalidArgumentError);
  expect(() => flowMigration(undefined)).toThrow(InvalidArgumentError);
  expect(() => flowMigration(after)({ value: 'first', context: {} }, { from: '1', to: '2' })).toThrow(/that has ended/);
  for (const migrate of ['2', () => ({ value: 'nowhere', context: {} })]) {
    expect(await failureOf(runtime.resume('order-1', { migrate: migrate as never }))).toBeInstanceOf(
      InvalidArgumentError,
    );
  }
  expect(await house.events('order-1')).toEqual(events);
  expect((await runtime.resume('order-1', { migrate: flowMigration(after) })).stream).toBe('order-1');
});

test('one that runs stays in its version', async () => {
  const house = new House();
  const waiting = flow('order', {
    version: '1',
    input: type<{ n: number }>(),
    steps: { wait: { run: () => new Promise<never>(() => {}) } },
  }) as unknown as AnyStateMachine;
  const old = await house.open({ order: waiting });
  await old.start('order', { id: '1', input: { n: 1 } } as never);
  await old.close();
  const next = await house.open({ order: [after, waiting] });
  const { length } = await house.events('order-1');
  await next.resume('order-1', { migrate: flowMigration(after) });
  expect((await house.types('order-1')).slice(length)).not.toContain('ActorRebased');
});
