/** The panel `explain`: why the actor stands where it stands, in sentences, and what can be done next. */
import type { ExplainView } from '../../../src/inspect/api.ts';
import { useLoaded } from '../shell/loaded.ts';
import type { PanelProps } from '../panel-props.ts';
import { Awaited } from './notes.tsx';
import { CopyButton } from './parts.tsx';
import { streamPath } from './stream-path.ts';

export function ExplainPanel({ api, stream }: PanelProps) {
  const path = streamPath(stream.stream, '/explain');
  const loaded = useLoaded<ExplainView>(api, path, stream.last);
  return (
    <div class="panel-body p-explain">
      <p class="muted">As the actor stands now, at revision {stream.last}.</p>
      <Awaited loaded={loaded} what="The actor cannot be explained">
        {({ sentences, next }) => (
          <>
            {sentences.map((sentence, index) => (
              <p key={index} class="sentence">
                {sentence}
              </p>
            ))}
            {next.length === 0 ? null : (
              <>
                <h4>What can be done next</h4>
                <ul class="commands">
                  {next.map(({ text, command }) => (
                    <li key={text}>
                      {text}
                      {command === null ? null : (
                        <p>
                          <code>{command}</code>
                          <CopyButton text={command} words="Copy" />
                        </p>
                      )}
                    </li>
                  ))}
                </ul>
              </>
            )}
          </>
        )}
      </Awaited>
    </div>
  );
}
