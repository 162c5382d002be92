/**
 * What can be wrong with a log, in words and as data. Owns the kinds of damage, how grave each is and what to do about it;
 * finding it is stream-check.ts's and verify.ts's.
 *
 * FI1  A code never changes its meaning once published.
 * FI2  Every finding says what to do next.
 */
import type { Position, Revision } from './event-log.ts';

/**
 * A kind of damage.
 *
 * - `checksum`: an event is not what was sealed, or not where.
 * - `duplicate`: a revision, or an event, is there twice.
 * - `gap`: revisions are missing in the middle or at the beginning.
 * - `cutTail`: the stream ends before the store says so.
 * - `beyondEnd`: the stream goes on after the store says that it ends.
 * - `unreadable`: the store cannot give a record.
 * - `undecodable`: the data of an event is not JSON, or a value in it is not in the codec's form.
 * - `order`: positions in the whole log do not rise with the revisions of the stream.
 * - `noStart`: the history of an actor begins in its middle.
 * - `foreignType`: an event is neither a fact nor one of the runtime's.
 * - `causation`: a fact does not name the event before it as its cause.
 * - `time`: the time of an event is before that of an earlier one.
 * - `index`: the actor index does not say what the stream says.
 * - `lostStream`: records belong to a stream that the store does not know.
 * - `snapshot`: a cached fold is damaged.
 * - `store`: the store finds something wrong with its own files.
 */
export type FindingCode = keyof typeof kinds;

/**
 * How grave a finding is.
 *
 * - `damage`: what happened cannot be read any more; the actor is not folded beyond it. `repairLog` moves it aside.
 * - `suspect`: all of it can be read, and something is odd. `repairLog` leaves it alone.
 * - `mendable`: what the store states about a stream is wrong, and its events say what is right. `repairLog` corrects it,
 *   and nothing is lost.
 * - `harmless`: nothing depends on it.
 */
export type Severity = 'damage' | 'suspect' | 'mendable' | 'harmless';

/** Something that is wrong with a log. */
export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** Undefined where the whole log is meant. */
  readonly stream: string | undefined;
  readonly revision: Revision | undefined;
  readonly position: Position | undefined;
  /** What was found, where, and what was expected. */
  readonly message: string;
  /** What to do about it. */
  readonly next: string;
}

const moveAside = 'Restore the record from a backup, or run repairLog(log, { quarantine: true }) and resume the actor.';
const correct = 'Run repairLog(log, { quarantine: true }): it is set right, and no event is lost.';
const lookAt = 'Find out who wrote it; repairLog leaves it alone.';

const kinds = {
  checksum: ['damage', moveAside],
  duplicate: ['damage', moveAside],
  gap: ['damage', moveAside],
  cutTail: ['damage', moveAside],
  unreadable: ['damage', moveAside],
  undecodable: ['damage', moveAside],
  order: ['damage', moveAside],
  noStart: ['damage', moveAside],
  lostStream: [
    'damage',
    'Restore the row of the stream from a backup, or run repairLog(log, { quarantine: true }), which keeps its records aside.',
  ],
  store: [
    'damage',
    "Stop writing to it, keep a copy, and restore a backup; of what SQLite can still read, 'sqlite3 <file> .recover' makes a new file.",
  ],
  foreignType: [
    'suspect',
    'Run the version of rewake that wrote it: until then the actor is blocked. repairLog leaves it alone.',
  ],
  causation: ['suspect', lookAt],
  time: ['suspect', lookAt],
  beyondEnd: ['mendable', correct],
  index: ['mendable', correct],
  snapshot: ['harmless', 'Nothing has to be done: it is ignored, the history is folded, and a new one is taken.'],
} as const satisfies Record<string, readonly [Severity, string]>;

/** A finding of a kind. */
export function finding(
  code: FindingCode,
  at: { readonly stream?: string; readonly revision?: Revision | undefined; readonly position?: Position | undefined },
  message: string,
): Finding {
  const [severity, next] = kinds[code];
  const { stream, revision, position } = at;
  const place =
    stream === undefined ? '' : `Stream '${stream}'${revision === undefined ? '' : ` at revision ${revision}`}: `;
  return { code, severity, stream, revision, position, message: `${place}${message}.`, next };
}
