/**
 * Values that are more than JSON, as devalue's flat list of nodes. Owns what is carried and what is refused, and how
 * each is named in a message; the plain fast path is in codec.ts, errors are in logged-errors.ts, and the check of a
 * list that is read back is in node-list.ts.
 *
 * R1  Only built-in types without additions are carried: a subclass or an extra property would be lost silently.
 * R2  Only the bytes that a view shows are logged, never the rest of its buffer.
 * R3  What encodeRich returns as value has been read back from the list it returns as json.
 * R4  Nesting is bounded by a number, not by what is left of the stack, so what was logged can be read anywhere.
 */
import { types } from 'node:util';
import { DevalueError, stringify, unflatten } from 'devalue';
import { DecodeError, NotSerializableError } from '../errors.ts';
import type { Json } from './json.ts';
import { ErrorReviver, errorReducers, Unreadable } from './logged-errors.ts';
import { countLevels, isConstant } from './node-list.ts';

/** How deeply a value may be nested. */
export const levelsMax = 1_000;

const tooDeep = `nested deeper than ${levelsMax} levels`;
const refused = 'refused';

/** Whether objects with this prototype are plain, also where they come from another realm. */
export function isPlainPrototype(prototype: unknown): boolean {
  if (prototype === Object.prototype || prototype === null) return true;
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf');
}

/** @throws NotSerializableError with the path of the first value that cannot be carried */
export function encodeRich(value: unknown, what: string): { json: Json; value: unknown } {
  let json: Json;
  try {
    json = JSON.parse(stringify(value, errorReducers, { operations })) as Json;
  } catch (error) {
    throw toNotSerializable(error, what);
  }
  if (Array.isArray(json) && countLevels(json) > levelsMax) throw new NotSerializableError(what, '', tooDeep);
  return { json, value: decodeRich(json) };
}

/** @throws DecodeError when `json` is not a list that {@link encodeRich} made */
export function decodeRich(json: Json): unknown {
  const errors = new ErrorReviver();
  try {
    checkNodes(json);
    const value: unknown = unflatten(json as number | unknown[], errors.revivers);
    errors.complete();
    return value;
  } catch (error) {
    if (error instanceof DecodeError) throw error;
    throw new DecodeError(messageOf(error), { cause: error });
  }
}

function checkNodes(json: Json): void {
  if (Array.isArray(json) && json.length > 0) countLevels(json);
  else if (!isConstant(json)) throw new DecodeError('it holds neither nodes nor a constant');
}

const operations = {
  tagOf: (thing: object) => readOr(refused, () => tagOf(thing)),
  // A thenable is refused by its type, or by its function at `.then`.
  isThenable: () => false,
  get: (holder: Record<PropertyKey, unknown>, key: PropertyKey): unknown => {
    try {
      return holder[key];
    } catch (error) {
      if (isStackOverflow(error)) throw error;
      return new Unreadable(`a getter that throws (${messageOf(error)})`, error);
    }
  },
  shapeOf: (thing: object) =>
    readOr({ kind: 'not-plain' as const }, () =>
      tagOf(thing) === 'Object' ? { kind: 'plain' as const, keys: Object.keys(thing) } : { kind: 'not-plain' as const },
    ),
  viewInfo: (view: ArrayBufferView) => {
    const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice();
    const { byteLength, buffer } = bytes;
    const length = view instanceof DataView ? byteLength : (view as Uint8Array).length;
    return { buffer, byteOffset: 0, byteLength, length, bufferByteLength: byteLength };
  },
};

/** Translations of a caller's own types, tried before all others: see devalue's reducers and revivers. */
export type Reducers = Readonly<Record<string, (value: unknown) => unknown>>;
export type Revivers = Readonly<Record<string, (value: never) => unknown>>;

/**
 * The text of a value with types of the caller's own.
 * @throws NotSerializableError with the path of the first value that cannot be carried
 */
export function writeRichText(value: unknown, what: string, reducers: Reducers): string {
  try {
    return stringify(value, { ...reducers, ...errorReducers }, { operations });
  } catch (error) {
    throw toNotSerializable(error, what);
  }
}

/** @throws DecodeError when the text was not made by {@link writeRichText} */
export function readRichText(text: string, revivers: Revivers): unknown {
  const errors = new ErrorReviver();
  try {
    const json = JSON.parse(text) as number | unknown[];
    const value: unknown = unflatten(json, { ...revivers, ...errors.revivers });
    errors.complete();
    return value;
  } catch (error) {
    if (error instanceof DecodeError) throw error;
    throw new DecodeError(messageOf(error), { cause: error });
  }
}

/** The type devalue is to treat an object as, or `refused`. */
function tagOf(thing: object): string {
  if (thing instanceof Unreadable || isActorRef(thing)) return refused;
  const prototype = Object.getPrototypeOf(thing) as object | null;
  if (Array.isArray(thing)) return isBuiltIn(prototype) && !hasExtraArrayKey(thing) ? 'Array' : refused;
  if (ArrayBuffer.isView(thing)) return viewTag(thing);
  if (isPlainPrototype(prototype)) return hasLoggableKeys(thing) ? 'Object' : refused;
  if (!isBuiltIn(prototype) || Object.keys(thing).length > 0) return refused;
  return builtInTag(thing);
}

/** True for the prototypes that sit directly above Object.prototype: Map.prototype, but no subclass of Map. */
function isBuiltIn(prototype: object | null): boolean {
  return prototype !== null && isPlainPrototype(Object.getPrototypeOf(prototype));
}

function builtInTag(thing: object): string {
  if (types.isDate(thing)) return 'Date';
  if (types.isMap(thing)) return 'Map';
  if (types.isSet(thing)) return 'Set';
  if (types.isRegExp(thing)) return 'RegExp';
  if (types.isArrayBuffer(thing)) return 'ArrayBuffer';
  if (thing instanceof URL) return 'URL';
  if (thing instanceof URLSearchParams) return 'URLSearchParams';
  return refused;
}

// Read through the built-in getter, because an object can shadow the property.
const typedArrayTag = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag)!
  .get as (this: ArrayBufferView) => string | undefined;

function viewTag(view: ArrayBufferView): string {
  const tag = typedArrayTag.call(view) ?? 'DataView';
  const className = Object.getPrototypeOf(view)?.constructor?.name as unknown;
  return className === tag || Buffer.isBuffer(view) ? tag : refused;
}

function isActorRef(thing: object): boolean {
  return 'sessionId' in thing && 'ref' in thing && 'send' in thing && typeof thing.send === 'function';
}

function hasLoggableKeys(thing: object): boolean {
  return Object.getOwnPropertySymbols(thing).length === 0 && !Object.hasOwn(thing, '__proto__');
}

function hasExtraArrayKey(array: readonly unknown[]): boolean {
  return extraArrayKey(array) !== undefined || Object.getOwnPropertySymbols(array).length > 0;
}

function extraArrayKey(array: readonly unknown[]): string | undefined {
  const last = Object.keys(array).at(-1);
  // Own keys come with the indices first, so an extra one is last; an index is a canonical integer below the length.
  return last === undefined || (String(Number(last) >>> 0) === last && Number(last) < array.length) ? undefined : last;
}

function toNotSerializable(error: unknown, what: string): NotSerializableError {
  if (isStackOverflow(error)) return new NotSerializableError(what, '', tooDeep);
  if (error instanceof DevalueError) {
    const { path, value } = error as DevalueError & { path: string; value: unknown };
    const cause = readOr(undefined, () => (value instanceof Unreadable ? value.cause : undefined));
    return new NotSerializableError(what, path, describe(value), cause === undefined ? {} : { cause });
  }
  return new NotSerializableError(what, '', `something that throws when it is read (${messageOf(error)})`, {
    cause: error,
  });
}

function describe(value: unknown): string {
  if (typeof value === 'symbol') return 'a symbol';
  if (typeof value === 'function') return 'a function';
  return readOr('a proxy that throws', () => describeObject(value as object));
}

function describeObject(value: object): string {
  if (value instanceof Unreadable) return value.found;
  if (isActorRef(value)) return 'an actor reference: log its id instead';
  if (Array.isArray(value) && isBuiltIn(Object.getPrototypeOf(value) as object))
    return `an array with the extra property '${extraArrayKey(value) ?? 'a symbol'}'`;
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (isPlainPrototype(prototype)) {
    const hasSymbol = Object.getOwnPropertySymbols(value).length > 0;
    return hasSymbol ? 'an object with a symbol as key' : "an object with the key '__proto__'";
  }
  const className = (prototype as { constructor?: { name?: unknown } }).constructor?.name;
  const name = typeof className === 'string' && className !== '' ? className : 'an unnamed class';
  if (isBuiltIn(prototype) && builtInTag(value) !== refused) return `a ${name} with properties of its own`;
  return name === 'Promise' ? 'a promise' : `an instance of ${name}`;
}

function readOr<T>(otherwise: T, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (isStackOverflow(error)) throw error;
    return otherwise;
  }
}

function isStackOverflow(error: unknown): boolean {
  return error instanceof RangeError && error.message === 'Maximum call stack size exceeded';
}

function messageOf(error: unknown): string {
  return readOr('no message', () => (error instanceof Error ? error.message : String(error)));
}
