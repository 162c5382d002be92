/**
 * The panel `chart`: the statechart of the actor that is looked at, with what is active in the frame.
 *
 * CP1  A chart is asked for once per actor, and again only where it does not know a state that is active: a rebase may have
 *      brought another version.
 */
import { useEffect, useState } from 'preact/hooks';
import type { ChartView, Frame, FrameView } from '../../../src/inspect/api.ts';
import { useLoaded } from '../shell/loaded.ts';
import { durationWords, exactWords } from '../shell/time-words.ts';
import type { Api, PanelProps } from '../panel-props.ts';
import { ActorStrip, standing } from './actor-strip.tsx';
import { Inline } from './changes-table.tsx';
import { ChartWindow } from './chart-window.tsx';
import { Jump } from './jump.tsx';
import { Awaited, Empty, NoFrame } from './notes.tsx';
import { streamPath } from './stream-path.ts';

export function ChartPanel(props: PanelProps) {
  const { api, stream, view, actor: address, chooseActor } = props;
  const frame = view?.frame;
  const actor = frame?.actors.find((one) => one.address === address);
  const isMachine = actor ? actor.kind === 'machine' : address === '/';
  return (
    <div class="p-chart">
      {frame && frame.actors.length > 1 ? (
        <ActorStrip actors={frame.actors} chosen={address} onChoose={chooseActor} />
      ) : null}
      {!view || !frame ? (
        <NoFrame isFailed={props.isFailed} />
      ) : !actor ? (
        <Empty>
          There is no actor <code>{address}</code> at revision {frame.revision}.{' '}
          <button type="button" class="link" onClick={() => chooseActor('/')}>
            Show the root
          </button>
        </Empty>
      ) : !isMachine ? (
        <NoMachine frame={frame} actor={actor} goTo={props.goTo} />
      ) : (
        <Machine key={`${stream.stream} ${address}`} {...{ api, view, address }} />
      )}
    </div>
  );
}

interface MachineProps {
  readonly api: Api;
  readonly view: FrameView;
  readonly address: string;
}

/** CP1 */
function Machine({ api, view: { frame, lit }, address }: MachineProps) {
  const [at, setAt] = useState(frame.revision);
  const path = streamPath(frame.stream, `/charts/${encodeURIComponent(address)}?at=${at}`);
  const loaded = useLoaded<ChartView>(api, path);
  const { states = [], arrows = [] } = lit[address] ?? {};
  const known = loaded.value?.layouts[0].states;
  const isOther = known !== undefined && !states.every((id) => Object.hasOwn(known, id));
  useEffect(() => {
    if (isOther) setAt(frame.revision);
  }, [isOther, frame.revision]);
  return (
    <Awaited loaded={loaded} what="The chart cannot be shown">
      {(chart) => <ChartWindow chart={chart} lit={states} taken={arrows} revision={frame.revision} />}
    </Awaited>
  );
}

interface NoMachineProps {
  readonly frame: Frame;
  readonly actor: Frame['actors'][number];
  readonly goTo: PanelProps['goTo'];
}

/** An actor that has no states: what it is, and since when. */
function NoMachine({ frame, actor, goTo }: NoMachineProps) {
  const effect = frame.effects.find((one) => one.actor === actor.address);
  return (
    <div class="panel-body">
      <dl class="facts-list">
        <dt>Address</dt>
        <dd class="mono">{actor.address}</dd>
        <dt>Logic</dt>
        <dd class="mono">{actor.src ?? '–'}</dd>
        <dt>Is</dt>
        <dd>{actor.kind === 'effect' ? 'an effect: work outside of the machines' : 'logic without states'}</dd>
        <dt>Stands</dt>
        <dd>{standing(actor)}</dd>
        {effect ? (
          <>
            <dt>Runs since</dt>
            <dd>
              <Jump stream={frame.stream} revision={effect.since} goTo={goTo}>
                revision {effect.since}
              </Jump>{' '}
              <span class="muted">
                {exactWords(effect.startedAt)}, {durationWords(frame.at - effect.startedAt)} before this frame
              </span>
            </dd>
            {effect.restarts > 0 ? (
              <>
                <dt>Restarts</dt>
                <dd>run again {effect.restarts === 1 ? 'once' : `${effect.restarts} times`} after its host was lost</dd>
              </>
            ) : null}
          </>
        ) : null}
        {actor.output === undefined ? null : (
          <>
            <dt>Output</dt>
            <dd>
              <Inline value={actor.output} />
            </dd>
          </>
        )}
        {actor.error === undefined ? null : (
          <>
            <dt>Error</dt>
            <dd class="bad">
              <Inline value={actor.error} />
            </dd>
          </>
        )}
      </dl>
    </div>
  );
}
