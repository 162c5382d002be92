/**
 * Errors as logged values. Owns which parts of an error are carried and how an error is built again; walking values is
 * in rich-values.ts.
 *
 * S1  Carried are the class name, message, cause, `errors` and own enumerable properties; never the stack, which differs
 *     from process to process.
 * S2  An error comes back as the built-in class of its name, as a class that was registered under its name, otherwise as
 *     an Error that bears the name. No constructor of a registered class is called: its fields are the logged ones.
 * S3  An error that is part of a cycle comes back as one object.
 */
import { types } from 'node:util';
import * as errors from '../errors.ts';
import { DecodeError, InvalidArgumentError } from '../errors.ts';

type Properties = Record<string, unknown>;

const builtIns = new Map<string, (message: string) => Error>([
  ['Error', (message) => new Error(message)],
  ['TypeError', (message) => new TypeError(message)],
  ['RangeError', (message) => new RangeError(message)],
  ['SyntaxError', (message) => new SyntaxError(message)],
  ['ReferenceError', (message) => new ReferenceError(message)],
  ['EvalError', (message) => new EvalError(message)],
  ['URIError', (message) => new URIError(message)],
  ['AggregateError', (message) => new AggregateError([], message)],
]);

interface RegisteredClass {
  readonly prototype: Error;
  /** Tells by their field `code` the errors of the class from others of the same name. */
  readonly accepts: (code: unknown) => boolean;
}

const registered = new Map<string, RegisteredClass>();

/**
 * Lets errors of a class keep it when they come back from a log: `instanceof` holds after a fold. Fields come back as
 * they were; the constructor is not called. Register a class where it is defined, before any log is read.
 * @param code the `code` that tells its errors from others of the same name
 * @throws InvalidArgumentError for something that is no error class, or a name that is taken
 */
export function registerErrorClass(type: ErrorClass, code?: string): void {
  register(type, (found) => code === undefined || found === code);
}

type ErrorClass = abstract new (...args: never[]) => Error;

function register(type: ErrorClass, accepts: RegisteredClass['accepts']): void {
  const prototype = (type as { prototype?: unknown } | null)?.prototype;
  if (typeof type !== 'function' || !(prototype instanceof Error)) {
    throw new InvalidArgumentError(`registerErrorClass: expected a class that extends Error, found ${typeof type}.`);
  }
  const known = registered.get(type.name);
  if (builtIns.has(type.name) || (known && known.prototype !== prototype)) {
    throw new InvalidArgumentError(
      `registerErrorClass: there is another error class '${type.name}'. Logged errors are told apart by name: rename one.`,
    );
  }
  registered.set(type.name, { prototype, accepts });
}

for (const exported of Object.values<unknown>(errors)) {
  if (typeof exported !== 'function' || !(exported.prototype instanceof errors.RewakeError)) continue;
  register(exported as ErrorClass, (code) => String(code).startsWith('REWAKE_'));
}

/** Stands in a walk for something that cannot be read, so that the walk refuses it where it is. */
export class Unreadable {
  /** What a message says was found. */
  readonly found: string;
  readonly cause: unknown;

  constructor(found: string, cause?: unknown) {
    this.found = found;
    this.cause = cause;
  }
}

/** For devalue: how an error becomes a node. */
export const errorReducers = {
  DOMException: (thing: unknown) => (isError(thing) && thing instanceof DOMException ? propertiesOf(thing) : undefined),
  Error: (thing: unknown) => (isError(thing) && !(thing instanceof DOMException) ? propertiesOf(thing) : undefined),
};

function isError(thing: unknown): thing is Error {
  if (typeof thing !== 'object' || thing === null) return false;
  try {
    return types.isNativeError(thing) || thing instanceof Error;
  } catch {
    return false;
  }
}

const ownPlace = new Set(['name', 'message', 'stack']);

function propertiesOf(error: Error): Properties {
  const message = read(error, 'message');
  const entries: [string, unknown][] = [
    ['name', nameOf(error)],
    ['message', typeof message === 'string' ? message : new Unreadable('an error message that is not a string')],
  ];
  // An enumerable one comes with the others, in its place: the order of keys is part of what a machine can see.
  for (const key of ['cause', 'errors']) if (isHidden(error, key)) entries.push([key, read(error, key)]);
  for (const key of Object.keys(error)) if (!ownPlace.has(key)) entries.push([key, read(error, key)]);
  // fromEntries defines properties, so a key '__proto__' stays a key and is refused by the walk.
  return Object.fromEntries(entries);
}

function isHidden(error: Error, key: string): boolean {
  return Object.hasOwn(error, key) && !Object.prototype.propertyIsEnumerable.call(error, key);
}

/** The error's name; where a class left it as it was inherited from a built-in one, the name of the class. */
function nameOf(error: Error): string {
  const name = read(error, 'name');
  const className = (Object.getPrototypeOf(error) as { constructor?: { name?: unknown } } | null)?.constructor?.name;
  const hasClassName = typeof className === 'string' && className !== '' && !builtIns.has(className);
  if (typeof name !== 'string') return hasClassName ? className : 'Error';
  return hasClassName && builtIns.has(name) && !Object.hasOwn(error, 'name') ? className : name;
}

function read(error: Error, key: string): unknown {
  try {
    return (error as unknown as Properties)[key];
  } catch (cause) {
    return new Unreadable('a getter that throws', cause);
  }
}

/** Builds the errors of one value again: bare ones while devalue works, completed when everything is there. */
export class ErrorReviver {
  readonly #errors = new Map<Properties, Error>();

  /** For devalue. In a cycle it asks twice about the same properties and must get the same error (S3). */
  readonly revivers = {
    Error: (properties: unknown) => this.#revive(properties, createError),
    DOMException: (properties: unknown) => this.#revive(properties, (name, message) => new DOMException(message, name)),
  };

  /** Gives every error the rest of its properties. */
  complete(): void {
    for (const [properties, error] of this.#errors) {
      for (const [key, value] of Object.entries(properties)) {
        if (key === 'name' || key === 'message' || key === 'stack') continue;
        const isHidden = key === 'cause' || (key === 'errors' && error instanceof AggregateError);
        define(error, key, value, !isHidden);
      }
    }
  }

  #revive(properties: unknown, create: (name: string, message: string, properties: Properties) => Error): Error {
    const known = this.#errors.get(properties as Properties);
    if (known) return known;
    const { name, message } = checkProperties(properties);
    const error = withoutTrace(() => create(name, message, properties as Properties));
    // Assigned, because defining it makes V8 render the trace first, which costs more than the rest of decode.
    error.stack = message === '' ? name : `${name}: ${message}`;
    this.#errors.set(properties as Properties, error);
    return error;
  }
}

/** Collecting a trace that is thrown away would cost 3 µs. */
function withoutTrace<T>(create: () => T): T {
  const limit = Error.stackTraceLimit;
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return create();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit);
  }
}

function createError(name: string, message: string, properties: Properties): Error {
  const create = builtIns.get(name);
  if (create) return create(message);
  const error = new Error(message);
  const known = registered.get(name);
  if (known?.accepts(properties.code)) Object.setPrototypeOf(error, known.prototype);
  define(error, 'name', name, false);
  return error;
}

function checkProperties(properties: unknown): { name: string; message: string } {
  if (typeof properties === 'object' && properties !== null && !Array.isArray(properties)) {
    const { name, message } = properties as Properties;
    if (typeof name === 'string' && typeof message === 'string') return { name, message };
  }
  throw new DecodeError('an error in it has no name or no message');
}

function define(error: Error, key: string, value: unknown, enumerable: boolean): void {
  Object.defineProperty(error, key, { value, enumerable, writable: true, configurable: true });
}
