/**
 * What all judges of one stream have in common, and an event as they see it. Owns no invariant.
 *
 * SJ1  A judge is told every event of one stream in order, and answers with what it violates.
 * SJ2  It keeps what is open in the actor; what is over is forgotten, or kept among the newest of all streams.
 * SJ3  Where something before is not known, it says nothing that depends on that.
 */
import type { RecordedEvent } from '../../log/event-log.ts';
import { isFact, isRebase } from '../../log/runtime-events.ts';
import type { IntentRecord, Standing, TimerRecord, TransitionRecord } from '../../kernel/stimulus.ts';
import type { Evidence, Overdue, Violation } from './violation.ts';

/** An event with its values decoded; nothing about their form is certain but that lists are lists. */
export interface AuditedEvent extends Pick<RecordedEvent, 'stream' | 'revision' | 'type' | 'id' | 'meta'> {
  readonly isFact: boolean;
  readonly fields: Readonly<Record<string, unknown>>;
  /** Of a stimulus: its time, in ms since the epoch. */
  readonly at: number;
  readonly transitions: readonly TransitionRecord[];
  readonly intents: readonly IntentRecord[];
  readonly armed: readonly TimerRecord[];
  readonly cancelled: readonly number[];
}

/** A judge of some invariants over one stream. */
export interface StreamJudge {
  /** SJ1. */
  push(event: AuditedEvent): readonly Violation[];
  /** SJ3. An event before the next one is missing, or cannot be read. */
  forget(): void;
  /** The actor has ended; it may be resumed or rewound. */
  end(): void;
  /** What ought to have ended when the run was over. */
  overdue(): readonly Overdue[];
}

/** What is remembered of an event that things come from. */
export interface Source {
  readonly event: Evidence;
  readonly correlationId: string | undefined;
}

/** What comes from an event. */
export function sourceOf({ stream, revision, type, id, meta }: AuditedEvent): Source {
  return { event: { stream, revision, type, id }, correlationId: meta.$correlationId };
}

/** A recorded event with its content. */
export function auditedEvent(recorded: RecordedEvent, fields: Readonly<Record<string, unknown>>): AuditedEvent {
  const { stream, revision, type, id, meta } = recorded;
  const fact = isFact(recorded);
  const list = (field: string) => (fact ? [] : listOf(fields[field] as unknown[]));
  return {
    ...{ stream, revision, type, id, meta, fields, isFact: fact },
    at: Number(fields.at),
    transitions: list('transitions') as TransitionRecord[],
    intents: list('intents') as IntentRecord[],
    armed: list('armed') as TimerRecord[],
    cancelled: list('cancelled') as number[],
  };
}

/** What stands after a rebase; undefined where the event is none, or does not say it. */
export function standingIn(event: AuditedEvent): Standing | undefined {
  if (!isRebase(event)) return undefined;
  const { status, machines, effects, timers } = (event.fields.standing ?? {}) as Partial<Standing>;
  if (!machines || !effects || !timers || status === undefined) return undefined;
  return { status, machines: listOf(machines), effects: listOf(effects), timers: listOf(timers) };
}

function listOf<T>(value: readonly T[]): T[] {
  return Array.isArray(value) ? (value as T[]).filter((item) => item !== null && item !== undefined) : [];
}
