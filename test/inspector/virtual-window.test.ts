/** Which rows of a long list are drawn, and where (VW1, VW2). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { scrollTopFor, windowAt, type ListShape } from '../../inspector/src/shell/virtual-window.ts';

const shape: fc.Arbitrary<ListShape> = fc.record({
  count: fc.integer({ min: 1, max: 2_000_000 }),
  rowHeight: fc.integer({ min: 10, max: 40 }),
  viewport: fc.integer({ min: 50, max: 2000 }),
});

/** The rows that a person sees, of those that are drawn. */
function seen(list: ListShape, scrollTop: number): { readonly first: number; readonly last: number } {
  const { from, to, offset } = windowAt(list, scrollTop);
  const rowAt = (y: number) => from + Math.floor((y - offset) / list.rowHeight);
  return { first: rowAt(scrollTop), last: Math.min(to - 1, rowAt(scrollTop + list.viewport - 0.01)) };
}

describe('the window of a list', () => {
  it('draws what is in sight, and a few rows around it', () => {
    const list = { count: 100_000, rowHeight: 20, viewport: 200 };
    expect(windowAt(list, 1000, 5)).toEqual({ from: 45, to: 65, offset: 900, height: 2_000_000 });
    expect(windowAt(list, 0, 5)).toEqual({ from: 0, to: 15, offset: 0, height: 2_000_000 });
    expect(windowAt({ ...list, count: 0 }, 0)).toEqual({ from: 0, to: 0, offset: 0, height: 0 });
  });

  it('covers all that is in sight, wherever it is scrolled to (VW1)', () => {
    fc.assert(
      fc.property(shape, fc.double({ min: 0, max: 1, noNaN: true }), (list, part) => {
        const { height } = windowAt(list, 0);
        const scrollTop = part * Math.max(0, height - list.viewport);
        const { from, to, offset } = windowAt(list, scrollTop);
        expect(offset).toBeLessThanOrEqual(scrollTop + 0.01);
        const bottom = offset + (to - from) * list.rowHeight;
        expect(bottom).toBeGreaterThanOrEqual(Math.min(scrollTop + list.viewport, height) - 0.01);
        expect(to - from).toBeLessThanOrEqual(Math.ceil(list.viewport / list.rowHeight) + 18);
      }),
    );
  });

  it('reaches the first and the last row of a list that is too tall for a browser (VW2)', () => {
    const list = { count: 3_000_000, rowHeight: 25, viewport: 500 };
    const { height } = windowAt(list, 0);
    expect(height).toBe(8_000_000);
    expect(seen(list, 0).first).toBe(0);
    expect(seen(list, height - list.viewport).last).toBe(list.count - 1);
  });
});

describe('scrolling to a row', () => {
  it('brings it wholly into sight, from wherever (VW1)', () => {
    fc.assert(
      fc.property(shape, fc.nat(), fc.nat(), (list, from, to) => {
        fc.pre(list.viewport >= 2 * list.rowHeight);
        const index = to % list.count;
        const scrollTop = scrollTopFor(list, index, scrollTopFor(list, from % list.count, 0));
        const { from: first, offset } = windowAt(list, scrollTop);
        const top = offset + (index - first) * list.rowHeight;
        expect(top).toBeGreaterThanOrEqual(scrollTop - 0.01);
        expect(top + list.rowHeight).toBeLessThanOrEqual(scrollTop + list.viewport + 0.01);
      }),
    );
  });

  it('leaves the list alone where the row is in sight, and moves by a row beside it', () => {
    const list = { count: 1000, rowHeight: 20, viewport: 200 };
    expect(scrollTopFor(list, 54, 1000)).toBe(1000);
    expect(scrollTopFor(list, 60, 1000)).toBe(1020);
    expect(scrollTopFor(list, 49, 1000)).toBe(980);
    expect(scrollTopFor(list, 500, 0)).toBe(500 * 20 - 90);
  });
});
