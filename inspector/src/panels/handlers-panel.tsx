/** The panel `handlers`: which error handler ran for which error, and what came of it. */
import type { HandlersView, Json } from '../../../src/inspect/api.ts';
import { useLoaded } from '../shell/loaded.ts';
import { durationWords, exactWords } from '../shell/time-words.ts';
import type { PanelProps } from '../panel-props.ts';
import { JsonTree } from './json-tree.tsx';
import { Jump } from './jump.tsx';
import { Awaited, Empty } from './notes.tsx';
import { Table, Tag } from './parts.tsx';
import { isObject } from './value-words.ts';
import { streamPath } from './stream-path.ts';

/** As the projection handlerHistory says it; what is not of this form is shown as JSON. */
interface Run {
  readonly order: number;
  readonly revision: number;
  readonly actor: string;
  readonly handler: string | null;
  readonly scope: string;
  readonly subject: string;
  readonly error: { readonly name?: string; readonly message?: string } | null;
  readonly attempt: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly outcome: string;
  readonly action: string | null;
  readonly failure: { readonly name?: string; readonly message?: string } | null;
  readonly rewound: boolean;
}

const looks: { readonly [outcome: string]: readonly [sign: string, tone: string] } = {
  completed: ['✓', 'ok'],
  failed: ['✕', 'bad'],
  escalated: ['↑', 'warn'],
  running: ['…', 'info'],
  cutOff: ['■', 'muted'],
};

export function HandlersPanel(props: PanelProps) {
  const { api, stream } = props;
  const path = streamPath(stream.stream, '/handlers');
  const loaded = useLoaded<HandlersView>(api, path, stream.last);
  return (
    <div class="panel-body">
      <Awaited loaded={loaded} what="The handlers cannot be shown">
        {({ history }) => {
          const runs = runsOf(history);
          if (!runs) return <JsonTree id="handlers" label="Handlers" name="history" value={history} />;
          return runs.length === 0 ? <Empty>No error handler has run.</Empty> : <Runs {...props} runs={runs} />;
        }}
      </Awaited>
    </div>
  );
}

function runsOf(history: Json): readonly Run[] | undefined {
  const runs = isObject(history) ? history.runs : undefined;
  return Array.isArray(runs) ? (runs as unknown as readonly Run[]) : undefined;
}

function Runs({ runs, stream, view, goTo }: PanelProps & { readonly runs: readonly Run[] }) {
  const current = view?.frame;
  return (
    <Table
      caption="Error handlers, in the order in which they began"
      columns={['Began', 'Handler', 'Called for', 'Outcome']}
    >
      {runs.map((run) => {
        const [sign, tone] = looks[run.outcome] ?? ['?', 'muted'];
        const isCurrent =
          current !== undefined && run.revision >= current.revision && run.revision <= current.lastRevision;
        return (
          <tr key={run.order} class={run.rewound ? 'is-rewound' : ''}>
            <td>
              <Jump stream={stream.stream} revision={run.revision} goTo={goTo} isCurrent={isCurrent}>
                <span class="revision">{run.revision}</span> {exactWords(run.startedAt)}
              </Jump>
            </td>
            <th scope="row">
              {run.handler ?? <span class="muted">none took it</span>}
              {run.attempt > 1 ? <span class="muted"> · time {run.attempt}</span> : null}
              <p class="muted">
                {run.scope} of {run.subject} <code>{run.actor}</code>
              </p>
            </th>
            <td>{errorWords(run.error)}</td>
            <td>
              <Tag tone={tone}>
                <span aria-hidden>{sign} </span>
                {run.outcome === 'cutOff' ? 'cut off' : run.outcome}
              </Tag>{' '}
              {run.action ?? ''}
              {run.endedAt === null ? null : (
                <span class="muted"> after {durationWords(run.endedAt - run.startedAt)}</span>
              )}
              {run.failure ? <p class="bad">{errorWords(run.failure)}</p> : null}
              {run.rewound ? <p class="muted">The actor was set back to before this.</p> : null}
            </td>
          </tr>
        );
      })}
    </Table>
  );
}

function errorWords(error: Run['error']): string {
  return error ? [error.name, error.message].filter(Boolean).join(': ') : '–';
}
