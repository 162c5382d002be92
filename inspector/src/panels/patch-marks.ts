/**
 * What a patch did to the places of a tree. Owns the marks; the patch is the server's.
 *
 * PM1  A place that a patch added or replaced is marked so, and every place above it says that something in it changed.
 * PM2  What was removed is listed under the place that it was removed from, with the value that stood there.
 */
import type { Frame, Json } from '../../../src/inspect/api.ts';
import { keysOf, parentPointer, valueAt } from './json-pointer.ts';
import type { Child } from './value-words.ts';

export type Mark = 'added' | 'changed' | 'removed' | 'within';
export type Patch = Frame['changes'][number]['patch'];

export interface Marks {
  readonly of: ReadonlyMap<string, Mark>;
  /** Children that are gone, by the pointer of their parent. */
  readonly removed: ReadonlyMap<string, readonly Child[]>;
}

export const noMarks: Marks = { of: new Map(), removed: new Map() };

/** One line of a difference. */
export interface Change {
  readonly path: string;
  readonly mark: Exclude<Mark, 'within'>;
  /** Undefined where nothing was, where nothing is, and where what was is not known. */
  readonly from: Json | undefined;
  readonly to: Json | undefined;
}

/** @param before the value that the patch was made for; undefined where it is not known, or where nothing was */
export function changesOf(patch: Patch, before: Json | undefined): readonly Change[] {
  return patch.map((operation): Change => {
    const from = valueAt(before, operation.path);
    if (operation.op === 'remove') return { path: operation.path, mark: 'removed', from, to: undefined };
    const isNew = operation.op === 'add' || (operation.path === '' && before === undefined);
    return {
      path: operation.path,
      mark: isNew ? 'added' : 'changed',
      from: isNew ? undefined : from,
      to: operation.value,
    };
  });
}

export function marksOf(changes: readonly Change[]): Marks {
  const of = new Map<string, Mark>();
  const removed = new Map<string, Child[]>();
  for (const { path, mark, from } of changes) {
    if (mark === 'removed') {
      const parent = parentPointer(path);
      const gone = { name: keysOf(path).at(-1) ?? '', path, value: from ?? null };
      const others = removed.get(parent);
      if (others) others.push(gone);
      else removed.set(parent, [gone]);
    } else of.set(path, mark);
    for (let above = path; above !== '';) {
      above = parentPointer(above);
      if (of.has(above)) break;
      of.set(above, 'within');
    }
  }
  return { of, removed };
}
