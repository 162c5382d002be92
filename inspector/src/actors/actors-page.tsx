/**
 * The start page: the actors of the log. Owns its filter line, its list and its keys.
 *
 * AL1  The list is asked for before anything else is known of the log.
 */
import { useCallback, useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { FailureNotice } from '../shell/failure-notice.tsx';
import { FilterField } from '../shell/filter-field.tsx';
import { FilterSwitch } from '../shell/filter-switch.tsx';
import { formatFilter, type Term } from '../shell/filter-text.ts';
import { Glyph } from '../shell/glyph.tsx';
import { useKeys } from '../shell/keys.ts';
import { LiveButton } from '../shell/live-button.tsx';
import { pageClock } from '../shell/page-clock.ts';
import type { PageContext } from '../shell/page-context.ts';
import { streamRoute, type ActorsRoute } from '../shell/route.ts';
import { StatusMark } from '../shell/status-mark.tsx';
import { useTail } from '../shell/use-tail.ts';
import { useValidFilter } from '../shell/valid-filter.ts';
import { VirtualList } from '../shell/virtual-list.tsx';
import { actorFilter, statuses } from './actor-filter.ts';
import { createActorPages, type ActorPages } from './actor-pages.ts';
import { ActorRow } from './actor-row.tsx';

const everyActor = actorFilter('');
const rowHeight = 28;
const refreshMs = 1000;
const machinesShown = 5;

export interface ActorsPageProps extends PageContext {
  readonly route: ActorsRoute;
}

export function ActorsPage({ api, navigation, log, route }: ActorsPageProps) {
  const typed = useMemo(() => actorFilter(route.filter), [route.filter]);
  const { applied: filter, complaint } = useValidFilter(typed, everyActor);
  const pages = useMemo(() => createActorPages(api, filter), [api, filter]);
  const [active, setActive] = useState(0);
  const [isLive, setLive] = useState(true);
  const field = useRef<HTMLInputElement>(null);
  const drawn = useRef<readonly [from: number, to: number]>([0, 0]);
  const { count, isLoading, isWhole, failure } = pages.state.value;
  const now = useNow();

  useEffect(() => {
    setActive(0);
    setToEnd(false);
    pages.more();
    return () => pages.close();
  }, [pages]);

  // The end of the list is behind pages that are not there yet.
  const [isToEnd, setToEnd] = useState(false);
  useEffect(() => {
    if (!isToEnd) return;
    if (isWhole || failure) {
      setActive(Math.max(0, count - 1));
      setToEnd(false);
    } else if (!isLoading) pages.more(true);
  }, [isToEnd, pages, count, isWhole, isLoading, failure]);
  const choose = (index: number) => {
    setToEnd(false);
    setActive(Math.max(0, Math.min(count - 1, index)));
  };

  const callOff = useRef<(() => void) | undefined>(undefined);
  const refreshSoon = () => {
    callOff.current ??= pageClock.after(refreshMs, () => {
      callOff.current = undefined;
      void pages.refresh(...drawn.current);
    });
  };
  useEffect(() => () => callOff.current?.(), []);
  const opened = useRef(false);
  const tail = useTail(api, undefined, isLive && log !== undefined && !log.isFile, {
    onRow: refreshSoon,
    onOpen() {
      if (opened.current) refreshSoon();
      opened.current = true;
    },
  });

  const onWindow = useCallback(
    (from: number, to: number) => {
      drawn.current = [from, to];
      if (to > pages.state.peek().count - 100) pages.more();
    },
    [pages],
  );
  const setTerms = (terms: readonly Term[]) => navigation.step({ page: 'actors', filter: formatFilter(terms) });
  const open = (index: number) => {
    const actor = pages.at(index);
    if (actor) navigation.go(streamRoute(actor.stream));
  };
  const focusList = () => document.getElementById('actors')?.focus();
  useKeys((key, { target }) => {
    if (key === '/') return field.current?.focus();
    const step = steps[key];
    if (step !== undefined) return choose(active + step);
    if (key === 'Home') return choose(0);
    if (key === 'End') return setToEnd(true);
    if (key === 'Enter' && !(target instanceof HTMLAnchorElement)) return open(active);
    return false;
  });

  const machines = machineNames(log?.machines ?? [], pages, count);
  return (
    <main class="actors-page">
      <form class="filter-line" role="search" onSubmit={(event) => event.preventDefault()}>
        <FilterField
          field={field}
          value={route.filter}
          label="Filter the actors"
          placeholder="name, /pattern/, machine:…, -status:…"
          complaint={complaint}
          onValue={(text) => navigation.step({ page: 'actors', filter: text })}
          onLeave={focusList}
        />
        <span class="switches">
          {statuses.map((status) => (
            <FilterSwitch key={status} terms={filter.terms} field="status" value={status} onTerms={setTerms}>
              <StatusMark status={status} />
            </FilterSwitch>
          ))}
          <FilterSwitch terms={filter.terms} field="is" value="failed" onTerms={setTerms}>
            failed
          </FilterSwitch>
        </span>
        <span class="switches machines">
          {machines.slice(0, machinesShown).map((machine) => (
            <FilterSwitch key={machine} terms={filter.terms} field="machine" value={machine} onTerms={setTerms}>
              <span class="mono">{machine}</span>
            </FilterSwitch>
          ))}
        </span>
        <span class="grow" />
        {!log || log.isFile ? null : <LiveButton isOn={isLive} state={tail.state} onToggle={() => setLive(!isLive)} />}
      </form>
      <div class="actor-row actor-head muted" aria-hidden="true">
        <span>status</span>
        <span>actor</span>
        <span class="wide">machine</span>
        <span class="wide">correlation</span>
        <span class="number">events</span>
        <span class="number">effects</span>
        <span class="number">wakes</span>
      </div>
      <VirtualList
        id="actors"
        label="Actors"
        class="actor-list"
        count={count}
        rowHeight={rowHeight}
        active={count > 0 ? active : -1}
        row={(index) => ({
          key: pages.at(index)?.stream ?? index,
          content: <ActorRow actor={pages.at(index)} now={now} />,
        })}
        onChoose={open}
        onWindow={onWindow}
        footer={
          <div class="list-footer">
            {failure ? (
              <FailureNotice failure={failure} what="The actors cannot be listed" retry={() => pages.more()} />
            ) : null}
            {!failure && isWhole && count === 0 ? <Nothing isFiltered={route.filter !== ''} /> : null}
            {isLoading && count > 0 ? <p class="muted">more …</p> : null}
          </div>
        }
      />
      <p class="list-status muted" role="status">
        {countWords(count, isWhole, isLoading)}
      </p>
    </main>
  );
}

const steps: { readonly [key: string]: number } = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1, PageDown: 20, PageUp: -20 };

function Nothing({ isFiltered }: { readonly isFiltered: boolean }) {
  return (
    <div class="notice">
      <p>
        <Glyph name="circle" /> {isFiltered ? 'No actor is like that.' : 'No actor is on this log yet.'}
      </p>
      <p class="muted">
        {isFiltered ? 'Take something out of the filter.' : 'Start one: what is appended shows up here.'}
      </p>
    </div>
  );
}

/** Those that were seen, and after them those whose code is at hand. */
function machineNames(known: readonly string[], pages: ActorPages, count: number): readonly string[] {
  const seen = new Set<string>();
  for (let index = 0; index < Math.min(count, 400); index++) seen.add(pages.at(index)?.machine ?? '');
  seen.delete('');
  return [...new Set([...[...seen].toSorted(), ...known.toSorted()])];
}

function countWords(count: number, isWhole: boolean, isLoading: boolean): string {
  if (count === 0 && !isWhole) return isLoading ? 'looking …' : '';
  return `${count.toLocaleString('en')}${isWhole ? '' : '+'} ${count === 1 && isWhole ? 'actor' : 'actors'}`;
}

/** The time, for what is said relative to it. */
function useNow(): number {
  const [now, setNow] = useState(pageClock.now());
  useEffect(() => pageClock.after(1000, () => setNow(pageClock.now())), [now]);
  return now;
}
