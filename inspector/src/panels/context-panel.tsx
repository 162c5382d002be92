/**
 * The panel `context`: the context of an actor after the frame, what the frame changed in it, and who set a value.
 *
 * CO1  What is not known is said to be unknown, and why.
 */
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Frame, FrameView, Json } from '../../../src/inspect/api.ts';
import { useLoaded } from '../shell/loaded.ts';
import type { PanelProps } from '../panel-props.ts';
import { actorName, standing } from './actor-strip.tsx';
import { BlameCard } from './blame-card.tsx';
import { ChangesTable } from './changes-table.tsx';
import { JsonTree } from './json-tree.tsx';
import { Empty, NoFrame } from './notes.tsx';
import { changesOf, marksOf } from './patch-marks.ts';
import { streamPath } from './stream-path.ts';

type FrameActor = Frame['actors'][number];

export function ContextPanel(props: PanelProps) {
  const { view, actor: address, chooseActor } = props;
  const [asked, setAsked] = useState<string | undefined>();
  useEffect(() => setAsked(undefined), [address, props.stream.stream]);
  const before = useFrameBefore(props);
  if (!view) return <NoFrame isFailed={props.isFailed} />;
  const { frame } = view;
  const machines = frame.actors.filter(({ kind, address: own }) => kind === 'machine' || own === address);
  const actor = frame.actors.find((one) => one.address === address);
  return (
    <div class="panel-body p-context">
      <div class="panel-bar">
        <label>
          Actor{' '}
          <select class="field" value={address} onChange={(event) => chooseActor(event.currentTarget.value)}>
            {actor ? null : <option value={address}>{address} (not there)</option>}
            {machines.map((one) => (
              <option key={one.address} value={one.address}>
                {one.parent === null ? `/ ${frame.stream}` : one.address} · {standing(one)}
              </option>
            ))}
          </select>
        </label>
        <OtherChanges frame={frame} address={address} chooseActor={chooseActor} />
      </div>
      {actor ? (
        <ActorContext {...{ props, view, actor, before, asked, setAsked }} />
      ) : (
        <Empty>
          There is no actor <code>{address}</code> at revision {frame.revision}.
        </Empty>
      )}
      {asked === undefined ? null : (
        <BlameCard
          api={props.api}
          stream={props.stream.stream}
          actor={address}
          path={asked}
          at={frame.revision}
          goTo={props.goTo}
          onClose={() => setAsked(undefined)}
        />
      )}
    </div>
  );
}

interface OtherChangesProps {
  readonly frame: Frame;
  readonly address: string;
  readonly chooseActor: (address: string) => void;
}

/** Other actors whose contexts the frame changed. */
function OtherChanges({ frame, address, chooseActor }: OtherChangesProps) {
  const others = frame.changes.filter(({ actor, patch }) => actor !== address && patch.length > 0);
  if (others.length === 0) return null;
  return (
    <span class="muted">
      also changed:{' '}
      {others.map(({ actor }) => (
        <button key={actor} type="button" class="link mono" onClick={() => chooseActor(actor)}>
          {actorName(frame.actors.find((one) => one.address === actor) ?? { address: actor, parent: '/' })}
        </button>
      ))}
    </span>
  );
}

interface ActorContextProps {
  readonly props: PanelProps;
  readonly view: FrameView;
  readonly actor: FrameActor;
  readonly before: FrameView | 'unknown' | 'none' | undefined;
  readonly asked: string | undefined;
  readonly setAsked: (path: string | undefined) => void;
}

function ActorContext({ props, view, actor, before, asked, setAsked }: ActorContextProps) {
  const { frame } = view;
  const patch = frame.changes.find((change) => change.actor === actor.address)?.patch;
  const was = typeof before === 'object' ? contextOf(before, actor.address) : undefined;
  const changes = useMemo(() => changesOf(patch ?? [], was), [patch, was]);
  const marks = useMemo(() => marksOf(changes), [changes]);
  const isFirst = before === 'none' || (typeof before === 'object' && was === undefined);
  const choose = (path: string) => setAsked(path);
  return (
    <>
      <section aria-labelledby="context-changes">
        <h3 id="context-changes">This frame</h3>
        {changes.length === 0 ? (
          <p class="muted">changed nothing here.</p>
        ) : isFirst ? (
          <p class="muted">made this context.</p>
        ) : (
          <ChangesTable
            changes={changes}
            caption="What this frame changed in the context"
            columns={['Before', 'After']}
            knowsBefore={typeof before === 'object'}
            onChoose={choose}
          />
        )}
      </section>
      <section aria-labelledby="context-tree">
        <h3 id="context-tree">
          Context{' '}
          {actor.context === undefined ? null : <span class="muted hint">Choose a value to see who set it.</span>}
        </h3>
        {actor.context === undefined ? (
          <Empty>{whyUnknown(props, frame, actor)}</Empty>
        ) : (
          <JsonTree
            key={actor.address}
            id="context"
            label="Context"
            name="context"
            value={actor.context}
            marks={marks}
            chosen={asked}
            onChoose={choose}
          />
        )}
        {actor.output === undefined ? null : (
          <JsonTree id="context-output" label="Output" name="output" value={actor.output} />
        )}
        {actor.error === undefined ? null : (
          <JsonTree id="context-error" label="Error" name="error" value={actor.error} />
        )}
      </section>
    </>
  );
}

/** CO1 */
function whyUnknown({ log, stream }: PanelProps, frame: Frame, actor: FrameActor): string {
  if (actor.kind !== 'machine') return 'Only machines have a context: this actor is an effect or other logic.';
  if (log.payloads === 'none')
    return 'The inspector was started without payloads (--payloads none): values are not shown.';
  if (frame.divergence !== null) {
    return 'Not known here: the code at hand does something else than was recorded, and the log does not hold this context.';
  }
  return (
    'Not known: the log does not hold this context (it was not recorded, or was too large), and the code of ' +
    `machine '${stream.machine}' is not at hand. Start \`rewake inspect\` with a config that names the machine.`
  );
}

function contextOf(view: FrameView, address: string): Json | undefined {
  return view.frame.actors.find((actor) => actor.address === address)?.context;
}

const keptMax = 12;

/** Of whom nothing is wanted. */
const idle: Pick<PanelProps['api'], 'get' | 'post' | 'url'> = {
  get: () => new Promise<never>(() => undefined),
  post: () => new Promise<never>(() => undefined),
  url: (path) => path,
};

/** The frame before, for what stood in it: what was shown lately is at hand. */
function useFrameBefore({ api, stream, view }: PanelProps): FrameView | 'unknown' | 'none' | undefined {
  const kept = useRef<readonly FrameView[]>([]);
  const previous = view?.previous ?? null;
  const known = kept.current.find(({ frame }) => frame.stream === stream.stream && frame.revision === previous);
  const hasChanges = view !== undefined && view.frame.changes.length > 0;
  const path = streamPath(stream.stream, `/frames/${previous}`);
  const wanted = previous !== null && hasChanges && !known;
  const loaded = useLoaded<FrameView>(wanted ? api : idle, path);
  useEffect(() => {
    const seen = [...(view ? [view] : []), ...(loaded.value ? [loaded.value] : [])];
    const others = kept.current.filter(({ frame }) => !seen.some((one) => one.frame.revision === frame.revision));
    kept.current = [...seen, ...others].slice(0, keptMax);
  }, [view, loaded.value]);
  if (previous === null) return view ? 'none' : undefined;
  return known ?? loaded.value ?? (loaded.failure ? 'unknown' : undefined);
}
