/**
 * Which error handlers ran: the projection `handlerHistory`. Owns how the beginning and the end of a run are put together.
 *
 * HH1  Entries are in the order in which the handlers began, over all streams.
 * HH2  A rewind removes nothing: what it takes back is marked. What was under way at the revision it goes back to is under
 *      way again, as an entry of its own.
 */
import type { Revision, TimeMs } from 'rewake';
import type { FoldKit, LoggedError, Shelves } from './fold-kit.ts';
import type { ProjectedEvent } from './projected-event.ts';
import { portableProjection, type Fold, type PortableProjection } from './projection.ts';

/** One run of one handler, or an error that went on to the next scope. */
export interface HandlerRun {
  /** Place among all of them, from 0. */
  readonly order: number;
  readonly stream: string;
  readonly revision: Revision;
  readonly correlationId: string;
  /** Address of the machine that told it. */
  readonly actor: string;
  /** Null where no handler took the error: it was escalated. */
  readonly handler: string | null;
  readonly scope: string;
  /** Name of the step, phase or flow. */
  readonly subject: string;
  /** What it was called for. */
  readonly error: LoggedError;
  /** How often this handler has begun for this subject, this time included: from 1. */
  readonly attempt: number;
  readonly startedAt: TimeMs;
  readonly endedAt: TimeMs | null;
  readonly outcome: 'running' | 'completed' | 'failed' | 'escalated' | 'cutOff';
  /** What it ended with: `retry`, `fallback`, `skip` and so on; of an escalation its reason. */
  readonly action: string | null;
  /** How often its own work was tried. */
  readonly attempts: number | null;
  /** What it failed with itself. */
  readonly failure: LoggedError | null;
  /** Whether the actor was set back to before this. */
  readonly rewound: boolean;
}

/** A time at which an actor was set back. */
export interface Rewind {
  readonly stream: string;
  /** Of the rebase. */
  readonly revision: Revision;
  /** The revision whose state stands since then. */
  readonly to: Revision;
  readonly at: TimeMs;
}

/** What handlers did, and where actors were set back. */
export interface HandlerHistory {
  readonly runs: readonly HandlerRun[];
  readonly rewinds: readonly Rewind[];
}

interface LoggedRun extends HandlerRun {
  /** Revisions of the stimuli with which it began and ended. */
  readonly begunIn: Revision;
  readonly endedIn: Revision | null;
}

interface History {
  readonly runs: readonly LoggedRun[];
  readonly rewinds: readonly Rewind[];
}

/** The history of each stream, and how many runs there are in all. */
export interface HandlerHistoryState {
  readonly count: number;
  readonly streams: Shelves<History>;
}

/** Which handler ran for which error, and what came of it. */
export const handlerHistory: PortableProjection<HandlerHistoryState, HandlerHistory> = portableProjection(
  'handlerHistory',
  1,
  handlerHistoryFold,
);

function handlerHistoryFold(kit: FoldKit): Fold<HandlerHistoryState, HandlerHistory> {
  const name = (event: ProjectedEvent, key: string) => kit.text(event.data[key]) ?? '';

  function begun(history: History, event: ProjectedEvent, order: number): LoggedRun {
    const [scope, subject] = [name(event, 'scope'), name(event, 'subject')];
    const handler = kit.text(event.data.handler) ?? null;
    const isAgain = (run: HandlerRun) => run.handler === handler && run.scope === scope && run.subject === subject;
    return {
      order,
      stream: event.stream,
      revision: event.revision,
      correlationId: kit.correlationOf(event),
      actor: event.meta.actor!,
      handler,
      scope,
      subject,
      error: kit.errorOf(event.data.error),
      attempt: history.runs.filter((run) => isAgain(run) && !run.rewound).length + 1,
      startedAt: event.at,
      endedAt: null,
      outcome: 'running',
      action: null,
      attempts: null,
      failure: null,
      rewound: false,
      begunIn: event.stimulus,
      endedIn: null,
    };
  }

  function ended(history: History, event: ProjectedEvent): History {
    const { handler, scope, subject } = event.data;
    const isIt = (run: HandlerRun) => run.handler === handler && run.scope === scope && run.subject === subject;
    // What ends the actor comes before the facts of the same step.
    const isRunning = ({ outcome, endedIn }: LoggedRun) =>
      outcome === 'running' || (outcome === 'cutOff' && endedIn === event.stimulus);
    const running = history.runs.map((run) => isIt(run) && isRunning(run)).lastIndexOf(true);
    // A handler that has decided fails when the fallback it decided on does.
    const decided = history.runs.map((run) => isIt(run) && run.outcome === 'completed').lastIndexOf(true);
    const at = running < 0 && event.type === 'HandlerFailed' ? decided : running;
    if (at < 0) return history;
    const isDone = event.type === 'HandlerCompleted';
    const end: Partial<LoggedRun> = {
      endedIn: event.stimulus,
      endedAt: event.at,
      outcome: isDone ? 'completed' : 'failed',
      action: isDone ? (kit.text(event.data.action) ?? null) : history.runs[at]!.action,
      attempts: kit.number(event.data.attempts) ?? null,
      failure: isDone ? null : kit.errorOf(event.data.error),
    };
    return { ...history, runs: history.runs.map((run, index) => (index === at ? { ...run, ...end } : run)) };
  }

  /** What is under way when an actor is set back, or ends, does not come to an end of its own. */
  function cutOff(history: History, { at, stimulus }: ProjectedEvent): History {
    if (!history.runs.some(({ outcome }) => outcome === 'running')) return history;
    const cut = { outcome: 'cutOff', endedAt: at, endedIn: stimulus } as const;
    return { ...history, runs: history.runs.map((run) => (run.outcome === 'running' ? { ...run, ...cut } : run)) };
  }

  /** Whether what happened with this stimulus is part of the past that the actor has after its rewinds. */
  function stands(stimulus: Revision, rewinds: readonly Rewind[]): boolean {
    let last = Infinity;
    for (const { revision, to } of [...rewinds].reverse()) {
      // A rewind that was taken back itself moves nothing.
      if (revision > last) continue;
      if (stimulus > revision) break;
      last = to;
    }
    return stimulus <= last;
  }

  function setBack(history: History, event: ProjectedEvent): History {
    const { stream, revision, at } = event;
    const rewinds = [...history.rewinds, { stream, revision, to: kit.number(event.data.to) ?? revision, at }];
    const past = cutOff(history, event).runs.map((run) => ({
      ...run,
      rewound: !stands(run.begunIn, rewinds) || run.endedIn === null || !stands(run.endedIn, rewinds),
    }));
    // One entry for each beginning that stands without an end that does.
    const begins = new Map(past.map((run) => [run.revision, run]));
    for (const { revision: begin, rewound } of past) if (!rewound) begins.delete(begin);
    const again = [...begins.values()].filter(({ begunIn }) => stands(begunIn, rewinds));
    const on = {
      endedAt: null,
      endedIn: null,
      outcome: 'running',
      action: null,
      attempts: null,
      failure: null,
    } as const;
    return { runs: [...past, ...again.map((run) => ({ ...run, ...on, rewound: false }))], rewinds };
  }

  function afterStimulus(history: History, event: ProjectedEvent): History {
    if (event.type === 'ActorRebased' && event.data.reason === 'rewound') return setBack(history, event);
    const status = kit.statusAfter(event);
    return status !== undefined && status !== 'active' ? cutOff(history, event) : history;
  }

  return {
    initial: { count: 0, streams: {} },
    apply(state, event) {
      const history = kit.get(state.streams, event.stream) ?? { runs: [], rewinds: [] };
      const save = (next: History, more = 0) =>
        next === history ? state : { count: state.count + more, streams: kit.put(state.streams, event.stream, next) };
      if (!kit.isFact(event)) return save(afterStimulus(history, event));
      if (event.type === 'HandlerCompleted' || event.type === 'HandlerFailed') return save(ended(history, event));
      if (event.type === 'HandlerStarted')
        return save({ ...history, runs: [...history.runs, begun(history, event, state.count)] }, 1);
      if (event.type !== 'ErrorEscalated') return state;
      const action = kit.text(event.data.reason) ?? null;
      const run = {
        ...begun(history, event, state.count),
        outcome: 'escalated',
        endedAt: event.at,
        endedIn: event.stimulus,
        action,
      } as const;
      return save({ ...history, runs: [...history.runs, run] }, 1);
    },
    result({ streams }) {
      const all = kit.entries(streams).map(([, history]) => history);
      return {
        runs: all
          .flatMap(({ runs }) => runs)
          .map(({ begunIn: _, endedIn: __, ...run }) => run)
          .sort((a, b) => a.order - b.order),
        rewinds: all.flatMap(({ rewinds }) => rewinds),
      };
    },
  };
}
