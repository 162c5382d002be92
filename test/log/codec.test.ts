/** The codec against its invariants (V1–V5) and invariant 27 of recovery: decode∘encode = id, else reject before append. */
import { fc, test } from '@fast-check/vitest';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createActor, createMachine } from 'xstate';
import { ConflictError, InvalidArgumentError, NotSerializableError } from '../../src/errors.ts';
import { decode, encode } from '../../src/log/codec.ts';
import { registerErrorClass } from '../../src/log/logged-errors.ts';
import type { Json } from '../../src/log/json.ts';
import { graphValue, plainValue, richValue, ruin } from './logged-values.ts';

const textOf = (value: unknown) => JSON.stringify(encode(value, 'a value').json);
const read = (text: string) => decode(JSON.parse(text) as Json);
const roundTrip = (value: unknown) => read(textOf(value));

function refusalOf(value: unknown): { path: string; found: string } {
  try {
    encode(value, 'a value');
  } catch (error) {
    if (!(error instanceof NotSerializableError)) throw error;
    return { path: error.path, found: / is (.*?)\. Nothing was written\./s.exec(error.message)![1]! };
  }
  throw new Error('it was not refused');
}

describe('invariant 27: serialisation', () => {
  test.prop([richValue], { numRuns: 1_000 })('decode∘encode = id for every kind of value (V1, V2)', (value) => {
    const encoded = encode(value, 'a value');
    const decoded = read(JSON.stringify(encoded.json));
    expect(decoded).toStrictEqual(value);
    expect(decoded).toStrictEqual(encoded.value);
  });

  test.prop([plainValue], { numRuns: 500 })(
    'decode∘encode = id for plain JSON, which is logged as itself (V3)',
    (value) => {
      expect(textOf(value)).toBe(JSON.stringify(value));
      expect(roundTrip(value)).toStrictEqual(value);
    },
  );

  test.prop([graphValue], { numRuns: 500 })('decode∘encode = id for cycles and shared parts (V1, V4)', (value) => {
    // The list of nodes is the graph in one fixed order: equal lists are equal graphs.
    const text = textOf(value);
    expect(textOf(read(text))).toBe(text);
    expect(textOf(encode(value, 'a value').value)).toBe(text);
  });

  test.prop([richValue], { numRuns: 500 })('encode is a fixpoint (V4)', (value) => {
    const encoded = encode(value, 'a value');
    expect(textOf(encoded.value)).toBe(JSON.stringify(encoded.json));
  });

  test.prop([fc.oneof(plainValue, richValue)], { numRuns: 500 })(
    'a later change of the original changes nothing (V2)',
    (value) => {
      const encoded = encode(value, 'a value');
      const text = JSON.stringify(encoded.json);
      ruin(value);
      expect(JSON.stringify(encoded.json)).toBe(text);
      expect(encoded.value).toStrictEqual(read(text));
    },
  );

  test.prop([richValue, fc.constantFrom(() => {}, Symbol('x'), new WeakMap(), Promise.resolve())])(
    'a value that cannot be carried is refused wherever it is',
    (value, culprit) => {
      expect(() => encode({ value, list: [value, culprit] }, 'a value')).toThrow(NotSerializableError);
      expect(refusalOf({ value, list: [value, culprit] }).path).toBe('.list[1]');
    },
  );
});

describe('what the log holds', () => {
  // Changing one of these texts makes logs unreadable: a new form needs a new marker beside '$devalue'.
  it.each<[string, unknown, string]>([
    ['plain data', { a: [1, null, 'x'], b: { c: true } }, '{"a":[1,null,"x"],"b":{"c":true}}'],
    ['undefined', undefined, '{"$devalue":-1}'],
    ['numbers that JSON lacks', [NaN, Infinity, -Infinity, -0], '{"$devalue":[[-3,-4,-5,-6]]}'],
    ['an undefined property', { a: undefined, b: 1 }, '{"$devalue":[{"a":-1,"b":1},1]}'],
    ['a BigInt', 12n, '{"$devalue":[["BigInt","12"]]}'],
    ['a date', [new Date(0), new Date(NaN)], '{"$devalue":[[1,2],["Date","1970-01-01T00:00:00.000Z"],["Date",""]]}'],
    ['a map', new Map([['k', 1]]), '{"$devalue":[["Map",1,2],"k",1]}'],
    ['a set', new Set(['k']), '{"$devalue":[["Set",1],"k"]}'],
    ['a pattern', /a/gi, '{"$devalue":[["RegExp","a","gi"]]}'],
    ['a URL', new URL('http://a/b?c'), '{"$devalue":[["URL","http://a/b?c"]]}'],
    ['search parameters', new URLSearchParams('a=1'), '{"$devalue":[["URLSearchParams","a=1"]]}'],
    ['bytes', new Uint8Array([1, 2]), '{"$devalue":[["Uint8Array",1],["ArrayBuffer","AQI="]]}'],
    ['holes', [1, , 2], '{"$devalue":[[1,-2,2],1,2]}'], // eslint-disable-line no-sparse-arrays
    ['many holes', Object.assign([], { 1000: 1 }), '{"$devalue":[[-7,1001,1000,1],1]}'],
    ['the marker as a key', { a: { $devalue: 1 } }, '{"$devalue":[{"a":1},{"$devalue":2},1]}'],
    [
      'an error',
      Object.assign(new TypeError('m', { cause: 'c' }), { code: 7 }),
      '{"$devalue":[["Error",1],{"name":2,"message":3,"cause":4,"code":5},"TypeError","m","c",7]}',
    ],
    [
      'an abort',
      new DOMException('m', 'AbortError'),
      '{"$devalue":[["DOMException",1],{"name":2,"message":3},"AbortError","m"]}',
    ],
    ['half a surrogate pair', 'a\ud800', '"a\\ud800"'],
  ])('is pinned for %s', (_, value, text) => {
    expect(textOf(value)).toBe(text);
    expect(read(text)).toStrictEqual(value);
  });

  it('has keys that objects inherit as ordinary keys', () => {
    const value = { constructor: { prototype: 1 }, toString: null, hasOwnProperty: [1], valueOf: 'x' };
    expect(textOf(value)).toBe(JSON.stringify(value));
    expect(roundTrip({ ...value, rich: undefined })).toEqual({ ...value, rich: undefined });
  });

  it('has no stack', () => {
    expect(textOf(new Error('m'))).not.toContain('codec.test');
  });

  it('has only the bytes that a view shows', () => {
    const whole = new TextEncoder().encode('secret ok');
    expect(roundTrip(whole.subarray(7))).toStrictEqual(new TextEncoder().encode('ok'));
    expect(textOf(whole.subarray(7))).not.toContain(Buffer.from('secret').toString('base64'));
    expect(textOf(Buffer.from('ok'))).toBe(textOf(new TextEncoder().encode('ok')));
  });

  it('gives plain data copies of shared parts, and rich data the parts themselves', () => {
    const part = { n: 1 };
    const plain = roundTrip([part, part]) as object[];
    const rich = roundTrip([part, part, undefined]) as object[];
    expect(plain[0]).not.toBe(plain[1]);
    expect(rich[0]).toBe(rich[1]);
  });

  it('takes plain data from another realm as plain', () => {
    expect(textOf(runInNewContext('({ a: [1, { b: 2 }] })'))).toBe('{"a":[1,{"b":2}]}');
    expect(roundTrip(runInNewContext('({ at: new Date(5), e: new TypeError("m") })'))).toStrictEqual({
      at: new Date(5),
      e: new TypeError('m'),
    });
  });

  it('has objects without prototype as ordinary ones, also beside rich data', () => {
    const bare = Object.assign(Object.create(null) as object, { a: 1 });
    expect(textOf(bare)).toBe('{"a":1}');
    expect(roundTrip([bare, undefined])).toStrictEqual([{ a: 1 }, undefined]);
  });
});

describe('errors', () => {
  class PaymentError extends Error {
    readonly code = 'DECLINED';
    override name = 'PaymentError';
  }
  class Silent extends TypeError {}

  it('come back under the name of their class, with their own properties', () => {
    const payment = roundTrip(new PaymentError('no funds', { cause: new Silent('deep') })) as PaymentError;
    expect(payment).toBeInstanceOf(Error);
    expect({ name: payment.name, message: payment.message, code: payment.code }).toEqual({
      name: 'PaymentError',
      message: 'no funds',
      code: 'DECLINED',
    });
    expect(payment.cause).toMatchObject({ name: 'Silent', message: 'deep' });
    expect(Object.keys(payment)).toEqual(['code']);
  });

  it.each([
    [new PaymentError('m'), 'PaymentError: m'],
    [new Silent('m'), 'Silent: m'],
    [new RangeError(''), 'RangeError'],
    [new DOMException('m', 'AbortError'), 'AbortError: m'],
  ])('come back with the stack that name and message make: %s', (error, stack) => {
    expect((encode(error, 'an error').value as Error).stack).toBe(stack);
  });

  it('of rewake come back with class, code and fields (S2)', () => {
    const error = roundTrip(new ConflictError('order-1', 'no stream', 3));
    expect(error).toBeInstanceOf(ConflictError);
    expect(error).toMatchObject({ name: 'ConflictError', code: 'REWAKE_CONFLICT', stream: 'order-1', actual: 3 });
  });

  it('that only bear the name of one of rewake do not become one (S2)', () => {
    const foreign = Object.assign(new Error('m'), { name: 'ConflictError', code: 'E409' });
    expect(roundTrip(foreign)).not.toBeInstanceOf(ConflictError);
  });

  it('of a registered class keep it, without its constructor being called (S2)', () => {
    class ShippingError extends Error {
      readonly parcel: string;
      constructor(parcel: string) {
        super(`parcel ${parcel} is lost`);
        if (parcel === undefined) throw new Error('called without a parcel');
        this.parcel = parcel;
      }
    }
    registerErrorClass(ShippingError);
    registerErrorClass(ShippingError);
    const error = roundTrip(new ShippingError('p-1'));
    expect(error).toBeInstanceOf(ShippingError);
    expect(error).toMatchObject({ name: 'ShippingError', message: 'parcel p-1 is lost', parcel: 'p-1' });
  });

  it('refuse a second class of the same name, a built-in name and what is no error class', () => {
    const ConflictError = class ConflictError extends Error {};
    const TypeError = class TypeError extends Error {};
    for (const type of [ConflictError, TypeError, class Parcel {}, undefined, {}]) {
      expect(() => registerErrorClass(type as never)).toThrow(InvalidArgumentError);
    }
  });

  it('in a cycle come back as one object', () => {
    const error = new PaymentError('m');
    error.cause = [error];
    const revived = roundTrip(error) as { cause: unknown[] };
    expect(revived.cause[0]).toBe(revived);
  });

  it('keep an undefined cause apart from none', () => {
    expect(roundTrip(new Error('m', { cause: undefined }))).toHaveProperty('cause', undefined);
    expect(roundTrip(new Error('m'))).not.toHaveProperty('cause');
  });

  it('leave the limit of stack traces as it was', () => {
    const limit = Error.stackTraceLimit;
    roundTrip(new Error('m'));
    expect(Error.stackTraceLimit).toBe(limit);
  });
});

describe('a value that cannot be carried', () => {
  class Order {
    id = 1;
  }
  class Tags extends Set {}
  const actor = createActor(createMachine({}));

  it.each<[string, unknown, string, string]>([
    [
      'a callback in depth',
      { order: { lines: [1, 2, 3, { callback() {} }] } },
      '.order.lines[3].callback',
      'a function',
    ],
    ['a symbol', [Symbol('s')], '[0]', 'a symbol'],
    ['a promise', { a: Promise.resolve() }, '.a', 'a promise'],
    ['a class instance', { order: new Order() }, '.order', 'an instance of Order'],
    ['a subclass of a built-in', { tags: new Tags() }, '.tags', 'an instance of Tags'],
    ['a weak map', new WeakMap(), '', 'an instance of WeakMap'],
    ['a boxed number', Object(1), '', 'an instance of Number'],
    ['a map key', new Map([['k', () => {}]]), '.get("k")', 'a function'],
    ['an error cause', new Error('m', { cause: { f() {} } }), '.cause.f', 'a function'],
    ['an error property', Object.assign(new Error('m'), { request: new Order() }), '.request', 'an instance of Order'],
    [
      'an error message',
      Object.assign(new Error('m'), { message: {} }),
      '.message',
      'an error message that is not a string',
    ],
    ['a key that is a symbol', { a: { [Symbol('s')]: 1 } }, '.a', 'an object with a symbol as key'],
    ['an own __proto__', JSON.parse('{"a":{"__proto__":{"x":1}}}'), '.a', "an object with the key '__proto__'"],
    ['an extra array property', { match: /b/.exec('abc') }, '.match', "an array with the extra property 'groups'"],
    ['an extra date property', Object.assign(new Date(0), { tag: 1 }), '', 'a Date with properties of its own'],
    ['a shared buffer', { b: new SharedArrayBuffer(1) }, '.b', 'an instance of SharedArrayBuffer'],
    ['an actor', { ref: actor }, '.ref', 'an actor reference: log its id instead'],
    [
      'an actor as XState hands it out',
      { ref: { ...actor.ref, send() {} } },
      '.ref',
      'an actor reference: log its id instead',
    ],
    ['a key with spaces', { 'a b': [() => {}] }, '["a b"][0]', 'a function'],
  ])('is refused with its path: %s', (_, value, path, found) => {
    expect(refusalOf(value)).toEqual({ path, found });
  });

  it('is refused when a getter throws, with the cause', () => {
    const cause = new Error('not now');
    const value = {
      list: [
        {
          get x() {
            throw cause;
          },
        },
      ],
    };
    expect(refusalOf(value)).toEqual({ path: '.list[0].x', found: 'a getter that throws (not now)' });
    expect(() => encode(value, 'a value')).toThrow(expect.objectContaining({ cause }) as Error);
  });

  it.each(['getPrototypeOf', 'ownKeys', 'getOwnPropertyDescriptor', 'get'])(
    'is refused when the trap %s throws',
    (trap) => {
      for (const target of [{ a: 1 }, [1], new Error('m')]) {
        const value = new Proxy(target, { [trap]: () => expect.fail('trapped') });
        expect(() => encode({ rich: undefined, value }, 'a value')).toThrow(NotSerializableError);
      }
    },
  );

  it('is named in the message, with what to do', () => {
    expect(() => encode({ f() {} }, "event 'PAY'")).toThrow(
      /^Cannot log event 'PAY': the value at \.f is a function\. Nothing was written\. Pass plain data/,
    );
  });
});

describe('size and depth', () => {
  const nested = (levels: number): unknown => {
    let value: unknown = 0;
    for (let i = 0; i < levels; i++) value = [value];
    return value;
  };

  it('are carried up to 1,000 levels, plain up to 100', () => {
    expect(textOf(nested(100))).toMatch(/^\[/);
    for (const levels of [101, 999]) expect(textOf(roundTrip(nested(levels)))).toBe(textOf(nested(levels)));
  });

  it.each([1_000, 20_000, 200_000])('beyond that are refused: %i levels', (levels) => {
    expect(refusalOf(nested(levels))).toEqual({ path: '', found: 'nested deeper than 1000 levels' });
  });

  it('stay small where parts are shared many times over', () => {
    let value: unknown = [0];
    for (let i = 0; i < 60; i++) value = [value, value];
    expect(textOf(value).length).toBeLessThan(1_000);
    expect(textOf(roundTrip(value))).toBe(textOf(value));
  });

  it('do not matter for a huge sparse array', () => {
    const sparse: unknown[] = [];
    sparse[4_000_000_000] = 1;
    expect(textOf(sparse)).toBe('{"$devalue":[[-7,4000000001,4000000000,1],1]}');
  });
});
