/** The public surface of 'rewake': exports only. */
export {
  VirtualClock,
  realClock,
  seededRandom,
  sleep,
  toMs,
  type Clock,
  type Duration,
  type Random,
  type TimeMs,
} from './clock.ts';
export * from './errors.ts';
export { now, random, uuid } from './kernel/determinism.ts';
export type { MigratableState } from './kernel/migrate.ts';
export { definitionHash } from './kernel/definition-hash.ts';
export type {
  ActorHead,
  ActorQuery,
  ActorRow,
  ActorStatus,
  AppendResult,
  EventLog,
  Expected,
  Lease,
  NewEvent,
  Position,
  QuarantinedRecord,
  RecordedEvent,
  Revision,
  SubscriptionItem,
} from './log/event-log.ts';
export type { Finding, FindingCode, Severity } from './log/findings.ts';
export { memoryLog } from './log/memory-log.ts';
export { decode, encode, type Encoded } from './log/codec.ts';
export type { Json } from './log/json.ts';
export type { ProjectionSlot, ProjectionStore, StoredProjection } from './log/projection-store.ts';
export { readEvent } from './log/read-event.ts';
export type { LostEvent } from './log/stream-cut.ts';
export { verifyLog, type VerifyOptions, type VerifyProgress } from './log/verify.ts';
export { registerErrorClass } from './log/logged-errors.ts';
export {
  defineUpcasters,
  renamedTo,
  upcast,
  type UpcastEvent,
  type Upcaster,
  type UpcasterDefinitions,
  type Upcasters,
} from './log/upcast.ts';
export { ActorRef, type SendOptions, type Settlement } from './runtime/actor-ref.ts';
export {
  effect,
  effectContext,
  withEffectDefaults,
  type CheckpointSaved,
  type EffectArguments,
  type EffectContext,
  type EffectFunction,
  type EffectOptions,
} from './runtime/effect.ts';
export type { EnvironmentChange, EnvironmentOptions, OnEnvironmentChange } from './runtime/environment.ts';
export type { FeatureName, FeatureSwitches } from './runtime/features.ts';
export type { ForkOptions, PastStimulus } from './runtime/fork.ts';
export type { AcceptedEvent, AskedGuard, GuardAnswer } from './kernel/accepted-events.ts';
export { explainStream, type ExplainOptions } from './runtime/explain/explain.ts';
export type {
  AwaitedPerson,
  Blockage,
  BreakerStanding,
  EffectStanding,
  ExplainedEffect,
  ExplainedError,
  ExplainedMachine,
  ExplainedTimer,
  Explanation,
  ExplanationData,
  LogOwner,
  Moment,
  RefusingBreaker,
  WaitingRetry,
} from './runtime/explain/explained.ts';
export type { Logger } from './runtime/logger.ts';
export type { MachineEntry, Machines, Migrate } from './runtime/machines.ts';
export { isPassing } from './runtime/patience.ts';
export { createRuntime, Runtime, type AnyRuntime } from './runtime/runtime.ts';
export type { ResumeOptions, ResumeRequested } from './runtime/rebases.ts';
export { repairLog, type RepairOptions, type RepairReport, type StreamRepair } from './runtime/repair.ts';
export type { ListedActor, ListQuery, MachineOf, RuntimeOptions, StartOptions } from './runtime/runtime-options.ts';
