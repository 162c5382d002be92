/** The rows of a timeline, in pages (RS1-RS3), steps between them (ST1, ST2), and a filter's walk over them (RM1). */
import { describe, expect, it } from 'vitest';
import type { Row, RowsView } from '../../src/inspect/api.ts';
import { createRowSearch } from '../../inspector/src/stream/row-search.ts';
import { createRowStore, rowPageSize } from '../../inspector/src/stream/row-store.ts';
import { createSteps } from '../../inspector/src/stream/steps.ts';
import { fakeApi, type FakeApi } from './fake-api.ts';

/** Every third row is a fact, every hundredth moves the root. */
function row(revision: number): Row {
  const isFact = revision % 3 === 1;
  return {
    ...{ stream: 'order-1', revision, type: isFact ? 'Paid' : 'EventReceived', label: `row ${revision}`, at: revision },
    ...{ actor: '/', isFact, to: revision % 100 === 0 ? 'paying' : null, kind: isFact ? 'fact' : 'event' },
  };
}

const pathOf = (from: number, limit = rowPageSize) => `/streams/order-1/rows?from=${from}&limit=${limit}`;

function page(from: number, limit: number, last: number): RowsView {
  const end = Math.min(from + limit - 1, last);
  const rows = Array.from({ length: Math.max(0, end - from + 1) }, (_, at) => row(from + at));
  return { rows, next: end < last ? end + 1 : null };
}

async function answerAll(api: FakeApi, last: number): Promise<void> {
  while (api.open.length > 0) {
    const [asked] = api.open;
    const [, from, limit] = /from=(\d+)&limit=(\d+)/.exec(asked!.path)!;
    await asked!.answer(page(Number(from), Number(limit), last));
  }
}

describe('the rows', () => {
  it('are fetched around what is looked at, and are then at hand', async () => {
    const api = fakeApi();
    const rows = createRowStore(api, 'order-1', () => ({ first: 0, last: 9999 }));
    rows.want(390, 410);
    expect(api.paths).toEqual([pathOf(200), pathOf(400)]);
    await answerAll(api, 9999);
    expect(rows.get(399)?.label).toBe('row 399');
    rows.want(395, 405);
    expect(api.paths.length).toBe(2);
  });

  it('are not waited for once nobody looks at them (RS2)', () => {
    const api = fakeApi();
    const rows = createRowStore(api, 'order-1', () => ({ first: 0, last: 9999 }));
    rows.want(0, 20);
    const [first] = api.open;
    rows.want(5000, 5020);
    expect(first?.signal?.aborted).toBe(true);
    expect(api.open.map(({ path }) => path)).toEqual([pathOf(5000)]);
    expect(rows.failure.value).toBeUndefined();
  });

  it('are kept up to a number of pages, the latest ones (RS1)', async () => {
    const api = fakeApi();
    const rows = createRowStore(api, 'order-1', () => ({ first: 0, last: 9999 }), 3);
    for (const at of [0, 200, 400, 600]) {
      rows.want(at, at + 10);
      await answerAll(api, 9999);
    }
    expect([0, 200, 400, 600].map((at) => rows.get(at) !== undefined)).toEqual([false, true, true, true]);
  });

  it('at the end are asked for again when the stream has grown unheard (RS3)', async () => {
    const api = fakeApi();
    let last = 250;
    const rows = createRowStore(api, 'order-1', () => ({ first: 0, last }));
    rows.want(240, 250);
    await answerAll(api, last);
    last = 260;
    rows.want(240, 260);
    await answerAll(api, last);
    expect(rows.get(260)?.label).toBe('row 260');
  });

  it('that are told of are added without asking, and only where none is missing before them', async () => {
    const api = fakeApi();
    let last = 250;
    const rows = createRowStore(api, 'order-1', () => ({ first: 0, last }));
    rows.want(240, 250);
    await answerAll(api, last);
    rows.add(row(253));
    expect(rows.get(253)).toBeUndefined();
    rows.add(row(251));
    last = 251;
    rows.want(240, 251);
    expect([rows.get(251)?.revision, api.paths.length]).toEqual([251, 1]);
  });
});

describe('a step', () => {
  function stepping(keeps?: (one: Row) => boolean) {
    const api = fakeApi();
    const rows = createRowStore(api, 'order-1', () => ({ first: 0, last: 999 }));
    const at: number[] = [];
    const steps = createSteps({
      ...{ rows, keeps, onRow: (one: Row) => at.push(one.revision) },
      onFailure(error) {
        throw error;
      },
    });
    return { api, rows, steps, at };
  }

  it('leads to the next stimulus, at once where it is at hand (ST1, ST2)', async () => {
    const { api, rows, steps, at } = stepping();
    rows.want(0, 20);
    await answerAll(api, 999);
    steps.step('row', 1, 3);
    steps.step('row', -1, 5);
    expect(at).toEqual([5, 3]);
  });

  it('leads to the next change of the root, over what has to be fetched (ST2)', async () => {
    const { api, steps, at } = stepping();
    steps.step('change', 1, 101);
    await answerAll(api, 999);
    expect(at).toEqual([200]);
    steps.step('change', -1, 999);
    await answerAll(api, 999);
    expect(at).toEqual([200, 900]);
  });

  it('leads to what the filter keeps, facts too (ST1)', async () => {
    const { api, steps, at } = stepping(({ type }) => type === 'Paid');
    steps.step('row', 1, 4);
    await answerAll(api, 999);
    expect(at).toEqual([7]);
  });

  it('that another one overtook leads nowhere (ST2)', async () => {
    const { api, steps, at } = stepping();
    steps.step('row', 1, 500);
    steps.step('row', 1, 800);
    await answerAll(api, 999);
    expect(at).toEqual([801]);
  });

  it('beyond an end stays', async () => {
    const { api, rows, steps, at } = stepping();
    rows.want(0, 999);
    await answerAll(api, 999);
    steps.step('row', 1, 999);
    steps.step('row', -1, 0);
    expect(at).toEqual([]);
  });
});

describe('the walk of a filter', () => {
  const moves = ({ to }: Row) => to !== null;

  it('finds all rows that it keeps, in order, and what comes (RM1)', async () => {
    const api = fakeApi();
    const search = createRowSearch(api, 'order-1', moves, { first: 0 });
    expect(api.paths).toEqual([pathOf(0, 1000)]);
    await api.open[0]!.answer(page(0, 1000, 2999));
    expect(search.state.value).toMatchObject({ count: 10, searchedTo: 999, isThrough: false });
    await answerAll(api, 2999);
    expect(search.state.value).toMatchObject({ count: 30, searchedTo: 2999, isThrough: true });
    search.add(row(3000));
    search.add(row(3000));
    search.add(row(3001));
    expect(search.state.value.count).toBe(31);
    expect(search.revisionAt(30)).toBe(3000);
    expect([search.indexFrom(0), search.indexFrom(101), search.indexFrom(3001)]).toEqual([0, 2, 31]);
  });

  it('goes on where it failed', async () => {
    const api = fakeApi();
    const search = createRowSearch(api, 'order-1', moves, { first: 0 });
    await api.open[0]!.answer(page(0, 1000, 1999));
    await api.open[0]!.fail(new Error('gone'));
    expect(search.state.value.failure?.message).toBe('gone');
    search.again();
    await answerAll(api, 1999);
    expect(search.state.value).toMatchObject({ count: 20, isThrough: true, failure: undefined });
  });
});
