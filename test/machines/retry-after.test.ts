/** When a server says to call again, in all the forms in which it says so (R17, R19). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecoveryExhaustedError, RetryAfterTooLongError } from '../../machines/recovery-errors.ts';
import { retryAfterOf } from '../../machines/retry-after.ts';

const now = Date.UTC(2026, 0, 15, 12, 0, 0);
const hint = (error: unknown) => retryAfterOf(error, now);
const header = (name: string, value: unknown) => hint({ headers: { [name]: value } });

describe('where it says so', () => {
  it.each<[string, object]>([
    ['plain headers', { headers: { 'retry-after': '5' } }],
    ['plain headers in any case', { headers: { 'Retry-After': '5' } }],
    ['a list of values', { headers: { 'RETRY-AFTER': ['5', '9'] } }],
    ['Headers', { headers: new Headers({ 'Retry-After': '5' }) }],
    ['a Map', { headers: new Map([['retry-after', '5']]) }],
    [
      'a Map in any case',
      {
        headers: new Map([
          ['X', '1'],
          ['Retry-After', '5'],
        ]),
      },
    ],
    ['a list of pairs', { headers: [['Retry-After', '5']] }],
    ['a Response', { response: new Response('', { status: 429, headers: { 'retry-after': '5' } }) }],
    [
      'the response, where the headers of the error say nothing',
      { headers: {}, response: { headers: { 'retry-after': '5' } } },
    ],
    ['the response of the AWS SDK', { $response: { headers: { 'retry-after': '5' } } }],
    ['a field in s', { retryAfter: 5 }],
    ['a field in s, as text', { retryAfter: '5' }],
    ['a field in ms', { retryAfterMs: 5_000 }],
    ['a field that is a date', { retryAfter: new Date(now + 5_000).toUTCString() }],
    ['ms', { headers: { 'retry-after-ms': '5000' } }],
    ['ms before s', { headers: { 'retry-after-ms': 5_000, 'retry-after': '9' } }],
    ['a limit that is reset', { headers: { 'X-RateLimit-Reset-After': '5.000' } }],
    ['a cause', new Error('upload failed', { cause: { headers: { 'retry-after': '5' } } })],
    ['a member of an AggregateError', new AggregateError([new Error('odd'), { retryAfter: 5 }])],
  ])('R17: %s', (_, error) => expect(hint(error)).toEqual({ delayMs: 5_000 }));

  it('the nearest counts', () => {
    expect(hint(Object.assign(new Error('x', { cause: { retryAfter: 9 } }), { retryAfter: 5 }))).toEqual({
      delayMs: 5_000,
    });
  });

  it('an error of a step says what the server said', () => {
    expect(hint(new RetryAfterTooLongError('charge', 3_600_000, new Error('x')))).toEqual({ delayMs: 3_600_000 });
    expect(hint(new RecoveryExhaustedError('charge', 'attempts', 4, [{ retryAfter: 5 }]))).toEqual({ delayMs: 5_000 });
  });
});

describe('what it says', () => {
  it.each<[string, number]>([
    ['0', 0],
    [' 5 ', 5_000],
    ['0.5', 500],
    ['Thu, 15 Jan 2026 12:00:05 GMT', 5_000],
    ['Thursday, 15-Jan-26 12:00:05 GMT', 5_000],
    ['Thu Jan 15 12:00:05 2026', 5_000],
    ['2026-01-15T12:00:05Z', 5_000],
    ['2026-01-15T13:00:05+01:00', 5_000],
  ])('R17: %s', (value, delayMs) => expect(header('retry-after', value)).toEqual({ delayMs }));

  it.each([
    '',
    ' ',
    '-5',
    '+5',
    '1e3',
    '0x10',
    '5s',
    'soon',
    'NaN',
    'Infinity',
    '9'.repeat(400),
    '9'.repeat(20),
    'garbage 2099',
    'Thu, 99 Foo 2099 12:00:00 GMT',
    'Thu, 01 Jan 1970 00:00:00 GMT',
    'Thu, 15 Jan 2026 12:00:00 GMT',
    '2025-12-31T00:00:00Z',
    null,
    true,
    {},
    [],
    NaN,
    Infinity,
    -1,
    1e306,
  ])('R17: is ignored where it makes no sense: %s (RA1)', (value) => {
    expect(header('retry-after', value)).toBeUndefined();
    expect(hint({ retryAfter: value })).toBeUndefined();
  });

  it('what makes no sense hides nothing that does', () => {
    expect(
      hint({ retryAfter: 'soon', retryAfterMs: -1, headers: { 'retry-after-ms': 'x', 'retry-after': '5' } }),
    ).toEqual({ delayMs: 5_000 });
  });

  it('any number of seconds up to a year comes back, and nothing that is thrown throws', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 31_536_000 }), (s) => {
        expect(header('retry-after', String(s))).toEqual({ delayMs: s * 1_000 });
        if (s > 0)
          expect(header('retry-after', new Date(now + s * 1_000).toUTCString())).toEqual({ delayMs: s * 1_000 });
      }),
      { numRuns: 100 },
    );
    fc.assert(
      fc.property(fc.anything(), (value) => void [hint(value), header('retry-after', value), hint({ headers: value })]),
      { numRuns: 200 },
    );
  });
});

describe('R19: a pushback of gRPC', () => {
  const name = 'grpc-retry-pushback-ms';

  it.each<[string, object]>([
    ['headers', { headers: { [name]: '700' } }],
    ['metadata, as grpc-js has it', { metadata: { get: (key: string) => (key === name ? ['700'] : []) } }],
    ['metadata, as plain data', { metadata: { [name]: ['700'] } }],
    ['a cause', { cause: { metadata: new Map([[name, '700']]) } }],
  ])('is exact, in %s', (_, error) => expect(hint(error)).toEqual({ pushbackMs: 700 }));

  it('that is negative stops', () => {
    for (const value of ['-1', -1, '-700']) expect(header(name, value)).toEqual({ stop: true });
  });

  it('comes before every other hint; 0 is a wait of 0', () => {
    expect(hint({ retryAfter: 5, headers: { [name]: '0', 'retry-after': '9' } })).toEqual({ pushbackMs: 0 });
  });

  it('that is no whole number says nothing', () => {
    for (const value of ['soon', '1.5', '', '--1', '9'.repeat(400)]) expect(header(name, value)).toBeUndefined();
  });
});
