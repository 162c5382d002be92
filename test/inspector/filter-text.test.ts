/** What is typed into a filter: its terms, and what they keep (FT1-FT4). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  complaintOf,
  formatFilter,
  parseFilter,
  predicateOf,
  stateOf,
  withTerm,
  type Term,
} from '../../inspector/src/shell/filter-text.ts';

const fields = ['machine', 'status'];
const plain = (field: string, value: string, isNot = false): Term => ({ field, value, isNot, isPattern: false });

interface Item {
  readonly name: string;
  readonly machine: string;
  readonly status: string;
}
const items: readonly Item[] = [
  { name: 'order-1', machine: 'order', status: 'active' },
  { name: 'order-2', machine: 'order', status: 'done' },
  { name: 'payment-1', machine: 'payment', status: 'error' },
];
const kept = (filter: string) =>
  items
    .filter(
      predicateOf(
        parseFilter(filter, fields),
        (item, field) => (field === 'machine' ? item.machine : field === 'status' ? item.status : item.name),
        fields,
      ),
    )
    .map(({ name }) => name);

const value = fc.string({ unit: 'grapheme', minLength: 1 });
const term: fc.Arbitrary<Term> = fc.oneof(
  fc.record({
    field: fc.constantFrom('text', ...fields),
    value,
    isNot: fc.boolean(),
    isPattern: fc.constant(false),
  }),
  fc.record({
    field: fc.constantFrom('text', ...fields),
    value: fc.constantFrom('^order', 'time(out|d)', 'a b', String.raw`a\/b`),
    isNot: fc.boolean(),
    isPattern: fc.constant(true),
  }),
);

describe('the text of a filter', () => {
  it('is read into terms', () => {
    expect(parseFilter('machine:order -status:done "card declined" /time(out|d)/ -x', fields)).toEqual([
      plain('machine', 'order'),
      plain('status', 'done', true),
      plain('text', 'card declined'),
      { field: 'text', value: 'time(out|d)', isNot: false, isPattern: true },
      plain('text', 'x', true),
    ]);
  });

  it('gives back the terms that it was made of (FT4)', () => {
    fc.assert(
      fc.property(fc.array(term), (terms) => {
        expect(parseFilter(formatFilter(terms), fields)).toEqual(terms);
      }),
    );
  });

  it('takes a field that is none, and a quote that is not closed, as text', () => {
    expect(parseFilter('colour:red', fields)).toEqual([plain('text', 'colour:red')]);
    expect(parseFilter('"card decl', fields)).toEqual([plain('text', 'card decl')]);
    expect(parseFilter('machine: -', fields)).toEqual([plain('text', 'machine:'), plain('text', '-')]);
  });

  it('is a filter whatever it is (FT3)', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(kept(text).length).toBeLessThanOrEqual(items.length);
      }),
    );
  });

  it('with a broken pattern says so and keeps nothing (FT3)', () => {
    expect(complaintOf(parseFilter('/(/', fields))).toContain('/(/');
    expect(complaintOf(parseFilter('/a/ b', fields))).toBeUndefined();
    expect(kept('/(/')).toEqual([]);
  });
});

describe('a filter', () => {
  it('takes terms of one field as alternatives, and fields as conditions (FT1)', () => {
    expect(kept('status:active status:done')).toEqual(['order-1', 'order-2']);
    expect(kept('status:active status:error machine:order')).toEqual(['order-1']);
  });

  it('excludes with a minus (FT1)', () => {
    expect(kept('-status:done')).toEqual(['order-1', 'payment-1']);
    expect(kept('-machine:order -status:done')).toEqual(['payment-1']);
    expect(kept('-/1$/')).toEqual(['order-2']);
  });

  it('wants every text, whatever its case (FT2)', () => {
    expect(kept('ORDER 1')).toEqual(['order-1']);
    expect(kept('/^(order|payment)-1$/')).toEqual(['order-1', 'payment-1']);
  });

  it('compares a field as a whole, and a pattern with a part of it', () => {
    expect(kept('machine:ord')).toEqual([]);
    expect(kept('machine:/ord/')).toEqual(['order-1', 'order-2']);
  });
});

describe('a switch of a filter', () => {
  it('goes from off to only to not', () => {
    const none = parseFilter('x', fields);
    const only = withTerm(none, 'status', 'done', 'only');
    const not = withTerm(only, 'status', 'done', 'not');
    expect([none, only, not].map((terms) => stateOf(terms, 'status', 'done'))).toEqual(['off', 'only', 'not']);
    expect(formatFilter(not)).toBe('x -status:done');
    expect(withTerm(not, 'status', 'done', 'off')).toEqual(none);
  });
});
