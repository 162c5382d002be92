/** Whatever is thrown is classified: chains, cycles, getters and proxies that throw; and who has the last word (CL1-CL4). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classify, matches, nameOf, type ErrorRule } from '../../machines/classify.ts';
import { signatureOf } from '../../machines/error-signature.ts';
import { retryAfterOf } from '../../machines/retry-after.ts';
import { decode, encode } from '../../src/log/codec.ts';

const refuse = (): never => {
  throw new Error('refused');
};
const everyTrap = Object.fromEntries(
  ['get', 'has', 'ownKeys', 'getPrototypeOf', 'getOwnPropertyDescriptor', 'isExtensible'].map((trap) => [trap, refuse]),
) as ProxyHandler<object>;
const revoked = (target: object): object => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};
const look = (thrown: unknown) => {
  const verdict = classify(thrown);
  return [verdict, signatureOf(thrown, verdict), retryAfterOf(thrown, 0)] as const;
};

describe('hostile values (CL2)', () => {
  it.each<[string, () => unknown]>([
    ['a proxy that refuses everything', () => new Proxy(new Error('x'), everyTrap)],
    ['a function proxy that refuses everything', () => new Proxy(() => undefined, everyTrap)],
    ['a revoked proxy', () => revoked(new Error('x'))],
    ['a revoked array of errors', () => ({ errors: revoked([]) })],
    ['an array of errors that refuses', () => ({ errors: new Proxy([1], everyTrap) })],
    [
      'an array with a member that throws',
      () => ({ errors: Object.defineProperty([], 0, { get: refuse, enumerable: true }) }),
    ],
    ['headers that refuse', () => ({ headers: new Proxy({}, everyTrap), response: revoked({}) })],
    ['headers whose get throws', () => ({ headers: { get: refuse }, metadata: { get: refuse } })],
    [
      'headers without an end',
      () => ({
        headers: {
          *[Symbol.iterator]() {
            for (;;) yield ['a', 'b'];
          },
        },
      }),
    ],
    ['a header that cannot be text', () => ({ headers: { 'retry-after': Object.create(null) as object } })],
    [
      'getters that throw',
      () =>
        Object.defineProperties(
          {},
          Object.fromEntries(
            ['name', 'message', 'code', 'status', 'cause', 'errors', 'retryable', '$retryable', 'retryAfter'].map(
              (key) => [key, { get: refuse }],
            ),
          ),
        ),
    ],
  ])('%s', (_, make) => {
    expect(look(make())[0]).toEqual({ class: 'unknown', retryable: 'idempotent', breaker: 'failure' });
    expect(matches(make(), Error)).toBeTypeOf('boolean');
    expect(matches(make(), 'Error')).toBe(false);
  });

  it('errors that breed without an end are looked at only so far', () => {
    let born = 0;
    const breed = (): object => ({
      get errors() {
        return Array.from({ length: 10 }, () => (born++, breed()));
      },
      get cause() {
        return (born++, breed());
      },
    });
    expect(look(breed())[0].class).toBe('unknown');
    expect(born).toBeLessThan(10_000);
  });

  it('cycles end', () => {
    const cycle = new AggregateError([], 'a');
    cycle.cause = new Error('b', { cause: cycle });
    cycle.errors.push(cycle, cycle.cause);
    expect(look(cycle)[0].class).toBe('unknown');
  });

  it('nothing throws, whatever is thrown, and the verdict and signature are plain data', () => {
    const keys = [
      'name',
      'message',
      'code',
      'status',
      'statusCode',
      'response',
      'headers',
      'metadata',
      'details',
      'cause',
      'errors',
      'retryable',
      'retryAfter',
      'retry-after',
    ];
    const { shaped } = fc.letrec((tie) => ({
      shaped: fc.oneof(
        { maxDepth: 4 },
        fc.anything(),
        fc.constantFrom(429, 503, 'ECONNRESET', 'AbortError', '5', -1),
        fc.dictionary(fc.constantFrom(...keys), tie('shaped')),
      ),
    }));
    fc.assert(
      fc.property(
        fc.oneof(fc.anything({ withNullPrototype: true, withBigInt: true, withMap: true }), shaped),
        (thrown) => {
          const [verdict, signature, hint] = look(thrown);
          for (const plain of [verdict, signature]) expect(JSON.parse(JSON.stringify(plain))).toEqual(plain);
          expect(signature.fingerprint).toMatch(/^[0-9a-f]{8}$/);
          const waits = Object.values(hint ?? {});
          expect(
            waits.every(
              (each) => each === true || (Number.isSafeInteger(Math.ceil(each as number)) && (each as number) >= 0),
            ),
          ).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('a chain of causes', () => {
  const chain = (length: number, end: object): Error => {
    let error = Object.assign(new Error('end'), end);
    for (let i = 0; i < length; i++) error = Object.assign(new Error('outer', { cause: error }));
    return error;
  };

  it('is followed for ten levels', () => {
    expect(classify(chain(10, { code: 'ECONNRESET' })).class).toBe('transient');
    expect(classify(chain(11, { code: 'ECONNRESET' })).class).toBe('unknown');
  });

  it('speaks only where what is nearer says nothing (CL1)', () => {
    const timeout = Object.assign(new Error('x', { cause: new DOMException('', 'AbortError') }), { code: 'ETIMEDOUT' });
    expect(classify(timeout).class).toBe('timeout');
    expect(classify(new Error('x', { cause: new DOMException('', 'AbortError') })).class).toBe('cancelled');
  });

  it('carries a mark, up to the error that says what it is', () => {
    expect(classify(chain(2, { retryable: false }))).toMatchObject({ class: 'unknown', retryable: false });
    expect(classify(chain(2, { status: 400, retryable: true }))).toMatchObject({ class: 'permanent', retryable: true });
    const outer = Object.assign(new Error('x', { cause: chain(0, { retryable: true }) }), { status: 400 });
    expect(classify(outer).retryable).toBe(false);
  });

  it('names the code also where the code means nothing', () => {
    expect(classify(chain(1, { code: 'E_OWN' }))).toMatchObject({ class: 'unknown', code: 'E_OWN' });
  });
});

describe('names (R07)', () => {
  class CardError extends Error {}
  class WrongCardError extends TypeError {}
  class NamedError extends Error {
    override readonly name = 'PaymentError';
  }

  it.each([
    new CardError('x'),
    new WrongCardError('x'),
    new NamedError('x'),
    new RangeError('x'),
    new DOMException('x'),
    new DOMException('x', 'AbortError'),
  ])('an error bears the same name before and after a log: %s', (error) => {
    const logged = decode(encode(error, 'the error').json);
    expect(nameOf(logged)).toBe(nameOf(error));
    expect(classify(logged)).toEqual(classify(error));
    expect(signatureOf(logged, classify(logged))).toEqual(signatureOf(error, classify(error)));
  });

  it('the name of a class matches its errors exactly, not those of its subclasses', () => {
    class GoldCardError extends CardError {}
    expect([matches(new CardError('x'), 'CardError'), matches(new CardError('x'), 'Error')]).toEqual([true, false]);
    expect([matches(new GoldCardError('x'), 'CardError'), matches(new GoldCardError('x'), CardError)]).toEqual([
      false,
      true,
    ]);
  });

  it('a predicate is asked, and what it throws is thrown', () => {
    expect(matches('x', (error) => error === 'x')).toBe(true);
    expect(() => classify('x', [{ match: refuse }])).toThrow('refused');
  });
});

describe('rules', () => {
  const abort = new DOMException('x', 'AbortError');
  const failed = Object.assign(new Error('x'), { status: 500, retryable: false });
  const allow: ErrorRule = { match: () => true, retryable: true };

  it('the first that matches counts, before a mark', () => {
    expect(
      classify(failed, [{ match: 'Other', retryable: false }, allow, { match: 'Error', class: 'bug' }]),
    ).toMatchObject({
      class: 'server',
      retryable: true,
    });
  });

  it('a class of a rule brings its wait', () => {
    expect(classify(failed, [{ match: 'Error', class: 'local' }])).toMatchObject({
      retryable: true,
      minDelayMs: 1_000,
    });
  });

  it('R07: cancelled is never retried, by whichever way it is cancelled (CL4)', () => {
    expect(classify(abort, [allow, { match: 'AbortError', class: 'transient' }])).toMatchObject({
      class: 'cancelled',
      retryable: false,
    });
    expect(classify(failed, [{ match: 'Error', class: 'cancelled', retryable: true }])).toMatchObject({
      class: 'cancelled',
      retryable: false,
    });
  });
});

describe('a fingerprint (ES1)', () => {
  const print = (message: string, more: object = {}) => {
    const error = Object.assign(new Error(message), more);
    return signatureOf(error, classify(error)).fingerprint;
  };

  it.each([
    ['order 7 is gone', 'order 1234567 is gone'],
    ['order 7 is gone', 'order 12.5 is gone'],
    ['blob 3f9a2c is gone', 'blob 123456 is gone'],
    ['blob 0x1F is gone', 'blob 0xabc123 is gone'],
    ['call req_3f9a2c failed', 'call req_0b1c2d3e failed'],
    ['id 0198f3c2-1111-7abc-8def-001122334455', 'id 0198F3C2-2222-7ABC-8DEF-0011223344AA'],
    ['user "anna" is gone', 'user "ben o\'neil" is gone'],
    ["file '/a' is gone", "file '/b c' is gone"],
    ['table `a` is gone', 'table `b` is gone'],
    [`got "${'a'.repeat(2_000)}" back`, `got "${'b'.repeat(3_000)}" back`],
  ])('is the same: %s / %s', (one, other) => expect(print(one)).toBe(print(other)));

  it.each([
    ["can't read it, isn't there", "can't write it, isn't there"],
    ['the decade ended', 'the facade ended'],
    ['order is locked', 'order is gone'],
  ])('differs: %s / %s', (one, other) => expect(print(one)).not.toBe(print(other)));

  it('is FNV-1a, and stays what it is: logs hold it', () => {
    expect(print('connect ECONNREFUSED 127.0.0.1:5432', { code: 'ECONNREFUSED' })).toBe('dea0e1ee');
  });
});

describe('a signature', () => {
  const error = Object.assign(new Error('💥'.repeat(400)), { code: 'ECONNRESET', status: 502 });

  it('keeps 300 characters of the message, whole ones, and no stack', () => {
    const odd = `x${error.message}`;
    const { message } = signatureOf(new Error(odd), classify(error));
    expect(message).toBe(odd.slice(0, 299));
    expect(Object.keys(signatureOf(error, classify(error))).toSorted()).toEqual([
      'class',
      'code',
      'fingerprint',
      'message',
      'name',
      'status',
    ]);
  });

  it.each<[unknown, string, string]>([
    ['text', 'string', 'text'],
    [undefined, 'undefined', ''],
    [null, 'object', ''],
    [7, 'number', '7'],
    [{ message: 'm' }, 'object', 'm'],
  ])('R06: describes what is no error: %s', (thrown, name, message) =>
    expect(signatureOf(thrown, classify(thrown))).toMatchObject({ class: 'unknown', name, message }),
  );
});
