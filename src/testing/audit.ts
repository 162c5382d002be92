/** The public surface of 'rewake/audit': exports only. What looks at the log of a service; needs no testing library. */
export { replayAll, type ReplayOptions, type ReplayProgress } from './replay/replay-all.ts';
export type { ReplayProblem, ReplaySummary } from './replay/replay-summary.ts';
export type { ReplayVerdict, StreamReplay } from './replay/stream-replay.ts';
