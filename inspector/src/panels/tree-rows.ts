/**
 * The rows of a collapsible tree, as far as it is open. Owns the walk; a tree is what can be asked for its children.
 *
 * TR1  Only what is open is walked, in one loop: a tree may be deeper than a stack.
 * TR2  Of many siblings the first are shown, and one row that stands for the rest.
 */
export interface TreeSource<T> {
  /** Unique in the tree. */
  key(item: T): string;
  count(item: T): number;
  /** The first `limit` of them. */
  children(item: T, limit: number): readonly T[];
}

export interface TreeRow<T> {
  readonly key: string;
  readonly item: T;
  /** From 1. */
  readonly level: number;
  /** How far it is moved in: by one where there are siblings, or always. */
  readonly indent: number;
  /** Undefined for what has nothing in it. */
  readonly isOpen: boolean | undefined;
  readonly place: number;
  readonly siblings: number;
  /** This row stands for so many siblings that are not shown; `item` is their parent. */
  readonly more?: number;
}

export interface TreeState {
  /** By key; what is not in it is as `opensAtFirst` says. */
  readonly open: ReadonlyMap<string, boolean>;
  /** How many children are shown, by the parent's key; `pageSize` for others. */
  readonly limits: ReadonlyMap<string, number>;
}

export const pageSize = 100;

export function rowsOf<T>(
  roots: readonly T[],
  source: TreeSource<T>,
  { open, limits }: TreeState,
  options: { readonly opensAtFirst: (level: number, item: T) => boolean; readonly isChainFlat?: boolean },
): readonly TreeRow<T>[] {
  const rows: TreeRow<T>[] = [];
  const stack: TreeRow<T>[] = [];
  const row = (item: T, level: number, indent: number, place: number, siblings: number): TreeRow<T> => {
    const key = source.key(item);
    const isOpen = source.count(item) === 0 ? undefined : (open.get(key) ?? options.opensAtFirst(level, item));
    return { key, item, level, indent, isOpen, place, siblings };
  };
  for (let at = roots.length - 1; at >= 0; at--) stack.push(row(roots[at]!, 1, 0, at + 1, roots.length));
  for (let next = stack.pop(); next; next = stack.pop()) {
    rows.push(next);
    if (!next.isOpen || next.more !== undefined) continue;
    const count = source.count(next.item);
    const limit = limits.get(next.key) ?? pageSize;
    const indent = options.isChainFlat && count === 1 ? next.indent : next.indent + 1;
    if (count > limit) {
      stack.push({
        ...{ key: `${next.key}\u0000more`, item: next.item, level: next.level + 1, indent, isOpen: undefined },
        ...{ place: limit + 1, siblings: count, more: count - limit },
      });
    }
    const children = source.children(next.item, limit);
    for (let at = children.length - 1; at >= 0; at--) {
      stack.push(row(children[at]!, next.level + 1, indent, at + 1, count));
    }
  }
  return rows;
}

/** Where the row above a row is: its parent's; -1 for a root. */
export function parentIndex(rows: readonly TreeRow<unknown>[], index: number): number {
  const level = rows[index]?.level ?? 1;
  for (let at = index - 1; at >= 0; at--) if (rows[at]!.level < level) return at;
  return -1;
}
