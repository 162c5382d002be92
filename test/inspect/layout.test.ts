/** Where things are on a chart: the reading order (CO1, CO2), the places (GE1-GE3 of chart-geometry.ts), and the thread (LA1-LA5). */
import { test } from '@fast-check/vitest';
import { afterAll, describe, expect } from 'vitest';
import { createMachine, type AnyStateMachine } from 'xstate';
import type { LaidOutChart } from '../../src/inspect/api.ts';
import { backwards, indexOf } from '../../src/inspect/chart-order.ts';
import { ChartLayouts } from '../../src/inspect/layout.ts';
import { VirtualClock } from '../../src/index.ts';
import { chartOf, type ChartState, type MachineChart } from '../../src/kernel/chart.ts';
import { buildMachine } from '../../src/testing/charts/build-machine.ts';
import { decodeChart } from '../../src/testing/charts/decode-chart.ts';
import { genes } from '../../src/testing/charts/genes.ts';
import { propertyRuns } from '../support/property-runs.ts';
import { faultsOf, isOnEdge, statesOf } from '../support/chart-geometry.ts';
import { drawnMachines } from '../support/drawn-machines.ts';

/** Everything that a chart can have: parallel, nested, history, final; arrows up, down, across, round, and to several states. */
const order = chartOf(
  createMachine({
    id: 'order',
    initial: 'open',
    on: {
      CANCEL: '.cancelled',
      BACK: '#order.paying.card.last',
      RESET: { target: '#order', reenter: true },
      NOTE: { actions: 'note' },
    },
    states: {
      open: {
        ...{ entry: 'note', exit: 'leave', tags: ['waiting', 'new'] },
        always: { guard: 'isPaid', target: 'paying' },
        on: {
          PAY: [
            { guard: 'isRich', target: 'paying', actions: ['note', 'thankTheCustomerWhoIsRich'] },
            { target: 'open', reenter: true },
          ],
          HOLD: 'held',
          BOTH: { target: ['paying.card.charged', 'paying.parcel.packed'] },
        },
        after: { patience: 'cancelled', 90_000: 'cancelled' },
      },
      paying: {
        type: 'parallel',
        on: { RETRY: '.card.charging', AGAIN: { target: 'paying', reenter: true } },
        states: {
          card: {
            initial: 'charging',
            states: {
              charging: {
                invoke: { src: 'charge', id: 'charge', onDone: 'charged', onError: '#order.cancelled' },
                on: { GIVE_UP: '#order.paying', UP: '#order.paying.card' },
              },
              charged: { type: 'final' },
              last: { type: 'history', history: 'deep' },
            },
          },
          parcel: {
            initial: 'packing',
            states: { packing: { on: { PACKED: 'packed' } }, packed: { type: 'final' } },
          },
        },
        onDone: 'shipped',
      },
      held: { on: { RESUME: { target: 'open', actions: 'note' }, GO: 'paying' } },
      shipped: { type: 'final' },
      cancelled: { type: 'final' },
    },
  } as never),
);

const layouts = new ChartLayouts();
afterAll(() => layouts.close());

function drawn(chart: MachineChart): MachineChart[] {
  return [chart, ...Object.values(chart.actors).flatMap(drawn)];
}

/** As the generator of machines makes them; effects are never run here. */
function generated(gene: Parameters<typeof decodeChart>[0]): MachineChart {
  return chartOf(buildMachine(decodeChart(gene, new Set()), { now: () => 0, effects: {} } as never));
}

function ring(length: number, id = 'ring'): MachineChart {
  const states = Array.from({ length }, (_, at) => [
    `s${at}`,
    { on: { NEXT: `s${(at + 1) % length}`, JUMP: `s${(at * 7 + 3) % length}` } },
  ]);
  return chartOf(createMachine({ id, initial: 's0', states: Object.fromEntries(states) as never }));
}

/** A chart in every way that it can be drawn. */
async function laidOut(of: MachineChart): Promise<LaidOutChart[]> {
  const { chart, layouts: ways } = await layouts.layout(of);
  return ways.map((places) => ({ chart, ...places }));
}

async function faultsIn(chart: MachineChart): Promise<string[]> {
  return (await laidOut(chart)).flatMap(faultsOf);
}

describe('places', () => {
  test('GE1-GE3: of a chart that has everything', { timeout: 60_000 }, async () => {
    expect(await faultsIn(order)).toEqual([]);
    // The arrow to two regions ends at the state that they are in; one without a target is a line of its box.
    const both = statesOf(order.root).flatMap((state) => state.transitions.filter(({ targets }) => targets.length > 1));
    const drawn = statesOf(order.root).flatMap(({ transitions }) =>
      transitions.filter(({ targets }) => targets.length > 0),
    );
    const ways = await laidOut(order);
    expect(ways).toHaveLength(2);
    for (const laid of ways) {
      expect(Object.keys(laid.initials)).toEqual(['order', 'order.paying.card', 'order.paying.parcel']);
      expect(both.map(({ id }) => isOnEdge(laid.arrows[id]!.points.at(-1)!, laid.states['order.paying']!))).toEqual([
        true,
      ]);
      expect(Object.keys(laid.arrows)).toHaveLength(drawn.length);
    }
  });

  test('GE1-GE3: of every machine of rewake, and of those in it', { timeout: 180_000 }, async () => {
    for (const [title, machine] of drawnMachines) {
      for (const chart of drawn(chartOf(machine as AnyStateMachine))) {
        expect([title, chart.id, await faultsIn(chart)]).toEqual([title, chart.id, []]);
      }
    }
  });

  test.prop([genes], propertyRuns(8))(
    'GE1-GE3: of generated machines',
    async (gene) => {
      for (const chart of drawn(generated(gene))) expect(await faultsIn(chart)).toEqual([]);
    },
    180_000,
  );

  test('a box is as wide as its title, whatever is in it', { timeout: 60_000 }, async () => {
    const wide = 'aStateOfWhichTheNameIsLong';
    const beside = Object.fromEntries(
      Array.from({ length: 8 }, (_, at) => [`s${at}`, { on: { GO_ON_TO_THE_NEXT_ONE: `s${at + 1}` } }]),
    );
    const states = { ...beside, s8: { on: { NEXT: wide } }, [wide]: { initial: 'x', states: { x: {} } } };
    const chart = chartOf(createMachine({ id: 'm', initial: 's0', states }));
    expect(await faultsIn(chart)).toEqual([]);
  });

  test('names are of no matter', { timeout: 60_000 }, async () => {
    const names = ['toString', 'constructor', '1', '<b>"&', '支払い'];
    const states = names.map((name) => [name, { on: { [name]: '#__proto__' } }] as const);
    const machine = createMachine({
      id: 'm',
      initial: '1',
      states: { ...Object.fromEntries(states), last: { id: '__proto__' } } as never,
    });
    expect(await faultsIn(chartOf(machine))).toEqual([]);
  });
});

describe('the reading order', () => {
  const arrowsOf = (chart: MachineChart) =>
    statesOf(chart.root).flatMap(({ id, transitions }) =>
      transitions.flatMap(({ targets }) => targets.map((target) => [id, target] as const)),
    );

  test('CO1: begins where the machine does', async () => {
    const chart = chartOf(
      createMachine({
        id: 'm',
        initial: 'second',
        on: { HOLD: '.held' },
        states: { first: { on: { A: 'second' } }, held: { on: { B: 'second' } }, second: { on: { C: 'first' } } },
      }),
    );
    const pointsBack = backwards(indexOf(chart));
    expect(arrowsOf(chart).filter(([from, to]) => pointsBack(from, to))).toEqual([
      ['m.first', 'm.second'],
      ['m.held', 'm.second'],
    ]);
    const [right, down] = await laidOut(chart);
    expect(right!.states['m.second']!.x).toBeLessThan(right!.states['m.first']!.x);
    expect(down!.states['m.second']!.y).toBeLessThan(down!.states['m.first']!.y);
  });

  test.prop([genes])('CO2: forwards there is no circle among siblings', (gene) => {
    const chart = generated(gene);
    const pointsBack = backwards(indexOf(chart));
    const siblings = (parent: ChartState): void => {
      const inside = parent.states.map((state) => new Set(statesOf(state).map(({ id }) => id)));
      const placeOf = (id: string) => inside.findIndex((ids) => ids.has(id));
      const after = inside.map(() => new Set<number>());
      for (const [from, to] of arrowsOf(chart)) {
        const [a, b] = [placeOf(from), placeOf(to)];
        if (a >= 0 && b >= 0 && a !== b && !pointsBack(from, to)) after[a]!.add(b);
      }
      const left = new Set(after.keys());
      const ends = () => [...left].find((at) => [...after[at]!].every((next) => !left.has(next)));
      for (let end = ends(); end !== undefined; end = ends()) left.delete(end);
      expect([...left]).toEqual([]);
      parent.states.forEach(siblings);
    };
    siblings(chart.root);
  });
});

describe('the thread', () => {
  test('LA1, LA2: lets the process go on, and lays a chart out once', { timeout: 60_000 }, async () => {
    const one = layouts.layout(ring(12));
    const same = layouts.layout(ring(12));
    expect(same).toBe(one);
    let isLaid = false;
    let turns = 0;
    const laid = same.finally(() => (isLaid = true));
    for (; !isLaid; turns++) await new Promise(setImmediate);
    expect(await laid).toBe(await one);
    expect(turns).toBeGreaterThan(10);
  });

  test('LA4, LA5: what takes too long is laid out without care, or refused, and the next chart is', async () => {
    const clock = new VirtualClock();
    const slow = new ChartLayouts({ clock });
    const asked = Promise.allSettled([slow.layout(ring(25, 'slow'))]);
    // Once with care and once without; neither has the time.
    for (let givenUp = 0; givenUp < 2; givenUp++) {
      while (clock.nextDue() === undefined) await new Promise(setImmediate);
      await clock.advance(60_000);
    }
    expect(await asked).toMatchObject([
      { reason: { status: 500, message: 'The chart cannot be laid out: it takes too long.' } },
    ]);
    expect((await slow.layout(ring(3, 'next'))).layouts).toHaveLength(2);
    await slow.close();
  }, 60_000);

  test('of more than anybody could read is refused at once', async () => {
    await expect(layouts.layout(ring(2_501))).rejects.toThrow(
      'it has 2502 states and 5002 arrows, and at most 5000 of both together are drawn',
    );
  });

  test('is gone when the inspector closes, and answers nobody any more', async () => {
    const closing = new ChartLayouts();
    const asked = Promise.allSettled([closing.layout(ring(26))]);
    await closing.close();
    expect(await asked).toMatchObject([{ reason: { message: 'The chart cannot be laid out: the inspector closes.' } }]);
    await expect(closing.layout(ring(3))).rejects.toThrow('the inspector closes');
  });
});

test('GE1-GE3 tell: a chart that is drawn badly has faults', async () => {
  const [laid] = (await laidOut(order)) as [LaidOutChart];
  const moved = (change: Partial<LaidOutChart>) => faultsOf({ ...laid, ...change }).join('\n');
  const box = { x: 0, y: 0, width: 10, height: 10 };
  expect(moved({ states: { ...laid.states, 'order.open': laid.states['order.cancelled']! } })).toContain(
    'order.open is on order.cancelled',
  );
  expect(moved({ states: { ...laid.states, 'order.paying.card.charged': box } })).toContain(
    'is not in order.paying.card',
  );
  const { 'order.open#3': arrow, ...fewer } = laid.arrows;
  expect(moved({ arrows: fewer })).toContain('order.open#3 is missing');
  const open = laid.states['order.open']!;
  expect(moved({ arrows: { ...fewer, 'order.open#3': { ...arrow!, label: open } } })).toContain(
    'the label of order.open#3 is on order.open',
  );
});
