/**
 * What is said to an approval, what it comes to, and what it tells. Owns the shapes: published, so they only grow.
 */
import type { TimeMs } from 'rewake';
import type { ApprovalRequest } from './approval-options.ts';
import type { ErrorSignature } from './error-signature.ts';

/** What a person says. Whoever sends it has made sure that it is that person. */
export type ApprovalEvent =
  | { readonly type: 'approval.granted'; readonly by: string; readonly comment?: string }
  | { readonly type: 'approval.rejected'; readonly by: string; readonly comment?: string }
  | { readonly type: 'approval.chosen'; readonly by: string; readonly choice: string; readonly comment?: string };

/** An answer that counted. */
export interface ApprovalVote {
  readonly by: string;
  readonly answer: 'granted' | 'rejected' | 'chosen';
  readonly choice: string | null;
  readonly comment: string | null;
  readonly at: TimeMs;
}

/** What an approval came to: its output. */
export interface ApprovalDecision {
  readonly approved: boolean;
  /** What was chosen, where there were choices. */
  readonly choice: string | null;
  /** Whose answer decided; null when time did. */
  readonly by: string | null;
  readonly comment: string | null;
  readonly at: TimeMs;
  readonly timedOut: boolean;
  /** The newest answer of everybody who gave one, in order. */
  readonly votes: readonly ApprovalVote[];
}

/** Why an answer changed nothing. */
export type AnswerProblem =
  'unknownAnswer' | 'noName' | 'notAsked' | 'badComment' | 'choiceNeeded' | 'noChoices' | 'unknownChoice' | 'repeated';

/** What an approval tells. */
export type ApprovalFact =
  | {
      readonly type: 'ApprovalRequested';
      readonly approval: string;
      readonly request: ApprovalRequest;
      /** Who may answer; null for anybody. */
      readonly approvers: readonly string[] | null;
      readonly quorum: number;
      /** When it is decided without a person; null for never. */
      readonly timeoutAt: TimeMs | null;
    }
  | { readonly type: 'ApprovalEscalated'; readonly approval: string; readonly to: string; readonly level: number }
  | { readonly type: 'ApprovalNotified'; readonly approval: string; readonly level: number }
  | {
      readonly type: 'ApprovalNotifyFailed';
      readonly approval: string;
      readonly level: number;
      readonly error: ErrorSignature;
    }
  | {
      readonly type: 'ApprovalAnswerRefused';
      readonly approval: string;
      /** Type of the event. */
      readonly answer: string;
      /** Who is said to have answered; null where that is no name. */
      readonly by: string | null;
      readonly problem: AnswerProblem;
    }
  | ({ readonly type: 'ApprovalVoted'; readonly approval: string; readonly missing: number } & ApprovalVote)
  | ({ readonly type: 'ApprovalGranted'; readonly approval: string } & Omit<ApprovalVote, 'answer'>)
  | ({ readonly type: 'ApprovalRejected'; readonly approval: string } & Omit<ApprovalVote, 'answer' | 'choice'>)
  | {
      readonly type: 'ApprovalTimedOut';
      readonly approval: string;
      readonly timeoutMs: number;
      readonly outcome: 'fail' | 'reject' | 'approve';
    };
