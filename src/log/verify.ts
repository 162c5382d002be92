/**
 * Finds damage in a log without running anything. Owns the way through the whole log; the rules are stream-check.ts's.
 *
 * VE1  Nothing is written, and no machine is run.
 * VE2  One damaged stream hides no other.
 * VE3  Memory does not grow with the log.
 * VE4  What a runtime removes meanwhile by compacting is no damage.
 */
import { RewakeError } from '../errors.ts';
import type { EventLog, StoredStream } from './event-log.ts';
import { finding, type Finding } from './findings.ts';
import { StreamCheck } from './stream-check.ts';
import { storedStreams } from './stored-streams.ts';

/** How far a look through a log has come. */
export interface VerifyProgress {
  readonly streams: number;
  readonly events: number;
  readonly findings: number;
  /** The stream that is looked at. */
  readonly stream: string;
}

/** How a log is looked through. */
export interface VerifyOptions {
  /** Only this stream; all of them, and what the store says of its own files, when omitted. */
  readonly stream?: string;
  /** Called with every stream, and within a long one every 1,024 records. */
  readonly onProgress?: (progress: VerifyProgress) => void;
  /** Ends the look: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** After so many records whoever else waits for the thread has its turn. */
const recordsPerTurn = 1_024;
const streamsPerTurn = 100;

/**
 * Looks through a log for damage: checksums, gaps, cut tails, records that are twice or elsewhere, data that cannot be
 * read, an actor index that disagrees, and what the store says of its files. Writes nothing, runs no machine, goes on
 * behind damage. The log may be in use; what is written meanwhile may be seen in part.
 *
 * @returns how much was looked at, when it is read to its end
 * @throws LogClosedError | LogUnavailableError the log cannot be read at all
 *
 * @example
 * for await (const { severity, message, next } of verifyLog(log)) console.log(severity, message, next);
 */
export async function* verifyLog(
  log: EventLog,
  options: VerifyOptions = {},
): AsyncGenerator<Finding, VerifyProgress, undefined> {
  const { onProgress, signal } = options;
  const progress = { streams: 0, events: 0, findings: 0, stream: '' };
  const counted = (findings: Finding[]): Finding[] => {
    progress.findings += findings.length;
    return findings;
  };
  if (options.stream === undefined) for await (const found of storeFindings(log)) yield* counted([found]);
  try {
    for await (const stream of storedStreams(log, options.stream)) {
      signal?.throwIfAborted();
      progress.streams++;
      // Of many short streams none has a turn of its own.
      if (progress.streams % streamsPerTurn === 0) await new Promise<void>((resolve) => setImmediate(resolve));
      progress.stream = stream.name;
      onProgress?.({ ...progress });
      for await (const findings of checked(log, stream)) {
        if (Array.isArray(findings)) yield* counted(findings);
        else {
          signal?.throwIfAborted();
          progress.events += findings.events;
          if (findings.isTurn) onProgress?.({ ...progress });
        }
      }
    }
  } catch (error) {
    if (!isDamage(error)) throw error;
    yield* counted([finding('store', {}, `${log.name}: not every stream could be looked at: ${error.message}`)]);
  }
  return progress;
}

interface Counted {
  readonly events: number;
  readonly isTurn: boolean;
}

async function* checked(log: EventLog, stream: StoredStream): AsyncGenerator<Finding[] | Counted> {
  for await (const found of examined(log, stream)) {
    const isDamaged = Array.isArray(found) && found.some(({ severity }) => severity === 'damage');
    if (isDamaged && (await isShortenedSince(log, stream))) {
      // What was missing a compaction has removed meanwhile.
      for await (const now of storedStreams(log, stream.name)) yield* checked(log, now);
      return;
    }
    yield found;
  }
}

/** Whether the beginning of a stream was removed since it was looked up. */
async function isShortenedSince(log: EventLog, { name, head }: StoredStream): Promise<boolean> {
  const now = await log.head(name).catch(() => undefined);
  return now?.state === 'truncated' && now.before > (head.state === 'truncated' ? head.before : 0);
}

async function* examined(log: EventLog, stream: StoredStream): AsyncGenerator<Finding[] | Counted> {
  const check = await checkOf(log, stream);
  try {
    let records = 0;
    for await (const record of stream.records()) {
      check.push(record);
      const findings = check.take();
      if (findings.length > 0) yield findings;
      const isTurn = ++records % recordsPerTurn === 0;
      if (isTurn) await new Promise<void>((resolve) => setImmediate(resolve));
      yield { events: record.events.length, isTurn };
    }
    check.end();
    yield check.take();
  } catch (error) {
    if (!isDamage(error)) throw error;
    yield [...check.take(), finding('unreadable', { stream: stream.name, revision: check.next }, error.message)];
  }
}

/** What the store finds wrong with its own files. */
export async function* storeFindings(log: EventLog): AsyncGenerator<Finding> {
  for await (const fault of log.selfCheck?.() ?? []) yield finding('store', {}, `${log.name}: ${fault}`);
}

/** The check of a stream, its snapshot included. */
export async function checkOf(log: EventLog, stream: StoredStream): Promise<StreamCheck> {
  // Only actors have one, and one that cannot be read is as good as none.
  const snapshot = stream.actor && (await log.snapshots.load(stream.name).catch(() => undefined));
  return new StreamCheck(stream, snapshot);
}

/** Whether an error says that something stored is broken, and not that the log cannot be used. */
function isDamage(error: unknown): error is RewakeError {
  return (
    error instanceof RewakeError && (error.code === 'REWAKE_DAMAGED_RECORD' || error.code === 'REWAKE_LOG_INCOMPATIBLE')
  );
}
