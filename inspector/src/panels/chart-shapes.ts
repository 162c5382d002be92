/**
 * The shapes of a chart's arrows, and the view on a chart that is moved and zoomed. Owns the maths; places are the server's.
 *
 * CS1  What is under the pointer stays under it while zooming.
 * CS2  A chart is never shown larger than it is by fitting it.
 * CS3  Of its layouts a chart has the one that is larger in the window.
 * CS4  A chart that could not be read as a whole is opened where it is active.
 */
import type { Box, ChartView, LaidOutChart } from '../../../src/inspect/api.ts';

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
export interface Sight {
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

/** CS3. */
export function fittest(chart: ChartView, window: Size): LaidOutChart {
  const [first, ...others] = chart.layouts;
  const best = others.reduce(
    (one, other) => (fitted(other, window).scale > fitted(one, window).scale ? other : one),
    first,
  );
  return { chart: chart.chart, ...best };
}

/** The whole chart in the middle of the window. */
export function fitted(chart: Size, window: Size): Sight {
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

const readableMin = 0.55;
const readable = 0.85;

/** Whether its text can be read when the whole chart is in the window. */
export function isReadable(chart: Size, window: Size): boolean {
  return fitted(chart, window).scale >= readableMin;
}

/** The middle of a box in the middle of the window, large enough to be read. */
export function centred({ x, y, width, height }: Box, window: Size): Sight {
  const scale = readable;
  return { x: window.width / 2 - (x + width / 2) * scale, y: window.height / 2 - (y + height / 2) * scale, scale };
}

/** @param factor above 1 to see it larger */
export function zoomed(view: Sight, factor: number, [px, py]: Point): Sight {
  const scale = Math.min(scaleMax, Math.max(scaleMin, view.scale * factor));
  const by = scale / view.scale;
  return { x: px - (px - view.x) * by, y: py - (py - view.y) * by, scale };
}

/** The view moved as little as possible so that a box is in sight; the same one where it is. */
export function withInSight(view: Sight, window: Size, box: Box): Sight {
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

/** The name of the innermost of several boxes that a box is in. */
export function groundOf({ x, y, width, height }: Box, boxes: Readonly<Record<string, Box>>): string | undefined {
  let ground: readonly [string, Box] | undefined;
  for (const [name, box] of Object.entries(boxes)) {
    const isIn = x >= box.x && y >= box.y && x + width <= box.x + box.width && y + height <= box.y + box.height;
    if (isIn && (!ground || box.width * box.height < ground[1].width * ground[1].height)) ground = [name, box];
  }
  return ground?.[0];
}
