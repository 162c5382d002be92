/** Errors in the shapes in which Node and well-known clients really throw them (resilience.md §4, R05, R07). */
import { strictEqual } from 'node:assert';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, constants, createServer } from 'node:http2';
import { expect, it, describe } from 'vitest';
import { EffectLostError, EffectStoppedError } from 'rewake';
import { classify } from '../../machines/classify.ts';
import type { ErrorClass } from '../../machines/error-classes.ts';
import {
  BulkheadFullError,
  CircuitBreakerOpenError,
  RecoveryExhaustedError,
  TimeoutError,
} from '../../machines/recovery-errors.ts';

const thrownBy = async (run: () => unknown): Promise<unknown> => {
  try {
    await run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
};
const errorOf = (more: object, message = 'failed') => Object.assign(new Error(message), more);
const coded = (code: string) => errorOf({ code }, code);
const classOf = (error: unknown): ErrorClass => classify(error).class;

describe('what Node throws', () => {
  it.each<[string, ErrorClass, () => unknown]>([
    ['a missing file', 'permanent', () => readFile('/there/is/no/such/file')],
    ['an address that is none', 'permanent', () => new URL('no url')],
    ['text that is no JSON', 'validation', () => JSON.parse('{')],
    ['a length that is out of range', 'validation', () => 'x'.repeat(-1)],
    ['an assertion', 'bug', () => strictEqual(1, 2)],
    ['a wrong argument', 'permanent', () => Buffer.from(1n as unknown as string)],
    ['an aborted fetch', 'cancelled', () => fetch('http://127.0.0.1:1/', { signal: AbortSignal.abort() })],
    ['an aborted wait', 'cancelled', () => once(new EventTarget(), 'x', { signal: AbortSignal.abort() })],
  ])('%s is %s', async (_, expected, run) => {
    expect(classOf(await thrownBy(run))).toBe(expected);
  });

  it('the timeout of a caller is cancelled, also as a log describes it, without its class and code', async () => {
    const signal = AbortSignal.timeout(1);
    await once(signal, 'abort');
    const { name, message } = signal.reason as DOMException;
    expect(classify(signal.reason)).toMatchObject({ class: 'cancelled', retryable: false });
    expect(classOf(errorOf({ name }, message))).toBe('cancelled');
  });

  it('the TimeoutError of a library is a timeout like any other', () => {
    expect(classify(errorOf({ name: 'TimeoutError' }, 'Promise timed out after 5 ms'))).toMatchObject({
      class: 'timeout',
      retryable: 'idempotent',
    });
  });

  it('Promise.any: an AggregateError is what its members are', async () => {
    const error = await thrownBy(() =>
      Promise.any([new Error('odd'), coded('ECONNRESET')].map((e) => Promise.reject(e))),
    );
    expect(classify(error)).toMatchObject({ class: 'transient', code: 'ECONNRESET' });
  });

  it('HTTP/2: a refused stream is transient, which Node says only in the message', async () => {
    const server = createServer();
    server.on('stream', (stream) => stream.on('error', () => undefined).close(constants.NGHTTP2_REFUSED_STREAM));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const client = connect(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
    const request = client.request({ ':path': '/' });
    const [error] = (await once(request, 'error')) as [unknown];
    client.destroy();
    server.close();
    expect(error).toMatchObject({ code: 'ERR_HTTP2_STREAM_ERROR' });
    expect(classify(error)).toMatchObject({ class: 'transient', retryable: true });
  });

  it.each(['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'])(
    'a certificate that is not trusted is permanent: %s',
    (code) => expect(classOf(new TypeError('fetch failed', { cause: coded(code) }))).toBe('permanent'),
  );

  it('R05: a failed fetch is what its cause is, however deep it is wrapped', () => {
    const failed = (cause: unknown) => new TypeError('fetch failed', { cause });
    expect(classOf(failed(coded('ECONNRESET')))).toBe('transient');
    expect(classOf(failed(coded('ERR_INVALID_URL')))).toBe('permanent');
    expect(classOf(failed(new Error('bad port')))).toBe('bug');
    expect(classOf(new Error('upload failed', { cause: failed(coded('ECONNRESET')) }))).toBe('transient');
    expect(classOf(new Error('upload failed', { cause: new TypeError('x is not a function') }))).toBe('bug');
  });
});

describe('what clients throw', () => {
  it('AWS: throttling comes with status 400, and is told by its name or its mark', () => {
    const $metadata = { httpStatusCode: 400 };
    for (const name of ['ThrottlingException', 'ProvisionedThroughputExceededException', 'RequestLimitExceeded']) {
      expect(classify(errorOf({ name, $metadata }))).toMatchObject({
        class: 'throttled',
        retryable: true,
        status: 400,
      });
    }
    const marked = errorOf({ name: 'CustomException', $metadata, $retryable: { throttling: true } });
    expect(classify(marked)).toMatchObject({ class: 'throttled', retryable: true });
    expect(classify(errorOf({ name: 'ValidationException', $metadata }))).toMatchObject({ class: 'permanent' });
  });

  it('AJV: a failed validation is told by its mark, because its name is Error', () => {
    expect(classOf(errorOf({ errors: [{ keyword: 'type' }], ajv: true, validation: true }))).toBe('validation');
  });

  it('validation comes before a code and a status', () => {
    expect(classOf(errorOf({ name: 'ZodError', status: 503 }))).toBe('validation');
    expect(classOf(errorOf({ name: '$ZodError' }))).toBe('validation');
  });

  it('axios: a cancelled request is cancelled, a failed one is what its status says', () => {
    expect(classify(errorOf({ name: 'CanceledError', code: 'ERR_CANCELED' }))).toMatchObject({ class: 'cancelled' });
    const failed = errorOf({ name: 'AxiosError', code: 'ERR_BAD_RESPONSE', response: { status: 502 } });
    expect(classify(failed)).toMatchObject({ class: 'server', code: 'ERR_BAD_RESPONSE', status: 502 });
  });

  it('got: the status is the statusCode of the response', () => {
    expect(classify(errorOf({ response: { statusCode: 504 } }))).toMatchObject({ class: 'timeout', status: 504 });
  });

  it('gRPC: a number has its name only where the error looks like gRPC', () => {
    const names: [number, string, ErrorClass][] = [
      [1, 'CANCELLED', 'cancelled'],
      [2, 'UNKNOWN', 'server'],
      [3, 'INVALID_ARGUMENT', 'permanent'],
      [4, 'DEADLINE_EXCEEDED', 'timeout'],
      [5, 'NOT_FOUND', 'permanent'],
      [6, 'ALREADY_EXISTS', 'permanent'],
      [7, 'PERMISSION_DENIED', 'auth'],
      [8, 'RESOURCE_EXHAUSTED', 'throttled'],
      [9, 'FAILED_PRECONDITION', 'permanent'],
      [10, 'ABORTED', 'conflict'],
      [11, 'OUT_OF_RANGE', 'permanent'],
      [12, 'UNIMPLEMENTED', 'permanent'],
      [13, 'INTERNAL', 'server'],
      [14, 'UNAVAILABLE', 'server'],
      [15, 'DATA_LOSS', 'permanent'],
      [16, 'UNAUTHENTICATED', 'auth'],
    ];
    for (const [number, code, expected] of names) {
      expect(classify(errorOf({ code: number, details: '' }))).toMatchObject({ class: expected, code });
      expect(classify(errorOf({ code: number, metadata: {} }))).toMatchObject({ class: expected, code });
      expect(classify(errorOf({ code: number })).code).toBeUndefined();
    }
    expect(classOf(errorOf({ code: 0, details: '' }))).toBe('unknown');
  });

  it('SQLite: every kind of busy is a conflict', () => {
    expect(classify(coded('SQLITE_BUSY_SNAPSHOT'))).toMatchObject({ class: 'conflict', retryable: true });
  });

  it('a 409 is a conflict where something is locked, otherwise permanent', () => {
    expect(classify(errorOf({ status: 409 }, 'The row is locked by another request'))).toMatchObject({
      class: 'conflict',
      retryable: true,
      breaker: 'ignored',
    });
    expect(classOf(errorOf({ status: 409, code: 'lock_timeout' }))).toBe('conflict');
    expect(classOf(errorOf({ status: 409 }, 'Deadlock detected'))).toBe('conflict');
    expect(classOf(errorOf({ status: 409 }, 'The block already exists'))).toBe('permanent');
  });
});

describe('a limit', () => {
  const limited = (message: string, more: object = {}) => classOf(errorOf({ status: 429, ...more }, message));

  it('that is used up is permanent: waiting does not help', () => {
    expect(limited('x', { code: 'insufficient_quota', headers: { 'retry-after': '1' } })).toBe('permanent');
    expect(limited('You exceeded your current quota, please check your plan and billing details')).toBe('permanent');
    expect(classOf(errorOf({ status: 402 }))).toBe('permanent');
    expect(classOf(errorOf({ status: 402, code: 'UNAVAILABLE' }))).toBe('permanent');
  });

  it('that renews itself is throttled, also where it is called a quota', () => {
    expect(limited('Too many requests')).toBe('throttled');
    expect(limited("Quota exceeded for quota metric 'Read requests' and limit 'Read requests per minute'")).toBe(
      'throttled',
    );
    expect(limited('quotaId: GenerateRequestsPerMinutePerProject')).toBe('throttled');
    expect(limited('You exceeded your current quota', { headers: { 'retry-after': '33' } })).toBe('throttled');
    expect(limited('Rate limit reached. Visit your billing settings to raise it')).toBe('throttled');
  });

  it('makes a 503 throttled where the server says when to come back, also beside a code', () => {
    expect(classOf(errorOf({ status: 503 }))).toBe('server');
    for (const more of [
      { retryAfter: 1 },
      { headers: new Map([['Retry-After', '1']]) },
      { code: 'UNAVAILABLE', retryAfterMs: 5 },
    ]) {
      expect(classOf(errorOf({ status: 503, ...more }))).toBe('throttled');
    }
    expect(classOf(errorOf({ status: 503, retryAfter: null }))).toBe('server');
  });
});

describe('what rewake throws', () => {
  it.each<[Error, ErrorClass, unknown, string]>([
    [new CircuitBreakerOpenError('api', 'open', 1, null), 'policy', true, 'ignored'],
    [new BulkheadFullError('api', 1, 1), 'policy', true, 'ignored'],
    [errorOf({ name: 'RateLimitedError', code: 'REWAKE_RATE_LIMITED' }), 'policy', true, 'ignored'],
    [new EffectLostError('order-1', 'charge', 1, 'its host died'), 'lost', 'idempotent', 'ignored'],
    [new TimeoutError('charge', 'attempt', 5), 'timeout', 'idempotent', 'failure'],
    [new EffectStoppedError('order-1', 'charge', 'stop'), 'cancelled', false, 'ignored'],
    [new RecoveryExhaustedError('charge', 'attempts', 4, [coded('ECONNRESET')]), 'transient', 'idempotent', 'failure'],
    [new RecoveryExhaustedError('charge', 'attempts', 4, [errorOf({ status: 400 })]), 'permanent', false, 'ignored'],
  ])('%s is %s', (error, expected, retryable, breaker) => {
    expect(classify(error)).toMatchObject({ class: expected, retryable, breaker });
    // From a log: the name and the fields, without the class.
    const { name, message, cause } = error;
    const logged = Object.assign(new Error(message, cause === undefined ? {} : { cause }), { ...error, name });
    expect(classify(logged)).toEqual(classify(error));
  });
});

describe('a message', () => {
  it('speaks where nothing else does', () => {
    expect(classOf(new Error('request failed: getaddrinfo EAI_AGAIN api.example'))).toBe('transient');
    expect(classOf(new Error('write failed: ENOSPC, no space left'))).toBe('diskFull');
    expect(classify(new Error('read ECONNRESET')).code).toBeUndefined();
  });

  it('does not speak for an error that is known otherwise, nor with words that are no codes', () => {
    expect(classOf(new TypeError('ECONNRESET is not a function'))).toBe('bug');
    expect(classOf(errorOf({ status: 400 }, 'ECONNRESET'))).toBe('permanent');
    expect(classOf(new Error('outer ECONNRESET', { cause: errorOf({ status: 401 }) }))).toBe('auth');
    for (const text of ['INTERNAL', 'UNKNOWN ERROR', 'ABORTED', 'NOTECONNRESET']) {
      expect(classOf(new Error(text))).toBe('unknown');
    }
  });
});
