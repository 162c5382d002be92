/** Requests (PA1, PA2), the address bar (NV1, NV2), and the live tail (TL1). */
import { describe, expect, it } from 'vitest';
import { ApiFailure, apiBaseOf, httpApi, takeToken } from '../../inspector/src/shell/api.ts';
import { createNavigation } from '../../inspector/src/shell/navigation.ts';
import { actorsRoute, streamRoute } from '../../inspector/src/shell/route.ts';
import { createTail, type RowSource } from '../../inspector/src/shell/tail.ts';
import { stateWords } from '../../inspector/src/stream/state-words.ts';
import { fakeClock } from './fake-clock.ts';

describe('a request', () => {
  const answering = (status: number, body: string) => {
    const seen: Request[] = [];
    const fetchIt: typeof fetch = (input, init) => {
      seen.push(new Request(new URL(input as string, 'http://localhost'), init));
      return Promise.resolve(new Response(body, { status }));
    };
    return { seen, api: httpApi({ base: '/api', token: 'a&b' }, fetchIt) };
  };

  it('has the token in a header, and in links (PA2)', async () => {
    const { seen, api } = answering(200, '{"name":"orders"}');
    expect(await api.get('/log')).toEqual({ name: 'orders' });
    expect(seen[0]?.headers.get('authorization')).toBe('Bearer a&b');
    expect(api.url('/tail?stream=x')).toBe('/api/tail?stream=x&token=a%26b');
    expect(api.url('/streams/x/export')).toBe('/api/streams/x/export?token=a%26b');
  });

  it('posts JSON', async () => {
    const { seen, api } = answering(200, '{}');
    await api.post('/streams/x/what-if', { edits: [] });
    expect(await seen[0]?.json()).toEqual({ edits: [] });
    expect(seen[0]?.headers.get('content-type')).toBe('application/json');
  });

  it.each([
    [404, '{"error":{"code":"NOT_FOUND","message":"There is no order-9."}}', 'NOT_FOUND', 'There is no order-9.'],
    [401, '', 'UNAUTHORIZED', 'rewake inspect'],
    [500, '<html>', 'HTTP', '500'],
    [200, '{', 'UNREADABLE', '/log'],
  ])('that fails with %i %s is an ApiFailure (PA1)', async (status, body, code, words) => {
    const failure = await answering(status, body)
      .api.get('/log')
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ApiFailure);
    expect(failure).toMatchObject({ code, status });
    expect((failure as ApiFailure).message).toContain(words);
  });

  it('that nobody answers says what to do (PA1)', async () => {
    const api = httpApi({ base: '/api', token: undefined }, () => Promise.reject(new TypeError('fetch failed')));
    await expect(api.get('/log')).rejects.toMatchObject({ code: 'UNREACHABLE', status: 0 });
  });

  it('goes to the API beside the page', () => {
    expect(['/', '/index.html', '/admin/rewake/', '/admin/rewake'].map(apiBaseOf)).toEqual([
      ...['/api', '/api', '/admin/rewake/api', '/admin/rewake/api'],
    ]);
  });

  it('takes its token out of the address (PA2)', () => {
    expect(takeToken('?token=t&x=1')).toEqual({ token: 't', rest: '?x=1' });
    expect(takeToken('?token=t')).toEqual({ token: 't', rest: '' });
    expect(takeToken('')).toEqual({ token: undefined, rest: '' });
  });
});

describe('the address bar', () => {
  function browser(hash: string) {
    const entries = [hash];
    const listeners: (() => void)[] = [];
    const location = {
      get hash() {
        return entries.at(-1)!;
      },
      get href() {
        return `http://localhost/${entries.at(-1)!}`;
      },
    };
    const history = {
      pushState: (_: null, _unused: string, url: string) => void entries.push(url),
      replaceState: (_: null, _unused: string, url: string) => void entries.splice(-1, 1, url),
    };
    const addEventListener = (_: string, listener: () => void) => void listeners.push(listener);
    const back = () => {
      entries.pop();
      for (const listener of listeners) listener();
    };
    return { entries, back, bar: { location, history, addEventListener } };
  }

  it('follows a step a little later, in its place (NV1)', () => {
    const clock = fakeClock();
    const { entries, bar } = browser('#/streams/a@1');
    const navigation = createNavigation(bar, clock);
    for (const revision of [2, 3, 4]) navigation.step(streamRoute('a', { revision }));
    expect(navigation.route.value).toMatchObject({ revision: 4 });
    expect(navigation.permalink()).toBe('http://localhost/#/streams/a@4');
    expect(entries).toEqual(['#/streams/a@1']);
    clock.advance(1000);
    expect(entries).toEqual(['#/streams/a@4']);
  });

  it('leads back to what was shown, the last step too (NV2)', () => {
    const clock = fakeClock();
    const { entries, back, bar } = browser('#/');
    const navigation = createNavigation(bar, clock);
    navigation.go(streamRoute('a', { revision: 1 }));
    navigation.step(streamRoute('a', { revision: 2 }));
    navigation.go(streamRoute('b'));
    expect(entries).toEqual(['#/', '#/streams/a@2', '#/streams/b']);
    back();
    expect(navigation.route.value).toMatchObject({ stream: 'a', revision: 2 });
    back();
    expect(navigation.route.value).toEqual(actorsRoute);
  });
});

describe('the live tail', () => {
  class Source implements RowSource {
    readyState = 0;
    onopen: ((event: never) => void) | null = null;
    onerror: ((event: never) => void) | null = null;
    isClosed = false;
    tell: (event: { readonly data: string }) => void = () => undefined;
    addEventListener(_: 'row', listener: (event: { readonly data: string }) => void): void {
      this.tell = listener;
    }
    close(): void {
      this.isClosed = true;
    }
  }

  function tailing() {
    const clock = fakeClock();
    const sources: Source[] = [];
    const told: string[] = [];
    const tail = createTail({
      open() {
        const source = new Source();
        sources.push(source);
        return source;
      },
      ...{ clock, onRow: ({ revision }) => told.push(`row ${revision}`), onOpen: () => told.push('open') },
    });
    return { clock, sources, told, tail };
  }

  it('tells of rows, and is live once it is open', () => {
    const { sources, told, tail } = tailing();
    tail.start();
    tail.start();
    expect([tail.state.value, sources.length]).toEqual(['connecting', 1]);
    sources[0]!.onopen?.(undefined as never);
    sources[0]!.tell({ data: '{"revision":7}' });
    expect([tail.state.value, ...told]).toEqual(['live', 'open', 'row 7']);
  });

  it('says that it is lost, and connects again, later each time (TL1)', () => {
    const { clock, sources, tail, told } = tailing();
    tail.start();
    const lose = () => {
      const source = sources.at(-1)!;
      source.readyState = 2;
      source.onerror?.(undefined as never);
    };
    lose();
    expect(tail.state.value).toBe('lost');
    clock.advance(1000);
    expect(sources.length).toBe(2);
    lose();
    clock.advance(1000);
    expect(sources.length).toBe(2);
    clock.advance(1000);
    expect(sources.length).toBe(3);
    sources.at(-1)!.onopen?.(undefined as never);
    expect([tail.state.value, ...told]).toEqual(['live', 'open']);
  });

  it('leaves a connection to the browser that tries again by itself (TL1)', () => {
    const { clock, sources, tail } = tailing();
    tail.start();
    sources[0]!.onerror?.(undefined as never);
    clock.advance(60_000);
    expect([tail.state.value, sources.length]).toEqual(['lost', 1]);
  });

  it('is silent after it was stopped', () => {
    const { clock, sources, told, tail } = tailing();
    tail.start();
    const [source] = sources;
    tail.stop();
    source!.tell({ data: '{"revision":7}' });
    source!.onerror?.(undefined as never);
    clock.advance(60_000);
    expect([tail.state.value, source!.isClosed, sources.length, ...told]).toEqual(['off', true, 1]);
  });
});

it('a state value is one line', () => {
  expect(stateWords('waiting')).toBe('waiting');
  expect(stateWords({ paying: { card: 'asking' } })).toBe('paying.card.asking');
  expect(stateWords({ shipping: 'label', invoicing: {} })).toBe('shipping.label, invoicing');
  expect(stateWords({ open: { a: 'x', b: 'y' } })).toBe('open.(a.x, b.y)');
});
