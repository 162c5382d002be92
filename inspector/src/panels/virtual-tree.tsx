/**
 * A collapsible tree of which only what is in sight is drawn. Owns the keyboard, what a screen reader is told, and which rows are
 * drawn; it scrolls with whatever it stands in.
 *
 * VT1  The arrow keys work as in every tree: right opens or goes in, left closes or goes out.
 * VT2  The active row is always drawn, so that it can be told and be brought into sight.
 */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import { pressKey } from './parts.tsx';
import { parentIndex, type TreeRow } from './tree-rows.ts';

export interface VirtualTreeProps<T> {
  readonly id: string;
  readonly label: string;
  readonly rows: readonly TreeRow<T>[];
  readonly rowHeight: number;
  /** Key of the row that is chosen. */
  readonly chosen?: string | undefined;
  readonly onToggle: (row: TreeRow<T>, isOpen: boolean) => void;
  readonly onMore: (row: TreeRow<T>) => void;
  readonly onChoose: (row: TreeRow<T>) => void;
  readonly rowClass?: (row: TreeRow<T>) => string;
  readonly children: (row: TreeRow<T>) => ComponentChildren;
}

const overscan = 12;
/** Deeper rows are not moved further in. */
const indentMax = 24;

export function VirtualTree<T>(props: VirtualTreeProps<T>) {
  const { id, label, rows, rowHeight, chosen, onToggle, onMore, onChoose, rowClass, children } = props;
  const box = useRef<HTMLDivElement>(null);
  const sight = useSight(box);
  const [activeKey, setActiveKey] = useState<string | undefined>(chosen);
  const active = Math.max(
    0,
    rows.findIndex(({ key }) => key === activeKey),
  );
  const isWanted = useRef(chosen !== undefined);

  // Also when it is chosen elsewhere: by stepping through the frames.
  const before = useRef(chosen);
  if (before.current !== chosen) {
    before.current = chosen;
    if (chosen !== undefined && chosen !== activeKey && rows.some(({ key }) => key === chosen)) {
      isWanted.current = true;
      setActiveKey(chosen);
    }
  }

  useLayoutEffect(() => {
    if (!isWanted.current) return;
    isWanted.current = false;
    document.getElementById(`${id}-${active}`)?.scrollIntoView({ block: 'nearest' });
  }, [active, id]);

  const move = (index: number) => {
    const row = rows[Math.min(Math.max(0, index), rows.length - 1)];
    if (!row) return;
    isWanted.current = true;
    setActiveKey(row.key);
  };
  const press = (row: TreeRow<T>) => {
    setActiveKey(row.key);
    if (row.more === undefined) onChoose(row);
    else onMore(row);
  };
  const onKey = (event: KeyboardEvent) => {
    const row = rows[active];
    if (!row) return;
    pressKey(event, {
      ArrowDown: () => move(active + 1),
      ArrowUp: () => move(active - 1),
      Home: () => move(0),
      End: () => move(rows.length - 1),
      ArrowRight: () => (row.isOpen === false ? onToggle(row, true) : row.isOpen ? move(active + 1) : undefined),
      ArrowLeft: () => (row.isOpen ? onToggle(row, false) : move(parentIndex(rows, active))),
      Enter: () => press(row),
      ' ': () => press(row),
    });
  };

  const from = Math.max(0, Math.floor(sight.from / rowHeight) - overscan);
  const to = Math.min(rows.length, Math.ceil(sight.to / rowHeight) + overscan);
  const drawn = rows.slice(from, to).map((_, at) => from + at);
  if (active < rows.length && (active < from || active >= to)) drawn.push(active);
  return (
    <div
      ref={box}
      id={id}
      class="tree"
      role="tree"
      aria-label={label}
      tabIndex={0}
      aria-activedescendant={rows.length > 0 ? `${id}-${active}` : undefined}
      style={{ height: `${rows.length * rowHeight}px` }}
      onKeyDown={onKey}
    >
      {drawn.map((index) => {
        const row = rows[index]!;
        const isChosen = row.key === chosen;
        return (
          <div
            key={row.key}
            id={`${id}-${index}`}
            role="treeitem"
            aria-level={row.level}
            aria-posinset={row.place}
            aria-setsize={row.siblings}
            aria-expanded={row.isOpen}
            aria-selected={isChosen}
            class={`tree-row ${index === active ? 'is-active' : ''} ${rowClass?.(row) ?? ''}`}
            style={{
              top: `${index * rowHeight}px`,
              height: `${rowHeight}px`,
              paddingLeft: `${Math.min(row.indent, indentMax) * 14}px`,
            }}
            onClick={({ target }) => {
              // A link in a row leads where it leads, also into a new tab.
              if (target instanceof Element && target.closest('a')) setActiveKey(row.key);
              else press(row);
            }}
          >
            {row.more === undefined ? (
              <>
                <span
                  class={`twist ${row.isOpen === undefined ? '' : row.isOpen ? 'is-open' : 'is-closed'}`}
                  aria-hidden
                  onClick={(event) => {
                    if (row.isOpen === undefined) return;
                    event.stopPropagation();
                    setActiveKey(row.key);
                    onToggle(row, !row.isOpen);
                  }}
                />
                {children(row)}
              </>
            ) : (
              <span class="tree-more accent">Show more ({row.more.toLocaleString('en')} left)</span>
            )}
          </div>
        );
      })}
    </div>
  );
}

/** Which part of an element, in px from its top, can be in the window. */
function useSight(box: { readonly current: HTMLElement | null }): { readonly from: number; readonly to: number } {
  const [sight, setSight] = useState({ from: 0, to: 800 });
  useLayoutEffect(() => {
    const measure = () => {
      if (!box.current) return;
      const { top } = box.current.getBoundingClientRect();
      // In steps, so that scrolling draws anew only now and then.
      const from = Math.max(0, Math.floor(-top / 100) * 100);
      const to = Math.max(0, Math.ceil((window.innerHeight - top) / 100) * 100);
      setSight((before) => (before.from === from && before.to === to ? before : { from, to }));
    };
    measure();
    // A scroll event does not bubble, but whoever stands above sees it go down.
    document.addEventListener('scroll', measure, true);
    const observer = new ResizeObserver(measure);
    observer.observe(document.documentElement);
    if (box.current) observer.observe(box.current);
    return () => {
      document.removeEventListener('scroll', measure, true);
      observer.disconnect();
    };
  }, [box]);
  return sight;
}
