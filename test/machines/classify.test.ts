/** What errors mean, class by class, as Node and its libraries really throw them (resilience.md §4, R05 to R07). */
import { createServer } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ActorExistsError, InvalidArgumentError } from 'rewake';
import { classify, matches, type ErrorClass, type ErrorVerdict } from '../../machines/classify.ts';
import { signatureOf } from '../../machines/error-signature.ts';
import { CircuitBreakerOpenError, TimeoutError } from '../../machines/recovery-errors.ts';
import { retryAfterOf } from '../../machines/retry-after.ts';
import { UnknownToolError } from '../../machines/tool-executor.ts';

const coded = (code: string | number, more: object = {}) =>
  Object.assign(new Error(`failed: ${code}`), { code, ...more });
/** Codes of calls that never reached anybody: the only ones of their class that are repeated whatever they do. */
const unsent = new Set(['ECONNREFUSED', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT', 'REFUSED_STREAM']);
const withStatus = (status: number, more: object = {}) =>
  Object.assign(new Error(`status ${status}`), { status, ...more });

const table: Partial<Record<ErrorClass, { codes?: string; statuses?: number[]; retryable: unknown; breaker: string }>> =
  {
    throttled: {
      codes: 'RESOURCE_EXHAUSTED ThrottlingException TooManyRequestsException SlowDown',
      statuses: [429, 529],
      retryable: true,
      breaker: 'failure',
    },
    transient: {
      codes:
        'ECONNRESET EPIPE ECONNABORTED ENETDOWN ENETUNREACH EHOSTDOWN EHOSTUNREACH UND_ERR_SOCKET ' +
        'ECONNREFUSED EAI_AGAIN UND_ERR_CONNECT_TIMEOUT REFUSED_STREAM',
      retryable: 'idempotent',
      breaker: 'failure',
    },
    timeout: {
      codes: 'ETIMEDOUT UND_ERR_HEADERS_TIMEOUT UND_ERR_BODY_TIMEOUT DEADLINE_EXCEEDED',
      statuses: [408, 504],
      retryable: 'idempotent',
      breaker: 'failure',
    },
    server: {
      codes: 'UNAVAILABLE INTERNAL UNKNOWN',
      statuses: [500, 502, 503, 520, 521, 522, 523, 524],
      retryable: 'idempotent',
      breaker: 'failure',
    },
    conflict: { codes: 'ABORTED SQLITE_BUSY 40001 40P01', statuses: [425], retryable: true, breaker: 'ignored' },
    local: { codes: 'EMFILE ENFILE EAGAIN EBUSY ENOBUFS ENOMEM', retryable: true, breaker: 'ignored' },
    dns: { codes: 'ENOTFOUND', retryable: 'once', breaker: 'failure' },
    diskFull: { codes: 'ENOSPC EDQUOT EROFS', retryable: false, breaker: 'ignored' },
    auth: {
      codes: 'UNAUTHENTICATED PERMISSION_DENIED EACCES EPERM',
      statuses: [401, 403, 407],
      retryable: false,
      breaker: 'ignored',
    },
    permanent: {
      codes:
        'INVALID_ARGUMENT NOT_FOUND ALREADY_EXISTS FAILED_PRECONDITION OUT_OF_RANGE UNIMPLEMENTED DATA_LOSS ENOENT EEXIST ERR_INVALID_URL CERT_HAS_EXPIRED',
      statuses: [400, 402, 404, 405, 410, 422, 501, 505],
      retryable: false,
      breaker: 'ignored',
    },
    cancelled: { codes: 'CANCELLED ABORT_ERR', retryable: false, breaker: 'ignored' },
  };

describe.each(Object.entries(table))('class %s', (name, { codes, statuses, retryable, breaker }) => {
  const expected = { class: name, retryable, breaker };

  it.each(codes?.split(' ') ?? [])('has the code %s, also behind a cause and in an AggregateError', (code) => {
    for (const error of [
      coded(code),
      new Error('outer', { cause: coded(code) }),
      new Error('outer', { cause: new Error('middle', { cause: coded(code) }) }),
      new TypeError('fetch failed', { cause: coded(code) }),
      new AggregateError([new Error('first'), coded(code)]),
    ]) {
      expect(classify(error)).toMatchObject({ ...expected, code, ...(unsent.has(code) && { retryable: true }) });
    }
  });

  it.each(statuses ?? [])('has the status %i, wherever a library puts it', (status) => {
    for (const error of [
      withStatus(status),
      Object.assign(new Error('x'), { statusCode: status }),
      Object.assign(new Error('x'), { response: { status } }),
      Object.assign(new Error('x'), { $metadata: { httpStatusCode: status } }),
    ]) {
      expect(classify(error)).toMatchObject({ ...expected, status });
    }
  });
});

describe('as Node throws it', () => {
  const thrownBy = async (run: () => Promise<unknown>) =>
    run().then(
      () => undefined,
      (error: unknown) => error,
    );

  it('R05: a refused connection is transient, a wrong URL permanent, a bug a bug', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    expect(classify(await thrownBy(() => fetch(`http://127.0.0.1:${port}/`)))).toMatchObject({
      class: 'transient',
      code: 'ECONNREFUSED',
    });
    expect(classify(await thrownBy(() => fetch('http://')))).toMatchObject({
      class: 'permanent',
      code: 'ERR_INVALID_URL',
    });
    expect(classify(new TypeError('x is not a function'))).toMatchObject({
      class: 'bug',
      retryable: false,
      breaker: 'ignored',
    });
  });

  it('an abort and a timeout of the caller are cancelled; a timeout of a step is not', () => {
    expect(classify(AbortSignal.abort().reason)).toMatchObject({ class: 'cancelled', retryable: false });
    expect(classify(new DOMException('timed out', 'TimeoutError'))).toMatchObject({ class: 'cancelled' });
    expect(classify(new TimeoutError('work', 'attempt', 5))).toMatchObject({
      class: 'timeout',
      retryable: 'idempotent',
    });
  });

  it('a local resource waits a second, a gRPC number has its name, a 503 with a hint is throttled', () => {
    expect(classify(coded('EMFILE')).minDelayMs).toBe(1_000);
    expect(classify(coded(14, { details: 'down' }))).toMatchObject({ class: 'server', code: 'UNAVAILABLE' });
    expect(classify(coded(14))).toMatchObject({ class: 'unknown' });
    expect(classify(withStatus(503, { headers: { 'Retry-After': '1' } }))).toMatchObject({ class: 'throttled' });
    expect(classify(withStatus(429, { code: 'insufficient_quota' }))).toMatchObject({ class: 'permanent' });
    expect(classify(Object.assign(new Error('You exceeded your quota'), { status: 429 }))).toMatchObject({
      class: 'permanent',
    });
  });

  it('R06: what is no error is unknown and may be retried', () => {
    for (const thrown of ['x', undefined, null, 7, Symbol('x'), {}, new Error('plain')]) {
      expect(classify(thrown)).toMatchObject({ class: 'unknown', retryable: 'idempotent', breaker: 'failure' });
    }
  });

  it('validation errors and our own refusals have their classes', () => {
    for (const name of ['ZodError', 'SyntaxError', 'RangeError']) {
      expect(classify(Object.assign(new Error('x'), { name }))).toMatchObject({
        class: 'validation',
        retryable: false,
      });
    }
    expect(classify(new CircuitBreakerOpenError('api', 'open', 1, null))).toMatchObject({
      class: 'policy',
      breaker: 'ignored',
    });
  });
});

describe('a user', () => {
  class QuotaError extends Error {}
  class DailyQuotaError extends QuotaError {}

  it('has the first word, by class with subclasses, by exact name, and by predicate', () => {
    const rules = [{ match: QuotaError, class: 'permanent' }] as const;
    expect(classify(new DailyQuotaError('x'), rules)).toMatchObject({ class: 'permanent', retryable: false });
    expect(classify(withStatus(400), [{ match: () => true, retryable: true }])).toMatchObject({
      class: 'permanent',
      retryable: true,
    });
    expect(classify(withStatus(500), [{ match: 'Error', breaker: 'ignored' }])).toMatchObject({
      class: 'server',
      breaker: 'ignored',
    });
  });

  it('R07: a name matches exactly, and a cancelled error is never retried', () => {
    const named = Object.assign(new Error('PaymentError in text'), { name: 'CardPaymentError' });
    expect([matches(named, 'CardPaymentError'), matches(named, 'PaymentError')]).toEqual([true, false]);
    const abort = new DOMException('x', 'AbortError');
    expect(classify(abort, [{ match: 'AbortError', retryable: true }])).toMatchObject({
      class: 'cancelled',
      retryable: false,
    });
    expect(classify(Object.assign(abort, { retryable: true }))).toMatchObject({ retryable: false });
  });

  it('marks an error as retryable or not', () => {
    expect(classify(withStatus(400, { retryable: true })).retryable).toBe(true);
    expect(classify(withStatus(500, { retryable: false })).retryable).toBe(false);
    expect(classify(withStatus(400, { $retryable: { throttling: true } })).retryable).toBe(true);
  });
});

describe('whatever is thrown', () => {
  it('is classified, described and asked for a hint without a throw (CL2)', () => {
    const hostile = new Proxy(new Error('x'), {
      get() {
        throw new Error('no');
      },
    });
    const cycle = new Error('a');
    cycle.cause = new Error('b', { cause: cycle });
    const look = (thrown: unknown) => {
      const verdict: ErrorVerdict = classify(thrown);
      signatureOf(thrown, verdict);
      retryAfterOf(thrown, 0);
      return verdict.class;
    };
    expect([look(hostile), look(cycle), look({ errors: 7, headers: 3, cause: 'x' })]).toEqual([
      'unknown',
      'unknown',
      'unknown',
    ]);
    fc.assert(fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (thrown) => void look(thrown)));
  });

  it('has the same fingerprint as the same failure of another request (ES1)', () => {
    const print = (message: string, more: object = {}) => {
      const error = Object.assign(new Error(message), more);
      return signatureOf(error, classify(error)).fingerprint;
    };
    const one = print('order 17 of user "anna" not found (id 0198f3c2-1111-7abc-8def-001122334455)');
    expect(print('order 4711 of user "ben" not found (id 0198f3c2-2222-7abc-8def-0011223344aa)')).toBe(one);
    expect(print('order 17 of user "anna" is locked')).not.toBe(one);
    expect(print('busy', { status: 503 })).not.toBe(print('busy', { status: 500 }));
  });
});

it('what a function asks wrongly of rewake is a bug, which says the same each time', () => {
  const errors = [
    InvalidArgumentError.of('key', 'a text', 7),
    new ActorExistsError('one-a', 'it was started with another input'),
    new UnknownToolError('ask', []),
  ];
  for (const error of errors) expect(classify(error)).toMatchObject({ class: 'bug', retryable: false });
});
