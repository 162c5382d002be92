/**
 * What error handlers tell the log. Owns the names and shapes of these facts; they never change once published.
 */
import type { ErrorSignature } from './error-signature.ts';
import type { RecoveryActionData } from './recovery-actions.ts';

/** What a handler stands around: the call of one attempt, a step, a phase, a whole workflow. */
export type HandlerScope = 'command' | 'step' | 'phase' | 'workflow';

interface Place {
  readonly scope: HandlerScope;
  /** Name of the step, the phase or the flow; of a nested handler, the handler it belongs to. */
  readonly subject: string;
}

/** A handler begins. */
export interface HandlerStarted extends Place {
  readonly type: 'HandlerStarted';
  readonly handler: string;
  /** What it is there for. */
  readonly error: ErrorSignature;
}

/** A handler has decided; on disk before its decision is carried out. */
export interface HandlerCompleted extends Place {
  readonly type: 'HandlerCompleted';
  readonly handler: string;
  readonly action: RecoveryActionData['type'];
  /** Calls that were made of what the handler runs, retries included; 0 where it runs nothing. */
  readonly attempts: number;
}

/** A handler, or the fallback it decided on, failed itself. */
export interface HandlerFailed extends Place {
  readonly type: 'HandlerFailed';
  readonly handler: string;
  /** Its own failure. */
  readonly error: ErrorSignature;
  /** What it was there for. */
  readonly original: ErrorSignature;
  readonly attempts: number;
}

/** Why an error goes on to the next scope out. */
export type EscalationReason = 'noHandler' | 'handlerFailed' | 'handlerEscalated' | 'retriesExhausted';

/** An error goes on to the next scope out. */
export interface ErrorEscalated extends Place {
  readonly type: 'ErrorEscalated';
  readonly error: ErrorSignature;
  readonly reason: EscalationReason;
}

/** What handlers tell the log. */
export type HandlerFact = HandlerStarted | HandlerCompleted | HandlerFailed | ErrorEscalated;
