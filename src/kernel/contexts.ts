/**
 * What a step changed in the contexts of its machines, as it is recorded for who reads a log without their code. Owns the form of
 * `contexts` in a stimulus event, and its bound.
 *
 * CX1  A fold neither needs nor compares it: it may be left out of any event.
 * CX2  What would make an event large is left out, and that is said.
 */
import type { Json } from '../log/json.ts';
import { diff, type JsonPatch } from './json-patch.ts';

/** What happened to one context. The first patch of an actor replaces the whole. */
export type ContextRecord =
  { readonly actor: string; readonly patch: JsonPatch } | { readonly actor: string; readonly omitted: true };

/** A machine whose context is another one than before the step. */
export interface MovedContext {
  readonly actor: string;
  /** Undefined where it had none. */
  readonly before: unknown;
  readonly after: unknown;
}

/** Characters of JSON text. */
const contextsMax = 65_536;

/** The JSON text of what changed; undefined where nothing did. */
export function contextsText(
  moved: readonly MovedContext[],
  nameActor: (ref: { id: string; sessionId: string }) => string,
): string | undefined {
  const records: ContextRecord[] = [];
  for (const { actor, before, after } of moved) {
    const patch = diff(before, after, nameActor);
    if (patch.length > 0) records.push({ actor, patch });
  }
  if (records.length === 0) return undefined;
  const text = JSON.stringify(records);
  // CX2.
  return text.length <= contextsMax ? text : JSON.stringify(records.map(({ actor }) => ({ actor, omitted: true })));
}

/** The `contexts` of an event's data, whatever is there. */
export function contextsOf({ contexts }: { readonly contexts?: unknown }): readonly ContextRecord[] {
  return Array.isArray(contexts) ? (contexts as ContextRecord[]).filter(isContextRecord) : [];
}

function isContextRecord(record: Json | ContextRecord): record is ContextRecord {
  return (
    typeof record === 'object' && record !== null && 'actor' in record && ('patch' in record || 'omitted' in record)
  );
}
