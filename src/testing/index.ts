/** The public surface of 'rewake/testing': exports only. Needs fast-check. */
export { FaultyLog, type AppendPhase, type Death, type LogFault, type SnapshotPhase } from './faulty-log.ts';
