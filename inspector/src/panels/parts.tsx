/** Small parts that several panels share: tables, switches, and buttons that copy or show more. */
import type { ComponentChildren } from 'preact';
import { useLayoutEffect, useState } from 'preact/hooks';
import type { Size } from './chart-shapes.ts';

export interface TableProps {
  readonly class?: string;
  /** For who cannot see it. */
  readonly caption: string;
  readonly columns: readonly string[];
  /** Its rows. */
  readonly children: ComponentChildren;
}

export function Table({ class: kind = 'data-table', caption, columns, children }: TableProps) {
  return (
    <table class={kind}>
      <caption class="hidden-label">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}

export interface SwitchProps<T> {
  readonly label: string;
  readonly options: readonly (readonly [value: T, words: ComponentChildren])[];
  readonly chosen: T;
  readonly onChoose: (value: T) => void;
}

/** One of a few. */
export function Switch<T extends string | number | boolean>({ label, options, chosen, onChoose }: SwitchProps<T>) {
  return (
    <div class="switch" role="group" aria-label={label}>
      {options.map(([value, words]) => (
        <button
          key={value}
          type="button"
          class="button"
          aria-pressed={value === chosen}
          onClick={() => onChoose(value)}
        >
          {words}
        </button>
      ))}
    </div>
  );
}

/** A list that is cut, and the button that shows more of it. */
export function useCut<T>(all: readonly T[], first: number): readonly [shown: readonly T[], more: ComponentChildren] {
  const [limit, setLimit] = useState(first);
  const left = all.length - limit;
  const more =
    left > 0 ? (
      <button type="button" class="link" onClick={() => setLimit(limit * 5)}>
        Show more ({left.toLocaleString('en')} left)
      </button>
    ) : null;
  return [left > 0 ? all.slice(0, limit) : all, more];
}

export function CopyButton({ text, words }: { readonly text: string; readonly words: string }) {
  const [said, setSaid] = useState('');
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setSaid('Copied'),
      () => setSaid('The browser did not allow it: mark the text and copy it'),
    );
  return (
    <>
      <button type="button" class="link" onClick={() => void copy()}>
        {words}
      </button>
      <span class="muted" role="status">
        {said}
      </span>
    </>
  );
}

/** A word with a sign of what it means. */
export function Tag({ tone, children }: { readonly tone: string; readonly children: ComponentChildren }) {
  return <span class={`tag ${tone}`}>{children}</span>;
}

/** Of an element, without its scrollbars, in px. */
export function useSize(box: { readonly current: HTMLElement | null }): Size {
  const [size, setSize] = useState<Size>({ width: 640, height: 480 });
  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return size;
}

/** Does what a key stands for, and keeps it from the page. */
export function pressKey(event: KeyboardEvent, keys: { readonly [key: string]: () => void }): void {
  const does = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
  if (!does) return;
  event.preventDefault();
  event.stopPropagation();
  does();
}
