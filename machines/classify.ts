/**
 * What an error means: its class, whether the call may be made again, and whether it counts against the dependency. Owns how
 * an error and what is behind it are read; what the parts of an error mean is error-classes.ts's.
 *
 * CL1  A user's rules come first, then a mark on the error, then what it is. A cause is looked at where the error itself says
 *      nothing, and a TypeError of `fetch` says nothing without its cause.
 * CL2  Nothing throws, whatever is thrown: a getter or proxy that does reads as if it were not there. Only what a user's
 *      own predicate throws is thrown.
 * CL3  The built-in tables match names, never classes: an error that comes from a log may have lost its class. It has the
 *      same name, and so the same verdict, before and after.
 * CL4  What was cancelled is never retried, whatever a rule or a mark says.
 */
import { classOf, classRules, grpcName, isUnsent, weakClassOf } from './error-classes.ts';
import type { ErrorClass, ErrorParts, Retryable } from './error-classes.ts';

export type { ErrorClass, Retryable } from './error-classes.ts';

/** An error class, whose subclasses match too; the exact name of one; or a predicate. */
export type ErrorMatch = (abstract new (...args: never[]) => unknown) | string | ((error: unknown) => boolean);

/** A user's word on some errors. */
export interface ErrorRule {
  readonly match: ErrorMatch;
  readonly class?: ErrorClass;
  readonly retryable?: Retryable;
  readonly breaker?: 'failure' | 'ignored';
}

/** What an error means for a step and its breaker. */
export interface ErrorVerdict {
  readonly class: ErrorClass;
  readonly retryable: Retryable;
  readonly breaker: 'failure' | 'ignored';
  readonly code?: string;
  readonly status?: number;
  /** Shortest wait before a retry, in ms. */
  readonly minDelayMs?: number;
}

/** How many causes deep an error is looked at, and how many members of an AggregateError. */
const depthMax = 10;
/** How many errors of one tree are looked at. */
const errorsMax = 100;

/**
 * What an error means.
 * @param rules the first that matches the error itself counts, before anything that is built in
 */
export function classify(error: unknown, rules: readonly ErrorRule[] = []): ErrorVerdict {
  const found = findingOf(error);
  const rule = found.class === 'cancelled' ? undefined : rules.find(({ match }) => matches(error, match));
  const errorClass = rule?.class ?? found.class;
  const base = classRules[errorClass];
  const { code, status } = found;
  const { minDelayMs } = base;
  const byClass = base.retryable === 'idempotent' && found.isUnsent ? true : base.retryable;
  const retryable = rule?.retryable ?? (rule?.class ? byClass : (found.mark ?? byClass));
  return {
    class: errorClass,
    retryable: errorClass === 'cancelled' ? false : retryable,
    breaker: rule?.breaker ?? base.breaker,
    ...(code !== undefined && { code }),
    ...(status !== undefined && { status }),
    ...(minDelayMs !== undefined && { minDelayMs }),
  };
}

/**
 * Whether an error is one of those that are meant. A name matches exactly: no subclass, no part of it, no message.
 * @throws what a predicate throws
 */
export function matches(error: unknown, match: ErrorMatch): boolean {
  if (typeof match === 'string') return nameOf(error) === match;
  if (!isErrorClass(match)) return (match as (error: unknown) => boolean)(error);
  try {
    return error instanceof match;
  } catch {
    return false;
  }
}

/** An error class or, as `Error` itself, anything that makes errors; every other function is a predicate. */
export function isErrorClass(match: unknown): match is abstract new (...args: never[]) => unknown {
  const { prototype } = match as { prototype?: unknown };
  if (match === Error || prototype instanceof Error) return true;
  return (
    typeof prototype === 'object' && prototype !== null && /^class\b/.test(Function.prototype.toString.call(match))
  );
}

interface Finding {
  readonly class: ErrorClass;
  readonly code: string | undefined;
  readonly status: number | undefined;
  /** What somebody wrote on the error or on one before it in the chain: whether it may be retried. */
  readonly mark: boolean | undefined;
  /** The call never reached anybody. */
  readonly isUnsent: boolean;
}

/** Looks at an error and, as long as nothing says what it is, at what is behind it. Of each part the nearest counts. */
function findingOf(error: unknown): Finding {
  let code: string | undefined;
  let status: number | undefined;
  let mark: boolean | undefined;
  let weak: ErrorClass | undefined;
  for (const each of chainOf(error)) {
    const parts = partsOf(each);
    code ??= parts.code;
    status ??= parts.status;
    mark ??= markOf(each);
    const known = classOf(parts);
    if (known) return { class: known, code, status, mark, isUnsent: isUnsent(parts) };
    weak ??= weakClassOf(parts);
  }
  return { class: weak ?? 'unknown', code, status, mark, isUnsent: false };
}

/** An error, its causes, and the members of AggregateErrors: nearest first, each once. */
export function* chainOf(error: unknown, depth = 0, seen = new Set<unknown>()): Generator<unknown> {
  if (seen.has(error) || seen.size >= errorsMax) return;
  seen.add(error);
  yield error;
  if (depth >= depthMax) return;
  for (const behind of [read(error, 'cause'), ...membersOf(read(error, 'errors'))]) {
    if (typeof behind === 'object' && behind !== null) yield* chainOf(behind, depth + 1, seen);
  }
}

function membersOf(errors: unknown): unknown[] {
  try {
    if (!Array.isArray(errors)) return [];
    return Array.from({ length: Math.min(errors.length, depthMax) }, (_, i) => read(errors, i));
  } catch {
    return [];
  }
}

function partsOf(error: unknown): ErrorParts {
  const name = nameOf(error);
  const message = messageOf(error);
  return {
    name,
    code: codeOf(error),
    status: statusOf(error),
    message,
    isSignalTimeout: name === 'TimeoutError' && (read(error, 'code') === 23 || message === signalTimeoutMessage),
    isSchemaError: read(error, 'ajv') === true,
    isThrottling: read(read(error, '$retryable'), 'throttling') === true,
    hasRetryAfter: hasRetryAfter(error),
  };
}

/** Of `AbortSignal.timeout()`: its code 23 is lost where a log can only describe the error. */
const signalTimeoutMessage = 'The operation was aborted due to timeout';

/** What somebody wrote on the error: `retryable`, or `$retryable` as the AWS SDK does. */
function markOf(error: unknown): boolean | undefined {
  const mark = read(error, 'retryable');
  if (typeof mark === 'boolean') return mark;
  const aws = read(error, '$retryable');
  if (typeof aws === 'boolean') return aws;
  return typeof aws === 'object' && aws !== null ? true : undefined;
}

function codeOf(error: unknown): string | undefined {
  const code = read(error, 'code');
  if (typeof code === 'string' && code !== '') return code;
  const isGrpc = read(error, 'details') !== undefined || read(error, 'metadata') !== undefined;
  return typeof code === 'number' && isGrpc ? grpcName(code) : undefined;
}

/** The HTTP status of an error, or of its response. */
export function statusOf(error: unknown): number | undefined {
  const candidates = [
    read(error, 'status'),
    read(error, 'statusCode'),
    read(read(error, 'response'), 'status'),
    read(read(error, 'response'), 'statusCode'),
    read(read(error, '$metadata'), 'httpStatusCode'),
  ];
  const status = candidates.find((each) => Number.isInteger(each) && (each as number) >= 100 && (each as number) < 600);
  return status as number | undefined;
}

function hasRetryAfter(error: unknown): boolean {
  const fields = [read(error, 'retryAfter'), read(error, 'retryAfterMs')];
  if (fields.some((field) => typeof field === 'string' || typeof field === 'number')) return true;
  return headerOf(error, 'retry-after') !== undefined || headerOf(error, 'retry-after-ms') !== undefined;
}

/** How many headers are looked through. */
const headersMax = 200;

/** A header of an error by its lower-case name: of its headers, those of its response, or its gRPC metadata. */
export function headerOf(error: unknown, name: string): string | undefined {
  const places = [error, read(error, 'response'), read(error, '$response')].map((place) => read(place, 'headers'));
  for (const headers of [...places, read(error, 'metadata')]) {
    const value = headerIn(headers, name);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Of Headers, gRPC Metadata, a Map, a list of pairs, or a plain object. */
function headerIn(headers: unknown, name: string): string | undefined {
  if (typeof headers !== 'object' || headers === null) return undefined;
  try {
    const get = read(headers, 'get');
    const got = typeof get === 'function' ? textOf((get as (key: string) => unknown).call(headers, name)) : undefined;
    if (got !== undefined) return got;
    const isList = typeof read(headers, Symbol.iterator) === 'function';
    let left = headersMax;
    for (const [key, value] of isList ? (headers as Iterable<[unknown, unknown]>) : Object.entries(headers)) {
      if (typeof key === 'string' && key.toLowerCase() === name) return textOf(value);
      if (--left === 0) return undefined;
    }
  } catch {
    // CL2.
  }
  return undefined;
}

function textOf(value: unknown): string | undefined {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' || typeof first === 'number' ? String(first) : undefined;
}

const builtInNames = new Set(
  [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError, AggregateError].map(
    ({ name }) => name,
  ),
);

/** The name under which a log keeps an error: that of its class where the class gave it none. Undefined where it has none. */
export function nameOf(error: unknown): string | undefined {
  const name = read(error, 'name');
  if (typeof name !== 'string' || !builtInNames.has(name)) return typeof name === 'string' ? name : undefined;
  try {
    if (Object.hasOwn(error as object, 'name')) return name;
    const className = read(read(Object.getPrototypeOf(error), 'constructor'), 'name');
    return typeof className === 'string' && className !== '' ? className : name;
  } catch {
    return name;
  }
}

/** What an error says; '' where it cannot be read. */
export function messageOf(error: unknown): string {
  const message = read(error, 'message');
  if (typeof message === 'string') return message;
  return typeof error === 'string' || typeof error === 'number' ? String(error) : '';
}

/** A property; undefined where reading it throws (CL2). */
export function read(thing: unknown, key: PropertyKey): unknown {
  if ((typeof thing !== 'object' && typeof thing !== 'function') || thing === null) return undefined;
  try {
    return (thing as Record<PropertyKey, unknown>)[key];
  } catch {
    return undefined;
  }
}
