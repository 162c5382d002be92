/** The few signs of the page, drawn as lines of the text's colour. */
const shapes = {
  play: 'M4 2.5 10.5 7 4 11.5Z',
  right: 'M2 7h9M7.5 3.5 11 7l-3.5 3.5',
  check: 'M2.5 7.5 5.5 10.5 11.5 3.5',
  cross: 'M3 3l8 8M11 3l-8 8',
  dots: 'M2.5 7h.01M7 7h.01M11.5 7h.01',
  clock: 'M7 1.8a5.2 5.2 0 1 0 0 10.4A5.2 5.2 0 0 0 7 1.8ZM7 4.2V7l2 1.4',
  again: 'M11.5 7A4.5 4.5 0 1 1 9.9 3.5M10.2 1.2v2.6H7.6',
  square: 'M3.5 3.5h7v7h-7Z',
  swap: 'M2 4.5h9M8.5 2 11 4.5 8.5 7M12 9.5H3M5.5 7 3 9.5 5.5 12',
  dot: 'M7 7h.01',
  warning: 'M7 1.8 12.6 12H1.4ZM7 5.5v3M7 10.3h.01',
  circle: 'M7 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8Z',
  link: 'M6 8.2 8.2 6M5.2 6.2 3.4 8a2.3 2.3 0 0 0 3.2 3.2l1.8-1.8M8.8 7.8 10.6 6a2.3 2.3 0 0 0-3.2-3.2L5.6 4.6',
  down: 'M7 2v7.5M3.8 6.5 7 9.7l3.2-3.2M2.5 12h9',
  sun: 'M7 4.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5ZM7 1v1M7 12v1M1 7h1M12 7h1M2.8 2.8l.7.7M10.5 10.5l.7.7M2.8 11.2l.7-.7M10.5 3.5l.7-.7',
  moon: 'M11.5 8.6A5 5 0 0 1 5.4 2.5a5 5 0 1 0 6.1 6.1Z',
  half: 'M7 2a5 5 0 1 0 0 10A5 5 0 0 0 7 2ZM7 2v10M8.5 2.5v9M10 3.2v7.6',
  first: 'M3 3v8M11 3 5.5 7 11 11Z',
  last: 'M11 3v8M3 3l5.5 4L3 11Z',
  back: 'M9.5 3 4.5 7l5 4Z',
  forth: 'M4.5 3l5 4-5 4Z',
} as const;

export type GlyphName = keyof typeof shapes;

export interface GlyphProps {
  readonly name: GlyphName;
  /** What it says to who cannot see it; without it, it is decoration. */
  readonly label?: string | undefined;
}

export function Glyph({ name, label }: GlyphProps) {
  const isPoint = name === 'dot' || name === 'dots';
  const spoken = label === undefined ? { 'aria-hidden': true } : { role: 'img' as const, 'aria-label': label };
  return (
    <svg
      class="glyph"
      viewBox="0 0 14 14"
      width="14"
      height="14"
      fill="none"
      stroke="currentColor"
      stroke-width={isPoint ? 2.6 : 1.4}
      stroke-linecap="round"
      stroke-linejoin="round"
      {...spoken}
    >
      {label === undefined ? null : <title>{label}</title>}
      <path d={shapes[name]} />
    </svg>
  );
}
