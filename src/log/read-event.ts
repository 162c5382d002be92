/**
 * What an event of a log says, for those who read one. Owns which parts of an event's data are values of a machine; how a
 * value is decoded is codec.ts's.
 */
import { decode, decodeAt } from './codec.ts';
import type { RecordedEvent } from './event-log.ts';
import type { Json } from './json.ts';

/**
 * The content of an event with its values decoded: of a fact what was emitted, of one of the runtime's events its fields.
 * It is as it was logged: upcasters are not asked.
 *
 * @example
 * for await (const event of runtime.log.readStream('order-42')) console.log(event.type, readEvent(event));
 * @throws DecodeError for a value that rewake has not logged
 */
export function readEvent({ data, meta }: Pick<RecordedEvent, 'data' | 'meta'>): Readonly<Record<string, unknown>> {
  const json = JSON.parse(data) as Record<string, Json>;
  if (meta.actor !== undefined) return decode(json) as Record<string, unknown>;
  return Object.fromEntries(Object.entries(json).map(([field, value]) => [field, decodeAt(value, `.${field}`)]));
}
