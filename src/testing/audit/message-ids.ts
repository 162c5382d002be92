/**
 * 9: an actor receives a message once. Owns which messages an actor has to remember; it keeps the ids of those, as the actor
 * itself does.
 */
import { isRebase } from '../../log/runtime-events.ts';
import { messageIdsKept } from '../../runtime/rebasing.ts';
import type { AuditedEvent, StreamJudge } from './stream-judge.ts';
import { evidenceOf, none, violation, type Evidence, type Violation } from './violation.ts';

export class MessageIds implements StreamJudge {
  #received = new Map<string, Evidence>();

  push(event: AuditedEvent): readonly Violation[] {
    if (isRebase(event)) this.#rebase(event);
    const { messageId } = event.fields;
    if (event.isFact || event.type !== 'EventReceived' || typeof messageId !== 'string') return none;
    const before = this.#received.get(messageId);
    if (before) return [violation(9, event, `message '${messageId}' was received already`, before)];
    this.#received.set(messageId, evidenceOf(event));
    return none;
  }

  /** What was received is known all the same. */
  forget(): void {}

  end(): void {
    this.#received = new Map();
  }

  overdue(): [] {
    return [];
  }

  /** A rewound actor has not received what came later; a compacted one remembers the newest ids only. */
  #rebase({ fields: { reason, to } }: AuditedEvent): void {
    const entries = [...this.#received];
    if (reason === 'rewound') this.#received = new Map(entries.filter(([, { revision }]) => revision <= Number(to)));
    if (reason === 'compacted') this.#received = new Map(entries.slice(-messageIdsKept));
  }
}
