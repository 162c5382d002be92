/**
 * How the circuit breakers stand: the projection `breakerStatus`. Owns what their facts come to; it counts what was told and
 * does not repeat a breaker's decisions.
 *
 * BS1  The state of a breaker is the one its machine is in; where its beginning is not on the log, the one of its newest
 *      fact. A breaker that is open lets a probe through when its time is over and a call asks: until it tells so it is
 *      open here, with the time that it is open until.
 * BS2  Calls that were refused are counted by key wherever a step tells them.
 */
import type { TimeMs } from 'rewake';
import type { FoldKit, Shelves } from './fold-kit.ts';
import type { ProjectedEvent } from './projected-event.ts';
import { portableProjection, type Fold, type PortableProjection } from './projection.ts';

/** How a breaker stands. */
export interface BreakerReport {
  readonly key: string;
  /** Its stream; null where only its refusals are known. */
  readonly stream: string | null;
  readonly state: 'closed' | 'open' | 'halfOpen' | 'isolated' | 'disabled' | 'metricsOnly' | 'unknown';
  readonly since: TimeMs | null;
  /** When it may be probed; null unless it is open. */
  readonly openUntil: TimeMs | null;
  /** Why it opened last; null where it never has. */
  readonly reason: string | null;
  /** The newest failure it knew of when it opened last. */
  readonly lastFailure: unknown;
  /** How often it opened in all. */
  readonly opened: number;
  readonly probes: number;
  readonly probesExpired: number;
  readonly staleOutcomes: number;
  /** Attempts that were not let through, as steps have told. */
  readonly rejected: number;
}

interface Known extends Omit<BreakerReport, 'rejected'> {
  /** Whether its transitions say its state. */
  readonly tracked: boolean;
}

/** What is known of each breaker, by its stream, and refusals by key. */
export interface BreakerStatusState {
  readonly breakers: Shelves<Known>;
  readonly rejected: Shelves<number>;
}

/** All breakers, in order of their keys and streams. */
export const breakerStatus: PortableProjection<BreakerStatusState, readonly BreakerReport[]> = portableProjection(
  'breakerStatus',
  1,
  breakerStatusFold,
);

function breakerStatusFold(kit: FoldKit): Fold<BreakerStatusState, readonly BreakerReport[]> {
  const states: Readonly<Record<string, BreakerReport['state']>> = {
    CircuitOpened: 'open',
    CircuitHalfOpened: 'halfOpen',
    CircuitClosed: 'closed',
    CircuitIsolated: 'isolated',
    CircuitReleased: 'closed',
    CircuitEnabled: 'closed',
  };
  const counts: Readonly<Record<string, 'opened' | 'probes' | 'probesExpired' | 'staleOutcomes'>> = {
    CircuitOpened: 'opened',
    ProbeAdmitted: 'probes',
    ProbeExpired: 'probesExpired',
    StaleOutcomeIgnored: 'staleOutcomes',
  };

  function unknown(key: string, stream: string | null): Known {
    return {
      ...{ key, stream, state: 'unknown' as const, since: null, openUntil: null, reason: null, lastFailure: null },
      ...{ opened: 0, probes: 0, probesExpired: 0, staleOutcomes: 0, tracked: false },
    };
  }

  function stateAfter({ type, data }: ProjectedEvent): BreakerReport['state'] | undefined {
    if (type === 'CircuitDisabled') return data.mode === 'metricsOnly' ? 'metricsOnly' : 'disabled';
    return Object.hasOwn(states, type) ? states[type] : undefined;
  }

  function inState(before: Known, state: BreakerReport['state'], at: TimeMs): Known {
    return state === before.state ? before : { ...before, state, since: at, openUntil: null };
  }

  /** The state of the machine, which only in `open` has states of its own. */
  function stateIn(event: ProjectedEvent): BreakerReport['state'] | undefined {
    const to = kit.rootStateAfter(event);
    if (to === undefined || to === null) return undefined;
    return (typeof to === 'string' ? to : 'open') as BreakerReport['state'];
  }

  function told(before: Known, event: ProjectedEvent): Known {
    const { type, data, at } = event;
    const state = stateAfter(event);
    const counter = Object.hasOwn(counts, type) ? counts[type] : undefined;
    let next = before;
    if (counter) next = { ...next, [counter]: next[counter] + 1 };
    if (state && !before.tracked) next = inState(next, state, at);
    if (type !== 'CircuitOpened') return next;
    const openUntil = kit.number(data.openUntil) ?? null;
    return { ...next, openUntil, reason: kit.text(data.reason) ?? null, lastFailure: data.lastFailure ?? null };
  }

  /** Of a breaker, what it is called and whether it begins closed. */
  function startedAs({ type, meta, data, at, stream }: ProjectedEvent): Known | undefined {
    if (type !== 'ActorStarted' || meta.actor !== undefined || data.machine !== 'breaker') return undefined;
    const key = kit.isRecord(data.input) ? kit.text(data.input.key) : undefined;
    return key === undefined ? undefined : { ...unknown(key, stream), state: 'closed', since: at, tracked: true };
  }

  /** The key of the breaker that refused: its error names it. */
  function refusing({ data }: ProjectedEvent): string | undefined {
    const error = kit.errorOf(data.error);
    return /circuit breaker '(.+?)' is /.exec(error.message)?.[1];
  }

  return {
    initial: { breakers: {}, rejected: {} },
    apply(state, event) {
      const known = startedAs(event) ?? kit.get(state.breakers, event.stream);
      if (!kit.isFact(event)) {
        if (!known?.tracked) return state;
        const next = inState(known, stateIn(event) ?? known.state, event.at);
        return kit.isSame(next, kit.get(state.breakers, event.stream))
          ? state
          : { ...state, breakers: kit.put(state.breakers, event.stream, next) };
      }
      if (event.type === 'AttemptRejected') {
        const key = refusing(event);
        if (key === undefined || event.isCopy) return state;
        return { ...state, rejected: kit.put(state.rejected, key, (kit.get(state.rejected, key) ?? 0) + 1) };
      }
      const key = kit.text(event.data.key);
      const isOurs = stateAfter(event) !== undefined || Object.hasOwn(counts, event.type);
      if (key === undefined || !isOurs) return state;
      const next = told(known ?? unknown(key, event.stream), event);
      return { ...state, breakers: kit.put(state.breakers, event.stream, next) };
    },
    result({ breakers, rejected }) {
      const known = kit.entries(breakers).map(([, breaker]) => breaker);
      const keys = known.map(({ key }) => key);
      const others = kit.entries(rejected).filter(([key]) => !keys.includes(key));
      return [...known, ...others.map(([key]) => unknown(key, null))]
        .map(({ tracked: _, ...breaker }) => ({ ...breaker, rejected: kit.get(rejected, breaker.key) ?? 0 }))
        .sort((a, b) => kit.compare(a.key, b.key));
    },
  };
}
