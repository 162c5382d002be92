/**
 * From a record of the log to what a projection sees of it. Owns decoding, upcasting, the time of facts, and what happens
 * with a stream that cannot be read; which records are read is not known here.
 *
 * RD1  What cannot be read is a typed error that names stream and revision, or, where the caller has chosen so, the stream
 *      is left out from there on and listed. Nothing is passed over in silence.
 * RD2  A fact has time, revision and origin of the newest stimulus before it: an append is one stretch of
 *      the log, its stimulus first.
 */
import {
  DamagedRecordError,
  decode,
  DecodeError,
  ProjectionFailedError,
  RewakeError,
  upcast,
  type Json,
  type RecordedEvent,
  type Revision,
  type Upcasters,
} from 'rewake';
import type { FeedItem } from './feed.ts';
import type { ProjectedEvent } from './projected-event.ts';
import type { Projection } from './projection.ts';

/** How events are read for a projection. */
export interface ReadingOptions {
  /** Those of the runtime that wrote the log. Events are seen as they were logged when omitted. */
  readonly upcasters?: Upcasters;
  /**
   * What happens where a record is damaged, an event cannot be decoded or upcast, or the fold throws at it: `'stop'`, the
   * default, throws; with `'skip'` its stream is left out from there on, and that is told.
   */
  readonly onDamage?: 'stop' | 'skip';
  /** Is told of each stream that is left out, with `onDamage: 'skip'`. */
  readonly onSkip?: (skipped: SkippedStream) => void;
}

/** A stream that is left out from a revision on. */
export interface SkippedStream {
  readonly stream: string;
  readonly revision: Revision;
  readonly message: string;
}

/** What facts have of the stimulus that they follow. */
export type LastStimulus = Pick<ProjectedEvent, 'at' | 'stimulus' | 'isCopy'>;

/** How far a fold has come: all that is needed to go on. */
export interface Progress<State> {
  readonly state: State;
  /** The newest stimulus. */
  readonly last: LastStimulus;
  readonly skipped: readonly SkippedStream[];
}

/** Where every fold begins. */
export function beginning<State>(projection: Projection<State, unknown>): Progress<State> {
  return { state: projection.initial, last: { at: 0, stimulus: -1, isCopy: false }, skipped: [] };
}

/**
 * One more item of a feed.
 * @throws DamagedRecordError | UpcastError | ProjectionFailedError unless `onDamage` is `'skip'`
 */
export function advanced<State>(
  progress: Progress<State>,
  item: FeedItem,
  projection: Projection<State, unknown>,
  options: ReadingOptions,
): Progress<State> {
  if (item.type === 'damaged') return leftOut(progress, item.error, item.error.message, options);
  if (item.type !== 'event') return progress;
  const { event: recorded } = item;
  if (isLeftOut(progress, recorded.stream)) return progress;
  try {
    const event = readForProjection(recorded, progress.last, options.upcasters);
    const { at, stimulus, isCopy } = event;
    const state = applied(projection, progress.state, event);
    return { state, last: { at, stimulus, isCopy }, skipped: progress.skipped };
  } catch (error) {
    if (options.onDamage !== 'skip' || !(error instanceof RewakeError)) throw error;
    return leftOut(progress, recorded, error.message, options);
  }
}

function isLeftOut({ skipped }: Progress<unknown>, stream: string): boolean {
  return skipped.some((each) => each.stream === stream);
}

function leftOut<State>(
  progress: Progress<State>,
  { stream, revision }: { readonly stream: string; readonly revision: Revision },
  message: string,
  { onSkip }: ReadingOptions,
): Progress<State> {
  if (isLeftOut(progress, stream)) return progress;
  const skipped = { stream, revision, message };
  onSkip?.(skipped);
  return { ...progress, skipped: [...progress.skipped, skipped] };
}

function readForProjection(
  recorded: RecordedEvent,
  before: LastStimulus,
  upcasters: Upcasters | undefined,
): ProjectedEvent {
  const { id, stream, revision, meta } = recorded;
  try {
    const { type, schemaVersion, data: json } = upcasters ? upcast(recorded, upcasters) : asLogged(recorded);
    const isFact = meta.actor !== undefined;
    const data = contentOf(json, isFact);
    const own = isFact ? undefined : data.at;
    const at = typeof own === 'number' && Number.isFinite(own) ? own : before.at;
    const last = isFact ? before : { at, stimulus: revision, isCopy: meta.$seed !== undefined };
    return { id, type, schemaVersion, stream, revision, meta, data, ...last };
  } catch (cause) {
    if (!(cause instanceof DecodeError)) throw cause;
    throw new DamagedRecordError(stream, revision, `a value of event '${recorded.type}' cannot be decoded`, { cause });
  }
}

function asLogged({ stream, revision, type, schemaVersion, data }: RecordedEvent) {
  try {
    return { type, schemaVersion, data: JSON.parse(data) as Json };
  } catch (cause) {
    throw new DamagedRecordError(stream, revision, `the data of event '${type}' is not JSON`, { cause });
  }
}

/** Of a fact the whole is one value, of a stimulus each field. What another program wrote may be no record: it says nothing. */
function contentOf(json: Json, isFact: boolean): Readonly<Record<string, unknown>> {
  const whole: unknown = isFact ? decode(json) : json;
  if (typeof whole !== 'object' || whole === null || Array.isArray(whole)) return {};
  if (isFact) return whole as Record<string, unknown>;
  return Object.fromEntries(Object.entries(whole as Record<string, Json>).map(([key, value]) => [key, decode(value)]));
}

function applied<State>(projection: Projection<State, unknown>, state: State, event: ProjectedEvent): State {
  try {
    return projection.apply(state, event);
  } catch (cause) {
    throw new ProjectionFailedError(projection, event, { cause });
  }
}
