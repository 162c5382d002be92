/** Above a stream: what it is, how it stands at the frame that is shown, and what can be done with it. */
import { useState } from 'preact/hooks';
import type { ExplainView, FrameView, StreamView } from '../../../src/inspect/api.ts';
import type { PageApi } from '../shell/api.ts';
import { Glyph } from '../shell/glyph.tsx';
import { useLoaded } from '../shell/loaded.ts';
import { pageClock } from '../shell/page-clock.ts';
import { formatRoute } from '../shell/route.ts';
import { useSettled } from '../shell/settled.ts';
import { StatusMark } from '../shell/status-mark.tsx';
import { exactWords } from '../shell/time-words.ts';
import { stateWords } from './state-words.ts';

const explainMs = 1000;

export interface StreamHeaderProps {
  readonly api: PageApi;
  readonly stream: string;
  readonly info: StreamView | undefined;
  readonly view: FrameView | undefined;
  readonly permalink: () => string;
  readonly onRevision: (revision: number) => void;
}

export function StreamHeader({ api, stream, info, view, permalink, onRevision }: StreamHeaderProps) {
  const root = view?.frame.actors.find(({ parent }) => parent === null);
  const path = `/streams/${encodeURIComponent(stream)}`;
  return (
    <header class="stream-header">
      <div class="stream-title">
        <h1 class="mono cut" title={stream}>
          {stream}
        </h1>
        {root ? <StatusMark status={root.status} /> : null}
        {root && root.value !== null ? (
          <span class="stream-state mono cut" title="Where the root is at this event">
            {stateWords(root.value)}
          </span>
        ) : null}
        <span class="grow" />
        <CopyButton permalink={permalink} />
        <a
          class="button"
          href={api.url(`${path}/export`)}
          download={`${stream}.jsonl`}
          title="The stream as JSON Lines"
        >
          <Glyph name="down" /> Export
        </a>
      </div>
      {info ? <Facts info={info} view={view} /> : <p class="stream-facts muted"> </p>}
      <Explained api={api} path={path} version={info?.last ?? -1} />
      {info?.damaged.map(({ revision, message }) => (
        <p key={revision} class="banner bad" role="alert">
          <Glyph name="warning" />
          <span>
            <button type="button" class="link" onClick={() => onRevision(Math.max(info.first, revision - 1))}>
              Revision {revision}
            </button>{' '}
            is damaged: {message} Frames end before it.
          </span>
        </p>
      ))}
      {view?.frame.divergence ? (
        <p class="banner warn" role="status">
          <Glyph name="warning" /> <span>{view.frame.divergence}</span>
        </p>
      ) : null}
    </header>
  );
}

function Facts({ info, view }: { readonly info: StreamView; readonly view: FrameView | undefined }) {
  const source = view?.frame.source ?? info.source;
  return (
    <p class="stream-facts muted">
      <span>
        {info.machine}
        {info.version === null ? '' : ` ${info.version}`}
      </span>
      <span
        title={
          source === 'code'
            ? 'States and contexts are computed by the machine’s code'
            : 'The code of the machine is not at hand: states and contexts are those that were recorded'
        }
      >
        from {source === 'code' ? 'its code' : 'the log alone'}
      </span>
      <span>started {exactWords(info.startedAt)}</span>
      <span class="cut">
        correlation{' '}
        <a class="mono" href={formatRoute({ page: 'trace', correlationId: info.correlationId })}>
          {info.correlationId}
        </a>
      </span>
      {view ? <span>this event {exactWords(view.frame.at)}</span> : null}
    </p>
  );
}

/** What stands now, in a sentence; the rest of it on demand. */
function Explained({ api, path, version }: { readonly api: PageApi; readonly path: string; readonly version: number }) {
  const [isOpen, setOpen] = useState(false);
  const { value, failure } = useLoaded<ExplainView>(api, `${path}/explain`, useSettled(version, explainMs));
  if (failure) return <p class="stream-explained muted">It cannot be explained: {failure.message}</p>;
  const [first, ...others] = value?.sentences ?? [];
  const more = [...others, ...(value?.next ?? []).map(({ text }) => `Next: ${text}`)];
  return (
    <div class="stream-explained">
      <p class={isOpen ? '' : 'cut'} title={first}>
        {first === undefined ? '\u00a0' : <span class="muted">Now: </span>}
        {first}
        {more.length > 0 ? (
          <button type="button" class="link" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {isOpen ? 'less' : 'more'}
          </button>
        ) : null}
      </p>
      {isOpen ? (
        <ul>
          {more.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      ) : null}
    </div>
  );
}

function CopyButton({ permalink }: { readonly permalink: () => string }) {
  const [said, setSaid] = useState<string>();
  const say = (text: string) => {
    setSaid(text);
    pageClock.after(1500, () => setSaid(undefined));
  };
  const copy = () =>
    navigator.clipboard.writeText(permalink()).then(
      () => say('Copied'),
      () => say('Not allowed'),
    );
  return (
    <button
      id="copy-link"
      type="button"
      class="button"
      title="Copy the permalink of this frame (c)"
      onClick={() => void copy()}
    >
      <Glyph name="link" /> <span role="status">{said ?? 'Copy link'}</span>
    </button>
  );
}
