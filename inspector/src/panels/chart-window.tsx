/**
 * The window on a chart: fit, zoom, pan, and what is told of what is pointed at. Owns the view; what is drawn is in
 * chart-drawing.tsx.
 *
 * CW1  A chart is fitted until somebody moves it, or opened where it is active if it is too large for that; after that only an
 *      active state that is out of sight moves it.
 */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { ChartView, LaidOutChart } from '../../../src/inspect/api.ts';
import { pressKey, useSize } from './parts.tsx';
import { ChartDrawing, type Pointed } from './chart-drawing.tsx';
import { centred, fittest, fitted, isReadable, withInSight, zoomed, type Point, type Sight } from './chart-shapes.ts';
import { statesOf } from './chart-states.ts';
import { linesOf } from '../../../src/inspect/chart-text.ts';

export interface ChartWindowProps {
  readonly chart: ChartView;
  readonly lit: readonly string[];
  readonly taken: readonly string[];
  readonly revision: number;
}

const step = 1.25;
/** Of what lies on the bottom of the window, in px. */
const toolsHeight = 32;

export function ChartWindow({ chart, lit, taken, revision }: ChartWindowProps) {
  const box = useRef<HTMLDivElement>(null);
  const size = useSize(box);
  // Its identity stands for the layout: while that stays, nothing is drawn anew.
  const room = { ...size, height: size.height - toolsHeight };
  const fit = fittest(chart, room);
  const laid = useMemo(() => fit, [chart, fit.states]);
  const [moved, setMoved] = useState<Sight | 'whole' | undefined>();
  const [pointed, setPointed] = useState<Pointed | undefined>();
  const drag = useRef<{ readonly from: Point; readonly view: Sight } | undefined>(undefined);
  const [litKey, takenKey] = [lit.join('\n'), taken.join('\n')];
  const leaf = laid.states[happening(laid, lit, taken) ?? ''];
  const opensAt = useRef({ laid, leaf });
  if (opensAt.current.laid !== laid) opensAt.current = { laid, leaf };
  const start = opensAt.current.leaf;
  const whole = fitted(laid, room);
  const opened = start && !isReadable(laid, room) ? centred(start, size) : whole;
  const view = moved === 'whole' ? whole : (moved ?? opened);

  useEffect(() => setMoved(undefined), [laid]);
  const litBefore = useRef(litKey);
  useEffect(() => {
    if (litBefore.current === litKey) return;
    litBefore.current = litKey;
    const next = leaf && view !== whole ? withInSight(view, room, leaf) : view;
    if (next !== view) setMoved(next);
  }, [litKey]);

  const middle: Point = [size.width / 2, size.height / 2];
  const zoom = (factor: number, at: Point = middle) => setMoved(zoomed(view, factor, at));
  const pan = (x: number, y: number) => setMoved({ ...view, x: view.x + x, y: view.y + y });
  const onKey = (event: KeyboardEvent) =>
    pressKey(event, {
      '+': () => zoom(step),
      '=': () => zoom(step),
      '-': () => zoom(1 / step),
      '0': () => setMoved('whole'),
      ArrowLeft: () => pan(60, 0),
      ArrowRight: () => pan(-60, 0),
      ArrowUp: () => pan(0, 60),
      ArrowDown: () => pan(0, -60),
    });
  const onPoint = useCallback((what: Pointed | undefined) => setPointed(what), []);
  const drawing = useMemo(
    () => <ChartDrawing {...{ laid, revision, onPoint }} lit={new Set(lit)} taken={new Set(taken)} />,
    [laid, litKey, takenKey, revision, onPoint],
  );
  const at = (event: MouseEvent): Point => {
    const rect = box.current!.getBoundingClientRect();
    return [event.clientX - rect.left, event.clientY - rect.top];
  };
  const active = lit.map((id) => id.replace(`${laid.chart.root.id}.`, '')).filter((id) => id !== laid.chart.root.id);
  const spoken = `Statechart of ${laid.chart.id}. Active: ${active.join(', ') || 'none'}.`;
  return (
    <div
      ref={box}
      class={`chart-window ${drag.current ? 'is-dragged' : ''}`}
      onWheel={(event) => {
        event.preventDefault();
        zoom(Math.exp(-event.deltaY * (event.deltaMode === 0 ? 0.0015 : 0.05)), at(event));
      }}
      onPointerDown={(event) => {
        if (event.button !== 0 || (event.target as Element).closest('button')) return;
        box.current?.setPointerCapture(event.pointerId);
        drag.current = { from: [event.clientX, event.clientY], view };
      }}
      onPointerMove={(event) => {
        const { current } = drag;
        if (!current) return;
        const { from, view: start } = current;
        setMoved({ ...start, x: start.x + event.clientX - from[0], y: start.y + event.clientY - from[1] });
      }}
      onPointerUp={() => (drag.current = undefined)}
      onPointerCancel={() => (drag.current = undefined)}
    >
      <svg
        class="chart-svg"
        width={size.width}
        height={size.height}
        role="group"
        aria-label={`${spoken} Keys: plus, minus and 0 zoom, arrows move.`}
        data-own-keys
        // In SVG the names of attributes are as they are written.
        tabindex={0}
        onKeyDown={onKey}
      >
        <g transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>{drawing}</g>
      </svg>
      <div class="chart-tools" role="group" aria-label="Zoom">
        <button type="button" class="button" onClick={() => zoom(step)} title="Larger (+)" aria-label="Larger">
          +
        </button>
        <button type="button" class="button" onClick={() => zoom(1 / step)} title="Smaller (-)" aria-label="Smaller">
          −
        </button>
        <button type="button" class="button" onClick={() => setMoved('whole')} title="Whole chart (0)">
          Fit
        </button>
      </div>
      {pointed ? <PointedNote pointed={pointed} /> : null}
      <p class="hidden-label" aria-live="polite">
        {spoken}
      </p>
    </div>
  );
}

/** The active state that was entered last, or one that is innermost. */
function happening(laid: LaidOutChart, lit: readonly string[], taken: readonly string[]): string | undefined {
  const arrows = statesOf(laid.chart).flatMap(({ transitions }) => transitions);
  const targets = arrows.filter(({ id }) => taken.includes(id)).flatMap((arrow) => arrow.targets);
  const isEntered = (id: string) => targets.some((target) => id === target || id.startsWith(`${target}.`));
  return lit.findLast((id) => laid.states[id] && isEntered(id)) ?? lit.findLast((id) => laid.states[id]);
}

function PointedNote({ pointed }: { readonly pointed: Pointed }) {
  if ('arrow' in pointed) {
    const { label, guard, actions, description, targets } = pointed.arrow;
    return (
      <div class="chart-note" role="status">
        <p class="mono">
          <strong>{label}</strong>
          {guard === undefined ? '' : ` [${guard}]`}
          {actions.length > 0 ? ` / ${actions.join(', ')}` : ''}
        </p>
        {targets.length > 0 ? <p class="mono muted">to {targets.join(', ')}</p> : null}
        {description === undefined ? null : <p>{description}</p>}
      </div>
    );
  }
  const { id, description, meta } = pointed.state;
  return (
    <div class="chart-note" role="status">
      <p class="mono">
        <strong>{id}</strong> <span class="muted">{pointed.state.type}</span>
      </p>
      {description === undefined ? null : <p>{description}</p>}
      {linesOf(pointed.state)
        .filter(({ text, whole }) => text !== whole)
        .map(({ whole }) => (
          <p key={whole} class="mono">
            {whole}
          </p>
        ))}
      {meta === undefined ? null : <pre>{JSON.stringify(meta, null, 1)}</pre>}
    </div>
  );
}
