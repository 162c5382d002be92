/** The public surface of 'rewake/machines', in the order of the files, and the machines that a runtime must know. */
import { breaker } from './breaker.ts';
import { breakerQuorum } from './breaker-quorum.ts';
import { cache } from './cache.ts';
import { rateLimiter } from './rate-limiter.ts';
import { retryBudget } from './retry-budget.ts';

export { approval, type ApprovalMachine } from './approval.ts';
export { ApprovalRejectedError, ApprovalTimedOutError } from './approval-answers.ts';
export type { AnswerProblem, ApprovalDecision, ApprovalEvent, ApprovalFact, ApprovalVote } from './approval-facts.ts';
export type { ApprovalNotice, ApprovalOptions, ApprovalRequest, Escalation } from './approval-options.ts';
export { backoff, type Backoff, type BackoffOptions, type BackoffStrategy, type Jitter } from './backoff.ts';
export { batch, BatchFailedError, type BatchOptions, type BatchResult, type ItemFailed } from './batch.ts';
export { breaker, type BreakerMachine } from './breaker.ts';
export type { BreakerEvent, BreakerFact } from './breaker-facts.ts';
export type { BreakerScope, BreakerUse } from './breaker-gate.ts';
export type { BreakerOptions } from './breaker-options.ts';
export { breakerState, type BreakerSnapshot, type BreakerState } from './breaker-permit.ts';
export {
  breakerQuorum,
  type BreakerQuorumEvent,
  type BreakerQuorumFact,
  type BreakerQuorumMachine,
} from './breaker-quorum.ts';
export { withBulkhead, type BulkheadOptions, type BulkheadRejected } from './bulkhead.ts';
export { cache, type CacheEntry, type CacheEvent, type CacheMachine, type CacheSnapshot } from './cache.ts';
export type { CacheOptions } from './cache-options.ts';
export {
  withCache,
  type CacheFact,
  type CacheHit,
  type CacheStored,
  type CacheUnavailable,
  type CallShared,
} from './caching.ts';
export { withCatch, type Caught, type ErrorCaught } from './catch.ts';
export { classify, type ErrorMatch, type ErrorRule, type ErrorVerdict } from './classify.ts';
export type { ErrorClass, Retryable } from './error-classes.ts';
export { signatureOf, type ErrorSignature } from './error-signature.ts';
export { leadsOn, withFallback, type FallbackEntered, type FallbackOptions } from './fallback.ts';
export { flow, type FlowMachine } from './flow.ts';
export { FlowAbortedError, FlowFailedError } from './flow-errors.ts';
export { flowMigration } from './flow-migration.ts';
export type {
  FlowAborted,
  FlowCleanupFailed,
  FlowEvent,
  FlowFact,
  FlowFailed,
  FlowPhaseFact,
  FlowPhaseFailed,
  FlowResumed,
  FlowStepCompleted,
  FlowStepFailed,
  FlowStepSkipped,
  FlowStepStarted,
  FlowStepUndone,
  FlowUndoFailed,
  InterventionAnswered,
  InterventionAnswerRefused,
  InterventionRequested,
} from './flow-facts.ts';
export {
  type,
  type FlowArgs,
  type FlowInputArgs,
  type FlowOptions,
  type FlowPhase,
  type FlowResults,
  type FlowRun,
  type FlowStep,
  type FlowUndoInput,
  type TypeOf,
} from './flow-options.ts';
export { ItemFailedError } from './for-each.ts';
export { withHandlers, type HandlersOptions } from './handled.ts';
export type { HandledMachine } from './handled-chart.ts';
export type {
  ErrorEscalated,
  EscalationReason,
  HandlerCompleted,
  HandlerFact,
  HandlerFailed,
  HandlerScope,
  HandlerStarted,
} from './handler-facts.ts';
export type { HandlerInput, HandlerMatch, HandlerOptions, HandlerOutcome, HandlerPlace } from './handler-options.ts';
export { handler, type Handler } from './handler.ts';
export {
  withHealing,
  type Diagnosed,
  type Diagnosis,
  type HealingEnded,
  type HealingOptions,
  type Patient,
  type RemedyApplied,
} from './healing.ts';
export { withHedge, type HedgeOptions, type HedgeStarted } from './hedge.ts';
export { comfyRetry, laminarRetry, tutorialRetry, tutorialTimeout } from './presets.ts';
export type { ComfyRetry, LaminarRetry, TutorialRetry } from './presets.ts';
export {
  withRateLimit,
  type CallDelayed,
  type CallRateLimited,
  type RateLimiterUnavailable,
  type RateLimitFact,
} from './rate-limit.ts';
export type { RateLimitOptions } from './rate-limit-gate.ts';
export type { RateLimit } from './rate-limit-options.ts';
export { rateLimiter, type RateLimiterEvent, type RateLimiterFact, type RateLimiterMachine } from './rate-limiter.ts';
export { recoverable, type Recoverable, type RecoverableFunction } from './recoverable.ts';
export type { RecoverableOptions } from './recoverable-options.ts';
export {
  abort,
  escalate,
  fallback,
  intervene,
  resumeFrom,
  retry,
  skip,
  type AbortAction,
  type EscalateAction,
  type FallbackAction,
  type InterveneAction,
  type LogicName,
  type RecoveredBy,
  type RecoveryAction,
  type RecoveryActionData,
  type ResumeFromAction,
  type RetryAction,
  type RetryActionOptions,
  type SkipAction,
} from './recovery-actions.ts';
export { RecoveryDirective } from './recovery-directive.ts';
export {
  BulkheadFullError,
  CircuitBreakerOpenError,
  FallbackExhaustedError,
  HandlerFailedError,
  RateLimitedError,
  RecoveryExhaustedError,
  ResultRefusedError,
  RetryAfterTooLongError,
  TimeoutError,
} from './recovery-errors.ts';
export { retryBudget, type RetryBudgetMachine } from './retry-budget.ts';
export type { RetryBudgetUse } from './retry-budget-gate.ts';
export {
  answerOf as retryBudgetAnswer,
  type RetryBudgetAnswer,
  type RetryBudgetEvent,
  type RetryBudgetFact,
  type RetryBudgetSnapshot,
} from './retry-budget-state.ts';
export { awsBudget, grpcBudget, type RetryBudgetOptions } from './retry-budget-options.ts';
export type { RetryOptions } from './retry-policy.ts';
export { saga, SagaFailedError, type SagaInput, type SagaStep, type SagaStepFailed, type StepUndone } from './saga.ts';
export { schedule, type ScheduleMachine } from './schedule.ts';
export type { ScheduledRun, ScheduleEvent, ScheduleFact, ScheduleSummary } from './schedule-facts.ts';
export type { ScheduleOptions } from './schedule-options.ts';
export type { DueRun, MissedTimes } from './schedule-plan.ts';
export { step, withBreaker, withDeadline, withRetry, withTimeout, type Call } from './step.ts';
export type { StepFact } from './step-facts.ts';
export type { StepMachine } from './step-machine.ts';
export type { PolicyOptions, TimeoutOption } from './step-policy.ts';
export type { ToolResult } from './tool-call.ts';
export { UnknownToolError, type ToolCallInput, type ToolExecutor } from './tool-executor.ts';
export type { ToolBill, ToolCalled, ToolCost, ToolFact } from './tool-facts.ts';
export type { ToolMachine } from './tool-machine.ts';
export { toolMetrics, type ToolEvent, type ToolMetrics, type ToolReport } from './tool-metrics.ts';
export type { Skipped, Tool, ToolOptions, ToolPolicies, ToolPolicy, Tools } from './tool-options.ts';
export type { ExecuteOptions, ToolDescription, ToolRegistry, ToolRegistryOptions } from './tool-types.ts';
export { toolRegistry } from './tools.ts';

// What a machine is started with and remembers is part of its type: a module that exports one must be able to name it.
export type { ApprovalContext } from './approval-answers.ts';
export type { BatchContext } from './batch.ts';
export type { BreakerInput } from './breaker-facts.ts';
export type { BreakerMode } from './breaker-options.ts';
export type { BreakerContext } from './breaker-permit.ts';
export type { BreakerQuorumContext, BreakerQuorumInput } from './breaker-quorum.ts';
export type { BulkheadContext } from './bulkhead.ts';
export type { CacheContext, CacheInput } from './cache.ts';
export type { CachingContext } from './caching.ts';
export type { CatchContext } from './catch.ts';
export type { FallbackContext } from './fallback.ts';
export type {
  FlowContext,
  FlowDecision,
  FlowPhaseState,
  FlowProgress,
  FlowStepState,
  FlowStepStatus,
} from './flow-state.ts';
export type { HandledContext } from './handled-chart.ts';
export type { HealingContext } from './healing.ts';
export type { HedgeContext } from './hedge.ts';
export type { PolicyMachine } from './policy-machine.ts';
export type { RateLimitContext } from './rate-limit.ts';
export type { RateLimiterContext, RateLimiterInput } from './rate-limiter.ts';
export type { RetryBudgetContext, RetryBudgetInput } from './retry-budget-state.ts';
export type { SagaContext } from './saga.ts';
export type { ScheduleContext } from './schedule.ts';
export type { StepContext } from './step-state.ts';

/** The machines that many have in common by a key. A runtime whose steps use a breaker, a budget, a rate limit or a cache must know them. */
export const recoveryMachines = { breaker, breakerQuorum, cache, rateLimiter, retryBudget } as const;
