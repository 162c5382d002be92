/**
 * The panel `what-if`: another past of this stream. Owns the list of edits and what is asked; how the two paths look is in
 * what-if-paths.tsx.
 *
 * WP1  Nothing is written but by the button that says so, and it is there only where the server allows it.
 * WP2  An answer that belongs to other edits than are in the list is said to be old.
 */
import { useState } from 'preact/hooks';
import type { ForkRequest, Frame, WhatIf } from '../../../src/inspect/api.ts';
import { failureFrom, type ApiFailure } from '../shell/api.ts';
import { FailureNotice } from '../shell/failure-notice.tsx';
import type { PanelProps } from '../panel-props.ts';
import { DraftEditor } from './draft-editor.tsx';
import { NoFrame } from './notes.tsx';
import { optionsOf, partOf, type Draft, type StubDraft } from './what-if-drafts.ts';
import { WhatIfPaths } from './what-if-paths.tsx';
import { sessionOf } from './what-if-session.ts';
import { streamPath } from './stream-path.ts';

export function WhatIfPanel(props: PanelProps) {
  const { api, stream, view, log } = props;
  const session = sessionOf(stream.stream);
  const { drafts, stubs, answer } = session.value;
  const [isBusy, setIsBusy] = useState(false);
  const [failure, setFailure] = useState<ApiFailure | undefined>();
  const [isOld, setIsOld] = useState(false);
  const path = streamPath(stream.stream, '');
  const options = optionsOf(drafts, stubs);
  const change = (next: { readonly drafts?: readonly Draft[]; readonly stubs?: typeof stubs }) => {
    session.value = { ...session.value, ...next };
    setIsOld(true);
  };
  const run = async () => {
    if ('complaint' in options) return;
    setIsBusy(true);
    setFailure(undefined);
    try {
      const found = await api.post<WhatIf>(`${path}/what-if`, options.value);
      session.value = { ...session.value, answer: found };
      setIsOld(false);
    } catch (error) {
      setFailure(failureFrom(error));
    } finally {
      setIsBusy(false);
    }
  };
  const asked = [...new Set([...(answer?.unanswered.map(({ src }) => src) ?? []), ...Object.keys(stubs)])];
  return (
    <div class="panel-body p-what-if">
      {view ? (
        <AddEdit frame={view.frame} onAdd={(draft) => change({ drafts: [...drafts, draft] })} />
      ) : (
        <NoFrame isFailed={props.isFailed} />
      )}
      {drafts.length === 0 ? (
        <p class="muted">
          Edit the past to see what would have happened. Nothing is written to the log, and no effect is called: effects
          answer as the log says.
        </p>
      ) : (
        <ol class="drafts" aria-label="Edits">
          {drafts.map((draft, index) => (
            <DraftEditor
              key={index}
              draft={draft}
              onChange={(next) => change({ drafts: drafts.with(index, next) })}
              onRemove={() => change({ drafts: drafts.toSpliced(index, 1) })}
            />
          ))}
        </ol>
      )}
      {asked.length > 0 ? <Stubs srcs={asked} stubs={stubs} onChange={(next) => change({ stubs: next })} /> : null}
      <div class="panel-bar">
        <button
          type="button"
          class="button primary"
          disabled={isBusy || drafts.length === 0 || 'complaint' in options}
          onClick={() => void run()}
        >
          {isBusy ? 'Replaying…' : 'Run'}
        </button>
        {drafts.length > 0 ? (
          <button
            type="button"
            class="button plain"
            onClick={() => (session.value = { drafts: [], stubs: {}, answer: undefined })}
          >
            Clear
          </button>
        ) : null}
        <span class="muted" role="status">
          {drafts.length > 0 && 'complaint' in options
            ? 'Complete the edits first.'
            : answer && isOld
              ? 'The paths below are those of the edits before.'
              : ''}
        </span>
      </div>
      {failure ? <FailureNotice failure={failure} what="The other past cannot be replayed" /> : null}
      {answer ? (
        <>
          <WhatIfPaths answer={answer} />
          {log.allowWrite ? <Fork {...props} path={path} drafts={drafts} stubs={stubs} /> : null}
        </>
      ) : null}
    </div>
  );
}

interface AddEditProps {
  readonly frame: Frame;
  readonly onAdd: (draft: Draft) => void;
}

function AddEdit({ frame, onAdd }: AddEditProps) {
  const part = partOf(frame.type);
  const isStart = frame.type === 'ActorStarted';
  const draft = (edit: Draft['edit'], text = ''): Draft => ({
    ...{ edit, text, revision: frame.revision, label: frame.label },
    ...{ part: part ?? 'event', to: '/', after: '' },
  });
  const add = (edit: Draft['edit'], text?: string) => () => onAdd(draft(edit, text));
  return (
    <div class="panel-bar" role="group" aria-label="Edit this frame">
      <span>
        <strong>{frame.label}</strong> <span class="muted">at revision {frame.revision}:</span>
      </span>
      <button type="button" class="button" disabled={isStart} onClick={add('drop')}>
        Drop it
      </button>
      <button
        type="button"
        class="button"
        disabled={!part}
        onClick={add('replace', JSON.stringify(frame.payload, null, 2))}
      >
        Change its {part ?? 'content'}
      </button>
      <button type="button" class="button" onClick={add('insert', '{ "type": "" }')}>
        Send an event after it
      </button>
      <button type="button" class="button" disabled={isStart} onClick={add('move')}>
        Move it
      </button>
    </div>
  );
}

interface StubsProps {
  readonly srcs: readonly string[];
  readonly stubs: { readonly [src: string]: StubDraft };
  readonly onChange: (stubs: { readonly [src: string]: StubDraft }) => void;
}

/** What effects answer that nobody answered. */
function Stubs({ srcs, stubs, onChange }: StubsProps) {
  return (
    <section aria-labelledby="what-if-stubs">
      <h4 id="what-if-stubs">Effects that the log has no answer for</h4>
      <ul class="stubs">
        {srcs.map((src) => {
          const stub = stubs[src] ?? { outcome: 'output', text: '' };
          const set = (next: Partial<StubDraft>) => onChange({ ...stubs, [src]: { ...stub, ...next } });
          return (
            <li key={src}>
              <code>{src}</code>
              <select
                class="field"
                aria-label={`How ${src} ends`}
                value={stub.outcome}
                onChange={(event) => set({ outcome: event.currentTarget.value as StubDraft['outcome'] })}
              >
                <option value="output">succeeds with</option>
                <option value="error">fails with</option>
              </select>
              <input
                class="field mono"
                aria-label={`Answer of ${src}, as JSON`}
                placeholder="JSON; empty for no answer"
                value={stub.text}
                onInput={(event) => set({ text: event.currentTarget.value })}
              />
            </li>
          );
        })}
      </ul>
    </section>
  );
}

interface ForkProps extends PanelProps {
  readonly path: string;
  readonly drafts: readonly Draft[];
  readonly stubs: StubsProps['stubs'];
}

/** WP1 */
function Fork({ api, stream, goTo, path, drafts, stubs }: ForkProps) {
  const [id, setId] = useState('');
  const [at, setAt] = useState(String(stream.last));
  const [isBusy, setIsBusy] = useState(false);
  const [failure, setFailure] = useState<ApiFailure | undefined>();
  const options = optionsOf(drafts, stubs);
  const revision = Number(at);
  const isReady = id.trim() !== '' && at !== '' && Number.isInteger(revision) && 'value' in options;
  const fork = async (event: Event) => {
    event.preventDefault();
    if (!isReady || isBusy) return;
    setIsBusy(true);
    setFailure(undefined);
    const request: ForkRequest = { at: revision, id: id.trim(), edits: options.value.edits };
    try {
      const made = await api.post<{ readonly stream: string }>(`${path}/fork`, request);
      goTo(made.stream);
    } catch (error) {
      setFailure(failureFrom(error));
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <section class="fork" aria-labelledby="what-if-fork">
      <h4 id="what-if-fork">Fork for real</h4>
      <p class="muted">
        Writes a new actor to the log, with this past. The next host of the log takes it up, and calls its effects.
      </p>
      <form class="panel-bar" onSubmit={(event) => void fork(event)}>
        <label>
          Its id <input class="field" value={id} required onInput={(event) => setId(event.currentTarget.value)} />
        </label>
        <label>
          up to revision{' '}
          <input
            class="field number"
            inputMode="numeric"
            value={at}
            required
            onInput={(event) => setAt(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button" disabled={!isReady || isBusy}>
          {isBusy ? 'Writing…' : 'Fork'}
        </button>
      </form>
      {failure ? <FailureNotice failure={failure} what="Nothing was forked" /> : null}
    </section>
  );
}
