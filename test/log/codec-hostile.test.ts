/** Decoding what the codec did not write (V5): a DecodeError, never a crash, a changed prototype or a changed input. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { DecodeError, type RewakeError } from '../../src/errors.ts';
import { decode, encode } from '../../src/log/codec.ts';
import type { Json } from '../../src/log/json.ts';

const read = (text: string) => decode(JSON.parse(text) as Json);

describe('hostile JSON', () => {
  it.each([
    '{"__proto__":{"polluted":1}}',
    '{"a":[{"__proto__":{"polluted":1}}]}',
    '{"$devalue":[{"__proto__":1},{"polluted":2},1]}',
    '{"$devalue":[["null","__proto__",1],{"polluted":2},1]}',
    '{"$devalue":[["Error",1],{"name":2,"message":2,"__proto__":3},"x",{"polluted":2}]}',
    '{"$devalue":[["__proto__",1],{"polluted":2},1]}',
    '{"$devalue":[["constructor",1],{"prototype":2},{"polluted":2}]}',
  ])('does not reach a prototype: %s', (text) => {
    expect(() => read(text)).toThrow(DecodeError);
    expect({}).not.toHaveProperty('polluted');
    expect(Object.keys(Error.prototype)).toEqual([]);
  });

  it('with a key constructor is only data', () => {
    expect(read('{"constructor":{"prototype":{"polluted":1}}}')).toEqual({
      constructor: { prototype: { polluted: 1 } },
    });
    const error = read('{"$devalue":[["Error",1],{"name":2,"message":2,"constructor":3},"x",{"prototype":2}]}');
    expect(Object.getPrototypeOf(error)).toBe(Error.prototype);
    expect({}).not.toHaveProperty('prototype');
  });

  it.each([
    ['no nodes', '[]'],
    ['text', '"x"'],
    ['null', 'null'],
    ['an object', '{"0":1}'],
    ['a hole by itself', '-2'],
    ['a node number by itself', '0'],
    ['an unknown constant', '-9'],
    ['a reference past the end', '[{"a":9}]'],
    ['a negative reference', '[{"a":-9},1]'],
    ['a hole in an object', '[{"a":-2}]'],
    ['a broken reference', '[["Set",0.5]]'],
    ['a reference that is text', '[["Set","0"]]'],
    ['a reference that is a list', '[[[0]]]'],
    ['an odd map', '[["Map",1],1]'],
    ['an unknown type', '[["Order",1],{}]'],
    ['a boxed value', '[["Object",1],1]'],
    ['an error of itself', '[["Error",0]]'],
    ['an error of nothing', '[["Error",-1]]'],
    ['an error of text', '[["Error","x"]]'],
    ['an error without message', '[["Error",1],{"name":2},"x"]'],
    ['an error with a number for a name', '[["Error",1],{"name":2,"message":2},1]'],
    ['an error of a list', '[["Error",1],[1]]'],
    ['a date of an object', '[["Date",{}]]'],
    ['a date of nothing', '[["Date"]]'],
    ['a broken pattern', '[["RegExp","("]]'],
    ['a broken flag', '[["RegExp","a","?"]]'],
    ['a broken BigInt', '[["BigInt","x"]]'],
    ['a broken URL', '[["URL","x"]]'],
    ['a view of a view', '[["Uint8Array",0]]'],
    ['a view past the end', '[["Uint8Array",1,9,9],["ArrayBuffer","AA=="]]'],
    ['a view of a length', '[["Uint8Array",1],4000000000]'],
    ['a broken sparse length', '[[-7,-1]]'],
    ['a sparse index past the end', '[[-7,1,5,1],1]'],
    ['a sparse reference past the end', '[[-7,10,5,9],1]'],
  ])('is a DecodeError: %s', (_, nodes) => {
    expect(() => read(`{"$devalue":${nodes}}`)).toThrow(DecodeError);
  });

  it('with a reference past the end is a DecodeError that names the node', () => {
    expect(() => read('{"$devalue":[[1],{"a":9}]}')).toThrow(/node 1 refers to 9, and there are 2 nodes/);
  });

  it('with keys beside the marker is a DecodeError that names them', () => {
    expect(() => read('{"$devalue":[1],"a":1}')).toThrow(/other keys \(\$devalue, a\)/);
  });

  it('nested without end is a DecodeError', () => {
    const list: unknown[][] = Array.from({ length: 50_000 }, (_, i) => [i === 0 ? -1 : i - 1]);
    expect(() => decode({ $devalue: [[list.length], ...list] as unknown as Json })).toThrow(DecodeError);
    expect(() => read('['.repeat(5_000) + ']'.repeat(5_000))).toThrow(/deeper than 1000 levels/);
  });

  test.prop([fc.jsonValue()], { numRuns: 1_000 })(
    'as the marked value is decoded or a DecodeError, and stays as it was',
    (nodes) => {
      const text = JSON.stringify({ $devalue: nodes });
      const json = JSON.parse(text) as Json;
      expectDecodedOrRefused(json);
      expect(JSON.stringify(json)).toBe(text);
    },
  );

  const reference = fc.integer({ min: -8, max: 6 });
  const type = fc.constantFrom(
    'Set',
    'Map',
    'Error',
    'DOMException',
    'Date',
    'RegExp',
    'Uint8Array',
    'DataView',
    'ArrayBuffer',
    'BigInt',
    'Object',
    'null',
    'URL',
  );
  const node = fc.oneof(
    fc.constantFrom<unknown>('x', 1, null, '', 'AAAA'),
    fc.array(reference, { maxLength: 4 }),
    fc.tuple(type, reference, fc.oneof(reference, fc.constantFrom('x', 'AAAA'))),
    fc.tuple(type, fc.oneof(reference, fc.constantFrom('x', 'AAAA'))),
    fc.dictionary(fc.constantFrom('name', 'message', 'cause', 'errors', 'a'), reference, { noNullPrototype: true }),
  );

  test.prop([fc.array(node, { maxLength: 6 })], { numRuns: 5_000 })(
    'that looks like nodes is decoded or a DecodeError',
    (nodes) => {
      expectDecodedOrRefused({ $devalue: nodes as Json });
    },
  );

  function expectDecodedOrRefused(json: Json): void {
    try {
      decode(json);
    } catch (error) {
      expect(error).toBeInstanceOf(DecodeError);
      expect((error as RewakeError).message).toMatch(/^Cannot read a logged value: .+restore the record/s);
    }
    expect(Object.keys(Object.prototype)).toEqual([]);
  }

  test.prop([fc.array(node, { minLength: 1, maxLength: 6 })], { numRuns: 2_000 })(
    'that is decoded can be encoded again',
    (nodes) => {
      let value: unknown;
      try {
        value = decode({ $devalue: nodes as Json });
      } catch {
        return;
      }
      expect(encode(encode(value, 'a value').value, 'a value').json).toEqual(encode(value, 'a value').json);
    },
  );
});
