/** Machines that are known to recover do so under the kit, with every fault. Numbers are those of docs/explanation/invariants.md. */
import { assign, fromPromise, setup } from 'xstate';
import { expect } from 'vitest';
import { random, type Clock, type RecordedEvent } from 'rewake';
import { breaker, step } from 'rewake/machines';
import { defineScenario, fuzz, RecoveryFailureError, replay, sometimes, sweep, type Outcome } from 'rewake/testing';
import { test } from 'rewake/testing/vitest';

const order = setup({
  types: { context: {} as { tries: number; draw: number } },
  actors: { charge: fromPromise(() => Promise.resolve('real')) },
  actions: { count: assign({ tries: ({ context }) => context.tries + 1, draw: () => random() }) },
}).createMachine({
  id: 'order',
  context: { tries: 0, draw: 0 },
  initial: 'new',
  states: {
    new: { on: { PAY: 'charging' } },
    charging: {
      invoke: { src: 'charge', onDone: 'packing', onError: { target: 'waiting', actions: 'count' } },
    },
    waiting: { after: { 1000: 'charging' } },
    packing: { after: { 3_600_000: 'done' } },
    done: { type: 'final' },
  },
});

const ordering = defineScenario({
  machines: { order },
  effects: { charge: [{ error: new Error('busy') }, { output: 'ok', afterMs: 10 }] },
  events: [{ type: 'PAY' }],
});

const charge = step('charge', () => 'real', { retry: 3, timeout: '30s', breaker: 'bank' });
const shop = setup({ actors: { charge } }).createMachine({
  id: 'shop',
  initial: 'charging',
  states: {
    charging: { invoke: { src: 'charge', onDone: 'done', onError: 'failed' } },
    done: { type: 'final' },
    failed: {},
  },
});
const busy = () => Object.assign(new Error('busy'), { status: 503 });
const shopping = defineScenario({
  machines: { shop, breaker },
  effects: { charge: [{ error: busy }, { error: busy, afterMs: 100 }, { output: 1 }] },
});

test.recovery('an order recovers', ordering);
test.recovery('a step with jitter, a timeout and a breaker recovers', shopping);

test('every append has its crashes, and every recovery', async () => {
  const { phases, crashes } = await sweep(ordering);
  expect(phases).toEqual({
    ...{ beforeAppend: 4, afterAppend: 6, beforeResult: 2, ackLost: 6, snapshot: 10 },
    recovery: expect.any(Number) as number,
  });
  expect(crashes).toBeGreaterThan(4 + 6 + 2 + 10 + phases.recovery);
});

test('a sweep of recoveries alone has the crashes that they recover from, and one of nothing is refused', async () => {
  const { phases } = await sweep(ordering, { phases: ['recovery'] });
  expect(phases.recovery).toBeGreaterThan(20);
  expect(phases).toMatchObject({ beforeAppend: 4, afterAppend: 6, beforeResult: 2, ackLost: 0, snapshot: 0 });
  const expected = 'sweep({ phases }): expected at least one phase; recovery alone takes a depth of 2, found ';
  await expect(sweep(ordering, { phases: [] })).rejects.toThrow(`${expected}"none".`);
  await expect(sweep(ordering, { phases: ['recovery'], depth: 1 })).rejects.toThrow(`${expected}"recovery".`);
});

test('a fuzz says what it tried', async () => {
  const { runs, crashes, damages, seed } = await fuzz(ordering, { numRuns: 50, seed: 5 });
  expect(seed).toBe(5);
  expect(runs).toBeGreaterThan(100);
  expect(crashes).toBeGreaterThan(20);
  expect(damages).toBeGreaterThan(1);
});

test('a condition that is never reached fails the whole, and one that is reached once does not', async () => {
  const checking = (met: (deaths: number) => boolean) => ({
    ...ordering,
    check: ({ events }: Outcome) => sometimes('a host came back', met(hostsOf(events))),
  });
  await sweep(checking((hosts) => hosts > 0));
  await expect(sweep(checking((hosts) => hosts > 3))).rejects.toThrow("'a host came back': evaluated");
});

function hostsOf(events: readonly RecordedEvent[]): number {
  return events.filter(({ type }) => type === 'ActorResumed').length;
}
const race = setup({
  types: { context: {} as { heard: string[] } },
  actors: { call: fromPromise<string>(() => Promise.resolve('real')) },
  actions: { hear: assign({ heard: ({ context, event }) => [...context.heard, String(event.type)] }) },
}).createMachine({
  id: 'race',
  context: { heard: [] },
  invoke: ['a', 'b', 'c'].map((id) => ({ id, src: 'call' as const, onDone: { actions: 'hear' as const } })),
});

test('4: a choice among answers whose answer is lost in a crash is made again', async () => {
  const racing = { machines: { race }, effects: { call: { output: 1, afterMs: 5 } } };
  for (const append of [1, 2]) {
    const crash = { fault: 'crash', append, phase: 'beforeAppend' } as const;
    const { ends } = await replay(racing, { faults: [{ fault: 'reorder', choices: [2, 0, 0] }, crash] });
    expect(ends['race-1']!.context).toEqual({ heard: ['c', 'a', 'b'].map((id) => `xstate.done.actor.${id}`) });
  }
});

test('a timer that a process set on its clock dies with it', async () => {
  const mailing = (mails: string[], clock: Clock) =>
    setup({
      actions: { mailLater: () => void clock.setTimer(clock.now() + 60_000, () => mails.push('reminder')) },
    }).createMachine({ id: 'mailing', entry: 'mailLater', on: { TURN: {} } });
  const reminded = defineScenario({
    world: (): string[] => [],
    machines: (mails, clock) => ({ mailing: mailing(mails, clock) }),
    events: [[30_000, { type: 'TURN' }]],
    check: ({ world }) => expect(world).toEqual(['reminder']),
  });
  await replay(reminded);
  const faults = [{ fault: 'crash', append: 1, phase: 'afterAppend' }] as const;
  await expect(replay(reminded, { faults })).rejects.toThrow(RecoveryFailureError);
});

test('a year of retries is played in no time, and with a crash in it', async () => {
  const daily = step('daily', () => 'real', {
    retry: { maxRetries: 364, backoff: { strategy: 'fixed', initialDelay: '1d', maxDelay: '1d', jitter: 'none' } },
  });
  const year = setup({ actors: { daily } }).createMachine({
    id: 'year',
    initial: 'trying',
    states: { trying: { invoke: { src: 'daily', onDone: 'done', onError: 'failed' } }, done: {}, failed: {} },
  });
  const { ends, events, startMs } = await replay(
    { machines: { year }, effects: { daily: { error: busy } } },
    { faults: [{ fault: 'crash', append: 500, phase: 'afterAppend' }] },
  );
  expect(ends['year-1']).toMatchObject({ value: 'failed' });
  expect((JSON.parse(events.at(-1)!.data) as { attempts: number }).attempts).toBe(365);
  const last = events.findLast(({ meta }) => meta.actor === undefined)!;
  expect((JSON.parse(last.data) as { at: number }).at - startMs).toBeGreaterThan(360 * 86_400_000);
});
