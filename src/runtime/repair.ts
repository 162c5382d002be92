/**
 * Repairs a log: moves what is damaged aside and sets right what the store states about its streams. Owns what is moved
 * and what is reported; finding damage is the log's, and so is moving a record.
 *
 * RP1  Nothing is deleted: what is taken out of a stream is in the log's quarantine.
 * RP2  A stream is cut before the append that holds its first damage, so what is left of it is a history that happened.
 *      Damage below an intact rebase is left where it is: the actor is folded from there.
 * RP3  Nothing is repaired while a runtime owns the log.
 * RP4  Every event that a stream loses is reported, with what can still be read of it.
 */
import { realClock, toMs, type Clock, type Duration } from '../clock.ts';
import { InvalidArgumentError, LogClosedError, RewakeError } from '../errors.ts';
import type { ActorHead, EventLog, RecordedEvent, Revision, StoredRecord, StoredStream } from '../log/event-log.ts';
import { finding, type Finding } from '../log/findings.ts';
import { HeadFold, isBeginning, isFact, isRebase, type LooseData } from '../log/runtime-events.ts';
import { StreamCheck } from '../log/stream-check.ts';
import { storedStreams } from '../log/stored-streams.ts';
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

/** An event that a stream has lost, with what can still be read of it. */
export interface LostEvent {
  readonly revision: Revision;
  /** Undefined when the record cannot be read. */
  readonly type: string | undefined;
  /** The runtime's time of the event, in ms since the epoch; undefined for facts, and where it cannot be read. */
  readonly at: number | undefined;
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
    if (options.stream === undefined && log.selfCheck) {
      for await (const fault of log.selfCheck()) report.left.push(finding('store', {}, `${log.name}: ${fault}`));
    }
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
    const plan = await planOf(stream, cut);
    const repair = { stream: stream.name, findings, ...plan, lostTo: Math.max(stated, plan.lostTo) };
    if (cut === undefined) repair.lostTo = plan.lastGood;
    if (!report.dryRun) {
      const what = findings.find(({ severity }) => severity === 'damage') ?? findings[0]!;
      const { actor } = repair;
      await log.quarantine!(stream.name, plan.lastGood + 1, { reason: reason === '' ? what.message : reason, actor });
    }
    report.streams.push(repair);
  } catch (error) {
    if (!(error instanceof RewakeError) || error instanceof LogClosedError) throw error;
    report.failed.push({ stream: stream.name, error });
  }
}

/** What is wrong with a stream, and the revision from which on it is not to be trusted. */
async function examine(log: EventLog, stream: StoredStream) {
  const { name, head, actor } = stream;
  const check = new StreamCheck(stream, actor && (await log.snapshots.load(name).catch(() => undefined)));
  const findings: Finding[] = [];
  let cut: Revision | undefined;
  let stimulus: Revision | undefined;
  let disordered: number | undefined;
  /** Whether a state to fold from follows all the damage so far. */
  let isRebased = false;
  const take = (start: Revision) => {
    for (const found of check.take()) {
      findings.push(found);
      if (found.severity !== 'damage') continue;
      isRebased = false;
      // What is missing begins before the record behind it.
      cut = Math.min(cut ?? Infinity, start, found.code === 'lostStream' ? 0 : (found.revision ?? start));
      if (found.code === 'order') disordered = Math.min(disordered ?? Infinity, Number(found.position));
    }
  };
  for await (const record of stream.records()) {
    const [first] = record.events;
    if (first && !isFact(first)) stimulus = record.revision;
    check.push(record);
    // RP2. A fact that is a record of its own belongs to the stimulus before it.
    const before = findings.length;
    take(first && isFact(first) ? (stimulus ?? record.revision) : record.revision);
    // A gap is found at the record behind it, which may be sound.
    const isSound = findings.slice(before).every(({ revision = 0 }) => revision < record.revision);
    if (isSound) isRebased ||= record.events.some(isRebase);
  }
  check.end();
  take(Infinity);
  if (isRebased) cut = undefined;
  if (cut !== undefined && disordered !== undefined) cut = Math.min(cut, await firstBehind(stream, disordered));
  const stated = head.state === 'live' || head.state === 'truncated' ? head.revision : -1;
  return { findings, cut: cut === undefined ? undefined : Math.max(0, cut), stated };
}

/** The first revision whose record was written after the one at this position: the two have changed places. */
async function firstBehind(stream: StoredStream, position: number): Promise<Revision> {
  for await (const record of stream.records()) if (Number(record.position) > position) return record.revision;
  return Infinity;
}

/** What is left of a stream that is cut, and what is lost. */
async function planOf(stream: StoredStream, cut: Revision | undefined) {
  const head = new HeadFold(stream.name);
  const lost: LostEvent[] = [];
  let lastGood: Revision = stream.head.state === 'truncated' ? stream.head.before - 1 : -1;
  if (cut !== undefined) lastGood = Math.min(lastGood, cut - 1);
  let lostTo = -1;
  let isActor = stream.actor !== undefined;
  for await (const record of stream.records()) {
    const end = record.revision + Math.max(record.events.length, 1) - 1;
    if (cut === undefined || (end < cut && record.revision >= 0)) {
      lastGood = end;
      for (const event of record.events) isActor = isTaken(head, event) || isActor;
    } else {
      lost.push(...lostOf(record));
      lostTo = Math.max(lostTo, end);
    }
  }
  const ought = lastGood < 0 || !isActor ? undefined : head.head();
  // The version is not in every event; where nothing is lost, the index knows it best.
  const actor = ought && cut === undefined && stream.actor ? { ...ought, version: stream.actor.version } : ought;
  return { lastGood, lostTo, lost, actor };
}

/** Takes an event into a head; tells whether it is one that only an actor has. */
function isTaken(head: HeadFold, event: RecordedEvent): boolean {
  if (isFact(event) || (!head.begun && !isBeginning(event))) return false;
  head.push(event, dataOf(event) ?? {});
  return true;
}

function lostOf({ revision, events }: StoredRecord): LostEvent[] {
  if (events.length === 0) return [{ revision, type: undefined, at: undefined }];
  return events.map((event) => {
    const at = isFact(event) ? undefined : dataOf(event)?.at;
    return { revision: event.revision, type: event.type, at: typeof at === 'number' ? at : undefined };
  });
}

function dataOf(event: RecordedEvent): LooseData | undefined {
  try {
    const data: unknown = JSON.parse(event.data);
    return typeof data === 'object' && data !== null ? data : undefined;
  } catch {
    return undefined;
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
