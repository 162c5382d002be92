/**
 * The envelope of a stored event: its checksum. Owns what is under the checksum and when a
 * record counts as damaged; what is inside `data` is not looked at, and storing is the log's.
 *
 * E1  Equal id, type, schemaVersion, data and metadata give the same checksum, in whatever order a store keeps metadata.
 * E2  The text under the checksum is unambiguous: every part is preceded by its length.
 * E3  Stream, revision, position and recordedAt are not under the checksum: they are known only after the append.
 */
import { crc32 } from 'node:zlib';
import { DamagedRecordError, InvalidArgumentError } from '../errors.ts';
import type { Metadata, NewEvent, RecordedEvent } from './event-log.ts';

/**
 * Completes an event with its checksum.
 * @throws InvalidArgumentError when id, type or metadata hold a NUL or half a surrogate pair: some stores cannot keep them
 */
export function sealEvent(event: Omit<NewEvent, 'checksum'>): NewEvent {
  const { id, type, schemaVersion, data, meta } = event;
  const head = render(id, type, schemaVersion, data.length, meta);
  // Looking at `data` also makes it one flat string, which is what a log in memory should keep of it.
  if (!isStorable(data) || !isStorable(head)) throw unstorable(event);
  return { id, type, schemaVersion, data, meta, checksum: crc32(data, crc32(head)) };
}

/** @throws DamagedRecordError when an event is not what was sealed */
export function verifyEvent(recorded: RecordedEvent): void {
  const { id, type, schemaVersion, data, meta, checksum } = recorded;
  const found = crc32(data, crc32(render(id, type, schemaVersion, data.length, meta)));
  if (found !== checksum) {
    const detail = `event '${type}' (${id}) was sealed with checksum ${checksum}, its content gives ${found}`;
    throw new DamagedRecordError(recorded.stream, recorded.revision, detail);
  }
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
function render(id: string, type: string, schemaVersion: number, dataLength: number, meta: Metadata): string {
  let text = `${schemaVersion} ${dataLength} ${id.length} ${id}${type.length} ${type}`;
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
