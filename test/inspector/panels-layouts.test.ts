/** Where things are drawn: axis (GA1, GA2), lanes (EL1, EL2), trees (TR1, TR2), the chart (CS1-CS4) and its text (CX1, CX2). */
import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { createMachine } from 'xstate';
import { findInTrace, type TraceNode } from '../../inspector/src/panels/cause.ts';
import { statesOf } from '../../inspector/src/panels/chart-states.ts';
import {
  arrowPath,
  centred,
  fittest,
  fitted,
  groundOf,
  headPath,
  withInSight,
  zoomed,
  type Point,
} from '../../inspector/src/panels/chart-shapes.ts';
import { effectLanes } from '../../inspector/src/panels/effect-lanes.ts';
import { gapAxis } from '../../inspector/src/panels/gap-axis.ts';
import { parentIndex, rowsOf, type TreeSource } from '../../inspector/src/panels/tree-rows.ts';
import { chartMeasures, headSize, labelLinesOf, labelSize, linesOf, textWidth } from '../../src/inspect/chart-text.ts';
import type { EffectBar } from '../../src/inspect/api.ts';
import { chartOf } from '../../src/kernel/chart.ts';

describe('an axis with gaps', () => {
  const moments = fc.array(fc.integer({ min: 0, max: 1e13 }), { maxLength: 40 });

  test.prop([moments, fc.integer({ min: 10, max: 4000 }), fc.array(fc.nat(1e13), { minLength: 2, maxLength: 9 })])(
    'GA1: later is never further left, and nothing is outside',
    (all, width, asked) => {
      const axis = gapAxis(all, width);
      const places = [...asked].sort((a, b) => a - b).map((at) => axis.x(at));
      for (const [index, x] of places.entries()) {
        expect(x).toBeGreaterThanOrEqual(places[index - 1] ?? 0);
        expect(x).toBeLessThanOrEqual(width + 1e-6);
      }
    },
  );

  test.prop([moments, fc.integer({ min: 10, max: 4000 })])('a moment is where its place is', (all, width) => {
    const axis = gapAxis(all, width);
    for (const at of all) if (new Set(all).size > 1) expect(axis.x(axis.at(axis.x(at)))).toBeCloseTo(axis.x(at), 3);
  });

  test('GA2: three days of waiting are a break, and leave room for the seconds', () => {
    const day = 86_400_000;
    const axis = gapAxis([0, 400, 1400, 3400, 3 * day, 3 * day + 800], 1000);
    expect(axis.breaks.map(({ from, to }) => [from, to])).toEqual([[3400, 3 * day]]);
    expect(axis.x(3400)).toBeGreaterThan(150);
    expect(axis.breaks[0]!.x).toBe(axis.x(3400));
  });

  test('one moment, or none, is an axis too', () => {
    expect(gapAxis([], 100).x(5)).toBe(0);
    expect(gapAxis([7], 100).at(50)).toBe(7);
  });
});

describe('lanes of effects', () => {
  const bar = (actor: string, startedAt: number, endedAt: number | null): EffectBar => ({
    ...{ actor, src: 'charge', startedRevision: startedAt, startedAt, endedRevision: null, endedAt },
    ...{ outcome: endedAt === null ? 'running' : 'failed', error: null, attempt: 1 },
  });

  test('EL1: the lives of one effect share a lane, and its retries a row', () => {
    const lanes = effectLanes([bar('/pay:3/charge:4', 0, 5), bar('/pay:3/charge:6', 5, 9), bar('/mail:7', 1, 2)]);
    expect(lanes.map(({ place, rows }) => [place, rows.length])).toEqual([
      ['/pay/charge', 1],
      ['/mail', 1],
    ]);
  });

  const times = fc.tuple(fc.nat(50), fc.option(fc.nat(20)));
  test.prop([fc.array(times)])('EL2: bars of a row do not overlap, and none is lost', (spans) => {
    const bars = spans.map(([from, length], at) => bar(`/a:${at}`, from, length === null ? null : from + length));
    const rows = effectLanes(bars).flatMap((lane) => lane.rows);
    expect(rows.flat()).toHaveLength(bars.length);
    for (const row of rows) {
      for (const [index, one] of row.entries()) {
        const before = row[index - 1];
        if (before) expect(before.endedAt ?? Infinity).toBeLessThanOrEqual(one.startedAt);
      }
    }
  });
});

interface Node {
  readonly id: string;
  readonly inside: readonly Node[];
}

describe('rows of a tree', () => {
  const source: TreeSource<Node> = {
    key: ({ id }) => id,
    count: ({ inside }) => inside.length,
    children: ({ inside }, limit) => inside.slice(0, limit),
  };
  const closed = { open: new Map<string, boolean>(), limits: new Map<string, number>() };
  const all = { opensAtFirst: () => true };
  const leaf = (id: string): Node => ({ id, inside: [] });

  test('TR1: a chain of 50,000 is walked without a stack, and is not moved in', () => {
    let chain = leaf('0');
    for (let at = 1; at < 50_000; at++) chain = { id: String(at), inside: [chain] };
    const rows = rowsOf([chain], source, closed, { ...all, isChainFlat: true });
    expect(rows).toHaveLength(50_000);
    expect(rows.at(-1)).toMatchObject({ level: 50_000, indent: 0 });
  });

  test('TR1: what is closed is not asked for its children', () => {
    const asked: string[] = [];
    const watched = {
      ...source,
      children: (node: Node, limit: number) => (asked.push(node.id), node.inside.slice(0, limit)),
    };
    const tree = { id: 'root', inside: [{ id: 'a', inside: [leaf('b')] }] };
    const rows = rowsOf([tree], watched, { ...closed, open: new Map([['root', true]]) }, { opensAtFirst: () => false });
    expect(rows.map(({ key, isOpen }) => [key, isOpen])).toEqual([
      ['root', true],
      ['a', false],
    ]);
    expect(asked).toEqual(['root']);
  });

  test('TR2: of 10,000 siblings the first are shown, and one row says how many are left', () => {
    const many = { id: 'root', inside: Array.from({ length: 10_000 }, (_, at) => leaf(String(at))) };
    const rows = rowsOf([many], source, closed, all);
    expect(rows).toHaveLength(102);
    expect(rows.at(-1)).toMatchObject({ more: 9_900, item: many });
    const more = rowsOf([many], source, { ...closed, limits: new Map([['root', 20_000]]) }, all);
    expect(more).toHaveLength(10_001);
  });

  test('the parent of a row is the nearest one above it that is less deep', () => {
    const rows = rowsOf([{ id: 'r', inside: [{ id: 'a', inside: [leaf('b')] }, leaf('c')] }], source, closed, all);
    expect(rows.map((_, at) => parentIndex(rows, at))).toEqual([-1, 0, 1, 0]);
  });
});

describe('the view on a chart', () => {
  const part = fc.double({ min: 1, max: 5000, noNaN: true });
  const size = fc.record({ width: part, height: part });

  test.prop([fc.double({ min: 0.2, max: 4, noNaN: true }), fc.tuple(part, part), size])(
    'CS1: what is under the pointer stays under it',
    (factor, at, chart) => {
      const view = fitted(chart, { width: 800, height: 600 });
      const next = zoomed(view, factor, at);
      const under = (one: typeof view): Point => [(at[0] - one.x) / one.scale, (at[1] - one.y) / one.scale];
      expect(under(next)[0]).toBeCloseTo(under(view)[0], 6);
      expect(under(next)[1]).toBeCloseTo(under(view)[1], 6);
    },
  );

  test.prop([
    size,
    fc.record({ width: fc.integer({ min: 200, max: 3000 }), height: fc.integer({ min: 200, max: 3000 }) }),
  ])('CS2: a fitted chart is in the window, and not larger than it is', (chart, window) => {
    const { x, y, scale } = fitted(chart, window);
    expect(scale).toBeLessThanOrEqual(1);
    if (scale <= 0.08) return;
    expect(x).toBeGreaterThanOrEqual(15.9);
    expect(y + chart.height * scale).toBeLessThanOrEqual(window.height - 15.9);
  });

  test('CS4: a state is brought into sight, and the view is left alone where it is', () => {
    const window = { width: 800, height: 600 };
    const box = { x: 4000, y: 900, width: 120, height: 40 };
    const view = centred(box, window);
    expect(withInSight(view, window, box)).toBe(view);
    const moved = withInSight(view, window, { ...box, x: 9000 });
    const right = moved.x + (9000 + 120) * moved.scale;
    expect(right).toBeLessThanOrEqual(800);
    expect(right).toBeGreaterThan(700);
    expect(moved.y).toBe(view.y);
  });

  test('CS3: a chart lies or stands as its window does', () => {
    const places = { states: {}, arrows: {}, initials: {} };
    const [lying, standing] = [
      { ...places, width: 900, height: 300 },
      { ...places, width: 300, height: 900 },
    ];
    const chart = { chart: chartOf(createMachine({ id: 'm' })), layouts: [lying, standing] } as const;
    expect(fittest(chart, { width: 800, height: 300 })).toMatchObject({ width: 900 });
    expect(fittest(chart, { width: 500, height: 700 })).toMatchObject({ width: 300 });
    expect(fittest({ ...chart, layouts: [standing] }, { width: 800, height: 300 })).toMatchObject({ width: 300 });
  });

  test('CD3: a label has the ground of the innermost state that it is in', () => {
    const boxes = {
      root: { x: 0, y: 0, width: 100, height: 100 },
      inner: { x: 10, y: 10, width: 50, height: 50 },
      beside: { x: 70, y: 10, width: 20, height: 50 },
    };
    const label = { x: 20, y: 20, width: 10, height: 10 };
    expect(groundOf(label, boxes)).toBe('inner');
    expect(groundOf({ ...label, x: 55 }, boxes)).toBe('root');
    expect(groundOf({ ...label, x: 95 }, boxes)).toBeUndefined();
  });

  test('an arrow bends round, and its head lies in the direction of its last piece', () => {
    const points: Point[] = [
      [0, 0],
      [0, 20],
      [30, 20],
    ];
    expect(arrowPath(points)).toBe('M0 0L0 14Q0 20 6 20L30 20');
    expect(headPath(points)).toBe('M30 20L23 16.8L23 23.2Z');
    expect(headPath([...points, [30, 20]])).toBe('M30 20L23 16.8L23 23.2Z');
    expect(headPath([])).toBe('');
  });
});

describe('the text of a chart', () => {
  const chart = chartOf(
    createMachine({
      id: 'order',
      initial: 'paying',
      states: {
        paying: {
          ...{ tags: ['busy', 'money'], entry: 'lock', exit: ['unlock', 'tell'] },
          invoke: { src: 'charge', id: 'charge' },
          on: {
            ADD: { actions: 'count' },
            PAY: { target: 'paid', guard: 'isRich', actions: ['thank', 'sendReceiptToCustomer'] },
            [`a.very.long.event.${'x'.repeat(60)}`]: 'paid',
            支払い: 'paid',
          },
        },
        paid: {},
      },
    }),
  );
  const paying = statesOf(chart)[1]!;

  test('CX2: says everything that has a name, line by line', () => {
    expect(linesOf(paying).map(({ text }) => text)).toEqual([
      'invoke / charge',
      'entry / lock',
      'exit / unlock, tell',
      '#busy #money',
      'ADD / count',
    ]);
    const labels = paying.transitions.filter(({ targets }) => targets.length > 0).map(labelLinesOf);
    expect(labels[0]).toEqual(['PAY [isRich]', '/ thank, sendReceiptToCustomer']);
    expect(labels[1]![0]).toMatch(/^a\.very\.long.*…$/);
    expect(labels[1]![0]!.length).toBe(chartMeasures.columnsMax);
  });

  test('CX1: a box has room for every line, and a label for its own', () => {
    for (const state of statesOf(chart)) {
      const { width, height } = headSize(state);
      for (const { text } of linesOf(state)) expect(textWidth(text)).toBeLessThan(width);
      expect(height).toBeGreaterThan((linesOf(state).length + 1) * chartMeasures.lineHeight);
      for (const arrow of state.transitions) {
        for (const line of labelLinesOf(arrow)) expect(textWidth(line)).toBeLessThan(labelSize(arrow).width);
      }
    }
    expect(textWidth('支払い')).toBe(textWidth('aaaaaa'));
  });
});

describe('a trace', () => {
  test('is looked through without a stack, however long a chain of causes is', () => {
    const node = (id: number, caused: readonly TraceNode[]): TraceNode => ({
      ...{ id: String(id), type: 'EventReceived', stream: 'order-1', revision: id, at: id, actor: null, isFact: false },
      ...{ origin: null, caused },
    });
    let chain = node(50_000, []);
    for (let id = 49_999; id >= 0; id--) chain = node(id, [chain]);
    const trace = { correlationId: 'c', streams: ['order-1'], events: 50_001, roots: [chain] };
    expect(findInTrace(trace, '50000')?.revision).toBe(50_000);
    expect(findInTrace(trace, 'elsewhere')).toBeUndefined();
  });
});
