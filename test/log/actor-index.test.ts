/** The actor index at sizes where its groups, pages and sorted chunks all take part, against a scan. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../src/clock.ts';
import { ActorIndex, rowOf, type IndexedStream } from '../../src/log/actor-index.ts';
import type { ActorHead, ActorQuery, ActorRow } from '../../src/log/event-log.ts';

const statuses = ['active', 'done', 'error', 'stopped'] as const;

function stream(name: string): IndexedStream {
  return { name, last: 0, head: undefined, wake: undefined };
}

/** Heads in which some groups are rare enough to be sorted and others are walked. */
function headBy(random: () => number): ActorHead {
  const one = (count: number) => Math.floor(random() * count);
  return {
    machine: one(40) === 0 ? 'rare' : 'common',
    version: null,
    status: statuses[one(30) === 0 ? 3 : one(3)]!,
    correlationId: `c-${one(300)}`,
    wakeAt: one(3) === 0 ? null : 1_000 + one(50),
    effects: one(25) === 0 ? 1 : 0,
  };
}

function scan(streams: readonly IndexedStream[], query: ActorQuery): ActorRow[] {
  const { machine, status, correlationId, effects, wakes, afterStream, limit } = query;
  const rows = streams.flatMap((each) => rowOf(each) ?? []);
  const before = (a: ActorRow, b: ActorRow) => (a.stream < b.stream ? -1 : 1);
  const after = wakes?.after;
  const inOrder = wakes
    ? rows
        .filter(({ wakeAt }) => wakeAt !== null && wakeAt <= (wakes.until ?? Infinity))
        .filter(
          ({ wakeAt, stream }) =>
            !after || wakeAt! > after.wakeAt || (wakeAt === after.wakeAt && stream > after.stream),
        )
        .sort((a, b) => a.wakeAt! - b.wakeAt! || before(a, b))
    : rows.filter((row) => afterStream === undefined || row.stream > afterStream).sort(before);
  return inOrder
    .filter((row) => machine === undefined || row.machine === machine)
    .filter((row) => status === undefined || row.status === status)
    .filter((row) => correlationId === undefined || row.correlationId === correlationId)
    .filter((row) => effects === undefined || row.effects > 0 === effects)
    .slice(0, limit);
}

const queries: ActorQuery[] = [
  {},
  { limit: 300 },
  { afterStream: 'order-5' },
  { machine: 'rare', afterStream: 'order-5', limit: 7 },
  { machine: 'common', limit: 700 },
  { status: 'stopped' },
  { status: 'active', effects: true },
  { effects: false, status: 'done', afterStream: 'order-2', limit: 50 },
  { correlationId: 'c-7' },
  { correlationId: 'nobody' },
  { wakes: {} },
  { wakes: { until: 1_010 } },
  { wakes: { after: { wakeAt: 1_020, stream: 'order-5' }, until: 1_040 }, limit: 400 },
  { wakes: { after: { wakeAt: 1_020, stream: '' } }, machine: 'rare' },
  { wakes: { until: 1_030 }, effects: true },
  { wakes: { until: 1_025 }, correlationId: 'c-9' },
];

describe('the actor index', () => {
  it.each([1, 2])('answers every query as a scan does while actors come, change and go (AI1, seed %i)', (seed) => {
    const random = seededRandom(seed);
    const index = new ActorIndex();
    const streams = Array.from({ length: 4_000 }, (_, number) => stream(`order-${number}`));
    for (let round = 0; round < 6; round++) {
      for (const each of streams) {
        const chance = random();
        if (chance < 0.5) index.put(each, headBy(random));
        else if (chance < 0.6) index.remove(each);
      }
      for (const query of queries) {
        expect([...index.rows(query)], JSON.stringify(query)).toEqual(scan(streams, query));
      }
    }
  });

  it('pages through groups small and large without gap or repeat', () => {
    const index = new ActorIndex();
    const random = seededRandom(3);
    const streams = Array.from({ length: 3_000 }, (_, number) => stream(`order-${number}`));
    for (const each of streams) index.put(each, headBy(random));
    for (const group of [
      { correlationId: 'c-7' },
      { machine: 'rare' },
      { status: 'stopped' },
      { status: 'done' },
    ] as const) {
      const byName: ActorRow[] = [];
      for (let page = [...index.rows({ ...group, limit: 2 })]; page.length > 0;) {
        byName.push(...page);
        expect(byName.length, 'paging does not advance').toBeLessThanOrEqual(streams.length);
        page = [...index.rows({ ...group, afterStream: page.at(-1)!.stream, limit: 2 })];
      }
      expect(byName).toEqual(scan(streams, group));
      const byWake: ActorRow[] = [];
      for (let page = [...index.rows({ ...group, wakes: {}, limit: 2 })]; page.length > 0;) {
        byWake.push(...page);
        expect(byWake.length, 'paging does not advance').toBeLessThanOrEqual(streams.length);
        const { wakeAt, stream } = page.at(-1)!;
        page = [...index.rows({ ...group, wakes: { after: { wakeAt: wakeAt!, stream } }, limit: 2 })];
      }
      expect(byWake).toEqual(scan(streams, { ...group, wakes: {} }));
    }
  });

  it('leaves out wake-ups that were moved or cancelled while it was being read', () => {
    const index = new ActorIndex();
    const head = (wakeAt: number | null): ActorHead => ({ ...headBy(() => 0), wakeAt });
    const streams = ['a-1', 'b-1', 'c-1', 'd-1'].map(stream);
    for (const each of streams) index.put(each, head(5));
    const rows = index.rows({ wakes: {} });
    expect(rows.next().value?.stream).toBe('a-1');
    index.put(streams[1]!, head(null));
    index.put(streams[2]!, head(9));
    index.remove(streams[3]!);
    // c-1 is found again where it wakes now.
    expect([...rows].map((row) => [row.stream, row.wakeAt])).toEqual([['c-1', 9]]);
  });
});
