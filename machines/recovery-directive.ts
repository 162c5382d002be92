/**
 * A decision of a handler that cannot be carried out where the handler stands, on its way outward as an error. Owns the class;
 * who carries it out is whoever catches it: a flow.
 *
 * RD1  It is of class `permanent`: no retry around the handler repeats what the handler has decided about.
 */
import { registerErrorClass, RewakeError } from 'rewake';
import type { HandlerScope } from './handler-facts.ts';
import type { RecoveryActionData } from './recovery-actions.ts';

/** A handler decided on something that only a flow can do: abort, go on from a step, ask a person. */
export class RecoveryDirective extends RewakeError {
  readonly code = 'REWAKE_RECOVERY_DIRECTIVE';
  readonly handler: string;
  readonly scope: HandlerScope;
  /** What the handler stands around. */
  readonly subject: string;
  /** What was decided on, for example `abort`. */
  readonly action: RecoveryActionData['type'];
  /** The same with all that belongs to it. */
  readonly decision: RecoveryActionData;
  /** What the handler was there for. */
  readonly originalError: unknown;

  constructor(
    { handler, scope, subject }: { handler: string; scope: HandlerScope; subject: string },
    decision: RecoveryActionData,
    originalError: unknown,
  ) {
    super(
      `Handler '${handler}' of '${subject}' decided on '${decision.type}', which only a flow can carry out, and nothing around ` +
        `'${subject}' is one that does. Make it a step of a flow, or end the handler with retry, fallback or skip. What it ` +
        "handled is 'originalError'.",
      { cause: originalError },
    );
    this.handler = handler;
    this.scope = scope;
    this.subject = subject;
    this.action = decision.type;
    this.decision = decision;
    this.originalError = originalError;
  }
}
registerErrorClass(RecoveryDirective, 'REWAKE_RECOVERY_DIRECTIVE');
