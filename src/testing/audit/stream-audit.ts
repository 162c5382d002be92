/**
 * One stream under all judges of events. Owns which events they are told, and when they no longer know what came before.
 *
 * SA1  What is wrong is told once: an event that is damaged, or there again, is told to no judge.
 * SA2  Streams that are not those of an actor are left alone.
 */
import type { RecordedEvent, Revision } from '../../log/event-log.ts';
import type { Upcasters } from '../../log/upcast.ts';
import { BreakerCalls } from './breaker-calls.ts';
import { FactCauses } from './causes.ts';
import { contentOf } from './event-content.ts';
import { Lives, type Closing } from './lives.ts';
import { MessageIds } from './message-ids.ts';
import { Recent } from './recent.ts';
import { StepAttempts } from './step-attempts.ts';
import type { AuditedEvent, StreamJudge } from './stream-judge.ts';
import { isOfActor, StreamOrder } from './stream-order.ts';
import { Timers, type TimerEnd } from './timers.ts';
import { evidenceOf, none, violation, type Evidence, type Overdue, type Violation } from './violation.ts';

/** What the audits of all streams remember together of what is over. */
export class Past {
  readonly ids = new Recent<Evidence>();
  readonly effects = new Recent<Closing>();
  readonly timers = new Recent<TimerEnd>();
}

/** What is known of a stream before it is read. */
export interface StreamInfo {
  /** Whether it is said to be an actor's; where nothing is said, its events tell. */
  readonly isActor?: boolean;
  /** The revision that the log says comes first. */
  readonly first?: Revision;
}

export class StreamAudit {
  readonly #past: Past;
  readonly #upcasters: Upcasters | undefined;
  readonly #order: StreamOrder;
  readonly #judges: readonly StreamJudge[];
  #isActor: boolean | undefined;
  #newestAt = -Infinity;
  /** Revisions at which something is wrong. */
  readonly #faulty = new Set<Revision>();

  constructor(past: Past, upcasters: Upcasters | undefined, { isActor, first }: StreamInfo = {}) {
    this.#past = past;
    this.#upcasters = upcasters;
    this.#isActor = isActor;
    this.#order = new StreamOrder(first);
    this.#judges = [
      new FactCauses(),
      new MessageIds(),
      new Lives(past.effects),
      new Timers(past.timers),
      new StepAttempts(),
      new BreakerCalls(),
    ];
  }

  /** The time of the newest stimulus, in ms since the epoch. */
  get newestAt(): number {
    return this.#newestAt;
  }

  get isActor(): boolean {
    return this.#isActor === true;
  }

  push(recorded: RecordedEvent): readonly Violation[] {
    const found = this.#push(recorded);
    for (const { revision } of found) if (revision !== undefined) this.#faulty.add(revision);
    return found;
  }

  #push(recorded: RecordedEvent): readonly Violation[] {
    this.#isActor ??= isOfActor(recorded);
    if (!this.#isActor) return none;
    const { placement, found } = this.#order.place(recorded);
    if (placement === 'taken') return found;
    if (placement === 'behindGap') this.#forget();
    const key = `${recorded.stream}\n${recorded.id}`;
    const twin = this.#past.ids.get(key);
    if (twin) return [...found, violation(8, recorded, `event ${recorded.id} is there already`, twin)];
    const content = contentOf(recorded, this.#upcasters);
    if ('broken' in content) {
      this.#forget();
      return [...found, content.broken];
    }
    this.#past.ids.set(key, evidenceOf(recorded));
    const judged = this.#judge(content.event);
    if (found.length === 0 && content.found.length === 0) return judged;
    return [...found, ...content.found, ...judged];
  }

  /** A record that cannot be read was here. */
  skip(revision: Revision): void {
    this.#order.skip(revision);
    this.#forget();
  }

  /** SA1. Of what a fold finds, that which the events did not show already. */
  unseen(found: readonly Violation[]): readonly Violation[] {
    return found.filter(({ invariant, revision }) => {
      if (invariant === 2) return this.#faulty.size === 0;
      return invariant !== 14 || revision === undefined || !this.#faulty.has(revision);
    });
  }

  /** What ought to have ended when the run was over. */
  overdue(): readonly Overdue[] {
    if (this.#order.hasEnded || !this.#isActor) return [];
    return this.#judges.flatMap((judge) => [...judge.overdue()]);
  }

  #judge(event: AuditedEvent): readonly Violation[] {
    const late = this.#order.judgeEnd(event);
    if (late.length > 0) return late;
    if (!event.isFact && event.at > this.#newestAt) this.#newestAt = event.at;
    let found = none;
    for (const judge of this.#judges) {
      const more = judge.push(event);
      if (more.length > 0) found = [...found, ...more];
    }
    if (this.#order.follow(event)) for (const judge of this.#judges) judge.end();
    return found;
  }

  #forget(): void {
    for (const judge of this.#judges) judge.forget();
  }
}
