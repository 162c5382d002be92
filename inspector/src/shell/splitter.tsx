/**
 * A bar between two parts that can be moved. Owns the share, in percent; it is kept in this browser.
 *
 * SL1  A share that nobody chose is the stylesheet's.
 */
import { useEffect, useRef, useState } from 'preact/hooks';

export interface SplitterProps {
  /** Of the custom property that is set on the parent, and of the place where it is kept. */
  readonly name: string;
  readonly label: string;
  /** What the share is of: from the start of the part before the bar to the end of the part behind it. */
  readonly before: string;
  readonly after: string;
  readonly class: string;
}

const shareMin = 15;
const shareMax = 80;

export function Splitter({ name, label, before, after, class: place }: SplitterProps) {
  const bar = useRef<HTMLDivElement>(null);
  const [share, setShare] = useState(() => rememberedShare(name));
  useEffect(() => {
    const style = bar.current?.parentElement?.style;
    if (share === undefined) return;
    style?.setProperty(`--${name}`, `${share}fr`);
    style?.setProperty(`--${name}-rest`, `${100 - share}fr`);
  }, [name, share]);
  const choose = (next: number) => {
    const rounded = Math.round(Math.min(shareMax, Math.max(shareMin, next)) * 10) / 10;
    setShare(rounded);
    try {
      localStorage.setItem(`rewake.${name}`, String(rounded));
    } catch {
      // A browser that keeps nothing: the share lives as long as the page.
    }
  };
  /** Where the bar stands, or where the pointer would put it. */
  const measured = (pointer?: { readonly clientX: number; readonly clientY: number }): number => {
    const parent = bar.current?.parentElement;
    const one = parent?.querySelector(before)?.getBoundingClientRect();
    const two = parent?.querySelector(after)?.getBoundingClientRect();
    if (!one || !two) return share ?? 50;
    const isBeside = two.left >= one.right;
    const end = isBeside ? (pointer?.clientX ?? one.right) - one.left : (pointer?.clientY ?? one.bottom) - one.top;
    return (end / (isBeside ? two.right - one.left : two.bottom - one.top)) * 100;
  };
  return (
    <div
      ref={bar}
      class={`splitter ${place}`}
      role="separator"
      aria-label={label}
      aria-valuemin={shareMin}
      aria-valuemax={shareMax}
      aria-valuenow={share === undefined ? undefined : Math.round(share)}
      tabIndex={0}
      data-own-keys
      onPointerDown={(event) => {
        event.preventDefault();
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) choose(measured(event));
      }}
      onKeyDown={({ key }) => {
        const by = steps[key];
        if (by !== undefined) choose(measured() + by);
      }}
    />
  );
}

const steps: { readonly [key: string]: number } = { ArrowLeft: -2, ArrowUp: -2, ArrowRight: 2, ArrowDown: 2 };

function rememberedShare(name: string): number | undefined {
  try {
    const share = Number(localStorage.getItem(`rewake.${name}`));
    return share >= shareMin && share <= shareMax ? share : undefined;
  } catch {
    return undefined;
  }
}
