/** Approvals that outlive a process, inside another machine, and under plain XState. */
import { describe, expect, it } from 'vitest';
import { assign, createActor, fromPromise, sendTo, setup, SimulatedClock } from 'xstate';
import { ActorFinishedError, createRuntime, VirtualClock } from 'rewake';
import { sqliteLog } from 'rewake/sqlite';
import { approval } from '../../machines/approval.ts';
import { ApprovalTimedOutError } from '../../machines/approval-answers.ts';
import type { ApprovalDecision, ApprovalEvent } from '../../machines/approval-facts.ts';
import type { ApprovalOptions, ApprovalRequest } from '../../machines/approval-options.ts';
import { logPath } from '../stores/sqlite/log-files.ts';
import { atEveryAppend, TwoLives, type Crash } from '../support/two-lives.ts';
import { silentLogger } from '../support/silent-logger.ts';
import { failureOf, House } from '../support/house.ts';
import { rest, settled } from '../support/hosted-and-plain.ts';

const day = 86_400_000;
const refund: ApprovalRequest = { title: 'Refund 90 EUR?', details: { order: '42' } };
const grant = (by: string): ApprovalEvent => ({ type: 'approval.granted', by });
const byText = (a: unknown, b: unknown) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1);

describe('an approval inside another machine', () => {
  const machine = setup({
    types: {} as { context: { decision: ApprovalDecision | null }; output: unknown; events: ApprovalEvent },
    actors: { approval: approval('refund', { timeout: '3d', onTimeout: 'reject' }) },
    actions: {
      forward: sendTo('approval', ({ event }: { event: ApprovalEvent }) => event),
      keep: assign({ decision: (_, decision: ApprovalDecision) => decision }),
    },
  }).createMachine({
    context: { decision: null },
    initial: 'asking',
    states: {
      asking: {
        invoke: {
          id: 'approval',
          src: 'approval',
          input: refund,
          onDone: { target: 'decided', actions: { type: 'keep', params: ({ event }) => event.output } },
        },
        on: { 'approval.*': { actions: 'forward' } },
      },
      decided: { type: 'final' },
    },
    output: ({ context }: { context: { decision: ApprovalDecision | null } }) => context.decision,
  });

  it('is answered through its parent, after a restart too', async () => {
    const house = new House();
    const { runtime, crash } = await house.openToCrash({ order: machine });
    await runtime.start('order', { id: '1' });
    await rest();
    crash();
    house.clock.jump(2 * day);
    const ref = await (await house.open({ order: machine })).get('order-1');
    await ref.send({ type: 'approval.granted', by: 'ann' });
    expect(await ref.output()).toMatchObject({ approved: true, by: 'ann', at: house.clock.now() });
    const told = (await house.events('order-1')).find(({ type }) => type === 'ApprovalGranted');
    expect(told?.meta.actor).toMatch(/^\/approval:/);
  });

  it('times out as it does alone', async () => {
    const house = new House();
    const ref = await (await house.open({ order: machine })).start('order', { id: '1' });
    await house.advance(3 * day);
    expect(await ref.output()).toMatchObject({ approved: false, timedOut: true });
  });
});

describe('an approval under plain XState', () => {
  const plain = (options: ApprovalOptions) => {
    const clock = new SimulatedClock();
    const actor = createActor(approval('refund', options), { input: refund, clock });
    const facts: string[] = [];
    actor.on('*', ({ type }) => facts.push(type));
    actor.subscribe({ error: () => {} });
    return { clock, actor: actor.start(), facts };
  };

  it('is escalated, refused, granted', () => {
    const { clock, actor, facts } = plain({
      ...{ timeout: '5d', escalation: [{ after: '1d', to: 'bob' }], approvers: ['ann'] },
    });
    actor.send(grant('bob'));
    clock.increment(1 * day);
    actor.send(grant('bob'));
    expect(actor.getSnapshot().output).toMatchObject({ approved: true, by: 'bob' });
    expect(facts).toEqual(['ApprovalRequested', 'ApprovalAnswerRefused', 'ApprovalEscalated', 'ApprovalGranted']);
  });

  it('times out', () => {
    const { clock, actor, facts } = plain({ timeout: '5d' });
    clock.increment(5 * day);
    expect(actor.getSnapshot().error).toBeInstanceOf(ApprovalTimedOutError);
    expect(facts).toEqual(['ApprovalRequested', 'ApprovalTimedOut']);
  });
});

describe('a crash at any append', () => {
  const options: ApprovalOptions = {
    ...{ timeout: '5d', quorum: 2, escalation: [{ after: '1d', to: 'bob' }], approvers: ['ann', 'cyd'] },
    notify: fromPromise(async () => 'sent'),
  };

  /** One approval, with a crash in its first life: whoever answers says it again when nobody confirmed it. */
  async function liveThrough(crash: Crash | undefined) {
    const lives = new TwoLives(crash, () => ({ refund: approval('refund', options) }));
    const { clock } = lives;
    const began = clock.now();
    let runtime = await lives.first();
    let isSecondLife = false;
    const insist = async (act: () => Promise<unknown>) => {
      let done = false;
      void act().then(() => (done = true));
      do await rest();
      while (!done && (isSecondLife || !lives.crashed));
      await rest();
      if (!lives.crashed || isSecondLife) return;
      isSecondLife = true;
      runtime = await lives.second();
      if (!done) await act();
      await rest();
    };
    const say = (event: ApprovalEvent) => async () =>
      (await runtime.get('refund-1')).send(event, { messageId: `of ${event.by}` });
    await insist(() => runtime.start('refund', { id: '1', input: refund }));
    await insist(say(grant('ann')));
    await insist(() => clock.advance(began + 1 * day - clock.now(), rest));
    await insist(say(grant('bob')));
    const { output } = (await runtime.get('refund-1')).getSnapshot();
    const facts: unknown[] = [];
    for await (const { data, meta } of lives.log.readStream('refund-1')) if (meta.actor) facts.push(JSON.parse(data));
    await runtime.close();
    return { crashed: lives.crashed, output, facts };
  }

  it('neither loses an answer nor counts one twice', async () => {
    const whole = await liveThrough(undefined);
    expect(whole.output).toMatchObject({ approved: true, votes: [{ by: 'ann' }, { by: 'bob' }] });
    const crashes = await atEveryAppend(liveThrough, ({ output, facts }, where) => {
      expect(output, where).toEqual(whole.output);
      expect(facts.toSorted(byText), where).toEqual(whole.facts.toSorted(byText));
    });
    expect(crashes).toBeGreaterThan(10);
  });
});

it('AP3: an answer after the timeout comes to nothing, also where nobody was there to see it pass', async () => {
  const house = new House();
  const machines = { refund: approval('refund', { timeout: '1d', onTimeout: 'reject' }) };
  const { runtime, crash } = await house.openToCrash(machines);
  await runtime.start('refund', { id: '1', input: refund });
  await rest();
  crash();
  house.clock.jump(2 * day);
  const ref = await (await house.open(machines, { resume: false })).get('refund-1');
  expect(await failureOf(ref.send(grant('ann')))).toBeInstanceOf(ActorFinishedError);
  expect(await ref.output()).toMatchObject({ approved: false, timedOut: true });
});

it('an approval outlives a process on a SQLite file, its times too', async () => {
  const path = logPath();
  const clock = new VirtualClock();
  const machines = { refund: approval('refund', { timeout: '60d', onTimeout: 'reject' }) };
  const life = () =>
    createRuntime({ log: sqliteLog(path, { clock }), clock, logger: silentLogger, machines, lease: false });
  const began = clock.now();
  const first = await life();
  await first.start('refund', { id: '1', input: refund });
  await first.start('refund', { id: '2', input: refund });
  await first.close();
  clock.jump(59 * day);
  await using second = await life();
  await (await second.get('refund-1')).send({ type: 'approval.granted', by: 'ann' });
  expect((await second.get('refund-1')).getSnapshot().output).toMatchObject({ by: 'ann', at: began + 59 * day });
  const output = (await second.get('refund-2')).output();
  await clock.advance(1 * day, settled);
  expect(await output).toMatchObject({ approved: false, timedOut: true, at: began + 60 * day });
});
