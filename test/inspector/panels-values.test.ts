/** Values in the panels: places (PT1), marks of a patch (PM1, PM2), differences, and words (VA1, VA2). */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { differenceOf } from '../../inspector/src/panels/json-difference.ts';
import { childPointer, keysOf, parentPointer, pointerOf, valueAt } from '../../inspector/src/panels/json-pointer.ts';
import { changesOf, marksOf } from '../../inspector/src/panels/patch-marks.ts';
import { childCount, childrenOf, wordsOf } from '../../inspector/src/panels/value-words.ts';
import { applyPatch, diff } from '../../src/kernel/json-patch.ts';
import { plainValue } from '../../src/kernel/plain-value.ts';
import type { Json } from '../../src/log/json.ts';

/** As it comes over the wire: JSON has no -0. */
const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as Json);
const key = fc.oneof(fc.string(), fc.constantFrom('a/b', '~', '~1', '', '/', '~0/'));

describe('JSON Pointers', () => {
  test.prop([fc.array(key)])('PT1: keys come back from the pointer that was made of them', (keys) => {
    expect(keysOf(pointerOf(keys))).toEqual(keys);
  });

  test.prop([fc.array(key), key])('the parent of a child is where it was made', (keys, last) => {
    expect(parentPointer(childPointer(pointerOf(keys), last))).toBe(pointerOf(keys));
  });

  test('finds what stands at a place, and nothing where there is none', () => {
    const value = { 'a/b': [{ '~': 1 }], none: null };
    expect(valueAt(value, '/a~1b/0/~0')).toBe(1);
    expect(valueAt(value, '')).toBe(value);
    expect(valueAt(value, '/none/deeper')).toBeUndefined();
    expect(valueAt(value, '/constructor')).toBeUndefined();
  });
});

describe('marks of a patch', () => {
  test.prop([json, json])(
    'PM1: say what stood and what stands at every place that a frame changed',
    (before, after) => {
      const changes = changesOf(diff(before, after), before);
      const { of, removed } = marksOf(changes);
      for (const { path, mark, from, to } of changes) {
        if (mark === 'removed') {
          expect(from).toEqual(valueAt(before, path));
          expect(removed.get(parentPointer(path))?.some((gone) => gone.path === path)).toBe(true);
        } else {
          expect(to).toEqual(valueAt(after, path));
          expect(of.get(path)).toBe(mark);
          if (mark === 'changed') expect(from).toEqual(valueAt(before, path));
        }
        for (let above = path; above !== '';) {
          above = parentPointer(above);
          expect(of.get(above)).toBeDefined();
        }
      }
    },
  );

  test('a frame that made the whole added it', () => {
    const [change] = changesOf([{ op: 'replace', path: '', value: { total: 1 } }], undefined);
    expect(change).toEqual({ path: '', mark: 'added', from: undefined, to: { total: 1 } });
  });

  test('PM2: what was removed is under the place it was removed from, with its value', () => {
    const before = { list: ['a', 'b', 'c'], gone: { deep: 1 } };
    const { of, removed } = marksOf(changesOf(diff(before, { list: ['a'] }), before));
    expect(removed.get('')).toEqual([{ name: 'gone', path: '/gone', value: { deep: 1 } }]);
    expect(removed.get('/list')?.map(({ value }) => value)).toEqual(['c', 'b']);
    expect(of.get('/list')).toBe('within');
    expect(of.get('')).toBe('within');
  });
});

describe('the difference of two values', () => {
  test.prop([json, json])('is what turns one into the other', (from, to) => {
    const changes = differenceOf(from, to);
    const removals = changes.filter(({ mark }) => mark === 'removed').reverse();
    const others = changes.filter(({ mark }) => mark !== 'removed');
    const patch = [
      ...removals.map(({ path }) => ({ op: 'remove' as const, path })),
      ...others.map(({ path, mark, to: value }) => ({
        op: mark === 'added' ? ('add' as const) : ('replace' as const),
        path,
        value: value as Json,
      })),
    ];
    expect(applyPatch(from, patch)).toEqual(to);
  });

  test.prop([json])('is empty for what is the same', (value) => {
    expect(differenceOf(value, structuredClone(value))).toEqual([]);
  });
});

describe('values in words', () => {
  class Money {
    readonly amount = 5;
  }
  const rich = {
    date: new Date('2026-03-01T14:02:11.350Z'),
    map: new Map<unknown, unknown>([
      ['tea', 1],
      [{ id: 7 }, 2],
    ]),
    set: new Set([1, 2, 3]),
    big: 12n,
    nan: Number.NaN,
    error: new TypeError('no card'),
    bytes: new Uint8Array([1, 2, 3, 4]),
    money: new Money(),
    call: function pay() {},
    pattern: /a+/g,
  };
  const shown = plainValue(rich) as { readonly [name: string]: Json };

  test('VA1: what JSON has no word for reads as what it is', () => {
    expect(Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, wordsOf(value).text]))).toEqual({
      date: '2026-03-01 14:02:11.350 UTC',
      map: 'Map (2)',
      set: 'Set (3)',
      big: '12n',
      nan: 'NaN',
      error: 'TypeError: no card',
      bytes: '4 bytes',
      money: 'Money {1}',
      call: 'function pay',
      pattern: '/a+/g',
    });
    expect(wordsOf({ $undefined: true }).text).toBe('undefined');
    expect(wordsOf({ $actor: '/pay:3' }).text).toBe('actor /pay:3');
    expect(wordsOf({ $cycle: 2 }).text).toBe('itself, 2 levels up');
    expect(wordsOf({ $cut: 'too deep' }).text).toBe('cut: too deep');
    expect(wordsOf({ $price: 3, more: 1 }).text).toBe('{2}');
  });

  test.prop([json])('VA2: every child stands where its pointer says', (value) => {
    const look = (inside: Json, path: string): void => {
      const children = childrenOf(inside, path);
      expect(children).toHaveLength(childCount(inside));
      for (const child of children) {
        expect(valueAt(value, child.path)).toEqual(child.value);
        look(child.value, child.path);
      }
    };
    look(value, '');
  });

  test('VA2: the children of a Map, a Set, an error and an instance too', () => {
    const paths = (name: string) => childrenOf(shown[name]!, `/${name}`).map((child) => [child.name, child.path]);
    expect(paths('map')).toEqual([
      ['tea', '/map/$map/0/1'],
      ['{1}', '/map/$map/1/1'],
    ]);
    expect(paths('set')[2]).toEqual(['2', '/set/$set/2']);
    expect(paths('error')).toContainEqual(['message', '/error/$error/message']);
    expect(paths('money')).toEqual([['amount', '/money/value/amount']]);
    for (const name of ['map', 'set', 'error', 'money']) {
      for (const child of childrenOf(shown[name]!, `/${name}`)) expect(valueAt(shown, child.path)).toEqual(child.value);
    }
  });

  test('only as many children are made as are asked for', () => {
    expect(
      childrenOf(
        Array.from({ length: 10_000 }, (_, at) => at),
        '',
        100,
      ),
    ).toHaveLength(100);
  });
});
