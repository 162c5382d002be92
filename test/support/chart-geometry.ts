/**
 * What is wrong with a chart that was laid out, by its places alone. Owns the rules of a drawing that can be read:
 *
 * GE1  A box has room for its text, children are inside their parent below its text, and siblings do not overlap.
 * GE2  Every arrow with a target is there, of level and upright pieces, from its state to its target, and through no box of a third.
 * GE3  Every label has room for its text, is on its arrow, inside the drawing, and covers no other label, no box and no text of one.
 */
import type { Box, LaidOutChart } from '../../src/inspect/api.ts';
import { headSize, labelSize } from '../../src/inspect/chart-text.ts';
import type { ChartState } from '../../src/kernel/chart.ts';

type Point = readonly [x: number, y: number];

/** Places are rounded to a tenth of a px. */
const slack = 0.5;

export function faultsOf(laid: LaidOutChart): string[] {
  const states = statesOf(laid.chart.root);
  return [
    ...states.flatMap((state) => boxFaults(laid, state)),
    ...arrowFaults(laid, states),
    ...labelFaults(laid, states),
  ];
}

export function statesOf(state: ChartState): ChartState[] {
  return [state, ...state.states.flatMap(statesOf)];
}

/** GE1. */
function boxFaults({ states, width, height }: LaidOutChart, state: ChartState): string[] {
  const box = states[state.id];
  if (!box) return [`${state.id} has no box`];
  const head = headOf(state, box);
  const children = state.states.map(({ id }) => ({ id, box: states[id]! }));
  return [
    ...(isInside(box, { x: 0, y: 0, width, height }) ? [] : [`${state.id} is outside`]),
    ...(box.width + slack < head.width || box.height + slack < head.height ? [`${state.id} is too small`] : []),
    ...children.filter((child) => !isInside(child.box, box)).map(({ id }) => `${id} is not in ${state.id}`),
    ...children.filter((child) => overlap(child.box, head)).map(({ id }) => `${id} is on the text of ${state.id}`),
    ...pairsOf(children)
      .filter(([a, b]) => overlap(a.box, b.box))
      .map(([a, b]) => `${a.id} is on ${b.id}`),
  ];
}

/** The part of a box that text is in; it needs that much. */
function headOf(state: ChartState, { x, y, width }: Box): Box {
  if (state.type === 'history') return { x, y, width: 0, height: 0 };
  const head = headSize(state);
  return { x, y, width: state.states.length > 0 ? Math.max(head.width, width) : head.width, height: head.height };
}

/** GE2. */
function arrowFaults({ states: boxes, arrows }: LaidOutChart, states: readonly ChartState[]): string[] {
  return states.flatMap((state) =>
    state.transitions
      .filter(({ targets }) => targets.length > 0)
      .flatMap(({ id, targets }) => {
        const points = arrows[id]?.points ?? [];
        if (points.length < 2) return [`${id} is missing`];
        const pieces = piecesOf(points);
        const others = states.filter(
          (each) => each.states.length === 0 && each.id !== state.id && !targets.includes(each.id),
        );
        const ends = states.filter((each) => isEndOf(targets, each));
        return [
          ...(pieces.some(({ width, height }) => Math.min(width, height) > slack) ? [`${id} is slanting`] : []),
          ...(isOnEdge(points[0]!, boxes[state.id]!) ? [] : [`${id} does not begin at ${state.id}`]),
          ...(ends.some((end) => isOnEdge(points.at(-1)!, boxes[end.id]!)) ? [] : [`${id} ends elsewhere`]),
          ...others
            .filter((other) => pieces.some((piece) => crosses(piece, boxes[other.id]!)))
            .map((other) => `${id} runs through ${other.id}`),
        ];
      }),
  );
}

/** One of the targets; of several also a state that they are all in. */
function isEndOf(targets: readonly string[], state: ChartState): boolean {
  const inside = statesOf(state).map(({ id }) => id);
  return targets.includes(state.id) || (targets.length > 1 && targets.every((target) => inside.includes(target)));
}

/** GE3. */
function labelFaults({ states: boxes, arrows, width, height }: LaidOutChart, states: readonly ChartState[]): string[] {
  const labels = states.flatMap(({ transitions }) =>
    transitions.flatMap((arrow) => {
      const { label, points } = arrows[arrow.id] ?? { label: null, points: [] };
      return label ? [{ id: arrow.id, label, points, room: labelSize(arrow) }] : [];
    }),
  );
  return [
    ...pairsOf(labels)
      .filter(([a, b]) => overlap(a.label, b.label))
      .map(([a, b]) => `the label of ${a.id} is on that of ${b.id}`),
    ...labels.flatMap(({ id, label, points, room }) => [
      ...(label.width < room.width || label.height < room.height ? [`the label of ${id} is too small`] : []),
      ...(isInside(label, { x: 0, y: 0, width, height }) ? [] : [`the label of ${id} is outside`]),
      ...(piecesOf(points).some((piece) => overlap(around(piece, 10), label))
        ? []
        : [`the label of ${id} is elsewhere`]),
      ...states.flatMap((state) => {
        const box = boxes[state.id]!;
        if (state.states.length === 0) return overlap(label, box) ? [`the label of ${id} is on ${state.id}`] : [];
        if (overlap(label, headOf(state, box))) return [`the label of ${id} is on the text of ${state.id}`];
        return overlap(label, box) && !isInside(label, box) ? [`the label of ${id} is on the edge of ${state.id}`] : [];
      }),
    ]),
  ];
}

function piecesOf(points: readonly Point[]): Box[] {
  return points.slice(1).map(([x, y], at) => {
    const [fromX, fromY] = points[at]!;
    return { x: Math.min(x, fromX), y: Math.min(y, fromY), width: Math.abs(x - fromX), height: Math.abs(y - fromY) };
  });
}

function around({ x, y, width, height }: Box, by: number): Box {
  return { x: x - by, y: y - by, width: width + 2 * by, height: height + 2 * by };
}

function overlap(a: Box, b: Box): boolean {
  return (
    a.x + slack < b.x + b.width &&
    b.x + slack < a.x + a.width &&
    a.y + slack < b.y + b.height &&
    b.y + slack < a.y + a.height
  );
}

/** A line has no width. */
function crosses(piece: Box, box: Box): boolean {
  return overlap(around(piece, slack), around(box, -1));
}

function isInside(a: Box, b: Box): boolean {
  return (
    a.x >= b.x - slack &&
    a.y >= b.y - slack &&
    a.x + a.width <= b.x + b.width + slack &&
    a.y + a.height <= b.y + b.height + slack
  );
}

export function isOnEdge([x, y]: Point, box: Box): boolean {
  const point = { x, y, width: 0, height: 0 };
  return isInside(point, around(box, 1)) && !isInside(point, around(box, -2));
}

function pairsOf<Item>(items: readonly Item[]): (readonly [Item, Item])[] {
  return items.flatMap((one, at) => items.slice(at + 1).map((other) => [one, other] as const));
}
