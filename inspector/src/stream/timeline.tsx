/**
 * The timeline: the rows of a stream, all of them or those that a filter keeps. Owns how a row looks.
 *
 * TI1  Nothing waits for a row: its place is there at once, and is filled when it comes.
 */
import { useCallback, useEffect, useMemo, useRef } from 'preact/hooks';
import type { Row, StreamView } from '../../../src/inspect/api.ts';
import { FailureNotice } from '../shell/failure-notice.tsx';
import { FilterField } from '../shell/filter-field.tsx';
import { formatFilter, type Term } from '../shell/filter-text.ts';
import { Glyph } from '../shell/glyph.tsx';
import { exactWords, sinceBefore } from '../shell/time-words.ts';
import { VirtualList } from '../shell/virtual-list.tsx';
import { KindMenu } from './kind-menu.tsx';
import { kindLooks } from './row-kinds.ts';
import { movedWords } from './moved-words.ts';
import type { RowFilter } from './row-filter.ts';
import type { RowSearch } from './row-search.ts';
import type { RowStore } from './row-store.ts';

const rowHeight = 25;

export interface TimelineProps {
  readonly info: StreamView;
  readonly rows: RowStore;
  readonly filter: RowFilter;
  readonly filterText: string;
  readonly complaint: string | undefined;
  /** Undefined without a filter. */
  readonly search: RowSearch | undefined;
  readonly current: number;
  /** The revisions of the frame that is shown. */
  readonly frame: readonly [first: number, last: number] | undefined;
  readonly onFilter: (text: string) => void;
  readonly onChoose: (revision: number) => void;
  readonly field: { current: HTMLInputElement | null };
}

export function Timeline(props: TimelineProps) {
  const { info, rows, filter, search, current, frame, onFilter, onChoose, field } = props;
  const searched = search?.state.value;
  const { first, last } = info;
  const count = search ? (searched?.count ?? 0) : Math.max(0, last - first + 1);
  const revisionAt = (index: number) => (search ? search.revisionAt(index) : first + index);
  const rowAt = (index: number): Row | undefined => {
    const revision = revisionAt(index);
    return revision === undefined ? undefined : (search?.get(revision) ?? rows.get(revision));
  };
  const active = activeIndex(search, current, first, count);

  const drawn = useRef<readonly [number, number]>([0, 0]);
  const want = useCallback(
    (from: number, to: number) => {
      drawn.current = [from, to];
      if (!search) return rows.want(first + from - 1, first + to);
      const missing = search.revisionAt(from);
      const end = search.revisionAt(Math.max(from, to - 1));
      if (missing !== undefined && end !== undefined && !isAtHand(search, from, to)) rows.want(missing, end);
    },
    [rows, search, first],
  );
  // The end of the stream has moved: what is in sight may reach it.
  useEffect(() => want(...drawn.current), [want, last]);

  const failure = searched?.failure ?? rows.failure.value;
  const setTerms = (terms: readonly Term[]) => onFilter(formatFilter(terms));
  const progress = useMemo(() => searchProgress(searched, info), [searched, info]);
  return (
    <section class="timeline" aria-label="Timeline">
      <div class="timeline-filter">
        <FilterField
          field={field}
          value={props.filterText}
          label="Filter the timeline"
          placeholder="text, /pattern/, kind:… type:… actor:… to:…"
          complaint={props.complaint}
          onValue={onFilter}
          onLeave={() => document.getElementById('timeline')?.focus()}
        />
        <KindMenu terms={filter.terms} onTerms={setTerms} />
      </div>
      {progress === undefined ? null : (
        <p class="timeline-progress muted" role="status">
          {progress}
        </p>
      )}
      {failure ? (
        <FailureNotice
          failure={failure}
          what="Some of the timeline cannot be shown"
          retry={() => {
            search?.again();
            want(...drawn.current);
          }}
        />
      ) : null}
      <VirtualList
        id="timeline"
        label="Events of the stream"
        count={count}
        rowHeight={rowHeight}
        active={active}
        row={(index) => {
          const revision = revisionAt(index) ?? -1;
          const isOfFrame = frame !== undefined && revision >= frame[0] && revision <= frame[1];
          const row = rowAt(index);
          const since = row && sinceBefore(rowAt(index - 1)?.at, row.at);
          return {
            key: revision,
            class: `event-row${isOfFrame ? ' of-frame' : ''}${since?.isGap ? ' after-gap' : ''}`,
            content: <EventRow revision={revision} row={row} since={since} moved={row && movedOf(row, rows)} />,
          };
        }}
        onChoose={(index) => onChoose(revisionAt(index) ?? current)}
        onWindow={want}
      />
    </section>
  );
}

function activeIndex(search: RowSearch | undefined, current: number, first: number, count: number): number {
  if (!search) return current - first;
  const index = search.indexFrom(current);
  return index < count && search.revisionAt(index) === current ? index : -1;
}

function isAtHand(search: RowSearch, from: number, to: number): boolean {
  for (let index = from; index < to; index++) {
    const revision = search.revisionAt(index);
    if (revision !== undefined && !search.get(revision)) return false;
  }
  return true;
}

function searchProgress(searched: RowSearch['state']['value'] | undefined, info: StreamView): string | undefined {
  if (!searched) return undefined;
  const found = `${searched.count.toLocaleString('en')} of ${(info.last - info.first + 1).toLocaleString('en')} events`;
  return searched.isThrough ? found : `${found} · searched to ${searched.searchedTo.toLocaleString('en')} …`;
}

/** Where the root went with a row. What it was in before is known where that row is at hand. */
function movedOf({ revision, to }: Row, rows: RowStore): string | undefined {
  if (to === null) return undefined;
  const before = rows.findNear(revision - 1, -1, (row) => row.to !== null);
  return movedWords(to, typeof before === 'object' ? (before.to ?? undefined) : undefined);
}

interface EventRowProps {
  readonly revision: number;
  readonly row: Row | undefined;
  readonly since: ReturnType<typeof sinceBefore>;
  readonly moved: string | undefined;
}

function EventRow({ revision, row, since, moved }: EventRowProps) {
  if (!row) {
    return (
      <>
        <span class="event-revision mono muted">{revision}</span>
        <span class="event-waiting" />
      </>
    );
  }
  const { glyph, tone, word } = kindLooks[row.kind];
  const about = row.actor === '/' ? '' : row.actor;
  return (
    <>
      <span class="event-revision mono muted">{revision}</span>
      <span class={`event-sign ${tone}`} title={word}>
        <Glyph name={glyph} label={word} />
      </span>
      <span class={`event-label cut ${row.isFact ? 'event-fact' : ''} tone-${row.kind}`} title={labelTitle(row)}>
        {row.label}
        {row.message === undefined ? null : <span class="bad">: {row.message}</span>}
        {about === '' || row.label.includes(about) ? null : <span class="event-actor mono muted"> {about}</span>}
      </span>
      {moved === undefined ? null : (
        <span class="event-to mono cut" title={`The root went to ${row.to}`}>
          {moved}
        </span>
      )}
      <span class={`event-time ${since?.isGap ? 'gap' : 'muted'}`} title={exactWords(row.at)}>
        {since?.text}
      </span>
    </>
  );
}

function labelTitle({ type, label, actor, message }: Row): string {
  const whole = label === type ? type : `${label} (${type})`;
  return `${whole} · ${actor}${message === undefined ? '' : ` · ${message}`}`;
}
