/**
 * What a projection is shown of an event. Owns the shape only; how a record of the log becomes one is in reading.ts.
 */
import type { Revision, TimeMs } from 'rewake';

/** An event as a projection sees it: its values decoded, and with the time at which it happened. */
export interface ProjectedEvent {
  readonly id: string;
  readonly type: string;
  readonly schemaVersion: number;
  readonly stream: string;
  readonly revision: Revision;
  /** `$correlationId`, `$causationId`, and of a fact the address of its actor: only facts have `actor`. */
  readonly meta: Readonly<Record<string, string>>;
  /** Of a fact what was emitted, of one of the runtime's events its fields. */
  readonly data: Readonly<Record<string, unknown>>;
  /** rewake's own time: of a fact that of the stimulus it follows. In ms since the Unix epoch. */
  readonly at: TimeMs;
  /** Revision of that stimulus: its own, where it is one. */
  readonly stimulus: Revision;
  /** Whether a fork has it from the stream that it was forked from: it has not happened once more. */
  readonly isCopy: boolean;
}
