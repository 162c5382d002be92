/**
 * The codec between values of a machine and the JSON that the log stores. Owns the fast path for values that are JSON
 * already and the marker `$devalue` of those that are not; how rich values are walked is in rich-values.ts, and what is
 * done with the JSON (text, checksum, events) is not decided here. docs/decisions/0001-codec.md says why it is so.
 *
 * V1  decode(json of encode(v)) equals v for every value that encode accepts; any other value is refused as a whole.
 * V2  `value` is exactly what decode gives, and shares nothing with v: changing v later changes nothing that is logged.
 * V3  A value that is JSON already is logged as itself, so people can read and query it.
 * V4  encode is a fixpoint: encode(encode(v).value) gives the same json.
 * V5  decode never writes to a prototype; what it cannot read is a DecodeError.
 */
import { DecodeError } from '../errors.ts';
import type { Json } from './json.ts';
import { decodeRich, encodeRich, isPlainPrototype, levelsMax } from './rich-values.ts';

/** A value as the log keeps it, and as the machine is to see it. */
export interface Encoded {
  /** Plain JSON, or `{ "$devalue": … }` for a value that is more than JSON. */
  readonly json: Json;
  /**
   * What decode gives for `json`. For a plain value it is the same object as `json`: make the text first if whoever
   * is handed the value may change it.
   */
  readonly value: unknown;
}

const marker = '$devalue';
const notPlain = Symbol('not plain');

/** Deeper, or larger, than this a value is walked by devalue, which follows cycles and shared references. */
const plainLevelsMax = 100;
const plainNodesMax = 100_000;

let nodesLeft = 0;

/**
 * Makes a value ready for the log: copies it if it is plain JSON, translates it if it is more.
 *
 * Carries JSON types, undefined, NaN, -0, infinities, BigInt, Date, Map, Set, RegExp, URL, URLSearchParams, ArrayBuffer,
 * typed arrays, DataView, errors (class name, message, cause, own properties; not the stack), holes and cycles.
 *
 * @param what names the value in messages, for example `event 'PAY'`
 * @throws NotSerializableError with the path of the first value it cannot carry
 */
export function encode(value: unknown, what: string): Encoded {
  const copy = copyWhole(value);
  if (copy !== notPlain) return { json: copy as Json, value: copy };
  const rich = encodeRich(value, what);
  return { json: { [marker]: rich.json }, value: rich.value };
}

/**
 * Gives back the value that {@link encode} was given. Takes over `json`: a plain value is returned as it is.
 * @throws DecodeError when `json` was not made by {@link encode}
 */
export function decode(json: Json): unknown {
  if (typeof json !== 'object' || json === null) return json;
  if (!Array.isArray(json) && Object.hasOwn(json, marker)) {
    const keys = Object.keys(json);
    if (keys.length !== 1) throw new DecodeError(`beside '${marker}' there are other keys (${keys.join(', ')})`);
    return decodeRich((json as { readonly [marker]: Json })[marker]);
  }
  checkPlain(json, levelsMax);
  return json;
}

/**
 * As {@link decode}, of one value among the data of an event.
 * @param path where it is, for example `.input`
 * @throws DecodeError that names the path
 */
export function decodeAt(json: Json, path: string): unknown {
  try {
    return decode(json);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(error.detail, { cause: error, path });
  }
}

function copyWhole(value: unknown): unknown {
  nodesLeft = plainNodesMax;
  try {
    return copyPlain(value, plainLevelsMax);
  } catch {
    // A getter or a proxy threw. The slow path meets it again and knows its path.
    return notPlain;
  }
}

/** Copies plain JSON, or gives `notPlain` at the first thing that is not. */
function copyPlain(value: unknown, levelsLeft: number): unknown {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return isJsonNumber(value) ? value : notPlain;
    case 'object':
      if (value === null) return null;
      if (levelsLeft === 0 || --nodesLeft < 0) return notPlain;
      return Array.isArray(value) ? copyArray(value, levelsLeft - 1) : copyObject(value, levelsLeft - 1);
    default:
      return notPlain;
  }
}

function copyArray(value: readonly unknown[], levelsLeft: number): unknown {
  const length = value.length;
  const copy: unknown[] = [];
  for (let i = 0; i < length; i++) {
    const item = copyPlain(value[i], levelsLeft);
    if (item === notPlain) return notPlain;
    copy.push(item);
  }
  // After the items, so that a huge sparse array leaves at its first hole.
  if (Object.keys(value).length !== length || !isPlainPrototype(Object.getPrototypeOf(Object.getPrototypeOf(value))))
    return notPlain;
  return copy;
}

function copyObject(value: object, levelsLeft: number): unknown {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && !isPlainPrototype(prototype)) return notPlain;
  if (Object.getOwnPropertySymbols(value).length > 0) return notPlain;
  // Spreading copies every own property without calling a setter, `__proto__` too; then only nested values are visited.
  const copy: Record<string, unknown> = { ...value };
  for (const key in copy) {
    if (key === '__proto__' || key === marker) return notPlain;
    const item = copy[key];
    if (typeof item === 'string') continue;
    const itemCopy = copyPlain(item, levelsLeft);
    if (itemCopy === notPlain) return notPlain;
    if (itemCopy !== item) copy[key] = itemCopy;
  }
  return copy;
}

function isJsonNumber(value: number): boolean {
  // x - x is NaN for NaN and the infinities; 1 / -0 is -Infinity.
  return value - value === 0 && (value !== 0 || 1 / value > 0);
}

function checkPlain(json: object, levelsLeft: number): void {
  if (levelsLeft === 0) throw new DecodeError(`it is nested deeper than ${levelsMax} levels`);
  if (Array.isArray(json)) {
    for (const item of json as unknown[])
      if (typeof item === 'object' && item !== null) checkPlain(item, levelsLeft - 1);
    return;
  }
  for (const key in json) {
    if (key === '__proto__') throw new DecodeError("an object in it has the key '__proto__'");
    const item = (json as Record<string, unknown>)[key];
    if (typeof item === 'object' && item !== null) checkPlain(item, levelsLeft - 1);
  }
}
