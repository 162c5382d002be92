/**
 * The default error taxonomy as tables: which codes, statuses, names and messages mean what. Owns the members of each class
 * and the order in which the parts of one error count; reading them, and its causes, is classify.ts's.
 *
 * EC1  An abort comes first, then validation, a code, a status, the name of a bug, and what the message says.
 * EC2  The name of a bug and the message count only where nothing behind the error says more.
 */

/** What kind of failure an error is. */
export type ErrorClass =
  | 'throttled'
  | 'transient'
  | 'timeout'
  | 'server'
  | 'conflict'
  | 'local'
  | 'dns'
  | 'diskFull'
  | 'auth'
  | 'permanent'
  | 'validation'
  | 'bug'
  | 'cancelled'
  | 'policy'
  | 'lost'
  | 'unknown';

/** Whether a call may be made again: always, only where that does no harm, once, or not at all. */
export type Retryable = boolean | 'idempotent' | 'once';

/** What follows from a class. */
export interface ClassRule {
  readonly retryable: Retryable;
  /** Whether a circuit breaker counts it against the dependency. */
  readonly breaker: 'failure' | 'ignored';
  /** Shortest wait before a retry, in ms. */
  readonly minDelayMs?: number;
}

export const classRules: Readonly<Record<ErrorClass, ClassRule>> = {
  throttled: { retryable: true, breaker: 'failure' },
  transient: { retryable: 'idempotent', breaker: 'failure' },
  timeout: { retryable: 'idempotent', breaker: 'failure' },
  server: { retryable: 'idempotent', breaker: 'failure' },
  conflict: { retryable: true, breaker: 'ignored' },
  local: { retryable: true, breaker: 'ignored', minDelayMs: 1_000 },
  dns: { retryable: 'once', breaker: 'failure' },
  diskFull: { retryable: false, breaker: 'ignored' },
  auth: { retryable: false, breaker: 'ignored' },
  permanent: { retryable: false, breaker: 'ignored' },
  validation: { retryable: false, breaker: 'ignored' },
  bug: { retryable: false, breaker: 'ignored' },
  cancelled: { retryable: false, breaker: 'ignored' },
  policy: { retryable: true, breaker: 'ignored' },
  lost: { retryable: 'idempotent', breaker: 'ignored' },
  unknown: { retryable: 'idempotent', breaker: 'failure' },
};

const unsentCodes = new Set([
  'ECONNREFUSED',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'REFUSED_STREAM',
  'NGHTTP2_REFUSED_STREAM',
]);

/** Whether an error says that the call never reached anybody: repeating it does no harm. */
export function isUnsent(parts: ErrorParts): boolean {
  return isRefusedStream(parts) || (parts.code !== undefined && unsentCodes.has(parts.code));
}

const codesByClass: Partial<Record<ErrorClass, readonly string[]>> = {
  bug: [
    // The call was made and succeeded, and what it returned is the mistake; or rewake is used wrongly: nothing mends that.
    ...['REWAKE_NOT_SERIALIZABLE', 'REWAKE_EVENT_TOO_LARGE', 'REWAKE_INVALID_ARGUMENT', 'REWAKE_UNKNOWN_MACHINE'],
    ...['REWAKE_INVALID_EVENT', 'REWAKE_ACTOR_EXISTS', 'REWAKE_UNKNOWN_TOOL'],
  ],
  policy: ['REWAKE_BREAKER_OPEN', 'REWAKE_BULKHEAD_FULL', 'REWAKE_RATE_LIMITED', 'REWAKE_APPROVAL_TIMED_OUT'],
  lost: ['REWAKE_EFFECT_LOST'],
  timeout: ['REWAKE_TIMEOUT', 'ETIMEDOUT', 'UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT', 'DEADLINE_EXCEEDED'],
  throttled: [
    'RESOURCE_EXHAUSTED',
    'Throttling',
    'ThrottlingException',
    'ThrottledException',
    'RequestThrottled',
    'RequestThrottledException',
    'TooManyRequestsException',
    'ProvisionedThroughputExceededException',
    'RequestLimitExceeded',
    'BandwidthLimitExceeded',
    'LimitExceededException',
    'SlowDown',
    'PriorRequestNotComplete',
    'EC2ThrottledException',
    'TransactionInProgressException',
  ],
  transient: [
    'ECONNRESET',
    'ECONNREFUSED',
    'EPIPE',
    'ECONNABORTED',
    'ENETDOWN',
    'ENETUNREACH',
    'EHOSTDOWN',
    'EHOSTUNREACH',
    'EAI_AGAIN',
    'UND_ERR_SOCKET',
    'UND_ERR_CONNECT_TIMEOUT',
    'NGHTTP2_REFUSED_STREAM',
    'REFUSED_STREAM',
  ],
  server: ['UNAVAILABLE', 'INTERNAL', 'UNKNOWN'],
  conflict: ['ABORTED', '40001', '40P01'],
  local: ['EMFILE', 'ENFILE', 'EAGAIN', 'EBUSY', 'ENOBUFS', 'ENOMEM'],
  dns: ['ENOTFOUND'],
  diskFull: ['ENOSPC', 'EDQUOT', 'EROFS'],
  auth: ['UNAUTHENTICATED', 'PERMISSION_DENIED', 'EACCES', 'EPERM'],
  cancelled: ['CANCELLED', 'ABORT_ERR', 'ERR_CANCELED', 'UND_ERR_ABORTED', 'REWAKE_EFFECT_STOPPED'],
  permanent: [
    'REWAKE_APPROVAL_REJECTED',
    'REWAKE_RECOVERY_DIRECTIVE',
    'REWAKE_FLOW_ABORTED',
    'INVALID_ARGUMENT',
    'NOT_FOUND',
    'ALREADY_EXISTS',
    'FAILED_PRECONDITION',
    'OUT_OF_RANGE',
    'UNIMPLEMENTED',
    'DATA_LOSS',
    'ENOENT',
    'EEXIST',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    'SELF_SIGNED_CERT_IN_CHAIN',
    'insufficient_quota',
    'billing_hard_limit_reached',
  ],
};

const classByCode = new Map(
  Object.entries(codesByClass).flatMap(([name, codes]) => codes.map((code) => [code, name as ErrorClass] as const)),
);

const permanentCode = /^(?:ERR_INVALID_|CERT_|ERR_TLS_CERT_|UNABLE_TO_(?:GET|VERIFY|DECRYPT|DECODE)_)/;

function classOfCode(code: string): ErrorClass | undefined {
  const known = classByCode.get(code);
  if (known) return known;
  // SQLite has kinds of busy, such as SQLITE_BUSY_SNAPSHOT.
  if (/^SQLITE_BUSY(?:_|$)/.test(code)) return 'conflict';
  return permanentCode.test(code) ? 'permanent' : undefined;
}

const classByStatus = new Map<number, ErrorClass>([
  [401, 'auth'],
  [403, 'auth'],
  [407, 'auth'],
  [408, 'timeout'],
  [425, 'conflict'],
  [429, 'throttled'],
  [501, 'permanent'],
  [504, 'timeout'],
  [505, 'permanent'],
  [529, 'throttled'],
]);

const serverStatuses = new Set([500, 502, 503, 520, 521, 522, 523, 524]);

function classOfStatus(status: number): ErrorClass | undefined {
  const known = classByStatus.get(status);
  if (known) return known;
  if (serverStatuses.has(status)) return 'server';
  if (status >= 400 && status < 500) return 'permanent';
  return status >= 500 && status < 600 ? 'server' : undefined;
}

const abortNames = new Set(['AbortError', 'CanceledError']);
const validationNames = new Set(['ZodError', '$ZodError', 'ValidationError', 'SyntaxError', 'RangeError']);

const weakClassByName = new Map<string, ErrorClass>([
  ['TypeError', 'bug'],
  ['ReferenceError', 'bug'],
  ['AssertionError', 'bug'],
  ['TimeoutError', 'timeout'],
]);

/** What one error says of itself. */
export interface ErrorParts {
  readonly name: string | undefined;
  readonly code: string | undefined;
  readonly status: number | undefined;
  readonly message: string;
  /** Its platform says that a signal of the caller timed out. */
  readonly isSignalTimeout: boolean;
  /** Its library says that a schema was not met. */
  readonly isSchemaError: boolean;
  /** Its library says that a limit was hit. */
  readonly isThrottling: boolean;
  /** A server says when to call again. */
  readonly hasRetryAfter: boolean;
}

/** The class of an error by itself; undefined where what is behind it is to be asked first (EC1). */
export function classOf(parts: ErrorParts): ErrorClass | undefined {
  const { name, code, status } = parts;
  if (parts.isSignalTimeout || (name !== undefined && abortNames.has(name))) return 'cancelled';
  if (parts.isSchemaError || (name !== undefined && validationNames.has(name))) return 'validation';
  if (status === 402) return 'permanent';
  if (status === 503 && parts.hasRetryAfter) return 'throttled';
  // The AWS SDK has its codes as names, and throttles with status 400.
  const byCode = (code && classOfCode(code)) || (name && classOfCode(name)) || undefined;
  if (byCode) return byCode;
  if (parts.isThrottling) return 'throttled';
  if (isRefusedStream(parts)) return 'transient';
  if (status === 429 && isUsedUp(parts)) return 'permanent';
  if (status === 409 && isLocked(parts)) return 'conflict';
  return status === undefined ? undefined : classOfStatus(status);
}

/** The class of an error that, as all behind it, has no other (EC2). */
export function weakClassOf({ name, message }: ErrorParts): ErrorClass | undefined {
  return (name && weakClassByName.get(name)) || classOfMessage(message);
}

/** Node says only in words which error of HTTP/2 it was. */
function isRefusedStream({ code, message }: ErrorParts): boolean {
  return code === 'ERR_HTTP2_STREAM_ERROR' && message.includes('NGHTTP2_REFUSED_STREAM');
}

/** A limit that waiting does not renew, unlike a quota per minute. */
function isUsedUp({ code = '', message, hasRetryAfter }: ErrorParts): boolean {
  if (hasRetryAfter || /per[ _-]?(?:second|minute|hour)|rate.?limit/i.test(message)) return false;
  return /quota|billing/i.test(`${code} ${message}`);
}

function isLocked({ code = '', message }: ErrorParts): boolean {
  return /(?<![a-z])(?:dead)?lock(?:ed)?(?![a-z])/i.test(`${code} ${message}`);
}

/** How much of a message is searched. */
const messageMax = 1_000;

/** Codes of the system, such as in 'connect ECONNREFUSED 127.0.0.1:80'; words such as INTERNAL are no codes. */
function classOfMessage(message: string): ErrorClass | undefined {
  const codes = message.slice(0, messageMax).match(/\b(?:E[A-Z]{3,}|EAI_AGAIN|UND_ERR_[A-Z_]+)\b/g) ?? [];
  return codes.map((code) => classByCode.get(code)).find((known) => known !== undefined);
}

const grpcNames = [
  undefined,
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
];

/** The name of a gRPC status code: https://grpc.io/docs/guides/status-codes/ */
export function grpcName(code: number): string | undefined {
  return grpcNames[code];
}
