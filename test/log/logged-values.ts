/**
 * Generated values for the codec's properties. Owns what kinds of value there are; V-numbers are those of codec.ts.
 */
import { fc } from '@fast-check/vitest';

/** Keys as data may have them. '__proto__' is refused; 'constructor' misleads strict equality: both are tested apart. */
const key = fc.oneof(
  { weight: 6, arbitrary: fc.string({ maxLength: 6 }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('$devalue', 'toString', 'then', 'prototype', '0', '10', 'é€😀'),
  },
);
const ownKey = key.filter((name) => name !== '__proto__' && name !== 'constructor');
const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('\ud800', 'a\u0000b', '\u2028<'));

const plainLeaf = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
  text,
);

/** Plain JSON: what is logged as itself. */
export const plainValue = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    plainLeaf,
    fc.array(tie('node'), { maxLength: 5 }),
    fc.dictionary(
      ownKey.filter((name) => name !== '$devalue'),
      tie('node'),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
})).node;

const richLeaf = fc.oneof(
  plainLeaf,
  fc.constantFrom(undefined, NaN, -0, Infinity, -Infinity),
  fc.bigInt(),
  fc.date({ noInvalidDate: false }),
  // Made anew for every value, because a test may ruin it.
  fc.constantFrom('a+', '[/\\\\]\\n', '').map((source) => new RegExp(source, 'gu')),
  fc.webUrl({ withQueryParameters: true }).map((url) => new URL(url)),
  fc.uint8Array({ maxLength: 8 }),
  fc.uint8Array({ maxLength: 8 }).map((bytes) => bytes.buffer as ArrayBuffer),
  fc.uint8Array({ minLength: 4, maxLength: 8 }).map((bytes) => bytes.subarray(1, 3)),
  fc.float64Array({ maxLength: 4 }),
  fc.bigInt64Array({ maxLength: 4 }),
  fc.uint8Array({ minLength: 2, maxLength: 8 }).map((bytes) => new DataView(bytes.buffer, 1)),
);

const errorClasses = [Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError] as const;

/** Errors as they come back from the log, so that equality can be strict; classes of one's own are tested apart. */
function errorOf(value: fc.Arbitrary<unknown>): fc.Arbitrary<Error> {
  const extra = fc.dictionary(fc.constantFrom('code', 'status', 'details', 'toString'), value, {
    maxKeys: 2,
    noNullPrototype: true,
  });
  const options = fc.option(
    value.map((cause) => ({ cause })),
    { nil: undefined },
  );
  return fc.oneof(
    fc
      .tuple(fc.constantFrom(...errorClasses), text, options, extra)
      .map(([Class, message, more, own]) => Object.assign(new Class(message, more), own)),
    fc
      .tuple(fc.array(value, { maxLength: 2 }), text, options)
      .map(([errors, message, more]) => new AggregateError(errors, message, more)),
    fc
      .tuple(text, fc.constantFrom('AbortError', 'TimeoutError'))
      .map(([message, name]) => new DOMException(message, name)),
  );
}

/** Everything that is carried. */
export const richValue = fc.letrec<{ node: unknown }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    richLeaf,
    fc.array(tie('node'), { maxLength: 4 }),
    fc.sparseArray(tie('node'), { maxNumElements: 3, maxLength: 30 }),
    fc.dictionary(ownKey, tie('node'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(fc.tuple(tie('node'), tie('node')), { maxLength: 3 }).map((entries) => new Map(entries)),
    fc.array(tie('node'), { maxLength: 3 }).map((items) => new Set(items)),
    errorOf(tie('node')),
  ),
})).node;

type Container = 'object' | 'array' | 'map' | 'set' | 'error';

/** Values with cycles and shared parts: containers, and which of them lie in which. */
export const graphValue = fc
  .array(
    fc.record({
      kind: fc.constantFrom<Container>('object', 'array', 'map', 'set', 'error'),
      edges: fc.array(fc.nat({ max: 7 }), { maxLength: 4 }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => {
    const nodes = parts.map(({ kind }) => create(kind));
    parts.forEach(({ edges }, i) => edges.forEach((to, place) => link(nodes[i], nodes[to % nodes.length], place)));
    return nodes;
  });

function create(kind: Container): unknown {
  if (kind === 'object') return {};
  if (kind === 'array') return [];
  if (kind === 'map') return new Map();
  return kind === 'set' ? new Set() : new Error('part of a graph');
}

function link(from: unknown, to: unknown, place: number): void {
  if (Array.isArray(from)) from.push(to);
  else if (from instanceof Map) from.set(place, to).set(to, place);
  else if (from instanceof Set) from.add(to);
  else (from as Record<string, unknown>)[place === 0 ? 'cause' : `p${place}`] = to;
}

/** Changes everything in a value that can be changed. */
export function ruin(value: unknown, seen = new Set<unknown>()): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof Map) for (const [from, to] of value) [from, to].forEach((part) => ruin(part, seen));
  else if (value instanceof Set) for (const item of value) ruin(item, seen);
  else if (!ArrayBuffer.isView(value)) for (const item of Object.values(value)) ruin(item, seen);
  ruinSelf(value);
}

function ruinSelf(value: object): void {
  if (value instanceof Map || value instanceof Set) value.clear();
  else if (value instanceof Date) value.setTime(0);
  else if (value instanceof URL) value.href = 'http://ruined/';
  else if (ArrayBuffer.isView(value)) new Uint8Array(value.buffer).fill(255);
  else if (value instanceof ArrayBuffer) new Uint8Array(value).fill(255);
  else if (Array.isArray(value)) value.splice(0, value.length, 'ruined');
  else {
    for (const name of Object.keys(value)) delete (value as Record<string, unknown>)[name];
    Object.assign(value, { ruined: true });
  }
}
