/**
 * How large an event may be. Owns how that is measured: every log, and who writes to one, measures alike.
 */
import { EventTooLargeError } from '../errors.ts';
import type { NewEvent } from './event-log.ts';

/** What is wrong with the data of an event by its size; undefined when nothing is. */
export function sizeError(
  stream: string,
  type: string,
  data: string,
  bytesMax: number,
): EventTooLargeError | undefined {
  // A UTF-16 unit is at most three bytes in UTF-8: nearly every event passes without being measured.
  if (data.length * 3 <= bytesMax) return undefined;
  const bytes = Buffer.byteLength(data);
  return bytes > bytesMax ? new EventTooLargeError(stream, type, bytes, bytesMax) : undefined;
}

/** @throws EventTooLargeError */
export function requireSizes(stream: string, events: readonly NewEvent[], bytesMax: number): void {
  for (const { type, data } of events) {
    const error = sizeError(stream, type, data, bytesMax);
    if (error) throw error;
  }
}
