/** The public surface of 'rewake/audit': exports only. What looks at the log of a service; needs no testing library. */
export { audit, violationsIn, type AuditOptions, type AuditSource } from './audit/audit.ts';
export { auditedInvariants, type AuditNeed, type AuditedInvariant } from './audit/audited-invariants.ts';
export { describeViolation, type Evidence, type Violation } from './audit/violation.ts';
export { replayAll, type ReplayAllOptions, type ReplayAllProgress } from './replay-all/replay-all.ts';
export type { ReplayProblem, ReplaySummary } from './replay-all/replay-summary.ts';
export type { ReplayVerdict, StreamReplay } from './replay-all/stream-replay.ts';
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
