/**
 * What a flow hears, and what it tells the log besides its transitions. Owns the names and shapes of these facts; they never change once
 * published. What its handlers tell is handler-facts.ts.
 */
import type { ResumeRequested } from 'rewake';
import type { ApprovalEvent } from './approval-facts.ts';
import type { ErrorSignature } from './error-signature.ts';

/** What a flow hears: the answer to a question of its handlers, and, when it has ended, that it is to go on. */
export type FlowEvent = (ApprovalEvent & { readonly subject?: string }) | ResumeRequested;

/** A step begins; also when it begins again. */
export interface FlowStepStarted {
  readonly type: 'FlowStepStarted';
  readonly flow: string;
  readonly step: string;
  readonly phase: string;
}

/** A step is done: by itself, or by what a handler put in its place. */
export interface FlowStepCompleted {
  readonly type: 'FlowStepCompleted';
  readonly flow: string;
  readonly step: string;
  readonly phase: string;
  readonly by: 'step' | 'fallback';
}

/** A step is left out: its condition did not hold, or a handler said so. */
export interface FlowStepSkipped {
  readonly type: 'FlowStepSkipped';
  readonly flow: string;
  readonly step: string;
  readonly phase: string;
  readonly by: 'condition' | 'handler';
}

/** A step failed, and nothing inside it recovered it. */
export interface FlowStepFailed {
  readonly type: 'FlowStepFailed';
  readonly flow: string;
  readonly step: string;
  readonly phase: string;
  readonly error: ErrorSignature;
}

/** A phase begins, or all of its steps are finished. */
export interface FlowPhaseFact {
  readonly type: 'PhaseStarted' | 'PhaseCompleted';
  readonly flow: string;
  readonly phase: string;
}

/** A step of the phase failed, and nothing inside the phase recovered it. */
export interface FlowPhaseFailed {
  readonly type: 'PhaseFailed';
  readonly flow: string;
  readonly phase: string;
  readonly step: string;
  readonly error: ErrorSignature;
}

/** The flow is about to end with an error. It can be resumed. */
export interface FlowFailed {
  readonly type: 'FlowFailed';
  readonly flow: string;
  /** `output` where the function of that name failed. */
  readonly step: string;
  readonly error: ErrorSignature;
}

/** The flow is about to end because a handler aborted it: cleaned up, and undone as far as that was possible. */
export interface FlowAborted {
  readonly type: 'FlowAborted';
  readonly flow: string;
  readonly step: string;
  readonly error: ErrorSignature;
  /** Steps whose undo failed. */
  readonly notUndone: readonly string[];
}

/** A flow that had ended goes on. */
export interface FlowResumed {
  readonly type: 'FlowResumed';
  readonly flow: string;
  readonly from: string | null;
  /** Steps that will run, in the order of the flow. */
  readonly pending: readonly string[];
}

/** A step was taken back. */
export interface FlowStepUndone {
  readonly type: 'FlowStepUndone';
  readonly flow: string;
  readonly step: string;
}

/** A step could not be taken back; the others are. */
export interface FlowUndoFailed {
  readonly type: 'FlowUndoFailed';
  readonly flow: string;
  readonly step: string;
  readonly error: ErrorSignature;
}

/** A cleanup of an abort failed; the others run. */
export interface FlowCleanupFailed {
  readonly type: 'CleanupFailed';
  readonly flow: string;
  /** From 0, in the order of the cleanups. */
  readonly index: number;
  readonly error: ErrorSignature;
}

/** The flow waits for a person to choose what is done about an error. */
export interface InterventionRequested {
  readonly type: 'InterventionRequested';
  readonly flow: string;
  /** Name of the step, the phase or the flow. */
  readonly subject: string;
  readonly handler: string;
  readonly message: string;
  readonly choices: readonly string[];
  readonly error: ErrorSignature;
}

/** A person chose, would not, or did not in time. */
export interface InterventionAnswered {
  readonly type: 'InterventionAnswered';
  readonly flow: string;
  readonly subject: string;
  readonly handler: string;
  /** Null where it was rejected, or nobody chose in time: the error goes on outward. */
  readonly choice: string | null;
  readonly by: string | null;
}

/** An answer that no open intervention, or more than one, could be meant by. It changed nothing. */
export interface InterventionAnswerRefused {
  readonly type: 'InterventionAnswerRefused';
  readonly flow: string;
  /** What the answer said it is for; null where it said nothing. */
  readonly subject: string | null;
  readonly problem: 'nothingOpen' | 'unknownSubject' | 'ambiguous';
  /** What could have been answered. */
  readonly open: readonly string[];
}

/** What a flow tells the log. */
export type FlowFact =
  | FlowStepStarted
  | FlowStepCompleted
  | FlowStepSkipped
  | FlowStepFailed
  | FlowPhaseFact
  | FlowPhaseFailed
  | FlowFailed
  | FlowAborted
  | FlowResumed
  | FlowStepUndone
  | FlowUndoFailed
  | FlowCleanupFailed
  | InterventionRequested
  | InterventionAnswered
  | InterventionAnswerRefused;
