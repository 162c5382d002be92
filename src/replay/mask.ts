/**
 * Payloads that somebody else may not see. Owns what counts as payload in an event and in a frame's values, and what is left of it.
 *
 * MK1  What is masked keeps its shape: keys, types and lengths of lists; text, numbers and booleans are hidden.
 * MK2  What is needed to follow the story is no payload: types of events, states, addresses, sources, names of errors, times.
 */
import type { RecordedEvent } from '../log/event-log.ts';
import type { Json } from '../log/json.ts';
import { isFact } from '../log/runtime-events.ts';
import { plainOf } from './logged-values.ts';

/** How payloads are shown: as they are, with their leaves hidden, or not at all. */
export type PayloadMode = 'full' | 'masked' | 'none';

const hiddenText = '•••';

/** A value without what is in it. */
export function maskValue(value: Json, mode: PayloadMode): Json {
  if (mode === 'full' || value === null) return value;
  if (mode === 'none') return null;
  switch (typeof value) {
    case 'string':
      return hiddenText;
    case 'number':
      return 0;
    case 'boolean':
      return false;
    default:
      return isList(value) ? value.map((item) => maskValue(item, mode)) : maskObject(value as JsonObject, mode);
  }
}

type JsonObject = { readonly [key: string]: Json };

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !isList(value);
}

/** What tells what a value is, and not what is in it, stays: the address of an actor, the name of an error. */
function maskObject(value: JsonObject, mode: PayloadMode): Json {
  const [[key, inner] = ['', null], ...others] = Object.entries(value);
  if (others.length === 0 && ['$actor', '$undefined', '$function', '$cycle', '$cut', '$promise'].includes(key))
    return value;
  if (others.length === 0 && key === '$error' && isObject(inner)) return { $error: maskError(inner, mode) };
  const entries = Object.entries(value).map(([name, item]) => [
    name,
    name === '$instance' ? item : maskValue(item, mode),
  ]);
  return Object.fromEntries(entries) as Json;
}

function maskError(error: JsonObject, mode: PayloadMode): Json {
  const { name } = error;
  return { ...(maskObject(error, mode) as JsonObject), ...(typeof name === 'string' && { name }) };
}

/** An event of a machine: its type is no payload. */
export function maskEvent(event: Json, mode: PayloadMode): Json {
  if (mode === 'full' || !isObject(event)) return maskValue(event, mode);
  const { type = null, ...rest } = event;
  return mode === 'none' ? { type } : { type, ...(maskValue(rest, mode) as JsonObject) };
}

/** What in the data of a runtime event is a value of the person's program. */
const payloads = ['input', 'output', 'error', 'value', 'state'];

/** The data of an event of a log, parsed. */
export function maskData(event: Pick<RecordedEvent, 'type' | 'meta'>, data: Json, mode: PayloadMode): Json {
  if (mode === 'full' || !isObject(data)) return data;
  if (isFact(event)) return maskEvent(plainOf(data), mode);
  const { type: _, ...fields } = data as JsonObject & { type?: Json };
  const masked = Object.entries(fields).map(([field, value]): [string, Json] => {
    if (isEventOfProgram(event.type, field, data)) return [field, maskEvent(plainOf(value), mode)];
    if (isPayload(event.type, field, data)) return [field, maskValue(plainOf(value), mode)];
    return [field, field === 'contexts' ? maskContexts(value, mode) : value];
  });
  return Object.fromEntries(masked);
}

/** Whether a field holds an event or a fact, which an effect may have given, too. */
function isEventOfProgram(type: string, field: string, { channel }: JsonObject): boolean {
  if (type !== 'EffectProgressed') return field === 'event';
  return field === 'value' && ['parent', 'self', 'emit'].includes(channel as string);
}

/** MK2. Why an actor was rebased, or an effect was interrupted, is said in words of the runtime. */
function isPayload(type: string, field: string, { channel }: JsonObject): boolean {
  if (field === 'reason') return type !== 'ActorRebased';
  if (field === 'value' && type === 'EffectProgressed' && channel === 'interrupted') return false;
  return payloads.includes(field);
}

function maskContexts(contexts: Json, mode: PayloadMode): Json {
  if (!Array.isArray(contexts)) return null;
  return (contexts as readonly JsonObject[]).map((record) =>
    Array.isArray(record.patch) ? { ...record, patch: maskPatch(record.patch as readonly JsonObject[], mode) } : record,
  );
}

/** The operations of a JSON Patch: paths stay. */
export function maskPatch<Operation extends object>(
  patch: readonly Operation[],
  mode: PayloadMode,
): readonly Operation[] {
  if (mode === 'full') return patch;
  return patch.map((operation) =>
    'value' in operation ? { ...operation, value: maskValue(operation.value as Json, mode) } : operation,
  );
}
