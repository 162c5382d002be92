/**
 * What came of a run, as far as a crash may not change it. Owns the form in which states and facts are seen and compared.
 *
 * OU1  Nothing live is in it: references to actors are their ids, errors their class, message and fields, without a stack.
 * OU2  Times are ms since the start.
 */
import { isDeepStrictEqual } from 'node:util';
import type { StateValue } from 'xstate';
import type { RecordedEvent } from '../log/event-log.ts';
import type { FaultPlan } from './fault-plan.ts';
import type { Call } from './scripted-world.ts';

/** How an actor and those below it stand. */
export interface ActorView {
  readonly status: string;
  readonly value?: StateValue;
  readonly context?: unknown;
  readonly output?: unknown;
  readonly error?: unknown;
  readonly children?: Readonly<Record<string, ActorView>>;
}

/** A fact that a machine emitted. */
export interface SeenFact {
  readonly at: number;
  /** Address of the machine in its tree. */
  readonly actor: string;
  readonly fact: unknown;
}

/** What is seen of a run. */
export interface Outcome<World = unknown> {
  /** What went wrong in it. */
  readonly plan: FaultPlan;
  readonly world: World;
  /** By stream: how each root actor stands at the end. */
  readonly ends: Readonly<Record<string, ActorView>>;
  /** By stream: the facts, in order. */
  readonly facts: Readonly<Record<string, readonly SeenFact[]>>;
  /** Effects that were begun and answered from the script. */
  readonly calls: readonly Call[];
  /** The whole log, in order. */
  readonly events: readonly RecordedEvent[];
}

interface SnapshotLike {
  readonly status: string;
  readonly value?: StateValue;
  readonly context?: unknown;
  readonly output?: unknown;
  readonly error?: unknown;
  readonly children?: Readonly<Record<string, { getSnapshot(): unknown } | undefined>>;
}

/** The view of a snapshot. Fields that are undefined are left out. */
export function viewOf(snapshot: unknown): ActorView {
  const { status, value, context, output, error, children = {} } = snapshot as SnapshotLike;
  const below = Object.entries(children).flatMap(([id, child]) =>
    child ? [[id, viewOf(child.getSnapshot())] as const] : [],
  );
  return {
    status,
    ...(value !== undefined && { value }),
    ...(context !== undefined && { context: seen(context) }),
    ...(output !== undefined && { output: seen(output) }),
    ...(error !== undefined && { error: seen(error) }),
    ...(below.length > 0 && { children: Object.fromEntries(below) }),
  };
}

/** A value as plain data (OU1). */
export function seen(value: unknown, above: readonly object[] = []): unknown {
  if (typeof value === 'bigint') return { bigint: String(value) };
  if (typeof value !== 'object' || value === null) return value;
  if (above.includes(value)) return { again: above.length - above.indexOf(value) };
  if ('sessionId' in value && 'send' in value && 'id' in value) return { actor: String(value.id) };
  if (value instanceof Date) return { date: value.getTime() };
  const within = (each: unknown) => seen(each, [...above, value]);
  if (Array.isArray(value)) return value.map(within);
  if (value instanceof Map) return { map: [...value].map(within) };
  if (value instanceof Set) return { set: [...value].map(within) };
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  const fields = Object.fromEntries(entries.map(([key, field]) => [key, within(field)]));
  if (!(value instanceof Error)) return fields;
  const { name, message, cause } = value;
  return { name, message, ...(cause !== undefined && { cause: within(cause) }), ...fields };
}

/** The facts of all streams. */
export function factsOf(events: readonly RecordedEvent[], startMs: number): Record<string, SeenFact[]> {
  const facts: Record<string, SeenFact[]> = {};
  const times = new Map<string, number>();
  for (const { stream, data, meta } of events) {
    const read = JSON.parse(data) as { at?: number };
    if (meta.actor === undefined) times.set(stream, (read.at ?? startMs) - startMs);
    else (facts[stream] ??= []).push({ at: times.get(stream) ?? 0, actor: meta.actor, fact: read });
  }
  return facts;
}

/** The first place at which two values differ, with what is there; undefined where they are equal. */
export function difference(expected: unknown, found: unknown, path = ''): string | undefined {
  if (isDeepStrictEqual(expected, found)) return undefined;
  if (isObject(expected) && isObject(found) && Array.isArray(expected) === Array.isArray(found)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
      const deeper = difference(expected[key], found[key], `${path}/${key}`);
      if (deeper) return deeper;
    }
  }
  return `at ${path || '/'} expected ${shorten(shown(expected))}, found ${shorten(shown(found))}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

const charactersMax = 300;

/** The beginning of a long text. */
export function shorten(text: string): string {
  return text.length > charactersMax ? `${text.slice(0, charactersMax)}…` : text;
}
