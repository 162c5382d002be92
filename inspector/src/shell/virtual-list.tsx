/**
 * A long list of which only what is in sight is drawn. Owns scrolling and what a screen reader is told.
 *
 * VL1  The active row comes into sight when it becomes active, and only then: who scrolls away is left alone.
 */
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { scrollTopFor, windowAt } from './virtual-window.ts';

export interface DrawnRow {
  readonly key: string | number;
  readonly class?: string;
  readonly content: ComponentChildren;
}

export interface VirtualListProps {
  readonly id: string;
  readonly label: string;
  readonly count: number;
  readonly rowHeight: number;
  /** Index; -1 for none. */
  readonly active: number;
  readonly row: (index: number) => DrawnRow;
  readonly onChoose: (index: number) => void;
  /** Told which rows are drawn, whenever that changes. */
  readonly onWindow: (from: number, to: number) => void;
  /** Below the last row. */
  readonly footer?: ComponentChildren;
  readonly class?: string;
}

export function VirtualList(props: VirtualListProps) {
  const { id, label, count, rowHeight, active, row, onChoose, onWindow } = props;
  const box = useRef<HTMLDivElement>(null);
  const [scrollTop, setScrollTop] = useState(0);
  const [viewport, setViewport] = useState(600);
  const shape = { count, rowHeight, viewport };
  const { from, to, offset, height } = windowAt(shape, scrollTop);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setViewport(element.clientHeight);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element || active < 0 || active >= count) return;
    const measured = { ...shape, viewport: element.clientHeight };
    const wanted = scrollTopFor(measured, active, element.scrollTop);
    if (wanted !== element.scrollTop) element.scrollTop = wanted;
    setScrollTop(element.scrollTop);
  }, [active, active < count, viewport]);

  useEffect(() => onWindow(from, to), [from, to, onWindow]);

  const indexes = Array.from({ length: to - from }, (_, at) => from + at);
  return (
    <div
      ref={box}
      id={id}
      class={`virtual-list ${props.class ?? ''}`}
      role="listbox"
      aria-label={label}
      aria-activedescendant={active >= from && active < to ? `${id}-${active}` : undefined}
      tabIndex={0}
      onScroll={(event) => setScrollTop(event.currentTarget.scrollTop)}
    >
      <div class="virtual-space" role="presentation" style={{ height: `${height}px` }}>
        <div class="virtual-rows" role="presentation" style={{ transform: `translateY(${offset}px)` }}>
          {indexes.map((index) => {
            const drawn = row(index);
            return (
              <div
                key={drawn.key}
                id={`${id}-${index}`}
                class={`virtual-row ${drawn.class ?? ''}`}
                role="option"
                aria-selected={index === active}
                aria-posinset={index + 1}
                aria-setsize={count}
                style={{ height: `${rowHeight}px` }}
                onClick={() => onChoose(index)}
              >
                {drawn.content}
              </div>
            );
          })}
        </div>
      </div>
      {props.footer}
    </div>
  );
}
