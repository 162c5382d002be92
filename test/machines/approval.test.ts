/** Approvals: who may answer, what an answer comes to, and what happens when nobody gives one. */
import { describe, expect, it } from 'vitest';
import { fromPromise, type AnyStateMachine } from 'xstate';
import { InvalidArgumentError } from 'rewake';
import { approval } from '../../machines/approval.ts';
import { ApprovalRejectedError, ApprovalTimedOutError } from '../../machines/approval-answers.ts';
import type { ApprovalEvent } from '../../machines/approval-facts.ts';
import type { ApprovalNotice, ApprovalOptions, ApprovalRequest } from '../../machines/approval-options.ts';
import { classify } from '../../machines/classify.ts';
import { failureOf, House, isPending } from '../support/house.ts';
import { rest } from '../support/hosted-and-plain.ts';

const hour = 3_600_000;
const day = 24 * hour;
const refund: ApprovalRequest = { title: 'Refund 90 EUR?', details: { order: '42' } };

async function asked(options: ApprovalOptions = {}, request: ApprovalRequest = refund) {
  const house = new House();
  const runtime = await house.open({ refund: approval('refund', options) });
  const ref = await runtime.start('refund', { id: '1', input: request });
  const began = house.clock.now();
  const facts = async () => (await house.facts('refund-1')).map(({ type, ...fact }) => ({ type, ...fact }));
  const types = async () => (await facts()).map(({ type }) => type as string);
  const say = async (...events: ApprovalEvent[]) => {
    for (const event of events) await ref.send(event);
  };
  return { house, ref, began, facts, types, say };
}

const grant = (by: string, comment?: string): ApprovalEvent => ({
  type: 'approval.granted',
  by,
  ...(comment !== undefined && { comment }),
});
const reject = (by: string, comment?: string): ApprovalEvent => ({
  type: 'approval.rejected',
  by,
  ...(comment !== undefined && { comment }),
});
const choose = (by: string, choice: string): ApprovalEvent => ({ type: 'approval.chosen', by, choice });

describe('an approval', () => {
  it('waits for days, and gives who granted it, when, and what they said', async () => {
    const { house, ref, began, facts, say } = await asked();
    await house.advance(40 * day);
    expect(await isPending(ref.output())).toBe(true);
    await say(grant('ann', 'once'));
    const at = began + 40 * day;
    const vote = { by: 'ann', choice: null, comment: 'once', at };
    expect(await ref.output()).toEqual({
      ...{ approved: true, ...vote, timedOut: false, votes: [{ ...vote, answer: 'granted' }] },
    });
    expect(await facts()).toEqual([
      {
        ...{ type: 'ApprovalRequested', approval: 'refund', request: refund },
        ...{ approvers: null, quorum: 1, timeoutAt: null },
      },
      { type: 'ApprovalGranted', approval: 'refund', ...vote },
    ]);
  });

  it('is rejected by an output, not by an error', async () => {
    const { ref, types, say } = await asked();
    await say(reject('bob', 'too much'));
    expect(await ref.output()).toMatchObject({ approved: false, by: 'bob', comment: 'too much', timedOut: false });
    expect(await types()).toEqual(['ApprovalRequested', 'ApprovalRejected']);
  });

  it('is rejected by an error where it was told to, which keeps its class after a fold', async () => {
    const { house, ref, say } = await asked({ failOnReject: true });
    await say(reject('bob', 'too much'));
    const folded = await (await house.open({ refund: approval('refund', { failOnReject: true }) })).get('refund-1');
    for (const error of [await failureOf(ref.output()), await failureOf(folded.output())]) {
      expect(error).toBeInstanceOf(ApprovalRejectedError);
      expect(error).toMatchObject({ approval: 'refund', by: 'bob', comment: 'too much' });
      expect(classify(error)).toMatchObject({ class: 'permanent', retryable: false, breaker: 'ignored' });
    }
  });

  it('asks for a choice where there are choices, and may still be rejected', async () => {
    const request = { title: 'Which model?', choices: ['small', 'large'] };
    const one = await asked({}, request);
    await one.say(choose('ann', 'large'));
    expect(await one.ref.output()).toMatchObject({ approved: true, choice: 'large', by: 'ann' });
    const other = await asked({}, request);
    await other.say(reject('ann'));
    expect(await other.ref.output()).toMatchObject({ approved: false, choice: null });
  });
});

describe('an answer that may not be given', () => {
  const choices = { title: 'Which?', choices: ['a', 'b'] };
  it.each<[string, ApprovalRequest, ApprovalEvent | { type: string }, string]>([
    ['nobody', refund, { type: 'approval.granted' }, 'noName'],
    ['an empty name', refund, grant(''), 'noName'],
    ['someone who was not asked', refund, grant('eve'), 'notAsked'],
    ['a comment that is no text', refund, { ...grant('ann'), comment: 7 } as never, 'badComment'],
    ['a yes where a choice is needed', choices, grant('ann'), 'choiceNeeded'],
    ['a choice where there are none', refund, choose('ann', 'a'), 'noChoices'],
    ['a choice that does not exist', choices, choose('ann', 'c'), 'unknownChoice'],
    ['a choice that is no text', choices, { ...choose('ann', 'c'), choice: ['a'] } as never, 'unknownChoice'],
    ['another word', refund, { type: 'approval.maybe', by: 'ann' } as never, 'unknownAnswer'],
  ])('AP2: %s changes nothing and is told', async (_, request, event, problem) => {
    const { ref, facts, say } = await asked({ approvers: ['ann', 'bob'] }, request);
    const before = ref.getSnapshot();
    await say(event as ApprovalEvent);
    expect(await isPending(ref.output())).toBe(true);
    expect(ref.getSnapshot().value).toEqual(before.value);
    expect(ref.getSnapshot().context).toEqual(before.context);
    const by = (event as { by?: string }).by ?? null;
    expect((await facts()).at(-1)).toEqual({
      ...{ type: 'ApprovalAnswerRefused', approval: 'refund', answer: event.type, by, problem },
    });
    await say(reject('bob'));
    expect(await ref.output()).toMatchObject({ approved: false });
  });
});

describe('a quorum', () => {
  const approvers = ['ann', 'bob', 'cyd'];

  it('AA2: counts a person once, however often they say so', async () => {
    const { ref, facts, say } = await asked({ approvers, quorum: 2 });
    await say(grant('ann'), grant('ann'));
    expect(await isPending(ref.output())).toBe(true);
    await say(grant('cyd'));
    expect(await ref.output()).toMatchObject({ approved: true, by: 'cyd', votes: [{ by: 'ann' }, { by: 'cyd' }] });
    expect((await facts()).slice(1)).toMatchObject([
      { type: 'ApprovalVoted', by: 'ann', answer: 'granted', missing: 1 },
      { type: 'ApprovalAnswerRefused', by: 'ann', problem: 'repeated' },
      { type: 'ApprovalGranted', by: 'cyd' },
    ]);
  });

  it('AP3: one rejection rejects, also of someone who had agreed', async () => {
    const { ref, say } = await asked({ approvers, quorum: 3 });
    await say(grant('ann'), grant('bob'), reject('ann'));
    expect(await ref.output()).toMatchObject({ approved: false, by: 'ann', votes: [{ by: 'bob' }, { by: 'ann' }] });
  });

  it('AA2: is of people who chose the same, and a person may change their choice', async () => {
    const { ref, facts, say } = await asked({ quorum: 2 }, { title: 'Which?', choices: ['a', 'b'] });
    await say(choose('ann', 'a'), choose('bob', 'b'), choose('ann', 'b'));
    expect(await ref.output()).toMatchObject({ approved: true, choice: 'b', by: 'ann' });
    expect((await facts()).slice(1)).toMatchObject([{ missing: 1 }, { missing: 1 }, { type: 'ApprovalGranted' }]);
  });

  it('may be of the approvers that the request names', async () => {
    const { ref, types, say } = await asked({ approvers: ['ann'] }, { ...refund, approvers: ['dee'] });
    await say(grant('ann'), grant('dee'));
    expect(await ref.output()).toMatchObject({ by: 'dee' });
    expect(await types()).toContain('ApprovalAnswerRefused');
  });
});

describe('an approval that nobody answers', () => {
  it.each([
    ['fails by default', {}, { error: ApprovalTimedOutError, outcome: 'fail' }],
    ['is rejected', { onTimeout: 'reject' }, { approved: false, outcome: 'reject' }],
    ['is approved', { onTimeout: 'approve' }, { approved: true, outcome: 'approve' }],
    ['is an error where a rejection is', { onTimeout: 'reject', failOnReject: true }, { error: ApprovalRejectedError }],
  ] as const)('%s when its time is over, not a moment before', async (_, options, expected) => {
    const { house, ref, began, facts } = await asked({ timeout: '90d', ...options });
    await house.advance(90 * day - 1);
    expect(await isPending(ref.output())).toBe(true);
    await house.advance(1);
    if ('error' in expected) {
      expect(await failureOf(ref.output())).toBeInstanceOf(expected.error);
    } else {
      const { approved } = expected;
      expect(await ref.output()).toMatchObject({ approved, by: null, timedOut: true, at: began + 90 * day, votes: [] });
    }
    const outcome = 'outcome' in expected ? expected.outcome : 'reject';
    expect((await facts()).at(-1)).toEqual({
      ...{ type: 'ApprovalTimedOut', approval: 'refund', timeoutMs: 90 * day, outcome },
    });
  });

  it('leads on to an alternative, and is not the fault of a dependency', () => {
    const error = new ApprovalTimedOutError('refund', 'Refund?', 1);
    expect(classify(error)).toMatchObject({ class: 'policy', retryable: true, breaker: 'ignored' });
  });
});

describe('an escalation', () => {
  const notices: ApprovalNotice[] = [];
  const notify = fromPromise(async ({ input }: { input: ApprovalNotice }) => {
    notices.push(input);
    if (input.level === 1) throw new Error('no such channel');
  });
  const options: ApprovalOptions = {
    ...{ timeout: '5d', onTimeout: 'reject', notify },
    escalation: [
      { after: '1d', to: 'bob' },
      { after: '2d', to: 'cyd' },
    ],
  };

  it('AP1, AP4: asks the next one at its time, tells them, and survives that telling fails', async () => {
    notices.length = 0;
    const { house, ref, facts, say } = await asked({ ...options, approvers: ['ann'] }, { ...refund, to: 'ann' });
    await rest();
    await house.advance(1 * day - 1);
    await say(grant('bob'));
    await house.advance(1);
    await house.advance(1 * day);
    expect(notices.map(({ to, level }) => [to, level])).toEqual([
      ['ann', 0],
      ['bob', 1],
      ['cyd', 2],
    ]);
    expect(notices[0]).toEqual({ approval: 'refund', request: { ...refund, to: 'ann' }, to: 'ann', level: 0 });
    expect((await facts()).slice(1)).toMatchObject([
      { type: 'ApprovalNotified', level: 0 },
      { type: 'ApprovalAnswerRefused', by: 'bob', problem: 'notAsked' },
      { type: 'ApprovalEscalated', to: 'bob', level: 1 },
      { type: 'ApprovalNotifyFailed', level: 1, error: { message: 'no such channel' } },
      { type: 'ApprovalEscalated', to: 'cyd', level: 2 },
      { type: 'ApprovalNotified', level: 2 },
    ]);
    await say(grant('bob'));
    expect(await ref.output()).toMatchObject({ approved: true, by: 'bob' });
  });

  it('AP1: moves no other time, however long the host was away', async () => {
    notices.length = 0;
    const house = new House();
    const { runtime, crash } = await house.openToCrash({ refund: approval('refund', options) });
    await runtime.start('refund', { id: '1', input: refund });
    const began = house.clock.now();
    await rest();
    crash();
    house.clock.jump(36 * hour);
    const next = await house.openToCrash({ refund: approval('refund', options) });
    await rest();
    await house.advance(0);
    expect(notices.map(({ level }) => level)).toEqual([0, 1]);
    await house.advance(12 * hour - 1);
    expect(notices).toHaveLength(2);
    await house.advance(1);
    expect(notices.map(({ level }) => level)).toEqual([0, 1, 2]);
    next.crash();
    const ref = await (await house.open({ refund: approval('refund', options) })).get('refund-1');
    await house.advance(3 * day);
    expect(await ref.output()).toMatchObject({ approved: false, timedOut: true, at: began + 5 * day });
  });

  it('asks nobody who could not answer any more', async () => {
    notices.length = 0;
    const house = new House();
    const { runtime, crash } = await house.openToCrash({ refund: approval('refund', options) });
    await runtime.start('refund', { id: '1', input: refund });
    await rest();
    crash();
    house.clock.jump(30 * day);
    const ref = await (await house.open({ refund: approval('refund', options) })).get('refund-1');
    await house.advance(0);
    expect(await ref.output()).toMatchObject({ approved: false, timedOut: true });
    expect(notices.map(({ level }) => level)).toEqual([0]);
    const told = (await house.facts('refund-1')).map(({ type }) => type);
    expect(told).toEqual(['ApprovalRequested', 'ApprovalNotified', 'ApprovalTimedOut']);
  });

  it('AP4: a notice that hangs keeps nobody from deciding, and is aborted then', async () => {
    let aborted = 0;
    const hangs = fromPromise(({ signal }) => {
      signal.addEventListener('abort', () => aborted++);
      return new Promise(() => {});
    });
    const { ref, say } = await asked({ notify: hangs });
    await rest();
    await say(grant('ann'));
    expect(await ref.output()).toMatchObject({ approved: true });
    await rest();
    expect(aborted).toBe(1);
  });
});

describe('an approval is refused', () => {
  it.each<[string, string, object]>([
    ['without a name', '', {}],
    ['with an option that does not exist', 'a', { timeOut: '1d' }],
    ['with a timeout of nothing', 'a', { timeout: 0 }],
    ['with a timeout that is none', 'a', { timeout: 'soon' }],
    ['with another end', 'a', { timeout: '1d', onTimeout: 'ignore' }],
    ['with an end that never comes', 'a', { onTimeout: 'reject' }],
    ['with a duplicate approver', 'a', { approvers: ['ann', 'ann'] }],
    ['with no approver', 'a', { approvers: [] }],
    ['with an approver without a name', 'a', { approvers: [''] }],
    ['with a quorum that cannot be', 'a', { approvers: ['ann', 'bob'], quorum: 3 }],
    ['with a quorum of nobody', 'a', { quorum: 0 }],
    ['with an escalation at the timeout', 'a', { timeout: '1d', escalation: [{ after: '24h', to: 'bob' }] }],
    ['with an escalation to nobody', 'a', { escalation: [{ after: '1d', to: '' }] }],
    ['with an escalation at once', 'a', { escalation: [{ after: 0, to: 'bob' }] }],
    ['with escalations out of order', 'a', { escalation: [2, 1].map((after) => ({ after: `${after}d`, to: 'bob' })) }],
    ['with an escalation that is no list', 'a', { escalation: { after: '1d', to: 'bob' } }],
    ['with a notify that cannot run', 'a', { notify: () => {} }],
    ['with a failOnReject that is neither', 'a', { failOnReject: 'yes' }],
  ])('%s', (_, name, options) => {
    expect(() => approval(name, options)).toThrow(InvalidArgumentError);
  });

  it.each<[string, unknown]>([
    ['no request', undefined],
    ['no title', { title: '' }],
    ['a title that is no text', { title: 7 }],
    ['no choice', { title: 'x', choices: [] }],
    ['a choice twice', { title: 'x', choices: ['a', 'a'] }],
    ['too few approvers', { title: 'x', approvers: ['ann'] }],
    ['nobody it goes to', { title: 'x', to: '' }],
    ['a field that does not exist', { title: 'x', from: 'ann' }],
  ])('by its machine when its input has %s', async (_, input) => {
    const runtime = await new House().open({
      refund: approval('refund', { quorum: 2 }) as unknown as AnyStateMachine,
    });
    const ref = await runtime.start('refund', { id: '1', input } as never);
    expect(await failureOf(ref.output())).toBeInstanceOf(InvalidArgumentError);
  });
});
