/**
 * Repairs a log: moves what is damaged aside and sets right what the store states about its streams. Owns what is
 * reported; finding damage is the log's, and so is where a stream is cut, and moving a record.
 *
 * RP1  Nothing is deleted: what is taken out of a stream is in the log's quarantine.
 * RP2  Nothing is repaired while a runtime owns the log.
 * RP3  Every event that a stream loses is reported, with what can still be read of it.
 */
import { realClock, toMs, type Clock, type Duration } from '../clock.ts';
import { InvalidArgumentError, LogClosedError, RewakeError } from '../errors.ts';
import type { ActorHead, EventLog, Revision, StoredStream } from '../log/event-log.ts';
import type { Finding } from '../log/findings.ts';
import { storedStreams } from '../log/stored-streams.ts';
import { cutOf, examine, type LostEvent } from '../log/stream-cut.ts';
import { storeFindings } from '../log/verify.ts';
import { consoleLogger } from './logger.ts';
import { Ownership } from './ownership.ts';

/** What is repaired, and how. */
export interface RepairOptions {
  /** Moves damaged records aside; a text says why, and is kept with them. */
  readonly quarantine: true | string;
  /** Only says what would be done: writes nothing, and takes no lease. */
  readonly dryRun?: boolean;
  /** Only this stream; all of them when omitted. */
  readonly stream?: string;
  /** How long to wait for a runtime that owns the log to leave; not at all when omitted. */
  readonly wait?: Duration;
  /** What the lease is measured with; the real clock when omitted. */
  readonly clock?: Clock;
}

/** What was done to one stream. */
export interface StreamRepair {
  readonly stream: string;
  /** Everything that was found in the stream. */
  readonly findings: readonly Finding[];
  /** The last revision that is left, from which the actor goes on; -1 when nothing is. */
  readonly lastGood: Revision;
  /** The last revision that the stream had or was said to have; `lastGood` when nothing is lost. */
  readonly lostTo: Revision;
  /** What was moved aside; what was missing already is not among it. */
  readonly lost: readonly LostEvent[];
  /** The entry of the actor index now; undefined where the stream has no actor. */
  readonly actor: ActorHead | undefined;
}

/** What a repair came to. */
export interface RepairReport {
  readonly dryRun: boolean;
  readonly streams: readonly StreamRepair[];
  /** What was found and left as it is. */
  readonly left: readonly Finding[];
  /** Streams that could not be repaired, and why. */
  readonly failed: readonly { readonly stream: string; readonly error: unknown }[];
}

const leaseTtlMs = 10_000;

/**
 * Moves the damaged end of every damaged stream aside, from the append with the first damage on, and sets the actor index
 * right. Nothing is deleted: `log.quarantined()` lists what was moved. An actor that was cut goes on from its last good
 * revision when a runtime next resumes; effects whose outcome is lost run again.
 *
 * @throws InvalidArgumentError without `quarantine`, or for a log that cannot move records aside
 * @throws LogOwnedError while a runtime owns the log
 *
 * @example
 * const { streams } = await repairLog(log, { quarantine: 'disk failure of 3 May' });
 * for (const { stream, lastGood, lost } of streams) console.log(stream, lastGood, lost);
 */
export async function repairLog(log: EventLog, options: RepairOptions): Promise<RepairReport> {
  const { reason, dryRun, clock, waitMs } = settled(log, options);
  let lost: unknown;
  const ownership = new Ownership(log, clock, consoleLogger, { ttlMs: leaseTtlMs, waitMs }, (error) => (lost = error));
  if (!dryRun) await ownership.acquire();
  try {
    const report = { dryRun, streams: [] as StreamRepair[], left: [] as Finding[], failed: [] as Failure[] };
    if (options.stream === undefined) for await (const found of storeFindings(log)) report.left.push(found);
    for await (const stream of storedStreams(log, options.stream)) {
      if (lost) throw lost as Error;
      await repairStream(log, stream, reason, report);
    }
    return report;
  } finally {
    if (!dryRun) await ownership.release();
  }
}

interface Failure {
  readonly stream: string;
  readonly error: unknown;
}

interface OpenReport {
  readonly dryRun: boolean;
  readonly streams: StreamRepair[];
  readonly left: Finding[];
  readonly failed: Failure[];
}

async function repairStream(log: EventLog, stream: StoredStream, reason: string, report: OpenReport): Promise<void> {
  try {
    const { findings, cut, stated } = await examine(log, stream);
    const isLeft = ({ severity }: Finding) => severity !== 'mendable' && (severity !== 'damage' || cut === undefined);
    report.left.push(...findings.filter(isLeft));
    const mendable = findings.some(({ severity }) => severity === 'mendable');
    if (cut === undefined && !mendable) return;
    const { lastGood, lost, actor, ...rest } = await cutOf(stream, cut);
    const lostTo = cut === undefined ? lastGood : Math.max(stated, rest.lostTo);
    if (!report.dryRun) {
      const what = findings.find(({ severity }) => severity === 'damage') ?? findings[0]!;
      await log.quarantine!(stream.name, lastGood + 1, { reason: reason === '' ? what.message : reason, actor });
    }
    report.streams.push({ stream: stream.name, findings, lastGood, lostTo, lost, actor });
  } catch (error) {
    if (!(error instanceof RewakeError) || error instanceof LogClosedError) throw error;
    report.failed.push({ stream: stream.name, error });
  }
}

function settled(log: EventLog, options: RepairOptions) {
  const { quarantine, dryRun = false, clock = realClock, wait = 0 } = (options ?? {}) as Partial<RepairOptions>;
  if (quarantine !== true && (typeof quarantine !== 'string' || quarantine === '')) {
    throw InvalidArgumentError.of('repairLog(log, { quarantine })', 'true, or a text that says why', quarantine);
  }
  if (!log.quarantine && !dryRun) {
    throw new InvalidArgumentError(
      `repairLog cannot move records of ${log.name} aside: it has no quarantine. Nothing was written. Restore a backup, or copy what is intact to another log.`,
    );
  }
  return { reason: quarantine === true ? '' : quarantine, dryRun, clock, waitMs: toMs(wait) };
}
