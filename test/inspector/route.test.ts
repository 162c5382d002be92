/** Permalinks: what a hash leads to, and how a route is written (RT1, RT2). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actorsRoute, formatRoute, parseRoute, streamRoute, type Route } from '../../inspector/src/shell/route.ts';

const text = fc.string({ unit: 'grapheme', minLength: 1 });
const optional = fc.option(text, { nil: undefined });
const route: fc.Arbitrary<Route> = fc.oneof(
  fc.record({ page: fc.constant('actors' as const), filter: fc.string({ unit: 'grapheme' }) }),
  fc.record({ page: fc.constant('trace' as const), correlationId: text }),
  fc.record({
    page: fc.constant('stream' as const),
    stream: text,
    revision: fc.option(fc.nat(), { nil: undefined }),
    panel: optional,
    actor: optional,
    filter: fc.string({ unit: 'grapheme' }),
  }),
);

describe('a permalink', () => {
  it('leads back to the route that it was made of (RT1)', () => {
    fc.assert(
      fc.property(route, (one) => {
        expect(parseRoute(formatRoute(one))).toEqual(one);
      }),
    );
  });

  it('is readable', () => {
    const at = { revision: 12, panel: 'context', actor: '/pay:3' };
    expect(formatRoute(streamRoute('order-42', at))).toBe('#/streams/order-42@12?panel=context&actor=/pay:3');
    expect(formatRoute(actorsRoute)).toBe('#/');
    expect(formatRoute({ page: 'trace', correlationId: 'request/7' })).toBe('#/traces/request%2F7');
  });

  it('tells a stream whose name has an @ from a revision', () => {
    expect(parseRoute(formatRoute(streamRoute('order-a@7')))).toMatchObject({
      stream: 'order-a@7',
      revision: undefined,
    });
  });

  it.each(['', '#', '#/', '#/?'])('without a path leads to the actors: %j', (hash) => {
    expect(parseRoute(hash)).toEqual(actorsRoute);
  });

  it.each(['#/streams/', '#/streams/a@b', '#/streams/%E0%A4%A', '#/traces/', '#/elsewhere/7'])(
    'that is none is said to be none: %s (RT2)',
    (hash) => expect(parseRoute(hash)).toEqual({ page: 'unknown', hash }),
  );

  it('of any text is a route (RT2)', () => {
    fc.assert(
      fc.property(fc.string(), (hash) => {
        expect(parseRoute(hash).page).toMatch(/^(?:actors|stream|trace|unknown)$/);
      }),
    );
  });
});
