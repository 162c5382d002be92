import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { createActor, createMachine } from 'xstate';
import { applyPatch, diff, keysOf, valueAt } from '../../src/kernel/json-patch.ts';
import { plainValue } from '../../src/kernel/plain-value.ts';

class Account {
  owner = 'Ada';
}

const cyclic: { self?: unknown } = {};
cyclic.self = cyclic;

describe('the readable form of a value', () => {
  it.each([
    ['text', 'text'],
    [{ a: [1, null, true] }, { a: [1, null, true] }],
    [undefined, { $undefined: true }],
    [{ a: undefined, b: [undefined] }, { b: [{ $undefined: true }] }],
    [NaN, { $number: 'NaN' }],
    [-0, { $number: '-0' }],
    [-Infinity, { $number: '-Infinity' }],
    [12n, { $bigint: '12' }],
    [new Date(0), { $date: '1970-01-01T00:00:00.000Z' }],
    [new Date(NaN), { $date: 'invalid' }],
    [new Map([[{ k: 1 }, new Set(['v'])]]), { $map: [[{ k: 1 }, { $set: ['v'] }]] }],
    [/a+/g, { $regexp: '/a+/g' }],
    [new URL('http://a/b?c'), { $url: 'http://a/b?c' }],
    [new Uint8Array([1, 2, 255]), { $bytes: 'AQL/' }],
    [new Uint8Array([9, 1, 2, 255]).subarray(1), { $bytes: 'AQL/' }],
    [new Account(), { $instance: 'Account', value: { owner: 'Ada' } }],
    [Promise.resolve(1), { $promise: true }],
    [Symbol('s'), { $symbol: 's' }],
    [function pay() {}, { $function: 'pay' }],
    [cyclic, { self: { $cycle: 1 } }],
    [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
  ])('%o', (value, plain) => {
    expect(plainValue(value)).toEqual(plain);
  });

  it('of an error is its name, message, cause and own properties, without the stack', () => {
    const error = Object.assign(new TypeError('no', { cause: new Error('why') }), { code: 7 });
    const cause = { $error: { name: 'Error', message: 'why' } };
    expect(plainValue(error)).toEqual({ $error: { name: 'TypeError', message: 'no', code: 7, cause } });
  });

  it('of an actor is its address', () => {
    const actor = createActor(createMachine({}), { id: 'pay' });
    expect(plainValue({ actor })).toEqual({ actor: { $actor: 'pay' } });
    expect(plainValue({ actor }, ({ sessionId }) => `at ${sessionId}`)).toEqual({
      actor: { $actor: `at ${actor.sessionId}` },
    });
  });

  it('calls nothing that throws out of it', () => {
    const value = {
      fine: 1,
      nested: {
        get bad(): never {
          throw new Error('a getter');
        },
      },
    };
    expect(plainValue(value)).toEqual({ fine: 1, nested: { $unreadable: 'a getter' } });
  });

  it('keeps a key that would change a prototype', () => {
    const value = JSON.parse('{"__proto__":{"polluted":true}}') as object;
    expect(JSON.stringify(plainValue(value))).toBe('{"__proto__":{"polluted":true}}');
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('ends where a value is too deep or too large', () => {
    let deep: unknown = 0;
    for (let level = 0; level < 200; level++) deep = [deep];
    expect(JSON.stringify(plainValue(deep))).toContain('{"$cut":"too deep"}');
    const wide = Array.from({ length: 100_001 }, () => ({}));
    expect((plainValue(wide) as unknown[]).at(-1)).toEqual({ $cut: 'too large' });
  });
});

/** Values as contexts hold them. */
const values = fc.anything({ withDate: true, withMap: true, withSet: true, withBigInt: true, withSparseArray: false });

/** What a machine makes of a value: parts of it kept, parts new. */
const edits = fc.tuple(values, fc.array(fc.tuple(fc.string(), values)), fc.nat());

function edited(value: unknown, changes: readonly (readonly [string, unknown])[], pick: number): unknown {
  if (Array.isArray(value)) {
    const at = value.length === 0 ? 0 : pick % value.length;
    return [...value.slice(0, at), ...changes.map(([, item]) => item), ...value.slice(at + (pick % 2))];
  }
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const kept = Object.entries(value).filter((_, index) => index !== pick % 3);
  return Object.fromEntries([...kept, ...changes]);
}

describe('the difference of two values', () => {
  test.prop([edits])('applied to the one gives the other', ([before, changes, pick]) => {
    const after = edited(before, changes, pick);
    expect(applyPatch(plainValue(before), diff(before, after))).toEqual(plainValue(after));
  });

  test.prop([values, values])('of any two, too', (before, after) => {
    expect(applyPatch(plainValue(before), diff(before, after))).toEqual(plainValue(after));
  });

  it('says no more than what differs', () => {
    const item = { name: 'tea', price: 3 };
    const before = { items: [item], total: 3, note: 'a', 'a/b~c': 1 };
    const after = { items: [item, { name: 'milk', price: 1 }], total: 4, 'a/b~c': 2 };
    expect(diff(before, after)).toEqual([
      { op: 'remove', path: '/note' },
      { op: 'add', path: '/items/1', value: { name: 'milk', price: 1 } },
      { op: 'replace', path: '/total', value: 4 },
      { op: 'replace', path: '/a~1b~0c', value: 2 },
    ]);
    expect(diff(before, { ...before })).toEqual([]);
  });

  it('of a list that lost its first item is one removal', () => {
    const [a, b, c] = [{ a: 1 }, { b: 1 }, { c: 1 }];
    expect(diff([a, b, c], [b, c])).toEqual([{ op: 'remove', path: '/0' }]);
  });

  it('does not fit another value', () => {
    expect(() => applyPatch({ a: [] }, [{ op: 'replace', path: '/a/0', value: 1 }])).toThrow(
      "applyPatch: replace '/a/0': expected a value that has this place",
    );
    expect(() => applyPatch({}, [{ op: 'remove', path: '/a' }])).toThrow("applyPatch: remove '/a'");
  });

  it('changes nothing in place', () => {
    const before = Object.freeze({ a: Object.freeze({ b: 1 }), c: Object.freeze({}) });
    const after = applyPatch(before, [{ op: 'replace', path: '/a/b', value: 2 }]);
    expect(after).toEqual({ a: { b: 2 }, c: {} });
    expect((after as typeof before).c).toBe(before.c);
  });
});

describe('a JSON Pointer', () => {
  it('leads to a value, or nowhere', () => {
    const value = { a: [{ 'x/y': 1, '~': 2 }], '': 3 };
    expect(valueAt(value, '')).toBe(value);
    expect(valueAt(value, '/a/0/x~1y')).toBe(1);
    expect(valueAt(value, '/a/0/~0')).toBe(2);
    expect(valueAt(value, '/')).toBe(3);
    for (const nowhere of ['/a/1', '/a/length', '/b', '/a/0/x~1y/z', '/constructor']) {
      expect(valueAt(value, nowhere)).toBeUndefined();
    }
    expect(() => keysOf('a/b')).toThrow("JSON Pointer: expected '' for the whole, or a path that begins with '/'");
  });
});
