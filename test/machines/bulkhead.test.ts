/** Bulkheads: who runs, who waits, who is refused, and who gives a slot back (scenario K01). */
import { beforeEach, describe, expect, it } from 'vitest';
import { createActor, fromPromise, setup, toPromise, type AnyStateMachine } from 'xstate';
import { InvalidArgumentError } from 'rewake';
import { withBulkhead } from '../../machines/bulkhead.ts';
import { BulkheadFullError } from '../../machines/recovery-errors.ts';
import { forgetSlots, slotsOf } from '../../machines/slots.ts';
import { House, isPending } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

let key = '';
let runs = 0;
beforeEach(() => (key = `dependency ${runs++}`));

function place() {
  const running: string[] = [];
  const ends = new Map<string, (outcome: Error | string) => void>();
  const call = fromPromise(({ input }: { input: string }) => {
    running.push(input);
    return new Promise<string>((resolve, reject) =>
      ends.set(input, (outcome) => (outcome instanceof Error ? reject(outcome) : resolve(outcome))),
    );
  });
  const machine = withBulkhead(key, { concurrency: 2, queue: 2 })(call) as unknown as AnyStateMachine;
  return { running, ends, machine };
}

describe('a bulkhead of two with a queue of two', () => {
  it('K01: refuses the fifth call at once, and lets the others in as they came', async () => {
    const { running, ends, machine } = place();
    const runtime = await new House().open({ work: machine });
    const refs = await Promise.all(
      ['a', 'b', 'c', 'd', 'e'].map((id) => runtime.start('work', { id, input: id } as never)),
    );
    await rest();
    const refused: unknown = await refs[4]!.output().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(BulkheadFullError);
    expect(refused).toMatchObject({ key, concurrency: 2, queue: 2 });
    expect(running).toEqual(['a', 'b']);
    ends.get('b')!('done');
    await rest();
    expect(running).toEqual(['a', 'b', 'c']);
    ends.get('a')!(new Error('broken'));
    await rest();
    expect(running).toEqual(['a', 'b', 'c', 'd']);
    for (const id of ['c', 'd']) ends.get(id)!('done');
    await rest();
    expect(slotsOf(key).usage).toEqual({ running: 0, waiting: 0 });
  });

  it('K01: a waiter that is stopped leaves, and starves nobody', async () => {
    const { running, ends, machine } = place();
    const runtime = await new House().open({ work: machine });
    const refs = await Promise.all(['a', 'b', 'c', 'd'].map((id) => runtime.start('work', { id, input: id } as never)));
    await rest();
    await refs[2]!.stop();
    await rest();
    expect(slotsOf(key).usage).toEqual({ running: 2, waiting: 1 });
    ends.get('a')!('done');
    await rest();
    expect(running).toEqual(['a', 'b', 'd']);
    await refs[1]!.stop();
    await rest();
    expect(slotsOf(key).usage).toEqual({ running: 1, waiting: 0 });
  });

  it('a call that was running when its host died takes its slot again, also where all are taken (BH3)', async () => {
    const house = new House();
    const { machine } = place();
    const { runtime, crash } = await house.openToCrash({ work: machine });
    for (const id of ['a', 'b', 'c']) await runtime.start('work', { id, input: id } as never);
    await rest();
    crash();
    forgetSlots();
    const others = ['x', 'y'].map(() => slotsOf(key).claim({ concurrency: 2, queue: 2 }, () => {}));
    const next = place();
    await house.open({ work: next.machine });
    await rest();
    expect(next.running.toSorted()).toEqual(['a', 'b']);
    expect(slotsOf(key).usage).toEqual({ running: 4, waiting: 1 });
    for (const other of others) other!.release();
    next.ends.get('a')!('done');
    await rest();
    expect(next.running.at(-1)).toBe('c');
    expect(slotsOf(key).usage).toEqual({ running: 2, waiting: 0 });
  });

  it('ends what runs when its runtime drains, and leaves what waits to the next one (BH4)', async () => {
    const house = new House();
    const first = place();
    const runtime = await house.open({ work: first.machine });
    for (const id of ['a', 'b', 'c', 'd']) await runtime.start('work', { id, input: id } as never);
    await rest();
    const closed = runtime.close({ drain: '10s' });
    await house.advance(100);
    expect(slotsOf(key).usage).toEqual({ running: 2, waiting: 0 });
    first.ends.get('a')!('done');
    await house.advance(100);
    expect(await isPending(closed)).toBe(true);
    first.ends.get('b')!('done');
    await house.advance(100);
    await closed;
    expect(first.running).toEqual(['a', 'b']);
    expect(slotsOf(key).usage).toEqual({ running: 0, waiting: 0 });

    const next = place();
    const after = await house.open({ work: next.machine });
    await rest();
    expect(next.running.toSorted()).toEqual(['c', 'd']);
    for (const id of ['c', 'd']) next.ends.get(id)!(`${id} done`);
    expect(await (await after.get('work-c')).output()).toBe('c done');
  });

  it('lets a plain call inside a running effect have its turn while the runtime drains (BH4)', async () => {
    const house = new House();
    const { running, ends, machine } = place();
    const others = ['x', 'y'].map(() => slotsOf(key).claim({ concurrency: 2, queue: 2 }, () => {})!);
    const outer = fromPromise(() => toPromise(createActor(machine, { input: 'inner' } as never).start()));
    const job = setup({ actors: { outer } }).createMachine({
      initial: 'on',
      states: { on: { invoke: { src: 'outer', onDone: 'done' } }, done: {} },
    });
    const runtime = await house.open({ job });
    const ref = await runtime.start('job', { id: '1' });
    await rest();
    const closed = runtime.close({ drain: '10s' });
    await house.advance(100);
    for (const other of others) other.release();
    await rest();
    expect(running).toEqual(['inner']);
    ends.get('inner')!('done');
    await house.advance(100);
    await closed;
    expect(ref.getSnapshot().value).toBe('done');
  });

  it('tells that it refused, and by default lets nobody wait', async () => {
    const house = new House();
    const call = fromPromise(() => new Promise(() => {}));
    const machine = withBulkhead(key, { concurrency: 1 })(call) as unknown as AnyStateMachine;
    const runtime = await house.open({ work: machine });
    for (const id of ['a', 'b']) await runtime.start('work', { id });
    await rest();
    const told = (await house.events('work-b')).find(({ type }) => type === 'BulkheadRejected');
    expect(told?.data).toEqual({ type: 'BulkheadRejected', key, concurrency: 1, queue: 0 });
  });

  it('gives what the call gave', async () => {
    const call = fromPromise(async () => 'fine');
    const machine = withBulkhead(key)(call) as unknown as AnyStateMachine;
    expect(await (await (await new House().open({ work: machine })).start('work', { id: '1' })).output()).toBe('fine');
  });
});

describe('slots of one key with limits of their own (SL2)', () => {
  it('are given in order, each by the limit of whoever waits', () => {
    const slots = slotsOf(key);
    const granted: string[] = [];
    const claim = (name: string, concurrency: number) =>
      slots.claim({ concurrency, queue: 9 }, () => granted.push(name))!;
    const wide = claim('wide', 5);
    const narrow = [claim('narrow 1', 1), claim('narrow 2', 1)];
    const behind = claim('behind', 5);
    expect([granted, slots.usage]).toEqual([['wide'], { running: 1, waiting: 3 }]);
    wide.release();
    expect(granted).toEqual(['wide', 'narrow 1']);
    narrow[1]!.release();
    expect([granted, slots.usage]).toEqual([['wide', 'narrow 1', 'behind'], { running: 2, waiting: 0 }]);
    for (const each of [narrow[0]!, behind, behind, wide]) each.release();
    expect(slots.usage).toEqual({ running: 0, waiting: 0 });
  });
});

it.each([
  ['', {}],
  ['x', { concurrency: 0 }],
  ['x', { concurrency: 1.5 }],
  ['x', { queue: -1 }],
  ['x', { queues: 1 }],
])('refuses key %j with options %j', (name, options) => {
  expect(() => withBulkhead(name, options as never)).toThrow(InvalidArgumentError);
});
