/** What happens backstage of a runtime for the command line: it only writes, passes actions over, and says when it has lost the log. */
import { expect, it, onTestFinished } from 'vitest';
import { setup } from 'xstate';
import { effect, explainStream, Runtime } from '../../src/index.ts';
import type { Backstage } from '../../src/runtime/runtime.ts';
import type { Machines } from '../../src/runtime/machines.ts';
import { House } from '../support/house.ts';

async function writer(house: House, machines: Machines, backstage: Backstage = { writesOnly: true }) {
  const { log, clock, logger } = house;
  const options = { log, clock, logger, machines, lease: false, keepLogOpen: true, passivate: false } as const;
  const runtime = new Runtime({ ...options, resume: false, host: 'writer' }, backstage);
  await runtime.open();
  onTestFinished(() => void runtime.close());
  return runtime;
}

function shop(done: string[]) {
  const charge = effect(
    async ({ context }) => {
      done.push(`charge, ${context.restarts} restarts`);
      return 'receipt';
    },
    { onLost: 'fail' },
  );
  const order = setup({
    actors: { charge },
    actions: { tell: () => void done.push('told') },
  }).createMachine({
    initial: 'open',
    states: {
      open: { on: { PAY: { target: 'paying', actions: 'tell' } } },
      paying: { invoke: { id: 'charge', src: 'charge', onDone: 'paid' } },
      paid: { type: 'final' },
    },
  });
  return { order };
}

it('leaves an effect that begins to the next host, where it runs once and for the first time, whatever its onLost', async () => {
  const [house, done] = [new House(), [] as string[]];
  const first = await house.open(shop(done));
  await first.start('order', { id: '1' });
  await first.close();
  const runtime = await writer(house, shop(done));
  await runtime.send('order-1', { type: 'PAY' });
  await runtime.idle();
  await runtime.close();
  expect(done).toEqual(['told']);
  const { effects, text } = await explainStream(house.log, 'order-1', { clock: house.clock, machines: shop(done) });
  expect(effects).toMatchObject([{ standing: 'interrupted', attempt: 1, hasBegun: false }]);
  expect(text).toContain('The effect /charge:1 (charge) has not begun; the next host runs it for the first time.');
  const next = await house.open(shop(done));
  await (await next.get('order-1')).output();
  expect(done).toEqual(['told', 'charge, 0 restarts']);
  expect(
    (await house.events('order-1')).slice(1).map(({ type, data }) => [type, data['value'] ?? data['effects']]),
  ).toEqual([
    ['EventReceived', undefined],
    ['EffectProgressed', 'untouched'],
    ['ActorResumed', [{ actor: '/charge:1', decision: 'rerun' }]],
    ['EffectSucceeded', undefined],
  ]);
});

it('leaves alone what a former host left behind', async () => {
  const [house, done] = [new House(), [] as string[]];
  const { order } = shop(done);
  const hanging = { order: order.provide({ actors: { charge: effect(() => new Promise<string>(() => {})) } }) };
  const { runtime: dead, crash } = await house.openToCrash(hanging);
  await dead.start('order', { id: '1' });
  await dead.send('order-1', { type: 'PAY' });
  crash();
  const before = await house.types('order-1');
  const runtime = await writer(house, shop(done));
  await runtime.send('order-1', { type: 'SOMETHING' });
  await runtime.idle();
  await runtime.close();
  expect(await house.types('order-1')).toEqual([...before, 'EventReceived']);
  const next = await house.open(shop(done));
  await next.idle();
  expect((await house.types('order-1')).at(-1)).toBe('EffectFailed');
});

it('passes custom actions over where it is told to', async () => {
  const [house, done] = [new House(), [] as string[]];
  const first = await house.open(shop(done));
  await first.start('order', { id: '1' });
  await first.close();
  const skipped: unknown[] = [];
  const runtime = await writer(house, shop(done), {
    writesOnly: true,
    skipAction: (...action) => skipped.push(action),
  });
  await runtime.send('order-1', { type: 'PAY' });
  await runtime.idle();
  expect([done, skipped]).toEqual([[], [['order-1', '/', 'tell']]]);
});

it('tells whoever hosts it that another host has taken the log', async () => {
  const house = new House();
  const { log, clock, logger } = house;
  const lost: Error[] = [];
  const options = { log, clock, logger, machines: shop([]), lease: { ttl: '9s' }, keepLogOpen: true } as const;
  const runtime = new Runtime(options, { onLost: (error) => lost.push(error) });
  await runtime.open();
  onTestFinished(() => void runtime.close());
  const { epoch } = (await log.leaseHolder('rewake.host'))!;
  await log.lease('rewake.host', { owner: 'elsewhere/1/0/x', ttlMs: 60_000, takeFrom: epoch });
  expect(lost).toEqual([]);
  await house.advance(3_000);
  expect(lost).toMatchObject([{ code: 'REWAKE_RUNTIME_CLOSED' }]);
});
