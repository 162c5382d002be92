/** Where the root went, in few words (MW1-MW3). */
import { describe, expect, it } from 'vitest';
import { movedWords } from '../../inspector/src/stream/moved-words.ts';

describe('where the root went', () => {
  it.each([
    ['posting', undefined, 'posting'],
    ['posting', 'reading', 'posting'],
    ['posting', 'posting', undefined],
    ['a.one, b.two', 'a.one, b.one', 'b.two'],
    ['a.one, b.two', 'zero', 'a.one, b.two'],
    ['processing.payment.authorized, processing.shipping.packing.sealing', undefined, '…authorized, …sealing'],
    ['a.one, b.two, c.three', 'a.one', 'b.two, c.three'],
    ['flow.a.one, b.two, c.three, d.four', undefined, 'flow.a.one, +3'],
    [
      'processing.payment.authorized, processing.shipping.packing.sealing',
      'processing.payment.authorized, processing.shipping.packing.picking',
      '…shipping.packing.sealing',
    ],
    ['aVeryLongNameThatHasNoDotsInItself', undefined, 'aVeryLongNameThatHasNoDotsInItself'],
  ])('%s after %s: %s', (to, before, words) => {
    expect(movedWords(to, before, 25)).toBe(words);
  });
});
