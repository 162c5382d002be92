/**
 * The panel `effects`: every run of every effect as a bar over time, and what was said of retries and breakers. Owns the drawing;
 * lanes and axis are in effect-lanes.ts and gap-axis.ts.
 *
 * EP1  Everything that is drawn is a link to the frame that began it, and stands in the table as well.
 * EP2  How a run ended is told by a sign and a word, not by colour alone.
 */
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { EffectBar, EffectsView } from '../../../src/inspect/api.ts';
import { useLoaded } from '../shell/loaded.ts';
import { formatRoute, streamRoute } from '../shell/route.ts';
import { durationWords, exactWords } from '../shell/time-words.ts';
import type { PanelProps } from '../panel-props.ts';
import { effectLanes, type EffectLane } from './effect-lanes.ts';
import { gapAxis, type GapAxis } from './gap-axis.ts';
import { Jump } from './jump.tsx';
import { Awaited, Empty } from './notes.tsx';
import { Switch, Table, useCut, useSize } from './parts.tsx';
import { streamPath } from './stream-path.ts';

type Look = readonly [sign: string, tone: string, words: string];

const looks: { readonly [outcome in EffectBar['outcome']]: Look } = {
  succeeded: ['✓', 'ok', 'succeeded'],
  failed: ['✕', 'bad', 'failed'],
  stopped: ['■', 'muted', 'stopped before it ended'],
  lost: ['⚠', 'warn', 'lost with its host, then run again'],
  running: ['…', 'info', 'still running'],
};

export function EffectsPanel(props: PanelProps) {
  const { api, stream } = props;
  const path = streamPath(stream.stream, '/effects');
  const loaded = useLoaded<EffectsView>(api, path, stream.last);
  return (
    <div class="panel-body p-effects">
      <Awaited loaded={loaded} what="The effects cannot be shown">
        {(effects) =>
          effects.bars.length === 0 && effects.marks.length === 0 ? (
            <Empty>This actor has begun no effect.</Empty>
          ) : (
            <Effects {...props} effects={effects} />
          )
        }
      </Awaited>
    </div>
  );
}

function Effects(props: PanelProps & { readonly effects: EffectsView }) {
  const [isTable, setIsTable] = useState(false);
  return (
    <>
      <div class="panel-bar">
        <Switch
          label="Shown as"
          options={[
            [false, 'Bars'],
            [true, 'Table'],
          ]}
          chosen={isTable}
          onChoose={setIsTable}
        />
        {isTable ? null : <Legend bars={props.effects.bars} />}
      </div>
      {props.effects.left > 0 ? (
        <p class="muted">The newest ones; {props.effects.left.toLocaleString('en')} before them are left out.</p>
      ) : null}
      {isTable ? <EffectsTable {...props} /> : <EffectsChart {...props} />}
    </>
  );
}

function Legend({ bars }: { readonly bars: readonly EffectBar[] }) {
  const used = [...new Set(bars.map(({ outcome }) => outcome))];
  return (
    <p class="legend muted">
      {used.map((outcome) => (
        <span key={outcome}>
          <span class={`legend-sign bar-${outcome} ${looks[outcome][1]}`} aria-hidden>
            {looks[outcome][0]}
          </span>{' '}
          {outcome}
        </span>
      ))}
    </p>
  );
}

const rowHeight = 22;
const markRow = 20;
const tickEvery = 120;
/** A bar is never narrower than it can be hit. */
const barMin = 5;

function EffectsChart({ effects, stream, view, goTo }: PanelProps & { readonly effects: EffectsView }) {
  const box = useRef<HTMLDivElement>(null);
  const room = useSize(box).width;
  const { bars, marks } = effects;
  const lanes = useMemo(() => effectLanes(bars), [bars]);
  const now = view?.frame.at;
  const axis = useMemo(() => {
    const moments = [
      stream.startedAt,
      ...bars.flatMap(({ startedAt, endedAt }) => (endedAt === null ? [startedAt] : [startedAt, endedAt])),
      ...marks.map(({ at }) => at),
    ];
    const open = bars.some(({ endedAt }) => endedAt === null) ? 40 : 0;
    const width = Math.max(room - open - 24, new Set(moments).size * 7);
    return { open, axis: gapAxis(moments, width) };
  }, [bars, marks, room, stream.startedAt]);
  const width = axis.axis.width + axis.open + 24;
  const x = (at: number) => 8 + axis.axis.x(at);
  const cursor = now === undefined ? undefined : x(now);
  useLayoutEffect(() => {
    const element = box.current;
    if (!element || cursor === undefined) return;
    const { scrollLeft, clientWidth } = element;
    if (cursor < scrollLeft + 20 || cursor > scrollLeft + clientWidth - 20) {
      element.scrollLeft = cursor - clientWidth / 2;
    }
  }, [cursor]);
  const place = (revision: number) => formatRoute(streamRoute(stream.stream, { revision }));
  const jump = (revision: number) => (event: MouseEvent) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    goTo(stream.stream, revision);
  };
  return (
    <div class="effects-chart">
      <ul class="effects-names" aria-label="Effects">
        <li class="effects-axis-name muted" style={{ height: `${30 + markRow}px` }}>
          {marks.length > 0 ? 'retries, breakers' : ''}
        </li>
        {lanes.map((lane) => (
          <li key={lane.key} style={{ height: `${lane.rows.length * rowHeight + 8}px` }}>
            <strong class="cut" title={lane.src}>
              {lane.src}
            </strong>
            <code class="muted cut" title={lane.place}>
              {lane.place}
            </code>
          </li>
        ))}
      </ul>
      <div ref={box} class="effects-scroll" tabIndex={0} role="group" aria-label="Effects over time" data-own-keys>
        <div class="effects-canvas" style={{ width: `${width}px` }}>
          <Axis axis={axis.axis} x={x} />
          <div class="effects-marks" style={{ height: `${markRow}px` }}>
            {marks.map(({ revision, at, type, actor }) => (
              <a
                key={revision}
                class={`effect-mark ${/Fail|Open|Escalat|Exhaust|GaveUp|Reject/.test(type) ? 'bad' : 'info'}`}
                href={place(revision)}
                style={{ left: `${x(at)}px` }}
                title={`${type} · ${actor} · revision ${revision} · ${exactWords(at)}`}
                aria-label={`${type}, revision ${revision}`}
                onClick={jump(revision)}
              >
                ◆
              </a>
            ))}
          </div>
          {lanes.map((lane) => (
            <Lane key={lane.key} {...{ lane, x, place, jump }} end={x(axis.axis.to) + axis.open} />
          ))}
          {axis.axis.breaks.map(({ from, to, x: left, width: size }) => (
            <span
              key={from}
              class="axis-break"
              style={{ left: `${8 + left + size / 2}px` }}
              title={`${durationWords(to - from)} in which nothing happened`}
            />
          ))}
          {cursor === undefined ? null : (
            <span class="effects-cursor" style={{ left: `${cursor}px` }} title="This frame" />
          )}
        </div>
      </div>
    </div>
  );
}

interface LaneProps {
  readonly lane: EffectLane;
  readonly x: (at: number) => number;
  /** Where bars without an end stop being drawn. */
  readonly end: number;
  readonly place: (revision: number) => string;
  readonly jump: (revision: number) => (event: MouseEvent) => void;
}

function Lane({ lane, x, end, place, jump }: LaneProps) {
  return (
    <div class="effects-lane" style={{ height: `${lane.rows.length * rowHeight + 8}px` }}>
      {lane.rows.flatMap((row, index) =>
        row.map((bar) => {
          const left = x(bar.startedAt);
          const width = Math.max(barMin, (bar.endedAt === null ? end : x(bar.endedAt)) - left);
          const [sign, tone] = looks[bar.outcome];
          return (
            <a
              key={`${bar.actor} ${bar.startedRevision} ${bar.startedAt}`}
              class={`bar bar-${bar.outcome} ${tone}`}
              href={place(bar.startedRevision)}
              style={{ left: `${left}px`, width: `${width}px`, top: `${4 + index * rowHeight}px` }}
              title={barWords(bar)}
              aria-label={barWords(bar)}
              onClick={jump(bar.startedRevision)}
            >
              {width >= 16 ? <span aria-hidden>{sign}</span> : null}
              {width >= 34 && bar.attempt > 1 ? <span aria-hidden>{bar.attempt}</span> : null}
            </a>
          );
        }),
      )}
    </div>
  );
}

function barWords(bar: EffectBar): string {
  const took = bar.endedAt === null ? '' : ` after ${durationWords(bar.endedAt - bar.startedAt)}`;
  const attempt = bar.attempt > 1 ? `, attempt ${bar.attempt}` : '';
  const error = bar.error === null ? '' : `: ${bar.error}`;
  return `${bar.src}${attempt}, ${looks[bar.outcome][2]}${took}${error} · revision ${bar.startedRevision}`;
}

function Axis({ axis, x }: { readonly axis: GapAxis; readonly x: (at: number) => number }) {
  const count = Math.max(1, Math.floor(axis.width / tickEvery));
  const ticks = Array.from({ length: count }, (_, index) => axis.at((index * axis.width) / count));
  return (
    <div class="effects-axis" aria-hidden>
      {ticks.map((at, index) => (
        <span key={index} class="tick" style={{ left: `${x(at)}px` }} title={exactWords(at)}>
          {index === 0 ? exactWords(at).slice(11, 19) : `+${durationWords(at - axis.from)}`}
        </span>
      ))}
    </div>
  );
}

function EffectsTable({ effects, stream, view, goTo }: PanelProps & { readonly effects: EffectsView }) {
  const rows = useMemo(() => effects.bars.toSorted((a, b) => a.startedRevision - b.startedRevision), [effects]);
  const [shown, more] = useCut(rows, 200);
  return (
    <>
      <Table caption="Every run of every effect" columns={['Effect', 'Attempt', 'Began', 'Took', 'Outcome']}>
        {shown.map((bar) => {
          const [sign, tone] = looks[bar.outcome];
          const jump = { stream: stream.stream, goTo };
          return (
            <tr key={`${bar.actor} ${bar.startedRevision} ${bar.startedAt}`}>
              <th scope="row">
                {bar.src} <code class="muted">{bar.actor}</code>
              </th>
              <td>{bar.attempt}</td>
              <td>
                <Jump {...jump} revision={bar.startedRevision} isCurrent={view?.frame.revision === bar.startedRevision}>
                  <span class="revision">{bar.startedRevision}</span> {exactWords(bar.startedAt)}
                </Jump>
              </td>
              <td>{bar.endedAt === null ? '–' : durationWords(bar.endedAt - bar.startedAt)}</td>
              <td class={tone}>
                <span aria-hidden>{sign} </span>
                {bar.endedRevision === null ? (
                  bar.outcome
                ) : (
                  <Jump {...jump} class={tone} revision={bar.endedRevision}>
                    {bar.outcome}
                  </Jump>
                )}
                {bar.error === null ? null : <p>{bar.error}</p>}
              </td>
            </tr>
          );
        })}
      </Table>
      {more}
    </>
  );
}
