/**
 * What a user may choose about a PostgreSQL log. Owns the options, their meaning, defaults and checks.
 *
 * PO1  What is not understood is refused, never ignored.
 */
import { toMs, type Clock, type Duration } from '../../clock.ts';
import { InvalidArgumentError } from '../../errors.ts';

/** How a PostgreSQL log is opened. */
export interface PostgresLogOptions {
  /** The schema that the log is in, made where it is missing; `rewake` when omitted. Letters, digits and `_`. */
  readonly schema?: string;
  /** How many connections are opened at most, a whole number above 0; 4 when omitted. */
  readonly connections?: number;
  /** Largest accepted event in bytes of its data in UTF-8, a whole number above 0; 8 MiB when omitted. */
  readonly maxEventBytes?: number;
  /** How often a subscription looks for events that other processes wrote, above 0; 50 ms when omitted. */
  readonly pollInterval?: Duration;
  /** How long an answer of the server is waited for, above 0; 30 s when omitted. After that the outcome of an append is unknown. */
  readonly timeout?: Duration;
  /** Whether the schema is made, or brought up to date, where it is not; true when omitted. False for a role that may not. */
  readonly migrate?: boolean;
  /**
   * Open a schema that is there already, to read it: nothing is made, brought up to date or written, and whatever would write is a
   * LogReadOnlyError.
   */
  readonly readOnly?: boolean;
  /** What polling is measured with, and, where it is given, leases and `recordedAt`, which otherwise go by the server's clock. */
  readonly clock?: Clock;
}

/** Options that were checked, with every default filled in. */
export interface SettledOptions {
  readonly schema: string;
  readonly connections: number;
  readonly maxEventBytes: number;
  readonly pollMs: number;
  readonly timeoutMs: number;
  readonly migrate: boolean;
  readonly readOnly: boolean;
  readonly clock: Clock | undefined;
}

const optionNames: readonly string[] = [
  ...(['schema', 'connections', 'maxEventBytes', 'pollInterval', 'timeout', 'migrate', 'readOnly', 'clock'] as const),
] satisfies (keyof PostgresLogOptions)[];

const urlExpected = "a connection string such as 'postgres://user@host:5432/database'";

/** A connection string, and the schema where it names one: `?schema=orders`. @throws InvalidArgumentError when it is none */
export function splitUrl(url: unknown): { readonly address: URL; readonly schema: string | undefined } {
  const text = url instanceof URL ? url.href : url;
  if (typeof text !== 'string' || !/^postgres(?:ql)?:\/\//.test(text) || !URL.canParse(text)) {
    throw InvalidArgumentError.of(
      'postgresLog(url)',
      urlExpected,
      typeof text === 'string' ? withoutSecret(text) : text,
    );
  }
  const address = new URL(text);
  const schema = address.searchParams.get('schema') ?? undefined;
  address.searchParams.delete('schema');
  return { address, schema };
}

/** A connection string as it may be shown. */
function withoutSecret(text: string): string {
  return text.replace(/\/\/[^@/]*@/, '//…@');
}

/** @throws InvalidArgumentError when something else than options was passed, or an option that there is not */
export function settleOptions(options: PostgresLogOptions): SettledOptions {
  if (!isObject(options)) {
    throw InvalidArgumentError.of('postgresLog(url, options)', "an object such as { schema: 'rewake' }", options);
  }
  const unknown = Object.keys(options).find((name) => !optionNames.includes(name));
  if (unknown !== undefined) {
    throw InvalidArgumentError.of(`postgresLog(url, { ${unknown} })`, `one of ${optionNames.join(', ')}`, unknown);
  }
  const { schema = 'rewake', connections = 4, maxEventBytes = 8 * 2 ** 20, clock } = options;
  const { migrate = true, readOnly = false } = options;
  if (typeof schema !== 'string' || !/^[A-Za-z_][A-Za-z0-9_]{0,59}$/.test(schema)) {
    throw invalid('schema', "letters, digits and '_', at most 60 of them", schema);
  }
  if (!Number.isSafeInteger(connections) || connections < 1) {
    throw invalid('connections', 'a whole number above 0', connections);
  }
  if (!Number.isSafeInteger(maxEventBytes) || maxEventBytes < 1) {
    throw invalid('maxEventBytes', 'a whole number of bytes above 0', maxEventBytes);
  }
  if (typeof migrate !== 'boolean') throw invalid('migrate', 'true or false', migrate);
  if (typeof readOnly !== 'boolean') throw invalid('readOnly', 'true or false', readOnly);
  if (clock !== undefined && (!isObject(clock) || typeof clock.now !== 'function')) {
    throw invalid('clock', 'an object with now() and setTimer()', clock);
  }
  const pollMs = milliseconds('pollInterval', options.pollInterval ?? 50);
  const timeoutMs = milliseconds('timeout', options.timeout ?? 30_000);
  return { schema, connections, maxEventBytes, pollMs, timeoutMs, migrate: migrate && !readOnly, readOnly, clock };
}

function milliseconds(name: string, duration: unknown): number {
  let ms = NaN;
  try {
    if (typeof duration === 'number' || typeof duration === 'string') ms = toMs(duration);
  } catch {
    // Refused below, by the name of the option.
  }
  if (Number.isFinite(ms) && ms > 0) return ms;
  throw invalid(name, "a duration above 0 such as '5s'", duration);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(name: string, expected: string, found: unknown): InvalidArgumentError {
  return InvalidArgumentError.of(`postgresLog(url, { ${name} })`, expected, found);
}
