/**
 * The shapes of a chart's arrows, and the view on a chart that is moved and zoomed. Owns the maths; places are the server's.
 *
 * CS1  What is under the pointer stays under it while zooming.
 * CS2  A chart is never shown larger than it is by fitting it.
 * CS3  A chart that could not be read as a whole is opened where it is active.
 */
import type { Box } from '../../../src/inspect/api.ts';

export type Point = readonly [x: number, y: number];

const bend = 6;

/** The path of an arrow with round corners, ending where its head begins. */
export function arrowPath(points: readonly Point[]): string {
  const [first, ...others] = points;
  if (!first) return '';
  let path = `M${text(first)}`;
  for (const [index, point] of others.entries()) {
    const next = others[index + 1];
    if (!next) {
      path += `L${text(point)}`;
      continue;
    }
    const before = points[index]!;
    const size = Math.min(bend, lengthOf(before, point) / 2, lengthOf(point, next) / 2);
    path += `L${text(towards(point, before, size))}Q${text(point)} ${text(towards(point, next, size))}`;
  }
  return path;
}

const head = { length: 7, half: 3.2 };

/** The head of an arrow, as a path: at its end, in the direction of its last piece. */
export function headPath(points: readonly Point[]): string {
  const end = points.at(-1);
  const before = points.findLast((point) => end !== undefined && lengthOf(point, end) > 0.5);
  if (!end || !before) return '';
  const [x, y] = towards(end, before, head.length);
  const [dx, dy] = [(end[1] - y) / head.length, (x - end[0]) / head.length];
  const side = (sign: number): Point => [x + sign * dx * head.half, y + sign * dy * head.half];
  return `M${text(end)}L${text(side(1))}L${text(side(-1))}Z`;
}

function lengthOf(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/** The point so far from one on the way to another. */
function towards(from: Point, to: Point, far: number): Point {
  const length = lengthOf(from, to) || 1;
  return [from[0] + ((to[0] - from[0]) * far) / length, from[1] + ((to[1] - from[1]) * far) / length];
}

function text([x, y]: Point): string {
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`;
}

/** Where the chart's origin is in the window, in px, and how large a px of the chart is. */
export interface ChartView {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

const margin = 16;
const scaleMin = 0.08;
const scaleMax = 3;

/** The whole chart in the middle of the window. */
export function fitted(chart: Size, window: Size): ChartView {
  const scale = Math.min(
    1,
    (window.width - 2 * margin) / Math.max(1, chart.width),
    (window.height - 2 * margin) / Math.max(1, chart.height),
  );
  const bounded = Math.max(scaleMin, scale);
  return {
    x: (window.width - chart.width * bounded) / 2,
    y: Math.max(margin, (window.height - chart.height * bounded) / 2),
    scale: bounded,
  };
}

const readableMin = 0.4;
const readable = 0.75;

/** Whether its text can be read when the whole chart is in the window. */
export function isReadable(chart: Size, window: Size): boolean {
  return fitted(chart, window).scale >= readableMin;
}

/** The middle of a box in the middle of the window, large enough to be read. */
export function centred({ x, y, width, height }: Box, window: Size): ChartView {
  const scale = readable;
  return { x: window.width / 2 - (x + width / 2) * scale, y: window.height / 2 - (y + height / 2) * scale, scale };
}

/** @param factor above 1 to see it larger */
export function zoomed(view: ChartView, factor: number, [px, py]: Point): ChartView {
  const scale = Math.min(scaleMax, Math.max(scaleMin, view.scale * factor));
  const by = scale / view.scale;
  return { x: px - (px - view.x) * by, y: py - (py - view.y) * by, scale };
}

/** The view moved as little as possible so that a box is in sight; the same one where it is. */
export function withInSight(view: ChartView, window: Size, box: Box): ChartView {
  const along = (origin: number, start: number, size: number, room: number) => {
    const from = origin + start * view.scale;
    const to = from + size * view.scale;
    if (to - from > room - 2 * margin || from < margin) return origin + margin - from;
    return to > room - margin ? origin + room - margin - to : origin;
  };
  const x = along(view.x, box.x, box.width, window.width);
  const y = along(view.y, box.y, box.height, window.height);
  return x === view.x && y === view.y ? view : { ...view, x, y };
}
