/**
 * The panel `facts`: what machines and effects told, up to the frame or in the whole stream.
 *
 * FA1  The stream is read page by page, and what was read is kept; a stream that grows is read on from where it ended.
 */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { Row, RowsView } from '../../../src/inspect/api.ts';
import { failureFrom, type ApiFailure } from '../shell/api.ts';
import { FailureNotice } from '../shell/failure-notice.tsx';
import { exactWords } from '../shell/time-words.ts';
import type { Api, PanelProps } from '../panel-props.ts';
import { Jump } from './jump.tsx';
import { Empty } from './notes.tsx';
import { Switch, Table, useCut } from './parts.tsx';
import { streamPath } from './stream-path.ts';

export function FactsPanel({ api, stream, view, goTo }: PanelProps) {
  const [isAll, setIsAll] = useState(false);
  const [filter, setFilter] = useState('');
  const { facts, isWhole, failure, again } = useFacts(api, stream.stream, stream.first, stream.last);
  const last = isAll ? Infinity : (view?.frame.lastRevision ?? Infinity);
  const wanted = filter.trim().toLowerCase();
  const shown = facts.filter(
    ({ revision, type, actor }) => revision <= last && `${type} ${actor}`.toLowerCase().includes(wanted),
  );
  // The newest first: it is what the frame is about.
  const [newest, more] = useCut(shown.reverse(), 200);
  return (
    <div class="panel-body">
      <div class="panel-bar">
        <Switch
          label="Which facts"
          options={[
            [false, 'Up to this frame'],
            [true, 'All'],
          ]}
          chosen={isAll}
          onChoose={setIsAll}
        />
        <label>
          <span class="hidden-label">Filter by type or actor</span>
          <input
            class="field"
            type="search"
            placeholder="Type or actor"
            value={filter}
            onInput={(event) => setFilter(event.currentTarget.value)}
          />
        </label>
        <span class="muted" role="status">
          {shown.length.toLocaleString('en')} {shown.length === 1 ? 'fact' : 'facts'}
          {isWhole ? '' : ', reading on…'}
        </span>
      </div>
      {failure ? <FailureNotice failure={failure} what="The facts cannot be shown" retry={again} /> : null}
      {newest.length === 0 && isWhole && !failure ? (
        <Empty>{facts.length === 0 ? 'Nobody has told a fact.' : 'No fact is like that.'}</Empty>
      ) : (
        <Table caption="Facts, the newest first" columns={['Revision', 'Fact', 'Told by', 'At']}>
          {newest.map(({ revision, type, actor, at }) => {
            const isCurrent =
              view !== undefined && revision >= view.frame.revision && revision <= view.frame.lastRevision;
            return (
              <tr key={revision} class={isCurrent ? 'is-current' : ''}>
                <td>
                  <Jump stream={stream.stream} revision={revision} goTo={goTo} isCurrent={isCurrent}>
                    <span class="revision">{revision}</span>
                  </Jump>
                </td>
                <th scope="row">{type}</th>
                <td class="mono">{actor}</td>
                <td>
                  <time class="muted">{exactWords(at)}</time>
                </td>
              </tr>
            );
          })}
        </Table>
      )}
      {more}
    </div>
  );
}

interface Facts {
  readonly facts: readonly Row[];
  readonly isWhole: boolean;
  readonly failure: ApiFailure | undefined;
  readonly again: () => void;
}

const pageRows = 1000;

function useFacts(api: Api, stream: string, first: number, last: number): Facts {
  const read = useRef<{ stream: string; next: number; facts: readonly Row[] }>({ stream, next: first, facts: [] });
  const [, redraw] = useState(0);
  const [failure, setFailure] = useState<ApiFailure | undefined>();
  const [tries, setTries] = useState(0);
  if (read.current.stream !== stream) read.current = { stream, next: first, facts: [] };
  useEffect(() => {
    let isOn = true;
    const readOn = async () => {
      while (isOn && read.current.next <= last) {
        const { next: from } = read.current;
        const path = streamPath(stream, `/rows?from=${from}&limit=${pageRows}`);
        const { rows } = await api.get<RowsView>(path);
        if (!isOn) return;
        const end = rows.at(-1)?.revision ?? last;
        const facts = [...read.current.facts, ...rows.filter(({ isFact }) => isFact)];
        read.current = { stream, next: Math.max(end + 1, from + 1), facts };
        redraw((count) => count + 1);
      }
    };
    readOn().then(
      () => isOn && setFailure(undefined),
      (error: unknown) => isOn && setFailure(failureFrom(error)),
    );
    return () => {
      isOn = false;
    };
  }, [api, stream, last, tries]);
  return {
    facts: read.current.facts,
    isWhole: read.current.next > last,
    failure,
    again: () => {
      setFailure(undefined);
      setTries(tries + 1);
    },
  };
}
