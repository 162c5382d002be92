/**
 * Where a damaged stream is cut, and what is left of it and lost then. Owns the place; moving records is the log's, and
 * finding damage stream-check.ts's.
 *
 * CU1  A stream is cut before the append that holds its first damage, so what is left of it is a history that happened.
 * CU2  Damage below an intact rebase is left where it is: the actor is folded from there.
 */
import type { ActorHead, EventLog, RecordedEvent, Revision, StoredRecord, StoredStream } from './event-log.ts';
import type { Finding } from './findings.ts';
import { HeadFold, isBeginning, isFact, isRebase, type LooseData } from './runtime-events.ts';
import { checkOf } from './verify.ts';

/** An event that a stream has lost, with what can still be read of it. */
export interface LostEvent {
  readonly revision: Revision;
  /** Undefined when the record cannot be read. */
  readonly type: string | undefined;
  /** The runtime's time of the event, in ms since the epoch; undefined for facts, and where it cannot be read. */
  readonly at: number | undefined;
}

/** What is wrong with a stream. */
export interface Examined {
  readonly findings: readonly Finding[];
  /** The revision from which on it is not to be trusted; undefined where all of it is. */
  readonly cut: Revision | undefined;
  /** The last revision that it is said to have. */
  readonly stated: Revision;
}

/** What a cut leaves of a stream, and what it takes. */
export interface StreamCut {
  /** The last revision that is left; -1 when nothing is. */
  readonly lastGood: Revision;
  /** The last revision that is lost; -1 when none is. */
  readonly lostTo: Revision;
  readonly lost: readonly LostEvent[];
  /** The entry that the actor index ought to have then; undefined where the stream has no actor. */
  readonly actor: ActorHead | undefined;
}

/** Looks through a stream for damage. */
export async function examine(log: EventLog, stream: StoredStream): Promise<Examined> {
  const { head } = stream;
  const check = await checkOf(log, stream);
  const findings: Finding[] = [];
  let cut: Revision | undefined;
  let stimulus: Revision | undefined;
  let disordered: number | undefined;
  /** Whether a state to fold from follows all the damage so far. */
  let isRebased = false;
  const note = (start: Revision) => {
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
    // CU1. A fact that is a record of its own belongs to the stimulus before it.
    const before = findings.length;
    note(first && isFact(first) ? (stimulus ?? record.revision) : record.revision);
    // A gap is found at the record behind it, which may be sound.
    const isSound = findings.slice(before).every(({ revision = 0 }) => revision < record.revision);
    if (isSound) isRebased ||= record.events.some(isRebase);
  }
  check.end();
  note(Infinity);
  // CU2.
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

/** Cuts a stream before a revision; nowhere when undefined. Nothing is moved by that. */
export async function cutOf(stream: StoredStream, cut: Revision | undefined): Promise<StreamCut> {
  const head = new HeadFold(stream.name);
  const lost: LostEvent[] = [];
  let lastGood: Revision = stream.head.state === 'truncated' ? stream.head.before - 1 : -1;
  if (cut !== undefined) lastGood = Math.min(lastGood, cut - 1);
  let lostTo: Revision = -1;
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
