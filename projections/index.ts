/** The public surface of 'rewake/projections': exports only. */
export { breakerStatus, type BreakerReport, type BreakerStatusState } from './breaker-status.ts';
export {
  correlationTrace,
  type CorrelationTrace,
  type CorrelationTraceState,
  type TraceNode,
} from './correlation-trace.ts';
export { errorContext, type ErrorContextState, type ErrorFollowUp, type ErrorStory } from './error-context.ts';
export type { Execution, RunningStep, Wait } from './execution.ts';
export { executions, type ExecutionsState } from './executions.ts';
export type { ArmedTimer, FoldKit, LoggedError, LoggedTransition, Shelves } from './fold-kit.ts';
export { follow } from './follow.ts';
export {
  handlerHistory,
  type HandlerHistory,
  type HandlerHistoryState,
  type HandlerRun,
  type Rewind,
} from './handler-history.ts';
export { readProjection, type ServedProjection } from './kept-state.ts';
export { toKurrentSource, type KurrentOptions } from './kurrent.ts';
export { materialize, type MaterializedProjection, type MaterializeOptions } from './materialize.ts';
export { memoryProjections } from './memory-projections.ts';
export { pendingTimers, type PendingTimer, type PendingTimersState } from './pending-timers.ts';
export { project, type ProjectOptions } from './project.ts';
export type { ProjectedEvent } from './projected-event.ts';
export {
  portableProjection,
  type Fold,
  type FoldMaker,
  type MergingProjection,
  type Monoid,
  type PortableProjection,
  type PortableSource,
  type Projection,
} from './projection.ts';
export type { ReadingOptions, SkippedStream } from './reading.ts';
export { recoveryMetrics, type Recovery, type RecoveryReport } from './recovery-metrics.ts';
export type { OpenRun, RecoveryMetricsState, RecoverySums } from './recovery-sums.ts';
