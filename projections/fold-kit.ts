/**
 * What the folds of projections have in common: keyed values that are cheap to copy, and the reading of what events say.
 * Owns one function that gives all of it, because its source text goes wherever a projection goes.
 *
 * FK1  `foldKit` stands on its own, as the folds do: it uses nothing that is not in it.
 * FK2  Nothing is changed in place; a change copies one shelf out of 64, however much there is.
 * FK3  What an event does not say, or says in another shape than ours, is passed over: a log may hold other programs' facts.
 */
import type { TimeMs } from 'rewake';
import type { ProjectedEvent } from './projected-event.ts';

/** Values by key, in 64 shelves. Plain JSON; to be read with the kit. */
export type Shelves<Value> = Readonly<Record<string, Readonly<Record<string, Value>>>>;

/** A timer that is armed. */
export interface ArmedTimer {
  readonly timer: number;
  readonly actor: string;
  readonly id: string;
  readonly dueAt: TimeMs;
}

/** What a machine did, as events record it. */
export interface LoggedTransition {
  readonly actor: string;
  readonly event: string;
  /** Its state value. */
  readonly to: unknown;
  /** `active`, or how the machine ended. */
  readonly status: string;
}

/** A failure in a few words, as plain JSON. */
export interface LoggedError {
  /** Where a machine has classified it. */
  readonly class: string | null;
  readonly name: string;
  readonly code: string | null;
  readonly message: string;
}

/** What {@link foldKit} gives. */
export type FoldKit = ReturnType<typeof foldKit>;

/** The tools of a fold. */
export function foldKit() {
  type Values = Readonly<Record<string, unknown>>;

  function shelfOf(key: string): string {
    let hash = 0x811c9dc5;
    for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
    return String((hash ^ (hash >>> 15)) & 63);
  }

  /** The point keeps a key such as `__proto__` from being more than a key. */
  function get<Value>(shelves: Shelves<Value>, key: string): Value | undefined {
    return shelves[shelfOf(key)]?.[`.${key}`];
  }

  /** With this value under this key; without the key where the value is undefined. */
  function put<Value>(shelves: Shelves<Value>, key: string, value: Value | undefined): Shelves<Value> {
    const at = shelfOf(key);
    const shelf = withKey(shelves[at] ?? {}, `.${key}`, value);
    return withKey(shelves, at, Object.keys(shelf).length > 0 ? shelf : undefined);
  }

  /** All of them, in order of their keys. */
  function entries<Value>(shelves: Shelves<Value>): [key: string, value: Value][] {
    return Object.values(shelves)
      .flatMap((shelf) => Object.entries(shelf).map(([key, value]): [string, Value] => [key.slice(1), value]))
      .sort(([a], [b]) => compare(a, b));
  }

  /** The order of texts by their code units: the same in every engine and place. */
  function compare(a: string, b: string): number {
    return a < b ? -1 : Number(a > b);
  }

  /** All of both; `both` says what becomes of a key that both have. */
  function merged<Value>(x: Shelves<Value>, y: Shelves<Value>, both: (x: Value, y: Value) => Value): Shelves<Value> {
    const all: Record<string, Record<string, Value>> = {};
    for (const shelves of [x, y])
      for (const [at, shelf] of Object.entries(shelves)) {
        const target = (all[at] ??= {});
        for (const [key, value] of Object.entries(shelf))
          target[key] = Object.hasOwn(target, key) ? both(target[key]!, value) : value;
      }
    return all;
  }

  /** A record with this value, or without the key where the value is undefined. */
  function withKey<Value>(
    record: Readonly<Record<string, Value>>,
    key: string,
    value: Value | undefined,
  ): Readonly<Record<string, Value>> {
    if (value !== undefined) return { ...record, [key]: value };
    if (!Object.hasOwn(record, key)) return record;
    const { [key]: _gone, ...rest } = record;
    return rest as Record<string, Value>;
  }

  /** The entries of a record that are to stay; the same record where all of them are. */
  function kept<Value>(
    record: Readonly<Record<string, Value>>,
    stays: (key: string, value: Value) => boolean,
  ): Readonly<Record<string, Value>> {
    const all = Object.entries(record);
    const left = all.filter(([key, value]) => stays(key, value));
    return left.length === all.length ? record : Object.fromEntries(left);
  }

  function isRecord(value: unknown): value is Values {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  }

  function text(value: unknown): string | undefined {
    return typeof value === 'string' ? value : undefined;
  }

  function number(value: unknown): number | undefined {
    return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
  }

  function list(value: unknown): readonly Values[] {
    return Array.isArray(value) ? value.filter(isRecord) : [];
  }

  function isFact(event: ProjectedEvent): boolean {
    return event.meta.actor !== undefined;
  }

  function correlationOf(event: ProjectedEvent): string {
    return event.meta.$correlationId ?? '';
  }

  /** The name of the machine of a stream. */
  function machineOf(stream: string): string {
    const end = stream.indexOf('-');
    return end < 0 ? stream : stream.slice(0, end);
  }

  /** The address of an actor's parent. */
  function parentOf(actor: string): string {
    const end = actor.lastIndexOf('/');
    return end <= 0 ? '/' : actor.slice(0, end);
  }

  /** Whether an actor is this one or below it. */
  function isWithin(actor: string, ancestor: string): boolean {
    return actor === ancestor || ancestor === '/' || actor.startsWith(`${ancestor}/`);
  }

  /** What stands right after a rebase, where it says so. */
  function standingOf(event: ProjectedEvent): Values | undefined {
    if (event.type !== 'ActorRebased' || isFact(event)) return undefined;
    return isRecord(event.data.standing) ? event.data.standing : undefined;
  }

  function transitionsOf(event: ProjectedEvent): LoggedTransition[] {
    if (isFact(event)) return [];
    return list(event.data.transitions).flatMap((each) => {
      const actor = text(each.actor);
      if (actor === undefined) return [];
      return [{ actor, event: text(each.event) ?? '', to: each.to ?? null, status: text(each.status) ?? 'active' }];
    });
  }

  /** What the root did last with an event. */
  function rootMoveOf(event: ProjectedEvent): LoggedTransition | undefined {
    return transitionsOf(event)
      .filter(({ actor }) => actor === '/')
      .pop();
  }

  /** The state value of the root after an event; undefined where the event does not say it. */
  function rootStateAfter(event: ProjectedEvent): unknown {
    const move = rootMoveOf(event);
    return move ? move.to : list(standingOf(event)?.machines).find(({ actor }) => actor === '/')?.to;
  }

  /** How the whole actor stands after an event; undefined where the event does not change that. */
  function statusAfter(event: ProjectedEvent): string | undefined {
    if (isFact(event)) return undefined;
    const root = rootMoveOf(event);
    const standing = standingOf(event);
    if (root) return root.status;
    if (standing) return text(standing.status);
    if (event.type === 'ActorStarted') return 'active';
    return event.type === 'ActorStopped' ? 'stopped' : undefined;
  }

  function timersIn(value: unknown): Record<string, ArmedTimer> {
    const timers: Record<string, ArmedTimer> = {};
    for (const each of list(value)) {
      const [timer, actor, id, dueAt] = [number(each.timer), text(each.actor), text(each.id), number(each.dueAt)];
      if (timer === undefined || actor === undefined || id === undefined || dueAt === undefined) continue;
      timers[timer] = { timer, actor, id, dueAt };
    }
    return timers;
  }

  /** The armed timers of one actor tree after an event, by their number. */
  function timersAfter(
    timers: Readonly<Record<string, ArmedTimer>>,
    event: ProjectedEvent,
  ): Readonly<Record<string, ArmedTimer>> {
    if (isFact(event)) return timers;
    const status = statusAfter(event);
    if (status !== undefined && status !== 'active') return {};
    const { armed, cancelled, timer } = event.data;
    const standing = standingOf(event);
    const before = standing ? timersIn(standing.timers) : event.type === 'ActorStarted' ? {} : timers;
    // A number is never used twice in a tree, so what is armed and cancelled in one step is not armed.
    const gone = (Array.isArray(cancelled) ? (cancelled as unknown[]) : []).map(String);
    if (event.type === 'TimerFired') gone.push(String(timer));
    const more = timersIn(armed);
    if (before === timers && gone.length === 0 && Object.keys(more).length === 0) return timers;
    return kept({ ...before, ...more }, (key) => !gone.includes(key));
  }

  /** An error, or the signature of one, in a few words. */
  function errorOf(value: unknown): LoggedError {
    // Errors are no plain records: their name and message are inherited or hidden.
    const { name, message, code, class: kind } = (typeof value === 'object' && value !== null ? value : {}) as Values;
    return {
      class: text(kind) ?? null,
      name: text(name) ?? typeof value,
      code: text(code) ?? null,
      message: (text(message) ?? String(isRecord(value) ? 'no message' : value)).slice(0, 300),
    };
  }

  function isSame(x: unknown, y: unknown): boolean {
    return x === y || JSON.stringify(x) === JSON.stringify(y);
  }

  return {
    ...{
      get,
      put,
      entries,
      compare,
      merged,
      withKey,
      kept,
      isRecord,
      text,
      number,
      list,
      isFact,
      correlationOf,
      machineOf,
    },
    ...{ parentOf, isWithin, standingOf, transitionsOf, rootStateAfter, statusAfter, timersAfter, errorOf, isSame },
  };
}
