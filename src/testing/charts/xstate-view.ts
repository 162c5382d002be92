/**
 * What can be seen of an actor tree, as plain JSON that two hosts can be compared by. Owns the normal form, and all that this
 * folder knows of XState's insides: the fields of a snapshot, the parent of an actor, the events that a system has scheduled,
 * how ids look that XState makes up. Checked against xstate 5.33.
 *
 * V1  A view holds no live object: actor references become their id, errors their name and message.
 * V2  Order is kept where it means something: children in order of birth, history as XState holds it.
 * V3  Session ids are renamed in order of appearance, because their numbers differ between hosts.
 */
import type { AnyActorRef, AnyEventObject, StateValue } from 'xstate';

/** A JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** One actor and the actors below it. */
export interface TreeView {
  readonly status: string;
  readonly value?: StateValue;
  readonly context?: Json;
  readonly output?: Json;
  readonly error?: Json;
  /** Ids of the remembered nodes, by the id of the history's parent or node, in XState's order. */
  readonly history?: Readonly<Record<string, readonly string[]>>;
  readonly children?: Readonly<Record<string, TreeView>>;
}

interface SnapshotLike {
  readonly status: string;
  readonly value?: StateValue;
  readonly context?: unknown;
  readonly output?: unknown;
  readonly error?: unknown;
  readonly historyValue?: Readonly<Record<string, readonly { readonly id: string }[]>>;
  readonly children?: Readonly<Record<string, Pick<AnyActorRef, 'getSnapshot'> | undefined>>;
}

/** The view of a snapshot and, through its children's `getSnapshot`, of everything below it. */
export function viewTree(snapshot: unknown): TreeView {
  const { status, value, context, output, error, historyValue, children } = snapshot as SnapshotLike;
  const history = Object.entries(historyValue ?? {}).map(([id, nodes]) => [id, nodes.map((node) => node.id)]);
  const below = Object.entries(children ?? {}).flatMap(([id, child]) =>
    child ? [[id, viewTree(child.getSnapshot())] as const] : [],
  );
  return {
    status,
    ...(value !== undefined && { value }),
    ...(context !== undefined && { context: plain(context) }),
    ...(output !== undefined && { output: plain(output) }),
    ...(error !== undefined && { error: plain(error) }),
    ...(history.length > 0 && { history: Object.fromEntries(history) }),
    ...(below.length > 0 && { children: Object.fromEntries(below) }),
  };
}

/** A value as JSON: see V1. Keys with undefined values are left out. */
export function plain(value: unknown): Json {
  if (value === undefined || value === null) return null;
  if (value instanceof Error) return { name: value.name, message: value.message };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object') return value as Json;
  if ('sessionId' in value && 'send' in value && 'id' in value) return { ref: String(value.id) };
  const entries = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(entries.map(([key, field]) => [key, plain(field)]));
}

/** Renames session ids (`x:17`) in order of appearance: see V3. */
export function renameSessions<T>(value: T): T {
  const names = new Map<string, string>();
  const text = JSON.stringify(value).replace(/\bx:\d+\b/g, (id) => {
    const name = names.get(id) ?? `session${names.size}`;
    names.set(id, name);
    return name;
  });
  return JSON.parse(text) as T;
}

/** Ids from below the root down, '/' for the root itself. */
export function pathOf(actor: { readonly id: string; readonly _parent?: unknown }): string {
  const ids: string[] = [];
  for (let at = actor; at._parent; at = at._parent as typeof actor) ids.unshift(at.id);
  return `/${ids.join('/')}`;
}

/** A delayed event that has not been delivered. */
export interface ScheduledEvent {
  readonly source: AnyActorRef;
  readonly target: AnyActorRef;
  readonly event: AnyEventObject;
  readonly id: string;
}

/** The delayed events of a running system, in the order in which they were scheduled. */
export function scheduledEvents(root: AnyActorRef): readonly ScheduledEvent[] {
  return Object.values(root.system.getSnapshot()._scheduledEvents) as ScheduledEvent[];
}

/** A delayed event's id, if a chart gave it: `t0`, `t1`, or that of an `after`. */
export function givenTimerId(id: string): { id: string } | Record<never, never> {
  return /^t\d$|^xstate\.after\./.test(id) ? { id } : {};
}
