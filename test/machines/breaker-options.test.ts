/** The options of a circuit breaker: defaults, and what is refused at definition. */
import { describe, expect, it } from 'vitest';
import { breakerOptions, type BreakerOptions } from '../../machines/breaker-options.ts';
import { InvalidArgumentError } from '../../src/errors.ts';

describe('breakerOptions', () => {
  it('fills in every default', () => {
    expect(breakerOptions()).toEqual({
      mode: 'normal',
      consecutive: 5,
      window: null,
      slowCallMs: null,
      openForMs: 60_000,
      growth: 2,
      openMaxMs: 300_000,
      hintMaxMs: 3_600_000,
      halfOpen: { permits: 1, successes: 1, leaseMs: 30_000 },
      autoHalfOpen: false,
    });
  });

  it('counts no streak where a window is given, unless told', () => {
    expect(breakerOptions({ window: { kind: 'time' } })).toMatchObject({
      consecutive: null,
      window: { kind: 'time', durationMs: 60_000, minimumCalls: 20, failureRate: 0.5, slowCallRate: null },
    });
    expect(breakerOptions({ consecutive: 3, window: { kind: 'count', size: 8 } })).toMatchObject({
      consecutive: 3,
      window: { kind: 'count', size: 8, minimumCalls: 8, failureRate: 0.5 },
    });
  });

  it('lets openFor be longer than the usual openMax', () => {
    expect(breakerOptions({ openFor: '10m' })).toMatchObject({ openForMs: 600_000, openMaxMs: 600_000 });
  });

  const count = { kind: 'count', size: 5 } as const;
  it.each<[path: string, options: unknown]>([
    ['b.consecutive', { consecutive: 0 }],
    ['b.consecutive', { consecutive: 1.5 }],
    ['b.consecutive', { consecutive: '5' }],
    ['b.openFor', { openFor: 0 }],
    ['b.openFor', { openFor: 'soon' }],
    ['b.openFor', { openFor: Number.POSITIVE_INFINITY }],
    ['b.growth', { growth: 0.5 }],
    ['b.growth', { growth: Number.NaN }],
    ['b.openMax', { openFor: '60s', openMax: '30s' }],
    ['b.hintMax', { hintMax: -1 }],
    ['b.mode', { mode: 'off' }],
    ['b.autoHalfOpen', { autoHalfOpen: 1 }],
    ['b.halfOpen.permits', { halfOpen: { permits: 0 } }],
    ['b.halfOpen.successes', { halfOpen: { permits: 2, successes: 3 } }],
    ['b.halfOpen.lease', { halfOpen: { lease: 0 } }],
    ['b.halfOpen.permit', { halfOpen: { permit: 2 } }],
    ['b.window', { window: null }],
    ['b.window.kind', { window: { kind: 'sliding' } }],
    ['b.window.size', { window: { kind: 'count' } }],
    ['b.window.minimumCalls', { window: { ...count, minimumCalls: 6 } }],
    ['b.window.failureRate', { window: { ...count, failureRate: 0 } }],
    ['b.window.failureRate', { window: { ...count, failureRate: 50 } }],
    ['b.window.size', { window: { kind: 'time', size: 5 } }],
    ['b.window.duration', { window: { ...count, duration: 5 } }],
    ['b.slowCall', { window: { ...count, slowCallRate: 0.5 } }],
    ['b.window.slowCallRate', { slowCall: '4s', window: count }],
    ['b.failures', { failures: 5 }],
    ['b', null],
  ])('refuses %s of %j', (path, options) => {
    const check = () => breakerOptions(options as BreakerOptions, 'b');
    expect(check).toThrow(InvalidArgumentError);
    expect(check).toThrow(`${path}: expected`);
  });
});
