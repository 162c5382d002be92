/**
 * What people answer, and what that comes to. Owns which answer counts and when there are enough, and the errors of an
 * approval; the shapes are approval-facts.ts, waiting for answers is approval.ts. Pure.
 *
 * AA1  An answer that may not be given, or makes no sense, counts nothing; why is a word that can be told.
 * AA2  A person counts once: the newest answer of each is the one that counts.
 */
import { registerErrorClass, RewakeError, type TimeMs } from 'rewake';
import type { AnyEventObject } from 'xstate';
import type { AnswerProblem, ApprovalDecision, ApprovalEvent, ApprovalVote } from './approval-facts.ts';
import type { ApprovalNotice, ApprovalPolicy, ApprovalRequest } from './approval-options.ts';

/** Nobody decided in time. */
export class ApprovalTimedOutError extends RewakeError {
  readonly code = 'REWAKE_APPROVAL_TIMED_OUT';
  readonly approval: string;
  /** In ms. */
  readonly timeout: number;

  constructor(approval: string, title: string, timeoutMs: number) {
    super(
      `Approval '${approval}' of ${JSON.stringify(title)} was not decided within ${timeoutMs} ms. ` +
        "Ask again, or say with 'onTimeout' what no answer means.",
    );
    this.approval = approval;
    this.timeout = timeoutMs;
  }
}

/** It was rejected, and the approval was told to fail then. */
export class ApprovalRejectedError extends RewakeError {
  readonly code = 'REWAKE_APPROVAL_REJECTED';
  readonly approval: string;
  /** Null when time rejected it. */
  readonly by: string | null;
  readonly comment: string | null;

  constructor(approval: string, title: string, by: string | null, comment: string | null) {
    const who = by === null ? 'because nobody answered in time' : `by '${by}'`;
    super(
      `Approval '${approval}' of ${JSON.stringify(title)} was rejected ${who}` +
        `${comment === null ? '' : `: ${comment}`}. Without 'failOnReject' a rejection is an output.`,
    );
    this.approval = approval;
    this.by = by;
    this.comment = comment;
  }
}
registerErrorClass(ApprovalTimedOutError, 'REWAKE_APPROVAL_TIMED_OUT');
registerErrorClass(ApprovalRejectedError, 'REWAKE_APPROVAL_REJECTED');

/** What an approval knows while it waits: all of it survives a restart. */
export interface ApprovalContext {
  readonly request: ApprovalRequest;
  readonly askedAt: TimeMs;
  /** Who may answer, those it was escalated to included; null for anybody. */
  readonly approvers: readonly string[] | null;
  readonly votes: readonly ApprovalVote[];
  readonly decision: ApprovalDecision | null;
}

/** Who may answer a request at first. */
export function firstApprovers({ approvers, to }: ApprovalRequest, policy: ApprovalPolicy): readonly string[] | null {
  const named = approvers ?? policy.approvers;
  return named === undefined ? null : withApprover(named, to);
}

/** Whoever was asked may answer. */
export function withApprover<Names extends readonly string[] | null>(
  approvers: Names,
  to: string | undefined,
): Names | readonly string[] {
  return approvers === null || to === undefined || approvers.includes(to) ? approvers : [...approvers, to];
}

/** Why an answer counts nothing (AA1); undefined for one that counts. */
export function problemOf(context: ApprovalContext, event: AnyEventObject): AnswerProblem | undefined {
  const { type, by, choice, comment } = event as { type: string; by?: unknown; choice?: unknown; comment?: unknown };
  const { approvers, request, votes } = context;
  if (!['approval.granted', 'approval.rejected', 'approval.chosen'].includes(type)) return 'unknownAnswer';
  if (typeof by !== 'string' || by === '') return 'noName';
  if (approvers !== null && !approvers.includes(by)) return 'notAsked';
  if (comment !== undefined && typeof comment !== 'string') return 'badComment';
  if (type === 'approval.granted' && request.choices) return 'choiceNeeded';
  if (type === 'approval.chosen' && !request.choices) return 'noChoices';
  if (type === 'approval.chosen' && !request.choices!.includes(choice as string)) return 'unknownChoice';
  const vote = voteOf(event, 0);
  return votes.some((other) => other.by === by && isSameAnswer(other, vote)) ? 'repeated' : undefined;
}

/** The answer as it is kept. */
export function voteOf(event: AnyEventObject, at: TimeMs): ApprovalVote {
  const { type, by, choice, comment } = event as ApprovalEvent & { readonly choice?: string };
  const answer = type.slice('approval.'.length) as ApprovalVote['answer'];
  return { by, answer, choice: answer === 'chosen' ? choice! : null, comment: comment ?? null, at };
}

/** The votes when one more has counted (AA2). */
export function votesWith(votes: readonly ApprovalVote[], vote: ApprovalVote): readonly ApprovalVote[] {
  return [...votes.filter(({ by }) => by !== vote.by), vote];
}

/** How many must still answer like this one. */
export function missingFor(votes: readonly ApprovalVote[], vote: ApprovalVote, quorum: number): number {
  return Math.max(0, quorum - votesWith(votes, vote).filter((other) => isSameAnswer(other, vote)).length);
}

/** What a notice is about. */
export function noticeOf(approval: string, request: ApprovalRequest, policy: ApprovalPolicy, level: number) {
  const to = level === 0 ? request.to : policy.escalation[level - 1]!.to;
  return { approval, request, to: to ?? null, level } satisfies ApprovalNotice;
}

function isSameAnswer(a: ApprovalVote, b: ApprovalVote): boolean {
  return a.answer === b.answer && a.choice === b.choice;
}
