/**
 * Values as they stand in the data of an event. Owns the reading of what may have any form.
 */
import { plainValue } from '../kernel/plain-value.ts';
import { decode } from '../log/codec.ts';
import type { Json } from '../log/json.ts';

/** The field in which a stimulus of a type holds what came from outside; a type that brings nothing is not there. */
export const contentFields: Readonly<Record<string, string>> = {
  ActorStarted: 'input',
  EventReceived: 'event',
  EffectSucceeded: 'output',
  EffectFailed: 'error',
  EffectProgressed: 'value',
};

/** A logged value in the form of plain-value.ts; as it is logged where it cannot be decoded. */
export function plainOf(value: Json): Json {
  try {
    return plainValue(decode(value));
  } catch {
    return value;
  }
}

/** A list in an event's data, whatever is there. */
export function listOf<Item>(value: unknown): readonly Item[] {
  return Array.isArray(value) ? (value as Item[]) : [];
}
