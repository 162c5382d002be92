/**
 * A recorded event as a fold wants it: its data parsed and upcast. Owns what is refused because this version does not know
 * what it means, and which errors say that a history cannot be read.
 *
 * F7  What a newer version wrote is refused where a fold would leave out what it means; facts and fields are not.
 */
import {
  DamagedRecordError,
  MissingImplementationError,
  NewerVersionError,
  ReplayDivergedError,
  UnknownFeatureError,
  UnknownStateError,
  UpcastError,
} from '../errors.ts';
import type { ReadableEvent } from '../kernel/fold.ts';
import { unknownEvent, unknownValue } from '../kernel/records.ts';
import type { RecordedEvent } from '../log/event-log.ts';
import { isFact } from '../log/runtime-events.ts';
import { upcast, type Upcasters } from '../log/upcast.ts';
import { rewakeVersion } from './environment.ts';
import type { FeatureSet } from './features.ts';

/** What reading an event takes. */
export interface ReadingServices {
  readonly upcasters: Upcasters;
  readonly features: FeatureSet;
}

/** @throws DamagedRecordError | UpcastError | NewerVersionError | UnknownFeatureError */
export function readableEvent(recorded: RecordedEvent, { upcasters, features }: ReadingServices): ReadableEvent {
  features.check(recorded);
  const isStimulus = !isFact(recorded);
  if (isStimulus) refuseUnknown(recorded, unknownEvent(recorded.type, recorded.schemaVersion));
  const { type, data } = upcast(recorded, upcasters);
  if (isStimulus) refuseUnknown(recorded, unknownValue(type, data));
  const { id, stream, revision, meta } = recorded;
  return { id, stream, revision, meta, type, data };
}

/** F7. */
function refuseUnknown({ stream, revision, type }: RecordedEvent, unknown: string | undefined): void {
  if (unknown !== undefined) throw new NewerVersionError(stream, revision, type, unknown, rewakeVersion);
}

const ofHistory = [
  ReplayDivergedError,
  MissingImplementationError,
  UnknownStateError,
  DamagedRecordError,
  UpcastError,
  NewerVersionError,
  UnknownFeatureError,
];

/** Whether an error is about what is in the log, and not about reading it. */
export function isOfHistory(error: unknown): boolean {
  return ofHistory.some((errorClass) => error instanceof errorClass);
}
