/**
 * Other pasts: what an edit changes, who answers effects, and what is refused.
 */
import { describe, expect, it } from 'vitest';
import { assign, emit, fromPromise, setup } from 'xstate';
import { createRuntime, memoryLog, UnknownMachineError, VirtualClock, type EventLog } from '../../src/index.ts';
import { openReplay, whatIf, type PastEdit, type WhatIf } from '../../src/replay/index.ts';

let charges = 0;

const order = setup({
  types: {
    context: {} as { total: number; receipt: string | null; reminded: number },
    input: {} as { total: number },
    events: {} as { type: 'ADD'; amount: number } | { type: 'PAY' } | { type: 'CANCEL' },
    emitted: {} as { type: 'OrderPaid'; receipt: string },
  },
  actors: {
    charge: fromPromise(async ({ input }: { input: { total: number } }) => {
      charges++;
      if (input.total > 100) throw new Error('card declined');
      return `receipt for ${input.total}`;
    }),
    refund: fromPromise(async () => 'refunded'),
  },
}).createMachine({
  id: 'order',
  context: ({ input }) => ({ total: input.total, receipt: null, reminded: 0 }),
  initial: 'open',
  states: {
    open: {
      on: {
        ADD: { actions: assign({ total: ({ context, event }) => context.total + event.amount }) },
        PAY: 'paying',
        CANCEL: 'refunding',
      },
      after: {
        60_000: { actions: assign({ reminded: ({ context }) => context.reminded + 1 }), target: 'open', reenter: true },
      },
    },
    paying: {
      invoke: {
        src: 'charge',
        input: ({ context }) => ({ total: context.total }),
        onDone: {
          target: 'paid',
          actions: [
            assign({ receipt: ({ event }) => event.output }),
            emit(({ event }) => ({ type: 'OrderPaid' as const, receipt: event.output })),
          ],
        },
        onError: 'declined',
      },
    },
    refunding: { invoke: { src: 'refund', onDone: 'cancelled' } },
    paid: { type: 'final' },
    declined: {},
    cancelled: { type: 'final' },
  },
});

const machines = { order };

/** 0 started, 1 ADD 20, 2 after a minute, 3 ADD 90, 4 PAY, 5 charge failed. */
async function declinedOrder(): Promise<EventLog> {
  const clock = new VirtualClock();
  const log = memoryLog({ clock });
  const runtime = await createRuntime({ log, machines, clock, keepLogOpen: true });
  const ref = await runtime.start('order', { id: '1', input: { total: 10 } });
  await ref.send({ type: 'ADD', amount: 20 });
  await clock.advance(60_000);
  await runtime.idle();
  await ref.send({ type: 'ADD', amount: 90 });
  await ref.send({ type: 'PAY' });
  await runtime.idle();
  await runtime.close();
  charges = 0;
  return log;
}

async function past(edits: readonly PastEdit[], more: object = {}): Promise<WhatIf> {
  const answer = await whatIf(await declinedOrder(), 'order-1', { machines, edits, ...more });
  expect(charges).toBe(0);
  return answer;
}

function endOf({ fork }: WhatIf): unknown[] {
  const [root] = fork.at(-1)!.actors;
  return [root!.value, root!.context];
}

function labelsOf({ pairs, original, fork }: WhatIf): string[] {
  return pairs.map(([one, other]) => `${original[one]?.label ?? '-'} | ${fork[other]?.label ?? '-'}`);
}

describe('another past', () => {
  it('without an edit is the one that was', async () => {
    const answer = await past([]);
    expect(answer.firstDivergence).toBe(-1);
    expect(answer).toMatchObject({ unanswered: [], leftOut: [] });
  });

  it('leaves out what is dropped, and shows where the paths part', async () => {
    const answer = await past([{ edit: 'drop', revision: 3 }]);
    expect(labelsOf(answer)).toEqual(['after 1m | after 1m', 'ADD | -', 'PAY | PAY', 'charge failed | charge failed']);
    expect(answer.firstDivergence).toBe(1);
    expect(endOf(answer)).toEqual(['declined', { total: 30, receipt: null, reminded: 1 }]);
  });

  it('takes other content for an event, and another answer for an effect', async () => {
    const answer = await past([
      { edit: 'replace', revision: 3, with: { event: { type: 'ADD', amount: 1 } } },
      { edit: 'replace', revision: 5, with: { output: 'receipt for 31' } },
    ]);
    expect(endOf(answer)).toEqual(['paid', { total: 31, receipt: 'receipt for 31', reminded: 1 }]);
    expect(answer.fork.at(-1)!.facts).toMatchObject([{ type: 'OrderPaid', data: { receipt: 'receipt for 31' } }]);
  });

  it('takes another input', async () => {
    const answer = await past([{ edit: 'replace', revision: 0, with: { input: { total: 1_000 } } }]);
    expect(endOf(answer)).toEqual(['declined', { total: 1_110, receipt: null, reminded: 1 }]);
    expect(answer.firstDivergence).toBe(0);
  });

  it('takes an event that was never sent, at the time of what it stands behind', async () => {
    const answer = await past([{ edit: 'insert', after: 1, event: { type: 'ADD', amount: 5 } }]);
    expect(labelsOf(answer).slice(0, 3)).toEqual(['ADD | ADD', '- | ADD', 'after 1m | after 1m']);
    expect(answer.fork[1]!.at).toBe(answer.fork[0]!.at);
    expect(endOf(answer)).toMatchObject(['declined', { total: 125 }]);
  });

  it('takes a stimulus at another place', async () => {
    const answer = await past([{ edit: 'move', revision: 4, after: 1 }]);
    expect(labelsOf(answer)).toEqual([
      'ADD | ADD',
      '- | PAY',
      'after 1m | -',
      'ADD | ADD',
      'PAY | -',
      'charge failed | charge failed',
    ]);
    expect(answer.leftOut).toEqual([2]);
    // ED2.
    expect(answer.fork[1]!.at).toBe(answer.fork[0]!.at);
    expect(endOf(answer)).toMatchObject(['declined', { total: 30 }]);
  });

  it('says which effect nobody answers, and asks its stub where there is one', async () => {
    const edits = [{ edit: 'replace', revision: 4, with: { event: { type: 'CANCEL' } } }] as const;
    const silent = await past(edits);
    expect(silent.unanswered).toMatchObject([{ src: 'refund' }]);
    expect(silent.leftOut).toEqual([5]);
    expect(silent.fork.at(-1)!.actors[0]!.value).toBe('refunding');
    const answered = await past(edits, { stubs: { refund: { output: 'refunded' } } });
    expect(answered.unanswered).toEqual([]);
    expect(answered.fork.at(-1)!.actors[0]!).toMatchObject({ value: 'cancelled', status: 'done' });
  });

  it('goes on to where nothing moves if it is asked to', async () => {
    const edits = [{ edit: 'drop', revision: 4 }] as const;
    expect((await past(edits)).fork.at(-1)!.timers).toHaveLength(1);
    const quiet = await past(edits, { until: 'quiet' });
    expect(quiet.fork).toHaveLength(1_001);
    const [root] = quiet.fork.at(-1)!.actors;
    expect(root!.context).toMatchObject({ reminded: 1_001 });
  });

  it('writes nothing to the log', async () => {
    const log = await declinedOrder();
    const before = JSON.stringify(await eventsOf(log));
    await whatIf(log, 'order-1', { machines, edits: [{ edit: 'drop', revision: 3 }] });
    expect(JSON.stringify(await eventsOf(log))).toBe(before);
  });

  it.each<[string, PastEdit, string]>([
    [
      'a revision that is not there',
      { edit: 'drop', revision: 9 },
      'edits[0].revision: expected the revision of a stimulus from 0 to 5, found 9.',
    ],
    [
      'the beginning left out',
      { edit: 'drop', revision: 0 },
      'revision 0 is where the history begins, which can only be replaced',
    ],
    [
      'content of another kind',
      { edit: 'replace', revision: 1, with: { output: 1 } },
      'other content for revision 1 (EventReceived): expected \'event\', found "output".',
    ],
    [
      'content for a timer',
      { edit: 'replace', revision: 2, with: { value: 1 } },
      "revision 2 is 'TimerFired', which has no content to be replaced",
    ],
    [
      'a place that is not there',
      { edit: 'insert', after: 9, event: { type: 'PAY' } },
      'edits[0].after: expected the revision of a stimulus from 0 to 5, found 9.',
    ],
    [
      'a stimulus behind itself',
      { edit: 'move', revision: 3, after: 3 },
      'edits[0].after: expected another revision, found 3.',
    ],
    [
      'an event without a type',
      { edit: 'insert', after: 1, event: {} as never },
      'edits[0].event: expected an event with a type, found "{}".',
    ],
    [
      'something else',
      { edit: 'turn' } as never,
      "edits[0]: expected an edit that is 'drop', 'replace', 'insert' or 'move'",
    ],
  ])('refuses %s', async (_, edit, message) => {
    await expect(past([edit])).rejects.toThrow(message);
  });

  it('refuses two edits of one stimulus, and a fact', async () => {
    await expect(
      past([
        { edit: 'drop', revision: 3 },
        { edit: 'move', revision: 3, after: 1 },
      ]),
    ).rejects.toThrow('edits[1]: expected one edit for each stimulus, found "two for revision 3"');
    const log = await declinedOrder();
    const runtime = await createRuntime({ log, machines, keepLogOpen: true, lease: false });
    await runtime.start('order', { id: '2', input: { total: 1 } });
    await runtime.send('order-2', { type: 'PAY' });
    await runtime.idle();
    await runtime.close();
    for (const edit of [{ edit: 'drop', revision: 3 } as const, { edit: 'move', revision: 1, after: 3 } as const]) {
      await expect(whatIf(log, 'order-2', { machines, edits: [edit] })).rejects.toThrow(
        "revision 3 is the fact 'OrderPaid', which follows from its stimulus. Edit that one.",
      );
    }
  });

  it('of what a rebase holds cannot be, and after it can', async () => {
    const log = await declinedOrder();
    const runtime = await createRuntime({ log, machines, clock: new VirtualClock(), keepLogOpen: true, lease: false });
    await runtime.rewind('order-1', { to: 1 });
    await runtime.send('order-1', { type: 'ADD', amount: 5 });
    await runtime.close();
    await expect(whatIf(log, 'order-1', { machines, edits: [{ edit: 'drop', revision: 3 }] })).rejects.toThrow(
      'the revision of a stimulus from 6 to 7; what lies before was replaced by a state, and cannot be edited, found 3.',
    );
    const edits = [{ edit: 'replace', revision: 7, with: { event: { type: 'ADD', amount: 6 } } }] as const;
    expect(endOf(await whatIf(log, 'order-1', { machines, edits }))).toMatchObject(['open', { total: 36 }]);
  });

  it('shows so many frames of each path, and no more', async () => {
    const log = await declinedOrder();
    const runtime = await createRuntime({ log, machines, keepLogOpen: true, lease: false });
    const ref = await runtime.start('order', { id: '2', input: { total: 1 } });
    for (let n = 0; n < 2_005; n++) await ref.send({ type: 'ADD', amount: 1 });
    await runtime.close();
    const { original, fork } = await whatIf(log, 'order-2', { machines, edits: [{ edit: 'drop', revision: 1 }] });
    expect([original.length, fork.length]).toEqual([2_000, 2_000]);
  });

  it('needs the code', async () => {
    const log = await declinedOrder();
    await expect(whatIf(log, 'order-1', { edits: [] })).rejects.toThrow(UnknownMachineError);
  });

  it('has frames as a replay of the fork would have them', async () => {
    const log = await declinedOrder();
    const answer = await whatIf(log, 'order-1', { machines, edits: [{ edit: 'drop', revision: 5 }] });
    const replay = await openReplay(log, 'order-1', { machines });
    const { actors } = await replay.at(4);
    expect(answer.fork.at(-1)!.actors).toEqual(actors);
  });
});

async function eventsOf(log: EventLog): Promise<unknown[]> {
  const events: unknown[] = [];
  for await (const event of log.readAll()) events.push(event);
  return events;
}
