/**
 * What can be said of the runtime's events without running a machine: their types, and what they say of the actor as a
 * whole. Owns the head that a stream ought to have in the actor index; their full meaning is the kernel's.
 *
 * RE1  Where the events do not say it, a head says what makes a runtime load the actor and find out.
 */
import type { ActorHead, ActorStatus, RecordedEvent } from './event-log.ts';

/** The closed vocabulary of events that are no facts. */
export const runtimeEventTypes: ReadonlySet<string> = new Set([
  'ActorStarted',
  'EventReceived',
  'EffectSucceeded',
  'EffectFailed',
  'EffectProgressed',
  'TimerFired',
  'ActorResumed',
  'ActorStopped',
  'ActorRebased',
]);

/** Whether an event was emitted by an actor, and is none of the runtime's own: only facts name who emitted them. */
export function isFact({ meta }: Pick<RecordedEvent, 'meta'>): boolean {
  return meta.actor !== undefined;
}

/** Whether an event holds a whole state, from which an actor is folded without what came before. */
export function isRebase(event: Pick<RecordedEvent, 'type' | 'meta'>): boolean {
  return event.type === 'ActorRebased' && !isFact(event);
}

/** Whether the history of an actor can begin with an event. */
export function isBeginning(event: Pick<RecordedEvent, 'type' | 'meta'>): boolean {
  return (event.type === 'ActorStarted' && !isFact(event)) || isRebase(event);
}

/** The data of a runtime event, as far as it is looked at here; nothing about it is certain. */
export interface LooseData {
  readonly at?: unknown;
  readonly version?: unknown;
  readonly transitions?: readonly { readonly actor?: unknown; readonly status?: unknown }[];
  readonly armed?: readonly { readonly timer?: unknown; readonly dueAt?: unknown }[];
  readonly cancelled?: readonly unknown[];
  readonly timer?: unknown;
  readonly changed?: { readonly version?: unknown };
  readonly standing?: { readonly status?: unknown; readonly timers?: LooseData['armed'] };
}

const statuses: ReadonlySet<unknown> = new Set<ActorStatus>(['active', 'done', 'error', 'stopped']);

/** Follows the events of one actor, as far as its head depends on them. */
export class HeadFold {
  readonly #stream: string;
  #status: ActorStatus = 'active';
  #version: string | null = null;
  #correlationId: string | undefined;
  readonly #correlations = new Set<string>();
  /** Due times of the timers that are armed, by number; undefined when a state was taken over that does not list them. */
  #timers: Map<unknown, number> | undefined = new Map();
  #begun = false;

  constructor(stream: string) {
    this.#stream = stream;
  }

  /** Whether anything of an actor was seen. */
  get begun(): boolean {
    return this.#begun;
  }

  /** Takes in one of the runtime's events, its data parsed. */
  push(event: Pick<RecordedEvent, 'type' | 'meta'>, data: LooseData): void {
    const { type, meta } = event;
    this.#begun = true;
    if (isBeginning(event)) {
      this.#correlationId = meta.$correlationId ?? '';
      this.#correlations.add(this.#correlationId);
      this.#version = text(data.version);
    }
    if (type === 'ActorResumed' && data.changed) this.#version = text(data.changed.version);
    if (type === 'ActorRebased') this.#rebase(data);
    if (type === 'TimerFired') this.#timers?.delete(data.timer);
    for (const { actor, status } of listOf(data.transitions)) {
      if (actor === '/' && statuses.has(status)) this.#status = status as ActorStatus;
    }
    this.#arm(data.armed);
    for (const timer of listOf(data.cancelled)) this.#timers?.delete(timer);
  }

  /** The head that the stream ought to have; RE1. Undefined where there is no actor. */
  head(): ActorHead | undefined {
    if (!this.#begun) return undefined;
    // Taken apart without a check: the name may be what is damaged.
    const machine = this.#stream.slice(0, Math.max(0, this.#stream.indexOf('-')));
    const status = this.#status;
    const isActive = status === 'active';
    return {
      machine,
      version: this.#version,
      status,
      correlationId: this.#correlationId ?? '',
      wakeAt: isActive ? (this.#wakeAt() ?? null) : null,
      effects: isActive ? 1 : 0,
    };
  }

  /** In what a head of the index disagrees with the events; empty where it does not. */
  disagreements(head: ActorHead): string[] {
    const ought = this.head();
    if (!ought) return [];
    const told = [...this.#correlations].includes(head.correlationId) ? head.correlationId : ought.correlationId;
    const pairs: [string, unknown, unknown][] = [
      ['machine', head.machine, ought.machine],
      ['status', head.status, ought.status],
      ['correlationId', head.correlationId, told],
    ];
    if (ought.status !== 'active' || this.#timers) pairs.push(['wakeAt', head.wakeAt, ought.wakeAt]);
    const wrong = pairs.filter(([, found, expected]) => found !== expected);
    if (!Number.isSafeInteger(head.effects) || head.effects < 0) wrong.push(['effects', head.effects, 'a number']);
    return wrong.map(
      ([name, found, expected]) => `${name} is ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`,
    );
  }

  #rebase({ standing }: LooseData): void {
    this.#status = statuses.has(standing?.status) ? (standing!.status as ActorStatus) : 'active';
    this.#timers = standing?.timers ? new Map() : undefined;
    this.#arm(standing?.timers);
  }

  #arm(timers: LooseData['armed']): void {
    for (const { timer, dueAt } of listOf(timers)) this.#timers?.set(timer, Number(dueAt));
  }

  #wakeAt(): number | undefined {
    let first: number | undefined;
    for (const dueAt of this.#timers?.values() ?? []) if (first === undefined || dueAt < first) first = dueAt;
    return first;
  }
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** A list of objects, whatever is there. */
function listOf<T>(value: readonly T[] | undefined): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]).filter((item) => item !== null && item !== undefined) : [];
}
