/**
 * 1 and 33: revisions follow each other, and nothing follows an end. Owns where a stream is and how its actor stands.
 */
import type { Revision } from '../../log/event-log.ts';
import { isBeginning, isFact, isRebase, runtimeEventTypes } from '../../log/runtime-events.ts';
import type { RecordedEvent } from '../../log/event-log.ts';
import { standingIn, type AuditedEvent } from './stream-judge.ts';
import { evidenceOf, none, violation, type Evidence, type Violation } from './violation.ts';

/** Where an event stands: where it was to be expected, behind a gap, or where another one is. */
export type Placement = 'next' | 'behindGap' | 'taken';

export class StreamOrder {
  #next: Revision | undefined;
  #isFirst = true;
  #last: Evidence | undefined;
  #ended: { readonly by: Evidence; readonly as: string } | undefined;

  /** @param first the revision that the log says comes first; undefined where nobody says it */
  constructor(first: Revision | undefined) {
    this.#next = first;
  }

  get hasEnded(): boolean {
    return this.#ended !== undefined;
  }

  /** 1. Takes an event, read or not, to its place. */
  place(event: RecordedEvent): { readonly placement: Placement; readonly found: readonly Violation[] } {
    const { revision, type } = event;
    const expected = this.#next ?? (isRebase(event) ? revision : 0);
    const others = this.#last ? [this.#last] : [];
    if (revision < expected) {
      const message = `revision ${revision} is there again: ${expected} comes next`;
      return { placement: 'taken', found: [violation(1, event, message, ...others)] };
    }
    const found: Violation[] = [];
    if (revision > expected) {
      const missing =
        revision - expected === 1 ? `revision ${expected} is` : `revisions ${expected} to ${revision - 1} are`;
      found.push(violation(1, event, `${missing} missing before it`, ...others));
    } else if (this.#isFirst && !isBeginning(event)) {
      found.push(violation(1, event, `the history begins with '${type}', expected 'ActorStarted' or 'ActorRebased'`));
    }
    this.#next = revision + 1;
    this.#isFirst = false;
    this.#last = evidenceOf(event);
    return { placement: found.length > 0 ? 'behindGap' : 'next', found };
  }

  /** A record that cannot be read was here. */
  skip(revision: Revision): void {
    this.#next = Math.max(this.#next ?? 0, revision + 1);
    this.#isFirst = false;
  }

  /** 33. Whether a stimulus happens to an actor that has ended. */
  judgeEnd(event: AuditedEvent): readonly Violation[] {
    const ended = this.#ended;
    if (!ended || event.isFact || isRebase(event)) return none;
    const message = `it happens to an actor that has ended as '${ended.as}'`;
    return [violation(33, event, message, ended.by)];
  }

  /** Notes how the actor stands after a stimulus. @returns whether it has ended with it */
  follow(event: AuditedEvent): boolean {
    if (event.isFact) return false;
    const before = this.#ended;
    const status = statusAfter(event);
    if (status === 'active') this.#ended = undefined;
    else if (status !== undefined) this.#ended = { by: evidenceOf(event), as: status };
    return this.#ended !== undefined && this.#ended !== before;
  }
}

/** How the root stands after a stimulus; undefined where it says nothing of that. */
function statusAfter(event: AuditedEvent): string | undefined {
  if (event.type === 'ActorRebased') return standingIn(event)?.status ?? 'active';
  if (event.type === 'ActorStopped') return 'stopped';
  return event.transitions.findLast(({ actor }) => actor === '/')?.status;
}

/** Whether an event says that its stream is that of an actor; anybody may keep streams of another kind in the log. */
export function isOfActor(event: RecordedEvent): boolean {
  return isFact(event) || (runtimeEventTypes.has(event.type) && event.meta.$correlationId !== undefined);
}
