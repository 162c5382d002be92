/** The list of actors: what the server is asked (AF1), and what is loaded of it (AP1-AP3). */
import { describe, expect, it } from 'vitest';
import type { ActorsView, ActorSummary } from '../../src/inspect/api.ts';
import { actorFilter } from '../../inspector/src/actors/actor-filter.ts';
import { createActorPages } from '../../inspector/src/actors/actor-pages.ts';
import { fakeApi, type FakeApi } from './fake-api.ts';

const actor = (stream: string, status: ActorSummary['status'] = 'active'): ActorSummary => ({
  ...{ stream, machine: stream.split('-')[0]!, version: null, status, correlationId: 'c', revision: 3 },
  ...{ wakeAt: null, effects: 0 },
});
const name = (number: number) => `order-${String(number).padStart(5, '0')}`;

/** A server with these actors, whose cursor is a number in disguise. */
async function serve(api: FakeApi, all: readonly ActorSummary[]): Promise<void> {
  while (api.open.length > 0) {
    const [asked] = api.open;
    const params = new URLSearchParams(asked!.path.split('?')[1]);
    const after = params.get('after');
    const from = after === null ? 0 : all.findIndex(({ stream }) => stream > after.slice(1));
    const actors = from < 0 ? [] : all.slice(from, from + Number(params.get('limit')));
    const isEnd = from < 0 || from + actors.length >= all.length;
    await asked!.answer({ actors, next: isEnd ? null : `~${actors.at(-1)!.stream}` } satisfies ActorsView);
  }
}

describe('the filter of actors', () => {
  it('has the server narrow down what its index knows (AF1)', () => {
    const { params } = actorFilter(
      'machine:order -machine:payment status:active -status:done correlation:r7 is:failed x',
    );
    expect(params.toString()).toBe(
      'machine=order&not.machine=payment&status=active&not.status=done&correlation=r7&failed=1&q=x',
    );
    expect(actorFilter('/^order/').params.get('q')).toBe('/^order/');
    expect(actorFilter('-is:failed').params.getAll('not.status')).toEqual(['error']);
  });

  it('decides the rest itself (AF1)', () => {
    const { params, keeps } = actorFilter('-correlation:c -x machine:/^ord/ machine:payment');
    expect(params.toString()).toBe('');
    expect(keeps(actor('order-1'))).toBe(false);
    const other = { ...actor('order-1'), correlationId: 'd' };
    expect(keeps(other)).toBe(true);
    expect(keeps({ ...other, stream: 'order-x' })).toBe(false);
    expect(keeps({ ...other, machine: 'shipment' })).toBe(false);
  });
});

describe('the list of actors', () => {
  const all = Array.from({ length: 450 }, (_, at) => actor(name(at * 2)));

  function loaded(pages: ReturnType<typeof createActorPages>): string[] {
    return Array.from({ length: pages.state.value.count }, (_, at) => pages.at(at)!.stream);
  }

  it('grows by a page at a time, to the end, each actor once (AP1, AP3)', async () => {
    const api = fakeApi();
    const pages = createActorPages(api, actorFilter(''));
    pages.more();
    pages.more();
    expect(api.open.length).toBe(1);
    await serve(api, all);
    expect(pages.state.value).toMatchObject({ count: 200, isWhole: false, isLoading: false });
    pages.more();
    await serve(api, all);
    pages.more();
    await serve(api, all);
    pages.more();
    expect(pages.state.value).toMatchObject({ count: 450, isWhole: true });
    expect(loaded(pages)).toEqual(all.map(({ stream }) => stream));
    expect(api.open).toEqual([]);
  });

  it('goes on by itself where the filter keeps little', async () => {
    const api = fakeApi();
    const pages = createActorPages(api, actorFilter('-/[0-7]$/'));
    pages.more();
    await serve(api, all);
    expect(pages.state.value).toMatchObject({ count: 90, isWhole: true });
  });

  it('takes in what is new in a page, and only there (AP2)', async () => {
    const api = fakeApi();
    const pages = createActorPages(api, actorFilter(''));
    for (let turn = 0; turn < 2; turn++) {
      pages.more();
      await serve(api, all);
    }
    const changed = all.map((one) => (one.stream === name(4) ? actor(name(4), 'done') : one));
    const now = [...changed, actor(name(5)), actor(name(501))].toSorted((a, b) => (a.stream < b.stream ? -1 : 1));
    const refreshed = pages.refresh(0, 30);
    await serve(api, now);
    await refreshed;
    expect(pages.at(2)?.status).toBe('done');
    expect(loaded(pages)).toEqual(
      now
        .map(({ stream }) => stream)
        .filter((stream) => stream !== name(501))
        .slice(0, 401),
    );
    const again = pages.refresh(300, 330);
    await serve(api, now);
    await again;
    expect(loaded(pages)).toContain(name(501));
  });

  it('says what failed, and goes on from there', async () => {
    const api = fakeApi();
    const pages = createActorPages(api, actorFilter(''));
    pages.more();
    await api.open[0]!.fail(new Error('gone'));
    expect(pages.state.value).toMatchObject({ isLoading: false, failure: { message: 'gone' } });
    pages.more();
    await serve(api, all);
    expect(pages.state.value).toMatchObject({ count: 200, failure: undefined });
  });

  it('asks nothing after it was closed (AP3)', async () => {
    const api = fakeApi();
    const pages = createActorPages(api, actorFilter(''));
    pages.more();
    pages.close();
    await Promise.resolve();
    pages.more();
    expect([api.paths.length, api.open.length]).toEqual([1, 0]);
  });
});
