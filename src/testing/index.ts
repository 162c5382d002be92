/** The public surface of 'rewake/testing': exports only. Needs fast-check. */
export { audit, violationsIn, type AuditOptions, type AuditSource } from './audit/audit.ts';
export { auditedInvariants, type AuditNeed, type AuditedInvariant } from './audit/audited-invariants.ts';
export { describeViolation, type Evidence, type Violation } from './audit/violation.ts';
export { VirtualClock, seededRandom } from '../clock.ts';
export { eventsFor, scriptsFor, type EventsOptions } from './events-for.ts';
export {
  EffectNotScriptedError,
  EndlessScenarioError,
  ModelMismatchError,
  NotDeterministicError,
  UnboundedModelError,
} from './failures.ts';
export type { Fault, FaultPlan, WorldFault } from './fault-plan.ts';
export { faults, type FaultKinds, type LoosePlan } from './faults.ts';
export { FaultyLog, type AppendPhase, type LogFault, type SnapshotPhase, type Strike } from './faulty-log.ts';
export { fuzz, type FuzzOptions, type FuzzReport } from './fuzz.ts';
export type { Breach } from './judge.ts';
export type { Restart } from './hosted-model.ts';
export type { GraphOptions } from './model-graph.ts';
export type { ModelEffects, ModelOutcomes } from './model-outcomes.ts';
export { paths, type ModelPath, type PathsOptions } from './model-paths.ts';
export type { EventPayloads, EventValues } from './model-payloads.ts';
export type { ModelScript, ModelStep } from './model-step.ts';
export type { WalkOptions } from './model-walk.ts';
export type { ActorView, Outcome, SeenFact } from './outcome.ts';
export type { Mark, Recovery, Run } from './run.ts';
export { replay, type ReplayOptions } from './replay.ts';
export { RecoveryFailureError, type Chance } from './report.ts';
export type { Answer, EffectCall, EffectScript } from './effect-script.ts';
export { defineScenario, type Scenario, type ScenarioEvent } from './scenario.ts';
export type { Call, Loss } from './scripted-world.ts';
export { sweep, type SweepOptions, type SweepReport } from './sweep.ts';
export { testModelOf, type DurableTestModel, type TestModelOptions } from './test-model.ts';
export { timelineOf } from './timeline.ts';
export type { Tally, Trial } from './trials.ts';
export type { ContractFeature, ContractFixture, ContractTarget } from './contract/contract-case.ts';
export {
  logContract,
  type CreateLog,
  type LogContract,
  type LogContractCase,
  type NotApplicableCase,
} from './contract/log-contract.ts';
export {
  golden,
  GoldenMismatchError,
  type Golden,
  type GoldenCase,
  type GoldenOptions,
  type RecordOptions,
} from './golden/golden.ts';
export type { StateDifference } from './golden/end-state.ts';
export { GoldenFileError, type GoldenRecording } from './golden/golden-files.ts';
export { replayAll, type ReplayAllOptions, type ReplayAllProgress } from './replay-all/replay-all.ts';
export type { ReplayProblem, ReplaySummary } from './replay-all/replay-summary.ts';
export type { ReplayVerdict, StreamReplay } from './replay-all/stream-replay.ts';
export { phases, type Phase } from './phases.ts';
export { crashesOf } from './run-crashes.ts';
export { Coverage, coverageOfLog, type CoverageOptions, type LogCoverageOptions } from './coverage.ts';
export {
  formatCoverage,
  type CoverageReport,
  type Covered,
  type CrashMark,
  type HandlersCovered,
  type MachineCoverage,
  type NotFolded,
} from './coverage-report.ts';
export {
  assertSometimes,
  NeverReachedError,
  sometimes,
  sometimesReport,
  SometimesTracker,
  withSometimes,
  type SometimesCount,
} from './sometimes.ts';
export type { MachineWorld } from './charts/build-actions.ts';
export { chartFeatures, type Chart, type ChartFeature } from './charts/chart.ts';
export { EffectDesk, type EffectAct, type EffectPort, type EffectView } from './charts/effect-desk.ts';
export { GeneratedMachine, machines, type MachinesOptions } from './charts/generated-machine.ts';
export {
  LiveStateDiffersError,
  playHosted,
  type HiddenFault,
  type HostedOptions,
  type HostedRun,
} from './charts/play-hosted.ts';
export { playPlain, type PlainOptions } from './charts/play-plain.ts';
export { scripts, type ScriptStep } from './charts/scripts.ts';
export { durableTrace, type DurableTrace, type Trace, type TraceRow } from './charts/trace.ts';
export { captureTest, storyOf, type CaptureOptions } from './capture.ts';
export {
  replayStory,
  StoryFailedError,
  type ReplayStoryOptions,
  type Story,
  type StoryEnd,
  type StoryStimulus,
} from './story.ts';
