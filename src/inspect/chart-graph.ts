/**
 * A chart as a graph for the layout engine, and the places that come back. Owns what of a chart takes room and how the engine is
 * told to place it; the engine is elk, and runs elsewhere: see layout.ts.
 *
 * CG1  Sizes are those of chart-text.ts, so that what the page writes fits.
 * CG2  Every state is a box, those of a parallel state too; every arrow with a target is a line, and keeps its label.
 * CG3  Arrows that point back are given to the engine turned round, and turned again when they come back: so it finds no circle,
 *      and states come in the reading order of chart-order.ts.
 * CG4  Ids of the graph are numbers of states and arrows, whatever names a definition uses.
 */
import type { ElkExtendedEdge, ElkNode, LayoutOptions } from 'elkjs/lib/elk-api.js';
import type { ChartState, ChartTransition, MachineChart } from '../kernel/chart.ts';
import type { Box, ChartPlaces } from './api.ts';
import { backwards, indexOf, lineOf, type ChartIndex } from './chart-order.ts';
import { chartMeasures, headSize, labelSize } from './chart-text.ts';

/** How a chart is to be laid out. */
export interface Manner {
  readonly direction: 'DOWN' | 'RIGHT';
  /** With care lines are straighter and boxes nearer to each other; without, it is a matter of moments. */
  readonly care: 'careful' | 'plain';
}

/** What the engine is given. */
export type ChartGraph = ElkNode;

const graphOptions: LayoutOptions = {
  'elk.algorithm': 'layered',
  'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.json.shapeCoords': 'ROOT',
  'elk.json.edgeCoords': 'ROOT',
  'elk.padding': '[top=12,left=12,bottom=12,right=12]',
};

/** Of the inside of every box: what is near to what. */
const insideOptions: LayoutOptions = {
  'elk.spacing.nodeNode': '28',
  'elk.spacing.edgeNode': '18',
  'elk.spacing.edgeEdge': '12',
  'elk.spacing.edgeLabel': '4',
  'elk.spacing.labelLabel': '4',
  'elk.spacing.labelNode': '6',
  'elk.spacing.nodeSelfLoop': '14',
  'elk.layered.spacing.nodeNodeBetweenLayers': '30',
  'elk.layered.spacing.edgeNodeBetweenLayers': '14',
  'elk.layered.spacing.edgeEdgeBetweenLayers': '10',
};

/** A label covers its line: beside it, it would not be plain whose it is. */
const onTheLine: LayoutOptions = { 'elk.edgeLabels.inline': 'true' };

export function graphOf(chart: MachineChart, { direction, care }: Manner): ChartGraph {
  const index = indexOf(chart);
  const { states, numbers } = index;
  const pointsBack = backwards(index);
  const shared = {
    ...insideOptions,
    'elk.direction': direction,
    'elk.layered.nodePlacement.strategy': care === 'careful' ? 'NETWORK_SIMPLEX' : 'BRANDES_KOEPF',
  };
  const edges: ElkExtendedEdge[] = [];
  const nodeOf = (state: ChartState): ElkNode => {
    const node = `s${numbers.get(state.id)!}`;
    const start = targetOf(state.initial, state.id, index);
    if (start !== undefined) {
      edges.push({ id: `e${node}`, sources: [`i${node}`], targets: [`s${numbers.get(start)!}`] });
    }
    const children = state.states.map(nodeOf);
    const size =
      state.type === 'history' ? { width: chartMeasures.history, height: chartMeasures.history } : headSize(state);
    if (children.length === 0) return { id: node, ...size };
    return {
      id: node,
      layoutOptions: {
        ...shared,
        'elk.padding': `[top=${size.height + 14},left=16,bottom=16,right=16]`,
        'elk.nodeSize.constraints': 'MINIMUM_SIZE',
        // The engine turns a graph that goes down before it looks at this, and forgets to turn this too.
        'elk.nodeSize.minimum':
          direction === 'DOWN' ? `(${size.height},${size.width})` : `(${size.width},${size.height})`,
      },
      children: start === undefined ? children : [dotOf(`i${node}`), ...children],
    };
  };
  const root = nodeOf(chart.root);
  for (const state of states) {
    for (const [at, arrow] of state.transitions.entries()) {
      const target = targetOf(arrow.targets, state.id, index);
      if (target === undefined) continue;
      const ends = [`s${numbers.get(state.id)!}`, `s${numbers.get(target)!}`] as const;
      const [source, sink] = pointsBack(state.id, target) ? ends.toReversed() : ends;
      edges.push({
        id: arrowId(numbers, state, at),
        sources: [source!],
        targets: [sink!],
        labels: [
          { id: `l${arrowId(numbers, state, at)}`, text: arrow.label, ...labelSize(arrow), layoutOptions: onTheLine },
        ],
      });
    }
  }
  return { id: 'chart', layoutOptions: { ...graphOptions, ...shared }, children: [root], edges };
}

function dotOf(id: string): ElkNode {
  const { dot } = chartMeasures;
  return { id, width: dot, height: dot, layoutOptions: { 'elk.layered.layering.layerConstraint': 'FIRST' } };
}

function arrowId(numbers: ReadonlyMap<string, number>, state: ChartState, at: number): string {
  return `a${numbers.get(state.id)!}.${at}`;
}

/** From the graph as the engine has placed it. */
export function placesIn(graph: ElkNode, chart: MachineChart): ChartPlaces {
  const index = indexOf(chart);
  const { states, numbers } = index;
  const pointsBack = backwards(index);
  const boxes = new Map<string, Box>();
  const walk = (node: ElkNode): void => {
    const { x = 0, y = 0, width = 0, height = 0, children = [] } = node;
    boxes.set(node.id, { x: round(x), y: round(y), width: round(width), height: round(height) });
    children.forEach(walk);
  };
  walk(graph);
  const edges = new Map((graph.edges ?? []).map((edge) => [edge.id, edge]));
  const arrows = states.flatMap((state) =>
    state.transitions.flatMap((arrow, at) => {
      const edge = edges.get(arrowId(numbers, state, at));
      if (!edge) return [];
      const points = pointsOf(edge);
      const isTurned = pointsBack(state.id, targetOf(arrow.targets, state.id, index)!);
      return [[arrow.id, { points: isTurned ? points.reverse() : points, label: labelBox(edge) }] as const];
    }),
  );
  const initials = states.flatMap((state) => {
    const edge = edges.get(`es${numbers.get(state.id)!}`);
    if (!edge) return [];
    return [[state.id, { points: pointsOf(edge) }] as const];
  });
  return {
    width: round(graph.width ?? 0),
    height: round(graph.height ?? 0),
    states: Object.fromEntries(states.map(({ id }) => [id, boxes.get(`s${numbers.get(id)!}`)!])),
    arrows: Object.fromEntries(arrows),
    initials: Object.fromEntries(initials),
  };
}

function pointsOf({ sections = [] }: ElkExtendedEdge): (readonly [number, number])[] {
  return sections.flatMap(({ startPoint, bendPoints = [], endPoint }) =>
    [startPoint, ...bendPoints, endPoint].map(({ x, y }) => [round(x), round(y)] as const),
  );
}

function labelBox({ labels: [label] = [] }: ElkExtendedEdge): Box | null {
  if (!label) return null;
  const { x = 0, y = 0, width = 0, height = 0 } = label;
  return { x: round(x), y: round(y), width: round(width), height: round(height) };
}

function round(px: number): number {
  return Math.round(px * 10) / 10;
}

/** Where an arrow ends: of several targets, at the state that they are all in, unless the arrow comes out of that one. */
function targetOf(targets: ChartTransition['targets'], source: string, index: ChartIndex): string | undefined {
  const [first, ...others] = targets.filter((id) => index.parents.has(id));
  if (first === undefined || others.length === 0) return first;
  const around = lineOf(source, index);
  const common = lineOf(first, index).find((id) => others.every((other) => lineOf(other, index).includes(id)));
  return common === undefined || around.includes(common) ? first : common;
}
