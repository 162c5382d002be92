/** What runtime.explain says of real machines: the sentences as a person reads them, and the data behind them. */
import { describe, expect, it } from 'vitest';
import { assign, emit, setup } from 'xstate';
import { NotFoundError } from '../../src/errors.ts';
import { now } from '../../src/index.ts';
import { effect } from '../../src/runtime/effect.ts';
import { explainStream } from '../../src/runtime/explain/explain.ts';
import { abort, approval, flow, handler, intervene, recoveryMachines, skip, step } from '../../machines/index.ts';
import { failureOf, House } from '../support/house.ts';
import { createMachine } from '../support/loose-machine.ts';

const order = setup({
  types: {} as {
    context: { amount: number; openedAt: number };
    input: { amount: number };
    events: { type: 'PAY'; by: string } | { type: 'CANCEL' } | { type: 'HOLD' } | { type: 'FAIL' };
  },
  guards: {
    isKnown: ({ event }) => event.type === 'PAY' && event.by === 'ann',
    isAbove: ({ context }, { min }: { min: number }) => context.amount > min,
    isLate: ({ context }) => now() > context.openedAt + 60_000,
  },
}).createMachine({
  id: 'order',
  version: '1',
  context: ({ input }) => ({ ...input, openedAt: now() }),
  initial: 'open',
  states: {
    open: {
      on: {
        PAY: { guard: 'isKnown', target: 'paid' },
        CANCEL: [
          { guard: { type: 'isAbove', params: { min: 100 } }, target: 'held' },
          { guard: 'isLate', target: 'cancelled' },
          { target: 'open' },
        ],
        HOLD: 'held',
        FAIL: {
          actions: assign(() => {
            throw new Error('no such order');
          }),
        },
      },
    },
    held: { after: { 3_600_000: 'open' }, on: { HOLD: {} } },
    paid: { type: 'final' },
    cancelled: { type: 'final' },
  },
});

/** An order in its first state, and how to ask. */
async function anOrder(options: { passivate?: { idle: '1m' } } = {}) {
  const house = new House();
  const runtime = await house.open({ order }, options);
  const ref = await runtime.start('order', { id: '1', input: { amount: 12 } });
  const ask = async () => String(await runtime.explain('order-1'));
  return { house, runtime, ref, ask };
}

describe('a plain machine', () => {
  it('that waits for an event says which it takes, with its guards', async () => {
    const { house, runtime, ask } = await anOrder();
    await house.advance(30_000);
    expect(await ask()).toMatchInlineSnapshot(`
      "order-1 is active: its machine order (version 1) is in state "open" since 2026-01-01 00:00:00 UTC (30 s ago, revision 0).
      It takes HOLD (to held) and FAIL (stays).
      It may take PAY (to paid): the guard isKnown depends on the event.
      It does not take CANCEL (to held) now: the guard isAbove {"min":100} does not hold.
      It does not take CANCEL (to cancelled) now: the guard isLate does not hold.
      Otherwise it takes CANCEL (to open).
      Nobody holds the lease on the log: this runtime hosts it without one.
      Next: it waits for an event: send it CANCEL, HOLD, FAIL or PAY, as in runtime.send('order-1', { type: 'CANCEL' })."
    `);
    const { machines } = await runtime.explain('order-1');
    expect(machines[0]!.accepts).toEqual([
      { state: 'open', event: 'PAY', targets: ['paid'], guard: guard('isKnown', null, 'depends on the event') },
      { state: 'open', event: 'CANCEL', targets: ['held'], guard: guard('isAbove', { min: 100 }, false) },
      { state: 'open', event: 'CANCEL', targets: ['cancelled'], guard: guard('isLate', null, false) },
      { state: 'open', event: 'CANCEL', targets: ['open'], guard: null },
      { state: 'open', event: 'HOLD', targets: ['held'], guard: null },
      { state: 'open', event: 'FAIL', targets: [], guard: null },
    ]);
  });

  it('asks its guards at the time of the question', async () => {
    const { house, ask } = await anOrder();
    await house.advance(90_000);
    const text = await ask();
    expect(text).toContain('It takes CANCEL (to cancelled): the guard isLate holds.');
    expect(text).not.toContain('Otherwise');
  });

  it('that waits for a timer says when that fires', async () => {
    const { house, ref, ask } = await anOrder();
    await ref.send({ type: 'HOLD' });
    await house.advance(90_000);
    expect(await ask()).toMatchInlineSnapshot(`
      "order-1 is active: its machine order (version 1) is in state "held" since 2026-01-01 00:00:00 UTC (1 min 30 s ago, revision 1).
      The timer xstate.after.3600000.order.held of / fires at 2026-01-01 01:00:00 UTC (in 58 min 30 s).
      It takes HOLD (stays).
      Nobody holds the lease on the log: this runtime hosts it without one.
      Next: nothing has to be done: it goes on by itself. Wait for the timer, or move it on by HOLD, as in runtime.send('order-1', { type: 'HOLD' })."
    `);
  });

  it('that is done says so', async () => {
    const { ref, ask } = await anOrder();
    await ref.send({ type: 'PAY', by: 'ann' });
    expect(await ask()).toMatchInlineSnapshot(`
      "order-1 is done: its machine order (version 1) ended in state "paid" at 2026-01-01 00:00:00 UTC (just now, revision 1).
      Nobody holds the lease on the log: this runtime hosts it without one.
      Next: nothing: it has ended. To do it again, start another one under a new id."
    `);
  });

  it('that failed says with what, and how to go on', async () => {
    const { ref, ask } = await anOrder();
    await ref.send({ type: 'FAIL' });
    await failureOf(ref.output());
    expect(await ask()).toMatchInlineSnapshot(`
      "order-1 has failed: its machine order (version 1) ended with an error in state "open" at 2026-01-01 00:00:00 UTC (just now, revision 1).
      It failed with Error: no such order.
      Nobody holds the lease on the log: this runtime hosts it without one.
      Next: its machine does not take 'rewake.resume', so go back: runtime.rewind('order-1', { to: 0 }) gives the state before it failed; effects that ran then count as lost, as after a crash."
    `);
  });

  it('that failed and takes rewake.resume is told to be resumed; then its error is behind it', async () => {
    const house = new House();
    const state = { fails: true };
    const work = effect(async () => (state.fails ? Promise.reject(new Error('no paper')) : new Promise(() => {})));
    const print = createMachine({
      initial: 'printing',
      states: {
        printing: { invoke: { id: 'work', src: work }, on: { 'rewake.resume': { target: 'printing', reenter: true } } },
      },
    });
    const runtime = await house.open({ print });
    await runtime.start('print', { id: '1' } as never);
    await house.rest();
    const failed = await runtime.explain('print-1');
    expect(failed).toMatchObject({ status: 'error', isResumable: true, error: { message: 'no paper' } });
    expect(failed.next).toEqual([
      "once the cause is gone, call runtime.resume('print-1'): its machine goes on where it failed.",
      "or go back: runtime.rewind('print-1', { to: 0 }) gives the state before it failed; effects that ran then count as lost, as after a crash.",
    ]);
    expect((await explainStream(house.log, 'print-1')).next[0]).toContain("try runtime.resume('print-1')");
    state.fails = false;
    await runtime.resume('print-1');
    await house.rest();
    const resumed = await runtime.explain('print-1');
    expect(resumed).toMatchObject({ status: 'active', isResumable: null, error: null });
    expect(resumed.effects).toMatchObject([{ actor: '/work:2', standing: 'running' }]);
  });

  it('that was stopped says why', async () => {
    const { ref, ask } = await anOrder();
    await ref.stop({ reason: 'a duplicate' });
    expect(await ask()).toMatchInlineSnapshot(`
      "order-1 was stopped at 2026-01-01 00:00:00 UTC (just now, revision 1): its machine order (version 1) was in state "open"; the reason given is "a duplicate".
      Nobody holds the lease on the log: this runtime hosts it without one.
      Next: nothing: it has ended. To do it again, start another one under a new id."
    `);
  });

  it('that has left memory says what brings it back, and stays where it is', async () => {
    const { house, runtime, ref, ask } = await anOrder({ passivate: { idle: '1m' } });
    await ref.send({ type: 'HOLD' });
    await house.advance(180_000);
    const dormant =
      'It is not in memory: it is loaded when its next timer is due, at 2026-01-01 01:00:00 UTC, or when an event for it arrives.';
    expect(await ask()).toContain(dormant);
    expect((await runtime.explain('order-1')).inMemory).toBe(false);
    await ref.send({ type: 'HOLD' });
    expect((await runtime.explain('order-1')).inMemory).toBe(true);
  });

  it('that no event and nothing else can move says so', async () => {
    const stuck = createMachine({
      initial: 'a',
      states: { a: { always: { guard: ({ context }) => context.n === 1, target: 'b' } }, b: {} },
      context: { n: 0 },
    });
    const house = new House();
    const runtime = await house.open({ stuck });
    await runtime.start('stuck', { id: '1' } as never);
    expect(String(await runtime.explain('stuck-1'))).toMatchInlineSnapshot(`
      "stuck-1 is active: its machine stuck is in state "a" since 2026-01-01 00:00:00 UTC (just now, revision 0).
      It goes on by itself (to b) once the guard (inline) holds, which it does not now.
      Nobody holds the lease on the log: this runtime hosts it without one.
      Next: nothing that is sent to it now moves it, and it waits for nothing: see which guard does not hold, stop it, or give its machine a way on."
    `);
  });

  it('that is not there is a NotFoundError', async () => {
    const { house, runtime } = await anOrder();
    expect(await failureOf(runtime.explain('order-2'))).toBeInstanceOf(NotFoundError);
    expect(await failureOf(explainStream(house.log, 'order-2'))).toBeInstanceOf(NotFoundError);
  });
});

function guard(name: string, params: unknown, gives: unknown) {
  return { name, params, gives };
}

const down = () => Promise.reject(Object.assign(new Error('the bank is down'), { status: 503 }));
const backoff = { initialDelay: 10_000, jitter: 'none' } as const;

function paying(charge: ReturnType<typeof step>) {
  return setup({ actors: { charge } }).createMachine({
    id: 'payment',
    initial: 'charging',
    states: {
      charging: { invoke: { id: 'charge', src: 'charge', onDone: 'paid', onError: 'unpaid' } },
      paid: { type: 'final' },
      unpaid: { on: { RETRY: 'charging' } },
    },
  });
}

describe('a step', () => {
  it('whose retry waits says for which, and what failed', async () => {
    const house = new House();
    const payment = paying(step('charge', down, { retry: { maxRetries: 1, backoff } }));
    const runtime = await house.open({ payment });
    await runtime.start('payment', { id: '1' });
    await house.advance(4_000);
    expect(String(await runtime.explain('payment-1'))).toMatchInlineSnapshot(`
      "payment-1 is active: its machine payment is in state "charging" since 2026-01-01 00:00:00 UTC (4 s ago, revision 0).
      Inside it, /charge:1 is in state "waiting" since 2026-01-01 00:00:00 UTC (4 s ago, revision 1).
      Step charge (/charge:1) will be tried again at 2026-01-01 00:00:10 UTC (in 6 s), after 1 call; the last error was of class server.
      It takes no event that could be sent to it.
      The newest failure that nothing has made good: AttemptFailed of /charge:1 (attempt 1, class server) at 2026-01-01 00:00:00 UTC (4 s ago, revision 2): Error: the bank is down.
      Nobody holds the lease on the log: this runtime hosts it without one.
      Next: nothing has to be done: it goes on by itself. Wait for the retry."
    `);
    const { retries, timers } = await runtime.explain('payment-1');
    expect(retries).toMatchObject([{ step: 'charge', attempt: 1, inMs: 6_000 }]);
    expect(timers.length).toBe(1);
  });

  it('whose retry is overdue says so', async () => {
    const house = new House();
    const payment = paying(step('charge', down, { retry: { maxRetries: 1, backoff } }));
    const runtime = await house.open({ payment });
    await runtime.start('payment', { id: '1' });
    await house.rest();
    await runtime.close();
    house.clock.jump(70_000);
    expect(String(await explainStream(house.log, 'payment-1', { clock: house.clock }))).toMatchInlineSnapshot(`
      "payment-1 is active: its machine payment is in state "charging" since 2026-01-01 00:00:00 UTC (1 min 10 s ago, revision 0).
      Inside it, /charge:1 is in state "waiting" since 2026-01-01 00:00:00 UTC (1 min 10 s ago, revision 1).
      Step charge (/charge:1) was to be tried again at 2026-01-01 00:00:10 UTC (1 min ago) and has not been, after 1 call; the last error was of class server.
      The newest failure that nothing has made good: AttemptFailed of /charge:1 (attempt 1, class server) at 2026-01-01 00:00:00 UTC (1 min 10 s ago, revision 2): Error: the bank is down.
      Nobody holds the lease on the log: no host runs its actors, unless one does so without a lease.
      Next: start a host on this log, createRuntime({ log, machines }): it takes up effects that were left behind and timers that are overdue."
    `);
  });

  it('that gave up leaves its error behind, until it succeeds', async () => {
    const house = new House();
    const bank = { isDown: true };
    const payment = paying(
      step('charge', () => (bank.isDown ? down() : Promise.resolve()), { retry: { maxRetries: 0 } }),
    );
    const runtime = await house.open({ payment });
    const ref = await runtime.start('payment', { id: '1' });
    await house.rest();
    expect((await runtime.explain('payment-1')).error).toMatchObject({
      told: 'AttemptFailed',
      actor: '/charge:1',
      message: 'the bank is down',
      class: 'server',
      attempt: 1,
    });
    bank.isDown = false;
    await ref.send({ type: 'RETRY' });
    await house.rest();
    expect(await runtime.explain('payment-1')).toMatchObject({ status: 'done', error: null });
  });

  it('that gave up and ends its root with its error is told with what led to that', async () => {
    const house = new House();
    const charge = step('charge', down, { timeout: '1s' });
    const strict = setup({ actors: { charge } }).createMachine({
      id: 'strict',
      invoke: { id: 'charge', src: 'charge' },
    });
    const exhausted = step('twice', down, { retry: { maxRetries: 1, backoff } });
    const runtime = await house.open({ strict, exhausted });
    await runtime.start('strict', { id: '1' });
    await runtime.start('exhausted', { id: '1' } as never);
    await house.advance(10_000);
    // The step gives its last error on as it is: that need not be said twice.
    expect(await runtime.explain('strict-1')).toMatchObject({
      error: { told: 'state', message: 'the bank is down' },
      cause: null,
    });
    expect(await runtime.explain('exhausted-1')).toMatchObject({
      error: { told: 'state', code: 'REWAKE_RECOVERY_EXHAUSTED' },
      cause: { told: 'AttemptFailed', attempt: 2, message: 'the bank is down' },
    });
  });

  it('that a breaker refuses says what the breaker is now', async () => {
    const house = new House();
    const breaker = { key: 'bank', consecutive: 1, openFor: '1m', wait: '10m' } as const;
    const payment = paying(step('charge', down, { retry: { maxRetries: 1, backoff }, breaker }));
    const runtime = await house.open({ payment, ...recoveryMachines });
    await runtime.start('payment', { id: '1' });
    await house.rest();
    await runtime.start('payment', { id: '2' });
    await house.advance(1_000);
    expect(String(await runtime.explain('payment-2'))).toMatchInlineSnapshot(`
      "payment-2 is active: its machine payment is in state "charging" since 2026-01-01 00:00:00 UTC (1 s ago, revision 0).
      Inside it, /charge:1 is in state "waiting" since 2026-01-01 00:00:00 UTC (1 s ago, revision 1).
      The circuit breaker bank let no call of step charge through since 2026-01-01 00:00:00 UTC (1 s ago, revision 1): it was open. By breaker-bank it is open until 2026-01-01 00:01:00 UTC (in 59 s). The failure that it saw last: the bank is down.
      Step charge (/charge:1) will be tried again at 2026-01-01 00:01:00 UTC (in 59 s), before its first call; the last error was of class policy.
      It takes no event that could be sent to it.
      Nobody holds the lease on the log: this runtime hosts it without one.
      Next: repair what is behind the breaker bank; it lets a call try by itself when its time is over. By hand: send 'breaker.disabled' and 'breaker.enabled' to 'breaker-bank'."
    `);
    await runtime.send('breaker-bank', { type: 'breaker.isolated', hold: 'the night shift' });
    const text = String(await runtime.explain('payment-2'));
    expect(text).toContain('By breaker-bank it is isolated by the night shift.');
    expect(text).toContain(
      "Next: release the breaker: runtime.send('breaker-bank', { type: 'breaker.released', hold: 'the night shift' }).",
    );
  });

  it('that was refused forgets it once it has a permit', async () => {
    const house = new House();
    const bank = { isDown: true };
    const breaker = { key: 'bank', consecutive: 1, openFor: '15s', wait: '10m' } as const;
    const charge = step('charge', () => (bank.isDown ? down() : new Promise(() => {})), {
      retry: { maxRetries: 1, backoff },
      breaker,
    });
    const runtime = await house.open({ payment: paying(charge), ...recoveryMachines });
    for (const id of ['1', '2']) await runtime.start('payment', { id });
    await house.rest();
    await runtime.start('payment', { id: '3' });
    await house.rest();
    expect((await runtime.explain('payment-3')).breakers.length).toBe(1);
    bank.isDown = false;
    await house.advance(60_000);
    const { breakers, effects } = await runtime.explain('payment-3');
    expect(breakers).toEqual([]);
    expect(effects).toMatchObject([{ src: 'call', standing: 'running' }]);
  });
});

describe('a person', () => {
  it('who has to approve is named, with what to send', async () => {
    const house = new House();
    const refund = approval('refund', { timeout: '3d', quorum: 2, approvers: ['ann', 'bob', 'cy'] });
    const runtime = await house.open({ refund });
    const ref = await runtime.start('refund', { id: '1', input: { title: 'Refund 90 EUR?' } });
    await house.advance(7_200_000);
    expect(String(await runtime.explain('refund-1'))).toMatchInlineSnapshot(`
      "refund-1 is active: its machine refund is in state "waiting" since 2026-01-01 00:00:00 UTC (2 h ago, revision 0).
      It waits for a person since 2026-01-01 00:00:00 UTC (2 h ago, revision 1): "Refund 90 EUR?" (approval refund, at /). ann, bob or cy may answer, and 2 have to say the same. Without an answer it is decided at 2026-01-04 00:00:00 UTC (in 2 d 22 h).
      It may take approval.* (stays): the guard isRefused depends on the event.
      It may take approval.* (to rejected): the guard isRejection depends on the event.
      It may take approval.* (to approved): the guard isDecisive depends on the event.
      Otherwise it takes approval.* (stays).
      Nobody holds the lease on the log: this runtime hosts it without one.
      Next: let somebody answer: runtime.send('refund-1', { type: 'approval.granted', by: 'their name' }), or 'approval.rejected'."
    `);
    await ref.send({ type: 'approval.granted', by: 'ann' });
    expect((await runtime.explain('refund-1')).people).toMatchObject([{ kind: 'approval', missing: 1 }]);
    await ref.send({ type: 'approval.granted', by: 'bob' });
    expect(await runtime.explain('refund-1')).toMatchObject({ status: 'done', people: [] });
  });

  it('who has to choose inside a tree is asked through the root; nobody is once the machine has gone on', async () => {
    const house = new House();
    const choice = approval('choice', {});
    const job = setup({ actors: { choice } }).createMachine({
      id: 'job',
      initial: 'asking',
      states: {
        asking: {
          invoke: { id: 'choice', src: 'choice', input: { title: 'Which way?', choices: ['left', 'right'] } },
          on: { SKIP: 'skipped' },
        },
        skipped: {},
      },
    });
    const runtime = await house.open({ job });
    const ref = await runtime.start('job', { id: '1' });
    const text = String(await runtime.explain('job-1'));
    expect(text).toContain('"Which way?" (approval choice, at /choice:1). Anybody may answer. Choices: left or right.');
    expect(text).toContain(
      "Next: let somebody choose: runtime.send('job-1', { type: 'approval.chosen', by: 'their name', choice: 'left' }); its machine has to pass it on to /choice:1.",
    );
    await ref.send({ type: 'SKIP' });
    expect((await runtime.explain('job-1')).people).toEqual([]);
  });

  it('whom a flow asks is answered as advised, also in two sub-flows at a time and inside of policies', async () => {
    const house = new House();
    const charge = async () => {
      throw new Error('declined');
    };
    const asks = [
      handler({ id: 'ask', then: intervene('Declined. What now?', { free: skip('free'), stop: abort() }) }),
    ];
    const payment = flow('payment', { steps: { charge: { run: charge, onFailure: asks } } });
    const order = flow('order', {
      steps: {
        pay: { run: payment, timeout: '1d', retry: 1 },
        tip: { run: payment },
        wrap: { run: charge, onFailure: asks },
      },
    });
    const runtime = await house.open({ order });
    const ref = await runtime.start('order', { id: '1' });
    for (const subject of ['wrap', 'pay/charge', 'tip/charge', undefined]) {
      await house.rest();
      const { next, people } = await runtime.explain('order-1');
      if (subject === undefined) break;
      const named = people.length > 1 ? `, subject: '${subject}'` : '';
      expect(next).toContain(
        `let somebody choose: runtime.send('order-1', { type: 'approval.chosen', by: 'their name', choice: 'free'${named} }).`,
      );
      await ref.send({ type: 'approval.chosen', by: 'ann', choice: 'free', ...(named !== '' && { subject }) });
    }
    expect(ref.getSnapshot().status).toBe('done');
  });

  it('who has to intervene is waited for until the answer is told', async () => {
    const house = new House();
    const request = { flow: 'deploy', subject: 'migrate', handler: 'askOps' };
    const deploy = createMachine({
      initial: 'intervening',
      states: {
        intervening: {
          entry: emit({
            type: 'InterventionRequested',
            ...request,
            message: 'The schema is locked',
            choices: ['retry', 'abort'],
            error: {},
          }),
          on: {
            'approval.chosen': {
              target: 'going',
              actions: emit({ type: 'InterventionAnswered', ...request, choice: 'retry', by: 'ann' }),
            },
          },
        },
        going: {},
      },
    });
    const runtime = await house.open({ deploy });
    const ref = await runtime.start('deploy', { id: '1' } as never);
    expect(String(await runtime.explain('deploy-1'))).toMatchInlineSnapshot(`
      "deploy-1 is active: its machine deploy is in state "intervening" since 2026-01-01 00:00:00 UTC (just now, revision 0).
      It waits for a person since 2026-01-01 00:00:00 UTC (just now, revision 1): "The schema is locked" (flow deploy, handler askOps of migrate). Choices: retry or abort.
      It takes approval.chosen (to going).
      Nobody holds the lease on the log: this runtime hosts it without one.
      Next: let somebody choose: runtime.send('deploy-1', { type: 'approval.chosen', by: 'their name', choice: 'retry' })."
    `);
    await ref.send({ type: 'approval.chosen' });
    expect((await runtime.explain('deploy-1')).people).toEqual([]);
  });
});

describe('an effect', () => {
  const job = (onLost: 'rerun' | 'ask', work = async () => new Promise(() => {})) =>
    setup({
      actors: { work: effect(async ({ context }) => (await context.progress({ page: 7 }), work()), { onLost }) },
    }).createMachine({
      id: 'job',
      initial: 'working',
      states: { working: { invoke: { id: 'work', src: 'work' }, on: { CANCEL: 'idle' } }, idle: {} },
    });

  it('that runs says since when and what it saved', async () => {
    const house = new House();
    const runtime = await house.open({ job: job('rerun') });
    await runtime.start('job', { id: '1' });
    await house.advance(4_000_000);
    expect(String(await runtime.explain('job-1'))).toMatchInlineSnapshot(`
      "job-1 is active: its machine job is in state "working" since 2026-01-01 00:00:00 UTC (1 h 6 min ago, revision 0).
      The effect /work:1 (work) runs since 2026-01-01 00:00:00 UTC (1 h 6 min ago, revision 0). Its last checkpoint is {"page":7}.
      It takes CANCEL (to idle).
      Nobody holds the lease on the log: this runtime hosts it without one.
      Next: nothing has to be done: it goes on by itself. Wait for the effect (one that hangs wants a timeout in its machine), or move it on by CANCEL, as in runtime.send('job-1', { type: 'CANCEL' })."
    `);
  });

  it('that was run again says how often', async () => {
    const house = new House();
    const machines = { job: job('rerun') };
    for (let life = 0; life < 2; life++) {
      const { runtime, crash } = await house.openToCrash(machines);
      await runtime.start('job', { id: '1' });
      await house.rest();
      crash();
    }
    const runtime = await house.open(machines);
    await house.rest();
    const said = await runtime.explain('job-1');
    expect(said.effects).toMatchObject([{ standing: 'running', attempt: 3, restarts: 2, checkpoint: { page: 7 } }]);
    expect(said.text).toContain('It is in attempt 3: it was run again 2 times because its host died.');
  });

  it('that was lost waits for a person, who is told what to call', async () => {
    const house = new House();
    const machines = { job: job('ask') };
    const { runtime, crash } = await house.openToCrash(machines);
    await runtime.start('job', { id: '1' });
    await house.rest();
    crash();
    const second = await house.open(machines);
    await house.advance(90_000);
    expect(String(await second.explain('job-1'))).toMatchInlineSnapshot(`
      "job-1 is active: its machine job is in state "working" since 2026-01-01 00:00:00 UTC (1 min 30 s ago, revision 0).
      The effect /work:1 (work), begun at 2026-01-01 00:00:00 UTC (1 min 30 s ago), was lost with its host and waits for a person to say what became of it. Its last checkpoint is {"page":7}.
      It takes CANCEL (to idle).
      Nobody holds the lease on the log: this runtime hosts it without one.
      Next: find out whether /work:1 did its work, and say so: (await runtime.get('job-1')).settle('/work:1', { output }), { error } or 'rerun'."
    `);
    const ref = await second.get('job-1');
    await ref.settle('/work:1', 'rerun');
    expect((await second.explain('job-1')).effects).toMatchObject([{ standing: 'running', attempt: 2 }]);
  });

  it('that nobody runs is lost, or interrupted where its host closed in order', async () => {
    const house = new House();
    const machines = { job: job('rerun') };
    const { runtime, crash } = await house.openToCrash(machines);
    await runtime.start('job', { id: '1' });
    await house.rest();
    crash();
    const second = await house.open(machines, { resume: false });
    const lost = await second.explain('job-1');
    expect(lost.effects).toMatchObject([{ standing: 'lost' }]);
    expect(lost.next).toEqual([
      'call runtime.resume(): it takes up effects that were left behind and timers that are overdue.',
    ]);
    await second.resume();
    await house.rest();
    await second.close();
    const log = await explainStream(house.log, 'job-1', { clock: house.clock });
    expect(log.effects).toMatchObject([{ standing: 'interrupted', restarts: 1 }]);
    expect(log.text).toContain(
      'was cut off when its host closed in order; the next host takes it up, as its onLost says.',
    );
  });
});
