/** Who set a value: the event that changed it last, what led to it, and every earlier change, each a link to its frame. */
import type { Blame, Json } from '../../../src/inspect/api.ts';
import { useLoaded } from '../shell/loaded.ts';
import { exactWords } from '../shell/time-words.ts';
import type { Api, PanelProps } from '../panel-props.ts';
import { Inline } from './changes-table.tsx';
import { Jump } from './jump.tsx';
import { Awaited } from './notes.tsx';
import { streamPath } from './stream-path.ts';

export interface BlameCardProps {
  readonly api: Api;
  readonly stream: string;
  readonly actor: string;
  /** JSON Pointer in the context. */
  readonly path: string;
  readonly at: number;
  readonly goTo: PanelProps['goTo'];
  readonly onClose: () => void;
}

type BlameLink = Blame['causes'][number];

export function BlameCard({ api, stream, actor, path, at, goTo, onClose }: BlameCardProps) {
  const query = new URLSearchParams({ path: `/context${path}`, actor, at: String(at) });
  const loaded = useLoaded<Blame>(api, streamPath(stream, `/blame?${query}`));
  return (
    <section class="blame-card" aria-label="Who set this value" aria-live="polite">
      <header>
        <h3>
          Who set <code>{path === '' ? 'the context' : path}</code>
        </h3>
        <button type="button" class="button plain" onClick={onClose} aria-label="Close">
          ✕
        </button>
      </header>
      <Awaited loaded={loaded} what="Who set it cannot be told">
        {(blame) => <Answer blame={blame} stream={stream} goTo={goTo} />}
      </Awaited>
    </section>
  );
}

interface AnswerProps {
  readonly blame: Blame;
  readonly stream: string;
  readonly goTo: PanelProps['goTo'];
}

function Answer({ blame, stream, goTo }: AnswerProps) {
  const { changed, earlier, causes } = blame;
  if (!changed) return <p class="muted">Nothing on the log ever set it.</p>;
  const link = (by: BlameLink) => <Link {...{ by, stream, goTo }} />;
  return (
    <>
      <p class="blame-by">
        {link(changed.by)} <time class="muted">{exactWords(changed.by.at)}</time>
      </p>
      <FromTo from={changed.from} to={changed.to} />
      {causes.length > 0 ? (
        <>
          <h4>Because of</h4>
          <ol class="blame-causes">
            {causes.map((by) => (
              <li key={by.id}>{link(by)}</li>
            ))}
          </ol>
        </>
      ) : null}
      {earlier.length > 0 ? (
        <>
          <h4>Before that</h4>
          <ol class="blame-earlier">
            {earlier.slice(0, 50).map(({ by, from, to }) => (
              <li key={by.id}>
                {link(by)}
                <FromTo from={from} to={to} />
              </li>
            ))}
          </ol>
          {earlier.length > 50 ? <p class="muted">and {earlier.length - 50} more</p> : null}
        </>
      ) : null}
    </>
  );
}

function FromTo({ from, to }: { readonly from: Json | undefined; readonly to: Json | undefined }) {
  return (
    <p class="from-to">
      <span class="hidden-label">from </span>
      <Inline value={from} />
      <span aria-hidden> → </span>
      <span class="hidden-label"> to </span>
      <Inline value={to} />
    </p>
  );
}

function Link({ by, stream, goTo }: { readonly by: BlameLink } & Omit<AnswerProps, 'blame'>) {
  return (
    <Jump stream={by.stream} revision={by.revision} goTo={goTo} title={by.type}>
      <span class="revision">{by.revision}</span> {by.label}
      {by.stream === stream ? null : <span class="muted"> in {by.stream}</span>}
    </Jump>
  );
}
