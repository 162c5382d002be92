/**
 * A value as JSON that a person can read: what states and contexts are shown and recorded as. Owns the form of what JSON has no
 * word for. It is for reading alone: what has to come back as it was goes through the codec.
 *
 * PV1  Every value has a form, and the same value has the same one in every process; nothing is called but getters, and none of
 *      those throws out of here.
 * PV2  What is JSON is itself. Anything else is an object with one key that begins with `$`.
 * PV3  An entry that is undefined is left out, as in JSON.
 */
import { types } from 'node:util';
import type { Json } from '../log/json.ts';
import { isPlainPrototype } from '../log/rich-values.ts';

/** Deeper, or larger, than this a value is cut: `{ $cut: 'too deep' }`, `{ $cut: 'too large' }`. */
const levelsMax = 100;
const nodesMax = 100_000;

type JsonObject = { readonly [key: string]: Json };

/** Who names actors that a value refers to. */
export type NameActor = (ref: { readonly id: string; readonly sessionId: string }) => string;

/**
 * Gives the readable form of a value: `{ $date: ISO 8601 }`, `{ $map: [[key, value]] }`, `{ $set: [value] }`, `{ $bigint: '1' }`,
 * `{ $number: 'NaN' }`, `{ $undefined: true }`, `{ $error: { name, message, … } }`, `{ $bytes: base64 }`, `{ $regexp: '/a/g' }`,
 * `{ $url: … }`, `{ $actor: address }`, `{ $instance: class, value: {…} }`, `{ $function: name }`, `{ $symbol: … }`,
 * `{ $cycle: levels up }`.
 * @param nameActor gives the address of an actor that is referred to; its id when omitted
 */
export function plainValue(value: unknown, nameActor: NameActor = ({ id }) => id): Json {
  return new Walk(nameActor).plain(value);
}

class Walk {
  readonly #nameActor: NameActor;
  readonly #above: unknown[] = [];
  #nodesLeft = nodesMax;

  constructor(nameActor: NameActor) {
    this.#nameActor = nameActor;
  }

  plain(value: unknown): Json {
    switch (typeof value) {
      case 'string':
      case 'boolean':
        return value;
      case 'number':
        return Number.isFinite(value) && !Object.is(value, -0)
          ? value
          : { $number: Object.is(value, -0) ? '-0' : String(value) };
      case 'undefined':
        return { $undefined: true };
      case 'bigint':
        return { $bigint: String(value) };
      case 'symbol':
        return { $symbol: value.description ?? '' };
      case 'function':
        return { $function: value.name };
      default:
        return value === null ? null : this.#object(value as object);
    }
  }

  #object(value: object): Json {
    const at = this.#above.lastIndexOf(value);
    if (at >= 0) return { $cycle: this.#above.length - at };
    if (this.#above.length >= levelsMax) return { $cut: 'too deep' };
    if (--this.#nodesLeft < 0) return { $cut: 'too large' };
    this.#above.push(value);
    try {
      return this.#content(value);
    } catch (error) {
      return { $unreadable: error instanceof Error ? error.message : 'it throws' };
    } finally {
      this.#above.pop();
    }
  }

  #content(value: object): Json {
    if (Array.isArray(value)) return Array.from(value, (item) => this.plain(item));
    if (isPlainPrototype(Object.getPrototypeOf(value))) return this.#entries(value);
    if (isActor(value)) return { $actor: this.#nameActor(value) };
    if (types.isDate(value)) return { $date: Number.isNaN(value.getTime()) ? 'invalid' : value.toISOString() };
    if (types.isMap(value)) return { $map: [...value].map(([key, item]) => [this.plain(key), this.plain(item)]) };
    if (types.isSet(value)) return { $set: [...value].map((item) => this.plain(item)) };
    if (value instanceof Error) return { $error: this.#error(value) };
    if (types.isRegExp(value)) return { $regexp: String(value) };
    if (value instanceof URL || value instanceof URLSearchParams) return { $url: String(value) };
    if (types.isAnyArrayBuffer(value)) return { $bytes: Buffer.from(value).toString('base64') };
    if (ArrayBuffer.isView(value)) {
      return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
    }
    if (types.isPromise(value)) return { $promise: true };
    const name = (value as { constructor?: { name?: unknown } }).constructor?.name;
    return { $instance: typeof name === 'string' ? name : '', value: this.#entries(value) };
  }

  #entries(value: object): JsonObject {
    const plain: Record<string, Json> = {};
    const values = value as Readonly<Record<string, unknown>>;
    for (const key of Object.keys(values)) {
      const item = values[key];
      // PV3.
      if (item !== undefined) define(plain, key, typeof item === 'string' ? item : this.plain(item));
    }
    return plain;
  }

  /** Without its stack, which is of one process. */
  #error(error: Error): JsonObject {
    const { name, message, cause } = error;
    const own = Object.fromEntries(Object.entries(error).filter(([key]) => key !== 'stack' && key !== 'cause'));
    const said = { name: String(name), message: String(message), ...this.#entries(own) };
    return cause === undefined ? said : { ...said, cause: this.plain(cause) };
  }
}

/** Also where the key is `__proto__`. */
function define(object: Record<string, Json>, key: string, value: Json): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, enumerable: true, writable: true, configurable: true });
  else object[key] = value;
}

function isActor(value: object): value is { id: string; sessionId: string } {
  return 'sessionId' in value && 'ref' in value && 'id' in value && 'send' in value && typeof value.send === 'function';
}
