/** The panel `frame`: one stimulus in whole, what it did, and what it comes from. */
import type { ComponentChildren } from 'preact';
import type { Frame, Json } from '../../../src/inspect/api.ts';
import { formatRoute } from '../shell/route.ts';
import { durationWords, exactWords } from '../shell/time-words.ts';
import type { PanelProps } from '../panel-props.ts';
import { JsonTree } from './json-tree.tsx';
import { Inline } from './changes-table.tsx';
import { Jump } from './jump.tsx';
import { NoFrame } from './notes.tsx';
import { Tag } from './parts.tsx';
import { stateWords } from '../stream/state-words.ts';
import { useCause } from './cause.ts';

export function FramePanel(props: PanelProps) {
  const { view, goTo } = props;
  if (!view) return <NoFrame isFailed={props.isFailed} />;
  const { frame } = view;
  return (
    <div class="panel-body p-frame">
      {frame.divergence === null ? null : (
        <div class="notice warn-notice" role="alert">
          <strong class="warn">The code at hand does something else than was recorded.</strong>
          <p>{frame.divergence}</p>
          <p class="muted">From here on states and contexts are those of the log.</p>
        </div>
      )}
      <header class="frame-head">
        <h3>{frame.label}</h3>
        <p class="muted">
          {frame.type} at revision {frame.revision}
          {frame.lastRevision > frame.revision ? `–${frame.lastRevision}` : ''}, {exactWords(frame.at)}
          {frame.to === '/' ? '' : ', for '}
          {frame.to === '/' ? null : <code>{frame.to}</code>}
        </p>
      </header>
      <Origin {...props} frame={frame} />
      <Part title="Brought" count={frame.payload === null ? 0 : 1} none="nothing from outside">
        <JsonTree key={frame.id} id="frame-payload" label="Payload" name="payload" value={frame.payload} />
      </Part>
      <Part title="Transitions" count={frame.transitions.length} none="no machine moved">
        <ol class="lines">
          {frame.transitions.map(({ actor, event, to, status }, index) => (
            <li key={index}>
              <code class="muted">{actor}</code> {event} <span aria-hidden>→</span>
              <span class="hidden-label"> to </span> <strong class="mono">{stateWords(to as Json)}</strong>
              {status === undefined ? null : <Tag tone={status === 'error' ? 'bad' : 'ok'}>{status}</Tag>}
            </li>
          ))}
        </ol>
      </Part>
      <Part title="Facts" count={frame.facts.length} none="none told">
        <ol class="lines">
          {frame.facts.map(({ revision, actor, type, data }) => (
            <li key={revision}>
              <strong>{type}</strong> <code class="muted">{actor}</code> <Inline value={data} />
            </li>
          ))}
        </ol>
      </Part>
      <Part title="Effects" count={frame.started.length + (frame.settled ? 1 : 0)} none="none began or ended">
        <ul class="lines">
          {frame.settled ? (
            <li>
              <Tag tone={frame.settled.outcome === 'failed' ? 'bad' : 'ok'}>{frame.settled.outcome}</Tag>{' '}
              <strong>{frame.settled.src}</strong> <code class="muted">{frame.settled.actor}</code>
            </li>
          ) : null}
          {frame.started.map(({ actor, src }) => (
            <li key={actor}>
              <Tag tone="info">began</Tag> <strong>{src}</strong> <code class="muted">{actor}</code>
            </li>
          ))}
        </ul>
      </Part>
      <Timers frame={frame} />
      <Running frame={frame} goTo={goTo} />
    </div>
  );
}

function Origin({ api, stream, frame, goTo }: PanelProps & { readonly frame: Frame }) {
  const cause = useCause(api, frame);
  return (
    <dl class="facts-list">
      <dt>Cause</dt>
      <dd>
        {frame.causationId === frame.id ? (
          <span class="muted">nothing on the log: it came from outside</span>
        ) : cause === undefined ? (
          <code class="muted">{frame.causationId}</code>
        ) : (
          <Jump stream={cause.stream} revision={cause.revision} goTo={goTo}>
            <span class="revision">{cause.revision}</span> {cause.type}
            {cause.stream === stream.stream ? null : <span class="muted"> in {cause.stream}</span>}
          </Jump>
        )}
      </dd>
      <dt>Correlation</dt>
      <dd>
        <a href={formatRoute({ page: 'trace', correlationId: frame.correlationId })} class="mono">
          {frame.correlationId}
        </a>
      </dd>
      <dt>Event id</dt>
      <dd class="mono">{frame.id}</dd>
      <dt>Shown from</dt>
      <dd>{frame.source === 'code' ? 'the code of the machine' : 'what the log recorded'}</dd>
    </dl>
  );
}

function Timers({ frame }: { readonly frame: Frame }) {
  const { armed, cancelled, fired } = frame;
  return (
    <Part title="Timers" count={armed.length + cancelled.length + (fired === null ? 0 : 1)} none="none touched">
      <ul class="lines">
        {fired === null ? null : (
          <li>
            <Tag tone="warn">fired</Tag> timer {fired}
          </li>
        )}
        {armed.map((timer) => (
          <li key={timer.timer}>
            <Tag tone="info">armed</Tag> timer {timer.timer} <code class="muted">{timer.actor}</code> due in{' '}
            {durationWords(timer.dueAt - frame.at)} <span class="muted">{exactWords(timer.dueAt)}</span>
          </li>
        ))}
        {cancelled.length === 0 ? null : (
          <li>
            <Tag tone="muted">cancelled</Tag> {cancelled.map((number) => `timer ${number}`).join(', ')}
          </li>
        )}
      </ul>
    </Part>
  );
}

/** What is under way after the frame. */
function Running({ frame, goTo }: { readonly frame: Frame; readonly goTo: PanelProps['goTo'] }) {
  return (
    <Part title="Under way after it" count={frame.effects.length + frame.timers.length} none="nothing">
      <ul class="lines">
        {frame.effects.map(({ actor, src, since, restarts }) => (
          <li key={actor}>
            <strong>{src}</strong> <code class="muted">{actor}</code> since{' '}
            <Jump stream={frame.stream} revision={since} goTo={goTo}>
              revision {since}
            </Jump>
            {restarts === 0 ? null : <Tag tone="warn">{`restarted ${restarts} ×`}</Tag>}
          </li>
        ))}
        {frame.timers.map((timer) => (
          <li key={timer.timer}>
            timer {timer.timer} <code class="muted">{timer.actor}</code> due in {durationWords(timer.dueAt - frame.at)}
          </li>
        ))}
      </ul>
    </Part>
  );
}

interface PartProps {
  readonly title: string;
  readonly count: number;
  /** Said where there is nothing. */
  readonly none: string;
  readonly children: ComponentChildren;
}

function Part({ title, count, none, children }: PartProps) {
  return (
    <section class="frame-part">
      <h4>{title}</h4>
      {count === 0 ? <p class="muted">{none}</p> : children}
    </section>
  );
}
