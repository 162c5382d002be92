/**
 * What an error means: its class, whether the call may be made again, and whether it counts against the dependency. Owns
 * the order in which an error is looked at; the tables are error-classes.ts.
 *
 * CL1  A user's rules come first, then a mark on the error, an abort, its code, its status, its name; a cause is looked at
 *      where the error itself says nothing, and a TypeError of `fetch` says nothing without its cause.
 * CL2  Nothing throws, whatever is thrown: a getter or proxy that does reads as if it were not there.
 * CL3  The built-in tables match names, never classes: an error that comes from a log may have lost its class.
 * CL4  What was cancelled is never retried, whatever a rule or a mark says.
 */
import {
  classOfCode,
  classOfName,
  classOfStatus,
  classRules,
  grpcName,
  type ErrorClass,
  type Retryable,
} from './error-classes.ts';

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

/** How many causes, and errors of an AggregateError, are looked at. */
const depthMax = 10;

/** What an error means. */
export function classify(error: unknown, rules: readonly ErrorRule[] = []): ErrorVerdict {
  const found = findingOf(error);
  const named = found.class ?? 'unknown';
  const rule = named === 'cancelled' ? undefined : rules.find(({ match }) => matches(error, match));
  const errorClass = rule?.class ?? named;
  const base = classRules[errorClass];
  const marked = named === 'cancelled' ? undefined : markOf(error);
  const minDelayMs = base.minDelayMs;
  return {
    class: errorClass,
    retryable: rule?.retryable ?? (rule?.class ? base.retryable : (marked ?? base.retryable)),
    breaker: rule?.breaker ?? base.breaker,
    ...(found.code !== undefined && { code: found.code }),
    ...(found.status !== undefined && { status: found.status }),
    ...(minDelayMs !== undefined && { minDelayMs }),
  };
}

/** Whether an error is one of those that are meant. */
export function matches(error: unknown, match: ErrorMatch): boolean {
  if (typeof match === 'string') return nameOf(error) === match;
  return isClass(match) ? error instanceof match : (match as (error: unknown) => boolean)(error);
}

/** An error class or, as `Error` itself, anything that makes errors; every other function is a predicate. */
function isClass(match: Exclude<ErrorMatch, string>): match is abstract new (...args: never[]) => unknown {
  const { prototype } = match as { prototype?: unknown };
  return typeof prototype === 'object' && prototype !== null && /^class\b/.test(Function.prototype.toString.call(match))
    ? true
    : match === Error || prototype instanceof Error;
}

interface Finding {
  readonly class: ErrorClass | undefined;
  readonly code: string | undefined;
  readonly status: number | undefined;
}

/** Looks at an error and, where it says nothing by itself, at what is behind it. */
function findingOf(error: unknown): Finding {
  const own = lookAt(error);
  if (own.class !== undefined && own.class !== 'bug') return own;
  for (const behind of behindOf(error)) {
    const found = lookAt(behind);
    // A failed fetch is a TypeError, and what failed is its cause.
    if (found.class !== undefined && found.class !== 'unknown') {
      return { class: found.class, code: own.code ?? found.code, status: own.status ?? found.status };
    }
  }
  return own;
}

function lookAt(error: unknown): Finding {
  const code = codeOf(error);
  const status = statusOf(error);
  return { class: classOf(error, code, status), code, status };
}

function classOf(error: unknown, code: string | undefined, status: number | undefined): ErrorClass | undefined {
  const name = nameOf(error);
  // A TimeoutError of the platform is the caller's signal, which is over; ours bears a code.
  if (name === 'AbortError' || (name === 'TimeoutError' && read(error, 'code') === 23)) return 'cancelled';
  if (status === 402) return 'permanent';
  const byCode = code === undefined ? undefined : classOfCode(code);
  if (byCode) return byCode;
  if (status === 429 && /quota|billing/i.test(`${code ?? ''} ${messageOf(error)}`)) return 'permanent';
  if (status === 503 && hasRetryAfter(error)) return 'throttled';
  const byStatus = status === undefined ? undefined : classOfStatus(status);
  return byStatus ?? (name === undefined ? undefined : classOfName(name));
}

/** Causes and the members of AggregateErrors, nearest first. */
function behindOf(error: unknown): unknown[] {
  const found: unknown[] = [];
  let level = [error];
  const seen = new Set<unknown>([error]);
  for (let depth = 0; depth < depthMax && level.length > 0; depth++) {
    const next: unknown[] = [];
    for (const one of level) {
      const errors = read(one, 'errors');
      const candidates = [
        read(one, 'cause'),
        ...(Array.isArray(errors) ? (errors as unknown[]).slice(0, depthMax) : []),
      ];
      for (const candidate of candidates) {
        if (typeof candidate !== 'object' || candidate === null || seen.has(candidate)) continue;
        seen.add(candidate);
        next.push(candidate);
      }
    }
    found.push(...next);
    level = next;
  }
  return found;
}

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

function statusOf(error: unknown): number | undefined {
  const candidates = [
    read(error, 'status'),
    read(error, 'statusCode'),
    read(read(error, 'response'), 'status'),
    read(read(error, '$metadata'), 'httpStatusCode'),
  ];
  const status = candidates.find((each) => Number.isInteger(each) && (each as number) >= 100 && (each as number) < 600);
  return status as number | undefined;
}

function hasRetryAfter(error: unknown): boolean {
  if (read(error, 'retryAfter') !== undefined || read(error, 'retryAfterMs') !== undefined) return true;
  const headers = read(error, 'headers') ?? read(read(error, 'response'), 'headers');
  return headerOf(headers, 'retry-after') !== undefined;
}

/** A header by its lower-case name, of Headers, a Map or a plain object. */
export function headerOf(headers: unknown, name: string): string | undefined {
  const get = read(headers, 'get');
  let value: unknown;
  try {
    if (typeof get === 'function') value = (get as (key: string) => unknown).call(headers, name);
    else if (typeof headers === 'object' && headers !== null) {
      value = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
    }
  } catch {
    return undefined;
  }
  const first: unknown = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' || typeof first === 'number' ? String(first) : undefined;
}

/** The name of an error; undefined of what has none. */
export function nameOf(error: unknown): string | undefined {
  const name = read(error, 'name');
  return typeof name === 'string' ? name : undefined;
}

/** What an error says; '' where it cannot be read. */
export function messageOf(error: unknown): string {
  const message = read(error, 'message');
  if (typeof message === 'string') return message;
  return typeof error === 'string' || typeof error === 'number' ? String(error) : '';
}

/** CL2. */
export function read(thing: unknown, key: string): unknown {
  if ((typeof thing !== 'object' && typeof thing !== 'function') || thing === null) return undefined;
  try {
    return (thing as Record<string, unknown>)[key];
  } catch {
    return undefined;
  }
}
