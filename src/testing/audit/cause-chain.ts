/**
 * 8 and 24 across streams: every event names a cause that is before it in the log, and has its correlation. Owns the causes of
 * what nothing in its own stream explains: starts, messages and stops.
 *
 * CC1  Events come in the order of the log.
 * CC2  Of what is not among the newest events only the id is kept, once for each cause: who has the whole log looks for it in
 *      there, and asks then.
 * CC3  What was copied into a fork names the causes of its past, which have a correlation of their own.
 */
import type { RecordedEvent } from '../../log/event-log.ts';
import { isFact } from '../../log/runtime-events.ts';
import { Recent } from './recent.ts';
import { evidenceOf, none, violation, type Evidence, type Violation } from './violation.ts';

interface Known {
  readonly event: Evidence;
  readonly correlation: string | undefined;
}

/** Outcomes, timers and facts come from what their own stream knows: see causes.ts. */
const freeTypes: ReadonlySet<string> = new Set(['ActorStarted', 'EventReceived', 'ActorStopped']);

export class CauseChain {
  readonly #newest = new Recent<Known>();
  /** By cause: who named it first, for each correlation. */
  readonly #awaited = new Map<string, Known[]>();

  /** Whether a cause was not found. */
  get isWaiting(): boolean {
    return this.#awaited.size > 0;
  }

  push(event: RecordedEvent): readonly Violation[] {
    const before = this.#newest.get(event.id);
    // Within its stream that is told by whoever audits the stream.
    if (before && before.event.stream !== event.stream)
      return [violation(8, event, `event ${event.id} is there already`, before.event)];
    const late = this.#awaited.get(event.id) ?? [];
    this.#awaited.delete(event.id);
    this.#newest.set(event.id, { event: evidenceOf(event), correlation: event.meta.$correlationId });
    return [
      ...late.map((early) => violation(24, early.event, 'its cause comes after it', event)),
      ...(isFact(event) || !freeTypes.has(event.type) ? none : this.#judge(event)),
    ];
  }

  /** CC2. Takes an event of another look through the log, from its beginning. */
  find(event: RecordedEvent): readonly Violation[] {
    const found = this.#awaited.get(event.id);
    if (!found) return none;
    this.#awaited.delete(event.id);
    const cause = { event: evidenceOf(event), correlation: event.meta.$correlationId };
    return found.flatMap((each) => otherCorrelation(each, cause));
  }

  /** What names a cause that nobody knows, for who has seen the whole log. */
  orphans(): readonly Violation[] {
    return [...this.#awaited].flatMap(([cause, named]) =>
      named.map(({ event }) => violation(24, event, `its cause ${cause} is nowhere in the log`)),
    );
  }

  #judge(event: RecordedEvent): readonly Violation[] {
    const { $causationId: cause, $correlationId: correlation, $seed: seed } = event.meta;
    // CC3.
    if (cause === undefined || cause === event.id || seed !== undefined) return none;
    const named = { event: evidenceOf(event), correlation };
    const known = this.#newest.get(cause);
    if (known) return otherCorrelation(named, known);
    const awaited = this.#awaited.get(cause);
    if (!awaited) this.#awaited.set(cause, [named]);
    else if (!awaited.some((each) => each.correlation === correlation)) awaited.push(named);
    return none;
  }
}

function otherCorrelation({ event, correlation }: Known, cause: Known): readonly Violation[] {
  if (correlation === cause.correlation) return none;
  const message = `its correlation is '${String(correlation)}', that of its cause '${String(cause.correlation)}'`;
  return [violation(24, event, message, cause.event)];
}
