/** What of a tree is open, for as long as it is looked at. */
import { useMemo, useState } from 'preact/hooks';
import { pageSize, type TreeRow, type TreeState } from './tree-rows.ts';

export interface OpenTree extends TreeState {
  readonly toggle: (row: TreeRow<unknown>, isOpen: boolean) => void;
  /** Ten times as many children of what the row stands for. */
  readonly more: (row: TreeRow<unknown>) => void;
}

export function useOpenTree(): OpenTree {
  const [open, setOpen] = useState<ReadonlyMap<string, boolean>>(new Map());
  const [limits, setLimits] = useState<ReadonlyMap<string, number>>(new Map());
  return useMemo(
    () => ({
      open,
      limits,
      toggle: ({ key }, isOpen) => setOpen((before) => new Map(before).set(key, isOpen)),
      more: ({ key }) => {
        const parent = key.slice(0, key.lastIndexOf('\u0000'));
        setLimits((before) => new Map(before).set(parent, (before.get(parent) ?? pageSize) * 10));
      },
    }),
    [open, limits],
  );
}
