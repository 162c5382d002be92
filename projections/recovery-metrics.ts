/**
 * How well recovery works: the projection `recoveryMetrics`. Owns what is counted, by step and by tool, and the rates.
 *
 * RM1  It is a monoid: what was folded of some streams and of the others, merged, is what is folded of all of them.
 * RM2  A step has a place: the machine of its stream and its address without what is counted up. It is known to be a step
 *      once it has told a fact of one; all runs at its place count, those before and those without any failure, too.
 * RM3  What happened counts once, also where the actor was set back afterwards or was forked.
 */
import type { TimeMs } from 'rewake';
import type { FoldKit } from './fold-kit.ts';
import type { ProjectedEvent } from './projected-event.ts';
import { portableProjection, type Fold, type MergingProjection, type PortableProjection } from './projection.ts';
import { mergedMetrics, type OpenRun, type RecoveryMetricsState, type RecoverySums } from './recovery-sums.ts';

/** How well something recovers. Rates are shares from 0 to 1. */
export interface Recovery {
  /** Runs that have ended. */
  readonly runs: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Runs that were stopped from outside or skipped; they are part of no rate. */
  readonly stopped: number;
  /** Runs that were tried again at least once. */
  readonly retried: number;
  /** Runs in which an alternative was tried. */
  readonly fallbacks: number;
  /** Calls that failed or succeeded. One whose result a step refuses (`retryResult`) is told as a retry only. */
  readonly attempts: number;
  /** Runs that succeeded after something had failed in them. */
  readonly recovered: number;
  /** Share of succeeded and failed runs that succeeded; 1 where there was none. */
  readonly successRate: number;
  /** Calls per run; 0 where there was none. */
  readonly averageAttempts: number;
  readonly retryRate: number;
  readonly fallbackRate: number;
  /** From the first failure of a run to its success; null where none recovered. */
  readonly averageRecoveryMs: number | null;
}

/** How well steps and tools recover. */
export interface RecoveryReport {
  /** By the name of the step: of a step, a fallback, or a flow as `flow/step`. In order of their names. */
  readonly steps: readonly (Recovery & { readonly step: string })[];
  /** In order of their names. */
  readonly tools: readonly (Recovery & { readonly tool: string })[];
}

const portable = portableProjection<RecoveryMetricsState, RecoveryReport>('recoveryMetrics', 1, recoveryMetricsFold);

/** Success rate, attempts, retries, fallbacks and time to recover, by step and by tool. */
export const recoveryMetrics: PortableProjection<RecoveryMetricsState, RecoveryReport> &
  MergingProjection<RecoveryMetricsState, RecoveryReport> = {
  ...portable,
  empty: portable.initial,
  concat: mergedMetrics,
};

function recoveryMetricsFold(kit: FoldKit): Fold<RecoveryMetricsState, RecoveryReport> {
  type Change = Partial<RecoverySums>;
  const nothing: RecoverySums = {
    ...{ succeeded: 0, failed: 0, stopped: 0, failures: 0, calls: 0 },
    ...{ retried: 0, fallbacks: 0, recovered: 0, recoveryMs: 0 },
  };
  const fresh: OpenRun = { since: null, retried: false, fallback: false, step: null, flow: null, handled: false };

  function added(sums: RecoverySums | undefined, change: Change): RecoverySums {
    const total: Record<string, number> = { ...(sums ?? nothing) };
    for (const [key, value] of Object.entries(change)) total[key] = (total[key] ?? 0) + value;
    return total as unknown as RecoverySums;
  }

  /** RM2: without session numbers, and without the numbers in ids of actors that are many of one kind. */
  function placeOf(stream: string, actor: string): string {
    return `${kit.machineOf(stream)} ${actor.replace(/:\d+(?=\/|$)/g, '').replace(/\d+/g, '#')}`;
  }

  function count(state: RecoveryMetricsState, place: string, change: Change): RecoveryMetricsState {
    return { ...state, places: kit.put(state.places, place, added(kit.get(state.places, place), change)) };
  }

  function named(state: RecoveryMetricsState, place: string, name: string): RecoveryMetricsState {
    const names = kit.get(state.names, place) ?? {};
    const key = `.${name}`;
    return { ...state, names: kit.put(state.names, place, { ...names, [key]: (names[key] ?? 0) + 1 }) };
  }

  function runsOf(state: RecoveryMetricsState, stream: string): Readonly<Record<string, OpenRun>> {
    return kit.get(state.open, stream) ?? {};
  }

  function withRuns(state: RecoveryMetricsState, stream: string, runs: Readonly<Record<string, OpenRun>>) {
    return { ...state, open: kit.put(state.open, stream, Object.keys(runs).length > 0 ? runs : undefined) };
  }

  function noted(state: RecoveryMetricsState, stream: string, key: string, change: Partial<OpenRun>) {
    const runs = runsOf(state, stream);
    return withRuns(state, stream, kit.withKey(runs, key, { ...(runs[key] ?? fresh), ...change }));
  }

  /** What the end of a run adds to the sums of its place. */
  function ending(run: OpenRun | undefined, how: 'succeeded' | 'failed' | 'stopped', at: TimeMs): Change {
    const since = how === 'succeeded' ? (run?.since ?? null) : null;
    return { [how]: 1, ...(since !== null && { recovered: 1, recoveryMs: at - since }) };
  }

  function afterStimulus(before: RecoveryMetricsState, event: ProjectedEvent): RecoveryMetricsState {
    const { stream, at } = event;
    let state = before;
    for (const { actor, status } of kit.transitionsOf(event)) {
      if (status === 'active') continue;
      const runs = runsOf(state, stream);
      const how = status === 'done' ? 'succeeded' : status === 'error' ? 'failed' : 'stopped';
      state = count(state, placeOf(stream, actor), ending(runs[actor], how, at));
      const isLeft = (key: string) => !kit.isWithin(key.split(' ')[0]!, actor);
      state = withRuns(state, stream, kit.kept(runs, isLeft));
    }
    // The run that goes on from another state is not the one that was counted.
    const isSetBack = event.type === 'ActorRebased' && Object.keys(runsOf(state, stream)).length > 0;
    return isSetBack ? withRuns(state, stream, {}) : state;
  }

  /** Something failed in a run that goes on. */
  function failedOnce(state: RecoveryMetricsState, { stream, at, meta }: ProjectedEvent, kind: 'retried' | 'fallback') {
    const actor = meta.actor!;
    const run = runsOf(state, stream)[actor] ?? fresh;
    const since = run.since ?? at;
    const place = placeOf(stream, actor);
    const counted = run[kind] ? state : count(state, place, { [kind === 'fallback' ? 'fallbacks' : kind]: 1 });
    return noted(counted, stream, actor, { since, [kind]: true });
  }

  function afterTool(state: RecoveryMetricsState, { data }: ProjectedEvent): RecoveryMetricsState {
    const tool = kit.text(data.tool);
    const [attempts, durationMs] = [kit.number(data.attempts), kit.number(data.durationMs)];
    if (tool === undefined || attempts === undefined || durationMs === undefined) return state;
    const how = data.outcome === 'succeeded' ? 'succeeded' : data.outcome === 'failed' ? 'failed' : 'stopped';
    const isRecovered = how === 'succeeded' && attempts > 1;
    const change = {
      ...{ [how]: 1, calls: attempts, retried: attempts > 1 ? 1 : 0 },
      ...{ fallbacks: (kit.number(data.fallbackIndex) ?? 0) > 0 ? 1 : 0 },
      ...(isRecovered && { recovered: 1, recoveryMs: durationMs }),
    };
    return { ...state, tools: kit.put(state.tools, tool, added(kit.get(state.tools, tool), change)) };
  }

  const keyOfStep = (event: ProjectedEvent) => `${event.meta.actor} step ${String(event.data.step)}`;
  const placeOfStep = (flow: string, step: string) => `flow ${flow}/${step}`;

  function afterFlow(state: RecoveryMetricsState, event: ProjectedEvent): RecoveryMetricsState {
    const { type, stream, data, at } = event;
    const [flow, step] = [kit.text(data.flow), kit.text(data.step)];
    if (flow === undefined || step === undefined) return state;
    const key = keyOfStep(event);
    const place = placeOfStep(flow, step);
    if (type === 'FlowStepStarted') return named(noted(state, stream, key, { step, flow }), place, `${flow}/${step}`);
    const run = runsOf(state, stream)[key];
    const how = type === 'FlowStepCompleted' ? 'succeeded' : type === 'FlowStepFailed' ? 'failed' : 'stopped';
    const isFallback = type === 'FlowStepCompleted' && data.by === 'fallback';
    // Its last call succeeded, or it failed: that was counted where a handler was there for it.
    const isUncounted = how === 'failed' && !run?.handled;
    const change = {
      ...ending(run, how, at),
      ...(isFallback && { fallbacks: 1 }),
      ...(isUncounted && { failures: 1 }),
    };
    return withRuns(count(state, place, change), stream, kit.withKey(runsOf(state, stream), key, undefined));
  }

  /** A handler is called for a step of a flow that runs. */
  function afterHandler(state: RecoveryMetricsState, { type, stream, data, at }: ProjectedEvent): RecoveryMetricsState {
    const found = Object.entries(runsOf(state, stream)).filter(
      ([, { step }]) => step !== null && step === data.subject,
    );
    const [key, run] = found[found.length - 1] ?? [];
    if (key === undefined || run === undefined) return state;
    const place = placeOfStep(run.flow!, run.step!);
    if (type === 'HandlerStarted')
      return noted(count(state, place, { failures: 1 }), stream, key, { since: run.since ?? at, handled: true });
    if (data.action !== 'retry') return state;
    const retried = run.retried ? state : count(state, place, { retried: 1 });
    return noted(retried, stream, key, { retried: true, handled: false });
  }

  function afterFact(state: RecoveryMetricsState, event: ProjectedEvent): RecoveryMetricsState {
    const { type, stream, data, meta } = event;
    const place = placeOf(stream, meta.actor!);
    const step = kit.text(data.step);
    switch (type) {
      case 'ToolCalled':
        return afterTool(state, event);
      case 'AttemptFailed':
        return step === undefined ? state : named(count(state, place, { failures: 1 }), place, step);
      case 'RetryScheduled':
        return step === undefined ? state : named(failedOnce(state, event, 'retried'), place, step);
      case 'FallbackEntered':
        return step === undefined ? state : named(failedOnce(state, event, 'fallback'), place, step);
      case 'FlowStepStarted':
      case 'FlowStepCompleted':
      case 'FlowStepSkipped':
      case 'FlowStepFailed':
        return afterFlow(state, event);
      case 'HandlerStarted':
      case 'HandlerCompleted':
        return afterHandler(state, event);
      default:
        return state;
    }
  }

  function recoveryOf(sums: RecoverySums, attempts: number): Recovery {
    const { succeeded, failed, stopped, retried, fallbacks, recovered } = sums;
    const runs = succeeded + failed + stopped;
    const judged = succeeded + failed;
    const perRun = (value: number) => (runs === 0 ? 0 : value / runs);
    return {
      ...{ runs, succeeded, failed, stopped, retried, fallbacks, attempts, recovered },
      successRate: judged === 0 ? 1 : succeeded / judged,
      averageAttempts: perRun(attempts),
      retryRate: perRun(retried),
      fallbackRate: perRun(fallbacks),
      averageRecoveryMs: recovered === 0 ? null : sums.recoveryMs / recovered,
    };
  }

  /** The name that was told most at a place; the first of those in order. */
  function nameOf(names: Readonly<Record<string, number>>): string {
    const [best] = Object.entries(names).sort(([a, x], [b, y]) => y - x || kit.compare(a, b));
    return best![0].slice(1);
  }

  return {
    initial: { places: {}, tools: {}, names: {}, open: {} },
    apply(state, event) {
      // What a fork has copied was counted where it happened.
      if (event.isCopy) return state;
      return kit.isFact(event) ? afterFact(state, event) : afterStimulus(state, event);
    },
    result({ places, tools, names }) {
      const steps = new Map<string, RecoverySums>();
      for (const [place, told] of kit.entries(names)) {
        const name = nameOf(told);
        steps.set(name, added(steps.get(name), { ...(kit.get(places, place) ?? nothing) }));
      }
      return {
        steps: [...steps]
          .map(([step, sums]) => ({ step, ...recoveryOf(sums, sums.failures + sums.succeeded) }))
          .sort((a, b) => kit.compare(a.step, b.step)),
        tools: kit.entries(tools).map(([tool, sums]) => ({ tool, ...recoveryOf(sums, sums.calls) })),
      };
    },
  };
}
