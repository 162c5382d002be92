/**
 * The envelope of a stored event: its checksum. Owns what is under the checksum and when a
 * record counts as damaged; what is inside `data` is not looked at, and storing is the log's.
 *
 * E1  Equal id, type, schemaVersion, data and metadata, at an equal place where one was given, give the same checksum, in
 *     whatever order a store keeps metadata.
 * E2  The text under the checksum is unambiguous: every part is preceded by its length.
 * E3  Stream and revision are under the checksum where they are known before the append; position and recordedAt never.
 * E4  An event that was sealed for a place is damaged anywhere else; one that was sealed for none may stand anywhere.
 */
import { crc32 } from 'node:zlib';
import { DamagedRecordError, InvalidArgumentError } from '../errors.ts';
import type { Metadata, NewEvent, RecordedEvent } from './event-log.ts';

/** Where an event stands, as far as a writer can know it before the append. */
export type Place = Pick<RecordedEvent, 'stream' | 'revision'>;

/**
 * Completes an event with its checksum.
 * @param place where the event will stand; to be left out only where the writer does not say, as with `'any'`
 * @throws InvalidArgumentError when id, type or metadata hold a NUL or half a surrogate pair: some stores cannot keep them
 */
export function sealEvent(event: Omit<NewEvent, 'checksum'>, place?: Place): NewEvent {
  const { id, type, schemaVersion, data, meta } = event;
  const head = render(place, id, type, schemaVersion, data.length, meta);
  // Looking at `data` also makes it one flat string, which is what a log in memory should keep of it.
  if (!isStorable(data) || !isStorable(head)) throw unstorable(event);
  return { id, type, schemaVersion, data, meta, checksum: crc32(data, crc32(head)) };
}

/** @throws DamagedRecordError when an event is not what was sealed, or not where */
export function verifyEvent(recorded: RecordedEvent): void {
  if (isIntact(recorded)) return;
  const { id, type, checksum, stream, revision } = recorded;
  const detail =
    `event '${type}' (${id}) was sealed with checksum ${checksum}, which neither its content at this place nor its content ` +
    'alone gives: it was changed, or it belongs elsewhere';
  throw new DamagedRecordError(stream, revision, detail, { position: recorded.position });
}

/** Whether an event is what was sealed, and where. */
export function isIntact(recorded: RecordedEvent): boolean {
  return isSealed(recorded, recorded) || isSealed(recorded, undefined);
}

function isSealed({ id, type, schemaVersion, data, meta, checksum }: RecordedEvent, place: Place | undefined): boolean {
  return crc32(data, crc32(render(place, id, type, schemaVersion, data.length, meta))) === checksum;
}

/** The checksum of a text, CRC-32: for a snapshot's `data`. */
export function sealText(text: string): number {
  return crc32(text);
}

/** Whether a text is the one that {@link sealText} saw. */
export function isIntactText(text: string, checksum: number): boolean {
  return crc32(text) === checksum;
}

/** All that is under the checksum but the data itself, which follows. */
function render(
  place: Place | undefined,
  id: string,
  type: string,
  schemaVersion: number,
  dataLength: number,
  meta: Metadata,
): string {
  let text = `${schemaVersion} ${dataLength} ${id.length} ${id}${type.length} ${type}`;
  // Without a place the text begins with a digit, so the two kinds of seal cannot be taken for each other.
  if (place) text = `@${place.revision} ${place.stream.length} ${place.stream}${text}`;
  for (const key of sortedKeys(meta)) {
    const value = meta[key]!;
    text += `${key.length} ${key}${value.length} ${value}`;
  }
  return text;
}

/** Insertion sort by code units: a handful of keys, which are mostly in order already. */
function sortedKeys(meta: Metadata): string[] {
  const keys = Object.keys(meta);
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i]!;
    let at = i;
    for (; at > 0 && keys[at - 1]! > key; at--) keys[at] = keys[at - 1]!;
    keys[at] = key;
  }
  return keys;
}

function isStorable(text: string): boolean {
  // Every supported Node has isWellFormed; the ES2023 library does not know it yet.
  return (text as string & { isWellFormed(): boolean }).isWellFormed() && !text.includes('\0');
}

function unstorable(event: Omit<NewEvent, 'checksum'>): InvalidArgumentError {
  const parts: [string, string][] = [
    ['id', event.id],
    ['type', event.type],
    ['data', event.data],
    ...Object.entries(event.meta).flatMap(([key, value]): [string, string][] => [
      ['a metadata key', key],
      [`metadata '${key}'`, value],
    ]),
  ];
  const [part, text] = parts.find(([, text]) => !isStorable(text))!;
  return new InvalidArgumentError(
    `Cannot seal event '${event.type}': expected text that every store can keep, found a NUL or half a surrogate pair in ` +
      `its ${part} (${JSON.stringify(text.slice(0, 100))}). Nothing was written. Remove the character.`,
  );
}
