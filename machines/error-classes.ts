/**
 * The default error taxonomy as tables: which codes, statuses and names mean what. Owns the members of each class; how an
 * error is looked at is classify.ts's.
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
  transient: { retryable: true, breaker: 'failure' },
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
  lost: { retryable: true, breaker: 'ignored' },
  unknown: { retryable: true, breaker: 'failure' },
};

const codesByClass: Partial<Record<ErrorClass, readonly string[]>> = {
  policy: ['REWAKE_BREAKER_OPEN', 'REWAKE_BULKHEAD_FULL', 'REWAKE_RATE_LIMITED'],
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
  conflict: ['ABORTED', 'SQLITE_BUSY', '40001', '40P01'],
  local: ['EMFILE', 'ENFILE', 'EAGAIN', 'EBUSY', 'ENOBUFS', 'ENOMEM'],
  dns: ['ENOTFOUND'],
  diskFull: ['ENOSPC', 'EDQUOT', 'EROFS'],
  auth: ['UNAUTHENTICATED', 'PERMISSION_DENIED', 'EACCES', 'EPERM'],
  cancelled: ['CANCELLED', 'ABORT_ERR'],
  permanent: [
    'INVALID_ARGUMENT',
    'NOT_FOUND',
    'ALREADY_EXISTS',
    'FAILED_PRECONDITION',
    'OUT_OF_RANGE',
    'UNIMPLEMENTED',
    'DATA_LOSS',
    'ENOENT',
    'EEXIST',
    'insufficient_quota',
    'billing_hard_limit_reached',
  ],
};

const classByCode = new Map(
  Object.entries(codesByClass).flatMap(([name, codes]) => codes.map((code) => [code, name as ErrorClass] as const)),
);

/** The class of an error code; undefined for one that says nothing. */
export function classOfCode(code: string): ErrorClass | undefined {
  const known = classByCode.get(code);
  if (known) return known;
  return /^(?:ERR_INVALID_|CERT_|ERR_TLS_CERT)/.test(code) ? 'permanent' : undefined;
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

/** The class of an HTTP status; undefined for one that is no failure. */
export function classOfStatus(status: number): ErrorClass | undefined {
  const known = classByStatus.get(status);
  if (known) return known;
  if (serverStatuses.has(status)) return 'server';
  if (status >= 400 && status < 500) return 'permanent';
  return status >= 500 && status < 600 ? 'server' : undefined;
}

const classByName = new Map<string, ErrorClass>([
  ['AbortError', 'cancelled'],
  ['ZodError', 'validation'],
  ['ValidationError', 'validation'],
  ['SyntaxError', 'validation'],
  ['RangeError', 'validation'],
  ['TypeError', 'bug'],
  ['ReferenceError', 'bug'],
  ['AssertionError', 'bug'],
]);

/** The class of an error's name. */
export function classOfName(name: string): ErrorClass | undefined {
  return classByName.get(name) ?? classByCode.get(name);
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
