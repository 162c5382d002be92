/**
 * An approval: a machine that waits for a person, for days if need be, and through restarts. Owns the chart: who is asked
 * when, and what ends the wait. Which answer counts is approval-answers.ts. Whether somebody is who they say is the
 * business of whoever sends the answer.
 *
 * AP1  Times are counted from the request, all of them: a restart moves none, and an escalation does not move the timeout.
 * AP2  What is refused changes nothing, and is told with the reason: every answer that came while it waited is on the log.
 * AP3  An approval ends once: by the answer that completes the quorum, by one rejection, or by its timeout.
 * AP4  Telling people is an effect beside the wait: that it failed, hangs or runs again decides nothing.
 */
import { now } from 'rewake';
import {
  assign,
  emit,
  enqueueActions,
  sendTo,
  setup,
  type AnyActorLogic,
  type AnyEventObject,
  type DoneActorEvent,
  type ErrorActorEvent,
} from 'xstate';
import {
  ApprovalRejectedError,
  ApprovalTimedOutError,
  firstApprovers,
  missingFor,
  noticeOf,
  problemOf,
  voteOf,
  votesWith,
  withApprover,
  type ApprovalContext,
} from './approval-answers.ts';
import type { ApprovalDecision, ApprovalEvent, ApprovalFact } from './approval-facts.ts';
import {
  approvalPolicy,
  requireRequest,
  type ApprovalOptions,
  type ApprovalPolicy,
  type ApprovalRequest,
} from './approval-options.ts';
import { classify } from './classify.ts';
import { signatureOf } from './error-signature.ts';
import { failing, toldWhy, type PolicyMachine } from './policy-machine.ts';

interface Level {
  readonly level: number;
}

/** An approval: from what is asked to the decision. */
export type ApprovalMachine = PolicyMachine<
  ApprovalContext,
  ApprovalRequest,
  ApprovalDecision,
  ApprovalFact,
  ApprovalEvent
>;

/**
 * Waits for a person to approve, reject or choose. Host it as an actor of its own and send it the answer, or invoke it and
 * forward the answer from the parent.
 *
 * @example
 * const refund = approval('refund', { timeout: '3d', escalation: [{ after: '1d', to: 'head of sales' }] });
 * // input { title: 'Refund 90 EUR?' }; event { type: 'approval.granted', by: 'ann' }; output { approved: true, by: 'ann', … }
 * @throws InvalidArgumentError for options that cannot work
 */
export function approval(name: string, options: ApprovalOptions = {}): ApprovalMachine {
  const policy = approvalPolicy(name, options);
  const { notify } = options;
  const { timeoutMs, onTimeout, escalation, quorum, failOnReject } = policy;
  const rejects = failOnReject ? 'failed' : 'rejected';
  const machine = setup({
    types: {} as {
      context: ApprovalContext;
      input: ApprovalRequest;
      output: ApprovalDecision;
      events: AnyEventObject;
      emitted: ApprovalFact;
    },
    actors: notify ? { notify } : ({} as { notify: AnyActorLogic }),
    delays: delaysOf(policy),
    guards: {
      isRefused: ({ context, event }) => problemOf(context, event) !== undefined,
      isRejection: ({ event }) => event.type === 'approval.rejected',
      isDecisive: ({ context, event }) => missingFor(context.votes, voteOf(event, now()), quorum) === 0,
      // After a long downtime everything is due at once: nobody is asked who could not answer any more.
      hasTimeLeft: ({ context }) => timeoutMs === undefined || now() < context.askedAt + timeoutMs,
    },
    actions: {
      countVote: assign({ votes: ({ context, event }) => votesWith(context.votes, voteOf(event, now())) }),
      decide: assign({
        decision: ({ context: { votes } }) => {
          const { answer, choice, by, comment, at } = votes.at(-1)!;
          return { approved: answer !== 'rejected', choice, by, comment, at, timedOut: false, votes };
        },
      }),
      decideByTime: assign({
        decision: ({ context: { votes } }) => ({
          approved: onTimeout === 'approve',
          ...{ choice: null, by: null, comment: null, at: now(), timedOut: true, votes },
        }),
      }),
      escalate: assign({
        approvers: ({ context }, { level }: Level) => withApprover(context.approvers, escalation[level - 1]!.to),
      }),
      notify: enqueueActions(({ context, enqueue }, { level }: Level) => {
        if (!notify) return;
        enqueue.spawnChild('notify', { id: `notify.${level}`, input: noticeOf(name, context.request, policy, level) });
      }),
      tellRequest: emit(({ context: { request, approvers, askedAt } }) => {
        const timeoutAt = timeoutMs === undefined ? null : askedAt + timeoutMs;
        return { type: 'ApprovalRequested', approval: name, request, approvers, quorum, timeoutAt } as const;
      }),
      tellEscalation: emit((_, { level }: Level) => {
        return { type: 'ApprovalEscalated', approval: name, to: escalation[level - 1]!.to, level } as const;
      }),
      tellNotified: emit(({ event }) => {
        return { type: 'ApprovalNotified', approval: name, level: levelOf(event as DoneActorEvent) } as const;
      }),
      tellNotifyFailed: emit(({ event }) => {
        const { error } = event as ErrorActorEvent;
        const [level, signature] = [levelOf(event as ErrorActorEvent), signatureOf(error, classify(error))];
        return { type: 'ApprovalNotifyFailed', approval: name, level, error: signature } as const;
      }),
      tellRefusal: emit(({ context, event }) => {
        const by = typeof event.by === 'string' ? event.by : null;
        const problem = problemOf(context, event)!;
        return { type: 'ApprovalAnswerRefused', approval: name, answer: event.type, by, problem } as const;
      }),
      tellVote: emit(({ context: { votes } }) => {
        const vote = votes.at(-1)!;
        return { type: 'ApprovalVoted', approval: name, missing: missingFor(votes, vote, quorum), ...vote } as const;
      }),
      tellGrant: emit(({ context }) => {
        const { by, choice, comment, at } = context.votes.at(-1)!;
        return { type: 'ApprovalGranted', approval: name, by, choice, comment, at } as const;
      }),
      tellRejection: emit(({ context }) => {
        const { by, comment, at } = context.votes.at(-1)!;
        return { type: 'ApprovalRejected', approval: name, by, comment, at } as const;
      }),
      tellTimeout: emit({
        type: 'ApprovalTimedOut',
        approval: name,
        timeoutMs: timeoutMs ?? 0,
        outcome: onTimeout,
      } as const),
      fail: sendTo(({ self }) => self, toldWhy),
      throwFailure: assign(({ context: { request, decision } }) => {
        if (onTimeout === 'fail' && decision!.timedOut)
          throw new ApprovalTimedOutError(name, request.title, timeoutMs!);
        throw new ApprovalRejectedError(name, request.title, decision!.by, decision!.comment);
      }),
    },
  }).createMachine({
    id: name,
    context: ({ input }) => {
      const request = requireRequest(name, input, policy);
      return { request, askedAt: now(), approvers: firstApprovers(request, policy), votes: [], decision: null };
    },
    initial: 'waiting',
    states: {
      waiting: {
        entry: ['tellRequest', { type: 'notify', params: { level: 0 } }],
        on: {
          'approval.*': [
            { guard: 'isRefused', actions: 'tellRefusal' },
            { guard: 'isRejection', target: rejects, actions: ['countVote', 'decide', 'tellRejection'] },
            { guard: 'isDecisive', target: 'approved', actions: ['countVote', 'decide', 'tellGrant'] },
            { actions: ['countVote', 'tellVote'] },
          ],
          'xstate.done.actor.notify.*': { actions: 'tellNotified' },
          'xstate.error.actor.notify.*': { actions: 'tellNotifyFailed' },
        },
        after: {
          ...Object.fromEntries(escalation.map((_, index) => [escalationName(index + 1), escalating(index + 1)])),
          ...(timeoutMs !== undefined && {
            timeout: {
              target: { approve: 'approved', reject: rejects, fail: 'failed' }[onTimeout],
              actions: ['decideByTime', 'tellTimeout'] as const,
            },
          }),
        },
      },
      approved: { type: 'final' },
      rejected: { type: 'final' },
      failed: failing,
    },
    output: ({ context }) => context.decision!,
  });
  return machine as unknown as ApprovalMachine;
}

/** All of them from the request on (AP1). */
function delaysOf({ escalation, timeoutMs }: ApprovalPolicy): Record<string, number> {
  const escalations = escalation.map(({ afterMs }, index) => [escalationName(index + 1), afterMs] as const);
  return Object.fromEntries(timeoutMs === undefined ? escalations : [...escalations, ['timeout', timeoutMs] as const]);
}

function escalationName(level: number): string {
  return `escalation${level}`;
}

/** What happens when an escalation is due. */
function escalating(level: number) {
  const params = { level };
  return {
    guard: 'hasTimeLeft',
    actions: [
      { type: 'escalate', params },
      { type: 'tellEscalation', params },
      { type: 'notify', params },
    ],
  } as const;
}

/** Which notice an event comes from. */
function levelOf({ type }: DoneActorEvent | ErrorActorEvent): number {
  return Number(type.slice(type.lastIndexOf('.') + 1));
}
