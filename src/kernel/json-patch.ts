/**
 * JSON Patch (RFC 6902) with the three operations that a difference needs, and JSON Pointer (RFC 6901). Owns the difference of
 * two values and applying it.
 *
 * JP1  applyPatch(before, diff(before, after)) equals after.
 * JP2  Nothing is changed in place: what a patch does not touch is shared.
 */
import type { Json } from '../log/json.ts';

/** One change. `path` is a JSON Pointer; '' is the whole. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: Json }
  | { readonly op: 'remove'; readonly path: string };

/** What turns one value into another, in order. */
export type JsonPatch = readonly PatchOperation[];
