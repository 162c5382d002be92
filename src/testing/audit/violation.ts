/**
 * A violation of an invariant, as data and as text. Owns its form.
 *
 * VI1  A violation says where it shows, and every event that it was concluded from.
 */
import type { RecordedEvent, Revision } from '../../log/event-log.ts';
import { nameOf, type AuditedNumber } from './audited-invariants.ts';

/** An event by which something was concluded. */
export type Evidence = Pick<RecordedEvent, 'stream' | 'revision' | 'type' | 'id'>;

/** Something in a log that an invariant rules out. */
export interface Violation {
  /** Its number in docs/explanation/invariants.md. */
  readonly invariant: number;
  readonly name: string;
  /** Undefined where the whole log is meant. */
  readonly stream: string | undefined;
  /** Where it shows; undefined where that is no event. */
  readonly revision: Revision | undefined;
  /** What was found, and what was expected. */
  readonly message: string;
  /** The event where it shows, and those that it contradicts. */
  readonly evidence: readonly Evidence[];
}

/** Something that is a violation if it is still so when the log has come to a time. */
export interface Overdue {
  /** In ms since the epoch. */
  readonly dueAt: number;
  readonly violation: Violation;
}

/** Where a violation shows. */
export interface Site {
  readonly stream?: string | undefined;
  readonly revision?: Revision | undefined;
}

/** No violation: most events are answered with it. */
export const none: readonly Violation[] = [];

/** What is kept of an event, so that it can be named later. */
export function evidenceOf({ stream, revision, type, id }: Evidence): Evidence {
  return { stream, revision, type, id };
}

/** A violation that shows in an event. */
export function violation(
  invariant: AuditedNumber,
  event: Evidence,
  message: string,
  ...others: readonly Evidence[]
): Violation {
  return violationAt(invariant, event, message, event, ...others);
}

/** A violation that shows where there need not be an event. */
export function violationAt(
  invariant: AuditedNumber,
  { stream, revision }: Site,
  message: string,
  ...evidence: readonly Evidence[]
): Violation {
  return { invariant, name: nameOf(invariant), stream, revision, message, evidence: evidence.map(evidenceOf) };
}

/**
 * A violation in one line: `13 one outcome, order-42@7: …`.
 *
 * @example
 * for (const violation of await audit(log)) console.log(describeViolation(violation));
 */
export function describeViolation({ invariant, name, stream, revision, message, evidence }: Violation): string {
  const place = stream === undefined ? '' : `, ${stream}${revision === undefined ? '' : `@${revision}`}`;
  const events = evidence.map((event) => `${event.stream}@${event.revision} ${event.type}`).join(', ');
  return `${invariant} ${name}${place}: ${message}.${events === '' ? '' : ` Events: ${events}.`}`;
}
