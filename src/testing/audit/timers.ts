/**
 * 19, 20, 21 and 14 of timers: each fires once while it is armed, in its turn, for whom and when it was armed. Owns which are
 * armed in a stream.
 *
 * TI1  The number of a timer is counted up and never used again.
 * TI2  What was copied into a fork and edited fires the timers of its past where they come: their turn is not looked at.
 */
import { causeFaults } from './causes.ts';
import type { Recent } from './recent.ts';
import { sourceOf, standingIn, type AuditedEvent, type Source, type StreamJudge } from './stream-judge.ts';
import { evidenceOf, none, violation, type Evidence, type Overdue, type Violation } from './violation.ts';
import type { TimerRecord } from '../../kernel/stimulus.ts';

/** How a timer ended. */
export interface TimerEnd {
  readonly how: 'fired' | 'cancelled';
  readonly by: Evidence;
}

interface Armed extends TimerRecord {
  /** Undefined where it was armed before what is known. */
  readonly source: Source | undefined;
  readonly seenAt: Evidence;
}

export class Timers implements StreamJudge {
  readonly #ends: Recent<TimerEnd>;
  #armed = new Map<number, Armed>();
  #highest = -1;
  #isComplete = true;

  /** @param ends of all streams */
  constructor(ends: Recent<TimerEnd>) {
    this.#ends = ends;
  }

  push(event: AuditedEvent): readonly Violation[] {
    if (event.isFact) return none;
    if (event.type === 'ActorRebased') return this.#rebase(event);
    const fired = event.type === 'TimerFired' ? this.#fire(event) : none;
    if (event.armed.length === 0 && event.cancelled.length === 0) return fired;
    return [...fired, ...this.#arm(event), ...event.cancelled.flatMap((timer) => this.#cancel(event, timer))];
  }

  forget(): void {
    this.#isComplete = false;
  }

  end(): void {
    this.#armed = new Map();
  }

  /** 20. */
  overdue(): readonly Overdue[] {
    return [...this.#armed.values()].map(({ timer, id, dueAt, seenAt }) => ({
      dueAt,
      violation: violation(
        20,
        seenAt,
        `timer ${timer} ('${id}') was due at ${dueAt}, and neither fired nor was cancelled`,
      ),
    }));
  }

  #fire(event: AuditedEvent): readonly Violation[] {
    const { timer, dueAt, actor, id } = event.fields as unknown as TimerRecord;
    const armed = this.#armed.get(timer);
    const found = armed ? [...causeFaults(event, armed.source)] : this.#unarmed(event, timer);
    this.#armed.delete(timer);
    this.#ends.set(keyOf(event.stream, timer), { how: 'fired', by: evidenceOf(event) });
    if (!armed) return found;
    if (armed.actor !== actor || armed.id !== id) {
      const message = `timer ${timer} fires as '${id}' of ${actor}, and was armed as '${armed.id}' of ${armed.actor}`;
      return [...found, violation(14, event, message, armed.seenAt)];
    }
    return [...found, ...this.#early(event, dueAt, armed), ...this.#outOfTurn(event, armed)];
  }

  #early(event: AuditedEvent, dueAt: number, armed: Armed): readonly Violation[] {
    const { timer, seenAt } = armed;
    if (dueAt !== armed.dueAt) {
      return [
        violation(19, event, `timer ${timer} fires as due at ${dueAt}, and was armed for ${armed.dueAt}`, seenAt),
      ];
    }
    if (!(event.at < dueAt)) return none;
    return [violation(19, event, `timer ${timer} fires ${dueAt - event.at} ms before its due time`, seenAt)];
  }

  /** TI2. */
  #outOfTurn(event: AuditedEvent, { timer, dueAt }: Armed): readonly Violation[] {
    if (event.meta.$seed !== undefined) return none;
    for (const other of this.#armed.values()) {
      if (other.dueAt > dueAt || (other.dueAt === dueAt && other.timer > timer)) continue;
      return [violation(20, event, `timer ${timer} fires before ${other.timer}, whose turn it was`, other.seenAt)];
    }
    return none;
  }

  #unarmed(event: AuditedEvent, timer: number): readonly Violation[] {
    const end = this.#ends.get(keyOf(event.stream, timer));
    if (end?.how === 'cancelled')
      return [violation(21, event, `timer ${timer} fires, and was cancelled before`, end.by)];
    if (end) return [violation(20, event, `timer ${timer} fires again`, end.by)];
    return this.#isComplete ? [violation(20, event, `timer ${timer} fires, and is not armed`)] : none;
  }

  #arm(event: AuditedEvent): readonly Violation[] {
    const found: Violation[] = [];
    const highest = this.#highest;
    for (const record of event.armed) {
      const { timer, dueAt } = record;
      if (timer <= highest)
        found.push(violation(20, event, `timer ${timer} is armed, and the number is that of an earlier one`));
      if (dueAt < event.at) found.push(violation(19, event, `timer ${timer} is due at ${dueAt}, before it is armed`));
      this.#armed.set(timer, { ...record, source: sourceOf(event), seenAt: evidenceOf(event) });
      this.#highest = Math.max(this.#highest, timer);
    }
    return found;
  }

  #cancel(event: AuditedEvent, timer: number): readonly Violation[] {
    const isArmed = this.#armed.delete(timer);
    const key = keyOf(event.stream, timer);
    const end = this.#ends.get(key);
    this.#ends.set(key, { how: 'cancelled', by: evidenceOf(event) });
    if (isArmed || (!end && !this.#isComplete)) return none;
    return [violation(20, event, `timer ${timer} is cancelled, and is not armed`, ...(end ? [end.by] : []))];
  }

  #rebase(event: AuditedEvent): readonly Violation[] {
    const standing = standingIn(event);
    const before = this.#armed;
    this.#armed = new Map();
    this.#isComplete = standing !== undefined;
    for (const record of standing?.timers ?? []) {
      const { timer } = record;
      const known = before.get(timer);
      this.#armed.set(timer, { ...record, source: known?.source, seenAt: known?.seenAt ?? evidenceOf(event) });
      this.#highest = Math.max(this.#highest, timer);
    }
    return none;
  }
}

function keyOf(stream: string, timer: number): string {
  return `${stream}\n${timer}`;
}
