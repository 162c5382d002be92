/**
 * A stream: its header, its chart, its timeline and the panels, all at one frame. Owns which frame that is and the keys.
 *
 * SP1  The frame is the one that the permalink names; without a revision, the newest, also when the stream grows.
 */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { PanelProps } from '../panel-props.ts';
import { panels } from '../panels/index.ts';
import { failureFrom, type ApiFailure } from '../shell/api.ts';
import { FailureNotice } from '../shell/failure-notice.tsx';
import { Guarded } from '../shell/guarded.tsx';
import { LiveButton } from '../shell/live-button.tsx';
import { pageClock } from '../shell/page-clock.ts';
import type { PageContext } from '../shell/page-context.ts';
import { actorsRoute, formatRoute, streamRoute, type StreamRoute } from '../shell/route.ts';
import { Splitter } from '../shell/splitter.tsx';
import { useTail } from '../shell/use-tail.ts';
import { useValidFilter } from '../shell/valid-filter.ts';
import { DetailTabs } from './detail-tabs.tsx';
import { rowFilter } from './row-filter.ts';
import { createRowSearch } from './row-search.ts';
import { StepBar } from './step-bar.tsx';
import { createSteps, type StepKind } from './steps.ts';
import { StreamHeader } from './stream-header.tsx';
import { createStreamModel } from './stream-model.ts';
import { Timeline } from './timeline.tsx';
import { useStreamKeys } from './stream-keys.ts';

const everyRow = rowFilter('');
const chart = panels.find(({ id }) => id === 'chart');
const tabs = panels.filter((panel) => panel !== chart);

export interface StreamPageProps extends PageContext {
  readonly route: StreamRoute;
}

export function StreamPage({ api, navigation, log, route }: StreamPageProps) {
  const { stream } = route;
  const model = useMemo(() => createStreamModel(api, stream, pageClock), [api, stream]);
  const { rows, frames } = model;
  const info = model.info.value;
  const view = frames.view.value;
  const isLate = frames.isLate.value;
  const [isLive, setLive] = useState(true);
  const [stepFailure, setStepFailure] = useState<ApiFailure>();
  const filterField = useRef<HTMLInputElement>(null);
  const numberField = useRef<HTMLInputElement>(null);
  const canBeLive = log !== undefined && !log.isFile;

  useEffect(() => {
    model.reload();
    return () => model.close();
  }, [model]);

  const typed = useMemo(() => rowFilter(route.filter), [route.filter]);
  const { applied: filter, complaint } = useValidFilter(typed, everyRow);
  const isFiltered = filter.terms.length > 0;
  const first = info?.first;
  const search = useMemo(
    () => (isFiltered && first !== undefined ? createRowSearch(api, stream, filter.keeps, { first }) : undefined),
    [api, stream, isFiltered, filter, first],
  );
  useEffect(() => () => search?.close(), [search]);

  const current = route.revision ?? info?.last;
  useEffect(() => {
    setStepFailure(undefined);
    if (current !== undefined) frames.show(current);
  }, [frames, current]);

  const tail = useTail(api, stream, isLive && canBeLive && info !== undefined, {
    onRow(row) {
      model.add(row);
      search?.add(row);
    },
    onOpen() {
      model.reload();
      if (frames.failure.peek()) frames.again();
    },
  });

  /** The permalink may have moved on since this was drawn. */
  const change = (part: Partial<StreamRoute>) => {
    const now = navigation.route.peek();
    if (now.page === 'stream' && now.stream === stream) navigation.step({ ...now, ...part });
  };
  const show = (revision: number | undefined) => change({ revision });
  const steps = useMemo(
    () =>
      createSteps({
        rows,
        keeps: isFiltered ? filter.keeps : undefined,
        onRow({ revision }) {
          const now = navigation.route.peek();
          if (now.page === 'stream') navigation.step({ ...now, revision });
        },
        onFailure: (error) => setStepFailure(failureFrom(error)),
      }),
    [rows, filter, isFiltered, navigation],
  );
  useEffect(() => () => steps.close(), [steps]);
  const step = (kind: StepKind, direction: 1 | -1) => {
    const now = navigation.route.peek();
    const from = (now.page === 'stream' ? now.revision : undefined) ?? current;
    if (from !== undefined) steps.step(kind, direction, from);
  };
  const choosePanel = (panel: string) => navigation.go({ ...route, panel });
  const turnPanel = (by: number) => {
    const at = Math.max(
      0,
      tabs.findIndex(({ id }) => id === route.panel),
    );
    const next = tabs[(at + by + tabs.length) % tabs.length];
    if (next) choosePanel(next.id);
  };

  useStreamKeys({
    step,
    toFirst: () => show(info?.first),
    toLast: () => show(info?.last),
    typeNumber: () => numberField.current?.focus(),
    typeFilter: () => filterField.current?.focus(),
    toggleFollow: canBeLive ? () => show(route.revision === undefined ? current : undefined) : undefined,
    toggleLive: canBeLive ? () => setLive(!isLive) : undefined,
    copy: () => document.getElementById('copy-link')?.click(),
    turnPanel,
    up: () => navigation.go(actorsRoute),
  });

  const failure = model.failure.value;
  const frameFailure = frames.failure.value;
  const frame = view?.frame;
  const panelProps: PanelProps | undefined = log &&
    info && {
      api,
      log,
      stream: info,
      view: frameFailure ? undefined : view,
      isFailed: frameFailure !== undefined,
      actor: route.actor ?? '/',
      chooseActor: (actor) => navigation.go({ ...route, actor: actor === '/' ? undefined : actor }),
      goTo: (to, revision) =>
        navigation.go(to === stream ? { ...route, revision } : streamRoute(to, { revision, panel: route.panel })),
    };
  if (failure && !info) {
    return (
      <main class="stream-page">
        <FailureNotice failure={failure} what={`The stream ${stream} cannot be shown`} retry={model.reload} />
        <p class="notice">
          <a href={formatRoute(actorsRoute)}>To the actors of the log</a>
        </p>
      </main>
    );
  }
  const Chart = chart?.component;
  const hasChart = Chart !== undefined && info?.hasChart !== false;
  return (
    <main class="stream-page">
      <StreamHeader
        api={api}
        stream={stream}
        info={info}
        view={view}
        permalink={navigation.permalink}
        onRevision={show}
      />
      {failure ? <FailureNotice failure={failure} what="What is new cannot be asked for" retry={model.reload} /> : null}
      {info && current !== undefined ? (
        <div class="stream-tools">
          <StepBar
            first={info.first}
            last={info.last}
            current={current}
            isNewest={route.revision === undefined}
            canFollow={canBeLive}
            onStep={step}
            onRevision={show}
            number={numberField}
          />
          {canBeLive ? <LiveButton isOn={isLive} state={tail.state} onToggle={() => setLive(!isLive)} /> : null}
        </div>
      ) : (
        <div class="stream-tools" />
      )}
      {frameFailure || stepFailure ? (
        <FailureNotice
          failure={(frameFailure ?? stepFailure)!}
          what={
            frameFailure ? `The frame of revision ${current ?? ''} cannot be shown` : 'The next event cannot be found'
          }
          retry={frameFailure ? frames.again : () => setStepFailure(undefined)}
        />
      ) : null}
      <div class="stream-body">
        {info && current !== undefined ? (
          <Timeline
            info={info}
            rows={rows}
            filter={filter}
            filterText={route.filter}
            complaint={complaint}
            search={search}
            current={current}
            frame={frame && [frame.revision, frame.lastRevision]}
            field={filterField}
            onFilter={(text) => change({ filter: text })}
            onChoose={(revision) => navigation.go({ ...route, revision })}
          />
        ) : (
          <section class="timeline" aria-busy="true" />
        )}
        <Splitter
          name="timeline-share"
          label="Width of the timeline"
          before=".timeline"
          after=".stream-right"
          class="split-columns"
        />
        <div class={`stream-right ${hasChart ? '' : 'without-chart'}`}>
          {Chart && hasChart ? (
            <>
              <section class={`stream-chart ${isLate ? 'late' : ''}`} aria-label="Chart">
                {panelProps ? (
                  <Guarded what="The chart broke" of={view}>
                    <Chart {...panelProps} />
                  </Guarded>
                ) : null}
              </section>
              <Splitter
                name="chart-share"
                label="Size of the chart"
                before=".stream-chart"
                after=".detail"
                class="split-rows"
              />
            </>
          ) : null}
          {panelProps ? (
            <DetailTabs panels={tabs} chosen={route.panel} props={panelProps} isLate={isLate} onChoose={choosePanel} />
          ) : (
            <section class="detail" aria-busy="true" />
          )}
        </div>
      </div>
    </main>
  );
}
