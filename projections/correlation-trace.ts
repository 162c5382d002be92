/**
 * Everything that one correlation id caused: the projection `correlationTrace(id)`. Owns the tree; ids are the runtime's.
 *
 * CT1  Every event of the correlation is in the tree once, under the event that caused it, across all streams.
 * CT2  An event whose cause is not on the log, or is of another correlation, is a root.
 * CT3  A trace may be as long as the log: nothing that an event adds copies all that came before it.
 */
import type { Revision, TimeMs } from 'rewake';
import type { FoldKit } from './fold-kit.ts';
import { portableProjection, type Fold, type PortableProjection } from './projection.ts';

/** One event, and what it caused. */
export interface TraceNode {
  readonly id: string;
  readonly type: string;
  readonly stream: string;
  readonly revision: Revision;
  readonly at: TimeMs;
  /** Of a fact, who told it; of a stimulus, whom it is about; null where that is the whole actor. */
  readonly actor: string | null;
  readonly isFact: boolean;
  /** Where a fork comes from, at its beginning. */
  readonly origin: unknown;
  /** In the order of the log. */
  readonly caused: readonly TraceNode[];
}

/** What one correlation id caused. */
export interface CorrelationTrace {
  readonly correlationId: string;
  /** In the order in which they were first touched. */
  readonly streams: readonly string[];
  readonly events: number;
  readonly roots: readonly TraceNode[];
}

interface Traced extends Omit<TraceNode, 'caused'> {
  readonly cause: string;
  readonly order: number;
}

/** The events of the correlation, in the order of the log. */
export interface CorrelationTraceState {
  readonly count: number;
  /** In bundles that are full, and not touched any more. */
  readonly bundles: readonly (readonly Traced[])[];
  readonly newest: readonly Traced[];
}

/**
 * A projection of one correlation id.
 *
 * @example
 * const { roots } = await project(correlationTrace('request-7'), runtime.log);
 */
export function correlationTrace(correlationId: string): PortableProjection<CorrelationTraceState, CorrelationTrace> {
  return portableProjection(`correlationTrace ${correlationId}`, 2, correlationTraceFold, { correlationId });
}

function correlationTraceFold(
  kit: FoldKit,
  { correlationId }: { readonly correlationId: string },
): Fold<CorrelationTraceState, CorrelationTrace> {
  // CT3. An event copies the newest ones, and every so often the list of bundles.
  const bundleSize = 256;
  return {
    initial: { count: 0, bundles: [], newest: [] },
    apply(state, event) {
      if (kit.correlationOf(event) !== correlationId) return state;
      const { id, type, stream, revision, at, meta, data } = event;
      const traced: Traced = {
        ...{ id, type, stream, revision, at, isFact: kit.isFact(event), order: state.count },
        actor: meta.actor ?? kit.text(data.actor) ?? kit.text(data.to) ?? null,
        origin: kit.isFact(event) ? null : (data.origin ?? null),
        cause: meta.$causationId ?? id,
      };
      const newest = [...state.newest, traced];
      const isFull = newest.length === bundleSize;
      return {
        count: state.count + 1,
        bundles: isFull ? [...state.bundles, newest] : state.bundles,
        newest: isFull ? [] : newest,
      };
    },
    result({ count, bundles, newest }) {
      const events = new Map([...bundles.flat(), ...newest].map((traced) => [traced.id, traced]));
      const all = [...events.values()];
      const byCause = new Map<string, Traced[]>();
      const isRoot = ({ id, cause, order }: Traced) => {
        const by = cause === id ? undefined : events.get(cause);
        // A cause comes before what it causes; anything else is a log that was tampered with, and must not be a cycle.
        return by === undefined || by.order >= order;
      };
      for (const traced of all) {
        const under = isRoot(traced) ? '' : traced.cause;
        const siblings = byCause.get(under);
        if (siblings) siblings.push(traced);
        else byCause.set(under, [traced]);
      }
      // From the last to the first, so that what an event caused is complete before it is: chains are long, and a stack is not.
      const nodes = new Map<string, TraceNode>();
      for (const { cause: _, order: __, ...traced } of [...all].reverse()) {
        const caused = (byCause.get(traced.id) ?? []).map(({ id }) => nodes.get(id)!);
        nodes.set(traced.id, { ...traced, caused });
      }
      return {
        correlationId,
        streams: [...new Set(all.map(({ stream }) => stream))],
        events: count,
        roots: (byCause.get('') ?? []).map(({ id }) => nodes.get(id)!),
      };
    },
  };
}
