/**
 * The panel `chart`: the statechart of the actor that is looked at, with what is active in the frame.
 *
 * CP1  A chart is asked for once per actor, and again only where it does not know a state that is active: a rebase may have
 *      brought another version.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Frame, FrameView, LaidOutChart } from '../../../src/inspect/api.ts';
import { failureFrom, type ApiFailure } from '../shell/api.ts';
import { FailureNotice } from '../shell/failure-notice.tsx';
import { durationWords, exactWords } from '../shell/time-words.ts';
import type { Api, PanelProps } from '../panel-props.ts';
import { ActorStrip, standing } from './actor-strip.tsx';
import { Inline } from './changes-table.tsx';
import { ChartWindow } from './chart-window.tsx';
import { Jump } from './jump.tsx';
import { Empty } from './notes.tsx';

export function ChartPanel(props: PanelProps) {
  const { api, stream, view, actor: address, chooseActor } = props;
  const frame = view?.frame;
  const actor = frame?.actors.find((one) => one.address === address);
  const isMachine = actor ? actor.kind === 'machine' : address === '/';
  const chart = useChart(api, stream.stream, address, isMachine ? view : undefined);
  const lit = view?.lit[address];
  return (
    <div class="p-chart">
      {frame && frame.actors.length > 1 ? (
        <ActorStrip actors={frame.actors} chosen={address} onChoose={chooseActor} />
      ) : null}
      {!view || !frame ? (
        <Empty>Loading…</Empty>
      ) : !actor ? (
        <Empty>
          There is no actor <code>{address}</code> at revision {frame.revision}.{' '}
          <button type="button" class="link" onClick={() => chooseActor('/')}>
            Show the root
          </button>
        </Empty>
      ) : !isMachine ? (
        <NoMachine frame={frame} actor={actor} goTo={props.goTo} />
      ) : chart.failure ? (
        <FailureNotice failure={chart.failure} what="The chart cannot be shown" retry={chart.again} />
      ) : chart.laid ? (
        <ChartWindow
          key={address}
          laid={chart.laid}
          lit={lit?.states ?? []}
          taken={lit?.arrows ?? []}
          revision={frame.revision}
        />
      ) : (
        <Empty>Drawing…</Empty>
      )}
    </div>
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

interface ChartAnswer {
  readonly laid: LaidOutChart | undefined;
  readonly failure: ApiFailure | undefined;
  readonly again: () => void;
}

function useChart(api: Api, stream: string, address: string, view: FrameView | undefined): ChartAnswer {
  const kept = useRef(new Map<string, { readonly laid: LaidOutChart; readonly at: number }>());
  const [answer, setAnswer] = useState<{ readonly key: string; readonly failure?: ApiFailure }>({ key: '' });
  const [tries, setTries] = useState(0);
  const key = `${stream} ${address}`;
  const known = kept.current.get(key);
  const revision = view?.frame.revision;
  const isKnown =
    known !== undefined &&
    (known.at === revision || (view?.lit[address]?.states ?? []).every((id) => Object.hasOwn(known.laid.states, id)));
  useEffect(() => {
    if (revision === undefined || isKnown) return;
    let isWanted = true;
    const path = `/streams/${encodeURIComponent(stream)}/charts/${encodeURIComponent(address)}?at=${revision}`;
    api.get<LaidOutChart>(path).then(
      (laid) => {
        kept.current.set(key, { laid, at: revision });
        if (isWanted) setAnswer({ key });
      },
      (error: unknown) => isWanted && setAnswer({ key, failure: failureFrom(error) }),
    );
    return () => {
      isWanted = false;
    };
  }, [api, stream, address, revision, isKnown, tries]);
  return {
    laid: known?.laid,
    failure: answer.key === key && !isKnown ? answer.failure : undefined,
    again: () => {
      setAnswer({ key: '' });
      setTries(tries + 1);
    },
  };
}
