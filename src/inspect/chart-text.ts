/**
 * What is written on a chart, and how much room it takes. The server lays boxes out with it and the page fills them with it, so
 * that both mean the same text in the same size. Owns the words and the measures; holds nothing of layout or drawing.
 *
 * CX1  All text of a chart is in the page's monospaced font, so its width follows from its number of columns alone.
 * CX2  A line has at most `columnsMax` columns; what is longer is cut, and the page shows the whole when it is pointed at.
 */
import type { ChartState, ChartTransition } from '../kernel/chart.ts';

export const chartMeasures = {
  /** Px. */
  fontSize: 12,
  lineHeight: 16,
  /** Of a column. No font of the page's stack is wider than 0.602 em. */
  columnWidth: 12 * 0.605,
  /** Around the text in the box of a state, and between the title and the lines below it. */
  paddingX: 10,
  paddingY: 6,
  titleGap: 4,
  /** Around the text of a label. */
  labelPaddingX: 5,
  labelPaddingY: 1,
  columnsMax: 34,
  /** Diameter of the dot a compound state starts from, and of a history state. */
  dot: 8,
  history: 22,
} as const;

/** A line in the box of a state. */
export interface ChartLine {
  readonly kind: 'invoke' | 'entry' | 'exit' | 'tags' | 'event';
  readonly text: string;
  /** The whole text where `text` is cut. */
  readonly whole: string;
  /** Of an arrow without a target, its id. */
  readonly arrow?: string;
}

/** The title of a state's box. */
export function titleOf(state: ChartState): string {
  return cut(state.key);
}

/** What stands below the title: what runs while it is active, what is done on the way in and out, and what is handled in it. */
export function linesOf(state: ChartState): readonly ChartLine[] {
  const line = (kind: ChartLine['kind'], whole: string): ChartLine => ({ kind, text: cut(whole), whole });
  return [
    ...state.invoke.map(({ src }) => line('invoke', `invoke / ${src}`)),
    ...(state.entry.length > 0 ? [line('entry', `entry / ${state.entry.join(', ')}`)] : []),
    ...(state.exit.length > 0 ? [line('exit', `exit / ${state.exit.join(', ')}`)] : []),
    ...(state.tags.length > 0 ? [line('tags', state.tags.map((tag) => `#${tag}`).join(' '))] : []),
    ...state.transitions
      .filter(({ targets }) => targets.length === 0)
      .map((arrow) => ({ ...line('event', partsOf(arrow).join(' ')), arrow: arrow.id })),
  ];
}

/** The label of an arrow, line by line: `PAY [isRich]`, `/ charge, thank`. */
export function labelLinesOf(arrow: ChartTransition): readonly string[] {
  const lines: string[] = [];
  for (const part of partsOf(arrow)) {
    const joined = `${lines.at(-1) ?? ''} ${part}`;
    if (lines.length > 0 && columnsOf(joined) <= labelColumns) lines[lines.length - 1] = joined;
    else lines.push(cut(part));
  }
  return lines;
}

/** Up to here the parts of a label share a line. */
const labelColumns = 24;

function partsOf({ label, guard, actions }: ChartTransition): readonly string[] {
  return [
    label,
    ...(guard === undefined ? [] : [`[${guard}]`]),
    ...(actions.length === 0 ? [] : [`/ ${actions.join(', ')}`]),
  ];
}

/** Px that a text is wide. */
export function textWidth(text: string): number {
  return Math.ceil(columnsOf(text) * chartMeasures.columnWidth);
}

/** Px that the title of a state and its lines need, padding included. */
export function headSize(state: ChartState): { readonly width: number; readonly height: number } {
  const { lineHeight, paddingX, paddingY, titleGap } = chartMeasures;
  const lines = linesOf(state);
  const widest = Math.max(textWidth(titleOf(state)), ...lines.map(({ text }) => textWidth(text)));
  const below = lines.length === 0 ? 0 : titleGap + lines.length * lineHeight;
  return { width: widest + 2 * paddingX, height: lineHeight + below + 2 * paddingY };
}

/** Px that the label of an arrow needs, padding included. */
export function labelSize(arrow: ChartTransition): { readonly width: number; readonly height: number } {
  const { lineHeight, labelPaddingX, labelPaddingY } = chartMeasures;
  const lines = labelLinesOf(arrow);
  return {
    width: Math.max(0, ...lines.map(textWidth)) + 2 * labelPaddingX,
    height: lines.length * lineHeight + 2 * labelPaddingY,
  };
}

/** Signs of East Asian scripts and pictures take two columns, combining ones none. */
function columnsOf(text: string): number {
  let columns = 0;
  for (const sign of text) columns += columnsOfSign(sign);
  return columns;
}

function columnsOfSign(sign: string): number {
  if (/^\p{ASCII}$/u.test(sign)) return 1;
  if (/^(?:\p{Mark}|[\u200b-\u200f]|[\ufe00-\ufe0f])$/u.test(sign)) return 0;
  return /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303f\uff00-\uff60\p{Extended_Pictographic}]$/u.test(
    sign,
  )
    ? 2
    : 1;
}

function cut(text: string): string {
  if (columnsOf(text) <= chartMeasures.columnsMax) return text;
  let kept = '';
  let columns = 1;
  for (const sign of text) {
    columns += columnsOfSign(sign);
    if (columns > chartMeasures.columnsMax) break;
    kept += sign;
  }
  return `${kept}…`;
}
