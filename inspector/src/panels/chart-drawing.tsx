/**
 * A statechart as SVG: what the server laid out, with the text of chart-text.ts. Owns how states and arrows look.
 *
 * CD1  Text is where and as large as the server measured it, so it never runs out of its box.
 * CD2  What is active is told by a thick line, a filled title and a word for who cannot see it, not by colour alone.
 * CD3  A label hides the line that it is on with the colour of the state that it is in.
 * CD4  A step draws anew only what it changed: the drawing of a state or arrow is kept while it looks the same.
 */
import { useMemo } from 'preact/hooks';
import {
  chartMeasures,
  headSize,
  labelLinesOf,
  linesOf,
  titleOf,
  type ChartLine,
} from '../../../src/inspect/chart-text.ts';
import type { Box, LaidOutChart } from '../../../src/inspect/api.ts';
import { arrowPath, groundOf, headPath } from './chart-shapes.ts';
import { statesOf, type ChartState, type ChartTransition } from './chart-states.ts';

export interface ChartDrawingProps {
  readonly laid: LaidOutChart;
  readonly lit: ReadonlySet<string>;
  readonly taken: ReadonlySet<string>;
  /** Of the frame: an arrow that was taken again is animated again. */
  readonly revision: number;
  readonly onPoint: (what: Pointed | undefined) => void;
}

export type Pointed = { readonly state: ChartState } | { readonly arrow: ChartTransition };

export function ChartDrawing({ laid, lit, taken, revision, onPoint }: ChartDrawingProps) {
  const states = useMemo(() => statesOf(laid.chart), [laid]);
  const regions = useMemo(() => {
    const parallel = states.filter(({ type }) => type === 'parallel');
    return new Set(parallel.flatMap((state) => state.states.map(({ id }) => id)));
  }, [states]);
  const grounds = useMemo(
    () => new Map(Object.entries(laid.arrows).map(([id, { label }]) => [id, label && groundOf(label, laid.states)])),
    [laid],
  );
  const arrows = states.flatMap((state) => state.transitions).filter(({ id }) => laid.arrows[id]);
  // What was just taken is above the rest.
  const ordered = [...arrows.filter(({ id }) => !taken.has(id)), ...arrows.filter(({ id }) => taken.has(id))];
  return (
    <>
      {states.map((state) => {
        const box = laid.states[state.id];
        if (!box) return null;
        const isLit = lit.has(state.id);
        return (
          <StateShape
            key={state.id}
            {...{ state, box, isLit, onPoint }}
            isRegion={regions.has(state.id)}
            takenHere={state.transitions.find(({ id, targets }) => targets.length === 0 && taken.has(id))?.id}
          />
        );
      })}
      {Object.entries(laid.initials).map(([id, { points }]) => {
        const [start] = points;
        return start ? (
          <g key={id} class="initial" aria-hidden>
            <circle cx={start[0]} cy={start[1]} r={chartMeasures.dot / 2} />
            <path class="line" d={arrowPath(points)} />
            <path class="head" d={headPath(points)} />
          </g>
        ) : null;
      })}
      {ordered.map((arrow) => {
        const isTaken = taken.has(arrow.id);
        return (
          <ArrowShape
            key={isTaken ? `${arrow.id}@${revision}` : arrow.id}
            {...{ arrow, isTaken, onPoint }}
            place={laid.arrows[arrow.id]!}
            isOnLit={lit.has(grounds.get(arrow.id) ?? '')}
          />
        );
      })}
    </>
  );
}

interface StateShapeProps {
  readonly state: ChartState;
  readonly box: Box;
  readonly isLit: boolean;
  readonly isRegion: boolean;
  /** Id of an arrow without target that was just taken. */
  readonly takenHere: string | undefined;
  readonly onPoint: ChartDrawingProps['onPoint'];
}

function StateShape({ state, box, isLit, isRegion, takenHere, onPoint }: StateShapeProps) {
  return useMemo(
    () => (
      <g
        class={`state state-${state.type} ${isRegion ? 'is-region' : ''} ${isLit ? 'is-lit' : ''}`}
        data-state={state.id}
        {...pointing({ state }, onPoint, state.description !== undefined || state.meta !== undefined)}
      >
        {state.type === 'history' ? (
          <HistoryShape state={state} box={box} />
        ) : (
          <BoxShape {...{ state, box, takenHere }} />
        )}
      </g>
    ),
    [state, box, isLit, isRegion, takenHere, onPoint],
  );
}

function HistoryShape({ state, box }: { readonly state: ChartState; readonly box: Box }) {
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  return (
    <>
      <circle class="shape" cx={x} cy={y} r={Math.min(box.width, box.height) / 2 - 1} />
      <text class="title" x={x} y={y + 4} text-anchor="middle">
        {state.history === 'deep' ? 'H*' : 'H'}
      </text>
    </>
  );
}

interface BoxShapeProps {
  readonly state: ChartState;
  readonly box: Box;
  readonly takenHere: string | undefined;
}

function BoxShape({ state, box, takenHere }: BoxShapeProps) {
  const { lineHeight, paddingX, paddingY, titleGap } = chartMeasures;
  const { x, y, width, height } = box;
  const lines = linesOf(state);
  const hasChildren = state.states.length > 0;
  const titleHeight = paddingY * 2 + lineHeight - 2;
  const top = y + paddingY + lineHeight - 4;
  return (
    <>
      <rect class="shape" {...{ x, y, width, height }} rx={7} />
      {state.type === 'final' ? (
        <rect class="inner" x={x + 3} y={y + 3} width={width - 6} height={height - 6} rx={5} />
      ) : null}
      {hasChildren ? <path class="divider" d={`M${x} ${y + headSize(state).height}h${width}`} /> : null}
      {lines.length > 0 && !hasChildren ? <path class="divider" d={`M${x} ${y + titleHeight}h${width}`} /> : null}
      <text class="title" x={x + paddingX} y={top}>
        {titleOf(state)}
      </text>
      {lines.map((line, index) => (
        <text
          key={index}
          class={`line-text line-${line.kind} ${line.arrow !== undefined && line.arrow === takenHere ? 'is-taken' : ''}`}
          x={x + paddingX}
          y={top + titleGap + (index + 1) * lineHeight}
        >
          {lineParts(line)}
        </text>
      ))}
    </>
  );
}

/** The word before the stroke is quieter than what follows it. */
function lineParts({ kind, text }: ChartLine) {
  if (kind === 'event' || kind === 'tags') return text;
  const at = text.indexOf('/') + 1;
  return (
    <>
      <tspan class="word">{text.slice(0, at)}</tspan>
      {text.slice(at)}
    </>
  );
}

interface ArrowShapeProps {
  readonly arrow: ChartTransition;
  readonly place: LaidOutChart['arrows'][string];
  readonly isTaken: boolean;
  /** CD3. */
  readonly isOnLit: boolean;
  readonly onPoint: ChartDrawingProps['onPoint'];
}

function ArrowShape({ arrow, place, isTaken, isOnLit, onPoint }: ArrowShapeProps) {
  return useMemo(() => {
    const { points, label } = place;
    const { lineHeight, labelPaddingX, labelPaddingY } = chartMeasures;
    return (
      <g
        class={`arrow arrow-${arrow.kind} ${isTaken ? 'is-taken' : ''} ${isOnLit ? 'is-on-lit' : ''}`}
        data-arrow={arrow.id}
        {...pointing({ arrow }, onPoint, arrow.description !== undefined)}
      >
        <path class="reach" d={arrowPath(points)} />
        <path class="line" d={arrowPath(points)} pathLength={isTaken ? 1 : undefined} />
        <path class="head" d={headPath(points)} />
        {label ? (
          <>
            <rect class="label-ground" x={label.x} y={label.y} width={label.width} height={label.height} rx={3} />
            <text class="label" x={label.x + labelPaddingX} y={label.y + labelPaddingY + lineHeight - 4}>
              {labelLinesOf(arrow).map((line, index) => (
                <tspan key={index} x={label.x + labelPaddingX} dy={index === 0 ? 0 : lineHeight}>
                  {line}
                </tspan>
              ))}
            </text>
          </>
        ) : null}
      </g>
    );
  }, [arrow, place, isTaken, isOnLit, onPoint]);
}

/** What is told of more than is drawn can be reached by keyboard too. */
function pointing(what: Pointed, onPoint: ChartDrawingProps['onPoint'], hasMore: boolean) {
  return {
    onPointerEnter: () => onPoint(what),
    onPointerLeave: () => onPoint(undefined),
    ...(hasMore && {
      tabindex: 0,
      role: 'img' as const,
      'aria-label': 'state' in what ? what.state.key : what.arrow.label,
      onFocus: () => onPoint(what),
      onBlur: () => onPoint(undefined),
    }),
  };
}
