/** The panel `raw`: the events of the frame as they stand in the log. */
import { useState } from 'preact/hooks';
import type { Json, RawEvent } from '../../../src/inspect/api.ts';
import { useLoaded } from '../shell/loaded.ts';
import type { PanelProps } from '../panel-props.ts';
import { Awaited, NoFrame } from './notes.tsx';
import { CopyButton, Switch } from './parts.tsx';
import { streamPath } from './stream-path.ts';

const shownMax = 200_000;

export function RawPanel({ api, stream, view, isFailed }: PanelProps) {
  const [chosen, setChosen] = useState<{ readonly of: string; readonly revision: number } | undefined>();
  if (!view) return <NoFrame isFailed={isFailed} />;
  const { frame } = view;
  const revision = chosen?.of === frame.id ? chosen.revision : frame.revision;
  const events = [
    { revision: frame.revision, type: frame.type },
    ...frame.facts.map((fact) => ({ revision: fact.revision, type: fact.type })),
  ];
  return (
    <div class="panel-body">
      {events.length > 1 ? (
        <div class="panel-bar">
          <Switch
            label="Events of the frame"
            options={events.map((event) => [event.revision, `${event.revision} ${event.type}`])}
            chosen={revision}
            onChoose={(next) => setChosen({ of: frame.id, revision: next })}
          />
        </div>
      ) : null}
      <Raw key={`${stream.stream}@${revision}`} {...{ api, revision }} stream={stream.stream} />
    </div>
  );
}

interface RawProps {
  readonly api: PanelProps['api'];
  readonly stream: string;
  readonly revision: number;
}

function Raw({ api, stream, revision }: RawProps) {
  const loaded = useLoaded<RawEvent>(api, streamPath(stream, `/events/${revision}`));
  return (
    <Awaited loaded={loaded} what="The event cannot be shown">
      {(event) => <JsonText value={event as unknown as Json} />}
    </Awaited>
  );
}

/** JSON with a button that copies it. */
function JsonText({ value }: { readonly value: Json }) {
  const text = JSON.stringify(value, null, 2);
  return (
    <>
      <div class="panel-bar">
        <CopyButton text={text} words="Copy JSON" />
      </div>
      <pre class="raw" tabIndex={0}>
        {text.length > shownMax
          ? `${text.slice(0, shownMax)}\n… ${text.length - shownMax} more characters: copy them`
          : text}
      </pre>
    </>
  );
}
