/**
 * The panel `trace`, and the page of its own: what one correlation id caused, over all streams, as a tree of causes.
 *
 * TP1  A chain of causes is not moved in: only where one event caused several a level is. It may be thousands long.
 */
import { useMemo } from 'preact/hooks';
import type { CorrelationTrace } from '../../../src/inspect/api.ts';
import { useLoaded } from '../shell/loaded.ts';
import { formatRoute, streamRoute } from '../shell/route.ts';
import { durationWords, exactWords } from '../shell/time-words.ts';
import type { Api, PanelProps } from '../panel-props.ts';
import { tracePath, type TraceNode } from './cause.ts';
import { Jump } from './jump.tsx';
import { Awaited, Empty } from './notes.tsx';
import { rowsOf, type TreeSource } from './tree-rows.ts';
import { useOpenTree } from './tree-state.ts';
import { VirtualTree } from './virtual-tree.tsx';

export function TracePanel({ api, stream, view, goTo }: PanelProps) {
  const correlationId = view?.frame.correlationId ?? stream.correlationId;
  return (
    <div class="panel-body">
      <Trace {...{ api, correlationId, goTo }} current={view?.frame.id} version={stream.last} hasLink />
    </div>
  );
}

export interface TraceProps {
  readonly api: Api;
  readonly correlationId: string;
  readonly goTo: PanelProps['goTo'];
  /** Id of the event that is shown elsewhere. */
  readonly current?: string | undefined;
  /** Asks again when it changes. */
  readonly version?: number;
  /** Whether there is a link to the page of its own. */
  readonly hasLink?: boolean;
}

/** What a correlation id caused: for the panel, and for `#/traces/<id>`. */
export function Trace({ api, correlationId, goTo, current, version = 0, hasLink = false }: TraceProps) {
  const loaded = useLoaded<CorrelationTrace>(api, tracePath(correlationId), version);
  return (
    <Awaited loaded={loaded} what="The trace cannot be shown">
      {(trace) => (
        <>
          <header class="trace-head">
            <p>
              <strong>{trace.events.toLocaleString('en')}</strong> {trace.events === 1 ? 'event' : 'events'} in{' '}
              <strong>{trace.streams.length}</strong> {trace.streams.length === 1 ? 'stream' : 'streams'}
              {hasLink ? (
                <>
                  {' '}
                  of correlation{' '}
                  <a class="mono" href={formatRoute({ page: 'trace', correlationId })}>
                    {correlationId}
                  </a>
                </>
              ) : null}
            </p>
            <ul class="trace-streams" aria-label="Streams">
              {trace.streams.slice(0, 40).map((stream, index) => (
                <li key={stream}>
                  <StreamDot index={index} />{' '}
                  <a href={formatRoute(streamRoute(stream))} class="mono">
                    {stream}
                  </a>
                </li>
              ))}
              {trace.streams.length > 40 ? <li class="muted">and {trace.streams.length - 40} more</li> : null}
            </ul>
          </header>
          {trace.roots.length === 0 ? (
            <Empty>No event of the log has this correlation id.</Empty>
          ) : (
            <TraceTree trace={trace} goTo={goTo} current={current} />
          )}
        </>
      )}
    </Awaited>
  );
}

const source: TreeSource<TraceNode> = {
  key: ({ id }) => id,
  count: ({ caused }) => caused.length,
  children: ({ caused }, limit) => (caused.length > limit ? caused.slice(0, limit) : caused),
};

interface TraceTreeProps {
  readonly trace: CorrelationTrace;
  readonly goTo: PanelProps['goTo'];
  readonly current: string | undefined;
}

function TraceTree({ trace, goTo, current }: TraceTreeProps) {
  const tree = useOpenTree();
  const streamAt = useMemo(() => new Map(trace.streams.map((stream, index) => [stream, index])), [trace]);
  const rows = useMemo(
    () => rowsOf(trace.roots, source, tree, { opensAtFirst: () => true, isChainFlat: true }),
    [trace, tree],
  );
  const begun = trace.roots[0]?.at ?? 0;
  return (
    <VirtualTree
      id="trace"
      label="What caused what"
      rows={rows}
      rowHeight={24}
      chosen={current}
      onToggle={tree.toggle}
      onMore={tree.more}
      onChoose={({ item }) => goTo(item.stream, item.revision)}
    >
      {({ item }) => (
        <>
          <StreamDot index={streamAt.get(item.stream) ?? 0} />
          <Jump stream={item.stream} revision={item.revision} goTo={goTo} class={item.isFact ? 'is-fact' : ''}>
            {item.type}
          </Jump>
          <span class="muted cut">
            {item.stream}@{item.revision}
            {item.actor === null || item.actor === '/' ? '' : ` ${item.actor}`}
            {item.isFact ? ' · fact' : ''}
            {item.origin === null ? '' : ' · fork'}
          </span>
          <time class="trace-time muted" title={exactWords(item.at)}>
            +{durationWords(item.at - begun)}
          </time>
        </>
      )}
    </VirtualTree>
  );
}

/** A stream has a colour and a number: the colour alone is not told by everybody. */
function StreamDot({ index }: { readonly index: number }) {
  return (
    <span class="stream-dot" style={{ '--hue': String((index * 137 + 210) % 360) }}>
      {index + 1}
    </span>
  );
}
